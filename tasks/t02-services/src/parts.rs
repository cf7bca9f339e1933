//! What this task needs beside the application (所需部件), and how cases and licences meet.

use std::collections::BTreeMap;
use std::sync::Arc;

use tb_base::{Calendar, CaseId, Ctx, Error, Fault, PersonId, Refusal, Result};
use tb_case::case::{IssuedResult, LicenceRef};
use tb_case::definitions::Effect;
use tb_case::files::Filing;
use tb_case::{Case, Catalogue, Env};
use tb_crypto::{Vault, text};
use tb_exchange::Desk;
use tb_exchange::keys::Secrets;
use tb_identity::people;
use tb_licence::consent;
use tb_licence::store::{self, Issuer, Renewal};
use tb_licence::types::Types;
use tb_store::Tx;

use crate::defs::Finding;

/// What this task needs beside the application.
#[derive(Clone)]
pub struct Parts {
    /// Opens sealed personal data.
    pub vault: Arc<Vault>,
    /// Signs receipts of consents.
    pub secrets: Arc<Secrets>,
    /// Composes queries to other cities.
    pub desk: Arc<Desk>,
    /// The city as issuer of licences.
    pub issuer: Arc<Issuer>,
    /// The types of licences.
    pub types: Arc<Types>,
    /// The items.
    pub catalogue: Arc<Catalogue>,
    /// How items and situations are found.
    pub finding: Arc<Finding>,
    /// The working days.
    pub calendar: Arc<Calendar>,
    /// What the case block needs.
    pub env: Arc<Env>,
}

/// What the case block needs, with an approval of item 121 making a new version of the licence that it names.
pub fn env(
    desk: &Arc<Desk>,
    catalogue: &Arc<Catalogue>,
    calendar: &Arc<Calendar>,
    vault: &Arc<Vault>,
    issuer: &Arc<Issuer>,
) -> Arc<Env> {
    let (issuing, checking, rules) = (Arc::clone(issuer), Arc::clone(issuer), Arc::clone(catalogue));
    Arc::new(Env {
        desk: Arc::clone(desk),
        catalogue: Arc::clone(catalogue),
        calendar: Arc::clone(calendar),
        vault: Arc::clone(vault),
        issue: Arc::new(move |tx, ctx, case, filing| issue(tx, ctx, &issuing, &rules, case, filing)),
        is_current: Arc::new(move |tx, ctx, holder, licence| is_current(tx, ctx, &checking, holder, licence)),
        ended: Arc::new(end_consents),
    })
}

/// A consent was for one case: when that is over, so is the consent (授权随办件结束).
fn end_consents(tx: &mut Tx<'_>, ctx: &Ctx, case: CaseId) -> Result<()> {
    match consent::end_of_case(tx, ctx, case) {
        // A row that cannot be holds no case open; the hourly job finds it again and tells of it.
        Err(Error::Violation(_)) => Ok(()),
        ended => ended.map(drop),
    }
}

/// Makes the licence of an approved case (制证): the old version ends at the same moment.
fn issue(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    issuer: &Issuer,
    catalogue: &Catalogue,
    case: &Case,
    _filing: &Filing,
) -> Result<IssuedResult> {
    let opening = &case.opening;
    let rules = catalogue.rules(opening.item, issuer.city);
    let rule = rules.as_ref().map(|rules| &rules.result).filter(|rule| rule.effect == Effect::Supersede);
    let material = rule.and_then(|rule| opening.licences.iter().find(|it| it.material == rule.material));
    let Some(old) = material.filter(|old| old.issuer == issuer.city) else {
        return Err(Fault::new(format!(
            "issuing the result of case {}: it names no licence of this city",
            case.id()
        ))
        .into());
    };
    let holder = tb_case::acts::person_of(tx, case.id())?.ok_or_else(not_hers)?;
    if !is_current(tx, ctx, issuer, holder, old)? {
        return Err(not_hers().into());
    }
    let today = ctx.now.date();
    let age = people::get(tx, &issuer.vault, holder)?.number.age_on(today);
    let kind = issuer.types.find(&old.kind)?;
    let renewal = Renewal {
        fields: BTreeMap::new(),
        valid_from: today,
        valid_to: kind.term_end(today, u32::try_from(age).unwrap_or(0)),
        reason: format!("换发，办件 {}", case.id()),
    };
    let new = store::supersede(tx, ctx, issuer, old.licence, renewal)?;
    Ok(IssuedResult { licence: new.id, version: u32::from(new.version) })
}

fn not_hers() -> Refusal {
    Refusal::not_now(
        "T02-ISS-001",
        "所用的原证不是申请人的，或者收件后已变更、暂扣、失效，不能据此换发",
        "The old licence is not the applicant's, or was changed, suspended or ended since the case was collected",
    )
    .but("核对原证后，作出不予决定或请申请人重新提出", "Check the old licence; refuse, or let the applicant apply anew")
}

/// Whether a licence of this city is the applicant's and still what the case was filed with (核对所用证照).
fn is_current(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    issuer: &Issuer,
    holder: PersonId,
    used: &LicenceRef,
) -> Result<bool> {
    let Some(licence) = store::find(tx, used.licence)? else { return Ok(false) };
    let same = u32::from(licence.version) == used.version
        && text::hex(&licence.digest) == used.digest
        && licence.type_id == used.kind
        && licence.holder == Some(holder)
        && licence.record.city == issuer.city;
    Ok(same && licence.standing.is_in_force(ctx.now.date()))
}
