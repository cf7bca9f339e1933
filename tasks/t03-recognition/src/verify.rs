//! Verifying a licence that somebody shows (核验): five answers that are never taken for each other.
//! Serves clauses 1.2, 3.3 and 3.4.
//!
//! The answer comes live from the city that the code names. It is shown at once and not under an address of its
//! own: a code is redeemed once, and what was true then is not kept for later.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_base::{Actor, Class, Date, Error, NodeId, Refusal, Result, Role, Timestamp};
use tb_identity::accounts::limits::{self, Source, Verdict as Within};
use tb_identity::permit::{Action, Scope, may};
use tb_licence::ask;
use tb_licence::peer::Verdict;
use tb_licence::present::Code;
use tb_licence::state::State;
use tb_store::audit;
use tb_web::{Caller, Field, Fields, Form, Frame, Lang, PageResult, Visit, ui};

use crate::holder::query;
use crate::parts::Parts;
use crate::words::{face_order, field_name, type_name};

const CODE: Field<'static> = Field::text("code", "亮证码", "Code").hint(
    "扫对方的二维码，或输入下面的码，如 T1.430300.…",
    "Scan the code that you are shown, or type the letters beneath it, such as T1.430300.…",
);
/// What stands before the code in the address that the QR code holds.
const IN_ADDRESS: &str = "code=";

/// The five answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// In force (有效).
    Yes,
    /// Not in force (无效).
    No,
    /// No licence behind the code (查不到).
    NotFound,
    /// The verifier may not know (无权核验).
    NotAllowed,
    /// The issuing city does not answer (无法确认).
    Unavailable,
}

impl Answer {
    /// Surface, kind of the tag, and mark: three ways to tell the answers apart beside the words.
    fn look(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Answer::Yes => ("note note--done", "done", "✓"),
            Answer::No => ("note note--stop", "stop", "✕"),
            Answer::NotFound => ("sheet", "", "?"),
            Answer::NotAllowed => ("note", "now", "⊘"),
            Answer::Unavailable => ("note note--wait", "wait", "…"),
        }
    }

    /// The word that stands first.
    fn word(self, lang: Lang) -> &'static str {
        match self {
            Answer::Yes => lang.t("有效", "Valid"),
            Answer::No => lang.t("无效", "Not valid"),
            Answer::NotFound => lang.t("查不到", "Not found"),
            Answer::NotAllowed => lang.t("无权核验", "You may not verify this"),
            Answer::Unavailable => lang.t("无法确认", "Cannot be confirmed"),
        }
    }

    /// What it means and what to do.
    fn advice(self, lang: Lang) -> &'static str {
        match self {
            Answer::Yes => lang.t(
                "签发城市刚刚确认。请核对是不是本人。",
                "The issuing city has just confirmed it. Check that it is the holder who shows it.",
            ),
            Answer::No => lang.t(
                "证照存在，但现在不能用。手机上看着有效也不算。",
                "The licence exists but cannot be used now, whatever the phone shows.",
            ),
            Answer::NotFound => lang.t(
                "这个码没有对应的证照。请对方换一个新码再试。",
                "There is no licence behind this code. Ask for a fresh code and try again.",
            ),
            Answer::NotAllowed => lang.t(
                "没有看到任何信息。这不说明证照有没有、有效没效。",
                "Nothing was shown. This says nothing about the licence.",
            ),
            Answer::Unavailable => lang.t(
                "签发城市没有应答。不等于有效，也不等于无效；请稍后再核验，或用别的办法查证。",
                "The issuing city does not answer. That is neither yes nor no; try again later or check in another way.",
            ),
        }
    }
}

/// What is shown of the answer.
#[derive(Debug, Serialize)]
struct Outcome {
    answer: Answer,
    /// State of the licence, where the answer tells one.
    state: Option<State>,
    /// The answer in the words of the issuing city.
    said: String,
    type_name: Option<String>,
    fields: Vec<Shown>,
    as_of: Timestamp,
    /// The city that was asked.
    issuer: NodeId,
}

/// A value that is shown.
#[derive(Debug, Serialize)]
struct Shown {
    label: String,
    value: String,
}

/// The form.
#[derive(Template, Serialize)]
#[template(path = "t03/verify.html")]
struct VerifyPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    /// What this verifier is shown.
    scope: &'static str,
}

/// The answer.
#[derive(Template, Serialize)]
#[template(path = "t03/verdict.html")]
struct VerdictPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    #[serde(flatten)]
    outcome: Outcome,
}

impl VerdictPage {
    fn summary(&self) -> ui::Summary {
        let rows = self.outcome.fields.iter().map(|it| ui::SummaryRow::new(&it.label, &it.value));
        ui::Summary { rows: rows.collect() }
    }

