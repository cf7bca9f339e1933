//! Who was heard of and who is silent (联络): kept in the store for pages and figures, and seldom written.
//!
//! Invariant: only what a city provably said counts as having heard of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tb_base::{NodeId, Result, Timestamp};
use tb_store::{Tx, contact};

use crate::Node;

/// A city that goes on speaking is written down no more often.
const KEEP_SECONDS: i64 = 30;
/// A clock that seems to move by less has not moved: signatures tell whole seconds.
const SKEW_MILLIS_MIN: i64 = 2_000;

/// What this process wrote down last of each city.
#[derive(Default)]
pub struct Contacts {
    known: Mutex<BTreeMap<NodeId, Known>>,
}

#[derive(Clone, Copy)]
struct Known {
    at: Timestamp,
    is_silent: bool,
    skew_millis: Option<i64>,
}

impl Contacts {
    /// Notes what was learned; whether it is worth writing.
    fn note(&self, peer: NodeId, learned: Known) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = known.get(&peer).is_none_or(|before| before.is_old_beside(learned));
        if is_news {
            known.insert(peer, learned);
        }
        is_news
    }
}

impl Known {
    fn is_old_beside(self, learned: Known) -> bool {
        let moved = match (self.skew_millis, learned.skew_millis) {
            (Some(before), Some(after)) => SKEW_MILLIS_MIN <= before.abs_diff(after).cast_signed(),
            (None, Some(_)) => true,
            (_, None) => false,
        };
        let is_due = !learned.is_silent && self.at.plus_seconds(KEEP_SECONDS) <= learned.at;
        self.is_silent != learned.is_silent || moved || is_due
    }
}

/// The city was heard of; `skew_millis` is how far its clock is ahead, where that could be told.
pub async fn heard(node: &Node, peer: NodeId, skew_millis: Option<i64>) {
    let now = node.clock.now();
    if node.contacts.note(peer, Known { at: now, is_silent: false, skew_millis }) {
        keep(node, move |tx| contact::heard(tx, now, peer, skew_millis)).await;
    }
}

/// The city said nothing that could be believed.
pub async fn silent(node: &Node, peer: NodeId, problem: &str) {
    let now = node.clock.now();
    if node.contacts.note(peer, Known { at: now, is_silent: true, skew_millis: None }) {
        let problem = problem.to_owned();
        keep(node, move |tx| contact::silent(tx, now, peer, &problem)).await;
    }
}

/// Nothing depends on this row: that it could not be written stops nothing.
async fn keep(node: &Node, write: impl FnMut(&mut Tx<'_>) -> Result<()> + Send + 'static) {
    if let Err(error) = node.store.write("contact.keep", write).await {
        tracing::warn!(%error, "when a city was heard of could not be written down");
    }
}

#[cfg(test)]
mod tests {
    use super::{Contacts, Known};
    use tb_base::Timestamp;

    fn known(second: i64, is_silent: bool, skew_millis: Option<i64>) -> Known {
        Known { at: Timestamp(second * 1_000_000), is_silent, skew_millis }
    }

    #[test]
    fn only_news_is_written() {
        let (contacts, peer) = (Contacts::default(), "430300".parse().unwrap());
        let check = |learned, expected| assert_eq!(contacts.note(peer, learned), expected);
        check(known(0, false, None), true);
        check(known(1, false, None), false);
        check(known(2, false, Some(0)), true);
        check(known(3, false, Some(1_000)), false);
        check(known(4, false, Some(5_000)), true);
        check(known(5, true, None), true);
        check(known(90, true, None), false);
        check(known(91, false, None), true);
        check(known(120, false, None), false);
        check(known(121, false, None), true);
    }
}
