//! Timers of an enquiry (到期): an answer that is owed and late, silence that ends what was answered.
//!
//! Invariant: a timer may fire late, early or twice without harm; what it does follows from how the enquiry stands.

use serde::{Deserialize, Serialize};
use tb_base::{Ctx, Fault, MessageId, Result, Timestamp, Violation};
use tb_store::{Tx, audit, jobs};

use crate::decide::{By, decide};
use crate::enquiry::{Act, Enquiry, State};
use crate::{Env, acts, keep, notices, peer};

/// The kind of this crate's jobs.
pub const JOB: &str = "enquiry.timer";

#[derive(Serialize, Deserialize)]
struct Payload {
    enquiry: MessageId,
    /// The moment that the timer was set for: what has another one by now has a timer of its own.
    due: Timestamp,
}

/// Until when an answer is owed, where a timer was set for that.
pub(crate) fn clock(enquiry: &Enquiry) -> Option<Timestamp> {
    (enquiry.state == State::Open && 0 < enquiry.turns).then_some(enquiry.due)
}

/// When something is to be done about an enquiry as it stands.
fn due(env: &Env, enquiry: &Enquiry, answered: Timestamp) -> Option<Timestamp> {
    match enquiry.state {
        State::Open => Some(enquiry.due.plus_seconds(1)),
        // Silence is counted where it was asked, so that one city ends it.
        State::Answered | State::Returned if enquiry.from == env.me() => {
            Some(env.limits.silent_until(&env.calendar, answered).plus_seconds(1))
        }
        State::Answered | State::Returned | State::Closed => None,
    }
}

/// Sets the timer of an enquiry after a turn, or takes it back; one for the same clock is left as it is, since it may
/// have fired.
pub(crate) fn set(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    before: Option<Timestamp>,
    enquiry: &Enquiry,
) -> Result<()> {
    if before.is_some() && before == clock(enquiry) {
        return Ok(());
    }
    let key = enquiry.id.as_str();
    let Some(due) = due(env, enquiry, ctx.now) else { return jobs::cancel(tx, JOB, key) };
    let payload = serde_json::to_value(Payload { enquiry: enquiry.id, due })
        .map_err(|error| Fault::of("writing a timer", error))?;
    jobs::put(tx, JOB, key, due.max(ctx.now), &payload)
}

/// Runs a timer (到期处理).
pub fn run(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, payload: &serde_json::Value) -> Result<()> {
    let Payload { enquiry: id, due } = serde_json::from_value(payload.clone())
        .map_err(|error| Violation::new("inconsistent", "enquiry.timer", error.to_string()))?;
    let Some(enquiry) = keep::find(tx, id)? else { return Ok(()) };
    match enquiry.state {
        State::Open if enquiry.is_overdue(ctx.now) => {
            audit::line(tx, ctx, "enquiry.overdue", id.as_str(), &crate::word(&enquiry.about.kind()))?;
            notices::tell_late(tx, ctx, env, &enquiry)
        }
        State::Answered | State::Returned if due <= ctx.now && enquiry.from == env.me() => {
            let act = Act::Lapse {};
            decide(&enquiry, &act, By::System)?;
            let turn = acts::turn_of(ctx, env, act);
            let (enquiry, _) = acts::add(tx, ctx, env, enquiry, &turn)?;
            audit::line(tx, ctx, "enquiry.lapse", id.as_str(), "closed")?;
            peer::tell(tx, ctx, env, &enquiry, &turn)
        }
        State::Open | State::Answered | State::Returned | State::Closed => Ok(()),
    }
}
