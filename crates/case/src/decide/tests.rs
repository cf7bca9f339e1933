//! Decisions: the table of phases and commands, guards, clocks of item 121, properties of random histories.

use proptest::prelude::*;
use tb_base::Date;

use super::*;
use crate::case::{Case, PHASES};
use crate::command::COMMANDS;
use crate::definitions::{PauseKind, RatingTarget};
use crate::event::{evolve, fold};
use crate::fixture::*;
use crate::progress::{StepState, progress};

const PARTIES: [Party; 5] =
    [Party::Applicant, Party::Window, Party::Reviewer, Party::Approver, Party::System];

fn filed() -> Timestamp {
    morning("2026-09-14")
}

/// Which commands some party may give in a phase.
#[track_caller]
fn check_table(phase: PhaseKind, expected: &[CommandKind]) {
    let case = in_phase(phase, filed());
    assert_eq!(case.phase.kind(), phase);
    let rules = rules(xiangtan());
    let someone =
        |kind: &CommandKind| PARTIES.iter().any(|party| permits(&case, &rules, *kind, &by(*party)).is_ok());
    let found: Vec<CommandKind> = COMMANDS.into_iter().filter(someone).collect();
    assert_eq!(found, expected, "{phase:?}");
}

#[test]
fn table_of_phases_and_commands() {
    use CommandKind as C;
    check_table(PhaseKind::Offered, &[C::AcceptCustody, C::RefuseCustody]);
    check_table(PhaseKind::Received, &[C::AskCorrection, C::Accept, C::DeemAccept, C::Decline, C::Withdraw]);
    check_table(PhaseKind::Correcting, &[C::AnswerCorrection, C::Withdraw, C::Lapse]);
    check_table(PhaseKind::Accepted, &[C::Opine, C::Extend, C::Pause, C::Withdraw]);
    check_table(PhaseKind::Decided, &[C::IssueResult]);
    check_table(PhaseKind::Delivering, &[C::Deliver]);
    check_table(PhaseKind::Delivered, &[C::Rate, C::Close]);
    check_table(PhaseKind::Closed, &[C::Rate]);
    for phase in [PhaseKind::Withdrawn, PhaseKind::Declined, PhaseKind::Lapsed, PhaseKind::Returned] {
        check_table(phase, &[]);
    }
}

#[test]
fn buttons_and_server_agree() {
    let rules = rules(xiangtan());
    for phase in PHASES {
        let case = in_phase(phase, filed());
        for party in PARTIES {
            let buttons = allowed(&case, &rules, &by(party));
            for kind in COMMANDS {
                let permitted = permits(&case, &rules, kind, &by(party));
                assert_eq!(buttons.contains(&kind), permitted.is_ok(), "{phase:?} {kind:?} {party:?}");
            }
        }
    }
}

#[track_caller]
fn check_refused(case: &Case, command: &Command, party: Party, code: &str) {
    let outcome = decide(case, &rules(xiangtan()), command, &by(party), filed(), Calendar::national());
    assert_eq!(outcome.unwrap_err().code, code);
}

