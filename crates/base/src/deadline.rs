//! When a legal limit ends (期限届满), and day by day why (逐日说明).
//!
//! Rules: the day of the event is not counted (民法典 201, 行政许可法 82); a working-day limit that begins on a
//! non-working day counts as begun on the next working day; a limit in months ends on the same day of the month or,
//! where there is none, on its last (民法典 202); a limit in days or months that ends on a non-working day is moved
//! to the next working day when the definition asks for it (民法典 203).
//! Pauses count once where they overlap: a pause from day A to day B takes out the days after A up to B.
//! Invariant: the due date is the day of the last line of the explanation; nothing is computed twice.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calendar::{DayReason, UNANNOUNCED_EN, UNANNOUNCED_ZH, next};
use crate::code::reasons;
use crate::{Calendar, Timestamp};

/// What a limit counts (期限单位).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitUnit {
    /// 工作日.
    WorkingDays,
    /// 自然日.
    Days,
    /// 月.
    Months,
    /// Hours of the clock, nights and holidays included (小时).
    Hours,
}

reasons! {
    /// Why a limit is refused (期限).
    pub enum BadLimit {
        /// Larger than any limit of law.
        TooLong {
            /// What was asked for.
            n: u32
        } => "BAS-LIM-001", ("期限不得超过 3660，现为 {n}"), ("A limit is at most 3660, this is {n}");
    }
}

/// A limit (期限): so many of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "LimitFields")]
pub struct Limit {
    /// How many.
    pub n: u32,
    /// Of what.
    pub unit: LimitUnit,
}

/// The fields of a limit as they arrive, before the bound is checked.
#[derive(Deserialize)]
struct LimitFields {
    n: u32,
    unit: LimitUnit,
}

impl TryFrom<LimitFields> for Limit {
    type Error = BadLimit;

    fn try_from(fields: LimitFields) -> Result<Limit, BadLimit> {
        Limit::new(fields.n, fields.unit)
    }
}

impl Limit {
    /// The longest limit, in any unit.
    pub const COUNT_MAX: u32 = 3_660;

    /// A limit, not longer than [`Limit::COUNT_MAX`].
    pub fn new(n: u32, unit: LimitUnit) -> Result<Limit, BadLimit> {
        if Limit::COUNT_MAX < n { Err(BadLimit::TooLong { n }) } else { Ok(Limit { n, unit }) }
    }

    /// So many working days (工作日).
    pub const fn working_days(n: u32) -> Limit {
        Limit { n, unit: LimitUnit::WorkingDays }
    }

    /// So many calendar days (自然日).
    pub const fn days(n: u32) -> Limit {
        Limit { n, unit: LimitUnit::Days }
    }

    /// So many months (月).
    pub const fn months(n: u32) -> Limit {
        Limit { n, unit: LimitUnit::Months }
    }

    /// So many hours (小时).
    pub const fn hours(n: u32) -> Limit {
        Limit { n, unit: LimitUnit::Hours }
    }

    /// `20 个工作日`.
    pub fn zh(&self) -> String {
        match self.unit {
            LimitUnit::WorkingDays => format!("{} 个工作日", self.n),
            LimitUnit::Days => format!("{} 日", self.n),
            LimitUnit::Months => format!("{} 个月", self.n),
            LimitUnit::Hours => format!("{} 小时", self.n),
        }
    }

    /// `20 working days`.
    pub fn en(&self) -> String {
        let (one, many) = match self.unit {
            LimitUnit::WorkingDays => ("working day", "working days"),
            LimitUnit::Days => ("day", "days"),
            LimitUnit::Months => ("month", "months"),
            LimitUnit::Hours => ("hour", "hours"),
        };
        format!("{} {}", self.n, if self.n == 1 { one } else { many })
    }
}

/// What a due date follows from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlineInput {
    /// The event that starts the limit, such as acceptance (受理).
    pub start: Timestamp,
    /// The limit.
    pub limit: Limit,
    /// Pauses (暂停计时), each with its end unless it still lasts; in any order, overlaps count once.
    pub pauses: Vec<(Timestamp, Option<Timestamp>)>,
    /// Extensions (延长), each counted once, after the limit.
    pub extensions: Vec<Limit>,
    /// Whether an end on a non-working day moves to the next working day (顺延); for days and months only.
    pub roll: bool,
}

impl DeadlineInput {
    /// A limit without pauses and extensions, which rolls.
    pub fn new(start: Timestamp, limit: Limit) -> DeadlineInput {
        DeadlineInput { start, limit, pauses: Vec::new(), extensions: Vec::new(), roll: true }
    }
}

