//! My consents (我的授权): what I was asked, what I gave, and taking it back.
//! Serves clauses 3.3 and 3.4.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{CaseId, NodeId, PersonId, Refusal, Timestamp};
use tb_identity::permit::Action;
use tb_licence::consent::{self, Consent, ConsentId, ConsentState, Manner};
use tb_store::Tx;
use tb_web::{Form, Frame, Lang, PageResult, Visit, redirect, ui};

use crate::holder::holder;
use crate::parts::Parts;
use crate::words::{face_order, field_name, item_name, type_name};

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t03/consents.html")]
struct ConsentsPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    /// Questions that wait for her answer come first.
    consents: Vec<Row>,
    /// What was just done: `given`, `refused` or `withdrawn`.
    done: String,
}

/// A consent in the list.
#[derive(Debug, Serialize)]
struct Row {
    id: ConsentId,
    case: CaseId,
    item: String,
    item_name: String,
    /// The city that decides the case.
    city: NodeId,
    state: &'static str,
    state_word: &'static str,
    kind: &'static str,
    asked: Vec<AskedType>,
    /// Who asked.
    by: &'static str,
    /// How she confirmed.
    manner: Option<&'static str>,
    /// Whether a code went to her phone.
    by_code: bool,
    expires: Timestamp,
    answered_at: Option<Timestamp>,
    /// When it ended with its case.
    ended_at: Option<Timestamp>,
    /// What taking it back stops and what not; where there is something to take back, or it was taken back.
    stops: Option<String>,
    /// What she can do: values of `answer`.
    can: &'static [&'static str],
}

/// A type and the fields that are asked for.
#[derive(Debug, Serialize)]
struct AskedType {
    #[serde(rename = "type")]
    type_id: String,
    type_name: String,
    fields: Vec<String>,
}

/// What she answers.
#[derive(Clone, Copy)]
enum Answer {
    Confirm,
    Refuse,
    Withdraw,
}

impl Row {
    fn may(&self, answer: &str) -> bool {
        self.can.contains(&answer)
    }
}

/// GET /consents
pub async fn show(visit: Visit, parts: Extension<Arc<Parts>>) -> PageResult {
    let person = holder(&visit, &parts, Action::GiveConsent).await?.person;
    let found = visit.app.store.read("t03.consents", move |tx| consent::of_person(tx, person)).await?;
    let frame = visit.frame("我的授权", "My consents").airy().crumb("我的证照", "My licences", "/licences");
    let mut consents: Vec<Row> = found.iter().map(|it| row(&visit, &frame, &parts, it)).collect();
    consents.sort_by_key(|it| !it.may("confirm"));
    let done = visit.param("done").unwrap_or_default();
    visit.page(ConsentsPage { frame, lang: visit.lang, consents, done })
}

/// POST /consents/{id}
pub async fn answer(visit: Visit, parts: Extension<Arc<Parts>>, id: Path<String>, form: Form) -> PageResult {
    let person = holder(&visit, &parts, Action::GiveConsent).await?.person;
    let id: ConsentId = id.parse().map_err(|_| missing())?;
    let answer = match form.fields().value("answer") {
        "confirm" => Answer::Confirm,
        "refuse" => Answer::Refuse,
        "withdraw" => Answer::Withdraw,
        _ => return Err(no_answer().into()),
    };
    let ctx = visit.ctx.clone();
    let done = visit.app.store.write("t03.consent", move |tx| take(tx, &ctx, person, id, answer)).await?;
    Ok(redirect(&format!("/consents?done={}", done.as_str())))
}

fn take(
    tx: &mut Tx<'_>,
    ctx: &tb_base::Ctx,
    person: PersonId,
    id: ConsentId,
    answer: Answer,
) -> tb_base::Result<ConsentState> {
    // Somebody else's consent is answered like none.
    if consent::find(tx, id)?.is_none_or(|it| it.person != person) {
        return Err(missing().into());
    }
    let answered = match answer {
        Answer::Confirm => consent::confirm_in_app(tx, ctx, id)?,
        Answer::Refuse => consent::refuse(tx, ctx, id)?,
        Answer::Withdraw => consent::withdraw(tx, ctx, id)?,
    };
    Ok(answered.state)
}

/// Where a consent stands: code, words, kind of the tag, and what she can answer.
type Standing = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

