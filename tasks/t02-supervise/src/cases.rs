//! The cases of the city (全市办件): filters in the address, pages that begin where the last one ended, a file to keep.
//! Serves clause 2.5.
//!
//! Invariant: the list names cases, never people; whoever takes it away as a file is written down.

use std::sync::Arc;

use askama::Template;
use serde::Serialize;
use tb_base::{CaseId, Ctx, Date, OfficeId, Timestamp};
use tb_case::case::PhaseKind;
use tb_case::city::{self, CityPage, CityRow, Mark, Turn};
use tb_store::{Tx, audit};
use tb_web::{
    Choice, Datum, Field, Fields, Frame, Html, Input, Lang, PageResult, Rows, TableFile, Visit, ui,
};

use crate::ask::{Ask, Due, FROM, State, UNTIL};
use crate::names::{self, Names};
use crate::{Parts, Shared, watching};

/// A row of the list.
#[derive(Serialize)]
pub(crate) struct Line {
    pub id: CaseId,
    pub query_code: String,
    pub item: u16,
    pub item_name: String,
    pub phase: PhaseKind,
    pub office: OfficeId,
    pub deciding: OfficeId,
    pub due: Option<Date>,
    /// Calendar days to the due date; negative when late.
    pub days_left: Option<i64>,
    pub collected: Timestamp,
    pub decided: Option<Date>,
    /// Working days from collection to decision.
    pub days_taken: Option<u32>,
    pub overdue: bool,
}

#[derive(Template, Serialize)]
#[template(path = "ts/cases.html")]
struct CasesPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    cases: Vec<Line>,
    total: i64,
    form: Fields,
    #[serde(skip)]
    title: String,
    #[serde(skip)]
    fields: Html,
    #[serde(skip)]
    table: ui::Table,
    #[serde(skip)]
    turns: ui::Turns,
}

/// GET /supervise/cases?state=&due=&office=&item=&from=&until=&after=&before=&export=xlsx|csv
pub(crate) async fn show(visit: Visit, parts: Shared) -> PageResult {
    watching(&visit)?;
    let mut form = Fields::from_query(&visit);
    let asked = Ask::read(&visit, &mut form);
    let is_asked = asked.is_some();
    let ask = asked.unwrap_or_default();
    let (narrow, kind) = (ask.narrow(visit.ctx.now), TableFile::asked(&visit).filter(|_| is_asked));
    let (ctx, shared, app, lang) = (visit.ctx.clone(), Arc::clone(&parts.0), visit.app.clone(), visit.lang);
    let (turn, is_file, address) = (turn(&visit, kind.is_some()), kind.is_some(), ask.address());
    let read = move |tx: &mut Tx<'_>| {
        let page = match is_asked {
            true => city::list(tx, ctx.node, &narrow, &turn)?,
            false => CityPage { rows: Vec::new(), total: 0, back: None, on: None },
        };
        if is_file {
            note(tx, &ctx, &address, &page)?;
        }
        Ok((Names::read(tx, &shared, &app, lang)?, page))
    };
    let (names, page) = match is_file {
        true => visit.app.store.write("t02.supervise.export", read).await?,
        false => visit.app.store.read_snapshot("t02.supervise.cases", read).await?,
    };
    let lines: Vec<Line> = page.rows.iter().map(|row| line(&visit, &parts, row)).collect();
    if let Some(kind) = kind {
        let rows = rows(&visit, &names, &lines, page.total);
        return Ok(rows.file(kind, &format!("cases-{}", visit.ctx.now.date())));
    }
    let view = view(&visit, &parts, (&names, &ask), (lines, &page), form);
    match is_asked {
        true => visit.page(view),
        false => visit.form_again(view),
    }
}

/// Who took which list away.
fn note(tx: &mut Tx<'_>, ctx: &Ctx, address: &str, page: &CityPage) -> tb_base::Result<()> {
    audit::line(tx, ctx, "supervise.export", address, &format!("found:{}", page.rows.len()))
}

fn turn(visit: &Visit, is_file: bool) -> Turn {
    let mark = |name| visit.param(name).as_deref().and_then(Mark::of);
    match (is_file, mark("after"), mark("before")) {
        (true, _, _) => Turn::File,
        (false, Some(mark), _) => Turn::After(mark),
        (false, None, Some(mark)) => Turn::Before(mark),
        (false, None, None) => Turn::First,
    }
}

