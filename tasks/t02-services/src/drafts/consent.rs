//! The consent (用证授权): which fields, from which city, for which item; then the live fetch.
//! Serves clauses 2.3 and 3.4.
//!
//! Invariant: nothing is fetched before she has confirmed, and a refusal is as easy as a yes.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::Serialize;
use tb_base::{CaseId, Ctx, Error, NodeId, Refusal, Result};
use tb_case::draft::{self, Fetched};
use tb_identity::permit::{Action, Scope, may};
use tb_licence::consent::{self, Channel, Consent, ConsentId, ConsentState, Question};
use tb_store::Tx;
use tb_web::{Fields, Form, Frame, Lang, PageResult, Visit, redirect, ui};

use super::{DraftHead, Opened, open, step_count, step_words};
use crate::access::{Shared, case_of};
use crate::fetch::{self, Problem, Wanted};
use crate::parts::Parts;
use crate::words::{city_name, mark, say};

/// Who asks, in the head of a message.
const ACTOR: &str = "resident";

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t02/consent.html")]
struct ConsentPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    draft: DraftHead,
    consent: Stand,
    asked: Vec<Wanted>,
    /// Materials that are fetched already.
    fetched: Vec<Got>,
    problems: Vec<Problem>,
    #[serde(skip)]
    groups: Vec<Group>,
    #[serde(skip)]
    step: String,
    #[serde(skip)]
    deciding: String,
    #[serde(skip)]
    others: Vec<(NodeId, String)>,
    #[serde(skip)]
    form: Fields,
}

/// Where the consent stands: `none` before she is asked and after a question is over.
#[derive(Serialize)]
struct Stand {
    id: Option<ConsentId>,
    state: &'static str,
}

/// A material that was fetched.
#[derive(Serialize)]
struct Got {
    material: String,
    name: String,
    city: NodeId,
    at: String,
}

/// What is asked of one city for one material, in words.
struct Group {
    city: Option<ui::CityMark>,
    title: String,
    why: String,
    fields: Vec<String>,
    got: bool,
    when: String,
}

impl ConsentPage {
    fn is_given(&self) -> bool {
        self.consent.state == "given"
    }

    fn is_refused(&self) -> bool {
        self.consent.state == "refused"
    }

    fn is_complete(&self) -> bool {
        self.asked.iter().all(|wanted| self.fetched.iter().any(|got| got.material == wanted.material))
    }

    fn problem_title(&self, problem: &Problem) -> String {
        let city = self.frame.city_name(problem.city);
        match (self.lang, problem.unavailable) {
            (Lang::Zh, true) => format!("{city}现在没有应答"),
            (Lang::Zh, false) => format!("{city}没有给出材料"),
            (Lang::En, true) => format!("{city} does not answer now"),
            (Lang::En, false) => format!("{city} did not give a paper"),
        }
    }
}

/// GET /drafts/{draft}/consent
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let opened = open(&visit, &parts, &id).await?;
    let held = standing(&visit, &opened).await?;
    visit.page(view(&visit, &parts, &opened, held.as_ref(), Vec::new(), Fields::blank(&visit)))
}

/// POST /drafts/{draft}/consent: `answer=confirm|refuse`, or `answer=city` with another city that decides.
pub(crate) async fn send(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    let opened = open(&visit, &parts, &id).await?;
    let mut fields = form.fields();
    match fields.value("answer") {
        "confirm" => confirm(&visit, &parts, &id, &opened).await,
        "refuse" => {
            may(&visit.ctx.actor, Action::GiveConsent, &Scope::Person(opened.draft.person))?;
            answer(&visit, &parts, &opened, Answer::Refuse).await?;
            Ok(redirect(&format!("/drafts/{}/consent", opened.draft.id)))
        }
        "city" => change_city(&visit, &parts, &opened, fields.value("deciding")).await,
        _ => {
            fields.refuse(&Refusal::invalid("T02-CNS-001", "请选同意或不同意", "Choose yes or no"));
            let held = standing(&visit, &opened).await?;
            visit.form_again(view(&visit, &parts, &opened, held.as_ref(), Vec::new(), fields))
        }
    }
}

async fn confirm(visit: &Visit, parts: &Arc<Parts>, id: &str, opened: &Opened) -> PageResult {
    may(&visit.ctx.actor, Action::GiveConsent, &Scope::Person(opened.draft.person))?;
    let consent = answer(visit, parts, opened, Answer::Confirm).await?;
    let problems = fetch::all(&visit.app, &visit.ctx, parts, opened.draft.id, consent, ACTOR).await?;
    if problems.is_empty() {
        return Ok(redirect(&format!("/drafts/{}/check", opened.draft.id)));
    }
    let opened = open(visit, parts, id).await?;
    let held = standing(visit, &opened).await?;
    let page = view(visit, parts, &opened, held.as_ref(), problems, Fields::blank(visit));
    visit.page_with(StatusCode::CONFLICT, page)
}

/// Another city decides: what was fetched from the first one stays until the other's is there.
async fn change_city(visit: &Visit, parts: &Arc<Parts>, opened: &Opened, city: &str) -> PageResult {
    let city: NodeId = city.parse().map_err(Error::from)?;
    if parts.catalogue.rules(opened.draft.item, city).is_none() {
        return Err(
            Refusal::invalid("T02-APP-001", "请选由哪个市决定", "Choose the city that decides").into()
        );
    }
    let (ctx, shared, id, version) =
        (visit.ctx.clone(), Arc::clone(parts), opened.draft.id, opened.draft.version);
    let set = visit.app.store.write("t02.draft.city", move |tx| {
        draft::set_deciding(tx, &ctx, &shared.env, id, version, city).map(drop)
    });
    set.await?;
    Ok(redirect(&format!("/drafts/{}/consent", opened.draft.id)))
}

