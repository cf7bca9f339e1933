//! The cross-city window (跨域通办专窗): identify, collect, check the form, hand over, deliver.
//! Serves clauses 2.3 and 2.5.
//!
//! Invariants: the window checks identity and form and never the substance; what a person says or signs at the
//! counter is hers, told by her phone or her hand and never by the clerk alone; a city that is down loses nothing.

mod bench;
#[cfg(test)]
mod bench_tests;
mod case;
mod check;
mod consent;
mod desk;
mod draft;
mod signature;
#[cfg(test)]
pub(crate) mod tests;

use axum::Router;
use axum::routing::{get, post};
use tb_base::{Actor, CaseId, Ctx, DraftId, OfficeId, Refusal, Result, Role, StaffId};
use tb_case::acts;
use tb_case::draft::{self as kept, Draft};
use tb_case::{Env, ProgressView};
use tb_identity::permit::{Action, Scope, may};
use tb_store::Tx;
use tb_web::{App, RouteInfo, Who};

use crate::access;

const WINDOW: Who = Who::Roles(&[Role::Window]);

/// The addresses of the window.
pub(crate) const ROUTES: &[RouteInfo] = &[
    RouteInfo::get("/window", WINDOW),
    RouteInfo::post("/window/start", WINDOW),
    RouteInfo::get("/window/drafts/{id}", WINDOW),
    RouteInfo::post("/window/drafts/{id}", WINDOW),
    RouteInfo::post("/window/drafts/{id}/discard", WINDOW),
    RouteInfo::post("/window/drafts/{id}/consent/ask", WINDOW),
    RouteInfo::get("/window/drafts/{id}/consent", WINDOW),
    RouteInfo::post("/window/drafts/{id}/consent", WINDOW),
    RouteInfo::get("/window/drafts/{id}/check", WINDOW),
    RouteInfo::post("/window/drafts/{id}/submit", WINDOW),
    RouteInfo::get("/window/cases/{id}", WINDOW),
    RouteInfo::get("/window/cases/{id}/receipt", WINDOW),
    RouteInfo::get("/window/cases/{id}/decision", WINDOW),
    RouteInfo::post("/window/cases/{id}/handover", WINDOW),
    RouteInfo::post("/window/cases/{id}/correction", WINDOW),
    RouteInfo::post("/window/cases/{id}/withdraw", WINDOW),
];

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/window", get(desk::show))
        .route("/window/start", post(desk::start))
        .route("/window/drafts/{id}", get(draft::show).post(draft::save))
        .route("/window/drafts/{id}/discard", post(draft::discard))
        .route("/window/drafts/{id}/consent/ask", post(consent::ask))
        .route("/window/drafts/{id}/consent", get(consent::show).post(consent::answer))
        .route("/window/drafts/{id}/check", get(check::show))
        .route("/window/drafts/{id}/submit", post(check::collect))
        .route("/window/cases/{id}", get(case::show))
        .route("/window/cases/{id}/receipt", get(case::receipt))
        .route("/window/cases/{id}/decision", get(case::decision))
        .route("/window/cases/{id}/handover", post(case::hand_over))
        .route("/window/cases/{id}/correction", post(case::correct))
        .route("/window/cases/{id}/withdraw", post(case::withdraw))
}

/// The clerk at the counter.
#[derive(Clone)]
struct Clerk {
    staff: StaffId,
    office: OfficeId,
}

impl Clerk {
    /// The clerk who acts; refuses whoever may not do this for the own office.
    fn of(ctx: &Ctx, action: Action) -> Result<Clerk> {
        match &ctx.actor {
            Actor::Staff { staff, office, .. } => {
                may(&ctx.actor, action, &Scope::Office(office.clone()))?;
                Ok(Clerk { staff: *staff, office: office.clone() })
            }
            Actor::Resident { .. } | Actor::Anonymous | Actor::Peer(_) | Actor::System => {
                Err(Refusal::not_allowed(
                    "T02-WIN-001",
                    "只有窗口人员可以在专窗办理",
                    "Only window staff work at the counter",
                )
                .into())
            }
        }
    }
}

/// A draft that this office has on its counter; those of other offices are not there.
fn on_counter(tx: &mut Tx<'_>, env: &Env, id: DraftId, clerk: &Clerk) -> Result<Draft> {
    let found = kept::find(tx, env, id)?;
    found.filter(|draft| draft.office.as_ref() == Some(&clerk.office)).ok_or_else(gone)
}

/// A case that this office collected, as far as it may be seen here.
fn collected(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, id: CaseId) -> Result<ProgressView> {
    let view = acts::view(tx, env, id)?;
    may(&ctx.actor, Action::ReadOfficeCase, &Scope::Office(view.collecting.office.clone()))?;
    Ok(view)
}

fn gone() -> tb_base::Error {
    Refusal::gone(
        "T02-WIN-002",
        "本窗口没有这份草稿，或者已经收件",
        "This window has no such draft, or it has been collected",
    )
    .but("从专窗首页打开，或重新收件", "Open it from the counter's page, or start again")
    .into()
}

/// The draft and the case of an address.
fn draft_id(text: &str) -> Result<DraftId> {
    access::draft_id(text).map_err(|_| gone())
}
