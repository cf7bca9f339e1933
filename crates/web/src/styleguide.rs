//! Every part with its states (部件): what designers look at, and what tests render in both languages.
//!
//! Its form works, so that errors, uploads and the answer for programs can be seen on one page.
//! One page a chapter: all parts on one would weigh more than a page may.

mod drawn;
mod samples;
mod work;

use askama::Template;
use axum::Router;
use axum::routing::get;
use serde::Serialize;
use tb_base::Result;

use crate::app::CityFront;
use crate::module::{Module, RouteInfo, Who};
use crate::ui::{
    BarChart, CityMark, Columns, Compare, Confirm, Days, Decide, DueBox, Facts, Filters, GroupedBars, Keys,
    Message, Months, Pager, Queue, RegionMap, Steps, Summary, Table, Tiles, Track,
};
use crate::{
    App, Choice, Field, Fields, Form, Frame, Html, Input, Lang, PageResult, TableFile, Visit, redirect, ui,
};

const OUTLINES: &str = include_str!("../../../region/outlines.json");

/// The addresses of the style guide.
pub const ROUTES: &[RouteInfo] = &[
    RouteInfo::get("/styleguide", Who::Public),
    RouteInfo::post("/styleguide", Who::Public),
    RouteInfo::get("/styleguide/records", Who::Public),
    RouteInfo::get("/styleguide/work", Who::Public),
    RouteInfo::get("/styleguide/figures", Who::Public),
    RouteInfo::get("/styleguide/views", Who::Public),
];

/// The routes alone, for a site of its own.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/styleguide", get(show).post(send))
        .route("/styleguide/records", get(records))
        .route("/styleguide/work", get(work_parts))
        .route("/styleguide/figures", get(figures))
        .route("/styleguide/views", get(views))
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

/// A pair of words.
type Pair = (&'static str, &'static str);

/// The chapters: address, name, and what they hold.
const CHAPTERS: &[(&str, Pair, Pair)] = &[
    (
        "/styleguide",
        ("底子与表单", "Base and forms"),
        ("颜色、文字、按钮、表单、提示", "Colours, type, buttons, forms, notices"),
    ),
    (
        "/styleguide/records",
        ("记录与期限", "Records and clocks"),
        ("清单、证照、步骤、期限、表格、码、地图", "Lists, licences, steps, clocks, tables, codes, map"),
    ),
    (
        "/styleguide/work",
        ("工作台", "Work"),
        ("叫号、比较、决定栏、快捷键、确认页", "Queue, comparison, decisions, keys, confirmation"),
    ),
    ("/styleguide/figures", ("数字与图", "Figures"), ("数字、图、月份", "Figures, charts, months")),
    (
        "/styleguide/views",
        ("样式与视图", "Themes and views"),
        ("三市、长者版、打印、高对比、长文字", "Cities, larger view, print, own colours, long text"),
    ),
];

/// A chapter in the list of them.
struct Chapter {
    href: &'static str,
    name: &'static str,
    holds: &'static str,
    is_here: bool,
}

fn contents(visit: &Visit) -> Vec<Chapter> {
    let lang = visit.lang;
    let chapter = |(href, name, holds): &(&'static str, Pair, Pair)| Chapter {
        href,
        name: lang.t(name.0, name.1),
        holds: lang.t(holds.0, holds.1),
        is_here: visit.path == *href,
    };
    CHAPTERS.iter().map(chapter).collect()
}

fn frame(visit: &Visit) -> Frame {
    visit.frame("部件", "Components").airy().crumb("首页", "Start", "/")
}

fn marks(visit: &Visit) -> Vec<CityMark> {
    visit.app.cities.iter().map(|front| CityMark::of(visit.lang, front)).collect()
}

#[derive(Template, Serialize)]
#[template(path = "styleguide/page_basics.html")]
struct Basics {
    frame: Frame,
    lang: Lang,
    #[serde(skip)]
    contents: Vec<Chapter>,
    form: Fields,
    #[serde(skip)]
    wrong: Fields,
}

fn basics(visit: &Visit, form: Fields) -> Basics {
    Basics {
        frame: frame(visit).errors(&form),
        lang: visit.lang,
        contents: contents(visit),
        form,
        wrong: samples::wrong(visit),
    }
}

