//! The only place that reads the system's clock and the system's randomness.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tb_base::{Clock, Entropy, Timestamp};

/// The system's clock, shifted by a fixed amount: `--at` makes a run begin on a given day.
pub struct SystemClock {
    shift_micros: i64,
}

impl SystemClock {
    /// Real time.
    pub fn real() -> Arc<SystemClock> {
        Arc::new(SystemClock { shift_micros: 0 })
    }

    /// Time that goes on as fast as the real one and is `at` now.
    pub fn from(at: Timestamp) -> Arc<SystemClock> {
        Arc::new(SystemClock { shift_micros: at.micros() - system().micros() })
    }

    /// Time that is ahead of the real one by so many seconds: processes of one run share it.
    pub fn ahead(seconds: i64) -> Arc<SystemClock> {
        Arc::new(SystemClock { shift_micros: seconds * 1_000_000 })
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(system().micros() + self.shift_micros)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where the system's clock is read")]
fn system() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Time that was put back once and is brought forward again (排演时钟): planting lives through the weeks before a demo.
///
/// Invariant: it never goes back again, and never beyond the present.
pub struct StagedClock {
    real: Arc<dyn Clock>,
    behind_micros: AtomicI64,
}

impl StagedClock {
    /// Behind the present, at a moment before it.
    pub fn at(real: Arc<dyn Clock>, moment: Timestamp) -> Arc<StagedClock> {
        let behind = (real.now().micros() - moment.micros()).max(0);
        Arc::new(StagedClock { real, behind_micros: AtomicI64::new(behind) })
    }

    /// The moment that it will catch up with.
    pub fn present(&self) -> Timestamp {
        self.real.now()
    }

    /// Brings it forward to a moment; one that has passed changes nothing.
    pub fn set(&self, moment: Timestamp) {
        let behind = (self.real.now().micros() - moment.micros()).max(0);
        self.behind_micros.fetch_min(behind, Ordering::SeqCst);
    }

    /// Lets some time pass.
    pub fn pass(&self, seconds: i64) {
        self.set(self.now().plus_seconds(seconds));
    }
}

impl Clock for StagedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.real.now().micros() - self.behind_micros.load(Ordering::SeqCst))
    }
}

/// The system's randomness.
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the system's randomness is read"
    )]
    #[expect(
        clippy::expect_used,
        reason = "a system without randomness cannot make keys; stopping is the only safe answer"
    )]
    fn fill(&mut self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the system gives randomness");
    }
}
