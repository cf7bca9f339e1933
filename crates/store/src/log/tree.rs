//! The tree (默克尔树): a single sequencer gives waiting leaves their index; proofs are read from stored hashes.
//!
//! Invariants: only the holder of the newest fencing token may grow the log, by the row lock of one row;
//! indexes have no gaps; a hash once stored never changes.

use std::collections::BTreeMap;
use std::ops::Range;

use tb_base::{Fault, Refusal, Result, Timestamp, Violation};
use tb_tlog::{Hash, HashReader, prove_consistency, prove_inclusion, stored_hashes, stored_index, tree_root};

use crate::{Row, Stmt, Tx, Value, params, stmt};

/// Leaves that one transaction places at the most.
pub const LEAVES_MAX: u32 = 2_048;
/// Entries or hashes that one look gives at the most: a full tile of C2SP tlog-tiles.
pub const TILE_MAX: u64 = 256;
/// Hashes that one statement reads.
const READ_MAX: usize = 16;
/// Height of a tile in levels.
const TILE_LEVELS: u32 = 8;

const STATE: Stmt = stmt(
    "store.log.state",
    "
    SELECT size, fence, holder, lease_until
    FROM store_sequencer
    WHERE id = 1
",
);

const LOCK: Stmt = stmt(
    "store.log.lock",
    "
    SELECT size, fence, holder, lease_until
    FROM store_sequencer
    WHERE id = 1
    FOR UPDATE
",
);

const LEASE: Stmt = stmt(
    "store.log.lease",
    "
    UPDATE store_sequencer SET
        fence = $1, holder = $2, lease_until = $3, version = version + 1, at = $4, tx = $5
    WHERE id = 1
",
);

const GROW: Stmt = stmt(
    "store.log.grow",
    "
    UPDATE store_sequencer SET size = $1, version = version + 1, tx = $4
    WHERE id = 1 AND size = $2 AND fence = $3
",
);

const WAITING: Stmt = stmt(
    "store.log.next",
    "
    SELECT hash
    FROM store_leaf
    WHERE position IS NULL
    ORDER BY at, hash
    LIMIT $1
",
);

const PLACE: Stmt = stmt(
    "store.log.place",
    "
    UPDATE store_leaf SET position = $2, tx = $3
    WHERE hash = $1 AND position IS NULL
",
);

const STORE: Stmt = stmt(
    "store.log.store",
    "
    INSERT INTO store_hash (position, hash)
    VALUES ($1, $2)
",
);

const READ: Stmt = stmt(
    "store.log.read",
    "
    SELECT position, hash
    FROM store_hash
    WHERE position IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
",
);

const INDEX: Stmt = stmt(
    "store.log.index",
    "
    SELECT position
    FROM store_leaf
    WHERE hash = $1
",
);

const ENTRIES: Stmt = stmt(
    "store.log.entries",
    "
    SELECT data, position
    FROM store_leaf
    WHERE $1 <= position AND position < $2
    ORDER BY position
",
);

const KEPT: Stmt = stmt(
    "store.log.kept",
    "
    SELECT hash, data, position
    FROM store_leaf
    WHERE $1 <= position AND position < $2
    ORDER BY position
",
);

const SPAN: Stmt = stmt(
    "store.log.span",
    "
    SELECT position, hash
    FROM store_hash
    WHERE $1 <= position AND position < $2
    ORDER BY position
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] =
    &[STATE, LOCK, LEASE, GROW, WAITING, PLACE, STORE, READ, INDEX, ENTRIES, KEPT, SPAN];

/// The right to grow the log (令牌): a higher number makes every lower one void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence(i64);

/// Takes or renews the right to grow the log; nothing where another holder's lease still runs.
///
/// `holder` names the process; the same holder keeps its token.
pub fn take(tx: &mut Tx<'_>, now: Timestamp, holder: &str, lease_seconds: i64) -> Result<Option<Fence>> {
    let row = state(tx, &LOCK)?;
    let (fence, current, until): (i64, String, Timestamp) =
        (row.get("fence")?, row.get("holder")?, row.get("lease_until")?);
    let is_mine = current == holder;
    if !is_mine && now < until {
        return Ok(None);
    }
    let fence = if is_mine { fence } else { fence + 1 };
    tx.run(&LEASE, params![fence, holder, now.plus_seconds(lease_seconds), now, tx.name])?;
    Ok(Some(Fence(fence)))
}

