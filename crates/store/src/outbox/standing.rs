//! How the line to one city stands (线路状况): what waits, since when, and what went last.
//!
//! Every statement reads an index and stops at [`COUNT_MAX`]: the figures cost the same with a million messages.

use tb_base::{MessageId, NodeId, Result, Timestamp};

use crate::{Stmt, Tx, params, stmt};

/// Counts go no further; a page then says that there are more.
pub const COUNT_MAX: u32 = 10_000;

const WAITING: Stmt = stmt(
    "store.outbox.count_waiting",
    "
    SELECT COUNT(*) AS messages, MIN(created) AS since
    FROM (
        SELECT created
        FROM store_outbox
        WHERE recipient = $1 AND state = 'waiting'
        ORDER BY created
        LIMIT $2
    ) AS waiting
",
);

const OLDEST: Stmt = stmt(
    "store.outbox.oldest_waiting",
    "
    SELECT id, attempts, problem
    FROM store_outbox
    WHERE recipient = $1 AND state = 'waiting'
    ORDER BY created
    LIMIT 1
",
);

const NEWEST: Stmt = stmt(
    "store.outbox.newest",
    "
    SELECT id, created
    FROM store_outbox
    WHERE recipient = $1
    ORDER BY created DESC
    LIMIT 1
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[WAITING, OLDEST, NEWEST];

/// How the line to one city stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many messages wait, up to [`COUNT_MAX`].
    pub waiting: u32,
    /// Since when the oldest of them is here.
    pub since: Option<Timestamp>,
    /// How often the oldest was tried in vain.
    pub failures: u32,
    /// Why its last try failed.
    pub problem: Option<String>,
    /// The newest message, sent or waiting, and since when it is here.
    pub newest: Option<(MessageId, Timestamp)>,
}

/// How the line to a city stands.
pub fn standing(tx: &mut Tx<'_>, to: NodeId) -> Result<Standing> {
    let (waiting, since) = match tx.one(&WAITING, params![to, COUNT_MAX])? {
        Some(row) => (row.get("messages")?, row.get("since")?),
        None => (0, None),
    };
    let (failures, problem) = match tx.one(&OLDEST, params![to])? {
        Some(row) => (row.get("attempts")?, row.get("problem")?),
        None => (0, None),
    };
    let newest = tx.one(&NEWEST, params![to])?;
    let newest = newest.map(|row| Ok::<_, tb_base::Error>((row.parse("id")?, row.get("created")?)));
    Ok(Standing { waiting, since, failures, problem, newest: newest.transpose()? })
}
