//! The jobs worker (后台任务): does what falls due, each in one transaction, again later when it fails.

use std::sync::Arc;
use std::time::Duration;

use tb_base::{Actor, Ctx, Result};
use tb_store::{Tx, jobs};

use crate::{Node, receive};

/// How often due jobs are looked for.
const PERIOD_MILLIS: u64 = 50;
/// Jobs taken at once.
const JOBS_MAX: u32 = 64;
/// A worker that died is replaced after this time.
const LEASE_SECONDS: i64 = 60;
/// The pause after the first failure; it doubles with each further one.
const RETRY_SECONDS: i64 = 1;
const RETRY_DOUBLINGS_MAX: u32 = 12;

/// What is done when a job falls due, in one transaction that may run twice.
pub type RunJob = Arc<dyn Fn(&mut Tx<'_>, &Ctx, &serde_json::Value) -> Result<()> + Send + Sync>;

/// Runs until the node stops.
pub async fn run(node: Arc<Node>) {
    let mut stop = node.stop.subscribe();
    loop {
        if let Err(error) = round(&node).await {
            tracing::error!(%error, "jobs could not be done");
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(PERIOD_MILLIS)) => {}
            _ = stop.changed() => return,
        }
    }
}

async fn round(node: &Arc<Node>) -> Result<()> {
    let now = node.clock.now();
    let due = node.store.read("jobs.peek", jobs::next_due).await?;
    if due.is_none_or(|due| now < due) {
        return Ok(());
    }
    let taken = node.store.write("jobs.take", move |tx| jobs::due(tx, now, JOBS_MAX, LEASE_SECONDS)).await?;
    for job in taken {
        one(node, job).await?;
    }
    Ok(())
}

async fn one(node: &Arc<Node>, job: jobs::Job) -> Result<()> {
    let (worker, work) = (node.clone(), job.clone());
    let ctx = node.ctx(Actor::System);
    let done = node.store.write("jobs.do", move |tx| {
        perform(tx, &ctx, &worker, &work)?;
        jobs::done(tx, &work)
    });
    let Err(error) = done.await else { return Ok(()) };
    tracing::warn!(kind = job.kind, attempts = job.attempts, %error, "a job failed and is tried again");
    let pause = RETRY_SECONDS << job.attempts.min(RETRY_DOUBLINGS_MAX);
    let due = node.clock.now().plus_seconds(pause);
    let problem = error.to_string();
    node.store.write("jobs.retry", move |tx| jobs::retry(tx, &job, due, &problem)).await
}

fn perform(tx: &mut Tx<'_>, ctx: &Ctx, node: &Node, job: &jobs::Job) -> Result<()> {
    if job.kind == receive::PROCESS {
        return receive::process(tx, ctx, node, &job.payload);
    }
    let run = node.jobs.get(job.kind.as_str());
    let run =
        run.ok_or_else(|| tb_base::Fault::new(format!("looking for somebody who does {}", job.kind)))?;
    run(tx, ctx, &job.payload)
}
