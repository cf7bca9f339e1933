//! Copies of the other cities' logs (互为镜像): what this city cosigns, it holds the leaves of.
//!
//! Invariant: a checkpoint is cosigned only when its leaves are here; so a log that was cosigned by anybody can be
//! rebuilt byte for byte, whatever becomes of its city.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use tb_base::{Fault, NodeId, Result, Violation};
use tb_store::{Tx, log, mirror};
use tb_tlog::Checkpoint;
use tb_tlog::note::Note;
use tb_tlog::tile::{self, Content, Tile};

use crate::Node;
use crate::copy::Source;
use crate::server::{answer, failed, plain, text_type};

/// Where the copies are published, below: the city, then as in its own log.
pub const PATH: &str = "/log/mirror/{city}";
/// How often it is looked whether a copy is behind what was cosigned: after an upgrade or a restoration only.
const PERIOD_SECONDS: u64 = 2;
/// Batches of one round: 16 384 leaves.
const BATCHES_MAX: u32 = 4;

/// Follows the log of one city, as far as this city has cosigned it, until the node stops.
pub async fn run(node: Arc<Node>, peer: NodeId) {
    let mut last_problem = String::new();
    while !node.is_stopped() {
        let problem = match behind(&node, peer).await {
            Ok(Some(tree)) => follow(&node, peer, &tree).await.err().map(|error| error.to_string()),
            Ok(None) => None,
            Err(error) => Some(error.to_string()),
        };
        let problem = problem.unwrap_or_default();
        if !problem.is_empty() && problem != last_problem {
            tracing::info!(%peer, %problem, "the copy of a log is behind");
        }
        last_problem = problem;
        tokio::select! {
            biased;
            () = node.stopped() => return,
            () = tokio::time::sleep(Duration::from_secs(PERIOD_SECONDS)) => {}
        }
    }
}

/// The tree that was cosigned, where the copy does not hold it.
async fn behind(node: &Arc<Node>, peer: NodeId) -> Result<Option<Checkpoint>> {
    let origin = match node.desk.trust().list.city(peer) {
        Some(city) => city.log_origin.clone(),
        None => return Ok(None),
    };
    let look = move |tx: &mut Tx<'_>| {
        let Some(known) = log::witness_state(tx, &origin)? else { return Ok(None) };
        Ok(Some(known).filter(|known| mirror::size(tx, peer).is_ok_and(|size| size < known.size)))
    };
    match node.store.read("mirror.look", look).await? {
        Some(known) => Ok(Some(Checkpoint::parse(Note::parse(&known.note)?.text())?)),
        None => Ok(None),
    }
}

/// Brings the copy up to a signed tree; the signature is the caller's to check. A bounded number of batches each time.
pub async fn follow(node: &Arc<Node>, peer: NodeId, tree: &Checkpoint) -> Result<()> {
    let source = Source::own(node, peer);
    for _ in 0..BATCHES_MAX {
        let held = node.store.read("mirror.size", move |tx| mirror::size(tx, peer)).await?;
        if tree.size <= held {
            return same(node, peer, tree).await;
        }
        let (leaves, ahead) = source.batch(held, tree).await?;
        let now = node.clock.now();
        let extend = move |tx: &mut Tx<'_>| mirror::extend(tx, now, peer, held, &leaves, &ahead);
        node.store.write("mirror.extend", extend).await?;
    }
    let held = node.store.read("mirror.size", move |tx| mirror::size(tx, peer)).await?;
    if tree.size <= held {
        return same(node, peer, tree).await;
    }
    Err(Fault::new(format!("copying the log of {peer}: {held} of {} leaves so far", tree.size)).into())
}

/// A tree within the copy is the copy's, or the log has forked.
async fn same(node: &Arc<Node>, peer: NodeId, tree: &Checkpoint) -> Result<()> {
    let size = tree.size;
    let root = node.store.read("mirror.root", move |tx| mirror::root(tx, peer, size)).await?;
    if root == tree.root {
        return Ok(());
    }
    Err(Violation::new("log-forked", "checkpoint", format!("the copy has another root at size {size}"))
        .into())
}

/// `GET /log/mirror/{city}/checkpoint`: what this city cosigned last of that log.
pub async fn checkpoint(State(node): State<Arc<Node>>, Path(city): Path<String>) -> Response {
    let origin = city.parse::<NodeId>().ok();
    let trust = node.desk.trust();
    let Some(origin) = origin.and_then(|city| trust.list.city(city)) else {
        return plain(StatusCode::NOT_FOUND, "no such city");
    };
    let origin = origin.log_origin.clone();
    match node.store.read("mirror.checkpoint", move |tx| log::witness_state(tx, &origin)).await {
        Ok(Some(known)) => answer(200, vec![text_type()], known.note.into_bytes()),
        Ok(None) => plain(StatusCode::NOT_FOUND, "nothing of that log was cosigned yet"),
        Err(error) => failed(&error),
    }
}

/// `GET /log/mirror/{city}/tile/…`: a file of the copy, as its city publishes it.
pub async fn tile(State(node): State<Arc<Node>>, Path((city, rest)): Path<(String, String)>) -> Response {
    let (Ok(city), Ok(tile)) = (city.parse::<NodeId>(), Tile::parse(&format!("tile/{rest}"))) else {
        return plain(StatusCode::NOT_FOUND, "no such tile");
    };
    match node.store.read("mirror.tile", move |tx| bytes(tx, city, &tile)).await {
        Ok(bytes) => answer(200, vec![("content-type".into(), "application/octet-stream".into())], bytes),
        Err(tb_base::Error::Refused(_)) => plain(StatusCode::NOT_FOUND, "the copy has not grown so far"),
        Err(error) => failed(&error),
    }
}

fn bytes(tx: &mut Tx<'_>, city: NodeId, tile: &Tile) -> Result<Vec<u8>> {
    match tile.content {
        Content::Entries => Ok(tile::write_entries(&mirror::entries(tx, city, tile.leaves())?)?),
        Content::Hashes { level } => {
            let hashes = mirror::tile(tx, city, level.into(), tile.index, tile.width.into())?;
            Ok(tile::write_hashes(&hashes))
        }
    }
}