pub(crate) fn line(visit: &Visit, parts: &Parts, row: &CityRow) -> Line {
    let due = row.case.due.map(Timestamp::date);
    let today = visit.ctx.now.date();
    let taken =
        |decided: Timestamp| parts.env.calendar.working_days(row.case.collected.date(), decided.date());
    Line {
        id: row.case.case,
        query_code: row.case.query_code.clone(),
        item: row.case.item,
        item_name: names::item(parts, visit.lang, row.case.item),
        phase: row.case.phase,
        office: row.case.office.clone(),
        deciding: row.case.deciding_office.clone(),
        due,
        days_left: due.and_then(|due| due.since(today).ok()).map(|span| i64::from(span.get_days())),
        collected: row.case.collected,
        decided: row.decided.map(Timestamp::date),
        days_taken: row.decided.map(taken),
        overdue: matches!((row.decided, row.promised), (Some(decided), Some(promised)) if promised < decided),
    }
}

fn view(
    visit: &Visit,
    parts: &Parts,
    (names, ask): (&Names, &Ask),
    (lines, page): (Vec<Line>, &CityPage),
    form: Fields,
) -> CasesPage {
    let title = title(visit.lang, ask, page.total);
    CasesPage {
        frame: visit.frame(&title, &title).crumb("总览", "Overview", "/supervise").desk().errors(&form),
        lang: visit.lang,
        table: table(visit, names, ask, &lines, page.total),
        fields: fields(visit, parts, names, &form),
        turns: turns(visit, ask, page),
        cases: lines,
        total: page.total,
        form,
        title,
    }
}

fn title(lang: Lang, ask: &Ask, total: i64) -> String {
    let (zh, en) = match (ask.state, ask.due) {
        (State::Running, Due::Any) => ("在办", "running"),
        (State::Running, Due::Late) => ("晚了", "late"),
        (State::Running, Due::Today) => ("今天到期", "due today"),
        (State::Running, Due::Week) => ("本周到期", "due this week"),
        (State::Running, Due::Away) => ("在等其他城市", "waiting for another city"),
        (State::Received, _) => ("收到", "received"),
        (State::Decided, _) => ("作出决定", "decided"),
        (State::Overdue, _) => ("决定时已过承诺期限", "decided after the promised day"),
    };
    match lang {
        Lang::Zh => format!("{zh} {} 件", lang.number(total)),
        Lang::En => format!("{} {en}", lang.count(total, "", "case", "cases")),
    }
}

/// How much time is left, in words.
pub(crate) fn left(lang: Lang, line: &Line) -> String {
    match (line.days_left, lang) {
        (None, _) => "—".to_owned(),
        (Some(left), Lang::Zh) if left < 0 => format!("晚了 {} 天", -left),
        (Some(left), Lang::En) if left < 0 => format!("{} late", lang.count(-left, "", "day", "days")),
        (Some(left), Lang::Zh) => format!("{left} 天"),
        (Some(left), Lang::En) => lang.count(left, "", "day", "days"),
    }
}

/// The rows as a table; a list of a period tells what was decided, any other what is due.
pub(crate) fn table(visit: &Visit, names: &Names, ask: &Ask, lines: &[Line], total: i64) -> ui::Table {
    let lang = visit.lang;
    let head = |zh: &str, en: &str| ui::Head::text(lang.t(zh, en));
    let is_running = ask.state == State::Running;
    let row = |line: &Line| {
        let code = ui::Cell::link(ui::grouped(&line.query_code, 4), format!("/supervise/cases/{}", line.id));
        let office = if is_running { &line.office } else { &line.deciding };
        let day = if is_running { line.due } else { line.decided };
        let is_late = if is_running { line.days_left.is_some_and(|left| left < 0) } else { line.overdue };
        ui::TableRow {
            cells: vec![
                code,
                ui::Cell::text(&line.item_name).note(line.item.to_string()),
                names.cell(&visit.app, office),
                ui::Cell::tag(line.phase.tag(), names::say(lang, &line.phase.name())),
                ui::Cell::text(day.map_or_else(|| "—".to_owned(), |day| lang.date(day))),
                ui::Cell::text(if is_running { left(lang, line) } else { took(lang, line) }),
            ],
            mark: if is_late { "diff" } else { "" },
        }
    };
    let heads = match is_running {
        true => [("在谁手里", "Held by"), ("最晚", "Due"), ("剩", "Left")],
        false => [("决定单位", "Decided by"), ("决定", "Decided"), ("用了", "Took")],
    };
    let count = match lang {
        Lang::Zh => format!("{} 件，这里 {} 件", lang.number(total), lines.len()),
        Lang::En => format!("{}, {} of them here", lang.count(total, "", "case", "cases"), lines.len()),
    };
    ui::Table {
        caption: title(lang, ask, total),
        heads: vec![
            head("查询码", "Code"),
            head("事项", "Item"),
            head(heads[0].0, heads[0].1),
            head("状态", "State"),
            head(heads[1].0, heads[1].1),
            ui::Head::number(lang.t(heads[2].0, heads[2].1)),
        ],
        rows: lines.iter().map(row).collect(),
        count,
        export: Some(ui::Exports::of(visit)),
    }
}

