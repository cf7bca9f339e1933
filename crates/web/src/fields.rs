//! The state of a form (表单状态): what was typed, what is wrong with it, and how it shows itself.
//!
//! Reading collects every error; nothing that was typed is lost, except passwords and files.

mod reader;
mod show;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use tb_base::{Class, Date, Error, Refusal};

pub use reader::Reader;

use crate::field::{Field, Input};
use crate::lang::Lang;
use crate::page::PageError;
use crate::upload::Upload;
use crate::visit::Visit;

/// Letters of a one-line answer, unless a reader asks for fewer.
pub const LINE_LETTERS_MAX: usize = 200;
/// Letters of a longer answer.
pub const AREA_LETTERS_MAX: usize = 4_000;
/// Letters of a drawn signature, as a data address.
pub const SIGNATURE_LETTERS_MAX: usize = 200_000;

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field, or empty where the whole form is meant.
    pub name: String,
    /// What it is called.
    pub label: String,
    /// What is wrong and how to mend it.
    pub message: String,
    /// The code of the refusal behind it, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// The state of one form.
#[derive(Clone, Debug)]
pub struct Fields {
    lang: Lang,
    csrf: String,
    values: BTreeMap<String, Vec<String>>,
    files: Vec<Upload>,
    bad_files: Vec<(String, Refusal)>,
    errors: Vec<FieldError>,
    filter: bool,
}

impl Fields {
    /// An empty form.
    pub fn blank(visit: &Visit) -> Fields {
        Fields {
            lang: visit.lang,
            csrf: visit.csrf.clone(),
            values: BTreeMap::new(),
            files: Vec::new(),
            bad_files: Vec::new(),
            errors: Vec::new(),
            filter: false,
        }
    }

    /// A form of GET: filters and searches, read from the address.
    pub fn from_query(visit: &Visit) -> Fields {
        let mut fields = Fields { filter: true, ..Fields::blank(visit) };
        for (name, value) in crate::query::pairs(&visit.query) {
            fields.values.entry(name).or_default().push(value);
        }
        fields
    }

    pub(crate) fn sent(
        lang: Lang,
        csrf: String,
        values: BTreeMap<String, Vec<String>>,
        files: Vec<Result<Upload, (String, Refusal)>>,
    ) -> Fields {
        let mut fields = Fields {
            lang,
            csrf,
            values,
            files: Vec::new(),
            bad_files: Vec::new(),
            errors: Vec::new(),
            filter: false,
        };
        for file in files {
            match file {
                Ok(upload) => fields.files.push(upload),
                Err(bad) => fields.bad_files.push(bad),
            }
        }
        fields
    }

