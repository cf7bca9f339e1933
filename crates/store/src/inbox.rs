//! The inbox (收件箱): each message takes effect once.

use std::sync::Arc;

use tb_base::{Ctx, Result};
use tb_exchange::Incoming;

use crate::Tx;

/// What is done with a message or a query, inside the transaction that records it.
///
/// A message answers `Null`. A refusal is sent back as such, a fault is tried again later.
pub type Handle = Arc<dyn Fn(&mut Tx<'_>, &Ctx, &Incoming) -> Result<serde_json::Value> + Send + Sync>;

/// A service that this node offers its peers.
#[derive(Clone)]
pub struct Handler {
    /// One of `tb_exchange::service`.
    pub service: &'static str,
    /// Whether the peer waits for the answer (query) or gets receipts (message).
    pub query: bool,
    /// What is done.
    pub handle: Handle,
}
