//! Structured log lines on standard error; `TONGBAN_LOG` sets the level before the configuration does.

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Begins to log; a second call does nothing.
pub fn begin(log: &Log) {
    let filter = EnvFilter::try_from_env("TONGBAN_LOG").unwrap_or_else(|_| EnvFilter::new(&log.level));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = match log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}
