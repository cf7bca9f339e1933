//! Every tree up to 300 leaves against RFC 6962 written down as it reads, for every leaf and every pair of sizes.

use proptest::prelude::*;

use super::*;
use crate::hash::leaf_hash;
use crate::stored::{stored_count, stored_hashes};
use crate::verify::{verify_consistency, verify_inclusion};
use tb_crypto::text::{hex, unhex};

/// Trees are tried up to this many leaves.
const LEAVES: u64 = 300;

/// A log in memory: all stored hashes in their order.
#[derive(Default)]
pub(crate) struct Memory(pub(crate) Vec<Hash>, pub(crate) u64);

impl HashReader for Memory {
    fn read(&mut self, positions: &[u64]) -> tb_base::Result<Vec<Hash>> {
        Ok(positions.iter().map(|position| self.0[usize::try_from(*position).unwrap()]).collect())
    }
}

impl Memory {
    pub(crate) fn push(&mut self, leaf: &[u8]) {
        let hashes = stored_hashes(self.1, leaf_hash(leaf), self).unwrap();
        self.0.extend(hashes);
        self.1 += 1;
        assert_eq!(self.0.len() as u64, stored_count(self.1));
    }

    /// Leaves are their numbers, with a mark that tells forks apart.
    pub(crate) fn of(size: u64, mark: &str) -> Memory {
        let mut log = Memory::default();
        (0..size).for_each(|n| log.push(format!("{mark}{n}").as_bytes()));
        log
    }
}

/// MTH(D) of RFC 6962 §2.1.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(naive_split(leaves.len()));
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

fn naive_split(n: usize) -> usize {
    (0..).map(|power| 1 << power).take_while(|k| *k < n).last().unwrap()
}

/// PATH(m, D) of RFC 6962 §2.1.1.
fn naive_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return vec![];
    }
    let k = naive_split(leaves.len());
    let (left, right) = leaves.split_at(k);
    if m < k {
        [naive_path(m, left), vec![naive_root(right)]].concat()
    } else {
        [naive_path(m - k, right), vec![naive_root(left)]].concat()
    }
}

/// SUBPROOF(m, D, b) of RFC 6962 §2.1.2.
fn naive_subproof(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if whole { vec![] } else { vec![naive_root(leaves)] };
    }
    let k = naive_split(leaves.len());
    let (left, right) = leaves.split_at(k);
    if m <= k {
        [naive_subproof(m, left, whole), vec![naive_root(right)]].concat()
    } else {
        [naive_subproof(m - k, right, false), vec![naive_root(left)]].concat()
    }
}

fn leaf_hashes(size: u64) -> Vec<Hash> {
    (0..size).map(|n| leaf_hash(n.to_string().as_bytes())).collect()
}

#[test]
fn roots_of_the_reference() {
    // Leaves and roots of the test data of Certificate Transparency.
    let mut log = Memory::default();
    assert_eq!(tree_root(0, &mut log).unwrap(), EMPTY_ROOT);
    for (leaf, root) in [
        ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
        ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
        ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
        ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
        (
            "606162636465666768696a6b6c6d6e6f",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ),
    ] {
        log.push(&unhex(leaf).unwrap());
        let size = log.1;
        assert_eq!(hex(&tree_root(size, &mut log).unwrap()), root);
    }
}

#[test]
fn inclusion_of_every_leaf() {
    let (mut log, leaves) = (Memory::of(LEAVES, ""), leaf_hashes(LEAVES));
    for size in 1..=LEAVES {
        let tree = &leaves[..usize::try_from(size).unwrap()];
        let root = tree_root(size, &mut log).unwrap();
        assert_eq!(root, naive_root(tree), "{size}");
        for (index, leaf) in tree.iter().enumerate() {
            let place = index as u64;
            let proof = prove_inclusion(place, size, &mut log).unwrap();
            if size < 100 || size % 16 < 2 {
                assert_eq!(proof, naive_path(index, tree), "{index} of {size}");
            }
            verify_inclusion(leaf, place, size, &proof, &root).unwrap();
        }
    }
}

