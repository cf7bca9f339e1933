//! Stories at crate level (办件故事): two cities on real stores, every body carried by hand.

mod random;
mod sealed;
mod world;

use tb_base::{Actor, Error, MessageId, Role};
use tb_store::Config;

use crate::acts::{self, ActStatus, Acted};
use crate::case::{ClockKind, Party, PhaseKind};
use crate::command::{Command, CommandKind};
use crate::definitions::RatingTarget;
use crate::fixture::{
    answer, approve, changsha, correction, deliver, morning, opine, place, rate, refuse, xiangtan,
};
use crate::peer::{Offer, Progress};
use crate::{draft, keep, queue, submit, timers};
use world::World;

fn refusal(error: Error) -> String {
    match error {
        Error::Refused(refusal) => refusal.code.to_string(),
        Error::Fault(_) | Error::Violation(_) => panic!("{error}"),
    }
}

fn violation(error: Error) -> String {
    match error {
        Error::Violation(violation) => violation.code.to_string(),
        Error::Refused(_) | Error::Fault(_) => panic!("{error}"),
    }
}

/// Both cities show the same, and exactly one owns.
#[track_caller]
fn check_same(world: &World, case: tb_base::CaseId, phase: PhaseKind) {
    let (here, there) = (world.view(changsha(), case), world.view(xiangtan(), case));
    assert_eq!(here, there);
    assert_eq!(here.phase, phase);
    let owners = [changsha(), xiangtan()].into_iter().filter(|node| {
        world.write(*node, Actor::System, move |tx, _, _| keep::head(tx, case)).unwrap().is_some()
    });
    assert_eq!(owners.count(), 1);
    let chain = world.write(xiangtan(), Actor::System, move |tx, _, _| keep::records(tx, case)).unwrap();
    let replayed = keep::replay(&chain).unwrap();
    assert_eq!(
        replayed,
        world.write(xiangtan(), Actor::System, move |tx, _, _| acts::owned(tx, case)).unwrap()
    );
    assert_eq!(chain.last().unwrap().hash, here.head_hash);
}

#[track_caller]
fn here(world: &World, role: Role, case: tb_base::CaseId, command: Command) {
    let acted = world.act(xiangtan(), world.staff(xiangtan(), role), case, command).unwrap();
    assert!(matches!(acted, Acted::Applied(_)));
}

fn issue() -> Command {
    Command::IssueResult { result: None }
}

