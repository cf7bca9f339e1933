//! What a journey tells (全程报告): steps with their durations, and the figures of the case.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::journey::drill::Kill;

/// A step that was taken.
#[derive(Clone, Debug, Serialize)]
pub struct StepLine {
    /// What was done.
    pub step: String,
    /// Who did it, where.
    pub who: String,
    /// How long it took until both cities showed it.
    pub millis: u64,
    /// What was seen.
    pub seen: String,
}

/// The whole journey.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Whether everything was there.
    pub ok: bool,
    /// The case.
    pub case: String,
    /// The day until which the law wants it decided.
    pub legal_due: String,
    /// Whether that day is provisional, for want of an announced calendar.
    pub provisional: bool,
    /// The day that the city promised.
    pub promised_due: String,
    /// Steps in order.
    pub steps: Vec<StepLine>,
    /// Messages between the cities about the case.
    pub messages: Vec<String>,
    /// Leaves in each city's log.
    pub log_sizes: std::collections::BTreeMap<String, u64>,
    /// Inclusion proofs verified in the bundle.
    pub proofs: u64,
    /// Cosignatures on the checkpoints of the bundle.
    pub cosignatures: u64,
    /// Looks that she sees.
    pub looks: u64,
    /// Where the evidence is.
    pub bundle: String,
    /// Where the drill killed a city.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kills: Vec<Kill>,
    /// The whole time, from the first request to the verified bundle.
    pub millis: u64,
}

/// Takes the time of steps.
pub struct Stopwatch {
    begun: Instant,
    last: Instant,
}

impl Stopwatch {
    /// Begins.
    #[expect(clippy::disallowed_methods, reason = "durations of a run are about real time")]
    pub fn begin() -> Stopwatch {
        let now = Instant::now();
        Stopwatch { begun: now, last: now }
    }

    /// Time since the last call.
    #[expect(clippy::disallowed_methods, reason = "durations of a run are about real time")]
    pub fn lap(&mut self) -> u64 {
        let now = Instant::now();
        let lap = now - self.last;
        self.last = now;
        millis(lap)
    }

    /// Time since the beginning.
    pub fn total(&self) -> u64 {
        millis(self.begun.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
