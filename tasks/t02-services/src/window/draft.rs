//! The form at the counter (收件): one page from the definition, and the formal check line by line.
//! Serves clauses 2.3 and 2.5.
//!
//! Invariants: the line about her consent is ticked by her answer, never by hand; what is typed is kept even
//! where it is wrong, and nothing goes on before it is right.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{Class, Ctx, DraftId, Error, Result};
use tb_case::ItemRules;
use tb_case::draft::{self as kept, Draft};
use tb_case::form as rule;
use tb_counter::ticket::Queue;
use tb_identity::people::{self, Person};
use tb_identity::permit::Action;
use tb_licence::consent::Consent;
use tb_store::{Tx, audit};
use tb_web::{FieldError, Fields, Form, Frame, Html, Lang, PageError, PageResult, Visit, redirect, ui};

use super::bench::{self, Silence, Stage};
use super::consent::{Standing, standing};
use super::{Clerk, draft_id, on_counter};
use crate::access::Shared;
use crate::cases::open::{OpenCase, same_item};
use crate::drafts::DraftHead;
use crate::fetch;
use crate::form::{self, Known};
use crate::parts::Parts;
use crate::words::{city, say};

/// The line of the formal check that her own answer ticks.
pub(super) const CONSENT_CHECK: &str = "consent-given";

/// A draft on the counter with everything that its pages show.
pub(super) struct Opened {
    pub(super) clerk: Clerk,
    pub(super) draft: Draft,
    pub(super) person: Person,
    pub(super) rules: Arc<ItemRules>,
    pub(super) consent: Option<Consent>,
    /// Cases of the same item that the person has under way.
    pub(super) open: Vec<OpenCase>,
    /// Who waits, and who stands here.
    pub(super) queue: Queue,
    /// Since when the city that decides does not answer.
    pub(super) silence: Option<Silence>,
}

/// Opens a draft of this office's counter.
pub(super) async fn open(visit: &Visit, parts: &Shared, id: &str) -> std::result::Result<Opened, PageError> {
    let (id, clerk) = (draft_id(id)?, Clerk::of(&visit.ctx, Action::CollectCase)?);
    let (shared, at, now, me) = (Arc::clone(&parts.0), clerk.clone(), visit.ctx.now, visit.ctx.node);
    let read = visit.app.store.read_snapshot("t02.window.draft", move |tx| {
        let draft = on_counter(tx, &shared.env, id, &at)?;
        let person = people::get(tx, &shared.vault, draft.person)?;
        let consent = super::consent::latest(tx, id)?;
        let open = same_item(tx, draft.person, draft.item)?;
        let queue = bench::queue(tx, &at, now)?;
        let silence = match draft.deciding.filter(|city| *city != me) {
            Some(city) => bench::silence(tx, city, now)?,
            None => None,
        };
        Ok((draft, person, consent, open, queue, silence))
    });
    let (draft, person, consent, open, queue, silence) = read.await?;
    let rules = crate::drafts::rules(parts, &draft)?;
    Ok(Opened { clerk, draft, person, rules, consent, open, queue, silence })
}

impl Opened {
    /// Who stands at the counter, in words.
    pub(super) fn facts(&self, visit: &Visit, parts: &Parts) -> ui::Facts {
        let lang = visit.lang;
        let fact =
            |label: &str, value: String, note: String| ui::Fact { label: label.to_owned(), value, note };
        let phone = self
            .person
            .phone
            .as_deref()
            .map_or_else(|| lang.t("登记中没有", "none in the register").to_owned(), masked_phone);
        let deciding = super::desk::deciding_name(visit, self.draft.deciding);
        let age = self.person.number.age_on(visit.ctx.now.date());
        let age = match lang {
            Lang::Zh => {
                format!("{}，{age} 岁，本人到场", if self.person.number.is_male() { "男" } else { "女" })
            }
            Lang::En => {
                format!("{}, {age}, present", if self.person.number.is_male() { "male" } else { "female" })
            }
        };
        let promised = parts
            .catalogue
            .rules(self.draft.item, parts.env.me())
            .map(|_| say(lang, &self.rules.clocks.promised.limit.words()).to_owned());
        let mut facts = vec![
            fact(lang.t("申请人", "Applicant"), self.person.name.clone(), age),
            fact(
                lang.t("号码", "Number"),
                self.person.number.masked(),
                lang.t("与登记一致", "agrees with the register").to_owned(),
            ),
            fact(lang.t("手机", "Phone"), phone, String::new()),
            fact(
                lang.t("办理地", "Decided in"),
                deciding,
                say(lang, &self.rules.offices.deciding.name).to_owned(),
            ),
        ];
        if let Some(promised) = promised {
            let note = if self.rules.clocks.promised.unconfirmed {
                lang.t("待核实", "to be verified")
            } else {
                ""
            };
            facts.push(fact(lang.t("承诺期限", "Promised"), promised, note.to_owned()));
        }
        ui::Facts { facts }
    }
}