/// The process that grows the log, while its lease runs.
pub fn holder(tx: &mut Tx<'_>, now: Timestamp) -> Result<Option<String>> {
    let row = state(tx, &STATE)?;
    Ok(if now < row.get("lease_until")? { Some(row.get("holder")?) } else { None })
}

/// Gives the right back, so that another process need not wait for the lease to end.
pub fn release(tx: &mut Tx<'_>, now: Timestamp, fence: Fence) -> Result<()> {
    let row = state(tx, &LOCK)?;
    if row.get::<i64>("fence")? == fence.0 {
        tx.run(&LEASE, params![fence.0, "", now, now, tx.name])?;
    }
    Ok(())
}

/// Gives waiting leaves their indexes, oldest first; gives the range of new indexes, which may be empty.
pub fn sequence(tx: &mut Tx<'_>, fence: Fence, max: u32) -> Result<Range<u64>> {
    let row = state(tx, &LOCK)?;
    if row.get::<i64>("fence")? != fence.0 {
        return Err(fenced_off());
    }
    let start: u64 = row.get("size")?;
    let leaves = tx.all(&WAITING, params![max.min(LEAVES_MAX)])?;
    let end = start + leaves.len() as u64;
    if leaves.is_empty() {
        return Ok(start..end);
    }
    let leaves: Vec<Hash> = leaves.iter().map(|leaf| leaf.get("hash")).collect::<Result<_>>()?;
    let mut batch = Vec::new();
    for (index, hash) in (start..end).zip(&leaves) {
        batch.push((&PLACE, params![*hash, number(index)?, tx.name].to_vec()));
    }
    for (position, hash) in Grown::of(Stored { tx: &mut *tx }, start, &leaves)?.hashes {
        batch.push((&STORE, params![number(position)?, hash].to_vec()));
    }
    tx.run_all(&batch)?;
    grow(tx, fence, start, end)?;
    Ok(start..end)
}

/// Stores the hashes of leaves that have their index already, and moves the size; only for whoever has the right.
pub(super) fn store_grown(tx: &mut Tx<'_>, fence: Fence, start: u64, grown: &Grown) -> Result<()> {
    let row = state(tx, &LOCK)?;
    if row.get::<i64>("fence")? != fence.0 || row.get::<u64>("size")? != start {
        return Err(fenced_off());
    }
    let row = |(position, hash): &(u64, Hash)| Ok((&STORE, params![number(*position)?, *hash].to_vec()));
    tx.run_all(&grown.hashes.iter().map(row).collect::<Result<Vec<_>>>()?)?;
    grow(tx, fence, start, grown.size)
}

fn grow(tx: &mut Tx<'_>, fence: Fence, start: u64, end: u64) -> Result<()> {
    if tx.run(&GROW, params![number(end)?, number(start)?, fence.0, tx.name])? == 0 {
        return Err(fenced_off());
    }
    Ok(())
}

/// What a tree becomes when leaves are added to it; nothing is stored yet.
pub(crate) struct Grown {
    /// Its new size.
    pub(crate) size: u64,
    /// Its new root.
    pub(crate) root: Hash,
    /// The hashes to store, by position.
    pub(crate) hashes: Vec<(u64, Hash)>,
}

impl Grown {
    /// Adds leaves behind the first `start` ones; `stored` reads what the tree has so far.
    pub(crate) fn of(stored: impl HashReader, start: u64, leaves: &[Hash]) -> Result<Grown> {
        let mut hashes = Overlay { stored, known: BTreeMap::new() };
        let mut new = Vec::new();
        for (index, leaf) in (start..).zip(leaves) {
            let first = stored_index(0, index);
            for (position, hash) in (first..).zip(stored_hashes(index, *leaf, &mut hashes)?) {
                hashes.known.insert(position, hash);
                new.push((position, hash));
            }
        }
        let size = start + leaves.len() as u64;
        Ok(Grown { size, root: tree_root(size, &mut hashes)?, hashes: new })
    }
}

