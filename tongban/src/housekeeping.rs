//! Housekeeping (日常清理): once an hour a city drops what has ended and lets licences expire.

use std::sync::Arc;

use serde_json::Value;
use tb_base::{CaseId, Ctx, Result, Timestamp};
use tb_case::{Env, PhaseKind, acts};
use tb_identity::accounts;
use tb_licence::{consent, store};
use tb_store::{Tx, jobs};
use tb_web::{Job, Module};

/// The kind of the job; there is one of it.
const JOB: &str = "city.housekeeping";
const HOUR_SECONDS: i64 = 3_600;
/// Soon after a start, for what ended while the city was down.
const FIRST_SECONDS: i64 = 30;

/// The job as a module of a city; it has no page.
pub fn module(env: Arc<Env>) -> Module {
    Module {
        id: "housekeeping",
        clauses: &[],
        routes: axum::Router::new(),
        handlers: Vec::new(),
        jobs: vec![Job { kind: JOB, run: Arc::new(move |tx, ctx, _| keep(tx, ctx, &env)) }],
        schema: None,
        route_list: &[],
    }
}

/// Sees to it that the job is there.
pub fn begin(tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
    jobs::put(tx, JOB, JOB, now.plus_seconds(FIRST_SECONDS), &Value::Null)
}

/// Drops ended sessions, codes and counters, lets licences expire and consents end with their cases; then again.
fn keep(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env) -> Result<()> {
    accounts::purge(tx, ctx.now)?;
    store::expire_due(tx, ctx)?;
    end_consents(tx, ctx, env)?;
    jobs::put(tx, JOB, JOB, ctx.now.plus_seconds(HOUR_SECONDS), &Value::Null)
}

/// A consent was for one case: when that is over, so is the consent.
fn end_consents(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env) -> Result<()> {
    let mut after: Option<CaseId> = None;
    loop {
        let cases = consent::open_cases(tx, ctx.now, after)?;
        let Some(last) = cases.last() else { return Ok(()) };
        after = Some(*last);
        for case in cases {
            if is_over(tx, env, case)? {
                consent::end_of_case(tx, ctx, case)?;
            }
        }
    }
}

/// A case that is not here yet is a draft, and a draft may still be handed in.
fn is_over(tx: &mut Tx<'_>, env: &Env, case: CaseId) -> Result<bool> {
    match acts::view(tx, env, case) {
        Ok(view) => Ok(PhaseKind::is_over(view.phase)),
        Err(tb_base::Error::Refused(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
