//! Enquiries to answer (问询待办): of the own office; for the supervisor of all offices, and those other cities owe.
//!
//! Invariant: what is owed and late stands first and is counted in the title; every figure links to what it counts.

use askama::Template;
use serde::Serialize;
use tb_base::{MessageId, Result, Role, Timestamp};
use tb_enquiry::enquiry::STATES;
use tb_enquiry::queue::{self, Filter, OfficeOwes, Owed, Page, Whose};
use tb_enquiry::{Enquiry, Kind, State};
use tb_identity::offices;
use tb_identity::permit::{Action, Scope, may};
use tb_store::Tx;
use tb_web::{Choice, Datum, Field, Frame, Input, Lang, PageResult, Rows, TableFile, Visit, ui};

use super::{Shared, office_of, words};
use crate::parts::Parts;

/// Pages that a file takes together at the most.
const FILE_PAGES_MAX: u32 = 250;
/// Offices that the chart shows; the others owe less.
const BARS_MAX: usize = 12;

/// The list.
#[derive(Template, Serialize)]
#[template(path = "t01/office_asks.html")]
struct OfficeAsks {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    asks: Vec<Row>,
    owed: Owed,
    /// What other cities owe to those who asked here; for the supervisor.
    away: Option<Owed>,
    office_name: String,
    total: i64,
    #[serde(skip)]
    table: ui::Table,
    #[serde(skip)]
    tiles: ui::Tiles,
    #[serde(skip)]
    filters: ui::Filters,
    #[serde(skip)]
    chart: Option<ui::BarChart>,
    pager: ui::Pager,
    /// What was just done: `answer`, `pass` or `return`.
    done: String,
}

