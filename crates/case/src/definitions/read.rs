//! Reads definition files: TOML to values, overlay onto standard, values to types, each with its line.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{DefinitionFile, ItemRules, Problem};

/// Nested deeper than this is not a definition.
const DEPTH_MAX: usize = 12;

pub(super) fn problem(file: &DefinitionFile<'_>, line: usize, text: String) -> Problem {
    Problem { file: file.path.to_owned(), line, text }
}

/// The line, from 1, on which `needle` first stands; 1 where it does not.
pub(super) fn line_of(text: &str, needle: &str) -> usize {
    text.lines().position(|line| line.contains(needle)).map_or(1, |at| at + 1)
}

/// The line of the `nth` header `[[name]]` (from 0), or of `[name`.
fn line_of_section(text: &str, name: &str, nth: usize) -> usize {
    let list = format!("[[{name}]]");
    let single = format!("[{name}");
    let lists = text.lines().enumerate().filter(|(_, line)| line.trim() == list).nth(nth);
    let found = lists.or_else(|| text.lines().enumerate().find(|(_, line)| line.trim().starts_with(&single)));
    found.map_or(1, |(at, _)| at + 1)
}

/// A file as a JSON object; dates become text.
pub(super) fn table(file: &DefinitionFile<'_>, problems: &mut Vec<Problem>) -> Option<Map<String, Value>> {
    match file.text.parse::<toml::Table>() {
        Ok(table) => Some(table.into_iter().map(|(key, value)| (key, json(value))).collect()),
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            let line = file.text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
            problems.push(problem(file, line, error.message().to_owned()));
            None
        }
    }
}

fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::String(number.to_string()),
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(list) => Value::Array(list.into_iter().map(json).collect()),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(key, value)| (key, json(value))).collect())
        }
    }
}

/// The number of an item or an overlay.
pub(super) fn number(table: &Map<String, Value>) -> Option<u16> {
    let number = table.get("item")?.get("number")?.as_u64()?;
    u16::try_from(number).ok()
}

/// Leaf values by their path.
pub(super) fn leaves(value: &Value) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    collect("", value, 0, &mut all);
    all
}

fn collect(path: &str, value: &Value, depth: usize, all: &mut BTreeMap<String, String>) {
    let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(map) if depth < DEPTH_MAX => {
            map.iter().for_each(|(key, value)| collect(&join(key), value, depth + 1, all));
        }
        Value::String(text) => {
            all.insert(path.to_owned(), text.clone());
        }
        Value::Object(_) | Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
            all.insert(path.to_owned(), value.to_string());
        }
    }
}