/// One day of the explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayLine {
    /// The day.
    pub date: Date,
    /// Which day (or hour) of the limit it is; `None` when it does not count.
    pub counted: Option<u32>,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// Why, in English.
    pub reason_en: String,
}

/// When a limit ends, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// The last day.
    pub date: Date,
    /// The last moment: the end of that day, or the exact moment of a limit in hours.
    pub at: Timestamp,
    /// Whether a notice still to come may move the date (暂定).
    pub provisional: bool,
    /// Whether the clock stands still (计时暂停中): the date is then the earliest possible one.
    #[serde(default)]
    pub paused: bool,
    /// The version of the calendar that it was computed with.
    pub calendar: String,
    /// Every day from the start to the end.
    pub days: Vec<DayLine>,
}

impl Due {
    /// Whether the limit is over (逾期); never while the clock stands still.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        !self.paused && self.at < now
    }

    /// How much of the limit has passed by the end of `day`.
    pub fn counted_by(&self, day: Date) -> u32 {
        self.days
            .iter()
            .take_while(|line| line.date <= day)
            .filter_map(|line| line.counted)
            .max()
            .unwrap_or(0)
    }

    /// How much of the limit is left after `day`.
    pub fn left_after(&self, day: Date) -> u32 {
        self.counted_by(self.date).saturating_sub(self.counted_by(day))
    }
}

/// Computes due dates (期限计算).
#[derive(Clone, Copy, Debug)]
pub struct Deadline;

impl Deadline {
    /// The due date of a limit, with its explanation. Counts above [`Limit::COUNT_MAX`] are cut to it.
    pub fn compute(calendar: &Calendar, input: &DeadlineInput) -> Due {
        let stretches = stretches(input);
        let mut walk = Walk::new(calendar, input);
        walk.begin(stretches.first().map(|stretch| stretch.unit));
        for stretch in &stretches {
            walk.go(stretch);
        }
        let last = stretches.last().map_or(input.limit.unit, |stretch| stretch.unit);
        walk.finish(last, input.roll && last.rolls())
    }
}

impl LimitUnit {
    fn rolls(self) -> bool {
        match self {
            LimitUnit::Days | LimitUnit::Months => true,
            LimitUnit::WorkingDays | LimitUnit::Hours => false,
        }
    }
}

/// Part of the way: the limit and those extensions of the same unit that follow it.
struct Stretch {
    unit: LimitUnit,
    n: u32,
    /// From which number on it is extension.
    own: u32,
}

fn stretches(input: &DeadlineInput) -> Vec<Stretch> {
    let cut = |limit: &Limit| limit.n.min(Limit::COUNT_MAX);
    let first = cut(&input.limit);
    let mut all = vec![Stretch { unit: input.limit.unit, n: first, own: first }];
    for extension in &input.extensions {
        match all.last_mut() {
            Some(last) if last.unit == extension.unit => last.n = last.n.saturating_add(cut(extension)),
            _ => all.push(Stretch { unit: extension.unit, n: cut(extension), own: 0 }),
        }
    }
    all
}

/// No explanation is longer than 100 years; what would be is cut there and provisional.
const LINES_MAX: usize = 36_600;
const MICROS_PER_HOUR: i64 = 3_600 * 1_000_000;

/// The walk from day to day.
struct Walk<'a> {
    calendar: &'a Calendar,
    /// Ended pauses, sorted, without overlaps.
    pauses: Vec<(Timestamp, Timestamp)>,
    /// The beginning of the earliest pause that still lasts.
    open_pause: Option<Timestamp>,
    /// The moment reached: the start, then the end of each day walked.
    reached: Timestamp,
    day: Date,
    provisional: bool,
    lines: Vec<DayLine>,
}

