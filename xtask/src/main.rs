//! The project's own tool: `cargo xtask ci | tidy | gen [--check] | setup | routes [--check] | html | sheet | judge | sim | fuzz | bench`.

#![expect(clippy::print_stdout, reason = "a command line tool talks to its terminal")]

mod bench;
mod ci;
mod codes;
mod documents;
mod floor;
mod generate;
mod html;
mod judge;
mod layers;
mod routes;
mod setup;
mod sheet;
mod threats;
mod tidy;
mod transactions;
mod visits;
mod words;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["ci"] => ci::run(),
        ["tidy"] => tidy::run(),
        ["gen"] => generate::run(generate::Mode::Write),
        ["gen", "--check"] => generate::run(generate::Mode::Check),
        ["setup"] => setup::run(),
        ["routes"] => routes::run(generate::Mode::Write),
        ["routes", "--check"] => routes::run(generate::Mode::Check),
        ["html"] => html::run(),
        ["sheet"] => sheet::run(),
        ["judge"] => judge::run(),
        ["sim", words @ ..] => ci::sim(words),
        ["fuzz", words @ ..] => fuzz(words),
        ["bench", words @ ..] => bench::run(words),
        _ => Err(
            "usage: cargo xtask ci | tidy | gen [--check] | setup | routes [--check] | html | sheet | judge | sim [--kept] [--seeds N] [--trace SEED] \
             | fuzz [--seconds N] [--seed N] [TARGET] | bench [--quick] [--only …]"
                .to_owned(),
        ),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Looks for inputs that break a reader; those that do are kept in `fuzz/corpus`, and fail the tests from then on.
fn fuzz(options: &[&str]) -> Result<(), String> {
    let mut words = vec!["run", "--locked", "--package", "tb-fuzz", "--"];
    words.extend(options);
    ci::cargo(&words)
}

/// The folder of the workspace.
fn root() -> std::path::PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Files that git tracks or would track, with forward slashes, relative to the root.
fn files(ending: &str) -> Result<Vec<String>, String> {
    let listed = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .map_err(|error| format!("git ls-files: {error}"))?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let there = |path: &&str| path.ends_with(ending) && root().join(path).is_file();
    Ok(listed.lines().filter(there).map(str::to_owned).collect())
}

/// The text of a file of the workspace.
fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))
}
