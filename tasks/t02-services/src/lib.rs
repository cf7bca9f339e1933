//! Services as people meet them (政务服务通办): finding an item, applying, following a case; window and office.
//! Serves clauses 2.1 to 2.5.
//!
//! Layer 5. Owns no table: drafts and cases are the case block's, consents the licence block's.
//! Invariant: what a page offers is what the case block allows; a city that does not answer loses nobody's work.

mod access;
mod cases;
mod correction;
pub mod defs;
mod drafts;
mod fetch;
pub mod filing;
mod form;
mod home;
mod items;
pub mod messages;
mod office;
mod parts;
mod situations;
#[cfg(test)]
mod tests;
mod window;
mod words;

use std::sync::Arc;

use axum::{Extension, Router};
use tb_base::Role;
use tb_web::{App, Job, Module, RouteInfo, Who};

pub use parts::{Parts, env};

const RESIDENT: Who = Who::Roles(&[Role::Resident]);

/// The addresses of every page, page by page.
const LISTS: &[&[RouteInfo]] = &[
    home::ROUTES,
    items::ROUTES,
    situations::ROUTES,
    drafts::ROUTES,
    cases::ROUTES,
    messages::ROUTES,
    window::ROUTES,
    office::ROUTES,
];

/// Who may come to which address of this task.
static ROUTES: [RouteInfo; count(LISTS)] = joined(LISTS);

/// This task, as the binary lists it.
pub fn module(parts: Parts) -> Module {
    let parts = Arc::new(parts);
    let routes: Router<App> = Router::new()
        .merge(home::routes())
        .merge(items::routes())
        .merge(situations::routes())
        .merge(drafts::routes())
        .merge(cases::routes())
        .merge(messages::routes())
        .merge(window::routes())
        .merge(office::routes())
        .layer(Extension(Arc::clone(&parts)));
    Module {
        id: "t02",
        clauses: &["2.1", "2.2", "2.3", "2.4", "2.5"],
        routes,
        handlers: tb_case::peer::handlers(&parts.env),
        jobs: vec![timers(&parts)],
        schema: None,
        route_list: &ROUTES,
    }
}

/// Limits that pass in silence.
fn timers(parts: &Arc<Parts>) -> Job {
    let env = Arc::clone(&parts.env);
    Job {
        kind: tb_case::timers::JOB,
        run: Arc::new(move |tx, ctx, payload| tb_case::timers::run(tx, ctx, &env, payload)),
    }
}

const fn count(lists: &[&[RouteInfo]]) -> usize {
    let (mut at, mut count) = (0, 0);
    while at < lists.len() {
        count += lists[at].len();
        at += 1;
    }
    count
}

/// All lists as one; a list is short and fixed, so this runs while compiling.
const fn joined<const N: usize>(lists: &[&[RouteInfo]]) -> [RouteInfo; N] {
    let mut all = [RouteInfo::get("/", Who::Public); N];
    let (mut list, mut to) = (0, 0);
    while list < lists.len() {
        let mut at = 0;
        while at < lists[list].len() {
            all[to] = lists[list][at];
            at += 1;
            to += 1;
        }
        list += 1;
    }
    all
}
