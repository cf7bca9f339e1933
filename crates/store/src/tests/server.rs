//! What only a server does: deadlocks, lost sessions, commits without an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tb_base::Error;

use super::bench::{ADD, Bench, INSERT, READ, SUM, TEST};
use crate::{Engine, Store, params, stmt};

/// Two units lock two rows in opposite orders: PostgreSQL kills one, and it runs again.
#[tokio::test]
async fn a_deadlock_runs_again() {
    let bench = Bench::postgres("deadlock").await;
    bench
        .store
        .write("test.insert", |tx| {
            tx.run(&INSERT, params!["a", 0_i64])?;
            tx.run(&INSERT, params!["b", 0_i64])
        })
        .await
        .unwrap();
    let barrier = Arc::new(std::sync::Barrier::new(2));
    let runs = Arc::new(AtomicU32::new(0));
    let cross = |first: &'static str, second: &'static str| {
        let (store, barrier, runs) = (bench.store.clone(), Arc::clone(&barrier), Arc::clone(&runs));
        let mut is_first_run = true;
        tokio::spawn(async move {
            store
                .write("test.cross", move |tx| {
                    runs.fetch_add(1, Ordering::Relaxed);
                    tx.one(&ADD, params![first, 1_i64])?;
                    if std::mem::take(&mut is_first_run) {
                        barrier.wait();
                    }
                    tx.one(&ADD, params![second, 1_i64]).map(drop)
                })
                .await
        })
    };
    let (one, other) = (cross("a", "b"), cross("b", "a"));
    one.await.unwrap().unwrap();
    other.await.unwrap().unwrap();
    let total = bench.store.read("test.sum", |tx| tx.one(&SUM, &[])?.unwrap().get::<i64>("total")).await;
    assert_eq!(total.unwrap(), 4);
    // The victim ran again, and once more where it met the row that the other one changed.
    assert!((3..=6).contains(&runs.load(Ordering::Relaxed)));
}

/// The server ends all sessions: idle ones are replaced, one within a unit makes the unit run again.
#[tokio::test]
async fn a_unit_survives_its_session() {
    const KILL: crate::Stmt = stmt(
        "test.kill",
        "SELECT COUNT(*) AS killed FROM pg_stat_activity
         WHERE pid <> pg_backend_pid() AND query LIKE $1 AND pg_terminate_backend(pid)",
    );
    const ME: crate::Stmt = stmt("test.me", "UPDATE test_row SET n = n + 1 WHERE id = 'lost' RETURNING n");
    let bench = Bench::postgres("lost").await;
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["lost", 0_i64])).await.unwrap();
    let (begun, wait) = std::sync::mpsc::channel();
    let (killed, go_on) = std::sync::mpsc::channel();
    let store = bench.store.clone();
    let unit = tokio::spawn(async move {
        let mut is_first_run = true;
        store
            .write("test.lost", move |tx| {
                tx.one(&ME, &[])?;
                if std::mem::take(&mut is_first_run) {
                    begun.send(()).unwrap();
                    go_on.recv().unwrap();
                }
                tx.one(&ME, &[]).map(drop)
            })
            .await
    });
    tokio::task::spawn_blocking(move || wait.recv()).await.unwrap().unwrap();
    let count = bench
        .store
        .read("test.kill", |tx| {
            tx.one(&KILL, params!["UPDATE test_row SET n = n + 1 WHERE id = 'lost'%"])?
                .unwrap()
                .get::<i64>("killed")
        })
        .await;
    assert_eq!(count.unwrap(), 1);
    killed.send(()).unwrap();
    unit.await.unwrap().unwrap();
    let n =
        bench.store.read("test.read", |tx| tx.one(&READ, params!["lost"])?.unwrap().get::<i64>("n")).await;
    assert_eq!(n.unwrap(), 2);
}

