//! Refusals that were written down (拒绝留痕): the same one of a city is written once an hour, however often it comes.
//!
//! A city that lies in each request must not fill the disk with lines about it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tb_base::{NodeId, Timestamp};

/// A refusal that goes on is written down again after this time.
const AGAIN_SECONDS: i64 = 3_600;
/// Refusals that are remembered; codes are few, and so are cities.
const REFUSALS_MAX: usize = 1_024;

/// Which refusals this process wrote down, and when.
#[derive(Default)]
pub struct Refusals {
    written: Mutex<BTreeMap<(NodeId, String), Timestamp>>,
}

impl Refusals {
    /// Whether it is to be written.
    pub fn is_news(&self, now: Timestamp, city: NodeId, code: &str) -> bool {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let last = written.get(&(city, code.to_owned()));
        last.is_none_or(|last| last.plus_seconds(AGAIN_SECONDS) <= now)
    }

    /// It was written, or was no news.
    pub fn told(&self, now: Timestamp, city: NodeId, code: &str) {
        if !self.is_news(now, city, code) {
            return;
        }
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if REFUSALS_MAX <= written.len() {
            written.clear();
        }
        written.insert((city, code.to_owned()), now);
    }
}

#[cfg(test)]
mod tests {
    use super::Refusals;
    use tb_base::{NodeId, Timestamp};

    #[test]
    fn the_same_is_told_once_an_hour() {
        let (refusals, at) = (Refusals::default(), |second: i64| Timestamp(second * 1_000_000));
        let (one, other): (NodeId, NodeId) = ("430200".parse().unwrap(), "430300".parse().unwrap());
        assert!(refusals.is_news(at(0), one, "log-forked"));
        refusals.told(at(0), one, "log-forked");
        assert!(!refusals.is_news(at(1), one, "log-forked"));
        assert!(refusals.is_news(at(1), one, "note-invalid") && refusals.is_news(at(1), other, "log-forked"));
        // What was no news does not put the next line off.
        refusals.told(at(3_599), one, "log-forked");
        assert!(refusals.is_news(at(3_600), one, "log-forked"));
    }
}
