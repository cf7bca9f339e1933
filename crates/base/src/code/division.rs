//! Administrative divisions (行政区划): codes of GB/T 2260 with 6, 9 or 12 digits, and the region's table.
//!
//! Invariant: a code is digits of a proper length; whether it is in the table is a separate question.
//! A retired or unknown prefix warns and never rejects: numbers issued under it stay valid.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{as_debug, as_text, first_bad, part, reasons};
use crate::NodeId;

reasons! {
    /// Why a text is no division code (行政区划代码).
    pub enum BadDivision {
        /// Not 6, 9 or 12 digits long.
        Length {
            /// How many there are.
            letters: usize
        } => "BAS-DIV-001", ("行政区划代码应为 6、9 或 12 位，现为 {letters} 位"), ("A division code has 6, 9 or 12 digits, this has {letters}");
        /// Something else than a digit.
        Digit {
            /// Its place, from 0.
            at: usize
        } => "BAS-DIV-002", ("行政区划代码第 {} 位不是数字", at + 1), ("Letter {} of the division code is not a digit", at + 1);
        /// A level is left out: a county without its city, or a village without its township.
        Gap => "BAS-DIV-003", ("行政区划代码缺少上级：有下级代码而上级为零"), ("The division code skips a level: a lower one is given and the one above is zero");
        /// No province has these two digits.
        Province => "BAS-DIV-004", ("行政区划代码前两位不是省级代码"), ("The first two digits of the division code name no province");
    }
}

/// The level of a division (行政层级).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DivisionLevel {
    /// 省级.
    Province,
    /// 地市级.
    City,
    /// 县区级.
    County,
    /// 乡镇、街道.
    Township,
    /// 村、社区.
    Village,
}

/// A division code (行政区划代码) of 6, 9 or 12 digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DivisionCode(String);

impl DivisionCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The level that the digits say.
    pub fn level(&self) -> DivisionLevel {
        let given = |from, to| part(&self.0, from, to).bytes().any(|digit| digit != b'0');
        if given(9, 12) {
            DivisionLevel::Village
        } else if given(6, 9) {
            DivisionLevel::Township
        } else if given(4, 6) {
            DivisionLevel::County
        } else if given(2, 4) {
            DivisionLevel::City
        } else {
            DivisionLevel::Province
        }
    }

    /// The six digits of the province.
    pub fn province(&self) -> DivisionCode {
        DivisionCode(format!("{}0000", part(&self.0, 0, 2)))
    }

    /// The six digits of the city, if the code is of a city or below.
    pub fn city(&self) -> Option<DivisionCode> {
        (DivisionLevel::City <= self.level()).then(|| DivisionCode(format!("{}00", part(&self.0, 0, 4))))
    }

    /// The six digits of the county, if the code is of a county or below.
    pub fn county(&self) -> Option<DivisionCode> {
        (DivisionLevel::County <= self.level()).then(|| DivisionCode(part(&self.0, 0, 6).to_owned()))
    }

    /// The next division above, if any.
    pub fn parent(&self) -> Option<DivisionCode> {
        match self.level() {
            DivisionLevel::Province => None,
            DivisionLevel::City => Some(self.province()),
            DivisionLevel::County => self.city(),
            DivisionLevel::Township => self.county(),
            DivisionLevel::Village => Some(DivisionCode(part(&self.0, 0, 9).to_owned())),
        }
    }

    /// Whether `other` is this division or lies in it.
    pub fn contains(&self, other: &DivisionCode) -> bool {
        other.0.starts_with(self.significant())
    }

    /// The node of the city that the division belongs to.
    pub fn node(&self) -> Option<NodeId> {
        self.city().and_then(|city| city.as_str().parse().ok())
    }

    /// The digits that say something: without the zeros that stand for "all of it".
    fn significant(&self) -> &str {
        match self.level() {
            DivisionLevel::Province => part(&self.0, 0, 2),
            DivisionLevel::City => part(&self.0, 0, 4),
            DivisionLevel::County => part(&self.0, 0, 6),
            DivisionLevel::Township => part(&self.0, 0, 9),
            DivisionLevel::Village => &self.0,
        }
    }
}

impl FromStr for DivisionCode {
    type Err = BadDivision;

    fn from_str(text: &str) -> Result<DivisionCode, BadDivision> {
        let count = text.chars().count();
        if ![6, 9, 12].contains(&count) {
            return Err(BadDivision::Length { letters: count });
        }
        if let Some(at) = text.chars().position(|letter| !letter.is_ascii_digit()) {
            return Err(BadDivision::Digit { at });
        }
        if !is_province(part(text, 0, 2)) {
            return Err(BadDivision::Province);
        }
        let given = |from, to| part(text, from, to).bytes().any(|digit| digit != b'0');
        let levels = [given(2, 4), given(4, 6), given(6, 9), given(9, 12)];
        if levels.is_sorted_by(|above, below| *above || !*below) {
            return Ok(DivisionCode(text.to_owned()));
        }
        Err(BadDivision::Gap)
    }
}

as_text!(DivisionCode, BadDivision);
as_debug!(DivisionCode);

/// Whether two digits are those of a province, GB/T 2260.
fn is_province(digits: &str) -> bool {
    const PROVINCES: [&str; 34] = [
        "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42",
        "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82",
    ];
    PROVINCES.contains(&digits)
}

