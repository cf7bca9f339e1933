//! Her consent at the counter (窗口授权): read aloud, answered by a code on her phone or by her own hand.
//! Serves clauses 2.3 and 3.4.
//!
//! Invariants: the clerk alone can never answer for her; a wrong code costs a try that is written down;
//! a city that does not answer leaves consent and draft as they are, to be tried again.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::Serialize;
use tb_base::{Class, Ctx, DraftId, Error, NodeId, Refusal, Result, Timestamp};
use tb_identity::permit::Action;
use tb_licence::consent::{self, Channel, Consent, ConsentId, ConsentState, Manner, Question, Typed};
use tb_store::Tx;
use tb_web::{Field, Fields, Form, Frame, Html, Input, Lang, PageError, PageResult, Visit, redirect, ui};

use super::bench::{self, Stage};
use super::draft::{Opened, open, tick_consent};
use super::{Clerk, on_counter, signature};
use crate::access::{Shared, case_of};
use crate::drafts::DraftHead;
use crate::fetch::{self, Problem};
use crate::parts::Parts;
use crate::words::{city_name, mark, say};

const CODE: Field<'static> =
    Field::new("code", "本人手机上的验证码", "The code on the applicant's phone", Input::Digits)
        .hint(
            "6 位数字，10 分钟内有效；告诉窗口即同意",
            "6 digits, valid for 10 minutes; telling it means yes",
        )
        .autocomplete("one-time-code");

/// Digits of a code.
const CODE_DIGITS: usize = 6;

/// Where the consent stands, as pages and programs read it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Standing {
    /// The consent; none before she was asked.
    pub(super) id: Option<ConsentId>,
    /// `none`, `asked`, `given`, `refused`, `withdrawn` or `over`.
    pub(super) state: &'static str,
    /// How often a code may still be typed.
    pub(super) tries_left: u32,
    /// How she is asked: `code` or `signature`.
    pub(super) how: &'static str,
    /// Since when it is given.
    pub(super) since: Option<Timestamp>,
}

/// Where the latest consent stands.
pub(super) fn standing(held: Option<&Consent>, now: Timestamp) -> Standing {
    let Some(held) = held else {
        return Standing { id: None, state: "none", tries_left: 0, how: "", since: None };
    };
    let state = if held.is_expired(now) { "over" } else { held.state.as_str() };
    let how = match (held.manner, held.code_expires) {
        (Some(Manner::Code), _) | (None, Some(_)) => "code",
        (Some(Manner::Signature | Manner::App), _) | (None, None) => "signature",
    };
    let since = held.answered_at.filter(|_| held.state == ConsentState::Given);
    Standing { id: Some(held.id), state, tries_left: held.tries_left, how, since }
}

/// The latest consent that was asked for a draft.
pub(super) fn latest(tx: &mut Tx<'_>, draft: DraftId) -> Result<Option<Consent>> {
    Ok(consent::of_case(tx, case_of(draft)?)?.into_iter().next())
}

/// One paper that is asked for, in words.
#[derive(Serialize)]
struct Paper {
    material: String,
    title: String,
    why: String,
    city: NodeId,
    fields: Vec<String>,
    fetched: bool,
    at: Option<Timestamp>,
    #[serde(skip)]
    mark: Option<ui::CityMark>,
}

#[derive(Template, Serialize)]
#[template(path = "window/consent.html")]
struct ConsentPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    draft: DraftHead,
    consent: Standing,
    papers: Vec<Paper>,
    problems: Vec<Problem>,
    /// The cities that are waited for, with since when.
    waiting: Vec<String>,
    has_phone: bool,
    #[serde(skip)]
    person: String,
    #[serde(skip)]
    deciding: String,
    form: Fields,
    #[serde(skip)]
    column: Html,
    #[serde(skip)]
    way: Html,
    #[serde(skip)]
    down: Html,
}

impl ConsentPage {
    fn at(&self, tail: &str) -> String {
        format!("/window/drafts/{}{tail}", self.draft.id)
    }

    fn is_given(&self) -> bool {
        self.consent.state == "given"
    }

    fn is_asked(&self) -> bool {
        self.consent.state == "asked"
    }

    fn is_complete(&self) -> bool {
        self.papers.iter().all(|paper| paper.fetched)
    }

