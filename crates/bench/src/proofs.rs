//! The log: proofs over a large tree, made and checked, and what one exchange decides by its contract.

use tb_crypto::sha256;
use tb_tlog::{Hash, leaf_hash, prove_inclusion, stored_hashes, tree_root, verify_inclusion};

use crate::measure::{Effort, Outcome, Series, Times, moment, rate_of, words};
use crate::region::{CityCaller, Region};
use crate::report::{Line, Section, Target, number};

/// Leaves of the tree.
const LEAVES: u64 = 4_000_000;
/// Decisions whose times are taken one by one.
const DECISIONS: usize = 50_000;

/// Measures the log's growth in memory, proofs, and decisions.
pub fn run(effort: Effort) -> Outcome<Section> {
    let leaves = effort.of(LEAVES, 1_000_000);
    let begun = moment();
    let stored = grow(leaves)?;
    let append = leaves as f64 / begun.elapsed().as_secs_f64();
    let root = tree_root(leaves, &mut reader(&stored)).map_err(words)?;
    let [mut made, mut checked] = <[Series; 2]>::default();
    for _ in 0..effort.rounds {
        let mut index = 0;
        let each = rate_of(effort, || {
            index = next(index, leaves);
            std::hint::black_box(prove_inclusion(index, leaves, &mut reader(&stored)).map_err(words)?);
            Ok(())
        })?;
        made.add(1e6 / each);
        let index = next(index, leaves);
        let proof = prove_inclusion(index, leaves, &mut reader(&stored)).map_err(words)?;
        let leaf = leaf_of(index);
        let each = rate_of(effort, || verify_inclusion(&leaf, index, leaves, &proof, &root).map_err(words))?;
        checked.add(1e6 / each);
    }
    drop(stored);
    let decisions = decide(effort)?;
    let size = number(leaves as f64);
    Ok(Section {
        lines: vec![
            Line::alone(format!("log: inclusion proof over {size} leaves, made"), "µs", made, Target::AtMost(200.0)),
            Line::alone("log: inclusion proof, checked without its signatures", "µs", checked, Target::AtMost(50.0)),
            Line::alone("log: leaves hashed and put into the tree, one core", "/s", Series(vec![append]), Target::Open),
            Line::alone("decision on one message: contract, purpose, quota; p99", "µs", decisions, Target::AtMost(20.0)),
        ],
        notes: vec![
            "The tree's hashes lie in memory, in the order in which the store keeps them; places are taken at random.".to_owned(),
            format!("The decision is what a city checks of a verified head before it stores the message (`Desk::admit` and the quota), one time for each of {} messages.", number(effort.of(DECISIONS, DECISIONS / 10) as f64)),
        ],
        tables: Vec::new(),
    })
}

fn leaf_of(index: u64) -> Hash {
    leaf_hash(&sha256(&index.to_be_bytes()))
}

fn grow(leaves: u64) -> Outcome<Vec<Hash>> {
    let mut stored: Vec<Hash> = Vec::new();
    for index in 0..leaves {
        let hashes = stored_hashes(index, leaf_of(index), &mut reader(&stored)).map_err(words)?;
        stored.extend(hashes);
    }
    Ok(stored)
}

fn reader(stored: &[Hash]) -> impl FnMut(&[u64]) -> tb_base::Result<Vec<Hash>> {
    |positions| Ok(positions.iter().filter_map(|at| stored.get(*at as usize).copied()).collect())
}

fn next(index: u64, leaves: u64) -> u64 {
    (index.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 20) % leaves
}

/// The time that 99 of 100 decisions did not exceed, round by round, in microseconds.
fn decide(effort: Effort) -> Outcome<Series> {
    let region = Region::start()?;
    let decided = decide_in(&region, effort);
    region.stop();
    decided
}

fn decide_in(region: &Region, effort: Effort) -> Outcome<Series> {
    let (asking, answering) = match region.cities.as_slice() {
        [asking, answering, ..] => (asking, answering),
        _ => return Err("two cities are needed".to_owned()),
    };
    let caller = CityCaller::new(asking, &serde_json::json!({ "name": "驾驶证" }));
    let (ctx, message) = caller.compose()?;
    let mut series = Series::default();
    for _ in 0..effort.rounds {
        let mut times = Times::default();
        for _ in 0..effort.of(DECISIONS, DECISIONS / 10) {
            let begun = moment();
            answering.desk.admit(std::hint::black_box(&message.envelope), ctx.now).map_err(words)?;
            answering.desk.check_quota(&message.envelope, 17).map_err(words)?;
            times.0.push(begun.elapsed());
        }
        series.add(times.percentile(99) * 1_000.0);
    }
    Ok(series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_of_the_grown_tree_is_good() {
        let stored = grow(1_000).unwrap();
        let root = tree_root(1_000, &mut reader(&stored)).unwrap();
        for index in [0, 1, 511, 512, 999] {
            let proof = prove_inclusion(index, 1_000, &mut reader(&stored)).unwrap();
            assert!(verify_inclusion(&leaf_of(index), index, 1_000, &proof, &root).is_ok());
            assert!(verify_inclusion(&leaf_of(index + 1), index, 1_000, &proof, &root).is_err());
        }
    }
}