fn took(lang: Lang, line: &Line) -> String {
    let Some(days) = line.days_taken else { return "—".to_owned() };
    let days = lang.count(days, "个工作日", "working day", "working days");
    match line.overdue {
        true => format!("{days}{}", lang.t("，超", ", over")),
        false => days,
    }
}

fn turns(visit: &Visit, ask: &Ask, page: &CityPage) -> ui::Turns {
    let lang = visit.lang;
    let address = |turn: &Turn| {
        let (name, mark) = match turn {
            Turn::After(mark) => ("after", mark.word()),
            Turn::Before(mark) => ("before", mark.word()),
            Turn::First | Turn::File => return ask.address(),
        };
        let address = ask.address();
        format!("{address}{}{name}={mark}", if address.contains('?') { "&" } else { "?" })
    };
    let link =
        |zh, en, turn: &Option<Turn>| turn.as_ref().map(|turn| (lang.t(zh, en).to_owned(), address(turn)));
    let first = page.back.as_ref().map(|_| Turn::First);
    ui::Turns {
        first: link("第一页", "First", &first),
        back: link("上一页", "Previous", &page.back),
        on: link("下一页", "Next", &page.on),
        lang,
    }
}

fn fields(visit: &Visit, parts: &Parts, names: &Names, form: &Fields) -> Html {
    let lang = visit.lang;
    let states = [
        Choice::new("received", "收到的", "Received"),
        Choice::new("decided", "作出决定的", "Decided"),
        Choice::new("overdue", "决定时超期的", "Decided too late"),
    ];
    let due = [
        Choice::new("late", "晚了", "Late"),
        Choice::new("today", "今天到期", "Today"),
        Choice::new("week", "本周到期", "This week"),
        Choice::new("away", "等其他城市", "With another city"),
    ];
    let offices: Vec<(String, String, String)> =
        names.all().map(|(id, name)| (id.to_string(), name.zh.clone(), name.en.clone())).collect();
    let offices: Vec<Choice<'_>> = offices.iter().map(|(id, zh, en)| Choice::new(id, zh, en)).collect();
    let items = parts.env.catalogue.items().filter(|item| item.online());
    let items: Vec<(String, String)> = items
        .map(|item| (item.entry.number.to_string(), names::item(parts, lang, item.entry.number)))
        .collect();
    let items: Vec<Choice<'_>> = items.iter().map(|(number, name)| Choice::new(number, name, name)).collect();
    let all = [
        Field::new("state", "哪些", "Which", Input::Select(&states)),
        Field::new("due", "在办的期限", "Limit", Input::Select(&due)),
        Field::new("office", "单位", "Office", Input::Select(&offices)),
        Field::new("item", "事项", "Item", Input::Select(&items)),
        FROM,
        UNTIL,
    ];
    form.show_all(&all.map(|field| Field { optional: false, ..field }))
}

/// The whole list as a file; its last line says what is missing, if anything is.
fn rows(visit: &Visit, names: &Names, lines: &[Line], total: i64) -> Rows {
    let lang = visit.lang;
    let heads = match lang {
        Lang::Zh => [
            "查询码",
            "事项",
            "名称",
            "状态",
            "在谁手里",
            "决定单位",
            "收件",
            "最晚",
            "剩余天数",
            "决定",
            "用了工作日",
        ],
        Lang::En => [
            "code",
            "item",
            "name",
            "state",
            "held by",
            "decided by",
            "collected",
            "due",
            "days left",
            "decided",
            "working days",
        ],
    };
    let mut rows = Rows::new(lang.t("全市办件", "Cases"), &heads);
    for line in lines {
        rows.push(vec![
            Datum::code(&line.query_code),
            Datum::code(line.item.to_string()),
            Datum::text(&line.item_name),
            Datum::text(names::say(lang, &line.phase.name())),
            Datum::text(names.of(&line.office)),
            Datum::text(names.of(&line.deciding)),
            Datum::Moment(line.collected),
            Datum::day(line.due),
            Datum::number(line.days_left),
            Datum::day(line.decided),
            Datum::number(line.days_taken.map(i64::from)),
        ]);
    }
    if i64::try_from(lines.len()).is_ok_and(|shown| shown == total) {
        return rows;
    }
    rows.note(lang.t(
        "没有全部导出：一个文件最多一万件。请加条件，分几次导出。",
        "Not everything is here: a file holds ten thousand cases. Narrow the list, and export in parts.",
    ))
}
