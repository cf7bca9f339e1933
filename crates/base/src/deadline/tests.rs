//! Limits against the published vectors and against a naive model that knows only days.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn date(text: &str) -> Date {
    text.parse().expect("date")
}

/// Ten in the morning of a day.
fn morning(text: &str) -> Timestamp {
    Timestamp::at(date(text), 10)
}

fn due(start: &str, limit: Limit) -> Due {
    Deadline::compute(Calendar::national(), &DeadlineInput::new(morning(start), limit))
}

#[track_caller]
fn check(start: &str, limit: Limit, expected: &str) {
    let due = due(start, limit);
    assert_eq!(due.date, date(expected));
    assert_eq!(due.at, Timestamp(Timestamp::at(date(expected), 24).0 - 1));
    assert!(!due.provisional);
    assert_eq!(due.days.last().map(|line| line.date), Some(due.date));
}

#[test]
fn published_vectors_of_working_days() {
    check("2021-04-28", Limit::working_days(5), "2021-05-08");
    check("2021-04-28", Limit::working_days(20), "2021-05-28");
    check("2021-09-16", Limit::working_days(5), "2021-09-24");
    check("2021-09-27", Limit::working_days(10), "2021-10-15");
    check("2021-02-05", Limit::working_days(5), "2021-02-18");
    check("2024-02-07", Limit::working_days(45), "2024-04-17");
    check("2025-09-25", Limit::working_days(5), "2025-10-09");
    check("2026-01-30", Limit::working_days(20), "2026-03-05");
    check("2026-09-14", Limit::working_days(20), "2026-10-16");
}

#[test]
fn an_event_on_a_day_off_counts_as_of_the_next_working_day() {
    // Saturday 2026-03-07: counts as of Monday the 9th, so one working day ends on the 10th.
    check("2026-03-07", Limit::working_days(1), "2026-03-10");
    let due = due("2026-03-07", Limit::working_days(1));
    let reasons: Vec<&str> = due.days.iter().map(|line| line.reason_zh.as_str()).collect();
    let expected =
        ["周末，视为下一工作日起算", "周末，不计入", "工作日，视为起算当日，不计入", "第 1 个工作日，届满"];
    assert_eq!(reasons, expected);
    // A Saturday that works is an ordinary day of receipt.
    check("2021-05-08", Limit::working_days(1), "2021-05-10");
}

#[test]
fn calendar_days_and_months_roll_only_when_asked() {
    // 2026-02-10 + 7 days = 2026-02-17, Spring Festival until the 23rd.
    check("2026-02-10", Limit::days(7), "2026-02-24");
    let mut input = DeadlineInput::new(morning("2026-02-10"), Limit::days(7));
    input.roll = false;
    assert_eq!(Deadline::compute(Calendar::national(), &input).date, date("2026-02-17"));
    // 离婚冷静期: 30 days.
    check("2026-03-02", Limit::days(30), "2026-04-01");
    check("2026-03-02", Limit::months(1), "2026-04-02");
    // There is no 31 June: the last day of the month, a Tuesday.
    check("2026-03-31", Limit::months(3), "2026-06-30");
    // 2024-01-31 + 1 month = 29 February of a leap year.
    check("2024-01-31", Limit::months(1), "2024-02-29");
    check("2023-01-31", Limit::months(1), "2023-02-28");
    check("2025-12-01", Limit::months(6), "2026-06-01");
}

#[test]
fn hours_run_through_nights_and_days_off() {
    let result = due("2026-03-06", Limit::hours(72));
    assert_eq!(result.at, morning("2026-03-09"));
    assert_eq!(result.date, date("2026-03-09"));
    let counted: Vec<Option<u32>> = result.days.iter().map(|line| line.counted).collect();
    assert_eq!(counted, [Some(14), Some(38), Some(62), Some(72)]);
    let mut input = DeadlineInput::new(morning("2026-03-06"), Limit::hours(24));
    let (noon, evening) = (Timestamp::at(date("2026-03-06"), 12), Timestamp::at(date("2026-03-06"), 18));
    input.pauses = vec![(noon, Some(evening)), (noon.plus_seconds(60), Some(evening.plus_seconds(-60)))];
    let paused = Deadline::compute(Calendar::national(), &input);
    assert_eq!(paused.at, Timestamp::at(date("2026-03-07"), 16));
    assert_eq!(paused.days.last().and_then(|line| line.counted), Some(24));
}

