//! What was typed, in words (词): one writing, cut at blanks, marks and changes of script, without words that say nothing.

use crate::QUERY_LETTERS_MAX;

/// What people say, what the items call it, and what says nothing (同义词).
#[derive(Clone, Debug, Default)]
pub(crate) struct Synonyms {
    /// What is said, and what the items call it.
    pub(crate) pairs: Vec<(String, String)>,
    /// What may be cut off the beginning of a Chinese word.
    before: Vec<String>,
    /// What may be cut off its end.
    after: Vec<String>,
    /// Whole words that are left out.
    idle: Vec<String>,
}

/// A word, as it was typed and in other forms that mean the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// As it was typed.
    pub(crate) typed: String,
    /// Without what says nothing, or in the singular; may be empty.
    pub(crate) other: Option<String>,
}

impl Word {
    /// Every form, as it was typed first.
    pub(crate) fn forms(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.typed.as_str()).chain(self.other.as_deref())
    }
}

impl Synonyms {
    /// Reads lines of what is said and what it means; a line without a meaning says nothing:
    /// 我要… may stand before a word, …怎么办 behind it, any other stands alone.
    pub(crate) fn read(text: &str) -> Synonyms {
        let mut all = Synonyms::default();
        for (said, means) in text.lines().skip(1).filter_map(|line| line.trim().split_once(',')) {
            let said = said.to_lowercase();
            match (said.strip_suffix('…'), said.strip_prefix('…'), means) {
                (Some(before), _, "") => all.before.push(before.to_owned()),
                (None, Some(after), "") => all.after.push(after.to_owned()),
                (None, None, "") => all.idle.push(said),
                (_, _, means) => all.pairs.push((said, means.to_lowercase())),
            }
        }
        all.before.sort_by_key(|word| std::cmp::Reverse(word.len()));
        all.after.sort_by_key(|word| std::cmp::Reverse(word.len()));
        all
    }

    /// The words of a query.
    pub(crate) fn words(&self, query: &str) -> Vec<Word> {
        let all: Vec<String> = cut(&plain(query));
        let useful: Vec<&String> = all.iter().filter(|word| !self.says_nothing(word)).collect();
        let used = if useful.is_empty() { all.iter().collect() } else { useful };
        used.into_iter().map(|word| Word { typed: word.clone(), other: self.other(word) }).collect()
    }

    fn says_nothing(&self, word: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|it| it == word);
        named(&self.idle) || named(&self.before) || named(&self.after)
    }

    /// A word without what says nothing, or an English one in the singular.
    fn other(&self, word: &str) -> Option<String> {
        if word.is_ascii() {
            return word.strip_suffix('s').filter(|rest| 2 < rest.len()).map(str::to_owned);
        }
        let mut rest = word;
        loop {
            let before = self.before.iter().filter_map(|it| rest.strip_prefix(it.as_str()));
            let after = self.after.iter().filter_map(|it| rest.strip_suffix(it.as_str()));
            match before.chain(after).find(|shorter| !shorter.is_empty()) {
                Some(shorter) => rest = shorter,
                None => break,
            }
        }
        (rest != word).then(|| rest.to_owned())
    }
}

/// A text in one writing: small letters, half width, at most so many of them.
pub(crate) fn plain(text: &str) -> String {
    let half = |letter: char| match letter {
        '\u{ff01}'..='\u{ff5e}' => {
            u32::from(letter).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(letter)
        }
        '\u{3000}' => ' ',
        letter => letter,
    };
    text.chars().take(QUERY_LETTERS_MAX).map(half).flat_map(char::to_lowercase).collect()
}

/// Cut at blanks and marks, and where Chinese meets Latin letters.
fn cut(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last: Option<bool> = None;
    for letter in text.chars() {
        let script = letter.is_alphanumeric().then(|| letter.is_ascii());
        match (script, words.last_mut()) {
            (None, _) => {}
            (Some(_), Some(word)) if script == last => word.push(letter),
            (Some(_), _) => words.push(letter.to_string()),
        }
        last = script;
    }
    words
}
