//! What was nearly typed (相近): letters that sound the same, and one that is wrong, missing or too many.

use crate::pinyin::{Pinyin, Sound};

/// Letters of a Chinese word of which one may be wrong.
const CHINESE_LETTERS_MIN: usize = 3;
/// Letters of a Latin word of which one may be wrong.
const LATIN_LETTERS_MIN: usize = 5;
/// Letters of a Latin word of which two may be wrong.
const LONG_LETTERS_MIN: usize = 9;
/// A longer word is not guessed at.
const LETTERS_MAX: usize = 30;

/// Whether a part of the name sounds like the word, as 工积金 sounds like 公积金.
pub(crate) fn sounds_alike(pinyin: &Pinyin, word: &str, name: &str) -> bool {
    let (word, name): (Vec<char>, Vec<char>) = (word.chars().collect(), name.chars().collect());
    let same = |a: char, b: char| a == b || pinyin.of(a).iter().any(|sound| pinyin.of(b).contains(sound));
    1 < word.len() && name.windows(word.len()).any(|part| part.iter().zip(&word).all(|(a, b)| same(*a, *b)))
}

/// Whether one letter makes a part of the name of a Chinese word.
pub(crate) fn nearly_written(word: &str, name: &str) -> bool {
    let letters = word.chars().count();
    (CHINESE_LETTERS_MIN..=LETTERS_MAX).contains(&letters) && distance(word, name.chars()) <= 1
}

/// Whether one letter, two in a long word, make the word an English word of the name or a part of its sounds.
pub(crate) fn nearly_spelled(word: &str, name: &str, sounds: &[Sound]) -> bool {
    let wrong_max = match word.len() {
        LATIN_LETTERS_MIN..LONG_LETTERS_MIN => 1,
        LONG_LETTERS_MIN..=LETTERS_MAX => 2,
        _ => return false,
    };
    let mut english = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let spelled: String = sounds.iter().filter_map(|readings| readings.first()).map(String::as_str).collect();
    let is_near = |other: &str| {
        word.len().abs_diff(other.len()) <= wrong_max && distance(word, other.chars()) <= wrong_max
    };
    english.any(is_near) || distance(word, spelled.chars()) <= wrong_max
}

/// How many letters have to change, go or come to make the word a part of the text.
fn distance(word: &str, text: impl Iterator<Item = char>) -> usize {
    let word: Vec<char> = word.chars().collect();
    // Costs of the first letters of the word, against a part of the text that ends here; a part may begin anywhere.
    let mut costs: Vec<usize> = (0..=word.len()).collect();
    let mut least = word.len();
    for letter in text {
        let mut before = 0;
        for (at, typed) in word.iter().enumerate() {
            let [left, here] = [at, at + 1].map(|at| costs.get(at).copied().unwrap_or(usize::MAX));
            let cost = (before + usize::from(*typed != letter)).min(left + 1).min(here + 1);
            if let Some(place) = costs.get_mut(at + 1) {
                before = here;
                *place = cost;
            }
        }
        least = least.min(costs.last().copied().unwrap_or(least));
    }
    least
}