#[test]
fn pauses_count_once_and_extensions_are_added() {
    let calendar = Calendar::national();
    let mut input = DeadlineInput::new(morning("2026-03-02"), Limit::working_days(20));
    assert_eq!(Deadline::compute(calendar, &input).date, date("2026-03-30"));
    // From Thursday the 5th to Tuesday the 10th: Friday, Monday and Tuesday are taken out, once.
    input.pauses = vec![
        (morning("2026-03-05"), Some(morning("2026-03-10"))),
        (morning("2026-03-06"), Some(morning("2026-03-09"))),
        (morning("2026-03-12"), Some(morning("2026-03-12"))),
    ];
    let paused = Deadline::compute(calendar, &input);
    assert_eq!(paused.date, date("2026-04-02"));
    assert!(!paused.paused);
    input.extensions = vec![Limit::working_days(10)];
    let extended = Deadline::compute(calendar, &input);
    // Tomb-sweeping Day, 4 to 6 April 2026, is not counted.
    assert_eq!(extended.date, date("2026-04-17"));
    let last = extended.days.last().expect("a line");
    assert_eq!(last.reason_zh, "第 30 个工作日（延长期），届满");
    assert_eq!(last.reason_en, "working day 30 (extension); the limit ends");
    let friday = extended.days.iter().find(|line| line.date == date("2026-03-06"));
    assert_eq!(friday.map(|line| line.reason_zh.as_str()), Some("计时暂停，不计入"));
}

#[test]
fn a_limit_with_an_extension_in_another_unit_goes_on_from_its_end() {
    let mut input = DeadlineInput::new(morning("2026-03-02"), Limit::days(10));
    input.extensions = vec![Limit::working_days(2), Limit::months(1), Limit::hours(1)];
    let due = Deadline::compute(Calendar::national(), &input);
    // The 12th, then 13 and 16 March, then 16 April, then the first hour of the 17th.
    assert_eq!(due.date, date("2026-04-17"));
}

#[test]
fn a_pause_that_lasts_stops_the_clock() {
    let mut input = DeadlineInput::new(morning("2026-03-02"), Limit::working_days(5));
    input.pauses = vec![(morning("2026-03-04"), None)];
    let due = Deadline::compute(Calendar::national(), &input);
    assert!(due.paused);
    assert_eq!(due.date, date("2026-03-09"));
    assert!(!due.is_overdue(morning("2030-01-01")));
    assert!(due.days.last().is_some_and(|line| line.reason_zh.contains("按即刻恢复推算")));
    assert_eq!((due.counted_by(date("2026-03-04")), due.left_after(date("2026-03-04"))), (2, 3));
    // A pause that begins after the end changes nothing.
    input.pauses = vec![(morning("2026-03-20"), None)];
    let due = Deadline::compute(Calendar::national(), &input);
    assert!(!due.paused && due.is_overdue(morning("2026-03-10")) && !due.is_overdue(due.at));
}

#[test]
fn past_the_announced_year_a_date_is_provisional() {
    assert!(!due("2026-12-01", Limit::working_days(10)).provisional);
    assert!(due("2026-12-25", Limit::working_days(10)).provisional);
    // Calendar days need no notice; only where they end may move.
    assert!(!due("2026-12-01", Limit::days(7)).provisional);
    assert!(due("2026-12-01", Limit::days(60)).provisional);
    let mut input = DeadlineInput::new(morning("2026-12-01"), Limit::days(60));
    input.roll = false;
    assert!(!Deadline::compute(Calendar::national(), &input).provisional);
    let line = due("2027-03-01", Limit::working_days(1)).days.pop().expect("a line");
    assert_eq!(line.reason_zh, "第 1 个工作日（节假日安排待公布），届满");
}

