//! Search over what can be done (搜事项): by name, sound, initials, another name or department; then what is near to it.

use std::collections::BTreeSet;

use crate::near;
use crate::pinyin::{Pinyin, Sound, Spelling, spelling};
use crate::words::{Synonyms, Word, plain};

/// Letters of the shortest part of a Chinese word: one letter alone means nothing, but for one verb.
const PART_LETTERS_MIN: usize = 2;
/// Verbs that people say with one letter, as in 补身份证.
const VERBS: &str = "换补领转迁办查退缴交取买开";

/// What the search knows beside the items: replaceable data of a task.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// Lines of syllable and letters.
    pub pinyin: &'a str,
    /// Lines of what is said and what it means.
    pub synonyms: &'a str,
    /// Lines of id, beginnings of departments as the list of items names them, name in Chinese and in English.
    pub departments: &'a str,
}

/// What can be found.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Its number.
    pub number: u16,
    /// Its name.
    pub name: String,
    /// Its name in English.
    pub english: String,
    /// The department, as the list names it.
    pub department: String,
    /// What it covers.
    pub content: String,
    /// Whether it can be applied for: of two that fit alike, this one is shown first.
    pub can_apply: bool,
}

/// A group of departments that one searches by (主管部门).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Department {
    /// Its id in addresses.
    pub id: String,
    /// Its name.
    pub zh: String,
    /// The same in English.
    pub en: String,
    begins: Vec<String>,
}

/// How what was found belongs to what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Nothing was typed: everything.
    All,
    /// It holds every word.
    AsTyped,
    /// It sounds or looks like what was typed.
    Alike,
    /// It holds a part of what was typed only.
    Partly,
    /// There is nothing.
    Nothing,
}

/// What was found, the best fit first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The numbers of the items.
    pub numbers: Vec<u16>,
    /// How they belong to what was typed.
    pub how: How,
}

/// Finds items by what people type.
#[derive(Clone, Debug)]
pub struct Finder {
    pinyin: Pinyin,
    synonyms: Synonyms,
    departments: Vec<Department>,
    rows: Vec<Row>,
}

/// An item in every form in which it is looked for.
#[derive(Clone, Debug)]
struct Row {
    number: u16,
    name: String,
    /// Its English name, as it is shown and in small letters.
    shown: String,
    english: String,
    /// The name as other people say it.
    others: Vec<String>,
    /// How the name and the others sound.
    sounds: Vec<Vec<Sound>>,
    /// Department, content and other words for what stands in them.
    text: String,
    department: String,
    can_apply: bool,
}

/// How well a word fits an item; the smaller the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Whole,
    Begins,
    InName,
    InOtherName,
    Spelled,
    Initials,
    InText,
    Parts,
    PartsInText,
    Near,
}

impl Finder {
    /// Makes the forms of every entry; says which file is wrong.
    pub fn new(files: Files<'_>, entries: Vec<Entry>) -> Result<Finder, String> {
        let departments = departments(files.departments)?;
        let (pinyin, synonyms) = (Pinyin::read(files.pinyin), Synonyms::read(files.synonyms));
        let rows = entries.into_iter().map(|entry| Row::new(&pinyin, &synonyms, entry)).collect();
        Ok(Finder { pinyin, synonyms, departments, rows })
    }

    /// Items that hold every word of the query; where there are none, what is near to it, or holds a part of it.
    pub fn find(&self, query: &str) -> Found {
        let words = self.synonyms.words(query);
        if words.is_empty() {
            return Found { numbers: self.rows.iter().map(|row| row.number).collect(), how: How::All };
        }
        let ways: [(How, Measure); 2] = [(How::AsTyped, Finder::fit), (How::Alike, Finder::near)];
        for (how, measure) in ways {
            let numbers = self.ranked(&words, measure);
            if !numbers.is_empty() {
                return Found { numbers, how };
            }
        }
        let numbers = self.partly(&words);
        let how = if numbers.is_empty() { How::Nothing } else { How::Partly };
        Found { numbers, how }
    }

    /// The groups of departments.
    pub fn departments(&self) -> &[Department] {
        &self.departments
    }

    /// The group that an item belongs to.
    pub fn department_of(&self, number: u16) -> Option<&Department> {
        let row = self.rows.iter().find(|row| row.number == number)?;
        self.departments
            .iter()
            .find(|it| it.begins.iter().any(|begin| row.department.starts_with(begin.as_str())))
    }

    /// The English name of an item.
    pub fn english(&self, number: u16) -> Option<&str> {
        let row = self.rows.iter().find(|row| row.number == number)?;
        Some(row.shown.as_str()).filter(|name| !name.is_empty())
    }

