//! What this process has written (写入计数): whoever waits for rows waits for this, and not for the clock.
//!
//! Invariant: who marked, then looked, misses nothing that was committed since; those who wait are woken in the order
//! in which they came, so that a simulation repeats itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Counts the writes of one store.
#[derive(Default)]
pub(crate) struct Written {
    count: AtomicU64,
    grown: Notify,
}

impl Written {
    /// One more write was committed.
    pub(crate) fn add(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.grown.notify_waiters();
    }
}

/// The writes of a store as one who waits for them sees them.
pub struct Writes {
    written: Arc<Written>,
    seen: u64,
}

impl Writes {
    pub(crate) fn new(written: Arc<Written>) -> Writes {
        let seen = written.count.load(Ordering::SeqCst);
        Writes { written, seen }
    }

    /// How many writes were committed so far.
    pub fn count(&self) -> u64 {
        self.written.count.load(Ordering::SeqCst)
    }

    /// Whoever looks now sees everything so far.
    pub fn mark(&mut self) {
        self.seen = self.count();
    }

    /// Waits until something was written since the last mark.
    pub async fn changed(&self) {
        loop {
            let grown = self.written.grown.notified();
            if self.count() != self.seen {
                return;
            }
            grown.await;
        }
    }
}
