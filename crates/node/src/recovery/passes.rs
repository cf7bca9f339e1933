//! How often a city may have everything sent once more (重发次数): enough for one that is restored and dies within.
//!
//! Invariant: whatever a city asks for, its messages go through the outbox a bounded number of times an hour.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tb_base::{MessageId, NodeId, Timestamp};

/// Passes that a city may begin within the time; one that lost an answer, or its process, begins another.
const PASSES_MAX: usize = 4;
const WITHIN_SECONDS: i64 = 3_600;

/// The passes of each city.
#[derive(Default)]
pub struct Passes {
    of: Mutex<BTreeMap<NodeId, Pass>>,
}

#[derive(Default)]
struct Pass {
    /// When one was begun, the last few.
    begun: Vec<Timestamp>,
    /// Where the last one goes on.
    next: Option<MessageId>,
}

impl Passes {
    /// Whether a page may be sent; whatever does not go on where the last page ended begins anew.
    pub fn may_send(&self, now: Timestamp, city: NodeId, after: Option<MessageId>) -> bool {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let pass = of.entry(city).or_default();
        if after.is_some() && pass.next == after {
            // The same page twice is another pass.
            pass.next = None;
            return true;
        }
        pass.begun.retain(|begun| now < begun.plus_seconds(WITHIN_SECONDS));
        if PASSES_MAX <= pass.begun.len() {
            return false;
        }
        pass.begun.push(now);
        pass.next = None;
        true
    }

    /// A page was sent; the next one begins there.
    pub fn sent(&self, city: NodeId, next: Option<MessageId>) {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        of.entry(city).or_default().next = next;
    }
}

#[cfg(test)]
mod tests {
    use super::Passes;
    use tb_base::{MessageId, NodeId, Timestamp};

    #[test]
    fn a_pass_goes_on_and_begins_few_times_an_hour() {
        let (passes, at) = (Passes::default(), |second: i64| Timestamp(second * 1_000_000));
        let city: NodeId = "430300".parse().unwrap();
        let id = |letter: char| format!("01kq3zt000000000000000000{letter}").parse::<MessageId>().unwrap();
        assert!(passes.may_send(at(0), city, None));
        for letter in 'a'..='h' {
            passes.sent(city, Some(id(letter)));
            assert!(passes.may_send(at(1), city, Some(id(letter))), "the pass goes on");
        }
        // Its answers were lost, or it died: three more times, then not.
        for (second, after) in [(2, Some(id('h'))), (3, Some(id('c'))), (4, None)] {
            assert!(passes.may_send(at(second), city, after));
        }
        for after in [None, Some(id('h')), Some(id('c'))] {
            assert!(!passes.may_send(at(3_599), city, after));
        }
        assert!(passes.may_send(at(3_599), "430200".parse().unwrap(), None), "another city");
        assert!(passes.may_send(at(3_600), city, None));
        assert!(!passes.may_send(at(3_601), city, None));
    }
}
