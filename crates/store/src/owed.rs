//! Leaves that other cities owe (欠叶): what they said they took or answered must stand in their logs.
//!
//! A city that acknowledges a message and leaves it out of its log is found out by its own signed word: the receipt
//! names the leaf, the copy of its log does not hold it.
//! Invariants: a leaf is owed from the transaction in which the other city's word is kept until the copy holds it;
//! it is called missing only when the whole copy was searched for it.

use std::collections::BTreeSet;

use tb_base::{MessageId, NodeId, Result, Timestamp};
use tb_exchange::{Leaf, LeafKind};
use tb_tlog::{Hash, leaf_hash};

use crate::log::TILE_MAX;
use crate::{Row, Stmt, Tx, mirror, params, stmt};

/// A leaf must be in the log within this time (exchange profile: omission is found within five minutes).
pub const OWED_SECONDS_MAX: i64 = 300;
/// Leaves that are looked after at once.
pub const LEAVES_MAX: u32 = 256;
/// Leaves of a copy that one call reads back for those that seem to be missing; the next one goes on.
const LOOKED_BACK_MAX: u64 = 4_096;

const OWE: Stmt = stmt(
    "store.owed.owe",
    "
    INSERT INTO store_owed_leaf (city, message, kind, leaf, since, missing, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, NULL, 1, $5, $6)
    ON CONFLICT (city, message, kind) DO UPDATE SET
        leaf = excluded.leaf, since = excluded.since, version = store_owed_leaf.version + 1, at = excluded.at,
        tx = excluded.tx
    WHERE store_owed_leaf.leaf <> excluded.leaf
",
);

const PAID: Stmt = stmt(
    "store.owed.paid",
    "
    DELETE FROM store_owed_leaf
    WHERE city = $1 AND message = $2 AND kind = $3 AND (leaf IS NULL OR leaf = $4)
",
);

const OVERDUE: Stmt = stmt(
    "store.owed.overdue",
    "
    SELECT city, message, kind, leaf, since, missing
    FROM store_owed_leaf
    WHERE city = $1 AND missing IS NULL AND since < $2
    ORDER BY since, message
    LIMIT $3
",
);

const OPEN: Stmt = stmt(
    "store.owed.open",
    "
    SELECT city
    FROM store_owed_leaf
    WHERE missing IS NULL
    LIMIT 1
",
);

const REPORT: Stmt = stmt(
    "store.owed.report",
    "
    UPDATE store_owed_leaf SET missing = $4, version = version + 1, at = $4, tx = $5
    WHERE city = $1 AND message = $2 AND kind = $3 AND missing IS NULL AND since = $6
",
);

const MISSING: Stmt = stmt(
    "store.owed.missing",
    "
    SELECT city, message, kind, leaf, since, missing
    FROM store_owed_leaf
    WHERE missing IS NOT NULL
    ORDER BY missing DESC, message
    LIMIT $1
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[OWE, PAID, OVERDUE, OPEN, REPORT, MISSING];

/// A leaf that a city owes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The city.
    pub city: NodeId,
    /// What the leaf is about.
    pub message: MessageId,
    /// Received, or answered.
    pub kind: u8,
    /// Its hash, where the city's receipt named it.
    pub leaf: Option<Hash>,
    /// Since when.
    pub since: Timestamp,
    /// When it was found to be missing.
    pub missing: Option<Timestamp>,
}

/// A search through the whole copy of a city's log for what it owes for too long, from its end, part by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// What is searched for. Leaves that the copy gets meanwhile pay as they come.
    owed: Vec<Owed>,
    /// The leaves before this one are not searched yet.
    end: u64,
}

/// What a part of a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// What the whole log does not hold, written down as missing just now.
    pub missing: Vec<Owed>,
    /// What is left to be searched; nothing at the end.
    pub rest: Option<Search>,
}

/// From now on a city owes a leaf.
///
/// A city that was restored before anybody had its leaf takes the message again and names another one: it owes that.
pub fn owe(
    tx: &mut Tx<'_>,
    now: Timestamp,
    city: NodeId,
    message: MessageId,
    kind: LeafKind,
    leaf: Option<Hash>,
) -> Result<()> {
    let kind = i64::from(kind as u8);
    tx.run(&OWE, params![city, message, kind, leaf.map(Vec::from), now, tx.name]).map(drop)
}

