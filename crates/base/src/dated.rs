//! Dated terms (分期参数): what a law or a house rule sets from a day on, with its basis and whether the source is certain.
//!
//! A file has lines `from,name,value,unit,basis,status`, comments with `#`, and one line of heads.
//! `value` and `unit` are empty where the law names no number; `status` is `confirmed` or `unconfirmed`.
//! Invariant: every name that a reader asks for has a line, and no line has another name.

use jiff::civil::Date;

use crate::{Fault, Result};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatedTerm {
    /// From which day on.
    pub from: Date,
    /// What it sets.
    pub name: String,
    /// The number, where there is one.
    pub value: Option<u32>,
    /// Of what, such as `working_days`.
    pub unit: String,
    /// The article, or whose rule it is, in Chinese.
    pub basis: String,
    /// Whether the source is certain.
    pub is_confirmed: bool,
}

/// The lines of a file (参数表), the earliest first.
#[derive(Clone, Debug)]
pub struct DatedTerms {
    lines: Vec<DatedTerm>,
}

impl DatedTerms {
    /// Reads a file; `what` names it where it is wrong, `names` are all that it sets.
    pub fn read(what: &str, text: &str, names: &[&str]) -> Result<DatedTerms> {
        let texts = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).skip(1);
        let bad = |text: &str| Fault::new(format!("reading {what}: {text} is no line of it"));
        let known = |it: &DatedTerm| names.contains(&it.name.as_str());
        let mut lines = Vec::new();
        for text in texts {
            lines.push(line(text).filter(known).ok_or_else(|| bad(text))?);
        }
        lines.sort_by_key(|it| it.from);
        match names.iter().find(|name| !lines.iter().any(|it| it.name == **name)) {
            None => Ok(DatedTerms { lines }),
            Some(name) => Err(Fault::new(format!("reading {what}: {name} is missing")).into()),
        }
    }

    /// What has begun by a day; the last line counts.
    pub fn begun(&self, name: &str, day: Date) -> Option<&DatedTerm> {
        self.lines.iter().rev().find(|it| it.name == name && it.from <= day)
    }

    /// The same; for a day before the first line that one counts, rather than none.
    pub fn of(&self, name: &str, day: Date) -> Option<&DatedTerm> {
        self.begun(name, day).or_else(|| self.lines.iter().find(|it| it.name == name))
    }

    /// What has begun by a day, each name once, in the order of the file.
    pub fn on(&self, day: Date) -> Vec<&DatedTerm> {
        let mut found: Vec<&DatedTerm> = Vec::new();
        for it in self.lines.iter().filter(|it| it.from <= day) {
            match found.iter_mut().find(|known| known.name == it.name) {
                Some(known) => *known = it,
                None => found.push(it),
            }
        }
        found
    }

    /// Every line.
    pub fn all(&self) -> &[DatedTerm] {
        &self.lines
    }
}

fn line(text: &str) -> Option<DatedTerm> {
    let cells: Vec<&str> = text.split(',').collect();
    let [from, name, value, unit, basis, status] = cells[..] else { return None };
    if basis.is_empty() {
        return None;
    }
    Some(DatedTerm {
        from: from.parse().ok()?,
        name: name.to_owned(),
        value: match value {
            "" => None,
            value => Some(value.parse().ok()?),
        },
        unit: unit.to_owned(),
        basis: basis.to_owned(),
        is_confirmed: match status {
            "confirmed" => true,
            "unconfirmed" => false,
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# a comment\nfrom,name,value,unit,basis,status\n";

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_line_that_has_begun_counts() {
        let text = format!(
            "{HEAD}2027-01-01,keep,30,days,x,confirmed\n2026-01-01,keep,90,days,x,unconfirmed\n2026-01-01,form,,,y,confirmed\n"
        );
        let terms = DatedTerms::read("a test", &text, &["keep", "form"]).unwrap();
        let value = |on: &str| terms.begun("keep", day(on)).and_then(|it| it.value);
        assert_eq!(
            [value("2025-12-31"), value("2026-12-31"), value("2027-01-01")],
            [None, Some(90), Some(30)]
        );
        assert_eq!(terms.of("keep", day("2025-12-31")).and_then(|it| it.value), Some(90));
        assert_eq!(terms.of("other", day("2026-12-31")), None);
        let on: Vec<_> = terms.on(day("2027-01-01")).iter().map(|it| (it.name.as_str(), it.value)).collect();
        assert_eq!(on, [("keep", Some(30)), ("form", None)]);
        assert_eq!(terms.all().len(), 3);
    }

    #[track_caller]
    fn check_bad(line: &str) {
        let text = format!("{HEAD}2026-01-01,keep,1,days,x,confirmed\n{line}\n");
        assert!(DatedTerms::read("a test", &text, &["keep"]).is_err(), "{line}");
    }

    #[test]
    fn what_is_no_line_is_told() {
        check_bad("2026-13-01,keep,1,days,x,confirmed");
        check_bad("2026-01-01,chair,1,days,x,confirmed");
        check_bad("2026-01-01,keep,-1,days,x,confirmed");
        check_bad("2026-01-01,keep,many,days,x,confirmed");
        check_bad("2026-01-01,keep,1,days,,confirmed");
        check_bad("2026-01-01,keep,1,days,x,maybe");
        check_bad("2026-01-01,keep,1,x,confirmed");
        let missing = DatedTerms::read("a test", HEAD, &["keep"]);
        assert!(missing.is_err(), "a name without a line");
    }
}
