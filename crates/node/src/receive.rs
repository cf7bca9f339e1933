//! What happens to a verified message (收文): stored and acknowledged first, processed by a job.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tb_base::{Actor, Ctx, Error, Fault, MessageId, NodeId, Refusal, Result, Timestamp, Violation};
use tb_crypto::{sha256, text};
use tb_exchange::http_message;
use tb_exchange::problem::Problem;
use tb_exchange::{Incoming, Leaf, LeafKind, Purpose, Receipt, ReceiptKind, service};
use tb_store::inbox::{Handler, Kept, Outcome, Recorded};
use tb_store::{Tx, audit, inbox, jobs, log, nonces, outbox, owed};

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
    /// Missing in jobs that an earlier version put.
    #[serde(default)]
    service: String,
}

/// Stores a message with its leaf and gives the receipt `delivered`, and whether it was given before.
///
/// A message of the city to itself was signed by nobody and has no nonce.
pub async fn message(node: &Arc<Node>, incoming: Incoming, nonce: Option<String>) -> Result<(Receipt, bool)> {
    let ctx = node.ctx(Actor::Peer(incoming.envelope.from));
    let receiver = node.clone();
    let delivered = move |tx: &mut Tx<'_>| deliver(tx, &ctx, &receiver, &incoming, nonce.as_deref());
    let delivered = node.store.write("exchange.deliver", delivered).await?;
    node.put.notify_one();
    Ok(delivered)
}

fn deliver(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    node: &Node,
    incoming: &Incoming,
    nonce: Option<&str>,
) -> Result<(Receipt, bool)> {
    let is_fresh = take_nonce(tx, ctx, incoming, nonce)?;
    let envelope = &incoming.envelope;
    let delivered = |leaf: [u8; 32], at: Timestamp| Receipt {
        message: envelope.id,
        kind: ReceiptKind::Delivered,
        at,
        leaf: text::hex(&leaf),
        refusal: None,
    };
    // Counted before the message is recorded, judged after: a repetition uses up nothing.
    let sent_today = sent_today(tx, ctx, node, incoming)?;
    match inbox::record(tx, ctx, incoming)? {
        Recorded::Duplicate(kept) => {
            audit::line(tx, ctx, "exchange.receive", envelope.id.as_str(), "duplicate")?;
            Ok((delivered(kept.leaf, kept.incoming.at), true))
        }
        Recorded::New(_) if !is_fresh => Err(replay().into()),
        Recorded::New(leaf) => {
            node.desk.check_quota(envelope, sent_today)?;
            if envelope.service == service::RECEIPT {
                settle(tx, ctx, incoming)?;
            }
            let which = Which { from: envelope.from, id: envelope.id, service: envelope.service.clone() };
            let payload = serde_json::to_value(&which);
            let payload = payload.map_err(|error| Fault::of("writing down a job", error))?;
            // What one city sent takes effect in its order.
            let (line, key) = (format!("{PROCESS}/{}", which.from), format!("{}/{}", which.from, which.id));
            jobs::put_in_line(tx, &line, PROCESS, &key, ctx.now, &payload)?;
            audit::line(tx, ctx, "exchange.receive", envelope.id.as_str(), &envelope.service)?;
            Ok((delivered(leaf, incoming.at), false))
        }
    }
}

/// Takes the nonce of a message with it; false where it was used before.
///
/// A message that is known may come again and is answered as then; any other under a used nonce is a replay.
fn take_nonce(tx: &mut Tx<'_>, ctx: &Ctx, incoming: &Incoming, nonce: Option<&str>) -> Result<bool> {
    let Some(nonce) = nonce else { return Ok(true) };
    let until = ctx.now.plus_seconds(http_message::NONCE_MEMORY_SECONDS);
    nonces::take(tx, ctx.now, incoming.envelope.from, nonce, until)
}

fn replay() -> Violation {
    Violation::new("replay", "signature-input;nonce", "the nonce was used before")
}

/// How many messages of the service came before this one today, for the quota of the contract.
fn sent_today(tx: &mut Tx<'_>, ctx: &Ctx, node: &Node, incoming: &Incoming) -> Result<u32> {
    let envelope = &incoming.envelope;
    match node.desk.quota_per_day(envelope) {
        Some(quota) => node.tallies.sent_today(tx, ctx.now, envelope, quota),
        None => Ok(0),
    }
}

