//! What happens to a verified message (收文): stored and acknowledged first, processed by a job.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tb_base::{Actor, Ctx, Error, MessageId, NodeId, Result, Timestamp, Violation};
use tb_crypto::{sha256, text};
use tb_exchange::{Incoming, Leaf, LeafKind, Purpose, Receipt, ReceiptKind, service};
use tb_store::inbox::{Handler, Kept, Outcome, Recorded};
use tb_store::{Tx, audit, inbox, jobs, log, outbox};

use crate::Node;

/// The job that gives a stored message to its handler.
pub const PROCESS: &str = "exchange.process";
/// How long a receipt is worth sending.
const RECEIPT_DAYS: i64 = 30;
/// What a handler of receipts is registered as: this and the service of the message.
const RECEIPT_HANDLERS: &str = "receipt/";
const DAY_SECONDS: i64 = 86_400;

#[derive(Serialize, Deserialize)]
struct Which {
    from: NodeId,
    id: MessageId,
}

/// Stores a message with its leaf and gives the receipt `delivered`; a duplicate gets the same one.
pub async fn message(node: &Arc<Node>, incoming: Incoming) -> Result<Receipt> {
    let ctx = node.ctx(Actor::Peer(incoming.envelope.from));
    let receiver = node.clone();
    node.store.write("exchange.deliver", move |tx| deliver(tx, &ctx, &receiver, &incoming)).await
}

fn deliver(tx: &mut Tx<'_>, ctx: &Ctx, node: &Node, incoming: &Incoming) -> Result<Receipt> {
    let envelope = &incoming.envelope;
    quota(tx, ctx, node, incoming)?;
    let delivered = |leaf: [u8; 32], at: Timestamp| Receipt {
        message: envelope.id,
        kind: ReceiptKind::Delivered,
        at,
        leaf: text::hex(&leaf),
        refusal: None,
    };
    match inbox::record(tx, ctx, incoming)? {
        Recorded::Duplicate(kept) => Ok(delivered(kept.leaf, kept.incoming.at)),
        Recorded::New(leaf) => {
            if envelope.service == service::RECEIPT {
                settle(tx, ctx, node, incoming)?;
                let done = Outcome::Answered(serde_json::Value::Null);
                inbox::conclude(tx, ctx.now, envelope.from, envelope.id, &done)?;
            } else {
                let which = Which { from: envelope.from, id: envelope.id };
                let payload = serde_json::to_value(&which).unwrap_or_default();
                jobs::put(tx, PROCESS, &format!("{}/{}", which.from, which.id), ctx.now, &payload)?;
            }
            audit::line(tx, ctx, "exchange.receive", envelope.id.as_str(), &envelope.service)?;
            Ok(delivered(leaf, ctx.now))
        }
    }
}

/// What the contract allows a day at the most.
fn quota(tx: &mut Tx<'_>, ctx: &Ctx, node: &Node, incoming: &Incoming) -> Result<()> {
    let envelope = &incoming.envelope;
    let Some(signed) = node.desk.contracts.get(&envelope.contract.id) else { return Ok(()) };
    let Some(terms) = signed.contract.services.get(&envelope.service) else { return Ok(()) };
    let today = Timestamp::at(ctx.now.date(), 0);
    if inbox::count_since(tx, envelope.from, &envelope.service, today)? < terms.quota_per_day {
        return Ok(());
    }
    let detail = format!("{} a day are agreed for {}", terms.quota_per_day, envelope.service);
    Err(Violation::new("quota", "tb-contract", detail).into())
}

/// Gives a stored message to its handler; what became of it goes back as a receipt, in the same transaction.
pub fn process(tx: &mut Tx<'_>, ctx: &Ctx, node: &Node, payload: &serde_json::Value) -> Result<()> {
    let which: Which = serde_json::from_value(payload.clone())
        .map_err(|error| Violation::new("inconsistent", "store_job", error.to_string()))?;
    let Some(kept) = inbox::find(tx, which.from, which.id)? else {
        return Err(Violation::inconsistent("store_inbox", which.id).into());
    };
    if kept.outcome != Outcome::Received {
        return Ok(());
    }
    let incoming = &kept.incoming;
    let handler = handler(node, &incoming.envelope.service)?;
    let ctx = ctx.acting(Actor::Peer(which.from));
    let outcome = match tx.attempt(|tx| (handler.handle)(tx, &ctx, incoming)) {
        Ok(answer) => Outcome::Answered(answer),
        Err(Error::Refused(refusal)) => Outcome::Refused(*refusal),
        Err(error) => return Err(error),
    };
    inbox::conclude(tx, ctx.now, which.from, which.id, &outcome)?;
    acknowledge(tx, &ctx, node, &kept, &outcome)
}

