//! Transactions: what is kept, what is undone, what is run again.

use tb_base::{Class, Error, Fault, Refusal};

use super::bench::{ADD, Bench, CHILD, COUNT, INSERT, KIND, KINDS, READ, SUM, TEST};
use crate::{Config, Engine, Moment, Store, Value, check_statements, params, stmt};

both! {
    a_write_is_read_back, kinds_of_values, a_refusal_undoes_its_unit_only, a_panic_undoes_its_unit_only,
    a_duplicate_is_a_conflict, a_missing_parent_is_a_violation, a_passed_over_failure_is_a_fault,
    an_attempt_may_fail, a_read_cannot_write, many_writers_lose_nothing, a_batch_is_all_or_nothing,
    a_snapshot_stands_still, statements_are_sound, a_wrong_kind_is_refused, a_caller_may_leave,
    a_watched_write_may_die, texts_stand_in_the_order_of_their_bytes,
}

async fn a_write_is_read_back(bench: &Bench) {
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 7_i64])).await.unwrap();
    let read =
        bench.store.read("test.read", |tx| tx.one(&READ, params!["a"])?.unwrap().get::<i64>("n")).await;
    assert_eq!(read.unwrap(), 7);
    let none = bench.store.read("test.read", |tx| Ok(tx.one(&READ, params!["b"])?.is_none())).await;
    assert!(none.unwrap());
}

async fn kinds_of_values(bench: &Bench) {
    let kept = bench
        .store
        .write("test.kinds", |tx| {
            tx.run(&KIND, params![i64::MAX, 0.25_f64, "湘潭'; --", vec![0_u8, 255], "a"])?;
            tx.run(&KIND, params![None::<i64>, None::<f64>, None::<&str>, None::<Vec<u8>>, "b"])?;
            tx.run(&KIND, params![i64::MIN, 3.0_f64, "", Vec::<u8>::new(), "c"])?;
            tx.all(&KINDS, &[])
        })
        .await
        .unwrap();
    assert_eq!(kept[0].get::<i64>("number").unwrap(), i64::MAX);
    assert_eq!(kept[0].get::<String>("text").unwrap(), "湘潭'; --");
    assert_eq!(kept[0].get::<Vec<u8>>("bytes").unwrap(), [0, 255]);
    assert!(kept[1].values.iter().all(|value| *value == Value::Null));
    assert_eq!(
        kept[2].values,
        [Value::Int(i64::MIN), Value::Float(3.0), Value::from(""), Value::Bytes(Vec::new())]
    );
    assert!(kept[0].get::<i64>("text").is_err());
    assert!(kept[0].get::<i64>("nowhere").is_err());
}

/// Pages that go on behind a key need one order on both engines, whatever language the database was made for.
async fn texts_stand_in_the_order_of_their_bytes(bench: &Bench) {
    const ORDER: crate::Stmt = stmt("test.order", "SELECT id FROM test_row ORDER BY id");
    const BEFORE: crate::Stmt =
        stmt("test.before", "SELECT COUNT(*) AS rows FROM test_row WHERE id < '{' AND 'A' <= id");
    let mut texts = ["a", "B", "b", "1", "_", "-", "{", "~", "湘", "长", "株", "ä", "z", "A", "a-b", "ab"];
    let (found, before) = bench
        .store
        .write("test.order", move |tx| {
            for text in texts {
                tx.run(&INSERT, params![text, 0_i64])?;
            }
            let ids =
                tx.all(&ORDER, &[])?.iter().map(|row| row.get("id")).collect::<Result<Vec<String>, _>>()?;
            Ok((ids, tx.one(&BEFORE, &[])?.unwrap().get::<i64>("rows")?))
        })
        .await
        .unwrap();
    texts.sort_unstable();
    assert_eq!(found, texts);
    assert_eq!(before, 8);
}

async fn a_refusal_undoes_its_unit_only(bench: &Bench) {
    let refused = bench
        .store
        .write("test.refused", |tx| {
            tx.run(&INSERT, params!["a", 1_i64])?;
            Err::<(), _>(Refusal::not_now("TST-001", "不行", "No").into())
        })
        .await;
    assert!(matches!(refused, Err(Error::Refused(refusal)) if refusal.code == "TST-001"));
    assert_eq!(bench.rows().await, 0);
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 1_i64])).await.unwrap();
    assert_eq!(bench.rows().await, 1);
}

