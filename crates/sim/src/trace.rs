//! The trace of a run (运行轨迹): one hash over everything that happened, in order.
//!
//! Invariant: the same seed gives the same trace, or the simulation is worth nothing.

use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lines that are kept for reading; the hash covers all.
const LINES_MAX: usize = 400_000;

/// What happened so far.
#[derive(Default)]
pub struct Trace(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    hash: [u8; 32],
    count: u64,
    lines: Vec<String>,
}

impl Trace {
    /// One thing happened.
    pub fn note(&self, line: impl Display) {
        let line = line.to_string();
        let mut inner = self.inner();
        inner.hash = tb_crypto::sha256(&[&inner.hash[..], line.as_bytes()].concat());
        inner.count += 1;
        if inner.lines.len() < LINES_MAX {
            inner.lines.push(line);
        }
    }

    /// The hash over everything.
    pub fn hash(&self) -> String {
        tb_crypto::text::hex(&self.inner().hash)
    }

    /// How many things happened.
    pub fn count(&self) -> u64 {
        self.inner().count
    }

    /// What happened, for reading.
    pub fn lines(&self) -> Vec<String> {
        self.inner().lines.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
