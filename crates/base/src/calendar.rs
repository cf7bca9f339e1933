//! Which days are working days (工作日历), from the State Council's yearly notices.
//!
//! Invariants: Monday to Friday works unless it is a holiday; a weekend works only when the notice says so
//! (调休). A year without a notice follows the weekday rule and every answer about it is provisional.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use crate::code::reasons;

reasons! {
    /// Why a calendar file cannot be read (日历数据).
    pub enum BadCalendar {
        /// The first line does not name the version.
        Version => "BAS-CAL-001", ("日历数据第 1 行应为“# version: 版本号”"), ("The first line of a calendar names its version");
        /// A line is not date, kind and name.
        Line {
            /// The line, from 1.
            line: usize
        } => "BAS-CAL-002", ("日历数据第 {line} 行应为“日期,holiday 或 adjusted_workday,名称”"), ("Line {line} of the calendar is not date, kind and name");
        /// A date is listed twice.
        Twice {
            /// The date.
            date: Date
        } => "BAS-CAL-003", ("日历数据中 {date} 重复"), ("The calendar lists {date} twice");
    }
}

/// What is said of a day that the next notice may still move.
pub(crate) const UNANNOUNCED_ZH: &str = "节假日安排待公布";
/// The same in English.
pub(crate) const UNANNOUNCED_EN: &str = "holidays not yet announced";

/// One day that differs from the weekday rule (例外日).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The day.
    pub date: Date,
    /// Whether it is a working day.
    pub works: bool,
    /// The holiday or occasion, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// Why a day works or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DayReason {
    /// Monday to Friday (周一至周五).
    Weekday,
    /// Saturday or Sunday (周末).
    Weekend,
    /// A statutory holiday, with its name (法定节假日).
    Holiday(Exception),
    /// A weekend day that works in exchange, with the holiday's name (调休上班).
    Adjusted(Exception),
    /// A day on which one city's offices differ, with the occasion (本市例外).
    City(Exception),
}

/// Whether a day is a working day, why, and whether that is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Working {
    /// Whether it is a working day.
    pub yes: bool,
    /// Why.
    pub reason: DayReason,
    /// Whether the notice that settles this day is still to come (待公布).
    pub provisional: bool,
}

impl Working {
    /// The reason in Chinese.
    pub fn zh(&self) -> String {
        let reason = match &self.reason {
            DayReason::Weekday => "工作日".to_owned(),
            DayReason::Weekend => "周末".to_owned(),
            DayReason::Holiday(day) => format!("{}放假", day.zh),
            DayReason::Adjusted(day) => format!("{}调休上班", day.zh),
            DayReason::City(day) => day.zh.clone(),
        };
        if self.provisional { format!("{reason}（{UNANNOUNCED_ZH}）") } else { reason }
    }

    /// The reason in English.
    pub fn en(&self) -> String {
        let reason = match &self.reason {
            DayReason::Weekday => "working day".to_owned(),
            DayReason::Weekend => "weekend".to_owned(),
            DayReason::Holiday(day) => format!("holiday: {}", day.en),
            DayReason::Adjusted(day) => format!("working day in exchange for {}", day.en),
            DayReason::City(day) => day.en.clone(),
        };
        if self.provisional { format!("{reason} ({UNANNOUNCED_EN})") } else { reason }
    }
}

/// A working-day calendar (工作日历) of one version.
#[derive(Clone, Debug)]
pub struct Calendar {
    version: String,
    /// Days by notice, then days of one city, which go first.
    days: BTreeMap<Date, Exception>,
    city_days: BTreeMap<Date, Exception>,
    years: BTreeSet<i16>,
    /// Working days from the first announced day up to and including each day; covers all announced years.
    sums: Vec<u32>,
}

/// The next year's notice has moved these last days of December before (2006, 2007, 2011, 2018),
/// so they are announced only together with the next year.
const DECEMBER_OPEN_FROM: i8 = 29;
/// The years that a calendar may speak of; the sums run over all days between, so that a slip in a year would cost seconds.
const YEARS: RangeInclusive<i16> = 1949..=2199;

