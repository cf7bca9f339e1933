//! Every part with its states (部件): what designers look at, and what tests render in both languages.
//!
//! Its form works, so that errors, uploads and the answer for programs can be seen on one page.

use askama::Template;
use axum::Router;
use axum::routing::get;
use serde::Serialize;
use tb_base::{Calendar, Deadline, DeadlineInput, Limit, Result};

use crate::module::{Module, RouteInfo, Who};
use crate::ui::{
    Bar, BarChart, Cell, CityMark, Days, DueBox, Fact, Facts, Filters, Head, Message, Pager, RegionMap, Step,
    StepState, Steps, Summary, SummaryRow, Table, TableRow, Tile, Tiles,
};
use crate::{App, Choice, Field, Fields, Form, Frame, Html, Input, Lang, PageResult, Visit, redirect, ui};

const OUTLINES: &str = include_str!("../../../region/outlines.json");

/// The addresses of the style guide.
pub const ROUTES: &[RouteInfo] =
    &[RouteInfo::get("/styleguide", Who::Public), RouteInfo::post("/styleguide", Who::Public)];

/// The routes alone, for a site of its own.
pub fn routes() -> Router<App> {
    Router::new().route("/styleguide", get(show).post(send))
}

/// The style guide as a module of a site.
pub fn module() -> Module {
    Module {
        id: "styleguide",
        clauses: &[],
        routes: routes(),
        handlers: Vec::new(),
        jobs: Vec::new(),
        schema: None,
        route_list: ROUTES,
    }
}

const NAME: Field<'static> =
    Field::text("name", "姓名", "Name").hint("与身份证一致", "As on the identity card").autocomplete("name");
const PHONE: Field<'static> =
    Field::new("phone", "手机号", "Mobile number", Input::Phone).autocomplete("tel");
const ADDRESS: Field<'static> = Field::text("address", "详细地址", "Address")
    .hint("写到门牌号，快递才送得到", "Down to the door number, so that it can be delivered");
const FIXED: Field<'static> = Field::text("fixed", "带出的，不能改", "Brought in, not to be changed").fixed();
const DAY: Field<'static> = Field::new("day", "到期日", "Last day", Input::Date);
const DELIVERY: Field<'static> =
    Field::new("delivery", "新证怎么给您", "How do you want it", Input::Radio(DELIVERIES));
const DELIVERIES: &[Choice<'static>] = &[
    Choice::new("post", "邮寄", "By post").note("2 个工作日送到", "Arrives in 2 working days"),
    Choice::new("window", "到专窗取", "At the window"),
    Choice::new("kiosk", "自助机打印", "At a machine").note("本事项不支持", "Not for this item").off(),
];
const COUNTY: Field<'static> = Field::new("county", "所在区县", "County", Input::Select(COUNTIES));
const COUNTIES: &[Choice<'static>] = &[
    Choice::new("430111", "长沙市 雨花区", "Yuhua, Changsha"),
    Choice::new("430304", "湘潭市 岳塘区", "Yuetang, Xiangtan"),
];
const NOTE: Field<'static> = Field::new("note", "补充说明", "Anything else", Input::Area).optional();
const PAPER: Field<'static> = Field::new("paper", "证明材料", "Paper", Input::File).optional();
const SIGNATURE: Field<'static> = Field::new("signature", "签名", "Signature", Input::Signature).optional();
const AGREE: Field<'static> = Field::new("agree", "以上属实", "What is written above is true", Input::Agree)
    .hint("决定前随时可以撤回", "Can be withdrawn at any time before the decision");
