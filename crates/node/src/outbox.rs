//! The outbox worker (发件): signs, sends and retries what waits, each peer on its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tb_base::{Actor, Error, Fault, NodeId, Result};
use tb_exchange::http_message::{self, SignedRequest};
use tb_exchange::{Outgoing, Receipt};
use tb_store::outbox::{self, Sent};
use tokio::task::JoinSet;

use crate::Node;

/// How often waiting messages are looked for.
const PERIOD_MILLIS: u64 = 50;
/// Messages taken at once.
const MESSAGES_MAX: u32 = 64;
/// A worker that died is replaced after this time.
const LEASE_SECONDS: i64 = 30;
/// The pause after the first failed try; it doubles with each further one.
const RETRY_SECONDS: i64 = 1;
const RETRY_SECONDS_MAX: i64 = 60;
const RETRY_DOUBLINGS_MAX: u32 = 6;

/// Runs until the node stops.
pub async fn run(node: Arc<Node>) {
    let mut stop = node.stop.subscribe();
    loop {
        if let Err(error) = round(&node).await {
            tracing::error!(%error, "the outbox could not be read");
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(PERIOD_MILLIS)) => {}
            _ = stop.changed() => return,
        }
    }
}

/// One round: what is due, in order for each peer, peers side by side.
async fn round(node: &Arc<Node>) -> Result<()> {
    let now = node.clock.now();
    let due = node.store.read("outbox.peek", outbox::next_due).await?;
    if due.is_none_or(|due| now < due) {
        return Ok(());
    }
    let taken =
        node.store.write("outbox.take", move |tx| outbox::due(tx, now, MESSAGES_MAX, LEASE_SECONDS)).await?;
    let mut by_peer: BTreeMap<NodeId, Vec<Sent>> = BTreeMap::new();
    for sent in taken {
        by_peer.entry(sent.message.envelope.to).or_default().push(sent);
    }
    let mut peers = JoinSet::new();
    for (_, messages) in by_peer {
        let node = node.clone();
        peers.spawn(async move {
            for sent in messages {
                one(&node, sent).await?;
            }
            Ok::<(), Error>(())
        });
    }
    while let Some(done) = peers.join_next().await {
        done.map_err(|error| Fault::of("sending messages", error))??;
    }
    Ok(())
}

/// One try; whatever comes of it is written down.
async fn one(node: &Arc<Node>, sent: Sent) -> Result<()> {
    let id = sent.message.envelope.id;
    match deliver(node, &sent.message).await {
        Ok((receipt, evidence)) => {
            let now = node.clock.now();
            node.store
                .write("outbox.delivered", move |tx| outbox::settled(tx, now, id, &receipt, &evidence))
                .await
        }
        Err(error) => failed(node, &sent, error).await,
    }
}

async fn deliver(node: &Arc<Node>, message: &Outgoing) -> Result<(Receipt, serde_json::Value)> {
    let ctx = node.ctx(Actor::System);
    let signed = http_message::sign_request(message, &node.secrets, &node.desk, ctx.now, ctx.random())?;
    let evidence = json(&signed.evidence())?;
    let (id, now) = (message.envelope.id, ctx.now);
    node.store.write("outbox.signed", move |tx| outbox::signed(tx, now, id, &evidence)).await?;
    let (body, evidence) = call(node, message.envelope.to, signed).await?;
    let receipt: Receipt = serde_json::from_slice(&body)
        .map_err(|error| tb_base::Violation::new("schema", "receipt", error.to_string()))?;
    Ok((receipt, evidence))
}

/// Sends a signed request; gives the verified answer and how it was signed.
pub async fn call(
    node: &Arc<Node>,
    to: NodeId,
    signed: SignedRequest,
) -> Result<(Vec<u8>, serde_json::Value)> {
    if node.is_offline() {
        let city = node.desk.trust.list.city(to);
        return Err(city.map_or_else(
            || crate::client::unavailable(to.as_str(), to.as_str()),
            |city| crate::client::unavailable(&city.name, &city.name_en),
        ));
    }
    let reply =
        node.clients.call(to, Method::POST, &signed.path, &signed.fields, signed.body.clone()).await?;
    let now = node.clock.now();
    let checked =
        http_message::verify_response(&node.desk, &signed, reply.status, &reply.fields, &reply.body, now)?;
    let evidence = json(&checked.evidence)?;
    let answer = checked.into_answer(reply.body, now)?;
    Ok((answer.body, evidence))
}

fn json(value: &impl serde::Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|error| Fault::of("writing evidence", error).into())
}

/// Peers that are down are tried again until the deadline; what the peer refuses for good is a dead letter.
async fn failed(node: &Arc<Node>, sent: &Sent, error: Error) -> Result<()> {
    let now = node.clock.now();
    let id = sent.message.envelope.id;
    let problem = error.to_string();
    let pause = (RETRY_SECONDS << sent.attempts.min(RETRY_DOUBLINGS_MAX)).min(RETRY_SECONDS_MAX);
    let again = now.plus_seconds(pause);
    let hopeless = matches!(error, Error::Violation(_)) || sent.message.envelope.deadline < again;
    tracing::info!(message = %id, attempts = sent.attempts, %problem, hopeless, "a message was not delivered");
    node.store
        .write("outbox.failed", move |tx| {
            if hopeless {
                outbox::dead(tx, now, id, &problem)
            } else {
                outbox::attempted(tx, now, id, again, &problem)
            }
        })
        .await
}