impl Calendar {
    /// The national calendar that is shipped, 2004 to 2026.
    pub fn national() -> &'static Calendar {
        // Without readable data every day would be provisional, which is true of it. A test reads the data.
        static NATIONAL: LazyLock<Calendar> = LazyLock::new(|| {
            let text = include_str!("../../../region/holidays.csv");
            Calendar::parse(text).unwrap_or_else(|_| Calendar::new("none", BTreeMap::new()))
        });
        &NATIONAL
    }

    /// Reads `# version: …`, then `date,kind,name` lines with kind `holiday` or `adjusted_workday`.
    pub fn parse(text: &str) -> Result<Calendar, BadCalendar> {
        let version = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# version:"))
            .ok_or(BadCalendar::Version)?;
        let mut days = BTreeMap::new();
        for (index, line) in text.lines().enumerate().skip(2).filter(|(_, line)| !line.is_empty()) {
            let day = exception(line).ok_or(BadCalendar::Line { line: index + 1 })?;
            let date = day.date;
            if days.insert(date, day).is_some() {
                return Err(BadCalendar::Twice { date });
            }
        }
        Ok(Calendar::new(version.trim(), days))
    }

    fn new(version: &str, days: BTreeMap<Date, Exception>) -> Calendar {
        let years = days.values().filter(|day| !day.works).map(|day| day.date.year()).collect();
        let mut calendar = Calendar {
            version: version.to_owned(),
            days,
            city_days: BTreeMap::new(),
            years,
            sums: Vec::new(),
        };
        calendar.sum_up();
        calendar
    }

    /// The same calendar with days on which one city's offices differ (本市例外日).
    #[must_use]
    pub fn with_city_days(&self, version: &str, city_days: impl IntoIterator<Item = Exception>) -> Calendar {
        let mut calendar = self.clone();
        calendar.version = format!("{}+{version}", self.version);
        calendar.city_days.extend(city_days.into_iter().map(|day| (day.date, day)));
        calendar.sum_up();
        calendar
    }

    /// The version that a computed date names.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The years that are announced.
    pub fn years(&self) -> impl Iterator<Item = i16> {
        self.years.iter().copied()
    }

    /// Whether a day is a working day, why, and whether that is announced.
    pub fn is_working(&self, date: Date) -> Working {
        let (yes, reason) = self.rule(date);
        Working { yes, reason, provisional: self.is_provisional(date) }
    }

    /// How many working days lie after `after` up to and including `until`.
    pub fn working_days(&self, after: Date, until: Date) -> u32 {
        if until <= after {
            return 0;
        }
        match (self.sum_at(after), self.sum_at(until)) {
            (Some(before), Some(all)) => all - before,
            _ => self.walk(after, until),
        }
    }

    /// The `count`th working day after `date`; the day itself for none.
    pub fn plus_working_days(&self, date: Date, count: u32) -> Date {
        let wanted = self.sum_at(date).map(|sum| sum + count);
        let found = wanted.map(|wanted| self.sums.partition_point(|sum| *sum < wanted));
        if count == 0 {
            return date;
        }
        match found.and_then(|place| self.day_at(place)) {
            Some(day) => day,
            None => self.walk_on(date, count),
        }
    }

    fn rule(&self, date: Date) -> (bool, DayReason) {
        if let Some(day) = self.city_days.get(&date) {
            return (day.works, DayReason::City(day.clone()));
        }
        match self.days.get(&date) {
            Some(day) if day.works => (true, DayReason::Adjusted(day.clone())),
            Some(day) => (false, DayReason::Holiday(day.clone())),
            None if is_weekend(date) => (false, DayReason::Weekend),
            None => (true, DayReason::Weekday),
        }
    }

    fn works(&self, date: Date) -> bool {
        let exception = self.city_days.get(&date).or_else(|| self.days.get(&date));
        exception.map_or(!is_weekend(date), |day| day.works)
    }

    fn is_provisional(&self, date: Date) -> bool {
        let is_open_december = date.month() == 12 && DECEMBER_OPEN_FROM <= date.day();
        let next_year = date.year().saturating_add(1);
        !self.years.contains(&date.year()) || is_open_december && !self.years.contains(&next_year)
    }

    /// The first day that the sums cover.
    fn origin(&self) -> Option<Date> {
        self.years.first().and_then(|year| Date::new(*year, 1, 1).ok())
    }

    fn sum_up(&mut self) {
        let (Some(first), Some(last)) = (self.origin(), self.years.last()) else { return };
        let mut total = 0;
        let days = first.series(1.day()).take_while(|day| day.year() <= *last);
        self.sums = days
            .map(|day| {
                total += u32::from(self.works(day));
                total
            })
            .collect();
    }

    fn sum_at(&self, date: Date) -> Option<u32> {
        let days = date.since((jiff::Unit::Day, self.origin()?)).ok()?.get_days();
        self.sums.get(usize::try_from(days).ok()?).copied()
    }

    fn day_at(&self, place: usize) -> Option<Date> {
        self.sums.get(place)?;
        let days = i64::try_from(place).ok()?;
        self.origin()?.checked_add(days.days()).ok()
    }

    fn walk(&self, after: Date, until: Date) -> u32 {
        let mut day = after;
        let mut count = 0;
        while day < until {
            day = next(day);
            count += u32::from(self.works(day));
        }
        count
    }

    fn walk_on(&self, date: Date, count: u32) -> Date {
        let mut day = date;
        let mut left = count;
        while 0 < left && day < Date::MAX {
            day = next(day);
            left -= u32::from(self.works(day));
        }
        day
    }
}

/// The day after; the last day of the calendar has none.
pub(crate) fn next(date: Date) -> Date {
    date.tomorrow().unwrap_or(Date::MAX)
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn exception(line: &str) -> Option<Exception> {
    let fields: Vec<&str> = line.split(',').collect();
    let &[date, kind, name] = fields.as_slice() else { return None };
    let works = match kind {
        "holiday" => false,
        "adjusted_workday" => true,
        _ => return None,
    };
    let date = date.parse::<Date>().ok().filter(|date| YEARS.contains(&date.year()))?;
    Some(Exception { date, works, zh: name.to_owned(), en: english(name).to_owned() })
}

/// The English names of the holidays of the national notices.
fn english(name: &str) -> &str {
    match name {
        "元旦" => "New Year's Day",
        "春节" => "Spring Festival",
        "清明" => "Tomb-sweeping Day",
        "劳动节" => "Labour Day",
        "端午" => "Dragon Boat Festival",
        "中秋" => "Mid-Autumn Festival",
        "国庆节" => "National Day",
        "中国人民抗日战争暨世界反法西斯战争胜利70周年纪念日" => {
            "70th anniversary of victory in war"
        }
        _ => "statutory holiday",
    }
}

#[cfg(test)]
mod tests;
