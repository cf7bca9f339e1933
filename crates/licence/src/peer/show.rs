//! What the holder herself asks of a city that issued a licence to her, from her own city (异地亮证).
//! Serves clause 1.2.
//!
//! Invariants: the ground is `subject`, the actor a resident whom the asking city signed in, and she is named by
//! her pseudonym; nothing of anybody else is answered. The code of a presentation is drawn where it is shown:
//! only its hash travels, so no log, inbox or backup of either city holds a code that could be redeemed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tb_base::{Ctx, Date, LicenceId, MessageId, NodeId, PersonId, Refusal, Result, Timestamp, Violation};
use tb_crypto::text::{hex, unhex};
use tb_exchange::{Answer, Desk, Envelope, Incoming, Outgoing, Purpose, TrustList, service};
use tb_identity::look::LookKind;
use tb_store::{Tx, audit};

use super::{Locate, SHOWN, Seen, agreed, json, note, refusal_of, subject};
use crate::present::{self, Code, PresentationState};
use crate::record::Extract;
use crate::state::State;
use crate::store::{Issuer, Licence, find, history_of};

/// The purpose code under which a holder asks; contracts name it.
pub const PRESENT_PURPOSE: &str = "present";
/// Role of the holder in the head of a message.
const HOLDER: &str = "resident";
/// The ground of a holder.
const GROUND: &str = "subject";
/// How long an answer is of use.
const DEADLINE_SECONDS: i64 = 10;
/// Lines of a history that travel; more than the life of a licence has.
const HISTORY_MAX: usize = 100;

/// What the holder asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Present {
    /// Reads a licence of hers (查看本人证照).
    Read {
        /// The licence.
        licence: LicenceId,
    },
    /// Shows it: registers the hash of a code (出码).
    Make {
        /// The licence.
        licence: LicenceId,
        /// Hash of the code, lower-case hex.
        code: String,
    },
    /// Asks what became of a code (谁核验了).
    Ask {
        /// The presentation.
        presentation: MessageId,
    },
    /// Puts a code away before anybody redeemed it (收起).
    Close {
        /// The presentation.
        presentation: MessageId,
    },
}

/// Answers [`Present`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub enum Presented {
    /// The licence.
    Licence(Box<Own>),
    /// The code is registered.
    Made {
        /// The presentation.
        presentation: MessageId,
        /// Until when the code counts.
        expires: Timestamp,
    },
    /// What became of the code.
    Told(Told),
    /// She has no such licence or presentation here.
    NotFound {
        /// When.
        as_of: Timestamp,
    },
    /// Not answered.
    Refused {
        /// Why.
        refusal: Refusal,
    },
}

/// A licence as its holder reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Own {
    /// Record, values and signature.
    pub extract: Extract,
    /// How it stands.
    pub state: State,
    /// From when it is void, if so.
    pub void_from: Option<Date>,
    /// Whether it may be relied on today.
    pub in_force: bool,
    /// Fields that the contract keeps back.
    pub withheld: BTreeSet<String>,
    /// What happened to it, oldest first.
    pub history: Vec<HistoryEntry>,
    /// When.
    pub as_of: Timestamp,
}

/// A line of a history: no names, no reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// Which version.
    pub version: u32,
    /// What, such as `superseded`.
    pub event: String,
    /// The state that followed.
    pub state: State,
}

/// What became of a presentation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The type of the licence that is shown.
    #[serde(rename = "type")]
    pub type_id: String,
    /// How the licence stands.
    pub licence_state: State,
    /// Where it stands.
    pub state: PresentationState,
    /// Until when the code counts.
    pub expires: Timestamp,
    /// The city of the verifier.
    pub verifier_city: Option<NodeId>,
    /// Role and office of the verifier.
    pub verifier_actor: Option<String>,
    /// What the verifier was told.
    pub verdict: Option<String>,
    /// When it was redeemed.
    pub redeemed_at: Option<Timestamp>,
}

/// Whether a message is of the person herself, signed in at her own city.
pub(super) fn is_by_holder(envelope: &Envelope) -> bool {
    envelope.purpose.basis == GROUND && envelope.actor == HOLDER && envelope.subject.is_some()
}

/// Asks a city which licences of these types she has there.
pub fn locate(desk: &Desk, ctx: &Ctx, to: NodeId, number: &str, types: BTreeSet<String>) -> Result<Outgoing> {
    let deadline = ctx.now.plus_seconds(DEADLINE_SECONDS);
    let body = Locate { types };
    desk.compose(ctx, to, service::LICENCE_LOCATE, purpose(), HOLDER, Some(number), &body, deadline)
}

/// Asks a city about a licence or a presentation of hers; this city itself may be asked.
pub fn message(desk: &Desk, ctx: &Ctx, to: NodeId, number: &str, ask: &Present) -> Result<Outgoing> {
    let deadline = ctx.now.plus_seconds(DEADLINE_SECONDS);
    desk.compose(ctx, to, service::LICENCE_PRESENT, purpose(), HOLDER, Some(number), ask, deadline)
}

/// A code for a licence of another city, and the question that registers it there.
pub fn draw(ctx: &Ctx, city: NodeId, licence: LicenceId) -> (Code, Present) {
    let code = Code::fresh(ctx, city);
    (code, Present::Make { licence, code: hex(&code.hash()) })
}

