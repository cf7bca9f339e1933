//! The unified social credit code of organisations (统一社会信用代码), GB 32100-2015.
//!
//! Invariant: 18 letters of [`ALPHABET`], digits where the division stands, the last letter being the check.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{as_debug, as_text, part, reasons};

/// Digits and capitals without I, O, S, V, Z, which are easily misread; the place is the value.
pub const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const LETTERS: usize = 18;
/// Where the registrar's division code stands.
const DIVISION: std::ops::Range<usize> = 2..8;

reasons! {
    /// Why a text is no unified social credit code (统一社会信用代码).
    pub enum BadUscc {
        /// Not 18 letters long.
        Length {
            /// How many there are.
            letters: usize
        } => "BAS-USC-001", ("统一社会信用代码应为 18 位，现为 {letters} 位"), ("A unified social credit code has 18 letters, this has {letters}");
        /// A letter outside the alphabet: small, or one of I, O, S, V, Z.
        Letter {
            /// Its place, from 0.
            at: usize
        } => "BAS-USC-002", ("统一社会信用代码第 {} 位不是允许的字符（只用数字和大写字母，不用 I、O、S、V、Z）", at + 1), ("Letter {} of the unified social credit code is not allowed (digits and capitals without I, O, S, V, Z)", at + 1);
        /// A letter where the six digits of the registrar's division stand.
        Division {
            /// Its place, from 0.
            at: usize
        } => "BAS-USC-003", ("统一社会信用代码第 {} 位应为数字（登记机关行政区划码）", at + 1), ("Letter {} of the unified social credit code must be a digit (division of the registrar)", at + 1);
        /// The last letter does not fit the others.
        Check {
            /// The letter that would fit.
            expected: char
        } => "BAS-USC-004", ("统一社会信用代码校验位应为 {expected}，请核对是否输错"), ("The check letter of the unified social credit code should be {expected}; look for a slip");
    }
}

/// The kind of authority that registered the body (登记管理部门), by the first letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registrar {
    /// Organs and public institutions (机构编制).
    Establishment,
    /// Social groups, private non-enterprises and foundations (民政).
    CivilAffairs,
    /// Companies, sole traders and farmers' co-operatives (市场监管).
    Market,
    /// Any other letter of the standard (其他).
    Other,
}

/// A unified social credit code (统一社会信用代码).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uscc([u8; LETTERS]);

impl Uscc {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }

    /// Who registered the body.
    pub fn registrar(&self) -> Registrar {
        match self.0.first() {
            Some(b'1') => Registrar::Establishment,
            Some(b'5') => Registrar::CivilAffairs,
            Some(b'9') => Registrar::Market,
            _ => Registrar::Other,
        }
    }

    /// Registrar and category (机构类别), such as `91` for a company and `92` for a sole trader.
    pub fn category(&self) -> &str {
        part(self.as_str(), 0, 2)
    }

    /// The six digits of the registrar's division, which may be a retired code.
    pub fn division(&self) -> &str {
        part(self.as_str(), DIVISION.start, DIVISION.end)
    }

    /// The check letter that belongs to the first 17 letters.
    pub fn check_letter(first: &str) -> Result<char, BadUscc> {
        let mut sum = 0;
        let mut weight = 1;
        for (at, letter) in first.bytes().enumerate() {
            let value = ALPHABET.iter().position(|it| *it == letter).ok_or(BadUscc::Letter { at })?;
            sum += value * weight;
            weight = weight * 3 % ALPHABET.len();
        }
        let place = (ALPHABET.len() - sum % ALPHABET.len()) % ALPHABET.len();
        Ok(ALPHABET.get(place).map_or('0', |letter| char::from(*letter)))
    }
}

impl FromStr for Uscc {
    type Err = BadUscc;

    fn from_str(text: &str) -> Result<Uscc, BadUscc> {
        let count = text.chars().count();
        if count != LETTERS {
            return Err(BadUscc::Length { letters: count });
        }
        if let Some(at) =
            text.chars().position(|letter| !u8::try_from(letter).is_ok_and(|it| ALPHABET.contains(&it)))
        {
            return Err(BadUscc::Letter { at });
        }
        if let Some(at) = part(text, DIVISION.start, DIVISION.end).bytes().position(|it| !it.is_ascii_digit())
        {
            return Err(BadUscc::Division { at: DIVISION.start + at });
        }
        let expected = Uscc::check_letter(part(text, 0, LETTERS - 1))?;
        if !text.ends_with(expected) {
            return Err(BadUscc::Check { expected });
        }
        text.as_bytes().try_into().map(Uscc).map_err(|_| BadUscc::Length { letters: count })
    }
}

as_text!(Uscc, BadUscc);
as_debug!(Uscc);
