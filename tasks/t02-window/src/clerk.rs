//! Who stands behind the glass (窗口人员).

use tb_base::{Actor, Ctx, OfficeId, Refusal, Result, StaffId};
use tb_identity::permit::{Action, Scope, may};

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
