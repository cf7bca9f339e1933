//! What happened to a case (办件事件): past tense, complete in itself, never changed.
//!
//! Invariant: an event carries every computed fact (dates with the version of their calendar), so that
//! folding old events never runs a rule again.

use serde::{Deserialize, Serialize};
use tb_base::{NodeId, Timestamp};

use crate::case::{
    By, Case, CaseClock, ClockKind, Correction, End, IssuedResult, Note, Opening, Opinion, Outcome, Party,
    Pause, Phase, Proof, Rating, Reason, RemedyText,
};
use crate::definitions::StageId;
use crate::text::Text;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Through whom.
    pub by: By,
    /// What changed.
    pub change: Change,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// Handed in (收件).
    Collected {
        /// With what.
        opening: Box<Opening>,
    },
    /// Offered to the deciding city (移交).
    Offered {
        /// Which.
        to: NodeId,
    },
    /// The deciding city took custody (接管): the epoch grows.
    CustodyAccepted {
        /// The new owner.
        owner: NodeId,
        /// The new epoch.
        epoch: u32,
        /// The hand-over clock stops, the acceptance clock runs on.
        clocks: Vec<CaseClock>,
    },
    /// The deciding city refused custody (退回).
    CustodyRefused {
        /// Why.
        reason: Reason,
    },
    /// A correction was asked (一次性告知).
    CorrectionAsked {
        /// What.
        correction: Correction,
        /// Clocks that changed.
        clocks: Vec<CaseClock>,
    },
    /// The correction was answered.
    CorrectionAnswered {
        /// The lines that were answered.
        about: Vec<String>,
        /// SHA-256 of the sealed answers.
        digest: String,
        /// Clocks that changed: the limits count anew.
        clocks: Vec<CaseClock>,
    },
    /// Accepted (受理).
    Accepted {
        /// Whether by silence (视为受理).
        deemed: bool,
        /// Clocks that changed.
        clocks: Vec<CaseClock>,
    },
    /// Not accepted (不予受理).
    Declined {
        /// Why.
        reason: Reason,
        /// What the person can do against it.
        remedies: Vec<RemedyText>,
    },
    /// A reviewer gave an opinion (审查意见).
    Opined {
        /// Which.
        opinion: Opinion,
    },
    /// The limit was extended (延长).
    Extended {
        /// Why, as told to the applicant.
        reason: String,
        /// Clocks that changed.
        clocks: Vec<CaseClock>,
    },
    /// A special procedure began (特别程序开始).
    Paused {
        /// Which.
        pause: Pause,
        /// Clocks that changed.
        clocks: Vec<CaseClock>,
    },
    /// The special procedure ended (特别程序结束).
    Resumed {
        /// With what result.
        result: String,
        /// Clocks that changed.
        clocks: Vec<CaseClock>,
    },
    /// Decided (决定).
    Decided {
        /// Which way.
        outcome: Outcome,
        /// Clocks that changed.
        clocks: Vec<CaseClock>,
    },
    /// The licence was issued (制证).
    ResultIssued {
        /// What.
        result: IssuedResult,
    },
    /// Handed over (送达).
    Delivered {
        /// How.
        proof: Proof,
        /// Clocks that changed.
        clocks: Vec<CaseClock>,
    },
    /// Taken back (撤回).
    Withdrawn,
    /// Rated (评价).
    Rated {
        /// How.
        rating: Rating,
    },
    /// Not corrected in time (逾期未补正).
    Lapsed,
    /// Filed (归档).
    Closed,
}

impl Change {
    /// The name in columns.
    pub fn kind(&self) -> &'static str {
        match self {
            Change::Collected { .. } => "collected",
            Change::Offered { .. } => "offered",
            Change::CustodyAccepted { .. } => "custody_accepted",
            Change::CustodyRefused { .. } => "custody_refused",
            Change::CorrectionAsked { .. } => "correction_asked",
            Change::CorrectionAnswered { .. } => "correction_answered",
            Change::Accepted { .. } => "accepted",
            Change::Declined { .. } => "declined",
            Change::Opined { .. } => "opined",
            Change::Extended { .. } => "extended",
            Change::Paused { .. } => "paused",
            Change::Resumed { .. } => "resumed",
            Change::Decided { .. } => "decided",
            Change::ResultIssued { .. } => "result_issued",
            Change::Delivered { .. } => "delivered",
            Change::Withdrawn => "withdrawn",
            Change::Rated { .. } => "rated",
            Change::Lapsed => "lapsed",
            Change::Closed => "closed",
        }
    }
}

