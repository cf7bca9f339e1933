//! Who stands behind the glass (窗口人员).

use tb_base::{Actor, CaseId, Ctx, MessageId, OfficeId, Refusal, Result, StaffId};
use tb_case::{ProgressView, acts};
use tb_identity::permit::{Action, Scope, may};
use tb_store::Tx;
use tb_web::{Fields, PageError};

use crate::Parts;

/// The clerk at the counter.
#[derive(Clone)]
pub(crate) struct Clerk {
    pub(crate) staff: StaffId,
    pub(crate) office: OfficeId,
}

impl Clerk {
    /// The clerk who acts; refuses whoever may not do this for the own office.
    pub(crate) fn of(ctx: &Ctx, action: Action) -> Result<Clerk> {
        match &ctx.actor {
            Actor::Staff { staff, office, .. } => {
                may(&ctx.actor, action, &Scope::Office(office.clone()))?;
                Ok(Clerk { staff: *staff, office: office.clone() })
            }
            Actor::Resident { .. } | Actor::Anonymous | Actor::Peer(_) | Actor::System => {
                Err(Refusal::not_allowed(
                    "T02-CTR-001",
                    "只有窗口人员可以在专窗办理",
                    "Only window staff work at the counter",
                )
                .into())
            }
        }
    }
}

/// The case of an address; what is no id is no case.
pub(crate) fn case_id(text: &str) -> Result<CaseId> {
    text.parse().map_err(|_| {
        Refusal::gone("T02-CTR-002", "本窗口没有这个办件", "This counter has no such case")
            .but("从专窗首页打开", "Open it from the counter's page")
            .into()
    })
}

/// A case that this office collected, as far as it may be seen here.
pub(crate) fn collected(tx: &mut Tx<'_>, ctx: &Ctx, parts: &Parts, case: CaseId) -> Result<ProgressView> {
    let view = acts::view(tx, &parts.env, case)?;
    may(&ctx.actor, Action::ReadOfficeCase, &Scope::Office(view.collecting.office.clone()))?;
    Ok(view)
}

/// The command id that a form carries, so that sending it twice does it once; a fresh one where it carries none.
pub(crate) fn command(ctx: &Ctx, fields: &Fields) -> std::result::Result<MessageId, PageError> {
    match fields.value("command") {
        "" => Ok(ctx.id(MessageId::new)),
        text => Ok(text.parse()?),
    }
}
