//! What grants stand on (授权依据): limits and articles of law, as dated data.

use tb_base::{Date, DatedTerm, DatedTerms, Result};

const FILE: &str = include_str!("../../data/agency.csv");

/// The longest time of one grant, in days with both ends.
const DAYS_MAX: &str = "days_max";
/// How many grants of an enterprise hold or are to come.
const OPEN_MAX: &str = "open_max";

/// All that the data sets.
const NAMES: [&str; 8] =
    ["written", "representative", "within", "ending", "passing_on", "signature", DAYS_MAX, OPEN_MAX];

/// The terms of agency (授权条件).
#[derive(Clone, Debug)]
pub struct Terms {
    terms: DatedTerms,
}

impl Terms {
    /// Those of the program.
    pub fn shipped() -> Result<Terms> {
        Terms::read(FILE)
    }

    fn read(text: &str) -> Result<Terms> {
        Ok(Terms { terms: DatedTerms::read("agency.csv", text, &NAMES)? })
    }

    /// The longest grant, in days; none before there was a rule.
    pub fn days_max(&self, day: Date) -> i64 {
        self.value(DAYS_MAX, day)
    }

    /// How many grants of an enterprise may be open.
    pub fn open_max(&self, day: Date) -> i64 {
        self.value(OPEN_MAX, day)
    }

    /// What counts on a day, in the order of the data.
    pub fn on(&self, day: Date) -> Vec<&DatedTerm> {
        self.terms.on(day)
    }

    fn value(&self, name: &str, day: Date) -> i64 {
        self.terms.begun(name, day).and_then(|it| it.value).map_or(0, i64::from)
    }
}

#[cfg(test)]
mod tests {
    use super::Terms;

    #[test]
    fn what_is_shipped_reads_and_says_what_is_not_certain() {
        let terms = Terms::shipped().unwrap();
        let today = "2026-11-24".parse().unwrap();
        assert!(0 < terms.days_max(today) && 0 < terms.open_max(today));
        assert_eq!(terms.days_max("2025-12-31".parse().unwrap()), 0, "before there was a rule");
        assert!(terms.on(today).iter().any(|term| !term.is_confirmed && term.name == "signature"));
    }
}
