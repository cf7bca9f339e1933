//! The sheet of a day (日结): what an office's counter did, added up from the rows and from nothing else.
//!
//! Pure: the same rows give the same sheet, on the day and years later.

use std::collections::BTreeMap;

use serde::Serialize;
use tb_base::StaffId;

use crate::journal::{KINDS, Kind, Line};
use crate::ticket::{State, Ticket};

/// The sheet of an office and a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sheet {
    /// How many numbers were taken.
    pub taken: i64,
    /// How many of them were served.
    pub served: i64,
    /// How many did not come when they were called.
    pub skipped: i64,
    /// How many still wait or stand at a counter.
    pub open: i64,
    /// Seconds from taking a number to the call, on average; none where nobody was called.
    pub wait_seconds: Option<i64>,
    /// Seconds from the call to the end, on average over those who were served.
    pub service_seconds: Option<i64>,
    /// How often each kind of act was done, in the order of [`KINDS`].
    pub acts: Vec<(Kind, i64)>,
    /// How much each clerk did: numbers served, and acts.
    pub clerks: Vec<(StaffId, i64, i64)>,
}

impl Sheet {
    /// Adds up the rows of a day.
    pub fn of(tickets: &[Ticket], lines: &[Line]) -> Sheet {
        let in_state = |state: State| count(tickets.iter().filter(|ticket| ticket.state == state));
        let waits = tickets.iter().filter_map(|it| Some(it.called?.seconds() - it.taken.seconds()));
        let done = tickets.iter().filter(|ticket| ticket.state == State::Done);
        let services = done.clone().filter_map(|it| Some(it.ended?.seconds() - it.called?.seconds()));
        let mut clerks: BTreeMap<StaffId, (i64, i64)> = BTreeMap::new();
        for clerk in done.filter_map(|ticket| ticket.clerk) {
            clerks.entry(clerk).or_default().0 += 1;
        }
        for line in lines {
            clerks.entry(line.clerk).or_default().1 += 1;
        }
        Sheet {
            taken: count(tickets.iter()),
            served: in_state(State::Done),
            skipped: in_state(State::Skipped),
            open: in_state(State::Waiting) + in_state(State::Called),
            wait_seconds: average(waits),
            service_seconds: average(services),
            acts: KINDS.map(|kind| (kind, count(lines.iter().filter(|line| line.kind == kind)))).to_vec(),
            clerks: clerks.into_iter().map(|(clerk, (served, acts))| (clerk, served, acts)).collect(),
        }
    }
}

fn count(items: impl Iterator) -> i64 {
    i64::try_from(items.count()).unwrap_or(i64::MAX)
}

/// The average of whole seconds, rounded down; a clock that was set back counts as no time.
fn average(seconds: impl Iterator<Item = i64>) -> Option<i64> {
    let (sum, count) =
        seconds.fold((0_i64, 0_i64), |(sum, count), one| (sum.saturating_add(one.max(0)), count + 1));
    sum.checked_div(count)
}
