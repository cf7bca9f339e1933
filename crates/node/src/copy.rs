//! Leaves of a published log (日志分片抓取), a bounded batch at a time, with the proof that they lead to a signed tree.
//!
//! Nothing that is fetched is believed here: the store keeps a batch only where the proof holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Method;
use tb_base::{NodeId, Result, Violation};
use tb_store::log::Ahead;
use tb_tlog::tile::{Content, TILE_WIDTH, Tile, TileReader, read_entries, tiles_of_growth};
use tb_tlog::{Checkpoint, prove_consistency};

use crate::Node;

/// Entry bundles of one batch: 4 096 leaves.
const BUNDLES_MAX: u64 = 16;
/// Tiles of hashes that one proof reads at the most: two at each of eight levels, and some to spare.
const PROOF_TILES_MAX: usize = 24;
/// Bytes of a leaf; ours have 148.
const LEAF_BYTES_MAX: usize = 1_024;

/// Where a log is published: by its own city, or by one that holds a copy.
pub struct Source<'a> {
    node: &'a Arc<Node>,
    peer: NodeId,
    base: String,
}

impl<'a> Source<'a> {
    /// A city's own log.
    pub fn own(node: &'a Arc<Node>, peer: NodeId) -> Source<'a> {
        Source { node, peer, base: "/log".to_owned() }
    }

    /// A city's copy of the log of another.
    pub fn copy(node: &'a Arc<Node>, peer: NodeId, of: NodeId) -> Source<'a> {
        Source { node, peer, base: format!("/log/mirror/{of}") }
    }

    /// The next leaves from `start` on, and the proof from there to the signed tree.
    pub async fn batch(&self, start: u64, tree: &Checkpoint) -> Result<(Vec<Vec<u8>>, Ahead)> {
        let width = u64::from(TILE_WIDTH);
        let end = tree.size.min((start / width + BUNDLES_MAX) * width);
        let mut leaves = Vec::new();
        let bundles = tiles_of_growth(start, end).into_iter().filter(|tile| tile.content == Content::Entries);
        for bundle in bundles {
            let entries = read_entries(&self.get(&bundle).await?, bundle.width)?;
            if entries.iter().any(|entry| LEAF_BYTES_MAX < entry.len()) {
                return Err(Violation::new("tile-invalid", "entry", "a leaf is longer than any").into());
            }
            let known = usize::try_from(start.saturating_sub(bundle.leaves().start)).unwrap_or(usize::MAX);
            leaves.extend(entries.into_iter().skip(known));
        }
        let proof = if end == tree.size { Vec::new() } else { self.proof(end, tree.size).await? };
        Ok((leaves, Ahead { size: tree.size, root: tree.root, proof }))
    }

    /// The proof that a smaller tree is the beginning of a larger one, made from published hashes.
    async fn proof(&self, from: u64, to: u64) -> Result<Vec<tb_tlog::Hash>> {
        let mut tiles: BTreeMap<Tile, Vec<u8>> = BTreeMap::new();
        loop {
            let mut missing = None;
            let fetch = |tile: &Tile| {
                tiles.get(tile).cloned().ok_or_else(|| {
                    missing = Some(*tile);
                    Violation::new("tile-invalid", "tile", "it is not here yet").into()
                })
            };
            let proof = prove_consistency(from, to, &mut TileReader::new(to, fetch));
            match missing {
                None => return proof,
                Some(tile) if tiles.len() < PROOF_TILES_MAX => {
                    tiles.insert(tile, self.get(&tile).await?);
                }
                Some(_) => return proof,
            }
        }
    }

    async fn get(&self, tile: &Tile) -> Result<Vec<u8>> {
        fetch(self.node, self.peer, &format!("{}/{}", self.base, tile.path())).await
    }
}

/// What a city answers to a plain request over its pinned connection; anything but 200 is no answer.
pub async fn fetch(node: &Arc<Node>, peer: NodeId, path: &str) -> Result<Vec<u8>> {
    send(node, peer, Method::GET, path, Vec::new()).await
}

/// The same for any method.
pub async fn send(
    node: &Arc<Node>,
    peer: NodeId,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> Result<Vec<u8>> {
    if node.is_offline() {
        return Err(crate::call::unavailable(node, peer));
    }
    let reply = node.clients.call(peer, method, path, &[], body).await?;
    match reply.status {
        200 => Ok(reply.body),
        503 => Err(crate::call::unavailable(node, peer)),
        status => {
            Err(Violation::new("not-answered", path.to_owned(), format!("{peer} answered {status}")).into())
        }
    }
}
