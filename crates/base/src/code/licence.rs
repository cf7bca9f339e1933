//! The identifier of an electronic licence (电子证照标识), GB/T 36904-2018.
//!
//! Invariant: root, type code, issuer, serial, version and check in their form.
//! The check letter must fit for what we issue; what comes from outside keeps a mismatch as a quality flag,
//! because published identifiers exist that do not fit.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Uscc, as_debug, first_bad, is_code_letter, part, reasons};

/// The root of licence identifiers in the national object-identifier tree.
const ROOT: &str = "1.2.156.3005.2";
/// USCC of the type's definer (18) and three digits.
const TYPE_LETTERS: usize = 21;
const SERIAL_LETTERS_MAX: usize = 32;
const VERSION_MAX: u16 = 999;
/// The values of letters under ISO/IEC 7064 MOD 37,36.
const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

reasons! {
    /// Why a text is no licence identifier (电子证照标识).
    pub enum BadLicenceOid {
        /// Does not begin with the root.
        Root => "BAS-LIC-001", ("电子证照标识应以 1.2.156.3005.2 开头"), ("A licence identifier begins with 1.2.156.3005.2");
        /// Not five parts after the root.
        Parts {
            /// How many there are.
            parts: usize
        } => "BAS-LIC-002", ("电子证照标识根之后应有 5 段，现有 {parts} 段"), ("A licence identifier has 5 parts after the root, this has {parts}");
        /// The type code is not 18 letters of its definer and three digits.
        Type => "BAS-LIC-003", ("证照类型代码应为 21 位：定义机构统一社会信用代码 18 位加 3 位数字"), ("The licence type code has 21 letters: the definer's credit code and three digits");
        /// The issuer is neither a credit code nor six digits.
        Issuer => "BAS-LIC-004", ("颁证机构代码应为 18 位统一社会信用代码，旧数据可为 6 位行政区划代码"), ("The issuer is a credit code of 18 letters, in older data a division of six digits");
        /// The serial number is empty or longer than 32 letters.
        SerialLength {
            /// How many there are.
            letters: usize
        } => "BAS-LIC-005", ("证照流水号应为 1 至 32 位，现为 {letters} 位"), ("The serial number has 1 to 32 letters, this has {letters}");
        /// The serial number holds another letter than digits and capitals.
        SerialLetter {
            /// Its place in the serial number, from 0.
            at: usize
        } => "BAS-LIC-006", ("证照流水号第 {} 位不是数字或大写字母", at + 1), ("Letter {} of the serial number is neither digit nor capital", at + 1);
        /// The version is not three digits, or 000.
        Version => "BAS-LIC-007", ("证照版本号应为 001 至 999 的 3 位数字"), ("The licence version is three digits, 001 to 999");
        /// The check is not one digit or capital.
        CheckLetter => "BAS-LIC-008", ("电子证照标识校验位应为 1 位数字或大写字母"), ("The check of a licence identifier is one digit or capital");
        /// The check letter does not fit the others.
        Check {
            /// The letter that would fit.
            expected: char
        } => "BAS-LIC-009", ("电子证照标识校验位应为 {expected}"), ("The check letter of the licence identifier should be {expected}");
    }
}

/// How far an identifier from outside can be trusted to be free of slips (数据质量标记).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// The check letter fits.
    Good,
    /// The check letter does not fit: kept, and shown to staff.
    CheckMismatch {
        /// The letter that would fit.
        expected: char,
    },
}

/// An electronic licence's identifier (电子证照标识).
///
/// `FromStr` is strict and meant for our own licences; serde and [`LicenceOid::inbound`] accept a check letter
/// that does not fit, which [`LicenceOid::quality`] then says.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LicenceOid(String);

impl LicenceOid {
    /// Makes the identifier of a licence that we issue.
    pub fn issue(
        type_code: &str,
        issuer: &Uscc,
        serial: &str,
        version: u16,
    ) -> Result<LicenceOid, BadLicenceOid> {
        if part(type_code, 0, 18).parse::<Uscc>().is_err() {
            return Err(BadLicenceOid::Type);
        }
        if VERSION_MAX < version {
            return Err(BadLicenceOid::Version);
        }
        let body = format!("{type_code}.{issuer}.{serial}.{version:03}");
        let check = check_letter(&body);
        format!("{ROOT}.{body}.{check}").parse()
    }

