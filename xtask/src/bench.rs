//! Benchmarks (基准测试): installs what is measured beside ours, builds for release, runs, and leaves the document.

use std::process::Command;

use crate::{root, setup};

/// Debian packages that are measured beside ours, and the file that shows that each is there.
const PACKAGES: &[(&str, &[&str])] = &[
    ("nginx-light", &["/usr/sbin/nginx"]),
    ("postgresql", &["/usr/bin/pgbench"]),
    ("openssl", &["/usr/bin/openssl"]),
];
const DOCUMENT: &str = "docs/benchmarks.md";

/// Passes its words on; only a full run of everything replaces the document.
pub fn run(words: &[&str]) -> Result<(), String> {
    setup::install(PACKAGES)?;
    cargo(&["build", "--release", "--locked", "--package", "tongban", "--package", "tb-bench"])?;
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root().join("target"), Into::into);
    let release = target.join("release");
    let mut bench = Command::new(release.join("tongban-bench"));
    bench.args(words).arg("--tongban").arg(release.join("tongban")).current_dir(root());
    if words.is_empty() {
        bench.args(["--out", DOCUMENT]);
    }
    finished(&mut bench, "the benchmarks")
}

fn cargo(words: &[&str]) -> Result<(), String> {
    finished(Command::new("cargo").args(words).current_dir(root()), "building for release")
}

fn finished(command: &mut Command, what: &str) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{what}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{what} failed")) }
}
