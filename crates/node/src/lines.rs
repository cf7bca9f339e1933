//! The lines to the cities (线路): what waits for each, in order, and whether it may be tried now.
//!
//! Invariants: a line is tried in the order in which its messages were written; one line never delays another.
//! Only ids are held here, the oldest ones: the messages are in the outbox, and what is lost here is read there again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tb_base::{MessageId, NodeId, Timestamp};
use tb_store::outbox::{self, Waiting};
use tokio::sync::Notify;

/// Messages that are read at once, the oldest; where their services are all held, twice as many each time.
const MESSAGES: u32 = 128;
/// Ids are read again at most so fast: what is long and held is not read all the time.
const IDS_PER_MILLI: i64 = 16;
/// No pause is longer; one that seems to be is of a clock that was set back.
const PAUSE_SECONDS_MAX: i64 = 20;

/// When a message was written, and which: lines are in this order.
pub type Place = (Timestamp, MessageId);

/// The line to one city.
#[derive(Default)]
pub struct Line {
    standing: Mutex<Standing>,
    /// Something came, or the line opened.
    pub wake: Notify,
    /// The city was heard of: its witness may be asked again.
    pub heard: Notify,
    /// The own log has grown: its witness is to be asked.
    pub grown: Notify,
}

/// What a line does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is closed, or nothing may be tried.
    Wait,
    /// It reads so many of the messages that wait.
    Read(u32),
    /// It tries that one.
    Try(Place),
}

#[derive(Default)]
struct Standing {
    /// The service of each message that waits, as far as they were read.
    messages: BTreeMap<Place, String>,
    /// How many were asked for when they were read, and when; nothing was read before the first time.
    read: Option<(u32, Timestamp)>,
    /// Whether there were as many as were asked for: more may stand behind them.
    is_cut: bool,
    /// Whether something may have been written since.
    is_stale: bool,
    /// Until when nothing is tried, because the city does not answer.
    closed_until: Option<Timestamp>,
    /// Until when a service is not tried, because the city said so.
    held: BTreeMap<String, Timestamp>,
    failures: u32,
}

impl Standing {
    /// The first message that may be tried now.
    fn first(&self, now: Timestamp) -> Option<Place> {
        let is_held = |service: &str| self.held.get(service).is_some_and(|until| is_pause(now, *until));
        self.messages.iter().find(|(_, service)| !is_held(service)).map(|(place, _)| *place)
    }

    /// How many messages are read next: twice as many where none of those that were read may be tried.
    fn width(&self, now: Timestamp) -> u32 {
        let (Some((limit, _)), Some(oldest)) = (self.read, self.messages.keys().next()) else {
            return MESSAGES;
        };
        match self.first(now) {
            Some(first) if first == *oldest => MESSAGES,
            None if self.is_cut => limit.saturating_mul(2).min(outbox::LINE_MAX),
            // Something is held, and all that is needed to see past it was read.
            Some(_) | None => limit,
        }
    }

    /// Whether more may stand behind what was read, none of which may be tried.
    fn is_short(&self, now: Timestamp) -> bool {
        self.is_cut && self.first(now).is_none() && (self.messages.len() as u64) < u64::from(outbox::LINE_MAX)
    }

    /// Whether the last look was so long ago that another one costs little.
    fn may_read(&self, now: Timestamp) -> bool {
        let Some((_, at)) = self.read else { return true };
        let pause_micros = self.messages.len() as i64 * 1_000 / IDS_PER_MILLI;
        now < at || at.micros().saturating_add(pause_micros) <= now.micros()
    }
}

/// Whether a pause lasts; no pause is so long that it is not one of a clock that was set back meanwhile.
fn is_pause(now: Timestamp, until: Timestamp) -> bool {
    now < until && until <= now.plus_seconds(PAUSE_SECONDS_MAX)
}

impl Line {
    /// Something may wait for the city that was not read yet.
    pub fn nudge(&self) {
        self.standing().is_stale = true;
        self.wake.notify_one();
    }

