//! The lines to the cities (线路): what waits for each, in order, and whether it may be tried now.
//!
//! Invariants: a line is tried in the order in which its messages were written; one line never delays another.
//! Only ids are held here: the messages are in the outbox, and what is lost here is found there again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tb_base::{MessageId, NodeId, Timestamp};
use tokio::sync::Notify;

/// Messages that a line remembers; what is more stays in the outbox until there is room.
const MESSAGES_MAX: usize = 65_536;

/// When a message was written, and which: lines are in this order.
pub type Place = (Timestamp, MessageId);

/// The line to one city.
#[derive(Default)]
pub struct Line {
    waiting: Mutex<Waiting>,
    /// Something came, or the line opened.
    pub wake: Notify,
    /// The city was heard of: its witness may be asked again.
    pub heard: Notify,
    /// The own log has grown: its witness is to be asked.
    pub grown: Notify,
}

#[derive(Default)]
struct Waiting {
    /// The service of each message that waits.
    messages: BTreeMap<Place, String>,
    /// Until when nothing is tried, because the city does not answer.
    closed_until: Option<Timestamp>,
    /// Until when a service is not tried, because the city said so.
    held: BTreeMap<String, Timestamp>,
    failures: u32,
}

impl Line {
    /// Puts a message into its place; again is the same as once.
    pub fn put(&self, place: Place, service: &str) {
        let mut waiting = self.waiting();
        if waiting.messages.len() < MESSAGES_MAX {
            waiting.messages.insert(place, service.to_owned());
            self.wake.notify_one();
        }
    }

    /// The first message that may be tried now.
    pub fn next(&self, now: Timestamp) -> Option<Place> {
        let waiting = self.waiting();
        if waiting.closed_until.is_some_and(|until| now < until) {
            return None;
        }
        let is_held = |service: &str| waiting.held.get(service).is_some_and(|until| now < *until);
        waiting.messages.iter().find(|(_, service)| !is_held(service)).map(|(place, _)| *place)
    }

    /// Whether anything waits.
    pub fn is_empty(&self) -> bool {
        self.waiting().messages.is_empty()
    }

    /// A message is settled, one way or the other.
    pub fn remove(&self, place: &Place) {
        self.waiting().messages.remove(place);
    }

    /// The city answered: failures before that count no more.
    pub fn answered(&self) {
        let mut waiting = self.waiting();
        waiting.failures = 0;
        waiting.closed_until = None;
    }

    /// One more failure; gives how many there were in a row.
    pub fn failed(&self) -> u32 {
        let mut waiting = self.waiting();
        waiting.failures = waiting.failures.saturating_add(1);
        waiting.failures
    }

    /// The city does not answer: the whole line waits, so that the order holds.
    pub fn close(&self, until: Timestamp) {
        self.waiting().closed_until = Some(until);
    }

    /// The city cannot take messages of one service at the moment; the others go on.
    pub fn hold(&self, service: &str, until: Timestamp) {
        self.waiting().held.insert(service.to_owned(), until);
    }

    /// The city was heard of: what waits because it did not answer is tried at once.
    pub fn open(&self) {
        self.answered();
        self.wake.notify_one();
        self.heard.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lines to all cities of the region, the own one among them; a city that left keeps its line.
pub struct Lines {
    lines: RwLock<BTreeMap<NodeId, Arc<Line>>>,
}

impl Lines {
    /// Empty lines.
    pub fn new(cities: impl Iterator<Item = NodeId>) -> Lines {
        let lines = Lines { lines: RwLock::new(BTreeMap::new()) };
        lines.add(cities);
        lines
    }

    /// Adds the lines that are missing.
    pub fn add(&self, cities: impl Iterator<Item = NodeId>) {
        let mut lines = self.lines.write().unwrap_or_else(PoisonError::into_inner);
        for city in cities {
            lines.entry(city).or_default();
        }
    }

    /// The cities.
    pub fn cities(&self) -> Vec<NodeId> {
        self.lines.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// The line to a city, if it is or was one of the region.
    pub fn to(&self, city: NodeId) -> Option<Arc<Line>> {
        self.lines.read().unwrap_or_else(PoisonError::into_inner).get(&city).cloned()
    }

    /// Opens the line to a city.
    pub fn open(&self, city: NodeId) {
        if let Some(line) = self.to(city) {
            line.open();
        }
    }

    /// Every witness has something to sign.
    pub fn all_grown(&self) {
        self.cities().into_iter().filter_map(|city| self.to(city)).for_each(|line| line.grown.notify_one());
    }

    /// Opens every line.
    pub fn all_open(&self) {
        self.cities().into_iter().for_each(|city| self.open(city));
    }
}

#[cfg(test)]
mod tests {
    use super::Line;
    use tb_base::{MessageId, Timestamp};

    fn place(second: i64, letter: char) -> (Timestamp, MessageId) {
        let id = format!("01kq3zt000000000000000000{letter}").parse().unwrap();
        (Timestamp(second * 1_000_000), id)
    }

    fn second(second: i64) -> Timestamp {
        Timestamp(second * 1_000_000)
    }

    #[test]
    fn a_line_is_in_the_order_of_writing() {
        let line = Line::default();
        line.put(place(3, 'a'), "s");
        line.put(place(2, 'c'), "s");
        line.put(place(2, 'b'), "s");
        line.put(place(2, 'b'), "s");
        assert_eq!(line.next(second(9)), Some(place(2, 'b')));
        line.remove(&place(2, 'b'));
        assert_eq!(line.next(second(9)), Some(place(2, 'c')));
        line.remove(&place(2, 'c'));
        line.remove(&place(3, 'a'));
        assert!(line.is_empty());
    }

    #[test]
    fn a_closed_line_waits_until_its_time_or_until_the_city_is_heard_of() {
        let line = Line::default();
        line.put(place(1, 'a'), "s");
        assert_eq!((line.failed(), line.failed()), (1, 2));
        line.close(second(20));
        assert_eq!(line.next(second(19)), None);
        assert_eq!(line.next(second(20)), Some(place(1, 'a')));
        line.open();
        assert_eq!(line.next(second(2)), Some(place(1, 'a')));
        assert_eq!(line.failed(), 1);
    }

    #[test]
    fn a_service_that_is_held_does_not_delay_the_others() {
        let line = Line::default();
        line.put(place(1, 'a'), "full");
        line.put(place(2, 'b'), "free");
        line.put(place(3, 'c'), "full");
        line.hold("full", second(20));
        assert_eq!(line.next(second(5)), Some(place(2, 'b')));
        line.remove(&place(2, 'b'));
        assert_eq!(line.next(second(5)), None);
        assert_eq!(line.next(second(20)), Some(place(1, 'a')));
    }
}
