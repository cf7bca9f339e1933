//! How much one caller may ask for, and how much all may (请求限额): per address, account and kind of route, in memory.
//!
//! Each process counts for itself: these limits keep one caller from taking the machine from the others.
//! What must hold over restarts and processes, guessing at passwords and codes, is counted in the store by `identity`.

mod places;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tb_base::{Refusal, Timestamp};
use tokio::sync::Semaphore;

use crate::caller::{Caller, Origins};
use crate::page::PageError;

pub(crate) use places::Place;
use places::Places;

/// Callers remembered at once, each some 100 bytes; the older half is forgotten when there are more.
const REMEMBERED_MAX: usize = 100_000;
/// Requests in work at once, of all kinds; what one holds in memory is mostly its page, some 100 KiB.
const REQUESTS_MAX: usize = 512;
/// Of these the ones of residents and visitors: the windows and offices go on working in a rush.
const REQUESTS_PUBLIC_MAX: usize = 384;
/// Of these the ones of visitors at one address: more than five browsers ask for at the same instant.
const REQUESTS_EACH_MAX: usize = 32;
/// Bodies that are on their way at once; whoever is slow holds one of these, and no place in work.
const BODIES_MAX: usize = 1_024;
/// Of these the ones of residents and visitors.
const BODIES_PUBLIC_MAX: usize = 896;
/// Of these the ones of visitors at one address.
const BODIES_EACH_MAX: usize = 32;
/// Large uploads at once; each may hold twice its 34 MB while it is taken apart.
const UPLOADS_MAX: usize = 6;
/// When a caller who was shed should come again, in seconds.
const SHED_SECONDS: i64 = 3;
/// When somebody whose upload found no place should come again, in seconds.
const UPLOAD_SECONDS: i64 = 15;

/// The kinds of routes that are counted apart (路由类别).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Signing in, registering, asking for codes: costs a hash or a text message.
    SignIn,
    /// Anything else that is sent: costs a transaction.
    Form,
    /// A page to look at.
    Page,
    /// Searches, exports and evidence: cost many reads or proofs.
    Heavy,
    /// Pages as JSON, for programs.
    Program,
}

/// So many at once, and so many more each minute (令牌桶).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many may come at once after a rest.
    pub burst: i64,
    /// How many may come in a minute in the long run.
    pub per_minute: i64,
}

/// The rates of one address and of one account for a kind of route.
///
/// A person clicks once a second at the most; an office opens a page with a handful of requests.
/// An address may be a family or a small office, so that strangers at one get what a few people need.
const fn rates(class: Class) -> (Rate, Rate) {
    match class {
        // The store counts the attempts themselves; this spares it the counting.
        Class::SignIn => (Rate { burst: 40, per_minute: 30 }, Rate { burst: 20, per_minute: 10 }),
        Class::Form => (Rate { burst: 60, per_minute: 60 }, Rate { burst: 120, per_minute: 120 }),
        Class::Page => (Rate { burst: 300, per_minute: 600 }, Rate { burst: 300, per_minute: 600 }),
        Class::Heavy => (Rate { burst: 60, per_minute: 60 }, Rate { burst: 60, per_minute: 60 }),
        Class::Program => (Rate { burst: 600, per_minute: 1_200 }, Rate { burst: 600, per_minute: 1_200 }),
    }
}

/// Everything from one address, before anything is looked up for it: an office of a hundred people stays far below.
const ADDRESS: Rate = Rate { burst: 1_000, per_minute: 6_000 };

/// Who is counted, for what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Anything(IpAddr),
    Address(Class, IpAddr),
    Account(Class, String),
}

/// What each caller has used up, as the moment at which it will have rested enough (GCRA), in microseconds.
///
/// Two generations bound the memory: what was not asked for since the last change of generation is forgotten,
/// which gives a caller its rest early and never takes it.
#[derive(Default)]
struct Used {
    young: HashMap<Subject, i64>,
    old: HashMap<Subject, i64>,
}

