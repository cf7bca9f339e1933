//! Jobs (后台任务): rows that say what is to be done and when; run at least once, safe to run twice.
//!
//! Invariants: a job that is put again while it runs is not lost when the run ends.
//! The jobs of a line belong to one process at a time, which looks again in each transaction of effect: none overtakes.

use std::collections::BTreeSet;

use tb_base::{Result, Timestamp};

use crate::{Lease, Row, Stmt, Tx, params, stmt};

/// Jobs that one look takes at the most.
pub const JOBS_MAX: u32 = 256;

const PUT: Stmt = stmt(
    "store.job.put",
    "
    INSERT INTO store_job (kind, key, line, due, payload, attempts, lease_until, problem, version, tx)
    VALUES ($1, $2, $3, $4, $5, 0, 0, NULL, 1, $6)
    ON CONFLICT (kind, key) DO UPDATE SET
        line = excluded.line, due = excluded.due, payload = excluded.payload, attempts = 0, lease_until = 0,
        problem = NULL, version = store_job.version + 1, tx = excluded.tx
",
);

const CANCEL: Stmt = stmt(
    "store.job.cancel",
    "
    DELETE FROM store_job
    WHERE kind = $1 AND key = $2
",
);

const LINES: Stmt = stmt(
    "store.job.lines",
    "
    SELECT line
    FROM store_job
    WHERE due <= $1 AND lease_until <= $1 AND line IS NOT NULL AND NOT EXISTS (
        SELECT 1
        FROM store_job_line
        WHERE store_job_line.line = store_job.line AND holder <> $3 AND $1 < store_job_line.lease_until
    )
    ORDER BY due, kind, key
    LIMIT $2
",
);

const HOLDER: Stmt = stmt(
    "store.job.holder",
    "
    SELECT holder
    FROM store_job_line
    WHERE line = $1
",
);

const TAKE_LINE: Stmt = stmt(
    "store.job.take_line",
    "
    INSERT INTO store_job_line (line, holder, lease_until, version, at, tx)
    VALUES ($1, $2, $3, 1, $4, $5)
    ON CONFLICT (line) DO UPDATE SET
        holder = excluded.holder, lease_until = excluded.lease_until, version = store_job_line.version + 1,
        at = excluded.at, tx = excluded.tx
    WHERE store_job_line.holder = excluded.holder OR store_job_line.lease_until <= excluded.at
",
);

const KEEP_LINE: Stmt = stmt(
    "store.job.keep_line",
    "
    UPDATE store_job_line SET lease_until = $3, version = version + 1, at = $4, tx = $5
    WHERE line = $1 AND holder = $2
",
);

const FREE_LINE: Stmt = stmt(
    "store.job.free_line",
    "
    UPDATE store_job SET lease_until = 0
    WHERE line = $1 AND 0 < lease_until
",
);

const DUE: Stmt = stmt(
    "store.job.due",
    "
    SELECT kind, key, line, due, payload, attempts, version
    FROM store_job
    WHERE due <= $1 AND lease_until <= $1 AND (line IS NULL OR EXISTS (
        SELECT 1
        FROM store_job_line
        WHERE store_job_line.line = store_job.line AND holder = $3 AND $1 < store_job_line.lease_until
    ))
    ORDER BY due, kind, key
    LIMIT $2
    FOR UPDATE SKIP LOCKED
",
);

const LEASE: Stmt = stmt(
    "store.job.lease",
    "
    UPDATE store_job SET lease_until = $3, tx = $4
    WHERE kind = $1 AND key = $2
",
);

const DONE: Stmt = stmt(
    "store.job.done",
    "
    DELETE FROM store_job
    WHERE kind = $1 AND key = $2 AND version = $3
",
);

const RETRY: Stmt = stmt(
    "store.job.retry",
    "
    UPDATE store_job SET
        due = $4, attempts = attempts + 1, lease_until = 0, problem = $5, version = version + 1, tx = $6
    WHERE kind = $1 AND key = $2 AND version = $3
",
);

const NEXT: Stmt = stmt(
    "store.job.next",
    "
    SELECT MIN(due) AS due
    FROM store_job
",
);

const IS_DUE: Stmt = stmt(
    "store.job.is_due",
    "
    SELECT due
    FROM store_job
    WHERE due <= $1 AND lease_until <= $1 AND NOT EXISTS (
        SELECT 1
        FROM store_job_line
        WHERE store_job_line.line = store_job.line AND holder <> $2 AND $1 < store_job_line.lease_until
    )
    ORDER BY due
    LIMIT 1
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] =
    &[PUT, CANCEL, LINES, HOLDER, TAKE_LINE, KEEP_LINE, FREE_LINE, DUE, LEASE, DONE, RETRY, NEXT, IS_DUE];