/// An administrator ends every idle session: the next units connect anew and nobody notices.
#[tokio::test]
async fn idle_sessions_are_replaced() {
    const KILL: crate::Stmt = stmt(
        "test.kill",
        "SELECT COUNT(*) AS killed FROM pg_stat_activity
         WHERE CASE WHEN application_name = $1 AND pid <> pg_backend_pid() THEN pg_terminate_backend(pid) ELSE FALSE END",
    );
    let bench = Bench::postgres("idle").await;
    let Engine::Postgres { schema, .. } = &bench.config.engine else { unreachable!() };
    let name = format!("tongban {schema}");
    for round in 0..3_i64 {
        let units: Vec<_> = (0..40_i64)
            .map(|number| {
                let store = bench.store.clone();
                let id = format!("r{round}-{number}");
                tokio::spawn(async move {
                    store.write("test.insert", move |tx| tx.run(&INSERT, params![&id, 1_i64])).await
                })
            })
            .collect();
        for unit in units {
            unit.await.unwrap().unwrap();
        }
        let name = name.clone();
        let kill = bench
            .store
            .read("test.kill", move |tx| tx.one(&KILL, params![&name])?.unwrap().get::<i64>("killed"));
        assert!(0 < kill.await.unwrap());
    }
    assert_eq!(bench.rows().await, 120);
}

/// The session dies in the middle of COMMIT: nobody knows the outcome, so nobody runs the unit again.
#[tokio::test]
async fn a_commit_without_an_answer_is_unknown() {
    const FUNCTION: crate::Stmt = stmt(
        "test.function",
        "CREATE FUNCTION test_die() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN IF NEW.id = 'die' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL; END $$",
    );
    const TRIGGER: crate::Stmt = stmt(
        "test.trigger",
        "CREATE CONSTRAINT TRIGGER test_die AFTER INSERT ON test_row DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION test_die()",
    );
    let bench = Bench::postgres("unknown").await;
    bench
        .store
        .write("test.trap", |tx| tx.run_all(&[(&FUNCTION, vec![]), (&TRIGGER, vec![])]))
        .await
        .unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&runs);
    let unit = bench.store.write("test.die", move |tx| {
        count.fetch_add(1, Ordering::Relaxed);
        tx.run(&INSERT, params!["die", 1_i64])
    });
    assert!(matches!(unit.await, Err(Error::Fault(fault)) if fault.unknown));
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["live", 1_i64])).await.unwrap();
}

/// What a unit read, another changed: the unit runs again on what is there now, as on SQLite.
#[tokio::test]
async fn a_stale_read_runs_again() {
    const SET: crate::Stmt = stmt("test.set", "UPDATE test_row SET n = $2 WHERE id = $1");
    let bench = Bench::postgres("stale").await;
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 0_i64])).await.unwrap();
    let units: Vec<_> = (0..24)
        .map(|_| {
            let store = bench.store.clone();
            tokio::spawn(async move {
                store
                    .write("test.read_then_set", |tx| {
                        let n: i64 = tx.one(&READ, params!["a"])?.unwrap().get("n")?;
                        tx.run(&SET, params!["a", n + 1])
                    })
                    .await
            })
        })
        .collect();
    for unit in units {
        unit.await.unwrap().unwrap();
    }
    let n = bench.store.read("test.read", |tx| tx.one(&READ, params!["a"])?.unwrap().get::<i64>("n")).await;
    assert_eq!(n.unwrap(), 24);
}

/// A dropped schema is begun afresh.
#[tokio::test]
async fn a_schema_can_be_dropped() {
    let bench = Bench::postgres("drop").await;
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 0_i64])).await.unwrap();
    let Bench { store, config, .. } = bench;
    let Engine::Postgres { url, schema } = &config.engine else { unreachable!() };
    store.close().await;
    crate::drop_schema(url, schema).await.unwrap();
    crate::drop_schema(url, schema).await.unwrap();
    let store = Store::open(&config, &[TEST]).await.unwrap();
    store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 0_i64])).await.unwrap();
}

/// A plan that a changed table made void is prepared anew.
#[tokio::test]
async fn a_stale_plan_is_prepared_again() {
    const WIDE: crate::Stmt = stmt("test.wide", "SELECT * FROM test_row WHERE id = $1");
    const ALTER: crate::Stmt = stmt("test.alter", "ALTER TABLE test_row ADD COLUMN extra BIGINT");
    let bench = Bench::postgres("plan").await;
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 0_i64])).await.unwrap();
    let read_everywhere = async || {
        let reads: Vec<_> = (0..40)
            .map(|_| {
                let store = bench.store.clone();
                tokio::spawn(async move { store.read("test.wide", |tx| tx.all(&WIDE, params!["a"])).await })
            })
            .collect();
        for read in reads {
            assert_eq!(read.await.unwrap().unwrap().len(), 1);
        }
    };
    read_everywhere().await;
    bench.store.write("test.alter", |tx| tx.run(&ALTER, &[])).await.unwrap();
    read_everywhere().await;
}
