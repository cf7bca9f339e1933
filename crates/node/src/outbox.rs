//! The outbox worker (发件): signs, sends and retries what waits, each city on its own line.
//!
//! Invariant: a message leaves the outbox only with a signed word of its receiver, or as a dead letter with an
//! audit line: by its deadline, or because the receiver said for good that it will not take it.

use std::sync::Arc;
use std::time::Duration;

use tb_base::{Actor, Error, Fault, MessageId, NodeId, Result, Timestamp, Violation};
use tb_exchange::http_message;
use tb_exchange::retry::{self, Next};
use tb_exchange::{Incoming, LeafKind, Outgoing, Receipt};
use tb_store::outbox::{self, Sent, State};
use tb_store::{Lease, Tx, audit, owed};

use crate::call::{self, Said};
use crate::lines::{Line, Place, Step};
use crate::pace::Pace;
use crate::{Node, receive};

/// How often the outbox is looked at: the blocks write into it without telling.
const PERIOD_MILLIS: u64 = 50;
/// Messages to a city without a line that are given up in one look.
const STRAYS_MAX: u32 = 32;
/// A process that died beside others is replaced after this time; one that was alone goes on when it starts again.
const LEASE_SECONDS: i64 = 10;
/// The pause doubles with each failure in a row up to this one: 16 seconds at the longest.
const DOUBLINGS_MAX: u32 = 5;

/// Why a message to a city that left is given up.
const NO_MEMBER: &str = "its receiver is no member of the region";

/// Tells the lines that something waits for their cities, and keeps those that this process holds, until it stops.
pub async fn run(node: Arc<Node>) {
    let mut pace = Pace::new(&node, PERIOD_MILLIS);
    let mut kept = node.clock.now();
    while !node.is_stopped() {
        pace.looks();
        if let Err(error) = round(&node, &mut kept).await {
            tracing::error!(%error, "the outbox could not be read");
        }
        pace.wait(&node, node.enqueued.notified()).await;
    }
}

async fn round(node: &Arc<Node>, kept: &mut Timestamp) -> Result<()> {
    for to in node.store.read("outbox.peek", outbox::recipients).await? {
        match node.lines.to(to) {
            Some(line) => line.nudge(),
            None => strays(node, to).await?,
        }
    }
    let now = node.clock.now();
    // A clock that was set back is no reason to lose a line.
    if now < *kept || kept.plus_seconds(LEASE_SECONDS / 2) <= now {
        *kept = now;
        keep(node, now).await?;
    }
    Ok(())
}

/// The lines in which something stands are kept: a call may last longer than a lease.
async fn keep(node: &Arc<Node>, now: Timestamp) -> Result<()> {
    let busy: Vec<NodeId> = node.lines.busy();
    if busy.is_empty() {
        return Ok(());
    }
    let holder = node.holder.clone();
    let keep = move |tx: &mut Tx<'_>| {
        let lease = Lease { holder: &holder, seconds: LEASE_SECONDS };
        let mut lost = Vec::new();
        for to in &busy {
            if !outbox::take_line(tx, now, *to, lease)? {
                lost.push(*to);
            }
        }
        Ok(lost)
    };
    let lost = node.store.write("outbox.keep", keep).await?;
    lost.into_iter().filter_map(|to| node.lines.to(to)).for_each(|line| line.lose());
    Ok(())
}

/// Nothing goes to a city that has no line: it left before this process began.
async fn strays(node: &Arc<Node>, to: NodeId) -> Result<()> {
    let (now, holder) = (node.clock.now(), node.holder.clone());
    let read = move |tx: &mut Tx<'_>| outbox::line(tx, now, to, &holder, STRAYS_MAX);
    for stray in node.store.read("outbox.read", read).await? {
        bury(node, stray.id, NO_MEMBER).await?;
    }
    Ok(())
}

/// Tries what stands in the line to one city, one message after the other, until the node stops.
pub async fn serve(node: Arc<Node>, to: NodeId) {
    let Some(line) = node.lines.to(to) else { return };
    while !node.is_stopped() {
        let done = match line.next(node.clock.now()) {
            Step::Wait => {
                wait(&node, &line).await;
                continue;
            }
            Step::Read(limit) => read(&node, &line, to, limit).await,
            Step::Try(place) => one(&node, &line, place).await,
        };
        if let Err(error) = done {
            tracing::error!(%error, "a line could not be read, or what became of a message not be written down");
            line.nudge();
            line.close(node.clock.now().plus_seconds(1));
        }
    }
}

