//! Numbers, day sheets and papers that are past their time are dropped (专窗记录到期删除).

use std::sync::Arc;

use serde_json::Value;
use tb_counter::retention;
use tb_store::jobs;
use tb_web::Job;

use super::HOUR_SECONDS;

const JOB: &str = "city.housekeeping.counters";
/// Rows of each kind that one run drops; the rest waits for the next run, which then comes at once.
const ROWS_MAX: i64 = 200;

pub(super) fn job() -> Job {
    Job {
        kind: JOB,
        run: Arc::new(|tx, ctx, _| {
            let is_more = retention::purge(tx, ctx.now, ROWS_MAX)?;
            let next = if is_more { ctx.now } else { ctx.now.plus_seconds(HOUR_SECONDS) };
            jobs::put(tx, JOB, JOB, next, &Value::Null)
        }),
    }
}
