//! How much of a quota is used (限额用量): counted exactly near the limit, carried on in memory far from it.
//!
//! Counting a day's messages for each message makes a busy day slower and slower.
//! Invariant: nobody is refused but by an exact count, and once half of a quota is used every message is counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tb_base::{Date, NodeId, Result, Timestamp};
use tb_exchange::Envelope;
use tb_store::{Tx, inbox};

/// After this time what other processes of the city took is counted, too.
const COUNT_SECONDS: i64 = 2;

/// What was counted last, by sender and service.
#[derive(Default)]
pub struct Tallies(Mutex<BTreeMap<(NodeId, String), Tally>>);

#[derive(Clone, Copy)]
struct Tally {
    day: Date,
    counted_at: Timestamp,
    /// Counted in the inbox.
    counted: u32,
    /// Taken by this process since; more than were, where a transaction was undone.
    since: u32,
}

impl Tallies {
    /// How many messages of its service came before this one today; exact where it matters.
    pub fn sent_today(
        &self,
        tx: &mut Tx<'_>,
        now: Timestamp,
        envelope: &Envelope,
        quota: u32,
    ) -> Result<u32> {
        let key = (envelope.from, envelope.service.clone());
        let mut tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let day = now.date();
        if let Some(tally) = tallies.get_mut(&key).filter(|tally| tally.is_good_for(now, quota)) {
            tally.since += 1;
            return Ok(tally.counted + tally.since - 1);
        }
        drop(tallies);
        let counted = inbox::count_since(tx, envelope.from, &envelope.service, Timestamp::at(day, 0))?;
        tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tallies.insert(key, Tally { day, counted_at: now, counted, since: 1 });
        Ok(counted)
    }
}

impl Tally {
    fn is_good_for(&self, now: Timestamp, quota: u32) -> bool {
        let age = now.seconds() - self.counted_at.seconds();
        self.day == now.date() && (0..COUNT_SECONDS).contains(&age) && self.counted + self.since < quota / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_the_limit_everything_is_counted() {
        let noon = Timestamp(1_795_492_800_000_000);
        let tally = Tally { day: noon.date(), counted_at: noon, counted: 40, since: 9 };
        let cases = [
            (noon, 100, true),
            (noon, 99, false),
            (noon, 2, false),
            (noon.plus_seconds(1), 100, true),
            (noon.plus_seconds(2), 100, false),
            // A clock that was set back, and the next day.
            (noon.plus_seconds(-1), 100, false),
            (noon.plus_seconds(86_400), 100, false),
        ];
        for (now, quota, is_good) in cases {
            assert_eq!(tally.is_good_for(now, quota), is_good, "{now} {quota}");
        }
    }
}
