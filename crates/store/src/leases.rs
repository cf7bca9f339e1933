//! Leases (租约): who holds what it took, and what becomes of it when that process is gone.

use tb_base::Result;

use crate::{Stmt, Tx, stmt};

/// Who takes something, and for how long nobody else gets it.
#[derive(Clone, Copy, Debug)]
pub struct Lease<'a> {
    /// Names the process.
    pub holder: &'a str,
    /// How long the lease runs.
    pub seconds: i64,
}

const LINES: Stmt = stmt(
    "store.lease.lines",
    "
    UPDATE store_line SET lease_until = 0
    WHERE 0 < lease_until
",
);

const JOBS: Stmt = stmt(
    "store.lease.jobs",
    "
    UPDATE store_job SET lease_until = 0
    WHERE 0 < lease_until
",
);

const JOB_LINES: Stmt = stmt(
    "store.lease.job_lines",
    "
    UPDATE store_job_line SET lease_until = 0
    WHERE 0 < lease_until
",
);

const SEQUENCER: Stmt = stmt(
    "store.lease.sequencer",
    "
    UPDATE store_sequencer SET lease_until = 0
    WHERE id = 1
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[LINES, JOBS, JOB_LINES, SEQUENCER];

/// Ends every lease: whoever held one is gone, because this process is the only one on the data.
///
/// What a process had in work when it died goes on at once, in its order, and not when a lease ends.
pub(crate) fn end_all(tx: &mut Tx<'_>) -> Result<()> {
    [LINES, JOBS, JOB_LINES, SEQUENCER].iter().try_for_each(|stmt| tx.run(stmt, &[]).map(drop))
}
