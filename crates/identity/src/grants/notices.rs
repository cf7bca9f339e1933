//! What both sides of a grant are told (授权通知).

use std::collections::BTreeMap;

use tb_base::{Ctx, PersonId, Result};
use tb_crypto::Vault;
use tb_store::Tx;

use super::{Grant, Side};
use crate::enterprises::Enterprise;
use crate::wording::{Wording, wording};
use crate::{messages, people};

const GIVEN: Wording = wording(
    "grant.given",
    &[(
        "{firm}授权您代它办事，{from} 至 {to}。不愿意的，可以随时辞去。",
        "{firm} has granted you to act for it from {from} to {to}. You may give it up at any time.",
    )],
);
const GIVEN_OUT: Wording = wording(
    "grant.given_out",
    &[(
        "{firm}已授权{agent}代办，{from} 至 {to}。",
        "{firm} has granted {agent} to act for it from {from} to {to}.",
    )],
);
const TAKEN_BACK: Wording = wording(
    "grant.taken_back",
    &[(
        "{firm}结束了给您的授权，从现在起您不能再代它办事。",
        "{firm} has ended your grant; from now on you cannot act for it.",
    )],
);
const TAKEN_BACK_BY_YOU: Wording = wording(
    "grant.taken_back_by_you",
    &[("{firm}给{agent}的授权已结束，立即生效。", "The grant of {firm} to {agent} has ended, at once.")],
);
const GIVEN_UP_BY_YOU: Wording = wording(
    "grant.given_up_by_you",
    &[("您辞去了代{firm}办事的授权，立即生效。", "You gave up your grant to act for {firm}, at once.")],
);
const GIVEN_UP: Wording = wording(
    "grant.given_up",
    &[(
        "{agent}辞去了代{firm}办事的授权，立即生效。",
        "{agent} gave up the grant to act for {firm}, at once.",
    )],
);

/// Every kind of notice of this file.
pub const WORDINGS: &[Wording] =
    &[GIVEN, GIVEN_OUT, TAKEN_BACK, TAKEN_BACK_BY_YOU, GIVEN_UP_BY_YOU, GIVEN_UP];

/// Tells the agent and the representative that a grant was given.
pub(super) fn given(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    firm: &Enterprise,
    grant: &Grant,
) -> Result<()> {
    both(tx, ctx, vault, firm, grant, (&GIVEN, &GIVEN_OUT))
}

/// Tells both that one of them ended it.
pub(super) fn ended(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    firm: &Enterprise,
    grant: &Grant,
    side: Side,
) -> Result<()> {
    let templates = match side {
        Side::Enterprise => (&TAKEN_BACK, &TAKEN_BACK_BY_YOU),
        Side::Agent => (&GIVEN_UP_BY_YOU, &GIVEN_UP),
    };
    both(tx, ctx, vault, firm, grant, templates)
}

fn both(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    firm: &Enterprise,
    grant: &Grant,
    (to_agent, to_firm): (&Wording, &Wording),
) -> Result<()> {
    let name = people::get(tx, vault, grant.agent)?.name;
    let params: BTreeMap<String, String> = [
        ("enterprise", firm.uscc.to_string()),
        ("firm", firm.name.clone()),
        ("agent", name),
        ("from", grant.from.to_string()),
        ("to", grant.to.to_string()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    messages::post(tx, ctx, grant.agent, to_agent, &params, None)?;
    // Whoever represents the enterprise now, and whoever gave it while she did.
    let mut firm_side: Vec<PersonId> = firm.representative.into_iter().collect();
    if !firm_side.contains(&grant.given_by) {
        firm_side.push(grant.given_by);
    }
    for person in firm_side {
        messages::post(tx, ctx, person, to_firm, &params, None)?;
    }
    Ok(())
}

/// Where a notice of this file leads.
pub fn href(template: &str) -> Option<String> {
    template.starts_with("grant.").then(|| "/firm".to_owned())
}