async fn a_panic_undoes_its_unit_only(bench: &Bench) {
    for number in 0..20_i64 {
        let broken = bench
            .store
            .write("test.panic", move |tx| {
                tx.run(&INSERT, params![format!("p{number}"), 1_i64])?;
                if tx.name == "test.panic" { panic!("as the test wants") } else { Ok(()) }
            })
            .await;
        assert!(matches!(broken, Err(Error::Fault(_))));
        let broken =
            bench.store.read("test.panic", |_| -> tb_base::Result<()> { panic!("as the test wants") }).await;
        assert!(matches!(broken, Err(Error::Fault(_))));
        bench
            .store
            .write("test.insert", move |tx| tx.run(&INSERT, params![format!("g{number}"), 1_i64]))
            .await
            .unwrap();
    }
    assert_eq!(bench.rows().await, 20);
}

async fn a_duplicate_is_a_conflict(bench: &Bench) {
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 1_i64])).await.unwrap();
    let second = bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 2_i64])).await;
    assert!(matches!(second, Err(Error::Refused(refusal)) if refusal.class == Class::Conflict));
}

async fn a_missing_parent_is_a_violation(bench: &Bench) {
    let orphan = bench.store.write("test.child", |tx| tx.run(&CHILD, params!["c", "nobody"])).await;
    assert!(matches!(orphan, Err(Error::Violation(violation)) if violation.component == "test.child"));
}

async fn a_passed_over_failure_is_a_fault(bench: &Bench) {
    let ignored = bench
        .store
        .write("test.ignore", |tx| {
            tx.run(&INSERT, params!["a", 1_i64])?;
            drop(tx.run(&INSERT, params!["a", 2_i64]));
            Ok(())
        })
        .await;
    assert!(matches!(ignored, Err(Error::Fault(fault)) if fault.to_string().contains("test.insert")));
    assert_eq!(bench.rows().await, 0);
}

async fn an_attempt_may_fail(bench: &Bench) {
    let outcome = bench
        .store
        .write("test.attempt", |tx| {
            tx.run(&INSERT, params!["a", 1_i64])?;
            let undone = tx.attempt(|tx| {
                tx.run(&INSERT, params!["b", 1_i64])?;
                tx.attempt(|tx| tx.run(&INSERT, params!["c", 1_i64]))?;
                tx.run(&INSERT, params!["a", 1_i64])
            });
            assert!(undone.is_err());
            tx.attempt(|tx| tx.run(&INSERT, params!["d", 1_i64]))
        })
        .await;
    assert_eq!(outcome.unwrap(), 1);
    assert_eq!(bench.rows().await, 2);
}

async fn a_read_cannot_write(bench: &Bench) {
    let refused = bench.store.read("test.read", |tx| tx.run(&INSERT, params!["a", 1_i64])).await;
    assert!(matches!(refused, Err(Error::Fault(_))));
    let refused = bench.store.read("test.read", |tx| tx.all(&ADD, params!["a", 1_i64])).await;
    assert!(matches!(refused, Err(Error::Fault(_))));
    assert_eq!(bench.rows().await, 0);
}

/// Group commit on SQLite, sessions side by side on PostgreSQL: every answer that came back is in the file.
async fn many_writers_lose_nothing(bench: &Bench) {
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["sum", 0_i64])).await.unwrap();
    let writers: Vec<_> = (0..200_i64)
        .map(|number| {
            let store = bench.store.clone();
            tokio::spawn(async move {
                store
                    .write("test.many", move |tx| {
                        tx.run(&INSERT, params![format!("w{number}"), 0_i64])?;
                        tx.one(&ADD, params!["sum", 1_i64])?;
                        if number % 10 == 0 { Err(Fault::new("as the test wants").into()) } else { Ok(()) }
                    })
                    .await
                    .is_ok()
            })
        })
        .collect();
    let mut kept = 0;
    for writer in writers {
        kept += i64::from(writer.await.unwrap());
    }
    assert_eq!(kept, 180);
    assert_eq!(bench.rows().await, 181);
    let total = bench.store.read("test.sum", |tx| tx.one(&SUM, &[])?.unwrap().get::<i64>("total")).await;
    assert_eq!(total.unwrap(), 180);
}

async fn a_batch_is_all_or_nothing(bench: &Bench) {
    let insert = |id: &str| (&INSERT, params![id, 1_i64].to_vec());
    let good = [insert("a"), insert("b"), insert("c")];
    bench.store.write("test.batch", move |tx| tx.run_all(&good)).await.unwrap();
    let bad = [insert("d"), insert("b"), insert("e")];
    let refused = bench.store.write("test.batch", move |tx| tx.run_all(&bad)).await;
    assert!(matches!(refused, Err(Error::Refused(_))));
    bench.store.write("test.batch", |tx| tx.run_all(&[])).await.unwrap();
    assert_eq!(bench.rows().await, 3);
}

