//! What this city last heard of another (联络): when, since when not, and how far the other clock is off.

use tb_base::{NodeId, Result, Timestamp};

use crate::{Row, Stmt, Tx, params, stmt};

/// The longest problem that is kept.
const PROBLEM_LETTERS_MAX: usize = 200;

const HEARD: Stmt = stmt(
    "store.contact.heard",
    "
    INSERT INTO store_contact (peer, heard, silent_since, problem, skew_millis, version, at, tx)
    VALUES ($1, $2, NULL, NULL, $3, 1, $2, $4)
    ON CONFLICT (peer) DO UPDATE SET
        heard = excluded.heard, silent_since = NULL, problem = NULL,
        skew_millis = COALESCE(excluded.skew_millis, store_contact.skew_millis),
        version = store_contact.version + 1, at = excluded.at, tx = excluded.tx
    WHERE store_contact.heard IS NULL OR store_contact.heard <= excluded.heard
",
);

const CALLED: Stmt = stmt(
    "store.contact.called",
    "
    INSERT INTO store_contact (peer, heard, silent_since, problem, skew_millis, version, at, tx)
    VALUES ($1, $2, NULL, NULL, NULL, 1, $2, $3)
    ON CONFLICT (peer) DO UPDATE SET
        heard = excluded.heard, version = store_contact.version + 1, at = excluded.at, tx = excluded.tx
    WHERE store_contact.heard IS NULL OR store_contact.heard <= excluded.heard
",
);

const SILENT: Stmt = stmt(
    "store.contact.silent",
    "
    INSERT INTO store_contact (peer, heard, silent_since, problem, skew_millis, version, at, tx)
    VALUES ($1, NULL, $2, $3, NULL, 1, $2, $4)
    ON CONFLICT (peer) DO UPDATE SET
        silent_since = COALESCE(store_contact.silent_since, excluded.silent_since), problem = excluded.problem,
        version = store_contact.version + 1, at = excluded.at, tx = excluded.tx
",
);

const FIND: Stmt = stmt(
    "store.contact.find",
    "
    SELECT heard, silent_since, problem, skew_millis
    FROM store_contact
    WHERE peer = $1
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[HEARD, CALLED, SILENT, FIND];

/// What this city knows of another one's line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// The last authentic sign of life, to half a minute.
    pub heard: Option<Timestamp>,
    /// Since when it does not answer, while it does not.
    pub silent_since: Option<Timestamp>,
    /// What happened instead of an answer.
    pub problem: Option<String>,
    /// By how much its clock is ahead of ours, as it signed its last answer; to a second.
    pub skew_millis: Option<i64>,
}

/// The city called; since when it does not answer stays as it is, for its line may be cut in one direction.
pub fn called(tx: &mut Tx<'_>, now: Timestamp, peer: NodeId) -> Result<()> {
    tx.run(&CALLED, params![peer, now, tx.name]).map(drop)
}

/// The city answered; `skew_millis` is how far its clock is ahead, where that could be told.
pub fn heard(tx: &mut Tx<'_>, now: Timestamp, peer: NodeId, skew_millis: Option<i64>) -> Result<()> {
    tx.run(&HEARD, params![peer, now, skew_millis, tx.name]).map(drop)
}

/// The city did not answer.
pub fn silent(tx: &mut Tx<'_>, now: Timestamp, peer: NodeId, problem: &str) -> Result<()> {
    let problem: String = problem.chars().take(PROBLEM_LETTERS_MAX).collect();
    tx.run(&SILENT, params![peer, now, problem, tx.name]).map(drop)
}

/// What is known of a city; nothing where it was never spoken to.
pub fn find(tx: &mut Tx<'_>, peer: NodeId) -> Result<Contact> {
    tx.one(&FIND, params![peer])?.as_ref().map_or(Ok(Contact::default()), contact_of)
}

fn contact_of(row: &Row) -> Result<Contact> {
    Ok(Contact {
        heard: row.get("heard")?,
        silent_since: row.get("silent_since")?,
        problem: row.get("problem")?,
        skew_millis: row.get("skew_millis")?,
    })
}
