//! The mark of a restored store (恢复标记): until its city has asked the others, it signs nothing.
//!
//! Invariant: the mark is written in the step that brings the data back, and goes only when recovery is complete.

use tb_base::{NodeId, Refusal, Result, Timestamp};

use crate::{Stmt, Tx, params, stmt};

const MARK: Stmt = stmt(
    "store.restored.mark",
    "
    INSERT INTO store_restored (archive, taken, size, finished, version, at, tx)
    VALUES ($1, $2, $3, NULL, 1, $4, $5)
    ON CONFLICT (archive) DO UPDATE SET
        finished = NULL, version = store_restored.version + 1, at = excluded.at, tx = excluded.tx
",
);

const PENDING: Stmt = stmt(
    "store.restored.pending",
    "
    SELECT archive, taken, size, at
    FROM store_restored
    WHERE finished IS NULL
    ORDER BY taken, archive
    LIMIT 1
",
);

const WITHOUT: Stmt = stmt(
    "store.restored.without",
    "
    SELECT DISTINCT store_restored_without.city AS city
    FROM store_restored_without
    JOIN store_restored ON store_restored.archive = store_restored_without.archive
    WHERE store_restored.finished IS NULL
    ORDER BY city
",
);

const GO_WITHOUT: Stmt = stmt(
    "store.restored.go_without",
    "
    INSERT INTO store_restored_without (archive, city, at, tx)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (archive, city) DO NOTHING
",
);

const FINISH: Stmt = stmt(
    "store.restored.finish",
    "
    UPDATE store_restored SET finished = $1, version = version + 1, at = $1, tx = $2
    WHERE finished IS NULL
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[MARK, PENDING, WITHOUT, GO_WITHOUT, FINISH];

/// A restoration that the other cities have not completed yet (待恢复).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// SHA-256 of the archive, in hex.
    pub archive: String,
    /// When the backup was taken, by this city's clock.
    pub taken: Timestamp,
    /// The size of the log in it.
    pub size: u64,
    /// When it was brought back.
    pub at: Timestamp,
    /// The cities that an operator decided not to wait for.
    pub without: Vec<NodeId>,
}

/// Marks the store as restored.
pub(crate) fn mark(
    tx: &mut Tx<'_>,
    now: Timestamp,
    archive: &str,
    taken: Timestamp,
    size: i64,
) -> Result<()> {
    tx.run(&MARK, params![archive, taken, size, now, tx.name]).map(drop)
}

/// The restoration that is not complete; of several the one that goes back furthest.
pub fn pending(tx: &mut Tx<'_>) -> Result<Option<Restored>> {
    let Some(row) = tx.one(&PENDING, &[])? else { return Ok(None) };
    let without = tx.all(&WITHOUT, &[])?;
    Ok(Some(Restored {
        archive: row.get("archive")?,
        taken: row.get("taken")?,
        size: row.get("size")?,
        at: row.get("at")?,
        without: without.iter().map(|row| row.parse("city")).collect::<Result<_>>()?,
    }))
}

/// An operator decides not to wait for a city; refused where nothing is being restored.
pub fn go_without(tx: &mut Tx<'_>, now: Timestamp, city: NodeId) -> Result<()> {
    let Some(restored) = pending(tx)? else {
        let refusal = Refusal::not_now(
            "STO-RES-001",
            "该库没有待完成的恢复",
            "No restoration of this store waits for anybody",
        );
        return Err(refusal.but("无需任何操作", "Nothing is to be done").into());
    };
    tx.run(&GO_WITHOUT, params![restored.archive, city, now, tx.name]).map(drop)
}

/// The restoration is complete: what peers held is here.
pub fn finish(tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
    tx.run(&FINISH, params![now, tx.name]).map(drop)
}