/// How many leaves have an index.
pub fn size(tx: &mut Tx<'_>) -> Result<u64> {
    state(tx, &STATE)?.get("size")
}

/// The root of the tree of that size.
pub fn root(tx: &mut Tx<'_>, size: u64) -> Result<Hash> {
    within(tx, size)?;
    tree_root(size, &mut Stored { tx })
}

/// Index and inclusion proof of a leaf in the tree of that size; nothing where the leaf is not in it (yet).
pub fn prove(tx: &mut Tx<'_>, leaf: &Hash, size: u64) -> Result<Option<(u64, Vec<Hash>)>> {
    within(tx, size)?;
    let Some(row) = tx.one(&INDEX, params![*leaf])? else {
        return Ok(None);
    };
    match row.get::<Option<u64>>("position")? {
        Some(index) if index < size => Ok(Some((index, prove_inclusion(index, size, &mut Stored { tx })?))),
        Some(_) | None => Ok(None),
    }
}

/// The proof that the larger tree only added to the smaller.
pub fn consistency(tx: &mut Tx<'_>, from: u64, to: u64) -> Result<Vec<Hash>> {
    within(tx, to)?;
    prove_consistency(from, to, &mut Stored { tx })
}

/// The hashes of a tile: `width` of them at tile level `level`, from number `index * 256` on.
pub fn tile(tx: &mut Tx<'_>, level: u32, index: u64, width: u64) -> Result<Vec<Hash>> {
    let positions = tile_positions(size(tx)?, level, index, width)?;
    Stored { tx }.read(&positions)
}

/// The leaves of a range as they were hashed; at most a tile of them.
pub fn entries(tx: &mut Tx<'_>, range: Range<u64>) -> Result<Vec<Vec<u8>>> {
    within(tx, range.end)?;
    let end = range.end.min(range.start.saturating_add(TILE_MAX));
    let rows = tx.all(&ENTRIES, params![number(range.start)?, number(end)?])?;
    if rows.len() as u64 != end.saturating_sub(range.start) {
        return Err(Violation::inconsistent("store_leaf", range.start).into());
    }
    rows.iter().map(|row| row.get("data")).collect()
}

/// The first leaf of a range that does not hash to what is stored for it, if any: itself or a hash above it.
pub(crate) fn first_damaged(tx: &mut Tx<'_>, range: Range<u64>) -> Result<Option<u64>> {
    let mut start = range.start;
    while start < range.end {
        let end = range.end.min(start + TILE_MAX);
        if let Some(index) = first_damaged_of_tile(tx, start..end)? {
            return Ok(Some(index));
        }
        start = end;
    }
    Ok(None)
}

