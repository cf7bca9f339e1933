//! Copies of the other cities' logs (日志镜像): leaves and hashes as they were published.
//!
//! Leaves hold commitments only (`tb_exchange::Leaf`), so a copy tells nothing about anybody.
//! Invariant: a copy grows only by leaves that lead to a tree which its city signed and this city cosigned.

use std::ops::Range;

use tb_base::{NodeId, Result, Timestamp, Violation};
use tb_tlog::{Hash, HashReader, leaf_hash, tree_root};

use crate::log::Ahead;
use crate::log::tree::{Grown, TILE_MAX, beyond, number, read_hashes, tile_positions};
use crate::{Stmt, Tx, Value, owed, params, stmt};

const SIZE: Stmt = stmt(
    "store.mirror.size",
    "
    SELECT size
    FROM store_mirror
    WHERE city = $1
",
);

const FIRST: Stmt = stmt(
    "store.mirror.first",
    "
    INSERT INTO store_mirror (city, size, version, at, tx)
    VALUES ($1, 0, 1, $2, $3)
    ON CONFLICT (city) DO NOTHING
",
);

const GROW: Stmt = stmt(
    "store.mirror.grow",
    "
    UPDATE store_mirror SET size = $3, version = version + 1, at = $4, tx = $5
    WHERE city = $1 AND size = $2
",
);

const LEAF: Stmt = stmt(
    "store.mirror.leaf",
    "
    INSERT INTO store_mirror_leaf (city, position, data)
    VALUES ($1, $2, $3)
",
);

const HASH: Stmt = stmt(
    "store.mirror.hash",
    "
    INSERT INTO store_mirror_hash (city, position, hash)
    VALUES ($1, $2, $3)
",
);

const READ: Stmt = stmt(
    "store.mirror.read",
    "
    SELECT position, hash
    FROM store_mirror_hash
    WHERE city = $17
        AND position IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
",
);

const ENTRIES: Stmt = stmt(
    "store.mirror.entries",
    "
    SELECT data
    FROM store_mirror_leaf
    WHERE city = $1 AND $2 <= position AND position < $3
    ORDER BY position
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[SIZE, FIRST, GROW, LEAF, HASH, READ, ENTRIES];

/// How many leaves of a city's log are held.
pub fn size(tx: &mut Tx<'_>, city: NodeId) -> Result<u64> {
    tx.one(&SIZE, params![city])?.map_or(Ok(0), |row| row.get("size"))
}

/// The root of the copy at that size.
pub fn root(tx: &mut Tx<'_>, city: NodeId, at: u64) -> Result<Hash> {
    within(tx, city, at)?;
    tree_root(at, &mut Copied { tx, city })
}

/// Adds leaves behind the first `start` ones, where they lead to the signed tree; gives the new size.
///
/// Where another process was faster nothing is added, and its size is given.
pub fn extend(
    tx: &mut Tx<'_>,
    now: Timestamp,
    city: NodeId,
    start: u64,
    leaves: &[Vec<u8>],
    ahead: &Ahead,
) -> Result<u64> {
    tx.run(&FIRST, params![city, now, tx.name])?;
    let held = size(tx, city)?;
    if held != start {
        return Ok(held);
    }
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let grown = Grown::of(Copied { tx: &mut *tx, city }, start, &hashes)?;
    ahead.check(&grown)?;
    let moved = params![city, number(start)?, number(grown.size)?, now, tx.name].to_vec();
    if tx.run(&GROW, &moved)? == 0 {
        return Err(Violation::inconsistent("store_mirror", city).into());
    }
    let mut batch = Vec::new();
    for (index, leaf) in (start..).zip(leaves) {
        batch.push((&LEAF, params![city, number(index)?, leaf.clone()].to_vec()));
    }
    for (position, hash) in &grown.hashes {
        batch.push((&HASH, params![city, number(*position)?, *hash].to_vec()));
    }
    tx.run_all(&batch)?;
    owed::paid(tx, city, leaves)?;
    Ok(grown.size)
}

/// The hashes of a tile of the copy, as [`crate::log::tile`] gives them of the own log.
pub fn tile(tx: &mut Tx<'_>, city: NodeId, level: u32, index: u64, width: u64) -> Result<Vec<Hash>> {
    let positions = tile_positions(size(tx, city)?, level, index, width)?;
    Copied { tx, city }.read(&positions)
}

/// The leaves of a range as they were hashed; at most a tile of them.
pub fn entries(tx: &mut Tx<'_>, city: NodeId, range: Range<u64>) -> Result<Vec<Vec<u8>>> {
    within(tx, city, range.end)?;
    let end = range.end.min(range.start.saturating_add(TILE_MAX));
    let rows = tx.all(&ENTRIES, params![city, number(range.start)?, number(end)?])?;
    if rows.len() as u64 != end.saturating_sub(range.start) {
        return Err(Violation::inconsistent("store_mirror_leaf", range.start).into());
    }
    rows.iter().map(|row| row.get("data")).collect()
}

fn within(tx: &mut Tx<'_>, city: NodeId, wanted: u64) -> Result<()> {
    if size(tx, city)? < wanted { Err(beyond().into()) } else { Ok(()) }
}

/// Reads the hashes of a copy.
struct Copied<'t, 'a> {
    tx: &'t mut Tx<'a>,
    city: NodeId,
}

impl HashReader for Copied<'_, '_> {
    fn read(&mut self, positions: &[u64]) -> Result<Vec<Hash>> {
        let city = Value::from(self.city);
        read_hashes(positions, "store_mirror_hash", |places| {
            self.tx.all(&READ, &[places, std::slice::from_ref(&city)].concat())
        })
    }
}
