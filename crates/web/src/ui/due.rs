//! The due date (期限), said three ways, and counted day by day.

use askama::Template;
use serde::Serialize;
use tb_base::{Date, Due, Limit, LimitUnit};

use super::steps::CityMark;
use crate::html::Html;
use crate::lang::Lang;

/// Weeks that a calendar shows before it says that there are more.
const WEEKS_MAX: usize = 30;

/// The day, what is left, and who holds it.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/due.html")]
pub struct DueBox {
    /// The language of the page.
    #[serde(skip)]
    pub lang: Lang,
    /// The last day; none while no clock runs.
    pub due: Option<Date>,
    /// What stands above the day, such as 最晚办完.
    pub label: String,
    /// Whether the calendar of that year is not announced yet.
    pub provisional: bool,
    /// Whether the clock stands still, so that the day is the earliest possible one.
    pub paused: bool,
    /// The limit in words, such as 承诺 5 个工作日，已用 4 个.
    pub limit: String,
    /// Days that are left; negative when late.
    pub left: Option<i64>,
    /// What is counted, such as 个工作日.
    pub unit: String,
    /// Days used and days in all, for the bar; at most 30 are drawn.
    pub used: u32,
    /// See `used`.
    pub total: u32,
    /// The city that holds the case.
    pub city: Option<CityMark>,
    /// The office that holds it.
    pub holder: String,
    /// Since when, and anything else about the holder.
    pub since: String,
    /// Where the day is explained; empty for nowhere.
    pub why: String,
}

impl DueBox {
    /// The box of a running limit, as it stands on `today`; holder and link are to be filled in.
    pub fn of(lang: Lang, label: &str, limit: &Limit, due: &Due, today: Date) -> DueBox {
        let (used, total) = (due.counted_by(today), due.counted_by(due.date));
        let words = match lang {
            Lang::Zh => format!("期限 {}，已用 {used}", limit.zh()),
            Lang::En => format!("{} in all, {used} used", limit.en()),
        };
        let late = today.since(due.date).map_or(0, |span| i64::from(span.get_days()));
        let left = if 0 < late { -late } else { i64::from(total.saturating_sub(used)) };
        let unit = match (limit.unit, late, left) {
            (LimitUnit::WorkingDays, ..=0, 1) => lang.t("个工作日", "working day"),
            (LimitUnit::WorkingDays, ..=0, _) => lang.t("个工作日", "working days"),
            (LimitUnit::Hours, ..=0, 1) => lang.t("小时", "hour"),
            (LimitUnit::Hours, ..=0, _) => lang.t("小时", "hours"),
            (_, _, 1 | -1) => lang.t("天", "day"),
            (_, _, _) => lang.t("天", "days"),
        };
        DueBox {
            lang,
            due: Some(due.date),
            label: label.to_owned(),
            provisional: due.provisional,
            paused: due.paused,
            limit: words,
            left: Some(left),
            unit: unit.to_owned(),
            used,
            total,
            city: None,
            holder: String::new(),
            since: String::new(),
            why: String::new(),
        }
    }

    /// Says who holds the case, and since when.
    #[must_use]
    pub fn held(self, city: CityMark, holder: impl Into<String>, since: impl Into<String>) -> DueBox {
        DueBox { city: Some(city), holder: holder.into(), since: since.into(), ..self }
    }

    /// Says where the day is explained.
    #[must_use]
    pub fn explained(self, href: impl Into<String>) -> DueBox {
        DueBox { why: href.into(), ..self }
    }

    fn bars(&self) -> Vec<bool> {
        (0..self.total.min(30)).map(|at| at < self.used).collect()
    }

    fn is_late(&self) -> bool {
        self.left.is_some_and(|left| left < 0)
    }

    fn left_before(&self) -> &'static str {
        match (self.lang, self.is_late()) {
            (Lang::Zh, true) => "晚了 ",
            (Lang::Zh, false) => "剩 ",
            (Lang::En, _) => "",
        }
    }

    fn left_after(&self) -> String {
        match (self.lang, self.is_late()) {
            (Lang::Zh, _) => self.unit.clone(),
            (Lang::En, true) => format!("{} late", self.unit),
            (Lang::En, false) => format!("{} left", self.unit),
        }
    }

    fn left_number(&self) -> String {
        self.lang.number(self.left.unwrap_or(0).abs())
    }

    /// The box as HTML.
    pub fn html(&self) -> Html {
        Html::of(self)
    }
}

impl askama::filters::HtmlSafe for DueBox {}

/// One day as the clock counts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DayCell {
    /// The day.
    pub date: Date,
    /// Its number, where it counts.
    pub counted: Option<u32>,
    /// Why it counts or does not, in the language of the page.
    pub reason: String,
}

/// Every day from the start to the due date, as a calendar and as a list.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/days.html")]
pub struct Days {
    /// The language of the page.
    #[serde(skip)]
    pub lang: Lang,
    /// What is counted, such as 承诺期限，5 个工作日.
    pub caption: String,
    /// The days in order, without gaps.
    pub days: Vec<DayCell>,
    /// Today.
    pub today: Date,
    /// The last day.
    pub due: Date,
}