    /// Chinese letters of names and departments of which the table of sounds says nothing.
    pub fn without_sound(&self) -> BTreeSet<char> {
        let names = self.rows.iter().flat_map(|row| row.name.chars().chain(row.department.chars()));
        let said = self.synonyms.pairs.iter().flat_map(|(said, _)| said.chars());
        names.chain(said).filter(|letter| is_chinese(*letter) && self.pinyin.of(*letter).is_empty()).collect()
    }

    /// Items of which every word fits, the worst word deciding; the best first.
    fn ranked(&self, words: &[Word], measure: Measure) -> Vec<u16> {
        let fit = |row: &Row| {
            let fits: Option<Vec<Fit>> = words
                .iter()
                .map(|word| word.forms().filter_map(|form| measure(self, form, row)).min())
                .collect();
            let fits = fits?;
            let all: usize = fits.iter().map(|fit| *fit as usize).sum();
            Some((fits.into_iter().max(), all, !row.can_apply, row.number))
        };
        let mut found: Vec<_> = self.rows.iter().filter_map(fit).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, _, _, number)| number).collect()
    }

    fn fit(&self, word: &str, row: &Row) -> Option<Fit> {
        if word.is_ascii() { row.fit_latin(word) } else { row.fit_chinese(word) }
    }

    /// How a word fits as it is, or what it may have been meant for.
    fn near(&self, word: &str, row: &Row) -> Option<Fit> {
        let mut names = std::iter::once(&row.name).chain(&row.others);
        let is_near = if word.is_ascii() {
            let sounds = row.sounds.iter().map(Vec::as_slice);
            sounds.chain([&[][..]]).any(|sounds| near::nearly_spelled(word, &row.english, sounds))
                || row.others.iter().any(|name| near::nearly_spelled(word, name, &[]))
        } else {
            names.any(|name| near::sounds_alike(&self.pinyin, word, name) || near::nearly_written(word, name))
        };
        self.fit(word, row).or(is_near.then_some(Fit::Near))
    }

    /// Items that hold most of what was typed, where that is a whole word, or half of all at the least.
    fn partly(&self, words: &[Word]) -> Vec<u16> {
        let of_word = |word: &Word, row: &Row| {
            let held = |form: &str| match self.fit(form, row) {
                Some(_) => (1, form.chars().count()),
                None if form.is_ascii() => (0, 0),
                None => (0, row.names().map(|name| longest_part(form, name)).max().unwrap_or(0)),
            };
            word.forms().map(held).max().unwrap_or((0, 0))
        };
        let of_all = |row: &Row| {
            words
                .iter()
                .map(|word| of_word(word, row))
                .fold((0, 0), |(whole, held), (more, letters)| (whole + more, held + letters))
        };
        let all: usize = words.iter().map(|word| word.forms().map(letters).min().unwrap_or(0)).sum();
        let held: Vec<((usize, usize), &Row)> = self.rows.iter().map(|row| (of_all(row), row)).collect();
        let most = held.iter().map(|(held, _)| *held).max().unwrap_or((0, 0));
        if most.1 < PART_LETTERS_MIN || (most.0 == 0 && 2 * most.1 < all) {
            return Vec::new();
        }
        held.into_iter().filter(|(held, _)| *held == most).map(|(_, row)| row.number).collect()
    }
}

type Measure = fn(&Finder, &str, &Row) -> Option<Fit>;

