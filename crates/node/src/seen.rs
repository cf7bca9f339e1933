//! What operators see of the exchange (交换观测): calls of other cities and to them, counted, timed and traced.
//!
//! Invariant: labels are routes, codes of cities and numbers; what a message says stands nowhere here.

use std::sync::Arc;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tb_base::{NodeId, Result};
use tb_telemetry::metrics::Metric;
use tb_telemetry::trace::{HEADER, TARGET};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::Node;
use crate::client::Reply;
use crate::listener::PeerCity;

/// What other cities asked.
static ANSWERED: Metric = Metric {
    name: "tongban_exchange_answer_seconds",
    help: "Requests of other cities by city, route and status.",
    labels: &["peer", "route", "status"],
};
/// What other cities were asked.
static CALLED: Metric = Metric {
    name: "tongban_exchange_call_seconds",
    help: "Calls to other cities by city and status; down where the city gave no answer.",
    labels: &["peer", "status"],
};
/// Jobs that were tried.
static JOBS: Metric = Metric {
    name: "tongban_jobs_total",
    help: "Jobs tried by kind and outcome.",
    labels: &["kind", "outcome"],
};

/// Looks on at a request of another city; its trace goes on here.
pub async fn answered(
    State(node): State<Arc<Node>>,
    ConnectInfo(peer): ConnectInfo<PeerCity>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let above = request.headers().get(HEADER).and_then(|it| it.to_str().ok()).unwrap_or("");
    let method = request.method().clone();
    let span = tracing::info_span!(target: TARGET, "exchange.answer", otel.name = %format_args!("{method} {route}"),
        otel.kind = "server", traceparent = above, peer = %peer.0, city = %node.me,
        http.response.status_code = tracing::field::Empty);
    let begun = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    span.record("http.response.status_code", status);
    if let Some(metrics) = node.metrics.get() {
        metrics.time(&ANSWERED, &[peer.0.as_str(), &route, &status.to_string()], begun.elapsed());
    }
    response
}

/// Looks on at a call to another city.
pub async fn called(node: &Node, to: NodeId, call: impl Future<Output = Result<Reply>>) -> Result<Reply> {
    let span = tracing::info_span!(target: TARGET, "exchange.call", otel.name = %format_args!("call {to}"),
        otel.kind = "client", peer = %to, city = %node.me, http.response.status_code = tracing::field::Empty);
    let begun = Instant::now();
    let reply = call.instrument(span.clone()).await;
    let status = reply.as_ref().map_or_else(|_| "down".to_owned(), |reply| reply.status.to_string());
    span.record("http.response.status_code", status.as_str());
    if let Some(metrics) = node.metrics.get() {
        metrics.time(&CALLED, &[to.as_str(), &status], begun.elapsed());
    }
    reply
}

/// A job was tried.
pub fn job(node: &Node, kind: &str, is_done: bool) {
    if let Some(metrics) = node.metrics.get() {
        metrics.count(&JOBS, &[kind, if is_done { "done" } else { "failed" }]);
    }
}
