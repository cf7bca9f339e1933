//! Holding what cities said against their logs (对账): whoever acknowledged a message and left it out is found out.
//!
//! Invariant: nobody is accused whose log was not seen whole: the copy holds everything that the city shows now.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tb_base::{Actor, NodeId, Result, Timestamp, Violation};
use tb_exchange::witness;
use tb_store::owed::{Owed, Search};
use tb_store::{Tx, audit, mirror, owed};
use tb_tlog::note::Note;

use crate::Node;

/// How often it is looked whether a leaf is owed for too long.
const PERIOD_SECONDS: u64 = 20;
/// The pause between two parts of one search: others write, too.
const PAUSE_MILLIS: u64 = 50;
/// Where a city publishes the newest checkpoint of its log.
const CHECKPOINT_PATH: &str = "/log/checkpoint";

/// Runs until the node stops.
pub async fn run(node: Arc<Node>, peer: NodeId) {
    let mut rest = None;
    while !node.is_stopped() {
        rest = match round(&node, peer, rest).await {
            Ok(rest) => rest,
            Err(error) => {
                tracing::info!(%peer, %error, "what a city owes could not be held against its log");
                None
            }
        };
        let pause = match rest {
            Some(_) => Duration::from_millis(PAUSE_MILLIS),
            None => Duration::from_secs(PERIOD_SECONDS),
        };
        tokio::select! {
            biased;
            () = tokio::time::sleep(pause) => {}
            () = node.stopped() => return,
        }
    }
}

/// Begins a search where something is owed for too long, or goes on with the one that is under way.
async fn round(node: &Arc<Node>, peer: NodeId, rest: Option<Search>) -> Result<Option<Search>> {
    let now = node.clock.now();
    if rest.is_none() && !may_begin(node, peer, now).await? {
        return Ok(None);
    }
    let ctx = node.ctx(Actor::System);
    let look = move |tx: &mut Tx<'_>| {
        let looked = owed::look_after(tx, now, peer, rest.clone())?;
        for owed in &looked.missing {
            audit::line(tx, &ctx, "exchange.omitted", owed.message.as_str(), peer.as_str())?;
        }
        Ok(looked)
    };
    let looked = node.store.write("owed.look", look).await?;
    looked.missing.iter().for_each(accuse);
    Ok(looked.rest)
}

async fn may_begin(node: &Arc<Node>, peer: NodeId, now: Timestamp) -> Result<bool> {
    if !node.store.read("owed.peek", move |tx| owed::is_overdue(tx, now, peer)).await? {
        return Ok(false);
    }
    let shown = shown(node, peer).await?;
    let held = node.store.read("owed.copy", move |tx| mirror::size(tx, peer)).await?;
    // Where it is behind, its witness is about to copy it.
    Ok(shown <= held)
}

fn accuse(owed: &Owed) {
    let Owed { city, message, .. } = owed;
    tracing::error!(%city, %message, "a city left out of its log what it said it took");
}

/// The size of the log that the city shows now, by its own signature.
async fn shown(node: &Arc<Node>, peer: NodeId) -> Result<u64> {
    let trust = node.desk.trust();
    let city = trust.list.city(peer);
    let city =
        city.ok_or_else(|| Violation::new("key-unknown", "trust-list", format!("{peer} is no member")))?;
    let reply = node.clients.call(peer, Method::GET, CHECKPOINT_PATH, &[], Vec::new()).await?;
    if reply.status != 200 {
        return Err(crate::call::unavailable(node, peer));
    }
    let note = Note::parse(&String::from_utf8_lossy(&reply.body))?;
    Ok(witness::checkpoint_of(city, &note)?.size)
}
