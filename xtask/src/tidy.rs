//! House rules that the compiler does not hold (整洁检查). Every problem is printed; one fails the run.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::{codes, documents, files, floor, layers, read, root, threats, words};

const FILE_LINES_MAX: usize = 800;
/// Lines of a function, without blanks and comments.
const FUNCTION_LINES_MAX: usize = 70;
/// External crates of the lock file, tests and tools included; the product itself has 282 of them.
/// A rise needs its reason here. 2026-11: axum, rustls, two databases, the SM suite; fantoccini and proptest for tests.
const LOCK_CRATES_MAX: usize = 335;

/// A browser tells no events: this one place asks it again and again, up to a time.
const ASKS_A_BROWSER: &str = "tongban/tests/it/browser/tab.rs";

/// Runs every rule and prints every problem.
pub fn run() -> Result<(), String> {
    let mut problems = Vec::new();
    crate_rules(&mut problems)?;
    source_rules(&mut problems)?;
    migration_rules(&mut problems)?;
    clause_rules(&mut problems)?;
    dependency_lines(&mut problems)?;
    lock_rules(&mut problems)?;
    problems.extend(codes::shared()?);
    documents::check(&mut problems)?;
    floor::check(&mut problems)?;
    threats::check(&mut problems)?;
    words::check(&mut problems)?;
    for problem in &problems {
        println!("tidy: {problem}");
    }
    if problems.is_empty() { Ok(()) } else { Err(format!("{} problems", problems.len())) }
}

fn crate_rules(problems: &mut Vec<String>) -> Result<(), String> {
    let metadata =
        MetadataCommand::new().current_dir(root()).no_deps().exec().map_err(|error| error.to_string())?;
    let ours: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    for package in &metadata.packages {
        let name = package.name.as_str();
        if layers::place(name).is_none() && !layers::DEVELOPMENT.contains(&name) {
            problems.push(format!("{name} has no layer in xtask/src/layers.rs"));
        }
        for used in package.dependencies.iter().filter(|used| used.kind == DependencyKind::Normal) {
            if ours.contains(&used.name) {
                if !layers::may_use(name, &used.name) {
                    problems.push(format!("{name} may not depend on {}", used.name));
                }
            } else {
                external(name, &used.name, problems);
            }
        }
    }
    Ok(())
}

fn external(name: &str, used: &str, problems: &mut Vec<String>) {
    let owners = layers::OWNERS.iter().find(|(external, _)| *external == used);
    if owners.is_some_and(|(_, owners)| !owners.contains(&name)) {
        problems.push(format!("{name} may not name the external crate {used}"));
    }
    let pure = layers::place(name).is_some_and(|(layer, _, _)| layer < 2);
    if pure && !layers::PURE.contains(&used) {
        problems.push(format!("{name} is pure and may not name {used}"));
    }
}

fn source_rules(problems: &mut Vec<String>) -> Result<(), String> {
    for path in files(".rs")? {
        let text = read(&path)?;
        if !text.starts_with("//!") {
            problems.push(format!("{path}:1 does not begin with a //! line that says what it is"));
        }
        let lines = text.lines().count();
        if FILE_LINES_MAX < lines {
            problems.push(format!("{path} has {lines} lines, at most {FILE_LINES_MAX} are allowed"));
        }
        function_rules(&path, &text, problems);
        if path.starts_with("xtask/") {
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            line_rules(&path, at + 1, line, problems);
        }
    }
    Ok(())
}

/// A function begins at `fn` and ends at the bracket that stands as far from the margin: formatting makes it so.
fn function_rules(path: &str, text: &str, problems: &mut Vec<String>) {
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let words: Vec<&str> = code.split('(').next().unwrap_or("").split_whitespace().collect();
        // A type such as `fn(u8)` has no name behind the word.
        let is_function = words.iter().rev().nth(1) == Some(&"fn") && !code.starts_with("//");
        if !is_function || code.ends_with(';') || code.ends_with('}') {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - code.len()]);
        let body = lines[at..].iter().take_while(|line| **line != end);
        let count = body.filter(|line| !line.trim().is_empty() && !line.trim().starts_with("//")).count() + 1;
        if FUNCTION_LINES_MAX < count {
            problems.push(format!("{path}:{} is a function of {count} lines", at + 1));
        }
    }
}

