//! Licences as the department that issued them manages them (证照管理): find, open, order.
//! Serves clauses 3.3 and 3.5.
//!
//! Invariants: a department manages the types that it issues and no other; nothing about a holder is opened
//! without a case or a named statute, and she sees who opened it; an order is offered only where the state of
//! the licence and the permit table both allow it.

mod act;
mod deed;
mod find;
mod ground;
mod one;

use axum::Router;
use axum::routing::{get, post};
use tb_base::{Ctx, LicenceId, OfficeId, Refusal, Result};
use tb_identity::permit::{Action, Permit, Scope, may};
use tb_licence::store::{self, Licence};
use tb_store::Tx;
use tb_web::App;

/// The addresses of the department's licences.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/office/licences", get(find::ask).post(find::by_number))
        .route("/office/licences/{id}", get(one::show).post(act::order))
        .route("/office/licences/{id}/face", post(one::open))
}

/// Which department issues a type, as the last part of the office's id.
const KEEPERS: &[(&str, &str)] = &[
    ("resident_card", "police"),
    ("road_transport_qualification", "transport"),
    ("business_licence", "market"),
];

/// The department of this city that issues a type.
fn keeper(ctx: &Ctx, type_id: &str) -> Result<OfficeId> {
    let keeper = KEEPERS.iter().find(|(known, _)| *known == type_id).ok_or_else(no_keeper)?;
    Ok(format!("{}-{}", ctx.node, keeper.1).parse()?)
}

/// Whether the actor may do this with licences of a type.
fn permitted(ctx: &Ctx, action: Action, type_id: &str) -> Result<Permit> {
    may(&ctx.actor, action, &Scope::Office(keeper(ctx, type_id)?))
}

/// The licence, if this city issued it and the actor's department issues its type.
fn managed(tx: &mut Tx<'_>, ctx: &Ctx, id: LicenceId) -> Result<Licence> {
    let licence = store::find(tx, id)?.ok_or_else(missing)?;
    permitted(ctx, Action::ManageLicence, &licence.type_id)?;
    Ok(licence)
}

/// The licence of an address; what is no id is no licence.
fn licence_id(text: &str) -> Result<LicenceId> {
    text.parse().map_err(|_| missing().into())
}

fn missing() -> Refusal {
    Refusal::gone("T03-OFL-001", "本市没有签发过这张证照", "This city has issued no such licence").but(
        "请按证照标识或公民身份号码重新查找",
        "Look for it again by its identifier or the resident number",
    )
}

fn no_keeper() -> Refusal {
    Refusal::not_allowed("T03-OFL-002", "这类证照不在这里管理", "Licences of this type are not managed here")
}