    fn fields(&self) -> Vec<Field<'static>> {
        match (self.consent.how, self.consent.tries_left) {
            ("code", 1..) => vec![CODE],
            _ => Vec::new(),
        }
    }

    fn signing(&self) -> [Field<'static>; 2] {
        signature::shown()
    }

    fn why(&self, problem: &Problem) -> String {
        let way_out = self.lang.way_out(&problem.refusal).unwrap_or_default();
        format!("{}{}{way_out}", self.lang.refusal(&problem.refusal), self.lang.t("。", ". "))
    }

    fn state_word(&self) -> &'static str {
        match self.consent.state {
            "asked" => self.lang.t("等本人答复", "Waits for her answer"),
            "given" => self.lang.t("本人已同意", "She agreed"),
            "refused" => self.lang.t("本人不同意", "She did not agree"),
            "withdrawn" => self.lang.t("本人已撤回", "She took it back"),
            "over" => self.lang.t("已过期，请重新征求", "Over; ask again"),
            _ => self.lang.t("还没有征求", "Not asked yet"),
        }
    }

    fn state_tag(&self) -> &'static str {
        match self.consent.state {
            "given" => "done",
            "refused" | "withdrawn" => "stop",
            "asked" | "over" => "wait",
            _ => "",
        }
    }
}

/// GET /window/drafts/{id}/consent
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let opened = open(&visit, &parts, &id).await?;
    visit.page(view(&visit, &parts, &opened, Vec::new(), Fields::blank(&visit)))
}

/// POST /window/drafts/{id}/consent/ask: `how=code` sends a code to her phone, `how=signature` lets her sign.
pub(crate) async fn ask(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    Clerk::of(&visit.ctx, Action::FetchLicence)?;
    let opened = open(&visit, &parts, &id).await?;
    let mut fields = form.fields();
    let by_code = match fields.value("how") {
        "code" => true,
        "signature" => false,
        _ => {
            fields.refuse(
                &Refusal::invalid("T02-WCN-001", "请选验证码或签名", "Choose code or signature").on("how"),
            );
            return visit.form_again(view(&visit, &parts, &opened, Vec::new(), fields));
        }
    };
    let channel = if by_code { Channel::Window } else { Channel::App };
    let question = fetch::question(&opened.rules, &opened.draft, visit.ctx.node, channel)?;
    let (ctx, shared, draft, clerk) =
        (visit.ctx.clone(), Arc::clone(&parts.0), opened.draft.id, opened.clerk.clone());
    let asked = visit.app.store.write("t02.window.ask", move |tx| {
        on_counter(tx, &shared.env, draft, &clerk)?;
        request(tx, &ctx, &shared, draft, &question, by_code)
    });
    match took(&mut fields, asked.await)? {
        Some(()) => Ok(redirect(&format!("/window/drafts/{draft}/consent"))),
        None => visit.form_again(view(&visit, &parts, &opened, Vec::new(), fields)),
    }
}

/// Asks anew, or sends a new code for the question that still waits; what she has agreed to is not asked twice.
fn request(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    parts: &Parts,
    draft: DraftId,
    question: &Question,
    by_code: bool,
) -> Result<()> {
    let open = latest(tx, draft)?.filter(|held| {
        !held.is_expired(ctx.now) && held.deciding == question.deciding && held.asked == question.asked
    });
    match open {
        Some(held) if held.state == ConsentState::Given => Ok(()),
        Some(held) if held.state == ConsentState::Asked && 0 < held.tries_left => match by_code {
            true => consent::send_code(tx, ctx, &parts.vault, &parts.types, held.id).map(drop),
            false => Ok(()),
        },
        Some(_) | None => {
            let held = consent::request(tx, ctx, &parts.vault, &parts.types, question.clone())?;
            if by_code && held.code_expires.is_none() {
                return Err(no_phone().into());
            }
            Ok(())
        }
    }
}

fn no_phone() -> Refusal {
    Refusal::not_now(
        "T02-WCN-002",
        "登记中没有本人的手机号，不能发验证码",
        "The register knows no phone of hers; no code can be sent",
    )
    .on("how")
    .but("请本人在屏幕上签名", "Let her sign on the screen")
}

