//! The table of threats (威胁表): each row says what may happen, what stands against it, and which tests fail without it.
//!
//! A row that misses a part, and a test that is none, fail the run.

use std::collections::BTreeSet;

use crate::{files, read};

/// The document.
const DOCUMENT: &str = "docs/security/threats.md";
/// Spoofing, tampering, repudiation, information disclosure, denial of service, elevation of privilege.
const KINDS: [&str; 6] = ["S", "T", "R", "I", "D", "E"];
/// The head of each table.
const HEAD: [&str; 4] = ["Kind", "Threat", "Control", "Test"];

/// Every test with the crate that it stands in, as the document calls it.
type Tests = BTreeSet<(String, String)>;

/// Adds every problem of the document.
pub fn check(problems: &mut Vec<String>) -> Result<(), String> {
    let mut tests = Tests::new();
    for path in files(".rs")? {
        let names = tests_of(&read(&path)?);
        tests.extend(names.into_iter().map(|name| (crate_of(&path).to_owned(), name)));
    }
    problems.extend(problems_of(&read(DOCUMENT)?, &tests).into_iter().map(|it| format!("{DOCUMENT}:{it}")));
    Ok(())
}

/// What is wrong with a document, by line.
fn problems_of(document: &str, tests: &Tests) -> Vec<String> {
    let (mut problems, mut kinds) = (Vec::new(), BTreeSet::new());
    for (at, line) in document.lines().enumerate().filter(|(_, line)| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if cells == HEAD || cells.iter().all(|cell| cell.chars().all(|letter| letter == '-')) {
            continue;
        }
        match row_problem(&cells, tests) {
            Some(problem) => problems.push(format!("{} {problem}", at + 1)),
            None => drop(kinds.insert(cells[0].to_owned())),
        }
    }
    for kind in KINDS.iter().filter(|kind| !kinds.contains(**kind)) {
        problems.push(format!("1 has no sound row of kind {kind}"));
    }
    problems
}

fn row_problem(cells: &[&str], tests: &Tests) -> Option<String> {
    let [kind, threat, control, named] = cells else {
        return Some(format!("has {} cells, not kind, threat, control and test", cells.len()));
    };
    if !KINDS.contains(kind) {
        return Some(format!("has the kind {kind:?}, not one of {}", KINDS.join(", ")));
    }
    if threat.is_empty() || control.is_empty() {
        return Some("names no threat or no control".to_owned());
    }
    let names = named_tests(named);
    if names.is_empty() {
        return Some(format!("names no test for {threat:?}"));
    }
    let (within, missing) = names.iter().find(|named| !tests.contains(*named))?;
    Some(format!("names the test {missing}, which is none of {within:?}"))
}

/// The tests of a cell, each with the crate that is named last before it.
fn named_tests(cell: &str) -> Vec<(String, String)> {
    let (mut within, mut found) = ("", Vec::new());
    for (at, part) in cell.split('`').enumerate() {
        if at % 2 == 0 {
            let word = part.trim_matches([' ', ',', ';']);
            within = if word.is_empty() { within } else { word };
        } else {
            found.push((within.to_owned(), part.to_owned()));
        }
    }
    found
}

/// How the document calls the crate of a file: `identity`, `t01`, `tongban`.
fn crate_of(path: &str) -> &str {
    let mut parts = path.split('/');
    match (parts.next().unwrap_or(""), parts.next().unwrap_or("")) {
        ("crates", name) => name,
        ("tasks", name) => name.split('-').next().unwrap_or(name),
        (name, _) => name,
    }
}

/// The functions of a source that are run as tests.
fn tests_of(source: &str) -> Vec<String> {
    let (mut found, mut is_next, mut is_list) = (Vec::new(), false, false);
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_next = true;
        } else if is_next && let Some((_, rest)) = line.split_once("fn ") {
            found.extend(rest.split(['(', '<']).next().map(str::to_owned));
            is_next = false;
        }
        // A list of tests that run on both engines.
        if LISTS.iter().any(|list| line.starts_with(list)) {
            is_list = true;
        }
        if is_list {
            let names = line.rsplit('(').next().unwrap_or(line).trim_end_matches([')', ';', '}']);
            found.extend(names.split(',').map(|name| name.trim().to_owned()).filter(|name| is_name(name)));
            is_list = !line.ends_with(");") && !line.ends_with('}');
        }
    }
    found
}

/// Macros that make a test of each name that they are given.
const LISTS: [&str; 2] = ["both!(", "both! {"];

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "fn helper() {}\n#[test]\nfn plain() {\n}\n#[tokio::test(flavor = \"multi_thread\")]\n\
        #[expect(x, reason = \"y\")]\nasync fn waits() {}\nboth!(\n    one_engine,\n    and_another\n);\nfn other_helper() {}\n";

    fn in_crates(crates: &[&str]) -> Tests {
        let of = |name: &&str| {
            tests_of(SOURCE).into_iter().map(|test| ((*name).to_owned(), test)).collect::<Vec<_>>()
        };
        crates.iter().flat_map(of).collect()
    }

    fn rows(rows: &str) -> Vec<String> {
        let good: String = KINDS.iter().map(|kind| format!("| {kind} | a | b | base `plain` |\n")).collect();
        let tests = in_crates(&["base", "node"]);
        problems_of(
            &format!("# Threats\n\n| Kind | Threat | Control | Test |\n|---|---|---|---|\n{good}{rows}"),
            &tests,
        )
    }

    #[track_caller]
    fn check_row(row: &str, expected: &str) {
        let problems = rows(row);
        assert_eq!(problems.len(), 1, "{row}: {problems:?}");
        assert!(problems[0].starts_with("11 ") && problems[0].contains(expected), "{row}: {problems:?}");
    }

    #[test]
    fn tests_are_told_from_other_functions() {
        assert_eq!(tests_of(SOURCE), ["plain", "waits", "one_engine", "and_another"]);
        let paths = ["crates/node/tests/it/a.rs", "tasks/t01-data-platform/src/lib.rs", "tongban/src/a.rs"];
        assert_eq!(paths.map(crate_of), ["node", "t01", "tongban"]);
    }

    #[test]
    fn a_row_without_a_test_is_found() {
        assert_eq!(rows("| S | a | b | base `plain`, node `waits`, `one_engine` |\n"), Vec::<String>::new());
        check_row("| S | a | b | |", "names no test");
        check_row("| S | a | b | plain |", "names no test");
        check_row("| S | a | b | base `plain`, `nobody` |", "nobody, which is none");
        check_row("| S | a | b | base `plain`; store `waits` |", "waits, which is none of \"store\"");
        check_row("| S | a | b | `plain` |", "plain, which is none of \"\"");
        check_row("| S | a | b | base `helper` |", "helper, which is none");
        check_row("| S | a | b |", "3 cells");
        check_row("| S | a | | base `plain` |", "no control");
        check_row("| X | a | b | base `plain` |", "the kind \"X\"");
    }

    #[test]
    fn a_kind_without_a_row_is_found() {
        let tests = in_crates(&["base"]);
        let problems = problems_of("| S | a | b | base `plain` |\n", &tests);
        assert_eq!(problems.len(), 5, "{problems:?}");
    }
}
