//! Columns (柱形图): one figure a day or a month, side by side.

use askama::Template;
use askama::filters::HtmlSafe;
use serde::Serialize;

use super::{Bar, TARGET, WIDTH, table_of, text_width, unit};
use crate::html::Html;
use crate::lang::Lang;
use crate::ui::Table;

/// Where the highest column begins and where all of them end.
const TOP: f64 = 28.0;
const BASE: f64 = 168.0;
/// How much of its place a column fills.
const FILL: f64 = 0.72;

/// A chart of columns.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/chart_columns.html")]
pub struct Columns {
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
    /// What the column of labels is called in the table.
    pub label_head: String,
    /// What the column of figures is called.
    pub figure_head: String,
    /// The columns from left to right.
    pub columns: Vec<Bar>,
}

/// A column as it is drawn.
struct Drawn<'a> {
    bar: &'a Bar,
    name: String,
    slot_x: String,
    slot: String,
    x: String,
    y: String,
    width: String,
    height: String,
    middle: String,
    figure_y: String,
    has_label: bool,
    has_figure: bool,
    is_link: bool,
}

impl Columns {
    fn slot(&self) -> f64 {
        WIDTH / f64::from(u32::try_from(self.columns.len().max(1)).unwrap_or(u32::MAX))
    }

    fn drawn(&self) -> Vec<Drawn<'_>> {
        let slot = self.slot();
        let highest = self.columns.iter().map(|bar| bar.value).fold(0.0, f64::max);
        let widest = self.columns.iter().map(|bar| text_width(&bar.label)).fold(1.0, f64::max);
        // Labels that would touch are left out, every so many.
        let every = ((widest + 8.0) / slot).ceil().max(1.0);
        let mut left = 0.0;
        let mut drawn = Vec::with_capacity(self.columns.len());
        let mut until_label = 1.0;
        for bar in &self.columns {
            until_label -= 1.0;
            let has_label = until_label <= 0.0;
            if has_label {
                until_label = every;
            }
            drawn.push(self.column(
                bar,
                left,
                if 0.0 < highest { bar.value / highest } else { 0.0 },
                has_label,
            ));
            left += slot;
        }
        drawn
    }

    fn column<'a>(&self, bar: &'a Bar, left: f64, share: f64, has_label: bool) -> Drawn<'a> {
        let (slot, height) = (self.slot(), share.clamp(0.0, 1.0) * (BASE - TOP));
        Drawn {
            bar,
            name: bar.name(self.lang),
            slot_x: format!("{left:.1}"),
            slot: format!("{slot:.1}"),
            x: format!("{:.1}", left + slot * (1.0 - FILL) / 2.0),
            y: unit(BASE - height),
            width: format!("{:.1}", slot * FILL),
            height: unit(height),
            middle: format!("{:.1}", left + slot / 2.0),
            figure_y: unit(BASE - height - 7.0),
            has_label,
            // The figure stands on its column where it has the room; the highest says its own in any case.
            has_figure: text_width(&bar.figure) <= slot || 1.0 <= share,
            is_link: !bar.href.is_empty() && TARGET <= slot,
        }
    }

    /// Whether the columns are wide enough to be pressed; otherwise the table alone has the links.
    fn has_links(&self) -> bool {
        TARGET <= self.slot() && self.columns.iter().any(|bar| !bar.href.is_empty())
    }

    fn table(&self) -> Table {
        table_of(&self.title, [&self.label_head, &self.figure_head], &self.columns)
    }

    /// The chart as HTML.
    pub fn html(&self) -> Html {
        Html::of(self)
    }
}

impl HtmlSafe for Columns {}
