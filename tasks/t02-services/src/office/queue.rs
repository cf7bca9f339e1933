//! The queue (待办): the most urgent first, filters in the address, exact counts, a file to keep.
//! Serves clause 2.5.
//!
//! Invariant: the list names cases, never people.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use serde::Serialize;
use tb_base::{CaseId, Ctx, Date, NodeId, OfficeId, Result, Timestamp};
use tb_case::acts;
use tb_case::case::{PHASES, PhaseKind};
use tb_case::command::COMMANDS;
use tb_case::decide::phases;
use tb_case::queue::{self, CasePage, CaseRow, Filter, Typed, Urgency};
use tb_identity::offices;
use tb_store::Tx;
use tb_web::{Choice, Datum, Field, Frame, Input, Lang, PageResult, Rows, TableFile, Visit, ui};

use super::may_read;
use crate::access::Shared;
use crate::parts::Parts;
use crate::words::{item_name, mark, phase_tag, say, word};

/// What counts as close to its limit.
const SOON_DAYS: i64 = 2;

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

/// What the list is narrowed to, as the address says.
struct Narrow {
    phase: Option<PhaseKind>,
    finished: bool,
    due: String,
    mine: bool,
    text: String,
}

impl Narrow {
    fn of(visit: &Visit) -> Narrow {
        let given = |name| visit.param(name).unwrap_or_default();
        let state = given("state");
        let phase = PHASES.into_iter().find(|phase| word(phase) == state);
        Narrow {
            finished: state == "finished" || phase.is_some_and(PhaseKind::is_over),
            phase,
            due: given("due"),
            mine: given("who") == "mine",
            text: given("q").trim().to_uppercase(),
        }
    }

    /// The same as the database takes it.
    fn filter(&self, parts: &Parts, lang: Lang, days: Days, mine: &BTreeSet<PhaseKind>) -> Filter {
        let (due_from, due_before) = match self.due.as_str() {
            "late" => (None, Some(days.today)),
            "soon" => (Some(days.today), Some(days.soon)),
            _ => (None, None),
        };
        let phases = match (self.phase, self.mine) {
            (None, false) => None,
            (Some(phase), false) => Some([phase].into()),
            (None, true) => Some(mine.clone()),
            (Some(phase), true) => Some(mine.iter().copied().filter(|it| *it == phase).collect()),
        };
        let typed = (!self.text.is_empty()).then(|| self.typed(parts, lang));
        Filter { phases, finished: self.finished, due_from, due_before, typed, item: None }
    }

    /// A part of a code, the number of an item, or a part of its name.
    fn typed(&self, parts: &Parts, lang: Lang) -> Typed {
        let letters: String = self.text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let named = |number: &u16| {
            number.to_string() == letters
                || item_name(parts, lang, *number).to_uppercase().contains(&self.text)
        };
        let is_code = letters.chars().all(|letter| letter.is_ascii_alphanumeric());
        Typed {
            items: parts.catalogue.items().map(|item| item.entry.number).filter(named).collect(),
            code: if is_code { letters } else { String::new() },
        }
    }
}

/// Where days begin: what is due before today is late, what is due before `soon` is near.
#[derive(Clone, Copy)]
struct Days {
    today: Timestamp,
    soon: Timestamp,
}

impl Days {
    fn of(now: Timestamp) -> Days {
        let today = Timestamp::at(now.date(), 0);
        Days { today, soon: today.plus_seconds((SOON_DAYS + 1) * 86_400) }
    }
}

/// The phases in which the visitor can do something: what the case block and the permit table both allow.
fn mine(ctx: &Ctx, office: &OfficeId) -> BTreeSet<PhaseKind> {
    buttons(ctx, office, &COMMANDS).into_iter().flat_map(phases).copied().collect()
}

fn is_late(line: &Line) -> bool {
    line.days_left.is_some_and(|left| left < 0)
}

