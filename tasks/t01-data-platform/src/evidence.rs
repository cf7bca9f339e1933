//! What this city can prove of a case (办件证据): a signed part of a bundle, for the applicant and for the case's staff.
//! Serves clause 1.6.
//!
//! The parts of the cities concerned, put together, are the bundle that `tongban verify` checks.
//! Invariant: staff get messages without their content and looks without the person; she gets everything.

pub mod cases;
mod messages;
pub mod proven;

use std::sync::Arc;

use axum::Extension;
use axum::extract::Path;
use tb_base::{Actor, CaseId, Ctx, MessageId, OfficeId, PersonId, Refusal, Result};
use tb_crypto::text;
use tb_exchange::LeafKind;
use tb_exchange::bundle::{self, LookEvidence, Part, SignedPart, assemble};
use tb_identity::permit::{Action, Scope, may};
use tb_identity::{PAGE_ROWS, look, people};
use tb_store::{Tx, audit, log};
use tb_web::{PageResult, Visit, download as file};

use crate::parts::Parts;
use proven::Wanted;

/// Pages of looks that are searched for those of one case.
const LOOK_PAGES_MAX: u32 = 40;

/// Asks the case block about a case; nothing where this city does not know it.
pub type CaseEvidence = Arc<dyn Fn(&mut Tx<'_>, &Ctx, CaseId) -> Result<Option<CaseFacts>> + Send + Sync>;

/// What the case block knows of a case.
#[derive(Clone, Debug, Default)]
pub struct CaseFacts {
    /// The applicant, where this city's register knows her.
    pub applicant: Option<PersonId>,
    /// The offices that have it in hand here, or had.
    pub offices: Vec<OfficeId>,
    /// Its events that this city logged, in runs without gaps.
    pub events: Vec<bundle::CaseEvidence>,
    /// Licences that this city issued on it.
    pub licences: Vec<bundle::LicenceEvidence>,
}

/// For whom a part is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Applicant(PersonId),
    Staff,
}

/// GET /cases/{case}/evidence
pub async fn download(visit: Visit, parts: Extension<Arc<Parts>>, path: Path<String>) -> PageResult {
    let case: CaseId = path.0.parse().map_err(|_| unknown())?;
    let (ctx, parts) = (visit.ctx.clone(), Arc::clone(&parts.0));
    let part = visit.app.store.write("t01.evidence", move |tx| {
        let part = of_case(tx, &ctx, &parts, case)?;
        audit::line(tx, &ctx, "case.evidence", case.as_str(), "done")?;
        Ok(part)
    });
    let part = part.await?;
    Ok(file(&format!("evidence-{}-{case}.json", visit.ctx.node), "application/json", assemble(vec![part])?))
}

fn of_case(tx: &mut Tx<'_>, ctx: &Ctx, parts: &Parts, case: CaseId) -> Result<SignedPart> {
    let facts = match &parts.case_evidence {
        Some(ask) => ask(tx, ctx, case)?,
        None => None,
    };
    let facts = facts.ok_or_else(unknown)?;
    let reader = reader(ctx, &facts)?;
    let mut part = Part::new(ctx.node, ctx.now, parts.desk.trust().as_ref().clone());
    let mut wanted = event_leaves(tx, case)?;
    messages::add(tx, parts, &mut part, &mut wanted, case, reader == Reader::Staff)?;
    if let Some(applicant) = facts.applicant {
        looks(tx, parts, &mut part, &mut wanted, applicant, case, reader)?;
    }
    part.cases = facts.events;
    part.licences = facts.licences;
    part.contracts = contracts(parts);
    if !wanted.is_empty() {
        proven::add(tx, &mut part, &wanted)?;
    }
    part.sign(&parts.secrets)
}

/// The applicant, or staff of an office that has the case in hand; anybody else learns nothing of it.
fn reader(ctx: &Ctx, facts: &CaseFacts) -> Result<Reader> {
    match &ctx.actor {
        Actor::Resident { person, .. } if facts.applicant == Some(*person) => {
            may(&ctx.actor, Action::TakeEvidence, &Scope::Person(*person))?;
            Ok(Reader::Applicant(*person))
        }
        Actor::Staff { office, .. } if facts.offices.contains(office) => {
            may(&ctx.actor, Action::ReadOfficeCase, &Scope::Office(office.clone()))?;
            Ok(Reader::Staff)
        }
        Actor::Resident { .. } | Actor::Staff { .. } | Actor::Anonymous | Actor::Peer(_) | Actor::System => {
            Err(unknown().into())
        }
    }
}

/// Every leaf of the case itself.
fn event_leaves(tx: &mut Tx<'_>, case: CaseId) -> Result<Vec<Wanted>> {
    let id: MessageId = case.as_str().parse()?;
    let leaves = log::of_message(tx, id)?.into_iter().filter(|kept| kept.leaf.kind == LeafKind::Case);
    Ok(leaves.map(|kept| Wanted { hash: kept.hash, leaf: kept.leaf }).collect())
}

/// Looks at the applicant's data that name this case.
fn looks(
    tx: &mut Tx<'_>,
    parts: &Parts,
    part: &mut Part,
    wanted: &mut Vec<Wanted>,
    applicant: PersonId,
    case: CaseId,
    reader: Reader,
) -> Result<()> {
    let number = match reader {
        Reader::Applicant(person) => Some(people::get(tx, &parts.vault, person)?.number.to_string()),
        Reader::Staff => None,
    };
    for page in 0..LOOK_PAGES_MAX {
        let rows = look::of_person(tx, applicant, page)?;
        let is_last = i64::try_from(rows.len()).unwrap_or(0) < PAGE_ROWS;
        for row in rows.into_iter().filter(|row| row.look.case == Some(case)) {
            let Some(proof) = look::proof_parts(tx, &parts.vault, applicant, row.look.id)? else { continue };
            wanted.push(Wanted { hash: proof.leaf_hash, leaf: proof.leaf });
            part.looks.push(LookEvidence {
                row: proof.content,
                salt: text::hex(&proof.salt),
                subject: number.clone(),
            });
        }
        if is_last {
            break;
        }
    }
    Ok(())
}

/// The contracts of this city, which messages stand under.
fn contracts(parts: &Parts) -> Vec<tb_exchange::SignedContract> {
    parts.desk.contracts_ever()
}

fn unknown() -> Refusal {
    Refusal::gone("T01-EVD-001", "没有这个办件，或者不由您办理", "There is no such case, or it is not yours")
        .but("从“我的办件”打开", "Open it from your cases")
}
