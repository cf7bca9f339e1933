//! Places (名额): how many requests are in hand at once, in all, of visitors, and of visitors at one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::IsStaff;

/// So many places, of which some are for those who work in windows and offices.
pub(super) struct Places {
    all: Arc<Semaphore>,
    public: Arc<Semaphore>,
    each: Arc<Each>,
}

/// How many places the visitors at each address have now; who has none does not stand here.
struct Each {
    places_max: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permits: Vec<OwnedSemaphorePermit>,
    _own: Option<Own>,
}

/// The part of a place that its address is charged for.
struct Own {
    address: IpAddr,
    each: Arc<Each>,
}

impl Places {
    /// Places in all, those of visitors among them, and those of visitors at one address.
    pub(super) fn new(all: usize, public: usize, each: usize) -> Places {
        Places {
            all: Arc::new(Semaphore::new(all)),
            public: Arc::new(Semaphore::new(public)),
            each: Arc::new(Each { places_max: each, taken: Mutex::default() }),
        }
    }

    /// A place, or none where all are taken. Without an address nobody is charged: many people stand behind it.
    pub(super) fn take(&self, is_staff: IsStaff, address: Option<IpAddr>) -> Option<Place> {
        let permit = |places: &Arc<Semaphore>| Arc::clone(places).try_acquire_owned().ok();
        if is_staff == IsStaff::Yes {
            return Some(Place { _permits: vec![permit(&self.all)?], _own: None });
        }
        let own = match address {
            Some(address) => Some(Each::charge(&self.each, address)?),
            None => None,
        };
        Some(Place { _permits: vec![permit(&self.all)?, permit(&self.public)?], _own: own })
    }
}

impl Place {
    /// A place that has nothing to do with addresses.
    pub(super) fn of(permit: OwnedSemaphorePermit) -> Place {
        Place { _permits: vec![permit], _own: None }
    }
}

impl Each {
    fn charge(each: &Arc<Each>, address: IpAddr) -> Option<Own> {
        let mut taken = each.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(address).or_insert(0);
        if each.places_max <= *count {
            return None;
        }
        *count += 1;
        Some(Own { address, each: Arc::clone(each) })
    }
}

impl std::fmt::Debug for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // An address is no word for a log.
        f.write_str("Own")
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let mut taken = self.each.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn visitors_at_one_address_leave_places_for_the_others() {
        let places = Places::new(8, 6, 2);
        let held: Vec<_> = (0..2).map(|_| places.take(IsStaff::No, address(1)).unwrap()).collect();
        assert!(places.take(IsStaff::No, address(1)).is_none());
        // Others, those who share an address with many, and those who work there.
        let other = places.take(IsStaff::No, address(2)).unwrap();
        let many: Vec<_> = (0..3).map(|_| places.take(IsStaff::No, None).unwrap()).collect();
        assert!(places.take(IsStaff::No, address(3)).is_none(), "the places of visitors are taken");
        let staff = places.take(IsStaff::Yes, address(1)).unwrap();
        drop((held, other, many, staff));
        assert!(places.each.taken.lock().unwrap().is_empty(), "nobody is remembered");
        assert!(places.take(IsStaff::No, address(1)).is_some());
    }

    #[test]
    fn a_place_that_is_not_given_is_not_charged() {
        let places = Places::new(1, 1, 2);
        let held = places.take(IsStaff::No, address(1)).unwrap();
        assert!(places.take(IsStaff::No, address(2)).is_none());
        drop(held);
        assert!(places.each.taken.lock().unwrap().is_empty());
    }
}