#[test]
fn guards() {
    let received = in_phase(PhaseKind::Received, filed());
    check_refused(&received, &Command::Accept, Party::Applicant, "CAS-WHO-001");
    check_refused(&received, &Command::Accept, Party::Window, "CAS-WHO-001");
    check_refused(&received, &approve(), Party::Approver, "CAS-PHA-001");
    check_refused(&received, &Command::AskCorrection { lines: vec![] }, Party::Reviewer, "CAS-COR-002");
    check_refused(&received, &Command::DeemAccept, Party::System, "CAS-DUE-001");
    let mut elsewhere = by(Party::Reviewer);
    elsewhere.office = Some("430300-housing".parse().unwrap());
    assert_eq!(
        permits(&received, &rules(xiangtan()), CommandKind::Accept, &elsewhere).unwrap_err().code,
        "CAS-WHO-002"
    );

    let correcting = in_phase(PhaseKind::Correcting, filed());
    let nothing = Command::AnswerCorrection { answers: Answers { salt: String::new(), lines: vec![] } };
    check_refused(&correcting, &nothing, Party::Applicant, "CAS-COR-004");
    let again = run(correcting.clone(), &answer(), Party::Applicant, filed());
    check_refused(&again, &correction(), Party::Reviewer, "CAS-COR-001");

    let accepted = in_phase(PhaseKind::Accepted, filed());
    check_refused(&accepted, &approve(), Party::Approver, "CAS-DEC-001");
    let opined = run(accepted.clone(), &opine(), Party::Approver, filed());
    check_refused(&opined, &approve(), Party::Approver, "CAS-WHO-003");
    let opined = run(accepted.clone(), &opine(), Party::Reviewer, filed());
    check_refused(&opined, &refuse("assessment-failed"), Party::Approver, "CAS-DEC-004");
    check_refused(&opined, &refuse("no-such-ground"), Party::Approver, "CAS-DEC-003");
    let tender = Command::Pause { kind: PauseKind::Tender, notice: "招标".into(), estimate_days: 3 };
    check_refused(&accepted, &tender, Party::Reviewer, "CAS-PAU-001");
    let extend = Command::Extend { reason: "需要外地核实".into() };
    let longer = run(accepted, &extend, Party::Approver, filed());
    check_refused(&longer, &extend, Party::Approver, "CAS-EXT-001");

    let delivering = in_phase(PhaseKind::Delivering, filed());
    check_refused(&delivering, &deliver(), Party::Reviewer, "CAS-WHO-002");
    let delivered = in_phase(PhaseKind::Delivered, filed());
    let rated = run(delivered.clone(), &rate(RatingTarget::Window), Party::Applicant, filed());
    check_refused(&rated, &rate(RatingTarget::Window), Party::Applicant, "CAS-RAT-001");
    let zero = Command::Rate { target: RatingTarget::Window, grade: 0, text: String::new() };
    check_refused(&delivered, &zero, Party::Applicant, "CAS-RAT-002");
    let both = run(rated, &rate(RatingTarget::Department), Party::Applicant, filed());
    assert_eq!(both.phase.kind(), PhaseKind::Closed);
}

#[test]
fn a_refusal_states_reasons_and_remedies() {
    let opined = run(in_phase(PhaseKind::Accepted, filed()), &opine(), Party::Reviewer, filed());
    let refused = run(opined, &refuse("conditions-not-met"), Party::Approver, filed());
    let Some(Outcome::Refused { reasons, remedies }) = refused.outcome() else { panic!("not refused") };
    assert_eq!(reasons[0].article, "行政许可法第三十八条");
    assert_eq!(remedies.len(), 2);
    let delivered = run(refused, &deliver(), Party::Window, filed());
    assert_eq!(delivered.phase.kind(), PhaseKind::Delivered);
    assert!(delivered.result().is_none());
}

#[test]
fn an_electronic_licence_is_delivered_when_it_is_issued() {
    let opening = opening(xiangtan(), xiangtan(), DeliveryMode::Electronic, filed());
    let case = fold(&open(opening, &by(Party::Applicant), filed())).unwrap();
    let case = run(case, &Command::Accept, Party::Reviewer, filed());
    let case = run(run(case, &opine(), Party::Reviewer, filed()), &approve(), Party::Approver, filed());
    assert_eq!(run(case, &issue(), Party::Reviewer, filed()).phase.kind(), PhaseKind::Delivered);
}

#[track_caller]
fn check_due(case: &Case, kind: ClockKind, expected: &str) {
    assert_eq!(case.clock(kind).unwrap().due, expected.parse::<Date>().unwrap(), "{kind:?}");
}

