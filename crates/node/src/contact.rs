//! Who was heard of and who is silent (联络): kept in the store for pages and figures, and seldom written.
//!
//! Invariants: only what a city provably said counts as having heard of it; only an answer ends its silence, for a line
//! may be cut in one direction. What could not be written is tried again with the next word.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tb_base::{NodeId, Result, Timestamp};
use tb_store::{Tx, contact};

use crate::Node;

/// A city that goes on speaking, or being silent, is written down no more often, and no more seldom: another process of
/// this city may have heard otherwise.
const KEEP_SECONDS: i64 = 30;
/// A clock that seems to move by less has not moved: signatures tell whole seconds.
const SKEW_MILLIS_MIN: i64 = 2_000;

/// What this process wrote down last of each city.
#[derive(Default)]
pub struct Contacts {
    known: Mutex<BTreeMap<NodeId, Known>>,
}

#[derive(Clone, Copy, Default)]
struct Known {
    /// When it was heard of.
    heard: Option<Timestamp>,
    /// When it was noted whether it answers.
    noted: Option<Timestamp>,
    is_silent: bool,
    skew_millis: Option<i64>,
}

/// What was learned of a city.
#[derive(Clone, Copy)]
enum Learned {
    /// It called.
    Called,
    /// It answered; how far its clock is ahead, where that could be told.
    Answered(Option<i64>),
    /// It said nothing that could be believed.
    Silent,
}

impl Contacts {
    /// Whether it is worth writing.
    fn is_news(&self, now: Timestamp, peer: NodeId, learned: Learned) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&peer).copied().unwrap_or_default().is_old_beside(now, learned)
    }

    /// It was written.
    fn remember(&self, now: Timestamp, peer: NodeId, learned: Learned) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(peer).or_default();
        match learned {
            Learned::Called => known.heard = Some(now),
            Learned::Answered(skew_millis) => {
                let skew_millis = skew_millis.or(known.skew_millis);
                *known = Known { heard: Some(now), noted: Some(now), is_silent: false, skew_millis };
            }
            Learned::Silent => (known.noted, known.is_silent) = (Some(now), true),
        }
    }
}

impl Known {
    fn is_old_beside(self, now: Timestamp, learned: Learned) -> bool {
        let is_due = |last: Option<Timestamp>| last.is_none_or(|last| last.plus_seconds(KEEP_SECONDS) <= now);
        match learned {
            Learned::Called => is_due(self.heard),
            Learned::Answered(skew_millis) => {
                self.is_silent || is_due(self.noted) || self.has_moved(skew_millis)
            }
            Learned::Silent => !self.is_silent || is_due(self.noted),
        }
    }

    fn has_moved(self, skew_millis: Option<i64>) -> bool {
        match (self.skew_millis, skew_millis) {
            (Some(before), Some(after)) => SKEW_MILLIS_MIN <= before.abs_diff(after).cast_signed(),
            (None, Some(_)) => true,
            (_, None) => false,
        }
    }
}

/// The city called: it lives, and whether it can be reached is another matter.
pub async fn called(node: &Node, peer: NodeId) {
    let now = node.clock.now();
    keep(node, now, peer, Learned::Called, move |tx| contact::called(tx, now, peer)).await;
}

/// The city answered; `skew_millis` is how far its clock is ahead, where that could be told.
pub async fn heard(node: &Node, peer: NodeId, skew_millis: Option<i64>) {
    let now = node.clock.now();
    let write = move |tx: &mut Tx<'_>| contact::heard(tx, now, peer, skew_millis);
    keep(node, now, peer, Learned::Answered(skew_millis), write).await;
}

/// The city said nothing that could be believed.
pub async fn silent(node: &Node, peer: NodeId, problem: &str) {
    let (now, problem) = (node.clock.now(), problem.to_owned());
    let write = move |tx: &mut Tx<'_>| contact::silent(tx, now, peer, &problem);
    keep(node, now, peer, Learned::Silent, write).await;
}

/// Nothing depends on this row: that it could not be written stops nothing.
async fn keep(
    node: &Node,
    now: Timestamp,
    peer: NodeId,
    learned: Learned,
    write: impl FnMut(&mut Tx<'_>) -> Result<()> + Send + 'static,
) {
    if !node.contacts.is_news(now, peer, learned) {
        return;
    }
    match node.store.write("contact.keep", write).await {
        Ok(()) => node.contacts.remember(now, peer, learned),
        Err(error) => tracing::warn!(%error, "when a city was heard of could not be written down"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Contacts, Learned};
    use tb_base::Timestamp;

    #[test]
    fn only_news_is_written_and_told_again_in_time() {
        let (contacts, peer) = (Contacts::default(), "430300".parse().unwrap());
        let check = |second: i64, learned, expected| {
            let now = Timestamp(second * 1_000_000);
            assert_eq!(contacts.is_news(now, peer, learned), expected, "second {second}");
            if expected {
                contacts.remember(now, peer, learned);
            }
        };
        check(0, Learned::Answered(None), true);
        check(1, Learned::Answered(None), false);
        check(1, Learned::Called, false);
        check(2, Learned::Answered(Some(0)), true);
        check(3, Learned::Answered(Some(1_000)), false);
        check(4, Learned::Answered(Some(5_000)), true);
        check(5, Learned::Silent, true);
        // It calls all the while, and that is written; its silence is another process's to forget, and told again.
        check(6, Learned::Called, false);
        check(34, Learned::Called, true);
        check(34, Learned::Silent, false);
        check(35, Learned::Silent, true);
        check(36, Learned::Silent, false);
        check(37, Learned::Answered(None), true);
        check(66, Learned::Answered(None), false);
        check(67, Learned::Answered(None), true);
    }

    #[test]
    fn what_was_not_written_is_news_still() {
        let (contacts, peer) = (Contacts::default(), "430300".parse().unwrap());
        assert!(contacts.is_news(Timestamp(0), peer, Learned::Silent));
        assert!(contacts.is_news(Timestamp(1), peer, Learned::Silent));
    }
}