/// What the transaction that processes a message is called: the service says which handler writes in it.
pub fn name_of(node: &Node, payload: &serde_json::Value) -> &'static str {
    let which: Option<Which> = serde_json::from_value(payload.clone()).ok();
    let service = which.as_ref().map_or("", |which| &which.service);
    if service == service::RECEIPT {
        return service::RECEIPT;
    }
    node.handlers.get_key_value(service).map_or(PROCESS, |(name, _)| name)
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
    let ctx = ctx.acting(Actor::Peer(which.from));
    let is_receipt = incoming.envelope.service == service::RECEIPT;
    let handled = tx.attempt(|tx| {
        let handler =
            if is_receipt { receipt_handler(tx, node, incoming)? } else { Some(handler(node, incoming)?) };
        handler.map_or(Ok(serde_json::Value::Null), |handler| (handler.handle)(tx, &ctx, incoming))
    });
    let outcome = match handled {
        Ok(answer) => Outcome::Answered(answer),
        Err(Error::Refused(refusal)) => Outcome::Refused(*refusal),
        // What does not fit will not fit the next time either; the sender is to know.
        Err(Error::Violation(violation)) if violation.code != "inconsistent" => {
            Outcome::Refused(unfit(&violation))
        }
        Err(error @ (Error::Fault(_) | Error::Violation(_))) => return Err(error),
    };
    inbox::conclude(tx, ctx.now, which.from, which.id, &outcome)?;
    let word = match &outcome {
        Outcome::Refused(refusal) => refusal.code.to_string(),
        Outcome::Answered(_) | Outcome::Received => "processed".to_owned(),
    };
    audit::line(tx, &ctx, "exchange.process", which.id.as_str(), &word)?;
    // A receipt is a message, too, but needs none.
    if is_receipt { Ok(()) } else { acknowledge(tx, &ctx, node, &kept, &outcome) }
}

fn unfit(violation: &Violation) -> Refusal {
    Refusal::invalid(
        "EXC-MSG-003",
        format!("报文内容不合格（{violation}）"),
        format!("The message does not fit: {violation}"),
    )
    .but("请更正后以新报文发送", "Mend it and send it as a new message")
}

fn acknowledge(tx: &mut Tx<'_>, ctx: &Ctx, node: &Node, kept: &Kept, outcome: &Outcome) -> Result<()> {
    let envelope = &kept.incoming.envelope;
    let (kind, refusal) = match outcome {
        Outcome::Refused(refusal) => (ReceiptKind::Rejected, Some(refusal.clone())),
        Outcome::Answered(_) | Outcome::Received => (ReceiptKind::Processed, None),
    };
    let receipt = Receipt { message: envelope.id, kind, at: ctx.now, leaf: text::hex(&kept.leaf), refusal };
    let purpose = Purpose { basis: "case".to_owned(), ..envelope.purpose.clone() };
    let deadline = ctx.now.plus_seconds(RECEIPT_DAYS * DAY_SECONDS);
    let to = envelope.from;
    match node.desk.compose(ctx, to, service::RECEIPT, purpose, "node", None, &receipt, deadline) {
        Ok(message) => outbox::send(tx, ctx, &message),
        // The contract ended meanwhile: the effect stands, and that nobody is told of it is on record.
        Err(Error::Refused(refusal)) => {
            audit::line(tx, ctx, "exchange.acknowledge", envelope.id.as_str(), &refusal.code)
        }
        Err(error) => Err(error),
    }
}