/// Whether a code of the table is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DivisionState {
    /// An administrative division in force (现行).
    Current,
    /// No longer in use; numbers issued under it stay valid (已撤销).
    Retired {
        /// The year in which it ended.
        year: i16,
        /// The day of the approval, where it is known.
        on: Option<Date>,
        /// The code that took its place, if one alone did.
        successor: Option<DivisionCode>,
        /// Whether year and successor are confirmed by a source.
        confirmed: bool,
    },
    /// A zone of the statistics bureau, not of GB/T 2260 (统计用区划，非行政区划).
    Statistical,
}

/// A row of the table of divisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Division {
    /// The code.
    pub code: DivisionCode,
    /// The Chinese name.
    pub name: String,
    /// Whether it is in force.
    pub state: DivisionState,
}

/// What is odd about the region prefix of a number; shown to staff, never a ground to refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrefixWarning {
    /// The code is retired: normal for older people.
    Retired(Division),
    /// The code is statistical: no number should carry it.
    Statistical(Division),
    /// Of this region's cities, but in no edition of the table.
    Unknown,
    /// The first two digits name no province.
    NoProvince,
}

/// The three cities' zones that statistics counts as counties and GB/T 2260 does not.
const STATISTICAL: [&str; 3] = ["430371", "430372", "430373"];

/// The divisions of the shipped region (区划表): province, three cities, counties, townships, retired codes.
#[derive(Clone, Debug)]
pub struct Divisions {
    rows: BTreeMap<DivisionCode, Division>,
}

impl Divisions {
    /// The table that is shipped with the region, from `region/`.
    pub fn region() -> &'static Divisions {
        // An unreadable line is left out: its code then warns, and a warning never rejects. A test reads every line.
        static REGION: LazyLock<Divisions> = LazyLock::new(|| {
            let current =
                include_str!("../../../../region/divisions.csv").lines().skip(1).filter_map(current_row);
            let retired = include_str!("../../../../region/divisions_retired.csv")
                .lines()
                .skip(1)
                .filter_map(retired_row);
            Divisions::new(current.chain(retired))
        });
        &REGION
    }

    /// A table of the given rows.
    pub fn new(rows: impl IntoIterator<Item = Division>) -> Divisions {
        Divisions { rows: rows.into_iter().map(|row| (row.code.clone(), row)).collect() }
    }

    /// The row of a code.
    pub fn find(&self, code: &DivisionCode) -> Option<&Division> {
        self.rows.get(code)
    }

    /// The name of a code, if the table has it.
    pub fn name(&self, code: &DivisionCode) -> Option<&str> {
        self.find(code).map(|row| row.name.as_str())
    }

    /// The full name from the city down (长沙市芙蓉区), if the table has the code.
    pub fn full_name(&self, code: &DivisionCode) -> Option<String> {
        let own = self.name(code)?;
        match code.parent().filter(|parent| DivisionLevel::City <= parent.level()) {
            Some(parent) => Some(self.full_name(&parent).unwrap_or_default() + own),
            None => Some(own.to_owned()),
        }
    }

    /// All rows, in the order of the codes.
    pub fn iter(&self) -> impl Iterator<Item = &Division> {
        self.rows.values()
    }

    /// The administrative divisions in force directly below a code.
    pub fn children<'a>(&'a self, code: &'a DivisionCode) -> impl Iterator<Item = &'a Division> {
        self.iter()
            .filter(|row| row.state == DivisionState::Current && row.code.parent().as_ref() == Some(code))
    }

    /// What is odd about the first six digits of a number; a prefix outside the table's cities is not judged.
    pub fn prefix_warning(&self, prefix: &str) -> Option<PrefixWarning> {
        if !is_province(part(prefix, 0, 2)) && part(prefix, 0, 2) != "83" {
            return Some(PrefixWarning::NoProvince);
        }
        let code: DivisionCode = match prefix.parse() {
            Ok(code) => code,
            Err(BadDivision::Province) => return None,
            Err(_) => return Some(PrefixWarning::Unknown),
        };
        match self.find(&code).map(|row| (row, &row.state)) {
            Some((_, DivisionState::Current)) => None,
            Some((row, DivisionState::Retired { .. })) => Some(PrefixWarning::Retired(row.clone())),
            Some((row, DivisionState::Statistical)) => Some(PrefixWarning::Statistical(row.clone())),
            None => {
                let ours = code.city().is_some_and(|city| self.rows.contains_key(&city));
                ours.then_some(PrefixWarning::Unknown)
            }
        }
    }
}

/// `code,name,level,parent`; the level follows from the digits.
fn current_row(line: &str) -> Option<Division> {
    let mut fields = line.split(',');
    let code: DivisionCode = fields.next()?.parse().ok()?;
    let name = fields.next().filter(|name| !name.is_empty())?.to_owned();
    let is_statistical = STATISTICAL.iter().any(|zone| code.as_str() == *zone);
    let state = if is_statistical { DivisionState::Statistical } else { DivisionState::Current };
    Some(Division { code, name, state })
}

/// `code,name,until,successor,confirmed`; until is a day, or a year where the day is not known.
fn retired_row(line: &str) -> Option<Division> {
    let fields: Vec<&str> = line.split(',').collect();
    let &[code, name, until, successor, confirmed] = fields.as_slice() else { return None };
    let state = DivisionState::Retired {
        year: part(until, 0, 4).parse().ok()?,
        on: until.parse().ok(),
        successor: if successor.is_empty() { None } else { Some(successor.parse().ok()?) },
        confirmed: confirmed == "yes",
    };
    Some(Division { code: code.parse().ok()?, name: name.to_owned(), state })
}

/// Whether all letters of a text are digits; shared with codes that hold a division.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && first_bad(text, |letter| letter.is_ascii_digit()).is_none()
}
