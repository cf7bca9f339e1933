//! Where the hashes of a growing tree are kept (杂凑存储次序): one position each, written once, never changed.
//!
//! The order is that of Crosby and Wallach (2009, §3.3), as in Go's checksum database: a leaf's hash, then the
//! hashes of all subtrees that this leaf completes. A tree of n leaves keeps fewer than 2n hashes.

use tb_base::Violation;

use crate::hash::{Hash, TREE_SIZE_MAX, node_hash};

/// Reads stored hashes (杂凑读取): a table in production, a list in tests, tiles at an auditor's.
pub trait HashReader {
    /// The hashes at these positions, in their order; all of them or an error.
    fn read(&mut self, positions: &[u64]) -> tb_base::Result<Vec<Hash>>;
}

impl<F: FnMut(&[u64]) -> tb_base::Result<Vec<Hash>>> HashReader for F {
    fn read(&mut self, positions: &[u64]) -> tb_base::Result<Vec<Hash>> {
        self(positions)
    }
}

/// Reads, and does not trust the number of answers.
pub(crate) fn read_all(reader: &mut dyn HashReader, positions: &[u64]) -> tb_base::Result<Vec<Hash>> {
    if positions.is_empty() {
        return Ok(Vec::new());
    }
    let hashes = reader.read(positions)?;
    if hashes.len() == positions.len() {
        return Ok(hashes);
    }
    let detail = format!("{} hashes asked for, {} read", positions.len(), hashes.len());
    Err(Violation::new("inconsistent", "stored hashes", detail).into())
}

/// The position of the n-th hash of a level; level 0 holds the leaves.
pub fn stored_index(level: u32, n: u64) -> u64 {
    // The hash at (level, n) is written right after the last leaf below it, `level` places on.
    let last_leaf = ((n + 1) << level) - 1;
    stored_before(last_leaf) + u64::from(level)
}

/// How many hashes a tree of this size has stored.
pub fn stored_count(size: u64) -> u64 {
    stored_before(size)
}

/// Hashes written before leaf n: n leaves, n/2 nodes of level 1, n/4 of level 2, and so on.
fn stored_before(n: u64) -> u64 {
    // The sum of n >> i over all i is 2n less the number of ones in n.
    2 * n - u64::from(n.count_ones())
}

/// What to store for the n-th leaf (n counts from 0): its hash, then the hashes of the subtrees that it completes.
///
/// They go to the positions from `stored_index(0, n)` on; at most 62 earlier hashes are read.
pub fn stored_hashes(n: u64, leaf_hash: Hash, reader: &mut dyn HashReader) -> tb_base::Result<Vec<Hash>> {
    check_size(n.saturating_add(1))?;
    let completed = (n + 1).trailing_zeros();
    let siblings: Vec<u64> = (0..completed).map(|level| stored_index(level, (n >> level) - 1)).collect();
    let mut hashes = vec![leaf_hash];
    let mut right = leaf_hash;
    for left in read_all(reader, &siblings)? {
        right = node_hash(&left, &right);
        hashes.push(right);
    }
    Ok(hashes)
}

/// A tree may not grow beyond its maximum.
pub(crate) fn check_size(size: u64) -> Result<(), Violation> {
    if size <= TREE_SIZE_MAX {
        return Ok(());
    }
    Err(Violation::new("tree-too-large", "size", format!("{size} leaves, at most {TREE_SIZE_MAX}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_dense() {
        let mut next = 0;
        for n in 0_u64..5000 {
            assert_eq!(stored_count(n), next);
            for level in 0..=(n + 1).trailing_zeros() {
                assert_eq!(stored_index(level, n >> level), next);
                next += 1;
            }
        }
        assert!(i64::try_from(stored_count(TREE_SIZE_MAX)).is_ok());
    }

    #[test]
    fn too_large() {
        let mut none = |_: &[u64]| Ok(Vec::new());
        assert!(stored_hashes(TREE_SIZE_MAX, [0; 32], &mut none).is_err());
        assert!(stored_hashes(u64::MAX, [0; 32], &mut none).is_err());
        assert!(stored_hashes(TREE_SIZE_MAX - 2, [0; 32], &mut none).is_ok());
    }

    #[test]
    fn a_short_answer_is_noticed() {
        let mut short = |positions: &[u64]| Ok(vec![[0; 32]; positions.len() - 1]);
        assert!(stored_hashes(1, [0; 32], &mut short).is_err());
    }
}
