//! Lists of what is known (清单): summary with sources, facts, figures that are links, messages.

use askama::Template;
use askama::filters::HtmlSafe;
use serde::Serialize;

use super::steps::CityMark;
use crate::html::Html;
use crate::lang::written_in;

/// One line of a summary (核对清单).
#[derive(Clone, Debug, Default, Serialize)]
pub struct SummaryRow {
    /// What it is.
    pub label: String,
    /// Its value; a code is written in groups.
    pub value: String,
    /// Where a value that was not typed comes from, and when.
    pub from: Option<String>,
    /// Whether she typed it herself.
    pub yours: bool,
    /// Whether the value is a code.
    pub code: bool,
    /// What can be done about it: text and address, such as 改.
    pub action: Option<(String, String)>,
}

impl SummaryRow {
    /// A line with label and value.
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> SummaryRow {
        SummaryRow { label: label.into(), value: value.into(), ..SummaryRow::default() }
    }

    /// Says where the value comes from.
    #[must_use]
    pub fn from(self, source: impl Into<String>) -> SummaryRow {
        SummaryRow { from: Some(source.into()), ..self }
    }

    /// Says that she typed it herself.
    #[must_use]
    pub fn yours(self, words: impl Into<String>) -> SummaryRow {
        SummaryRow { from: Some(words.into()), yours: true, ..self }
    }

    /// Shows the value as a code.
    #[must_use]
    pub fn code(self) -> SummaryRow {
        SummaryRow { code: true, ..self }
    }

    /// Adds what can be done about it.
    #[must_use]
    pub fn action(self, text: impl Into<String>, href: impl Into<String>) -> SummaryRow {
        SummaryRow { action: Some((text.into(), href.into())), ..self }
    }

    fn groups(&self) -> Vec<&str> {
        self.value.split_whitespace().collect()
    }
}

/// A summary: label, value, source, action.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/summary.html")]
#[serde(transparent)]
pub struct Summary {
    /// Its lines.
    pub rows: Vec<SummaryRow>,
}

/// One fact (要点).
#[derive(Clone, Debug, Serialize)]
pub struct Fact {
    /// What it is.
    pub label: String,
    /// Its value.
    pub value: String,
    /// What is to be added in small print; may be empty.
    pub note: String,
}

/// A row of facts.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/facts.html")]
#[serde(transparent)]
pub struct Facts {
    /// The facts.
    pub facts: Vec<Fact>,
}

/// A figure that is a link to what it counts (数字).
#[derive(Clone, Debug, Serialize)]
pub struct Tile {
    /// The figure, formatted.
    pub figure: String,
    /// What it counts.
    pub label: String,
    /// Where what it counts is listed.
    pub href: String,
    /// `""`, `wait` or `stop`.
    pub kind: String,
}

/// A row of figures.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/tiles.html")]
#[serde(transparent)]
pub struct Tiles {
    /// The figures.
    pub tiles: Vec<Tile>,
}

/// A message between the applicant and an office (留言).
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/message.html")]
pub struct Message {
    /// Who wrote it.
    pub who: String,
    /// When.
    pub when: String,
    /// The city of the office, if an office wrote it.
    pub city: Option<CityMark>,
    /// Whether the reader wrote it herself.
    pub mine: bool,
    /// What it says.
    pub text: String,
}

impl Message {
    fn tongue(&self) -> &'static str {
        written_in(&self.text)
    }
}

/// The parts as HTML.
macro_rules! parts {
    ($($name:ident),+) => {$(
        impl HtmlSafe for $name {}

        impl $name {
            /// The part as HTML.
            pub fn html(&self) -> Html {
                Html::of(self)
            }
        }
    )+};
}

parts!(Summary, Facts, Tiles, Message);
