//! The pace of the loops that look into the store (节拍): a steady one while something is written, none while nothing is.
//!
//! Invariant: whatever this process commits is looked at within a period; only what others may have written into the
//! same database, and the passing of time, are waited for by the clock.

use std::pin::pin;
use std::time::Duration;

use tb_store::Writes;

use crate::Node;

/// A look is taken at least so often: something may fall due without anybody writing.
const IDLE_MILLIS: u64 = 500;

/// The pace of one loop.
pub struct Pace {
    period: Duration,
    writes: Writes,
}

impl Pace {
    /// A loop that looks once in a period while something is written.
    pub fn new(node: &Node, period_millis: u64) -> Pace {
        Pace { period: Duration::from_millis(period_millis), writes: node.store.writes() }
    }

    /// The loop is about to look: what was written before is seen by this look.
    pub fn looks(&mut self) {
        self.writes.mark();
    }

    /// Waits until the next look is worth its while; at once where the loop is woken or the node stops.
    pub async fn wait(&self, node: &Node, woken: impl Future<Output = ()>) {
        let mut woken = pin!(woken);
        tokio::select! {
            biased;
            () = node.stopped() => return,
            () = &mut woken => return,
            () = tokio::time::sleep(self.period) => {}
        }
        if node.store.is_shared() {
            return;
        }
        tokio::select! {
            biased;
            () = node.stopped() => {}
            () = &mut woken => {}
            () = self.writes.changed() => {}
            () = tokio::time::sleep(Duration::from_millis(IDLE_MILLIS)) => {}
        }
    }
}