#[test]
fn explanation_names_the_holiday() {
    let lines = due("2021-04-28", Limit::working_days(5)).days;
    let text: Vec<String> =
        lines.iter().map(|line| format!("{} {:?} {}", line.date, line.counted, line.reason_zh)).collect();
    let expected = [
        "2021-04-28 None 起算当日，不计入",
        "2021-04-29 Some(1) 第 1 个工作日",
        "2021-04-30 Some(2) 第 2 个工作日",
        "2021-05-01 None 劳动节放假，不计入",
        "2021-05-02 None 劳动节放假，不计入",
        "2021-05-03 None 劳动节放假，不计入",
        "2021-05-04 None 劳动节放假，不计入",
        "2021-05-05 None 劳动节放假，不计入",
        "2021-05-06 Some(3) 第 3 个工作日",
        "2021-05-07 Some(4) 第 4 个工作日",
        "2021-05-08 Some(5) 第 5 个工作日（劳动节调休上班），届满",
    ];
    assert_eq!(text, expected);
}

#[test]
fn limits_are_bounded() {
    assert_eq!(Limit::new(3_661, LimitUnit::Days), Err(BadLimit::TooLong { n: 3_661 }));
    assert!(serde_json::from_str::<Limit>(r#"{"n":99999,"unit":"hours"}"#).is_err());
    let limit: Limit = serde_json::from_str(r#"{"n":20,"unit":"working_days"}"#).expect("a limit");
    assert_eq!(limit, Limit::working_days(20));
    let mut input = DeadlineInput::new(morning("2026-03-02"), Limit { n: u32::MAX, unit: LimitUnit::Months });
    input.pauses =
        vec![(morning("2026-03-03"), Some(Timestamp(i64::MAX - 1))), (Timestamp(i64::MIN + 1), None)];
    let due = Deadline::compute(Calendar::national(), &input);
    assert!(due.provisional && due.days.len() <= LINES_MAX);
    input.limit = Limit::hours(u32::MAX);
    input.start = Timestamp(i64::MAX);
    assert!(Deadline::compute(Calendar::national(), &input).days.len() <= LINES_MAX);
}

#[test]
fn zero_ends_on_the_day_itself() {
    check("2026-03-02", Limit::working_days(0), "2026-03-02");
    check("2026-03-02", Limit::days(0), "2026-03-02");
    check("2026-03-02", Limit::months(0), "2026-03-02");
}

#[test]
fn due_round_trips_as_json() {
    let due = due("2026-03-02", Limit::days(3));
    let text = serde_json::to_string(&due).expect("json");
    assert_eq!(serde_json::from_str::<Due>(&text).expect("due"), due);
}

/// Knows days as numbers and the data file as lines; shares no code with what it judges.
struct Naive {
    exceptions: HashMap<String, bool>,
}

impl Naive {
    fn new() -> Naive {
        let text = include_str!("../../../../region/holidays.csv");
        let exceptions =
            text.lines().skip(2).map(|line| (line[..10].to_owned(), line.contains("adjusted"))).collect();
        Naive { exceptions }
    }

    fn works(&self, day: Date) -> bool {
        let weekday = day.weekday().to_monday_one_offset();
        self.exceptions.get(&day.to_string()).copied().unwrap_or(weekday <= 5)
    }

    fn working_days(&self, start: Date, count: u32, pauses: &[(Date, Date)]) -> Date {
        let mut day = start;
        while !self.works(day) {
            day = day.tomorrow().expect("a day");
        }
        let mut left = count;
        while left > 0 {
            day = day.tomorrow().expect("a day");
            if self.works(day) && !is_paused(day, pauses) {
                left -= 1;
            }
        }
        day
    }

    fn days(&self, start: Date, count: u32, pauses: &[(Date, Date)], roll: bool) -> Date {
        let mut day = start;
        let mut left = count;
        while left > 0 {
            day = day.tomorrow().expect("a day");
            if !is_paused(day, pauses) {
                left -= 1;
            }
        }
        while roll && !self.works(day) {
            day = day.tomorrow().expect("a day");
        }
        day
    }
}

fn is_paused(day: Date, pauses: &[(Date, Date)]) -> bool {
    pauses.iter().any(|(from, to)| *from < day && day <= *to)
}

fn day_number(offset: i64) -> Date {
    date("2003-12-01").saturating_add(offset.days())
}

/// A start, a count, pauses as offsets from the start with a length, and hours of the day.
fn inputs() -> impl Strategy<Value = (i64, u32, Vec<(i64, i64)>, i64)> {
    (0_i64..8_600, 0_u32..90, prop::collection::vec((-5_i64..60, 0_i64..20), 0..5), 0_i64..24)
}

fn input(start: i64, limit: Limit, pauses: &[(i64, i64)], hour: i64) -> (DeadlineInput, Vec<(Date, Date)>) {
    let days: Vec<(Date, Date)> = pauses
        .iter()
        .map(|(from, length)| (day_number(start + from), day_number(start + from + length)))
        .collect();
    let mut input = DeadlineInput::new(Timestamp::at(day_number(start), hour), limit);
    input.pauses =
        days.iter().map(|(from, to)| (Timestamp::at(*from, hour), Some(Timestamp::at(*to, hour)))).collect();
    (input, days)
}

proptest! {
    #[test]
    fn working_days_agree_with_the_naive_model((start, n, pauses, hour) in inputs(), more in 0_u32..20) {
        let (mut input, days) = input(start, Limit::working_days(n), &pauses, hour);
        input.extensions = vec![Limit::working_days(more)];
        let due = Deadline::compute(Calendar::national(), &input);
        prop_assert_eq!(due.date, Naive::new().working_days(day_number(start), n + more, &days));
        explains_itself(&due, day_number(start), n + more);
    }

    #[test]
    fn days_agree_with_the_naive_model((start, n, pauses, hour) in inputs(), roll: bool) {
        let (mut input, days) = input(start, Limit::days(n), &pauses, hour);
        input.roll = roll;
        let due = Deadline::compute(Calendar::national(), &input);
        prop_assert_eq!(due.date, Naive::new().days(day_number(start), n, &days, roll));
        explains_itself(&due, day_number(start), n);
    }

    #[test]
    fn months_agree_with_the_naive_model((start, n, pauses, hour) in inputs(), roll: bool) {
        let n = n % 30;
        let (mut input, days) = input(start, Limit::months(n), &pauses, hour);
        input.roll = roll;
        let from = day_number(start);
        let months = i32::from(from.year()) * 12 + i32::from(from.month()) - 1 + i32::try_from(n).expect("few");
        let (year, month) = (i16::try_from(months / 12).expect("year"), i8::try_from(months % 12 + 1).expect("month"));
        let end = (1..=from.day()).rev().find_map(|day| Date::new(year, month, day).ok()).expect("a day");
        let mut count = 0;
        let mut day = from;
        while day < end {
            day = day.tomorrow().expect("a day");
            count += 1;
        }
        let due = Deadline::compute(Calendar::national(), &input);
        prop_assert_eq!(due.date, Naive::new().days(from, count, &days, roll));
        explains_itself(&due, from, count);
    }

    #[test]
    fn hours_agree_with_the_naive_model((start, n, pauses, hour) in inputs()) {
        let (mut input, _) = input(start, Limit::hours(n), &[], hour);
        let at = |from: i64| input.start.plus_seconds(from * 3_600);
        input.pauses = pauses.iter().map(|(from, length)| (at(*from), Some(at(from + length)))).collect();
        let due = Deadline::compute(Calendar::national(), &input);
        // Hour by hour: hour `h` is taken out when a pause covers it.
        let (mut passed, mut left) = (0_i64, n);
        while left > 0 {
            let is_taken = pauses.iter().any(|(from, length)| *from <= passed && passed < from + length);
            left -= u32::from(!is_taken);
            passed += 1;
        }
        prop_assert_eq!(due.at, input.start.plus_seconds(passed * 3_600));
        prop_assert_eq!(due.date, due.at.date());
    }
}

/// Every day once and in order, numbers without a gap, the due date last, a reason in both languages.
#[track_caller]
fn explains_itself(due: &Due, start: Date, count: u32) {
    let mut day = start;
    let mut number = 0;
    for line in &due.days {
        assert_eq!(line.date, day);
        assert!(!line.reason_zh.is_empty() && !line.reason_en.is_empty());
        if let Some(counted) = line.counted {
            number += 1;
            assert_eq!(counted, number);
        }
        day = next(day);
    }
    assert_eq!(number, count);
    assert_eq!(due.days.last().map(|line| line.date), Some(due.date));
}
