//! How far log and witnesses are behind (滞后): each figure is one look into an index.

use tb_base::{Result, Timestamp};

use super::tree::number;
use crate::{Stmt, Tx, params, stmt};

const WAITING_SINCE: Stmt = stmt(
    "store.log.waiting_since",
    "
    SELECT MIN(at) AS since
    FROM store_leaf
    WHERE position IS NULL
",
);

const COSIGNED_LAST: Stmt = stmt(
    "store.log.cosigned_last",
    "
    SELECT size, at
    FROM store_cosignature
    WHERE witness = $1
    ORDER BY size DESC
    LIMIT 1
",
);

const SIGNED_AFTER: Stmt = stmt(
    "store.log.signed_after",
    "
    SELECT at
    FROM store_checkpoint
    WHERE $1 < size
    ORDER BY size
    LIMIT 1
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[WAITING_SINCE, COSIGNED_LAST, SIGNED_AFTER];

/// What a witness cosigned last of this city's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The size.
    pub size: u64,
    /// When its line came.
    pub at: Timestamp,
}

/// Since when the oldest leaf waits for its index.
pub fn waiting_since(tx: &mut Tx<'_>) -> Result<Option<Timestamp>> {
    match tx.one(&WAITING_SINCE, &[])? {
        Some(row) => row.get("since"),
        None => Ok(None),
    }
}

/// What a witness cosigned last.
pub fn cosigned_last(tx: &mut Tx<'_>, witness: &str) -> Result<Option<Cosigned>> {
    let row = tx.one(&COSIGNED_LAST, params![witness])?;
    row.map(|row| Ok(Cosigned { size: row.get("size")?, at: row.get("at")? })).transpose()
}

/// When the first checkpoint beyond that size was signed: since then a witness that stopped there is behind.
pub fn signed_after(tx: &mut Tx<'_>, size: u64) -> Result<Option<Timestamp>> {
    tx.one(&SIGNED_AFTER, params![number(size)?])?.map(|row| row.get("at")).transpose()
}
