//! Benchmarks (基准测试) of Tongban: measures, compares with what stands beside it, and writes the document.
//!
//! Run it by `cargo xtask bench`, which builds it and the product for release and installs what it needs.

#![expect(clippy::print_stdout, reason = "a command line tool talks to its terminal")]

mod child;
mod city;
mod exchange;
mod http1;
mod journey;
mod load;
mod machine;
mod measure;
mod nginx;
mod planted;
mod postgres;
mod proofs;
mod region;
mod report;
mod rows;
mod sm2;
mod sqlite;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::measure::{Effort, Outcome, moment};
use crate::report::{Section, Titled};

/// What the command line asks for.
struct Asked {
    effort: Effort,
    /// Sections by name; none means all but those that are asked for by name only.
    only: Vec<String>,
    /// Where the document goes.
    out: Option<PathBuf>,
    /// The product, built for release.
    tongban: PathBuf,
}

type Run = fn(&Asked) -> Outcome<Section>;

/// A section, its title, and whether it belongs to a run of everything.
const SECTIONS: &[(&str, &str, bool, Run)] = &[
    ("store", "Store on SQLite", true, |asked| sqlite::run(asked.effort)),
    ("postgres", "Store on PostgreSQL", true, |asked| postgres::run(asked.effort)),
    ("exchange", "Exchange", true, |asked| exchange::run(asked.effort)),
    ("sm2", "SM2 verification", true, |asked| sm2::run(asked.effort)),
    ("log", "Log and decisions", true, |asked| proofs::run(asked.effort)),
    ("city", "One city: memory, start, pages", true, |asked| city::run(&asked.tongban, asked.effort)),
    ("journey", "Journey and evidence", true, |asked| journey::run(&asked.tongban, asked.effort)),
    ("sm2-differential", "SM2 verification, both ways", false, |asked| sm2::differential(asked.effort)),
];

fn main() -> ExitCode {
    match asked(std::env::args().skip(1)).and_then(|asked| run(&asked)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("tongban-bench: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn asked(words: impl Iterator<Item = String>) -> Outcome<Asked> {
    let mut asked = Asked {
        effort: Effort::FULL,
        only: Vec::new(),
        out: None,
        tongban: PathBuf::from("target/release/tongban"),
    };
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--quick" => asked.effort = Effort::QUICK,
            "--only" => asked.only = value()?.split(',').map(str::to_owned).collect(),
            "--out" => asked.out = Some(PathBuf::from(value()?)),
            "--tongban" => asked.tongban = PathBuf::from(value()?),
            _ => return Err(usage()),
        }
    }
    // Programs are started in folders of their own.
    if let Ok(whole) = std::path::absolute(&asked.tongban) {
        asked.tongban = whole;
    }
    let known = |name: &String| SECTIONS.iter().any(|(section, ..)| section == name);
    match asked.only.iter().find(|name| !known(name)) {
        None => Ok(asked),
        Some(name) => Err(format!("there is no section {name}; {}", usage())),
    }
}

fn usage() -> String {
    let names: Vec<&str> = SECTIONS.iter().map(|(name, ..)| *name).collect();
    format!("usage: cargo xtask bench [--quick] [--only {}]", names.join(","))
}

/// Runs what is asked for; a section that fails says so in the document and keeps no other from being measured.
fn run(asked: &Asked) -> Outcome<()> {
    let head = machine::lines(asked.effort);
    let mut sections: Vec<Titled> = Vec::new();
    for (name, title, in_all, run) in SECTIONS {
        let is_asked = if asked.only.is_empty() { *in_all } else { asked.only.iter().any(|it| it == name) };
        if !is_asked {
            continue;
        }
        let begun = moment();
        eprintln!("bench: {name} …");
        let section = run(asked);
        eprintln!("bench: {name}: {} s", begun.elapsed().as_secs());
        sections.push((title, section));
    }
    let text = report::write(&head, &sections);
    match &asked.out {
        Some(path) => {
            std::fs::write(path, &text).map_err(|error| format!("writing {}: {error}", path.display()))?;
            println!("written: {}", path.display());
        }
        None => println!("{text}"),
    }
    let failed: Vec<&str> =
        sections.iter().filter(|(_, section)| section.is_err()).map(|(title, _)| *title).collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("not measured: {}", failed.join(", "))) }
}
