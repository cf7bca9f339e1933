//! What may happen to an enquiry (判断), and what the turns add up to (汇总): pure, the one place that says so.
//!
//! Invariant: [`standing`] does not ask in which order turns came, so two cities that have the same turns say the
//! same, whatever crossed on the line.

use tb_base::{OfficeId, Refusal, Timestamp};

use crate::enquiry::{Act, ActKind, Enquiry, Place, State, Turn};
use crate::refusals;

/// How often she may add something or ask again.
pub const AGAINS_MAX: u32 = 5;
/// How often an enquiry may be handed on within its city: nobody is sent round in circles.
pub const PASSES_MAX: u32 = 3;
/// More turns than an enquiry can have by these rules.
pub const TURNS_MAX: usize = 40;

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By<'a> {
    /// Whoever asked.
    Asker,
    /// The staff of an office of this city.
    Office(&'a OfficeId),
    /// The node: arrivals and silence.
    System,
}

/// Whether this act is possible now, or why not.
pub fn decide(enquiry: &Enquiry, act: &Act, by: By<'_>) -> Result<(), Refusal> {
    permits(enquiry, act.kind(), by)?;
    match act {
        Act::PassOn { to, .. } if enquiry.office.as_ref().is_some_and(|office| office.id == to.id) => {
            Err(refusals::to_itself())
        }
        _ => Ok(()),
    }
}

/// What is possible now: the buttons of a page.
pub fn allowed(enquiry: &Enquiry, by: By<'_>) -> Vec<ActKind> {
    let kinds = [ActKind::Again, ActKind::Close, ActKind::Answer, ActKind::PassOn, ActKind::Return];
    kinds.into_iter().filter(|kind| permits(enquiry, *kind, by).is_ok()).collect()
}

fn permits(enquiry: &Enquiry, kind: ActKind, by: By<'_>) -> Result<(), Refusal> {
    match kind {
        ActKind::Again | ActKind::Close => asker(by)?,
        ActKind::Answer | ActKind::PassOn | ActKind::Return => office(enquiry, by)?,
        ActKind::Ask | ActKind::Receive | ActKind::Lapse => system(by)?,
    }
    let is_open = enquiry.state == State::Open;
    match kind {
        ActKind::Ask | ActKind::Receive => Ok(()),
        ActKind::Close if enquiry.state != State::Closed => Ok(()),
        ActKind::Again if enquiry.state == State::Closed => Err(refusals::not_in_state(enquiry.state)),
        ActKind::Again if AGAINS_MAX <= enquiry.agains => Err(refusals::agains_spent()),
        ActKind::Again => Ok(()),
        ActKind::PassOn if is_open && PASSES_MAX <= enquiry.passes => Err(refusals::passes_spent()),
        ActKind::Answer | ActKind::PassOn | ActKind::Return if is_open => Ok(()),
        ActKind::Lapse if matches!(enquiry.state, State::Answered | State::Returned) => Ok(()),
        ActKind::Close | ActKind::Answer | ActKind::PassOn | ActKind::Return | ActKind::Lapse => {
            Err(refusals::not_in_state(enquiry.state))
        }
    }
}

fn asker(by: By<'_>) -> Result<(), Refusal> {
    match by {
        By::Asker => Ok(()),
        By::Office(_) | By::System => Err(refusals::not_the_asker()),
    }
}

fn office(enquiry: &Enquiry, by: By<'_>) -> Result<(), Refusal> {
    match (by, &enquiry.office) {
        (By::Office(own), Some(held)) if *own == held.id => Ok(()),
        _ => Err(refusals::wrong_office()),
    }
}

fn system(by: By<'_>) -> Result<(), Refusal> {
    match by {
        By::System => Ok(()),
        By::Asker | By::Office(_) => Err(refusals::not_the_asker()),
    }
}

/// What the turns of an enquiry add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub state: State,
    /// The office that has it.
    pub office: Option<Place>,
    /// When the answering city had it.
    pub received: Option<Timestamp>,
    /// Since when the clock of the office runs, or ran.
    pub since: Timestamp,
    /// How many turns there are.
    pub turns: u32,
    /// How many of them are additions of hers.
    pub agains: u32,
    /// How many of them handed it on.
    pub passes: u32,
}

/// What the turns add up to, in whatever order they came; `asked` is when the clock began.
pub fn standing(asked: Timestamp, turns: &[Turn]) -> Standing {
    let mut turns: Vec<&Turn> = turns.iter().collect();
    // At one moment what is received is received before it is handed on.
    turns.sort_by_key(|turn| (turn.at, turn.act.kind(), turn.id));
    let again = |turn: &&&Turn| turn.act.kind() == ActKind::Again;
    let agains: Vec<Timestamp> = turns.iter().filter(again).map(|turn| turn.at).collect();
    let (answered, since) = answered(&turns, &agains, asked);
    let is_over = turns.iter().any(|turn| matches!(turn.act, Act::Close {} | Act::Lapse {}));
    let received = turns.iter().find(|turn| turn.act.kind() == ActKind::Receive).map(|turn| turn.at);
    let count = |kind: ActKind| turns.iter().filter(|turn| turn.act.kind() == kind).count();
    Standing {
        state: if is_over { State::Closed } else { answered },
        office: turns.iter().rev().find_map(|turn| holder(&turn.act)).cloned(),
        received,
        since,
        turns: counted(turns.len()),
        agains: counted(agains.len()),
        passes: counted(count(ActKind::PassOn)),
    }
}

/// Whether the last answer came after all that she added, and since when an answer is owed.
fn answered(turns: &[&Turn], agains: &[Timestamp], asked: Timestamp) -> (State, Timestamp) {
    let answer = |turn: &&Turn| match &turn.act {
        Act::Answer { after, .. } => Some((*after, turn.at, State::Answered)),
        Act::Return { after, .. } => Some((*after, turn.at, State::Returned)),
        _ => None,
    };
    let Some((after, _, state)) = turns.iter().filter_map(answer).max_by_key(|(after, at, _)| (*after, *at))
    else {
        return (State::Open, asked);
    };
    match agains.get(usize::try_from(after).unwrap_or(usize::MAX)) {
        // What she added after the answer begins a new clock.
        Some(again) => (State::Open, *again),
        None => (state, asked),
    }
}

/// In whose hands an act leaves the enquiry.
fn holder(act: &Act) -> Option<&Place> {
    match act {
        Act::PassOn { to, .. } => Some(to),
        Act::Receive { office } | Act::Answer { office, .. } | Act::Return { office, .. } => Some(office),
        Act::Ask { .. } | Act::Again { .. } | Act::Close {} | Act::Lapse {} => None,
    }
}

fn counted(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