/// Lays an overlay over the standard; a key that is not local is a problem.
fn overlay(
    standard: &Map<String, Value>,
    file: &DefinitionFile<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Map<String, Value>> {
    let mut changes = table(file, problems)?;
    if number(&changes) != number(standard) {
        problems.push(problem(
            file,
            line_of(file.text, "number"),
            "the overlay is for another item".to_owned(),
        ));
    }
    changes.remove("item");
    let local: Vec<String> =
        standard.get("item").and_then(|item| item.get("local")).map_or(Vec::new(), |list| {
            list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        });
    for path in leaves(&Value::Object(changes.clone())).keys() {
        let allowed = |open: &String| path == open || path.starts_with(&format!("{open}."));
        if !local.iter().any(allowed) {
            let key = path.rsplit('.').next().unwrap_or(path);
            let text = format!("{path} is not local: the shared standard sets it for every city");
            problems.push(problem(file, line_of(file.text, key), text));
        }
    }
    let mut merged = standard.clone();
    merge(&mut merged, changes, 0);
    Some(merged)
}

fn merge(into: &mut Map<String, Value>, from: Map<String, Value>, depth: usize) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            // A limit is one value: `working_days` must not stand beside `days`.
            (Some(Value::Object(old)), Value::Object(new)) if key != "limit" && depth < DEPTH_MAX => {
                merge(old, new, depth + 1);
            }
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// The rules of an item in the city of the overlay, with the merged text that `diff` compares.
pub(super) fn item(
    file: &DefinitionFile<'_>,
    standard: &Map<String, Value>,
    local: &DefinitionFile<'_>,
    problems: &mut Vec<Problem>,
) -> Option<(ItemRules, Value)> {
    let merged = overlay(standard, local, problems)?;
    let value = Value::Object(merged.clone());
    let mut read = Sections { file, local, merged, problems };
    let (item, guide, clocks) = (read.one("item"), read.one("guide"), read.one("clocks"));
    let (correction, fee, result) = (read.one("correction"), read.one("fee"), read.one("result"));
    let (rating, archive) = (read.one("rating"), read.one("archive"));
    let (offices, window) = (read.one("offices"), read.one("window"));
    let (basis, conditions) = (read.list("basis"), read.list("condition"));
    let (questions, pages) = (read.list("question_answer"), read.list("page"));
    let (materials, checks, stages) = (read.list("material"), read.list("check"), read.list("stage"));
    let (refusals, declines) = (read.list("refusal"), read.list("decline"));
    let (remedies, delivery) = (read.list("remedy"), read.list("delivery"));
    read.finish();
    let text = tb_crypto::canonical(&Value::Object(standard.clone())).ok()?;
    let rules = ItemRules {
        item: item?,
        basis,
        guide: guide?,
        conditions,
        questions,
        pages,
        materials,
        checks,
        stages,
        clocks: clocks?,
        correction: correction?,
        refusals,
        declines,
        remedies,
        fee: fee?,
        result: result?,
        delivery,
        rating: rating?,
        offices: offices?,
        window: window?,
        archive: archive?,
        sha256: tb_crypto::text::hex(&tb_crypto::sha256(&text)),
        sm3: tb_crypto::text::hex(&tb_crypto::sm3(&text)),
    };
    Some((rules, value))
}

/// Reads the sections of a merged definition one by one, so that one mistake does not hide the next.
struct Sections<'a, 'b> {
    file: &'a DefinitionFile<'b>,
    local: &'a DefinitionFile<'b>,
    merged: Map<String, Value>,
    problems: &'a mut Vec<Problem>,
}

impl Sections<'_, '_> {
    fn one<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let Some(value) = self.merged.remove(name) else {
            self.problems.push(problem(self.file, 1, format!("section [{name}] is missing")));
            return None;
        };
        self.value(name, 0, value)
    }

    fn list<T: DeserializeOwned>(&mut self, name: &str) -> Vec<T> {
        match self.merged.remove(name) {
            None => Vec::new(),
            Some(Value::Array(list)) => {
                list.into_iter().enumerate().filter_map(|(nth, value)| self.value(name, nth, value)).collect()
            }
            Some(Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                let line = line_of_section(self.file.text, name, 0);
                self.problems.push(problem(
                    self.file,
                    line,
                    format!("{name} must be a list: write [[{name}]]"),
                ));
                Vec::new()
            }
        }
    }

    fn value<T: DeserializeOwned>(&mut self, name: &str, nth: usize, value: Value) -> Option<T> {
        match serde_json::from_value(value) {
            Ok(value) => Some(value),
            Err(error) => {
                let line = line_of_section(self.file.text, name, nth);
                // A section that stands in the overlay only is mended there.
                let only_local = line == 1 && self.local.text.contains(&format!("[{name}"));
                let (file, line) = if only_local {
                    (self.local, line_of_section(self.local.text, name, 0))
                } else {
                    (self.file, line)
                };
                self.problems.push(problem(file, line, format!("in {name}: {error}")));
                None
            }
        }
    }

    fn finish(self) {
        for name in self.merged.keys() {
            let line = line_of_section(self.file.text, name, 0);
            self.problems.push(problem(self.file, line, format!("unknown section {name}")));
        }
    }
}
