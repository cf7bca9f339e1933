//! The data platform as people meet it (数据平台): who somebody is, who looked at her data, what can be proven.
//! Serves clauses 1.1 and 1.6.
//!
//! Layer 5. Owns no table: accounts and looks are identity's, messages and log are the store's.
//! Invariant: nobody learns from an answer whether somebody has an account.

mod accounts;
mod audit;
mod bureau;
mod door;
mod evidence;
mod first;
mod limits;
mod looks;
mod offices;
mod parts;
mod password;
mod profile;
mod register;
mod sign_in;
mod source;
#[cfg(test)]
mod tests;
mod words;

use std::sync::Arc;

use axum::routing::{get, post};
use axum::{Extension, Router};
use tb_base::Role;
use tb_web::limits::Class;
use tb_web::{App, Module, RouteInfo, Who};

pub use evidence::cases::case_evidence;
pub use evidence::{CaseEvidence, CaseFacts};
pub use limits::Limits;
pub use parts::{Parts, Words, session_lookup};
pub use source::{SOURCE_UNKNOWN, Source};

const RESIDENT: Who = Who::Roles(&[Role::Resident]);
const BUREAU: Who = Who::Roles(&[Role::Bureau, Role::Auditor]);
const OPERATOR: Who = Who::Roles(&[Role::Bureau]);
const AUDITOR: Who = Who::Roles(&[Role::Auditor]);
const ADMINISTRATOR: Who = Who::Roles(&[Role::Administrator]);

/// Who may come to which address of this task.
const ROUTES: &[RouteInfo] = &[
    RouteInfo::get("/sign-in", Who::Public),
    RouteInfo::post("/sign-in", Who::Public).counted(Class::SignIn),
    RouteInfo::post("/sign-out", Who::Public),
    RouteInfo::get("/register", Who::Public),
    RouteInfo::post("/register", Who::Public).counted(Class::SignIn),
    RouteInfo::get("/password/forgot", Who::Public),
    RouteInfo::post("/password/forgot", Who::Public).counted(Class::SignIn),
    RouteInfo::get("/password/reset", Who::Public),
    RouteInfo::post("/password/reset", Who::Public).counted(Class::SignIn),
    RouteInfo::get("/password/first", Who::Public),
    RouteInfo::post("/password/first", Who::Public).counted(Class::SignIn),
    RouteInfo::get("/account", Who::SignedIn),
    RouteInfo::get("/profile", Who::SignedIn),
    RouteInfo::post("/profile", Who::SignedIn),
    RouteInfo::get("/looks", RESIDENT),
    RouteInfo::get("/looks/{city}/{id}/proof", RESIDENT).counted(Class::Heavy),
    RouteInfo::get("/cases/{case}/evidence", Who::SignedIn).counted(Class::Heavy),
    RouteInfo::get("/bureau", BUREAU),
    RouteInfo::get("/bureau/dead", BUREAU).counted(Class::Heavy),
    RouteInfo::get("/bureau/dead/{id}", BUREAU),
    RouteInfo::post("/bureau/dead/{id}", OPERATOR),
    RouteInfo::get("/bureau/contracts", BUREAU),
    RouteInfo::get("/bureau/contracts/{id}", BUREAU),
    RouteInfo::get("/bureau/contracts/{id}/file", BUREAU),
    RouteInfo::get("/bureau/forks/{id}/file", BUREAU),
    RouteInfo::get("/audit", AUDITOR).counted(Class::Heavy),
    RouteInfo::get("/audit/{id}", AUDITOR),
    RouteInfo::get("/accounts", ADMINISTRATOR).counted(Class::Heavy),
    RouteInfo::get("/accounts/new", ADMINISTRATOR),
    RouteInfo::post("/accounts/new", ADMINISTRATOR),
    RouteInfo::get("/accounts/{id}", ADMINISTRATOR),
    RouteInfo::post("/accounts/{id}", ADMINISTRATOR),
    RouteInfo::post("/accounts/{id}/post", ADMINISTRATOR),
    RouteInfo::post("/accounts/{id}/code", ADMINISTRATOR),
    RouteInfo::post("/accounts/{id}/leave", ADMINISTRATOR),
    RouteInfo::post("/accounts/{id}/leave/{leave}", ADMINISTRATOR),
    RouteInfo::get("/offices", ADMINISTRATOR),
    RouteInfo::post("/offices", ADMINISTRATOR),
    RouteInfo::get("/offices/{id}", ADMINISTRATOR),
    RouteInfo::post("/offices/{id}", ADMINISTRATOR),
];

/// This task, as the binary lists it.
pub fn module(parts: Parts) -> Module {
    let parts = Arc::new(parts);
    let routes: Router<App> = Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/sign-out", post(sign_in::leave))
        .route("/register", get(register::show).post(register::submit))
        .route("/password/forgot", get(password::forgot).post(password::ask))
        .route("/password/reset", get(password::reset).post(password::set))
        .route("/password/first", get(first::show).post(first::set))
        .route("/account", get(profile::moved))
        .route("/profile", get(profile::show).post(profile::submit))
        .route("/looks", get(looks::show))
        .route("/looks/{city}/{id}/proof", get(looks::proof::download))
        .route("/cases/{case}/evidence", get(evidence::download))
        .route("/bureau", get(bureau::overview::show))
        .route("/bureau/dead", get(bureau::dead::show))
        .route("/bureau/dead/{id}", get(bureau::letter::show).post(bureau::letter::act))
        .route("/bureau/contracts", get(bureau::contracts::show))
        .route("/bureau/contracts/{id}", get(bureau::contract::show))
        .route("/bureau/contracts/{id}/file", get(bureau::contract::download))
        .route("/bureau/forks/{id}/file", get(bureau::forks::download))
        .route("/audit", get(audit::show))
        .route("/audit/{id}", get(audit::line::show))
        .route("/accounts", get(accounts::list))
        .route("/accounts/new", get(accounts::blank).post(accounts::enter))
        .route("/accounts/{id}", get(accounts::show).post(accounts::change))
        .route("/accounts/{id}/post", post(accounts::post))
        .route("/accounts/{id}/code", post(accounts::code))
        .route("/accounts/{id}/leave", post(accounts::leave))
        .route("/accounts/{id}/leave/{leave}", post(accounts::end_leave))
        .route("/offices", get(offices::list).post(offices::make))
        .route("/offices/{id}", get(offices::show).post(offices::change))
        .layer(Extension(Arc::clone(&parts)));
    Module {
        id: "t01",
        clauses: &["1.1", "1.6"],
        routes,
        handlers: vec![looks::trace::handler(&parts)],
        jobs: Vec::new(),
        schema: None,
        route_list: ROUTES,
    }
}
