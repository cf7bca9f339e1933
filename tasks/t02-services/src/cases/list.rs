//! The list of her cases and drafts (我的办件).

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use serde::Serialize;
use tb_base::{CaseId, Date, DraftId};
use tb_case::case::PhaseKind;
use tb_case::draft::{self, Draft};
use tb_case::form;
use tb_case::queue::{self, CaseRow, Filter, PAGE_ROWS, Typed};
use tb_find::How;
use tb_identity::permit::Action;
use tb_web::ui::{Filters, Pager};
use tb_web::{Choice, Field, Frame, Html, Input, Lang, PageResult, Visit, ui};

use crate::access::{Shared, resident};
use crate::parts::Parts;
use crate::words::say;

/// A case in a list.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CaseLine {
    pub(crate) case: CaseId,
    pub(crate) query_code: String,
    pub(crate) item: u16,
    pub(crate) name: String,
    pub(crate) phase: PhaseKind,
    pub(crate) phase_name: String,
    /// Whether the next step is hers.
    pub(crate) waits_for_her: bool,
    pub(crate) due: Option<Date>,
    pub(crate) collected: Date,
    #[serde(skip)]
    pub(crate) about: String,
    #[serde(skip)]
    pub(crate) tag: Html,
}

impl CaseLine {
    pub(crate) fn of(visit: &Visit, parts: &Parts, row: &CaseRow) -> CaseLine {
        let lang = visit.lang;
        let phase_name = say(lang, &row.phase.name()).to_owned();
        let due = row.due.map(tb_base::Timestamp::date).filter(|_| !row.phase.is_over());
        let waits_for_her = matches!(row.phase, PhaseKind::Correcting | PhaseKind::Delivering);
        let words = match (waits_for_her, due, lang) {
            (true, _, _) => lang.t("等您", "Yours").to_owned(),
            (false, Some(due), Lang::Zh) => format!("{} 前", lang.short(due)),
            (false, Some(due), Lang::En) => format!("by {}", lang.day(due)),
            (false, None, _) => phase_name.clone(),
        };
        CaseLine {
            case: row.case,
            query_code: ui::grouped(&row.query_code, 4),
            item: row.item,
            name: item_name(lang, parts, row.item),
            phase: row.phase,
            about: format!("{phase_name} · {}", place(lang, parts, visit, row)),
            phase_name,
            waits_for_her,
            due,
            collected: row.collected.date(),
            tag: ui::tag(row.phase.tag(), &words),
        }
    }
}

/// The name of the office that has a case in hand, from the definitions of the cities.
fn place(lang: Lang, parts: &Parts, visit: &Visit, row: &CaseRow) -> String {
    let offices = visit.app.cities.iter().filter_map(|city| parts.catalogue.rules(row.item, city.node));
    for rules in offices {
        for office in [&rules.offices.window, &rules.offices.deciding] {
            if office.id == row.office {
                return say(lang, &office.name).to_owned();
            }
        }
    }
    row.office.to_string()
}

/// The name of an item.
pub(crate) fn item_name(lang: Lang, parts: &Parts, no: u16) -> String {
    let item = parts.catalogue.item(no);
    let name =
        item.map(|item| lang.t(&item.entry.title, item.title_en().unwrap_or(&item.entry.title)).to_owned());
    name.unwrap_or_else(|| no.to_string())
}

/// A draft in a list.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DraftLine {
    pub(crate) id: DraftId,
    pub(crate) code: String,
    pub(crate) item: u16,
    pub(crate) name: String,
    pub(crate) saved: String,
    /// How many answers of the form are still missing or wrong.
    pub(crate) open_count: usize,
    #[serde(skip)]
    pub(crate) about: String,
}

impl DraftLine {
    pub(crate) fn of(visit: &Visit, parts: &Parts, draft: &Draft) -> DraftLine {
        let lang = visit.lang;
        let rules = crate::drafts::rules(parts, draft).ok();
        let open_count = rules.map_or(0, |rules| form::check(&rules, &draft.answers).len());
        let saved = lang.moment(draft.saved);
        let about = match lang {
            Lang::Zh => format!("{saved} 存的，还有 {open_count} 处没填"),
            Lang::En => format!("saved {saved}, {open_count} answers to go"),
        };
        DraftLine {
            id: draft.id,
            code: ui::grouped(&draft.code, 4),
            item: draft.item,
            name: item_name(lang, parts, draft.item),
            saved,
            open_count,
            about,
        }
    }
}

