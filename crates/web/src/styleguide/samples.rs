//! What the parts of the style guide show (样例): invented people and figures.

use tb_base::{Calendar, Deadline, DeadlineInput, Limit, Refusal, Timestamp};

use crate::ui::{
    Bar, BarChart, Cell, CityMark, Days, DueBox, Exports, Fact, Facts, Head, Message, Step, StepState, Steps,
    Summary, SummaryRow, Table, TableRow, Tile, Tiles,
};
use crate::{Datum, Field, Fields, Input, Lang, Rows, Visit};

use super::{COUNTIES, DELIVERIES};

pub(super) fn steps(lang: Lang, marks: &[CityMark]) -> Steps {
    let step = |state, zh: &str, en: &str, at: usize, who: &str, when: &str| Step {
        city: marks.get(at).cloned(),
        who: who.to_owned(),
        when: when.to_owned(),
        ..Step::new(state, lang.t(zh, en))
    };
    let mut steps = vec![
        step(StepState::Done, "提交，材料齐全", "Handed in, complete", 0, "跨域通办专窗", "11-18 09:42"),
        step(StepState::Done, "受理", "Accepted", 2, "市交通运输局", "11-18 10:05"),
        step(StepState::Now, "审查", "Under review", 2, "市交通运输局行政审批科", "11-23 10:20"),
        step(StepState::Next, "决定", "Decision", 2, "市交通运输局", "11-25"),
        step(StepState::Stopped, "不予", "Refused", 2, "市交通运输局", ""),
    ];
    if let Some(done) = steps.get_mut(1) {
        done.links.push((
            lang.t("受理通知书", "Notice of acceptance").to_owned(),
            "/styleguide/records#steps".to_owned(),
        ));
    }
    if let Some(now) = steps.get_mut(2) {
        now.waits.push(
            lang.t("等审查人员核对继续教育。", "Waits for the reviewer to check the training hours.")
                .to_owned(),
        );
        now.waits.push(lang.t("最晚 11-25 作出决定。", "To be decided by 25 Nov.").to_owned());
    }
    Steps { steps, lang }
}

pub(super) fn clocks(visit: &Visit, city: Option<&CityMark>) -> (DueBox, DueBox, Days) {
    let (lang, today) = (visit.lang, visit.ctx.now.date());
    let limit = Limit::working_days(5);
    let start = visit.ctx.now.plus_seconds(-6 * 86_400);
    let due = Deadline::compute(Calendar::national(), &DeadlineInput::new(start, limit));
    let held = |shown: DueBox| match city {
        Some(city) => shown.held(
            city.clone(),
            "市交通运输局",
            lang.t("行政审批科，11-23 10:20 起", "since 11-23 10:20"),
        ),
        None => shown,
    };
    let label = lang.t("最晚办完", "To be done by");
    let days = Days::of(lang, lang.t("承诺期限，5 个工作日", "Promised limit, 5 working days"), &due, today);
    let long_ago = visit.ctx.now.plus_seconds(-20 * 86_400);
    let past = Deadline::compute(Calendar::national(), &DeadlineInput::new(long_ago, limit));
    let shown = held(DueBox::of(lang, label, &limit, &due, today)).explained("#days");
    (shown, held(DueBox::of(lang, label, &limit, &past, today)), days)
}

pub(super) fn summary(lang: Lang) -> Summary {
    let wrong = lang.t("不对", "Wrong");
    Summary {
        rows: vec![
            SummaryRow::new(lang.t("姓名", "Name"), "贺志强")
                .from(lang.t("湘潭市公安局人口信息，09:12 取得", "Population register of Xiangtan, 09:12"))
                .action(wrong, "/styleguide/records#record"),
            SummaryRow::new(lang.t("证号", "Number"), "430281 ******** 003X")
                .code()
                .action(wrong, "/styleguide/records#record"),
            SummaryRow::new(lang.t("手机号", "Mobile"), "138 0731 4627")
                .code()
                .yours(lang.t("您填的", "Yours"))
                .action(lang.t("改", "Change"), "/styleguide#form"),
        ],
    }
}

