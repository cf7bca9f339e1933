//! Figures (量测): what a round gave, the median of the rounds, their spread, and ratios of the same round.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// An outcome whose failure is a sentence for the document.
pub type Outcome<T> = Result<T, String>;

/// How long and how often is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Interleaved rounds.
    pub rounds: usize,
    /// What is measured of a round.
    pub window: Duration,
    /// What of it goes before and is not counted.
    pub warm_up: Duration,
    /// Whether only to see that it works.
    pub is_quick: bool,
}

impl Effort {
    /// For the document.
    pub const FULL: Effort = Effort {
        rounds: 5,
        window: Duration::from_millis(1_500),
        warm_up: Duration::from_millis(300),
        is_quick: false,
    };
    /// For whoever develops.
    pub const QUICK: Effort = Effort {
        rounds: 2,
        window: Duration::from_millis(500),
        warm_up: Duration::from_millis(100),
        is_quick: true,
    };

    /// One number or the other.
    pub fn of<T>(&self, full: T, quick: T) -> T {
        if self.is_quick { quick } else { full }
    }
}

/// Now, as the machine counts.
#[expect(clippy::disallowed_methods, reason = "what is timed here is the machine, not an act")]
pub fn moment() -> Instant {
    Instant::now()
}

/// One figure per round.
#[derive(Clone, Debug, Default)]
pub struct Series(pub Vec<f64>);

impl Series {
    /// Adds a round.
    pub fn add(&mut self, figure: f64) {
        self.0.push(figure);
    }

    /// The middle one.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match (sorted.len() % 2, sorted.get(middle), sorted.get(middle.wrapping_sub(1))) {
            (1, Some(one), _) => *one,
            (0, Some(one), Some(other)) => f64::midpoint(*one, *other),
            _ => f64::NAN,
        }
    }

    /// Half the distance between the extremes, in per cent of the median.
    pub fn spread(&self) -> f64 {
        let most = self.0.iter().copied().fold(f64::MIN, f64::max);
        let least = self.0.iter().copied().fold(f64::MAX, f64::min);
        (most - least) / 2.0 / self.median() * 100.0
    }

    /// Round by round, this by the other.
    pub fn over(&self, other: &Series) -> Series {
        Series(self.0.iter().zip(&other.0).map(|(one, other)| one / other).collect())
    }
}

/// What is measured at once and goes on until it is told to stop.
#[derive(Clone, Default)]
pub struct Meter {
    counted: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

impl Meter {
    /// One more is done; false when it is time to stop.
    pub fn count(&self) -> bool {
        self.counted.fetch_add(1, Ordering::Relaxed);
        !self.is_over.load(Ordering::Relaxed)
    }

    /// Waits for the window and says how many a second were done in it; the workers then stop.
    pub fn rate(&self, effort: Effort) -> f64 {
        std::thread::sleep(effort.warm_up);
        let (begun, before) = (moment(), self.counted.load(Ordering::Relaxed));
        std::thread::sleep(effort.window);
        let (took, after) = (begun.elapsed(), self.counted.load(Ordering::Relaxed));
        self.is_over.store(true, Ordering::Relaxed);
        (after - before) as f64 / took.as_secs_f64()
    }
}

/// Counts how often a thing is done in a second, on this thread.
pub fn rate_of(effort: Effort, mut work: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let warm = moment();
    while warm.elapsed() < effort.warm_up {
        work()?;
    }
    let (begun, mut count) = (moment(), 0_u64);
    while begun.elapsed() < effort.window {
        work()?;
        count += 1;
    }
    Ok(count as f64 / begun.elapsed().as_secs_f64())
}

/// Times of many acts, for percentiles.
#[derive(Clone, Debug, Default)]
pub struct Times(pub Vec<Duration>);

impl Times {
    /// The time that so many of a hundred acts did not exceed, in milliseconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort();
        let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0)
    }
}

/// An error as a sentence.
pub fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_and_a_ratio_is_of_one_round() {
        assert!((Series(vec![3.0, 1.0, 2.0]).median() - 2.0).abs() < 1e-9);
        assert!((Series(vec![4.0, 1.0]).median() - 2.5).abs() < 1e-9);
        assert!(Series::default().median().is_nan());
        let (ours, theirs) = (Series(vec![2.0, 9.0]), Series(vec![1.0, 3.0]));
        assert_eq!(ours.over(&theirs).0, [2.0, 3.0]);
        assert!((Series(vec![1.0, 2.0, 3.0]).spread() - 50.0).abs() < 1e-9);
    }

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let times = Times((1..=100).map(Duration::from_millis).collect());
        assert!((times.percentile(50) - 51.0).abs() < 1e-9);
        assert!((times.percentile(99) - 100.0).abs() < 1e-9);
        assert!((times.percentile(100) - 100.0).abs() < 1e-9);
        assert!(Times::default().percentile(50).is_nan());
    }
}
