//! Housekeeping (日常清理): once an hour a city drops what has ended and lets licences expire.

use serde_json::Value;
use tb_base::{Ctx, Result, Timestamp};
use tb_identity::accounts;
use tb_licence::store;
use tb_store::{Tx, jobs};
use tb_web::{Job, Module};

/// The kind of the job; there is one of it.
const JOB: &str = "city.housekeeping";
const HOUR_SECONDS: i64 = 3_600;

/// The job as a module of a city; it has no page.
pub fn module() -> Module {
    Module {
        id: "housekeeping",
        clauses: &[],
        routes: axum::Router::new(),
        handlers: Vec::new(),
        jobs: vec![Job { kind: JOB, run: std::sync::Arc::new(|tx, ctx, _| keep(tx, ctx)) }],
        schema: None,
        route_list: &[],
    }
}

/// Sees to it that the job is there; a start that finds it leaves it as it is.
pub fn begin(tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
    jobs::put(tx, JOB, JOB, now.plus_seconds(HOUR_SECONDS), &Value::Null)
}

/// Drops ended sessions, codes and counters, lets licences expire, and asks for itself again.
fn keep(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<()> {
    accounts::purge(tx, ctx.now)?;
    store::expire_due(tx, ctx)?;
    begin(tx, ctx.now)
}
