//! What cases of a period add up to (办理数字): how many, how long, how many too late. Pure.
//!
//! Invariant: days are working days from the day after collection to the day of the decision, both cities' time and
//! the applicant's included; they are counted, never estimated.

use std::collections::BTreeMap;

use serde::Serialize;
use tb_base::{Calendar, Date};

use crate::city::{Decided, Received};

/// The figures of an item, an office or all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Cases that were received.
    pub received: i64,
    /// Those that another city collected.
    pub remote: i64,
    /// Those that were handed in on a site.
    pub online: i64,
    /// Cases that were decided.
    pub decided: i64,
    /// Those whose promised day is known.
    pub promised: i64,
    /// Those that were decided after it.
    pub overdue: i64,
    /// How many took how many working days.
    days: BTreeMap<u32, i64>,
}

impl Figures {
    /// Adds what was received.
    pub fn receive(&mut self, row: &Received) {
        self.received += row.counted;
        self.remote += row.remote;
        self.online += row.online;
    }

    /// Adds what was decided.
    pub fn decide(&mut self, row: &Decided, calendar: &Calendar) {
        self.decided += row.counted;
        self.promised += row.promised;
        self.overdue += row.overdue;
        *self.days.entry(taken(row, calendar)).or_default() += row.counted;
    }

    /// So many days were enough for half of them: the lower median (中位数).
    pub fn median(&self) -> Option<u32> {
        self.within(50)
    }

    /// So many days were enough for so many of a hundred.
    pub fn within(&self, percent: i64) -> Option<u32> {
        let mut so_far = 0;
        let enough = |(days, count): (&u32, &i64)| {
            so_far += count;
            (self.decided * percent <= so_far * 100).then_some(*days)
        };
        self.days.iter().find_map(enough)
    }

    /// The longest.
    pub fn longest(&self) -> Option<u32> {
        self.days.keys().next_back().copied()
    }

    /// Of a thousand whose promise is known, so many were decided after it.
    pub fn overdue_permille(&self) -> Option<i64> {
        (0 < self.promised).then(|| self.overdue * 1_000 / self.promised)
    }
}

/// How many working days cases took.
pub fn taken(row: &Decided, calendar: &Calendar) -> u32 {
    calendar.working_days(row.first, row.last)
}

/// The days of the cases that took the longest: collected and decided.
pub fn longest(rows: &[Decided], calendar: &Calendar) -> Option<(Date, Date)> {
    let slowest = rows.iter().max_by_key(|row| (taken(row, calendar), row.last))?;
    Some((slowest.first, slowest.last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(first: &str, last: &str, counted: i64, overdue: i64) -> Decided {
        Decided {
            item: 121,
            office: "430300-transport".parse().unwrap(),
            first: first.parse().unwrap(),
            last: last.parse().unwrap(),
            counted,
            promised: counted,
            overdue,
        }
    }

    #[track_caller]
    fn check(rows: &[Decided], expected: (Option<u32>, Option<u32>, Option<u32>, Option<i64>)) {
        let mut figures = Figures::default();
        for row in rows {
            figures.decide(row, Calendar::national());
        }
        let found = (figures.median(), figures.within(90), figures.longest(), figures.overdue_permille());
        assert_eq!(found, expected);
    }

    #[test]
    fn days_are_counted_as_people_count_them() {
        check(&[], (None, None, None, None));
        // On the same day it took none; over a weekend one.
        check(&[row("2026-11-24", "2026-11-24", 1, 0)], (Some(0), Some(0), Some(0), Some(0)));
        check(&[row("2026-11-20", "2026-11-23", 1, 1)], (Some(1), Some(1), Some(1), Some(1_000)));
        // Over the holidays of the National Day only working days count.
        check(&[row("2026-09-30", "2026-10-08", 2, 0)], (Some(1), Some(1), Some(1), Some(0)));
        let many = [
            row("2026-11-16", "2026-11-17", 5, 0),
            row("2026-11-16", "2026-11-18", 4, 0),
            row("2026-11-16", "2026-11-24", 1, 1),
        ];
        check(&many, (Some(1), Some(2), Some(6), Some(100)));
        let even = [row("2026-11-16", "2026-11-17", 1, 0), row("2026-11-16", "2026-11-19", 1, 0)];
        check(&even, (Some(1), Some(3), Some(3), Some(0)));
    }

    #[test]
    fn the_longest_is_that_of_the_most_working_days() {
        let rows = [row("2026-09-30", "2026-10-09", 1, 0), row("2026-11-16", "2026-11-20", 1, 0)];
        let days = longest(&rows, Calendar::national()).unwrap();
        assert_eq!(days, ("2026-11-16".parse().unwrap(), "2026-11-20".parse().unwrap()));
    }
}