fn approved(world: &mut World) {
    let case = world.file("collecting_window");
    let offered = world.view(changsha(), case);
    assert_eq!((offered.phase, offered.epoch), (PhaseKind::Offered, 1));
    assert!(offered.waiting.is_some());
    world.exchange();
    check_same(world, case, PhaseKind::Received);
    assert_eq!(world.view(changsha(), case).epoch, 2);

    here(world, Role::Reviewer, case, correction());
    world.exchange();
    check_same(world, case, PhaseKind::Correcting);
    // She answers in Changsha; Xiangtan owns the case.
    world.now = morning("2026-09-15");
    assert_eq!(world.act(changsha(), world.driver(changsha()), case, answer()).unwrap(), Acted::Sent);
    let again = world.act(changsha(), world.driver(changsha()), case, answer()).unwrap_err();
    assert_eq!(refusal(again), "CAS-ACT-001");
    world.exchange();
    check_same(world, case, PhaseKind::Received);
    let sent = world.write(changsha(), Actor::System, move |tx, _, _| acts::sent(tx, case)).unwrap();
    assert_eq!(sent.iter().map(|it| it.status).collect::<Vec<_>>(), [ActStatus::Applied]);

    here(world, Role::Reviewer, case, Command::Accept);
    here(world, Role::Reviewer, case, opine());
    here(world, Role::Approver, case, approve());
    here(world, Role::Reviewer, case, issue());
    world.exchange();
    check_same(world, case, PhaseKind::Delivering);
    let view = world.view(changsha(), case);
    assert_eq!(view.result.as_ref().unwrap().version, 2);
    assert_eq!(view.clock(ClockKind::Promised).unwrap().due.to_string(), "2026-09-21");
    assert_eq!(view.holder.place, place(changsha(), true));
    let window = place(changsha(), true).office;
    let filter = queue::Filter::default();
    let page = world
        .write(changsha(), Actor::System, move |tx, _, _| queue::of_office(tx, &window, &filter, 0))
        .unwrap();
    assert_eq!((page.total, page.rows[0].case), (1, case));

    let clerk = world.staff(changsha(), Role::Window);
    assert_eq!(world.act(changsha(), clerk, case, deliver()).unwrap(), Acted::Sent);
    world.exchange();
    check_same(world, case, PhaseKind::Delivered);
    world.act(changsha(), world.driver(changsha()), case, rate(RatingTarget::Window)).unwrap();
    world.act(changsha(), world.driver(changsha()), case, rate(RatingTarget::Department)).unwrap();
    world.exchange();
    check_same(world, case, PhaseKind::Closed);
    assert_eq!(world.view(changsha(), case).ratings.len(), 2);

    let person = world.cities[&changsha()].person;
    let code = view.query_code.to_lowercase();
    let (mine, found, notices) = world
        .write(changsha(), Actor::System, move |tx, _, _| {
            let notices = tb_identity::messages::narrowed(tx, person, Default::default(), 0)?.0;
            Ok((queue::of_person(tx, person, 0)?, queue::by_code(tx, &code)?, notices))
        })
        .unwrap();
    assert_eq!((mine.total, found.unwrap().case), (1, case));
    assert!(notices.iter().all(|notice| notice.words(crate::notices::WORDINGS).is_some()));
    assert!(6 <= notices.len());
}

/// What a register says is disputed, taken back, disputed again; what no register says cannot be.
fn dispute(
    tx: &mut tb_store::Tx<'_>,
    ctx: &tb_base::Ctx,
    env: &crate::Env,
    id: tb_base::DraftId,
    version: i64,
) -> tb_base::Result<()> {
    let mut say = |version, field: &str, text: &str| draft::dispute(tx, ctx, env, id, version, field, text);
    let field = "old-certificate.name";
    assert_eq!(say(version, field, " 名字少了一个字 ")?.disputes[field], "名字少了一个字");
    assert!(say(version + 1, field, "")?.disputes.is_empty());
    assert_eq!(refusal(say(version + 2, "reason", "x").unwrap_err()), "CAS-DSP-001");
    assert_eq!(refusal(say(version + 2, "old-certificate.salary", "x").unwrap_err()), "CAS-DSP-001");
    assert_eq!(refusal(say(version + 2, field, &"x".repeat(501)).unwrap_err()), "CAS-FRM-004");
    say(version + 2, field, "名字少了一个字").map(drop)
}

#[test]
fn every_statement_works_on_both_engines() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let postgres = tb_testkit::Postgres::start();
    let engines = [
        Config::memory().engine,
        tb_store::Engine::Postgres { url: postgres.url.clone(), schema: postgres.schema("case_check") },
    ];
    for engine in engines {
        let schemas = [tb_identity::SCHEMA, crate::SCHEMA];
        assert_eq!(
            runtime.block_on(tb_store::check_statements(&schemas, &engine)).unwrap(),
            Vec::<String>::new()
        );
    }
}

#[test]
fn approved_on_sqlite() {
    approved(&mut World::new());
}

#[test]
fn approved_on_postgres() {
    let postgres = tb_testkit::Postgres::start();
    let config = |node| Config {
        engine: tb_store::Engine::Postgres {
            url: postgres.url.clone(),
            schema: postgres.schema(&format!("case_{node}")),
        },
        inline: false,
    };
    approved(&mut World::on(config));
}

