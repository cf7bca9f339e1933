//! Timers of a case (时限到期): silence that accepts, limits that lapse, cards for what is late, filing away.
//!
//! Invariant: a timer only asks [`crate::decide()`]; it may fire late, early or twice without harm.

use serde::{Deserialize, Serialize};
use tb_base::{CaseId, Ctx, Fault, MessageId, Result, Timestamp, Violation};
use tb_store::{Tx, audit, jobs};

use crate::case::{By, Case, ClockKind, Phase};
use crate::command::Command;
use crate::decide::decide;
use crate::definitions::ItemRules;
use crate::env::Env;
use crate::keep::{self, Tell};

/// The kind of this crate's jobs; the worker of the node hands their payload to [`run`].
pub const JOB: &str = "case.timer";

const SECONDS_OF_A_DAY: i64 = 86_400;
/// A late case is looked at again after so long.
const AGAIN_SECONDS: i64 = SECONDS_OF_A_DAY;

/// What a timer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Cause {
    HandOver,
    Acceptance,
    Answer,
    Legal,
    Promised,
    Delivery,
    Archive,
}

const CAUSES: [Cause; 7] = [
    Cause::HandOver,
    Cause::Acceptance,
    Cause::Answer,
    Cause::Legal,
    Cause::Promised,
    Cause::Delivery,
    Cause::Archive,
];

impl Cause {
    fn clock(self) -> Option<ClockKind> {
        match self {
            Cause::HandOver => Some(ClockKind::HandOver),
            Cause::Acceptance => Some(ClockKind::Acceptance),
            Cause::Answer => Some(ClockKind::Answer),
            Cause::Legal => Some(ClockKind::Legal),
            Cause::Promised => Some(ClockKind::Promised),
            Cause::Delivery => Some(ClockKind::Delivery),
            Cause::Archive => None,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Payload {
    case: CaseId,
    cause: Cause,
}

/// When a cause is due, if it is at all.
fn due(case: &Case, rules: &ItemRules, cause: Cause) -> Option<Timestamp> {
    match cause.clock() {
        Some(kind) => {
            let clock = case.clock(kind).filter(|clock| clock.stopped.is_none())?;
            let stands_still = clock.input.pauses.iter().any(|(_, end)| end.is_none());
            (!stands_still).then(|| clock.due_at.plus_seconds(1))
        }
        None => {
            let delivered = matches!(case.phase, Phase::Delivered { .. });
            let seconds = i64::from(rules.archive.after_days) * SECONDS_OF_A_DAY;
            delivered.then(|| case.since.plus_seconds(seconds))
        }
    }
}

fn key(case: CaseId, cause: Cause) -> String {
    format!("{case}/{}", crate::word(&cause))
}

/// Sets every timer of a case as its clocks say, and takes back the others.
pub(crate) fn set(tx: &mut Tx<'_>, ctx: &Ctx, case: &Case, rules: &ItemRules) -> Result<()> {
    for cause in CAUSES {
        match due(case, rules, cause) {
            Some(due) => put(tx, case.id(), cause, due.max(ctx.now))?,
            None => jobs::cancel(tx, JOB, &key(case.id(), cause))?,
        }
    }
    Ok(())
}

fn put(tx: &mut Tx<'_>, case: CaseId, cause: Cause, due: Timestamp) -> Result<()> {
    let payload =
        serde_json::to_value(Payload { case, cause }).map_err(|error| Fault::of("writing a timer", error))?;
    jobs::put(tx, JOB, &key(case, cause), due, &payload)
}

/// Takes back every timer of a case.
pub(crate) fn cancel(tx: &mut Tx<'_>, case: CaseId) -> Result<()> {
    CAUSES.into_iter().try_for_each(|cause| jobs::cancel(tx, JOB, &key(case, cause)))
}

/// Runs a timer (到期处理); safe to run twice.
pub fn run(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, payload: &serde_json::Value) -> Result<()> {
    let Payload { case, cause } = serde_json::from_value(payload.clone())
        .map_err(|error| Violation::new("inconsistent", "case.timer", error.to_string()))?;
    let Some(kept) = keep::head(tx, case)? else { return Ok(()) };
    let rules = env.rules(&kept.case)?;
    match due(&kept.case, &rules, cause) {
        Some(due) if ctx.now < due => return put(tx, case, cause, due),
        Some(_) => {}
        None => return Ok(()),
    }
    let command = match cause {
        Cause::Acceptance => Command::DeemAccept,
        Cause::Answer => Command::Lapse,
        Cause::Archive => Command::Close,
        Cause::HandOver | Cause::Legal | Cause::Promised | Cause::Delivery => {
            return late(tx, ctx, case, cause);
        }
    };
    let by = By::system(env.me());
    match decide(&kept.case, &rules, &command, &by, ctx.now, &env.calendar) {
        Ok(events) => {
            let id = ctx.id(MessageId::new);
            keep::apply(tx, ctx, env, kept, &events, id, Tell::Progress(Vec::new())).map(drop)
        }
        // An unconfirmed limit only warns.
        Err(_) => late(tx, ctx, case, cause),
    }
}

/// A card for whoever supervises, and another look tomorrow.
fn late(tx: &mut Tx<'_>, ctx: &Ctx, case: CaseId, cause: Cause) -> Result<()> {
    audit::line(tx, ctx, "case.overdue", case.as_str(), &crate::word(&cause))?;
    put(tx, case, cause, ctx.now.plus_seconds(AGAIN_SECONDS))
}