/// What a city answered; a licence is checked against the signature of the city.
pub fn presented(trust: &TrustList, answer: &Answer) -> Result<Presented> {
    match answer.parse::<Presented>()? {
        Presented::Licence(own) => {
            crate::ask::check(trust, answer.from, &own.extract)?;
            Ok(Presented::Licence(own))
        }
        Presented::Refused { refusal } => Err(refusal.into()),
        Presented::NotFound { .. } => Err(crate::store::missing()),
        told @ (Presented::Made { .. } | Presented::Told(_)) => Ok(told),
    }
}

/// Answers the holder (异地亮证).
pub fn present(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    desk: &Desk,
    issuer: &Issuer,
    incoming: &Incoming,
) -> Result<serde_json::Value> {
    let asked: Present = incoming.parse()?;
    let envelope = &incoming.envelope;
    if !is_by_holder(envelope) {
        let refusal = not_herself();
        audit::line(tx, ctx, "licence.present", envelope.id.as_str(), &refusal.code)?;
        return json(&Presented::Refused { refusal });
    }
    let Some(person) = subject(tx, issuer, envelope)? else {
        audit::line(tx, ctx, "licence.present", envelope.id.as_str(), "not_found")?;
        return json(&Presented::NotFound { as_of: ctx.now });
    };
    let answer = match asked {
        Present::Read { licence } => read(tx, ctx, desk, issuer, envelope, person, licence),
        Present::Make { licence, code } => make(tx, ctx, person, licence, &code),
        Present::Ask { presentation } => tell(tx, ctx, person, presentation),
        Present::Close { presentation } => {
            present::put_away(tx, ctx, person, presentation)?;
            tell(tx, ctx, person, presentation)
        }
    };
    match answer {
        Ok(answer) => json(&answer),
        Err(error) => json(&Presented::Refused { refusal: refusal_of(error)? }),
    }
}

fn read(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    desk: &Desk,
    issuer: &Issuer,
    envelope: &Envelope,
    person: PersonId,
    id: LicenceId,
) -> Result<Presented> {
    let Some(licence) = hers(tx, person, id)? else {
        return Ok(Presented::NotFound { as_of: ctx.now });
    };
    let kind = issuer.types.find(&licence.type_id)?;
    // The holder is shown every field; between cities those that the contract lets travel.
    let all = kind.fields.iter().map(|field| field.id.clone()).collect();
    let agreed = agreed(desk, envelope, kind, all);
    let held: BTreeSet<String> = licence.record.fields.keys().cloned().collect();
    let today = ctx.now.date();
    let own = Own {
        extract: licence.extract(&issuer.vault, &agreed)?,
        state: licence.state(today),
        void_from: licence.standing.void_from,
        in_force: licence.standing.is_in_force(today),
        withheld: held.difference(&agreed).cloned().collect(),
        history: history(tx, id)?,
        as_of: ctx.now,
    };
    if envelope.from != desk.me {
        let fields = own.extract.values.keys().cloned().collect();
        let seen = Seen { kind: LookKind::Fetch, licence: Some(id), fields, outcome: SHOWN };
        note(tx, ctx, issuer, envelope, Some(person), seen)?;
    }
    Ok(Presented::Licence(Box::new(own)))
}

fn make(tx: &mut Tx<'_>, ctx: &Ctx, person: PersonId, id: LicenceId, code: &str) -> Result<Presented> {
    if hers(tx, person, id)?.is_none() {
        return Ok(Presented::NotFound { as_of: ctx.now });
    }
    let hash: [u8; 32] = unhex(code)?
        .try_into()
        .map_err(|_| Violation::new("schema", "body", "the hash of a code has 32 bytes"))?;
    let (presentation, expires) = present::register(tx, ctx, id, person, hash)?;
    Ok(Presented::Made { presentation, expires })
}

fn tell(tx: &mut Tx<'_>, ctx: &Ctx, person: PersonId, id: MessageId) -> Result<Presented> {
    let Some(found) = present::of(tx, person, id)? else {
        return Ok(Presented::NotFound { as_of: ctx.now });
    };
    let licence = find(tx, found.licence)?.ok_or_else(crate::store::missing)?;
    Ok(Presented::Told(Told {
        licence_state: licence.state(ctx.now.date()),
        type_id: licence.type_id,
        state: found.state,
        expires: found.expires,
        verifier_city: found.verifier_city,
        verifier_actor: found.verifier_actor,
        verdict: found.answer,
        redeemed_at: found.redeemed_at,
    }))
}

fn hers(tx: &mut Tx<'_>, person: PersonId, id: LicenceId) -> Result<Option<Licence>> {
    Ok(find(tx, id)?.filter(|licence| licence.holder == Some(person)))
}

fn history(tx: &mut Tx<'_>, id: LicenceId) -> Result<Vec<HistoryEntry>> {
    let lines = history_of(tx, id)?;
    let entry = |line: crate::store::HistoryLine| HistoryEntry {
        at: line.at,
        version: line.version,
        event: line.event,
        state: line.state,
    };
    let older = lines.len().saturating_sub(HISTORY_MAX);
    Ok(lines.into_iter().skip(older).map(entry).collect())
}

fn purpose() -> Purpose {
    Purpose { item: PRESENT_PURPOSE.to_owned(), case: None, basis: GROUND.to_owned() }
}

fn not_herself() -> Refusal {
    Refusal::not_allowed(
        "LIC-PRE-003",
        "只有持证人本人登录后才能查看和亮出证照",
        "Only the holder herself, signed in, may read and show a licence",
    )
    .but("请本人在所在城市的平台登录", "Let her sign in at her own city")
}

#[cfg(test)]
mod tests;
