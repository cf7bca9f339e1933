//! Documents that stay true (文档核对): links lead somewhere, and the names in tables stand in the code.

use std::path::Path;

use crate::{files, read, root};

/// Adds every problem of every document.
pub fn check(problems: &mut Vec<String>) -> Result<(), String> {
    for path in files(".md")? {
        let text = read(&path)?;
        let folder = Path::new(&path).parent().unwrap_or(Path::new("")).to_owned();
        for (at, line) in text.lines().enumerate() {
            for target in targets(line) {
                if !root().join(&folder).join(target).exists() {
                    problems.push(format!("{path}:{} links to {target}, which is not there", at + 1));
                }
            }
        }
    }
    names(problems)
}

/// The targets of the links in a line that lead to files: `](target)`, without the part behind `#`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.split('#').next()?;
        let is_file = !target.is_empty() && !target.contains("://") && !target.contains(' ');
        is_file.then_some(target)
    })
}

/// Documents with a table whose last of three columns names identifiers.
const WITH_NAMES: [&str; 1] = ["docs/glossary.md"];

/// Each identifier in such a column is a word of some source.
fn names(problems: &mut Vec<String>) -> Result<(), String> {
    let mut sources = String::new();
    for path in files(".rs")? {
        sources.push_str(&read(&path)?);
    }
    let is_word = |name: &str| {
        let outside = |it: Option<char>| it.is_none_or(|it| !it.is_alphanumeric() && it != '_');
        let mut found = sources.match_indices(name);
        found.any(|(at, _)| {
            let (before, after) = (&sources[..at], &sources[at + name.len()..]);
            outside(before.chars().next_back()) && outside(after.chars().next())
        })
    };
    for document in WITH_NAMES {
        for (at, line) in read(document)?.lines().enumerate().filter(|(_, line)| line.starts_with('|')) {
            let names = line.split('|').nth(3).unwrap_or("").split('`').skip(1).step_by(2);
            for name in names.filter(|name| !name.split("::").all(is_word)) {
                problems.push(format!("{document}:{} names {name}, which no source does", at + 1));
            }
        }
    }
    Ok(())
}
