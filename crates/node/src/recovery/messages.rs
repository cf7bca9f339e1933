//! The messages of a restored city (报文恢复): its own come back from their receivers, others are sent once more.

use std::sync::Arc;

use http::Method;
use tb_base::{Actor, MessageId, NodeId, Result, Timestamp, Violation};
use tb_crypto::text::unbase64;
use tb_exchange::Outgoing;
use tb_exchange::http_message;
use tb_store::{Tx, audit, outbox};

use super::{AGAIN_PATH, Held, MESSAGES_PATH, Page, Resent, Since, read, write};
use crate::Node;
use crate::copy::{fetch, send};

/// Pages of one city; far more than were ever sent since a backup.
const PAGES_MAX: u32 = 100_000;

/// How far the pages of a city were gone through; a round that has to be done again goes on there.
#[derive(Default)]
pub struct Way {
    after: Option<MessageId>,
    is_done: bool,
}

impl Way {
    /// Goes on behind a page.
    fn turn(&mut self, next: Option<MessageId>) -> Result<()> {
        match next {
            Some(next) if self.after.is_none_or(|after| after < next) => self.after = Some(next),
            Some(_) => return Err(endless().into()),
            None => self.is_done = true,
        }
        Ok(())
    }
}

/// Takes back the messages that a city has of this one since a moment.
pub async fn take_back(node: &Arc<Node>, peer: NodeId, since: Timestamp, way: &mut Way) -> Result<()> {
    for _ in 0..PAGES_MAX {
        if way.is_done {
            return Ok(());
        }
        let from = way.after.map(|id| format!("&after={id}")).unwrap_or_default();
        let path = format!("{MESSAGES_PATH}?since={}{from}", since.micros());
        let page: Page = read(&fetch(node, peer, &path).await?)?;
        let mut messages = Vec::new();
        for held in &page.messages {
            messages.push(own(node, peer, held)?);
        }
        keep(node, messages).await?;
        way.turn(page.next)?;
    }
    Err(endless().into())
}

struct Own {
    message: Outgoing,
    evidence: serde_json::Value,
    received: Timestamp,
}

/// A message that this city's own key signed, to that city; whatever else is shown is not taken.
fn own(node: &Arc<Node>, peer: NodeId, held: &Held) -> Result<Own> {
    let body = unbase64(&held.body)?;
    let evidence = &held.evidence;
    let trust = node.desk.trust();
    let checked = http_message::check_request(
        &trust.list,
        &evidence.method,
        &evidence.path,
        &evidence.fields,
        Some(&body),
    )?;
    let envelope = checked.envelope;
    if envelope.from != node.me || envelope.to != peer {
        return Err(
            Violation::new("audience", "recovery", "it is no message of this city to that one").into()
        );
    }
    let evidence = serde_json::to_value(evidence)
        .map_err(|error| Violation::new("inconsistent", "evidence", error.to_string()))?;
    Ok(Own { message: Outgoing { envelope, body }, evidence, received: held.received })
}

async fn keep(node: &Arc<Node>, messages: Vec<Own>) -> Result<()> {
    let ctx = node.ctx(Actor::System);
    let keep = move |tx: &mut Tx<'_>| {
        for own in &messages {
            if outbox::take_back(tx, ctx.now, &own.message, &own.evidence, own.received)? {
                let id = own.message.envelope.id;
                audit::line(tx, &ctx, "recovery.message", id.as_str(), "taken-back")?;
            }
        }
        Ok(())
    };
    node.store.write("recovery.messages", keep).await
}

/// Has a city send once more what this one took since a moment; what comes too late is told.
pub async fn ask_again(node: &Arc<Node>, peer: NodeId, since: Timestamp, way: &mut Way) -> Result<()> {
    for _ in 0..PAGES_MAX {
        if way.is_done {
            return Ok(());
        }
        let asked = write(&Since { since, after: way.after })?;
        let resent: Resent = read(&send(node, peer, Method::POST, AGAIN_PATH, asked).await?)?;
        tracing::info!(%peer, messages = resent.waiting, "a city sends once more");
        tell(node, resent.too_late).await?;
        way.turn(resent.next)?;
    }
    Err(endless().into())
}

/// A message whose deadline has passed is not sent again; that it was here once is on record.
async fn tell(node: &Arc<Node>, too_late: Vec<MessageId>) -> Result<()> {
    if too_late.is_empty() {
        return Ok(());
    }
    let ctx = node.ctx(Actor::System);
    let tell = move |tx: &mut Tx<'_>| {
        too_late.iter().try_for_each(|id| audit::line(tx, &ctx, "recovery.message", id.as_str(), "too-late"))
    };
    node.store.write("recovery.too_late", tell).await
}

fn endless() -> Violation {
    Violation::new("schema", "recovery", "its pages do not come to an end")
}
