//! The proof of one look (查看证明): a bundle of one part, signed by the city that wrote the look down.
//! Serves clause 1.6.

use std::sync::Arc;

use axum::Extension;
use axum::extract::Path;
use tb_base::{Ctx, Fault, MessageId, NodeId, PersonId, Refusal, Result, Violation};
use tb_crypto::text;
use tb_exchange::bundle::{LookEvidence, Part, SignedPart, assemble};
use tb_identity::{look, people};
use tb_store::{Tx, audit};
use tb_web::{PageError, PageResult, Visit, download as file};

use super::trace::{TraceAnswer, TraceAsk};
use super::{message, reader};
use crate::evidence::proven::{self, Wanted};
use crate::parts::Parts;

/// Whether a part names the person by her number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// It does: it is made for herself and leaves no city.
    Named,
    /// It does not: it travels to another city.
    Unnamed,
}

/// GET /looks/{city}/{id}/proof
pub async fn download(
    visit: Visit,
    parts: Extension<Arc<Parts>>,
    path: Path<(String, String)>,
) -> PageResult {
    let (city, id) = (path.0.0.parse::<NodeId>(), path.0.1.parse::<MessageId>());
    let (Ok(city), Ok(id)) = (city, id) else { return Err(gone().into()) };
    let part = if city == visit.ctx.node {
        own(&visit, &parts.0, id).await?
    } else {
        other(&visit, &parts.0, city, id).await?
    };
    Ok(file(&format!("look-{city}-{id}.json"), "application/json", assemble(vec![part])?))
}

async fn own(visit: &Visit, parts: &Arc<Parts>, id: MessageId) -> std::result::Result<SignedPart, PageError> {
    let (person, _) = reader(&visit.ctx)?;
    let (ctx, parts) = (visit.ctx.clone(), Arc::clone(parts));
    let made = visit.app.store.write("t01.look.proof", move |tx| {
        let part = part(tx, &ctx, &parts, person, id, Subject::Named)?;
        audit::line(tx, &ctx, "look.proof", id.as_str(), "done")?;
        Ok(part)
    });
    Ok(made.await?)
}

async fn other(
    visit: &Visit,
    parts: &Arc<Parts>,
    city: NodeId,
    id: MessageId,
) -> std::result::Result<SignedPart, PageError> {
    let (person, _) = reader(&visit.ctx)?;
    if !parts.desk.peers().contains(&city) {
        return Err(gone().into());
    }
    let inner = Arc::clone(parts);
    let holder =
        visit.app.store.read("t01.look.holder", move |tx| people::get(tx, &inner.vault, person)).await?;
    let ask = TraceAsk { proof_of: Some(id), ..TraceAsk::default() };
    let message = message(&visit.ctx, parts, city, &holder, &ask)?;
    let answer = visit.app.peers.query(visit.ctx.clone(), message).await?;
    let part = answer.parse::<TraceAnswer>()?.part.ok_or_else(gone)?;
    if part.node != city {
        return Err(
            Violation::new("audience", "part", format!("{city} was asked and {} signed", part.node)).into()
        );
    }
    Ok(*part)
}

/// The signed part for one look; refused while no other city has cosigned its leaf.
pub fn part(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    parts: &Parts,
    person: PersonId,
    id: MessageId,
    subject: Subject,
) -> Result<SignedPart> {
    let proof = look::proof_parts(tx, &parts.vault, person, id)?.ok_or_else(gone)?;
    let number = match subject {
        Subject::Named => Some(people::get(tx, &parts.vault, person)?.number.to_string()),
        Subject::Unnamed => None,
    };
    let mut part = Part::new(ctx.node, ctx.now, parts.desk.trust().as_ref().clone());
    proven::add(tx, &mut part, &[Wanted { hash: proof.leaf_hash, leaf: proof.leaf }])?;
    part.looks.push(LookEvidence { row: proof.content, salt: text::hex(&proof.salt), subject: number });
    part.sign(&parts.secrets).map_err(|error| Fault::of("signing the proof of a look", error).into())
}

/// There is no such look at this person's data.
pub fn gone() -> Refusal {
    Refusal::gone("T01-LOK-002", "没有这条查看记录", "There is no such look at your data")
        .but("回到“谁看了我的数据”，从列表里点", "Go back to the list and choose one there")
}