/// POST /window/drafts/{id}/consent: a `code`, a `signature` or a `scan`; `do=refuse` for no, `do=retry` to fetch again.
pub(crate) async fn answer(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    Clerk::of(&visit.ctx, Action::FetchLicence)?;
    let opened = open(&visit, &parts, &id).await?;
    let mut fields = form.fields();
    let Some(held) = opened.consent.as_ref().map(|held| held.id) else {
        fields.refuse(
            &Refusal::not_now("T02-WCN-003", "还没有征求本人同意", "She has not been asked yet")
                .but("先发验证码或请本人签名", "Send a code or let her sign first"),
        );
        return visit.form_again(view(&visit, &parts, &opened, Vec::new(), fields));
    };
    match fields.pressed() {
        "refuse" => {
            refuse(&visit, &parts, &opened, held).await?;
            Ok(redirect(&format!("/window/drafts/{}/consent", opened.draft.id)))
        }
        "retry" => fetch_all(&visit, &parts, &id, held).await,
        _ => match confirm(&visit, &parts, &mut fields, &opened, held).await? {
            true => fetch_all(&visit, &parts, &id, held).await,
            false => {
                let opened = open(&visit, &parts, &id).await?;
                visit.form_again(view(&visit, &parts, &opened, Vec::new(), fields))
            }
        },
    }
}

/// Her answer, by code or by hand; false where the form says what is wrong with it.
async fn confirm(
    visit: &Visit,
    parts: &Shared,
    fields: &mut Fields,
    opened: &Opened,
    held: ConsentId,
) -> std::result::Result<bool, PageError> {
    let (code, signed) = (fields.read(&CODE).max(12).optional(), signature::read(fields));
    let (Some(code), Some(signed)) = (code, signed) else { return Ok(false) };
    if code.is_none() && signed.is_none() {
        let refusal = Refusal::invalid("T02-WCN-004", "还没有本人的答复", "Her answer is missing").but(
            "输入本人手机上的验证码，或请本人签名",
            "Type the code on the phone, or let the applicant sign",
        );
        fields.refuse(&refusal.on(if standing(opened.consent.as_ref(), visit.ctx.now).how == "code" {
            "code"
        } else {
            "signature"
        }));
        return Ok(false);
    }
    if code.as_ref().is_some_and(|code| !is_code(code)) {
        fields.wrong(&CODE, &no_code());
        return Ok(false);
    }
    let (ctx, shared, draft, clerk) =
        (visit.ctx.clone(), Arc::clone(&parts.0), opened.draft.id, opened.clerk.clone());
    let answered = visit.app.store.write("t02.window.consent", move |tx| {
        on_counter(tx, &shared.env, draft, &clerk)?;
        let wrong = match (&code, &signed) {
            (Some(code), _) => match consent::confirm_by_code(tx, &ctx, &shared.vault, held, code)? {
                Typed::Given(_) => None,
                Typed::Wrong { tries_left } => Some(tries_left),
            },
            (None, Some(signed)) => consent::confirm_by_signature(tx, &ctx, held, signed).map(|_| None)?,
            (None, None) => None,
        };
        if wrong.is_none() {
            tick_consent(tx, &ctx, &shared, draft, true)?;
        }
        Ok(wrong)
    });
    match took(fields, answered.await)? {
        Some(None) => Ok(true),
        Some(Some(tries_left)) => {
            fields.wrong(&CODE, &wrong_code(tries_left));
            Ok(false)
        }
        None => Ok(false),
    }
}

fn wrong_code(tries_left: u32) -> Refusal {
    if tries_left == 0 {
        return Refusal::invalid(
            "T02-WCN-006",
            "验证码不对，这次的次数用完了",
            "The code is wrong, and no tries are left",
        )
        .but(
            "请重发验证码重新征求，或请本人签名",
            "Send a new code to ask again, or let the applicant sign",
        );
    }
    Refusal::invalid(
        "T02-WCN-005",
        format!("验证码不对，还可以试 {tries_left} 次"),
        format!("The code is wrong; {tries_left} tries are left"),
    )
    .but("请本人再看一次最新的短信", "Let the applicant look at the latest message again")
}

/// What cannot be a code at all is a slip of the hand and costs no try.
fn no_code() -> Refusal {
    Refusal::invalid("T02-WCN-007", "验证码是 6 位数字，没有扣次数", "A code has 6 digits; this cost no try")
        .but("请照短信重新输入", "Type it from the message again")
}

fn is_code(text: &str) -> bool {
    let letters = text.chars().filter(|letter| !letter.is_whitespace());
    letters.clone().count() == CODE_DIGITS && letters.into_iter().all(|letter| letter.is_ascii_digit())
}

/// What the licence block refuses about her answer stands in the form, also where it is only too late or too early.
fn took<T>(fields: &mut Fields, outcome: Result<T>) -> std::result::Result<Option<T>, PageError> {
    match outcome {
        Err(Error::Refused(refusal)) if matches!(refusal.class, Class::NotNow | Class::Conflict) => {
            fields.refuse(&refusal);
            Ok(None)
        }
        outcome => fields.take(outcome),
    }
}

