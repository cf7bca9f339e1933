//! The operations address (运维地址): health, readiness and figures, away from the public site.
//!
//! Invariant: nothing here names a person; routes, codes of cities and numbers only.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tb_base::{Clock, NodeId, Result, Timestamp};
use tb_exchange::witness::witness_name;
use tb_identity::accounts::sessions;
use tb_node::tls::Identity;
use tb_node::{Node, Standing};
use tb_store::figures::{self, Figures};
use tb_store::{Store, Tx, processes};
use tb_telemetry::metrics::{Metrics, Page};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::checks;
use crate::city::Duty;
use crate::config::Warn;
use crate::finding::{Finding, State as Stand, worst};

/// How often a process says that it lives, which is also how it knows that the database takes writes.
const BEAT_SECONDS: u64 = 5;
/// A database that took no write for so long is not ready.
const WRITABLE_SECONDS_MAX: i64 = 20;
/// A process that was not seen for so long is taken for gone.
pub const SEEN_SECONDS_MAX: i64 = 30;

/// What the operations address tells.
pub struct Operations {
    /// The city.
    pub node: NodeId,
    /// Its store.
    pub store: Store,
    /// The node: its trust list, which may change while it runs, and how it stands.
    pub engine: Arc<Node>,
    /// The city's certificate.
    pub identity: Identity,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What this process does.
    pub duty: Duty,
    /// Names this process.
    pub process: String,
    /// What was counted.
    pub metrics: Metrics,
    /// When to warn.
    pub warn: Warn,
    /// The SQLite file, if the data lies in one.
    pub file: Option<PathBuf>,
    /// When the database took a write last, in microseconds.
    pub written: AtomicI64,
}

/// Says once that this process lives.
pub async fn appear(operations: &Operations) -> Result<()> {
    let now = operations.clock.now();
    let (process, duty) = (operations.process.clone(), operations.duty.name());
    let beat = move |tx: &mut Tx<'_>| processes::beat(tx, now, &process, duty, env!("CARGO_PKG_VERSION"));
    operations.store.write("city.beat", beat).await?;
    operations.written.store(now.micros(), Ordering::Relaxed);
    Ok(())
}

/// Says that this process lives until it is told to stop, then that it is gone.
pub async fn beat(operations: Arc<Operations>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(BEAT_SECONDS)) => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
        if let Err(error) = appear(&operations).await {
            tracing::error!(%error, "the database takes no write");
        }
    }
    let process = operations.process.clone();
    if let Err(error) = operations.store.write("city.leave", move |tx| processes::leave(tx, &process)).await {
        tracing::warn!(%error, "that this process ends could not be written");
    }
}

/// Answers on the operations address until told to stop.
pub async fn serve(socket: TcpListener, operations: Arc<Operations>, mut stop: watch::Receiver<bool>) {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(operations);
    let stopped = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(socket, router).with_graceful_shutdown(stopped).await {
        tracing::error!(%error, "the operations address ended");
    }
}

async fn ready(State(operations): State<Arc<Operations>>) -> Response {
    let checks = findings(&operations).await;
    let is_ready = worst(&checks) < Stand::Fail;
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(serde_json::json!({ "ready": is_ready, "checks": checks }))).into_response()
}

/// Whether this process can do its work now.
async fn findings(operations: &Operations) -> Vec<Finding> {
    let now = operations.clock.now();
    let (trust, warn) = (operations.engine.trust(), &operations.warn);
    let mut found = vec![
        database(operations, now),
        recovery(&operations.engine.standing()),
        checks::trust(&trust.list, now, warn),
        checks::certificate(&trust.list, operations.node, &operations.identity, now, warn),
    ];
    match operations.store.read("ready.migrations", checks::standing).await {
        Err(tb_base::Error::Fault(fault)) if found.iter().any(|it| it.state == Stand::Fail) => {
            tracing::debug!(%fault, "the migrations cannot be read");
        }
        standing => found.push(checks::migrations(standing)),
    }
    let since = now.plus_seconds(-SEEN_SECONDS_MAX);
    if let Ok(seen) = operations.store.read("ready.processes", move |tx| processes::seen(tx, since)).await {
        found.push(workers(&seen));
    }
    found
}

