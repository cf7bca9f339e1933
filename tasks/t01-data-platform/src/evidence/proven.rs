//! Leaves with their proofs under one cosigned checkpoint (存证证明).

use tb_base::{Refusal, Result};
use tb_exchange::Leaf;
use tb_exchange::bundle::{LeafProof, Part};
use tb_store::Tx;
use tb_store::log::{self, KeptCheckpoint};

/// A leaf that a part must prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its hash.
    pub hash: [u8; 32],
    /// What it says.
    pub leaf: Leaf,
}

/// Proves all leaves under one checkpoint: the newest that two other cities cosigned, or else one.
///
/// Refused for now while a leaf is not covered by any cosigned checkpoint.
pub fn add(tx: &mut Tx<'_>, part: &mut Part, wanted: &[Wanted]) -> Result<()> {
    for witnesses in [2, 1] {
        let Some(checkpoint) = log::latest_cosigned(tx, witnesses)? else { continue };
        if let Some(leaves) = under(tx, &checkpoint, wanted)? {
            part.checkpoint = Some(checkpoint.cosigned_note());
            part.leaves = leaves;
            return Ok(());
        }
    }
    Err(not_yet().into())
}

fn under(tx: &mut Tx<'_>, checkpoint: &KeptCheckpoint, wanted: &[Wanted]) -> Result<Option<Vec<LeafProof>>> {
    let mut leaves = Vec::with_capacity(wanted.len());
    for one in wanted {
        let Some((index, path)) = log::prove(tx, &one.hash, checkpoint.size)? else { return Ok(None) };
        leaves.push(LeafProof::new(&one.leaf, index, &path));
    }
    Ok(Some(leaves))
}

/// Another city has not cosigned yet: a matter of a second or two, longer while both are down.
fn not_yet() -> Refusal {
    Refusal::not_now(
        "T01-PRF-001",
        "正在见证：还没有另一城在日志上签名，证明还不能下载",
        "Being witnessed: no other city has cosigned the log yet, so there is no proof to take",
    )
    .but("通常两秒内完成，稍后再点下载", "It usually takes two seconds; try again in a moment")
}
