//! Whether the pages are valid HTML (页面校验): html-validate over every page that the browser tests were sent.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::root;

/// Pages as the sites sent them.
pub const PAGES: &str = "target/pages";
/// Faults that are shown; the rest is counted.
const SHOWN_MAX: usize = 60;

/// Judges each page once, however often it was looked at.
pub fn run() -> Result<(), String> {
    let pages = distinct()?;
    if pages.is_empty() {
        return Err(format!("no pages in {PAGES}; run the browser tests first"));
    }
    let judge = root().join("judges/node_modules/.bin/html-validate");
    let output = Command::new(judge)
        .args(["--config", "judges/htmlvalidate.json", "--formatter", "text"])
        .args(&pages)
        .current_dir(root())
        .output()
        .map_err(|error| format!("html-validate: {error}; `cargo xtask setup` installs it"))?;
    if output.status.success() {
        println!("html: {} pages are valid", pages.len());
        return Ok(());
    }
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    for line in said.lines().take(SHOWN_MAX) {
        println!("html: {line}");
    }
    Err(format!("html-validate found {} faults in {} pages", said.lines().count(), pages.len()))
}

/// One of the pages that differ in their text only: the same tags with the same attributes are judged once.
pub fn distinct() -> Result<Vec<PathBuf>, String> {
    let folder = root().join(PAGES);
    let Ok(listed) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut files: Vec<PathBuf> = listed.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.sort();
    let (mut seen, mut kept) = (BTreeSet::new(), Vec::new());
    for file in files {
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        if seen.insert(bones(&text)) {
            kept.push(file);
        }
    }
    Ok(kept)
}

/// The tags of a page, digits and identifiers aside.
fn bones(html: &str) -> String {
    let tags = html.split('<').skip(1).map(|piece| piece.split('>').next().unwrap_or(""));
    let is_word = |it: char| it.is_alphabetic() || " =\"'-_/:;.".contains(it);
    tags.map(|tag| {
        tag.split(' ')
            .map(|word| if 24 < word.len() { &word[..word.floor_char_boundary(12)] } else { word })
            .collect::<Vec<_>>()
            .join(" ")
    })
    .collect::<Vec<_>>()
    .join("<")
    .chars()
    .filter(|it| is_word(*it) || *it == '<')
    .collect()
}
