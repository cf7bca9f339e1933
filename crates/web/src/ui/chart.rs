//! Charts (图): drawn as SVG with a title and a description, every figure a link, and the table beneath.
//!
//! They are drawn 400 wide, so that they read at 320 pixels, and never tell by colour alone.

mod bars;
mod columns;
mod grouped;
mod track;

pub use bars::{Bar, BarChart};
pub use columns::Columns;
pub use grouped::{BarGroup, GroupedBars, Measure, Series};
pub use track::{Lane, Span, SpanKind, Track};

use crate::ui::{Cell, Head, Table, TableRow};

/// How wide charts are drawn, in their own units.
const WIDTH: f64 = 400.0;
/// How wide a Chinese character and a letter are in a chart, at most.
const WIDE_LETTER: f64 = 17.0;
const LETTER: f64 = 9.5;
/// A target is at least so high or wide: 24 pixels on a telephone.
const TARGET: f64 = 28.0;

/// How wide a text is drawn, at most.
fn text_width(text: &str) -> f64 {
    text.chars().map(|letter| if letter.is_ascii() { LETTER } else { WIDE_LETTER }).sum()
}

/// A length as SVG takes it; halves of a unit are not seen.
fn unit(length: f64) -> String {
    format!("{length:.0}")
}

/// The table beneath a chart of bars: what each stands for, and its figure with its link.
fn table_of(title: &str, [label, figure]: [&str; 2], bars: &[Bar]) -> Table {
    let row = |bar: &Bar| TableRow::new(vec![Cell::text(&bar.label), bar.cell()]);
    Table {
        caption: title.to_owned(),
        heads: vec![Head::text(label), Head::number(figure)],
        rows: bars.iter().map(row).collect(),
        count: String::new(),
        export: None,
    }
}
