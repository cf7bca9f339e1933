//! Verification of proofs (证明验证) without the tree: RFC 9162 §2.1.3.2 and §2.1.4.2.
//!
//! Written as loops over the bits of the sizes, unlike the prover: an error in one does not hide in the other.

use tb_base::Violation;

use crate::hash::{EMPTY_ROOT, Hash, node_hash};
use crate::stored::check_size;

/// Whether a leaf stands at `index` in the tree of this size and root.
pub fn verify_inclusion(
    leaf_hash: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), Violation> {
    check_size(size)?;
    if size <= index {
        return Err(bad("inclusion"));
    }
    let (mut place, mut last) = (index, size - 1);
    let mut hash = *leaf_hash;
    for sibling in proof {
        if last == 0 {
            return Err(bad("inclusion"));
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(sibling, &hash);
            // A node without a right sibling stands for itself on the levels above.
            let skipped = if place & 1 == 1 { 0 } else { place.trailing_zeros() };
            (place, last) = (place >> skipped, last >> skipped);
        } else {
            hash = node_hash(&hash, sibling);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(bad("inclusion")) }
}

/// Whether the tree of `old` leaves and its root are the beginning of the tree of `size` leaves and its root.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), Violation> {
    check_size(size)?;
    let valid = if size < old {
        false
    } else if old == size {
        proof.is_empty() && old_root == root && (0 < size || *root == EMPTY_ROOT)
    } else if old == 0 {
        proof.is_empty() && *old_root == EMPTY_ROOT
    } else {
        roots(old, old_root, size, proof) == Some((*old_root, *root))
    };
    if valid { Ok(()) } else { Err(bad("consistency")) }
}

/// Both roots as the proof implies them, for 0 < old < size.
fn roots(old: u64, old_root: &Hash, size: u64, proof: &[Hash]) -> Option<(Hash, Hash)> {
    // An old tree that is one perfect subtree is known already and left out of the proof.
    let whole;
    let path = if old.is_power_of_two() {
        whole = [&[*old_root], proof].concat();
        &whole
    } else {
        proof
    };
    let (first, rest) = path.split_first()?;
    let shared = (old - 1).trailing_ones();
    let (mut place, mut last) = ((old - 1) >> shared, (size - 1) >> shared);
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            let skipped = if place & 1 == 1 { 0 } else { place.trailing_zeros() };
            (place, last) = (place >> skipped, last >> skipped);
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    (last == 0).then_some((old_hash, new_hash))
}

fn bad(component: &'static str) -> Violation {
    Violation::new("proof-invalid", component, "the proof does not lead to the root")
}
