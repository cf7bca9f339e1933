//! The log: indexes without gaps, proofs that hold, one sequencer.

use tb_base::{Error, MessageId, Result};
use tb_exchange::{Leaf, LeafKind};
use tb_tlog::{Hash, leaf_hash, stored_count, stored_index, verify_consistency, verify_inclusion};

use super::bench::{Bench, at, ctx};
use crate::log::{self, Fence, WitnessState};
use crate::{Tx, params, stmt};

both! {
    proofs_hold_at_every_size, the_order_is_that_of_time, one_leaf_stands_once, one_sequencer_at_a_time,
    an_old_token_is_void, two_sequencers_at_once_leave_no_gap, tiles_and_entries, checkpoints_grow,
    cosignatures_are_counted, a_witness_moves_once,
}

pub(super) fn leaf(number: u8) -> Leaf {
    let ctx = ctx(i64::from(number));
    Leaf {
        kind: LeafKind::Case,
        at: ctx.now,
        id: ctx.id(MessageId::new),
        contract: [0; 16],
        content: [number; 32],
        base: [0; 32],
        subject: [0; 32],
    }
}

async fn append(bench: &Bench, numbers: std::ops::Range<u8>) {
    let append = move |tx: &mut Tx<'_>| {
        numbers.clone().try_for_each(|number| log::append(tx, &leaf(number)).map(drop))
    };
    bench.store.write("test.append", append).await.unwrap();
}

pub(super) async fn take(bench: &Bench, seconds: i64, holder: &'static str) -> Option<Fence> {
    bench.store.write("test.take", move |tx| log::take(tx, at(seconds), holder, 10)).await.unwrap()
}

pub(super) async fn sequence(bench: &Bench, fence: Fence, max: u32) -> Result<std::ops::Range<u64>> {
    bench.store.write("test.sequence", move |tx| log::sequence(tx, fence, max)).await
}

/// The tree as RFC 6962 defines it, over all leaves at once.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => tb_tlog::EMPTY_ROOT,
        [leaf] => *leaf,
        leaves => {
            let split = 1 << (usize::BITS - 1 - (leaves.len() - 1).leading_zeros());
            tb_tlog::node_hash(&naive_root(&leaves[..split]), &naive_root(&leaves[split..]))
        }
    }
}

async fn proofs_hold_at_every_size(bench: &Bench) {
    append(bench, 0..23).await;
    let fence = take(bench, 0, "one").await.unwrap();
    assert_eq!(sequence(bench, fence, 5).await.unwrap(), 0..5);
    assert_eq!(sequence(bench, fence, 100).await.unwrap(), 5..23);
    assert_eq!(sequence(bench, fence, 100).await.unwrap(), 23..23);
    let check = |tx: &mut Tx<'_>| {
        let leaves: Vec<Hash> = log::entries(tx, 0..23)?.iter().map(|entry| leaf_hash(entry)).collect();
        for size in 1..=23_u64 {
            let root = log::root(tx, size)?;
            assert_eq!(root, naive_root(&leaves[..size as usize]));
            for (at, leaf) in leaves.iter().enumerate() {
                match log::prove(tx, leaf, size)? {
                    Some((index, proof)) => {
                        assert_eq!(index, at as u64);
                        verify_inclusion(leaf, index, size, &proof, &root).unwrap();
                    }
                    None => assert!(size <= at as u64),
                }
            }
            let proof = log::consistency(tx, size, 23)?;
            let newest = log::root(tx, 23)?;
            verify_consistency(size, &root, 23, &newest, &proof).unwrap();
        }
        assert!(log::root(tx, 24).is_err());
        assert_eq!(log::prove(tx, &[1; 32], 23)?, None);
        Ok(())
    };
    bench.store.read("test.check", check).await.unwrap();
}

