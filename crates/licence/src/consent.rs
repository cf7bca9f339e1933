//! Consent to fetch licences (用证授权): asked, confirmed, refused, withdrawn, and the receipt for a peer.
//! Serves clauses 3.3 and 3.4.
//!
//! Invariants: a consent names one case, one item and exact fields; it is given by the person, by a code on her
//! phone or by her signature, never by a clerk alone; it ends with the case, with its draft, or when the case goes
//! to another city; a receipt lives ten minutes, so a withdrawal soon counts everywhere.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tb_base::{
    Actor, CaseId, Ctx, Error, MessageId, NodeId, PersonId, Refusal, Result, Role, Timestamp, Violation,
};
use tb_crypto::{Vault, constant_eq};
use tb_identity::{people, sms};
use tb_store::{Row, Tx, params};

use crate::types::{Types, Viewer};

pub mod drawing;
mod receipt;
mod statements;

pub use receipt::{Receipt, SignedReceipt, receipt};
pub use statements::STATEMENTS;
use statements::{ANSWER, CODE, END, FIND, INSERT, OF_CASE, OF_PERSON, OPEN_CASES, TRY};

/// How long a question waits for its answer.
const QUESTION_SECONDS: i64 = 24 * 3_600;
/// How long a consent that was given stands, if the case takes that long.
const CONSENT_SECONDS: i64 = 180 * 24 * 3_600;
/// How long a code counts.
const CODE_SECONDS: i64 = 600;
/// After how long a new code may be sent.
const RESEND_SECONDS: i64 = 60;
/// How often a code may be typed, over all codes of a question.
const TRIES_MAX: u32 = 5;
/// More types than one item asks for.
const TYPES_MAX: usize = 10;
/// How often one case may ask; each time gives five more tries for a code.
const QUESTIONS_MAX: usize = 10;
/// How many consents a list shows.
const LIST_MAX: u32 = 100;

/// A consent's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConsentId(MessageId);

impl FromStr for ConsentId {
    type Err = Refusal;

    fn from_str(text: &str) -> std::result::Result<ConsentId, Refusal> {
        text.parse().map(ConsentId)
    }
}

impl fmt::Display for ConsentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A type of licence and the fields of it that are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The type.
    #[serde(rename = "type")]
    pub type_id: String,
    /// Exactly these fields.
    pub fields: BTreeSet<String>,
}

/// Makes a word list: an enum with its name in columns and messages.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$inner])* $variant,)+ }

        impl $name {
            /// The name in columns and messages.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl FromStr for $name {
            type Err = Violation;

            fn from_str(text: &str) -> std::result::Result<$name, Violation> {
                match text {
                    $($word => Ok($name::$variant),)+
                    _ => Err(Violation::inconsistent("licence_consent", text)),
                }
            }
        }
    )+};
}

words! {
    /// Where a consent stands (授权状态).
    ConsentState {
        /// Waits for her answer (待确认).
        Asked = "asked",
        /// She agreed (已同意).
        Given = "given",
        /// She did not agree (未同意).
        Refused = "refused",
        /// She agreed and took it back (已撤回).
        Withdrawn = "withdrawn",
    }

    /// How she confirmed (确认方式).
    Manner {
        /// In her own session (本人登录).
        App = "app",
        /// By a code on her phone (短信验证码).
        Code = "code",
        /// By her signature on the screen (手写签名).
        Signature = "signature",
    }
}

/// Where the question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// On the site, in her own session.
    App,
    /// At a window: a code goes to her phone, if the register knows one.
    Window,
}

/// What is asked of her.
#[derive(Clone, Debug)]
pub struct Question {
    /// The case; a draft uses the id that its case will have.
    pub case: CaseId,
    /// The item.
    pub item: String,
    /// The city that will decide.
    pub deciding: NodeId,
    /// Whose licences.
    pub person: PersonId,
    /// Types and exact fields.
    pub asked: Vec<Asked>,
    /// Where.
    pub channel: Channel,
}

/// A consent (授权).
#[derive(Clone, Debug)]
pub struct Consent {
    /// Its id; a message stands on `consent:<id>`.
    pub id: ConsentId,
    /// The case.
    pub case: CaseId,
    /// The item.
    pub item: String,
    /// The city that decides.
    pub deciding: NodeId,
    /// Whose licences.
    pub person: PersonId,
    /// Types and exact fields.
    pub asked: Vec<Asked>,
    /// Who asked, as audit lines name them.
    pub asked_by: String,
    /// Where it stands; ask [`Consent::is_expired`] as well.
    pub state: ConsentState,
    /// How she confirmed.
    pub manner: Option<Manner>,
    /// SHA-256 of her signature as it was drawn.
    pub signature_hash: Option<[u8; 32]>,
    /// Until when a code counts; none where no code was sent.
    pub code_expires: Option<Timestamp>,
    /// How often a code may still be typed.
    pub tries_left: u32,
    /// Until when the question or the consent stands.
    pub expires: Timestamp,
    /// When she answered.
    pub answered_at: Option<Timestamp>,
    /// When it ended with its case; a consent that was refused or withdrawn before does not end again.
    pub ended_at: Option<Timestamp>,
    code_tag: Option<[u8; 32]>,
    row: i64,
}

