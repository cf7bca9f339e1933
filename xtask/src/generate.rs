//! Files that are made from the code (生成文件): written by `gen`, compared by `gen --check`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use serde::Deserialize;

use crate::{codes, layers, read, root, transactions};

/// Write the files, or only see whether they are current.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Write what differs.
    Write,
    /// Fail on what differs.
    Check,
}

/// Makes every generated file.
pub fn run(mode: Mode) -> Result<(), String> {
    let made = [
        ("docs/layers.md", layer_table()),
        ("docs/agreement/coverage.md", coverage()?),
        ("docs/error-codes.md", error_codes()?),
        ("docs/permits.md", told_by_the_binary(&["defs", "permits"])?),
        (NOTICES, told_by_the_binary(&["defs", "notices"])?),
        ("docs/operations/configuration.md", told_by_the_binary(&["config", "document"])?),
        ("docs/transactions.md", transaction_table()?),
    ];
    let mut stale = Vec::new();
    for (path, text) in made {
        if read(path).is_ok_and(|there| there == text) {
            continue;
        }
        match mode {
            Mode::Write => {
                keeps_notices(path, &text)?;
                std::fs::write(root().join(path), text).map_err(|error| format!("{path}: {error}"))?;
            }
            Mode::Check => stale.push(path),
        }
    }
    if stale.is_empty() {
        Ok(())
    } else {
        Err(format!("not current, run `cargo xtask gen`: {}", stale.join(", ")))
    }
}

const NOTICES: &str = "docs/notices.md";

/// What was sent with an edition is shown with it for ever: a line that stands in the document stays as it is.
fn keeps_notices(path: &str, text: &str) -> Result<(), String> {
    let there = if path == NOTICES { read(path).unwrap_or_default() } else { String::new() };
    let is_gone = |line: &&str| line.starts_with("| `") && !text.lines().any(|now| now == *line);
    match there.lines().find(is_gone) {
        None => Ok(()),
        Some(line) => Err(format!("{NOTICES}: an edition changed, add a further one instead: {line}")),
    }
}

const HEAD: &str = "<!-- Made by `cargo xtask gen`; do not edit. -->\n\n";

fn layer_table() -> String {
    let mut text = format!(
        "{HEAD}# Layers\n\nA crate uses lower layers, and what stands left of `<` in its own.\n\n| layer | crates |\n|---|---|\n"
    );
    for (name, lists) in layers::LAYERS.iter().rev() {
        let lists: Vec<String> = lists.iter().map(|crates| crates.join(" < ")).collect();
        let _ = writeln!(text, "| {name} | {} |", lists.join(" · "));
    }
    let _ = writeln!(text, "\n| external crate | may be named by |\n|---|---|");
    for (name, owners) in layers::OWNERS {
        let _ = writeln!(text, "| {name} | {} |", owners.join(", "));
    }
    text
}

/// What is said of a clause in `docs/agreement/clauses.toml`.
#[derive(Deserialize)]
struct Clause {
    state: String,
    serves: String,
    lacks: String,
}

fn coverage() -> Result<String, String> {
    let said: BTreeMap<String, Clause> = toml::from_str(&read("docs/agreement/clauses.toml")?)
        .map_err(|error| format!("clauses.toml: {error}"))?;
    let clauses = read("docs/agreement/clauses.csv")?;
    let mut rows = String::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in clauses.lines().skip(1) {
        let (id, text) = clause_columns(line);
        let clause = said.get(id).ok_or_else(|| format!("clauses.toml says nothing of {id}"))?;
        if !["works", "begun", "open"].contains(&clause.state.as_str()) {
            return Err(format!("clauses.toml: {id} has the unknown state {}", clause.state));
        }
        *counts.entry(clause.state.as_str()).or_default() += 1;
        let _ = writeln!(rows, "| {id} | {text} | {} | {} | {} |", clause.state, clause.serves, clause.lacks);
    }
    let counted: Vec<String> = counts.iter().map(|(state, number)| format!("{number} {state}")).collect();
    Ok(format!(
        "{HEAD}# Coverage of the agreement\n\n{} clauses: {}.\n`works` means that the whole clause works, `begun` that a part does, `open` that nothing does yet.\n\n| clause | text | state | served by | lacks |\n|---|---|---|---|---|\n{rows}",
        clauses.lines().count() - 1,
        counted.join(", "),
    ))
}

/// Id and text of a line `id,task,text,due,…`; the text may be quoted.
fn clause_columns(line: &str) -> (&str, String) {
    let mut parts = line.splitn(3, ',');
    let id = parts.next().unwrap_or("");
    let rest = parts.nth(1).unwrap_or("");
    let text = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or(quoted),
        None => rest.split(',').next().unwrap_or(rest),
    };
    (id, text.to_owned())
}

/// Every code of a refusal, with its words and the file that makes it.
fn error_codes() -> Result<String, String> {
    let mut text = format!(
        "{HEAD}# Codes of refusals\n\nWords in braces are filled in when the refusal is made.\n\n| code | 中文 | English | made in |\n|---|---|---|---|\n"
    );
    for (code, mention) in codes::made()? {
        let cell = |words: &str| words.replace('|', "\\|");
        let (zh, en) = (cell(&mention.zh), cell(&mention.en));
        let _ = writeln!(text, "| {code} | {zh} | {en} | {} |", mention.path);
    }
    Ok(text)
}

/// Every named transaction, with the files that write under its name.
fn transaction_table() -> Result<String, String> {
    let names = transactions::all()?;
    let mut text = format!(
        "{HEAD}# Named transactions\n\n{} names.\nA write is one transaction, and its name stands in the `tx` column of the rows that it wrote.\nThe drill of [operations/drills.md](operations/drills.md) kills a city before and after every one that its journey reaches.\nWhat processes a message, or answers a query, is called after its service; what does a job, after its kind.\n\n| name | file |\n|---|---|\n",
        names.len()
    );
    for (name, files) in names {
        let _ = writeln!(text, "| `{name}` | {} |", files.join(", "));
    }
    Ok(text)
}

/// A document that the binary itself writes.
fn told_by_the_binary(words: &[&str]) -> Result<String, String> {
    let made = Command::new("cargo")
        .args(["run", "--quiet", "--package", "tongban", "--"])
        .args(words)
        .current_dir(root())
        .output()
        .map_err(|error| error.to_string())?;
    if !made.status.success() {
        return Err(format!("tongban {}: {}", words.join(" "), String::from_utf8_lossy(&made.stderr)));
    }
    Ok(format!("{HEAD}{}", String::from_utf8_lossy(&made.stdout)))
}