async fn a_snapshot_stands_still(bench: &Bench) {
    let (store, writer) = (bench.store.clone(), bench.store.clone());
    let (begun, wait) = std::sync::mpsc::channel();
    let (written, go_on) = std::sync::mpsc::channel();
    let go_on = std::sync::Mutex::new(go_on);
    let snapshot = tokio::spawn(async move {
        store
            .read_snapshot("test.snapshot", move |tx| {
                let count = |tx: &mut crate::Tx<'_>| tx.one(&COUNT, &[])?.unwrap().get::<i64>("rows");
                let before = count(tx)?;
                begun.send(()).unwrap();
                go_on.lock().unwrap().recv().unwrap();
                Ok((before, count(tx)?))
            })
            .await
    });
    tokio::task::spawn_blocking(move || wait.recv()).await.unwrap().unwrap();
    writer.write("test.insert", |tx| tx.run(&INSERT, params!["a", 1_i64])).await.unwrap();
    written.send(()).unwrap();
    assert_eq!(snapshot.await.unwrap().unwrap(), (0, 0));
    assert_eq!(bench.rows().await, 1);
}

async fn statements_are_sound(bench: &Bench) {
    let engine = match &bench.config.engine {
        Engine::Sqlite(path) => Engine::Sqlite(path.with_extension("check")),
        Engine::Postgres { url, schema } => {
            Engine::Postgres { url: url.clone(), schema: format!("{schema}_check") }
        }
    };
    let problems = check_statements(&[TEST], &engine).await.unwrap();
    assert_eq!(problems, Vec::<String>::new());
    const WRONG: crate::Schema =
        crate::Schema { statements: &[&[stmt("test.wrong", "SELECT nothing FROM test_row")]], ..TEST };
    let problems = check_statements(&[WRONG], &engine).await.unwrap();
    assert_eq!(problems.len(), 1);
}

async fn a_wrong_kind_is_refused(bench: &Bench) {
    let wrong = bench.store.write("test.wrong", |tx| tx.run(&INSERT, params!["a", "not a number"])).await;
    assert!(matches!(wrong, Err(Error::Fault(_) | Error::Violation(_))));
    let wrong = bench.store.write("test.wrong", |tx| tx.run(&INSERT, params![vec![1_u8], 1_i64])).await;
    assert!(matches!(wrong, Err(Error::Fault(_) | Error::Violation(_))));
    let missing = bench.store.write("test.wrong", |tx| tx.run(&INSERT, params!["a"])).await;
    assert!(matches!(missing, Err(Error::Fault(_))));
    assert_eq!(bench.rows().await, 0);
}

async fn a_caller_may_leave(bench: &Bench) {
    for number in 0..50_i64 {
        let left =
            bench.store.write("test.left", move |tx| tx.run(&INSERT, params![format!("l{number}"), 1_i64]));
        // Dropped after its first poll, as a timeout would.
        drop(tokio::time::timeout(std::time::Duration::ZERO, left).await);
    }
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["last", 1_i64])).await.unwrap();
    assert!((1..=51).contains(&bench.rows().await));
}

#[tokio::test]
async fn inline_runs_on_the_calling_thread() {
    let store = Store::open(&Config::memory(), &[TEST]).await.unwrap();
    let here = std::thread::current().id();
    let there = store.write("test.inline", |_| Ok(std::thread::current().id())).await.unwrap();
    assert_eq!(here, there);
    store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 1_i64])).await.unwrap();
    let count =
        store.read_snapshot("test.count", |tx| tx.one(&COUNT, &[])?.unwrap().get::<i64>("rows")).await;
    assert_eq!(count.unwrap(), 1);
}

#[tokio::test]
async fn sqlite_keeps_what_it_confirmed() {
    let bench = Bench::sqlite("confirmed").await;
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 1_i64])).await.unwrap();
    let config = bench.config.clone();
    let Bench { store, folder, .. } = bench;
    store.close().await;
    let store = Store::open(&config, &[TEST]).await.unwrap();
    let count = store.read("test.count", |tx| tx.one(&COUNT, &[])?.unwrap().get::<i64>("rows")).await;
    assert_eq!(count.unwrap(), 1);
    drop((store, folder));
}