#[derive(Clone, Copy)]
enum Answer {
    Confirm,
    Refuse,
}

/// Asks and writes her answer down in one transaction; a consent that stands already for exactly this is used again.
async fn answer(visit: &Visit, parts: &Arc<Parts>, opened: &Opened, answer: Answer) -> Result<ConsentId> {
    let question = fetch::question(&opened.rules, &opened.draft, parts.env.me(), Channel::App)?;
    let (ctx, shared) = (visit.ctx.clone(), Arc::clone(parts));
    let work = move |tx: &mut Tx<'_>| {
        let same = newest(tx, &ctx, question.case)?.filter(|held| fits(held, &question));
        let held = match same {
            Some(held) => held,
            None => consent::request(tx, &ctx, &shared.vault, &shared.types, question.clone())?,
        };
        let held = match (answer, held.state) {
            (Answer::Confirm, ConsentState::Asked) => consent::confirm_in_app(tx, &ctx, held.id)?,
            (Answer::Confirm, _) => held,
            (Answer::Refuse, ConsentState::Asked) => consent::refuse(tx, &ctx, held.id)?,
            (Answer::Refuse, _) => consent::withdraw(tx, &ctx, held.id)?,
        };
        Ok(held.id)
    };
    visit.app.store.write("t02.consent", work).await
}

/// Whether a consent was asked for the very same fields and city.
fn fits(held: &Consent, question: &Question) -> bool {
    held.deciding == question.deciding && held.asked == question.asked
}

/// The newest consent of a case that waits for an answer or stands.
fn newest(tx: &mut Tx<'_>, ctx: &Ctx, case: CaseId) -> Result<Option<Consent>> {
    let open = |held: &Consent| {
        !held.is_expired(ctx.now) && matches!(held.state, ConsentState::Asked | ConsentState::Given)
    };
    Ok(consent::of_case(tx, case)?.into_iter().find(open))
}

async fn standing(visit: &Visit, opened: &Opened) -> Result<Option<Consent>> {
    let case = case_of(opened.draft.id)?;
    let all = visit.app.store.read("t02.consent.read", move |tx| consent::of_case(tx, case)).await?;
    Ok(all.into_iter().next().filter(|held| !held.is_expired(visit.ctx.now)))
}

fn view(
    visit: &Visit,
    parts: &Parts,
    opened: &Opened,
    held: Option<&Consent>,
    problems: Vec<Problem>,
    form: Fields,
) -> ConsentPage {
    let (lang, draft, rules) = (visit.lang, &opened.draft, &opened.rules);
    let asked = fetch::wanted(rules, draft, parts.env.me());
    let state = held.map_or("none", |held| held.state.as_str());
    let last = rules.pages.last().map_or(String::new(), |page| format!("?page={}", page.id));
    let before = format!("/drafts/{}{last}", draft.id);
    let others = visit.app.cities.iter().filter(|city| draft.deciding != Some(city.node));
    let others = others.filter(|city| parts.catalogue.rules(draft.item, city.node).is_some());
    ConsentPage {
        frame: visit.frame("同意调取", "Consent").crumb("‹ 返回上一步", "‹ Back", &before).errors(&form),
        lang,
        draft: DraftHead::of(lang, draft, rules),
        consent: Stand { id: held.map(|held| held.id), state },
        groups: asked.iter().map(|wanted| group(visit, parts, opened, wanted)).collect(),
        asked,
        fetched: draft.fetched.iter().map(|it| got(lang, opened, it)).collect(),
        problems,
        step: step_words(lang, step_count(rules) - 1, step_count(rules)),
        deciding: draft.deciding.map_or(String::new(), |city| city_name(&visit.app, lang, city)),
        others: others.map(|city| (city.node, lang.t(&city.name, &city.name_en).to_owned())).collect(),
        form,
    }
}

fn got(lang: Lang, opened: &Opened, fetched: &Fetched) -> Got {
    let name = opened.rules.material(&fetched.material).map(|material| say(lang, &material.title).to_owned());
    Got {
        material: fetched.material.clone(),
        name: name.unwrap_or_default(),
        city: fetched.issuer,
        at: lang.moment(fetched.at),
    }
}

fn group(visit: &Visit, parts: &Parts, opened: &Opened, wanted: &Wanted) -> Group {
    let (lang, kind) = (visit.lang, parts.types.get(&wanted.type_id));
    let title = |field: &String| {
        let known = kind.and_then(|kind| kind.field(field));
        known.map_or(field.clone(), |field| lang.t(&field.title, &field.title_en).to_owned())
    };
    let material = opened.rules.material(&wanted.material);
    let held =
        opened.draft.fetched.iter().find(|it| it.material == wanted.material && it.issuer == wanted.city);
    Group {
        city: mark(&visit.app, lang, wanted.city),
        title: material.map_or(String::new(), |material| say(lang, &material.title).to_owned()),
        why: material.map_or(String::new(), |material| say(lang, &material.why).to_owned()),
        fields: wanted.fields.iter().map(title).collect(),
        got: held.is_some(),
        when: held.map_or(String::new(), |held| lang.moment(held.at)),
    }
}