#[test]
fn refused_with_reasons_and_remedies() {
    let world = World::new();
    let case = world.file("electronic");
    world.exchange();
    here(&world, Role::Reviewer, case, Command::Accept);
    here(&world, Role::Reviewer, case, opine());
    here(&world, Role::Approver, case, refuse("conditions-not-met"));
    world.exchange();
    check_same(&world, case, PhaseKind::Decided);
    let view = world.view(changsha(), case);
    let Some(crate::case::Outcome::Refused { reasons, remedies }) = view.outcome else {
        panic!("not refused")
    };
    assert_eq!((reasons.len(), remedies.len()), (1, 2));
    assert!(world.in_force.lock().unwrap().values().all(|version| *version == 1));
}

#[test]
fn withdrawn_from_the_other_city() {
    let world = World::new();
    let case = world.file("electronic");
    // On its way nobody can act on it; it is neither lost nor blocked.
    let early = world.act(changsha(), world.driver(changsha()), case, Command::Withdraw).unwrap_err();
    assert_eq!(refusal(early), "CAS-PHA-001");
    world.exchange();
    world.act(changsha(), world.driver(changsha()), case, Command::Withdraw).unwrap();
    world.exchange();
    check_same(&world, case, PhaseKind::Withdrawn);
    let late =
        world.act(xiangtan(), world.staff(xiangtan(), Role::Reviewer), case, Command::Accept).unwrap_err();
    assert_eq!(refusal(late), "CAS-PHA-001");
}

#[test]
fn custody_refused_when_a_licence_has_changed() {
    let world = World::new();
    let case = world.file("electronic");
    world.in_force.lock().unwrap().values_mut().for_each(|version| *version = 2);
    world.exchange();
    let view = world.view(changsha(), case);
    assert_eq!((view.phase, view.epoch, view.owner), (PhaseKind::Returned, 1, changsha()));
    assert_eq!(view.reason.unwrap().ground, "CAS-CUS-005");
    let driver = world.driver(changsha());
    let again = world
        .write(changsha(), driver, move |tx, ctx, env| draft::from_returned(tx, ctx, env, case))
        .unwrap();
    assert_eq!((again.answers["phone"].as_str(), again.fetched.len()), ("13807314627", 0));
    let there =
        world.write(xiangtan(), Actor::System, move |tx, _, env| acts::view(tx, env, case)).unwrap_err();
    assert_eq!(refusal(there), "CAS-FND-001");
}

#[test]
fn a_duplicate_offer_is_answered_alike() {
    let world = World::new();
    let case = world.file("electronic");
    let offer = world.waiting(changsha()).remove(0);
    world.deliver(&offer).unwrap();
    world.deliver(&offer).unwrap();
    // The same offer again under another message id: answered from memory, adopted once.
    let mut other = offer.clone();
    other.envelope.id = world.ctx(changsha(), Actor::System).id(MessageId::new);
    world.deliver(&other).unwrap();
    world.exchange();
    check_same(&world, case, PhaseKind::Received);
    // A lower epoch than the accepted one is refused, and changes nothing.
    let mut body: Offer = serde_json::from_slice(&offer.body).unwrap();
    body.epoch = 0;
    other.envelope.id = world.ctx(changsha(), Actor::System).id(MessageId::new);
    other.body = serde_json::to_vec(&body).unwrap();
    world.deliver(&other).unwrap();
    world.exchange();
    check_same(&world, case, PhaseKind::Received);
}

#[test]
fn a_changed_package_is_not_taken() {
    let world = World::new();
    let case = world.file("electronic");
    let mut offer = world.waiting(changsha()).remove(0);
    let mut body: Offer = serde_json::from_slice(&offer.body).unwrap();
    body.filing.answers.insert("phone".into(), "13900000000".into());
    offer.body = serde_json::to_vec(&body).unwrap();
    world.deliver(&offer).unwrap();
    world.exchange();
    assert_eq!(world.view(changsha(), case).reason.unwrap().ground, "CAS-CUS-006");
}

