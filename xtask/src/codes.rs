//! The codes of refusals (不予办理代码) as the sources make them: read from their text, so that none is left out.

use std::collections::BTreeMap;

use crate::{files, read};

/// Where a code stands, with the words that follow it.
#[derive(Clone, Default)]
pub struct Mention {
    /// The file.
    pub path: String,
    /// What people read in Chinese; empty where the words stand elsewhere.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// Every code with the place that makes it: the first that gives words to it, else the first that names it.
pub fn made() -> Result<BTreeMap<String, Mention>, String> {
    let mut codes: BTreeMap<String, Mention> = BTreeMap::new();
    for (code, mention) in mentions()? {
        let known = codes.entry(code).or_insert_with(|| mention.clone());
        if known.en.is_empty() && !mention.en.is_empty() {
            *known = mention;
        }
    }
    Ok(codes)
}

/// Codes to which two crates give words: two meanings under one code, or one that should be shared.
pub fn shared() -> Result<Vec<String>, String> {
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    let mut problems = Vec::new();
    for (code, mention) in mentions()?.into_iter().filter(|(_, mention)| !mention.en.is_empty()) {
        let owner = owner_of(&mention.path).to_owned();
        let known = owners.entry(code.clone()).or_insert_with(|| owner.clone());
        if *known != owner {
            problems.push(format!("{} gives words to {code}, which is a code of {known}", mention.path));
        }
    }
    Ok(problems)
}

fn owner_of(path: &str) -> &str {
    path.split("/src/").next().unwrap_or(path)
}

fn mentions() -> Result<Vec<(String, Mention)>, String> {
    let mut all = Vec::new();
    for path in files(".rs")?.into_iter().filter(|path| !is_test(path) && !path.starts_with("xtask/")) {
        let text = read(&path)?;
        let source = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(&text);
        let literals = literals(source);
        for (at, literal) in literals.iter().enumerate().filter(|(_, literal)| is_code(&literal.text)) {
            let mut words = literals[at + 1..].iter().take_while(|next| next.follows).map(|next| &next.text);
            let first = words.next();
            let (zh, en) = match first {
                // Where the Chinese words are put together elsewhere, only the English ones stand here.
                Some(only) if only.is_ascii() => (None, Some(only)),
                _ => (first, words.next()),
            };
            let words = |words: Option<&String>| words.filter(|it| !is_code(it)).cloned().unwrap_or_default();
            let mention = Mention { path: path.clone(), zh: words(zh), en: words(en) };
            all.push((literal.text.clone(), mention));
        }
    }
    Ok(all)
}

fn is_test(path: &str) -> bool {
    let parts =
        ["/tests", "tests.rs", "tests_support", "/fixture.rs", "/stories", "/examples/", "crates/testkit"];
    parts.iter().any(|part| path.contains(part))
}

/// A text literal of a source, and whether it is the next argument after the one before: no statement and no
/// method stands between.
struct Literal {
    text: String,
    follows: bool,
}

/// The text literals of a source, in order; comments and letters in single quotes are left out.
fn literals(source: &str) -> Vec<Literal> {
    let mut found = Vec::new();
    let mut between = String::new();
    let mut letters = source.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '/' if letters.peek() == Some(&'/') => while letters.next_if(|next| *next != '\n').is_some() {},
            '\'' if letters.peek() == Some(&'"') => {
                letters.next();
            }
            '"' => {
                let text = literal(&mut letters);
                let is_method = between.trim_start_matches([')', ' ', '\n']).starts_with('.');
                let is_plain = between.chars().all(|it| it.is_alphanumeric() || " \n,()!+_.&".contains(it));
                let follows = is_plain && !is_method;
                found.push(Literal { text, follows });
                between.clear();
            }
            other => between.push(other),
        }
    }
    found
}

/// The rest of a literal, whose first quote was read; a line that is continued is joined.
fn literal(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => match letters.next() {
                Some('\n') => while letters.next_if(|next| next.is_whitespace()).is_some() {},
                Some(escaped) => text.push(escaped),
                None => break,
            },
            other => text.push(other),
        }
    }
    text
}

/// `ABC-DEF-001`: two groups of capitals (and digits), then three digits.
fn is_code(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let word = |part: &str| {
        (2..=5).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit())
    };
    matches!(parts.as_slice(), [first, second, number]
        if word(first) && word(second) && number.len() == 3 && number.bytes().all(|it| it.is_ascii_digit()))
}