async fn the_order_is_that_of_time(bench: &Bench) {
    append(bench, 6..9).await;
    append(bench, 2..4).await;
    let fence = take(bench, 0, "one").await.unwrap();
    sequence(bench, fence, 100).await.unwrap();
    let entries = bench.store.read("test.entries", |tx| log::entries(tx, 0..5)).await.unwrap();
    let contents: Vec<u8> = entries.iter().map(|entry| Leaf::decode(entry).unwrap().content[0]).collect();
    assert_eq!(contents, [2, 3, 6, 7, 8]);
}

async fn one_leaf_stands_once(bench: &Bench) {
    append(bench, 1..2).await;
    append(bench, 1..2).await;
    let fence = take(bench, 0, "one").await.unwrap();
    assert_eq!(sequence(bench, fence, 100).await.unwrap(), 0..1);
    append(bench, 1..2).await;
    assert_eq!(sequence(bench, fence, 100).await.unwrap(), 1..1);
}

async fn one_sequencer_at_a_time(bench: &Bench) {
    let fence = take(bench, 0, "one").await.unwrap();
    assert_eq!(take(bench, 5, "two").await, None);
    assert_eq!(take(bench, 5, "one").await, Some(fence));
    assert_eq!(take(bench, 14, "two").await, None);
    bench.store.write("test.release", move |tx| log::release(tx, at(14), fence)).await.unwrap();
    assert!(take(bench, 14, "two").await.is_some());
}

async fn an_old_token_is_void(bench: &Bench) {
    append(bench, 0..3).await;
    let old = take(bench, 0, "one").await.unwrap();
    let new = take(bench, 60, "two").await.unwrap();
    assert!(matches!(sequence(bench, old, 100).await, Err(Error::Fault(_))));
    assert_eq!(sequence(bench, new, 100).await.unwrap(), 0..3);
    // A process that wakes up late does not take the log back by giving up what it no longer has.
    bench.store.write("test.release", move |tx| log::release(tx, at(61), old)).await.unwrap();
    assert_eq!(take(bench, 61, "three").await, None);
}

async fn two_sequencers_at_once_leave_no_gap(bench: &Bench) {
    append(bench, 0..120).await;
    let fence = take(bench, 0, "one").await.unwrap();
    let tries: Vec<_> = (0..12)
        .map(|_| {
            let store = bench.store.clone();
            tokio::spawn(
                async move { store.write("test.sequence", move |tx| log::sequence(tx, fence, 10)).await },
            )
        })
        .collect();
    let mut ranges = Vec::new();
    for range in tries {
        ranges.push(range.await.unwrap().unwrap());
    }
    ranges.sort_by_key(|range| range.start);
    assert_eq!(ranges, (0..12).map(|at| at * 10..at * 10 + 10).collect::<Vec<_>>());
    let (size, hashes) = bench
        .store
        .read("test.size", |tx| {
            let count = stmt("test.hashes", "SELECT COUNT(*) AS hashes FROM store_hash");
            Ok((log::size(tx)?, tx.one(&count, params![])?.unwrap().get::<u64>("hashes")?))
        })
        .await
        .unwrap();
    assert_eq!((size, hashes), (120, stored_count(120)));
}

async fn tiles_and_entries(bench: &Bench) {
    append(bench, 0..250).await;
    let more = |tx: &mut Tx<'_>| {
        (0..20_u8).try_for_each(|number| log::append(tx, &Leaf { base: [1; 32], ..leaf(number) }).map(drop))
    };
    bench.store.write("test.append", more).await.unwrap();
    let fence = take(bench, 0, "one").await.unwrap();
    assert_eq!(sequence(bench, fence, 1_000).await.unwrap(), 0..270);
    let check = |tx: &mut Tx<'_>| {
        let full = log::tile(tx, 0, 0, 256)?;
        let rest = log::tile(tx, 0, 1, 14)?;
        let upper = log::tile(tx, 1, 0, 1)?;
        assert_eq!(naive_root(&full), upper[0]);
        let all: Vec<Hash> = full.into_iter().chain(rest).collect();
        assert_eq!(naive_root(&all), log::root(tx, 270)?);
        for (level, index, width) in
            [(0, 1, 15), (0, 0, 0), (0, 0, 257), (1, 0, 2), (1, 1, 1), (2, 0, 1), (9, 0, 1), (0, u64::MAX, 1)]
        {
            assert!(
                matches!(log::tile(tx, level, index, width), Err(Error::Refused(_))),
                "{level} {index} {width}"
            );
        }
        assert_eq!(log::entries(tx, 0..270)?.len(), 256);
        assert_eq!(log::entries(tx, 256..270)?.len(), 14);
        assert!(log::entries(tx, 256..271).is_err());
        Ok(())
    };
    bench.store.read("test.check", check).await.unwrap();
}

