//! The slow judges (外部评审): the Nu checker over every page, and Lighthouse on the six busiest pages of a running demo.
//!
//! Asked by hand, not in every check: they take minutes, weigh 200 MB, and one of them measures time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::{html, root, setup, sheet};

const JUDGES: &str = "judges/more";
const PACKAGES: &[(&str, &[&str])] = &[("default-jre-headless", &["/usr/bin/java"])];
const DOCUMENT: &str = "docs/pages.md";
/// Where the demo that is judged runs.
const PORT: u16 = 19_400;
/// Who opens which page of the first or third city; `…` stands for the first case that the page before links to.
const BUSIEST: [(&str, &str, u16); 6] = [
    ("", "/", 1),
    ("", "/items/121", 1),
    ("driver@430100", "/cases/…", 1),
    ("window1@430100", "/window", 1),
    ("reviewer1@430300", "/office", 3),
    ("driver@430100", "/looks", 1),
];
/// What is asked for, in hundredths.
const LEAST: [(&str, i64); 3] = [("accessibility", 100), ("best-practices", 100), ("performance", 95)];
/// The best of so many measurements counts for what is about time.
const RUNS: usize = 3;

/// Judges, and writes the figures.
pub fn run() -> Result<(), String> {
    setup::run()?;
    setup::install(PACKAGES)?;
    setup::judges(JUDGES)?;
    html::run()?;
    nu()?;
    sheet::run()?;
    lighthouse()
}

/// The Nu checker of the W3C over the same pages.
fn nu() -> Result<(), String> {
    let pages = html::distinct()?;
    let output = Command::new("java")
        .args(["-Xss4m", "-jar", "judges/more/node_modules/vnu-jar/build/dist/vnu.jar", "--errors-only"])
        .args(&pages)
        .current_dir(root())
        .output()
        .map_err(|error| format!("java: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        println!("nu: {} pages are valid", pages.len());
        return Ok(());
    }
    Err(format!("the Nu checker found faults:\n{said}"))
}

/// A demo that ends with its owner.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the release build on data of its own.
fn demo() -> Result<Demo, String> {
    let data = root().join("target/judged");
    let _ = std::fs::remove_dir_all(&data);
    let built = Command::new("cargo")
        .args(["build", "--release", "--locked", "--package", "tongban"])
        .current_dir(root())
        .status()
        .map_err(|error| error.to_string())?;
    if !built.success() {
        return Err("building for release failed".to_owned());
    }
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root().join("target"), PathBuf::from);
    let mut child = Command::new(target.join("release/tongban"))
        .args(["demo", "--port", &PORT.to_string(), "--data"])
        .arg(&data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("the demo: {error}"))?;
    let output = child.stdout.take().ok_or("the demo has no output")?;
    let demo = Demo(child);
    // It goes on talking to nobody; its last line says that it is ready.
    let ready =
        BufReader::new(output).lines().map_while(Result::ok).any(|line| line.starts_with("every account"));
    if ready { Ok(demo) } else { Err("the demo ended before it was ready".to_owned()) }
}

fn lighthouse() -> Result<(), String> {
    let _demo = demo()?;
    let mut rows = Vec::new();
    for (who, path, city) in BUSIEST {
        let mut best: BTreeMap<&str, i64> = BTreeMap::new();
        for _ in 0..RUNS {
            for (name, score) in measured(who, path, city)? {
                let kept = best.entry(name).or_insert(score);
                *kept = score.max(*kept);
            }
        }
        println!("lighthouse: {path} as {who:?}: {best:?}");
        rows.push((who, path, best));
    }
    write(&rows)?;
    let short = rows.iter().flat_map(|(_, path, best)| {
        LEAST.iter().filter_map(move |(name, least)| {
            let score = best.get(name).copied().unwrap_or(0);
            (score < *least).then(|| format!("{path}: {name} {score}, asked for {least}"))
        })
    });
    let short: Vec<String> = short.collect();
    if short.is_empty() { Ok(()) } else { Err(short.join("\n")) }
}

/// One run; the script signs in and gives the scores as JSON.
fn measured(who: &str, path: &str, city: u16) -> Result<Vec<(&'static str, i64)>, String> {
    let site = format!("http://127.0.0.1:{}", PORT + city);
    let output = Command::new("node")
        .args(["judges/more/lighthouse.mjs", &site, who, path])
        .env("CHROME_PATH", "/usr/bin/chromium")
        .current_dir(root())
        .output()
        .map_err(|error| format!("node: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let scores: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("lighthouse of {path}: {error}: {said}"))?;
    Ok(LEAST.iter().map(|(name, _)| (*name, scores[name].as_i64().unwrap_or(0))).collect())
}

fn write(rows: &[(&str, &str, BTreeMap<&str, i64>)]) -> Result<(), String> {
    let mut text = format!(
        "<!-- Made by `cargo xtask judge`; do not edit. -->\n\n# What outside judges say of the pages\n\nLighthouse on a release build of the demo, as a telephone on a slow line: the best of {RUNS} runs each, of 100.\nThe browser tests ask axe-core about every page in each form; html-validate and the Nu checker judge the HTML of each.\nWhich tests open which address says `cargo xtask routes`.\n\n| page | who | accessibility | best practices | performance |\n|---|---|---|---|---|\n"
    );
    for (who, path, best) in rows {
        let score = |name: &str| best.get(name).copied().unwrap_or(0);
        let who = if who.is_empty() { "anybody" } else { who };
        let _ = writeln!(
            text,
            "| `{path}` | {who} | {} | {} | {} |",
            score("accessibility"),
            score("best-practices"),
            score("performance")
        );
    }
    std::fs::write(root().join(DOCUMENT), text).map_err(|error| format!("{DOCUMENT}: {error}"))
}
