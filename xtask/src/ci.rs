//! The whole check (整体检查), step by step, each timed; the first failure ends it.

use std::process::Command;
use std::time::Instant;

use crate::{generate, html, root, routes, setup, sheet, tidy, visits};

type Step = (&'static str, fn() -> Result<(), String>);

const STEPS: &[Step] = &[
    ("setup", setup::run),
    ("format", || cargo(&["fmt", "--all", "--check"])),
    ("tidy", tidy::run),
    ("clippy", || cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])),
    ("build", || cargo(&["build", "--workspace", "--all-targets", "--locked"])),
    ("generated files", || generate::run(generate::Mode::Check)),
    ("definitions", || cargo(&["run", "--locked", "--", "defs", "check"])),
    ("tests of crates", || cargo(&["test", "--workspace", "--exclude", "tongban", "--locked"])),
    // Each of these runs three processes, some a browser too: two at a time are what two cores can take.
    ("tests of the whole", || {
        visits::forget()?;
        cargo(&["test", "--package", "tongban", "--locked", "--", "--test-threads", "2"])
    }),
    ("addresses visited", || routes::run(generate::Mode::Check)),
    ("pages valid", html::run),
    ("contact sheet", sheet::run),
    ("simulation", || sim(&["--kept", "--from", &fresh(), "--seconds", "60"])),
    ("documentation", || cargo(&["doc", "--workspace", "--no-deps", "--locked"])),
];

/// Runs every step.
#[expect(clippy::disallowed_methods, reason = "what is timed here is the machine, not an act")]
pub fn run() -> Result<(), String> {
    let begun = Instant::now();
    for (name, step) in STEPS {
        let step_begun = Instant::now();
        println!("== {name}");
        step().map_err(|problem| format!("{name}: {problem}"))?;
        println!("== {name}: {} s", step_begun.elapsed().as_secs());
    }
    println!("ci: all {} steps passed in {} s", STEPS.len(), begun.elapsed().as_secs());
    Ok(())
}

/// Storms under seeds: `cargo xtask sim --seeds N`.
pub fn sim(words: &[&str]) -> Result<(), String> {
    cargo(&[&["run", "--quiet", "--locked", "--package", "tb-sim", "--bin", "sim", "--"], words].concat())
}

/// A first seed that no run has had: a failure prints the seeds that failed, and each can be run again.
#[expect(clippy::disallowed_methods, reason = "each run is to look where none has looked before")]
fn fresh() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() * 1_000).to_string()
}

/// Runs cargo in the workspace.
pub fn cargo(words: &[&str]) -> Result<(), String> {
    let status = Command::new("cargo")
        .args(words)
        .current_dir(root())
        .env("RUSTDOCFLAGS", "-D warnings")
        .status()
        .map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("cargo {} failed", words.join(" "))) }
}
