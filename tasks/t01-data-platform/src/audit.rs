//! Searching audit lines (审计查询): who did what to what, the newest first.
//! Serves clause 1.6.
//!
//! Invariant: each search, look and export is itself an audit line, of the transaction that read: what was asked for,
//! and how many lines were found.

mod ask;
pub mod line;

use askama::Template;
use serde::Serialize;
use tb_base::{Ctx, Date, MessageId, Result, Timestamp};
use tb_identity::permit::{Action, Permit, Scope, may};
use tb_store::Tx;
use tb_store::audit::{self, Found, Line, Search};
use tb_web::{Datum, Fields, Frame, Lang, PageResult, Rows, TableFile, Visit, ui};

use crate::words::{act_word, actor_word, outcome_word};

/// Lines on one page, and in one file.
const LINES: u32 = 50;
const FILE_LINES_MAX: u32 = 10_000;
/// Days that are drawn: as many as can be pressed on a telephone.
const DAYS: i64 = 14;
/// What an address says of the place in the list.
const PLACES: [&str; 3] = ["before", "after", "export"];
/// Searches that one file makes at the most; each looks at a bounded number of lines.
const FILE_SEARCHES_MAX: usize = 10;

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/audit.html")]
struct AuditPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    #[serde(skip)]
    shown_fields: tb_web::Html,
    lines: Vec<Shown>,
    /// The address of the page with older lines.
    older: Option<String>,
    /// The address of the page with newer ones.
    newer: Option<String>,
    /// How many lines fit on each of the last days that are asked for.
    days: Vec<DayCount>,
    #[serde(skip)]
    turns: ui::Turns,
    #[serde(skip)]
    chart: Option<ui::Columns>,
    #[serde(skip)]
    export: ui::Exports,
}

/// One line.
#[derive(Serialize)]
struct Shown {
    id: MessageId,
    at: Timestamp,
    actor: String,
    action: String,
    /// What the action is called; none for one that has no word.
    action_word: Option<&'static str>,
    object: String,
    outcome: String,
    /// What the outcome is called; none for a code of a refusal or a digest.
    outcome_word: Option<String>,
    trace: String,
}

/// How many lines fit on a day.
#[derive(Clone, Serialize)]
struct DayCount {
    day: Date,
    lines: u32,
    /// Whether the day has more lines than are looked at.
    is_more: bool,
}

/// What was read for a page.
#[derive(Default)]
struct Read {
    found: Found,
    days: Vec<DayCount>,
    /// Where newer lines begin, where there are some.
    newer: Option<MessageId>,
    /// Where older lines begin.
    older: Option<MessageId>,
}

/// From which line a page goes on, and in which direction.
#[derive(Clone, Copy)]
enum Turn {
    Newest,
    Older(MessageId),
    Newer(MessageId),
}

impl Turn {
    fn of(visit: &Visit) -> Turn {
        let given = |name| visit.param(name).and_then(|id| id.parse().ok());
        match (given("after"), given("before")) {
            (Some(than), _) => Turn::Newer(than),
            (None, Some(than)) => Turn::Older(than),
            (None, None) => Turn::Newest,
        }
    }
}

fn permit(visit: &Visit) -> Result<Permit> {
    may(&visit.ctx.actor, Action::ReadAudit, &Scope::Node(visit.ctx.node))
}

/// GET /audit?from=&until=&kind=&actor=&action=&object=&outcome=&trace=&before=&after=&export=xlsx|csv
pub async fn show(visit: Visit) -> PageResult {
    permit(&visit)?;
    let mut form = Fields::from_query(&visit);
    let Some(search) = ask::asked(&mut form) else {
        let view = view(&visit, form, Read::default());
        return visit.form_again(view);
    };
    let turn = Turn::of(&visit);
    let kind = TableFile::asked(&visit);
    let as_file = kind.is_some();
    let ctx = visit.ctx.clone();
    let read = move |tx: &mut Tx<'_>| match as_file {
        true => Ok(Read { found: file(tx, &ctx, &search)?, ..Read::default() }),
        false => page(tx, &ctx, &search, turn),
    };
    let read = visit.app.store.write("t01.audit", read).await?;
    if let Some(kind) = kind {
        return Ok(rows(&visit, read.found).file(kind, &format!("audit-{}", visit.ctx.now.date())));
    }
    let view = view(&visit, form, read);
    visit.page(view)
}

