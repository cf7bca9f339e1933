//! Reading one field into a checked type (读取表单项): a chain that ends in `required` or `optional`.

use std::str::FromStr;

use tb_base::{Class, Refusal};

use super::{Fields, not_offered};
use crate::field::{Choice, Field};

/// One field on its way to a checked type. What fails is noted in the form; the chain goes on empty.
#[must_use = "a reader does nothing until `required` or `optional`"]
pub struct Reader<'f, T> {
    fields: &'f mut Fields,
    name: String,
    label: String,
    value: Option<T>,
    failed: bool,
}

impl<'f, T> Reader<'f, T> {
    pub(super) fn new(fields: &'f mut Fields, field: &Field<'_>, value: Option<T>) -> Reader<'f, T> {
        let label = fields.lang.t(field.zh, field.en).to_owned();
        Reader { fields, name: field.name.to_owned(), label, value, failed: false }
    }

    /// Turns the value into another, or says why not.
    pub fn try_with<U>(mut self, turn: impl FnOnce(T) -> Result<U, Refusal>) -> Reader<'f, U> {
        let turned = self.value.take().map(turn);
        let Reader { fields, name, label, mut failed, .. } = self;
        let value = match turned {
            Some(Ok(value)) => Some(value),
            Some(Err(refusal)) => {
                fields.push(name.clone(), label.clone(), &refusal);
                failed = true;
                None
            }
            None => None,
        };
        Reader { fields, name, label, value, failed }
    }

    /// Says what else must hold.
    pub fn check(self, rule: impl FnOnce(&T) -> Result<(), Refusal>) -> Reader<'f, T> {
        self.try_with(|value| rule(&value).map(|()| value))
    }

    /// The value; an empty field is an error. None when anything is wrong with it.
    pub fn required(self) -> Option<T> {
        if self.value.is_none() && !self.failed {
            let refusal = Refusal::new(Class::Invalid, "WEB-FIELD-001", "要填写", "is needed");
            self.fields.push(self.name, self.label, &refusal);
        }
        self.value
    }

    /// The value, or nothing where the field is empty. The outer None when something is wrong with it.
    pub fn optional(self) -> Option<Option<T>> {
        if self.failed { None } else { Some(self.value) }
    }
}

impl<'f> Reader<'f, String> {
    /// At most so many letters.
    pub fn max(self, letters: usize) -> Reader<'f, String> {
        self.check(|text| match text.chars().count() <= letters {
            true => Ok(()),
            false => Err(Refusal::invalid(
                "WEB-FIELD-002",
                format!("太长，最多 {letters} 个字"),
                format!("is too long; at most {letters} letters"),
            )),
        })
    }

    /// A checked type with its own words for what is wrong.
    pub fn parse<T>(self) -> Reader<'f, T>
    where
        T: FromStr,
        T::Err: Into<Refusal>,
    {
        self.try_with(|text| text.parse::<T>().map_err(Into::into))
    }

    pub(super) fn one_of(self, choices: &[Choice<'_>]) -> Reader<'f, String> {
        self.check(|text| {
            let offered = choices.iter().any(|choice| choice.value == text && !choice.off);
            if offered { Ok(()) } else { Err(not_offered()) }
        })
    }

    pub(super) fn drawn(self) -> Reader<'f, String> {
        self.check(|text| match text.starts_with("data:image/png;base64,") {
            true => Ok(()),
            false => Err(Refusal::invalid(
                "WEB-FIELD-007",
                "签名没有取到，请重签",
                "The signature did not arrive; sign again",
            )),
        })
    }
}
