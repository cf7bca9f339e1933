//! Copies of logs: only what leads to a signed tree is kept, and a log that was set back gets its leaves from one.

use tb_base::{Error, NodeId, Result};
use tb_exchange::Leaf;
use tb_tlog::Hash;

use super::bench::{Bench, at};
use super::tree::{leaf, sequence, take};
use crate::log::{self, Ahead};
use crate::{Tx, mirror};

both! {
    a_copy_follows_its_log, a_copy_takes_nothing_else, a_log_takes_its_leaves_back, a_log_takes_no_other_leaves,
}

pub(super) fn city() -> NodeId {
    "430200".parse().unwrap()
}

/// The leaf that stands at an index.
fn nth(index: i64) -> Leaf {
    let within = u8::try_from(index % 200).unwrap();
    Leaf { at: at(index), base: [u8::try_from(index / 200).unwrap(); 32], ..leaf(within) }
}

async fn append(bench: &Bench, range: std::ops::Range<i64>) {
    let append =
        move |tx: &mut Tx<'_>| range.clone().try_for_each(|index| log::append(tx, &nth(index)).map(drop));
    bench.store.write("test.append", append).await.unwrap();
}

/// A log of 300 leaves on the bench.
async fn grown(bench: &Bench) {
    append(bench, 0..300).await;
    let fence = take(bench, 0, "one").await.unwrap();
    assert_eq!(sequence(bench, fence, 2_000).await.unwrap(), 0..300);
}

pub(super) async fn leaves(bench: &Bench, start: u64, end: u64) -> Vec<Vec<u8>> {
    bench.store.read("test.entries", move |tx| log::entries(tx, start..end)).await.unwrap()
}

/// The signed tree of that size, and the proof to it from a smaller one.
pub(super) async fn ahead(bench: &Bench, from: u64, size: u64) -> Ahead {
    let read = move |tx: &mut Tx<'_>| {
        let proof = if from == size { Vec::new() } else { log::consistency(tx, from, size)? };
        Ok(Ahead { size, root: log::root(tx, size)?, proof })
    };
    bench.store.read("test.ahead", read).await.unwrap()
}

pub(super) async fn extend(bench: &Bench, start: u64, leaves: Vec<Vec<u8>>, ahead: Ahead) -> Result<u64> {
    let extend = move |tx: &mut Tx<'_>| mirror::extend(tx, at(9), city(), start, &leaves, &ahead);
    bench.store.write("test.extend", extend).await
}

async fn a_copy_follows_its_log(bench: &Bench) {
    grown(bench).await;
    for (start, end, size) in [(0, 1, 7), (1, 200, 300), (200, 256, 300), (256, 300, 300)] {
        let (leaves, ahead) = (leaves(bench, start, end).await, ahead(bench, end, size).await);
        assert_eq!(extend(bench, start, leaves, ahead).await.unwrap(), end);
    }
    // Again is the same as once.
    let (first, whole) = (leaves(bench, 0, 1).await, ahead(bench, 1, 300).await);
    assert_eq!(extend(bench, 0, first, whole).await.unwrap(), 300);
    let same = |tx: &mut Tx<'_>| {
        let roots = [1, 77, 256, 300].map(|size| Ok((log::root(tx, size)?, mirror::root(tx, city(), size)?)));
        let roots = roots.into_iter().collect::<Result<Vec<(Hash, Hash)>>>()?;
        let tiles = (log::tile(tx, 1, 0, 1)?, mirror::tile(tx, city(), 1, 0, 1)?);
        let entries = (log::entries(tx, 256..300)?, mirror::entries(tx, city(), 256..300)?);
        Ok(roots.into_iter().all(|(log, copy)| log == copy) && tiles.0 == tiles.1 && entries.0 == entries.1)
    };
    assert!(bench.store.read("test.same", same).await.unwrap());
    let beyond = bench.store.read("test.beyond", |tx| mirror::entries(tx, city(), 299..301)).await;
    assert!(matches!(beyond, Err(Error::Refused(_))));
}

async fn a_copy_takes_nothing_else(bench: &Bench) {
    grown(bench).await;
    let (mut changed, true_ahead) = (leaves(bench, 0, 20).await, ahead(bench, 20, 300).await);
    changed[7][60] ^= 1;
    assert!(matches!(extend(bench, 0, changed, true_ahead.clone()).await, Err(Error::Violation(_))));
    let mut left_out = leaves(bench, 0, 20).await;
    left_out.remove(3);
    assert!(extend(bench, 0, left_out, true_ahead.clone()).await.is_err());
    let other = Ahead { root: [6; 32], ..true_ahead };
    assert!(extend(bench, 0, leaves(bench, 0, 20).await, other).await.is_err());
    assert_eq!(bench.store.read("test.size", |tx| mirror::size(tx, city())).await.unwrap(), 0);
}

/// A second store is the first as it was: some leaves have their index, one waits that has one in the copy.
async fn set_back(bench: &Bench, name: &str) -> Bench {
    let old = if bench.is_postgres() { Bench::postgres(name).await } else { Bench::sqlite(name).await };
    append(&old, 0..100).await;
    let fence = take(&old, 0, "one").await.unwrap();
    sequence(&old, fence, 2_000).await.unwrap();
    append(&old, 100..101).await;
    old
}

async fn adopt(bench: &Bench, leaves: Vec<Vec<u8>>, ahead: Ahead) -> Result<u64> {
    let fence = take(bench, 100, "two").await.unwrap();
    let adopt = move |tx: &mut Tx<'_>| log::adopt(tx, at(100), fence, 100, &leaves, &ahead);
    bench.store.write("test.adopt", adopt).await
}

async fn a_log_takes_its_leaves_back(bench: &Bench) {
    grown(bench).await;
    let old = set_back(bench, "takes_back").await;
    let (lost, whole) = (leaves(bench, 100, 300).await, ahead(bench, 300, 300).await);
    assert_eq!(adopt(&old, lost, whole.clone()).await.unwrap(), 300);
    assert_eq!(leaves(&old, 0, 256).await, leaves(bench, 0, 256).await);
    assert_eq!(leaves(&old, 256, 300).await, leaves(bench, 256, 300).await);
    assert_eq!(old.store.read("test.root", |tx| log::root(tx, 300)).await.unwrap(), whole.root);
    assert_eq!(old.store.read("test.waiting", log::waiting).await.unwrap(), 0);
    // The log goes on behind them.
    append(&old, 299..301).await;
    let fence = take(&old, 100, "two").await.unwrap();
    assert_eq!(sequence(&old, fence, 10).await.unwrap(), 300..301);
}

async fn a_log_takes_no_other_leaves(bench: &Bench) {
    grown(bench).await;
    let old = set_back(bench, "takes_no_other").await;
    let (mut lost, whole) = (leaves(bench, 100, 300).await, ahead(bench, 300, 300).await);
    lost[5][100] ^= 1;
    assert!(matches!(adopt(&old, lost, whole.clone()).await, Err(Error::Violation(_))));
    let again = leaves(bench, 99, 299).await;
    assert!(adopt(&old, again, whole).await.is_err());
    assert_eq!(old.store.read("test.size", log::size).await.unwrap(), 100);
    assert_eq!(old.store.read("test.waiting", log::waiting).await.unwrap(), 1);
}
