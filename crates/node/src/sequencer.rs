//! The sequencer (定序): gives waiting leaves their index, signs a checkpoint, collects cosignatures.

use std::sync::Arc;
use std::time::Duration;

use tb_base::{NodeId, Result, Timestamp};
use tb_store::{Tx, log};
use tb_tlog::Checkpoint;
use tb_tlog::note::{Note, Signer};
use tokio::task::JoinSet;

use crate::{Node, witness};

/// How often waiting leaves are looked for; a checkpoint follows within one second of its leaf.
const PERIOD_MILLIS: u64 = 200;
/// Leaves sequenced in one transaction.
const LEAVES_MAX: u32 = 2_000;
/// A sequencer that died is replaced after this time.
const LEASE_SECONDS: i64 = 10;

/// Runs until the node stops.
pub async fn run(node: Arc<Node>) {
    let mut stop = node.stop.subscribe();
    loop {
        if let Err(error) = round(&node).await {
            tracing::error!(%error, "the log could not be sequenced");
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(PERIOD_MILLIS)) => {}
            _ = stop.changed() => return,
        }
    }
}

/// One round: sequence what waits, sign if the log grew, ask the witnesses that have not cosigned yet.
async fn round(node: &Arc<Node>) -> Result<()> {
    let (signer, now) = (node.clone(), node.clock.now());
    node.store.write("log.sequence", move |tx| sequence(tx, &signer, now)).await?;
    let peers: Vec<NodeId> = node.clients.peers().collect();
    let mut asked = JoinSet::new();
    for peer in peers {
        let node = node.clone();
        asked.spawn(async move { witness::ask(&node, peer).await });
    }
    while let Some(outcome) = asked.join_next().await {
        if let Ok(Err(error)) = outcome {
            tracing::debug!(%error, "a witness did not cosign");
        }
    }
    Ok(())
}

fn sequence(tx: &mut Tx<'_>, node: &Node, now: Timestamp) -> Result<()> {
    let Some(fence) = log::take(tx, now, &node.holder, LEASE_SECONDS)? else { return Ok(()) };
    let grown = log::sequence(tx, fence, LEAVES_MAX)?;
    if log::latest(tx)?.is_some_and(|latest| latest.size == grown.end) || grown.end == 0 {
        return Ok(());
    }
    let root = log::root(tx, grown.end)?;
    let checkpoint = Checkpoint { origin: node.city.log_origin.clone(), size: grown.end, root };
    log::put_checkpoint(tx, now, grown.end, &root, &sign(node, &checkpoint)?)
}

/// The checkpoint as a note with both signatures of the log: Ed25519 and SM2.
fn sign(node: &Node, checkpoint: &Checkpoint) -> Result<String> {
    let note = Note::new(&checkpoint.text())?;
    let international = Signer::new(&node.city.log_origin, node.secrets.log.clone())?;
    let national = Signer::new(&node.city.log_origin, node.secrets.log_sm2.clone())?;
    let (first, second) = (international.sign(&note), national.sign(&note));
    Ok(note.with(first).with(second).to_string())
}