#[test]
fn stale_progress_changes_nothing() {
    let world = World::new();
    let case = world.file("electronic");
    world.exchange();
    here(&world, Role::Reviewer, case, Command::Accept);
    let early = world.waiting(xiangtan()).remove(0);
    here(&world, Role::Reviewer, case, opine());
    here(&world, Role::Approver, case, approve());
    let seq =
        |message: &tb_exchange::Outgoing| serde_json::from_slice::<Progress>(&message.body).unwrap().view.seq;
    let late = world.waiting(xiangtan()).into_iter().max_by_key(seq).unwrap();
    world.deliver(&late).unwrap();
    check_same(&world, case, PhaseKind::Decided);
    world.deliver(&early).unwrap();
    check_same(&world, case, PhaseKind::Decided);
    world.exchange();
    check_same(&world, case, PhaseKind::Decided);
}

#[test]
fn the_old_owner_cannot_write() {
    let world = World::new();
    let case = world.file("electronic");
    let before =
        world.write(changsha(), Actor::System, move |tx, _, _| keep::head(tx, case)).unwrap().unwrap();
    world.exchange();
    let id = world.ctx(changsha(), Actor::System).id(MessageId::new);
    let late = world
        .write(changsha(), Actor::System, move |tx, ctx, env| {
            let by = crate::By { party: Party::Applicant, ..crate::By::system(env.me()) };
            let events = [crate::Event { at: ctx.now, by, change: crate::event::Change::Withdrawn }];
            keep::apply(tx, ctx, env, before.clone(), &events, id, keep::Tell::Nobody).map(drop)
        })
        .unwrap_err();
    assert_eq!(refusal(late), "CAS-CUS-001");
    check_same(&world, case, PhaseKind::Received);
}

#[test]
fn only_the_owner_speaks_for_a_case() {
    let world = World::new();
    let case = world.file("electronic");
    world.exchange();
    here(&world, Role::Reviewer, case, Command::Accept);
    let mut message = world.waiting(xiangtan()).remove(0);
    let mut body: Progress = serde_json::from_slice(&message.body).unwrap();
    body.view.owner = changsha();
    message.body = serde_json::to_vec(&body).unwrap();
    assert_eq!(violation(world.deliver(&message).unwrap_err()), "custody");
}

#[test]
fn a_refused_act_is_told() {
    let world = World::new();
    let case = world.file("electronic");
    world.exchange();
    world.act(changsha(), world.driver(changsha()), case, Command::Withdraw).unwrap();
    let act = world.waiting(changsha()).remove(0);
    // Xiangtan decides before the act arrives.
    here(&world, Role::Reviewer, case, Command::Accept);
    here(&world, Role::Reviewer, case, opine());
    here(&world, Role::Approver, case, approve());
    world.deliver(&act).unwrap();
    world.exchange();
    let sent = world.write(changsha(), Actor::System, move |tx, _, _| acts::sent(tx, case)).unwrap();
    assert_eq!(sent[0].status, ActStatus::Rejected);
    assert_eq!(sent[0].refusal.as_ref().unwrap().code, "CAS-PHA-001");
    check_same(&world, case, PhaseKind::Decided);
}

#[test]
fn an_act_before_its_offer_waits() {
    let world = World::new();
    let case = world.file("electronic");
    let offer = world.waiting(changsha()).remove(0);
    world.deliver(&offer).unwrap();
    let custody = world.waiting(xiangtan()).remove(0);
    world.deliver(&custody).unwrap();
    world.act(changsha(), world.driver(changsha()), case, Command::Withdraw).unwrap();
    let act = world.waiting(changsha()).remove(0);
    let other = World::new();
    assert!(matches!(other.deliver(&act).unwrap_err(), Error::Fault(_)));
}