fn first_damaged_of_tile(tx: &mut Tx<'_>, range: Range<u64>) -> Result<Option<u64>> {
    let leaves = tx.all(&KEPT, params![number(range.start)?, number(range.end)?])?;
    let (first, end) = (stored_index(0, range.start), stored_index(0, range.end));
    let span = tx.all(&SPAN, params![number(first)?, number(end)?])?;
    let known: BTreeMap<u64, Hash> =
        span.iter().map(|row| Ok((row.get("position")?, row.get("hash")?))).collect::<Result<_>>()?;
    let stored = known.clone();
    let mut hashes = Overlay { stored: Stored { tx }, known };
    let mut leaves = leaves.iter();
    for index in range {
        let Some(leaf) = leaves.next() else { return Ok(Some(index)) };
        let hash = tb_tlog::leaf_hash(&leaf.get::<Vec<u8>>("data")?);
        let is_itself = leaf.get::<u64>("position")? == index && leaf.get::<Hash>("hash")? == hash;
        let above = stored_hashes(index, hash, &mut hashes)?;
        let is_stored =
            (stored_index(0, index)..).zip(&above).all(|(at, hash)| stored.get(&at) == Some(hash));
        if !is_itself || !is_stored {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// Reads what is stored.
pub(super) struct Stored<'t, 'a> {
    pub(super) tx: &'t mut Tx<'a>,
}

impl HashReader for Stored<'_, '_> {
    fn read(&mut self, positions: &[u64]) -> Result<Vec<Hash>> {
        read_hashes(positions, "store_hash", |places| self.tx.all(&READ, places))
    }
}

/// Reads hashes by their positions with a statement that takes a fixed number of them.
pub(crate) fn read_hashes(
    positions: &[u64],
    table: &'static str,
    mut all: impl FnMut(&[Value]) -> Result<Vec<Row>>,
) -> Result<Vec<Hash>> {
    let mut found = BTreeMap::new();
    for part in positions.chunks(READ_MAX) {
        // The last position fills the places that are left.
        let numbers: Vec<Value> = part.iter().map(|at| number(*at).map(Value::Int)).collect::<Result<_>>()?;
        let filler = numbers.last().cloned().unwrap_or(Value::Null);
        let places: Vec<Value> =
            numbers.into_iter().chain(std::iter::repeat(filler)).take(READ_MAX).collect();
        for row in all(&places)? {
            found.insert(row.get::<u64>("position")?, row.get::<Hash>("hash")?);
        }
    }
    let read = |at: &u64| found.get(at).copied().ok_or_else(|| Violation::inconsistent(table, at).into());
    positions.iter().map(read).collect()
}

/// The positions of the hashes of a tile, where a log of that size has all of them.
pub(crate) fn tile_positions(size: u64, level: u32, index: u64, width: u64) -> Result<Vec<u64>> {
    let tree_level = level.saturating_mul(TILE_LEVELS);
    let first = index.checked_mul(TILE_MAX);
    let last = first.and_then(|first| first.checked_add(width));
    // The last hash of the tile covers the leaves below this one.
    let covers = last.and_then(|last| last.checked_mul(1_u64.checked_shl(tree_level)?));
    let (Some(first), Some(last), Some(covers)) = (first, last, covers) else {
        return Err(beyond().into());
    };
    if width == 0 || TILE_MAX < width || tree_level >= u64::BITS || size < covers {
        return Err(beyond().into());
    }
    Ok((first..last).map(|n| stored_index(tree_level, n)).collect())
}

/// Reads what is stored and what is about to be.
struct Overlay<R> {
    stored: R,
    known: BTreeMap<u64, Hash>,
}

impl<R: HashReader> HashReader for Overlay<R> {
    fn read(&mut self, positions: &[u64]) -> Result<Vec<Hash>> {
        let missing: Vec<u64> = positions.iter().copied().filter(|at| !self.known.contains_key(at)).collect();
        if !missing.is_empty() {
            let read = self.stored.read(&missing)?;
            self.known.extend(missing.into_iter().zip(read));
        }
        let known = |at: &u64| {
            self.known.get(at).copied().ok_or_else(|| Violation::inconsistent("store_hash", at).into())
        };
        positions.iter().map(known).collect()
    }
}

fn state(tx: &mut Tx<'_>, stmt: &Stmt) -> Result<Row> {
    tx.one(stmt, &[])?.ok_or_else(|| Violation::inconsistent("store_sequencer", 1).into())
}

/// A tree that the log does not have yet cannot be spoken of.
fn within(tx: &mut Tx<'_>, wanted: u64) -> Result<()> {
    if size(tx)? < wanted { Err(beyond().into()) } else { Ok(()) }
}

pub(crate) fn beyond() -> Refusal {
    Refusal::gone("STO-LOG-001", "日志中还没有这一部分", "The log does not hold this part yet")
}

fn fenced_off() -> tb_base::Error {
    Fault::new("sequencing the log: another process has taken over").into()
}

/// A position or size as a column holds it; `tb_tlog` keeps both below the maximum.
pub(crate) fn number(value: u64) -> Result<i64> {
    i64::try_from(value).map_err(|error| Fault::of("numbering the log", error).into())
}
