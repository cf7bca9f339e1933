//! What a city offers its peers about licences (证照服务): locate, fetch, verify.
//! Serves clauses 1.2, 3.3 and 3.4.
//!
//! Invariants: every answer that tells something about a person leaves a look that she can see, a refused one
//! too; so a refusal of a query about a person is an answer with its reason, not an error that undoes the row.
//! The own city asks itself through the same functions, under the contract `self`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tb_base::{Ctx, Error, LicenceId, OfficeId, PersonId, Refusal, Result};
use tb_exchange::{Desk, Envelope, Incoming, service};
use tb_identity::look::{self, Look, LookKind};
use tb_identity::people;
use tb_store::inbox::Handler;
use tb_store::{Tx, audit};

use crate::consent;
use crate::present::{self, Code, Redeemed};
use crate::state::State;
use crate::store::{Issuer, Licence, find, of_holder};
use crate::types::{LicenceType, Mask, Viewer, mask};

mod bodies;
pub mod show;

pub use bodies::{Fetch, Fetched, Given, Locate, Located, Match, NotFoundReason, Verdict, Verify};

/// More types than one item lists.
const TYPES_MAX: usize = 20;
/// How the list of looks names the field that a location tells: which licences there are.
pub const INDEX_FIELD: &str = "licence_index";
/// The outcome of a look that was granted.
const SHOWN: &str = "shown";

