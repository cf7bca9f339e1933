//! Jobs (后台任务): rows that say what is to be done and when; run at least once, safe to run twice.

use tb_base::{Result, Timestamp};

use crate::Tx;

/// Enqueues a job under a key; a second one with the same key moves the first instead.
pub fn put(tx: &mut Tx<'_>, kind: &'static str, key: &str, due: Timestamp, payload: &serde_json::Value) -> Result<()> {
    let _ = (tx, kind, key, due, payload);
    unimplemented!()
}
