//! Structured log lines on standard error; `TONGBAN_LOG` sets the level.

use tracing_subscriber::EnvFilter;

/// Begins to log; a second call does nothing.
pub fn begin(usual: &str) {
    let filter = EnvFilter::try_from_env("TONGBAN_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = lines.try_init();
}
