//! The end of the day (日结): what the own counter did, to be printed and signed, or taken as a file.
//! Serves clause 2.3.
//!
//! Invariant: every figure is added up from the rows that stand below it.

use askama::Template;
use serde::Serialize;
use tb_base::{Date, Refusal, Result, StaffId, Timestamp};
use tb_counter::journal::{self, KINDS, Kind, Line};
use tb_counter::sheet::Sheet;
use tb_counter::ticket::{self, State, Ticket};
use tb_identity::permit::Action;
use tb_identity::{offices, staff};
use tb_store::Tx;
use tb_web::{Datum, Frame, Lang, PageResult, Rows, TableFile, Visit, ui};

use crate::clerk::Clerk;
use crate::{Parts, Shared};

#[derive(Template, Serialize)]
#[template(path = "tw/day.html")]
struct Day {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    day: Date,
    office: String,
    sheet: Sheet,
    /// How many acts are listed.
    lines: usize,
    /// How many numbers are listed; none where none are asked for.
    numbers_listed: Option<usize>,
    #[serde(skip)]
    numbers: ui::Tiles,
    #[serde(skip)]
    times: ui::Facts,
    #[serde(skip)]
    tickets: ui::Table,
    #[serde(skip)]
    acts: ui::Table,
    #[serde(skip)]
    clerks: ui::Table,
    #[serde(skip)]
    list: ui::Table,
    /// The day before and the day after, as far as there is one.
    #[serde(skip)]
    before: String,
    #[serde(skip)]
    after: String,
}

/// What was read of a day.
struct Read {
    office: String,
    sheet: Sheet,
    lines: Vec<Line>,
    tickets: Vec<Ticket>,
    names: Vec<(StaffId, String)>,
}

/// GET /window/day?date=&kind=&numbers=&export=xlsx|csv: `kind` and `numbers` list what a figure counts.
pub(crate) async fn show(visit: Visit, parts: Shared) -> PageResult {
    let clerk = Clerk::of(&visit.ctx, Action::ReadOfficeCase)?;
    let today = visit.ctx.now.date();
    let day = match visit.param("date").filter(|text| !text.is_empty()) {
        Some(text) => text.parse::<Date>().ok().filter(|day| *day <= today).ok_or_else(no_day)?,
        None => today,
    };
    let (shared, lang) = (parts.0.clone(), visit.lang);
    let read =
        visit.app.store.read_snapshot("t02.window.day", move |tx| read(tx, &shared, lang, &clerk, day));
    let mut read = read.await?;
    if let Some(kind) = KINDS.into_iter().find(|kind| visit.param("kind").is_some_and(|it| it == word(*kind)))
    {
        read.lines.retain(|line| line.kind == kind);
    }
    if let Some(kind) = TableFile::asked(&visit) {
        return Ok(file(&visit, &parts, &read).file(kind, &format!("counter-{day}")));
    }
    visit.page(page(&visit, &parts, day, read))
}

fn no_day() -> Refusal {
    Refusal::invalid("T02-DAY-001", "没有这一天的日结", "There is no sheet of that day")
        .but("选今天或以前的日期，如 2026-11-24", "Choose today or an earlier day, such as 2026-11-24")
}

fn read(tx: &mut Tx<'_>, parts: &Parts, lang: Lang, clerk: &Clerk, day: Date) -> Result<Read> {
    let lines = journal::of_day(tx, &clerk.office, day)?;
    let tickets = ticket::of_day(tx, &clerk.office, day)?;
    let sheet = Sheet::of(&tickets, &lines);
    let mut names = Vec::new();
    for (id, _, _) in &sheet.clerks {
        let name = staff::find(tx, &parts.vault, *id)?.map_or_else(|| id.to_string(), |member| member.name);
        names.push((*id, name));
    }
    let office = offices::find(tx, &clerk.office)?;
    let office = office.map_or_else(String::new, |it| lang.t(&it.name_zh, &it.name_en).to_owned());
    Ok(Read { office, sheet, lines, tickets, names })
}