async fn put(bench: &Bench, size: u64, root: u8, note: &'static str) -> Result<()> {
    bench.store.write("test.put", move |tx| log::put_checkpoint(tx, at(1), size, &[root; 32], note)).await
}

async fn checkpoints_grow(bench: &Bench) {
    put(bench, 5, 1, "five\n").await.unwrap();
    put(bench, 5, 1, "five again\n").await.unwrap();
    put(bench, 8, 2, "eight\n").await.unwrap();
    assert!(
        matches!(put(bench, 8, 3, "fork\n").await, Err(Error::Violation(violation)) if violation.code == "fork")
    );
    assert!(
        matches!(put(bench, 7, 1, "back\n").await, Err(Error::Violation(violation)) if violation.code == "fork")
    );
    let latest = bench.store.read("test.latest", log::latest).await.unwrap().unwrap();
    assert_eq!((latest.size, latest.note.as_str()), (8, "eight\n"));
    let five = bench.store.read("test.five", |tx| log::checkpoint(tx, 5)).await.unwrap().unwrap();
    assert_eq!(five.note, "five again\n");
}

async fn cosignatures_are_counted(bench: &Bench) {
    for size in [5, 8, 9] {
        put(bench, size, 1, "note\n").await.unwrap();
    }
    let add = |size: u64, witness: &'static str, line: &'static str| {
        bench.store.write("test.add", move |tx| log::add_cosignature(tx, at(2), size, witness, line))
    };
    add(5, "430200", "— a").await.unwrap();
    add(5, "430300", "— b").await.unwrap();
    add(8, "430300", "— c").await.unwrap();
    add(8, "430300", "— d\n").await.unwrap();
    assert!(add(7, "430300", "— e").await.is_err());
    let find = |min: u32| bench.store.read("test.cosigned", move |tx| log::latest_cosigned(tx, min));
    assert_eq!(find(0).await.unwrap().unwrap().size, 9);
    assert_eq!(find(1).await.unwrap().unwrap().cosigned_note(), "note\n— d\n");
    assert_eq!(find(2).await.unwrap().unwrap().cosigned_note(), "note\n— a\n— b\n");
    assert_eq!(find(3).await.unwrap(), None);
}

async fn a_witness_moves_once(bench: &Bench) {
    let state = |size: u64| WitnessState {
        origin: "tongban/430300".to_owned(),
        size,
        root: [4; 32],
        note: "n".to_owned(),
        at: at(1),
    };
    let put = |from: Option<u64>, size: u64| {
        let state = state(size);
        bench.store.write("test.witness", move |tx| log::put_witness_state(tx, from, &state))
    };
    put(None, 3).await.unwrap();
    assert!(matches!(put(None, 4).await, Err(Error::Refused(_))));
    put(Some(3), 7).await.unwrap();
    assert!(matches!(put(Some(3), 8).await, Err(Error::Refused(_))));
    assert!(matches!(put(Some(7), 6).await, Err(Error::Refused(_))));
    let kept = bench.store.read("test.witness", |tx| log::witness_state(tx, "tongban/430300")).await.unwrap();
    assert_eq!(kept, Some(state(7)));
}

#[test]
fn stored_positions_fit_a_column() {
    assert!(i64::try_from(stored_index(0, tb_tlog::TREE_SIZE_MAX - 1)).is_ok());
}
