//! The document (报告): a head table that compares, then a section for each thing measured.

use std::fmt::Write;

use crate::measure::{Outcome, Series};

/// What is to be reached.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// Our figure by the peer's, at least.
    Ratio(f64),
    /// Our figure, at the most.
    AtMost(f64),
    /// None was set: the figure is for comparison with later ones.
    Open,
}

/// One line of the head table.
#[derive(Clone, Debug)]
pub struct Line {
    /// What is measured.
    pub what: String,
    /// Unit of the figures.
    pub unit: &'static str,
    /// Ours, round by round.
    pub ours: Series,
    /// What stands beside it, measured in the same rounds.
    pub peer: Option<(String, Series)>,
    /// What is to be reached.
    pub target: Target,
}

impl Line {
    /// A figure of ours alone.
    pub fn alone(what: impl Into<String>, unit: &'static str, ours: Series, target: Target) -> Line {
        Line { what: what.into(), unit, ours, peer: None, target }
    }

    /// A figure of ours beside a peer's.
    pub fn beside(
        what: impl Into<String>,
        unit: &'static str,
        ours: Series,
        peer: (&str, Series),
        target: Target,
    ) -> Line {
        Line { what: what.into(), unit, ours, peer: Some((peer.0.to_owned(), peer.1)), target }
    }

    fn ratio(&self) -> Option<Series> {
        self.peer.as_ref().map(|(_, peer)| self.ours.over(peer))
    }

    fn cells(&self) -> [String; 6] {
        let peer = match &self.peer {
            Some((name, peer)) => format!("{} ({name})", with_spread(peer, self.unit)),
            None => "–".to_owned(),
        };
        let ratio = self.ratio();
        let (target, verdict) = match (self.target, &ratio) {
            (Target::Ratio(least), Some(ratio)) => {
                (format!("≥ {}", number(least)), verdict(least <= ratio.median()))
            }
            (Target::AtMost(most), _) => {
                (format!("≤ {} {}", number(most), self.unit), verdict(self.ours.median() <= most))
            }
            (Target::Ratio(_) | Target::Open, _) => ("–".to_owned(), "–"),
        };
        let ratio = ratio.map_or("–".to_owned(), |ratio| with_spread(&ratio, ""));
        [self.what.clone(), with_spread(&self.ours, self.unit), peer, ratio, target, verdict.to_owned()]
    }
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "**not met**" }
}

/// One thing measured.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Lines of the head table.
    pub lines: Vec<Line>,
    /// What is compared with what, one sentence a line.
    pub notes: Vec<String>,
    /// Further tables, as Markdown.
    pub tables: Vec<String>,
}

/// A section with its title, or why it could not be measured.
pub type Titled = (&'static str, Outcome<Section>);

/// Writes the document.
pub fn write(head: &[String], sections: &[Titled]) -> String {
    let mut text = "<!-- Made by `cargo xtask bench`; do not edit. -->\n\n# Benchmarks\n\n".to_owned();
    for line in head.iter().filter(|line| !line.is_empty()) {
        let _ = writeln!(text, "{line}");
    }
    text.push_str("\n## At a glance\n\n");
    text.push_str(
        "Medians of the rounds; ± is half the distance between the best and the worst round.\n\
         A ratio is ours by the peer's within one round, then the median of the rounds.\n\n\
         | what | ours | peer | ratio | target | |\n|---|---|---|---|---|---|\n",
    );
    for line in sections.iter().filter_map(|(_, section)| section.as_ref().ok()).flat_map(|it| &it.lines) {
        let _ = writeln!(text, "| {} |", line.cells().join(" | "));
    }
    for (title, section) in sections {
        let _ = writeln!(text, "\n## {title}\n");
        match section {
            Ok(section) => {
                for note in &section.notes {
                    let _ = writeln!(text, "{note}");
                }
                for table in &section.tables {
                    let _ = writeln!(text, "\n{}", table.trim_end());
                }
            }
            Err(problem) => {
                let _ = writeln!(text, "Not measured: {problem}");
            }
        }
    }
    text
}

fn with_spread(series: &Series, unit: &str) -> String {
    let mut text = number(series.median());
    if !unit.is_empty() {
        let _ = write!(text, " {unit}");
    }
    if 1 < series.0.len() {
        let _ = write!(text, " ± {:.0} %", series.spread());
    }
    text
}

/// Three figures that count, with thin thousands.
pub fn number(figure: f64) -> String {
    let places = match figure.abs() {
        size if 100.0 <= size => 0,
        size if 10.0 <= size => 1,
        size if 1.0 <= size => 2,
        _ => 3,
    };
    let text = format!("{figure:.places$}");
    let (whole, rest) = match text.split_once('.') {
        Some((whole, rest)) => (whole.to_owned(), format!(".{rest}")),
        None => (text, String::new()),
    };
    let digits: Vec<char> = whole.chars().collect();
    let grouped: Vec<String> = digits.rchunks(3).rev().map(|group| group.iter().collect()).collect();
    grouped.join(" ") + &rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_grouped() {
        let cases =
            [(0.123_4, "0.123"), (1.234, "1.23"), (56.78, "56.8"), (999.6, "1 000"), (82_000.4, "82 000")];
        for (figure, text) in cases {
            assert_eq!(number(figure), text);
        }
    }

    #[test]
    fn a_target_that_is_missed_says_so() {
        let series = |figure| Series(vec![figure, figure]);
        let line = |ours| Line::beside("x", "/s", series(ours), ("y", series(10.0)), Target::Ratio(0.6));
        assert_eq!(line(6.0).cells()[5], "met");
        assert_eq!(line(5.9).cells()[5], "**not met**");
        let line = |ours| Line::alone("x", "MB", series(ours), Target::AtMost(60.0));
        assert_eq!(line(60.0).cells()[4..], ["≤ 60.0 MB".to_owned(), "met".to_owned()]);
        assert_eq!(line(61.0).cells()[5], "**not met**");
        let text = write(&[], &[("Store", Err("no disk".to_owned()))]);
        assert!(text.contains("## Store\n\nNot measured: no disk"), "{text}");
    }
}