    fn word(&self) -> &'static str {
        self.outcome.answer.word(self.lang)
    }

    fn advice(&self) -> &'static str {
        self.outcome.answer.advice(self.lang)
    }

    fn confirmed(&self) -> String {
        format!("{} {}", self.lang.date(self.outcome.as_of.date()), self.lang.clock(self.outcome.as_of))
    }
}

/// GET /verify: `?code=` fills the form in; nothing is redeemed before it is sent.
pub async fn ask(visit: Visit) -> PageResult {
    let form = Fields::blank(&visit).with(CODE.name, visit.param("code").unwrap_or_default());
    visit.page(page(&visit, form))
}

/// POST /verify
pub async fn check(
    visit: Visit,
    parts: Extension<Arc<Parts>>,
    from: Option<Extension<Caller>>,
    form: Form,
) -> PageResult {
    let mut fields = form.fields();
    let known = |code: &Code| known_city(&parts, code);
    let code = fields.read(&CODE).try_with(|text| code_in(&text)).check(known).required();
    let Some(code) = code else { return visit.form_again(page(&visit, fields)) };
    if let Some(refusal) = too_often(&visit, &parts, from).await? {
        fields.refuse(&refusal);
        return visit.form_again(page(&visit, fields));
    }
    let verdict = verdict(&visit, &parts, &code).await?;
    let ctx = visit.ctx.clone();
    let (city, word) = (code.city, verdict.word());
    visit
        .app
        .store
        .write("t03.verify", move |tx| audit::line(tx, &ctx, "licence.ask", city.as_str(), word))
        .await?;
    let outcome = outcome(&visit, &parts, code.city, &verdict);
    let frame = visit.frame(outcome.answer.word(Lang::Zh), outcome.answer.word(Lang::En));
    let frame = frame.airy().crumb("核验证照", "Verify a licence", "/verify");
    visit.page(VerdictPage { frame, lang: visit.lang, outcome })
}

/// Counts who verifies on no duty by the network address: strangers must not use up what the contract of two cities
/// lets inspectors ask in a day.
async fn too_often(visit: &Visit, parts: &Parts, from: Option<Extension<Caller>>) -> Result<Option<Refusal>> {
    if matches!(visit.ctx.actor, Actor::Staff { .. }) {
        return Ok(None);
    }
    let source = source(from.map(|from| from.0));
    let (vault, now) = (parts.issuer.vault.clone(), visit.ctx.now);
    let counted = visit.app.store.write("t03.verify.count", move |tx| {
        limits::count_source(tx, &vault, limits::VERIFY_SOURCE, &source, now)
    });
    Ok(match counted.await? {
        Within::Within => None,
        Within::Wait(until) => Some(slower(until, now)),
    })
}

/// The network of the caller, as the site's outermost layer found it behind the proxies that the city trusts.
fn source(from: Option<Caller>) -> Source {
    let network = from.and_then(Caller::network);
    let address = network.map_or_else(|| "unknown".to_owned(), |network| network.to_string());
    if from.is_some_and(Caller::is_shared) { Source::shared(address) } else { Source::own(address) }
}

fn slower(until: Timestamp, now: Timestamp) -> Refusal {
    let minutes = ((until.seconds() - now.seconds()).max(0) + 59) / 60;
    Refusal::not_now(
        "T03-VER-003",
        format!("这里核验得太频繁，请在 {minutes} 分钟后再试"),
        format!("Too many verifications from here; try again in {minutes} minutes"),
    )
    .but("因公核验请登录工作账户", "Who verifies on duty signs in with the office's account")
    .on("code")
}

/// The code in what was scanned or typed: the code itself, or the address that a QR code holds.
fn code_in(text: &str) -> std::result::Result<Code, Refusal> {
    let code = text.rsplit_once(IN_ADDRESS).map_or(text, |(_, code)| code);
    code.parse()
}

fn known_city(parts: &Parts, code: &Code) -> std::result::Result<(), Refusal> {
    if code.city == parts.desk.me || parts.desk.peers().contains(&code.city) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "T03-VER-001",
        format!("这个码来自 {}，不在互认的城市之列", code.city),
        format!("This code comes from {}, which is not among the cities of this region", code.city),
    ))
}

