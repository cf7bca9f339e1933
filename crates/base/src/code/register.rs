//! Numbers of the land and customs registers (不动产单元号、海关报关单号).
//!
//! Serves clauses 4.3 and 4.7.

use std::str::FromStr;

use super::division::is_digits;
use super::{BadDivision, DivisionCode, as_debug, as_text, part, reasons, text_code};

const UNIT_LETTERS: usize = 28;
const CUSTOMS_LETTERS: usize = 18;

reasons! {
    /// Why a text is no number of a real-estate unit (不动产单元号).
    pub enum BadRealEstateUnit {
        /// Not 28 letters long.
        Length {
            /// How many there are.
            letters: usize
        } => "BAS-REU-001", ("不动产单元号应为 28 位，现为 {letters} 位"), ("A real-estate unit number has 28 letters, this has {letters}");
        /// Division, cadastral district and sub-district are not 12 digits.
        District => "BAS-REU-002", ("不动产单元号前 12 位应为数字：区划 6、地籍区 3、地籍子区 3"), ("The first 12 letters are digits: division 6, cadastral district 3, sub-district 3");
        /// The division is no division code.
        Division {
            /// What is wrong with it.
            reason: BadDivision
        } => "BAS-REU-003", ("不动产单元号的行政区划有误：{reason}"), ("The division in the unit number is wrong: {reason}");
        /// The parcel's kind is not two capitals, or its sequence not five digits.
        Parcel => "BAS-REU-004", ("宗地代码后 7 位应为宗地特征码 2 位大写字母和 5 位顺序号"), ("The parcel ends with two capitals for its kind and five digits");
        /// The fixture's kind is no capital, or its number not eight digits.
        Fixture => "BAS-REU-005", ("定着物代码应为 1 位大写字母和 8 位数字"), ("The fixture is one capital and eight digits");
    }
}

text_code! {
    /// A real-estate unit (不动产单元号), GB/T 37346: parcel 19 (宗地) and fixture 9 (定着物).
    RealEstateUnitNo, BadRealEstateUnit
}

impl RealEstateUnitNo {
    /// The 19 letters of the parcel (宗地代码).
    pub fn parcel(&self) -> &str {
        part(&self.0, 0, 19)
    }

    /// The 9 letters of the fixture (定着物代码).
    pub fn fixture(&self) -> &str {
        part(&self.0, 19, UNIT_LETTERS)
    }

    /// The six digits of the county (县级行政区划).
    pub fn division(&self) -> &str {
        part(&self.0, 0, 6)
    }

    /// Whether the unit is the land alone (无定着物): `W00000000`.
    pub fn is_land_only(&self) -> bool {
        self.fixture() == "W00000000"
    }
}

impl FromStr for RealEstateUnitNo {
    type Err = BadRealEstateUnit;

    fn from_str(text: &str) -> Result<RealEstateUnitNo, BadRealEstateUnit> {
        let letters = text.chars().count();
        if letters != UNIT_LETTERS {
            return Err(BadRealEstateUnit::Length { letters });
        }
        if !is_digits(part(text, 0, 12)) {
            return Err(BadRealEstateUnit::District);
        }
        let division = part(text, 0, 6).parse::<DivisionCode>();
        division.map_err(|reason| BadRealEstateUnit::Division { reason })?;
        let is_capital =
            |text: &str| !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_uppercase());
        if !is_capital(part(text, 12, 14)) || !is_digits(part(text, 14, 19)) {
            return Err(BadRealEstateUnit::Parcel);
        }
        if !is_capital(part(text, 19, 20)) || !is_digits(part(text, 20, UNIT_LETTERS)) {
            return Err(BadRealEstateUnit::Fixture);
        }
        Ok(RealEstateUnitNo(text.to_owned()))
    }
}

reasons! {
    /// Why a text is no number of a customs declaration (海关报关单号).
    pub enum BadCustomsEntry {
        /// Not 18 letters long.
        Length {
            /// How many there are.
            letters: usize
        } => "BAS-CUS-001", ("海关报关单号应为 18 位数字，现为 {letters} 位"), ("A customs entry number has 18 digits, this has {letters}");
        /// Something else than a digit.
        Digit {
            /// Its place, from 0.
            at: usize
        } => "BAS-CUS-002", ("海关报关单号第 {} 位不是数字", at + 1), ("Letter {} of the customs entry number is not a digit", at + 1);
        /// The year cannot be.
        Year => "BAS-CUS-003", ("海关报关单号第 5 至 8 位应为年份（1980 至 2099）"), ("Digits 5 to 8 of the customs entry number are a year from 1980 to 2099");
        /// The ninth digit is neither import nor export.
        Direction => "BAS-CUS-004", ("海关报关单号第 9 位应为 0（出口）或 1（进口）"), ("Digit 9 of the customs entry number is 0 for export or 1 for import");
    }
}

/// Which way the goods go (进出口标志).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomsDirection {
    /// 出口.
    Export,
    /// 进口.
    Import,
}

text_code! {
    /// A customs declaration (海关报关单号): office 4, year 4, direction 1, sequence 9.
    CustomsEntryNo, BadCustomsEntry
}

impl CustomsEntryNo {
    /// The customs office (关区代码).
    pub fn office(&self) -> &str {
        part(&self.0, 0, 4)
    }

    /// The year of the declaration.
    pub fn year(&self) -> i16 {
        part(&self.0, 4, 8).parse().unwrap_or(0)
    }

    /// Import or export.
    pub fn direction(&self) -> CustomsDirection {
        match part(&self.0, 8, 9) {
            "0" => CustomsDirection::Export,
            _ => CustomsDirection::Import,
        }
    }
}

impl FromStr for CustomsEntryNo {
    type Err = BadCustomsEntry;

    fn from_str(text: &str) -> Result<CustomsEntryNo, BadCustomsEntry> {
        let letters = text.chars().count();
        if letters != CUSTOMS_LETTERS {
            return Err(BadCustomsEntry::Length { letters });
        }
        if let Some(at) = text.chars().position(|letter| !letter.is_ascii_digit()) {
            return Err(BadCustomsEntry::Digit { at });
        }
        if !matches!(part(text, 4, 8).parse(), Ok(1980..=2099)) {
            return Err(BadCustomsEntry::Year);
        }
        if !matches!(part(text, 8, 9), "0" | "1") {
            return Err(BadCustomsEntry::Direction);
        }
        Ok(CustomsEntryNo(text.to_owned()))
    }
}
