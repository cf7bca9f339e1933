//! The data platform as people meet it (数据平台): who somebody is, who looked at her data, what can be proven, whom to ask.
//! Serves clauses 1.1, 1.6 and 2.4.
//!
//! Layer 5. Owns no table: accounts and looks are identity's, enquiries their own block's, messages and log the store's.
//! Invariant: nobody learns from an answer whether somebody has an account.

mod accounts;
mod asks;
mod audit;
mod bureau;
mod door;
mod evidence;
mod firm;
mod first;
mod limits;
mod looks;
mod offices;
mod parts;
mod password;
mod phone;
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
use tb_web::{App, Job, Module, RouteInfo, Who};

pub use asks::STAFF as ASKED_ROLES;
pub use evidence::cases::case_evidence;
pub use evidence::{CaseEvidence, CaseFacts};
pub use limits::Limits;
pub use parts::{English, Parts, Words, session_lookup};
pub use source::{SOURCE_UNKNOWN, Source};

const RESIDENT: Who = Who::Roles(&[Role::Resident]);
const ANSWERING: Who = Who::Roles(asks::STAFF);
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
    RouteInfo::post("/profile/sessions/{id}", Who::SignedIn),
    RouteInfo::get("/profile/phone", RESIDENT),
    RouteInfo::post("/profile/phone", RESIDENT).counted(Class::SignIn),
    RouteInfo::get("/looks", RESIDENT),
    RouteInfo::get("/looks/{city}/{id}/proof", RESIDENT).counted(Class::Heavy),
    RouteInfo::get("/looks/{city}/{id}/ask", RESIDENT),
    RouteInfo::post("/looks/{city}/{id}/ask", RESIDENT),
    RouteInfo::get("/help", Who::Public),
    RouteInfo::post("/help", Who::Public).counted(Class::SignIn),
    RouteInfo::get("/help/find", Who::Public),
    RouteInfo::post("/help/find", Who::Public).counted(Class::SignIn),
    RouteInfo::get("/asks", RESIDENT),
    RouteInfo::get("/asks/{id}", RESIDENT),
    RouteInfo::post("/asks/{id}", RESIDENT),
    RouteInfo::get("/office/asks", ANSWERING),
    RouteInfo::get("/office/asks/{id}", ANSWERING),
    RouteInfo::post("/office/asks/{id}", ANSWERING),
    RouteInfo::get("/firm", RESIDENT),
    RouteInfo::post("/firm", RESIDENT),
    RouteInfo::get("/firm/grants", RESIDENT),
    RouteInfo::post("/firm/grants", RESIDENT).counted(Class::SignIn),
    RouteInfo::get("/firm/grants/{id}/end", RESIDENT),
    RouteInfo::post("/firm/grants/{id}/end", RESIDENT),
    RouteInfo::get("/firm/cases", RESIDENT).counted(Class::Heavy),
    RouteInfo::get("/firm/items", RESIDENT),
    RouteInfo::get("/firm/benefits", RESIDENT),
    RouteInfo::get("/cases/{case}/evidence", Who::SignedIn).counted(Class::Heavy),
    RouteInfo::get("/bureau", BUREAU),
    RouteInfo::get("/bureau/dead", BUREAU).counted(Class::Heavy),
    RouteInfo::get("/bureau/dead/{id}", BUREAU),
    RouteInfo::post("/bureau/dead/{id}", OPERATOR),
    RouteInfo::get("/bureau/shared", BUREAU),
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
        .route("/profile/sessions/{id}", post(profile::end))
        .route("/profile/phone", get(phone::show).post(phone::submit))
        .route("/looks", get(looks::show))
        .route("/looks/{city}/{id}/proof", get(looks::proof::download))
        .route("/looks/{city}/{id}/ask", get(asks::look::show).post(asks::look::submit))
        .route("/help", get(asks::help::show).post(asks::help::submit))
        .route("/help/find", get(asks::find::show).post(asks::find::submit))
        .route("/asks", get(asks::mine::list))
        .route("/asks/{id}", get(asks::mine::show).post(asks::mine::act))
        .route("/office/asks", get(asks::office::show))
        .route("/office/asks/{id}", get(asks::answer::show).post(asks::answer::act))
        .route("/firm", get(firm::show::show).post(firm::show::choose))
        .route("/firm/grants", get(firm::grants::show).post(firm::grants::give))
        .route("/firm/grants/{id}/end", get(firm::grants::ask).post(firm::grants::end))
        .route("/firm/cases", get(firm::cases::show))
        .route("/firm/items", get(firm::places::items))
        .route("/firm/benefits", get(firm::places::benefits))
        .route("/cases/{case}/evidence", get(evidence::download))
        .route("/bureau", get(bureau::overview::show))
        .route("/bureau/dead", get(bureau::dead::show))
        .route("/bureau/dead/{id}", get(bureau::letter::show).post(bureau::letter::act))
        .route("/bureau/shared", get(bureau::shared::show))
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
        clauses: &["1.1", "1.6", "2.4"],
        routes,
        handlers: std::iter::once(looks::trace::handler(&parts))
            .chain(tb_enquiry::peer::handlers(&parts.enquiry))
            .collect(),
        jobs: vec![timers(&parts)],
        schema: None,
        route_list: ROUTES,
    }
}

/// Answers that are late, and silence after answers.
fn timers(parts: &Arc<Parts>) -> Job {
    let env = parts.enquiry.clone();
    Job {
        kind: tb_enquiry::timers::JOB,
        run: Arc::new(move |tx, ctx, payload| tb_enquiry::timers::run(tx, ctx, &env, payload)),
    }
}
