//! The check before collecting (核对), and collecting (收件并移交).
//! Serves clauses 2.3 and 2.5.
//!
//! Invariant: the same command collects once; whatever is missing is told all at once.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{Date, Deadline, DeadlineInput, Error, MessageId, NodeId, OfficeId, Refusal, Timestamp};
use tb_case::definitions::{ClockRule, Question};
use tb_case::draft as kept;
use tb_case::{form as rule, submit};
use tb_counter::journal::{self, Kind, Note};
use tb_identity::permit::Action;
use tb_licence::types::LicenceType;
use tb_web::{Fields, Form, Frame, Html, Lang, PageResult, Visit, redirect, ui};

use super::bench::{self, Stage};
use super::consent::{Standing, standing};
use super::draft::{Opened, open};
use super::{Clerk, draft_id};
use crate::access::{Shared, command};
use crate::cases::open::OpenCase;
use crate::drafts::DraftHead;
use crate::form;
use crate::parts::Parts;
use crate::words::{city_name, discreet, say};

/// A value with where it comes from; an empty source is her own word.
#[derive(Serialize)]
struct Line {
    id: String,
    label: String,
    value: String,
    source: String,
}

/// A paper that was fetched.
#[derive(Serialize)]
struct Paper {
    material: String,
    title: String,
    issuer: NodeId,
    version: u32,
    digest: String,
    at: Timestamp,
    values: Vec<Line>,
}

#[derive(Template, Serialize)]
#[template(path = "window/check.html")]
struct CheckPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    draft: DraftHead,
    answers: Vec<Line>,
    papers: Vec<Paper>,
    checks: Vec<String>,
    missing: Vec<Refusal>,
    /// Cases of the same item that the person has under way.
    open: Vec<OpenCase>,
    /// The office of this counter: only its own cases can be opened here.
    #[serde(skip)]
    here: OfficeId,
    consent: Standing,
    command: MessageId,
    legal: Date,
    promised: Date,
    hand_over: Date,
    #[serde(skip)]
    facts: ui::Facts,
    #[serde(skip)]
    office: String,
    #[serde(skip)]
    unconfirmed: bool,
    form: Fields,
    #[serde(skip)]
    column: Html,
    #[serde(skip)]
    way: Html,
    #[serde(skip)]
    down: Html,
}

impl CheckPage {
    fn at(&self, tail: &str) -> String {
        format!("/window/drafts/{}{tail}", self.draft.id)
    }

    fn answers_list(&self) -> ui::Summary {
        let change = self.lang.t("改", "Change");
        let row = |line: &Line| {
            let row = ui::SummaryRow::new(&line.label, &line.value);
            let own = if line.source.is_empty() {
                self.lang.t("本人口述", "as she said")
            } else {
                line.source.as_str()
            };
            row.yours(own).action(change, format!("{}#{}", self.at(""), line.id))
        };
        ui::Summary { rows: self.answers.iter().map(row).collect() }
    }

    fn paper_list(&self, paper: &Paper) -> ui::Summary {
        let row = |line: &Line| ui::SummaryRow::new(&line.label, &line.value).from(&line.source);
        ui::Summary { rows: paper.values.iter().map(row).collect() }
    }

    fn digest(&self, paper: &Paper) -> String {
        paper.digest.get(..16).unwrap_or(&paper.digest).to_owned()
    }
}

/// GET /window/drafts/{id}/check
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let opened = open(&visit, &parts, &id).await?;
    let command = visit.ctx.id(MessageId::new);
    visit.page(view(&visit, &parts, &opened, command, Fields::blank(&visit)))
}

/// POST /window/drafts/{id}/submit: `command` makes it happen once.
pub(crate) async fn collect(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    let (draft, clerk) = (draft_id(&id)?, Clerk::of(&visit.ctx, Action::CollectCase)?);
    let mut fields = form.fields();
    let command = command(&visit.ctx, &fields)?;
    let (ctx, shared) = (visit.ctx.clone(), Arc::clone(&parts.0));
    let handed_in = visit.app.store.write("t02.window.submit", move |tx| {
        if kept::find(tx, &shared.env, draft)?.is_some_and(|held| held.office.as_ref() != Some(&clerk.office))
        {
            return Err(super::gone());
        }
        let about = kept::find(tx, &shared.env, draft)?.map(|held| (held.item, held.deciding));
        let case = submit(tx, &ctx, &shared.env, draft, command)?;
        if let Some((item, city)) = about {
            let note = Note { kind: Kind::Collected, case, item, city, ground: None };
            journal::note(tx, &ctx, (&clerk.office, clerk.staff), command, &note)?;
        }
        Ok(case)
    });
    match handed_in.await {
        Ok(case) => Ok(redirect(&format!("/window/cases/{case}?done=collected"))),
        Err(Error::Refused(refusal))
            if refusal.code.starts_with("CAS-DRA") || refusal.code.starts_with("T02-WIN") =>
        {
            Err(Error::Refused(refusal).into())
        }
        Err(Error::Refused(refusal)) => {
            let opened = open(&visit, &parts, &id).await?;
            let missing = missing(&opened);
            if missing.is_empty() {
                fields.refuse(&refusal);
            }
            missing.iter().for_each(|missing| fields.refuse(missing));
            visit.form_again(view(&visit, &parts, &opened, command, fields))
        }
        Err(error) => Err(error.into()),
    }
}

