//! Three founded cities for tests (测试区域): keys, contracts as they are shipped, a clock, and a city's site to ask.
//!
//! For tests only. It knows no block above the pages, so that every task may stand its own world on it.

mod founded;
mod site;

use std::sync::atomic::{AtomicI64, Ordering};

use tb_base::{Clock, Entropy, NodeId, StaffId, Timestamp};
use tb_crypto::sha256;

pub use founded::{Founded, Silent};
pub use site::{Got, Site, SiteParts, account};

/// 2026-11-24 12:00 in China.
pub const NOON: Timestamp = Timestamp(1_795_492_800_000_000);
/// The first city.
pub const CHANGSHA: &str = "430100";
/// The second.
pub const ZHUZHOU: &str = "430200";
/// The third.
pub const XIANGTAN: &str = "430300";
/// Each city with its name.
pub const CITIES: [(&str, &str); 3] = [(CHANGSHA, "长沙"), (ZHUZHOU, "株洲"), (XIANGTAN, "湘潭")];

/// A city by its code.
pub fn node(code: &str) -> NodeId {
    code.parse().expect("a city")
}

/// A counter in the place of randomness: the same numbers in every run.
pub struct Counter(pub u64);

impl Entropy for Counter {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&sha256(&self.0.to_be_bytes())[..chunk.len()]);
        }
    }
}

/// A clock that the test turns.
pub struct Stepped {
    now: AtomicI64,
    step_micros: i64,
}

impl Stepped {
    /// Noon, and a millisecond more at each look: as in life, no two acts happen in the same one.
    pub fn running() -> Stepped {
        Stepped { now: AtomicI64::new(NOON.0), step_micros: 1_000 }
    }

    /// Noon until the test says otherwise.
    pub fn standing() -> Stepped {
        Stepped { now: AtomicI64::new(NOON.0), step_micros: 0 }
    }

    /// Lets time pass.
    pub fn pass_seconds(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for Stepped {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.fetch_add(self.step_micros, Ordering::SeqCst))
    }
}

/// The member of staff behind a token of a session, the same at any time.
pub fn staff(token: &str) -> StaffId {
    let seed = token.bytes().fold(9_000_u64, |sum, letter| sum % 1_000_003 * 31 + u64::from(letter));
    StaffId::new(NOON, &mut Counter(seed))
}
