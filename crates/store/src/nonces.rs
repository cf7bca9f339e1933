//! The nonces of the last minutes (防重放窗口): each counts once for its sender, across restarts and processes.
//!
//! That a message takes effect once is held by the inbox; a nonce only tells a retry, which is signed anew, from
//! bytes that somebody copied.
//! Invariant: a nonce is taken in the transaction that takes its message, or not at all.

use tb_base::{NodeId, Result, Timestamp};

use crate::{Stmt, Tx, params, stmt};

const TAKE: Stmt = stmt(
    "store.nonce.take",
    "
    INSERT INTO store_nonce (sender, nonce, until, tx)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (sender, nonce) DO UPDATE SET until = excluded.until, tx = excluded.tx
    WHERE store_nonce.until < $5
",
);

const FORGET: Stmt = stmt(
    "store.nonce.forget",
    "
    DELETE FROM store_nonce
    WHERE until < $1
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[TAKE, FORGET];

/// Takes a nonce until a moment; false where it was used and still counts.
pub fn take(tx: &mut Tx<'_>, now: Timestamp, from: NodeId, nonce: &str, until: Timestamp) -> Result<bool> {
    Ok(tx.run(&TAKE, params![from, nonce, until, tx.name, now])? == 1)
}

/// Drops the nonces that count no more; gives how many.
pub fn forget(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64> {
    tx.run(&FORGET, params![now])
}
