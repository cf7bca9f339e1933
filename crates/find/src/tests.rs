//! Small tables of words and sounds; what people type over the shipped items is tested where those are.

use std::collections::BTreeSet;

use crate::pinyin::{Pinyin, Spelling, spelling};
use crate::words::{Synonyms, plain};
use crate::{Entry, Files, Finder, How, QUERY_LETTERS_MAX, Situations};

const FILES: Files<'static> = Files {
    pinyin: "syllable,letters\nzhu,住\nfang,房\ngong,公工\nji,积\njin,金\nti,提\nqu,取\nxing,行\nhang,行\nan,安\nxi,西\n",
    synonyms: "said,means\n取钱,提取\n我要…,\n…怎么办,\nthe,\n",
    departments: "id,list,zh,en\nhousing,住建部,公积金,Housing fund\n",
};

fn finder() -> Finder {
    let fund = Entry {
        number: 7,
        name: "住房公积金提取".to_owned(),
        english: "Withdrawal of the housing fund".to_owned(),
        department: "住建部/中心".to_owned(),
        ..Entry::default()
    };
    let bank = Entry { number: 8, name: "西安行".to_owned(), can_apply: true, ..Entry::default() };
    Finder::new(FILES, vec![fund, bank]).expect("sound files")
}

#[track_caller]
fn check(query: &str, how: How, numbers: &[u16]) {
    let found = finder().find(query);
    assert_eq!((found.how, found.numbers.as_slice()), (how, numbers), "{query}");
}

#[test]
fn words_fit_by_writing_sound_initials_and_other_names() {
    check("", How::All, &[7, 8]);
    check("公积金", How::AsTyped, &[7]);
    check("我要取钱怎么办", How::AsTyped, &[7]);
    check("gongjij", How::AsTyped, &[7]);
    check("zfgjj", How::AsTyped, &[7]);
    check("gongjj", How::AsTyped, &[7]);
    check("zhufangtiqu", How::AsTyped, &[7]);
    check("the fund", How::AsTyped, &[7]);
    check("xihang", How::Nothing, &[]);
    check("xianhang", How::AsTyped, &[8]);
    check("xianxing", How::AsTyped, &[8]);
    check("工积金", How::Alike, &[7]);
    check("housng", How::Alike, &[7]);
    check("8", How::AsTyped, &[8]);
    check("公积金 行", How::Partly, &[7]);
}

/// A word that repeats itself must not be compared in every way in which it can be cut.
#[test]
fn the_longest_word_is_compared_in_little_time() {
    let many = "a".repeat(30);
    let table = Pinyin::read(&format!("syllable,letters\na,{}\naa,{}\n", "啊", "啊"));
    let sounds = table.sounds(&"啊".repeat(60));
    assert_eq!(spelling(&many, &sounds), Some(Spelling::Full));
    assert_eq!(spelling(&format!("{many}b"), &sounds), None);
    assert_eq!(spelling(&"a".repeat(64), &sounds), None, "longer than any query");
    assert_eq!(plain(&"长".repeat(500)).chars().count(), QUERY_LETTERS_MAX);
}

#[test]
fn words_are_cut_where_scripts_meet_and_what_says_nothing_is_left_out() {
    let synonyms = Synonyms::read(FILES.synonyms);
    let typed = |query: &str| -> Vec<String> {
        synonyms.words(query).into_iter().map(|word| word.other.unwrap_or(word.typed)).collect()
    };
    assert_eq!(typed("GJJ提取，ＡＢ"), ["gjj", "提取", "ab"]);
    assert_eq!(typed("我要公积金怎么办"), ["公积金"]);
    assert_eq!(typed("the"), ["the"], "nothing else was typed");
    assert_eq!(typed("the funds"), ["fund"]);
}

#[test]
fn a_situation_that_names_what_is_not_there_is_said() {
    let text = "[[paper]]\nid = \"card\"\nzh = \"证\"\nen = \"card\"\n[[situation]]\nid = \"child\"\nwords = []\n\
                title = { zh = \"孩\", en = \"child\" }\nabout = { zh = \"\", en = \"\" }\nlead = { zh = \"\", en = \"\" }\n\
                [[situation.step]]\nitems = [7]\nwhen = { zh = \"\", en = \"\" }\nwho = { zh = \"\", en = \"\" }\n\
                papers = [\"card\"]\n";
    let read = |text: &str| Situations::read(text, &BTreeSet::from([7])).map(|all| all.all().len());
    assert_eq!(read(text), Ok(1));
    for (there, wrong) in [
        ("items = [7]", "items = [9]"),
        ("papers = [\"card\"]", "papers = [\"other\"]"),
        ("items = [7]", "items = []"),
        ("id = \"child\"", "id = \"a/b\""),
        ("words = []", "word = []"),
    ] {
        let problems = read(&text.replace(there, wrong)).expect_err(wrong);
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
}
