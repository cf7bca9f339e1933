//! The queue (待办): the most urgent first, filters in the address, exact counts, a file to keep.
//! Serves clause 2.5.
//!
//! Invariant: the list names cases, never people.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use serde::Serialize;
use tb_base::{CaseId, Ctx, Date, MessageId, NodeId, OfficeId, Result, Timestamp};
use tb_case::case::{PHASES, PhaseKind};
use tb_case::command::{COMMANDS, CommandKind};
use tb_case::decide::phases;
use tb_case::queue::{self, CasePage, CaseRow, Order, Urgency};
use tb_case::{acts, work};
use tb_identity::offices;
use tb_store::Tx;
use tb_web::{Choice, Datum, Field, Frame, Input, Lang, PageResult, Rows, TableFile, Visit, ui};

use super::narrow::{Days, Narrow, ORDERS, address};
use super::{buttons, file, may_read};
use crate::access::Shared;
use crate::parts::Parts;
use crate::words::{item_name, mark, say, word};

/// A row of the queue.
#[derive(Serialize)]
struct Line {
    id: CaseId,
    query_code: String,
    item: u16,
    item_name: String,
    phase: PhaseKind,
    due: Option<Date>,
    /// Calendar days to the due date; negative when late.
    days_left: Option<i64>,
    collected: Timestamp,
    since: Timestamp,
    /// Calendar days since it stands where it stands.
    stands_days: i64,
    from: Option<NodeId>,
    /// Whether the visitor can do something about it now.
    mine: bool,
}

/// How many there are, shown or not.
#[derive(Serialize)]
struct Counts {
    all: i64,
    late: i64,
    soon: i64,
    mine: i64,
    found: i64,
}