impl Used {
    /// Counts one request; gives the seconds to wait where it is one too many, which is not counted.
    fn count(&mut self, subject: Subject, rate: Rate, now: Timestamp) -> Option<i64> {
        let (now, each) = (now.micros(), 60_000_000 / rate.per_minute.max(1));
        let full = each.saturating_mul(rate.burst);
        let known = self.young.get(&subject).or_else(|| self.old.get(&subject)).copied().unwrap_or(now);
        // A clock that was set back must not keep anybody out longer than a full rest.
        let held = known.clamp(now, now.saturating_add(full));
        let over = held + each - now.saturating_add(full);
        if REMEMBERED_MAX / 2 <= self.young.len() {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(subject, if 0 < over { held } else { held + each });
        if 0 < over {
            return Some((over + 999_999) / 1_000_000);
        }
        None
    }
}

/// Whether callers are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counting {
    /// They are.
    #[default]
    On,
    /// They are not: a gateway in front counts them, or everybody is on this machine, as in a demonstration.
    Off,
}

/// The gate of a site (入口): who may come in now. One per process.
pub struct Gate {
    counting: Counting,
    origins: Origins,
    used: Mutex<Used>,
    requests: Places,
    bodies: Places,
    uploads: Arc<Semaphore>,
}

impl Gate {
    /// A gate that counts or not, for callers from these networks.
    pub fn new(counting: Counting, origins: Origins) -> Gate {
        Gate {
            counting,
            origins,
            used: Mutex::default(),
            requests: Places::new(REQUESTS_MAX, REQUESTS_PUBLIC_MAX, REQUESTS_EACH_MAX),
            bodies: Places::new(BODIES_MAX, BODIES_PUBLIC_MAX, BODIES_EACH_MAX),
            uploads: Arc::new(Semaphore::new(UPLOADS_MAX)),
        }
    }

    /// What is known of networks.
    pub(crate) fn origins(&self) -> &Origins {
        &self.origins
    }

    /// Counts a request before anything is looked up for it.
    pub(crate) fn knock(&self, caller: Caller, now: Timestamp) -> Result<(), PageError> {
        match self.counted_address(caller) {
            Some(address) => self.count(Subject::Anything(address), ADDRESS, now),
            None => Ok(()),
        }
    }

    /// Counts a request for a kind of route: of the account where somebody is signed in, else of the address.
    pub(crate) fn ask(
        &self,
        class: Class,
        account: Option<&str>,
        caller: Caller,
        now: Timestamp,
    ) -> Result<(), PageError> {
        let (of_address, of_account) = rates(class);
        match (account, self.counted_address(caller)) {
            (Some(account), _) => self.count(Subject::Account(class, account.to_owned()), of_account, now),
            (None, Some(address)) => self.count(Subject::Address(class, address), of_address, now),
            (None, None) => Ok(()),
        }
    }

    /// A place to be worked on; the last ones are for those who work in windows and offices.
    pub(crate) fn place(&self, is_staff: IsStaff, caller: Caller) -> Result<Place, PageError> {
        self.requests.take(is_staff, self.counted_address(caller)).ok_or_else(shed)
    }

    /// A place for a body that is on its way.
    pub(crate) fn body(&self, is_staff: IsStaff, caller: Caller) -> Result<Place, PageError> {
        self.bodies.take(is_staff, self.counted_address(caller)).ok_or_else(shed)
    }

    /// A place for a large upload.
    pub(crate) fn upload(&self) -> Result<Place, PageError> {
        match Arc::clone(&self.uploads).try_acquire_owned() {
            Ok(permit) => Ok(Place::of(permit)),
            Err(_) => Err(uploads_full()),
        }
    }

    fn counted_address(&self, caller: Caller) -> Option<IpAddr> {
        if self.counting == Counting::Off || caller.is_shared() { None } else { caller.network() }
    }

