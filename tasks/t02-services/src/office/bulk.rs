//! One act on several cases (批量受理): chosen in the queue, confirmed on a page, done one by one, with a result for each.
//! Serves clause 2.5.
//!
//! Invariants: only accepting is done so, because it is alike for every case and takes nothing from anybody; each case
//! is an act and a transaction of its own, decided on the state that the officer saw; what became of each is kept and
//! shown again as often as the page is opened.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{CaseId, Error, MessageId, Refusal, Result, Timestamp};
use tb_case::acts;
use tb_case::command::{Command, CommandKind};
use tb_case::progress::ProgressView;
use tb_case::work::{self, BULK_ROWS_MAX, Bulk, BulkRow, RowState};
use tb_store::Tx;
use tb_web::{
    Datum, Fields, Form, Frame, Html, Lang, PageError, PageResult, Rows, TableFile, Visit, redirect, ui,
};

use super::act::act;
use super::forms::Deed;
use super::narrow::{Narrow, address};
use super::{file, may_read, permitted, queue};
use crate::access::{Shared, case_id};
use crate::parts::Parts;
use crate::words::{item_name, say};

/// GET /office/bulk?case=&case=&in=: asks before anything is done; what cannot be accepted any more is said already.
pub(crate) async fn ask(visit: Visit, parts: Shared) -> PageResult {
    permitted(&visit.ctx, CommandKind::Accept, &queue::office(&visit, &parts)?)?;
    let fields = Fields::from_query(&visit);
    let cases = chosen(fields.list("case"))?;
    let views = views(&visit, &parts, cases).await?;
    let (lang, list) = (visit.lang, Narrow::inside(&visit));
    let rows = views.iter().map(|view| summary(lang, view)).collect();
    let heading = match lang {
        Lang::Zh => format!("受理这 {} 件？", views.len()),
        Lang::En => format!("Accept {}?", lang.count(views.len(), "", "case", "cases")),
    };
    let button = match lang {
        Lang::Zh => format!("受理 {} 件", views.len()),
        Lang::En => format!("Accept {}", lang.count(views.len(), "", "case", "cases")),
    };
    let back = (lang.t("不办，回到待办", "Back to the queue"), list.address(&visit));
    let mut confirm = ui::Confirm::of(&visit, button, "/office/bulk", (back.0, &back.1))
        .says(say(lang, &Deed::Accept.effect()))
        .says(lang.t(
            "逐件办理，一件不成不影响别的件；结果页逐件写明。要补正、不予受理的，请打开那一件单独办。",
            "Each is done by itself, and one that fails stops no other; the result says so for each. \
             To ask for corrections or to decline, open the case.",
        ))
        .about(ui::Summary { rows })
        .with("key", visit.ctx.id(MessageId::new).to_string())
        .with("in", list.query(&visit));
    for view in &views {
        confirm = confirm.with("case", format!("{}.{}", view.case, view.seq));
    }
    let frame = visit.frame(&heading, &heading).crumb("待办", "To do", &back.1).desk();
    visit.confirm(frame, confirm)
}

fn summary(lang: Lang, view: &ProgressView) -> ui::SummaryRow {
    let code = ui::grouped(&view.query_code, 4);
    let phase = say(lang, &view.phase_name);
    let row = ui::SummaryRow::new(code, format!("{} · {phase}", say(lang, &view.item_name)));
    match view.phase == tb_case::PhaseKind::Received {
        true => row,
        false => {
            row.from(lang.t("现在不能受理，结果里会写明", "cannot be accepted now; the result will say why"))
        }
    }
}