/// Everything that is still missing, in the words of the definition.
fn missing(opened: &Opened) -> Vec<Refusal> {
    let worded = |refusal: &Refusal| {
        let about = refusal.field.as_deref().unwrap_or_default();
        let material = opened.rules.material(about).map(|it| &it.title);
        let check = opened.rules.checks.iter().find(|check| check.id == about).map(|it| &it.text);
        match (material, check) {
            (Some(title), _) => Refusal {
                zh: refusal.zh.replace(about, &title.zh).into(),
                en: refusal.en.replace(about, &title.en).into(),
                ..refusal.clone()
            },
            (None, Some(text)) => Refusal {
                zh: format!("形式核对还没有完成：{}", text.zh).into(),
                en: format!("The formal check is not complete: {}", text.en).into(),
                ..refusal.clone()
            },
            (None, None) => refusal.clone(),
        }
    };
    submit::missing(&opened.draft, &opened.rules).iter().map(worded).collect()
}

fn view(visit: &Visit, parts: &Parts, opened: &Opened, command: MessageId, form: Fields) -> CheckPage {
    let (lang, rules) = (visit.lang, &opened.rules);
    let due = |clock: &ClockRule| {
        Deadline::compute(&parts.calendar, &DeadlineInput::new(visit.ctx.now, clock.limit.limit())).date
    };
    let ticked = rules.checks.iter().filter(|check| opened.draft.checks.contains(&check.id));
    let frame = visit.frame("核对后收件", "Check and collect").crumb("专窗", "Counter", "/window");
    CheckPage {
        frame: frame.crumb("收件", "Collect", &format!("/window/drafts/{}", opened.draft.id)).errors(&form),
        lang,
        draft: DraftHead::of(lang, &opened.draft, rules),
        answers: answers(visit, opened),
        papers: papers(visit, parts, opened),
        checks: ticked.map(|check| say(lang, &check.text).to_owned()).collect(),
        missing: missing(opened),
        open: opened.open.clone(),
        here: opened.clerk.office.clone(),
        consent: standing(opened.consent.as_ref(), visit.ctx.now),
        command,
        legal: due(&rules.clocks.legal),
        promised: due(&rules.clocks.promised),
        hand_over: due(&rules.clocks.hand_over),
        facts: opened.facts(visit, parts),
        office: say(lang, &rules.offices.deciding.name).to_owned(),
        unconfirmed: rules.clocks.promised.unconfirmed || rules.clocks.hand_over.unconfirmed,
        form,
        column: bench::column(visit, parts, &opened.queue),
        way: bench::way(lang, Stage::Collect),
        down: bench::while_silent(visit, opened.silence, Stage::Collect),
    }
}

fn answers(visit: &Visit, opened: &Opened) -> Vec<Line> {
    let lang = visit.lang;
    let answers = rule::clean(&opened.rules, &opened.draft.answers);
    let line = |question: &Question| {
        let answer = answers.get(&question.id)?;
        Some(Line {
            id: question.id.clone(),
            label: say(lang, &question.text).to_owned(),
            value: say(lang, &form::spoken(question, answer)).to_owned(),
            source: String::new(),
        })
    };
    opened
        .rules
        .all_questions()
        .filter(|question| rule::is_asked(question, &answers))
        .filter_map(line)
        .collect()
}

fn papers(visit: &Visit, parts: &Parts, opened: &Opened) -> Vec<Paper> {
    let lang = visit.lang;
    let paper = |fetched: &kept::Fetched| {
        let (city, at) = (city_name(&visit.app, lang, fetched.issuer), lang.moment(fetched.at));
        let source = match lang {
            Lang::Zh => format!("{city}答复，{at}"),
            Lang::En => format!("answered by {city}, {at}"),
        };
        let kind = parts.types.get(&fetched.kind);
        let line = |kind: &LicenceType, field: &tb_licence::types::Field| {
            Some(Line {
                id: format!("{}.{}", fetched.material, field.id),
                label: lang.t(&field.title, &field.title_en).to_owned(),
                value: discreet(kind, &fetched.values, field)?,
                source: source.clone(),
            })
        };
        let title = opened.rules.material(&fetched.material).map(|it| say(lang, &it.title).to_owned());
        Paper {
            material: fetched.material.clone(),
            title: title.unwrap_or_else(|| fetched.material.clone()),
            issuer: fetched.issuer,
            version: fetched.version,
            digest: fetched.digest.clone(),
            at: fetched.at,
            values: kind.map_or_else(Vec::new, |kind| {
                kind.fields.iter().filter_map(|field| line(kind, field)).collect()
            }),
        }
    };
    opened.draft.fetched.iter().map(paper).collect()
}
