//! What an administrator does with an account (账户操作): stop, move, leave, one-time code.

use std::sync::Arc;

use axum::Extension;
use axum::extract::Path;
use tb_base::{MessageId, OfficeId, Result, StaffId};
use tb_identity::accounts::AccountState;
use tb_identity::accounts::roll::{self, Because};
use tb_identity::permit::Permit;
use tb_identity::{leave as leaves, roster};
use tb_store::Tx;
use tb_web::{Field, Fields, Form, PageResult, Visit, redirect};

use super::enter::{code_page, read_role};
use super::show::{FIRST_DAY, LAST_DAY, view};
use super::{LOCK, UNLOCK, missing, no_act, permit};
use crate::parts::Parts;

type Shared = Extension<Arc<Parts>>;

/// POST /accounts/{id}: `do` is `lock` or `unlock` with a reason, `close` or `reopen`.
pub async fn change(visit: Visit, parts: Shared, path: Path<String>, form: Form) -> PageResult {
    let mut fields = form.fields();
    let (state, done) = match fields.pressed() {
        "lock" => (AccountState::Frozen, "locked"),
        "unlock" => (AccountState::Active, "unlocked"),
        "close" => (AccountState::Closed, "closed"),
        "reopen" => (AccountState::Active, "reopened"),
        _ => return Err(no_act().into()),
    };
    let because = match done {
        "locked" => fields.read(&LOCK).parse::<Because>().required(),
        "unlocked" => fields.read(&UNLOCK).parse::<Because>().required(),
        "closed" => Some(Because::Left),
        _ => Some(Because::Back),
    };
    let Some(because) = because else { return again(&visit, &parts, &path, fields).await };
    let shared = Arc::clone(&parts);
    let set = move |tx: &mut Tx<'_>, ctx: &tb_base::Ctx, permit: &Permit, id| {
        roll::set_state(tx, ctx, &shared.vault, permit, id, state, because)
    };
    finish(&visit, &parts, &path, fields, done, set).await
}

/// POST /accounts/{id}/post: another office or role.
pub async fn post(visit: Visit, parts: Shared, path: Path<String>, form: Form) -> PageResult {
    let mut fields = form.fields();
    let office = fields.read(&Field::text("office", "单位", "Office")).parse::<OfficeId>().required();
    let (Some(office), Some(role)) = (office, read_role(&mut fields)) else {
        return again(&visit, &parts, &path, fields).await;
    };
    let shared = Arc::clone(&parts);
    let set = move |tx: &mut Tx<'_>, ctx: &tb_base::Ctx, permit: &Permit, id| {
        roster::move_to(tx, ctx, &shared.vault, permit, id, (&office, role))
    };
    finish(&visit, &parts, &path, fields, "moved", set).await
}

/// POST /accounts/{id}/leave: days and substitute.
pub async fn leave(visit: Visit, parts: Shared, path: Path<String>, form: Form) -> PageResult {
    let mut fields = form.fields();
    let (first, last) = (fields.date(&FIRST_DAY).required(), fields.date(&LAST_DAY).required());
    let substitute =
        fields.read(&Field::text("substitute", "由谁代办", "Who stands in")).parse::<StaffId>().required();
    let (Some(first), Some(last), Some(substitute)) = (first, last, substitute) else {
        return again(&visit, &parts, &path, fields).await;
    };
    let shared = Arc::clone(&parts);
    let set = move |tx: &mut Tx<'_>, ctx: &tb_base::Ctx, permit: &Permit, id| {
        leaves::take(tx, ctx, &shared.vault, permit, (id, substitute), (first, last)).map(drop)
    };
    finish(&visit, &parts, &path, fields, "leave", set).await
}

/// POST /accounts/{id}/leave/{leave}: ends it.
pub async fn end_leave(visit: Visit, parts: Shared, path: Path<(String, String)>, form: Form) -> PageResult {
    let (account, leave) = path.0;
    let leave: MessageId = leave.parse().map_err(|_| missing())?;
    let set =
        move |tx: &mut Tx<'_>, ctx: &tb_base::Ctx, permit: &Permit, _| leaves::end(tx, ctx, permit, leave);
    finish(&visit, &parts, &account, form.fields(), "back", set).await
}

/// POST /accounts/{id}/code: a new one-time code, shown once.
pub async fn code(visit: Visit, parts: Shared, path: Path<String>, form: Form) -> PageResult {
    let permit = permit(&visit)?;
    let id: StaffId = path.parse().map_err(|_| missing())?;
    let mut fields = form.fields();
    let (ctx, shared, hash) = (visit.ctx.clone(), Arc::clone(&parts), parts.door.hash_of_nobody());
    let outcome = visit.app.store.write("t01.account.code", move |tx: &mut Tx<'_>| {
        let known = roll::find(tx, &shared.vault, &permit, id)?.ok_or_else(missing)?;
        let code = roster::renew_code(tx, &ctx, &shared.vault, &permit, id, &hash)?;
        Ok((known.staff.login, code))
    });
    match fields.take(outcome.await)? {
        Some((login, code)) => visit.page(code_page(&visit, id, login, code)),
        None => again(&visit, &parts, &path, fields).await,
    }
}

/// Does it in one transaction, then leads back to the page; a refusal of the input shows the form again.
async fn finish(
    visit: &Visit,
    parts: &Arc<Parts>,
    path: &str,
    mut fields: Fields,
    done: &str,
    work: impl Fn(&mut Tx<'_>, &tb_base::Ctx, &Permit, StaffId) -> Result<()> + Send + 'static,
) -> PageResult {
    let permit = permit(visit)?;
    let id: StaffId = path.parse().map_err(|_| missing())?;
    let ctx = visit.ctx.clone();
    let outcome =
        visit.app.store.write("t01.account", move |tx: &mut Tx<'_>| work(tx, &ctx, &permit, id)).await;
    if fields.take(outcome)?.is_some() {
        return Ok(redirect(&format!("/accounts/{id}?done={done}")));
    }
    again(visit, parts, path, fields).await
}

async fn again(visit: &Visit, parts: &Arc<Parts>, path: &str, fields: Fields) -> PageResult {
    let view = view(visit, parts, path, fields).await?;
    visit.form_again(view)
}