async fn show(visit: Visit) -> PageResult {
    let form = Fields::blank(&visit).with(FIXED.name, "株洲市 醴陵市").with(PHONE.name, "13807314627");
    visit.page(basics(&visit, form))
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
        return visit.form_again(basics(&visit, fields));
    };
    let (Some(_), Some(_), Some(_), Some(_), Some(())) = (county, note, papers, signature, agreed) else {
        return visit.form_again(basics(&visit, fields));
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

#[derive(Template, Serialize)]
#[template(path = "styleguide/page_records.html")]
struct Records {
    frame: Frame,
    lang: Lang,
    #[serde(skip)]
    contents: Vec<Chapter>,
    steps: Steps,
    due: DueBox,
    late: DueBox,
    days: Days,
    summary: Summary,
    facts: Facts,
    messages: Vec<Message>,
    table: Table,
    pager: Pager,
    #[serde(skip)]
    filters: Filters,
    map: RegionMap,
    #[serde(skip)]
    qr: Html,
}

async fn records(visit: Visit) -> PageResult {
    let (lang, marks) = (visit.lang, marks(&visit));
    if let Some(kind) = TableFile::asked(&visit) {
        return Ok(samples::rows(lang, visit.ctx.now).file(kind, "sample"));
    }
    let (due, late, days) = samples::clocks(&visit, marks.get(2));
    visit.page(Records {
        frame: frame(&visit),
        lang,
        contents: contents(&visit),
        steps: samples::steps(lang, &marks),
        due,
        late,
        days,
        summary: samples::summary(lang),
        facts: samples::facts(lang),
        messages: samples::messages(lang, marks.get(2).cloned()),
        table: samples::table(&visit, &marks),
        pager: Pager::of(&visit, 137, 20),
        filters: Filters::of(&visit, &[FILTER]),
        map: RegionMap::of(lang, OUTLINES, &visit.app.cities)?,
        qr: code(lang)?,
    })
}

#[derive(Template, Serialize)]
#[template(path = "styleguide/page_work.html")]
struct Work {
    frame: Frame,
    lang: Lang,
    #[serde(skip)]
    contents: Vec<Chapter>,
    queue: Queue,
    compare: Compare,
    decide: Decide,
    #[serde(skip)]
    keys: Keys,
    confirm: Confirm,
}

async fn work_parts(visit: Visit) -> PageResult {
    let (lang, marks) = (visit.lang, marks(&visit));
    visit.page(Work {
        frame: frame(&visit),
        lang,
        contents: contents(&visit),
        queue: work::queue(lang, &marks),
        compare: work::compare(lang, &marks),
        decide: work::decide(&visit),
        keys: work::keys(lang),
        confirm: work::confirm(&visit),
    })
}

#[derive(Template, Serialize)]
#[template(path = "styleguide/page_figures.html")]
struct Figures {
    frame: Frame,
    lang: Lang,
    #[serde(skip)]
    contents: Vec<Chapter>,
    tiles: Tiles,
    chart: BarChart,
    grouped: GroupedBars,
    track: Track,
    columns: Columns,
    months: Months,
}

async fn figures(visit: Visit) -> PageResult {
    let (lang, marks) = (visit.lang, marks(&visit));
    visit.page(Figures {
        frame: frame(&visit),
        lang,
        contents: contents(&visit),
        tiles: samples::tiles(lang),
        chart: samples::chart(lang, &marks),
        grouped: drawn::grouped(lang, &marks),
        track: drawn::track(lang, &marks),
        columns: drawn::columns(lang),
        months: drawn::months(lang, &marks),
    })
}

fn code(lang: Lang) -> Result<Html> {
    let words = lang.t("核验二维码，内容同下方数字", "Code to check, the same as the digits below");
    ui::qr::svg("https://example.invalid/v/7K4M29QD", words)
}

#[derive(Template, Serialize)]
#[template(path = "styleguide/page_views.html")]
struct Views {
    frame: Frame,
    lang: Lang,
    #[serde(skip)]
    contents: Vec<Chapter>,
    #[serde(skip)]
    fronts: Vec<CityFront>,
    long: Table,
}

async fn views(visit: Visit) -> PageResult {
    visit.page(Views {
        frame: frame(&visit),
        lang: visit.lang,
        contents: contents(&visit),
        fronts: visit.app.cities.clone(),
        long: samples::long(visit.lang, &marks(&visit)),
    })
}