/// The case that an opening makes.
fn opened(opening: &Opening, event: &Event) -> Case {
    let mut opening = opening.clone();
    let clocks = std::mem::take(&mut opening.clocks);
    Case {
        owner: opening.collecting.city,
        opening,
        collected: event.at,
        complete: event.at,
        seq: 1,
        epoch: 1,
        phase: Phase::Received,
        since: event.at,
        clocks,
        corrections: Vec::new(),
        extensions: 0,
        examiners: Vec::new(),
        done: [(StageId::Collect, event.at)].into(),
        ratings: Vec::new(),
        notes: Vec::new(),
    }
}

/// The case after all of its events; nothing, if they do not begin with its opening.
pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Option<Case> {
    let mut events = events.into_iter();
    let first = events.next()?;
    let Change::Collected { opening } = &first.change else { return None };
    Some(events.fold(opened(opening, first), evolve))
}

/// The case after one more event (演进). Total: an event that does not fit the phase changes only the count,
/// and [`crate::decide()`] makes no such event.
pub fn evolve(mut case: Case, event: &Event) -> Case {
    case.seq += 1;
    examine(&mut case, event);
    match &event.change {
        Change::Collected { .. } => {}
        Change::Offered { to } => enter(&mut case, Phase::Offered { to: *to }, event.at),
        Change::CustodyAccepted { owner, epoch, clocks } => {
            (case.owner, case.epoch) = (*owner, *epoch);
            case.done.insert(StageId::HandOver, event.at);
            renew(&mut case, clocks);
            enter(&mut case, Phase::Received, event.at);
        }
        Change::CustodyRefused { reason } => {
            over(&mut case, Phase::Returned { reason: reason.clone() }, event.at);
        }
        Change::CorrectionAsked { correction, clocks } => {
            renew(&mut case, clocks);
            enter(&mut case, Phase::Correcting { asked: correction.clone() }, event.at);
        }
        Change::CorrectionAnswered { clocks, .. } => answered(&mut case, clocks, event.at),
        Change::Accepted { deemed, clocks } => {
            // Silence counts from the receipt: 行政许可法第三十二条第一款第四项.
            let effective = if *deemed { case.complete } else { event.at };
            case.done.insert(StageId::Accept, effective);
            renew(&mut case, clocks);
            enter(&mut case, Phase::Accepted { deemed: *deemed, opinion: None, paused: None }, event.at);
        }
        Change::Declined { reason, remedies } => {
            let phase = Phase::Declined { reason: reason.clone(), remedies: remedies.clone() };
            over(&mut case, phase, event.at);
        }
        Change::Opined { opinion } => {
            case.done.insert(StageId::Examine, event.at);
            within_acceptance(&mut case, |held, _| *held = Some(opinion.clone()));
        }
        Change::Extended { reason, clocks } => {
            case.extensions += 1;
            note(&mut case, event.at, Text::new("期限延长", "The limit was extended"), reason);
            renew(&mut case, clocks);
        }
        Change::Paused { pause, clocks } => paused(&mut case, pause, clocks, event.at),
        Change::Resumed { result, clocks } => {
            note(&mut case, event.at, Text::new("特别程序结束", "The special procedure ended"), result);
            renew(&mut case, clocks);
            within_acceptance(&mut case, |_, paused| *paused = None);
        }
        Change::Decided { outcome, clocks } => {
            case.done.insert(StageId::Decide, event.at);
            renew(&mut case, clocks);
            enter(&mut case, Phase::Decided { outcome: outcome.clone() }, event.at);
        }
        Change::ResultIssued { result } => issued(&mut case, result, event.at),
        Change::Delivered { proof, clocks } => {
            renew(&mut case, clocks);
            delivered(&mut case, proof, event.at);
        }
        Change::Withdrawn => over(&mut case, Phase::Withdrawn, event.at),
        Change::Rated { rating } => case.ratings.push(rating.clone()),
        Change::Lapsed => over(&mut case, Phase::Lapsed, event.at),
        Change::Closed => {
            if let Phase::Delivered { end } = &case.phase {
                case.phase = Phase::Closed { end: end.clone() };
                case.since = event.at;
            }
        }
    }
    case
}

