//! Tamper-evident log (防篡改日志): Merkle tree, proofs, checkpoints, signed notes, tiles and witnesses.
//!
//! Layer 1 and pure: it stores nothing and sends nothing. Hashes are read through [`HashReader`],
//! decisions are values. Tree and proofs are RFC 6962 §2.1; texts and files follow C2SP
//! (signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles, tlog-witness, tlog-proof).

mod checkpoint;
mod hash;
pub mod note;
mod proof;
mod prove;
mod stored;
pub mod tile;
mod verify;
pub mod witness;

pub use checkpoint::Checkpoint;
pub use hash::{EMPTY_ROOT, Hash, TREE_SIZE_MAX, leaf_hash, node_hash};
pub use proof::{LogProof, Proven};
pub use prove::{prove_consistency, prove_inclusion, tree_root};
pub use stored::{HashReader, stored_count, stored_hashes, stored_index};
pub use verify::{verify_consistency, verify_inclusion};
