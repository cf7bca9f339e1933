//! The outbox (发件箱): messages wait here until their receiver has said what became of them.

use tb_base::{Ctx, Result};
use tb_exchange::Outgoing;

use crate::Tx;

/// Stores a message and its leaf; a worker of `node` signs, sends and retries it.
pub fn send(tx: &mut Tx<'_>, ctx: &Ctx, message: &Outgoing) -> Result<()> {
    let _ = (tx, ctx, message);
    unimplemented!()
}