fn page(visit: &Visit, parts: &Parts, day: Date, read: Read) -> Day {
    let lang = visit.lang;
    let title = ("日结", "End of the day");
    let address = |day: Option<Date>| {
        let known = day.filter(|day| *day <= visit.ctx.now.date());
        known.map_or_else(String::new, |day| format!("/window/day?date={day}"))
    };
    Day {
        frame: visit.frame(title.0, title.1).crumb("专窗", "Counter", "/window"),
        lang,
        day,
        lines: read.lines.len(),
        numbers_listed: listed(visit, &read).map(|listed| listed.len()),
        numbers: numbers(lang, day, &read.sheet),
        times: times(lang, &read.sheet),
        tickets: tickets(lang, &listed(visit, &read).unwrap_or_default()),
        acts: acts(lang, day, &read.sheet),
        clerks: clerks(lang, &read),
        list: list(visit, parts, &read),
        before: address(day.yesterday().ok()),
        after: address(day.tomorrow().ok()),
        office: read.office,
        sheet: read.sheet,
    }
}

/// The word of a kind in addresses.
fn word(kind: Kind) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

/// The numbers that a figure counts; none where no figure was followed.
fn listed<'a>(visit: &Visit, read: &'a Read) -> Option<Vec<&'a Ticket>> {
    let counts: fn(&Ticket) -> bool = match visit.param("numbers")?.as_str() {
        "taken" => |_| true,
        "served" => |ticket| ticket.state == State::Done,
        "skipped" => |ticket| ticket.state == State::Skipped,
        "open" => |ticket| matches!(ticket.state, State::Waiting | State::Called),
        _ => return None,
    };
    Some(read.tickets.iter().filter(|ticket| counts(ticket)).collect())
}

fn tickets(lang: Lang, listed: &[&Ticket]) -> ui::Table {
    let at = |at: Option<Timestamp>| at.map_or_else(|| "—".to_owned(), |at| lang.time(at));
    let row = |ticket: &&Ticket| {
        let (state, purpose) = (ticket.state.name(), ticket.purpose.name());
        ui::TableRow::new(vec![
            ui::Cell::text(ticket.code()),
            ui::Cell::text(lang.t(&purpose.zh, &purpose.en)),
            ui::Cell::text(lang.t(&state.zh, &state.en)),
            ui::Cell::text(lang.time(ticket.taken)),
            ui::Cell::text(at(ticket.called)),
            ui::Cell::text(at(ticket.ended)),
        ])
    };
    let head = |zh: &str, en: &str| ui::Head::text(lang.t(zh, en));
    let heads = vec![
        head("号", "Number"),
        head("来办什么", "What for"),
        head("状态", "State"),
        head("取号", "Taken"),
        head("叫号", "Called"),
        head("结束", "Ended"),
    ];
    table(lang.t("逐号", "Number by number"), heads, listed.iter().map(row).collect())
}

fn numbers(lang: Lang, day: Date, sheet: &Sheet) -> ui::Tiles {
    let tile = |which: &str, label: &str, figure: i64| ui::Tile {
        figure: lang.number(figure),
        label: label.to_owned(),
        href: format!("/window/day?date={day}&numbers={which}#tickets"),
        kind: String::new(),
    };
    ui::Tiles {
        tiles: vec![
            tile("taken", lang.t("取号", "numbers taken"), sheet.taken),
            tile("served", lang.t("办完", "served"), sheet.served),
            tile("skipped", lang.t("过号", "skipped"), sheet.skipped),
            tile("open", lang.t("还在等或在办", "still open"), sheet.open),
        ],
    }
}

fn times(lang: Lang, sheet: &Sheet) -> ui::Facts {
    let fact = |label: &str, value: String| ui::Fact { label: label.to_owned(), value, note: String::new() };
    let time = |seconds: Option<i64>| match (seconds, lang) {
        (None, _) => "—".to_owned(),
        (Some(seconds), Lang::Zh) => format!("{} 分 {} 秒", seconds / 60, seconds % 60),
        (Some(seconds), Lang::En) => format!("{} min {} s", seconds / 60, seconds % 60),
    };
    ui::Facts {
        facts: vec![
            fact(lang.t("平均等候", "Average wait"), time(sheet.wait_seconds)),
            fact(lang.t("平均办理", "Average service"), time(sheet.service_seconds)),
        ],
    }
}

