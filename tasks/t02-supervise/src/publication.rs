//! Which figures everybody may see (公布规则): how many cases make one, as dated data.

use serde::Serialize;
use tb_base::{Date, DatedTerm, DatedTerms, Result};

const FILE: &str = include_str!("../data/publication.csv");
const TOLD_FROM: &str = "told_from";
const SLOWEST_FROM: &str = "slowest_from";

/// A figure that everybody may see, or that is withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Count {
    /// So many.
    Of(i64),
    /// More than none, and too few to be told.
    Few,
}

/// The numbers of a day.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Rule {
    /// A figure below is withheld: it might tell of one person.
    pub(crate) told_from: i64,
    /// Nine of ten of fewer would be the slowest one.
    pub(crate) slowest_from: i64,
    /// Whose rule it is.
    pub(crate) basis: String,
    /// Whether its source is certain.
    pub(crate) is_confirmed: bool,
}

impl Rule {
    /// The rule that holds on a day.
    pub(crate) fn on(day: Date) -> Result<Rule> {
        let terms = DatedTerms::read("publication.csv", FILE, &[TOLD_FROM, SLOWEST_FROM])?;
        let told = terms.of(TOLD_FROM, day);
        // What has no number is never told.
        let value = |term: Option<&DatedTerm>| term.and_then(|it| it.value).map_or(i64::MAX, i64::from);
        Ok(Rule {
            told_from: value(told),
            slowest_from: value(terms.of(SLOWEST_FROM, day)),
            basis: told.map(|it| it.basis.clone()).unwrap_or_default(),
            is_confirmed: told.is_some_and(|it| it.is_confirmed),
        })
    }

    /// A count of its own.
    pub(crate) fn count(&self, count: i64) -> Count {
        if 0 < count && count < self.told_from { Count::Few } else { Count::Of(count) }
    }

    /// A part of a whole that is told: what is left over must not be small either.
    pub(crate) fn part(&self, count: i64, whole: i64) -> Count {
        match self.count(whole - count) {
            Count::Few => Count::Few,
            Count::Of(_) => self.count(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_data_that_says_what_it_stands_on() {
        let rule = Rule::on("2026-11-24".parse().unwrap()).unwrap();
        assert_eq!((rule.told_from, rule.slowest_from, rule.is_confirmed), (5, 50, false));
        assert!(rule.basis.contains("统计法"));
        assert_eq!([0, 4, 5].map(|count| rule.count(count)), [Count::Of(0), Count::Few, Count::Of(5)]);
        assert_eq!(
            [4, 5, 17, 20].map(|part| rule.part(part, 20)),
            [Count::Few, Count::Of(5), Count::Few, Count::Of(20)]
        );
    }
}
