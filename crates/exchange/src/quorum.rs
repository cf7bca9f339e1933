//! How many cities must want a thing (法定人数): a fraction above one half, rounded up.
//!
//! Invariant: two quorums of the same cities share a city, so no two lists can follow one list unnoticed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tb_base::Violation;

/// The largest number that may stand in a fraction.
const PARTS_MAX: u8 = 100;

/// A fraction such as `2/3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Quorum {
    part: u8,
    whole: u8,
}

impl Quorum {
    /// Two of three, three of four: what a region has where its file says nothing.
    pub const TWO_THIRDS: Quorum = Quorum { part: 2, whole: 3 };

    /// How many of so many cities that is.
    pub fn of(self, cities: usize) -> usize {
        (cities * usize::from(self.part)).div_ceil(usize::from(self.whole))
    }
}

impl FromStr for Quorum {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Quorum, Violation> {
        let bad = || Violation::new("grammar", "quorum", "a fraction above 1/2 and up to 1/1 is expected");
        let (part, whole) = text.split_once('/').ok_or_else(bad)?;
        let part: u8 = part.parse().map_err(|_| bad())?;
        let whole: u8 = whole.parse().map_err(|_| bad())?;
        let is_sound = whole <= PARTS_MAX && part <= whole && u16::from(whole) < 2 * u16::from(part);
        if is_sound { Ok(Quorum { part, whole }) } else { Err(bad()) }
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.whole)
    }
}

impl TryFrom<String> for Quorum {
    type Error = Violation;

    fn try_from(text: String) -> Result<Quorum, Violation> {
        text.parse()
    }
}

impl From<Quorum> for String {
    fn from(quorum: Quorum) -> String {
        quorum.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Quorum;

    #[track_caller]
    fn check(text: &str, expected: &[(usize, usize)]) {
        let quorum: Quorum = text.parse().unwrap();
        for (cities, needed) in expected {
            assert_eq!(quorum.of(*cities), *needed, "{text} of {cities}");
        }
    }

    #[test]
    fn a_fraction_is_rounded_up() {
        check("2/3", &[(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4)]);
        check("3/4", &[(3, 3), (4, 3), (8, 6)]);
        check("1/1", &[(3, 3), (4, 4)]);
    }

    #[test]
    fn half_of_the_cities_decide_nothing() {
        for text in ["1/2", "2/4", "0/3", "4/3", "2", "x/3", "2/0", "200/201", ""] {
            assert!(text.parse::<Quorum>().is_err(), "{text}");
        }
    }
}