impl Consent {
    /// Whether question or consent is over, by time or with its case.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.ended_at.is_some() || self.expires < now
    }

    /// Whether it stands now.
    pub fn is_given(&self, now: Timestamp) -> bool {
        self.state == ConsentState::Given && !self.is_expired(now)
    }
}

/// What became of a code that was typed. `Wrong` is no refusal, because the used try must be written down.
#[derive(Clone, Debug)]
pub enum Typed {
    /// Right: the consent is given.
    Given(Box<Consent>),
    /// Wrong: so many tries are left.
    Wrong {
        /// Tries that are left.
        tries_left: u32,
    },
}

/// Asks for consent (申请授权). At a window a code goes to her phone, if one is known.
pub fn request(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    types: &Types,
    question: Question,
) -> Result<Consent> {
    check_question(types, &question)?;
    check_asker(ctx, question.person)?;
    if QUESTIONS_MAX <= of_case(tx, question.case)?.len() {
        return Err(Refusal::not_now(
            "LIC-CNS-014",
            "本办件已请求授权 10 次",
            "This case has asked ten times",
        )
        .but("请改收纸质材料", "Take papers instead")
        .into());
    }
    let consent = Consent {
        id: ConsentId(ctx.id(MessageId::new)),
        case: question.case,
        item: question.item,
        deciding: question.deciding,
        person: question.person,
        asked: question.asked,
        asked_by: ctx.actor.to_string(),
        state: ConsentState::Asked,
        manner: None,
        signature_hash: None,
        code_expires: None,
        tries_left: TRIES_MAX,
        expires: ctx.now.plus_seconds(QUESTION_SECONDS),
        answered_at: None,
        ended_at: None,
        code_tag: None,
        row: 1,
    };
    end(tx, ctx, consent.case, |held| held.deciding != consent.deciding)?;
    insert(tx, ctx, &consent)?;
    tb_store::audit::line(tx, ctx, "licence.consent", &consent.id.to_string(), "asked")?;
    match question.channel {
        Channel::App => {
            warn_of_signing(tx, ctx, vault, types, &consent)?;
            Ok(consent)
        }
        Channel::Window => send_first_code(tx, ctx, vault, types, consent),
    }
}

/// Sends a code, or a new one in place of the last; tries are not given back.
pub fn send_code(tx: &mut Tx<'_>, ctx: &Ctx, vault: &Vault, types: &Types, id: ConsentId) -> Result<Consent> {
    let consent = open(tx, ctx, id)?;
    check_asker(ctx, consent.person)?;
    check_tries(&consent)?;
    let sent = consent.code_expires.map(|until| until.plus_seconds(-CODE_SECONDS));
    if sent.is_some_and(|sent| ctx.now < sent.plus_seconds(RESEND_SECONDS)) {
        return Err(Refusal::not_now(
            "LIC-CNS-008",
            "验证码刚刚发出，请稍候再发",
            "A code has just been sent",
        )
        .but("一分钟后可以重发", "You can ask for another one after a minute")
        .into());
    }
    let Some(phone) = people::get(tx, vault, consent.person)?.phone else {
        return Err(Refusal::not_now(
            "LIC-CNS-009",
            "登记中没有她的手机号",
            "The register knows no phone of hers",
        )
        .but("请她在屏幕上手写签名", "Let her sign on the screen")
        .into());
    };
    write_code(tx, ctx, vault, types, &consent, &phone)?;
    need(tx, id)
}

/// She confirms in her own session (本人确认).
pub fn confirm_in_app(tx: &mut Tx<'_>, ctx: &Ctx, id: ConsentId) -> Result<Consent> {
    let consent = open(tx, ctx, id)?;
    if ctx.actor.person() != Some(consent.person) {
        return Err(not_hers());
    }
    give(tx, ctx, &consent, Manner::App, None)
}

