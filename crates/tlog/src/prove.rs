//! Root and proofs of a stored tree (存证证明), RFC 6962 §2.1.1 and §2.1.2.
//!
//! A proof is a list of hashes of leaf ranges, deepest first; each range is read as the perfect subtrees it is made of.

use std::ops::Range;

use tb_base::Violation;

use crate::hash::{EMPTY_ROOT, Hash, node_hash, split};
use crate::stored::{HashReader, check_size, read_all, stored_index};

/// The root of the tree of the first `size` leaves; reads at most 62 hashes.
pub fn tree_root(size: u64, reader: &mut dyn HashReader) -> tb_base::Result<Hash> {
    check_size(size)?;
    if size == 0 {
        return Ok(EMPTY_ROOT);
    }
    let whole = 0..size;
    let hashes = range_hashes(&[whole], reader)?;
    Ok(hashes[0])
}

/// Proof that a leaf stands in the tree of the first `size` leaves (包含证明).
pub fn prove_inclusion(index: u64, size: u64, reader: &mut dyn HashReader) -> tb_base::Result<Vec<Hash>> {
    check_size(size)?;
    if size <= index {
        return Err(bad(format!("leaf {index} is not in a tree of {size}")).into());
    }
    range_hashes(&inclusion_ranges(index, size), reader)
}

/// Proof that the tree of `old` leaves is the beginning of the tree of `size` leaves (一致性证明).
pub fn prove_consistency(old: u64, size: u64, reader: &mut dyn HashReader) -> tb_base::Result<Vec<Hash>> {
    check_size(size)?;
    if size < old {
        return Err(bad(format!("a tree of {size} does not contain one of {old}")).into());
    }
    range_hashes(&consistency_ranges(old, size), reader)
}

/// The siblings on the way from the root down to a leaf, deepest first.
fn inclusion_ranges(index: u64, size: u64) -> Vec<Range<u64>> {
    let (mut low, mut high) = (0, size);
    let mut ranges = Vec::new();
    while 1 < high - low {
        let middle = low + split(high - low);
        if index < middle {
            ranges.push(middle..high);
            high = middle;
        } else {
            ranges.push(low..middle);
            low = middle;
        }
    }
    ranges.reverse();
    ranges
}

/// The siblings on the way down to the last subtree of the old tree, and that subtree unless it is the whole old tree.
fn consistency_ranges(old: u64, size: u64) -> Vec<Range<u64>> {
    let (mut low, mut high) = (0, size);
    let mut ranges = Vec::new();
    if old == 0 {
        // Everything extends the empty tree; RFC 6962 gives no proof and none is needed.
        return ranges;
    }
    while old != high {
        let middle = low + split(high - low);
        if old <= middle {
            ranges.push(middle..high);
            high = middle;
        } else {
            ranges.push(low..middle);
            low = middle;
        }
    }
    if 0 < low {
        ranges.push(low..high);
    }
    ranges.reverse();
    ranges
}

/// Hashes of ranges, with one read for all of them.
fn range_hashes(ranges: &[Range<u64>], reader: &mut dyn HashReader) -> tb_base::Result<Vec<Hash>> {
    let subtrees: Vec<Vec<u64>> = ranges.iter().map(subtrees).collect();
    let mut read = read_all(reader, &subtrees.concat())?.into_iter();
    let hashes =
        subtrees.iter().map(|positions| fold(&read.by_ref().take(positions.len()).collect::<Vec<_>>()));
    Ok(hashes.collect())
}

/// Positions of the perfect subtrees that a range is made of, left to right.
fn subtrees(range: &Range<u64>) -> Vec<u64> {
    let (mut low, mut positions) = (range.start, Vec::new());
    while low < range.end {
        let level = (range.end - low).ilog2();
        debug_assert_eq!(low % (1 << level), 0, "ranges of a tree start where their subtrees do");
        positions.push(stored_index(level, low >> level));
        low += 1 << level;
    }
    positions
}

/// The hash of a range from the hashes of its subtrees, joined from the right.
fn fold(hashes: &[Hash]) -> Hash {
    let joined = hashes.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
    joined.unwrap_or(EMPTY_ROOT)
}

fn bad(detail: String) -> Violation {
    Violation::new("proof-impossible", "log", detail)
}

#[cfg(test)]
pub(crate) mod tests;
