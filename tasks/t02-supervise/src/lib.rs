//! Watching limits and telling figures (监督与绩效公开): what is late, where, who holds it; what items take.
//! Serves clauses 2.4 and 2.5.
//!
//! Layer 5. Owns no table: lists and sums are the case block's.
//! Invariants: every figure is a link to the list that counts it; nobody's name stands here, and whoever opens one
//! case leaves a look; figures for everybody leave out what is so small that it would tell of one person.

mod ask;
mod case;
mod cases;
mod item;
mod names;
mod overview;
mod public;
mod publication;
#[cfg(test)]
mod tests;
mod track;

use std::sync::{Arc, Mutex};

use axum::routing::get;
use axum::{Extension, Router};
use tb_base::{Result, Role};
use tb_case::Env;
use tb_identity::permit::{Action, Permit, Scope, may};
use tb_web::{App, Module, RouteInfo, Visit, Who};

/// What this task needs beside the application.
pub struct Parts {
    env: Arc<Env>,
    /// The figures for everybody, added up once a day.
    published: Mutex<Option<Arc<public::Published>>>,
}

impl Parts {
    /// The parts over what cases need.
    pub fn new(env: Arc<Env>) -> Parts {
        Parts { env, published: Mutex::new(None) }
    }
}

/// How handlers take the parts.
type Shared = Extension<Arc<Parts>>;

const SUPERVISOR: Who = Who::Roles(&[Role::Supervisor]);

/// Who may come to which address of this task.
const ROUTES: &[RouteInfo] = &[
    RouteInfo::get("/supervise", SUPERVISOR),
    RouteInfo::get("/supervise/cases", SUPERVISOR),
    RouteInfo::get("/supervise/cases/{id}", SUPERVISOR),
    RouteInfo::get("/supervise/items/{number}", SUPERVISOR),
    RouteInfo::get("/performance", Who::Public),
];

/// This task, as the binary lists it.
pub fn module(parts: Parts) -> Module {
    let routes: Router<App> = Router::new()
        .route("/supervise", get(overview::show))
        .route("/supervise/cases", get(cases::show))
        .route("/supervise/cases/{id}", get(case::show))
        .route("/supervise/items/{number}", get(item::show))
        .route("/performance", get(public::show))
        .layer(Extension(Arc::new(parts)));
    Module {
        id: "t02-supervise",
        clauses: &["2.4", "2.5"],
        routes,
        handlers: Vec::new(),
        jobs: Vec::new(),
        schema: None,
        route_list: ROUTES,
    }
}

/// The proof that the visitor may watch this city.
fn watching(visit: &Visit) -> Result<Permit> {
    may(&visit.ctx.actor, Action::SuperviseCases, &Scope::Node(visit.ctx.node))
}
