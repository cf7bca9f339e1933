//! The messages of a case as evidence (报文证据): what this city sent and received, with the leaves that say so.

use tb_base::{CaseId, Result};
use tb_crypto::text;
use tb_exchange::LeafKind;
use tb_exchange::bundle::{AnswerEvidence, MessageEvidence, Part};
use tb_exchange::http_message::{RequestEvidence, ResponseEvidence};
use tb_store::inbox::Kept;
use tb_store::outbox::Sent;
use tb_store::{Tx, inbox, log, outbox};

use super::proven::Wanted;
use crate::parts::Parts;

/// Adds every message of the case that was signed; `sealed` leaves contents out.
pub fn add(
    tx: &mut Tx<'_>,
    parts: &Parts,
    part: &mut Part,
    wanted: &mut Vec<Wanted>,
    case: CaseId,
    sealed: bool,
) -> Result<()> {
    let me = parts.desk.me;
    // What a city sends to itself crosses no socket and is never signed.
    for sent in outbox::of_case(tx, case)?.into_iter().filter(|sent| sent.message.envelope.to != me) {
        let Some(request) = sent.evidence.clone().and_then(request) else { continue };
        let content = (!sealed).then(|| text::base64(&sent.message.body));
        let answer = answer_to(tx, &sent)?;
        part.messages.push(MessageEvidence { request, content, answer });
        want(tx, wanted, &sent.leaf)?;
    }
    for kept in inbox::of_case(tx, case)?.iter().filter(|kept| kept.incoming.envelope.from != me) {
        let Some(request) = request(kept.incoming.evidence.clone()) else { continue };
        let content = (!sealed).then(|| text::base64(&kept.incoming.body));
        part.messages.push(MessageEvidence { request, content, answer: reply_of(kept) });
        want(tx, wanted, &kept.leaf)?;
        answered(tx, wanted, kept)?;
    }
    Ok(())
}

/// A request that was never signed, such as one that still waits, is no evidence yet.
fn request(evidence: serde_json::Value) -> Option<RequestEvidence> {
    serde_json::from_value(evidence).ok()
}

/// The receiver's signed answer to what we sent: its receipt of delivery. The digest stands for the body.
fn answer_to(tx: &mut Tx<'_>, sent: &Sent) -> Result<Option<AnswerEvidence>> {
    let receipts = outbox::receipts(tx, sent.message.envelope.id)?;
    let response = receipts.into_iter().find_map(|kept| response(kept.evidence));
    Ok(response.map(|response| AnswerEvidence { response, content: None }))
}

fn reply_of(kept: &Kept) -> Option<AnswerEvidence> {
    let response = response(kept.reply.clone()?)?;
    Some(AnswerEvidence { response, content: None })
}

fn response(evidence: serde_json::Value) -> Option<ResponseEvidence> {
    serde_json::from_value(evidence).ok()
}

fn want(tx: &mut Tx<'_>, wanted: &mut Vec<Wanted>, hash: &[u8; 32]) -> Result<()> {
    if let Some(kept) = log::find(tx, hash)? {
        wanted.push(Wanted { hash: kept.hash, leaf: kept.leaf });
    }
    Ok(())
}

/// The leaves that say what a query was answered.
fn answered(tx: &mut Tx<'_>, wanted: &mut Vec<Wanted>, kept: &Kept) -> Result<()> {
    let leaves = log::of_message(tx, kept.incoming.envelope.id)?;
    let answers =
        leaves.into_iter().filter(|leaf| matches!(leaf.leaf.kind, LeafKind::Answered | LeafKind::Receipt));
    wanted.extend(answers.map(|kept| Wanted { hash: kept.hash, leaf: kept.leaf }));
    Ok(())
}
