//! The sequencer (定序): gives waiting leaves their index and signs a checkpoint, within a second of the leaf.
//!
//! Invariant: nothing here waits for another city; the witnesses are asked by loops of their own.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tb_base::{Result, Timestamp};
use tb_exchange::witness::signers;
use tb_store::{Tx, log};
use tb_tlog::Checkpoint;
use tb_tlog::note::Note;

use crate::Node;
use crate::pace::Pace;

/// How often waiting leaves are looked for: every write may leave one.
const PERIOD_MILLIS: u64 = 100;
/// Leaves sequenced in one transaction.
const LEAVES_MAX: u32 = 2_000;
/// A sequencer that died is replaced after this time.
const LEASE_SECONDS: i64 = 10;

/// Runs until the node stops, and sequences once more before it does.
pub async fn run(node: Arc<Node>) {
    let mut pace = Pace::new(&node, PERIOD_MILLIS);
    loop {
        let is_last = node.is_stopped();
        pace.looks();
        if let Err(error) = round(&node).await {
            tracing::error!(%error, "the log could not be sequenced");
        }
        if is_last {
            break;
        }
        pace.wait(&node, std::future::pending()).await;
    }
    // Another process, or this one started again, need not wait for the lease to end.
    let (holder, now) = (node.holder.clone(), node.clock.now());
    let release = move |tx: &mut Tx<'_>| match log::take(tx, now, &holder, LEASE_SECONDS)? {
        Some(fence) => log::release(tx, now, fence),
        None => Ok(()),
    };
    if let Err(error) = node.store.write("log.release", release).await {
        tracing::warn!(%error, "the right to grow the log could not be given back");
    }
}

/// One round: where leaves wait, sequence them; where the log grew, sign it. An idle log is only read.
async fn round(node: &Arc<Node>) -> Result<()> {
    let idle = |tx: &mut Tx<'_>| {
        if log::waiting(tx)? == 0 && is_signed(tx)? { signed_size(tx).map(Some) } else { Ok(None) }
    };
    let signed = match node.store.read("log.peek", idle).await? {
        Some(signed) => signed,
        None => {
            let (signer, now) = (node.clone(), node.clock.now());
            node.store.write("log.sequence", move |tx| sequence(tx, &signer, now)).await?
        }
    };
    // Another process may have signed it: its witnesses may still be asked by this one.
    if node.checkpointed.swap(signed, Ordering::SeqCst) != signed {
        node.lines.all_grown();
    }
    Ok(())
}

fn signed_size(tx: &mut Tx<'_>) -> Result<u64> {
    Ok(log::latest(tx)?.map_or(0, |latest| latest.size))
}

fn is_signed(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(log::size(tx)? == signed_size(tx)?)
}

/// Gives the size of the newest checkpoint.
fn sequence(tx: &mut Tx<'_>, node: &Node, now: Timestamp) -> Result<u64> {
    let Some(fence) = log::take(tx, now, &node.holder, LEASE_SECONDS)? else { return signed_size(tx) };
    let size = log::sequence(tx, fence, LEAVES_MAX)?.end;
    if !is_signed(tx)? {
        let root = log::root(tx, size)?;
        let checkpoint = Checkpoint { origin: node.city.log_origin.clone(), size, root };
        log::put_checkpoint(tx, now, size, &root, &sign(node, &checkpoint)?)?;
    }
    Ok(size)
}

/// The checkpoint as a note with both signatures of the log: Ed25519 and SM2.
fn sign(node: &Node, checkpoint: &Checkpoint) -> Result<String> {
    let bare = Note::new(&checkpoint.text())?;
    let signers = signers(&node.city, &node.secrets)?;
    let signed = signers.iter().fold(bare.clone(), |note, signer| note.with(signer.sign(&bare)));
    Ok(signed.to_string())
}
