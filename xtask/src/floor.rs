//! The oldest browser that we serve (浏览器下限): Chromium 90, on government desktops. What needs a younger one is refused.
//!
//! Only what breaks a page is listed. What an older engine passes over without harm may be used: `text-wrap`,
//! `text-autospace`, `accent-color`.

use crate::{files, read};

/// The first version of Chromium that every page must work in.
const FLOOR: u32 = 90;

/// Words of style sheets, and the first version of Chromium that knows them.
const STYLE: [(&str, u32); 16] = [
    (":has(", 105),
    ("@container", 105),
    ("@layer", 99),
    ("@scope", 118),
    ("@starting-style", 117),
    ("color-mix(", 111),
    ("light-dark(", 123),
    ("oklch(", 111),
    ("subgrid", 117),
    ("dvh", 108),
    ("svh", 108),
    ("lvh", 108),
    ("cqw", 105),
    (":popover-open", 114),
    (":user-invalid", 119),
    ("translate:", 104),
];
/// Words of scripts.
const SCRIPT: [(&str, u32); 16] = [
    ("structuredClone(", 98),
    (".at(", 92),
    ("Object.hasOwn(", 93),
    ("Object.groupBy(", 117),
    (".findLast(", 97),
    (".findLastIndex(", 97),
    (".toSorted(", 110),
    (".toReversed(", 110),
    ("randomUUID(", 92),
    ("AbortSignal.timeout(", 103),
    ("Promise.withResolvers(", 119),
    ("Array.fromAsync(", 121),
    (".showPopover(", 114),
    (".inert", 102),
    ("startViewTransition(", 111),
    ("navigation.navigate(", 102),
];
/// Attributes and elements of pages.
const PAGE: [(&str, u32); 6] = [
    (" inert", 102),
    (" popover", 114),
    (" popovertarget", 114),
    ("<search", 118),
    (" fetchpriority", 101),
    (" closedby", 134),
];

/// Every word that is too young, in every style sheet, script and page of the product.
pub fn check(problems: &mut Vec<String>) -> Result<(), String> {
    for kind in [".css", ".js", ".html"] {
        for path in files(kind)?.into_iter().filter(|path| is_product(path)) {
            problems.extend(young(&path, &read(&path)?));
        }
    }
    Ok(())
}

/// Scripts of tests run in the browser of the test machine, which is of this year.
fn is_product(path: &str) -> bool {
    !path.contains("/tests/") && !path.starts_with("judges/")
}

fn young(path: &str, text: &str) -> Vec<String> {
    let words: &[(&str, u32)] = match path.rsplit('.').next() {
        Some("css") => &STYLE,
        Some("js") => &SCRIPT,
        _ => &PAGE,
    };
    let mut found = Vec::new();
    let bare = without_comments(text);
    for (at, line) in bare.lines().enumerate() {
        for (word, first) in words.iter().filter(|(_, first)| FLOOR < *first) {
            if stands_alone(line, word) {
                found.push(format!(
                    "{path}:{} needs Chromium {first} for {}; we serve {FLOOR}",
                    at + 1,
                    word.trim()
                ));
            }
        }
    }
    if path.ends_with(".css") {
        found.extend(nested(path, &bare));
    }
    found
}

/// Whether a word stands in a line, and not only as a part of a longer one.
fn stands_alone(line: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|after| after.chars().next());
        // A unit such as dvh has a number before it; what begins with a sign or a blank needs no look back.
        let begins = !word.starts_with(char::is_alphabetic)
            || before.is_none_or(|it| !is_part(it) || it.is_ascii_digit());
        let ends = !word.ends_with(char::is_alphabetic) || after.is_none_or(|it| !is_part(it));
        begins && ends
    })
}

/// A rule within a rule needs Chromium 112; within `@media` and the like it does not.
fn nested(path: &str, text: &str) -> Option<String> {
    let (mut open, mut head, mut line) = (Vec::new(), String::new(), 1);
    for letter in text.chars() {
        match letter {
            '{' => {
                let is_group = head.trim_start().starts_with('@');
                if open.last() == Some(&false) {
                    return Some(format!("{path}:{line} puts a rule into a rule, which needs Chromium 112"));
                }
                open.push(is_group);
                head.clear();
            }
            '}' => {
                open.pop();
                head.clear();
            }
            ';' => head.clear(),
            '\n' => line += 1,
            _ => head.push(letter),
        }
    }
    None
}

/// The text with its comments blanked, so that lines keep their numbers.
fn without_comments(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        bare.push_str(before);
        let (inside, after) = comment.split_once("*/").unwrap_or((comment, ""));
        bare.extend(inside.chars().filter(|letter| *letter == '\n'));
        rest = after;
    }
    bare.push_str(rest);
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expected: &[&str]) {
        let found = young(path, text);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (problem, part) in found.iter().zip(expected) {
            assert!(problem.contains(part), "{problem} lacks {part}");
        }
    }

    #[test]
    fn young_styles_are_refused_by_line() {
        check("a.css", "a { color: red; }\nb:has(c) { color: red; }\n", &["a.css:2 needs Chromium 105"]);
        check("a.css", "@layer base { a { color: red; } }", &["99"]);
        check("a.css", "@container (min-width: 1em) { a { color: red; } }", &["105"]);
        check("a.css", "a { height: 100dvh; color: color-mix(in srgb, red, blue); }", &["111", "108"]);
        check("a.css", ".a {\n  color: red;\n  .b { color: blue; }\n}", &["a.css:3 puts a rule into a rule"]);
        check("a.css", "@media print {\n  .a { color: red; }\n  @page { margin: 1cm; }\n}\n/* :has( */", &[]);
        check("a.css", "a { text-wrap: balance; accent-color: red; inset: 0; }", &[]);
    }

    #[test]
    fn young_scripts_are_refused() {
        check("a.js", "var b = structuredClone(a);\nb.at(-1);", &["98", "a.js:2 needs Chromium 92"]);
        check("a.js", "if (Object.hasOwn(a, \"b\")) { a.findLast(f); }", &["93", "97"]);
        check("a.js", "box.inert = true;", &["102"]);
        check("a.js", "/* structuredClone( */ a.format(b); a.inertia = 1; a.flat(1);", &[]);
    }

    #[test]
    fn young_pages_are_refused() {
        check("a.html", "<div inert>", &["102"]);
        check("a.html", "<div popover=\"auto\"><search>", &["114", "118"]);
        check("a.html", "<p>{{ lang.t(\"惰性\", \"an inertial popovers\") }}</p>", &[]);
    }
}
