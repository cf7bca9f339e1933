//! Housekeeping (日常清理): once an hour a city drops what has ended, lets licences expire and consents end.
//!
//! Invariants: each kind of work is a job of its own, so that none waits for another; a run does one page in its
//! transaction; a row that cannot be is told and left, and stops nothing.

mod consents;
mod counters;
mod enquiries;
mod licences;
mod purge;

use serde_json::Value;
use tb_base::{Ctx, Error, Result, Timestamp};
use tb_store::{Tx, jobs};
use tb_web::{Job, Module};

const HOUR_SECONDS: i64 = 3_600;
/// Soon after a start, for what ended while the city was down.
const FIRST_SECONDS: i64 = 30;

/// The jobs as a module of a city; it has no page.
pub fn module() -> Module {
    Module {
        id: "housekeeping",
        clauses: &[],
        routes: axum::Router::new(),
        handlers: Vec::new(),
        jobs: vec![purge::job(), licences::job(), consents::job(), enquiries::job(), counters::job()],
        schema: None,
        route_list: &[],
    }
}

/// Sees to it that the jobs are there.
pub fn begin(tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
    let first = now.plus_seconds(FIRST_SECONDS);
    module().jobs.iter().try_for_each(|Job { kind, .. }| jobs::put(tx, kind, kind, first, &Value::Null))
}

/// The last row of the page before; empty for the first page.
fn after(payload: &Value) -> &str {
    payload.get("after").and_then(Value::as_str).unwrap_or_default()
}

/// Works on each row of a page, then asks for the next page at once, or for the first one in an hour.
fn page(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    kind: &'static str,
    ids: &[String],
    work: impl Fn(&mut Tx<'_>, &str) -> Result<()>,
) -> Result<()> {
    for id in ids {
        match work(tx, id) {
            Ok(()) => {}
            Err(Error::Fault(fault)) => return Err(fault.into()),
            Err(problem) => tracing::warn!(kind, id, %problem, "a row is left as it is"),
        }
    }
    match ids.last() {
        Some(last) => jobs::put(tx, kind, kind, ctx.now, &serde_json::json!({ "after": last })),
        None => jobs::put(tx, kind, kind, ctx.now.plus_seconds(HOUR_SECONDS), &Value::Null),
    }
}

#[cfg(test)]
mod tests;