    /// The form with a value filled in beforehand.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Fields {
        self.values.insert(name.to_owned(), vec![value.into()]);
        self
    }

    /// Begins to read a field: `fields.read(&PHONE).parse::<Phone>().required()`.
    pub fn read(&mut self, field: &Field<'_>) -> Reader<'_, String> {
        let given = self.value(field.name).trim().to_owned();
        if field.input == Input::Password {
            // Secrets are neither shown again nor part of the view model; and their spaces count.
            let secret = self.values.remove(field.name).and_then(|values| values.into_iter().next());
            return Reader::new(self, field, secret.filter(|secret| !secret.is_empty()))
                .max(LINE_LETTERS_MAX);
        }
        let letters_max = match field.input {
            Input::Area => AREA_LETTERS_MAX,
            Input::Signature => SIGNATURE_LETTERS_MAX,
            _ => LINE_LETTERS_MAX,
        };
        let choices = field.choices();
        let reader = Reader::new(self, field, (!given.is_empty()).then_some(given)).max(letters_max);
        match field.input {
            Input::Radio(_) | Input::Select(_) => reader.one_of(choices),
            Input::Signature => reader.drawn(),
            _ => reader,
        }
    }

    /// Begins to read a day: three boxes `name.y`, `name.m`, `name.d`, or one text `2026-11-24`.
    pub fn date(&mut self, field: &Field<'_>) -> Reader<'_, Date> {
        let part = |part: &str| self.value(&format!("{}.{part}", field.name)).trim().to_owned();
        let (year, month, day) = (part("y"), part("m"), part("d"));
        let whole = self.value(field.name).trim().to_owned();
        let text = match (whole.is_empty(), year.is_empty() && month.is_empty() && day.is_empty()) {
            (false, _) => Some(whole),
            (true, true) => None,
            (true, false) => Some(format!("{year:0>4}-{month:0>2}-{day:0>2}")),
        };
        Reader::new(self, field, text).try_with(|text| {
            text.parse::<Date>().map_err(|_| {
                Refusal::invalid(
                    "WEB-FIELD-004",
                    "没有这一天，请按年、月、日填写，如 2026 11 24",
                    "There is no such day; write year, month and day, such as 2026 11 24",
                )
            })
        })
    }

    /// Begins to read a whole number.
    pub fn number(&mut self, field: &Field<'_>) -> Reader<'_, i64> {
        self.read(field).try_with(|text| {
            let digits: String =
                text.chars().filter(|letter| !matches!(letter, ',' | ' ' | '\u{a0}')).collect();
            digits.parse::<i64>().map_err(|_| {
                Refusal::invalid("WEB-FIELD-005", "只填数字，不带单位", "Write digits only, without a unit")
            })
        })
    }

    /// The boxes that were ticked; a value that is not offered is an error.
    pub fn boxes(&mut self, field: &Field<'_>) -> Option<Vec<String>> {
        let given = self.values.get(field.name).cloned().unwrap_or_default();
        let offered =
            |value: &String| field.choices().iter().any(|choice| choice.value == value && !choice.off);
        if !given.iter().all(offered) {
            self.wrong(field, &not_offered());
            return None;
        }
        if given.is_empty() && !field.optional {
            self.wrong(field, &Refusal::invalid("WEB-FIELD-001", "至少选一项", "Choose at least one"));
            return None;
        }
        Some(given)
    }

    /// Whether a statement was agreed to; otherwise an error that says what it is needed for.
    pub fn agreed(&mut self, field: &Field<'_>, zh: &'static str, en: &'static str) -> Option<()> {
        if !self.value(field.name).is_empty() {
            return Some(());
        }
        self.wrong(field, &Refusal::invalid("WEB-FIELD-006", zh, en));
        None
    }

    /// The files of a field; broken, oversize and unknown ones are errors by name. None when any is wrong.
    pub fn files(&mut self, field: &Field<'_>) -> Option<Vec<Upload>> {
        let bad: Vec<_> = self.bad_files.iter().filter(|(name, _)| name == field.name).cloned().collect();
        for (_, refusal) in &bad {
            self.wrong(field, refusal);
        }
        let files: Vec<_> = self.files.iter().filter(|file| file.field == field.name).cloned().collect();
        if bad.is_empty() && files.is_empty() && !field.optional {
            self.wrong(field, &Refusal::invalid("WEB-FIELD-001", "请选择文件", "Choose a file"));
        }
        (bad.is_empty() && (field.optional || !files.is_empty())).then_some(files)
    }

    /// The one file of a field that must be there.
    pub fn file(&mut self, field: &Field<'_>) -> Option<Upload> {
        self.files(field).and_then(|files| files.into_iter().next())
    }

    /// Which of several submit buttons was pressed: `<button name="do" value="accept">`.
    pub fn pressed(&self) -> &str {
        self.value("do")
    }

    /// Takes the outcome of the domain: a refusal of the input becomes an error of the form, all else goes on.
    pub fn take<T>(&mut self, outcome: tb_base::Result<T>) -> Result<Option<T>, PageError> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(Error::Refused(refusal)) if refusal.field.is_some() || refusal.class == Class::Invalid => {
                self.refuse(&refusal);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Adds a refusal as an error of its field, or of the whole form.
    pub fn refuse(&mut self, refusal: &Refusal) {
        let name = refusal.field.as_deref().unwrap_or("").to_owned();
        self.push(name, String::new(), refusal);
    }

    /// Adds an error to a field.
    pub fn wrong(&mut self, field: &Field<'_>, refusal: &Refusal) {
        let label = self.lang.t(field.zh, field.en).to_owned();
        // The label of a statement is the statement itself, too long to repeat.
        let label = if field.input == Input::Agree { String::new() } else { label };
        self.push(field.name.to_owned(), label, refusal);
    }

    fn push(&mut self, name: String, label: String, refusal: &Refusal) {
        let mut message = self.lang.refusal(refusal).to_owned();
        if let Some(way_out) = self.lang.way_out(refusal) {
            message = format!("{message}{}{way_out}", self.lang.t("。", ". "));
        }
        self.errors.push(FieldError { name, label, message, code: Some(refusal.code.to_string()) });
    }

    /// What was typed into a field; empty when nothing was.
    pub fn value(&self, name: &str) -> &str {
        self.values.get(name).and_then(|values| values.first()).map_or("", String::as_str)
    }

    /// Everything that was sent under a name, as it came.
    pub fn list(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a value was chosen.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.values.get(name).is_some_and(|values| values.iter().any(|it| it == value))
    }

    /// Whether anything is wrong so far.
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// How many things are wrong so far.
    pub fn error_count(&self) -> usize {
        self.errors.len()
    }

    /// Everything that is wrong so far.
    pub fn all_errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// Whether an empty choice means all of them.
    fn is_filter(&self) -> bool {
        self.filter
    }

    fn error_of(&self, name: &str) -> Option<&FieldError> {
        self.errors.iter().find(|error| error.name == name)
    }
}

fn not_offered() -> Refusal {
    Refusal::invalid("WEB-FIELD-003", "请从列出的选项里选", "Choose one of those listed")
}

/// What programs get: values, errors and the token.
impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Plain<'a> {
            values: &'a BTreeMap<String, Vec<String>>,
            errors: &'a [FieldError],
            csrf: &'a str,
        }
        Plain { values: &self.values, errors: &self.errors, csrf: &self.csrf }.serialize(to)
    }
}