/// A line in which nothing stands waits for a message; another one also looks at the clock, which may be set.
async fn wait(node: &Node, line: &Line) {
    let period = if line.is_idle() { Duration::from_secs(60) } else { Duration::from_millis(PERIOD_MILLIS) };
    tokio::select! {
        biased;
        () = tokio::time::sleep(period) => {}
        () = line.wake.notified() => {}
        () = node.stopped() => {}
    }
}

async fn read(node: &Arc<Node>, line: &Line, to: NodeId, limit: u32) -> Result<()> {
    let (now, holder) = (node.clock.now(), node.holder.clone());
    let read = move |tx: &mut Tx<'_>| outbox::line(tx, now, to, &holder, limit);
    let waiting = node.store.read("outbox.read", read).await?;
    line.fill(now, waiting, limit);
    Ok(())
}

/// One try; whatever comes of it is written down.
async fn one(node: &Arc<Node>, line: &Line, place: Place) -> Result<()> {
    let id = place.1;
    let found = node.store.read("outbox.find", move |tx| outbox::find(tx, id)).await?;
    // A receipt may have come by another way meanwhile.
    let Some(sent) = found.filter(|sent| sent.state == State::Waiting) else {
        line.remove(&place);
        return Ok(());
    };
    if sent.message.envelope.deadline < node.clock.now() {
        line.remove(&place);
        return bury(node, id, "its deadline has passed").await;
    }
    if !node.speaks_to(sent.message.envelope.to) {
        line.remove(&place);
        return bury(node, id, NO_MEMBER).await;
    }
    if sent.message.envelope.to == node.me {
        return own(node, line, place, &sent).await;
    }
    let said = tokio::select! {
        biased;
        said = deliver(node, &sent.message) => said,
        // The receiver answers a repetition from memory, so a call may be cut off at any moment.
        () = node.stopped() => return Ok(()),
    };
    match said {
        Ok(Some(said)) => heard(node, line, place, &sent, said).await,
        // Another process has taken the line, and what stands in it.
        Ok(None) => {
            line.lose();
            Ok(())
        }
        Err(error) => unheard(node, line, &sent, &error).await,
    }
}

/// Nothing where this process holds the line no more.
async fn deliver(node: &Arc<Node>, message: &Outgoing) -> Result<Option<Said>> {
    let ctx = node.ctx(Actor::System);
    let signed = http_message::sign_request(message, &node.secrets, &node.desk, ctx.now, ctx.random())?;
    let evidence = serde_json::to_value(signed.evidence());
    let evidence = evidence.map_err(|error| Fault::of("writing evidence", error))?;
    let (id, to, now, holder) = (message.envelope.id, message.envelope.to, ctx.now, node.holder.clone());
    let sign = move |tx: &mut Tx<'_>| {
        let lease = Lease { holder: &holder, seconds: LEASE_SECONDS };
        let is_mine = outbox::take_line(tx, now, to, lease)?;
        if is_mine {
            outbox::signed(tx, now, id, &evidence)?;
        }
        Ok(is_mine)
    };
    if !node.store.write("outbox.signed", sign).await? {
        return Ok(None);
    }
    call::call(node, to, &signed).await.map(Some)
}

/// A message of the city to itself crosses no socket.
async fn own(node: &Arc<Node>, line: &Line, place: Place, sent: &Sent) -> Result<()> {
    let (now, to, holder) = (node.clock.now(), node.me, node.holder.clone());
    let take = move |tx: &mut Tx<'_>| {
        outbox::take_line(tx, now, to, Lease { holder: &holder, seconds: LEASE_SECONDS })
    };
    if !node.store.write("outbox.own", take).await? {
        line.lose();
        return Ok(());
    }
    let incoming = Incoming {
        envelope: sent.message.envelope.clone(),
        body: sent.message.body.clone(),
        at: node.clock.now(),
        base_hash: [0; 32],
        evidence: serde_json::Value::Null,
    };
    match receive::message(node, incoming, None).await {
        Ok((receipt, _)) => {
            settle(node, node.me, receipt, serde_json::Value::Null).await?;
            line.remove(&place);
            line.answered();
            Ok(())
        }
        Err(Error::Violation(violation)) => {
            line.remove(&place);
            bury(node, place.1, &violation.to_string()).await
        }
        Err(error) => unheard(node, line, sent, &error).await,
    }
}

