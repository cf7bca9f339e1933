//! What people type, and what has to stand among the first three.

use tb_find::{Finder, How};

use crate::defs;

fn finder() -> Finder {
    let catalogue = defs::catalogue().expect("the shipped definitions");
    defs::finding(&catalogue).expect("the shipped words").finder.clone()
}

/// Names, parts of names, other names, pinyin, initials, departments, English, whole questions, numbers.
const ASKED: &[(&str, u16)] = &[
    ("从业资格证换发", 121),
    ("从业资格证", 121),
    ("道路运输", 121),
    ("货车从业资格证", 121),
    ("从业资格证 交通", 121),
    ("公积金提取", 77),
    ("购房提取", 77),
    ("提前还贷", 79),
    ("身份证换领", 5),
    ("身份证丢了", 6),
    ("补身份证", 6),
    ("临时身份证", 138),
    ("我要换驾照", 14),
    ("驾照换证", 14),
    ("驾照丢了怎么办", 15),
    ("违章", 26),
    ("年检", 22),
    ("车牌", 24),
    ("卖二手车", 137),
    ("护照", 7),
    ("护照丢了", 9),
    ("去香港", 10),
    ("港澳通行证", 10),
    ("无犯罪证明", 27),
    ("孩子上户口", 132),
    ("落户", 150),
    ("人才落户", 150),
    ("夫妻投靠", 32),
    ("社保转移", 36),
    ("医保转移", 66),
    ("异地就医", 64),
    ("慢性病", 141),
    ("失业金", 57),
    ("社保卡", 53),
    ("电子社保卡", 52),
    ("养老认证", 43),
    ("退休 公积金", 74),
    ("开店", 86),
    ("个体户注销", 88),
    ("开公司", 80),
    ("营业执照丢了", 92),
    ("房产抵押", 99),
    ("准生证", 115),
    ("出生证明", 116),
    ("结婚证丢了", 136),
    ("结婚", 134),
    ("离婚", 135),
    ("残疾证", 109),
    ("残疾人补贴", 105),
    ("老年证", 149),
    ("教师资格证", 129),
    ("烟草证", 130),
    ("电工证", 127),
    ("毕业证公证", 1),
    ("档案", 63),
    ("完税证明", 143),
    ("外经证", 101),
    ("在哪里办护照", 7),
    ("gongjijin", 72),
    ("gjj", 72),
    ("gongjijintiqu", 77),
    ("jsz", 14),
    ("jiashizheng", 14),
    ("jiazhao", 14),
    ("jiazhaohuanzheng", 14),
    ("sfz", 5),
    ("shenfenzheng", 5),
    ("shenfenz", 5),
    ("cyzgz", 121),
    ("congyezigezheng", 121),
    ("shebaoka", 53),
    ("sbk", 53),
    ("huzhao", 7),
    ("hukou", 28),
    ("jiehun", 134),
    ("ydjy", 64),
    ("yidijiuyi", 64),
    ("wfzjl", 27),
    ("gjj提取", 77),
    ("passport", 7),
    ("lost passport", 9),
    ("renew driving licence", 14),
    ("driving license", 14),
    ("identity cards", 5),
    ("housing fund", 72),
    ("how to get married", 134),
    ("how do i renew my passport", 8),
    ("business licence", 92),
    ("shop", 86),
    ("truck driver qualification", 121),
    ("Renewal driver", 121),
    ("medical treatment another city", 64),
    ("criminal record", 27),
    ("newborn", 132),
    ("公安 无犯罪", 27),
    ("交通局", 120),
    ("民政局 结婚", 134),
    ("121", 121),
    ("１２１", 121),
];

#[test]
fn what_people_type_finds_what_they_mean_among_the_first_three() {
    let finder = finder();
    let mut missed = Vec::new();
    for (query, wanted) in ASKED {
        let found = finder.find(query);
        let first: Vec<u16> = found.numbers.iter().take(3).copied().collect();
        if found.how != How::AsTyped || !first.contains(wanted) {
            missed.push(format!("{query}: {:?} {first:?}, not {wanted}", found.how));
        }
    }
    assert!(60 <= ASKED.len());
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Typed wrong, said in too many words, or not there at all: the page has to say which of the three it is.
#[test]
fn what_is_typed_wrong_is_guessed_at_and_said_to_be_a_guess() {
    let finder = finder();
    for (query, how, wanted) in [
        ("工积金", How::Alike, Some(72)),
        ("身分证", How::Alike, Some(5)),
        ("户照", How::Alike, Some(7)),
        ("驾使证", How::Alike, Some(14)),
        ("从业资各证", How::Alike, Some(121)),
        ("gongjijn", How::Alike, Some(72)),
        ("shenfenzhegn", How::Alike, Some(5)),
        ("pasport", How::Alike, Some(7)),
        ("licence drivng", How::Alike, Some(14)),
        ("护照 宠物狗", How::Partly, Some(7)),
        ("没有这样的事项", How::Nothing, None),
        ("qqqq", How::Nothing, None),
        ("宠物狗牌照", How::Nothing, None),
    ] {
        let found = finder.find(query);
        let first: Vec<u16> = found.numbers.iter().take(3).copied().collect();
        assert_eq!(found.how, how, "{query}: {first:?}");
        assert!(wanted.is_none_or(|wanted| first.contains(&wanted)), "{query}: {first:?}");
    }
    assert_eq!(finder.find(" ，").how, How::All);
}

/// A name with a letter of which nobody knows the sound would not be found by its sound.
#[test]
fn every_letter_of_every_name_has_its_sound_and_every_item_its_department_and_english_name() {
    let catalogue = defs::catalogue().expect("the shipped definitions");
    let finder = finder();
    assert!(finder.without_sound().is_empty(), "pinyin.csv lacks {:?}", finder.without_sound());
    for item in catalogue.items() {
        let number = item.entry.number;
        assert!(finder.department_of(number).is_some(), "{number}: {}", item.entry.department);
        assert!(finder.english(number).is_some(), "{number} has no English name");
    }
}

#[test]
fn a_situation_lists_each_paper_once_and_is_found_by_what_happened() {
    let catalogue = defs::catalogue().expect("the shipped definitions");
    let finding = defs::finding(&catalogue).expect("the shipped words");
    let situations = &finding.situations;
    for (query, id) in [("我要生孩子", "child"), ("退休", "retire"), ("I lost my job, unemployed", "jobless")]
    {
        assert!(situations.about(query).any(|it| it.id == id), "{query}");
    }
    let child = situations.get("child").expect("shipped");
    let cards: Vec<_> =
        situations.list(child).into_iter().filter(|(paper, _)| paper.id == "id-card").collect();
    assert!(matches!(cards.as_slice(), [(_, steps)] if steps == &[1, 2, 3, 6]), "{cards:?}");
    assert!(situations.with_item(132).any(|it| it.id == "child"));
}
