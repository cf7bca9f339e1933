//! Who comes and what she may (访问): the person of a visit, her permits, ids in addresses.

use std::str::FromStr;
use std::sync::Arc;

use axum::Extension;
use tb_base::{CaseId, Ctx, DraftId, Error, MessageId, PersonId, Refusal, Result};
use tb_case::draft::{self, Draft};
use tb_identity::permit::{Action, Permit, Scope, may};
use tb_store::Tx;
use tb_web::{Fields, PageError};

use crate::parts::Parts;

/// How handlers take the parts.
pub(crate) type Shared = Extension<Arc<Parts>>;

/// The person who acts and the proof that she may.
pub(crate) fn resident(ctx: &Ctx, action: Action) -> Result<(PersonId, Permit)> {
    let person = ctx.actor.person().ok_or_else(|| {
        Refusal::not_allowed("T02-WHO-001", "请用个人账户登录", "Sign in with a personal account")
    })?;
    Ok((person, may(&ctx.actor, action, &Scope::Person(person))?))
}

/// The case of an address; what is no id is no case.
pub(crate) fn case_id(text: &str) -> Result<CaseId> {
    text.parse().map_err(|_| no_case())
}

/// The draft of an address; what is no id is no draft.
pub(crate) fn draft_id(text: &str) -> Result<DraftId> {
    text.parse().map_err(|_| no_draft())
}

/// The id that the case of a draft is known by before it is handed in: consents and looks name it.
pub(crate) fn case_of(draft: DraftId) -> Result<CaseId> {
    Ok(draft.as_str().parse()?)
}

/// Refuses a case that is not there or not hers; the two are never told apart.
pub(crate) fn own_case(tx: &mut Tx<'_>, case: CaseId, person: PersonId) -> Result<()> {
    match tb_case::acts::person_of(tx, case)? {
        Some(owner) if owner == person => Ok(()),
        Some(_) | None => Err(no_case()),
    }
}

/// The draft, if it is hers.
pub(crate) fn own_draft(tx: &mut Tx<'_>, parts: &Parts, id: DraftId, person: PersonId) -> Result<Draft> {
    draft::find(tx, &parts.env, id)?.filter(|draft| draft.person == person).ok_or_else(no_draft)
}

/// The command id that a form carries, so that sending it twice does it once; a fresh one where it carries none.
pub(crate) fn command(ctx: &Ctx, fields: &Fields) -> std::result::Result<MessageId, PageError> {
    match fields.value("command") {
        "" => Ok(ctx.id(MessageId::new)),
        text => Ok(MessageId::from_str(text)?),
    }
}

pub(crate) fn no_case() -> Error {
    Refusal::gone("T02-CAS-001", "没有这个办件，或者不是您的", "There is no such case, or it is not yours")
        .but("从“我的办件”打开", "Open it from your cases")
        .into()
}

pub(crate) fn no_draft() -> Error {
    Refusal::gone(
        "T02-DRA-001",
        "没有这份草稿，或者已经提交",
        "There is no such draft, or it has been handed in",
    )
    .but("从“我的办件”打开", "Open it from your cases")
    .into()
}