/// Vectors of `cases.md` §1 and `domain-1-4.md` §1.4 through the clocks of item 121.
#[test]
fn clocks_of_item_121() {
    let case = in_phase(PhaseKind::Accepted, morning("2026-09-14"));
    check_due(&case, ClockKind::Legal, "2026-10-16");
    // The Sunday before the holidays is worked.
    check_due(&case, ClockKind::Promised, "2026-09-20");
    check_due(&case, ClockKind::Acceptance, "2026-09-20");
    check_due(&case, ClockKind::HandOver, "2026-09-15");
    check_due(&in_phase(PhaseKind::Received, morning("2021-04-28")), ClockKind::Acceptance, "2021-05-08");
    check_due(&in_phase(PhaseKind::Received, morning("2021-09-16")), ClockKind::Acceptance, "2021-09-24");
    check_due(&in_phase(PhaseKind::Received, morning("2025-09-25")), ClockKind::Acceptance, "2025-10-09");
    check_due(&in_phase(PhaseKind::Accepted, morning("2026-01-30")), ClockKind::Legal, "2026-03-05");
    check_due(&in_phase(PhaseKind::Decided, morning("2021-09-27")), ClockKind::Delivery, "2021-10-15");
    let next_year = in_phase(PhaseKind::Accepted, morning("2026-12-15"));
    assert!(next_year.clock(ClockKind::Legal).unwrap().provisional);
}

#[test]
fn a_correction_starts_the_limits_anew() {
    let asked = in_phase(PhaseKind::Correcting, morning("2026-09-14"));
    assert!(asked.clock(ClockKind::Acceptance).unwrap().stopped.is_some());
    let answered = run(asked, &answer(), Party::Applicant, morning("2026-11-02"));
    assert_eq!(answered.complete, morning("2026-11-02"));
    check_due(&answered, ClockKind::Acceptance, "2026-11-09");
    check_due(&answered, ClockKind::Promised, "2026-11-09");
    check_due(&answered, ClockKind::Legal, "2026-11-30");
    assert!(answered.clock(ClockKind::Answer).unwrap().stopped.is_some());
}

#[test]
fn silence_accepts_from_the_receipt() {
    let received = in_phase(PhaseKind::Received, morning("2026-09-14"));
    let after = morning("2026-09-22");
    let deemed = run(received, &Command::DeemAccept, Party::System, after);
    assert!(matches!(deemed.phase, Phase::Accepted { deemed: true, .. }));
    assert_eq!(deemed.done[&crate::definitions::StageId::Accept], morning("2026-09-14"));
    check_due(&deemed, ClockKind::Legal, "2026-10-16");
}

#[test]
fn too_late_to_ask() {
    let received = in_phase(PhaseKind::Received, morning("2026-09-14"));
    let late = |command| {
        let rules = rules(xiangtan());
        let now = morning("2026-09-22");
        decide(&received, &rules, &command, &by(Party::Reviewer), now, Calendar::national()).unwrap_err().code
    };
    assert_eq!(late(correction()), "CAS-COR-006");
    let facts = "应向交通运输部申请".to_owned();
    assert_eq!(late(Command::Decline { ground: "other-authority".into(), facts }), "CAS-COR-006");
}

#[test]
fn whoever_is_not_accepted_learns_the_remedies() {
    let view = progress(&in_phase(PhaseKind::Declined, filed()), &rules(xiangtan()), "00");
    assert_eq!(view.reason.unwrap().article, "行政许可法第三十二条第一款第二项");
    assert_eq!(view.remedies.len(), 2);
}

#[test]
fn an_unconfirmed_limit_ends_nothing() {
    let correcting = in_phase(PhaseKind::Correcting, filed());
    let late = morning("2027-11-01");
    let outcome = decide(
        &correcting,
        &rules(xiangtan()),
        &Command::Lapse,
        &by(Party::System),
        late,
        Calendar::national(),
    );
    assert_eq!(outcome.unwrap_err().code, "CAS-DUE-002");
    let mut certain = correcting.clone();
    certain.clocks.iter_mut().for_each(|clock| clock.unconfirmed = false);
    assert_eq!(run(certain, &Command::Lapse, Party::System, late).phase.kind(), PhaseKind::Lapsed);
}

