//! The cases of an enterprise (企业办件): what was begun for it, by whom, where it stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use serde::Serialize;
use tb_base::{CaseId, Date, PersonId, Result};
use tb_case::PhaseKind;
use tb_case::queue::{self, CaseRow};
use tb_identity::enterprises::Enterprise;
use tb_identity::grants::filed::{self, FILED_FILE_ROWS_MAX, FILED_ROWS, Filed, Narrowed};
use tb_identity::grants::{Matter, Standing, decide};
use tb_identity::people;
use tb_identity::permit::Action;
use tb_store::Tx;
use tb_web::{Choice, Datum, Field, Frame, Input, Lang, PageResult, Rows, TableFile, Visit, ui};

use super::{Shared, named, of_page, permit};
use crate::parts::Parts;

const STATES: &[Choice<'static>] = &[
    Choice::new("draft", "没提交的", "Not handed in"),
    Choice::new("open", "在办的", "Under way"),
    Choice::new("over", "办结的", "Finished"),
];
const WHO: &[Choice<'static>] = &[Choice::new("me", "我办的", "Mine")];
const ITEM: Field<'static> = Field::new("item", "事项编号", "Number of the item", Input::Digits);
const STATE: Field<'static> = Field::new("state", "状态", "State", Input::Select(STATES));
const BY: Field<'static> = Field::new("by", "谁办的", "By whom", Input::Select(WHO));

#[derive(Template, Serialize)]
#[template(path = "t01/firm_cases.html")]
struct CasesPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    name: String,
    code: String,
    total: usize,
    rows: Vec<Line>,
    is_filtered: bool,
    /// Whether an item for enterprises can be handed in at all.
    any_online: bool,
    #[serde(skip)]
    table: ui::Table,
    #[serde(skip)]
    pager: ui::Pager,
    #[serde(skip)]
    filters: ui::Filters,
}

impl CasesPage {
    /// The address without filters.
    fn all(&self) -> String {
        format!("/firm/cases?firm={}", self.code)
    }
}

/// One case of the enterprise.
#[derive(Clone, Serialize)]
struct Line {
    case: CaseId,
    item: u16,
    name: String,
    query_code: String,
    state: String,
    by: String,
    begun: Date,
    due: Option<Date>,
    /// Whether it is hers to open.
    is_mine: bool,
    #[serde(skip)]
    kind: &'static str,
    #[serde(skip)]
    phase: Option<PhaseKind>,
}

/// What one reading of the store gives.
struct Read {
    firm: Enterprise,
    found: Vec<(Filed, Option<CaseRow>)>,
    total: i64,
    representative: Option<String>,
}

/// GET /firm/cases?firm=&item=&state=&by=&page=&export=
pub async fn show(visit: Visit, parts: Shared) -> PageResult {
    let (person, _) = permit(&visit.ctx, Action::ActForEnterprise)?;
    let narrowed = Narrowed {
        person: (visit.param("by").as_deref() == Some("me")).then_some(person),
        item: visit.param("item").and_then(|item| item.trim().parse().ok()),
    };
    let (ctx, shared, wanted) = (visit.ctx.clone(), Arc::clone(&parts), named(&visit));
    let read = visit.app.store.read("t01.firm.cases", move |tx| {
        let (firm, standing): (Enterprise, Standing) = of_page(tx, person, wanted, &ctx)?;
        decide::covers(&standing, Matter::Cases)?;
        read(tx, &shared, firm, narrowed)
    });
    let read = read.await?;
    let state = visit.param("state").filter(|state| STATES.iter().any(|it| it.value == state));
    let all = read.found.iter().map(|(filed, row)| line(&visit, &parts, &read, person, filed, row.as_ref()));
    let lines: Vec<Line> = all.filter(|line| fits(line, state.as_deref())).collect();
    if let Some(kind) = TableFile::asked(&visit) {
        return Ok(
            file(&visit, &read, &lines).file(kind, &format!("enterprise-cases-{}", visit.ctx.now.date()))
        );
    }
    visit.page(view(&visit, &parts, &read, lines, narrowed != Narrowed::default() || state.is_some()))
}

fn read(tx: &mut Tx<'_>, parts: &Parts, firm: Enterprise, narrowed: Narrowed) -> Result<Read> {
    let (filed, total) = filed::of_enterprise(tx, &firm.uscc, narrowed, (FILED_FILE_ROWS_MAX, 0))?;
    let mut found = Vec::with_capacity(filed.len());
    for filed in filed {
        let row = queue::one(tx, filed.case)?;
        found.push((filed, row));
    }
    let representative = match firm.representative {
        Some(person) => people::find(tx, &parts.vault, person)?.map(|person| person.name),
        None => None,
    };
    Ok(Read { firm, found, total, representative })
}

