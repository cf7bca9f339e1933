//! The sequencer (定序): gives waiting leaves their index, signs a checkpoint, collects cosignatures.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tb_base::{NodeId, Result, Timestamp, Violation};
use tb_exchange::witness::{AddCheckpoint, Answer};
use tb_store::{Tx, log};
use tb_tlog::Checkpoint;
use tb_tlog::note::SignedNote;

use crate::Node;

/// How often waiting leaves are looked for; a checkpoint follows within one second of its leaf.
const PERIOD_MILLIS: u64 = 250;
/// Leaves sequenced in one transaction.
const LEAVES_MAX: u32 = 2_000;

/// Runs until the node stops.
pub async fn run(node: Arc<Node>) {
    let mut stop = node.stop.subscribe();
    loop {
        if let Err(error) = round(&node).await {
            tracing::error!(%error, "the log could not be sequenced");
        }
        let pause = tokio::time::sleep(Duration::from_millis(PERIOD_MILLIS));
        tokio::select! {
            () = pause => {}
            _ = stop.changed() => return,
        }
    }
}

/// One round: sequence what waits, sign if something came, ask witnesses who have not cosigned yet.
pub async fn round(node: &Arc<Node>) -> Result<()> {
    let signer = node.clone();
    let now = node.clock.now();
    node.store.write("log.sequence", move |tx| sequence(tx, &signer, now)).await?;
    let peers: Vec<NodeId> = node.clients.peers().collect();
    let asked = peers.into_iter().map(|peer| ask(node, peer));
    for outcome in join_all(asked).await {
        if let Err(error) = outcome {
            tracing::debug!(%error, "a witness did not cosign");
        }
    }
    Ok(())
}

async fn join_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all = Vec::new();
    for future in futures {
        all.push(future.await);
    }
    all
}

fn sequence(tx: &mut Tx<'_>, node: &Node, now: Timestamp) -> Result<()> {
    while log::sequence(tx, LEAVES_MAX)? == u64::from(LEAVES_MAX) {}
    let size = log::size(tx)?;
    if log::latest(tx)?.is_some_and(|latest| latest.size == size) || size == 0 {
        return Ok(());
    }
    let root = log::root(tx, size)?;
    let note = node.sign_checkpoint(&Checkpoint { origin: node.log_origin.clone(), size, root });
    log::put_checkpoint(tx, size, &root, &note, now)
}