/// Asks the city that the code names. What may pass by itself is "cannot be confirmed", never an error page.
async fn verdict(visit: &Visit, parts: &Parts, code: &Code) -> Result<Verdict> {
    let (ctx, city) = (&visit.ctx, code.city);
    let answer = match ask::verify(&parts.desk, ctx, &code.to_string(), &actor(&visit.ctx.actor)?) {
        Ok(message) => query(visit.app.clone(), ctx.clone(), message).await,
        Err(error) => Err(error),
    };
    match ask::verdict(&parts.desk.trust().list, ctx, city, answer) {
        Err(Error::Refused(refusal)) => match refusal.class {
            Class::NotAllowed => Ok(Verdict::NotAllowed { refusal: *refusal, as_of: ctx.now }),
            Class::NotNow | Class::Invalid | Class::Conflict | Class::Gone => {
                Ok(Verdict::Unavailable { city, refusal: *refusal, as_of: ctx.now })
            }
        },
        // An answer whose signature does not fit is no answer.
        Err(Error::Violation(violation)) => {
            let refusal = Refusal::not_now(
                "T03-VER-002",
                format!("对方的回答没有通过验证（{}），不予采用", violation.code),
                format!("What it answered does not verify ({}) and is not used", violation.code),
            );
            Ok(Verdict::Unavailable { city, refusal, as_of: ctx.now })
        }
        outcome => outcome,
    }
}

/// Role and office of the verifier, as the head of a message says it; staff who verify on duty need the permit.
fn actor(actor: &Actor) -> Result<String> {
    match actor {
        Actor::Staff { role, office, .. } => {
            if matches!(role, Role::Inspector | Role::Window) {
                may(actor, Action::VerifyLicence, &Scope::Office(office.clone()))?;
            }
            Ok(format!("{}/{office}", tb_identity::staff::role_word(*role)))
        }
        Actor::Resident { .. } => Ok("resident".to_owned()),
        Actor::Anonymous | Actor::Peer(_) | Actor::System => Ok("anonymous".to_owned()),
    }
}

fn outcome(visit: &Visit, parts: &Parts, issuer: NodeId, verdict: &Verdict) -> Outcome {
    let lang = visit.lang;
    let (zh, en) = verdict.words();
    let said = lang.t(&zh, &en).to_owned();
    let blank = |answer, as_of: &Timestamp| Outcome {
        answer,
        state: None,
        said: said.clone(),
        type_name: None,
        fields: Vec::new(),
        as_of: *as_of,
        issuer,
    };
    match verdict {
        Verdict::Yes { extract, as_of, .. } => {
            let record = &extract.record;
            let mut fields = values(lang, parts, &record.type_id, verdict);
            fields.push(term(lang, record.valid_from, record.valid_to));
            let type_name = Some(type_name(lang, parts, &record.type_id));
            Outcome { state: Some(State::Valid), type_name, fields, ..blank(Answer::Yes, as_of) }
        }
        Verdict::No { type_id, state, valid_to, void_from, as_of, .. } => {
            let day = |zh: &str, en: &str, day: Date| Shown {
                label: lang.t(zh, en).to_owned(),
                value: day.to_string(),
            };
            let last = valid_to.map(|last| day("有效期至", "Last day of the term", last));
            let void = void_from.map(|from| day("失效自", "Void from", from));
            let type_name = Some(type_name(lang, parts, type_id));
            let fields = last.into_iter().chain(void).collect();
            Outcome { state: Some(*state), type_name, fields, ..blank(Answer::No, as_of) }
        }
        Verdict::NotFound { as_of, .. } => blank(Answer::NotFound, as_of),
        Verdict::NotAllowed { as_of, .. } => blank(Answer::NotAllowed, as_of),
        Verdict::Unavailable { refusal, as_of, .. } => {
            Outcome { said: lang.refusal(refusal).to_owned(), ..blank(Answer::Unavailable, as_of) }
        }
    }
}

fn values(lang: Lang, parts: &Parts, type_id: &str, verdict: &Verdict) -> Vec<Shown> {
    let kind = parts.issuer.types.get(type_id);
    let mut values: Vec<(String, String)> = verdict.values().into_iter().collect();
    values.sort_by_key(|(field, _)| face_order(kind, field));
    let shown = |(field, value): (String, String)| Shown { label: field_name(lang, kind, &field), value };
    values.into_iter().map(shown).collect()
}

fn term(lang: Lang, from: Date, to: Option<Date>) -> Shown {
    let value = match to {
        Some(last) => format!("{from} {} {last}", lang.t("至", "to")),
        None => format!("{from} {}", lang.t("起，长期", "on, without end")),
    };
    Shown { label: lang.t("有效期", "Term").to_owned(), value }
}

fn page(visit: &Visit, form: Fields) -> VerifyPage {
    let lang = visit.lang;
    let scope = match visit.ctx.actor.role() {
        Some(Role::Inspector) => lang.t(
            "您以执法检查人员的身份核验，能看到检查要用的项；证号只显示一部分。",
            "You verify as an inspector and see what an inspection needs; numbers in part.",
        ),
        _ => lang.t(
            "不登录也能核验：能看到类别、发证机关、有效期和现在的状态，姓名只露最后一个字。",
            "No sign-in is needed: you see kind, issuer, term and present state, and of the name the last letter.",
        ),
    };
    let frame = visit.frame("核验证照", "Verify a licence").airy().errors(&form);
    VerifyPage { frame, lang, form, scope }
}
