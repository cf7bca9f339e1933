//! An act of the department (办理): read, permitted, decided, written, in that order.
//! Serves clauses 2.4 and 2.5.
//!
//! Invariants: an act is decided on the state that the officer saw, or she is told what changed meanwhile;
//! a grant and its licence are one transaction, so that nobody holds a grant without the licence.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::Path;
use axum::http::StatusCode;
use tb_base::{CaseId, Class, Ctx, Error, MessageId, Refusal, Result};
use tb_case::acts::{self, Acted};
use tb_case::case::PhaseKind;
use tb_case::command::Command;
use tb_case::progress::ProgressView;
use tb_case::work;
use tb_store::Tx;
use tb_web::{Fields, Form, PageError, PageResult, Visit, redirect};

use super::case::{allows, open, page};
use super::file;
use super::forms::{self, Deed};
use super::narrow::{Narrow, address};
use super::{may_open, permitted};
use crate::access::{Shared, case_id};
use crate::parts::Parts;

/// POST /office/cases/{id}/act: `command`, what it needs, `key` against sending twice, `seq` as it was seen.
pub(crate) async fn send(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    let case = case_id(&id)?;
    let mut fields = form.fields();
    let deed = Deed::of(fields.value("command")).ok_or_else(unknown)?;
    let view = see(&visit, &parts, case).await?;
    permitted(&visit.ctx, deed.kind(), &view.deciding.office)?;
    let rules = parts.catalogue.rules(view.item, view.deciding.city).ok_or_else(unknown)?;
    let Some(command) = forms::read(&mut fields, deed, &rules, view.delivery) else {
        return again(&visit, &parts, case, deed, fields, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let key = key(&visit, &fields)?;
    let seen = fields.value("seq").parse::<u32>().ok();
    let (ctx, shared) = (visit.ctx.clone(), Arc::clone(&parts.0));
    let acted = visit
        .app
        .store
        .write("t02.office.act", move |tx| act(tx, &ctx, &shared, case, &command, deed, key, seen));
    match acted.await {
        Ok(()) => Ok(redirect(&back(&visit, case, deed.word(), &fields))),
        Err(Error::Refused(refusal)) => {
            let status = match refusal.class {
                Class::Gone => return Err(Error::Refused(refusal).into()),
                Class::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
                Class::NotAllowed => StatusCode::FORBIDDEN,
                Class::NotNow | Class::Conflict => StatusCode::CONFLICT,
            };
            fields.refuse(&refusal);
            again(&visit, &parts, case, deed, fields, status).await
        }
        Err(error) => Err(error.into()),
    }
}

/// POST /office/cases/{id}/ticks: `point` for each that is ticked. Keeps these for the officer, and no others.
pub(crate) async fn tick(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    let case = case_id(&id)?;
    let fields = form.fields();
    let view = see(&visit, &parts, case).await?;
    let Some(staff) = file::staff(&visit.ctx).filter(|_| may_open(&visit.ctx, &view.deciding.office)) else {
        return Err(Refusal::not_allowed(
            "T02-OFF-011",
            "只有办理单位的审查和审批人员可以勾选要点",
            "Only officers of the deciding office tick its points",
        )
        .into());
    };
    let rules = parts.catalogue.rules(view.item, view.deciding.city).ok_or_else(unknown)?;
    let points: BTreeSet<String> = rules
        .conditions
        .iter()
        .map(|condition| condition.id.clone())
        .filter(|id| fields.has("point", id))
        .collect();
    let ctx = visit.ctx.clone();
    let tick = move |tx: &mut Tx<'_>| work::tick(tx, &ctx, case, staff, &points);
    visit.app.store.write("t02.office.tick", tick).await?;
    Ok(redirect(&format!("{}#points", back(&visit, case, "", &fields))))
}

/// The case after something was done with it, in the list that it was opened from, at the place where it stood.
fn back(visit: &Visit, case: CaseId, done: &str, fields: &Fields) -> String {
    let list = Narrow::written(visit, fields.value("in")).query(visit);
    let stood = fields.value("at").parse::<u32>().map(|at| at.to_string()).unwrap_or_default();
    let query = [("done", done), ("in", list.as_str()), ("at", stood.as_str())];
    address(visit, &format!("/office/cases/{case}"), &query)
}

fn unknown() -> Refusal {
    Refusal::invalid("T02-OFF-009", "没有这种操作", "There is no such act").on("command")
}

/// Where the case stands, without opening it.
async fn see(visit: &Visit, parts: &Shared, case: CaseId) -> std::result::Result<ProgressView, PageError> {
    let shared = Arc::clone(&parts.0);
    Ok(visit.app.store.read("t02.office.see", move |tx| acts::view(tx, &shared.env, case)).await?)
}

/// The id that the form carries, so that pressing twice acts once.
fn key(visit: &Visit, fields: &Fields) -> std::result::Result<MessageId, PageError> {
    match fields.value("key") {
        "" => Ok(visit.ctx.id(MessageId::new)),
        text => Ok(text.parse::<MessageId>()?),
    }
}

/// Gives one command to one case; a grant issues its licence in the same transaction.
#[expect(
    clippy::too_many_arguments,
    reason = "transaction, actor and parts come with every act; the rest is the act itself"
)]
pub(super) fn act(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    parts: &Parts,
    case: CaseId,
    command: &Command,
    deed: Deed,
    key: MessageId,
    seen: Option<u32>,
) -> Result<()> {
    let view = acts::view(tx, &parts.env, case)?;
    permitted(ctx, deed.kind(), &view.deciding.office)?;
    if !may_open(ctx, &view.deciding.office) {
        return Err(unknown().into());
    }
    let known = acted_before(tx, case, key)?;
    if let Some(seen) = seen.filter(|seen| *seen != view.seq && !known) {
        return Err(overtaken(&view, seen).into());
    }
    let after = match acts::act(tx, ctx, &parts.env, case, command.clone(), key)? {
        Acted::Applied(after) => after,
        Acted::Sent => return Ok(()),
    };
    if deed == Deed::Approve && after.phase == PhaseKind::Decided {
        permitted(ctx, Deed::Issue.kind(), &view.deciding.office)?;
        let second = ctx.id(MessageId::new);
        acts::act(tx, ctx, &parts.env, case, Command::IssueResult { result: None }, second)?;
    }
    Ok(())
}

