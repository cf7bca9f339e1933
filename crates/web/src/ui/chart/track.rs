//! A track (办件轨迹): who held a case from when to when, day by day, beside the day that was promised.

use askama::Template;
use askama::filters::HtmlSafe;
use serde::Serialize;
use tb_base::{Calendar, Date};

use super::{WIDTH, text_width, unit};
use crate::html::Html;
use crate::lang::{Given, Lang};
use crate::ui::{Cell, CityMark, Head, Table, TableRow};

/// Days that are drawn; a longer track shows its last ones, the table all.
const DAYS_MAX: i32 = 366;
/// Where the lanes begin, under the row of dates.
const TOP: f64 = 26.0;
const LANE_HEIGHT: f64 = 62.0;
const BAR_Y: f64 = 28.0;
const BAR_HEIGHT: f64 = 28.0;
/// Under the lanes stand the words of today and of the promise.
const FOOT: f64 = 48.0;

/// What a span of days was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// It was worked on, or could have been.
    Held,
    /// The clock stood still.
    Waiting,
    /// It was held beyond the promised day.
    Late,
}

/// Some days in one hand.
#[derive(Clone, Debug, Serialize)]
pub struct Span {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// What it was.
    pub kind: SpanKind,
    /// What was done, such as 停表，等鉴定.
    pub words: String,
    /// Where it is told; empty for nowhere.
    pub href: String,
}

/// One who held the case.
#[derive(Clone, Debug, Serialize)]
pub struct Lane {
    /// Who, such as 湘乡市民政局.
    pub label: String,
    /// The city of it.
    pub city: Option<CityMark>,
    /// What it did, in order.
    pub spans: Vec<Span>,
}

/// The track of one case.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/chart_track.html")]
pub struct Track {
    /// The language of the page.
    #[serde(skip)]
    pub lang: Lang,
    /// A name for its parts that is unique on the page, letters only.
    #[serde(skip)]
    pub id: String,
    /// What it shows.
    pub title: String,
    /// What is to be seen in it, in one sentence.
    pub description: String,
    /// Today, or the day on which the case ended.
    pub today: Date,
    /// The day that was promised.
    pub promise: Option<Date>,
    /// Who held it, in the order in which they came.
    pub lanes: Vec<Lane>,
}

struct DrawnLane<'a> {
    lane: &'a Lane,
    label_y: String,
    spans: Vec<DrawnSpan<'a>>,
}

struct DrawnSpan<'a> {
    span: &'a Span,
    name: String,
    class: &'static str,
    city: &'a str,
    x: String,
    y: String,
    width: String,
    middle: String,
    text_y: String,
    text: &'a str,
}

impl Track {
    fn first(&self) -> Date {
        let days = self.lanes.iter().flat_map(|lane| lane.spans.iter().map(|span| span.from));
        let first = days.min().unwrap_or(self.today);
        let last = self.last();
        if between(first, last) <= DAYS_MAX {
            return first;
        }
        (0..DAYS_MAX).fold(last, |day, _| day.yesterday().unwrap_or(day))
    }

    fn last(&self) -> Date {
        let days = self.lanes.iter().flat_map(|lane| lane.spans.iter().map(|span| span.to));
        days.chain([self.today]).chain(self.promise).max().unwrap_or(self.today)
    }

    /// How wide a day is drawn.
    fn day_width(&self) -> f64 {
        WIDTH / f64::from(between(self.first(), self.last()) + 1)
    }

    fn x(&self, day: Date) -> f64 {
        f64::from(between(self.first(), day).max(0)) * self.day_width()
    }

    fn lanes_end(&self) -> f64 {
        TOP + f64::from(u32::try_from(self.lanes.len()).unwrap_or(u32::MAX)) * LANE_HEIGHT
    }

    fn height(&self) -> String {
        unit(self.lanes_end() + FOOT)
    }

    fn bottom(&self) -> String {
        unit(self.lanes_end())
    }

