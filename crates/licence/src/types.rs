//! Licence types (证照类型) as definitions: which fields, shown to whom, for how long.
//! Serves clauses 3.3 and 3.5.
//!
//! Invariant: a set of types loads whole or not at all; every problem is told at once, with file and line.

mod check;
mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use tb_base::{Date, Refusal, Result};

/// Who looks at a licence; each is shown the fields that the definition names for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Viewer {
    /// Anybody to whom the holder shows it (扫码的人).
    Public,
    /// An inspector on duty (执法检查人员).
    Inspector,
    /// An office that handles her case (办件单位).
    Office,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Words.
    Text,
    /// A date, `2026-12-10`.
    Date,
    /// A whole number.
    Number,
    /// A resident number (公民身份号码).
    ResidentNumber,
    /// A unified social credit code (统一社会信用代码).
    Uscc,
}

/// How the public sees a value that it sees only in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mask {
    /// The last letter of a name only (`*强`).
    Name,
    /// The first six and the last four letters of a number.
    Number,
}

/// Whom a type of licence is issued to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderKind {
    /// A natural person, known by the resident number.
    Person,
    /// A market entity, known by its credit code.
    Enterprise,
}

/// A row of the term table (有效期): from that age on, so many years; none means without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Term {
    /// The age on the day of issue from which the row applies.
    pub from_age: u32,
    /// How many years.
    pub years: Option<u32>,
}

/// A field of a type of licence (照面信息项).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name in records and contracts.
    pub id: String,
    /// What people read, in Chinese.
    pub title: String,
    /// The same in English.
    pub title_en: String,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether every licence has it.
    pub required: bool,
    /// Who is shown it; the holder always is.
    pub shown_to: BTreeSet<Viewer>,
    /// How the public sees it.
    pub masked: Option<Mask>,
}

/// A type of licence (证照类型) as its definition says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LicenceType {
    /// Its name, such as `resident_card`.
    pub id: String,
    /// Version of the definition.
    pub version: u32,
    /// The 21 letters in the licence identifier: credit code of the definer and three digits.
    pub code: String,
    /// The clause of the agreement that it serves.
    pub clause: String,
    /// Law that it rests on.
    pub basis: String,
    /// Who is responsible for the definition.
    pub owner: String,
    /// The same in English.
    pub owner_en: String,
    /// From which day it may be issued by this definition.
    pub effective: Date,
    /// Its name for people, in Chinese.
    pub title: String,
    /// The same in English.
    pub title_en: String,
    /// Whom it is issued to.
    pub holder: HolderKind,
    /// Items that may ask for it (用证清单); `*` for any item that lists it.
    pub items: BTreeSet<String>,
    /// Terms by age; empty where each licence has its own.
    pub validity: Vec<Term>,
    /// Its fields, in the order of the face.
    pub fields: Vec<Field>,
    /// Names of keys or fields whose source is not certain; shown to officers, never a ground to refuse.
    pub unconfirmed: BTreeSet<String>,
}

impl LicenceType {
    /// The field of that name.
    pub fn field(&self, id: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.id == id)
    }

    /// Names of the fields that a viewer is shown.
    pub fn shown_to(&self, viewer: Viewer) -> BTreeSet<String> {
        let fields = self.fields.iter().filter(|field| field.shown_to.contains(&viewer));
        fields.map(|field| field.id.clone()).collect()
    }

    /// Whether an item may ask for it.
    pub fn serves(&self, item: &str) -> bool {
        self.items.contains("*") || self.items.contains(item)
    }

    /// The last day of a term that begins on `from`, for a holder of that age; none is without end.
    pub fn term_end(&self, from: Date, age: u32) -> Option<Date> {
        let row = self.validity.iter().rev().find(|row| row.from_age <= age)?;
        let year = from.year().checked_add(i16::try_from(row.years?).ok()?)?;
        // A term that begins on 29 February ends on the 27th or 28th of a common year.
        let same_day = Date::new(year, from.month(), from.day()).or_else(|_| Date::new(year, 2, 28));
        same_day.ok()?.yesterday().ok()
    }

    /// SM3 of the canonical text, in lower-case hex: what cities compare and sign.
    pub fn hash(&self) -> Result<String> {
        Ok(tb_crypto::text::hex(&tb_crypto::sm3(&tb_crypto::canonical(self)?)))
    }
}

/// A value as the public sees it.
pub fn mask(how: Mask, value: &str) -> String {
    let letters: Vec<char> = value.chars().collect();
    let (head, tail) = match how {
        Mask::Name => (0, 1),
        Mask::Number => (6, 4),
    };
    if letters.len() <= head + tail {
        return "*".repeat(letters.len());
    }
    let shown = |at: usize| at < head || letters.len() - tail <= at;
    letters.iter().enumerate().map(|(at, letter)| if shown(at) { *letter } else { '*' }).collect()
}

/// Something wrong in a definition, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.text)
    }
}

/// The types that a city knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Types {
    by_id: BTreeMap<String, LicenceType>,
}

impl Types {
    /// Loads definitions: (file name, text). Gives every problem of every file.
    pub fn load(files: &[(&str, &str)]) -> std::result::Result<Types, Vec<Problem>> {
        check::load(files)
            .map(|types| Types { by_id: types.into_iter().map(|it| (it.id.clone(), it)).collect() })
    }

    /// The type of that name, if it is known.
    pub fn get(&self, id: &str) -> Option<&LicenceType> {
        self.by_id.get(id)
    }

    /// The type of that name; refuses one that nobody defined.
    pub fn find(&self, id: &str) -> Result<&LicenceType> {
        self.get(id).ok_or_else(|| {
            Refusal::invalid("LIC-TYP-001", "没有这种证照类型", "There is no such type of licence")
                .but("请从目录中选择证照类型", "Choose a type from the catalogue")
                .into()
        })
    }

    /// All types, by name.
    pub fn all(&self) -> impl Iterator<Item = &LicenceType> {
        self.by_id.values()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.by_id.len()
    }
}

#[cfg(test)]
mod tests;