    fn count(&self, subject: Subject, rate: Rate, now: Timestamp) -> Result<(), PageError> {
        if self.counting == Counting::Off {
            return Ok(());
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        match used.count(subject, rate, now) {
            None => Ok(()),
            Some(seconds) => Err(too_many(seconds)),
        }
    }
}

/// Whether somebody works in a window or office.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IsStaff {
    Yes,
    No,
}

fn too_many(seconds: i64) -> PageError {
    let refusal = Refusal::not_now(
        "WEB-LIM-001",
        "操作太频繁，这一次没有处理",
        "Too many requests in a short time; this one was not dealt with",
    )
    .but(
        format!("等 {seconds} 秒再试；已经办好的不受影响"),
        format!("Wait {seconds} seconds and try again; what was done before stands"),
    );
    PageError::later(axum::http::StatusCode::TOO_MANY_REQUESTS, seconds, refusal)
}

fn shed() -> PageError {
    let refusal = Refusal::not_now(
        "WEB-LIM-002",
        "现在访问的人很多，这一次没有处理",
        "Very many people are here at the moment; this request was not dealt with",
    )
    .but("过几秒再试", "Try again in a few seconds");
    PageError::later(axum::http::StatusCode::SERVICE_UNAVAILABLE, SHED_SECONDS, refusal)
}

fn uploads_full() -> PageError {
    let refusal = Refusal::not_now(
        "WEB-LIM-003",
        "现在上传材料的人很多，这一次没有收",
        "Many people are uploading papers at the moment; yours were not taken",
    )
    .but("过一会儿返回上一页再交一次", "Go back in a moment and send them again");
    PageError::later(axum::http::StatusCode::SERVICE_UNAVAILABLE, UPLOAD_SECONDS, refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_484_460_000_000);
    const RATE: Rate = Rate { burst: 3, per_minute: 60 };

    fn subject(name: &str) -> Subject {
        Subject::Account(Class::Page, name.to_owned())
    }

    #[track_caller]
    fn check(used: &mut Used, name: &str, seconds: i64, expected: Option<i64>) {
        assert_eq!(
            used.count(subject(name), RATE, NOW.plus_seconds(seconds)),
            expected,
            "{name} at {seconds} s"
        );
    }

    #[test]
    fn a_burst_then_a_pace() {
        let mut used = Used::default();
        for _ in 0..3 {
            check(&mut used, "a", 0, None);
        }
        check(&mut used, "a", 0, Some(1));
        check(&mut used, "b", 0, None);
        // A request that was refused is not counted: waiting helps.
        check(&mut used, "a", 1, None);
        check(&mut used, "a", 1, Some(1));
        check(&mut used, "a", 60, None);
    }

    #[test]
    fn a_clock_set_back_keeps_nobody_out_for_long() {
        let mut used = Used::default();
        for _ in 0..3 {
            check(&mut used, "a", 86_400, None);
        }
        check(&mut used, "a", 0, Some(1));
        check(&mut used, "a", 1, None);
        let mut used = Used::default();
        check(&mut used, "a", 86_400, None);
        check(&mut used, "a", 3, Some(1));
        check(&mut used, "a", 4, None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut used = Used::default();
        for at in 0..(REMEMBERED_MAX * 2) {
            let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(u32::try_from(at).unwrap()));
            used.count(Subject::Anything(address), RATE, NOW);
            assert!(used.young.len() + used.old.len() <= REMEMBERED_MAX);
        }
    }

    #[test]
    fn offices_have_the_last_places() {
        let gate = Gate::new(Counting::On, Origins::default());
        let place = |is_staff| gate.place(is_staff, Caller::NOBODY);
        let visitors: Vec<_> = (0..REQUESTS_PUBLIC_MAX).map(|_| place(IsStaff::No).unwrap()).collect();
        assert!(place(IsStaff::No).is_err());
        let staff: Vec<_> =
            (REQUESTS_PUBLIC_MAX..REQUESTS_MAX).map(|_| place(IsStaff::Yes).unwrap()).collect();
        assert!(place(IsStaff::Yes).is_err());
        drop((visitors, staff));
        assert!(place(IsStaff::No).is_ok());
    }
}