fn database(operations: &Operations, now: Timestamp) -> Finding {
    let written = Timestamp(operations.written.load(Ordering::Relaxed));
    let seconds = now.seconds() - written.seconds();
    if WRITABLE_SECONDS_MAX < seconds {
        let says = "it took no write lately";
        return Finding::fail("database", says, "see the log lines of this process and the database's own");
    }
    Finding::ok("database", format!("it took a write {seconds} s ago"))
}

/// Fronts alone send nothing and sequence nothing.
fn workers(seen: &[processes::Process]) -> Finding {
    let working = seen.iter().filter(|process| process.duty != Duty::Front.name()).count();
    let says = format!("{} processes of the city live, {working} of them do its work", seen.len());
    match working {
        0 => Finding::warn(
            "workers",
            says,
            "start `tongban worker`, or `tongban serve` without --without-workers",
        ),
        _ => Finding::ok("workers", says),
    }
}

/// A store that came out of a backup answers nobody before the other cities have told what it lacks.
fn recovery(standing: &Standing) -> Finding {
    match standing {
        Standing::Sound => Finding::ok("recovery", "nothing is to be brought back"),
        Standing::Unknown => Finding::fail("recovery", "the node is starting", "wait a moment"),
        Standing::Recovering { waits_for, .. } => {
            let cities: Vec<String> =
                waits_for.iter().map(|(city, problem)| format!("{city} ({problem})")).collect();
            let says = format!("the store came out of a backup and waits for {}", cities.join(", "));
            Finding::fail("recovery", says, "reach these cities, or decide by tongban restore --without CITY")
        }
        Standing::Forked { city, problem } => {
            let says = format!("what {city} shows is not of the log that is here: {problem}");
            Finding::fail("recovery", says, "restore a newer backup, and speak to that city")
        }
    }
}

async fn metrics(State(operations): State<Arc<Operations>>) -> Response {
    let now = operations.clock.now();
    let mut page = Page::default();
    operations.metrics.write(&mut page);
    let witnesses: Vec<NodeId> = operations.engine.trust().list.cities.iter().map(|city| city.node).collect();
    let me = operations.node;
    let read = operations.store.read("operations.figures", move |tx| gather(tx, now, me, &witnesses)).await;
    match read {
        Ok(gathered) => write(&mut page, &gathered, now),
        Err(error) => tracing::warn!(%error, "the figures of the store could not be read"),
    }
    machine(&mut page, &operations, now);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.text()).into_response()
}

struct Gathered {
    figures: Figures,
    witnessed: Vec<(NodeId, u64)>,
    sessions: u64,
    processes: Vec<processes::Process>,
}

