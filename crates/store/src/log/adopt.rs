//! Leaves that come back (日志恢复): a log that was set back takes from a copy what it had, byte for byte.
//!
//! Invariant: leaves are taken in only where they lead to a tree that the city itself has signed.

use tb_base::{Result, Timestamp};
use tb_exchange::Leaf;
use tb_tlog::{Hash, leaf_hash, verify_consistency};

use super::tree::{Fence, Grown, Stored, number, store_grown};
use crate::{Stmt, Tx, params, stmt};

const ADOPT: Stmt = stmt(
    "store.log.adopt",
    "
    INSERT INTO store_leaf (hash, data, kind, message, position, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (hash) DO UPDATE SET position = excluded.position, tx = excluded.tx
    WHERE store_leaf.position IS NULL
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[ADOPT];

/// A signed tree (前方检查点), and the proof that the copy, as far as it goes then, is its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// From the size that the copy will have; empty where that is the whole tree.
    pub proof: Vec<Hash>,
}

impl Ahead {
    pub(crate) fn check(&self, grown: &Grown) -> Result<()> {
        Ok(verify_consistency(grown.size, &grown.root, self.size, &self.root, &self.proof)?)
    }
}

/// Takes leaves in behind the first `start` ones; gives the new size.
///
/// A leaf that still waited for its index when the backup was taken gets the one that it had.
pub fn adopt(
    tx: &mut Tx<'_>,
    now: Timestamp,
    fence: Fence,
    start: u64,
    leaves: &[Vec<u8>],
    ahead: &Ahead,
) -> Result<u64> {
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let grown = Grown::of(Stored { tx: &mut *tx }, start, &hashes)?;
    ahead.check(&grown)?;
    for ((index, data), hash) in (start..).zip(leaves).zip(&hashes) {
        let leaf = Leaf::decode(data)?;
        let (data, kind) = (data.clone(), leaf.kind as u8);
        let placed = tx.run(&ADOPT, params![*hash, data, kind, leaf.id, number(index)?, now, tx.name])?;
        if placed == 0 {
            // The leaf stands elsewhere in this log, so that the signed tree cannot be this log's.
            return Err(tb_base::Violation::inconsistent("store_leaf", index).into());
        }
    }
    store_grown(tx, fence, start, &grown)?;
    Ok(grown.size)
}
