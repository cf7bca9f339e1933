//! Handing in (提交、收件): a draft becomes a case, here or in the city that decides.
//!
//! Invariants: nothing is handed in that the form, the materials or the formal check still miss; what was fetched
//! ends with the draft, the package names licences and carries no values of them.

use tb_base::{Actor, CaseId, Ctx, DraftId, MessageId, Refusal, Result};
use tb_crypto::text;
use tb_store::Tx;

use crate::case::{By, Channel, LicenceRef, Opening, Party};
use crate::decide::open;
use crate::definitions::{DeliveryMode, ItemRules, Source};
use crate::draft::{self, Draft};
use crate::env::Env;
use crate::files::{self, Filing};
use crate::text::Place;
use crate::{clocks, form, keep, peer, refusals};

/// Everything that a draft still misses, all at once; empty when it may be handed in.
pub fn missing(draft: &Draft, rules: &ItemRules) -> Vec<Refusal> {
    let mut all = form::check(rules, &draft.answers);
    for material in rules.materials.iter().filter(|material| material.required) {
        let fetched = draft.fetched.iter().find(|it| it.material == material.id);
        match (&material.source, fetched) {
            (Source::Licence { .. }, None) => all.push(refusals::material_missing(&material.id)),
            (Source::Licence { .. }, Some(it)) if it.consent.is_empty() => {
                all.push(refusals::consent_missing(&material.id));
            }
            (Source::Licence { .. }, Some(_)) | (Source::Office { .. }, _) => {}
        }
    }
    if draft.channel == Channel::Window {
        let unticked = rules.checks.iter().filter(|check| !draft.checks.contains(&check.id));
        all.extend(unticked.map(|check| refusals::check_missing(&check.id)));
    }
    all
}

/// Hands a draft in: it is received here, or collected and offered to the city that decides.
///
/// The same command again gives the same case.
pub fn submit(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, draft: DraftId, command: MessageId) -> Result<CaseId> {
    if let Some(case) = keep::by_command(tx, command)? {
        return Ok(case);
    }
    let draft = draft::find(tx, env, draft)?.ok_or_else(refusals::draft_gone)?;
    let own = env.rules_of(draft.item, env.me())?;
    let deciding =
        draft::competent(&own, env.me(), &draft.fetched).ok_or_else(refusals::competent_unknown)?;
    let rules = env.rules_of(draft.item, deciding)?;
    check_actor(ctx, &draft, &rules)?;
    if let Some(first) = missing(&draft, &rules).into_iter().next() {
        return Err(first.into());
    }
    let filing = filing(ctx, &draft, &rules);
    let collecting = window(&own, &draft, env);
    let remote = deciding != env.me();
    let opening = Opening {
        // Consents, receipts and looks were made for the draft under the id that the case now has.
        case: draft.id.as_str().parse()?,
        query_code: crate::query_code(ctx),
        item: draft.item,
        item_version: rules.item.version,
        definition: rules.sha256.clone(),
        channel: draft.channel,
        collecting,
        deciding: Place {
            city: deciding,
            office: rules.offices.deciding.id.clone(),
            name: rules.offices.deciding.name.clone(),
        },
        delivery: delivery(&filing, &rules),
        licences: draft.fetched.iter().map(licence_ref).collect(),
        filing: crate::digest(&filing),
        clocks: clocks::at_collection(&rules, remote, ctx.now, &env.calendar),
    };
    let case = opening.case;
    let events = open(opening, &by(ctx, env), ctx.now);
    files::put_filing(tx, ctx, &env.vault, case, &filing)?;
    let (kept, _) = keep::begin(tx, ctx, env, draft.person, &events, command)?;
    if remote {
        peer::send_offer(tx, ctx, env, &kept, filing)?;
    }
    draft::discard(tx, draft.id)?;
    Ok(case)
}

fn check_actor(ctx: &Ctx, draft: &Draft, rules: &ItemRules) -> Result<()> {
    match &ctx.actor {
        Actor::Resident { person, .. } if *person != draft.person => Err(refusals::draft_gone().into()),
        Actor::Resident { level, .. } if *level < rules.item.assurance_level_min => {
            Err(refusals::level_too_low(rules.item.assurance_level_min).into())
        }
        Actor::Resident { .. } | Actor::Staff { .. } | Actor::System => Ok(()),
        Actor::Anonymous | Actor::Peer(_) => Err(refusals::draft_gone().into()),
    }
}

fn by(ctx: &Ctx, env: &Env) -> By {
    match &ctx.actor {
        Actor::Staff { staff, office, .. } => By {
            party: Party::Window,
            name: format!("staff:{staff}"),
            city: env.me(),
            office: Some(office.clone()),
        },
        Actor::Resident { .. } | Actor::System | Actor::Anonymous | Actor::Peer(_) => {
            By { party: Party::Applicant, name: "applicant".to_owned(), city: env.me(), office: None }
        }
    }
}

/// Where it is collected: the clerk's office under the name of the city's window; online the window that serves it.
fn window(rules: &ItemRules, draft: &Draft, env: &Env) -> Place {
    let window = &rules.offices.window;
    Place {
        city: env.me(),
        office: draft.office.clone().unwrap_or_else(|| window.id.clone()),
        name: window.name.clone(),
    }
}

fn filing(ctx: &Ctx, draft: &Draft, rules: &ItemRules) -> Filing {
    let salt: [u8; 16] = ctx.random();
    Filing {
        salt: text::hex(&salt),
        answers: form::clean(rules, &draft.answers),
        checks: draft.checks.iter().cloned().collect(),
        disputes: draft.disputes.clone(),
    }
}

/// The answer of question `delivery`, which offers exactly the ways of the definition.
fn delivery(filing: &Filing, rules: &ItemRules) -> DeliveryMode {
    let chosen = filing.answers.get("delivery");
    let rule = rules.delivery.iter().find(|rule| chosen == Some(&crate::word(&rule.id)));
    rule.map_or(DeliveryMode::Electronic, |rule| rule.id)
}

fn licence_ref(fetched: &draft::Fetched) -> LicenceRef {
    LicenceRef {
        material: fetched.material.clone(),
        kind: fetched.kind.clone(),
        licence: fetched.licence,
        version: fetched.version,
        digest: fetched.digest.clone(),
        issuer: fetched.issuer,
        consent: fetched.consent.clone(),
    }
}