#[derive(Template, Serialize)]
#[template(path = "office/queue.html")]
struct Queue {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    cases: Vec<Line>,
    counts: Counts,
    office: OfficeId,
    office_name: String,
    read_only: bool,
    /// Whether the visitor may accept several at once.
    choosing: bool,
    /// The last bulk of the visitor.
    last_bulk: Option<MessageId>,
    #[serde(skip)]
    last_bulk_begun: String,
    /// The filter of this list, for what is opened from it.
    filter: String,
    #[serde(skip)]
    orders: Vec<(&'static str, String, bool)>,
    #[serde(skip)]
    title: String,
    #[serde(skip)]
    table: ui::Table,
    #[serde(skip)]
    tiles: ui::Tiles,
    #[serde(skip)]
    filters: ui::Filters,
    pager: ui::Pager,
}

/// The phases in which the visitor can do something: what the case block and the permit table both allow.
pub(super) fn mine(ctx: &Ctx, office: &OfficeId) -> BTreeSet<PhaseKind> {
    buttons(ctx, office, &COMMANDS).into_iter().flat_map(phases).copied().collect()
}

fn is_late(line: &Line) -> bool {
    line.days_left.is_some_and(|left| left < 0)
}

/// GET /office?state=&due=late|soon&item=&who=mine&q=&sort=since|newest&page=&export=xlsx|csv
pub(crate) async fn show(visit: Visit, parts: Shared) -> PageResult {
    let office = office(&visit, &parts)?;
    let (days, theirs, lang) = (Days::of(visit.ctx.now), mine(&visit.ctx, &office), visit.lang);
    let narrow = Narrow::of(&visit);
    let (filter, order) = (narrow.filter(&parts, lang, visit.ctx.now, &theirs), narrow.order);
    let kind = TableFile::asked(&visit);
    let as_file = kind.is_some();
    let page = visit.param("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).saturating_sub(1);
    let (ctx, shared, at, phases) = (visit.ctx.clone(), Arc::clone(&parts.0), office.clone(), theirs.clone());
    let read = visit.app.store.read_snapshot("t02.office", move |tx| {
        may_read(&ctx, &at)?;
        let found = match as_file {
            true => queue::file_of_office(tx, &at, &filter, order)?,
            false => queue::in_order(tx, &at, &filter, order, page)?,
        };
        let name = offices::find(tx, &at)?.map(|office| lang.t(&office.name_zh, &office.name_en).to_owned());
        let staff = file::staff(&ctx);
        Ok(Read {
            urgency: queue::urgency(tx, &at, days.today, days.soon, &phases)?,
            from: if as_file { Vec::new() } else { collecting(tx, &found, &shared)? },
            office_name: name.unwrap_or_else(|| at.to_string()),
            last_bulk: staff.map(|staff| work::latest(tx, &at, staff)).transpose()?.flatten(),
            office: at.clone(),
            found,
        })
    });
    let read = read.await?;
    let lines: Vec<Line> = read.found.rows.iter().map(|row| line(&visit, &parts, row, &theirs)).collect();
    if let Some(kind) = kind {
        return Ok(rows(&visit, &lines).file(kind, &format!("cases-{}", visit.ctx.now.date())));
    }
    let from = read.from.iter().copied().chain(std::iter::repeat(None));
    let lines = lines.into_iter().zip(from).map(|(line, from)| Line { from, ..line }).collect();
    visit.page(view(&visit, &parts, &narrow, lines, read))
}

/// What was read of a queue in one go.
struct Read {
    found: CasePage,
    urgency: Urgency,
    /// The collecting city of each row of a page, where another city decides.
    from: Vec<Option<NodeId>>,
    office: OfficeId,
    office_name: String,
    last_bulk: Option<(MessageId, Timestamp)>,
}

/// The office whose queue is read: the own one; a supervisor names one, or sees that of the first item.
pub(super) fn office(visit: &Visit, parts: &Parts) -> Result<OfficeId> {
    match &visit.ctx.actor {
        tb_base::Actor::Staff { role: tb_base::Role::Supervisor, office, .. } => {
            let named = visit.param("office").and_then(|office| office.parse().ok());
            let numbers = parts.catalogue.items().filter(|item| item.online()).map(|item| item.entry.number);
            let first = numbers.filter_map(|number| parts.catalogue.rules(number, visit.ctx.node)).next();
            Ok(named
                .or(first.map(|rules| rules.offices.deciding.id.clone()))
                .unwrap_or_else(|| office.clone()))
        }
        tb_base::Actor::Staff { office, .. } => Ok(office.clone()),
        tb_base::Actor::Resident { .. }
        | tb_base::Actor::Anonymous
        | tb_base::Actor::Peer(_)
        | tb_base::Actor::System => Err(tb_base::Refusal::not_allowed(
            "T02-OFF-002",
            "只有办理单位的人员可以看待办",
            "Only staff of a department see its queue",
        )
        .into()),
    }
}

/// The cities that collected the cases of a page, where others decide.
fn collecting(tx: &mut Tx<'_>, page: &CasePage, parts: &Parts) -> Result<Vec<Option<NodeId>>> {
    let mut cities = Vec::new();
    for row in &page.rows {
        let view = acts::view(tx, &parts.env, row.case)?;
        cities.push((view.collecting.city != view.deciding.city).then_some(view.collecting.city));
    }
    Ok(cities)
}

fn line(visit: &Visit, parts: &Parts, row: &CaseRow, mine: &BTreeSet<PhaseKind>) -> Line {
    let due = row.due.map(Timestamp::date);
    let today = visit.ctx.now.date();
    Line {
        id: row.case,
        query_code: row.query_code.clone(),
        item: row.item,
        item_name: item_name(parts, visit.lang, row.item),
        phase: row.phase,
        days_left: due.map(|due| days_between(today, due)),
        stands_days: days_between(row.since.date(), today),
        due,
        collected: row.collected,
        since: row.since,
        from: None,
        mine: mine.contains(&row.phase),
    }
}

fn days_between(from: Date, to: Date) -> i64 {
    to.since(from).map_or(0, |span| i64::from(span.get_days()))
}

/// What is wrong in this queue; where nothing is, what it is.
fn title(lang: Lang, counts: &Counts) -> String {
    match (counts.late, counts.soon, lang) {
        (0, 0, _) => lang.t("待办", "To do").to_owned(),
        (0, soon, Lang::Zh) => format!("{soon} 件快到期"),
        (0, soon, Lang::En) => lang.count(soon, "", "case is due soon", "cases are due soon"),
        (late, 0, Lang::Zh) => format!("晚了 {late} 件"),
        (late, 0, Lang::En) => lang.count(late, "", "case is late", "cases are late"),
        (late, soon, Lang::Zh) => format!("晚了 {late} 件，{soon} 件快到期"),
        (late, soon, Lang::En) => {
            format!("{}, {soon} due soon", lang.count(late, "", "case is late", "cases are late"))
        }
    }
}

fn view(visit: &Visit, parts: &Parts, narrow: &Narrow, cases: Vec<Line>, read: Read) -> Queue {
    let lang = visit.lang;
    let Read { found, urgency, office, office_name, last_bulk, from: _ } = read;
    let counts = Counts {
        all: urgency.all,
        late: urgency.late,
        soon: urgency.soon,
        mine: urgency.in_phases,
        found: found.total,
    };
    let title = title(lang, &counts);
    let choosing = buttons(&visit.ctx, &office, &[CommandKind::Accept]).contains(&CommandKind::Accept)
        && cases.iter().any(is_acceptable);
    let filter = narrow.query(visit);
    let per_page = usize::try_from(queue::PAGE_ROWS).unwrap_or(1);
    let pager = ui::Pager::of(visit, usize::try_from(found.total).unwrap_or(0), per_page);
    Queue {
        frame: visit.frame(&title, &title).desk(),
        lang,
        table: table(visit, &cases, &counts, &filter, choosing),
        tiles: tiles(visit, &counts),
        filters: filters(visit, parts, &office),
        orders: orders(visit, narrow),
        choosing,
        last_bulk: last_bulk.map(|(bulk, _)| bulk),
        last_bulk_begun: last_bulk.map(|(_, begun)| lang.moment(begun)).unwrap_or_default(),
        filter,
        cases,
        counts,
        office,
        office_name,
        read_only: visit.ctx.actor.role() == Some(tb_base::Role::Supervisor),
        title,
        pager,
    }
}

/// Accepting is the one act that is alike for every case: it starts the limits and takes nothing from anybody.
fn is_acceptable(line: &Line) -> bool {
    line.phase == PhaseKind::Received
}

/// The orders of the list: name, address, whether it is this one.
fn orders(visit: &Visit, narrow: &Narrow) -> Vec<(&'static str, String, bool)> {
    let lang = visit.lang;
    let name = |order| match order {
        Order::Due => lang.t("最急的在前", "most urgent first"),
        Order::Since => lang.t("停得最久的在前", "longest standing first"),
        Order::Newest => lang.t("最新收件的在前", "newest first"),
    };
    let one = |(order, _)| {
        let address = narrow.ordered(order).address(visit);
        (name(order), address, order == narrow.order)
    };
    ORDERS.into_iter().map(one).collect()
}

fn table(visit: &Visit, cases: &[Line], counts: &Counts, filter: &str, choosing: bool) -> ui::Table {
    let lang = visit.lang;
    let head = |zh: &str, en: &str| ui::Head::text(lang.t(zh, en));
    let row = |line: &Line| {
        let at = address(visit, &format!("/office/cases/{}", line.id), &[("in", filter)]);
        let mut code = ui::Cell::link(ui::grouped(&line.query_code, 4), at);
        if let Some(city) = line.from.and_then(|city| mark(&visit.app, lang, city)) {
            code = code.city(city);
        }
        if choosing && is_acceptable(line) {
            let label = format!("{} {}", lang.t("选中", "Choose"), code.text);
            code = code.choice("case", line.id.to_string(), label);
        }
        ui::TableRow {
            cells: vec![
                code,
                ui::Cell::text(&line.item_name).note(line.item.to_string()),
                ui::Cell::tag(line.phase.tag(), say(lang, &line.phase.name())),
                ui::Cell::text(lang.moment(line.collected)),
                ui::Cell::text(stands(lang, line)),
                ui::Cell::text(line.due.map_or_else(|| "—".to_owned(), |due| lang.date(due))),
                ui::Cell::text(left(lang, line)),
            ],
            mark: if is_late(line) { "diff" } else { "" },
        }
    };
    let count = match lang {
        Lang::Zh => format!("{} 件，这里 {} 件", counts.found, cases.len()),
        Lang::En => {
            format!("{}, {} of them here", lang.count(counts.found, "", "case", "cases"), cases.len())
        }
    };
    ui::Table {
        caption: lang.t("办件", "Cases").to_owned(),
        heads: vec![
            head("查询码", "Code"),
            head("事项", "Item"),
            head("状态", "State"),
            head("收件", "Collected"),
            ui::Head::number(lang.t("在此", "Stands")),
            head("最晚", "Due"),
            ui::Head::number(lang.t("剩", "Left")),
        ],
        rows: cases.iter().map(row).collect(),
        count,
        export: Some(ui::Exports::of(visit)),
    }
}

fn stands(lang: Lang, line: &Line) -> String {
    match line.stands_days {
        0 => lang.t("今天起", "today").to_owned(),
        days => lang.count(days, "天", "day", "days"),
    }
}

fn left(lang: Lang, line: &Line) -> String {
    match (line.days_left, lang) {
        (None, _) => "—".to_owned(),
        (Some(left), Lang::Zh) if left < 0 => format!("晚了 {} 天", -left),
        (Some(left), Lang::En) if left < 0 => format!("{} late", lang.count(-left, "", "day", "days")),
        (Some(left), Lang::Zh) => format!("{left} 天"),
        (Some(left), Lang::En) => lang.count(left, "", "day", "days"),
    }
}

fn tiles(visit: &Visit, counts: &Counts) -> ui::Tiles {
    let lang = visit.lang;
    let tile = |figure: i64, label: &str, href: &str, kind: &str| ui::Tile {
        figure: lang.number(figure),
        label: label.to_owned(),
        href: href.to_owned(),
        kind: if 0 < figure { kind.to_owned() } else { String::new() },
    };
    ui::Tiles {
        tiles: vec![
            tile(counts.all, lang.t("在本单位手里", "in this office's hands"), "/office", ""),
            tile(counts.mine, lang.t("等我办", "for me to act on"), "/office?who=mine", ""),
            tile(counts.soon, lang.t("两天内到期", "due within two days"), "/office?due=soon", "wait"),
            tile(counts.late, lang.t("已经晚了", "late"), "/office?due=late", "stop"),
        ],
    }
}

fn filters(visit: &Visit, parts: &Parts, office: &OfficeId) -> ui::Filters {
    let decided = |number: &u16| {
        let rules = parts.catalogue.rules(*number, visit.ctx.node);
        rules.is_some_and(|rules| rules.offices.deciding.id == *office)
    };
    let online = parts.catalogue.items().filter(|item| item.online()).map(|item| item.entry.number);
    let items: Vec<(String, String, String)> = online
        .filter(decided)
        .map(|no| {
            let name = |lang| format!("{no} {}", item_name(parts, lang, no));
            (no.to_string(), name(Lang::Zh), name(Lang::En))
        })
        .collect();
    let items: Vec<Choice<'_>> = items.iter().map(|(no, zh, en)| Choice::new(no, zh, en)).collect();
    let names: Vec<(String, String, String)> =
        PHASES.into_iter().map(|phase| (word(&phase), phase.name().zh, phase.name().en)).collect();
    let mut states: Vec<Choice<'_>> = names.iter().map(|(word, zh, en)| Choice::new(word, zh, en)).collect();
    states.push(Choice::new("finished", "所有办结的", "All finished"));
    let due = [Choice::new("late", "已经晚了", "Late"), Choice::new("soon", "两天内到期", "Within two days")];
    let who = [Choice::new("mine", "等我办的", "For me to act on")];
    let fields = [
        Field::text("q", "查询码或事项", "Code or item").optional(),
        Field::new("state", "状态", "State", Input::Select(&states)).optional(),
        Field::new("item", "事项", "Item", Input::Select(&items)).optional(),
        Field::new("due", "期限", "Limit", Input::Select(&due)).optional(),
        Field::new("who", "谁办", "Whose", Input::Select(&who)).optional(),
    ];
    ui::Filters::of(visit, &fields).keeping(visit, &["sort", "office"])
}

/// The whole filtered list, to be had as a file.
fn rows(visit: &Visit, lines: &[Line]) -> Rows {
    let lang = visit.lang;
    let heads = match lang {
        Lang::Zh => ["查询码", "事项", "名称", "状态", "收件", "在此天数", "最晚", "剩余天数"],
        Lang::En => ["code", "item", "name", "state", "collected", "days standing", "due", "days left"],
    };
    let mut rows = Rows::new(lang.t("办件", "Cases"), &heads);
    for line in lines {
        rows.push(vec![
            Datum::code(&line.query_code),
            Datum::code(line.item.to_string()),
            Datum::text(&line.item_name),
            Datum::text(say(lang, &line.phase.name())),
            Datum::Moment(line.collected),
            Datum::number(Some(line.stands_days)),
            Datum::day(line.due),
            Datum::number(line.days_left),
        ]);
    }
    rows
}
