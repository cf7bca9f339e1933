//! Applying for an enterprise (代企业申办): who the item is for, and whether the grant still covers it.
//!
//! Invariant: the grant is asked for when a draft is begun and again when it is handed in; one that has ended in
//! between refuses with words, and nothing that was typed is lost.

use tb_base::{Ctx, DraftId, PersonId, Refusal, Result, Uscc};
use tb_identity::grants::filed::{self, Filed};
use tb_identity::grants::{self, Matter};
use tb_store::Tx;
use tb_web::Visit;

use crate::access::case_of;

/// How a definition names whom an item is for.
const PERSON: &str = "person";
const ENTERPRISE: &str = "enterprise";

/// Whether the item is for whom she acts as.
pub(super) fn may_apply(visit: &Visit, audience: &[String]) -> std::result::Result<(), Refusal> {
    let is_for = |who: &str| audience.iter().any(|it| it == who);
    match visit.acting() {
        Some(acting) if !is_for(ENTERPRISE) => Err(Refusal::not_now(
            "T02-APP-002",
            format!("这件事由个人申请，您现在代{}办事", acting.name),
            format!("This is for natural persons, and you act for {}", acting.name),
        )
        .on("deciding")
        .but(
            "到“企业”页面改为以本人身份办事，再来申请",
            "Choose to act as yourself on the page “Enterprise”, then come again",
        )),
        None if !is_for(PERSON) => Err(Refusal::not_now(
            "T02-APP-003",
            "这件事由企业申请，您现在以本人身份办事",
            "This is for enterprises, and you act as yourself",
        )
        .on("deciding")
        .but("到“企业”页面选择代哪家企业办事", "Choose the enterprise on the page “Enterprise”")),
        Some(_) | None => Ok(()),
    }
}

/// Notes that a draft was begun for an enterprise, if the grant covers it.
pub(super) fn begun(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    firm: Option<Uscc>,
    (person, draft, item): (PersonId, DraftId, u16),
) -> Result<()> {
    let Some(enterprise) = firm else { return Ok(()) };
    grants::may_act(tx, &enterprise, person, Matter::Cases, ctx.now.date())?;
    filed::begin(tx, ctx, &Filed { case: case_of(draft)?, enterprise, person, item, at: ctx.now })
}

/// Refuses to hand in what was begun for an enterprise once the grant covers it no more.
pub(super) fn still_may(tx: &mut Tx<'_>, ctx: &Ctx, (person, draft): (PersonId, DraftId)) -> Result<()> {
    if let Some(filed) = filed::of(tx, case_of(draft)?)? {
        grants::may_act(tx, &filed.enterprise, person, Matter::Cases, ctx.now.date())?;
    }
    Ok(())
}
