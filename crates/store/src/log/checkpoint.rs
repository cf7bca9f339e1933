//! Checkpoints (检查点) with the cosignatures of witnesses, and what this node cosigned as a witness.
//!
//! Invariants: checkpoints of one log grow; one size has one root for ever.
//! A witness state moves from the size that was read, or not at all.

use tb_base::{Refusal, Result, Timestamp, Violation};
use tb_tlog::Hash;

use super::tree::number;
use crate::{Row, Stmt, Tx, params, stmt};

const PUT: Stmt = stmt(
    "store.checkpoint.put",
    "
    INSERT INTO store_checkpoint (size, root, note, version, at, tx)
    VALUES ($1, $2, $3, 1, $4, $5)
    ON CONFLICT (size) DO UPDATE SET
        note = excluded.note, version = store_checkpoint.version + 1, at = excluded.at, tx = excluded.tx
    WHERE store_checkpoint.root = excluded.root
",
);

const LATEST: Stmt = stmt(
    "store.checkpoint.latest",
    "
    SELECT size, root, note, at
    FROM store_checkpoint
    ORDER BY size DESC
    LIMIT 1
",
);

const AT_SIZE: Stmt = stmt(
    "store.checkpoint.at_size",
    "
    SELECT size, root, note, at
    FROM store_checkpoint
    WHERE size = $1
",
);

const COSIGNED: Stmt = stmt(
    "store.checkpoint.cosigned",
    "
    SELECT size, root, note, at
    FROM store_checkpoint
    WHERE $1 <= (SELECT COUNT(*) FROM store_cosignature WHERE store_cosignature.size = store_checkpoint.size)
    ORDER BY size DESC
    LIMIT 1
",
);

const COSIGNED_BY: Stmt = stmt(
    "store.checkpoint.cosigned_by",
    "
    SELECT store_checkpoint.size, store_checkpoint.root, store_checkpoint.note, store_checkpoint.at
    FROM store_cosignature
    JOIN store_checkpoint ON store_checkpoint.size = store_cosignature.size
    WHERE store_cosignature.witness = $1
    ORDER BY store_cosignature.size DESC
    LIMIT 1
",
);

const ADD: Stmt = stmt(
    "store.checkpoint.add_cosignature",
    "
    INSERT INTO store_cosignature (size, witness, line, version, at, tx)
    VALUES ($1, $2, $3, 1, $4, $5)
    ON CONFLICT (size, witness) DO UPDATE SET
        line = excluded.line, version = store_cosignature.version + 1, at = excluded.at, tx = excluded.tx
",
);

const COSIGNATURES: Stmt = stmt(
    "store.checkpoint.cosignatures",
    "
    SELECT witness, line
    FROM store_cosignature
    WHERE size = $1
    ORDER BY witness
",
);

const WITNESS: Stmt = stmt(
    "store.witness.find",
    "
    SELECT origin, size, root, note, at
    FROM store_witness
    WHERE origin = $1
",
);

const WITNESS_FIRST: Stmt = stmt(
    "store.witness.first",
    "
    INSERT INTO store_witness (origin, size, root, note, version, at, tx)
    VALUES ($1, $2, $3, $4, 1, $5, $6)
    ON CONFLICT (origin) DO NOTHING
",
);

const WITNESS_MOVE: Stmt = stmt(
    "store.witness.move",
    "
    UPDATE store_witness SET size = $3, root = $4, note = $5, version = version + 1, at = $6, tx = $7
    WHERE origin = $1 AND size = $2 AND size <= $3
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] =
    &[PUT, LATEST, AT_SIZE, COSIGNED, COSIGNED_BY, ADD, COSIGNATURES, WITNESS, WITNESS_FIRST, WITNESS_MOVE];

/// A signed checkpoint of this node's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCheckpoint {
    /// Size of the tree.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// The signed note, without cosignatures.
    pub note: String,
    /// When it was signed last.
    pub at: Timestamp,
    /// Signature line by witness.
    pub cosignatures: Vec<(String, String)>,
}

impl KeptCheckpoint {
    /// The note with the lines of the witnesses below it.
    pub fn cosigned_note(&self) -> String {
        let lines = self.cosignatures.iter().map(|(_, line)| format!("{}\n", line.trim_end_matches('\n')));
        std::iter::once(self.note.clone()).chain(lines).collect()
    }
}