/// A receipt came: the outbox learns of it at once.
fn settle(tx: &mut Tx<'_>, ctx: &Ctx, incoming: &Incoming) -> Result<()> {
    let receipt: Receipt = incoming.parse()?;
    let Some(sent) = outbox::find(tx, receipt.message)? else {
        return Err(
            Violation::new("receipt", "message", format!("{} was never sent", receipt.message)).into()
        );
    };
    if sent.message.envelope.to != incoming.envelope.from {
        return Err(Violation::new("receipt", "tb-from", "the message went to another city").into());
    }
    let known = outbox::receipts(tx, receipt.message)?;
    outbox::settled(tx, ctx.now, receipt.message, &receipt, &incoming.evidence)?;
    // Where the answer to the message was lost, this is the first word of its city that it took it.
    if known.is_empty() && incoming.envelope.from != ctx.node {
        let (from, leaf) = (incoming.envelope.from, crate::outbox::hash(&receipt.leaf)?);
        owed::owe(tx, ctx.now, from, receipt.message, LeafKind::Received, Some(leaf))?;
    }
    Ok(())
}

/// Who wants to know what became of a message that this city sent, if anybody does.
fn receipt_handler<'a>(tx: &mut Tx<'_>, node: &'a Node, incoming: &Incoming) -> Result<Option<&'a Handler>> {
    let receipt: Receipt = incoming.parse()?;
    let Some(sent) = outbox::find(tx, receipt.message)? else {
        return Err(Violation::inconsistent("store_outbox", receipt.message).into());
    };
    // A receiver that was restored does once more what it did, and says so once more: that was heard.
    let known = outbox::receipts(tx, receipt.message)?;
    if known.iter().any(|kept| kept.receipt.kind == receipt.kind && kept.receipt != receipt) {
        return Ok(None);
    }
    let name = format!("{RECEIPT_HANDLERS}{}", sent.message.envelope.service);
    Ok(node.handlers.get(name.as_str()))
}

/// Answers a query, and says whether it was answered before; record, look, leaves and answer are one transaction.
pub async fn query(
    node: &Arc<Node>,
    incoming: Incoming,
    nonce: Option<String>,
) -> Result<(serde_json::Value, bool)> {
    let ctx = node.ctx(Actor::Peer(incoming.envelope.from));
    let receiver = node.clone();
    let name = handler(node, &incoming)?.service;
    let answer = move |tx: &mut Tx<'_>| answer(tx, &ctx, &receiver, &incoming, nonce.as_deref());
    let (kept, is_new) = node.store.write(name, answer).await?;
    match kept.outcome {
        Outcome::Answered(answer) => Ok((answer, !is_new)),
        Outcome::Refused(refusal) => Err(refusal.into()),
        Outcome::Received => Err(Violation::inconsistent("store_inbox", kept.incoming.envelope.id).into()),
    }
}

fn answer(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    node: &Node,
    incoming: &Incoming,
    nonce: Option<&str>,
) -> Result<(Kept, bool)> {
    let handler = handler(node, incoming)?;
    let is_fresh = take_nonce(tx, ctx, incoming, nonce)?;
    let sent_today = sent_today(tx, ctx, node, incoming)?;
    let (kept, is_new) = inbox::receive(tx, ctx, handler, incoming)?;
    if is_new && !is_fresh {
        return Err(replay().into());
    }
    if is_new {
        // An error undoes what the handler did, too.
        node.desk.check_quota(&incoming.envelope, sent_today)?;
        log::append(tx, &answered(ctx, &kept))?;
        let word = match &kept.outcome {
            Outcome::Refused(refusal) => refusal.code.to_string(),
            Outcome::Answered(_) | Outcome::Received => "answered".to_owned(),
        };
        audit::line(tx, ctx, "exchange.answer", incoming.envelope.id.as_str(), &word)?;
    }
    Ok((kept, is_new))
}

/// The leaf of an answer commits to the bytes that travel, as the leaf of the other side does.
fn answered(ctx: &Ctx, kept: &Kept) -> Leaf {
    let content = match &kept.outcome {
        Outcome::Answered(answer) => sha256(answer.to_string().as_bytes()),
        Outcome::Refused(refusal) => sha256(&Problem::of_error(&refusal.clone().into()).to_json()),
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

/// Who handles the service, or a violation where nobody offers it.
pub fn handler<'a>(node: &'a Node, incoming: &Incoming) -> Result<&'a Handler> {
    let service = incoming.envelope.service.as_str();
    let found = node.handlers.get(service);
    found
        .ok_or_else(|| Violation::new("grant", "@path", format!("this city does not offer {service}")).into())
}