fn acted_before(tx: &mut Tx<'_>, case: CaseId, key: MessageId) -> Result<bool> {
    Ok(tb_case::keep::records(tx, case)?.iter().any(|record| record.command == key))
}

/// Somebody acted between reading and pressing: said with what the case is now.
fn overtaken(view: &ProgressView, seen: u32) -> Refusal {
    let events = view.seq.saturating_sub(seen);
    Refusal::conflict(
        "T02-OFF-010",
        format!("您打开以后，别人先办了（新增 {events} 条记录）；办件现在是“{}”，您的操作没有执行", view.phase_name.zh),
        format!("Somebody acted after you had opened the case ({events} new events); it is now '{}', and nothing was done", view.phase_name.en),
    )
    .but("看一下最新的情况；仍要办的，再按一次", "Look at where it stands; press again if you still want to")
}

/// The page again with everything that was typed, on the state as it is now.
async fn again(
    visit: &Visit,
    parts: &Shared,
    case: CaseId,
    deed: Deed,
    fields: Fields,
    status: StatusCode,
) -> PageResult {
    let opened = open(visit, parts, case).await?;
    let beside = super::case::beside(visit, parts, &opened, fields.value("in"), fields.value("at")).await?;
    // The form stays open only while the act is still possible; the reason stands above it either way.
    let deed = Some(deed).filter(|deed| allows(&opened, deed.kind()));
    visit.page_with(status, page(visit, parts, opened, &beside, deed, fields))
}