    /// What is to be done now. Who is told to read does so, and gives it to [`Line::fill`].
    pub fn next(&self, now: Timestamp) -> Step {
        let mut standing = self.standing();
        if standing.closed_until.is_some_and(|until| is_pause(now, until)) {
            return Step::Wait;
        }
        if (standing.is_stale || standing.is_short(now)) && standing.may_read(now) {
            standing.is_stale = false;
            return Step::Read(standing.width(now));
        }
        standing.first(now).map_or(Step::Wait, Step::Try)
    }

    /// What the store says stands in the line, the oldest first, of as many as were asked for.
    pub fn fill(&self, now: Timestamp, waiting: Vec<Waiting>, limit: u32) {
        let mut standing = self.standing();
        standing.is_cut = waiting.len() == limit as usize;
        standing.read = Some((limit, now));
        standing.messages = waiting.into_iter().map(|it| ((it.created, it.id), it.service)).collect();
    }

    /// Another process has taken the line: what stands in it is that one's to try.
    pub fn lose(&self) {
        let mut standing = self.standing();
        (standing.is_cut, standing.read) = (false, None);
        standing.messages.clear();
    }

    /// Whether nothing stands in the line, as far as was read, and nothing was written since.
    pub fn is_idle(&self) -> bool {
        let standing = self.standing();
        standing.messages.is_empty() && !standing.is_stale
    }

    /// Whether this process has something to try.
    fn is_busy(&self) -> bool {
        !self.standing().messages.is_empty()
    }

    /// A message is settled, one way or the other.
    pub fn remove(&self, place: &Place) {
        self.standing().messages.remove(place);
    }

    /// The city answered: failures before that count no more.
    pub fn answered(&self) {
        let mut standing = self.standing();
        standing.failures = 0;
        standing.closed_until = None;
    }

    /// One more failure; gives how many there were in a row.
    pub fn failed(&self) -> u32 {
        let mut standing = self.standing();
        standing.failures = standing.failures.saturating_add(1);
        standing.failures
    }

    /// The city does not answer: the whole line waits, so that the order holds.
    pub fn close(&self, until: Timestamp) {
        self.standing().closed_until = Some(until);
    }

    /// The city cannot take messages of one service at the moment; the others go on.
    pub fn hold(&self, service: &str, until: Timestamp) {
        self.standing().held.insert(service.to_owned(), until);
    }

