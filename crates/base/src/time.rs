//! A point in time (时刻), in microseconds, and the civil date that it falls on in China.

use std::fmt;

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

/// China has had one civil time without daylight saving since 1991: UTC+08:00.
const CHINA_OFFSET_MICROS: i64 = 8 * 3_600 * 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * 1_000_000;
/// More days than lie between 1970 and any day that can be written, and few enough for a span.
const DAYS_MAX: i64 = 5_000_000;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The microseconds since the Unix epoch, as stored in `BIGINT` columns.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, as message signatures carry them.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The moment that lies `seconds` later (earlier when negative).
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// The civil date in China.
    pub fn date(self) -> Date {
        self.civil().date()
    }

    /// The civil date and time in China; beyond the years -9999 to 9999 the nearest day of these.
    pub fn civil(self) -> DateTime {
        let local = self.0.saturating_add(CHINA_OFFSET_MICROS);
        let days = local.div_euclid(MICROS_PER_DAY).clamp(-DAYS_MAX, DAYS_MAX);
        let within = local.rem_euclid(MICROS_PER_DAY) * 1_000;
        let epoch = jiff::civil::date(1970, 1, 1);
        let date = epoch.saturating_add(jiff::Span::new().days(days));
        DateTime::from_parts(date, jiff::civil::Time::midnight())
            .saturating_add(jiff::Span::new().nanoseconds(within))
    }

    /// The first moment of `date` in China, plus `hour` hours.
    pub fn at(date: Date, hour: i64) -> Timestamp {
        let epoch = jiff::civil::date(1970, 1, 1);
        let days = i64::from(epoch.until(date).map_or(0, |span| span.get_days()));
        Timestamp(days * MICROS_PER_DAY - CHINA_OFFSET_MICROS + hour * 3_600 * 1_000_000)
    }

    /// `2026-11-22 09:41`, the form that pages show.
    pub fn minute(self) -> String {
        let civil = self.civil();
        format!("{} {:02}:{:02}", civil.date(), civil.hour(), civil.minute())
    }
}

/// RFC 3339 with the offset of China and microseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = self.civil();
        write!(
            f,
            "{}T{:02}:{:02}:{:02}.{:06}+08:00",
            civil.date(),
            civil.hour(),
            civil.minute(),
            civil.second(),
            self.0.rem_euclid(1_000_000)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_date_is_that_of_china() {
        // 2026-11-23T16:00:00Z is midnight of the 24th in China.
        let midnight = Timestamp(1_795_449_600_000_000);
        assert_eq!(midnight.date(), jiff::civil::date(2026, 11, 24));
        assert_eq!(Timestamp(midnight.0 - 1).date(), jiff::civil::date(2026, 11, 23));
        assert_eq!(midnight.to_string(), "2026-11-24T00:00:00.000000+08:00");
        assert_eq!(Timestamp::at(jiff::civil::date(2026, 11, 24), 0), midnight);
    }
    /// A peer may send any number: it must not stop a node.
    #[test]
    fn the_edges_of_time_do_not_panic() {
        for micros in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX] {
            let time = Timestamp(micros);
            assert!(!time.to_string().is_empty() && !time.minute().is_empty());
            let _ = (time.plus_seconds(i64::MAX), time.plus_seconds(i64::MIN), time.seconds());
        }
        assert_eq!(Timestamp(i64::MAX).date(), Date::MAX);
        assert_eq!(Timestamp(i64::MIN).date(), Date::MIN);
    }
}