/// `138 **** 4627`: enough to ask her whether it is the right one.
fn masked_phone(phone: &str) -> String {
    let (Some(head), Some(tail)) = (phone.get(..3), phone.get(phone.len().saturating_sub(4)..)) else {
        return "****".to_owned();
    };
    format!("{head} **** {tail}")
}

/// A line of the formal check.
#[derive(Serialize)]
struct CheckLine {
    id: String,
    text: String,
    ticked: bool,
    /// Ticked by her answer, not by hand.
    by_herself: bool,
}

#[derive(Template, Serialize)]
#[template(path = "window/draft.html")]
struct DraftPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    draft: DraftHead,
    fields: rule::Answers,
    checks: Vec<CheckLine>,
    errors: Vec<FieldError>,
    consent: Standing,
    /// Papers that are still to be fetched.
    outstanding: Vec<String>,
    #[serde(skip)]
    facts: ui::Facts,
    #[serde(skip)]
    questions: Html,
    form: Fields,
    saved: bool,
    /// It was begun on the site and is gone on with here.
    taken: bool,
    #[serde(skip)]
    column: Html,
    #[serde(skip)]
    way: Html,
    #[serde(skip)]
    down: Html,
}

impl DraftPage {
    fn at(&self, tail: &str) -> String {
        format!("/window/drafts/{}{tail}", self.draft.id)
    }

    fn ticked(&self) -> usize {
        self.checks.iter().filter(|check| check.ticked).count()
    }

    fn check_error(&self) -> Option<&str> {
        self.errors.iter().find(|error| error.name == "checks").map(|error| error.message.as_str())
    }
}

/// GET /window/drafts/{id}
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let opened = open(&visit, &parts, &id).await?;
    let known = known(&visit, &opened);
    let questions = form::asked(&opened.rules, None);
    let fields = form::filled(Fields::blank(&visit), &questions, &opened.draft, &known);
    let ticked = opened.draft.checks.clone();
    visit.page(view(&visit, &parts, &opened, fields, &ticked))
}

/// POST /window/drafts/{id}: keeps answers and ticks; `do=save` stays here, anything else checks all and goes on.
pub(crate) async fn save(visit: Visit, parts: Shared, id: Path<String>, sent: Form) -> PageResult {
    let mut opened = open(&visit, &parts, &id).await?;
    let mut fields = sent.fields();
    let rules = Arc::clone(&opened.rules);
    let questions = form::asked(&rules, None);
    let answers = form::read(&fields, &questions);
    let ticked = ticked(&fields, &opened);
    let saved = keep(&visit, &parts, &mut fields, &mut opened, &answers, &ticked).await?;
    if saved && fields.pressed() != "save" {
        complain(&mut fields, &opened);
    }
    if !saved || fields.has_errors() {
        return visit.form_again(view(&visit, &parts, &opened, fields, &ticked));
    }
    let draft = opened.draft.id;
    let next = match (fields.pressed(), fetch::outstanding(&rules, &opened.draft, visit.ctx.node).is_empty())
    {
        ("save", _) => format!("/window/drafts/{draft}?done=saved"),
        (_, true) => format!("/window/drafts/{draft}/check"),
        (_, false) => format!("/window/drafts/{draft}/consent"),
    };
    Ok(redirect(&next))
}

/// The lines that are ticked by hand, and the one that her answer has ticked.
fn ticked(fields: &Fields, opened: &Opened) -> BTreeSet<String> {
    let by_hand = opened
        .rules
        .checks
        .iter()
        .filter(|check| check.id != CONSENT_CHECK && fields.has("checks", &check.id));
    let by_herself = opened.draft.checks.iter().filter(|id| *id == CONSENT_CHECK);
    by_hand.map(|check| &check.id).chain(by_herself).cloned().collect()
}

/// Everything that is wrong with form and formal check, before it goes on.
fn complain(fields: &mut Fields, opened: &Opened) {
    for mistake in rule::check(&opened.rules, &opened.draft.answers) {
        fields.refuse(&mistake);
    }
    let open = opened
        .rules
        .checks
        .iter()
        .filter(|check| check.id != CONSENT_CHECK && !opened.draft.checks.contains(&check.id));
    for check in open {
        let refusal = tb_base::Refusal::invalid(
            "T02-WIN-008",
            format!("形式核对还没有勾选：{}", check.text.zh),
            format!("Not yet ticked: {}", check.text.en),
        );
        fields.refuse(&refusal.on("checks"));
    }
}