    fn lanes_height(&self) -> String {
        unit(self.lanes_end() - TOP)
    }

    /// Where words stand under the lanes, in two lines so that they never meet.
    fn foot(&self, line: u8) -> String {
        unit(self.lanes_end() + 20.0 * f64::from(line))
    }

    /// Days on which offices are shut, several in a row as one.
    fn shut(&self) -> Vec<(String, String)> {
        let (mut day, last, mut runs) = (self.first(), self.last(), Vec::<(f64, f64)>::new());
        while day <= last {
            let (x, width) = (self.x(day), self.day_width());
            if !Calendar::national().is_working(day).yes {
                match runs.last_mut() {
                    Some((from, run)) if (*from + *run - x).abs() < 0.01 => *run += width,
                    _ => runs.push((x, width)),
                }
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        runs.into_iter().map(|(x, width)| (format!("{x:.1}"), format!("{width:.1}"))).collect()
    }

    /// Mondays, as many as can be read: where their line stands and what is written at it.
    fn mondays(&self) -> Vec<(String, String)> {
        let (mut day, last) = (self.first(), self.last());
        let mut mondays = Vec::new();
        while day <= last {
            if day.weekday().to_monday_zero_offset() == 0 {
                mondays.push(day);
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        let mut free_from = 0.0;
        let mut shown = Vec::new();
        for day in mondays {
            let (x, text) = (self.x(day), self.lang.short(day));
            if free_from <= x && x + text_width(&text) <= WIDTH {
                free_from = x + text_width(&text) + 16.0;
                shown.push((format!("{x:.1}"), text));
            }
        }
        shown
    }

    fn drawn(&self) -> Vec<DrawnLane<'_>> {
        let mut top = TOP;
        let mut lanes = Vec::with_capacity(self.lanes.len());
        for lane in &self.lanes {
            let city = lane.city.as_ref().map_or("", |city| city.node.as_str());
            let spans = lane.spans.iter().filter(|span| self.first() <= span.to);
            lanes.push(DrawnLane {
                lane,
                label_y: unit(top + 20.0),
                spans: spans.map(|span| self.span(lane, span, city, top + BAR_Y)).collect(),
            });
            top += LANE_HEIGHT;
        }
        lanes
    }

    fn span<'a>(&self, lane: &Lane, span: &'a Span, city: &'a str, y: f64) -> DrawnSpan<'a> {
        let (from, to) = (self.x(span.from.max(self.first())), self.x(span.to) + self.day_width());
        let width = (to - from - 1.0).max(2.0);
        let class = match span.kind {
            SpanKind::Held => "",
            SpanKind::Waiting => "hold",
            SpanKind::Late => "late",
        };
        let fits = text_width(&span.words) + 6.0 <= width;
        DrawnSpan {
            span,
            name: format!(
                "{}{}{}{}{}",
                lane.label,
                self.lang.t("，", ", "),
                self.days(span),
                self.lang.t("：", ": "),
                span.words
            ),
            class,
            city: if span.kind == SpanKind::Held { city } else { "" },
            x: format!("{from:.1}"),
            y: unit(y),
            width: format!("{width:.1}"),
            middle: format!("{:.1}", from + width / 2.0),
            text_y: unit(y + BAR_HEIGHT / 2.0 + 6.0),
            text: if fits { &span.words } else { "" },
        }
    }

    /// `11-04 至 11-09`, or one day.
    fn days(&self, span: &Span) -> String {
        if span.from == span.to {
            return self.lang.date(span.from);
        }
        format!("{}{}{}", self.lang.date(span.from), self.lang.t(" 至 ", " to "), self.lang.date(span.to))
    }

    /// A day that is marked: where its line stands, and where its words begin so that they stay within.
    fn mark(&self, day: impl Given<Date>, words: &str) -> (String, String) {
        let day = day.given();
        let x = self.x(day) + self.day_width();
        let half = text_width(words) / 2.0;
        (unit(x.min(WIDTH - 1.0)), unit(x.clamp(half, WIDTH - half)))
    }

    fn promise_words(&self) -> String {
        match self.promise {
            Some(day) => format!("{} {}", self.lang.t("承诺", "promised"), self.lang.day(day)),
            None => String::new(),
        }
    }

    fn today_words(&self) -> String {
        format!("{} {}", self.lang.t("截至", "as of"), self.lang.day(self.today))
    }

    fn has_links(&self) -> bool {
        self.lanes.iter().flat_map(|lane| &lane.spans).any(|span| !span.href.is_empty())
    }

    fn table(&self) -> Table {
        let mut spans: Vec<_> =
            self.lanes.iter().flat_map(|lane| lane.spans.iter().map(move |span| (lane, span))).collect();
        spans.sort_by_key(|(_, span)| (span.from, span.to));
        let row = |(lane, span): (&Lane, &Span)| {
            let who = Cell::text(&lane.label);
            let who = lane.city.clone().map_or_else(|| who.clone(), |city| who.clone().city(city));
            let did = Cell { href: span.href.clone(), ..Cell::text(&span.words) };
            TableRow::new(vec![Cell::text(self.days(span)), who, did])
        };
        let head = |zh: &str, en: &str| Head::text(self.lang.t(zh, en));
        Table {
            caption: self.title.clone(),
            heads: vec![head("日期", "Days"), head("单位", "Who"), head("做了什么", "What")],
            rows: spans.into_iter().map(row).collect(),
            count: String::new(),
            export: None,
        }
    }

    /// The track as HTML.
    pub fn html(&self) -> Html {
        Html::of(self)
    }
}

fn between(from: Date, to: Date) -> i32 {
    to.since(from).map_or(0, |span| span.get_days())
}

impl HtmlSafe for Track {}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    fn track(spans: &[(&str, &str, SpanKind)]) -> Track {
        let span = |(from, to, kind): &(&str, &str, SpanKind)| Span {
            from: day(from),
            to: day(to),
            kind: *kind,
            words: "审查".to_owned(),
            href: "/cases/1".to_owned(),
        };
        let lane =
            Lane {
                label: "湘乡市民政局".to_owned(), city: None, spans: spans.iter().map(span).collect()
            };
        Track {
            lang: Lang::Zh,
            id: "it".to_owned(),
            title: "轨迹".to_owned(),
            description: "晚了".to_owned(),
            today: day("2026-11-24"),
            promise: Some(day("2026-11-20")),
            lanes: vec![lane],
        }
    }

    #[test]
    fn every_day_has_its_place_and_every_span_its_words() {
        let track = track(&[
            ("2026-11-02", "2026-11-20", SpanKind::Held),
            ("2026-11-21", "2026-11-24", SpanKind::Late),
        ]);
        assert_eq!((track.first(), track.last()), (day("2026-11-02"), day("2026-11-24")));
        let lanes = track.drawn();
        let late = &lanes[0].spans[1];
        assert_eq!((late.class, late.x.as_str()), ("late", "330.4"));
        assert_eq!(late.name, "湘乡市民政局，2026-11-21 至 2026-11-24：审查");
        // Three weekends lie within, each drawn as one.
        assert_eq!(track.shut().len(), 3);
        assert_eq!(track.mondays().first().map(|monday| monday.1.as_str()), Some("11-02"));
        let html = track.html().to_string();
        assert!(html.contains("承诺 11 月 20 日") && html.contains("<table"));
    }

    #[test]
    fn a_track_of_years_is_cut_in_the_drawing_and_whole_in_the_table() {
        let track = track(&[
            ("2019-01-07", "2019-02-01", SpanKind::Waiting),
            ("2026-11-21", "2026-11-24", SpanKind::Held),
        ]);
        assert_eq!(between(track.first(), track.last()), DAYS_MAX);
        assert_eq!(track.drawn()[0].spans.len(), 1);
        assert!(track.html().to_string().contains("2019-01-07"));
    }
}
