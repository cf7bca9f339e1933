//! My enterprise (我的企业): its record, who acts for it, its cases and licences, as representative and agents see them.
//! Serves clauses 1.1 and 4.2.
//!
//! Invariants: whoever has neither office nor grant sees nothing of an enterprise and is told why; each look of an
//! agent at its record is written down for the representative to see.

pub mod cases;
pub mod grants;
pub mod places;
pub mod show;
mod words;

use std::sync::Arc;

use axum::Extension;
use tb_base::{Ctx, PersonId, Result, Uscc};
use tb_identity::enterprises::Enterprise;
use tb_identity::grants::Standing;
use tb_identity::permit::{Action, Permit, Scope, may};
use tb_store::Tx;
use tb_web::Visit;

use crate::parts::Parts;

/// How handlers take the parts.
type Shared = Extension<Arc<Parts>>;

/// The role under which an agent's look is written down.
pub const AGENT: &str = "agent";
/// The purpose of such a look.
pub const AGENT_PURPOSE: &str = "enterprise";

/// The person who is signed in, and that she may.
fn permit(ctx: &Ctx, action: Action) -> Result<(PersonId, Permit)> {
    let person = ctx.actor.person().ok_or_else(words::not_a_person)?;
    Ok((person, may(&ctx.actor, action, &Scope::Person(person))?))
}

/// Which enterprise a page is about: the one in the address, or the one that she acts for.
fn named(visit: &Visit) -> Option<Uscc> {
    let named = visit.param("firm").and_then(|code| code.parse().ok());
    named.or_else(|| visit.acting().map(|acting| acting.code))
}

/// The enterprise of a page and in which capacity she sees it: the named one, or the first of hers.
fn of_page(
    tx: &mut Tx<'_>,
    person: PersonId,
    named: Option<Uscc>,
    ctx: &Ctx,
) -> Result<(Enterprise, Standing)> {
    let today = ctx.now.date();
    match named {
        Some(code) => tb_identity::grants::standing(tx, &code, person, today),
        None => {
            let first = tb_identity::grants::firms_of(tx, person, today)?.into_iter().next();
            Ok(first.ok_or_else(words::none)?)
        }
    }
}