    /// The city was heard of: what waits because it did not answer is tried at once.
    pub fn open(&self) {
        self.answered();
        self.wake.notify_one();
        self.heard.notify_one();
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// The cities for which this process has something to try.
    pub fn busy(&self) -> Vec<NodeId> {
        let lines = self.lines.read().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|(_, line)| line.is_busy()).map(|(city, _)| *city).collect()
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
    use super::{Line, MESSAGES, Step};
    use tb_base::{MessageId, Timestamp};
    use tb_store::outbox::Waiting;

    fn waiting(second: i64, letter: char, service: &str) -> Waiting {
        let id: MessageId = format!("01kq3zt000000000000000000{letter}").parse().unwrap();
        Waiting { id, service: service.to_owned(), created: at(second) }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp(second * 1_000_000)
    }

    fn tries(second: i64, letter: char) -> Step {
        let one = waiting(second, letter, "s");
        Step::Try((one.created, one.id))
    }

    /// A line that was read.
    fn holding(messages: &[(i64, char, &str)]) -> Line {
        let line = Line::default();
        line.nudge();
        assert_eq!(line.next(at(5)), Step::Read(MESSAGES));
        let messages = messages.iter().map(|(second, letter, service)| waiting(*second, *letter, service));
        line.fill(at(5), messages.collect(), MESSAGES);
        line
    }

    #[test]
    fn a_line_is_in_the_order_of_writing() {
        let line = holding(&[(3, 'a', "s"), (2, 'c', "s"), (2, 'b', "s")]);
        assert_eq!(line.next(at(9)), tries(2, 'b'));
        for one in [(2, 'b'), (2, 'c'), (3, 'a')] {
            assert_eq!(line.next(at(9)), tries(one.0, one.1));
            let one = waiting(one.0, one.1, "s");
            line.remove(&(one.created, one.id));
        }
        assert!(line.is_idle());
        assert_eq!(line.next(at(9)), Step::Wait);
    }

    #[test]
    fn what_is_written_while_a_line_is_read_is_read_again() {
        let line = holding(&[]);
        line.nudge();
        assert_eq!(line.next(at(9)), Step::Read(MESSAGES));
        line.nudge();
        line.fill(at(9), Vec::new(), MESSAGES);
        assert_eq!(line.next(at(9)), Step::Read(MESSAGES));
    }

    #[test]
    fn a_closed_line_waits_until_its_time_or_until_the_city_is_heard_of() {
        let line = holding(&[(1, 'a', "s")]);
        assert_eq!((line.failed(), line.failed()), (1, 2));
        line.close(at(20));
        line.nudge();
        assert_eq!(line.next(at(19)), Step::Wait, "nothing is read either");
        assert_eq!(line.next(at(20)), Step::Read(MESSAGES));
        line.fill(at(20), vec![waiting(1, 'a', "s")], MESSAGES);
        line.close(at(30));
        line.open();
        assert_eq!(line.next(at(21)), tries(1, 'a'));
        assert_eq!(line.failed(), 1);
    }

    #[test]
    fn a_clock_set_back_makes_no_pause_longer() {
        let line = holding(&[(1, 'a', "s")]);
        line.close(at(3_616));
        assert_eq!(line.next(at(3_600)), Step::Wait);
        assert_eq!(line.next(at(6)), tries(1, 'a'));
        line.hold("s", at(3_616));
        assert_eq!(line.next(at(6)), tries(1, 'a'));
    }

    #[test]
    fn a_service_that_is_held_does_not_delay_the_others() {
        let line = holding(&[(1, 'a', "full"), (2, 'b', "free"), (3, 'c', "full")]);
        line.hold("full", at(20));
        assert_eq!(line.next(at(6)), tries(2, 'b'));
        let free = waiting(2, 'b', "free");
        line.remove(&(free.created, free.id));
        assert_eq!(line.next(at(6)), Step::Wait);
        assert_eq!(line.next(at(20)), tries(1, 'a'));
    }

    /// What stands behind many messages of a service that is held is found, and they are not read all the time.
    #[test]
    fn a_line_looks_past_what_is_held() {
        let many = |count: u32| (0..count).map(|n| waiting(i64::from(n), 'a', "full")).collect::<Vec<_>>();
        let line = holding(&[]);
        line.hold("full", at(20));
        line.nudge();
        assert_eq!(line.next(at(6)), Step::Read(MESSAGES));
        line.fill(at(6), many(MESSAGES), MESSAGES);
        assert_eq!(line.next(at(6)), Step::Wait, "not at once");
        assert_eq!(line.next(at(7)), Step::Read(2 * MESSAGES));
        let mut all = many(MESSAGES + 9);
        all.push(waiting(900, 'b', "free"));
        line.fill(at(7), all.clone(), 2 * MESSAGES);
        assert_eq!(line.next(at(7)), tries(900, 'b'));
        let free = waiting(900, 'b', "free");
        line.remove(&(free.created, free.id));
        assert_eq!(line.next(at(8)), Step::Wait, "all of it is known");
        line.nudge();
        assert_eq!(line.next(at(8)), Step::Read(2 * MESSAGES), "as far as was needed");
        line.fill(at(8), all, 2 * MESSAGES);
        assert_eq!(line.next(at(8)), tries(900, 'b'));
    }

    /// More waits than was read: the next part is read when nothing of the first is left.
    #[test]
    fn a_long_line_is_read_in_parts() {
        let line = holding(&[]);
        line.nudge();
        assert_eq!(line.next(at(6)), Step::Read(MESSAGES));
        let part: Vec<_> = (0..MESSAGES).map(|n| waiting(i64::from(n), 'a', "s")).collect();
        line.fill(at(6), part.clone(), MESSAGES);
        for one in part {
            assert_eq!(line.next(at(7)), Step::Try((one.created, one.id)));
            line.remove(&(one.created, one.id));
        }
        assert_eq!(line.next(at(7)), Step::Read(MESSAGES));
        line.fill(at(7), Vec::new(), MESSAGES);
        assert_eq!(line.next(at(7)), Step::Wait);
    }
}
