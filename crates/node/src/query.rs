//! Questions to other cities (同步查询): asked over TLS, or in process where this city itself is asked.

use std::sync::Arc;

use tb_base::{Actor, Ctx, Result};
use tb_crypto::sha256;
use tb_exchange::{Answer, BoxFuture, Incoming, Leaf, LeafKind, Outgoing, Peers, http_message};
use tb_store::log;

use crate::{Node, outbox, receive};

/// Asks peers in the name of this node.
pub struct NodePeers {
    node: Arc<Node>,
}

impl NodePeers {
    pub(crate) fn new(node: Arc<Node>) -> NodePeers {
        NodePeers { node }
    }
}

impl Peers for NodePeers {
    fn query(&self, ctx: Ctx, message: Outgoing) -> BoxFuture<'_, Result<Answer>> {
        let node = self.node.clone();
        Box::pin(async move {
            if message.envelope.to == node.me {
                own(&node, message).await
            } else {
                remote(&node, &ctx, message).await
            }
        })
    }
}

/// The city asks itself: the same handler, the same record, no socket.
async fn own(node: &Arc<Node>, message: Outgoing) -> Result<Answer> {
    let at = node.clock.now();
    let incoming = Incoming {
        base_hash: [0; 32],
        evidence: serde_json::Value::Null,
        envelope: message.envelope,
        body: message.body,
        at,
    };
    let answer = receive::query(node, incoming).await?;
    Ok(Answer { from: node.me, body: answer.to_string().into_bytes(), at: node.clock.now() })
}

/// The leaf of the question is made durable while it travels; the answer is handed on when both leaves are.
async fn remote(node: &Arc<Node>, ctx: &Ctx, message: Outgoing) -> Result<Answer> {
    let to = message.envelope.to;
    let signed = http_message::sign_request(&message, &node.secrets, &node.desk, ctx.now, ctx.random())?;
    let base = signed.base_hash;
    let asked = write_leaf(node, ctx, &message, LeafKind::Sent, sha256(&message.body), base);
    let (asked, answered) = tokio::join!(asked, outbox::call(node, to, signed));
    asked?;
    let (body, _) = answered?;
    let got = node.ctx(Actor::System);
    write_leaf(node, &got, &message, LeafKind::Got, sha256(&body), base).await?;
    Ok(Answer { from: to, body, at: node.clock.now() })
}

async fn write_leaf(
    node: &Arc<Node>,
    ctx: &Ctx,
    message: &Outgoing,
    kind: LeafKind,
    content: [u8; 32],
    base: [u8; 32],
) -> Result<()> {
    let envelope = &message.envelope;
    let (id, contract, at) = (envelope.id, envelope.contract.hash16(), ctx.now);
    let leaf = Leaf { kind, at, id, contract, content, base, subject: [0; 32] };
    let subject = envelope.subject.map(|subject| subject.0);
    let ctx = ctx.clone();
    let write = move |tx: &mut tb_store::Tx<'_>| {
        log::append_about(tx, &ctx, leaf.clone(), subject.as_ref().map(|subject| &subject[..])).map(drop)
    };
    node.store.write("exchange.ask", write).await
}
