//! The jobs worker (后台任务): does what falls due, each in one transaction, again later when it fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use tb_base::{Actor, Ctx, Fault, Result};
use tb_store::jobs::Job;
use tb_store::{Lease, Tx, jobs};
use tb_telemetry::trace::TARGET;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::pace::Pace;
use crate::{Node, receive, seen};

/// How often due jobs are looked for: the blocks put them without telling.
const PERIOD_MILLIS: u64 = 50;
/// Jobs taken at once; they are finished before the node stops.
const JOBS_MAX: u32 = 32;
/// A process that died is replaced after this time; a line of jobs is kept anew with each of them.
const LEASE_SECONDS: i64 = 15;
/// The pause after the first failure; it doubles with each further one, up to about an hour.
const RETRY_SECONDS: i64 = 1;
const RETRY_DOUBLINGS_MAX: u32 = 12;
/// The longest description of a failure that is kept.
const PROBLEM_LETTERS_MAX: usize = 400;

/// What is done when a job falls due, in one transaction that may run twice.
pub type RunJob = Arc<dyn Fn(&mut Tx<'_>, &Ctx, &serde_json::Value) -> Result<()> + Send + Sync>;

/// Runs until the node stops.
pub async fn run(node: Arc<Node>) {
    let mut pace = Pace::new(&node, PERIOD_MILLIS);
    while !node.is_stopped() {
        pace.looks();
        match round(&node).await {
            Ok(taken) if taken == JOBS_MAX as usize => continue,
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "jobs could not be taken"),
        }
        pace.wait(&node, node.put.notified()).await;
    }
}

/// One round: what is due; messages of one city one after the other, everything else side by side.
async fn round(node: &Arc<Node>) -> Result<usize> {
    let now = node.clock.now();
    let holder = node.holder.clone();
    if !node.store.read("jobs.peek", move |tx| jobs::is_due(tx, now, &holder)).await? {
        return Ok(0);
    }
    let taker = node.clone();
    let taken = node.store.write("jobs.take", move |tx| jobs::due(tx, now, JOBS_MAX, lease(&taker))).await?;
    let count = taken.len();
    let mut rows: BTreeMap<String, Vec<Job>> = BTreeMap::new();
    for job in taken {
        rows.entry(row_of(&job)).or_default().push(job);
    }
    let mut working = JoinSet::new();
    for (_, row) in rows {
        let node = node.clone();
        working.spawn(async move {
            for job in row {
                if one(&node, job).await == Tried::Elsewhere {
                    return;
                }
            }
        });
    }
    while let Some(done) = working.join_next().await {
        done.map_err(|error| Fault::of("doing a job", error))?;
    }
    Ok(count)
}

fn lease(node: &Node) -> Lease<'_> {
    Lease { holder: &node.holder, seconds: LEASE_SECONDS }
}

/// Jobs of one line are done in their order, whichever process does them.
fn row_of(job: &Job) -> String {
    match (&job.line, job.key.split_once('/')) {
        (Some(line), _) => line.clone(),
        // The version before this one may run beside it, and knows no lines: the key of a message begins with its sender.
        (None, Some((sender, _))) if job.kind == receive::PROCESS => format!("{}/{sender}", job.kind),
        (None, _) => format!("{}/{}", job.kind, job.key),
    }
}

/// What came of a try.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tried {
    /// It was done, or that it failed is written down.
    Here,
    /// Another process has its line now, and all that stands in it.
    Elsewhere,
}

/// Does one job; that it failed is written beside it, and delays no other.
async fn one(node: &Arc<Node>, job: Job) -> Tried {
    let span = tracing::info_span!(target: TARGET, "job", otel.name = job.kind.as_str(), city = %node.me);
    try_one(node, job).instrument(span).await
}

async fn try_one(node: &Arc<Node>, job: Job) -> Tried {
    let (worker, work) = (node.clone(), job.clone());
    let ctx = node.ctx(Actor::System);
    let done = node.store.write(name_of(node, &job), move |tx| {
        if !keeps_line(tx, &ctx, &worker, &work)? {
            return Ok(Tried::Elsewhere);
        }
        perform(tx, &ctx, &worker, &work)?;
        jobs::done(tx, &work)?;
        Ok(Tried::Here)
    });
    let error = match done.await {
        Ok(Tried::Elsewhere) => return Tried::Elsewhere,
        Ok(Tried::Here) => {
            seen::job(node, &job.kind, true);
            // It may have sent a message: a receipt at least.
            node.enqueued.notify_one();
            return Tried::Here;
        }
        Err(error) => error,
    };
    seen::job(node, &job.kind, false);
    let (kind, attempts) = (job.kind.clone(), job.attempts);
    tracing::warn!(kind, attempts, %error, "a job failed and is tried again");
    let due = node.clock.now().plus_seconds(RETRY_SECONDS << attempts.min(RETRY_DOUBLINGS_MAX));
    let problem: String = error.to_string().chars().take(PROBLEM_LETTERS_MAX).collect();
    let kept = node.store.write("jobs.retry", move |tx| jobs::retry(tx, &job, due, &problem)).await;
    if let Err(error) = kept {
        // Its lease ends, and then it is taken again.
        tracing::error!(kind, %error, "that a job failed could not be written down");
    }
    Tried::Here
}

/// Looked at in the transaction of the effect: a process that was away for long does nothing that another has done.
fn keeps_line(tx: &mut Tx<'_>, ctx: &Ctx, node: &Node, job: &Job) -> Result<bool> {
    job.line.as_ref().map_or(Ok(true), |line| jobs::keep_line(tx, ctx.now, line, lease(node)))
}

/// The transaction of a job has the name of what is done in it, so that its rows tell.
fn name_of(node: &Node, job: &Job) -> &'static str {
    if job.kind == receive::PROCESS {
        return receive::name_of(node, &job.payload);
    }
    node.jobs.get_key_value(job.kind.as_str()).map_or("jobs.do", |(name, _)| name)
}

fn perform(tx: &mut Tx<'_>, ctx: &Ctx, node: &Node, job: &Job) -> Result<()> {
    if job.kind == receive::PROCESS {
        return receive::process(tx, ctx, node, &job.payload);
    }
    let run = node.jobs.get(job.kind.as_str());
    let run = run.ok_or_else(|| Fault::new(format!("looking for somebody who does {}", job.kind)))?;
    run(tx, ctx, &job.payload)
}