#[test]
fn consistency_of_every_pair() {
    let (mut log, leaves) = (Memory::of(LEAVES, ""), leaf_hashes(LEAVES));
    let roots: Vec<Hash> = (0..=LEAVES).map(|size| tree_root(size, &mut log).unwrap()).collect();
    let root = |size: u64| &roots[usize::try_from(size).unwrap()];
    for size in 0..=LEAVES {
        let tree = &leaves[..usize::try_from(size).unwrap()];
        for old in 0..=size {
            let proof = prove_consistency(old, size, &mut log).unwrap();
            if 0 < old && (size < 100 || size % 16 < 2) {
                assert_eq!(
                    proof,
                    naive_subproof(usize::try_from(old).unwrap(), tree, true),
                    "{old} of {size}"
                );
            }
            verify_consistency(old, root(old), size, root(size), &proof).unwrap();
        }
    }
}

#[test]
fn impossible_proofs() {
    let mut log = Memory::of(5, "");
    assert!(prove_inclusion(5, 5, &mut log).is_err());
    assert!(prove_inclusion(0, 0, &mut log).is_err());
    assert!(prove_consistency(6, 5, &mut log).is_err());
    assert!(tree_root(u64::MAX, &mut log).is_err());
}

/// Bends a proof in one of the ways a forger would.
fn bend(proof: &mut Vec<Hash>, at: prop::sample::Index, way: u8) {
    let end = proof.len();
    match way {
        0 => proof.push([0; 32]),
        1 => proof.insert(0, [7; 32]),
        2 if 0 < end => drop(proof.remove(at.index(end))),
        3 if 1 < end && proof[at.index(end)] != proof[(at.index(end) + 1) % end] => {
            proof.swap(at.index(end), (at.index(end) + 1) % end);
        }
        _ if 0 < end => proof[at.index(end)][5] ^= 1,
        _ => proof.push([1; 32]),
    }
}

proptest! {
    #[test]
    fn bent_inclusion_fails(size in 1_u64..LEAVES, index: prop::sample::Index, at: prop::sample::Index, way in 0_u8..5) {
        let mut log = Memory::of(size, "");
        let place = index.index(usize::try_from(size).unwrap()) as u64;
        let leaf = leaf_hash(place.to_string().as_bytes());
        let root = tree_root(size, &mut log).unwrap();
        let mut proof = prove_inclusion(place, size, &mut log).unwrap();
        prop_assert!(verify_inclusion(&leaf, place, size, &proof, &[0; 32]).is_err());
        prop_assert!(verify_inclusion(&leaf_hash(b"other"), place, size, &proof, &root).is_err());
        for other in 0..size {
            prop_assert_eq!(other == place, verify_inclusion(&leaf, other, size, &proof, &root).is_ok());
        }
        bend(&mut proof, at, way);
        prop_assert!(verify_inclusion(&leaf, place, size, &proof, &root).is_err());
    }

    #[test]
    fn bent_consistency_fails(size in 1_u64..LEAVES, old: prop::sample::Index, at: prop::sample::Index, way in 0_u8..5) {
        let (mut log, mut fork) = (Memory::of(size, ""), Memory::of(size, "fork"));
        let old = old.index(usize::try_from(size).unwrap()) as u64;
        let (old_root, root) = (tree_root(old, &mut log).unwrap(), tree_root(size, &mut log).unwrap());
        let mut proof = prove_consistency(old, size, &mut log).unwrap();
        let forked = tree_root(size, &mut fork).unwrap();
        if 0 < old {
            prop_assert!(verify_consistency(old, &old_root, size, &forked, &proof).is_err());
            let forged = prove_consistency(old, size, &mut fork).unwrap();
            prop_assert!(verify_consistency(old, &old_root, size, &forked, &forged).is_err());
        }
        bend(&mut proof, at, way);
        prop_assert!(verify_consistency(old, &old_root, size, &root, &proof).is_err());
    }

    #[test]
    fn any_proof_is_survived(old: u64, size: u64, proof in prop::collection::vec(any::<[u8; 32]>(), 0..70)) {
        prop_assert!(verify_consistency(old, &[1; 32], size, &[2; 32], &proof).is_err());
        prop_assert!(verify_inclusion(&[1; 32], old, size, &proof, &[2; 32]).is_err());
    }
}
