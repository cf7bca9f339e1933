//! Structured log lines on standard error, and traces to a collector; `TONGBAN_LOG` sets the level before the
//! configuration does.

use std::sync::Arc;

use tb_base::Clock;
use tb_telemetry::trace::{Gathered, Spans, TARGET};
use tracing::Subscriber;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::clock::OsEntropy;
use crate::config::{Log, LogFormat};

/// Begins to log; a second call does nothing.
pub fn begin(log: &Log) {
    let _ = tracing_subscriber::registry().with(lines::<Registry>(log)).try_init();
}

/// Begins to log and to gather traces, for whoever sends them on.
pub fn begin_traced(log: &Log, clock: Arc<dyn Clock>) -> Gathered {
    let (spans, gathered) = Spans::gather(clock, Box::new(OsEntropy));
    let spans = spans.with_filter(filter_fn(|it| it.target() == TARGET));
    let _ = tracing_subscriber::registry().with(lines(log)).with(spans).try_init();
    gathered
}

/// The lines; what is traced does not stand in them once more.
fn lines<S>(log: &Log) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let level = std::env::var("TONGBAN_LOG").unwrap_or_else(|_| log.level.clone());
    let quiet = format!("{TARGET}=off");
    let filter = EnvFilter::try_new(format!("{level},{quiet}"));
    let filter = filter.unwrap_or_else(|_| EnvFilter::new(format!("info,{quiet}")));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    }
}
