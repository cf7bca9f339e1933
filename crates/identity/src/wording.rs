//! The words of notices (通知文案), by edition: a notice that was sent keeps the words that it was sent with.
//!
//! Invariant: an edition never changes once it has landed; other words are a further edition (`docs/notices.md`).

use std::collections::BTreeMap;

/// What divides the key of a notice from its edition where it is written down.
const MARK: char = '/';

/// The words of one kind of notice (通知模板), the oldest edition first.
#[derive(Clone, Copy, Debug)]
pub struct Wording {
    /// Its key, such as `case.accepted`.
    pub key: &'static str,
    /// Whole sentences in Chinese and English; `{office}` and the like are filled in.
    pub editions: &'static [(&'static str, &'static str)],
}

/// A kind of notice.
pub const fn wording(key: &'static str, editions: &'static [(&'static str, &'static str)]) -> Wording {
    Wording { key, editions }
}

impl Wording {
    /// How a notice of the newest edition names its words: the key, from the second edition on with its number.
    pub(crate) fn newest(&self) -> String {
        match self.editions.len() {
            0 | 1 => self.key.to_owned(),
            edition => format!("{}{MARK}{edition}", self.key),
        }
    }
}

/// Key and edition of a name that [`Wording::newest`] made.
pub(crate) fn named(name: &str) -> (&str, usize) {
    match name.split_once(MARK).and_then(|(key, edition)| Some((key, edition.parse().ok()?))) {
        Some((key, edition)) => (key, edition),
        None => (name, 1),
    }
}

/// The words of an edition with everything filled in; nothing for a kind that is not among those known.
pub(crate) fn filled(
    known: &[Wording],
    (key, edition): (&str, usize),
    params: &BTreeMap<String, String>,
) -> Option<(String, String)> {
    let wording = known.iter().find(|wording| wording.key == key)?;
    let (zh, en) = wording.editions.get(edition.checked_sub(1)?)?;
    let fill = |words: &str| {
        params
            .iter()
            .fold(words.to_owned(), |words, (name, value)| words.replace(&format!("{{{name}}}"), value))
    };
    Some((fill(zh), fill(en)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Wording] = &[
        wording("case.ready", &[("“{item}”好了。", "'{item_en}' is done.")]),
        wording("case.late", &[("晚了。", "Late."), ("“{item}”晚了。", "'{item_en}' is late.")]),
    ];

    #[track_caller]
    fn check(name: &str, expected: Option<(&str, &str)>) {
        let params = [("item", "换证"), ("item_en", "Renewal")];
        let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let expected = expected.map(|(zh, en)| (zh.to_owned(), en.to_owned()));
        assert_eq!(filled(KNOWN, named(name), &params), expected, "{name}");
    }

    #[test]
    fn an_older_notice_keeps_its_words() {
        let names: Vec<String> = KNOWN.iter().map(Wording::newest).collect();
        assert_eq!(names, ["case.ready", "case.late/2"]);
        check("case.ready", Some(("“换证”好了。", "'Renewal' is done.")));
        check("case.late", Some(("晚了。", "Late.")));
        check("case.late/2", Some(("“换证”晚了。", "'Renewal' is late.")));
        check("case.late/3", None);
        check("case.late/0", None);
        check("case.other", None);
    }
}