fn line_rules(path: &str, at: usize, line: &str, problems: &mut Vec<String>) {
    let code = line.split("//").next().unwrap_or(line);
    if code.contains("#[allow(") || code.contains("#![allow(") {
        problems.push(format!("{path}:{at} uses allow; write #[expect(…, reason = \"…\")]"));
    }
    if code.contains("#[ignore") {
        problems.push(format!("{path}:{at} ignores a test"));
    }
    let pure = ["crates/base/", "crates/crypto/", "crates/tlog/", "crates/exchange/", "crates/find/"];
    let test = path.contains("/tests") || path.ends_with("tests.rs");
    if pure.iter().any(|it| path.starts_with(it)) && !test {
        for impure in layers::IMPURE_PATHS.iter().filter(|impure| code.contains(**impure)) {
            problems.push(format!("{path}:{at} names {impure} in a pure crate"));
        }
    }
    let sleeps = code.contains("thread::sleep") || code.contains("time::sleep");
    if test && sleeps && path != ASKS_A_BROWSER {
        problems.push(format!("{path}:{at} sleeps in a test; wait for the event"));
    }
    if code.contains("SystemTime::now") && !path.starts_with("tongban/") {
        problems.push(format!("{path}:{at} reads the system clock; only tongban may"));
    }
    if path.contains("tongban/src/journey")
        && (code.contains("tb_") || code.contains("t01_") || code.contains("t02_"))
    {
        problems.push(format!("{path}:{at} names a block; the journey knows only HTTP"));
    }
}

fn migration_rules(problems: &mut Vec<String>) -> Result<(), String> {
    for path in files(".sql")? {
        let Some(owner) = owner_of(&path) else { continue };
        let text = read(&path)?.to_lowercase();
        for (at, line) in text.lines().enumerate() {
            let Some(rest) = line.trim().strip_prefix("create table ") else { continue };
            let table = rest.trim_start_matches("if not exists ").split([' ', '(']).next().unwrap_or("");
            if !table.starts_with(&format!("{owner}_")) {
                problems.push(format!("{path}:{} table {table} lacks the prefix {owner}_", at + 1));
            }
        }
    }
    Ok(())
}

fn owner_of(path: &str) -> Option<String> {
    let mut parts = path.split('/');
    match (parts.next()?, parts.next()?, parts.next()?) {
        ("crates", name, "migrations") => Some(name.to_owned()),
        ("tasks", name, "migrations") => name.split('-').next().map(str::to_owned),
        _ => None,
    }
}

