//! Looks on at each request of the site (请求观测): a figure, a log line and a span, without a word about persons.
//!
//! Invariant: the route is the template, such as `/cases/{case}`; address, query, names and forms stand nowhere.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tb_base::NodeId;
use tb_telemetry::metrics::{Metric, Metrics};
use tb_telemetry::trace::TARGET;
use tb_web::TraceOf;
use tokio::time::Instant;
use tracing::Instrument as _;

/// What the site was asked.
static REQUESTS: Metric = Metric {
    name: "tongban_http_request_seconds",
    help: "Requests of the site by method, route and status.",
    labels: &["method", "route", "status"],
};

/// What is known beside the request.
pub struct Observer {
    /// The city.
    pub node: NodeId,
    /// Where requests are counted.
    pub metrics: Metrics,
}

/// Looks on at one request.
pub async fn request(State(observer): State<Arc<Observer>>, request: Request, next: Next) -> Response {
    let method = known_method(&request);
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!(target: TARGET, "request", otel.name = %format_args!("{method} {route}"),
        otel.kind = "server", city = %observer.node, http.route = route.as_str(),
        http.response.status_code = tracing::field::Empty, tongban.trace = tracing::field::Empty);
    let begun = Instant::now();
    let answer = next.run(request).instrument(span.clone()).await;
    let (status, took) = (answer.status().as_u16(), begun.elapsed());
    let trace = answer.extensions().get::<TraceOf>().map(|of| of.0.to_string()).unwrap_or_default();
    span.record("http.response.status_code", status);
    span.record("tongban.trace", trace.as_str());
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(city = %observer.node, method, route, status, millis, trace, "request");
    observer.metrics.time(&REQUESTS, &[method, &route, &status.to_string()], took);
    answer
}

/// A method that nobody knows is whatever the caller likes to write.
fn known_method(request: &Request) -> &'static str {
    match request.method().as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        _ => "other",
    }
}
