//! Licences as people meet them (证照互认): having them, showing them, verifying them, agreeing to their use,
//! and as the department that issued them manages them.
//! Serves clauses 1.2 and 3.3 to 3.5.
//!
//! Layer 5. Owns no table: licences, consents and presentations are the licence block's.
//! Invariant: a city that does not answer is named; nothing here takes silence for a yes, a no or an empty list.

mod consents;
mod holder;
mod licence;
mod office;
mod parts;
mod showing;
#[cfg(test)]
mod tests;
mod verify;
mod wallet;
mod words;

use std::sync::Arc;

use axum::routing::{get, post};
use axum::{Extension, Router};
use tb_base::Role;
use tb_web::{App, Module, RouteInfo, Who};

pub use parts::{ItemName, Parts};

const RESIDENT: Who = Who::Roles(&[Role::Resident]);
const OFFICERS: Who = Who::Roles(&[Role::Reviewer, Role::Approver]);

/// Who may come to which address of this task.
const ROUTES: &[RouteInfo] = &[
    RouteInfo::get("/licences", RESIDENT),
    RouteInfo::get("/licences/{city}/{id}", RESIDENT),
    RouteInfo::post("/licences/{city}/{id}/present", RESIDENT),
    RouteInfo::get("/licences/{city}/{id}/code", RESIDENT),
    RouteInfo::post("/licences/{city}/{id}/close", RESIDENT),
    RouteInfo::get("/verify", Who::Public),
    RouteInfo::post("/verify", Who::Public),
    RouteInfo::get("/consents", RESIDENT),
    RouteInfo::post("/consents/{id}", RESIDENT),
    RouteInfo::get("/office/licences", OFFICERS),
    RouteInfo::post("/office/licences", OFFICERS),
    RouteInfo::get("/office/licences/{id}", OFFICERS),
    RouteInfo::post("/office/licences/{id}", Who::Roles(&[Role::Approver])),
    RouteInfo::post("/office/licences/{id}/face", OFFICERS),
];

/// This task, as the binary lists it: its pages, and the services about licences that other cities may ask.
pub fn module(parts: Parts) -> Module {
    let handlers = tb_licence::peer::handlers(&parts.desk, &parts.issuer);
    let routes: Router<App> = Router::new()
        .route("/licences", get(wallet::show))
        .route("/licences/{city}/{id}", get(licence::show))
        .route("/licences/{city}/{id}/present", post(showing::make))
        .route("/licences/{city}/{id}/code", get(showing::code))
        .route("/licences/{city}/{id}/close", post(showing::close))
        .route("/verify", get(verify::ask).post(verify::check))
        .route("/consents", get(consents::show))
        .route("/consents/{id}", post(consents::answer))
        .merge(office::routes())
        .layer(Extension(Arc::new(parts)));
    Module {
        id: "t03",
        clauses: &["1.2", "3.3", "3.4", "3.5"],
        routes,
        handlers,
        jobs: Vec::new(),
        schema: None,
        route_list: ROUTES,
    }
}
