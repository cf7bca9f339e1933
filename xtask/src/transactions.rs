//! The registry of named transactions (事务清单), read from the sources so that none is left out.

use std::collections::BTreeMap;

use crate::{files, read};

/// A name and the files whose writes have it.
pub type Names = BTreeMap<String, Vec<String>>;

/// The services of the exchange: what processes a message of one, or answers a query, is called after it.
const SERVICES: &str = "crates/exchange/src/service.rs";

/// Every name that a write of the product can have.
pub fn all() -> Result<Names, String> {
    let mut names = Names::new();
    for path in files(".rs")?.into_iter().filter(|path| is_product(path)) {
        let text = read(&path)?;
        let source = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(&text);
        for name in literal_names(source).into_iter().chain(jobs(source)) {
            put(&mut names, name, &path);
        }
    }
    for name in literals_of_consts(&read(SERVICES)?, "") {
        put(&mut names, name, SERVICES);
    }
    Ok(names)
}

fn put(names: &mut Names, name: String, path: &str) {
    let files = names.entry(name).or_default();
    if !files.iter().any(|known| known == path) {
        files.push(path.to_owned());
    }
}

/// What runs in a city: no tests, no examples, not this tool.
fn is_product(path: &str) -> bool {
    let others = [
        "/tests",
        "tests.rs",
        "tests_support",
        "/stories",
        "/examples/",
        "/fixture",
        "crates/testkit",
        "crates/sim/",
        "crates/bench/",
    ];
    let inside = ["crates/", "tasks/", "tongban/"].iter().any(|start| path.starts_with(start));
    inside && path.contains("/src/") && !others.iter().any(|part| path.contains(part))
}

/// Names that stand in a `write("…"` themselves, on the same line or the next.
fn literal_names(source: &str) -> Vec<String> {
    let calls = source.split("write(").skip(1);
    calls
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
        .map(str::to_owned)
        .collect()
}

/// The kind of a job is the name of the transaction that does it; kinds are constants called `JOB`.
fn jobs(source: &str) -> Vec<String> {
    literals_of_consts(source, "JOB:")
}

/// The texts of `const NAME: &str = "…"`, of all names or of one.
fn literals_of_consts(source: &str, name: &str) -> Vec<String> {
    let consts = source.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("const "));
    consts
        .filter(|rest| rest.starts_with(name))
        .filter_map(|rest| rest.split_once(": &str = \"")?.1.split('"').next())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{jobs, literal_names, literals_of_consts};

    #[test]
    fn names_are_found_where_they_stand() {
        let source = "store.write(\"a.one\", work)\n    .write(\n        \"a.two\",\nfn write(pairs: &str)\nwrite(name, x)";
        assert_eq!(literal_names(source), ["a.one", "a.two"]);
        assert_eq!(jobs("pub const JOB: &str = \"case.timer\";\nconst JOBS_MAX: u32 = 3;"), ["case.timer"]);
        assert_eq!(literals_of_consts("pub const A: &str = \"a/1/b\";", ""), ["a/1/b"]);
    }
}