/// A page of lines, and how many there are day by day; and the line that says who read them.
fn page(tx: &mut Tx<'_>, ctx: &Ctx, search: &Search, turn: Turn) -> Result<Read> {
    let days = days(tx, ctx, search)?;
    let read = match turn {
        Turn::Newest | Turn::Older(_) => {
            let than = if let Turn::Older(than) = turn { Some(than) } else { None };
            let found = audit::search(tx, search, than, LINES)?;
            let newer = than.map(|than| found.lines.first().map_or(than, |line| line.id));
            Read { older: found.next, newer, days, found }
        }
        Turn::Newer(than) => {
            let found = audit::newer(tx, search, than, LINES)?;
            let older = Some(found.lines.last().map_or(than, |line| line.id));
            Read { newer: found.next, older, days, found }
        }
    };
    note(tx, ctx, "audit.read", search, &read.found)?;
    Ok(read)
}

/// How many lines fit on each of the last days that are asked for.
fn days(tx: &mut Tx<'_>, ctx: &Ctx, search: &Search) -> Result<Vec<DayCount>> {
    let until = search.until.map_or(ctx.now, |until| until.plus_seconds(-1).min(ctx.now)).date();
    let first = Timestamp::at(until, 0).plus_seconds(-(DAYS - 1) * 86_400);
    let mut day = search.from.unwrap_or(first).max(first).date();
    let mut days = Vec::new();
    while day <= until {
        let of_day = Search {
            from: Some(Timestamp::at(day, 0)),
            until: Some(Timestamp::at(day, 24)),
            ..search.clone()
        };
        let (lines, is_more) = audit::count(tx, &of_day)?;
        days.push(DayCount { day, lines, is_more });
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    Ok(days)
}

/// This address with other days or another place in the list.
fn address(visit: &Visit, dropped: &[&str], set: &[(&str, String)]) -> String {
    let name = |part: &str| part.split('=').next().unwrap_or_default().to_owned();
    let kept =
        visit.query.split('&').filter(|part| !part.is_empty() && !dropped.contains(&name(part).as_str()));
    let set = set.iter().map(|(name, value)| format!("{name}={value}"));
    format!("/audit?{}", kept.map(str::to_owned).chain(set).collect::<Vec<_>>().join("&"))
}

/// All lines up to the limits of a file; and the line that says who took them.
fn file(tx: &mut Tx<'_>, ctx: &Ctx, search: &Search) -> Result<Found> {
    let mut found = audit::search(tx, search, None, FILE_LINES_MAX)?;
    for _ in 1..FILE_SEARCHES_MAX {
        let left = FILE_LINES_MAX - u32::try_from(found.lines.len()).unwrap_or(FILE_LINES_MAX);
        if found.next.is_none() || left == 0 {
            break;
        }
        let more = audit::search(tx, search, found.next, left)?;
        found.lines.extend(more.lines);
        found.next = more.next;
    }
    note(tx, ctx, "audit.export", search, &found)?;
    Ok(found)
}

fn note(tx: &mut Tx<'_>, ctx: &Ctx, act: &'static str, search: &Search, found: &Found) -> Result<()> {
    audit::line(tx, ctx, act, &ask::words(search), &format!("found:{}", found.lines.len()))
}

fn view(visit: &Visit, form: Fields, read: Read) -> AuditPage {
    let (lang, shown_fields) = (visit.lang, ask::show(&form));
    let turned = |name: &'static str, id: MessageId| address(visit, &PLACES, &[(name, id.to_string())]);
    let (older, newer) =
        (read.older.map(|id| turned("before", id)), read.newer.map(|id| turned("after", id)));
    let link = |zh, en, href: &Option<String>| href.clone().map(|href| (lang.t(zh, en).to_owned(), href));
    let first = newer.as_ref().map(|_| address(visit, &PLACES, &[]));
    AuditPage {
        frame: visit.frame("审计", "Audit").errors(&form),
        lang,
        shown_fields,
        turns: ui::Turns {
            first: link("最近的", "Latest", &first),
            back: link("较近的", "Newer", &newer),
            on: link("更早的", "Older", &older),
            lang,
        },
        older,
        newer,
        chart: chart(visit, &read.days),
        days: read.days,
        export: ui::Exports::of(visit),
        lines: read.found.lines.into_iter().map(|line| shown(visit.lang, line)).collect(),
        form,
    }
}

/// Lines day by day, where there are any; each column is a link to the lines of its day.
fn chart(visit: &Visit, days: &[DayCount]) -> Option<ui::Columns> {
    let lang = visit.lang;
    let bar = |it: &DayCount| ui::Bar {
        label: lang.short(it.day),
        value: f64::from(it.lines),
        figure: format!("{}{}", lang.number(it.lines), if it.is_more { "+" } else { "" }),
        city: String::new(),
        href: address(
            visit,
            &["from", "until", "before", "after", "export"],
            &[("from", it.day.to_string()), ("until", it.day.to_string())],
        ),
    };
    days.iter().any(|it| 0 < it.lines).then(|| ui::Columns {
        lang,
        id: "days".to_owned(),
        title: lang.t("每天几条", "Lines day by day").to_owned(),
        description: lang
            .t(
                "符合条件的记录，每天一柱，最多十四天；点柱看那一天",
                "Lines that fit, a column a day, fourteen days at most; each opens its day",
            )
            .to_owned(),
        label_head: lang.t("日期", "Day").to_owned(),
        figure_head: lang.t("记录", "Lines").to_owned(),
        columns: days.iter().map(bar).collect(),
    })
}

fn shown(lang: Lang, line: Line) -> Shown {
    let Line { id, actor, action, object, outcome, trace, at } = line;
    let (action_word, outcome_word) = (act_word(lang, &action), outcome_word(lang, &action, &outcome));
    Shown { id, at, actor, action, action_word, object, outcome, outcome_word, trace }
}

/// The lines as a table file; its last line says what is missing, if anything is.
fn rows(visit: &Visit, found: Found) -> Rows {
    let lang = visit.lang;
    let heads = match lang {
        Lang::Zh => ["时间", "谁", "操作", "操作代码", "对象", "结果", "结果代码", "追踪号", "编号"],
        Lang::En => {
            ["when", "who", "action", "action code", "object", "outcome", "outcome code", "trace", "id"]
        }
    };
    let mut rows = Rows::new(lang.t("审计", "Audit"), &heads);
    for line in found.lines {
        let line = shown(lang, line);
        rows.push(vec![
            Datum::Moment(line.at),
            Datum::text(line.actor),
            Datum::text(line.action_word.unwrap_or_default()),
            Datum::code(line.action),
            Datum::text(line.object),
            Datum::text(line.outcome_word.unwrap_or_default()),
            Datum::code(line.outcome),
            Datum::code(line.trace),
            Datum::code(line.id.to_string()),
        ]);
    }
    if found.next.is_none() {
        return rows;
    }
    rows.note(lang.t(
        "没有全部导出：一个文件最多一万条。请缩短日期范围或加条件，分几次导出。",
        "Not everything is here: a file holds ten thousand lines. Shorten the range or add a filter, and export in parts.",
    ))
}

impl Shown {
    fn action_cell(&self) -> ui::Cell {
        let href = ask::address("action", &self.action);
        match self.action_word {
            Some(word) => ui::Cell::link(word, href).note(&self.action),
            None => ui::Cell::link(&self.action, href),
        }
    }

    fn outcome_cell(&self) -> ui::Cell {
        match &self.outcome_word {
            Some(word) if *word != self.outcome => ui::Cell::text(word).note(&self.outcome),
            Some(_) | None => ui::Cell::text(&self.outcome),
        }
    }
}

impl AuditPage {
    fn table(&self) -> ui::Table {
        let lang = self.lang;
        let rows = self.lines.iter().map(|line| {
            ui::TableRow::new(vec![
                ui::Cell::link(lang.time(line.at), format!("/audit/{}", line.id)),
                ui::Cell::link(&line.actor, ask::address("actor", &line.actor))
                    .note(actor_word(lang, &line.actor)),
                line.action_cell(),
                ui::Cell::link(&line.object, ask::address("object", &line.object)),
                line.outcome_cell(),
                ui::Cell::link(&line.trace, ask::address("trace", &line.trace)),
            ])
        });
        let heads = [
            ("时间", "When"),
            ("谁", "Who"),
            ("操作", "Action"),
            ("对象", "Object"),
            ("结果", "Outcome"),
            ("追踪号", "Trace"),
        ];
        let more = if self.older.is_some() { "+" } else { "" };
        ui::Table {
            caption: lang.t("审计记录", "Audit lines").to_owned(),
            heads: heads.iter().map(|(zh, en)| ui::Head::text(lang.t(zh, en))).collect(),
            rows: rows.collect(),
            count: match lang {
                Lang::Zh => format!("{}{more} 条", lang.number(self.lines.len())),
                Lang::En => format!("{}{more} lines", lang.number(self.lines.len())),
            },
            export: Some(self.export.clone()),
        }
    }
}