/// GET /office?state=&due=late|soon&who=mine&q=&page=&export=xlsx|csv
pub(crate) async fn show(visit: Visit, parts: Shared) -> PageResult {
    let office = office(&visit, &parts)?;
    let (days, theirs, lang) = (Days::of(visit.ctx.now), mine(&visit.ctx, &office), visit.lang);
    let filter = Narrow::of(&visit).filter(&parts, lang, days, &theirs);
    let kind = TableFile::asked(&visit);
    let as_file = kind.is_some();
    let page = visit.param("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).saturating_sub(1);
    let (ctx, shared, at, phases) = (visit.ctx.clone(), Arc::clone(&parts.0), office.clone(), theirs.clone());
    let read = visit.app.store.read_snapshot("t02.office", move |tx| {
        may_read(&ctx, &at)?;
        let found = match as_file {
            true => queue::file_of_office(tx, &at, &filter)?,
            false => queue::of_office(tx, &at, &filter, page)?,
        };
        let name = offices::find(tx, &at)?.map(|office| lang.t(&office.name_zh, &office.name_en).to_owned());
        Ok(Read {
            urgency: queue::urgency(tx, &at, days.today, days.soon, &phases)?,
            from: if as_file { Vec::new() } else { collecting(tx, &found, &shared)? },
            office_name: name.unwrap_or_else(|| at.to_string()),
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
    visit.page(view(&visit, (office, read.office_name), lines, &read.found, read.urgency))
}

/// What was read of a queue in one go.
struct Read {
    found: CasePage,
    urgency: Urgency,
    /// The collecting city of each row of a page, where another city decides.
    from: Vec<Option<NodeId>>,
    office_name: String,
}

/// The office whose queue is read: the own one; a supervisor names one, or sees that of the first item.
fn office(visit: &Visit, parts: &Parts) -> Result<OfficeId> {
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
        days_left: due.and_then(|due| due.since(today).ok()).map(|span| i64::from(span.get_days())),
        due,
        collected: row.collected,
        since: row.since,
        from: None,
        mine: mine.contains(&row.phase),
    }
}

/// The acts that both the case and the permit table allow.
pub(super) fn buttons(
    ctx: &Ctx,
    office: &OfficeId,
    allowed: &[tb_case::CommandKind],
) -> Vec<tb_case::CommandKind> {
    allowed.iter().copied().filter(|kind| super::permitted(ctx, *kind, office).is_ok()).collect()
}

fn view(
    visit: &Visit,
    (office, office_name): (OfficeId, String),
    cases: Vec<Line>,
    found: &CasePage,
    urgency: Urgency,
) -> Queue {
    let lang = visit.lang;
    let counts = Counts {
        all: urgency.all,
        late: urgency.late,
        soon: urgency.soon,
        mine: urgency.in_phases,
        found: found.total,
    };
    let title = match (counts.late, counts.soon) {
        (0, 0) => lang.t("待办", "To do").to_owned(),
        (0, soon) => match lang {
            Lang::Zh => format!("{soon} 件快到期"),
            Lang::En => lang.count(soon, "", "case is due soon", "cases are due soon"),
        },
        (late, _) => match lang {
            Lang::Zh => format!("晚了 {late} 件"),
            Lang::En => lang.count(late, "", "case is late", "cases are late"),
        },
    };
    let per_page = usize::try_from(queue::PAGE_ROWS).unwrap_or(1);
    let pager = ui::Pager::of(visit, usize::try_from(found.total).unwrap_or(0), per_page);
    Queue {
        frame: visit.frame(&title, &title).desk(),
        lang,
        table: table(visit, &cases, &counts),
        tiles: tiles(visit, &counts),
        filters: filters(visit),
        cases,
        counts,
        office,
        office_name,
        read_only: visit.ctx.actor.role() == Some(tb_base::Role::Supervisor),
        title,
        pager,
    }
}

fn table(visit: &Visit, cases: &[Line], counts: &Counts) -> ui::Table {
    let lang = visit.lang;
    let head = |zh: &str, en: &str| ui::Head::text(lang.t(zh, en));
    let row = |line: &Line| {
        let mut code = ui::Cell::link(ui::grouped(&line.query_code, 4), format!("/office/cases/{}", line.id));
        if let Some(city) = line.from.and_then(|city| mark(&visit.app, lang, city)) {
            code = code.city(city);
        }
        ui::TableRow {
            cells: vec![
                code,
                ui::Cell::text(&line.item_name).note(line.item.to_string()),
                ui::Cell::tag(phase_tag(line.phase), say(lang, &line.phase.name())),
                ui::Cell::text(lang.moment(line.collected)),
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
        caption: lang.t("待办的件，最急的在前", "Cases, the most urgent first").to_owned(),
        heads: vec![
            head("查询码", "Code"),
            head("事项", "Item"),
            head("状态", "State"),
            head("收件", "Collected"),
            head("最晚", "Due"),
            ui::Head::number(lang.t("剩", "Left")),
        ],
        rows: cases.iter().map(row).collect(),
        count,
        export: Some(ui::Exports::of(visit)),
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

fn filters(visit: &Visit) -> ui::Filters {
    let names: Vec<(String, String, String)> =
        PHASES.into_iter().map(|phase| (word(&phase), phase.name().zh, phase.name().en)).collect();
    let mut states: Vec<Choice<'_>> = names.iter().map(|(word, zh, en)| Choice::new(word, zh, en)).collect();
    states.push(Choice::new("finished", "所有办结的", "All finished"));
    let due = [Choice::new("late", "已经晚了", "Late"), Choice::new("soon", "两天内到期", "Within two days")];
    let who = [Choice::new("mine", "等我办的", "For me to act on")];
    let fields = [
        Field::text("q", "查询码或事项", "Code or item").optional(),
        Field::new("state", "状态", "State", Input::Select(&states)).optional(),
        Field::new("due", "期限", "Limit", Input::Select(&due)).optional(),
        Field::new("who", "谁办", "Whose", Input::Select(&who)).optional(),
    ];
    ui::Filters::of(visit, &fields)
}

/// The whole filtered list, to be had as a file.
fn rows(visit: &Visit, lines: &[Line]) -> Rows {
    let lang = visit.lang;
    let heads = match lang {
        Lang::Zh => ["查询码", "事项", "名称", "状态", "收件", "最晚", "剩余天数"],
        Lang::En => ["code", "item", "name", "state", "collected", "due", "days left"],
    };
    let mut rows = Rows::new(lang.t("办件", "Cases"), &heads);
    for line in lines {
        rows.push(vec![
            Datum::code(&line.query_code),
            Datum::code(line.item.to_string()),
            Datum::text(&line.item_name),
            Datum::text(say(lang, &line.phase.name())),
            Datum::Moment(line.collected),
            Datum::day(line.due),
            Datum::number(line.days_left),
        ]);
    }
    rows
}
