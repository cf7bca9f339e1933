//! Figures of the store (运行指标): what waits, what failed and how far the log is, each read from an index.

use tb_base::{NodeId, Result, Timestamp};

use crate::{Stmt, Tx, log, params, stmt};

const OUTBOX: Stmt = stmt(
    "store.figures.outbox",
    "
    SELECT recipient, COUNT(*) AS messages, MIN(created) AS since
    FROM store_outbox
    WHERE state = 'waiting'
    GROUP BY recipient
    ORDER BY recipient
",
);

const DEAD: Stmt = stmt(
    "store.figures.dead",
    "
    SELECT COUNT(*) AS messages
    FROM store_dead
    WHERE state = 'open'
",
);

const JOBS_DUE: Stmt = stmt(
    "store.figures.jobs_due",
    "
    SELECT COUNT(*) AS jobs, MIN(due) AS since
    FROM store_job
    WHERE due <= $1
",
);

const JOBS_FAILED: Stmt = stmt(
    "store.figures.jobs_failed",
    "
    SELECT COUNT(*) AS jobs
    FROM store_job
    WHERE 0 < attempts
",
);

const CHECKPOINT: Stmt = stmt(
    "store.figures.checkpoint",
    "
    SELECT size, at
    FROM store_checkpoint
    ORDER BY size DESC
    LIMIT 1
",
);

const UNSIGNED: Stmt = stmt(
    "store.figures.unsigned",
    "
    SELECT at
    FROM store_leaf
    WHERE position = $1
",
);

const WAITING: Stmt = stmt(
    "store.figures.waiting",
    "
    SELECT MIN(at) AS at
    FROM store_leaf
    WHERE position IS NULL
",
);

const WITNESSED: Stmt = stmt(
    "store.figures.witnessed",
    "
    SELECT MAX(size) AS size
    FROM store_cosignature
    WHERE witness = $1
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] =
    &[OUTBOX, DEAD, JOBS_DUE, JOBS_FAILED, CHECKPOINT, UNSIGNED, WAITING, WITNESSED];

/// What waits for one city.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The city.
    pub to: NodeId,
    /// How many messages.
    pub messages: u64,
    /// Since when the oldest waits.
    pub since: Timestamp,
}

/// The figures of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Messages that wait, by city; a city for which none waits is not named.
    pub waiting: Vec<Waiting>,
    /// Messages that were given up and that nobody has seen to yet: open letters.
    pub dead: u64,
    /// Jobs that are due.
    pub jobs_due: u64,
    /// Since when the oldest of them is due.
    pub jobs_due_since: Option<Timestamp>,
    /// Jobs whose last run failed.
    pub jobs_failed: u64,
    /// Leaves of the log that have their index.
    pub log_size: u64,
    /// Leaves that wait for it.
    pub log_waiting: u64,
    /// Size of the newest checkpoint and when it was signed.
    pub checkpoint: Option<(u64, Timestamp)>,
    /// Since when the oldest leaf waits that no checkpoint covers.
    pub unsigned_since: Option<Timestamp>,
}

/// Reads the figures.
pub fn read(tx: &mut Tx<'_>, now: Timestamp) -> Result<Figures> {
    let waiting = tx.all(&OUTBOX, &[])?;
    let waiting = waiting.iter().map(|row| {
        let to: String = row.get("recipient")?;
        Ok(Waiting { to: to.parse()?, messages: row.get("messages")?, since: row.get("since")? })
    });
    let waiting = waiting.collect::<Result<_>>()?;
    let due = tx.one(&JOBS_DUE, params![now])?;
    let (jobs_due, jobs_due_since) = match &due {
        Some(row) => (row.get("jobs")?, row.get("since")?),
        None => (0, None),
    };
    let checkpoint = tx.one(&CHECKPOINT, &[])?;
    let checkpoint = checkpoint.map(|row| Ok::<_, tb_base::Error>((row.get("size")?, row.get("at")?)));
    let checkpoint: Option<(u64, Timestamp)> = checkpoint.transpose()?;
    Ok(Figures {
        waiting,
        dead: count(tx, &DEAD, "messages")?,
        jobs_due,
        jobs_due_since,
        jobs_failed: count(tx, &JOBS_FAILED, "jobs")?,
        log_size: log::size(tx)?,
        log_waiting: log::waiting(tx)?.into(),
        checkpoint,
        unsigned_since: unsigned_since(tx, checkpoint.map_or(0, |(size, _)| size))?,
    })
}

/// Leaves without an index come after those with one, but their times may not.
fn unsigned_since(tx: &mut Tx<'_>, signed: u64) -> Result<Option<Timestamp>> {
    let first = tx
        .one(&UNSIGNED, params![i64::try_from(signed).unwrap_or(i64::MAX)])?
        .map(|row| row.get::<Timestamp>("at"))
        .transpose()?;
    let waiting: Option<Timestamp> = tx.one(&WAITING, &[])?.map(|row| row.get("at")).transpose()?.flatten();
    Ok(first.into_iter().chain(waiting).min())
}

/// How much of the log a witness cosigned.
pub fn witnessed(tx: &mut Tx<'_>, witness: &str) -> Result<u64> {
    let row = tx.one(&WITNESSED, params![witness])?;
    let size: Option<u64> = row.map(|row| row.get("size")).transpose()?.flatten();
    Ok(size.unwrap_or(0))
}

fn count(tx: &mut Tx<'_>, stmt: &Stmt, column: &'static str) -> Result<u64> {
    tx.one(stmt, &[])?.map_or(Ok(0), |row| row.get(column))
}
