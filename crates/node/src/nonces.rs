//! Drops the nonces that count no more (防重放窗口清理), so that the table stays as small as its window.

use std::sync::Arc;
use std::time::Duration;

use tb_store::nonces;

use crate::Node;

/// How often it is done.
const PERIOD_SECONDS: u64 = 60;

/// Runs until the node stops.
pub async fn run(node: Arc<Node>) {
    while !node.is_stopped() {
        let now = node.clock.now();
        if let Err(error) = node.store.write("exchange.forget", move |tx| nonces::forget(tx, now)).await {
            tracing::error!(%error, "the nonces that ended could not be dropped");
        }
        tokio::select! {
            biased;
            () = node.stopped() => return,
            () = tokio::time::sleep(Duration::from_secs(PERIOD_SECONDS)) => {}
        }
    }
}