/// She tells the code that was sent to her phone (验证码确认).
pub fn confirm_by_code(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    id: ConsentId,
    code: &str,
) -> Result<Typed> {
    let consent = open(tx, ctx, id)?;
    check_asker(ctx, consent.person)?;
    check_tries(&consent)?;
    let expected = match (consent.code_tag, consent.code_expires) {
        (Some(tag), Some(until)) if ctx.now <= until => tag,
        (Some(_), _) => return Err(code_over("LIC-CNS-004", "验证码已过期", "The code is over")),
        (None, _) => return Err(code_over("LIC-CNS-005", "还没有发送验证码", "No code was sent")),
    };
    let typed: String = code.chars().filter(char::is_ascii_digit).collect();
    if constant_eq(&code_tag(vault, id, &typed), &expected) {
        return give(tx, ctx, &consent, Manner::Code, None).map(|consent| Typed::Given(Box::new(consent)));
    }
    let name = tx.name;
    expect_one(tx.run(&TRY, params![id.to_string(), consent.row, ctx.now, name])?)?;
    tb_store::audit::line(tx, ctx, "licence.consent", &id.to_string(), "wrong_code")?;
    Ok(Typed::Wrong { tries_left: consent.tries_left - 1 })
}

/// She signs on the screen of the window (手写签名确认); only the hash of the drawing is kept here.
///
/// `drawing` is a data URL that [`drawing::hash`] takes: a picture, drawn or scanned, or the strokes of a pen.
pub fn confirm_by_signature(tx: &mut Tx<'_>, ctx: &Ctx, id: ConsentId, drawing: &str) -> Result<Consent> {
    let consent = open(tx, ctx, id)?;
    if ctx.actor.role() != Some(Role::Window) && ctx.actor.person() != Some(consent.person) {
        return Err(not_hers());
    }
    let hash = drawing::hash(drawing)?;
    give(tx, ctx, &consent, Manner::Signature, Some(hash))
}

/// She does not agree (不同意). The case goes on with papers that she brings.
pub fn refuse(tx: &mut Tx<'_>, ctx: &Ctx, id: ConsentId) -> Result<Consent> {
    let consent = open(tx, ctx, id)?;
    check_asker(ctx, consent.person)?;
    answer(tx, ctx, &consent, ConsentState::Refused, None, None)
}

/// She takes her consent back (撤回授权): no receipt is made any more.
pub fn withdraw(tx: &mut Tx<'_>, ctx: &Ctx, id: ConsentId) -> Result<Consent> {
    let consent = need(tx, id)?;
    check_asker(ctx, consent.person)?;
    if consent.state != ConsentState::Given || consent.ended_at.is_some() {
        return Err(
            Refusal::not_now("LIC-CNS-007", "没有可撤回的授权", "There is no consent to take back").into()
        );
    }
    answer(tx, ctx, &consent, ConsentState::Withdrawn, consent.manner, consent.signature_hash)
}

/// The case is over or its draft is discarded (办件结束): its consents end. Gives how many ended; safe to repeat.
///
/// The case block calls it in the transaction that closes, withdraws, declines, returns or lets lapse the case, also
/// where the case is decided elsewhere and only its progress arrives here; pages call it where a draft is discarded.
pub fn end_of_case(tx: &mut Tx<'_>, ctx: &Ctx, case: CaseId) -> Result<u32> {
    end(tx, ctx, case, |_| true)
}

/// Cases with a consent that waits or stands, by id, after one of them: a page for a job that ends those that are
/// over. They are given as they stand, since a row may be damaged.
pub fn open_cases(tx: &mut Tx<'_>, now: Timestamp, after: &str) -> Result<Vec<String>> {
    tx.all(&OPEN_CASES, params![now, after, LIST_MAX])?.iter().map(|row| row.get("case_id")).collect()
}

/// Ends the consents of a case that wait or stand and that `which` picks.
fn end(tx: &mut Tx<'_>, ctx: &Ctx, case: CaseId, which: impl Fn(&Consent) -> bool) -> Result<u32> {
    let open = |held: &Consent| {
        held.ended_at.is_none() && matches!(held.state, ConsentState::Asked | ConsentState::Given)
    };
    let mut ended = 0;
    for held in of_case(tx, case)?.iter().filter(|held| open(held) && which(held)) {
        let name = tx.name;
        expect_one(tx.run(&END, params![held.id.to_string(), held.row, ctx.now, name])?)?;
        tb_store::audit::line(tx, ctx, "licence.consent", &held.id.to_string(), "ended")?;
        ended += 1;
    }
    Ok(ended)
}

/// A consent, if it is there.
pub fn find(tx: &mut Tx<'_>, id: ConsentId) -> Result<Option<Consent>> {
    tx.one(&FIND, params![id.to_string()])?.as_ref().map(consent).transpose()
}

