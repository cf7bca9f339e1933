//! The calendar against the notices of 2021 to 2026, typed from the notices and not from the data file.

use proptest::prelude::*;

use super::*;

/// Year, holidays and adjusted working days of the State Council's notices, as `month day` and `month day..month day`.
const NOTICES: [(i16, &str, &str); 6] = [
    (
        2021,
        "1.1-1.3 2.11-2.17 4.3-4.5 5.1-5.5 6.12-6.14 9.19-9.21 10.1-10.7",
        "2.7 2.20 4.25 5.8 9.18 9.26 10.9",
    ),
    (
        2022,
        "1.1-1.3 1.31-2.6 4.3-4.5 4.30-5.4 6.3-6.5 9.10-9.12 10.1-10.7 12.31",
        "1.29 1.30 4.2 4.24 5.7 10.8 10.9",
    ),
    (2023, "1.1-1.2 1.21-1.27 4.5 4.29-5.3 6.22-6.24 9.29-10.6", "1.28 1.29 4.23 5.6 6.25 10.7 10.8"),
    (
        2024,
        "1.1 2.10-2.17 4.4-4.6 5.1-5.5 6.10 9.15-9.17 10.1-10.7",
        "2.4 2.18 4.7 4.28 5.11 9.14 9.29 10.12",
    ),
    (2025, "1.1 1.28-2.4 4.4-4.6 5.1-5.5 5.31-6.2 10.1-10.8", "1.26 2.8 4.27 9.28 10.11"),
    (2026, "1.1-1.3 2.15-2.23 4.4-4.6 5.1-5.5 6.19-6.21 9.25-9.27 10.1-10.7", "1.4 2.14 2.28 5.9 9.20 10.10"),
];

fn day(year: i16, text: &str) -> Date {
    let (month, day) = text.split_once('.').expect("month and day");
    Date::new(year, month.parse().expect("month"), day.parse().expect("day")).expect("date")
}

fn days(year: i16, list: &str) -> BTreeSet<Date> {
    let mut days = BTreeSet::new();
    for span in list.split(' ') {
        let (first, last) = span.split_once('-').unwrap_or((span, span));
        let last = day(year, last);
        days.extend(day(year, first).series(1.day()).take_while(|day| *day <= last));
    }
    days
}

fn date(text: &str) -> Date {
    text.parse().expect("date")
}

#[test]
fn every_day_of_2021_to_2026() {
    let calendar = Calendar::national();
    for (year, holidays, adjusted) in NOTICES {
        let (holidays, adjusted) = (days(year, holidays), days(year, adjusted));
        let first = Date::new(year, 1, 1).expect("date");
        for day in first.series(1.day()).take_while(|day| day.year() == year) {
            let working = calendar.is_working(day);
            let expected = adjusted.contains(&day) || !is_weekend(day) && !holidays.contains(&day);
            assert_eq!(working.yes, expected, "{day}");
            let named = matches!(working.reason, DayReason::Holiday(_) | DayReason::Adjusted(_));
            assert_eq!(named, holidays.contains(&day) || adjusted.contains(&day), "{day}");
        }
    }
}

#[test]
fn shipped_data_is_whole() {
    let calendar = Calendar::national();
    assert_eq!(calendar.years().collect::<Vec<_>>(), (2004..=2026).collect::<Vec<_>>());
    assert_eq!(calendar.version(), "CN-2004-2026-1");
    assert_eq!(calendar.sums.len(), 8_401);
    // An adjusted working day on a weekday, or one year missing, would be a slip of the data.
    assert!(calendar.days.values().all(|day| !day.works || is_weekend(day.date)));
    assert!(calendar.days.values().all(|day| day.en != "statutory holiday"));
}

#[test]
fn unannounced_days_are_provisional() {
    let calendar = Calendar::national();
    let check = |text: &str, yes: bool, provisional: bool| {
        let working = calendar.is_working(date(text));
        assert_eq!((working.yes, working.provisional), (yes, provisional), "{text}");
    };
    check("2026-12-28", true, false);
    // The notice of the year after has moved these days before.
    check("2026-12-31", true, true);
    check("2025-12-31", true, false);
    check("2027-10-01", true, true);
    check("2027-10-02", false, true);
    check("2003-12-31", true, true);
}

#[test]
fn reasons_are_said_in_both_languages() {
    let calendar = Calendar::national();
    let check = |text: &str, zh: &str, en: &str| {
        let working = calendar.is_working(date(text));
        assert_eq!((working.zh().as_str(), working.en().as_str()), (zh, en));
    };
    check("2021-05-08", "劳动节调休上班", "working day in exchange for Labour Day");
    check("2021-10-01", "国庆节放假", "holiday: National Day");
    check("2021-10-16", "周末", "weekend");
    check("2021-10-18", "工作日", "working day");
    check("2027-01-04", "工作日（节假日安排待公布）", "working day (holidays not yet announced)");
}

#[test]
fn a_city_may_differ_on_a_day() {
    let closed = Exception {
        date: date("2026-03-03"),
        works: false,
        zh: "本市停电停办".into(),
        en: "power cut in this city".into(),
    };
    let calendar = Calendar::national().with_city_days("430100-2026-1", [closed]);
    assert_eq!(calendar.version(), "CN-2004-2026-1+430100-2026-1");
    assert!(!calendar.is_working(date("2026-03-03")).yes);
    assert_eq!(calendar.is_working(date("2026-03-03")).zh(), "本市停电停办");
    assert_eq!(calendar.plus_working_days(date("2026-03-02"), 1), date("2026-03-04"));
    assert_eq!(Calendar::national().plus_working_days(date("2026-03-02"), 1), date("2026-03-03"));
}

#[test]
fn unreadable_data_says_where() {
    let check = |text: &str, expected: BadCalendar| {
        assert_eq!(Calendar::parse(text).map(|it| it.version().to_owned()), Err(expected));
    };
    check("", BadCalendar::Version);
    check("date,kind,name\n", BadCalendar::Version);
    check("# version: a\ndate,kind,name\n2026-01-01,holiday", BadCalendar::Line { line: 3 });
    check("# version: a\ndate,kind,name\n2026-02-30,holiday,x", BadCalendar::Line { line: 3 });
    check("# version: a\ndate,kind,name\n2026-01-01,feast,x", BadCalendar::Line { line: 3 });
    let twice = "# version: a\ndate,kind,name\n2026-01-01,holiday,x\n2026-01-01,holiday,x";
    check(twice, BadCalendar::Twice { date: date("2026-01-01") });
}

#[test]
fn the_edge_of_time_does_not_panic() {
    let calendar = Calendar::national();
    assert_eq!(calendar.plus_working_days(Date::MAX, 5), Date::MAX);
    assert!(calendar.is_working(Date::MAX).provisional);
    assert!(calendar.is_working(Date::MIN).provisional);
    assert_eq!(calendar.working_days(Date::MAX, Date::MIN), 0);
}

proptest! {
    /// The sums and the plain walk say the same, inside and across the announced years.
    #[test]
    fn sums_agree_with_walking(offset in -400_i64..9_000, count in 0_u32..300) {
        let calendar = Calendar::national();
        let from = date("2004-01-01").saturating_add(offset.days());
        let due = calendar.plus_working_days(from, count);
        prop_assert_eq!(due, calendar.walk_on(from, count));
        prop_assert_eq!(calendar.working_days(from, due), calendar.walk(from, due));
        prop_assert_eq!(calendar.working_days(from, due), count);
    }
}
