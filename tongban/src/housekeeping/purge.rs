//! Ended sessions, codes and counters are dropped (清理会话与验证码).

use std::sync::Arc;

use serde_json::Value;
use tb_identity::accounts;
use tb_store::jobs;
use tb_web::Job;

use super::HOUR_SECONDS;

const JOB: &str = "city.housekeeping";

pub(super) fn job() -> Job {
    Job {
        kind: JOB,
        run: Arc::new(|tx, ctx, _| {
            accounts::purge(tx, ctx.now)?;
            jobs::put(tx, JOB, JOB, ctx.now.plus_seconds(HOUR_SECONDS), &Value::Null)
        }),
    }
}