#[test]
fn silence_accepts_by_itself() {
    let mut world = World::new();
    let case = world.file("electronic");
    world.exchange();
    world.now = morning("2026-09-21");
    world
        .write(xiangtan(), Actor::System, move |tx, ctx, env| {
            for job in
                tb_store::jobs::due(tx, ctx.now, 100, tb_store::Lease { holder: "stories", seconds: 60 })?
            {
                timers::run(tx, ctx, env, &job.payload)?;
                timers::run(tx, ctx, env, &job.payload)?;
            }
            Ok(())
        })
        .unwrap();
    world.exchange();
    check_same(&world, case, PhaseKind::Accepted);
    assert_eq!(world.view(changsha(), case).clock(ClockKind::Legal).unwrap().due.to_string(), "2026-10-16");
}

#[test]
fn drafts_are_kept_and_checked() {
    let world = World::new();
    let (id, version) = world.filled("post");
    let clerk = world.staff(changsha(), Role::Window);
    let command = world.ctx(changsha(), Actor::System).id(MessageId::new);
    let missing = world
        .write(changsha(), clerk.clone(), move |tx, _, env| {
            let draft = draft::find(tx, env, id)?.unwrap();
            let rules = env.rules_of(121, xiangtan())?;
            Ok(submit::missing(&draft, &rules))
        })
        .unwrap();
    let fields: Vec<_> = missing.iter().filter_map(|it| it.field.as_deref()).collect();
    assert_eq!(fields, ["recipient", "address"]);
    let refused =
        world.write(changsha(), clerk.clone(), move |tx, ctx, env| crate::submit(tx, ctx, env, id, command));
    assert_eq!(refusal(refused.unwrap_err()), "CAS-FRM-003");
    let answers = [("recipient", "贺志强"), ("address", "雨花区万家丽中路二段 8 号")];
    let answers: crate::form::Answers =
        answers.iter().map(|(id, it)| ((*id).to_owned(), (*it).to_owned())).collect();
    let stale = answers.clone();
    let error = world.write(changsha(), clerk.clone(), move |tx, ctx, env| {
        draft::save(tx, ctx, env, id, version - 1, &stale)
    });
    assert_eq!(refusal(error.unwrap_err()), "CAS-DRA-002");
    let filed = world
        .write(changsha(), clerk.clone(), move |tx, ctx, env| {
            draft::save(tx, ctx, env, id, version, &answers)?;
            dispute(tx, ctx, env, id, version + 1)?;
            let first = crate::submit(tx, ctx, env, id, command)?;
            assert_eq!(crate::submit(tx, ctx, env, id, command)?, first);
            Ok(first)
        })
        .unwrap();
    let gone = world.write(changsha(), clerk, move |tx, _, env| draft::find(tx, env, id)).unwrap();
    assert!(gone.is_none());
    world.exchange();
    check_same(&world, filed, PhaseKind::Received);
    let reviewer = world.staff(xiangtan(), Role::Reviewer);
    let (file, may, looks) = world
        .write(xiangtan(), reviewer, move |tx, ctx, env| {
            let file = acts::open_file(tx, ctx, env, filed)?;
            let person = acts::person_of(tx, filed)?.unwrap();
            assert_eq!(acts::open_file(tx, ctx, env, filed)?, file, "the page again is the same look");
            Ok((file, acts::may(tx, ctx, env, filed)?, tb_identity::look::count(tx, person)?))
        })
        .unwrap();
    assert_eq!(file.filing.answers["recipient"], "贺志强");
    assert_eq!(file.filing.disputes["old-certificate.name"], "名字少了一个字");
    assert_eq!(may, [CommandKind::AskCorrection, CommandKind::Accept, CommandKind::Decline]);
    assert_eq!(looks, 1);
    let kept = world
        .write(changsha(), Actor::System, move |tx, _, env| crate::files::read(tx, &env.vault, filed))
        .unwrap();
    assert!(kept.is_none(), "the collecting city keeps a reference, a status and a hash");
}
