//! Bar charts (条形图): one bar a line.

use askama::Template;
use askama::filters::HtmlSafe;
use serde::Serialize;

use super::{WIDTH, table_of};
use crate::html::Html;
use crate::lang::{Given, Lang};
use crate::ui::{Cell, Table};

/// What is kept free at the right for the figure.
const FIGURE_WIDTH: f64 = 96.0;
const BAR_STEP: usize = 46;

/// One bar.
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    /// What it stands for.
    pub label: String,
    /// How long it is.
    pub value: f64,
    /// The figure in words, such as 2.1 个工作日.
    pub figure: String,
    /// The city whose colour it has; empty for the accent.
    pub city: String,
    /// Where what it counts is listed; empty for nowhere.
    pub href: String,
}

impl Bar {
    /// What is read out of it.
    pub(super) fn name(&self, lang: impl Given<Lang>) -> String {
        let lang = lang.given();
        format!("{}{}{}", self.label, lang.t("：", ": "), self.figure)
    }

    /// Its figure in the table beneath.
    pub(super) fn cell(&self) -> Cell {
        Cell { href: self.href.clone(), ..Cell::text(&self.figure) }
    }
}

/// A chart of bars.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/chart.html")]
pub struct BarChart {
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
    /// The bars.
    pub bars: Vec<Bar>,
}

impl BarChart {
    fn height(&self) -> usize {
        self.bars.len() * BAR_STEP + 8
    }

    fn label_y(&self, at: &usize) -> usize {
        at * BAR_STEP + 18
    }

    fn bar_y(&self, at: &usize) -> usize {
        at * BAR_STEP + 26
    }

    fn figure_y(&self, at: &usize) -> usize {
        at * BAR_STEP + 40
    }

    fn length(&self, bar: &Bar) -> String {
        let longest = self.bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
        let share = if longest <= 0.0 { 0.0 } else { (bar.value / longest).clamp(0.0, 1.0) };
        format!("{:.0}", share * (WIDTH - FIGURE_WIDTH))
    }

    fn figure_x(&self, bar: &Bar) -> String {
        let length: f64 = self.length(bar).parse().unwrap_or(0.0);
        format!("{:.0}", length + 8.0)
    }

    fn has_links(&self) -> bool {
        self.bars.iter().any(|bar| !bar.href.is_empty())
    }

    fn table(&self) -> Table {
        table_of(&self.title, [&self.label_head, &self.figure_head], &self.bars)
    }

    /// The chart as HTML.
    pub fn html(&self) -> Html {
        Html::of(self)
    }
}

impl HtmlSafe for BarChart {}
