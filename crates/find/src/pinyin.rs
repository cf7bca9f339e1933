//! How Chinese letters sound (拼音): full syllables without tone, and their initials.
//!
//! Invariant: a word of any length is compared in steps that grow with its length, never with its power.

use std::collections::BTreeMap;

/// Letters of a word at the most: places in it are bits of one number.
const LETTERS_MAX: usize = 63;
/// A part of a word that is cut in parts has so many syllables at the least.
const PART_SYLLABLES_MIN: usize = 2;
/// Initials of two letters.
const LONG_INITIALS: [&str; 3] = ["zh", "ch", "sh"];

/// The sounds of letters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pinyin {
    of: BTreeMap<char, Vec<String>>,
}

/// The readings of one letter; a letter that is not Chinese reads as itself.
pub(crate) type Sound = Vec<String>;

/// How a word spells a name; the smaller the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Spelling {
    /// Whole syllables; the last one may be unfinished.
    Full,
    /// Initials, or initials and syllables together.
    Initials,
    /// Whole syllables of parts that do not touch.
    Parts,
}

impl Pinyin {
    /// Reads lines of syllable and letters, the first line being the head.
    pub(crate) fn read(text: &str) -> Pinyin {
        let mut of = BTreeMap::<char, Vec<String>>::new();
        for (syllable, letters) in text.lines().skip(1).filter_map(|line| line.trim().split_once(',')) {
            for letter in letters.chars() {
                of.entry(letter).or_default().push(syllable.to_owned());
            }
        }
        Pinyin { of }
    }

    /// The readings of a letter; none where the table does not know it.
    pub(crate) fn of(&self, letter: char) -> &[String] {
        self.of.get(&letter).map_or(&[], Vec::as_slice)
    }

    /// The sounds of a name, letter by letter; blanks and marks are left out.
    pub(crate) fn sounds(&self, name: &str) -> Vec<Sound> {
        let sound = |letter: char| match letter {
            letter if letter.is_ascii_alphanumeric() => Some(vec![letter.to_string()]),
            letter => Some(self.of(letter).to_vec()).filter(|readings| !readings.is_empty()),
        };
        name.chars().filter_map(sound).collect()
    }
}

/// How a word of Latin letters spells a part of a name, in the best way.
pub(crate) fn spelling(word: &str, sounds: &[Sound]) -> Option<Spelling> {
    if word.is_empty() || LETTERS_MAX < word.len() || !word.is_ascii() {
        return None;
    }
    let starts = || (0..sounds.len()).filter_map(|start| sounds.get(start..));
    if starts().any(|rest| runs(word, rest, full)) {
        return Some(Spelling::Full);
    }
    if 1 < word.len() && starts().any(|rest| runs(word, rest, mixed)) {
        return Some(Spelling::Initials);
    }
    in_parts(word, sounds).then_some(Spelling::Parts)
}

/// Places in a word that one reading leads to from the places of `from`.
type Stride = fn(&str, u64, &str) -> u64;

/// Whether the word spells the beginning of these sounds.
fn runs(word: &str, sounds: &[Sound], stride: Stride) -> bool {
    let mut places = 1_u64;
    for sound in sounds {
        if 1 < places && sound.iter().any(|reading| is_unfinished(word, places, reading)) {
            return true;
        }
        places = sound.iter().fold(0, |reached, reading| reached | stride(word, places, reading));
        if places == 0 {
            return false;
        }
        if has(places, word.len()) {
            return true;
        }
    }
    false
}

/// By whole syllables.
fn full(word: &str, from: u64, reading: &str) -> u64 {
    let fits = |place: &usize| word.get(*place..).is_some_and(|rest| rest.starts_with(reading));
    places(from).filter(fits).fold(0, |reached, place| reached | bit(place + reading.len()))
}

/// By whole syllables or their initials.
fn mixed(word: &str, from: u64, reading: &str) -> u64 {
    let long = LONG_INITIALS.iter().find(|initial| reading.starts_with(**initial)).map_or("", |it| it);
    let by = |part: &str| if part.is_empty() { 0 } else { full(word, from, part) };
    full(word, from, reading) | by(reading.get(..1).unwrap_or_default()) | by(long)
}

/// Whether the word ends within this reading: somebody is still typing, or left the end away.
fn is_unfinished(word: &str, from: u64, reading: &str) -> bool {
    let rest = |place: usize| word.get(place..).filter(|rest| !rest.is_empty());
    places(from).filter(|place| 0 < *place).filter_map(rest).any(|rest| reading.starts_with(rest))
}

/// Whether the word can be cut into parts that are spelled somewhere in the name, each of two syllables or more.
fn in_parts(word: &str, sounds: &[Sound]) -> bool {
    let mut done = 1_u64;
    loop {
        let mut reached = done;
        for start in 0..sounds.len() {
            let mut places = done;
            for (at, sound) in sounds.iter().skip(start).enumerate() {
                places = sound.iter().fold(0, |all, reading| all | full(word, places, reading));
                if places == 0 {
                    break;
                }
                if PART_SYLLABLES_MIN <= at + 1 {
                    reached |= places;
                }
            }
        }
        if has(reached, word.len()) {
            return true;
        }
        if reached == done {
            return false;
        }
        done = reached;
    }
}

fn places(set: u64) -> impl Iterator<Item = usize> {
    let mut left = set;
    std::iter::from_fn(move || {
        let place = usize::try_from(left.trailing_zeros()).ok().filter(|_| left != 0)?;
        // The lowest place goes.
        left &= left - 1;
        Some(place)
    })
}

fn has(set: u64, place: usize) -> bool {
    set & bit(place) != 0
}

fn bit(place: usize) -> u64 {
    u32::try_from(place).ok().and_then(|place| 1_u64.checked_shl(place)).unwrap_or(0)
}