fn gather(tx: &mut Tx<'_>, now: Timestamp, me: NodeId, cities: &[NodeId]) -> Result<Gathered> {
    let others = cities.iter().filter(|city| **city != me);
    Ok(Gathered {
        figures: figures::read(tx, now)?,
        witnessed: others
            .map(|city| Ok((*city, figures::witnessed(tx, &witness_name(*city))?)))
            .collect::<Result<_>>()?,
        sessions: sessions::count_open(tx, now)?,
        processes: processes::seen(tx, now.plus_seconds(-SEEN_SECONDS_MAX))?,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a figure for a diagram")]
fn write(page: &mut Page, gathered: &Gathered, now: Timestamp) {
    let figures = &gathered.figures;
    let age = |since: Timestamp| (now.micros() - since.micros()).max(0) as f64 / 1e6;
    let codes: Vec<String> = figures.waiting.iter().map(|it| it.to.to_string()).collect();
    let labels: Vec<[(&str, &str); 1]> = codes.iter().map(|code| [("peer", code.as_str())]).collect();
    let by_peer = |value: &dyn Fn(&figures::Waiting) -> f64| -> Vec<f64> {
        figures.waiting.iter().map(value).collect()
    };
    let lines = |values: Vec<f64>| labels.iter().map(|it| &it[..]).zip(values).collect::<Vec<_>>();
    page.gauge(
        "tongban_outbox_waiting",
        "Messages that wait, by city.",
        &lines(by_peer(&|it| it.messages as f64)),
    );
    page.gauge(
        "tongban_outbox_oldest_seconds",
        "Age of the oldest of them.",
        &lines(by_peer(&|it| age(it.since))),
    );
    let mut one = |name: &str, help: &str, value: f64| page.gauge(name, help, &[(&[], value)]);
    one(
        "tongban_outbox_dead",
        "Messages that were given up and that nobody has seen to yet.",
        figures.dead as f64,
    );
    one("tongban_jobs_due", "Jobs that are due.", figures.jobs_due as f64);
    one(
        "tongban_jobs_late_seconds",
        "How long the oldest of them is due.",
        figures.jobs_due_since.map_or(0.0, age),
    );
    one("tongban_jobs_failed", "Jobs whose last run failed.", figures.jobs_failed as f64);
    one("tongban_log_leaves", "Leaves of the log.", figures.log_size as f64);
    one("tongban_log_waiting", "Leaves that wait for their index.", figures.log_waiting as f64);
    let (signed, at) = figures.checkpoint.unwrap_or((0, now));
    one("tongban_log_signed_leaves", "Leaves that the newest checkpoint covers.", signed as f64);
    one("tongban_log_checkpoint_seconds", "Age of the newest checkpoint.", age(at));
    one("tongban_sessions", "Sessions that are open.", gathered.sessions as f64);
    one("tongban_processes", "Processes of the city that live.", gathered.processes.len() as f64);
    let codes: Vec<(String, f64)> = gathered
        .witnessed
        .iter()
        .map(|(city, size)| (city.to_string(), signed.saturating_sub(*size) as f64))
        .collect();
    let labels: Vec<([(&str, &str); 1], f64)> =
        codes.iter().map(|(code, lag)| ([("witness", code.as_str())], *lag)).collect();
    let lines: Vec<(&[(&str, &str)], f64)> = labels.iter().map(|(label, lag)| (&label[..], *lag)).collect();
    page.gauge("tongban_log_cosigned_lag", "Signed leaves that a witness has not cosigned.", &lines);
}

/// What the machine says of this process and its file.
#[expect(clippy::cast_precision_loss, reason = "a figure for a diagram")]
fn machine(page: &mut Page, operations: &Operations, now: Timestamp) {
    let size = |path: &PathBuf| std::fs::metadata(path).map_or(0, |about| about.len()) as f64;
    if let Some(file) = &operations.file {
        let wal = PathBuf::from(format!("{}-wal", file.display()));
        page.gauge("tongban_sqlite_bytes", "Size of the SQLite file.", &[(&[], size(file))]);
        page.gauge("tongban_sqlite_wal_bytes", "Size of its write-ahead log.", &[(&[], size(&wal))]);
    }
    if let Some(bytes) = resident_bytes() {
        page.gauge("process_resident_memory_bytes", "Memory of the process.", &[(&[], bytes as f64)]);
    }
    let ends = operations.engine.trust().list.not_after.seconds() - now.seconds();
    page.gauge("tongban_trust_ends_seconds", "Time until the trust list ends.", &[(&[], ends as f64)]);
    let about = [
        ("city", operations.node.as_str()),
        ("version", env!("CARGO_PKG_VERSION")),
        ("duty", operations.duty.name()),
    ];
    page.gauge("tongban_info", "What runs here.", &[(&about, 1.0)]);
}

fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1_024)
}
