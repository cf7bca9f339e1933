//! The node's log at rest (日志): leaves wait for the sequencer, then have an index for ever.

use tb_base::{Result, Timestamp};
use tb_exchange::Leaf;

use crate::Tx;

/// Appends a leaf in the transaction of its cause; gives the leaf hash. The index follows.
pub fn append(tx: &mut Tx<'_>, leaf: &Leaf) -> Result<[u8; 32]> {
    let _ = (tx, leaf);
    unimplemented!()
}

#[expect(dead_code, reason = "keeps the import used until the sequencer is written")]
fn _uses(_: Timestamp) {}
