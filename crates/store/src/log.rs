//! The node's log at rest (日志): leaves wait for the sequencer, then have an index for ever.
//!
//! Invariant: a leaf is written in the transaction of its cause; an index is given once and never again.

pub(crate) mod adopt;
pub(crate) mod checkpoint;
pub(crate) mod lag;
pub(crate) mod tree;

pub use adopt::{Ahead, adopt};
pub use checkpoint::{
    KeptCheckpoint, WitnessState, add_cosignature, checkpoint, cosigned_by, latest, latest_cosigned,
    put_checkpoint, put_witness_state, witness_state,
};
pub use lag::{Cosigned, cosigned_last, signed_after, waiting_since};
pub use tree::{
    Fence, LEAVES_MAX, TILE_MAX, consistency, entries, holder, prove, release, root, sequence, size, take,
    tile,
};

use tb_base::{Ctx, MessageId, Result, Timestamp};
use tb_exchange::{Leaf, LeafKind};

use crate::{Row, Stmt, Tx, params, stmt};

/// Salt and subject of a leaf that concerns a person.
pub(crate) type Salt = Option<([u8; 16], Vec<u8>)>;

const INSERT: Stmt = stmt(
    "store.log.insert",
    "
    INSERT INTO store_leaf (hash, data, kind, message, position, at, tx)
    VALUES ($1, $2, $3, $4, NULL, $5, $6)
    ON CONFLICT (hash) DO NOTHING
",
);

const INSERT_SALT: Stmt = stmt(
    "store.log.insert_salt",
    "
    INSERT INTO store_subject_salt (leaf, subject, salt, at, tx)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (leaf) DO NOTHING
",
);

const SALT: Stmt = stmt(
    "store.log.salt",
    "
    SELECT salt
    FROM store_subject_salt
    WHERE leaf = $1
",
);

const FORGET: Stmt = stmt(
    "store.log.forget",
    "
    DELETE FROM store_subject_salt
    WHERE subject = $1
",
);

const LEAF: Stmt = stmt(
    "store.log.leaf",
    "
    SELECT hash, data, position
    FROM store_leaf
    WHERE hash = $1
",
);

const OF_MESSAGE: Stmt = stmt(
    "store.log.of_message",
    "
    SELECT hash, data, position
    FROM store_leaf
    WHERE message = $1
    ORDER BY kind, at, hash
",
);

const WAITING: Stmt = stmt(
    "store.log.waiting",
    "
    SELECT COUNT(*) AS leaves
    FROM store_leaf
    WHERE position IS NULL
",
);

const KINDS: Stmt = stmt(
    "store.log.kinds",
    "
    SELECT kind, COUNT(*) AS leaves
    FROM store_leaf
    WHERE $1 <= position
    GROUP BY kind
    ORDER BY kind
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[KINDS, INSERT, INSERT_SALT, SALT, FORGET, LEAF, OF_MESSAGE, WAITING];

/// A leaf as the log holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLeaf {
    /// Its hash.
    pub hash: [u8; 32],
    /// What it says.
    pub leaf: Leaf,
    /// Its place in the log, once the sequencer gave it one.
    pub index: Option<u64>,
}

/// Appends a leaf in the transaction of its cause; gives the leaf hash. The index follows.
pub fn append(tx: &mut Tx<'_>, leaf: &Leaf) -> Result<[u8; 32]> {
    append_salted(tx, leaf, None)?;
    Ok(hash_of(leaf))
}

/// Appends a leaf that concerns a person: draws a salt, commits to the subject and keeps the salt apart.
pub fn append_about(tx: &mut Tx<'_>, ctx: &Ctx, leaf: Leaf, subject: Option<&[u8]>) -> Result<[u8; 32]> {
    let (leaf, salt) = salted(ctx, leaf, subject);
    append_salted(tx, &leaf, salt)?;
    Ok(hash_of(&leaf))
}

/// The hash that proofs are about.
pub fn hash_of(leaf: &Leaf) -> [u8; 32] {
    tb_tlog::leaf_hash(&leaf.encode())
}

/// The salt that ties a leaf to its subject, unless it was deleted.
pub fn salt(tx: &mut Tx<'_>, leaf: &[u8; 32]) -> Result<Option<[u8; 16]>> {
    tx.one(&SALT, params![*leaf])?.map(|row| row.get("salt")).transpose()
}

/// Deletes the salts of a subject: its leaves stay in the log and can never be tied to the person again.
pub fn forget(tx: &mut Tx<'_>, subject: &[u8]) -> Result<u64> {
    tx.run(&FORGET, params![subject])
}

/// One leaf by its hash.
pub fn find(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<KeptLeaf>> {
    tx.one(&LEAF, params![*hash])?.as_ref().map(kept_of).transpose()
}

/// All leaves about one message, case, licence or look.
pub fn of_message(tx: &mut Tx<'_>, id: MessageId) -> Result<Vec<KeptLeaf>> {
    tx.all(&OF_MESSAGE, params![id])?.iter().map(kept_of).collect()
}

/// How many leaves wait for their index.
pub fn waiting(tx: &mut Tx<'_>) -> Result<u32> {
    match tx.one(&WAITING, &[])? {
        Some(row) => row.get("leaves"),
        None => Ok(0),
    }
}

/// How many leaves of each kind stand from an index on.
pub fn kinds_from(tx: &mut Tx<'_>, start: u64) -> Result<Vec<(LeafKind, u64)>> {
    let rows = tx.all(&KINDS, params![tree::number(start)?])?;
    let count = |row: &Row| {
        let kind = LeafKind::from_byte(row.get("kind")?);
        let kind = kind.ok_or_else(|| tb_base::Violation::inconsistent("store_leaf", start))?;
        Ok((kind, row.get("leaves")?))
    };
    rows.iter().map(count).collect()
}

/// The leaf with its commitment, and what must be kept with it.
pub(crate) fn salted(ctx: &Ctx, mut leaf: Leaf, subject: Option<&[u8]>) -> (Leaf, Salt) {
    let Some(subject) = subject else {
        return (leaf, None);
    };
    let salt = ctx.random();
    leaf.subject = tb_crypto::sha256(&[&salt[..], subject].concat());
    (leaf, Some((salt, subject.to_vec())))
}

pub(crate) fn append_salted(tx: &mut Tx<'_>, leaf: &Leaf, salt: Salt) -> Result<()> {
    let (hash, at): ([u8; 32], Timestamp) = (hash_of(leaf), leaf.at);
    let kind: LeafKind = leaf.kind;
    let mut batch = vec![(&INSERT, params![hash, leaf.encode(), kind as u8, leaf.id, at, tx.name].to_vec())];
    if let Some((salt, subject)) = salt {
        batch.push((&INSERT_SALT, params![hash, subject, salt, at, tx.name].to_vec()));
    }
    tx.run_all(&batch)
}

fn kept_of(row: &Row) -> Result<KeptLeaf> {
    let data: Vec<u8> = row.get("data")?;
    Ok(KeptLeaf { hash: row.get("hash")?, leaf: Leaf::decode(&data)?, index: row.get("position")? })
}
