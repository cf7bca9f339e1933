//! Places of requests (受理席位): how many are worked on at once, of all cities and of one.
//!
//! Invariant: what they hold in memory has a limit, and no city takes all of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tb_base::{NodeId, Result, Violation};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Requests of peers that are worked on at once; more wait, and are shed when they wait too long.
const REQUESTS_MAX: usize = 128;
/// Those of one city; its workers have a handful, and people who ask across cities some more.
const REQUESTS_EACH_MAX: usize = 32;
/// A request that finds no free place in this time is shed.
const WAIT_SECONDS_MAX: u64 = 5;

/// The places; only members have any, so there are no more counters than cities.
pub struct Places {
    all: Semaphore,
    each: Mutex<BTreeMap<NodeId, Arc<Semaphore>>>,
}

/// A place of one request; given back when dropped.
pub struct Place<'a> {
    _each: OwnedSemaphorePermit,
    _all: SemaphorePermit<'a>,
}

impl Places {
    /// Places that are free.
    pub fn new() -> Places {
        Places { all: Semaphore::new(REQUESTS_MAX), each: Mutex::default() }
    }

    /// Waits for a place, first among those of the city.
    pub async fn enter(&self, city: NodeId) -> Result<Place<'_>> {
        let within = Duration::from_secs(WAIT_SECONDS_MAX);
        match tokio::time::timeout(within, self.wait(city)).await {
            Ok(Some(place)) => Ok(place),
            Ok(None) | Err(_) => Err(Violation::new("shed", "request", "too many requests at once").into()),
        }
    }

    async fn wait(&self, city: NodeId) -> Option<Place<'_>> {
        let own = self.of(city).acquire_owned().await.ok()?;
        let all = self.all.acquire().await.ok()?;
        Some(Place { _each: own, _all: all })
    }

    fn of(&self, city: NodeId) -> Arc<Semaphore> {
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        each.entry(city).or_insert_with(|| Arc::new(Semaphore::new(REQUESTS_EACH_MAX))).clone()
    }
}
