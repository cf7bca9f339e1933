//! A primary that is killed and a standby that is promoted, under load: nothing acknowledged is lost.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tb_base::Error;
use tb_testkit::{PostgresPair, until};

use super::bench::{INSERT, TEST};
use crate::{Config, Engine, Store, params, stmt};

const WRITERS: u64 = 16;
/// Writes that are acknowledged before the primary is killed, and after.
const WRITES: u64 = 400;

const ALL: crate::Stmt = stmt("test.all", "SELECT id FROM test_row ORDER BY id");

/// What the writers were told.
#[derive(Default)]
struct Told {
    /// Done.
    done: BTreeSet<String>,
    /// Perhaps done: the answer to the commit was lost.
    unknown: BTreeSet<String>,
    /// Not done.
    failed: BTreeSet<String>,
}

async fn write(
    store: Store,
    writer: u64,
    told: Arc<Mutex<Told>>,
    count: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
) {
    for number in 0_u64.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let id = format!("{writer}-{number}");
        let row = id.clone();
        let outcome = store.write("test.insert", move |tx| tx.run(&INSERT, params![&row, 1_i64])).await;
        let mut told = told.lock().unwrap();
        match outcome {
            Ok(_) => {
                told.done.insert(id);
                count.fetch_add(1, Ordering::SeqCst);
            }
            Err(Error::Fault(fault)) if fault.unknown => drop(told.unknown.insert(id)),
            Err(Error::Fault(_)) => drop(told.failed.insert(id)),
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_standby_has_everything_that_was_acknowledged() {
    let mut pair = tokio::task::spawn_blocking(PostgresPair::start).await.unwrap();
    let engine = Engine::Postgres { url: pair.url.clone(), schema: "failover".to_owned() };
    let store = Store::open(&Config { engine, inline: false }, &[TEST]).await.unwrap();
    let (told, count) = (Arc::new(Mutex::new(Told::default())), Arc::new(AtomicU64::new(0)));
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(store.clone(), writer, told.clone(), count.clone(), stop.clone())))
        .collect();
    let counted = count.clone();
    let cut = tokio::task::spawn_blocking(move || {
        let reach = |least: u64| {
            let ask = || Some(counted.load(Ordering::SeqCst)).filter(|count| least <= *count);
            until("acknowledged writes", Duration::from_secs(20), ask)
        };
        reach(WRITES);
        pair.kill_primary();
        pair.promote_standby();
        let before = counted.load(Ordering::SeqCst);
        let (_, took) = reach(before + WRITES);
        (pair, before, took)
    });
    let (_pair, before, took) = cut.await.unwrap();
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    let rows =
        store.read("test.all", |tx| tx.all(&ALL, &[])?.iter().map(|row| row.get("id")).collect()).await;
    let rows: BTreeSet<String> = rows.unwrap();
    store.close().await;
    let told = told.lock().unwrap();
    println!(
        "{before} acknowledged before the promotion, {WRITES} more within {} ms; {} in all, {} unknown, {} failed",
        took.as_millis(),
        told.done.len(),
        told.unknown.len(),
        told.failed.len()
    );
    assert!(told.done.is_subset(&rows), "lost: {:?}", told.done.difference(&rows).collect::<Vec<_>>());
    assert!(told.failed.is_disjoint(&rows), "done after all: {:?}", told.failed.intersection(&rows));
    let known: BTreeSet<String> = told.done.union(&told.unknown).cloned().collect();
    assert!(rows.is_subset(&known), "nobody wrote {:?}", rows.difference(&known).collect::<Vec<_>>());
}
