//! One page of the form (填写): what is known stands in it already, every mistake is said at once.
//! Serves clause 2.2.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{Class, Error};
use tb_case::definitions::{FormPage, Question};
use tb_case::draft;
use tb_case::form::{self as rule, Answers};
use tb_web::{FieldError, Fields, Form, Frame, Html, Lang, PageError, PageResult, Visit, redirect};

use super::{DraftHead, Opened, open, step_count, step_words};
use crate::access::Shared;
use crate::fetch;
use crate::form::{self, Known};
use crate::parts::Parts;
use crate::words::{city, say};

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t02/draft.html")]
struct DraftPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    draft: DraftHead,
    /// The page that is shown; empty for the whole form.
    page: String,
    /// Every page of the form, in order.
    pages: Vec<String>,
    /// The answers as they stand.
    fields: Answers,
    errors: Vec<FieldError>,
    title: String,
    step: String,
    #[serde(skip)]
    form: Fields,
    #[serde(skip)]
    questions: Html,
    #[serde(skip)]
    back: String,
}

/// GET /drafts/{draft}?page=: the page that is named, or the first that is not finished.
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let opened = open(&visit, &parts, &id).await?;
    let named = visit.param("page");
    let page = named.as_deref().and_then(|id| form::page(&opened.rules, id)).or_else(|| first_open(&opened));
    let known = known(&visit, &opened);
    // Programs that name no page get the whole form at once.
    let page = if visit.wants_json && named.is_none() { None } else { page };
    let questions = form::asked(&opened.rules, page);
    let fields = form::filled(Fields::blank(&visit), &questions, &opened.draft, &known);
    let back = visit.param("back").unwrap_or_default();
    visit.page(view(&visit, &opened, page, fields, &known, &back))
}

/// The first page with something still to answer; the first one where all is answered.
fn first_open(opened: &Opened) -> Option<&FormPage> {
    let rules = &opened.rules;
    let open = |page: &&FormPage| !rule::check_page(rules, &page.id, &opened.draft.answers).is_empty();
    rules.pages.iter().find(open).or(rules.pages.first())
}

/// POST /drafts/{draft}: `action=save` keeps what is typed as it is, `action=next` checks it and goes on.
pub(crate) async fn send(visit: Visit, parts: Shared, id: Path<String>, sent: Form) -> PageResult {
    let mut opened = open(&visit, &parts, &id).await?;
    let mut fields = sent.fields();
    let named = fields.value("page").to_owned();
    let rules = Arc::clone(&opened.rules);
    let page = form::page(&rules, &named);
    let questions = form::asked(&rules, page);
    let answers = form::read(&fields, &questions);
    let save_only = fields.value("action") == "save";
    if !save_only {
        complain(&mut fields, &opened, page, &answers);
    }
    if !fields.has_errors() && save(&visit, &parts, &mut fields, &mut opened, answers).await? {
        let back = fields.value("back").to_owned();
        let next =
            if save_only { "/cases?done=saved".to_owned() } else { next(&parts, &opened, page, &back) };
        return Ok(redirect(&next));
    }
    let (known, back) = (known(&visit, &opened), fields.value("back").to_owned());
    visit.form_again(view(&visit, &opened, page, fields, &known, &back))
}

/// Every mistake of what was sent, together with what the draft holds.
fn complain(fields: &mut Fields, opened: &Opened, page: Option<&FormPage>, answers: &Answers) {
    let mut all = opened.draft.answers.clone();
    all.extend(answers.iter().map(|(id, answer)| (id.clone(), answer.clone())));
    let mistakes = match page {
        Some(page) => rule::check_page(&opened.rules, &page.id, &all),
        None => rule::check(&opened.rules, &all),
    };
    for mistake in mistakes {
        fields.refuse(&mistake);
    }
}

/// Saves; a draft that was changed elsewhere meanwhile is shown with what was typed here, to be sent once more.
async fn save(
    visit: &Visit,
    parts: &Arc<Parts>,
    fields: &mut Fields,
    opened: &mut Opened,
    answers: Answers,
) -> Result<bool, PageError> {
    let version = fields.value("version").parse().unwrap_or(opened.draft.version);
    let (ctx, shared, id) = (visit.ctx.clone(), Arc::clone(parts), opened.draft.id);
    let saved = visit
        .app
        .store
        .write("t02.draft.save", move |tx| draft::save(tx, &ctx, &shared.env, id, version, &answers))
        .await;
    match saved {
        Ok(draft) => {
            opened.draft = draft;
            Ok(true)
        }
        Err(Error::Refused(refusal)) if matches!(refusal.class, Class::Conflict | Class::Invalid) => {
            fields.refuse(&refusal);
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Where it goes on: the next page, then the consent, then the check.
fn next(parts: &Parts, opened: &Opened, page: Option<&FormPage>, back: &str) -> String {
    let (id, rules) = (opened.draft.id, &opened.rules);
    let at = page.and_then(|page| rules.pages.iter().position(|it| it.id == page.id));
    let following = at.and_then(|at| rules.pages.get(at + 1));
    match following {
        Some(page) if back != "check" => format!("/drafts/{id}?page={}", page.id),
        Some(_) | None if fetch::outstanding(rules, &opened.draft, parts.env.me()).is_empty() => {
            format!("/drafts/{id}/check")
        }
        Some(_) | None => format!("/drafts/{id}/consent"),
    }
}

fn known(visit: &Visit, opened: &Opened) -> BTreeMap<String, Known> {
    form::known(&opened.rules, &opened.draft, &opened.person, &city(&visit.app, visit.ctx.node))
}

fn view(
    visit: &Visit,
    opened: &Opened,
    page: Option<&FormPage>,
    fields: Fields,
    known: &BTreeMap<String, Known>,
    back: &str,
) -> DraftPage {
    let (lang, rules) = (visit.lang, &opened.rules);
    let questions = form::asked(rules, page);
    let at = page.and_then(|page| rules.pages.iter().position(|it| it.id == page.id)).unwrap_or(0);
    let name = say(lang, &rules.item.title);
    let title = page.map_or(name, |page| say(lang, &page.title)).to_owned();
    let heading = format!("{title} · {name}");
    let before = at.checked_sub(1).and_then(|at| rules.pages.get(at));
    let before = match before {
        Some(page) => format!("/drafts/{}?page={}", opened.draft.id, page.id),
        None => format!("/items/{}", opened.draft.item),
    };
    DraftPage {
        frame: visit.frame(&heading, &heading).crumb("‹ 返回上一步", "‹ Back", &before).errors(&fields),
        lang,
        draft: DraftHead::of(lang, &opened.draft, rules),
        page: page.map_or(String::new(), |page| page.id.clone()),
        pages: rules.pages.iter().map(|page| page.id.clone()).collect(),
        fields: shown(&fields, &questions),
        errors: fields.all_errors().to_vec(),
        title,
        step: step_words(lang, at + 1, step_count(rules)),
        questions: form::show(&fields, rules, &questions, known),
        form: fields,
        back: if back == "check" { "check".to_owned() } else { String::new() },
    }
}

/// The answers as the form shows them.
fn shown(fields: &Fields, questions: &[&Question]) -> Answers {
    form::read(fields, questions)
}
