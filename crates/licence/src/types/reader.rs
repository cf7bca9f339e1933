//! Reads a table of a definition key by key and keeps every problem with its line.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;

/// A file under inspection.
pub(super) struct Source<'a> {
    file: &'a str,
    text: &'a str,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Source<'a> {
        Source { file, text, problems: Vec::new() }
    }

    /// Notes a problem at a place of the text.
    pub(super) fn problem(&mut self, at: Range<usize>, text: impl Into<String>) {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        self.problems.push(Problem { file: self.file.to_owned(), line, text: text.into() });
    }

    /// The top table, with every error of syntax noted.
    pub(super) fn parse(&mut self) -> Spanned<DeTable<'a>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            self.problem(error.span().unwrap_or(0..0), error.message().to_owned());
        }
        table
    }
}

/// A value that was found, and where.
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) at: Range<usize>,
}

/// One table; keys are taken out, and what is left at the end nobody knows.
pub(super) struct Keys<'t, 'a> {
    table: &'t DeTable<'a>,
    at: Range<usize>,
    taken: Vec<&'static str>,
}

impl<'t, 'a> Keys<'t, 'a> {
    pub(super) fn new(table: &'t DeTable<'a>, at: Range<usize>) -> Keys<'t, 'a> {
        Keys { table, at, taken: Vec::new() }
    }

    /// Where the table begins.
    pub(super) fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    fn take(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'a>>> {
        self.taken.push(key);
        self.table.iter().find(|(name, _)| name.get_ref().as_ref() == key).map(|(_, value)| value)
    }

    fn need(&mut self, source: &mut Source<'_>, key: &'static str) -> Option<&'t Spanned<DeValue<'a>>> {
        let found = self.take(key);
        if found.is_none() {
            source.problem(self.at(), format!("`{key}` is missing"));
        }
        found
    }

    /// A text that must be there and not be empty.
    pub(super) fn text(&mut self, source: &mut Source<'_>, key: &'static str) -> Option<Found<String>> {
        let value = self.need(source, key)?;
        text(source, key, value)
    }

    /// A text that may be absent.
    pub(super) fn optional_text(
        &mut self,
        source: &mut Source<'_>,
        key: &'static str,
    ) -> Option<Found<String>> {
        let value = self.take(key)?;
        text(source, key, value)
    }

    /// A whole number that must be there.
    pub(super) fn number(&mut self, source: &mut Source<'_>, key: &'static str) -> Option<Found<u32>> {
        let value = self.need(source, key)?;
        number(source, key, value)
    }

    /// A whole number that may be absent.
    pub(super) fn optional_number(
        &mut self,
        source: &mut Source<'_>,
        key: &'static str,
    ) -> Option<Found<u32>> {
        let value = self.take(key)?;
        number(source, key, value)
    }

    /// A date that must be there, written without quotes.
    pub(super) fn date(
        &mut self,
        source: &mut Source<'_>,
        key: &'static str,
    ) -> Option<Found<tb_base::Date>> {
        let value = self.need(source, key)?;
        let date = match value.get_ref() {
            DeValue::Datetime(date) => date.to_string().parse().ok(),
            _ => None,
        };
        if date.is_none() {
            source.problem(value.span(), format!("`{key}` is no date such as 2026-01-01"));
        }
        date.map(|date| Found { value: date, at: value.span() })
    }

    /// Yes or no, with what absence means.
    pub(super) fn flag(&mut self, source: &mut Source<'_>, key: &'static str, absent: bool) -> bool {
        match self.take(key).map(|value| (value.get_ref(), value.span())) {
            None => absent,
            Some((DeValue::Boolean(flag), _)) => *flag,
            Some((_, at)) => {
                source.problem(at, format!("`{key}` is neither true nor false"));
                absent
            }
        }
    }

    /// A list of texts that must be there; it may be empty.
    pub(super) fn texts(&mut self, source: &mut Source<'_>, key: &'static str) -> Vec<Found<String>> {
        match self.need(source, key) {
            None => Vec::new(),
            Some(value) => {
                let entries = list(source, key, value);
                entries.iter().filter_map(|entry| text(source, key, entry)).collect()
            }
        }
    }

    /// Tables of a list such as `[[field]]`; an absent list is empty.
    pub(super) fn tables(&mut self, source: &mut Source<'_>, key: &'static str) -> Vec<Keys<'t, 'a>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let mut tables = Vec::new();
        for entry in list(source, key, value) {
            match entry.get_ref() {
                DeValue::Table(table) => tables.push(Keys::new(table, entry.span())),
                _ => source.problem(entry.span(), format!("`{key}` holds something that is no table")),
            }
        }
        tables
    }

    /// Notes every key that nobody asked for.
    pub(super) fn done(self, source: &mut Source<'_>) {
        for (name, _) in self.table.iter() {
            if !self.taken.iter().any(|taken| name.get_ref().as_ref() == *taken) {
                source.problem(name.span(), format!("`{}` is not a key of this table", name.get_ref()));
            }
        }
    }
}

fn text(source: &mut Source<'_>, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Found<String>> {
    match value.get_ref() {
        DeValue::String(text) if !text.trim().is_empty() => {
            Some(Found { value: text.clone().into_owned(), at: value.span() })
        }
        DeValue::String(_) => {
            source.problem(value.span(), format!("`{key}` is empty"));
            None
        }
        _ => {
            source.problem(value.span(), format!("`{key}` is no text in quotes"));
            None
        }
    }
}

fn number(source: &mut Source<'_>, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Found<u32>> {
    let number = match value.get_ref() {
        DeValue::Integer(number) => number.as_str().parse().ok(),
        _ => None,
    };
    if number.is_none() {
        source.problem(value.span(), format!("`{key}` is no whole number"));
    }
    number.map(|number| Found { value: number, at: value.span() })
}

fn list<'t, 'a>(
    source: &mut Source<'_>,
    key: &str,
    value: &'t Spanned<DeValue<'a>>,
) -> Vec<&'t Spanned<DeValue<'a>>> {
    match value.get_ref() {
        DeValue::Array(array) => array.iter().collect(),
        _ => {
            source.problem(value.span(), format!("`{key}` is no list"));
            Vec::new()
        }
    }
}