impl Days {
    /// The days of a limit as it stands on `today`.
    pub fn of(lang: Lang, caption: impl Into<String>, due: &Due, today: Date) -> Days {
        let cell = |line: &tb_base::DayLine| DayCell {
            date: line.date,
            counted: line.counted,
            reason: lang.t(&line.reason_zh, &line.reason_en).to_owned(),
        };
        Days {
            lang,
            caption: caption.into(),
            days: due.days.iter().map(cell).collect(),
            today,
            due: due.date,
        }
    }
}

struct Slot<'a> {
    date: Date,
    cell: Option<&'a DayCell>,
}

impl Days {
    /// Weeks from Monday, filled up before the first day and after the last.
    fn weeks(&self) -> Vec<Vec<Slot<'_>>> {
        let Some(first) = self.days.first() else { return Vec::new() };
        let back = first.date.weekday().to_monday_zero_offset();
        let mut date = back_by(first.date, back);
        let last = self.days.last().map_or(first.date, |cell| cell.date);
        let mut weeks = Vec::new();
        while date <= last && weeks.len() < WEEKS_MAX {
            let mut week = Vec::with_capacity(7);
            for _ in 0..7 {
                week.push(Slot { date, cell: self.cell(date) });
                date = date.tomorrow().unwrap_or(date);
            }
            weeks.push(week);
        }
        weeks
    }

    fn cell(&self, date: Date) -> Option<&DayCell> {
        self.days.iter().find(|cell| cell.date == date)
    }

    fn class(&self, slot: &Slot<'_>) -> String {
        let mut classes = Vec::new();
        match slot.cell {
            Some(cell) if cell.counted.is_some() => classes.push("counts"),
            Some(_) => classes.push("skip-day"),
            None => classes.push("out-day"),
        }
        if slot.date == self.due {
            classes.push("is-due");
        }
        if slot.date == self.today {
            classes.push("is-today");
        }
        classes.join(" ")
    }

    /// The day of the month, with the month where it begins or the calendar does.
    fn number(&self, slot: &Slot<'_>) -> String {
        let begins = self.days.first().is_some_and(|first| first.date == slot.date);
        if begins || slot.date.day() == 1 {
            return match self.lang {
                Lang::Zh => format!("{}/{}", slot.date.month(), slot.date.day()),
                Lang::En => self.lang.day(slot.date),
            };
        }
        slot.date.day().to_string()
    }

    fn word(&self, slot: &Slot<'_>) -> String {
        let Some(cell) = slot.cell else { return String::new() };
        let mut words = Vec::new();
        if slot.date == self.today {
            words.push(self.lang.t("今天", "today").to_owned());
        }
        if slot.date == self.due {
            words.push(self.lang.t("到期", "due").to_owned());
        }
        match cell.counted {
            Some(number) if words.is_empty() => words.push(match self.lang {
                Lang::Zh => format!("第 {number}"),
                Lang::En => format!("no. {number}"),
            }),
            Some(number) => words.push(number.to_string()),
            None => words.push(self.lang.t("不算", "no").to_owned()),
        }
        words.join(" ")
    }

    fn heads(&self) -> [&'static str; 7] {
        match self.lang {
            Lang::Zh => ["一", "二", "三", "四", "五", "六", "日"],
            Lang::En => ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"],
        }
    }

    /// Calendar and list as HTML.
    pub fn html(&self) -> Html {
        Html::of(self)
    }
}

fn back_by(date: Date, days: i8) -> Date {
    (0..days).fold(date, |date, _| date.yesterday().unwrap_or(date))
}

impl askama::filters::HtmlSafe for Days {}

#[cfg(test)]
mod tests {
    use super::*;
    use tb_base::{Calendar, Deadline, DeadlineInput, Timestamp};

    /// Five working days from Monday 2026-09-28; the first week of October is a holiday.
    fn over_a_holiday() -> Due {
        let start = Timestamp::at("2026-09-28".parse().expect("a date"), 10);
        Deadline::compute(Calendar::national(), &DeadlineInput::new(start, Limit::working_days(5)))
    }

    #[track_caller]
    fn check(lang: Lang, today: &str, words: &[&str]) {
        let due = over_a_holiday();
        let today = today.parse().expect("a date");
        let html = DueBox::of(lang, "最晚办完", &Limit::working_days(5), &due, today).html().to_string();
        for word in words {
            assert!(html.contains(word), "{word} is not in {html}");
        }
    }

    #[test]
    fn box_says_day_and_rest() {
        check(Lang::Zh, "2026-09-29", &["已用 1", "剩 4", "个工作日"]);
        check(Lang::En, "2026-09-30", &["5 working days in all, 2 used", "3 <small>working days left"]);
        check(Lang::Zh, "2026-12-01", &["is-late", "晚了"]);
    }

    #[test]
    fn calendar_has_whole_weeks_and_every_day_a_reason() {
        let due = over_a_holiday();
        let days = Days::of(Lang::Zh, "5 个工作日", &due, "2026-09-29".parse().expect("a date"));
        assert!(days.weeks().iter().all(|week| week.len() == 7));
        assert!(days.days.iter().all(|cell| !cell.reason.is_empty()));
        let html = days.html().to_string();
        assert!(html.contains("is-due") && html.contains("aria-current=\"date\""));
        assert_eq!(html.matches("到期</b>").count(), 1);
    }
}
