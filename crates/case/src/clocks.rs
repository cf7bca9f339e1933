//! Clocks of a case (时限): started, paused, extended and stopped, each time computed anew from its input.
//!
//! Invariant: a date is never moved by hand; it follows from the input and the calendar that the clock names.

use tb_base::{Calendar, Deadline, DeadlineInput, Timestamp};

use crate::case::{Case, CaseClock, ClockKind};
use crate::definitions::{ClockRule, ItemRules, LimitOf, Start};

/// Both clocks of the examination: by law and promised.
const EXAMINATION: [ClockKind; 2] = [ClockKind::Legal, ClockKind::Promised];

/// The rule of a clock.
pub fn rule(rules: &ItemRules, kind: ClockKind) -> &ClockRule {
    match kind {
        ClockKind::HandOver => &rules.clocks.hand_over,
        ClockKind::Acceptance => &rules.clocks.acceptance,
        ClockKind::Answer => &rules.clocks.answer,
        ClockKind::Legal => &rules.clocks.legal,
        ClockKind::Promised => &rules.clocks.promised,
        ClockKind::Delivery => &rules.clocks.delivery,
    }
}

/// A clock that starts at a moment.
pub fn start(rules: &ItemRules, kind: ClockKind, at: Timestamp, calendar: &Calendar) -> CaseClock {
    let rule = rule(rules, kind);
    let clock = CaseClock {
        kind,
        text: rule.text.clone(),
        input: DeadlineInput::new(at, rule.limit.limit()),
        due: at.date(),
        due_at: at,
        provisional: false,
        calendar: String::new(),
        basis: rule.basis.clone(),
        unconfirmed: rule.unconfirmed,
        stopped: None,
    };
    computed(clock, calendar)
}

/// The clock with its date computed anew.
fn computed(mut clock: CaseClock, calendar: &Calendar) -> CaseClock {
    let due = Deadline::compute(calendar, &clock.input);
    (clock.due, clock.due_at, clock.provisional, clock.calendar) =
        (due.date, due.at, due.provisional, due.calendar);
    clock
}

/// The clocks that run from the moment of collection: hand-over where there is one, acceptance, examination.
pub fn at_collection(
    rules: &ItemRules,
    is_remote: bool,
    now: Timestamp,
    calendar: &Calendar,
) -> Vec<CaseClock> {
    let mut kinds = vec![ClockKind::Acceptance];
    if is_remote {
        kinds.push(ClockKind::HandOver);
    }
    kinds.extend(EXAMINATION.into_iter().filter(|kind| rule(rules, *kind).from != Start::Accepted));
    kinds.into_iter().map(|kind| start(rules, kind, now, calendar)).collect()
}

/// Stops a clock whose purpose is reached.
pub fn stopped(case: &Case, kind: ClockKind, now: Timestamp) -> Option<CaseClock> {
    let mut clock = case.clock(kind).filter(|clock| clock.stopped.is_none())?.clone();
    clock.stopped = Some(now);
    Some(clock)
}

/// The correction was asked: acceptance is done for now, the examination stands still, the answer is awaited.
pub fn at_asking(case: &Case, rules: &ItemRules, now: Timestamp, calendar: &Calendar) -> Vec<CaseClock> {
    let mut clocks: Vec<CaseClock> = stopped(case, ClockKind::Acceptance, now).into_iter().collect();
    clocks.extend(paused(case, now, calendar));
    clocks.push(start(rules, ClockKind::Answer, now, calendar));
    clocks
}

/// The correction was answered: everything counts anew from the complete receipt.
pub fn at_answer(case: &Case, rules: &ItemRules, now: Timestamp, calendar: &Calendar) -> Vec<CaseClock> {
    let mut clocks: Vec<CaseClock> = stopped(case, ClockKind::Answer, now).into_iter().collect();
    clocks.push(start(rules, ClockKind::Acceptance, now, calendar));
    let anew = EXAMINATION.into_iter().filter(|kind| rule(rules, *kind).from == Start::CompleteReceipt);
    clocks.extend(anew.map(|kind| start(rules, kind, now, calendar)));
    let collected = EXAMINATION.into_iter().filter(|kind| rule(rules, *kind).from == Start::Collected);
    clocks.extend(collected.filter_map(|kind| resumed_one(case, kind, now, calendar)));
    clocks
}

/// Accepted: the acceptance clock stops; the examination starts where its rule says so, on the effective day.
pub fn at_acceptance(
    case: &Case,
    rules: &ItemRules,
    effective: Timestamp,
    now: Timestamp,
    calendar: &Calendar,
) -> Vec<CaseClock> {
    let mut clocks: Vec<CaseClock> = stopped(case, ClockKind::Acceptance, now).into_iter().collect();
    let late = EXAMINATION.into_iter().filter(|kind| rule(rules, *kind).from == Start::Accepted);
    clocks.extend(late.map(|kind| start(rules, kind, effective, calendar)));
    clocks
}

/// Decided: the examination is over, delivery is due.
pub fn at_decision(case: &Case, rules: &ItemRules, now: Timestamp, calendar: &Calendar) -> Vec<CaseClock> {
    let mut clocks: Vec<CaseClock> =
        EXAMINATION.into_iter().filter_map(|kind| stopped(case, kind, now)).collect();
    clocks.push(start(rules, ClockKind::Delivery, now, calendar));
    clocks
}

/// The examination clocks with a pause that begins now.
pub fn paused(case: &Case, now: Timestamp, calendar: &Calendar) -> Vec<CaseClock> {
    let pause = |kind| {
        let mut clock = case.clock(kind).filter(|clock| clock.stopped.is_none())?.clone();
        clock.input.pauses.push((now, None));
        Some(computed(clock, calendar))
    };
    EXAMINATION.into_iter().filter_map(pause).collect()
}

/// The examination clocks with the open pause ended now.
pub fn resumed(case: &Case, now: Timestamp, calendar: &Calendar) -> Vec<CaseClock> {
    EXAMINATION.into_iter().filter_map(|kind| resumed_one(case, kind, now, calendar)).collect()
}

fn resumed_one(case: &Case, kind: ClockKind, now: Timestamp, calendar: &Calendar) -> Option<CaseClock> {
    let mut clock = case.clock(kind).filter(|clock| clock.stopped.is_none())?.clone();
    for (_, end) in clock.input.pauses.iter_mut().filter(|(_, end)| end.is_none()) {
        *end = Some(now);
    }
    Some(computed(clock, calendar))
}

/// The examination clocks, longer by one extension. A promise is extended with the limit by law.
pub fn extended(case: &Case, by: LimitOf, calendar: &Calendar) -> Vec<CaseClock> {
    let extend = |kind| {
        let mut clock = case.clock(kind).filter(|clock| clock.stopped.is_none())?.clone();
        clock.input.extensions.push(by.limit());
        Some(computed(clock, calendar))
    };
    EXAMINATION.into_iter().filter_map(extend).collect()
}