impl<'a> Walk<'a> {
    fn new(calendar: &'a Calendar, input: &DeadlineInput) -> Walk<'a> {
        let ended = input.pauses.iter().filter_map(|(from, to)| to.map(|to| (*from, to)));
        let open_pause = input.pauses.iter().filter(|(_, to)| to.is_none()).map(|(from, _)| *from).min();
        Walk {
            calendar,
            pauses: union(ended.collect()),
            open_pause,
            reached: input.start,
            day: input.start.date(),
            provisional: false,
            lines: Vec::new(),
        }
    }

    /// The day of the event; for working days, up to the working day that it counts as.
    fn begin(&mut self, unit: Option<LimitUnit>) {
        if unit == Some(LimitUnit::Hours) {
            return;
        }
        let working = self.calendar.is_working(self.day);
        self.reached = end_of(self.day);
        if unit != Some(LimitUnit::WorkingDays) {
            self.line(None, "起算当日，不计入".into(), "day of the event, not counted".into());
            return;
        }
        self.provisional |= working.provisional;
        if working.yes {
            self.line(None, "起算当日，不计入".into(), "day of the event, not counted".into());
            return;
        }
        let (zh, en) = (working.zh(), working.en());
        self.line(
            None,
            format!("{zh}，视为下一工作日起算"),
            format!("{en}; the event counts as of the next working day"),
        );
        while self.step() {
            let working = self.calendar.is_working(self.day);
            self.provisional |= working.provisional;
            let (zh, en) = (working.zh(), working.en());
            if working.yes {
                self.line(
                    None,
                    format!("{zh}，视为起算当日，不计入"),
                    format!("{en}; counts as the day of the event"),
                );
                return;
            }
            self.skip(&zh, &en);
        }
    }

    fn go(&mut self, stretch: &Stretch) {
        match stretch.unit {
            LimitUnit::WorkingDays => self.go_working_days(stretch),
            LimitUnit::Days => self.go_days(stretch.n, |number| {
                let (zh, en) = extended(stretch.own < number);
                (format!("第 {number} 日{zh}"), format!("day {number}{en}"))
            }),
            LimitUnit::Months => self.go_months(stretch),
            LimitUnit::Hours => self.go_hours(stretch.n),
        }
    }

    fn go_working_days(&mut self, stretch: &Stretch) {
        let mut number = 0;
        while number < stretch.n && self.step() {
            let working = self.calendar.is_working(self.day);
            self.provisional |= working.provisional;
            if !working.yes {
                self.skip(&working.zh(), &working.en());
            } else if self.is_paused() {
                self.skip_pause();
            } else {
                number += 1;
                let (mut zh, mut en) = extended(stretch.own < number);
                if working.reason != DayReason::Weekday {
                    zh = format!("（{}）{zh}", working.zh());
                    en = format!(" ({}){en}", working.en());
                } else if working.provisional {
                    zh = format!("（{UNANNOUNCED_ZH}）{zh}");
                    en = format!(" ({UNANNOUNCED_EN}){en}");
                }
                self.line(
                    Some(number),
                    format!("第 {number} 个工作日{zh}"),
                    format!("working day {number}{en}"),
                );
            }
        }
    }

    fn go_days(&mut self, count: u32, words: impl Fn(u32) -> (String, String)) {
        let mut number = 0;
        while number < count && self.step() {
            if self.is_paused() {
                self.skip_pause();
                continue;
            }
            number += 1;
            let (zh, en) = words(number);
            self.line(Some(number), zh, en);
        }
    }

    /// A month is as many days as it has; paused days are added behind.
    fn go_months(&mut self, stretch: &Stretch) {
        let base = self.day;
        let ends: Vec<u32> =
            (1..=stretch.n).map(|month| days_between(base, add_months(base, month))).collect();
        let count = ends.last().copied().unwrap_or(0);
        self.go_days(count, |number| {
            let month = ends.partition_point(|end| *end < number) + 1;
            let is_end = ends.get(month - 1) == Some(&number);
            let (zh, en) = extended(stretch.own < u32::try_from(month).unwrap_or(u32::MAX));
            let (end_zh, end_en) = if is_end { ("期满", "ends") } else { ("", "") };
            let en_text = format!("day {number}, month {month} {end_en}");
            (format!("第 {number} 日，第 {month} 个月{end_zh}{zh}"), format!("{}{en}", en_text.trim_end()))
        });
    }

    /// Hours of the clock: the end moves by what the pauses take out.
    fn go_hours(&mut self, hours: u32) {
        let from = self.reached;
        let mut end = Timestamp(from.0.saturating_add(i64::from(hours).saturating_mul(MICROS_PER_HOUR)));
        for (pause, resume) in &self.pauses {
            // Nothing is left to pause where no hours are to run.
            if 0 < hours && *pause < end && from < *resume {
                end = Timestamp(end.0.saturating_add(resume.0.saturating_sub(pause.0.max(from.0))));
            }
        }
        // The day that the hours begin on may already have its line, from the days before.
        let mut is_first = self.lines.last().is_none_or(|line| line.date != self.day);
        while is_first || self.day < end.date() {
            if !is_first && !self.step() {
                break;
            }
            is_first = false;
            let until = end_of(self.day).min(end);
            let number =
                u32::try_from(self.running_micros(from, until) / MICROS_PER_HOUR).unwrap_or(u32::MAX);
            self.line(Some(number), format!("至此累计 {number} 小时"), format!("{number} hours so far"));
        }
        if self.day == end.date() {
            self.reached = end;
        }
    }

    /// The time between two moments that no pause takes out.
    fn running_micros(&self, from: Timestamp, until: Timestamp) -> i64 {
        let taken = self.pauses.iter().map(|(pause, resume)| {
            let (from, until) = (pause.0.max(from.0), resume.0.min(until.0));
            until.saturating_sub(from).max(0)
        });
        // The end of a day is its last microsecond, which belongs to the hour before midnight.
        let all = until.0.saturating_sub(from.0).saturating_add(1);
        taken.fold(all, i64::saturating_sub).max(0)
    }

    fn finish(mut self, unit: LimitUnit, rolls: bool) -> Due {
        let paused = self.open_pause.is_some_and(|from| match unit {
            LimitUnit::Hours => from < self.reached,
            LimitUnit::WorkingDays | LimitUnit::Days | LimitUnit::Months => from.date() < self.day,
        });
        if rolls {
            self.roll();
        }
        if let Some(last) = self.lines.last_mut() {
            last.reason_zh.push_str("，届满");
            last.reason_en.push_str("; the limit ends");
        }
        Due {
            date: self.day,
            at: self.reached,
            provisional: self.provisional,
            paused,
            calendar: self.calendar.version().to_owned(),
            days: self.lines,
        }
    }

    /// An end on a non-working day moves to the next working day.
    fn roll(&mut self) {
        let mut working = self.calendar.is_working(self.day);
        self.provisional |= working.provisional;
        if working.yes {
            return;
        }
        if let Some(last) = self.lines.last_mut() {
            last.reason_zh.push_str(&format!("，遇{}顺延", working.zh()));
            last.reason_en.push_str(&format!("; moved on because of {}", working.en()));
        }
        while !working.yes && self.step() {
            working = self.calendar.is_working(self.day);
            self.provisional |= working.provisional;
            let (zh, en) = (working.zh(), working.en());
            if working.yes {
                self.line(None, format!("{zh}，顺延至此"), format!("{en}; moved to this day"));
            } else {
                self.skip(&zh, &en);
            }
        }
    }

    /// Goes on by a day; false at the end of what can be explained.
    fn step(&mut self) -> bool {
        if LINES_MAX <= self.lines.len() || self.day == Date::MAX {
            self.provisional = true;
            return false;
        }
        self.day = next(self.day);
        self.reached = end_of(self.day);
        true
    }

    fn is_paused(&self) -> bool {
        self.pauses.iter().any(|(from, to)| from.date() < self.day && self.day <= to.date())
    }

    fn skip(&mut self, zh: &str, en: &str) {
        self.line(None, format!("{zh}，不计入"), format!("{en}, not counted"));
    }

    fn skip_pause(&mut self) {
        self.skip("计时暂停", "clock paused");
    }

    fn line(&mut self, counted: Option<u32>, mut reason_zh: String, mut reason_en: String) {
        if self.open_pause.is_some_and(|from| from.date() < self.day) {
            reason_zh.push_str("（计时暂停中，按即刻恢复推算）");
            reason_en.push_str(" (clock paused; reckoned as if it went on at once)");
        }
        self.lines.push(DayLine { date: self.day, counted, reason_zh, reason_en });
    }
}

fn extended(is_extension: bool) -> (String, String) {
    if is_extension {
        ("（延长期）".into(), " (extension)".into())
    } else {
        (String::new(), String::new())
    }
}

/// The last moment of a day in China.
fn end_of(day: Date) -> Timestamp {
    Timestamp(Timestamp::at(day, 24).0 - 1)
}

fn add_months(date: Date, months: u32) -> Date {
    date.saturating_add(i64::from(months).months())
}

fn days_between(from: Date, to: Date) -> u32 {
    from.until((jiff::Unit::Day, to)).ok().and_then(|span| u32::try_from(span.get_days()).ok()).unwrap_or(0)
}

/// Sorted and joined, so that no moment is taken out twice; a pause that ends before it begins is none.
fn union(mut pauses: Vec<(Timestamp, Timestamp)>) -> Vec<(Timestamp, Timestamp)> {
    pauses.retain(|(from, to)| from < to);
    pauses.sort_unstable();
    let mut joined: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, to) in pauses {
        match joined.last_mut() {
            Some((_, end)) if from <= *end => *end = (*end).max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

#[cfg(test)]
mod tests;