/// Saves answers and ticks on the version that was read; a draft changed elsewhere is shown with what was typed here.
async fn keep(
    visit: &Visit,
    parts: &Shared,
    fields: &mut Fields,
    opened: &mut Opened,
    answers: &rule::Answers,
    ticked: &BTreeSet<String>,
) -> std::result::Result<bool, PageError> {
    let version = fields.value("version").parse().unwrap_or(opened.draft.version);
    let (ctx, shared, id) = (visit.ctx.clone(), Arc::clone(&parts.0), opened.draft.id);
    let (clerk, answers, ticked) = (opened.clerk.clone(), answers.clone(), ticked.clone());
    let saved = visit.app.store.write("t02.window.save", move |tx| {
        on_counter(tx, &shared.env, id, &clerk)?;
        let held = kept::save(tx, &ctx, &shared.env, id, version, &answers)?;
        kept::check(tx, &ctx, &shared.env, id, held.version, &ticked)
    });
    match saved.await {
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

/// Ticks the line about her consent, after her answer.
pub(super) fn tick_consent(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    parts: &Parts,
    id: DraftId,
    given: bool,
) -> Result<()> {
    let Some(held) = kept::find(tx, &parts.env, id)? else { return Ok(()) };
    let mut ticked = held.checks.clone();
    let changed = if given { ticked.insert(CONSENT_CHECK.to_owned()) } else { ticked.remove(CONSENT_CHECK) };
    if changed {
        kept::check(tx, ctx, &parts.env, id, held.version, &ticked)?;
    }
    Ok(())
}

/// POST /window/drafts/{id}/discard: she does not go on; everything that was fetched is deleted with it.
pub(crate) async fn discard(visit: Visit, parts: Shared, id: Path<String>, _: Form) -> PageResult {
    let opened = open(&visit, &parts, &id).await?;
    let (ctx, draft) = (visit.ctx.clone(), opened.draft.id);
    let gone = visit.app.store.write("t02.window.discard", move |tx| {
        kept::discard(tx, draft)?;
        tb_licence::consent::end_of_case(tx, &ctx, crate::access::case_of(draft)?)?;
        audit::line(tx, &ctx, "case.draft", draft.as_str(), "discarded")
    });
    gone.await?;
    Ok(redirect("/window"))
}

fn known(visit: &Visit, opened: &Opened) -> BTreeMap<String, Known> {
    form::known(&opened.rules, &opened.draft, &opened.person, &city(&visit.app, visit.ctx.node))
}

fn view(
    visit: &Visit,
    parts: &Parts,
    opened: &Opened,
    fields: Fields,
    ticked: &BTreeSet<String>,
) -> DraftPage {
    let (lang, rules) = (visit.lang, &opened.rules);
    let questions = form::asked(rules, None);
    let check = |check: &tb_case::definitions::Check| CheckLine {
        id: check.id.clone(),
        text: say(lang, &check.text).to_owned(),
        ticked: ticked.contains(&check.id),
        by_herself: check.id == CONSENT_CHECK,
    };
    let title = |wanted: fetch::Wanted| {
        rules
            .material(&wanted.material)
            .map_or(wanted.material, |material| say(lang, &material.title).to_owned())
    };
    let outstanding =
        fetch::outstanding(rules, &opened.draft, visit.ctx.node).into_iter().map(title).collect();
    let heading = format!("{} · {}", say(lang, &rules.item.title), opened.person.name);
    let frame = visit.frame(&heading, &heading).crumb("专窗", "Counter", "/window").errors(&fields);
    DraftPage {
        frame,
        lang,
        draft: DraftHead::of(lang, &opened.draft, rules),
        fields: form::read(&fields, &questions),
        checks: rules.checks.iter().map(check).collect(),
        errors: fields.all_errors().to_vec(),
        consent: standing(opened.consent.as_ref(), visit.ctx.now),
        outstanding,
        facts: opened.facts(visit, parts),
        questions: form::show(&fields, rules, &questions, &known(visit, opened)),
        form: fields,
        saved: visit.param("done").is_some_and(|done| done == "saved"),
        taken: visit.param("done").is_some_and(|done| done == "taken"),
        column: bench::column(visit, parts, &opened.queue),
        way: bench::way(lang, Stage::Form),
        down: bench::while_silent(visit, opened.silence, Stage::Form),
    }
}