    /// Takes an identifier from outside: the form must be right, a wrong check letter is a flag.
    pub fn inbound(text: &str) -> Result<(LicenceOid, Quality), BadLicenceOid> {
        check_form(text)?;
        let oid = LicenceOid(text.to_owned());
        let quality = oid.quality();
        Ok((oid, quality))
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the check letter fits.
    pub fn quality(&self) -> Quality {
        let (body, check) = self.tail().rsplit_once('.').unwrap_or(("", ""));
        let expected = check_letter(body);
        if check.starts_with(expected) { Quality::Good } else { Quality::CheckMismatch { expected } }
    }

    /// The licence type (证照类型代码): 21 letters.
    pub fn type_code(&self) -> &str {
        self.part(0)
    }

    /// The issuer (颁证机构代码).
    pub fn issuer(&self) -> &str {
        self.part(1)
    }

    /// The serial number (流水号).
    pub fn serial(&self) -> &str {
        self.part(2)
    }

    /// The version (版本号), from 1.
    pub fn version(&self) -> u16 {
        self.part(3).parse().unwrap_or(0)
    }

    fn tail(&self) -> &str {
        self.0.strip_prefix(ROOT).and_then(|tail| tail.strip_prefix('.')).unwrap_or("")
    }

    fn part(&self, place: usize) -> &str {
        self.tail().split('.').nth(place).unwrap_or("")
    }
}

impl FromStr for LicenceOid {
    type Err = BadLicenceOid;

    fn from_str(text: &str) -> Result<LicenceOid, BadLicenceOid> {
        match LicenceOid::inbound(text)? {
            (oid, Quality::Good) => Ok(oid),
            (_, Quality::CheckMismatch { expected }) => Err(BadLicenceOid::Check { expected }),
        }
    }
}

impl TryFrom<String> for LicenceOid {
    type Error = BadLicenceOid;

    fn try_from(text: String) -> Result<LicenceOid, BadLicenceOid> {
        LicenceOid::inbound(&text).map(|(oid, _)| oid)
    }
}

impl From<LicenceOid> for String {
    fn from(oid: LicenceOid) -> String {
        oid.0
    }
}

impl std::fmt::Display for LicenceOid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

as_debug!(LicenceOid);

fn check_form(text: &str) -> Result<(), BadLicenceOid> {
    let tail = text.strip_prefix(ROOT).and_then(|tail| tail.strip_prefix('.')).ok_or(BadLicenceOid::Root)?;
    let parts: Vec<&str> = tail.split('.').collect();
    let &[type_code, issuer, serial, version, check] = parts.as_slice() else {
        return Err(BadLicenceOid::Parts { parts: parts.len() });
    };
    let is_code = |text: &str| first_bad(text, is_code_letter).is_none();
    let is_digits = |text: &str| text.bytes().all(|letter| letter.is_ascii_digit());
    if type_code.len() != TYPE_LETTERS || !is_code(type_code) || !is_digits(part(type_code, 18, TYPE_LETTERS))
    {
        return Err(BadLicenceOid::Type);
    }
    let is_division = issuer.len() == 6 && is_digits(issuer);
    if !(is_division || issuer.len() == 18 && is_code(issuer)) {
        return Err(BadLicenceOid::Issuer);
    }
    let letters = serial.chars().count();
    if letters == 0 || SERIAL_LETTERS_MAX < letters {
        return Err(BadLicenceOid::SerialLength { letters });
    }
    if let Some(at) = first_bad(serial, is_code_letter) {
        return Err(BadLicenceOid::SerialLetter { at });
    }
    if version.len() != 3 || !is_digits(version) || version == "000" {
        return Err(BadLicenceOid::Version);
    }
    if check.len() != 1 || !is_code(check) {
        return Err(BadLicenceOid::CheckLetter);
    }
    Ok(())
}

/// ISO/IEC 7064 MOD 37,36 over the parts without root and dots.
fn check_letter(body: &str) -> char {
    let mut product = 36;
    for letter in body.bytes().filter(|letter| *letter != b'.') {
        let value = ALPHABET.iter().position(|it| *it == letter).unwrap_or(0);
        let sum = (product + value) % 36;
        product = if sum == 0 { 36 } else { sum } * 2 % 37;
    }
    ALPHABET.get((37 - product) % 36).map_or('0', |letter| char::from(*letter))
}