fn line(
    visit: &Visit,
    parts: &Parts,
    read: &Read,
    person: PersonId,
    filed: &Filed,
    row: Option<&CaseRow>,
) -> Line {
    let lang = visit.lang;
    let name = (parts.words.item)(&filed.item.to_string());
    // An agent does not learn the names of the other agents.
    let by = match (filed.person == person, read.firm.representative == Some(filed.person)) {
        (true, _) => lang.t("您", "you").to_owned(),
        (false, true) => read.representative.clone().unwrap_or_default(),
        (false, false) => lang.t("其他经办人", "another agent").to_owned(),
    };
    let phase = row.map(|row| row.phase);
    Line {
        case: filed.case,
        item: filed.item,
        name: name.map_or_else(|| filed.item.to_string(), |(zh, en)| lang.t(&zh, &en).to_owned()),
        query_code: row.map_or_else(String::new, |row| ui::grouped(&row.query_code, 4)),
        state: phase.map_or_else(
            || lang.t("没提交", "not handed in").to_owned(),
            |phase| {
                let name = phase.name();
                lang.t(&name.zh, &name.en).to_owned()
            },
        ),
        by,
        begun: filed.at.date(),
        due: row.filter(|row| !row.phase.is_over()).and_then(|row| row.due).map(tb_base::Timestamp::date),
        is_mine: filed.person == person,
        kind: kind(phase),
        phase,
    }
}

fn kind(phase: Option<PhaseKind>) -> &'static str {
    match phase {
        None => "",
        Some(PhaseKind::Correcting | PhaseKind::Delivering) => "wait",
        Some(PhaseKind::Offered | PhaseKind::Received | PhaseKind::Accepted | PhaseKind::Decided) => "now",
        Some(PhaseKind::Delivered | PhaseKind::Closed) => "done",
        Some(PhaseKind::Withdrawn) => "plain",
        Some(PhaseKind::Declined | PhaseKind::Lapsed | PhaseKind::Returned) => "stop",
    }
}

fn fits(line: &Line, state: Option<&str>) -> bool {
    match (state, line.phase) {
        (None, _) => true,
        (Some("draft"), phase) => phase.is_none(),
        (Some("over"), phase) => phase.is_some_and(PhaseKind::is_over),
        (Some(_), phase) => phase.is_some_and(|phase| !phase.is_over()),
    }
}

const HEADS: [(&str, &str); 6] = [
    ("事项", "Item"),
    ("查询码", "Code"),
    ("状态", "State"),
    ("谁办的", "By whom"),
    ("开始", "Begun"),
    ("最晚办完", "Due"),
];

fn file(visit: &Visit, read: &Read, lines: &[Line]) -> Rows {
    let lang = visit.lang;
    let heads: Vec<&str> = HEADS.iter().map(|(zh, en)| lang.t(*zh, *en)).collect();
    let mut rows = Rows::new(lang.t("企业办件", "Cases of the enterprise"), &heads);
    for line in lines {
        rows.push(vec![
            Datum::text(&line.name),
            Datum::code(&line.query_code),
            Datum::text(&line.state),
            Datum::text(&line.by),
            Datum::Day(line.begun),
            Datum::day(line.due),
        ]);
    }
    match FILED_FILE_ROWS_MAX < read.total {
        true => rows.note(lang.t("只列出最近的 1000 件", "The latest 1000 only")),
        false => rows,
    }
}

fn view(visit: &Visit, parts: &Parts, read: &Read, lines: Vec<Line>, is_filtered: bool) -> CasesPage {
    let (lang, total) = (visit.lang, lines.len());
    let per_page = usize::try_from(FILED_ROWS).unwrap_or(1);
    let pager = ui::Pager::of(visit, total, per_page);
    let rows: Vec<Line> = lines.into_iter().skip(pager.offset(per_page)).take(per_page).collect();
    CasesPage {
        frame: visit.frame("企业办件", "Cases of the enterprise").crumb("首页", "Start", "/").crumb(
            "我的企业",
            "My enterprise",
            &format!("/firm?firm={}", read.firm.uscc),
        ),
        lang,
        name: read.firm.name.clone(),
        code: read.firm.uscc.to_string(),
        total,
        table: table(visit, &rows, total),
        rows,
        is_filtered,
        any_online: any_online(visit, parts),
        pager,
        filters: ui::Filters::of(visit, &[ITEM, STATE, BY]),
    }
}

fn any_online(visit: &Visit, parts: &Parts) -> bool {
    let numbers: BTreeSet<u16> = parts.catalogue.items().map(|item| item.entry.number).collect();
    let rules = |no: u16| visit.app.cities.iter().find_map(|city| parts.catalogue.rules(no, city.node));
    numbers
        .into_iter()
        .filter_map(rules)
        .any(|rules| rules.item.audience.iter().any(|who| who == "enterprise"))
}

fn table(visit: &Visit, rows: &[Line], total: usize) -> ui::Table {
    let lang = visit.lang;
    let cells = |line: &Line| {
        let name = match (line.is_mine, line.phase) {
            (true, Some(_)) => ui::Cell::link(&line.name, format!("/cases/{}", line.case)),
            (true, None) => ui::Cell::link(&line.name, format!("/drafts/{}", line.case)),
            (false, _) => ui::Cell::text(&line.name),
        };
        ui::TableRow::new(vec![
            name,
            ui::Cell::code(&line.query_code),
            ui::Cell::tag(line.kind, &line.state),
            ui::Cell::text(&line.by),
            ui::Cell::text(lang.date(line.begun)),
            ui::Cell::text(line.due.map_or_else(String::new, |due| lang.date(due))),
        ])
    };
    ui::Table {
        caption: lang.t("企业办件", "Cases of the enterprise").to_owned(),
        heads: HEADS.iter().map(|(zh, en)| ui::Head::text(lang.t(*zh, *en))).collect(),
        rows: rows.iter().map(cells).collect(),
        count: lang.count(i64::try_from(total).unwrap_or(i64::MAX), "件", "case", "cases"),
        export: (0 < total).then(|| ui::Exports::of(visit)),
    }
}
