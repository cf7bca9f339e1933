//! Enquiries that have been over for long are dropped, with all that was said (问询到期删除).

use std::sync::Arc;

use serde_json::Value;
use tb_enquiry::{Limits, keep};
use tb_store::jobs;
use tb_web::Job;

use super::HOUR_SECONDS;

const JOB: &str = "city.housekeeping.enquiries";
/// Enquiries that one run drops; the rest waits for the next run, which then comes at once.
const ROWS_MAX: i64 = 100;

pub(super) fn job() -> Job {
    Job {
        kind: JOB,
        run: Arc::new(|tx, ctx, _| {
            let before = Limits::shipped()?.kept_since(ctx.now);
            let dropped = keep::purge(tx, before, ROWS_MAX)?;
            let is_last = i64::try_from(dropped).unwrap_or(i64::MAX) < ROWS_MAX;
            let next = if is_last { ctx.now.plus_seconds(HOUR_SECONDS) } else { ctx.now };
            jobs::put(tx, JOB, JOB, next, &Value::Null)
        }),
    }
}