const FIELDS: &[Field<'static>] =
    &[NAME, PHONE, ADDRESS, FIXED, DAY, DELIVERY, COUNTY, NOTE, PAPER, SIGNATURE, AGREE];
const FILTER: Field<'static> = Field::new("city", "城市", "City", Input::Select(CITIES)).optional();
const CITIES: &[Choice<'static>] =
    &[Choice::new("430100", "长沙", "Changsha"), Choice::new("430300", "湘潭", "Xiangtan")];

const SECTIONS: &[(&str, &str, &str)] = &[
    ("colour", "颜色与城市", "Colours and cities"),
    ("type", "文字", "Type"),
    ("buttons", "按钮与链接", "Buttons and links"),
    ("form", "表单", "Forms"),
    ("notice", "提示", "Notices"),
    ("record", "记录", "Records"),
    ("steps", "步骤与期限", "Steps and clocks"),
    ("table", "表格", "Tables"),
    ("figure", "数字与图", "Figures"),
    ("dialog", "确认页", "Confirmation"),
];

#[derive(Template, Serialize)]
#[template(path = "styleguide.html")]
struct Guide {
    frame: Frame,
    lang: Lang,
    #[serde(skip)]
    sections: Vec<(&'static str, &'static str)>,
    form: Fields,
    steps: Steps,
    due: DueBox,
    late: DueBox,
    days: Days,
    summary: Summary,
    facts: Facts,
    tiles: Tiles,
    messages: Vec<Message>,
    table: Table,
    pager: Pager,
    #[serde(skip)]
    filters: Filters,
    chart: BarChart,
    map: RegionMap,
    #[serde(skip)]
    qr: Html,
}

async fn show(visit: Visit) -> PageResult {
    let form = Fields::blank(&visit).with(FIXED.name, "株洲市 醴陵市").with(PHONE.name, "13807314627");
    visit.page(guide(&visit, form)?)
}

async fn send(visit: Visit, form: Form) -> PageResult {
    let mut fields = form.fields();
    let name = fields.read(&NAME).max(40).required();
    let phone = fields.read(&PHONE).check(|phone| phone_is_whole(phone)).required();
    let address = fields.read(&ADDRESS).required();
    let day = fields.date(&DAY).required();
    let delivery = fields.read(&DELIVERY).required();
    let county = fields.read(&COUNTY).required();
    let note = fields.read(&NOTE).optional();
    let papers = fields.files(&PAPER);
    let signature = fields.read(&SIGNATURE).optional();
    let agreed = fields.agreed(&AGREE, "要勾选才能提交", "Tick it to send the form");
    let (Some(_), Some(_), Some(_), Some(_), Some(_)) = (name, phone, address, day, delivery) else {
        return visit.form_again(guide(&visit, fields)?);
    };
    let (Some(_), Some(_), Some(_), Some(_), Some(())) = (county, note, papers, signature, agreed) else {
        return visit.form_again(guide(&visit, fields)?);
    };
    Ok(redirect("/styleguide"))
}

fn phone_is_whole(phone: &str) -> std::result::Result<(), tb_base::Refusal> {
    let digits = phone.chars().filter(char::is_ascii_digit).count();
    if digits == 11 {
        return Ok(());
    }
    Err(tb_base::Refusal::invalid(
        "WEB-FIELD-008",
        format!("现在是 {digits} 位，应为 11 位数字"),
        format!("has {digits} digits now; it needs 11"),
    ))
}

fn guide(visit: &Visit, form: Fields) -> Result<Guide> {
    let lang = visit.lang;
    let marks: Vec<CityMark> = visit.app.cities.iter().map(|front| CityMark::of(lang, front)).collect();
    let mark = |at: usize| marks.get(at).cloned();
    let (due, late, days) = clocks(visit, marks.get(2));
    Ok(Guide {
        frame: visit.frame("部件", "Components").airy().crumb("首页", "Start", "/").errors(&form),
        lang,
        sections: SECTIONS.iter().map(|(id, zh, en)| (*id, lang.t(*zh, *en))).collect(),
        form,
        steps: steps(lang, &marks),
        due,
        late,
        days,
        summary: summary(lang),
        facts: facts(lang),
        tiles: tiles(lang),
        messages: messages(lang, mark(2)),
        table: table(lang, &marks),
        pager: Pager::of(visit, 137, 20),
        filters: Filters::of(visit, &[FILTER]),
        chart: chart(lang, &marks),
        map: RegionMap::of(lang, OUTLINES, &visit.app.cities)?,
        qr: ui::qr::svg(
            "https://example.invalid/v/7K4M29QD",
            lang.t("核验二维码，内容同下方数字", "Code to check, the same as the digits below"),
        )?,
    })
}

fn steps(lang: Lang, marks: &[CityMark]) -> Steps {
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
        done.links.push((lang.t("受理通知书", "Notice of acceptance").to_owned(), "#steps".to_owned()));
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

fn clocks(visit: &Visit, city: Option<&CityMark>) -> (DueBox, DueBox, Days) {
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

fn summary(lang: Lang) -> Summary {
    let wrong = lang.t("不对", "Wrong");
    Summary {
        rows: vec![
            SummaryRow::new(lang.t("姓名", "Name"), "贺志强")
                .from(lang.t("湘潭市公安局人口信息，09:12 取得", "Population register of Xiangtan, 09:12"))
                .action(wrong, "#record"),
            SummaryRow::new(lang.t("证号", "Number"), "430281 ******** 003X").code().action(wrong, "#record"),
            SummaryRow::new(lang.t("手机号", "Mobile"), "138 0731 4627")
                .code()
                .yours(lang.t("您填的", "Yours"))
                .action(lang.t("改", "Change"), "#form"),
        ],
    }
}

fn facts(lang: Lang) -> Facts {
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

fn tiles(lang: Lang) -> Tiles {
    let tile = |figure: i32, label: &str, kind: &str| Tile {
        figure: lang.number(figure),
        label: label.to_owned(),
        href: "#table".to_owned(),
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

fn messages(lang: Lang, city: Option<CityMark>) -> Vec<Message> {
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

fn table(lang: Lang, marks: &[CityMark]) -> Table {
    let holder = |at: usize, office: &str| match marks.get(at) {
        Some(city) => Cell::text(office).city(city.clone()),
        None => Cell::text(office),
    };
    let code = |text: &str| Cell { href: "#table".to_owned(), ..Cell::code(text) };
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
        export: Some((lang.t("导出表格", "Export").to_owned(), "#table".to_owned())),
    }
}

fn chart(lang: Lang, marks: &[CityMark]) -> BarChart {
    let values = [2.1, 2.6, 3.4];
    let bar = |(mark, value): (&CityMark, f64)| Bar {
        label: mark.name.clone(),
        value,
        figure: format!("{value} {}", lang.t("日", "days")),
        city: mark.node.clone(),
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