/// What an operator copies when the city is down: one file, and nothing beside it that it needs.
#[tokio::test]
async fn sqlite_closed_is_one_file() {
    const CLOSED: usize = 20;
    let bench = Bench::sqlite("closed").await;
    let Bench { mut store, config, folder } = bench;
    for number in 0..CLOSED {
        store
            .write("test.insert", move |tx| tx.run(&INSERT, params![format!("c{number}"), 1_i64]))
            .await
            .unwrap();
        store.close().await;
        assert!(!folder.file("data.sqlite-wal").exists(), "after {number} times");
        store = Store::open(&config, &[TEST]).await.unwrap();
    }
}

#[tokio::test]
async fn sqlite_shares_its_folder_with_nobody() {
    let bench = Bench::sqlite("shared").await;
    let second = Store::open(&bench.config, &[TEST]).await;
    let Err(Error::Fault(fault)) = second else { panic!("the folder was given twice") };
    assert!(fault.to_string().contains("another process uses it"), "{fault}");
}

/// Units that wait together are committed together: nobody is answered, and no reader sees anything, before that.
#[tokio::test]
async fn sqlite_commits_what_waits_together() {
    let bench = Bench::sqlite("together").await;
    let (release, blocked) = std::sync::mpsc::channel();
    let blocker =
        spawn_write(&bench, move |_| blocked.recv().map_err(|error| Fault::of("waiting", error).into()));
    tokio::task::yield_now().await;
    let first = spawn_write(&bench, |tx| tx.run(&INSERT, params!["first", 1_i64]).map(drop));
    let (begun, has_begun) = std::sync::mpsc::channel();
    let (finish, finished) = std::sync::mpsc::channel::<()>();
    let second = spawn_write(&bench, move |tx| {
        let seen: i64 = tx.one(&COUNT, &[])?.unwrap().get("rows")?;
        begun.send(seen).unwrap();
        finished.recv().unwrap();
        tx.run(&INSERT, params!["second", 1_i64]).map(drop)
    });
    // On this runtime of one thread both are in the queue when the yield comes back.
    tokio::task::yield_now().await;
    release.send(()).unwrap();
    let seen = tokio::task::spawn_blocking(move || has_begun.recv()).await.unwrap().unwrap();
    assert_eq!(seen, 1);
    assert_eq!(bench.rows().await, 0);
    assert!(!blocker.is_finished() && !first.is_finished());
    finish.send(()).unwrap();
    for unit in [blocker, first, second] {
        unit.await.unwrap().unwrap();
    }
    assert_eq!(bench.rows().await, 2);
}

fn spawn_write(
    bench: &Bench,
    work: impl FnMut(&mut crate::Tx<'_>) -> tb_base::Result<()> + Send + 'static,
) -> tokio::task::JoinHandle<tb_base::Result<()>> {
    let store = bench.store.clone();
    tokio::spawn(async move { store.write("test.unit", work).await })
}

/// A unit that ends the transaction of its batch fails with all of it, and the next batch goes on.
#[tokio::test]
async fn sqlite_survives_a_transaction_that_is_gone() {
    let bench = Bench::sqlite("gone").await;
    const GONE: crate::Stmt = stmt("test.gone", "ROLLBACK");
    let gone = bench.store.write("test.gone", |tx| {
        tx.run(&INSERT, params!["a", 1_i64])?;
        tx.run(&GONE, &[])
    });
    assert!(matches!(gone.await, Err(Error::Fault(_))));
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["b", 1_i64])).await.unwrap();
    assert_eq!(bench.rows().await, 1);
}

/// The machine dies before one write and after another: nothing of the first is there, all of the second.
async fn a_watched_write_may_die(bench: &Bench) {
    let (died, mut deaths) = tokio::sync::mpsc::unbounded_channel();
    bench.store.watch(std::sync::Arc::new(move |name, moment| {
        let dies = matches!((name, moment), ("test.dies", Moment::Before) | ("test.kept", Moment::After));
        dies.then(|| died.send(name));
        !dies
    }));
    for (name, rows) in [("test.dies", 0), ("test.kept", 1)] {
        let store = bench.store.clone();
        let caller =
            tokio::spawn(
                async move { store.write(name, move |tx| tx.run(&INSERT, params![name, 1_i64])).await },
            );
        assert_eq!(deaths.recv().await, Some(name));
        assert_eq!(bench.rows().await, rows);
        assert!(!caller.is_finished(), "nobody hears from a machine that is gone");
        caller.abort();
    }
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 1_i64])).await.unwrap();
    assert_eq!(bench.rows().await, 2);
}
