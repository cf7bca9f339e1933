//! The asking side (用证端): composes queries about licences and checks the answers.
//! Serves clauses 1.2 and 3.3.

use std::collections::BTreeSet;

use tb_base::{CaseId, Ctx, Error, LicenceId, NodeId, Refusal, Result, Violation};
use tb_exchange::keys::KeyUse;
use tb_exchange::{Answer, Desk, Outgoing, Purpose, TrustList, UNAVAILABLE, service};

use crate::consent::SignedReceipt;
use crate::peer::{Fetch, Fetched, Given, Locate, Located, Match, Verdict, Verify};
use crate::present::Code;
use crate::record::Extract;

/// How long an answer is of use.
const DEADLINE_SECONDS: i64 = 10;
/// The purpose code of a verification in the field; contracts name it.
pub const VERIFY_PURPOSE: &str = "verify";

/// Asks a city which licences of the item's list she has there. `actor` is role and office, `number` hers.
#[expect(
    clippy::too_many_arguments,
    reason = "the head of a message has this many parts, all of them mandatory"
)]
pub fn locate(
    desk: &Desk,
    ctx: &Ctx,
    to: NodeId,
    item: &str,
    case: CaseId,
    actor: &str,
    number: &str,
    types: BTreeSet<String>,
) -> Result<Outgoing> {
    let purpose = Purpose { item: item.to_owned(), case: Some(case), basis: "case".to_owned() };
    let deadline = ctx.now.plus_seconds(DEADLINE_SECONDS);
    desk.compose(ctx, to, service::LICENCE_LOCATE, purpose, actor, Some(number), &Locate { types }, deadline)
}

/// Asks a city for the agreed fields of a licence; `receipt` was made for that city.
pub fn fetch(
    desk: &Desk,
    ctx: &Ctx,
    licence: LicenceId,
    type_id: &str,
    receipt: SignedReceipt,
    actor: &str,
    number: &str,
) -> Result<Outgoing> {
    let agreed = &receipt.receipt;
    let fields = agreed.asked.iter().find(|it| it.type_id == type_id).map(|it| it.fields.clone());
    let fields = fields.ok_or_else(|| {
        Refusal::not_allowed("LIC-CNS-022", "授权中没有这种证照", "The consent does not name this type")
    })?;
    let purpose = Purpose {
        item: agreed.item.clone(),
        case: Some(agreed.case),
        basis: format!("consent:{}", agreed.id),
    };
    let to = agreed.answering;
    let deadline = ctx.now.plus_seconds(DEADLINE_SECONDS);
    let body = Fetch { licence, fields, consent: receipt };
    desk.compose(ctx, to, service::LICENCE_FETCH, purpose, actor, Some(number), &body, deadline)
}

/// Asks the city that made a code how the licence stands; the code itself says which city that is.
pub fn verify(desk: &Desk, ctx: &Ctx, code: &str, actor: &str) -> Result<Outgoing> {
    let to = code.parse::<Code>()?.city;
    let purpose = Purpose { item: VERIFY_PURPOSE.to_owned(), case: None, basis: "subject".to_owned() };
    let deadline = ctx.now.plus_seconds(DEADLINE_SECONDS);
    let body = Verify { code: code.to_owned() };
    desk.compose(ctx, to, service::LICENCE_VERIFY, purpose, actor, None, &body, deadline)
}

/// What was located.
pub fn located(answer: &Answer) -> Result<Vec<Match>> {
    answer.parse::<Located>()?.found()
}

/// The values that were given, checked against the issuer's signature; the rest is a refusal.
pub fn fetched(trust: &TrustList, answer: &Answer) -> Result<Given> {
    match answer.parse::<Fetched>()? {
        Fetched::Given(given) => {
            check(trust, answer.from, &given.extract)?;
            Ok(*given)
        }
        Fetched::Refused { refusal } => Err(refusal.into()),
        Fetched::NotFound { .. } => Err(crate::store::missing()),
    }
}

/// The verdict on a code. A city that does not answer is a fifth answer, not an error.
pub fn verdict(trust: &TrustList, ctx: &Ctx, city: NodeId, answer: Result<Answer>) -> Result<Verdict> {
    let answer = match answer {
        Err(Error::Refused(refusal)) if refusal.code == UNAVAILABLE => {
            return Ok(Verdict::Unavailable { city, refusal: *refusal, as_of: ctx.now });
        }
        answer => answer?,
    };
    let verdict: Verdict = answer.parse()?;
    match &verdict {
        Verdict::Yes { extract, .. } => check(trust, answer.from, extract)?,
        Verdict::Unavailable { .. } => {
            return Err(Violation::new("schema", "body", "a peer cannot say that it does not answer").into());
        }
        Verdict::No { .. } | Verdict::NotFound { .. } | Verdict::NotAllowed { .. } => {}
    }
    Ok(verdict)
}

/// Checks that the city that answered issued and signed the record.
pub(crate) fn check(trust: &TrustList, from: NodeId, extract: &Extract) -> Result<()> {
    let city = trust.city(from).filter(|_| extract.record.city == from);
    let city = city.ok_or_else(|| Violation::new("issuer-mismatch", "record", "another city issued it"))?;
    extract.verify(&city.keys.key(KeyUse::LicenceSm2)?)
}
