//! Leaves that a city owes: paid by its log, whenever they come; missing where the log does not hold them.

use tb_base::Timestamp;
use tb_exchange::{Leaf, LeafKind};

use super::bench::{Bench, at};
use super::messages::id;
use super::mirror::{ahead, city, extend, leaves};
use super::tree::{leaf, sequence, take};
use crate::owed::{self, OWED_SECONDS_MAX, Owed, Search};
use crate::{Tx, log};

both! {
    a_leaf_that_comes_is_paid, a_leaf_that_came_before_is_paid, what_is_left_out_is_missing_once,
    another_leaf_pays_nothing, a_leaf_that_is_acknowledged_anew_pays,
    nobody_is_accused_before_the_whole_log_was_searched,
}

/// Long enough after the seconds of these tests.
fn late() -> Timestamp {
    at(100 + OWED_SECONDS_MAX)
}

fn received(number: u8) -> Leaf {
    Leaf { kind: LeafKind::Received, id: id(number), ..leaf(number) }
}

async fn owe(bench: &Bench, number: u8) {
    let leaf = log::hash_of(&received(number));
    let owe =
        move |tx: &mut Tx<'_>| owed::owe(tx, at(50), city(), id(number), LeafKind::Received, Some(leaf));
    bench.store.write("test.owe", owe).await.unwrap();
}

/// The city's log holds these leaves, and so does the copy.
async fn published(bench: &Bench, held: Vec<Leaf>) {
    let count = held.len() as u64;
    let append = move |tx: &mut Tx<'_>| held.iter().try_for_each(|leaf| log::append(tx, leaf).map(drop));
    bench.store.write("test.append", append).await.unwrap();
    let fence = take(bench, 0, "one").await.unwrap();
    sequence(bench, fence, 2_000).await.unwrap();
    let (leaves, ahead) = (leaves(bench, 0, count).await, ahead(bench, count, count).await);
    assert_eq!(extend(bench, 0, leaves, ahead).await.unwrap(), count);
}

async fn look_after(bench: &Bench, now: Timestamp) -> Vec<Owed> {
    let looked =
        bench.store.write("test.look", move |tx| owed::look_after(tx, now, city(), None)).await.unwrap();
    assert_eq!(looked.rest, None, "the whole log was searched");
    looked.missing
}

async fn is_open(bench: &Bench) -> bool {
    bench.store.read("test.open", owed::is_open).await.unwrap()
}

async fn a_leaf_that_comes_is_paid(bench: &Bench) {
    owe(bench, 1).await;
    assert!(is_open(bench).await);
    published(bench, vec![received(1), received(2)]).await;
    assert!(!is_open(bench).await);
    assert_eq!(look_after(bench, late()).await, []);
}

async fn a_leaf_that_came_before_is_paid(bench: &Bench) {
    published(bench, vec![received(1), received(2)]).await;
    owe(bench, 1).await;
    assert_eq!(look_after(bench, late()).await, []);
    assert!(!is_open(bench).await);
}

async fn what_is_left_out_is_missing_once(bench: &Bench) {
    owe(bench, 1).await;
    published(bench, vec![received(2)]).await;
    assert_eq!(look_after(bench, at(50 + OWED_SECONDS_MAX)).await, [], "not yet");
    let missing = look_after(bench, late()).await;
    assert_eq!(missing.iter().map(|owed| (owed.city, owed.message)).collect::<Vec<_>>(), [(city(), id(1))]);
    assert_eq!(look_after(bench, late()).await, [], "once");
    let kept = bench.store.read("test.missing", |tx| owed::missing(tx, 9)).await.unwrap();
    assert_eq!(kept.iter().map(|owed| owed.missing).collect::<Vec<_>>(), [Some(late())]);
}

async fn another_leaf_pays_nothing(bench: &Bench) {
    owe(bench, 1).await;
    // The same message, another content than the receipt said.
    published(bench, vec![Leaf { content: [9; 32], ..received(1) }]).await;
    assert_eq!(look_after(bench, late()).await.len(), 1);
}

/// A city that was restored before anybody had its leaf took the message again, and says so with another leaf.
async fn a_leaf_that_is_acknowledged_anew_pays(bench: &Bench) {
    owe(bench, 1).await;
    let anew = Leaf { at: at(60), ..received(1) };
    let leaf = log::hash_of(&anew);
    let again = move |tx: &mut Tx<'_>| owed::owe(tx, at(70), city(), id(1), LeafKind::Received, Some(leaf));
    bench.store.write("test.owe", again).await.unwrap();
    assert_eq!(
        look_after(bench, at(60 + OWED_SECONDS_MAX)).await,
        [],
        "it has its time from the new word on"
    );
    published(bench, vec![anew]).await;
    assert!(!is_open(bench).await);
    assert_eq!(look_after(bench, late()).await, []);
}

/// The city's log holds the leaf that is owed, and after it so many of other things.
async fn published_many(bench: &Bench, count: u64) {
    let append = move |tx: &mut Tx<'_>| {
        log::append(tx, &received(1))?;
        let others = (1..count).map(|second| i64::try_from(second).unwrap());
        others
            .map(|second| Leaf { at: at(10 + second), ..leaf(9) })
            .try_for_each(|leaf| log::append(tx, &leaf).map(drop))
    };
    bench.store.write("test.append", append).await.unwrap();
    let fence = take(bench, 0, "one").await.unwrap();
    while sequence(bench, fence, 2_000).await.unwrap().end < count {}
    for start in (0..count).step_by(256) {
        let end = count.min(start + 256);
        let (leaves, ahead) = (leaves(bench, start, end).await, ahead(bench, end, count).await);
        assert_eq!(extend(bench, start, leaves, ahead).await.unwrap(), end);
    }
}

/// The leaf is the first of a log that is longer than what one call reads.
async fn nobody_is_accused_before_the_whole_log_was_searched(bench: &Bench) {
    published_many(bench, 4_500).await;
    owe(bench, 1).await;
    owe(bench, 2).await;
    let look = |rest: Option<Search>| {
        bench.store.write("test.look", move |tx| owed::look_after(tx, late(), city(), rest.clone()))
    };
    let first = look(None).await.unwrap();
    assert_eq!(first.missing, [], "its leaf may stand before what was read");
    assert!(first.rest.is_some());
    let second = look(first.rest).await.unwrap();
    assert_eq!(second.missing.iter().map(|owed| owed.message).collect::<Vec<_>>(), [id(2)]);
    assert_eq!(second.rest, None);
    assert!(!is_open(bench).await);
}