#[test]
fn extension_and_pause_move_the_date() {
    let accepted = in_phase(PhaseKind::Accepted, morning("2026-09-14"));
    let extended = run(
        accepted.clone(),
        &Command::Extend { reason: "需要核实".into() },
        Party::Approver,
        morning("2026-09-15"),
    );
    check_due(&extended, ClockKind::Legal, "2026-10-30");
    assert_eq!(progress(&extended, &rules(xiangtan()), "00").notes[0].words, "需要核实");
    let hearing = Command::Pause { kind: PauseKind::Hearing, notice: "听证".into(), estimate_days: 5 };
    let paused = run(accepted, &hearing, Party::Reviewer, morning("2026-09-15"));
    check_refused(&paused, &hearing, Party::Reviewer, "CAS-PAU-002");
    let resumed =
        run(paused, &Command::Resume { result: "已听证".into() }, Party::Reviewer, morning("2026-09-18"));
    let due = resumed.clock(ClockKind::Legal).unwrap().due;
    assert!("2026-10-16".parse::<Date>().unwrap() < due, "{due}");
}

#[test]
fn steps_tell_where_it_waits() {
    let rules = rules(xiangtan());
    for phase in PHASES {
        let view = progress(&in_phase(phase, filed()), &rules, "00");
        let now = view.steps.iter().filter(|step| step.state == StepState::Now).count();
        assert_eq!(now, usize::from(!phase.is_over()), "{phase:?}");
        assert_eq!(view.waiting.is_some(), !phase.is_over(), "{phase:?}");
        let text = serde_json::to_vec(&view).unwrap();
        assert_eq!(serde_json::from_slice::<crate::ProgressView>(&text).unwrap(), view);
        for clock in &view.clocks {
            assert_eq!(clock.explain(Calendar::national()).date, clock.due);
        }
    }
}

fn any_command() -> impl Strategy<Value = Command> {
    let hearing = Command::Pause { kind: PauseKind::Hearing, notice: "听证".into(), estimate_days: 5 };
    let decline = Command::Decline { ground: "other-authority".into(), facts: "不属本机关".into() };
    prop::sample::select(vec![
        Command::AcceptCustody,
        correction(),
        answer(),
        Command::Accept,
        Command::Accept,
        Command::DeemAccept,
        decline,
        opine(),
        opine(),
        Command::Extend { reason: "需要核实".into() },
        hearing,
        Command::Resume { result: "完成".into() },
        approve(),
        refuse("false-statement"),
        issue(),
        deliver(),
        rate(RatingTarget::Window),
        rate(RatingTarget::Department),
        Command::Withdraw,
        Command::Lapse,
        Command::Close,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is tried in whatever order: the state is the fold of the events, one node owns, time only grows.
    #[test]
    fn random_histories(steps in prop::collection::vec((any_command(), prop::sample::select(PARTIES.to_vec()), 0_i64..400_000), 1..60)) {
        let rules = rules(xiangtan());
        let mut now = filed();
        let opening = opening(changsha(), xiangtan(), DeliveryMode::CollectingWindow, now);
        let mut events = open(opening, &by(Party::Window), now);
        let mut case = fold(&events).unwrap();
        for (command, party, seconds) in steps {
            now = now.plus_seconds(seconds);
            let Ok(more) = decide(&case, &rules, &command, &by(party), now, Calendar::national()) else { continue };
            prop_assert!(!more.is_empty());
            let before = case.clone();
            case = more.iter().fold(case, evolve);
            events.extend(more);
            prop_assert_eq!(case.seq as usize, events.len());
            prop_assert!(before.epoch <= case.epoch);
            prop_assert_eq!(case.owner == xiangtan(), case.epoch == 2);
            prop_assert!(!before.phase.kind().is_over() || matches!(before.phase.kind(), PhaseKind::Delivered | PhaseKind::Closed));
            if let Some(Outcome::Refused { reasons, remedies }) = case.outcome() {
                prop_assert!(!reasons.is_empty() && !remedies.is_empty());
            }
        }
        prop_assert_eq!(fold(&events).unwrap(), case.clone());
        let text = serde_json::to_vec(&events).unwrap();
        let read: Vec<Event> = serde_json::from_slice(&text).unwrap();
        prop_assert_eq!(fold(&read).unwrap(), case);
    }
}