/// Leaves of a city's log have come: what they pay is owed no more.
pub(crate) fn paid(tx: &mut Tx<'_>, city: NodeId, leaves: &[Vec<u8>]) -> Result<()> {
    pay(tx, city, leaves, |_| true)
}

fn pay(tx: &mut Tx<'_>, city: NodeId, leaves: &[Vec<u8>], may_be_owed: impl Fn(&Leaf) -> bool) -> Result<()> {
    let mut batch = Vec::new();
    for data in leaves {
        // A leaf of a later form pays nothing that this version knows of.
        let Ok(leaf) = Leaf::decode(data) else { continue };
        if matches!(leaf.kind, LeafKind::Received | LeafKind::Answered) && may_be_owed(&leaf) {
            let kind = i64::from(leaf.kind as u8);
            batch.push((&PAID, params![city, leaf.id, kind, leaf_hash(data).to_vec()].to_vec()));
        }
    }
    tx.run_all(&batch).map(drop)
}

/// Looks after what a city owes for too long; what its whole log does not hold is written down as missing, once.
///
/// A new search is to be begun only when the copy was brought up to what the city showed after `now` minus the limit;
/// what a call leaves over is given to the next one. Nobody is accused before a search has come to its end.
pub fn look_after(tx: &mut Tx<'_>, now: Timestamp, city: NodeId, rest: Option<Search>) -> Result<Looked> {
    let mut search = match rest {
        Some(search) => search,
        None => begin(tx, now, city)?,
    };
    let wanted: BTreeSet<MessageId> = search.owed.iter().map(|owed| owed.message).collect();
    let start = if wanted.is_empty() { search.end } else { search.end.saturating_sub(LOOKED_BACK_MAX) };
    while start < search.end {
        // The leaf may have come before the word that it is owed for: a receipt that was lost and given again.
        let first = search.end.saturating_sub(TILE_MAX).max(start);
        let leaves = mirror::entries(tx, city, first..search.end)?;
        pay(tx, city, &leaves, |leaf| wanted.contains(&leaf.id))?;
        search.end = first;
    }
    if 0 < search.end && is_overdue(tx, now, city)? {
        return Ok(Looked { missing: Vec::new(), rest: Some(search) });
    }
    let mut missing = Vec::new();
    for owed in search.owed {
        // It may be paid by now, or owed anew, or another process may have been faster.
        let kind = i64::from(owed.kind);
        if tx.run(&REPORT, params![city, owed.message, kind, now, tx.name, owed.since])? == 1 {
            missing.push(owed);
        }
    }
    Ok(Looked { missing, rest: None })
}

fn begin(tx: &mut Tx<'_>, now: Timestamp, city: NodeId) -> Result<Search> {
    let rows = tx.all(&OVERDUE, params![city, now.plus_seconds(-OWED_SECONDS_MAX), LEAVES_MAX])?;
    Ok(Search { owed: rows.iter().map(owed_of).collect::<Result<_>>()?, end: mirror::size(tx, city)? })
}

/// Whether a city owes anything for too long that is not written down yet.
pub fn is_overdue(tx: &mut Tx<'_>, now: Timestamp, city: NodeId) -> Result<bool> {
    let before = now.plus_seconds(-OWED_SECONDS_MAX);
    Ok(tx.one(&OVERDUE, params![city, before, 1_u32])?.is_some())
}

/// Whether anything is owed that is neither paid nor written down as missing.
pub fn is_open(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(tx.one(&OPEN, &[])?.is_some())
}

/// What was found to be missing, the newest first.
pub fn missing(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Owed>> {
    tx.all(&MISSING, params![limit.min(LEAVES_MAX)])?.iter().map(owed_of).collect()
}

fn owed_of(row: &Row) -> Result<Owed> {
    Ok(Owed {
        city: row.parse("city")?,
        message: row.parse("message")?,
        kind: row.get("kind")?,
        leaf: row.get("leaf")?,
        since: row.get("since")?,
        missing: row.get("missing")?,
    })
}
