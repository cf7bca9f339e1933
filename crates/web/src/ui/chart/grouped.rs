//! Grouped bars (分组条形图): the same matter in several cities, beside the limit that was promised for it.

use askama::Template;
use askama::filters::HtmlSafe;
use serde::Serialize;

use super::{WIDTH, text_width, unit};
use crate::html::Html;
use crate::lang::Lang;
use crate::ui::{Cell, CityMark, Head, Table, TableRow};

/// What is kept free at the right for the figures.
const FIGURE_WIDTH: f64 = 112.0;
/// Where the first group begins: above it stands what the dashed line means.
const FIRST_Y: f64 = 24.0;
const HEAD_HEIGHT: f64 = 26.0;
const BAR_STEP: f64 = 28.0;
const BAR_HEIGHT: f64 = 18.0;
const GROUP_GAP: f64 = 12.0;

/// One of those that are compared, such as a city.
#[derive(Clone, Debug, Serialize)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// The city whose colour it has; empty for the accent.
    pub city: String,
}

impl Series {
    /// A city as one of those that are compared.
    pub fn city(mark: &CityMark) -> Series {
        Series { name: mark.name.clone(), city: mark.node.clone() }
    }
}

/// One figure of a group.
#[derive(Clone, Debug, Serialize)]
pub struct Measure {
    /// How much it is; none where there is nothing to measure.
    pub value: Option<f64>,
    /// The figure in words, such as 2.1.
    pub figure: String,
    /// Where what it counts is listed; empty for nowhere.
    pub href: String,
}

/// What is measured in every series.
#[derive(Clone, Debug, Serialize)]
pub struct BarGroup {
    /// What it is, such as 从业资格证换发.
    pub label: String,
    /// What was promised for it, in the unit of the figures.
    pub promise: Option<f64>,
    /// The promise in words, such as 5 日.
    pub promised: String,
    /// One figure a series, in their order.
    pub measures: Vec<Measure>,
}

/// A chart of groups of bars; where everything has a promise, bars are drawn as shares of it.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/chart_grouped.html")]
pub struct GroupedBars {
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
    /// What the column of groups is called in the table.
    pub label_head: String,
    /// What the promise is called, such as 承诺期限.
    pub promise_head: String,
    /// Those that are compared.
    pub series: Vec<Series>,
    /// What is measured.
    pub groups: Vec<BarGroup>,
}

struct DrawnGroup<'a> {
    group: &'a BarGroup,
    label_y: String,
    promised_x: String,
    rule: Option<(String, String, String)>,
    bars: Vec<DrawnBar<'a>>,
}

struct DrawnBar<'a> {
    measure: &'a Measure,
    name: String,
    city: &'a str,
    is_late: bool,
    hit_y: String,
    y: String,
    length: String,
    text: String,
    text_x: String,
    text_y: String,
}

impl GroupedBars {
    fn height(&self) -> String {
        unit(self.groups.iter().map(|group| self.group_height(group)).sum::<f64>() + FIRST_Y)
    }

    fn group_height(&self, group: &BarGroup) -> f64 {
        let bars = u32::try_from(group.measures.len()).unwrap_or(u32::MAX);
        HEAD_HEIGHT + f64::from(bars) * BAR_STEP + GROUP_GAP
    }

    /// How long one unit of the figures is drawn in a group.
    fn scale(&self, group: &BarGroup) -> f64 {
        let longest = WIDTH - FIGURE_WIDTH;
        let highest = |group: &BarGroup| {
            let values = group.measures.iter().filter_map(|measure| measure.value);
            values.chain(group.promise).fold(0.0, f64::max)
        };
        if self.groups.iter().all(|group| group.promise.is_some_and(|promise| 0.0 < promise)) {
            let worst = self.groups.iter().map(|group| highest(group) / group.promise.unwrap_or(1.0));
            return longest / worst.fold(1.0, f64::max) / group.promise.unwrap_or(1.0);
        }
        let all = self.groups.iter().map(highest).fold(0.0, f64::max);
        if 0.0 < all { longest / all } else { 0.0 }
    }