/// Every clause that a file says it serves exists in the agreement.
fn clause_rules(problems: &mut Vec<String>) -> Result<(), String> {
    let clauses = read("docs/agreement/clauses.csv")?;
    let known: BTreeSet<&str> = clauses.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    for path in files(".rs")? {
        let text = read(&path)?;
        for (at, line) in text.lines().enumerate() {
            let Some(list) = line.strip_prefix("//! Serves clause") else { continue };
            let named = list.trim_start_matches('s').trim().trim_end_matches('.');
            for clause in named.split([',', ' ']).filter(|word| word.contains('.')) {
                if !known.contains(clause) {
                    problems.push(format!(
                        "{path}:{} serves clause {clause}, which the agreement does not have",
                        at + 1
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Each external crate of the workspace has its line in docs/dependencies.md.
fn dependency_lines(problems: &mut Vec<String>) -> Result<(), String> {
    let manifest: toml::Table =
        read("Cargo.toml")?.parse().map_err(|error| format!("Cargo.toml: {error}"))?;
    let named =
        manifest.get("workspace").and_then(|it| it.get("dependencies")).and_then(toml::Value::as_table);
    let document = read("docs/dependencies.md")?;
    for (name, what) in named.into_iter().flatten() {
        if what.get("path").is_none() && !document.contains(&format!("| {name} |")) {
            problems.push(format!("docs/dependencies.md has no line for {name}"));
        }
    }
    Ok(())
}

/// What is built is what was locked: one registry, and the digest of each package.
fn origin_problem(package: &toml::Value) -> Option<String> {
    let text = |key: &str| package.get(key).and_then(toml::Value::as_str).unwrap_or("");
    if text("source") != "registry+https://github.com/rust-lang/crates.io-index" {
        return Some(format!("Cargo.lock takes {} from {:?}", text("name"), text("source")));
    }
    let is_digest = |it: &str| it.len() == 64 && it.bytes().all(|letter| letter.is_ascii_hexdigit());
    (!is_digest(text("checksum"))).then(|| format!("Cargo.lock holds {} without its digest", text("name")))
}

/// The lock file does not grow unnoticed and holds nothing that deny.toml bans.
fn lock_rules(problems: &mut Vec<String>) -> Result<(), String> {
    let table = |path: &str| read(path)?.parse::<toml::Table>().map_err(|error| format!("{path}: {error}"));
    let (lock, deny) = (table("Cargo.lock")?, table("deny.toml")?);
    let named =
        |package: &toml::Value| package.get("name").and_then(toml::Value::as_str).unwrap_or("").to_owned();
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let external: Vec<&toml::Value> = packages.filter(|package| package.get("source").is_some()).collect();
    problems.extend(external.iter().filter_map(|package| origin_problem(package)));
    let external: Vec<String> = external.into_iter().map(named).collect();
    if LOCK_CRATES_MAX < external.len() {
        problems.push(format!(
            "Cargo.lock has {} external crates, at most {LOCK_CRATES_MAX} are budgeted",
            external.len()
        ));
    }
    let bans = deny.get("bans").and_then(|bans| bans.get("deny")).and_then(toml::Value::as_array);
    for banned in bans.into_iter().flatten().map(named).filter(|banned| external.contains(banned)) {
        problems.push(format!("Cargo.lock holds {banned}, which deny.toml bans"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_package(text: &str, expected: Option<&str>) {
        let package = toml::Value::Table(text.parse().expect("TOML"));
        let problem = origin_problem(&package);
        assert_eq!(problem.is_some(), expected.is_some(), "{problem:?}");
        assert!(problem.unwrap_or_default().contains(expected.unwrap_or("")), "{text}");
    }

    #[test]
    fn a_package_from_elsewhere_or_without_a_digest_is_found() {
        let registry = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
        let digest = format!("checksum = \"{}\"", "0a".repeat(32));
        check_package(&format!("name = \"a\"\n{registry}\n{digest}\n"), None);
        check_package(&format!("name = \"a\"\n{registry}\n"), Some("without its digest"));
        check_package(&format!("name = \"a\"\n{registry}\nchecksum = \"0a\"\n"), Some("without its digest"));
        let elsewhere = "source = \"git+https://git.test/a\"";
        check_package(&format!("name = \"a\"\n{elsewhere}\n{digest}\n"), Some("git.test"));
    }

    #[test]
    fn a_layer_uses_lower_ones_only() {
        assert!(layers::may_use("tb-exchange", "tb-crypto"));
        assert!(!layers::may_use("tb-crypto", "tb-exchange"));
        assert!(!layers::may_use("t01-data-platform", "t02-services"));
        assert!(!layers::may_use("t01-data-platform", "tb-testkit"));
        assert!(!layers::may_use("tb-store", "tb-identity"));
    }

    #[test]
    fn what_a_source_may_not_say_is_found() {
        let found = |path: &str, line: &str| {
            let mut problems = Vec::new();
            line_rules(path, 1, line, &mut problems);
            problems.len()
        };
        assert_eq!(found("crates/base/src/time.rs", "let now = SystemTime::now();"), 2);
        assert_eq!(found("crates/store/src/lib.rs", "#[allow(unsafe_code)]"), 1);
        assert_eq!(found("crates/tlog/src/note.rs", "use std::fs;"), 1);
        assert_eq!(found("crates/store/src/lib.rs", "let a = 1;"), 0);
    }
}