/// The services of this crate, for the node's inbox.
pub fn handlers(desk: &Arc<Desk>, issuer: &Arc<Issuer>) -> Vec<Handler> {
    type Answer = fn(&mut Tx<'_>, &Ctx, &Desk, &Issuer, &Incoming) -> Result<serde_json::Value>;
    let offered: [(&'static str, Answer); 4] = [
        (service::LICENCE_LOCATE, locate),
        (service::LICENCE_FETCH, fetch),
        (service::LICENCE_VERIFY, verify),
        (service::LICENCE_PRESENT, show::present),
    ];
    let handler = |(service, answer): (&'static str, Answer)| {
        let (desk, issuer) = (Arc::clone(desk), Arc::clone(issuer));
        Handler {
            service,
            query: true,
            handle: Arc::new(move |tx, ctx, incoming| answer(tx, ctx, &desk, &issuer, incoming)),
        }
    };
    offered.into_iter().map(handler).collect()
}

/// Which licences of the subject an item could use (证照定位): ids and states, no values.
pub fn locate(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    desk: &Desk,
    issuer: &Issuer,
    incoming: &Incoming,
) -> Result<serde_json::Value> {
    // Contract and purpose were checked by the desk on arrival; a location gives no fields to limit.
    let _ = desk;
    let asked: Locate = incoming.parse()?;
    let envelope = &incoming.envelope;
    let person = subject(tx, issuer, envelope)?;
    let answer = match may_locate(issuer, envelope, &asked) {
        Err(error) => Located::Refused { refusal: refusal_of(error)? },
        Ok(()) => {
            let found = match person {
                None => Vec::new(),
                Some(person) => matches(tx, ctx, person, &asked.types)?,
            };
            Located::Found { found, as_of: ctx.now }
        }
    };
    let outcome = match &answer {
        Located::Found { .. } => SHOWN,
        Located::Refused { refusal } => &refusal.code,
    };
    let seen = Seen { kind: LookKind::Locate, licence: None, fields: vec![INDEX_FIELD.to_owned()], outcome };
    note(tx, ctx, issuer, envelope, person, seen)?;
    json(&answer)
}

/// Gives agreed fields of one licence for one case (动态调取).
pub fn fetch(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    desk: &Desk,
    issuer: &Issuer,
    incoming: &Incoming,
) -> Result<serde_json::Value> {
    let asked: Fetch = incoming.parse()?;
    let envelope = &incoming.envelope;
    let person = subject(tx, issuer, envelope)?;
    // A licence of somebody else is answered like none: the asker learns nothing about it.
    let licence = find(tx, asked.licence)?.filter(|it| person.is_some() && it.holder == person);
    let answer = match &licence {
        None => Fetched::NotFound { as_of: ctx.now },
        Some(licence) => match give(tx, ctx, desk, issuer, envelope, licence, &asked) {
            Ok(given) => Fetched::Given(Box::new(given)),
            Err(error) => Fetched::Refused { refusal: refusal_of(error)? },
        },
    };
    let (outcome, fields): (&str, Vec<String>) = match &answer {
        Fetched::Given(given) => (SHOWN, given.extract.values.keys().cloned().collect()),
        Fetched::Refused { refusal } => (&refusal.code, Vec::new()),
        Fetched::NotFound { .. } => ("not_found", Vec::new()),
    };
    let licence = licence.map(|it| it.id);
    note(tx, ctx, issuer, envelope, person, Seen { kind: LookKind::Fetch, licence, fields, outcome })?;
    json(&answer)
}

/// Redeems a code and says how the licence stands right now (实时核验).
pub fn verify(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    desk: &Desk,
    issuer: &Issuer,
    incoming: &Incoming,
) -> Result<serde_json::Value> {
    let asked: Verify = incoming.parse()?;
    let envelope = &incoming.envelope;
    let Some(viewer) = viewer(&envelope.actor) else {
        let refusal = not_a_verifier();
        audit::line(tx, ctx, "licence.verify", envelope.id.as_str(), &refusal.code)?;
        return json(&Verdict::NotAllowed { refusal, as_of: ctx.now });
    };
    let code = asked.code.parse::<Code>().ok().filter(|code| code.city == issuer.city);
    let redeemed = match &code {
        None => Redeemed::Unknown,
        Some(code) => present::redeem(tx, ctx, code, envelope.from, &envelope.actor)?,
    };
    let (presentation, licence) = match redeemed {
        Redeemed::Good { presentation, licence } => (presentation, licence),
        Redeemed::Used => return not_found(tx, ctx, envelope, NotFoundReason::Used),
        Redeemed::Over => return not_found(tx, ctx, envelope, NotFoundReason::Over),
        Redeemed::Unknown => return not_found(tx, ctx, envelope, NotFoundReason::Unknown),
    };
    let licence = find(tx, licence)?.ok_or_else(crate::store::missing)?;
    let verdict = judge(ctx, desk, issuer, envelope, &licence, viewer)?;
    present::answered(tx, ctx, presentation, verdict.word())?;
    let fields = match &verdict {
        Verdict::Yes { .. } => verdict.values().into_keys().collect(),
        Verdict::No { .. } => vec!["state".to_owned()],
        Verdict::NotFound { .. } | Verdict::NotAllowed { .. } | Verdict::Unavailable { .. } => Vec::new(),
    };
    let outcome = match &verdict {
        Verdict::NotAllowed { refusal, .. } => &refusal.code,
        Verdict::Yes { .. } | Verdict::No { .. } | Verdict::NotFound { .. } | Verdict::Unavailable { .. } => {
            SHOWN
        }
    };
    let seen = Seen { kind: LookKind::Verify, licence: Some(licence.id), fields, outcome };
    note(tx, ctx, issuer, envelope, licence.holder, seen)?;
    json(&verdict)
}

fn may_locate(issuer: &Issuer, envelope: &Envelope, asked: &Locate) -> Result<()> {
    let by_herself = show::is_by_holder(envelope);
    if envelope.purpose.case.is_none() && !by_herself {
        return Err(Refusal::not_allowed(
            "LIC-USE-002",
            "没有办件编号，不得查询个人证照",
            "Without a case nobody's licences are looked up",
        )
        .but("请在办件中查询", "Look them up within a case")
        .into());
    }
    if TYPES_MAX < asked.types.len() {
        return Err(
            Refusal::invalid("LIC-USE-003", "一次最多查 20 种证照", "At most 20 types at once").into()
        );
    }
    if by_herself {
        return Ok(());
    }
    let item = &envelope.purpose.item;
    // A type that nobody defined here is one that this city does not issue: nothing is found.
    let mut known = asked.types.iter().filter_map(|id| issuer.types.get(id));
    match known.find(|kind| !kind.serves(item)) {
        None => Ok(()),
        Some(kind) => Err(not_on_list(kind, item)),
    }
}

fn matches(tx: &mut Tx<'_>, ctx: &Ctx, person: PersonId, types: &BTreeSet<String>) -> Result<Vec<Match>> {
    let today = ctx.now.date();
    let licences = of_holder(tx, person)?;
    let asked = licences.into_iter().filter(|it| types.contains(&it.type_id));
    let found = asked.map(|it| Match {
        state: it.state(today),
        id: it.id,
        oid: it.oid,
        type_id: it.type_id,
        version: it.version,
        valid_from: it.standing.valid_from,
        valid_to: it.standing.valid_to,
    });
    Ok(found.collect())
}

/// The values, or why not.
fn give(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    desk: &Desk,
    issuer: &Issuer,
    envelope: &Envelope,
    licence: &Licence,
    asked: &Fetch,
) -> Result<Given> {
    let kind = issuer.types.find(&licence.type_id)?;
    if !kind.serves(&envelope.purpose.item) {
        return Err(not_on_list(kind, &envelope.purpose.item));
    }
    asked.consent.check(desk, envelope, &licence.type_id, &asked.fields, ctx.now)?;
    if envelope.from == desk.me && !stands(tx, ctx, asked.consent.receipt.id)? {
        return Err(withdrawn());
    }
    let allowed = allowed(desk, envelope, kind, Viewer::Office);
    let fields: BTreeSet<String> = asked.fields.intersection(&allowed).cloned().collect();
    Ok(Given {
        extract: licence.extract(&issuer.vault, &fields)?,
        state: licence.state(ctx.now.date()),
        void_from: licence.standing.void_from,
        withheld: asked.fields.difference(&allowed).cloned().collect(),
        as_of: ctx.now,
    })
}

fn stands(tx: &mut Tx<'_>, ctx: &Ctx, id: consent::ConsentId) -> Result<bool> {
    Ok(consent::find(tx, id)?.is_some_and(|it| it.is_given(ctx.now)))
}

fn judge(
    ctx: &Ctx,
    desk: &Desk,
    issuer: &Issuer,
    envelope: &Envelope,
    licence: &Licence,
    viewer: Viewer,
) -> Result<Verdict> {
    let kind = issuer.types.find(&licence.type_id)?;
    let today = ctx.now.date();
    let allowed = allowed(desk, envelope, kind, viewer);
    if allowed.is_empty() {
        return Ok(Verdict::NotAllowed { refusal: not_in_contract(kind), as_of: ctx.now });
    }
    if !licence.standing.is_in_force(today) {
        let early = licence.state(today) == State::Valid;
        return Ok(Verdict::No {
            type_id: licence.type_id.clone(),
            state: licence.state(today),
            valid_from: early.then_some(licence.standing.valid_from),
            valid_to: licence.standing.valid_to,
            void_from: licence.standing.void_from,
            as_of: ctx.now,
        });
    }
    let is_masked =
        |id: &String| kind.field(id).and_then(|field| field.masked).filter(|how| masks(*how, viewer));
    let values = licence.values(&issuer.vault)?;
    let masked: BTreeMap<String, String> =
        allowed.iter().filter_map(|id| Some((id.clone(), mask(is_masked(id)?, values.get(id)?)))).collect();
    let open: BTreeSet<String> = allowed.into_iter().filter(|id| !masked.contains_key(id)).collect();
    let extract = licence.extract(&issuer.vault, &open)?;
    Ok(Verdict::Yes { extract: Box::new(extract), masked, as_of: ctx.now })
}

/// An inspector reads names in full; numbers stay masked for everybody who is not handling a case.
fn masks(how: Mask, viewer: Viewer) -> bool {
    match (how, viewer) {
        (Mask::Name | Mask::Number, Viewer::Public) | (Mask::Number, Viewer::Inspector) => true,
        (Mask::Name, Viewer::Inspector) | (Mask::Name | Mask::Number, Viewer::Office) => false,
    }
}

/// Fields that both the definition and the contract let this viewer see.
fn allowed(desk: &Desk, envelope: &Envelope, kind: &LicenceType, viewer: Viewer) -> BTreeSet<String> {
    agreed(desk, envelope, kind, kind.shown_to(viewer))
}

/// Those of the fields that the contract lets travel; the own city has no contract to ask.
fn agreed(
    desk: &Desk,
    envelope: &Envelope,
    kind: &LicenceType,
    fields: BTreeSet<String>,
) -> BTreeSet<String> {
    match desk.terms(envelope) {
        None if envelope.from == desk.me => fields,
        None => BTreeSet::new(),
        Some(terms) => fields.into_iter().filter(|field| terms.gives(&kind.id, field)).collect(),
    }
}

fn viewer(actor: &str) -> Option<Viewer> {
    match actor.split('/').next().unwrap_or(actor) {
        "inspector" => Some(Viewer::Inspector),
        "window" | "reviewer" | "approver" | "resident" | "anonymous" | "public" => Some(Viewer::Public),
        _ => None,
    }
}

fn subject(tx: &mut Tx<'_>, issuer: &Issuer, envelope: &Envelope) -> Result<Option<PersonId>> {
    let Some(pseudonym) = &envelope.subject else { return Ok(None) };
    let person = people::by_pseudonym(tx, &issuer.vault, &envelope.contract.id, pseudonym)?;
    Ok(person.map(|person| person.id))
}

/// What a look saw.
struct Seen<'a> {
    kind: LookKind,
    licence: Option<LicenceId>,
    fields: Vec<String>,
    outcome: &'a str,
}

/// Writes the look, where a person is concerned, and an audit line.
fn note(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    issuer: &Issuer,
    envelope: &Envelope,
    person: Option<PersonId>,
    seen: Seen<'_>,
) -> Result<()> {
    let action = match seen.kind {
        LookKind::Locate => "licence.locate",
        LookKind::Fetch => "licence.fetch",
        _ => "licence.verify",
    };
    audit::line(tx, ctx, action, envelope.id.as_str(), seen.outcome)?;
    let Some(person) = person else { return Ok(()) };
    if seen.kind == LookKind::Locate && show::is_by_holder(envelope) {
        // She reads her own list of licences: the message has its leaf, and her list of looks does not grow by it.
        return Ok(());
    }
    let (role, office) = match envelope.actor.split_once('/') {
        Some((role, office)) => (role, office.parse::<OfficeId>().ok()),
        None => (envelope.actor.as_str(), None),
    };
    let look = Look {
        person,
        kind: seen.kind,
        city: envelope.from,
        office,
        role: role.to_owned(),
        item: envelope.purpose.item.clone(),
        case: envelope.purpose.case,
        ground: envelope.purpose.basis.clone(),
        fields: if seen.outcome == SHOWN { seen.fields } else { Vec::new() },
        licence: seen.licence,
        message: Some(envelope.id),
        outcome: seen.outcome.to_owned(),
    };
    look::record(tx, ctx, &issuer.vault, &look).map(drop)
}

fn not_found(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    envelope: &Envelope,
    why: NotFoundReason,
) -> Result<serde_json::Value> {
    audit::line(tx, ctx, "licence.verify", envelope.id.as_str(), "not_found")?;
    json(&Verdict::NotFound { why, as_of: ctx.now })
}

fn not_on_list(kind: &LicenceType, item: &str) -> Error {
    consent::not_on_list(&kind.title, &kind.title_en, item)
}

/// A refusal becomes the answer; a fault or a violation stays what it is.
fn refusal_of(error: Error) -> Result<Refusal> {
    match error {
        Error::Refused(refusal) => Ok(*refusal),
        Error::Fault(_) | Error::Violation(_) => Err(error),
    }
}

fn not_a_verifier() -> Refusal {
    Refusal::not_allowed("LIC-VER-001", "这个岗位不能核验证照", "This role may not verify licences")
        .but("请由执法检查人员或窗口人员核验", "Let an inspector or a window verify it")
}

fn not_in_contract(kind: &LicenceType) -> Refusal {
    Refusal::not_allowed(
        "LIC-VER-002",
        format!("两市契约不允许核验{}", kind.title),
        format!("The contract between the cities does not allow to verify the {}", kind.title_en),
    )
    .but("请由双方数据局修订契约", "Both data bureaus have to amend the contract")
}

fn withdrawn() -> Error {
    Refusal::not_allowed("LIC-CNS-108", "本人已撤回授权", "The person has withdrawn her consent")
        .by("《中华人民共和国个人信息保护法》第十五条")
        .but("请重新取得本人同意", "Ask for her consent again")
        .into()
}

fn json(answer: &impl serde::Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(answer)
        .map_err(|error| tb_base::Fault::of("writing an answer about a licence", error).into())
}

#[cfg(test)]
mod tests;
