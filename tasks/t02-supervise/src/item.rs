//! The figures of one item (事项数字): received, decided, median and longest, how many too late; each with its list.
//! Serves clause 2.5.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{CaseId, OfficeId, Refusal, Timestamp};
use tb_case::city::{self, Decided, Received};
use tb_case::figures::{self, Figures};
use tb_store::Tx;
use tb_web::{Fields, Frame, Html, Lang, PageResult, Visit, ui};

use crate::ask::{Ask, FROM, Period, State, UNTIL};
use crate::names::{self, Names};
use crate::{Parts, Shared, watching};

/// Columns of the chart: as many as can be pressed on a telephone.
const COLUMNS: i64 = 13;

#[derive(Template, Serialize)]
#[template(path = "ts/item.html")]
struct ItemPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    item: u16,
    period: Period,
    figures: Figures,
    median: Option<u32>,
    longest: Option<u32>,
    tiles: ui::Tiles,
    form: Fields,
    #[serde(skip)]
    title: String,
    #[serde(skip)]
    fields: Html,
    #[serde(skip)]
    chart: ui::Columns,
    #[serde(skip)]
    offices: ui::Table,
    #[serde(skip)]
    action: String,
}

/// What was read in one go.
struct Read {
    decided: Vec<Decided>,
    received: Vec<Received>,
    slowest: Option<CaseId>,
    names: Names,
}

/// GET /supervise/items/{number}?from=&until=
pub(crate) async fn show(visit: Visit, parts: Shared, number: Path<String>) -> PageResult {
    watching(&visit)?;
    let item = number.parse().ok().filter(|number| parts.env.catalogue.item(*number).is_some());
    let item: u16 = item.ok_or_else(missing)?;
    let mut form = Fields::from_query(&visit);
    let (from, until) = (form.date(&FROM).optional(), form.date(&UNTIL).optional());
    let is_sound = from.is_some() && until.is_some();
    let whole = Period::up_to(until.flatten().unwrap_or(visit.ctx.now.date()));
    let period = Period { from: from.flatten().unwrap_or(whole.from), ..whole };
    let (ctx, shared, app, lang) = (visit.ctx.clone(), Arc::clone(&parts.0), visit.app.clone(), visit.lang);
    let read = visit.app.store.read_snapshot("t02.supervise.item", move |tx: &mut Tx<'_>| {
        let decided = city::decided(tx, ctx.node, period.moments(), Some(item))?;
        let slowest = match figures::longest(&decided, &shared.env.calendar) {
            Some(days) => city::between(tx, ctx.node, item, days)?,
            None => None,
        };
        Ok(Read {
            received: city::received(tx, ctx.node, period.moments(), Some(item))?,
            names: Names::read(tx, &shared, &app, lang)?,
            decided,
            slowest,
        })
    });
    let view = view(&visit, &parts, (item, period), &read.await?, form);
    match is_sound {
        true => visit.page(view),
        false => visit.form_again(view),
    }
}

fn missing() -> Refusal {
    Refusal::gone("T02-SUP-002", "没有这个事项", "There is no such item")
        .but("请从总览里选事项", "Choose an item in the overview")
}

fn view(visit: &Visit, parts: &Parts, (item, period): (u16, Period), read: &Read, form: Fields) -> ItemPage {
    let (lang, calendar) = (visit.lang, &parts.env.calendar);
    let mut whole = Figures::default();
    let mut offices: BTreeMap<OfficeId, Figures> = BTreeMap::new();
    for row in &read.received {
        whole.receive(row);
        offices.entry(row.office.clone()).or_default().receive(row);
    }
    for row in &read.decided {
        whole.decide(row, calendar);
        offices.entry(row.office.clone()).or_default().decide(row, calendar);
    }
    let title = names::item(parts, lang, item);
    let address = format!("/supervise/items/{item}");
    ItemPage {
        frame: visit.frame(&title, &title).crumb("总览", "Overview", "/supervise").desk().errors(&form),
        lang,
        item,
        period,
        median: whole.median(),
        longest: whole.longest(),
        tiles: tiles(lang, item, period, &whole, read.slowest),
        chart: chart(lang, item, period, &read.decided),
        offices: table(lang, item, period, &offices, &read.names),
        fields: form.show_all(&[FROM, UNTIL].map(|field| tb_web::Field { optional: false, ..field })),
        figures: whole,
        action: address,
        title,
        form,
    }
}

/// Working days, or a dash.
pub(crate) fn days(lang: Lang, days: Option<u32>) -> String {
    days.map_or_else(|| "—".to_owned(), |days| lang.count(days, "日", "day", "days"))
}

