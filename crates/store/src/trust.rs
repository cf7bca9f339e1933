//! Trust lists in force (信任名单) and forks that were seen (分叉证据), as documents.
//!
//! Invariants: a list is written with its leaf and its audit line, once for each number;
//! whoever replaces a key in one city only is found out by the logs of the others.

use tb_base::{Ctx, MessageId, Result, Timestamp, Violation};
use tb_exchange::fork::SignedFork;
use tb_exchange::package::Package;
use tb_exchange::{Leaf, LeafKind};

use crate::outbox::json;
use crate::{Row, Stmt, Tx, audit, log, params, stmt};

/// Forks of one log that are kept; a peer cannot fill the disk by lying often.
pub const FORKS_MAX: u32 = 100;
/// Logs that one look tells of; more than a region has cities.
const LOGS_MAX: u32 = 1_000;

const INSERT: Stmt = stmt(
    "store.trust.insert",
    "
    INSERT INTO store_trust (number, fingerprint, package, leaf, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6)
",
);

const FIND: Stmt = stmt(
    "store.trust.find",
    "
    SELECT number, fingerprint, package, leaf, at
    FROM store_trust
    WHERE number = $1
",
);

const FORKS_OF: Stmt = stmt(
    "store.fork.count",
    "
    SELECT COUNT(*) AS forks
    FROM store_fork
    WHERE origin = $1
",
);

const FORK_INSERT: Stmt = stmt(
    "store.fork.insert",
    "
    INSERT INTO store_fork (id, origin, document, at, tx)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (id) DO NOTHING
",
);

const FORKS: Stmt = stmt(
    "store.fork.all",
    "
    SELECT id, document
    FROM store_fork
    ORDER BY at, id
    LIMIT $1
",
);

const FORK_FIND: Stmt = stmt(
    "store.fork.find",
    "
    SELECT document
    FROM store_fork
    WHERE id = $1
",
);

const FORK_LOGS: Stmt = stmt(
    "store.fork.logs",
    "
    SELECT origin, COUNT(*) AS forks
    FROM store_fork
    GROUP BY origin
    ORDER BY origin
    LIMIT $1
",
);

const FORKS_NEWEST: Stmt = stmt(
    "store.fork.newest",
    "
    SELECT id, document
    FROM store_fork
    WHERE origin = $1
    ORDER BY at DESC, id
    LIMIT $2
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] =
    &[INSERT, FIND, FORKS_OF, FORK_INSERT, FORKS, FORK_FIND, FORK_LOGS, FORKS_NEWEST];

/// A list as it was put in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPackage {
    /// List and contracts.
    pub package: Package,
    /// What people compare.
    pub fingerprint: String,
    /// The hash of its leaf in this node's log.
    pub leaf: [u8; 32],
    /// When.
    pub at: Timestamp,
}

/// Writes down that a list is in force, with leaf and audit line; again is the same as once.
///
/// Another list of the same number is a violation: somebody has signed two.
pub fn put(tx: &mut Tx<'_>, ctx: &Ctx, package: &Package) -> Result<()> {
    let list = &package.trust.list;
    let fingerprint = list.fingerprint()?;
    let number = i64::from(list.version);
    if let Some(known) = find(tx, list.version)? {
        if known.fingerprint == fingerprint {
            return Ok(());
        }
        let detail = two_lists(&known.fingerprint, &fingerprint);
        return Err(Violation::new("inconsistent", "trust-list", detail).into());
    }
    let leaf = Leaf {
        kind: LeafKind::Definition,
        at: ctx.now,
        id: ctx.id(MessageId::new),
        contract: [0; 16],
        content: tb_crypto::sha256(&list.canonical()?),
        base: [0; 32],
        subject: [0; 32],
    };
    let hash = log::append(tx, &leaf)?;
    let text = json("store_trust.package", package)?;
    tx.run(&INSERT, params![number, &fingerprint, text, hash, ctx.now, tx.name])?;
    audit::line(tx, ctx, "trust.install", &format!("trust/{}", list.version), &fingerprint)
}

fn two_lists(one: &str, other: &str) -> String {
    format!("two lists of one number: {one} and {other}")
}

/// The list of that number, if it was put in force here.
pub fn find(tx: &mut Tx<'_>, number: u32) -> Result<Option<KeptPackage>> {
    tx.one(&FIND, params![i64::from(number)])?.map(|row| kept(&row)).transpose()
}

fn kept(row: &Row) -> Result<KeptPackage> {
    Ok(KeptPackage {
        package: row.json("package")?,
        fingerprint: row.get("fingerprint")?,
        leaf: row.get("leaf")?,
        at: row.get("at")?,
    })
}

/// Keeps what the witness saw, unless it is kept or there is enough of this log; says whether it is new.
pub fn put_fork(tx: &mut Tx<'_>, now: Timestamp, origin: &str, seen: &SignedFork) -> Result<bool> {
    let row = tx.one(&FORKS_OF, params![origin])?;
    let count: i64 = row.map(|row| row.get("forks")).transpose()?.unwrap_or(0);
    if i64::from(FORKS_MAX) <= count {
        return Ok(false);
    }
    let (id, text) = (seen.fork.id()?, json("store_fork.document", seen)?);
    Ok(0 < tx.run(&FORK_INSERT, params![id, origin, text, now, tx.name])?)
}

/// What the witness saw, the oldest first, each with its id.
pub fn forks(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<(String, SignedFork)>> {
    let rows = tx.all(&FORKS, params![limit])?;
    rows.iter().map(with_id).collect()
}

/// The document of that id.
pub fn fork(tx: &mut Tx<'_>, id: &str) -> Result<Option<SignedFork>> {
    tx.one(&FORK_FIND, params![id])?.map(|row| row.json("document")).transpose()
}

/// Every log that was seen to have forked, with the number of its documents.
pub fn forked_logs(tx: &mut Tx<'_>) -> Result<Vec<(String, u32)>> {
    let rows = tx.all(&FORK_LOGS, params![LOGS_MAX])?;
    rows.iter().map(|row| Ok((row.get("origin")?, row.get("forks")?))).collect()
}

/// The documents of one log, the newest first, each with its id.
pub fn forks_of(tx: &mut Tx<'_>, origin: &str, limit: u32) -> Result<Vec<(String, SignedFork)>> {
    let rows = tx.all(&FORKS_NEWEST, params![origin, limit])?;
    rows.iter().map(with_id).collect()
}

fn with_id(row: &Row) -> Result<(String, SignedFork)> {
    Ok((row.get("id")?, row.json("document")?))
}
