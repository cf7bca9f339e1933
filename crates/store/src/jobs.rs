//! Jobs (后台任务): rows that say what is to be done and when; run at least once, safe to run twice.
//!
//! Invariant: a job that is put again while it runs is not lost when the run ends.

use tb_base::{Result, Timestamp};

use crate::{Row, Stmt, Tx, params, stmt};

/// Jobs that one look takes at the most.
pub const JOBS_MAX: u32 = 256;

const PUT: Stmt = stmt(
    "store.job.put",
    "
    INSERT INTO store_job (kind, key, due, payload, attempts, lease_until, problem, version, tx)
    VALUES ($1, $2, $3, $4, 0, 0, NULL, 1, $5)
    ON CONFLICT (kind, key) DO UPDATE SET
        due = excluded.due, payload = excluded.payload, attempts = 0, lease_until = 0, problem = NULL,
        version = store_job.version + 1, tx = excluded.tx
",
);

const CANCEL: Stmt = stmt(
    "store.job.cancel",
    "
    DELETE FROM store_job
    WHERE kind = $1 AND key = $2
",
);

const DUE: Stmt = stmt(
    "store.job.due",
    "
    SELECT kind, key, due, payload, attempts, version
    FROM store_job
    WHERE due <= $1 AND lease_until <= $1
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
    WHERE due <= $1 AND lease_until <= $1
    ORDER BY due
    LIMIT 1
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[PUT, CANCEL, DUE, LEASE, DONE, RETRY, NEXT, IS_DUE];

/// A job taken by a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What kind of work it is, such as `case.timer`.
    pub kind: String,
    /// What it is about; unique within the kind.
    pub key: String,
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
    tx.run(&PUT, params![kind, key, due, payload.to_string(), tx.name]).map(drop)
}

/// Takes a job out of the queue, if it is there.
pub fn cancel(tx: &mut Tx<'_>, kind: &'static str, key: &str) -> Result<()> {
    tx.run(&CANCEL, params![kind, key]).map(drop)
}

/// Takes jobs that are due; nobody else gets them for `lease_seconds`.
pub fn due(tx: &mut Tx<'_>, now: Timestamp, limit: u32, lease_seconds: i64) -> Result<Vec<Job>> {
    let rows = tx.all(&DUE, params![now, limit.min(JOBS_MAX)])?;
    let jobs: Vec<Job> = rows.iter().map(job_of).collect::<Result<_>>()?;
    let until = now.plus_seconds(lease_seconds);
    let leases: Vec<_> =
        jobs.iter().map(|job| (&LEASE, params![&job.kind, &job.key, until, tx.name].to_vec())).collect();
    tx.run_all(&leases)?;
    Ok(jobs)
}

/// The work is done; call it in the transaction of its effect.
pub fn done(tx: &mut Tx<'_>, job: &Job) -> Result<()> {
    tx.run(&DONE, params![&job.kind, &job.key, job.version]).map(drop)
}

/// The work failed and is tried again at `due`.
pub fn retry(tx: &mut Tx<'_>, job: &Job, due: Timestamp, problem: &str) -> Result<()> {
    tx.run(&RETRY, params![&job.kind, &job.key, job.version, due, problem, tx.name]).map(drop)
}

/// Whether a job is due that nobody has taken: a cheap look before anything is written.
pub fn is_due(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool> {
    Ok(tx.one(&IS_DUE, params![now])?.is_some())
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
        due: row.get("due")?,
        payload: row.json("payload")?,
        attempts: row.get("attempts")?,
        version: row.get("version")?,
    })
}
