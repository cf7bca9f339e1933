//! Questions to other cities (同步查询): asked over TLS, or in process where this city itself is asked.

use std::sync::Arc;

use tb_base::{Actor, Ctx, Error, Fault, NodeId, Result};
use tb_crypto::sha256;
use tb_exchange::{Answer, BoxFuture, Incoming, Leaf, LeafKind, Outgoing, Peers, http_message};
use tb_store::{audit, log, owed, usage};

use crate::call::{self, Said};
use crate::{Node, receive, recovery};

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
            if !recovery::may_sign(&node).await {
                return Err(call::unavailable(&node, message.envelope.to));
            }
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
    let (answer, _) = receive::query(node, incoming, None).await?;
    Ok(Answer { from: node.me, body: answer.to_string().into_bytes(), at: node.clock.now() })
}

/// The leaf of the question is made durable while it travels; the answer is handed on when both leaves are.
async fn remote(node: &Arc<Node>, ctx: &Ctx, message: Outgoing) -> Result<Answer> {
    let to = message.envelope.to;
    // The act may have begun a while ago; a signature counts from the moment that it is made.
    let now = node.clock.now();
    let signed = http_message::sign_request(&message, &node.secrets, &node.desk, now, ctx.random())?;
    let base = signed.base_hash;
    let asked = write_leaf(node, ctx, &message, LeafKind::Sent, sha256(&message.body), base, None);
    let (asked, said) = tokio::join!(asked, call::call(node, to, &signed));
    asked?;
    let said = match said {
        Ok(said) => said,
        Err(error) => return Err(unheard(node, ctx, &message, error).await),
    };
    node.lines.open(to);
    // A refusal is an answer, too, and its leaf stands beside the other city's.
    let got = node.ctx(Actor::System);
    // What it answered, its log has to say, too.
    let owes = said.problem.is_none().then_some(to);
    write_leaf(node, &got, &message, LeafKind::Got, sha256(&said.body), base, owes).await?;
    answer(node, to, said)
}

fn answer(node: &Node, to: NodeId, said: Said) -> Result<Answer> {
    let is_temporary = said.is_temporary();
    match said.problem {
        None => Ok(Answer { from: to, body: said.body, at: node.clock.now() }),
        Some(problem) if is_temporary && problem.refusal.is_none() => {
            tracing::info!(peer = %to, code = problem.code(), "a peer cannot answer at the moment");
            Err(call::unavailable(node, to))
        }
        Some(problem) => Err(problem.into_error()),
    }
}

/// Who waits for the answer learns that the city is not to be had; what came instead of an answer is audited.
async fn unheard(node: &Arc<Node>, ctx: &Ctx, message: &Outgoing, error: Error) -> Error {
    let (violation, to) = match error {
        Error::Violation(violation) => (violation, message.envelope.to),
        Error::Refused(_) | Error::Fault(_) => return error,
    };
    tracing::warn!(peer = %to, %violation, "what came back is not the answer of the peer");
    let (ctx, id, code) = (ctx.clone(), message.envelope.id, violation.code.into_owned());
    let line =
        move |tx: &mut tb_store::Tx<'_>| audit::line(tx, &ctx, "exchange.mistrust", id.as_str(), &code);
    match node.store.write("exchange.mistrust", line).await {
        Ok(()) => call::unavailable(node, to),
        Err(error) => Fault::of("auditing an answer that is none", error).into(),
    }
}

async fn write_leaf(
    node: &Arc<Node>,
    ctx: &Ctx,
    message: &Outgoing,
    kind: LeafKind,
    content: [u8; 32],
    base: [u8; 32],
    owes: Option<NodeId>,
) -> Result<()> {
    let envelope = &message.envelope;
    let (id, contract, at) = (envelope.id, envelope.contract.hash16(), ctx.now);
    let leaf = Leaf { kind, at, id, contract, content, base, subject: [0; 32] };
    let subject = envelope.subject.map(|subject| subject.0);
    let asked = (kind == LeafKind::Sent).then(|| (envelope.to, envelope.service.clone()));
    let ctx = ctx.clone();
    let write = move |tx: &mut tb_store::Tx<'_>| {
        if let Some((to, service)) = &asked {
            usage::asked(tx, &ctx, id, *to, service)?;
        }
        log::append_about(tx, &ctx, leaf.clone(), subject.as_ref().map(|subject| &subject[..]))?;
        match owes {
            Some(city) => owed::owe(tx, ctx.now, city, id, LeafKind::Answered, None),
            None => Ok(()),
        }
    };
    node.store.write("exchange.ask", write).await
}
