//! What the work parts of the style guide show (工作台样例): invented people and cases.

use crate::ui::{
    CityMark, Compare, CompareLine, Confirm, Decide, DecideAct, Keys, Queue, QueueItem, Summary, SummaryRow,
};
use crate::{Lang, Visit};

const HERE: &str = "/styleguide/work";

pub(super) fn queue(lang: Lang, marks: &[CityMark]) -> Queue {
    let item = |number: &str, title: &str, city: usize, minutes: usize, mark: &'static str| QueueItem {
        number: number.to_owned(),
        href: if mark == "on" { String::new() } else { format!("{HERE}#queue") },
        title: title.to_owned(),
        note: String::new(),
        city: marks.get(city).cloned(),
        waits: lang.count(minutes, "分钟", "minute", "minutes"),
        mark,
    };
    let mut items = vec![
        item("K037", "残疾人两项补贴资格认定申请", 2, 2, "on"),
        item("K038", "身份证换领", 1, 38, "late"),
        item("K039", "道路运输驾驶员从业资格证换发", 1, 11, ""),
        item("K040", "咨询", 2, 9, ""),
    ];
    if let Some(last) = items.last_mut() {
        last.note = lang.t("只问不办", "asks only").to_owned();
    }
    Queue { label: lang.t("等候的人", "Who waits").to_owned(), items, lang }
}

pub(super) fn compare(lang: Lang, marks: &[CityMark]) -> Compare {
    let line = |zh: &str, en: &str, declared: &str, registered: Option<&str>, city: usize| {
        CompareLine::of(lang.t(zh, en), declared, registered)
            .from(marks.get(city).cloned(), lang.t("登记，09:12 取得", "register, 09:12"))
    };
    let phone = line("手机号", "Mobile", "138 0731 4627", Some("138 0731 1950"), 1)
        .action(lang.t("更新登记", "Update the register"), format!("{HERE}#compare"));
    let lines = vec![
        line("姓名", "Name", "贺志强", Some("贺志强"), 1),
        phone,
        line("证号", "Number", "430281********003X", Some("430281********003X"), 1),
        line("准驾车型", "Vehicle class", "A2", Some("A2"), 0),
        line("住址", "Address", "醴陵市来龙门街道", Some(""), 1),
        line("婚姻", "Marriage", "", Some("已婚"), 0),
        line("继续教育", "Training", "24 学时", None, 2),
        line("类别", "Kind", "经营性道路货物运输驾驶员", Some("经营性道路货物运输驾驶员"), 2),
        line("初次领证", "First issued", "2008-12-11", Some("2008-12-11"), 2),
        line("发证机关", "Issuer", "湘潭市交通运输局", Some("湘潭市交通运输局"), 2),
        line("有效期", "Valid until", "2026-12-10", Some("2026-12-10"), 2),
        line("性别", "Sex", "男", Some("男"), 1),
    ];
    Compare::of(lang, lang.t("申报值与登记值逐项比较", "Declared and registered values"), lines)
}

pub(super) fn decide(visit: &Visit) -> Decide {
    let lang = visit.lang;
    let to = |zh: &str, en: &str, kind, key| {
        DecideAct::go(lang.t(zh, en), format!("{HERE}#decide"), kind).key(key)
    };
    let text =
        lang.t("规则建议准予，还差 1 条由您判断。", "The rules say grant; one point is yours to judge.");
    Decide::of(lang, text, "/styleguide", &visit.csrf)
        .note(lang.t(
            "决定写入办件履历，不能改，只能另作决定。",
            "A decision stands in the history; it is not changed, only followed by another.",
        ))
        .act(to("一次补正", "Ask for a correction", "line", "B"))
        .act(to("不予", "Refuse", "stop", "N"))
        .act(to("准予", "Grant", "", "Y"))
}

pub(super) fn keys(lang: Lang) -> Keys {
    let words = [
        ("[", lang.t("上一件", "Previous case")),
        ("]", lang.t("下一件", "Next case")),
        ("Y", lang.t("准予", "Grant")),
        ("N", lang.t("不予", "Refuse")),
        ("B", lang.t("一次补正", "Ask for a correction")),
        ("F2", lang.t("叫下一位", "Call the next")),
    ];
    Keys::of(lang, &words)
}

pub(super) fn confirm(visit: &Visit) -> Confirm {
    let lang = visit.lang;
    let facts = Summary {
        rows: vec![
            SummaryRow::new(lang.t("办件", "Case"), "7K4M 29QD").code(),
            SummaryRow::new(lang.t("在谁手里", "Holder"), "湘潭市交通运输局"),
        ],
    };
    let back = lang.t("不撤，回到进度", "Keep it and go back");
    Confirm::of(visit, lang.t("撤回申请", "Withdraw"), "/styleguide", (back, HERE))
        .says(lang.t(
            "湘潭市交通运输局会停办，以后还可以再提出。",
            "The office stops working on it; you can ask again later.",
        ))
        .about(facts)
        .stops()
}
