//! The log of a restored city (日志恢复): what was cosigned of it comes back leaf by leaf, and what it cosigned itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use tb_base::{Ctx, Fault, NodeId, Result};
use tb_exchange::LeafKind;
use tb_exchange::witness::witness_name;
use tb_store::{Tx, audit, log};
use tb_tlog::Checkpoint;
use tb_tlog::note::Note;

use super::{Stopped, Told};
use crate::Node;
use crate::copy::Source;

/// How long this process alone may grow the log.
const LEASE_SECONDS: i64 = 10;

/// Brings the log up to the newest checkpoint that any city shows, and compares it with what every city shows.
pub async fn bring_back(node: &Arc<Node>, told: &BTreeMap<NodeId, Told>) -> std::result::Result<(), Stopped> {
    let shown: Vec<(NodeId, &Checkpoint, &Note, u64)> = told
        .iter()
        .filter_map(|(city, told)| {
            told.cosigned.as_ref().map(|(checkpoint, note)| (*city, checkpoint, note, told.mirrored))
        })
        .collect();
    let Some(newest) = shown.iter().map(|(_, checkpoint, _, _)| checkpoint.size).max() else {
        return Ok(());
    };
    // Before anything is added: what is here must be the beginning of what was cosigned.
    compare(node, &shown).await?;
    for (city, checkpoint, _, mirrored) in &shown {
        if checkpoint.size == newest && newest <= *mirrored {
            grow(node, *city, checkpoint).await?;
        }
    }
    let size = node.store.read("recovery.size", log::size).await?;
    if size < newest {
        let holder = shown.iter().find(|(_, checkpoint, _, _)| checkpoint.size == newest);
        let (city, mirrored) = holder.map_or((node.me, 0), |(city, _, _, mirrored)| (*city, *mirrored));
        return Err(Stopped::Waits(city, format!("it holds {mirrored} of {newest} leaves")));
    }
    compare(node, &shown).await?;
    keep_checkpoints(node, &shown).await
}

/// A city that shows another root for a size that is here has seen another log.
async fn compare(
    node: &Arc<Node>,
    shown: &[(NodeId, &Checkpoint, &Note, u64)],
) -> std::result::Result<(), Stopped> {
    let size = node.store.read("recovery.size", log::size).await?;
    for (city, checkpoint, _, _) in shown.iter().filter(|(_, checkpoint, _, _)| checkpoint.size <= size) {
        let at = checkpoint.size;
        let root = node.store.read("recovery.root", move |tx| log::root(tx, at)).await?;
        if root != checkpoint.root {
            return Err(Stopped::Forked(*city, format!("it cosigned another root at size {at}")));
        }
    }
    Ok(())
}

async fn grow(node: &Arc<Node>, city: NodeId, tree: &Checkpoint) -> std::result::Result<(), Stopped> {
    let source = Source::copy(node, city, node.me);
    loop {
        let start = node.store.read("recovery.size", log::size).await?;
        if tree.size <= start {
            return Ok(());
        }
        let batch = source.batch(start, tree).await;
        let (leaves, ahead) = batch.map_err(|error| Stopped::Waits(city, error.to_string()))?;
        let (now, holder) = (node.clock.now(), node.holder.clone());
        let adopt = move |tx: &mut Tx<'_>| match log::take(tx, now, &holder, LEASE_SECONDS)? {
            Some(fence) => log::adopt(tx, now, fence, start, &leaves, &ahead),
            None => Err(Fault::new("growing the log: another process has the right to").into()),
        };
        match node.store.write("recovery.adopt", adopt).await {
            Ok(size) => tracing::info!(size, "leaves of the log were brought back"),
            // What it holds does not lead to what it shows, or is not behind what is here.
            Err(tb_base::Error::Violation(violation)) => {
                return Err(Stopped::Forked(city, violation.to_string()));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The checkpoints that were shown are this city's own: it must never sign another for these sizes.
async fn keep_checkpoints(
    node: &Arc<Node>,
    shown: &[(NodeId, &Checkpoint, &Note, u64)],
) -> std::result::Result<(), Stopped> {
    let mut by_size: Vec<_> = shown.iter().collect();
    by_size.sort_by_key(|(_, checkpoint, _, _)| checkpoint.size);
    for (city, checkpoint, note, _) in by_size {
        let own = Note::new(note.text()).map_err(tb_base::Error::from)?;
        let is_own = |line: &&tb_tlog::note::Signature| line.name() == node.city.log_origin;
        let own = note.signatures().iter().filter(is_own).cloned().fold(own, Note::with).to_string();
        let witness = witness_name(*city);
        let line = note.signatures().iter().find(|line| line.name() == witness).map(ToString::to_string);
        let (now, checkpoint) = (node.clock.now(), (*checkpoint).clone());
        let keep = move |tx: &mut Tx<'_>| {
            let known = log::latest(tx)?.map_or(0, |latest| latest.size);
            if known <= checkpoint.size {
                log::put_checkpoint(tx, now, checkpoint.size, &checkpoint.root, &own)?;
            } else if log::checkpoint(tx, checkpoint.size)?.is_none() {
                // An older one that this store never had says nothing that the newer does not.
                return Ok(());
            }
            match &line {
                Some(line) => log::add_cosignature(tx, now, checkpoint.size, &witness, line),
                None => Ok(()),
            }
        };
        node.store.write("recovery.checkpoint", keep).await?;
    }
    Ok(())
}

/// What this city cosigned of another's log never goes back: the other shows the newest with our line on it.
pub async fn keep_witnessed(
    node: &Arc<Node>,
    peer: NodeId,
    checkpoint: &Checkpoint,
    note: &Note,
) -> std::result::Result<(), Stopped> {
    let state = log::WitnessState {
        origin: checkpoint.origin.clone(),
        size: checkpoint.size,
        root: checkpoint.root,
        note: note.to_string(),
        at: node.clock.now(),
    };
    let keep = move |tx: &mut Tx<'_>| {
        let known = log::witness_state(tx, &state.origin)?;
        match &known {
            Some(known) if known.size == state.size && known.root != state.root => Ok(false),
            Some(known) if state.size <= known.size => Ok(true),
            Some(_) | None => {
                log::put_witness_state(tx, known.as_ref().map(|known| known.size), &state)?;
                Ok(true)
            }
        }
    };
    if node.store.write("recovery.witness", keep).await? {
        return Ok(());
    }
    Err(Stopped::Forked(peer, "this city has cosigned another root of the same size".to_owned()))
}

/// What came back as leaves only is told: the acts behind them were done inside the city after the backup.
pub fn tell_lost(tx: &mut Tx<'_>, ctx: &Ctx, size: u64) -> Result<()> {
    for (kind, count) in log::kinds_from(tx, size)? {
        let word = match kind {
            LeafKind::Sent => "sent",
            LeafKind::Received => "received",
            LeafKind::Answered => "answered",
            LeafKind::Got => "got",
            LeafKind::Receipt => "receipt",
            LeafKind::Look => "look",
            LeafKind::Licence => "licence",
            LeafKind::Case => "case",
            LeafKind::Definition => "definition",
        };
        audit::line(tx, ctx, "recovery.leaves", word, &count.to_string())?;
    }
    Ok(())
}
