//! Words of pages (界面文字): every text is a pair with two halves, and days are written by one hand.
//!
//! What lies outside a pair would stand in Chinese on an English page, and no reader of Chinese would ever see it.

use crate::{files, read};

/// What the other language says by the order of words, so that its half may be empty.
const PARTICLES: [&str; 8] = ["有", "共", "第", "版", "次", "起", "条", "另外"];
/// The one place that writes days and times.
const HAND: &str = "crates/web/src/lang.rs";
/// Where a day stands on a page.
const PAGES: [&str; 3] = ["crates/web/", "tasks/", "tongban/src/pages/"];

/// Every text without its other half, in templates and in pages' code.
pub fn check(problems: &mut Vec<String>) -> Result<(), String> {
    for path in files(".html")?.iter().filter(|path| path.contains("/templates/")) {
        let text = read(path)?;
        problems.extend(outside_pairs(path, &text));
        problems.extend(halves(path, &text));
    }
    let is_page = |path: &&String| PAGES.iter().any(|at| path.starts_with(at)) && path.contains("/src/");
    for path in files(".rs")?.iter().filter(is_page) {
        let text = read(path)?;
        problems.extend(halves(path, &text));
        if path != HAND {
            problems.extend(own_days(path, &text));
        }
    }
    Ok(())
}

/// Chinese that stands in a template by itself, neither in an expression, nor beside its English, nor told as Chinese.
fn outside_pairs(path: &str, text: &str) -> Vec<String> {
    let mut left = text.to_owned();
    for (begin, end) in [("{#", "#}"), ("<!--", "-->"), ("{% if lang.is_english() %}", "{% endif %}")] {
        left = without(&left, begin, end);
    }
    for (begin, end) in [("{{", "}}"), ("{%", "%}")] {
        left = without(&left, begin, end);
    }
    let is_bare = |line: &str| line.chars().any(is_han) && !line.contains("lang=\"zh");
    let bare = left.lines().enumerate().filter(|(_, line)| is_bare(line));
    bare.map(|(at, _)| format!("{path}:{} has Chinese outside a pair `lang.t(…, …)`", at + 1)).collect()
}

/// Pairs of which one half is empty.
fn halves(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for pair in line.split(".t(\"").skip(1) {
            let Some((zh, rest)) = pair.split_once('"') else { continue };
            let Some(en) = rest.strip_prefix(", \"").and_then(|rest| rest.split('"').next()) else {
                continue;
            };
            let is_whole = !zh.is_empty() && !en.is_empty();
            if !is_whole && !PARTICLES.contains(&zh.trim()) {
                problems.push(format!("{path}:{} has a pair with an empty half: {zh:?}, {en:?}", at + 1));
            }
        }
    }
    problems
}

/// Days put together by hand.
fn own_days(path: &str, text: &str) -> Vec<String> {
    let is_own =
        |line: &str| line.contains(":02}-{:02}") || line.contains(":02}:{:02}") || line.contains("strftime");
    let own = text.lines().enumerate().filter(|(_, line)| is_own(line));
    own.map(|(at, _)| format!("{path}:{} writes a day or a time by itself; `Lang` does", at + 1)).collect()
}

/// The text without what stands between two marks; its lines keep their numbers.
fn without(text: &str, begin: &str, end: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inner)) = rest.split_once(begin) {
        kept.push_str(before);
        let (gone, after) = inner.split_once(end).unwrap_or((inner, ""));
        kept.extend(gone.matches('\n'));
        rest = after;
    }
    kept + rest
}

fn is_han(letter: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = [outside_pairs("a", text), halves("a", text), own_days("a", text)]
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn chinese_stands_in_pairs() {
        check("<p>\n{{ lang.t(\"好\", \"good\") }}</p>", &[]);
        check("<p>\n好</p>", &["a:2 has Chinese"]);
        check(
            "{# 好 #}<!-- 好\n -->{% if lang.is_english() %}good{% else %}好{% endif %}\n好",
            &["a:3 has Chinese"],
        );
        check("<p lang=\"zh-CN\">好</p>", &[]);
    }

    #[test]
    fn a_pair_has_two_halves() {
        check("{{ lang.t(\"好\", \"\") }}", &["a:1 has a pair"]);
        check("{{ lang.t(\"\", \"good\") }}", &["a:1 has a pair"]);
        check("{{ lang.t(\"第 \", \"\") }}", &[]);
    }

    #[test]
    fn days_are_written_by_one_hand() {
        check("format!(\"{:02}-{:02}\", 1, 2)", &["a:1 writes a day"]);
        check("lang.day(date)", &[]);
    }
}