async fn refuse(visit: &Visit, parts: &Shared, opened: &Opened, held: ConsentId) -> Result<()> {
    let (ctx, shared, draft) = (visit.ctx.clone(), Arc::clone(&parts.0), opened.draft.id);
    let given = opened.consent.as_ref().is_some_and(|held| held.state == ConsentState::Given);
    let refused = visit.app.store.write("t02.window.refuse", move |tx| {
        match given {
            true => consent::withdraw(tx, &ctx, held)?,
            false => consent::refuse(tx, &ctx, held)?,
        };
        tick_consent(tx, &ctx, &shared, draft, false)
    });
    refused.await
}

/// Fetches what is missing; goes on where everything is there, else says which city waits.
async fn fetch_all(visit: &Visit, parts: &Shared, id: &str, held: ConsentId) -> PageResult {
    let opened = open(visit, parts, id).await?;
    let actor = format!("window/{}", opened.clerk.office);
    let problems = fetch::all(&visit.app, &visit.ctx, &parts.0, opened.draft.id, held, &actor).await?;
    if problems.is_empty() {
        return Ok(redirect(&format!("/window/drafts/{}/check", opened.draft.id)));
    }
    let opened = open(visit, parts, id).await?;
    visit.page_with(StatusCode::CONFLICT, view(visit, parts, &opened, problems, Fields::blank(visit)))
}

fn view(visit: &Visit, parts: &Parts, opened: &Opened, problems: Vec<Problem>, form: Fields) -> ConsentPage {
    let (lang, rules) = (visit.lang, &opened.rules);
    let wanted = fetch::wanted(rules, &opened.draft, visit.ctx.node);
    let papers: Vec<Paper> = wanted.iter().map(|wanted| paper(visit, parts, opened, wanted)).collect();
    let standing = standing(opened.consent.as_ref(), visit.ctx.now);
    let waiting = match standing.since {
        Some(since) => waiting(visit, &papers, since),
        None => Vec::new(),
    };
    ConsentPage {
        frame: visit
            .frame("取得本人同意", "Her consent")
            .crumb("专窗", "Counter", "/window")
            .crumb("收件", "Collect", &format!("/window/drafts/{}", opened.draft.id))
            .errors(&form),
        lang,
        draft: DraftHead::of(lang, &opened.draft, rules),
        consent: standing,
        papers,
        problems,
        waiting,
        has_phone: opened.person.phone.is_some(),
        person: opened.person.name.clone(),
        deciding: say(lang, &rules.offices.deciding.name).to_owned(),
        form,
        column: bench::column(visit, parts, &opened.queue),
        way: bench::way(lang, Stage::Consent),
        down: bench::while_silent(visit, opened.silence, Stage::Consent),
    }
}

fn paper(visit: &Visit, parts: &Parts, opened: &Opened, wanted: &fetch::Wanted) -> Paper {
    let (lang, kind) = (visit.lang, parts.types.get(&wanted.type_id));
    let name = |id: &String| {
        let field = kind.and_then(|kind| kind.field(id));
        field.map_or_else(|| id.clone(), |field| lang.t(&field.title, &field.title_en).to_owned())
    };
    let material = opened.rules.material(&wanted.material);
    let held =
        opened.draft.fetched.iter().find(|it| it.material == wanted.material && it.issuer == wanted.city);
    Paper {
        material: wanted.material.clone(),
        title: material.map_or_else(|| wanted.material.clone(), |it| say(lang, &it.title).to_owned()),
        why: material.map_or_else(String::new, |it| say(lang, &it.why).to_owned()),
        city: wanted.city,
        fields: wanted.fields.iter().map(name).collect(),
        fetched: held.is_some(),
        at: held.map(|held| held.at),
        mark: mark(&visit.app, lang, wanted.city),
    }
}

/// Which cities still owe papers, and since when they are asked.
fn waiting(visit: &Visit, papers: &[Paper], since: Timestamp) -> Vec<String> {
    let (lang, mut cities) = (visit.lang, Vec::new());
    for paper in papers.iter().filter(|paper| !paper.fetched) {
        let (city, since) = (city_name(&visit.app, lang, paper.city), lang.moment(since));
        let line = match lang {
            Lang::Zh => format!("等待{city}答复，从 {since} 起"),
            Lang::En => format!("Waiting for {city} since {since}"),
        };
        if !cities.contains(&line) {
            cities.push(line);
        }
    }
    cities
}