/// Where the cases stand, in the order in which they were chosen; a case of another office is refused.
async fn views(
    visit: &Visit,
    parts: &Shared,
    cases: Vec<CaseId>,
) -> std::result::Result<Vec<ProgressView>, PageError> {
    let (ctx, shared) = (visit.ctx.clone(), Arc::clone(&parts.0));
    let see = move |tx: &mut Tx<'_>| {
        let view = |case: &CaseId| {
            let view = acts::view(tx, &shared.env, *case)?;
            may_read(&ctx, &view.deciding.office)?;
            Ok(view)
        };
        cases.iter().map(view).collect::<Result<Vec<_>>>()
    };
    Ok(visit.app.store.read("t02.office.bulk.see", see).await?)
}

/// The cases that were chosen, each once.
fn chosen(ids: &[String]) -> Result<Vec<CaseId>> {
    let mut seen = BTreeSet::new();
    let cases: Vec<CaseId> = ids.iter().map(|id| case_id(id)).collect::<Result<_>>()?;
    let cases: Vec<CaseId> = cases.into_iter().filter(|case| seen.insert(*case)).collect();
    match cases.len() {
        1..=BULK_ROWS_MAX => Ok(cases),
        _ => Err(Refusal::invalid(
            "T02-OFF-012",
            format!("没有选中办件，或者超过 {BULK_ROWS_MAX} 件"),
            format!("No case was chosen, or more than {BULK_ROWS_MAX}"),
        )
        .but("回到待办，勾选要受理的件", "Go back to the queue and tick the cases to accept")
        .into()),
    }
}

/// POST /office/bulk: `case` as id and count of events, `key` against sending twice; the key alone goes on with what
/// was interrupted.
pub(crate) async fn send(visit: Visit, parts: Shared, form: Form) -> PageResult {
    let fields = form.fields();
    let office = queue::office(&visit, &parts)?;
    permitted(&visit.ctx, CommandKind::Accept, &office)?;
    let staff = file::staff(&visit.ctx).ok_or_else(no_bulk)?;
    let (given, key) = (fields.list("case"), fields.value("key"));
    let id = match key {
        "" => visit.ctx.id(MessageId::new),
        key => bulk_id(key)?,
    };
    if key.is_empty() || !given.is_empty() {
        let (ctx, cases) = (visit.ctx.clone(), seen(given)?);
        let begin =
            move |tx: &mut Tx<'_>| work::begin(tx, &ctx, id, (staff, &office), CommandKind::Accept, &cases);
        visit.app.store.write("t02.office.bulk", begin).await?;
    }
    run(&visit, &parts, id).await?;
    let list = Narrow::written(&visit, fields.value("in")).query(&visit);
    Ok(redirect(&address(&visit, &format!("/office/bulk/{id}"), &[("in", &list)])))
}

/// The cases with the count of events that was seen; without one nothing was seen, and 0 is the count of no case.
fn seen(given: &[String]) -> Result<Vec<(CaseId, u32)>> {
    let pairs: Vec<(&str, &str)> =
        given.iter().map(|text| text.split_once('.').unwrap_or((text, ""))).collect();
    let ids: Vec<String> = pairs.iter().map(|(id, _)| (*id).to_owned()).collect();
    let count = |case: &CaseId| {
        let found = pairs.iter().find(|(id, _)| *id == case.as_str());
        found.and_then(|(_, seen)| seen.parse::<u32>().ok()).unwrap_or(0)
    };
    Ok(chosen(&ids)?.into_iter().map(|case| (case, count(&case))).collect())
}

