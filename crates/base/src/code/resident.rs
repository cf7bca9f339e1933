//! The citizen's identity number (公民身份号码), GB 11643-1999.
//!
//! Invariant: 17 digits and a check letter that is right; the birth date exists in the calendar.
//! The region prefix is the place of first issue and never changes: it is looked up to warn, never to reject.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Divisions, PrefixWarning, as_text, part, reasons};

/// Weights of the first 17 digits, GB 11643-1999 §4.2 (MOD 11-2 of ISO 7064).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// The check letter by remainder of the weighted sum.
const CHECKS: &[u8; 11] = b"10X98765432";
const LETTERS: usize = 18;
/// First-generation numbers have been void since 2013-01-01.
const LETTERS_OLD: usize = 15;

reasons! {
    /// Why a text is no resident number (公民身份号码); never holds the number itself.
    pub enum BadResidentId {
        /// Not 18 letters long.
        Length {
            /// How many there are.
            letters: usize
        } => "BAS-RES-001", ("公民身份号码应为 18 位，现为 {letters} 位"), ("An identity number has 18 letters, this has {letters}");
        /// A first-generation number of 15 digits.
        FirstGeneration => "BAS-RES-002", ("15 位旧身份证号码自 2013 年起停用，请填写 18 位号码"), ("Numbers of 15 digits have been void since 2013; give the one of 18");
        /// A letter where only a digit may stand.
        Letter {
            /// Its place, from 0.
            at: usize
        } => "BAS-RES-003", ("公民身份号码第 {} 位不是允许的字符", at + 1), ("Letter {} of the identity number is not allowed there", at + 1);
        /// Digits 7 to 14 are no date of the calendar.
        BirthDate => "BAS-RES-004", ("公民身份号码中的出生日期不存在"), ("The birth date in the identity number does not exist");
        /// The last letter does not fit the others; which would fit is not told, so that none is made up.
        Check => "BAS-RES-005", ("公民身份号码校验位不符，请核对是否输错"), ("The check letter of the identity number does not fit; look for a slip");
        /// The birth date lies after the day asked about.
        NotYetBorn => "BAS-RES-006", ("公民身份号码中的出生日期晚于今天"), ("The birth date in the identity number lies in the future");
    }
}

/// A citizen's identity number (公民身份号码). `Debug` masks it; `Display` shows it whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResidentId {
    letters: [u8; LETTERS],
    birth: Date,
}

impl ResidentId {
    /// The whole number as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.letters).unwrap_or("")
    }

    /// The date of birth (出生日期), the only one that an age rule may use.
    pub fn birth(&self) -> Date {
        self.birth
    }

    /// The sex by the 17th digit: odd is male (男).
    pub fn is_male(&self) -> bool {
        self.letters.get(16).is_some_and(|digit| digit % 2 == 1)
    }

    /// The six digits of the place of first issue (首次登记地), which is not where the person lives now.
    pub fn region(&self) -> &str {
        part(self.as_str(), 0, 6)
    }

    /// What is odd about the region prefix, if anything; a warning to staff, never a ground to refuse.
    pub fn region_warning(&self, divisions: &Divisions) -> Option<PrefixWarning> {
        divisions.prefix_warning(self.region())
    }

    /// The number with the birth date and the sequence hidden (脱敏): `430102********0012`.
    pub fn masked(&self) -> String {
        format!("{}********{}", self.region(), part(self.as_str(), 14, LETTERS))
    }

    /// Refuses a number whose birth date lies after `today`.
    pub fn born_by(&self, today: Date) -> Result<(), BadResidentId> {
        if today < self.birth { Err(BadResidentId::NotYetBorn) } else { Ok(()) }
    }

    /// Completed years of age on `day` (周岁): the birthday itself completes the year.
    ///
    /// Who is born on 29 February completes the year on 1 March of a common year.
    pub fn age_on(&self, day: Date) -> i32 {
        let years = i32::from(day.year()) - i32::from(self.birth.year());
        let had_birthday = (self.birth.month(), self.birth.day()) <= (day.month(), day.day());
        if had_birthday { years } else { years - 1 }
    }
}

impl FromStr for ResidentId {
    type Err = BadResidentId;

    /// A small `x` at the end is taken as `X`, because keyboards give it; nothing else is mended.
    fn from_str(text: &str) -> Result<ResidentId, BadResidentId> {
        let count = text.chars().count();
        if count == LETTERS_OLD && text.bytes().all(|letter| letter.is_ascii_digit()) {
            return Err(BadResidentId::FirstGeneration);
        }
        if count != LETTERS {
            return Err(BadResidentId::Length { letters: count });
        }
        if let Some(at) = text.chars().take(17).position(|letter| !letter.is_ascii_digit()) {
            return Err(BadResidentId::Letter { at });
        }
        let mut letters: [u8; LETTERS] =
            text.as_bytes().try_into().map_err(|_| BadResidentId::Letter { at: 17 })?;
        letters[17] = letters[17].to_ascii_uppercase();
        if !CHECKS.contains(&letters[17]) {
            return Err(BadResidentId::Letter { at: 17 });
        }
        let birth = birth_date(text).ok_or(BadResidentId::BirthDate)?;
        let sum: u32 =
            letters.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        if CHECKS.get((sum % 11) as usize) != Some(&letters[17]) {
            return Err(BadResidentId::Check);
        }
        Ok(ResidentId { letters, birth })
    }
}

/// No living holder was born before 1850; an earlier year is a slip.
const BIRTH_YEAR_MIN: i16 = 1850;

fn birth_date(text: &str) -> Option<Date> {
    let year: i16 = part(text, 6, 10).parse().ok()?;
    let month: i8 = part(text, 10, 12).parse().ok()?;
    let day: i8 = part(text, 12, 14).parse().ok()?;
    Date::new(year, month, day).ok().filter(|date| BIRTH_YEAR_MIN <= date.year())
}

as_text!(ResidentId, BadResidentId);

/// Masked, so that no log line and no failed assertion shows a number.
impl fmt::Debug for ResidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.masked())
    }
}