impl Row {
    fn new(pinyin: &Pinyin, synonyms: &Synonyms, entry: Entry) -> Row {
        let (name, english) = (plain(&entry.name), entry.english.to_lowercase());
        let mut text = format!("{} {}", entry.department, entry.content).to_lowercase();
        let not_in_name = synonyms.pairs.iter().filter(|(_, means)| !name.contains(means));
        let said: Vec<&str> =
            not_in_name.filter(|(_, means)| text.contains(means)).map(|(said, _)| said.as_str()).collect();
        text.extend(said.into_iter().flat_map(|said| [" ", said]));
        let others = others(synonyms, &name);
        let chinese = others.iter().filter(|name| !name.contains(' '));
        let sounds = std::iter::once(&name).chain(chinese).map(|name| pinyin.sounds(name)).collect();
        let Entry { number, department, can_apply, english: shown, .. } = entry;
        Row { number, name, shown, english, others, sounds, text, department, can_apply }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.others.iter().map(String::as_str))
    }

    fn fit_chinese(&self, word: &str) -> Option<Fit> {
        let whole = format!("{} {}", self.name, self.text);
        if self.name == word {
            Some(Fit::Whole)
        } else if self.name.starts_with(word) {
            Some(Fit::Begins)
        } else if self.name.contains(word) {
            Some(Fit::InName)
        } else if self.others.iter().any(|name| name.contains(word)) {
            Some(Fit::InOtherName)
        } else if self.text.contains(word) {
            Some(Fit::InText)
        } else if self.names().any(|name| is_made_of_parts(word, name)) {
            Some(Fit::Parts)
        } else if is_made_of_parts(word, &whole) {
            Some(Fit::PartsInText)
        } else {
            None
        }
    }

    fn fit_latin(&self, word: &str) -> Option<Fit> {
        if self.number.to_string() == word || self.english == word {
            return Some(Fit::Whole);
        }
        let is_word = |text: &str| english(text).any(|it| it == word);
        let begins_word = |text: &str| 1 < word.len() && english(text).any(|it| it.starts_with(word));
        if is_word(&self.english) {
            return Some(Fit::InName);
        }
        if begins_word(&self.english) || self.others.iter().any(|name| begins_word(name)) {
            return Some(Fit::InOtherName);
        }
        let spelled = self.sounds.iter().filter_map(|sounds| spelling(word, sounds)).min();
        match spelled {
            Some(Spelling::Full) => Some(Fit::Spelled),
            Some(Spelling::Initials) => Some(Fit::Initials),
            Some(Spelling::Parts) => Some(Fit::Parts),
            None => begins_word(&self.text).then_some(Fit::InText),
        }
    }
}

/// A name with one thing in it, or two, called as other people call it; an English word stands between blanks.
fn others(synonyms: &Synonyms, name: &str) -> Vec<String> {
    let called = |name: &str, (said, means): &(String, String)| {
        let said = if said.is_ascii() { format!(" {said} ") } else { said.clone() };
        name.contains(means.as_str()).then(|| name.replace(means.as_str(), &said))
    };
    let mut others = Vec::new();
    for (at, pair) in synonyms.pairs.iter().enumerate() {
        let Some(once) = called(name, pair) else { continue };
        others.extend(synonyms.pairs.iter().skip(at + 1).filter_map(|second| called(&once, second)));
        others.push(once);
    }
    others
}

/// The English words of a text.
fn english(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

fn letters(word: &str) -> usize {
    word.chars().count()
}

fn is_chinese(letter: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&letter)
}

/// Whether a Chinese word can be cut into parts that all occur, as 公积金提取 into 公积金 and 提取, or 补身份证
/// into 补 and 身份证.
fn is_made_of_parts(word: &str, text: &str) -> bool {
    let ends: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
    // Whether the letters before each place can be cut so, without and with the one verb.
    let mut reached = vec![(false, false); ends.len()];
    if let Some(first) = reached.first_mut() {
        *first = (true, false);
    }
    for to in 1..ends.len() {
        let mut cut = (false, false);
        for from in 0..to {
            let part = ends.get(from).zip(ends.get(to)).and_then(|(from, to)| word.get(*from..*to));
            let Some(part) = part.filter(|part| text.contains(*part)) else { continue };
            let (plain, with_verb) = reached.get(from).copied().unwrap_or_default();
            if PART_LETTERS_MIN <= to - from {
                cut = (cut.0 || plain, cut.1 || with_verb);
            } else if VERBS.contains(part) {
                cut.1 |= plain;
            }
        }
        if let Some(place) = reached.get_mut(to) {
            *place = cut;
        }
    }
    PART_LETTERS_MIN < letters(word) && reached.last().is_some_and(|(plain, with_verb)| *plain || *with_verb)
}

/// Letters of the longest part of a word that occurs in a name.
fn longest_part(word: &str, name: &str) -> usize {
    let ends: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
    let mut longest = 0;
    for (at, from) in ends.iter().enumerate() {
        let occurs = |to: &usize| word.get(*from..*to).is_some_and(|part| name.contains(part));
        let held = ends.iter().skip(at + 1).take_while(|to| occurs(to)).count();
        longest = longest.max(held);
    }
    if longest < PART_LETTERS_MIN { 0 } else { longest }
}

fn departments(text: &str) -> Result<Vec<Department>, String> {
    let read = |row: csv::Result<csv::StringRecord>| {
        let row = row.map_err(|error| format!("departments: {error}"))?;
        let cell = |at: usize| row.get(at).unwrap_or_default().to_owned();
        let begins = cell(1).split_whitespace().map(str::to_owned).collect();
        Ok(Department { id: cell(0), zh: cell(2), en: cell(3), begins })
    };
    csv::Reader::from_reader(text.as_bytes()).records().map(read).collect()
}