/// What this node cosigned last of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessState {
    /// The origin line of the log.
    pub origin: String,
    /// Size of the tree.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// The checkpoint with our cosignature.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

/// Keeps a signed checkpoint. A smaller size or another root for the same size would be a fork: a violation.
pub fn put_checkpoint(tx: &mut Tx<'_>, now: Timestamp, size: u64, root: &Hash, note: &str) -> Result<()> {
    let latest = tx.one(&LATEST, &[])?;
    let latest: u64 = latest.map_or(Ok(0), |row| row.get("size"))?;
    if size < latest {
        return Err(Violation::new("fork", "checkpoint", format!("size {size} follows size {latest}")).into());
    }
    if tx.run(&PUT, params![number(size)?, *root, note, now, tx.name])? == 0 {
        return Err(
            Violation::new("fork", "checkpoint", format!("size {size} has another root already")).into()
        );
    }
    Ok(())
}

/// Keeps the cosignature line of a witness; a later one of the same witness replaces it.
pub fn add_cosignature(tx: &mut Tx<'_>, now: Timestamp, size: u64, witness: &str, line: &str) -> Result<()> {
    tx.run(&ADD, params![number(size)?, witness, line, now, tx.name]).map(drop)
}

/// The newest checkpoint.
pub fn latest(tx: &mut Tx<'_>) -> Result<Option<KeptCheckpoint>> {
    let row = tx.one(&LATEST, &[])?;
    checkpoint_of(tx, row)
}

/// The checkpoint of that size.
pub fn checkpoint(tx: &mut Tx<'_>, size: u64) -> Result<Option<KeptCheckpoint>> {
    let row = tx.one(&AT_SIZE, params![number(size)?])?;
    checkpoint_of(tx, row)
}

/// The newest checkpoint that so many witnesses cosigned.
pub fn latest_cosigned(tx: &mut Tx<'_>, witnesses_min: u32) -> Result<Option<KeptCheckpoint>> {
    let row = tx.one(&COSIGNED, params![witnesses_min])?;
    checkpoint_of(tx, row)
}

/// The newest checkpoint that a witness cosigned, with the lines of all.
pub fn cosigned_by(tx: &mut Tx<'_>, witness: &str) -> Result<Option<KeptCheckpoint>> {
    let row = tx.one(&COSIGNED_BY, params![witness])?;
    checkpoint_of(tx, row)
}

/// What this node cosigned last of that log.
pub fn witness_state(tx: &mut Tx<'_>, origin: &str) -> Result<Option<WitnessState>> {
    tx.one(&WITNESS, params![origin])?.as_ref().map(state_of).transpose()
}

/// Moves the witness state from the size that the decision was made on; refuses where it has moved meanwhile.
pub fn put_witness_state(tx: &mut Tx<'_>, from: Option<u64>, state: &WitnessState) -> Result<()> {
    let size = number(state.size)?;
    let moved = match from {
        None => {
            tx.run(&WITNESS_FIRST, params![&state.origin, size, state.root, &state.note, state.at, tx.name])
        }
        Some(from) => {
            let from = number(from)?;
            tx.run(
                &WITNESS_MOVE,
                params![&state.origin, from, size, state.root, &state.note, state.at, tx.name],
            )
        }
    }?;
    if moved == 0 {
        return Err(Refusal::conflict(
            "STO-WIT-001",
            "见证状态已被更新，请按最新检查点重试",
            "The state of the witness has moved; try again from the newest checkpoint",
        )
        .into());
    }
    Ok(())
}

fn checkpoint_of(tx: &mut Tx<'_>, row: Option<Row>) -> Result<Option<KeptCheckpoint>> {
    let Some(row) = row else {
        return Ok(None);
    };
    let size: u64 = row.get("size")?;
    let lines = tx.all(&COSIGNATURES, params![number(size)?])?;
    let cosignatures =
        lines.iter().map(|line| Ok((line.get("witness")?, line.get("line")?))).collect::<Result<_>>()?;
    Ok(Some(KeptCheckpoint {
        size,
        root: row.get("root")?,
        note: row.get("note")?,
        at: row.get("at")?,
        cosignatures,
    }))
}

fn state_of(row: &Row) -> Result<WitnessState> {
    Ok(WitnessState {
        origin: row.get("origin")?,
        size: row.get("size")?,
        root: row.get("root")?,
        note: row.get("note")?,
        at: row.get("at")?,
    })
}
