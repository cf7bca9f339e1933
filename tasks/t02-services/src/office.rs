//! The department's desk (审批办理): the queue, a case side by side, every act on it, and one act on several.
//! Serves clauses 2.4 and 2.5.
//!
//! Invariants: a button is shown only where `tb_case::allowed` and the permit table both allow the act;
//! what a case holds of a person is opened by the deciding office only, and each opening leaves a look.

mod act;
mod bulk;
mod case;
mod compare;
mod file;
mod forms;
mod narrow;
mod queue;
#[cfg(test)]
mod review_tests;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::routing::{get, post};
use tb_base::{Actor, Ctx, OfficeId, Refusal, Result, Role};
use tb_case::command::CommandKind;
use tb_identity::permit::{Action, Scope, may};
use tb_web::{App, RouteInfo, Who};

const OFFICERS: Who = Who::Roles(&[Role::Reviewer, Role::Approver]);
const READERS: Who = Who::Roles(&[Role::Reviewer, Role::Approver, Role::Supervisor]);

/// The addresses of the department's desk.
pub(crate) const ROUTES: &[RouteInfo] = &[
    RouteInfo::get("/office", READERS),
    RouteInfo::get("/office/cases/{id}", READERS),
    RouteInfo::post("/office/cases/{id}/act", OFFICERS),
    RouteInfo::post("/office/cases/{id}/ticks", OFFICERS),
    RouteInfo::get("/office/bulk", OFFICERS),
    RouteInfo::post("/office/bulk", OFFICERS),
    RouteInfo::get("/office/bulk/{id}", OFFICERS),
];

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/office", get(queue::show))
        .route("/office/cases/{id}", get(case::show))
        .route("/office/cases/{id}/act", post(act::send))
        .route("/office/cases/{id}/ticks", post(act::tick))
        .route("/office/bulk", get(bulk::ask).post(bulk::send))
        .route("/office/bulk/{id}", get(bulk::show))
}

/// Whether the actor may read what an office handles.
fn may_read(ctx: &Ctx, office: &OfficeId) -> Result<()> {
    may(&ctx.actor, Action::ReadOfficeCase, &Scope::Office(office.clone())).map(drop)
}

/// Whether the actor may see what a case holds of a person: officers of the deciding office, nobody else.
fn may_open(ctx: &Ctx, office: &OfficeId) -> bool {
    match &ctx.actor {
        Actor::Staff { role: Role::Reviewer | Role::Approver, office: own, .. } => own == office,
        Actor::Staff { .. } | Actor::Resident { .. } | Actor::Anonymous | Actor::Peer(_) | Actor::System => {
            false
        }
    }
}

/// What the permit table asks for a command of the department; whoever has one of these may.
fn actions(kind: CommandKind) -> &'static [Action] {
    match kind {
        CommandKind::AskCorrection => &[Action::AskCorrection],
        CommandKind::Accept | CommandKind::Decline => &[Action::AcceptCase],
        CommandKind::Opine => &[Action::ReviewCase],
        CommandKind::Extend => &[Action::ExtendLimit],
        CommandKind::Decide => &[Action::DecideCase],
        CommandKind::IssueResult => &[Action::ChangeLicence],
        CommandKind::Pause | CommandKind::Resume | CommandKind::Deliver => {
            &[Action::ReviewCase, Action::DecideCase]
        }
        CommandKind::AcceptCustody
        | CommandKind::RefuseCustody
        | CommandKind::AnswerCorrection
        | CommandKind::DeemAccept
        | CommandKind::Withdraw
        | CommandKind::Rate
        | CommandKind::Lapse
        | CommandKind::Close => &[],
    }
}

/// The acts that both the case and the permit table allow.
fn buttons(ctx: &Ctx, office: &OfficeId, allowed: &[CommandKind]) -> Vec<CommandKind> {
    allowed.iter().copied().filter(|kind| permitted(ctx, *kind, office).is_ok()).collect()
}

/// Refuses whoever the permit table does not let give this command for that office.
fn permitted(ctx: &Ctx, kind: CommandKind, office: &OfficeId) -> Result<()> {
    let mut refusal = None;
    for action in actions(kind) {
        match may(&ctx.actor, *action, &Scope::Office(office.clone())) {
            Ok(_) => return Ok(()),
            Err(error) => refusal = Some(error),
        }
    }
    Err(refusal.unwrap_or_else(|| {
        Refusal::not_allowed("T02-OFF-001", "部门不能办理这一操作", "A department does not do this").into()
    }))
}