/// The city spoke: it has the message, or will take it later, or never.
async fn heard(node: &Arc<Node>, line: &Line, place: Place, sent: &Sent, said: Said) -> Result<()> {
    line.answered();
    let Some(problem) = &said.problem else {
        return match receipt(&said.body) {
            Ok(receipt) => {
                settle(node, sent.message.envelope.to, receipt, said.evidence).await?;
                line.remove(&place);
                Ok(())
            }
            Err(error) => unheard(node, line, sent, &error).await,
        };
    };
    let words = problem.clone().into_error().to_string();
    if said.is_temporary() {
        let at = next_try(node, sent, sent.attempts.saturating_add(1), &words);
        line.hold(&sent.message.envelope.service, at);
        let (id, now) = (sent.message.envelope.id, node.clock.now());
        let write = move |tx: &mut Tx<'_>| outbox::attempted(tx, now, id, at, &words);
        return node.store.write("outbox.failed", write).await;
    }
    line.remove(&place);
    bury(node, place.1, &words).await
}

/// The city said nothing that could be believed: the whole line waits, so that the order holds.
async fn unheard(node: &Arc<Node>, line: &Line, sent: &Sent, error: &Error) -> Result<()> {
    let problem = error.to_string();
    let at = next_try(node, sent, line.failed(), &problem);
    line.close(at);
    let (id, now) = (sent.message.envelope.id, node.clock.now());
    let write = move |tx: &mut Tx<'_>| outbox::attempted(tx, now, id, at, &problem);
    node.store.write("outbox.unheard", write).await
}

fn receipt(body: &[u8]) -> Result<Receipt> {
    let receipt = serde_json::from_slice(body);
    receipt.map_err(|error| Violation::new("schema", "receipt", error.to_string()).into())
}

async fn settle(node: &Arc<Node>, to: NodeId, receipt: Receipt, evidence: serde_json::Value) -> Result<()> {
    let (now, id, is_own) = (node.clock.now(), receipt.message, to == node.me);
    let leaf = hash(&receipt.leaf)?;
    let settle = move |tx: &mut Tx<'_>| {
        outbox::settled(tx, now, id, &receipt, &evidence)?;
        // The city's own word that it took the message: its log has to say the same.
        if is_own { Ok(()) } else { owed::owe(tx, now, to, id, LeafKind::Received, Some(leaf)) }
    };
    node.store.write("outbox.delivered", settle).await
}

/// The hash of a leaf as a receipt names it.
pub(crate) fn hash(hex: &str) -> Result<[u8; 32]> {
    let bytes = tb_crypto::text::unhex(hex)?;
    bytes.try_into().map_err(|_| Violation::new("schema", "receipt", "its leaf is no hash").into())
}

/// When a message is tried again that was not delivered; nothing is tried past the deadline.
fn next_try(node: &Node, sent: &Sent, failures: u32, problem: &str) -> Timestamp {
    let ctx = node.ctx(Actor::System);
    let (envelope, jitter) = (&sent.message.envelope, u64::from_be_bytes(ctx.random()));
    tracing::info!(message = %envelope.id, failures, %problem, "a message was not delivered");
    match retry::next(failures.min(DOUBLINGS_MAX), ctx.now, envelope.deadline, jitter) {
        Next::At(at) => at,
        // It is tried once more at its deadline, and then buried.
        Next::DeadLetter => envelope.deadline.max(ctx.now.plus_seconds(1)),
    }
}

/// A dead letter: a person has to look at it. Where a receipt came meanwhile, nobody has to.
async fn bury(node: &Arc<Node>, id: MessageId, problem: &str) -> Result<()> {
    let (ctx, why) = (node.ctx(Actor::System), problem.to_owned());
    let bury = move |tx: &mut Tx<'_>| {
        let is_given_up = outbox::dead(tx, ctx.now, id, &why)?;
        if is_given_up {
            audit::line(tx, &ctx, "exchange.dead", id.as_str(), "dead")?;
        }
        Ok(is_given_up)
    };
    if node.store.write("outbox.dead", bury).await? {
        tracing::warn!(message = %id, %problem, "a message is a dead letter");
    }
    Ok(())
}
