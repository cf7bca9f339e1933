//! Search over the items (搜事项): words as people say them, also run together or called by another name.
//! Serves clause 2.1.
//!
//! Invariant: what holds a word as it was typed stands before what only holds its parts.

use tb_case::Catalogue;
use tb_case::definitions::Item;

/// What people say, and what the items call it: data, not code.
const SYNONYMS: &str = include_str!("../../defs/synonyms.csv");
/// Letters of the shortest part of a word: one letter alone means nothing in Chinese.
const PART_LETTERS_MIN: usize = 2;

/// How well a word fits an item; the smaller the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    InName,
    InText,
    PartsInName,
    PartsInText,
}

/// Items that hold every word of the query, as typed, in parts, or by another name; the best fit first.
pub(crate) fn search<'a>(catalogue: &'a Catalogue, query: &str) -> Vec<&'a Item> {
    let words: Vec<Vec<String>> = query.to_lowercase().split_whitespace().map(variants).collect();
    let fit = |item: &'a Item| {
        let text = catalogue.search_text(item.entry.number)?.to_lowercase();
        let name = item.entry.title.to_lowercase();
        let best = |word: &Vec<String>| word.iter().filter_map(|variant| fit(variant, &name, &text)).min();
        let worst = words.iter().map(best).try_fold(Fit::InName, |worst, fit| Some(worst.max(fit?)))?;
        Some((worst, item.entry.number, item))
    };
    let mut found: Vec<(Fit, u16, &Item)> = catalogue.items().filter_map(fit).collect();
    found.sort_by_key(|(fit, number, _)| (*fit, *number));
    found.into_iter().map(|(_, _, item)| item).collect()
}

/// A word, and the same with what people say replaced by what the items call it.
fn variants(word: &str) -> Vec<String> {
    let pairs = SYNONYMS.lines().skip(1).filter_map(|line| line.trim().split_once(','));
    let renamed =
        pairs.filter(|(said, _)| word.contains(said)).map(|(said, means)| word.replace(said, means));
    std::iter::once(word.to_owned()).chain(renamed).collect()
}

fn fit(word: &str, name: &str, text: &str) -> Option<Fit> {
    if name.contains(word) {
        Some(Fit::InName)
    } else if text.contains(word) {
        Some(Fit::InText)
    } else if is_made_of_parts(word, name) {
        Some(Fit::PartsInName)
    } else if is_made_of_parts(word, text) {
        Some(Fit::PartsInText)
    } else {
        None
    }
}

/// Whether a Chinese word can be cut into parts that all occur, as 公积金提取 into 公积金 and 提取.
fn is_made_of_parts(word: &str, text: &str) -> bool {
    if word.is_ascii() {
        return false;
    }
    let ends: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
    // Whether the letters before each place can be cut so.
    let mut reached = vec![false; ends.len()];
    let occurs = |from: usize, to: usize| {
        let part = ends.get(from).zip(ends.get(to)).and_then(|(from, to)| word.get(*from..*to));
        part.is_some_and(|part| text.contains(part))
    };
    for to in PART_LETTERS_MIN..ends.len() {
        let cut = (0..=to - PART_LETTERS_MIN)
            .any(|from| (from == 0 || reached.get(from) == Some(&true)) && occurs(from, to));
        if let Some(place) = reached.get_mut(to) {
            *place = cut;
        }
    }
    reached.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::search;

    #[track_caller]
    fn check(query: &str, name: &str) {
        let catalogue = crate::defs::catalogue().expect("the shipped definitions");
        let found: Vec<&str> =
            search(&catalogue, query).iter().map(|item| item.entry.title.as_str()).collect();
        assert!(found.contains(&name), "{query}: {found:?}");
    }

    #[test]
    fn words_are_found_in_parts_and_by_other_names() {
        check("公积金提取", "购房提取住房公积金");
        check("驾照换证", "机动车驾驶证期满换证");
        check("货车从业资格证", "道路运输驾驶员从业资格证换发");
        check("身份证换领", "居民身份证换领");
        check("从业资格证 交通", "道路运输驾驶员从业资格证换发");
        check("Renewal driver", "道路运输驾驶员从业资格证换发");
    }

    #[test]
    fn the_word_as_typed_comes_first_and_nonsense_finds_nothing() {
        let catalogue = crate::defs::catalogue().expect("the shipped definitions");
        let first = |query: &str| search(&catalogue, query).first().map(|item| item.entry.number);
        assert_eq!(first("从业资格证换发"), Some(121));
        assert_eq!(first("没有这样的事项"), None);
        assert_eq!(first("qqqq"), None);
        assert_eq!(search(&catalogue, "").len(), catalogue.counts().items);
    }
}