fn acknowledge(tx: &mut Tx<'_>, ctx: &Ctx, node: &Node, kept: &Kept, outcome: &Outcome) -> Result<()> {
    let envelope = &kept.incoming.envelope;
    let (kind, refusal, word) = match outcome {
        Outcome::Refused(refusal) => (ReceiptKind::Rejected, Some(refusal.clone()), refusal.code.to_string()),
        Outcome::Answered(_) | Outcome::Received => (ReceiptKind::Processed, None, "processed".to_owned()),
    };
    let receipt = Receipt { message: envelope.id, kind, at: ctx.now, leaf: text::hex(&kept.leaf), refusal };
    let purpose = Purpose { basis: "case".to_owned(), ..envelope.purpose.clone() };
    let deadline = ctx.now.plus_seconds(RECEIPT_DAYS * DAY_SECONDS);
    let message =
        node.desk.compose(ctx, envelope.from, service::RECEIPT, purpose, "node", None, &receipt, deadline)?;
    audit::line(tx, ctx, "exchange.process", envelope.id.as_str(), &word)?;
    outbox::send(tx, ctx, &message)
}

/// A receipt came: the outbox learns of it, and whoever sent the message, if it wants to.
fn settle(tx: &mut Tx<'_>, ctx: &Ctx, node: &Node, incoming: &Incoming) -> Result<()> {
    let receipt: Receipt = incoming.parse()?;
    let Some(sent) = outbox::find(tx, receipt.message)? else {
        return Err(
            Violation::new("receipt", "message", format!("{} was never sent", receipt.message)).into()
        );
    };
    if sent.message.envelope.to != incoming.envelope.from {
        return Err(Violation::new("receipt", "tb-from", "the message went to another city").into());
    }
    outbox::settled(tx, ctx.now, receipt.message, &receipt, &incoming.evidence)?;
    let name = format!("{RECEIPT_HANDLERS}{}", sent.message.envelope.service);
    match node.handlers.get(name.as_str()) {
        Some(handler) => (handler.handle)(tx, ctx, incoming).map(drop),
        None => Ok(()),
    }
}

/// Answers a query: record, look, leaves and answer in one transaction; a duplicate gets the same answer.
pub async fn query(node: &Arc<Node>, incoming: Incoming) -> Result<serde_json::Value> {
    let ctx = node.ctx(Actor::Peer(incoming.envelope.from));
    let receiver = node.clone();
    let kept = node.store.write("exchange.answer", move |tx| answer(tx, &ctx, &receiver, &incoming)).await?;
    match kept.outcome {
        Outcome::Answered(answer) => Ok(answer),
        Outcome::Refused(refusal) => Err(refusal.into()),
        Outcome::Received => Err(Violation::inconsistent("store_inbox", kept.incoming.envelope.id).into()),
    }
}

fn answer(tx: &mut Tx<'_>, ctx: &Ctx, node: &Node, incoming: &Incoming) -> Result<Kept> {
    quota(tx, ctx, node, incoming)?;
    let handler = handler(node, &incoming.envelope.service)?;
    let (kept, new) = inbox::receive(tx, ctx, handler, incoming)?;
    if new {
        log::append(tx, &answered(ctx, &kept))?;
        let word = match &kept.outcome {
            Outcome::Refused(refusal) => refusal.code.to_string(),
            Outcome::Answered(_) | Outcome::Received => "answered".to_owned(),
        };
        audit::line(tx, ctx, "exchange.answer", incoming.envelope.id.as_str(), &word)?;
    }
    Ok(kept)
}

fn answered(ctx: &Ctx, kept: &Kept) -> Leaf {
    let content = match &kept.outcome {
        Outcome::Answered(answer) => sha256(answer.to_string().as_bytes()),
        Outcome::Refused(refusal) => sha256(refusal.code.as_bytes()),
        Outcome::Received => [0; 32],
    };
    Leaf {
        kind: LeafKind::Answered,
        at: ctx.now,
        id: kept.incoming.envelope.id,
        contract: kept.incoming.envelope.contract.hash16(),
        content,
        base: kept.incoming.base_hash,
        subject: [0; 32],
    }
}

/// Whether the service waits for an answer, or an error where nobody offers it.
pub fn handler<'a>(node: &'a Node, service: &str) -> Result<&'a Handler> {
    let found = node.handlers.get(service);
    found.ok_or_else(|| Violation::new("grant", "path", format!("this city does not offer {service}")).into())
}
