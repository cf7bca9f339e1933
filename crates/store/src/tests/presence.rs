//! Processes beside each other: who lives counts as living after the server cut it off, and beginners wait for each other.

use std::time::Duration;

use super::bench::{Bench, TEST, at, ctx};
use super::messages::outgoing;
use crate::postgres::{self, with_session};
use crate::{Engine, Lease, Stmt, Store, Tx, Value, jobs, log, migrate, outbox, stmt};

const CUT: Stmt = stmt(
    "test.cut",
    "SELECT COUNT(*) AS counted FROM pg_stat_activity
     WHERE CASE WHEN application_name = $1 AND pid <> pg_backend_pid() THEN pg_terminate_backend(pid) ELSE FALSE END",
);
const PLACE: Stmt = stmt(
    "test.place",
    "SELECT COALESCE(MAX(pid), 0) AS counted FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
     AND pid IN (SELECT pid FROM pg_stat_activity WHERE application_name = $1)",
);

/// The one number that a statement about this store's processes gives.
async fn count(bench: &Bench, stmt: &'static Stmt) -> i64 {
    let Engine::Postgres { url, schema } = &bench.config.engine else { panic!("it is a server") };
    let name = Value::Text(format!("tongban {schema}"));
    let look = move |session: &mut postgres::Session| session.all(stmt, &[name])?[0].get("counted");
    with_session(url, schema, "test-count", look).await.unwrap()
}

/// Whether a process gets a line, how many jobs, and whether the log.
fn take_all(tx: &mut Tx<'_>, holder: &str) -> tb_base::Result<(bool, usize, bool)> {
    let lease = Lease { holder, seconds: 600 };
    let line = outbox::take_line(tx, at(2), "430300".parse()?, lease)?;
    let jobs = jobs::due(tx, at(2), 10, lease)?.len();
    Ok((line, jobs, log::take(tx, at(2), holder, 600)?.is_some()))
}

/// A store on which one process has taken everything.
async fn taken(name: &str) -> Bench {
    let bench = Bench::postgres(name).await;
    let take = |tx: &mut Tx<'_>| {
        outbox::send(tx, &ctx(1), &outgoing(1, "430300", None))?;
        jobs::put_in_line(tx, "test.job/430300", "test.job", "key", at(1), &serde_json::Value::Null)?;
        take_all(tx, "one")
    };
    assert_eq!(bench.store.write("test.take", take).await.unwrap(), (true, 1, true));
    bench
}

async fn left_for_another(store: &Store) -> (bool, usize, bool) {
    store.write("test.take", |tx| take_all(tx, "two")).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_cut_off_counts_as_living_again() {
    let bench = taken("cut_off").await;
    let before = count(&bench, &PLACE).await;
    assert!(0 < before, "it has a place");
    assert!(0 < count(&bench, &CUT).await);
    let back = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        // The session that was cut off keeps its place until the server gets to end it.
        while [0, before].contains(&count(&bench, &PLACE).await) {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), back).await.expect("it takes its place again");
    let beside = Store::open(&bench.config, &[TEST]).await.unwrap();
    assert_eq!(left_for_another(&beside).await, (false, 0, false));
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_begins_keeps_the_next_one_waiting() {
    let Bench { store, config, folder: _folder } = taken("joint").await;
    store.close().await;
    let Engine::Postgres { url, schema } = &config.engine else { panic!("it is a server") };
    let (first, beginning) = postgres::open(url, schema, migrate::with_own(&[TEST])).await.unwrap();
    assert!(beginning.is_some(), "nobody else is there");
    let begun = config.clone();
    let mut second = tokio::spawn(async move { Store::open(&begun, &[TEST]).await });
    let early = tokio::time::timeout(Duration::from_millis(400), &mut second).await;
    assert!(early.is_err(), "the second got on while the first had yet to end what was left");
    drop(beginning);
    let second = second.await.unwrap().unwrap();
    // It is not alone: what is taken stays with whoever took it.
    assert_eq!(left_for_another(&second).await, (false, 0, false));
    second.close().await;
    tokio::task::spawn_blocking(move || drop(first)).await.unwrap();
}
