//! A line of months (月份条): what counts, what is counted once, what is missing, and the same in words beneath.

use askama::Template;
use askama::filters::HtmlSafe;
use serde::{Serialize, Serializer};
use tb_base::Date;

use super::steps::CityMark;
use crate::html::Html;
use crate::lang::Lang;

/// Years that are drawn; of a longer line the last ones are, and the words beneath say all.
const YEARS_MAX: i16 = 12;

/// A month of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month that a day lies in.
    pub fn of(day: Date) -> Month {
        Month { year: day.year(), month: day.month() }
    }

    /// Months from the beginning of year 0, for counting.
    fn number(self) -> i32 {
        i32::from(self.year) * 12 + i32::from(self.month) - 1
    }
}

/// `2026-11`.
impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// What a month is to the sum; what stands later here is seen where two spans meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MonthKind {
    /// Nothing is known of it though something should be.
    Missing,
    /// It counts.
    Counts,
    /// It stands in two registers and is counted once.
    Once,
    /// Something falls due in it.
    Due,
}

impl MonthKind {
    fn class(self) -> &'static str {
        match self {
            MonthKind::Missing => "is-missing",
            MonthKind::Counts => "is-on",
            MonthKind::Once => "is-once",
            MonthKind::Due => "is-due",
        }
    }
}

/// Months in a row that are alike.
#[derive(Clone, Debug, Serialize)]
pub struct MonthSpan {
    /// The first.
    pub from: Month,
    /// The last.
    pub to: Month,
    /// What they are to the sum.
    pub kind: MonthKind,
    /// What they are in words, such as 株洲缴存.
    pub words: String,
    /// The city that knows of them.
    pub city: Option<CityMark>,
    /// Where more is said; empty for nowhere.
    pub href: String,
}

impl MonthSpan {
    /// The months from one day's to another's.
    pub fn of(from: Date, to: Date, kind: MonthKind, words: impl Into<String>) -> MonthSpan {
        let (from, to) = (Month::of(from), Month::of(to.max(from)));
        MonthSpan { from, to, kind, words: words.into(), city: None, href: String::new() }
    }

    /// Says which city knows of them.
    #[must_use]
    pub fn city(self, city: CityMark) -> MonthSpan {
        MonthSpan { city: Some(city), ..self }
    }

    /// Says where more is said.
    #[must_use]
    pub fn link(self, href: impl Into<String>) -> MonthSpan {
        MonthSpan { href: href.into(), ..self }
    }

    fn count(&self) -> i32 {
        self.to.number() - self.from.number() + 1
    }

    fn holds(&self, month: Month) -> bool {
        self.from <= month && month <= self.to
    }
}

/// The line of months.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/months.html")]
pub struct Months {
    /// The language of the page.
    #[serde(skip)]
    lang: Lang,
    /// What the months are of, such as 缴存月份.
    pub title: String,
    /// The spans in the order of their beginning.
    pub spans: Vec<MonthSpan>,
    /// Months that count, each once.
    pub counted: usize,
}

struct Cell {
    number: i8,
    class: &'static str,
    city: String,
}

impl Months {
    /// The line of these spans; months in two spans that count are counted once and shown so.
    pub fn of(lang: Lang, title: impl Into<String>, mut spans: Vec<MonthSpan>) -> Months {
        spans.sort_by_key(|span| (span.from, span.to));
        let mut counting: Vec<i32> = spans
            .iter()
            .filter(|span| span.kind != MonthKind::Missing)
            .flat_map(|span| span.from.number()..=span.to.number())
            .collect();
        counting.sort_unstable();
        counting.dedup();
        Months { lang, title: title.into(), counted: counting.len(), spans }
    }

    /// The years that are drawn, each with its twelve months.
    fn years(&self) -> Vec<(i16, Vec<Cell>)> {
        let first = self.spans.iter().map(|span| span.from.year).min();
        let last = self.spans.iter().map(|span| span.to.year).max();
        let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
        let first = first.max(last.saturating_sub(YEARS_MAX - 1));
        let year = |year: i16| (year, (1..=12).map(|month| self.cell(Month { year, month })).collect());
        (first..=last).map(year).collect()
    }

    fn cell(&self, month: Month) -> Cell {
        let here: Vec<&MonthSpan> = self.spans.iter().filter(|span| span.holds(month)).collect();
        let counting = here.iter().filter(|span| span.kind == MonthKind::Counts).count();
        let strongest = here.iter().map(|span| span.kind).max();
        let kind = if 1 < counting { strongest.max(Some(MonthKind::Once)) } else { strongest };
        let city =
            here.iter().find_map(|span| span.city.as_ref()).filter(|_| kind == Some(MonthKind::Counts));
        Cell {
            number: month.month,
            class: kind.map_or("", MonthKind::class),
            city: city.map(|city| city.node.clone()).unwrap_or_default(),
        }
    }

    /// The sum in one sentence, which is what a reader hears in place of the drawing.
    fn sum(&self) -> String {
        let months = self.lang.count(self.counted, "个月", "month", "months");
        match self.lang {
            Lang::Zh => format!("{}：共计 {months}，逐段写在下面。", self.title),
            Lang::En => format!("{}: {months} in all, written out below.", self.title),
        }
    }

    fn length(&self, span: &MonthSpan) -> String {
        self.lang.count(span.count(), "个月", "month", "months")
    }

    /// Whether the line is longer than what is drawn.
    fn is_cut(&self) -> bool {
        let first = self.spans.iter().map(|span| span.from.year).min();
        self.years().first().map(|(year, _)| *year) != first
    }

    /// The line as HTML.
    pub fn html(&self) -> Html {
        Html::of(self)
    }
}

impl HtmlSafe for Months {}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: &str, to: &str, kind: MonthKind) -> MonthSpan {
        let day = |text: &str| format!("{text}-01").parse().expect("a day");
        MonthSpan::of(day(from), day(to), kind, "缴存")
    }

    #[track_caller]
    fn check(spans: Vec<MonthSpan>, counted: usize, classes: &[(usize, &str)]) {
        let months = Months::of(Lang::Zh, "缴存月份", spans);
        assert_eq!(months.counted, counted);
        let cells: Vec<_> = months.years().into_iter().flat_map(|(_, cells)| cells).collect();
        for (at, class) in classes {
            assert_eq!(cells[*at].class, *class, "month {at}");
        }
        assert!(months.html().to_string().contains("role=\"img\""));
    }

    #[test]
    fn a_month_in_two_registers_counts_once() {
        let two = vec![
            span("2025-01", "2025-06", MonthKind::Counts),
            span("2025-05", "2025-09", MonthKind::Counts),
        ];
        check(two, 9, &[(0, "is-on"), (4, "is-once"), (5, "is-once"), (6, "is-on"), (9, "")]);
        let missing =
            vec![span("2025-12", "2026-01", MonthKind::Missing), span("2026-02", "2026-02", MonthKind::Due)];
        check(missing, 1, &[(10, ""), (11, "is-missing"), (12, "is-missing"), (13, "is-due")]);
    }

    #[test]
    fn a_long_line_shows_its_last_years() {
        let long = Months::of(Lang::En, "Months", vec![span("2000-01", "2026-11", MonthKind::Counts)]);
        assert_eq!((long.years().len(), long.years()[0].0, long.is_cut()), (12, 2015, true));
        assert_eq!(long.counted, 323);
    }
}