/// Phases in which the next step is hers.
const HERS: [PhaseKind; 2] = [PhaseKind::Correcting, PhaseKind::Delivering];
/// Phases in which an office has it.
const RUNNING: [PhaseKind; 4] =
    [PhaseKind::Offered, PhaseKind::Received, PhaseKind::Accepted, PhaseKind::Decided];
/// Phases after which nothing but a rating follows.
const OVER: [PhaseKind; 6] = [
    PhaseKind::Delivered,
    PhaseKind::Closed,
    PhaseKind::Withdrawn,
    PhaseKind::Declined,
    PhaseKind::Lapsed,
    PhaseKind::Returned,
];
const STATES: &[Choice<'static>] = &[
    Choice::new("mine", "等我办的", "Waiting for me"),
    Choice::new("open", "在办的", "Under way"),
    Choice::new("over", "办结的", "Finished"),
];
const FILTERS: [Field<'static>; 2] = [
    Field::text("q", "查询码或事项", "Code or item"),
    Field::new("state", "状态", "State", Input::Select(STATES)),
];

#[derive(Template, Serialize)]
#[template(path = "t02/cases.html")]
struct Cases {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    drafts: Vec<DraftLine>,
    cases: Vec<CaseLine>,
    count: i64,
    pager: Pager,
    done: String,
    /// Whether some are left out by the filter.
    is_filtered: bool,
    #[serde(skip)]
    filters: Filters,
}

/// What the address narrows the list to.
fn wanted(visit: &Visit, parts: &Parts) -> Filter {
    let phases: Option<&[PhaseKind]> = match visit.param("state").as_deref() {
        Some("mine") => Some(&HERS),
        Some("open") => Some(&RUNNING),
        Some("over") => Some(&OVER),
        Some(_) | None => None,
    };
    let typed = visit.param("q").map(|q| q.trim().to_owned()).filter(|q| !q.is_empty());
    let typed = typed.map(|q| {
        let found = parts.finding.finder.find(&q);
        let is_meant = matches!(found.how, How::AsTyped | How::Alike);
        let items = if is_meant { found.numbers.into_iter().collect() } else { BTreeSet::new() };
        Typed { code: q, items }
    });
    Filter { phases: phases.map(|phases| phases.iter().copied().collect()), typed, ..Filter::default() }
}

/// GET /cases?q=&state=: what waits for her comes first.
pub(crate) async fn show(visit: Visit, parts: Shared) -> PageResult {
    let (person, _) = resident(&visit.ctx, Action::ReadOwnCase)?;
    let page = visit.param("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).saturating_sub(1);
    let (shared, filter) = (Arc::clone(&parts), wanted(&visit, &parts));
    let is_filtered = filter != Filter::default();
    let read = visit.app.store.read("t02.cases", move |tx| {
        let hers = HERS.into_iter().collect();
        let found = queue::narrowed_of_person(tx, person, &filter, &hers, page)?;
        Ok((found, draft::of_person(tx, &shared.env, person)?))
    });
    let (found, drafts) = read.await?;
    let rows = usize::try_from(PAGE_ROWS).unwrap_or(1);
    // Drafts are on the first page of the whole list, not among what is looked for.
    let drafts = drafts.iter().filter(|_| !is_filtered && page == 0);
    visit.page(Cases {
        frame: visit.frame("我的办件", "My cases").crumb("首页", "Start", "/"),
        lang: visit.lang,
        drafts: drafts.map(|draft| DraftLine::of(&visit, &parts, draft)).collect(),
        cases: found.rows.iter().map(|row| CaseLine::of(&visit, &parts, row)).collect(),
        count: found.total,
        pager: Pager::of(&visit, usize::try_from(found.total).unwrap_or(0), rows),
        done: visit.param("done").unwrap_or_default(),
        is_filtered,
        filters: Filters::of(&visit, &FILTERS),
    })
}