/// Keeps the opaque names of all who examined, for the rule that none of them decides.
fn examine(case: &mut Case, event: &Event) {
    let examined = matches!(
        event.change,
        Change::CorrectionAsked { .. } | Change::Accepted { .. } | Change::Opined { .. }
    );
    let staff = matches!(event.by.party, Party::Reviewer | Party::Approver);
    if examined && staff && !case.examiners.contains(&event.by.name) {
        case.examiners.push(event.by.name.clone());
    }
}

fn note(case: &mut Case, at: Timestamp, title: Text, words: &str) {
    case.notes.push(Note { at, title, words: words.to_owned() });
}

fn enter(case: &mut Case, phase: Phase, at: Timestamp) {
    case.phase = phase;
    case.since = at;
}

/// Enters a phase in which no clock runs any more.
fn over(case: &mut Case, phase: Phase, at: Timestamp) {
    for clock in &mut case.clocks {
        clock.stopped.get_or_insert(at);
    }
    enter(case, phase, at);
}

/// Takes over the clocks that an event carries.
fn renew(case: &mut Case, clocks: &[CaseClock]) {
    for clock in clocks {
        match case.clocks.iter_mut().find(|held| held.kind == clock.kind) {
            Some(held) => *held = clock.clone(),
            None => case.clocks.push(clock.clone()),
        }
    }
    case.clocks.sort_by_key(|clock| clock.kind);
}

fn answered(case: &mut Case, clocks: &[CaseClock], at: Timestamp) {
    if let Phase::Correcting { asked } = &case.phase {
        let mut correction = asked.clone();
        correction.answered = Some(at);
        case.corrections.push(correction);
    }
    case.complete = at;
    renew(case, clocks);
    enter(case, Phase::Received, at);
}

fn within_acceptance(case: &mut Case, change: impl FnOnce(&mut Option<Opinion>, &mut Option<Pause>)) {
    if let Phase::Accepted { opinion, paused, .. } = &mut case.phase {
        change(opinion, paused);
    }
}

fn paused(case: &mut Case, pause: &Pause, clocks: &[CaseClock], at: Timestamp) {
    let (days, name) = (pause.estimate_days, pause.kind.name());
    let zh = format!("{}，预计 {days} 日，不计入期限", name.zh);
    let title = Text::new(zh, format!("{}, about {days} days, not counted", name.en));
    note(case, at, title, &pause.notice);
    renew(case, clocks);
    within_acceptance(case, |_, held| *held = Some(pause.clone()));
}

fn issued(case: &mut Case, result: &IssuedResult, at: Timestamp) {
    if let Phase::Decided { outcome } = &case.phase {
        let outcome = outcome.clone();
        case.done.insert(StageId::Issue, at);
        enter(case, Phase::Delivering { outcome, result: result.clone() }, at);
    }
}

fn delivered(case: &mut Case, proof: &Proof, at: Timestamp) {
    let (outcome, result) = match &case.phase {
        Phase::Decided { outcome } => (outcome.clone(), None),
        Phase::Delivering { outcome, result } => (outcome.clone(), Some(result.clone())),
        Phase::Offered { .. }
        | Phase::Received
        | Phase::Correcting { .. }
        | Phase::Accepted { .. }
        | Phase::Delivered { .. }
        | Phase::Closed { .. }
        | Phase::Withdrawn
        | Phase::Declined { .. }
        | Phase::Lapsed
        | Phase::Returned { .. } => return,
    };
    case.done.insert(StageId::Deliver, at);
    over(case, Phase::Delivered { end: End { outcome, result, proof: proof.clone() } }, at);
}

/// The clocks of a kind, for those who look one up in a list.
pub(crate) fn running(case: &Case, kind: ClockKind) -> Option<&CaseClock> {
    case.clock(kind).filter(|clock| clock.stopped.is_none())
}