pub(super) fn facts(lang: Lang) -> Facts {
    let fact = |label: &str, value: &str, note: &str| Fact {
        label: label.to_owned(),
        value: value.to_owned(),
        note: note.to_owned(),
    };
    Facts {
        facts: vec![
            fact(
                lang.t("办完要", "Takes"),
                lang.t("5 个工作日", "5 working days"),
                lang.t("法定 20 个", "20 by law"),
            ),
            fact(lang.t("费用", "Fee"), lang.t("不收费", "None"), ""),
            fact(lang.t("跑几次", "Visits"), lang.t("0 次", "None"), ""),
        ],
    }
}

pub(super) fn tiles(lang: Lang) -> Tiles {
    let tile = |figure: i32, label: &str, kind: &str| Tile {
        figure: lang.number(figure),
        label: label.to_owned(),
        href: "/styleguide/records#table".to_owned(),
        kind: kind.to_owned(),
    };
    Tiles {
        tiles: vec![
            tile(1_284, lang.t("今天收件", "Collected today"), ""),
            tile(23, lang.t("黄牌", "Yellow cards"), "wait"),
            tile(4, lang.t("红牌", "Red cards"), "stop"),
        ],
    }
}

pub(super) fn messages(lang: Lang, city: Option<CityMark>) -> Vec<Message> {
    let office = "湘潭市交通运输局".to_owned();
    vec![
        Message {
            who: office,
            when: "11-23 10:21".into(),
            city,
            mine: false,
            text: lang.t("已开始审查。", "The review has begun.").into(),
        },
        Message {
            who: lang.t("您", "You").into(),
            when: "11-18 11:30".into(),
            city: None,
            mine: true,
            text: lang.t("寄证前请打电话。", "Please call before posting.").into(),
        },
    ]
}

pub(super) fn table(visit: &Visit, marks: &[CityMark]) -> Table {
    let lang = visit.lang;
    let holder = |at: usize, office: &str| match marks.get(at) {
        Some(city) => Cell::text(office).city(city.clone()),
        None => Cell::text(office),
    };
    let code = |text: &str| Cell { href: "/styleguide/records#table".to_owned(), ..Cell::code(text) };
    Table {
        caption: lang.t("在办的办件", "Open cases").to_owned(),
        heads: vec![
            Head::text(lang.t("办件", "Case")),
            Head::text(lang.t("在谁手里", "Holder")),
            Head::text(lang.t("状态", "State")),
            Head::number(lang.t("剩几日", "Days left")),
        ],
        rows: vec![
            TableRow::new(vec![
                code("7K4M 29QD"),
                holder(2, "市交通运输局"),
                Cell::tag("now", lang.t("审查", "Review")),
                Cell::text("1"),
            ]),
            TableRow {
                mark: "on",
                ..TableRow::new(vec![
                    code("3F8P 61CW"),
                    holder(1, "市民政局"),
                    Cell::tag("stop", lang.t("晚了", "Late")),
                    Cell::text(lang.number(-2)),
                ])
            },
            TableRow {
                mark: "diff",
                ..TableRow::new(vec![
                    code("9Q2D 44TX"),
                    holder(0, "市公安局").note(lang.t("等申请人", "Waits for the applicant")),
                    Cell::tag("wait", lang.t("等您", "Yours")),
                    Cell::text("12"),
                ])
            },
        ],
        count: lang.t("27 件，显示 3 件", "27 cases, 3 shown").to_owned(),
        export: Some(Exports::of(visit)),
    }
}

pub(super) fn chart(lang: Lang, marks: &[CityMark]) -> BarChart {
    let values = [2.1, 2.6, 3.4];
    let bar = |(mark, value): (&CityMark, f64)| Bar {
        label: mark.name.clone(),
        value,
        figure: format!("{value} {}", lang.t("日", "days")),
        city: mark.node.clone(),
        href: "/styleguide/records#table".to_owned(),
    };
    BarChart {
        lang,
        id: "median".to_owned(),
        title: lang
            .t("从业资格证换发，办理时长中位数", "Renewal of the certificate, median duration")
            .to_owned(),
        description: lang
            .t("三市在 2.1 至 3.4 个工作日之间", "Between 2.1 and 3.4 working days in the three cities")
            .to_owned(),
        label_head: lang.t("城市", "City").to_owned(),
        figure_head: lang.t("工作日", "Working days").to_owned(),
        bars: marks.iter().zip(values).map(bar).collect(),
    }
}

