//! The processes of a city (进程): who lives, and that the database takes writes.
//!
//! Invariant: a row is nobody's right to anything; leases are elsewhere, and this only tells people.

use tb_base::{Result, Timestamp};

use crate::{Stmt, Tx, params, stmt};

/// A process that was not seen for so long is forgotten.
const FORGET_SECONDS: i64 = 3_600;

const BEAT: Stmt = stmt(
    "store.process.beat",
    "
    INSERT INTO store_process (id, duty, program, started, seen, tx)
    VALUES ($1, $2, $3, $4, $4, $5)
    ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, tx = excluded.tx
",
);

const FORGET: Stmt = stmt(
    "store.process.forget",
    "
    DELETE FROM store_process
    WHERE seen < $1
",
);

const LEAVE: Stmt = stmt(
    "store.process.leave",
    "
    DELETE FROM store_process
    WHERE id = $1
",
);

const SEEN: Stmt = stmt(
    "store.process.seen",
    "
    SELECT id, duty, program, started, seen
    FROM store_process
    WHERE $1 <= seen
    ORDER BY started, id
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[BEAT, FORGET, LEAVE, SEEN];

/// A process that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Names it, as leases do.
    pub id: String,
    /// What it does.
    pub duty: String,
    /// The version of its program.
    pub program: String,
    /// Since when.
    pub started: Timestamp,
    /// When it was seen last.
    pub seen: Timestamp,
}

/// A process says that it lives.
pub fn beat(tx: &mut Tx<'_>, now: Timestamp, id: &str, duty: &str, program: &str) -> Result<()> {
    tx.run(&FORGET, params![now.plus_seconds(-FORGET_SECONDS)])?;
    tx.run(&BEAT, params![id, duty, program, now, tx.name]).map(drop)
}

/// A process ends.
pub fn leave(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    tx.run(&LEAVE, params![id]).map(drop)
}

/// The processes that were seen since a moment.
pub fn seen(tx: &mut Tx<'_>, since: Timestamp) -> Result<Vec<Process>> {
    let rows = tx.all(&SEEN, params![since])?;
    let process = |row: &crate::Row| {
        Ok(Process {
            id: row.get("id")?,
            duty: row.get("duty")?,
            program: row.get("program")?,
            started: row.get("started")?,
            seen: row.get("seen")?,
        })
    };
    rows.iter().map(process).collect()
}