/// A share of a thousand as `12.5 %`.
pub(crate) fn share(permille: Option<i64>) -> String {
    permille.map_or_else(|| "—".to_owned(), |share| format!("{}.{} %", share / 10, share % 10))
}

fn tiles(lang: Lang, item: u16, period: Period, whole: &Figures, slowest: Option<CaseId>) -> ui::Tiles {
    let address = |state| Ask::within(state, period).of_item(item).address();
    let tile = |figure: String, label: String, href: String, kind: &str| ui::Tile {
        figure,
        label,
        href,
        kind: kind.to_owned(),
    };
    let late = match lang {
        Lang::Zh => format!("决定时超期，占 {}", share(whole.overdue_permille())),
        Lang::En => format!("decided too late, {}", share(whole.overdue_permille())),
    };
    let word = |zh: &str, en: &str| lang.t(zh, en).to_owned();
    let decided = address(State::Decided);
    let slowest = slowest.map_or_else(|| decided.clone(), |case| format!("/supervise/cases/{case}"));
    ui::Tiles {
        tiles: vec![
            tile(lang.number(whole.received), word("收到", "received"), address(State::Received), ""),
            tile(lang.number(whole.decided), word("作出决定", "decided"), decided.clone(), ""),
            tile(
                lang.number(whole.overdue),
                late,
                address(State::Overdue),
                if 0 < whole.overdue { "stop" } else { "" },
            ),
            tile(
                days(lang, whole.median()),
                word("一半在这么多工作日内", "working days for half of them"),
                decided,
                "",
            ),
            tile(days(lang, whole.longest()), word("最长的一件", "the longest one"), slowest, ""),
        ],
    }
}

/// Decisions in as many parts of the period as can be drawn.
fn chart(lang: Lang, item: u16, period: Period, decided: &[Decided]) -> ui::Columns {
    let (first, end) = (Timestamp::at(period.from, 0), Timestamp::at(period.until, 24));
    let all = ((end.seconds() - first.seconds()) / 86_400).max(1);
    let step = (all + COLUMNS - 1) / COLUMNS;
    let part = |at: i64| {
        let from = first.plus_seconds(at * step * 86_400).date();
        let until = first.plus_seconds(((at + 1) * step - 1) * 86_400).date().min(period.until);
        Period { from, until }
    };
    let bar = |part: Period| {
        let within = decided.iter().filter(|row| part.from <= row.last && row.last <= part.until);
        let count: i64 = within.map(|row| row.counted).sum();
        ui::Bar {
            label: lang.short(part.from),
            value: f64::from(u32::try_from(count).unwrap_or(u32::MAX)),
            figure: lang.number(count),
            city: String::new(),
            href: Ask::within(State::Decided, part).of_item(item).address(),
        }
    };
    let parts = (0..(all + step - 1) / step).map(part);
    ui::Columns {
        lang,
        id: "decided".to_owned(),
        title: match lang {
            Lang::Zh => format!("每 {step} 天作出的决定"),
            Lang::En => format!("Decisions in each {}", lang.count(step, "", "day", "days")),
        },
        description: lang
            .t("柱越高，那几天决定得越多", "The higher, the more was decided in those days")
            .to_owned(),
        label_head: lang.t("从这天起", "From").to_owned(),
        figure_head: lang.t("决定", "Decided").to_owned(),
        columns: parts.map(bar).collect(),
    }
}

fn table(
    lang: Lang,
    item: u16,
    period: Period,
    offices: &BTreeMap<OfficeId, Figures>,
    names: &Names,
) -> ui::Table {
    let row = |(office, it): (&OfficeId, &Figures)| {
        let link = |figure: i64, state: State| {
            ui::Cell::link(lang.number(figure), Ask::within(state, period).of_item(item).at(office).address())
        };
        ui::TableRow::new(vec![
            ui::Cell::text(names.of(office)),
            link(it.received, State::Received),
            link(it.decided, State::Decided),
            ui::Cell::text(days(lang, it.median())),
            ui::Cell::text(days(lang, it.longest())),
            link(it.overdue, State::Overdue).note(share(it.overdue_permille())),
        ])
    };
    let heads = [
        ("收到", "Received"),
        ("决定", "Decided"),
        ("中位工作日", "Median working days"),
        ("最长", "Longest"),
        ("超期", "Too late"),
    ];
    let numbers = heads.iter().map(|(zh, en)| ui::Head::number(lang.t(zh, en)));
    ui::Table {
        caption: lang.t("按单位", "By office").to_owned(),
        heads: std::iter::once(ui::Head::text(lang.t("单位", "Office"))).chain(numbers).collect(),
        rows: offices.iter().map(row).collect(),
        count: String::new(),
        export: None,
    }
}