/// The same as a file: a code that stays whole, a count, a day, a moment, and what must not run.
pub(super) fn rows(lang: Lang, now: Timestamp) -> Rows {
    let heads = match lang {
        Lang::Zh => ["办件", "证号", "事项", "剩几日", "最晚", "收件"],
        Lang::En => ["case", "number", "item", "days left", "due", "collected"],
    };
    let mut rows = Rows::new(lang.t("在办的办件", "Open cases"), &heads);
    for (code, id, item, left) in [
        ("7K4M29QD", "430281198203050031", "道路运输驾驶员从业资格证换发", 1),
        ("3F8P61CW", "004300000000000001", "=HYPERLINK(\"http://example.invalid\")", -2),
    ] {
        rows.push(vec![
            Datum::code(code),
            Datum::code(id),
            Datum::text(item),
            Datum::Number(left),
            Datum::Day(now.date()),
            Datum::Moment(now),
        ]);
    }
    rows.note(lang.t("样例，人物虚构", "A sample; nobody is real"))
}

/// One field of each kind that a person can get wrong.
pub(super) const WRONG: &[Field<'static>] = &[
    Field::text("wrong-line", "详细地址", "Address").hint("写到门牌号", "Down to the door number"),
    Field::new("wrong-day", "到期日", "Last day", Input::Date),
    Field::new("wrong-choice", "新证怎么给您", "How do you want it", Input::Radio(DELIVERIES)),
    Field::new("wrong-list", "所在区县", "County", Input::Select(COUNTIES)),
    Field::new("wrong-words", "补充说明", "Anything else", Input::Area),
    Field::new("wrong-file", "证明材料", "Paper", Input::File),
    Field::new("wrong-agree", "以上属实", "What is written above is true", Input::Agree),
];

/// These fields with something wrong in each, and what was typed still in them.
pub(super) fn wrong(visit: &Visit) -> Fields {
    let mut fields = Fields::blank(visit)
        .with("wrong-line", "来龙门街道")
        .with("wrong-day", "2026-2-30")
        .with("wrong-words", "寄证前请打电话，我常在外跑车；如果没有人接，请改天再打，或者发短信。");
    let messages = [
        ("没有门牌号", "There is no door number"),
        ("没有这一天", "There is no such day"),
        ("请选一项", "Choose one"),
        ("请选择", "Choose one"),
        ("写短一点，最多 20 字", "Shorter: 20 letters at the most"),
        ("请选择文件", "Choose a file"),
        ("要勾选才能提交", "Tick it to send the form"),
    ];
    for (field, (zh, en)) in WRONG.iter().zip(messages) {
        fields.wrong(field, &Refusal::invalid("WEB-FIELD-001", zh, en));
    }
    fields
}

/// A table whose cells are as long as they come.
pub(super) fn long(lang: Lang, marks: &[CityMark]) -> Table {
    let office = Cell::text("湘潭市岳塘区人力资源和社会保障局城乡居民基本养老保险管理服务中心");
    let office = marks.get(2).map_or_else(|| office.clone(), |city| office.clone().city(city.clone()));
    let item = "道路旅客运输和道路货物运输经营性驾驶员从业资格证补发、换发、变更与注销（含危险货物运输）";
    Table {
        caption: lang.t("很长的内容", "Long contents").to_owned(),
        heads: vec![
            Head::text(lang.t("编号", "Number")),
            Head::text(lang.t("事项", "Item")),
            Head::text(lang.t("在谁手里", "Holder")),
            Head::number(lang.t("件", "Cases")),
        ],
        rows: vec![TableRow::new(vec![
            Cell::code("11430200 MB9900002P 3 000118 107004"),
            Cell::link(item, "/styleguide/views#long"),
            office.note(
                lang.t("等申请人补一份购房合同，11 月 27 日前", "Waits for a contract of sale until 27 Nov"),
            ),
            Cell::text(lang.number(1_284_617)),
        ])],
        count: String::new(),
        export: None,
    }
}