    fn drawn(&self) -> Vec<DrawnGroup<'_>> {
        let mut top = FIRST_Y;
        let mut drawn = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let scale = self.scale(group);
            let rule = group.promise.map(|promise| promise * scale);
            let bars_top = top + HEAD_HEIGHT;
            let height = self.group_height(group);
            drawn.push(DrawnGroup {
                group,
                label_y: unit(top + 18.0),
                promised_x: unit(text_width(&group.label) + 12.0),
                rule: rule.map(|x| (unit(x), unit(top), unit(top + height - GROUP_GAP))),
                bars: self.bars(group, bars_top, scale, rule),
            });
            top += height;
        }
        drawn
    }

    fn bars<'a>(&'a self, group: &'a BarGroup, top: f64, scale: f64, rule: Option<f64>) -> Vec<DrawnBar<'a>> {
        let mut y = top;
        let mut bars = Vec::with_capacity(group.measures.len());
        for (measure, series) in group.measures.iter().zip(&self.series) {
            let length = measure.value.unwrap_or(0.0).max(0.0) * scale;
            let is_late =
                matches!((measure.value, group.promise), (Some(value), Some(promise)) if promise < value);
            let mut text = format!("{} {}", series.name, measure.figure);
            if is_late {
                text.push_str(self.lang.t("，超", ", over"));
            }
            bars.push(DrawnBar {
                measure,
                name: format!("{}{}{text}", group.label, self.lang.t("，", ", ")),
                city: &series.city,
                is_late,
                hit_y: unit(y),
                y: unit(y + (BAR_STEP - BAR_HEIGHT) / 2.0),
                length: unit(length),
                text_x: unit(beside(length, text_width(&text), rule)),
                text,
                text_y: unit(y + BAR_STEP / 2.0 + 6.0),
            });
            y += BAR_STEP;
        }
        bars
    }

    /// Where the dashed line is named: as far right as the first one, but within the drawing.
    fn rule_word(&self) -> Option<String> {
        let group = self.groups.iter().find(|group| group.promise.is_some())?;
        let half = text_width(&self.promise_head) / 2.0;
        Some(unit((group.promise? * self.scale(group)).clamp(half, WIDTH - half)))
    }

    fn has_links(&self) -> bool {
        self.groups.iter().flat_map(|group| &group.measures).any(|measure| !measure.href.is_empty())
    }

    fn table(&self) -> Table {
        let mut heads = vec![Head::text(&self.label_head), Head::number(&self.promise_head)];
        heads.extend(self.series.iter().map(|series| Head::number(&series.name)));
        let cell = |measure: &Measure| Cell { href: measure.href.clone(), ..Cell::text(&measure.figure) };
        let row = |group: &BarGroup| {
            let first = [Cell::text(&group.label), Cell::text(&group.promised)];
            TableRow::new(first.into_iter().chain(group.measures.iter().map(cell)).collect())
        };
        Table {
            caption: self.title.clone(),
            heads,
            rows: self.groups.iter().map(row).collect(),
            count: String::new(),
            export: None,
        }
    }

    /// The chart as HTML.
    pub fn html(&self) -> Html {
        Html::of(self)
    }
}

/// Where a figure stands: after its bar; and after the dashed line, too, where it would run through the words.
fn beside(length: f64, width: f64, rule: Option<f64>) -> f64 {
    let after = length + 8.0;
    match rule {
        Some(rule) if after < rule + 4.0 && rule < after + width => rule + 8.0,
        _ => after,
    }
}

impl HtmlSafe for GroupedBars {}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(promises: &[Option<f64>], values: &[&[f64]]) -> GroupedBars {
        let measure =
            |value: &f64| Measure { value: Some(*value), figure: value.to_string(), href: "/x".to_owned() };
        let group = |(promise, values): (&Option<f64>, &&[f64])| BarGroup {
            label: "换证".to_owned(),
            promise: *promise,
            promised: "5 日".to_owned(),
            measures: values.iter().map(measure).collect(),
        };
        let series = |name: &str| Series { name: name.to_owned(), city: String::new() };
        GroupedBars {
            lang: Lang::Zh,
            id: "it".to_owned(),
            title: "时长".to_owned(),
            description: "比较".to_owned(),
            label_head: "事项".to_owned(),
            promise_head: "承诺期限".to_owned(),
            series: vec![series("长沙"), series("湘潭")],
            groups: promises.iter().zip(values).map(group).collect(),
        }
    }

    #[test]
    fn promises_stand_on_one_line_and_what_is_over_says_so() {
        let chart = chart(&[Some(5.0), Some(10.0)], &[&[2.0, 3.0], &[6.0, 20.0]]);
        let drawn = chart.drawn();
        let rules: Vec<_> =
            drawn.iter().filter_map(|group| group.rule.as_ref().map(|rule| &rule.0)).collect();
        assert_eq!(rules, ["144", "144"]);
        let worst = &drawn[1].bars[1];
        assert_eq!((worst.length.as_str(), worst.is_late, worst.text.as_str()), ("288", true, "湘潭 20，超"));
        let html = chart.html().to_string();
        for part in
            ["<title id=\"it-t\">", "<desc id=\"it-d\">", "<title>换证，湘潭 20，超</title>", "<details>"]
        {
            assert!(html.contains(part), "{part}");
        }
        assert_eq!(html.matches("href=\"/x\"").count(), 8);
    }

    #[test]
    fn without_a_promise_all_share_one_scale() {
        let chart = chart(&[None, None], &[&[1.0, 2.0], &[4.0, 0.0]]);
        let lengths: Vec<_> = chart
            .drawn()
            .iter()
            .flat_map(|group| group.bars.iter().map(|bar| bar.length.clone()).collect::<Vec<_>>())
            .collect();
        assert_eq!(lengths, ["72", "144", "288", "0"]);
        assert_eq!(chart.rule_word(), None);
    }

    #[test]
    fn a_figure_never_stands_on_the_line() {
        assert!((beside(100.0, 60.0, Some(200.0)) - 108.0).abs() < 0.1);
        assert!((beside(150.0, 60.0, Some(200.0)) - 208.0).abs() < 0.1);
        assert!((beside(250.0, 60.0, Some(200.0)) - 258.0).abs() < 0.1);
    }
}