fn standing(consent: &Consent, now: Timestamp) -> Standing {
    let over = consent.is_expired(now);
    match (consent.state, over) {
        (ConsentState::Refused, _) => ("refused", "没有同意", "not agreed", "stop", &[]),
        (ConsentState::Withdrawn, _) => ("withdrawn", "已撤回", "withdrawn", "stop", &[]),
        (ConsentState::Asked | ConsentState::Given, _) if consent.ended_at.is_some() => {
            ("ended", "已结束", "ended", "", &[])
        }
        (ConsentState::Asked, false) => {
            ("asked", "等您答复", "waits for you", "wait", &["confirm", "refuse"])
        }
        (ConsentState::Given, false) => ("given", "已同意", "agreed", "done", &["withdraw"]),
        (ConsentState::Asked, true) => ("expired", "没有答复，已过期", "not answered in time", "", &[]),
        (ConsentState::Given, true) => ("expired", "已到期", "over", "", &[]),
    }
}

/// What taking it back stops, and what goes on by law.
fn stops(visit: &Visit, frame: &Frame, consent: &Consent) -> String {
    let (asking, deciding) = (frame.city_name(visit.ctx.node), frame.city_name(consent.deciding));
    match (visit.lang, consent.deciding == visit.ctx.node) {
        (Lang::Zh, false) => format!(
            "撤回后，{asking}不会再向{deciding}调取。已经收到的办件，{deciding}的决定部门仍依法查自己的登记，直到办结。"
        ),
        (Lang::En, false) => format!(
            "Once withdrawn, {asking} fetches nothing more from {deciding}. For a case that is under way, the deciding department in {deciding} goes on reading its own register by law until it is closed."
        ),
        (Lang::Zh, true) => format!(
            "撤回后，{asking}不会再为这件事向其他城市调取。已经收到的办件，决定部门仍依法查自己的登记，直到办结。"
        ),
        (Lang::En, true) => format!(
            "Once withdrawn, {asking} fetches nothing more from other cities for this. For a case that is under way, the deciding department goes on reading its own register by law until it is closed."
        ),
    }
}

fn row(visit: &Visit, frame: &Frame, parts: &Parts, consent: &Consent) -> Row {
    let (lang, now) = (visit.lang, visit.ctx.now);
    let (state, zh, en, kind, can) = standing(consent, now);
    let by = match consent.asked_by.split(':').next() {
        Some("staff") => lang.t("窗口请您授权", "A window asks"),
        Some("resident") => lang.t("您自己申办时", "Your own application"),
        _ => lang.t("系统请您授权", "The system asks"),
    };
    Row {
        id: consent.id,
        case: consent.case,
        item_name: item_name(lang, parts, &consent.item),
        item: consent.item.clone(),
        city: consent.deciding,
        state,
        state_word: lang.t(zh, en),
        kind,
        asked: consent.asked.iter().map(|it| asked(lang, parts, it)).collect(),
        by,
        manner: consent.manner.map(|manner| manner_word(lang, manner)),
        by_code: consent.code_expires.is_some(),
        expires: consent.expires,
        answered_at: consent.answered_at,
        ended_at: consent.ended_at,
        stops: (can.contains(&"withdraw") || consent.state == ConsentState::Withdrawn)
            .then(|| stops(visit, frame, consent)),
        can,
    }
}

fn asked(lang: Lang, parts: &Parts, asked: &consent::Asked) -> AskedType {
    let kind = parts.issuer.types.get(&asked.type_id);
    let mut fields: Vec<&String> = asked.fields.iter().collect();
    fields.sort_by_key(|field| face_order(kind, field));
    AskedType {
        type_name: type_name(lang, parts, &asked.type_id),
        type_id: asked.type_id.clone(),
        fields: fields.into_iter().map(|field| field_name(lang, kind, field)).collect(),
    }
}

fn manner_word(lang: Lang, manner: Manner) -> &'static str {
    match manner {
        Manner::App => lang.t("您登录后确认", "You confirmed it here"),
        Manner::Code => lang.t("您报了短信验证码", "You told the code that was sent to you"),
        Manner::Signature => lang.t("您手写签名", "You signed on the screen"),
    }
}

fn missing() -> Refusal {
    Refusal::gone("T03-CNS-001", "没有这项授权", "There is no such consent")
        .but("请从“我的授权”打开", "Open it from your list of consents")
}

fn no_answer() -> Refusal {
    Refusal::invalid("T03-CNS-002", "请选择同意、不同意或撤回", "Choose to agree, to refuse or to withdraw")
        .on("answer")
}
