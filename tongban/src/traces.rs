//! Sends traces to a collector (链路上报): OTLP over HTTP with JSON, in batches, and never in the way of the work.
//!
//! Invariant: a collector that is slow or gone costs spans and a log line a minute, and nothing else.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tb_base::{Fault, NodeId, Result};
use tb_telemetry::trace::{Ended, Gathered, hex};
use tokio::sync::watch;

/// How often what was gathered is sent.
const PERIOD_MILLIS: u64 = 500;
/// Spans of one request to the collector.
const BATCH_MAX: usize = 512;
/// A collector that takes longer gets nothing.
const ANSWER_SECONDS_MAX: u64 = 5;
/// Failures are told once in so many rounds.
const ROUNDS_PER_LINE: u32 = 120;

type Http = Client<HttpConnector, Full<Bytes>>;

/// Sends until told to stop, and what is left then.
pub async fn send(endpoint: String, city: NodeId, gathered: Gathered, mut stop: watch::Receiver<bool>) {
    let http: Http = Client::builder(TokioExecutor::new()).build_http();
    let mut failures = 0_u32;
    loop {
        let is_last = *stop.borrow();
        loop {
            let batch: Vec<Ended> = gathered.spans.try_iter().take(BATCH_MAX).collect();
            let is_full = batch.len() == BATCH_MAX;
            if batch.is_empty() {
                break;
            }
            match post(&http, &endpoint, &body(city, &batch)).await {
                Ok(()) => failures = 0,
                Err(error) => {
                    if failures.is_multiple_of(ROUNDS_PER_LINE) {
                        tracing::warn!(%error, spans = batch.len(), "traces were not taken and are lost");
                    }
                    failures = failures.saturating_add(1);
                    break;
                }
            }
            if !is_full {
                break;
            }
        }
        let lost = gathered.lost.swap(0, Ordering::Relaxed);
        if 0 < lost {
            tracing::warn!(lost, "spans found no place in the queue and are lost");
        }
        if is_last {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(PERIOD_MILLIS)) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn post(http: &Http, endpoint: &str, body: &Value) -> Result<()> {
    let doing = "sending traces";
    let request = axum::http::Request::post(endpoint)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(|error| Fault::of(doing, error))?;
    let answer = async {
        let answer = http.request(request).await.map_err(|error| Fault::of(doing, error))?;
        let status = answer.status();
        // Read to its end, so that the connection can be used again.
        answer.into_body().collect().await.map_err(|error| Fault::of(doing, error))?;
        match status.is_success() {
            true => Ok(()),
            false => Err(Fault::new(format!("{doing}: the collector answered {status}")).into()),
        }
    };
    let within = Duration::from_secs(ANSWER_SECONDS_MAX);
    tokio::time::timeout(within, answer).await.map_err(|late| Fault::of(doing, late))?
}

/// An `ExportTraceServiceRequest` in the JSON form of OTLP 1.
fn body(city: NodeId, spans: &[Ended]) -> Value {
    json!({ "resourceSpans": [{
        "resource": { "attributes": [
            attribute("service.name", "tongban"),
            attribute("service.version", env!("CARGO_PKG_VERSION")),
            attribute("service.instance.id", city.as_str()),
        ]},
        "scopeSpans": [{
            "scope": { "name": "tongban" },
            "spans": spans.iter().map(span).collect::<Vec<_>>(),
        }],
    }]})
}

fn span(span: &Ended) -> Value {
    let kind = match span.kind.as_str() {
        "server" => 2,
        "client" => 3,
        _ => 1,
    };
    json!({
        "traceId": hex(&span.place.trace),
        "spanId": hex(&span.place.span),
        "parentSpanId": span.parent.map(|parent| hex(&parent)).unwrap_or_default(),
        "name": span.name,
        "kind": kind,
        "startTimeUnixNano": nanos(span.begun),
        "endTimeUnixNano": nanos(span.ended),
        "attributes": span.fields.iter().map(|(name, value)| attribute(name, value)).collect::<Vec<_>>(),
    })
}

fn nanos(at: tb_base::Timestamp) -> String {
    format!("{}000", at.micros())
}

fn attribute(name: &str, value: &str) -> Value {
    json!({ "key": name, "value": { "stringValue": value } })
}