/// Does what still waits, case by case: the act and its line in one transaction, a refusal in another.
async fn run(visit: &Visit, parts: &Shared, id: MessageId) -> std::result::Result<(), PageError> {
    let bulk = own(visit, id).await?;
    for row in bulk.rows.into_iter().filter(|row| row.state == RowState::Waiting) {
        let (ctx, shared) = (visit.ctx.clone(), Arc::clone(&parts.0));
        let BulkRow { case, command, seen, .. } = row;
        let accept = move |tx: &mut Tx<'_>| {
            act(tx, &ctx, &shared, case, &Command::Accept, Deed::Accept, command, Some(seen))?;
            work::settle(tx, &ctx, id, case, None)
        };
        match visit.app.store.write("t02.office.bulk.act", accept).await {
            Ok(()) => {}
            Err(Error::Refused(refusal)) => {
                let ctx = visit.ctx.clone();
                let note = move |tx: &mut Tx<'_>| work::settle(tx, &ctx, id, case, Some(&refusal));
                visit.app.store.write("t02.office.bulk.refused", note).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn bulk_id(text: &str) -> Result<MessageId> {
    text.parse().map_err(|_| no_bulk().into())
}

fn no_bulk() -> Refusal {
    Refusal::gone(
        "T02-OFF-013",
        "没有这次批量办理，或者不是您办的；结果保存 90 天",
        "There is no such bulk, or it is not yours; results are kept for 90 days",
    )
    .but("从待办开始", "Begin at the queue")
}

/// A bulk of the visitor.
async fn own(visit: &Visit, id: MessageId) -> std::result::Result<Bulk, PageError> {
    let staff = file::staff(&visit.ctx);
    let found = visit.app.store.read("t02.office.bulk.own", move |tx| work::find(tx, id)).await?;
    Ok(found.filter(|bulk| Some(bulk.staff) == staff).ok_or_else(no_bulk)?)
}

/// What became of one case, as the page lists it.
#[derive(Serialize)]
struct Line {
    case: CaseId,
    query_code: String,
    item: u16,
    item_name: String,
    state: RowState,
    refusal: Option<Refusal>,
}

#[derive(Template, Serialize)]
#[template(path = "office/bulk.html")]
struct BulkPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    id: MessageId,
    begun: Timestamp,
    done: usize,
    refused: usize,
    waiting: usize,
    lines: Vec<Line>,
    #[serde(skip)]
    title: String,
    #[serde(skip)]
    table: ui::Table,
    #[serde(skip)]
    list: String,
    #[serde(skip)]
    back: String,
}

/// GET /office/bulk/{id}?export=xlsx|csv
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let bulk = own(&visit, bulk_id(&id)?).await?;
    let (shared, rows, lang) = (Arc::clone(&parts.0), bulk.rows, visit.lang);
    let see = move |tx: &mut Tx<'_>| rows.iter().map(|row| line(tx, &shared, lang, row)).collect();
    let mut lines: Vec<Line> = visit.app.store.read("t02.office.bulk.show", see).await?;
    // What did not work stands first.
    lines.sort_by_key(|line| (line.state == RowState::Done, line.state == RowState::Waiting));
    if let Some(kind) = TableFile::asked(&visit) {
        return Ok(file_rows(lang, &lines).file(kind, &format!("bulk-{}", bulk.begun.date())));
    }
    let count = |state| lines.iter().filter(|line| line.state == state).count();
    let (done, refused, waiting) =
        (count(RowState::Done), count(RowState::Refused), count(RowState::Waiting));
    let title = title(lang, done, refused, waiting);
    let list = Narrow::inside(&visit);
    let back = list.address(&visit);
    visit.page(BulkPage {
        frame: visit.frame(&title, &title).crumb("待办", "To do", &back).desk(),
        lang,
        id: bulk.id,
        begun: bulk.begun,
        done,
        refused,
        waiting,
        table: table(&visit, &lines),
        lines,
        title,
        list: list.query(&visit),
        back,
    })
}

fn line(tx: &mut Tx<'_>, parts: &Parts, lang: Lang, row: &BulkRow) -> Result<Line> {
    let view = match acts::view(tx, &parts.env, row.case) {
        Ok(view) => Some(view),
        Err(Error::Refused(_)) => None,
        Err(error) => return Err(error),
    };
    let item = view.as_ref().map_or(0, |view| view.item);
    Ok(Line {
        case: row.case,
        query_code: view.map(|view| view.query_code).unwrap_or_default(),
        item,
        item_name: if item == 0 { String::new() } else { item_name(parts, lang, item) },
        state: row.state,
        refusal: row.refusal.clone(),
    })
}

fn title(lang: Lang, done: usize, refused: usize, waiting: usize) -> String {
    let mut parts = Vec::new();
    if 0 < refused {
        parts.push(match lang {
            Lang::Zh => format!("{refused} 件没有受理"),
            Lang::En => format!("{refused} not accepted"),
        });
    }
    if 0 < waiting {
        parts.push(match lang {
            Lang::Zh => format!("{waiting} 件还没有办"),
            Lang::En => format!("{waiting} not yet done"),
        });
    }
    parts.push(match lang {
        Lang::Zh => format!("{done} 件已受理"),
        Lang::En => format!("{done} accepted"),
    });
    parts.join(lang.t("，", ", "))
}

fn state_words(lang: Lang, state: RowState) -> &'static str {
    match state {
        RowState::Done => lang.t("已受理", "accepted"),
        RowState::Refused => lang.t("没有受理", "not accepted"),
        RowState::Waiting => lang.t("还没有办", "not yet done"),
    }
}

