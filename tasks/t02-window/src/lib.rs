//! What surrounds a matter at the counter (专窗台面): numbers at the door, how they are called, papers in and out,
//! what is taken back, the end of the day.
//! Serves clause 2.3.
//!
//! Layer 5. Owns no table: numbers and the journal are the counter block's.
//! Invariant: nothing here decides about a matter; the pages of the matter itself are those of `t02-services`.

mod clerk;
mod day;
mod door;
mod hall;
mod originals;
#[cfg(test)]
mod tests;
mod tickets;
mod undo;

use std::sync::Arc;

use axum::routing::{get, post};
use axum::{Extension, Router};
use tb_base::Role;
use tb_case::text::Text;
use tb_case::{Catalogue, Env};
use tb_crypto::Vault;
use tb_web::{App, Job, Lang, Module, RouteInfo, Who};

/// What this task needs beside the application.
#[derive(Clone)]
pub struct Parts {
    /// Tags what is counted, and opens sealed data.
    pub vault: Arc<Vault>,
    /// The items.
    pub catalogue: Arc<Catalogue>,
    /// What the case block needs.
    pub env: Arc<Env>,
}

/// How handlers take the parts.
type Shared = Extension<Arc<Parts>>;

/// The half of a text that the page speaks.
fn say(lang: Lang, text: &Text) -> &str {
    lang.t(&text.zh, &text.en)
}

const WINDOW: Who = Who::Roles(&[Role::Window]);

/// Who may come to which address of this task.
const ROUTES: &[RouteInfo] = &[
    RouteInfo::get("/tickets", Who::Public),
    RouteInfo::post("/tickets", Who::Public),
    RouteInfo::get("/tickets/hall", Who::Public),
    RouteInfo::get("/tickets/{id}", Who::Public),
    RouteInfo::get("/window/cases/{id}/originals", WINDOW),
    RouteInfo::post("/window/cases/{id}/originals", WINDOW),
    RouteInfo::get("/window/cases/{id}/originals/receipt", WINDOW),
    RouteInfo::get("/window/cases/{id}/undo", WINDOW),
    RouteInfo::post("/window/cases/{id}/undo", WINDOW),
    RouteInfo::get("/window/drafts/{id}/back", WINDOW),
    RouteInfo::post("/window/drafts/{id}/back", WINDOW),
    RouteInfo::get("/window/day", WINDOW),
    RouteInfo::post("/window/tickets/next", WINDOW),
    RouteInfo::post("/window/tickets/{id}", WINDOW),
];

/// This task, as the binary lists it.
pub fn module(parts: Parts) -> Module {
    let env = Arc::clone(&parts.env);
    let routes: Router<App> = Router::new()
        .route("/tickets", get(door::ask).post(door::take))
        .route("/tickets/hall", get(hall::show))
        .route("/tickets/{id}", get(door::show))
        .route("/window/cases/{id}/originals", get(originals::show).post(originals::record))
        .route("/window/cases/{id}/originals/receipt", get(originals::receipt))
        .route("/window/cases/{id}/undo", get(undo::show).post(undo::ask))
        .route("/window/drafts/{id}/back", get(undo::back).post(undo::hand_back))
        .route("/window/day", get(day::show))
        .route("/window/tickets/next", post(tickets::next))
        .route("/window/tickets/{id}", post(tickets::step))
        .layer(Extension(Arc::new(parts)));
    let jobs = vec![Job {
        kind: tb_counter::undo::JOB,
        run: Arc::new(move |tx, ctx, payload| tb_counter::undo::run(tx, ctx, &env, payload)),
    }];
    Module {
        id: "t02-window",
        clauses: &["2.3"],
        routes,
        handlers: Vec::new(),
        jobs,
        schema: None,
        route_list: ROUTES,
    }
}