/// A job taken by a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What kind of work it is, such as `case.timer`.
    pub kind: String,
    /// What it is about; unique within the kind.
    pub key: String,
    /// The line that it stands in, where it must not overtake another or be overtaken.
    pub line: Option<String>,
    /// When it was to be done.
    pub due: Timestamp,
    /// What the work needs to know.
    pub payload: serde_json::Value,
    /// How many runs failed so far.
    pub attempts: u32,
    version: i64,
}

/// Enqueues a job under a key; a second one with the same key moves the first instead.
pub fn put(
    tx: &mut Tx<'_>,
    kind: &'static str,
    key: &str,
    due: Timestamp,
    payload: &serde_json::Value,
) -> Result<()> {
    tx.run(&PUT, params![kind, key, None::<&str>, due, payload.to_string(), tx.name]).map(drop)
}

/// The same for a job that is done behind those that are due before it in the same line.
pub fn put_in_line(
    tx: &mut Tx<'_>,
    line: &str,
    kind: &'static str,
    key: &str,
    due: Timestamp,
    payload: &serde_json::Value,
) -> Result<()> {
    tx.run(&PUT, params![kind, key, line, due, payload.to_string(), tx.name]).map(drop)
}

/// Takes a job out of the queue, if it is there.
pub fn cancel(tx: &mut Tx<'_>, kind: &'static str, key: &str) -> Result<()> {
    tx.run(&CANCEL, params![kind, key]).map(drop)
}

/// Takes jobs that are due, with the lines that they stand in; nobody else gets them for the lease.
///
/// Lines come first, and in their order: whoever locked jobs before it has their line could wait for another for ever.
pub fn due(tx: &mut Tx<'_>, now: Timestamp, limit: u32, lease: Lease<'_>) -> Result<Vec<Job>> {
    let limit = limit.min(JOBS_MAX);
    let rows = tx.all(&LINES, params![now, limit, lease.holder])?;
    let lines: BTreeSet<String> = rows.iter().map(|row| row.get("line")).collect::<Result<_>>()?;
    for line in &lines {
        take_line(tx, now, line, lease)?;
    }
    let rows = tx.all(&DUE, params![now, limit, lease.holder])?;
    let jobs: Vec<Job> = rows.iter().map(job_of).collect::<Result<_>>()?;
    let until = now.plus_seconds(lease.seconds);
    let leases: Vec<_> =
        jobs.iter().map(|job| (&LEASE, params![&job.kind, &job.key, until, tx.name].to_vec())).collect();
    tx.run_all(&leases)?;
    Ok(jobs)
}

/// A line that changes hands begins with what its holder before had taken and not done.
fn take_line(tx: &mut Tx<'_>, now: Timestamp, line: &str, lease: Lease<'_>) -> Result<()> {
    let holder: Option<String> = tx.one(&HOLDER, params![line])?.map(|row| row.get("holder")).transpose()?;
    let until = now.plus_seconds(lease.seconds);
    let is_taken = tx.run(&TAKE_LINE, params![line, lease.holder, until, now, tx.name])? == 1;
    if is_taken && holder.is_some_and(|holder| holder != lease.holder) {
        tx.run(&FREE_LINE, params![line])?;
    }
    Ok(())
}

/// Keeps a line for the time of the lease; false where another process has it now, and with it the jobs.
///
/// Call it in the transaction of the effect of each job in a line.
pub fn keep_line(tx: &mut Tx<'_>, now: Timestamp, line: &str, lease: Lease<'_>) -> Result<bool> {
    let until = now.plus_seconds(lease.seconds);
    Ok(tx.run(&KEEP_LINE, params![line, lease.holder, until, now, tx.name])? == 1)
}

/// The work is done; call it in the transaction of its effect.
pub fn done(tx: &mut Tx<'_>, job: &Job) -> Result<()> {
    tx.run(&DONE, params![&job.kind, &job.key, job.version]).map(drop)
}

/// The work failed and is tried again at `due`.
pub fn retry(tx: &mut Tx<'_>, job: &Job, due: Timestamp, problem: &str) -> Result<()> {
    tx.run(&RETRY, params![&job.kind, &job.key, job.version, due, problem, tx.name]).map(drop)
}

/// Whether a job is due that this holder may take: a cheap look before anything is written.
pub fn is_due(tx: &mut Tx<'_>, now: Timestamp, holder: &str) -> Result<bool> {
    Ok(tx.one(&IS_DUE, params![now, holder])?.is_some())
}

/// When the next job is due, if any waits.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>> {
    match tx.one(&NEXT, &[])? {
        Some(row) => row.get("due"),
        None => Ok(None),
    }
}

fn job_of(row: &Row) -> Result<Job> {
    Ok(Job {
        kind: row.get("kind")?,
        key: row.get("key")?,
        line: row.get("line")?,
        due: row.get("due")?,
        payload: row.json("payload")?,
        attempts: row.get("attempts")?,
        version: row.get("version")?,
    })
}