fn table(caption: &str, heads: Vec<ui::Head>, rows: Vec<ui::TableRow>) -> ui::Table {
    ui::Table { caption: caption.to_owned(), heads, rows, count: String::new(), export: None }
}

fn acts(lang: Lang, day: Date, sheet: &Sheet) -> ui::Table {
    let row = |(kind, count): &(journal::Kind, i64)| {
        let name = kind.name();
        ui::TableRow::new(vec![
            ui::Cell::text(lang.t(&name.zh, &name.en)),
            ui::Cell::link(lang.number(*count), format!("/window/day?date={day}&kind={}#list", word(*kind))),
        ])
    };
    let heads = vec![ui::Head::text(lang.t("做了什么", "What")), ui::Head::number(lang.t("件数", "Count"))];
    table(lang.t("今天做了什么", "What was done"), heads, sheet.acts.iter().map(row).collect())
}

fn clerks(lang: Lang, read: &Read) -> ui::Table {
    let row = |((_, served, acts), (_, name)): (&(StaffId, i64, i64), &(StaffId, String))| {
        ui::TableRow::new(vec![
            ui::Cell::text(name),
            ui::Cell::text(lang.number(*served)),
            ui::Cell::text(lang.number(*acts)),
        ])
    };
    let heads = vec![
        ui::Head::text(lang.t("窗口人员", "Clerk")),
        ui::Head::number(lang.t("叫号办完", "Numbers served")),
        ui::Head::number(lang.t("办件动作", "Acts")),
    ];
    let rows = read.sheet.clerks.iter().zip(&read.names).map(row).collect();
    table(lang.t("各人", "By clerk"), heads, rows)
}

/// The name of an item and of a city, as the page speaks.
fn names(visit: &Visit, parts: &Parts, line: &Line) -> (String, String) {
    let lang = visit.lang;
    let item = parts.catalogue.item(line.item).map_or_else(
        || line.item.to_string(),
        |item| lang.t(&item.entry.title, item.title_en().unwrap_or(&item.entry.title)).to_owned(),
    );
    let city = line.city.and_then(|city| visit.app.city(city));
    (item, city.map_or_else(String::new, |city| lang.t(&city.name, &city.name_en).to_owned()))
}

fn list(visit: &Visit, parts: &Parts, read: &Read) -> ui::Table {
    let lang = visit.lang;
    let row = |line: &Line| {
        let (kind, (item, city)) = (line.kind.name(), names(visit, parts, line));
        ui::TableRow::new(vec![
            ui::Cell::text(lang.time(line.at)),
            ui::Cell::text(lang.t(&kind.zh, &kind.en)),
            ui::Cell::text(item),
            ui::Cell::text(city),
            ui::Cell::code(ui::grouped(line.case.as_str(), 4)),
        ])
    };
    let head = |zh: &str, en: &str| ui::Head::text(lang.t(zh, en));
    ui::Table {
        caption: lang.t("逐件", "One by one").to_owned(),
        heads: vec![
            head("时间", "At"),
            head("做了什么", "What"),
            head("事项", "Item"),
            head("办理地", "Decided in"),
            head("编号", "Number"),
        ],
        rows: read.lines.iter().map(row).collect(),
        count: lang.count(read.lines.len(), "件", "act", "acts"),
        export: Some(ui::Exports::of(visit)),
    }
}

fn file(visit: &Visit, parts: &Parts, read: &Read) -> Rows {
    let lang = visit.lang;
    let heads = match lang {
        Lang::Zh => ["时间", "做了什么", "窗口人员", "事项", "办理地", "编号"],
        Lang::En => ["at", "what", "clerk", "item", "decided in", "number"],
    };
    let mut rows = Rows::new(lang.t("日结", "End of the day"), &heads);
    for line in &read.lines {
        let (kind, (item, city)) = (line.kind.name(), names(visit, parts, line));
        let clerk = read.names.iter().find(|(id, _)| *id == line.clerk).map_or("", |(_, name)| name);
        rows.push(vec![
            Datum::Moment(line.at),
            Datum::text(lang.t(&kind.zh, &kind.en)),
            Datum::text(clerk),
            Datum::text(item),
            Datum::text(city),
            Datum::code(line.case.to_string()),
        ]);
    }
    rows
}