#[derive(Serialize)]
struct Row {
    id: MessageId,
    kind: Kind,
    state: State,
    is_overdue: bool,
    title: String,
    from: String,
    office: String,
    asked: Timestamp,
    due: Timestamp,
    #[serde(skip)]
    tag: (&'static str, String),
}

/// Whose enquiries a visitor may see, and in which words.
pub(super) struct Sight {
    pub whose: Whose,
    pub is_supervisor: bool,
}

/// Whose enquiries a visitor sees: the own office's; the supervisor's are all, or those away.
pub(super) fn sight(visit: &Visit) -> Result<Sight> {
    if visit.ctx.actor.role() == Some(Role::Supervisor) {
        may(&visit.ctx.actor, Action::SuperviseEnquiries, &Scope::Node(visit.ctx.node))?;
        let named = visit.param("office").and_then(|office| office.parse().ok());
        let whose = match visit.param("where").as_deref() {
            Some("away") => Whose::Away,
            _ => named.map_or(Whose::City, Whose::Office),
        };
        return Ok(Sight { whose, is_supervisor: true });
    }
    let office = office_of(&visit.ctx)?;
    may(&visit.ctx.actor, Action::AnswerEnquiry, &Scope::Office(office.clone()))?;
    Ok(Sight { whose: Whose::Office(office), is_supervisor: false })
}

/// What was read in one go.
struct Read {
    found: Page,
    owed: Owed,
    away: Option<Owed>,
    office_name: String,
    by_office: Vec<(OfficeOwes, String)>,
}

/// GET /office/asks?state=&kind=&due=late&where=away&office=&page=&export=xlsx|csv
pub async fn show(visit: Visit, parts: Shared) -> PageResult {
    let sight = sight(&visit)?;
    let kind = TableFile::asked(&visit);
    let as_file = kind.is_some();
    let page = visit.param("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).saturating_sub(1);
    let (filter, seen, whose) = (filter(&visit), visit.clone(), sight.whose.clone());
    let is_supervisor = sight.is_supervisor;
    let read = visit.app.store.read_snapshot("t01.office.asks", move |tx| {
        let found = if as_file {
            whole(tx, &seen, &whose, &filter)?
        } else {
            queue::list(tx, seen.ctx.node, &whose, &filter, page)?
        };
        read(tx, &seen, found, &whose, is_supervisor)
    });
    let read = read.await?;
    let rows: Vec<Row> = read.found.rows.iter().map(|enquiry| row(&visit, &parts, enquiry)).collect();
    if let Some(kind) = kind {
        return Ok(listed(&visit, &rows).file(kind, &format!("enquiries-{}", visit.ctx.now.date())));
    }
    visit.page(view(&visit, &sight, rows, read))
}

/// Every row of a list, page by page.
fn whole(tx: &mut Tx<'_>, visit: &Visit, whose: &Whose, filter: &Filter) -> Result<Page> {
    let mut all = queue::list(tx, visit.ctx.node, whose, filter, 0)?;
    for page in 1..FILE_PAGES_MAX {
        let more = queue::list(tx, visit.ctx.node, whose, filter, page)?.rows;
        if more.is_empty() {
            break;
        }
        all.rows.extend(more);
    }
    Ok(all)
}

fn read(tx: &mut Tx<'_>, visit: &Visit, found: Page, whose: &Whose, is_supervisor: bool) -> Result<Read> {
    let (me, now) = (visit.ctx.node, visit.ctx.now);
    let tomorrow = Timestamp::at(now.date(), 24);
    let lang = visit.lang;
    let name = match whose {
        Whose::Office(office) => {
            let found = offices::find(tx, office)?;
            found.map_or_else(
                || office.to_string(),
                |office| lang.t(&office.name_zh, &office.name_en).to_owned(),
            )
        }
        Whose::City => lang.t("全市各单位", "All offices of the city").to_owned(),
        Whose::Away => lang.t("本市居民问外市的", "What people here asked other cities").to_owned(),
    };
    let owing = if is_supervisor { queue::by_office(tx, me, now)? } else { Vec::new() };
    let by_office = named(tx, lang, owing)?;
    let away = if is_supervisor { Some(queue::owed(tx, me, &Whose::Away, now, tomorrow)?) } else { None };
    Ok(Read { found, owed: queue::owed(tx, me, whose, now, tomorrow)?, away, office_name: name, by_office })
}

fn named(tx: &mut Tx<'_>, lang: Lang, rows: Vec<OfficeOwes>) -> Result<Vec<(OfficeOwes, String)>> {
    rows.into_iter()
        .map(|row| {
            let office = offices::find(tx, &row.office)?;
            let name = office.map(|office| lang.t(&office.name_zh, &office.name_en).to_owned());
            let name = name.unwrap_or_else(|| row.office.to_string());
            Ok((row, name))
        })
        .collect()
}

fn filter(visit: &Visit) -> Filter {
    let given = |name| visit.param(name).unwrap_or_default();
    let (state, kind) = (given("state"), given("kind"));
    let due_before = match given("due").as_str() {
        "late" => Some(visit.ctx.now),
        "soon" => Some(Timestamp::at(visit.ctx.now.date(), 24)),
        _ => None,
    };
    Filter {
        state: STATES.into_iter().find(|it| tb_enquiry::word(it) == state),
        kind: [Kind::Stuck, Kind::Look].into_iter().find(|it| tb_enquiry::word(it) == kind),
        due_before,
    }
}

fn row(visit: &Visit, parts: &Parts, enquiry: &Enquiry) -> Row {
    let lang = visit.lang;
    let (from, from_en) = super::city_name(visit, enquiry.from);
    let (to, to_en) = super::city_name(visit, enquiry.to);
    let office = enquiry.office.as_ref().map(|office| lang.t(&office.zh, &office.en));
    Row {
        id: enquiry.id,
        kind: enquiry.about.kind(),
        state: enquiry.state,
        is_overdue: enquiry.is_overdue(visit.ctx.now),
        title: words::title(lang, parts, &enquiry.about),
        from: lang.t(&from, &from_en).to_owned(),
        office: office.unwrap_or_else(|| lang.t(&to, &to_en)).to_owned(),
        asked: enquiry.asked,
        due: enquiry.due,
        tag: words::tag(visit, enquiry),
    }
}

fn view(visit: &Visit, sight: &Sight, asks: Vec<Row>, read: Read) -> OfficeAsks {
    let lang = visit.lang;
    let title = match (read.owed.late, read.owed.open) {
        (0, 0) => lang.t("问询：没有待答复的", "Enquiries: none to answer").to_owned(),
        (0, open) => match lang {
            Lang::Zh => format!("{open} 条问询等答复"),
            Lang::En => lang.count(open, "", "enquiry to answer", "enquiries to answer"),
        },
        (late, _) => match lang {
            Lang::Zh => format!("{late} 条问询逾期未答"),
            Lang::En => lang.count(late, "", "answer is overdue", "answers are overdue"),
        },
    };
    let per_page = usize::try_from(queue::PAGE_ROWS).unwrap_or(1);
    OfficeAsks {
        frame: visit.frame(&title, &title).desk(),
        lang,
        table: table(visit, sight, &asks, read.found.total),
        tiles: tiles(visit, sight, &read),
        filters: filters(visit),
        chart: chart(lang, &read.by_office),
        pager: ui::Pager::of(visit, usize::try_from(read.found.total).unwrap_or(0), per_page),
        done: visit.param("done").unwrap_or_default(),
        asks,
        owed: read.owed,
        away: read.away,
        office_name: read.office_name,
        total: read.found.total,
    }
}

fn tiles(visit: &Visit, sight: &Sight, read: &Read) -> ui::Tiles {
    let lang = visit.lang;
    let tile = |figure: i64, label: &str, href: String, kind: &str| ui::Tile {
        figure: lang.number(figure),
        label: label.to_owned(),
        href,
        kind: if 0 < figure { kind.to_owned() } else { String::new() },
    };
    let whose = match &sight.whose {
        Whose::Away => "where=away&".to_owned(),
        Whose::Office(office) if sight.is_supervisor => format!("office={office}&"),
        Whose::Office(_) | Whose::City => String::new(),
    };
    let at = |query: &str| format!("/office/asks?{whose}{query}");
    let owed = &read.owed;
    let mut tiles = vec![
        tile(owed.late, lang.t("逾期未答", "overdue"), at("due=late"), "stop"),
        tile(owed.soon, lang.t("今天要答复", "due today"), at("due=soon"), "wait"),
        tile(owed.open, lang.t("等答复，一共", "to answer in all"), at("state=open"), ""),
        tile(owed.answered, lang.t("已答复，等对方看", "answered, not closed"), at("state=answered"), ""),
    ];
    if let Some(away) = read.away.filter(|_| sight.whose != Whose::Away) {
        let label = lang.t("外市欠我市居民的答复", "owed by other cities to people here");
        let kind = if 0 < away.late { "stop" } else { "wait" };
        tiles.push(tile(away.open, label, "/office/asks?where=away&state=open".to_owned(), kind));
    }
    ui::Tiles { tiles }
}

fn filters(visit: &Visit) -> ui::Filters {
    let states = [
        Choice::new("open", "等答复", "To answer"),
        Choice::new("answered", "已答复", "Answered"),
        Choice::new("returned", "已退回", "Returned"),
        Choice::new("closed", "已办结", "Closed"),
    ];
    let kinds = [
        Choice::new("stuck", "办不成事", "Could not be done"),
        Choice::new("look", "追问查看", "Question about a look"),
    ];
    let due = [
        Choice::new("late", "逾期未答", "Overdue"),
        Choice::new("soon", "今天以前要答复", "Due today or before"),
    ];
    let fields = [
        Field::new("state", "状态", "State", Input::Select(&states)).optional(),
        Field::new("kind", "类别", "Kind", Input::Select(&kinds)).optional(),
        Field::new("due", "期限", "Limit", Input::Select(&due)).optional(),
    ];
    ui::Filters::of(visit, &fields)
}

fn table(visit: &Visit, sight: &Sight, asks: &[Row], total: i64) -> ui::Table {
    let lang = visit.lang;
    let head = |zh: &str, en: &str| ui::Head::text(lang.t(zh, en));
    let cells = |row: &Row| {
        let kind = match row.kind {
            Kind::Stuck => lang.t("办不成事", "Could not be done"),
            Kind::Look => lang.t("追问查看", "Question about a look"),
        };
        let mut cells = vec![
            ui::Cell::link(&row.title, format!("/office/asks/{}", row.id)).note(kind),
            ui::Cell::tag(row.tag.0, &row.tag.1),
            ui::Cell::text(&row.from),
            ui::Cell::text(lang.moment(row.asked)),
            ui::Cell::text(lang.date(row.due.date())),
        ];
        if sight.is_supervisor {
            cells.push(ui::Cell::text(&row.office));
        }
        ui::TableRow { cells, mark: if row.is_overdue { "diff" } else { "" } }
    };
    let mut heads = vec![
        head("关于", "About"),
        head("状态", "State"),
        head("哪里问的", "Asked in"),
        head("提出", "Asked"),
        head("最晚答复", "Answer by"),
    ];
    if sight.is_supervisor {
        heads.push(head("谁来答复", "Answered by"));
    }
    let count = match lang {
        Lang::Zh => format!("{total} 条，这里 {} 条，逾期的在前", asks.len()),
        Lang::En => format!(
            "{}, {} of them here, the overdue first",
            lang.count(total, "", "enquiry", "enquiries"),
            asks.len()
        ),
    };
    ui::Table {
        caption: lang.t("问询，逾期的在前", "Enquiries, the overdue first").to_owned(),
        heads,
        rows: asks.iter().map(cells).collect(),
        count,
        export: Some(ui::Exports::of(visit)),
    }
}

/// What each office owes, as bars; nothing where there is nothing to compare.
fn chart(lang: Lang, by_office: &[(OfficeOwes, String)]) -> Option<ui::BarChart> {
    if by_office.is_empty() {
        return None;
    }
    let bar = |(row, name): &(OfficeOwes, String)| ui::Bar {
        label: name.clone(),
        value: f64::from(i32::try_from(row.open).unwrap_or(i32::MAX)),
        figure: match (row.late, lang) {
            (0, _) => lang.number(row.open),
            (late, Lang::Zh) => format!("{}，逾期 {late}", row.open),
            (late, Lang::En) => format!("{}, {late} late", row.open),
        },
        city: String::new(),
        href: format!("/office/asks?office={}", row.office),
    };
    let late: i64 = by_office.iter().map(|(row, _)| row.late).sum();
    Some(ui::BarChart {
        lang,
        id: "offices".to_owned(),
        title: lang.t("各单位等答复的问询", "Enquiries to answer, by office").to_owned(),
        description: match lang {
            Lang::Zh => format!("逾期的单位在前；一共逾期 {late} 条。"),
            Lang::En => format!("Offices with overdue answers first; {late} overdue in all."),
        },
        label_head: lang.t("单位", "Office").to_owned(),
        figure_head: lang.t("等答复", "To answer").to_owned(),
        bars: by_office.iter().take(BARS_MAX).map(bar).collect(),
    })
}

/// The whole filtered list as a table file; what was asked is not in it.
fn listed(visit: &Visit, rows: &[Row]) -> Rows {
    let lang = visit.lang;
    let heads = match lang {
        Lang::Zh => ["编号", "类别", "关于", "状态", "哪里问的", "谁来答复", "提出", "最晚答复"],
        Lang::En => ["id", "kind", "about", "state", "asked in", "answered by", "asked", "answer by"],
    };
    let mut list = Rows::new(lang.t("问询", "Enquiries"), &heads);
    for row in rows {
        list.push(vec![
            Datum::code(row.id.to_string()),
            Datum::text(tb_enquiry::word(&row.kind)),
            Datum::text(&row.title),
            Datum::text(&row.tag.1),
            Datum::text(&row.from),
            Datum::text(&row.office),
            Datum::Moment(row.asked),
            Datum::day(Some(row.due.date())),
        ]);
    }
    list
}