/// Why it was refused and what can be done.
fn reason(lang: Lang, line: &Line) -> (String, String) {
    let Some(refusal) = &line.refusal else { return (String::new(), String::new()) };
    (lang.refusal(refusal).to_owned(), lang.way_out(refusal).unwrap_or_default().to_owned())
}

fn table(visit: &Visit, lines: &[Line]) -> ui::Table {
    let lang = visit.lang;
    let head = |zh: &str, en: &str| ui::Head::text(lang.t(zh, en));
    let row = |line: &Line| {
        let (kind, mark) = match line.state {
            RowState::Done => ("done", ""),
            RowState::Refused => ("stop", "diff"),
            RowState::Waiting => ("wait", ""),
        };
        let code = match line.query_code.as_str() {
            "" => ui::Cell::text("—"),
            code => ui::Cell::link(ui::grouped(code, 4), format!("/office/cases/{}", line.case)),
        };
        let (why, way_out) = reason(lang, line);
        ui::TableRow {
            cells: vec![
                code,
                ui::Cell::text(&line.item_name).note(line.item.to_string()),
                ui::Cell::tag(kind, state_words(lang, line.state)),
                ui::Cell::text(why).note(way_out),
            ],
            mark,
        }
    };
    ui::Table {
        caption: lang.t("每一件的结果，没有办成的在前", "The result of each, what failed first").to_owned(),
        heads: vec![
            head("查询码", "Code"),
            head("事项", "Item"),
            head("结果", "Result"),
            head("原因", "Why"),
        ],
        rows: lines.iter().map(row).collect(),
        count: lang.count(lines.len(), "件", "case", "cases"),
        export: Some(ui::Exports::of(visit)),
    }
}

/// The result as a file.
fn file_rows(lang: Lang, lines: &[Line]) -> Rows {
    let heads = match lang {
        Lang::Zh => ["查询码", "事项", "名称", "结果", "原因", "怎么办", "代码"],
        Lang::En => ["code", "item", "name", "result", "why", "way out", "refusal"],
    };
    let mut rows = Rows::new(lang.t("批量受理", "Bulk"), &heads);
    for line in lines {
        let (why, way_out) = reason(lang, line);
        let code = line.refusal.as_ref().map(|refusal| refusal.code.to_string()).unwrap_or_default();
        rows.push(vec![
            Datum::code(&line.query_code),
            Datum::code(line.item.to_string()),
            Datum::text(&line.item_name),
            Datum::text(state_words(lang, line.state)),
            Datum::text(why),
            Datum::text(way_out),
            Datum::text(code),
        ]);
    }
    rows
}

impl BulkPage {
    fn open_next(&self) -> Html {
        ui::link_button(
            &self.back,
            if self.waiting == 0 { "" } else { "line" },
            self.lang.t("回到待办", "Back to the queue"),
        )
    }
}
