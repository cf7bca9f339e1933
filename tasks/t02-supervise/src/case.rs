//! One case as the supervisor sees it (办件轨迹): who held it when; nothing of what it holds of a person.
//! Serves clauses 1.1 and 2.5.
//!
//! Invariant: opening it leaves a look that the person sees, in the transaction that read it.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{Actor, CaseId, Ctx, Refusal, Result};
use tb_case::acts;
use tb_case::case::ClockKind;
use tb_case::progress::ProgressView;
use tb_identity::look::{self, Look, LookKind};
use tb_store::{Tx, audit};
use tb_web::{Frame, Html, Lang, PageResult, Visit, ui};

use crate::ask::Ask;
use crate::names::say;
use crate::{Parts, Shared, track, watching};

/// Why a supervisor may look: she watches the limits.
const GROUND: &str = "statute:监督时限";

#[derive(Template, Serialize)]
#[template(path = "ts/case.html")]
struct CasePage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    progress: ProgressView,
    #[serde(skip)]
    title: String,
    #[serde(skip)]
    facts: ui::Facts,
    track: ui::Track,
    #[serde(skip)]
    office_href: String,
}

impl CasePage {
    fn code(&self) -> Html {
        ui::code(&ui::grouped(&self.progress.query_code, 4))
    }

    fn tag(&self) -> Html {
        ui::tag(self.progress.phase.tag(), say(self.lang, &self.progress.phase_name))
    }

    fn waits(&self) -> &str {
        self.progress.waiting.as_ref().map_or("", |waiting| say(self.lang, &waiting.text))
    }
}

/// GET /supervise/cases/{id}
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    watching(&visit)?;
    let case: CaseId = id.parse().map_err(|_| missing())?;
    let (ctx, shared) = (visit.ctx.clone(), Arc::clone(&parts.0));
    let open = move |tx: &mut Tx<'_>| open(tx, &ctx, &shared, case);
    let progress = visit.app.store.write("t02.supervise.case", open).await?;
    visit.page(view(&visit, progress))
}

fn open(tx: &mut Tx<'_>, ctx: &Ctx, parts: &Parts, case: CaseId) -> Result<ProgressView> {
    let view = acts::view(tx, &parts.env, case)?;
    audit::line(tx, ctx, "supervise.case", case.as_str(), "shown")?;
    let (Some(person), Actor::Staff { office, .. }) = (acts::person_of(tx, case)?, &ctx.actor) else {
        return Ok(view);
    };
    let look = Look {
        person,
        kind: LookKind::Case,
        city: ctx.node,
        office: Some(office.clone()),
        role: "supervisor".to_owned(),
        item: view.item.to_string(),
        case: Some(case),
        ground: GROUND.to_owned(),
        fields: Vec::new(),
        licence: None,
        message: None,
        outcome: "shown".to_owned(),
    };
    look::record_once(tx, ctx, &parts.env.vault, &look, look::ONE_LOOK_SECONDS)?;
    Ok(view)
}

fn missing() -> Refusal {
    Refusal::gone("T02-SUP-001", "没有这个办件", "There is no such case")
        .but("请从办件列表打开", "Open it from the list of cases")
}

fn view(visit: &Visit, progress: ProgressView) -> CasePage {
    let lang = visit.lang;
    let track = track::track(&visit.app, lang, &progress, visit.ctx.now);
    let title = say(lang, &progress.item_name).to_owned();
    let frame = visit.frame(&title, &title).crumb("总览", "Overview", "/supervise");
    CasePage {
        frame: frame.crumb("办件", "Cases", "/supervise/cases").desk(),
        lang,
        facts: facts(visit, &progress),
        office_href: Ask::default().at(&progress.holder.place.office).address(),
        title,
        track,
        progress,
    }
}

fn facts(visit: &Visit, view: &ProgressView) -> ui::Facts {
    let lang = visit.lang;
    let fact = |zh: &str, en: &str, value: String, note: String| ui::Fact {
        label: lang.t(zh, en).to_owned(),
        value,
        note,
    };
    let city = |node| visit.app.city(node).map_or("", |front| lang.t(&front.name, &front.name_en)).to_owned();
    let clock = |kind: ClockKind| {
        let due = view.clock(kind).map_or_else(|| "—".to_owned(), |clock| lang.date(clock.due));
        let limit = view.clock(kind).map(|clock| &clock.input.limit);
        (due, limit.map_or_else(String::new, |limit| lang.t(&limit.zh(), &limit.en()).to_owned()))
    };
    let (promised, promised_note) = clock(ClockKind::Promised);
    let (legal, legal_note) = clock(ClockKind::Legal);
    let holder = &view.holder;
    ui::Facts {
        facts: vec![
            fact("在谁手里", "Held by", say(lang, &holder.place.name).to_owned(), city(holder.place.city)),
            fact("自", "Since", lang.time(holder.since), String::new()),
            fact("收件", "Collected", lang.time(view.collected), say(lang, &view.collecting.name).to_owned()),
            fact("承诺", "Promised", promised, promised_note),
            fact("法定", "By law", legal, legal_note),
        ],
    }
}