/// The consents of a case, newest first.
pub fn of_case(tx: &mut Tx<'_>, case: CaseId) -> Result<Vec<Consent>> {
    tx.all(&OF_CASE, params![case, LIST_MAX])?.iter().map(consent).collect()
}

/// The consents of a person, newest first.
pub fn of_person(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Consent>> {
    tx.all(&OF_PERSON, params![person, LIST_MAX])?.iter().map(consent).collect()
}

fn send_first_code(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    types: &Types,
    consent: Consent,
) -> Result<Consent> {
    match people::get(tx, vault, consent.person)?.phone {
        None => Ok(consent),
        Some(phone) => {
            write_code(tx, ctx, vault, types, &consent, &phone)?;
            need(tx, consent.id)
        }
    }
}

fn write_code(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    types: &Types,
    consent: &Consent,
    phone: &str,
) -> Result<()> {
    let code = format!("{:06}", u64::from_be_bytes(ctx.random()) % 1_000_000);
    let tag = code_tag(vault, consent.id, &code);
    let until = ctx.now.plus_seconds(CODE_SECONDS);
    let name = tx.name;
    expect_one(tx.run(&CODE, params![consent.id.to_string(), consent.row, tag, until, ctx.now, name])?)?;
    let text = format!(
        "【通办】验证码 {code}，10 分钟内有效。告诉窗口即同意为事项 {} 调取您的{}，仅用于本次办理。不是您本人在办，请勿告知。",
        consent.item,
        titles(types, consent)
    );
    sms::send(tx, ctx, vault, phone, "consent", &text).map(drop)
}

/// A window lets her sign although the register knows a phone of hers: the phone hears of it before anything is
/// fetched, so that nobody signs in her stead unnoticed.
fn warn_of_signing(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    types: &Types,
    consent: &Consent,
) -> Result<()> {
    let (Actor::Staff { .. }, Some(phone)) = (&ctx.actor, people::get(tx, vault, consent.person)?.phone)
    else {
        return Ok(());
    };
    let text = format!(
        "【通办】政务大厅窗口正请您手写签名，同意为事项 {} 调取您的{}。不是您本人在办，请立即拨打 12345，并在“我的授权”撤回。",
        consent.item,
        titles(types, consent)
    );
    sms::send(tx, ctx, vault, &phone, "signing", &text).map(drop)
}

fn titles(types: &Types, consent: &Consent) -> String {
    let known = consent.asked.iter().filter_map(|it| types.get(&it.type_id));
    known.map(|it| it.title.as_str()).collect::<Vec<_>>().join("、")
}

fn code_tag(vault: &Vault, id: ConsentId, code: &str) -> [u8; 32] {
    vault.tag("licence-consent-code", &format!("{id}/{code}"))
}

fn give(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    consent: &Consent,
    manner: Manner,
    signature: Option<[u8; 32]>,
) -> Result<Consent> {
    answer(tx, ctx, consent, ConsentState::Given, Some(manner), signature)
}

fn answer(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    consent: &Consent,
    state: ConsentState,
    manner: Option<Manner>,
    signature: Option<[u8; 32]>,
) -> Result<Consent> {
    let expires = match state {
        ConsentState::Given => ctx.now.plus_seconds(CONSENT_SECONDS),
        ConsentState::Asked | ConsentState::Refused | ConsentState::Withdrawn => consent.expires,
    };
    let name = tx.name;
    let changed = tx.run(
        &ANSWER,
        params![
            consent.id.to_string(),
            consent.row,
            state.as_str(),
            manner.map(Manner::as_str),
            signature,
            expires,
            ctx.now,
            name
        ],
    )?;
    expect_one(changed)?;
    tb_store::audit::line(tx, ctx, "licence.consent", &consent.id.to_string(), state.as_str())?;
    need(tx, consent.id)
}

fn insert(tx: &mut Tx<'_>, ctx: &Ctx, consent: &Consent) -> Result<()> {
    let asked = serde_json::to_string(&consent.asked)
        .map_err(|error| tb_base::Fault::of("writing what is asked of a person", error))?;
    let name = tx.name;
    let row = params![
        consent.id.to_string(),
        consent.case,
        &consent.item,
        consent.deciding,
        consent.person,
        asked,
        &consent.asked_by,
        consent.state.as_str(),
        consent.tries_left,
        consent.expires,
        ctx.now,
        name
    ];
    tx.run(&INSERT, row).map(drop)
}

/// The consent of that id, still waiting for an answer.
fn open(tx: &mut Tx<'_>, ctx: &Ctx, id: ConsentId) -> Result<Consent> {
    let consent = need(tx, id)?;
    if consent.state != ConsentState::Asked {
        return Err(
            Refusal::not_now("LIC-CNS-002", "这项授权已有答复", "This question has been answered").into()
        );
    }
    if consent.ended_at.is_some() {
        return Err(Refusal::not_now(
            "LIC-CNS-015",
            "办件已经结束或改由别的城市办，这项授权随之结束",
            "The case is over or went to another city, and this question with it",
        )
        .into());
    }
    if consent.is_expired(ctx.now) {
        return Err(Refusal::not_now("LIC-CNS-003", "这项授权请求已过期", "This question is over")
            .but("请重新发起授权", "Ask again")
            .into());
    }
    Ok(consent)
}

fn need(tx: &mut Tx<'_>, id: ConsentId) -> Result<Consent> {
    find(tx, id)?
        .ok_or_else(|| Refusal::gone("LIC-CNS-001", "没有这项授权", "There is no such consent").into())
}

fn check_question(types: &Types, question: &Question) -> Result<()> {
    if question.asked.is_empty() || TYPES_MAX < question.asked.len() {
        return Err(Refusal::invalid(
            "LIC-CNS-011",
            "一次授权应为 1 至 10 种证照",
            "Ask for 1 to 10 types at once",
        )
        .into());
    }
    for asked in &question.asked {
        let kind = types.find(&asked.type_id)?;
        let shown = kind.shown_to(Viewer::Office);
        if !kind.serves(&question.item) {
            return Err(not_on_list(&kind.title, &kind.title_en, &question.item));
        }
        if asked.fields.is_empty() || !asked.fields.is_subset(&shown) {
            let (zh, en) = (&kind.title, &kind.title_en);
            return Err(Refusal::not_allowed(
                "LIC-CNS-012",
                format!("不能调取{zh}的这些字段"),
                format!("These fields of the {en} may not be fetched"),
            )
            .into());
        }
    }
    Ok(())
}

/// Only she herself or a window asks, refuses and withdraws; the node does so for a draft that goes on by itself.
fn check_asker(ctx: &Ctx, person: PersonId) -> Result<()> {
    match &ctx.actor {
        Actor::Resident { person: own, .. } if *own == person => Ok(()),
        Actor::Staff { role: Role::Window, .. } | Actor::System => Ok(()),
        Actor::Resident { .. } | Actor::Staff { .. } | Actor::Anonymous | Actor::Peer(_) => Err(not_hers()),
    }
}

pub(crate) fn not_on_list(zh: &str, en: &str, item: &str) -> Error {
    Refusal::not_allowed(
        "LIC-USE-001",
        format!("事项 {item} 的用证清单中没有{zh}"),
        format!("Item {item} does not list the {en}"),
    )
    .but("请按办事指南收取材料", "Ask for papers as the guide says")
    .into()
}

fn not_hers() -> Error {
    Refusal::not_allowed("LIC-CNS-010", "只有本人可以答复这项授权", "Only the person herself may answer this")
        .by("《中华人民共和国个人信息保护法》第十四条")
        .into()
}

fn check_tries(consent: &Consent) -> Result<()> {
    if consent.tries_left == 0 {
        return Err(code_over("LIC-CNS-006", "验证码已输错 5 次", "A wrong code was typed five times"));
    }
    Ok(())
}

fn code_over(code: &'static str, zh: &'static str, en: &'static str) -> Error {
    Refusal::not_now(code, zh, en)
        .on("code")
        .but("请重发验证码，或在屏幕上手写签名", "Send a new code, or let her sign on the screen")
        .into()
}

fn expect_one(changed: u64) -> Result<()> {
    if changed == 1 {
        return Ok(());
    }
    Err(Refusal::conflict("LIC-CNS-013", "授权刚刚有了变化", "The consent has just changed")
        .but("请刷新后再试", "Load the page again and retry")
        .into())
}

fn consent(row: &Row) -> Result<Consent> {
    Ok(Consent {
        id: row.parse("id")?,
        case: row.parse("case_id")?,
        item: row.get("item")?,
        deciding: row.parse("deciding")?,
        person: row.parse("person")?,
        asked: row.json("asked")?,
        asked_by: row.get("asked_by")?,
        state: row.parse("state")?,
        manner: row.parse_option("manner")?,
        signature_hash: row.get("signature_hash")?,
        code_expires: row.get("code_expires")?,
        tries_left: row.get("tries_left")?,
        expires: row.get("expires")?,
        answered_at: row.get("answered_at")?,
        ended_at: row.get("ended_at")?,
        code_tag: row.get("code_tag")?,
        row: row.get("version")?,
    })
}

#[cfg(test)]
mod tests;
