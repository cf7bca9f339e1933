//! Migrations: what stops a start.

use tb_base::Error;

use super::bench::{Bench, INSERT, SUM, TEST};
use crate::{Migration, Schema, Store, migrate, params};

both! { a_second_start_changes_nothing, a_changed_text_stops_the_start, a_changed_step_stops_the_start,
a_later_store_goes_on_with_an_older_program, a_later_store_that_took_away_stops_the_start,
an_older_program_goes_on, a_broken_step_leaves_nothing, two_starts_at_once }

const SECOND: Migration = Migration {
    name: "0002_more",
    sql: "CREATE TABLE test_more (id TEXT NOT NULL PRIMARY KEY)",
    sha256: "2cb77c8f5969f96a3e8bac23eb924aa5b39c9ce0a93b153a0edc69934d86ae26",
};

const BROKEN: Migration = Migration {
    name: "0002_broken",
    sql: "CREATE TABLE test_more (id TEXT NOT NULL PRIMARY KEY); CREATE TABLE test_row (id TEXT)",
    sha256: "d0e8fe97ae10b27ed4cc366641383689d17599facd32e4b511d4c5ea8b9e7fad",
};

/// Takes a column away, and says so.
const TAKING: Migration = Migration {
    name: "0002_taking",
    sql: "-- contracts\nALTER TABLE test_row DROP COLUMN n",
    sha256: "d5634143e48f84b0bcfe230d6fd66bd03a1b9ba7a12e3b0f8314d0861fed520e",
};

/// Adds a column with a value for rows of programs that do not know it.
const WIDENING: Migration = Migration {
    name: "0002_widening",
    sql: "ALTER TABLE test_row ADD COLUMN word TEXT NOT NULL DEFAULT ''",
    sha256: "7474c4ab324a712a0caab4e80c6541513c5eaffd59257ac4207c0bcbb30f375b",
};

const COUNT: crate::Stmt = crate::stmt("test.count", "SELECT COUNT(*) AS counted FROM test_row");
const TAKES: Schema = Schema { migrations: &[TEST.migrations[0], TAKING], ..TEST };
const WIDER: Schema = Schema { migrations: &[TEST.migrations[0], WIDENING], ..TEST };
const MORE: Schema = Schema { migrations: &[TEST.migrations[0], SECOND], ..TEST };

/// Ends the bench's store and opens it again with other schemas; the fault's words, if it is refused.
async fn reopen(bench: &Bench, schemas: &[Schema]) -> Result<Store, String> {
    // SQLite gives the folder to one store at a time: work on a copy of its own place.
    match Store::open(&elsewhere(bench), schemas).await {
        Ok(store) => Ok(store),
        Err(Error::Fault(fault)) => Err(fault.to_string()),
        Err(error) => panic!("{error}"),
    }
}

/// A second place beside the bench's store.
fn elsewhere(bench: &Bench) -> crate::Config {
    let engine = match &bench.config.engine {
        crate::Engine::Sqlite(path) => crate::Engine::Sqlite(path.with_extension("second")),
        crate::Engine::Postgres { url, schema } => {
            crate::Engine::Postgres { url: url.clone(), schema: format!("{schema}_second") }
        }
    };
    crate::Config { engine, inline: false }
}

#[track_caller]
fn check_refused(outcome: Result<Store, String>, words: &str) {
    let problem = outcome.err().unwrap();
    assert!(problem.contains(words), "{problem}");
}

async fn a_second_start_changes_nothing(bench: &Bench) {
    reopen(bench, &[TEST]).await.unwrap().close().await;
    reopen(bench, &[TEST]).await.unwrap().close().await;
    reopen(bench, &[MORE]).await.unwrap().close().await;
    reopen(bench, &[MORE]).await.unwrap().close().await;
}

async fn a_changed_text_stops_the_start(bench: &Bench) {
    const CHANGED: Migration = Migration { sql: "CREATE TABLE other (id TEXT)", ..SECOND };
    const SCHEMA: Schema = Schema { migrations: &[TEST.migrations[0], CHANGED], ..TEST };
    check_refused(reopen(bench, &[SCHEMA]).await, "crate test, file migrations/0002_more.sql");
}

async fn a_changed_step_stops_the_start(bench: &Bench) {
    const CHANGED: Migration = Migration { name: "0002_more", ..BROKEN };
    reopen(bench, &[MORE]).await.unwrap().close().await;
    const SCHEMA: Schema = Schema { migrations: &[TEST.migrations[0], CHANGED], ..TEST };
    check_refused(reopen(bench, &[SCHEMA]).await, "this store was made with");
}

async fn a_later_store_goes_on_with_an_older_program(bench: &Bench) {
    let place = elsewhere(bench);
    let waiting = Store::standing(&place, &[MORE]).await.unwrap().waiting;
    assert!(waiting.ends_with(&["test/0001_test".to_owned(), "test/0002_more".to_owned()]), "{waiting:?}");
    reopen(bench, &[MORE]).await.unwrap().close().await;
    reopen(bench, &[TEST]).await.unwrap().close().await;
    let standing = Store::standing(&place, &[TEST]).await.unwrap();
    assert_eq!((standing.waiting.len(), standing.ahead), (0, vec!["test/0002_more".to_owned()]));
}

async fn a_later_store_that_took_away_stops_the_start(bench: &Bench) {
    reopen(bench, &[TAKES]).await.unwrap().close().await;
    reopen(bench, &[TAKES]).await.unwrap().close().await;
    check_refused(reopen(bench, &[TEST]).await, "the store is newer than this program");
}

/// Expand and contract: the release before reads and writes on while a later one migrates the same database.
async fn an_older_program_goes_on(bench: &Bench) {
    if !bench.is_postgres() {
        return;
    }
    let config = elsewhere(bench);
    let older = Store::open(&config, &[TEST]).await.unwrap();
    let writing = |store: Store, name: &'static str| {
        tokio::spawn(async move {
            for number in 0..200_i64 {
                let id = format!("{name}-{number}");
                store.write("test.insert", move |tx| tx.run(&INSERT, params![&id, number])).await?;
                store.read("test.sum", |tx| tx.one(&SUM, &[])).await?;
            }
            Ok::<_, Error>(())
        })
    };
    let before = writing(older.clone(), "before");
    let later = Store::open(&config, &[WIDER]).await.unwrap();
    let (old, new) = (writing(older.clone(), "old"), writing(later.clone(), "new"));
    for work in [before, old, new] {
        work.await.unwrap().unwrap();
    }
    // The release before is started again, as after a crash in the middle of the upgrade.
    let again = Store::open(&config, &[TEST]).await.unwrap();
    writing(again.clone(), "again").await.unwrap().unwrap();
    let rows = later.read("test.sum", |tx| tx.one(&COUNT, &[])?.unwrap().get::<i64>("counted")).await;
    assert_eq!(rows.unwrap(), 800);
    for store in [again, later, older] {
        store.close().await;
    }
}

async fn a_broken_step_leaves_nothing(bench: &Bench) {
    const SCHEMA: Schema = Schema { migrations: &[TEST.migrations[0], BROKEN], ..TEST };
    check_refused(reopen(bench, &[SCHEMA]).await, "0002_broken");
    // The first table of the broken step is gone, so the sound step can make it.
    reopen(bench, &[MORE]).await.unwrap().close().await;
}

async fn two_starts_at_once(bench: &Bench) {
    if bench.is_postgres() {
        let starts: Vec<_> = (0..3)
            .map(|_| {
                let config = elsewhere(bench);
                tokio::spawn(async move { Store::open(&config, &[MORE]).await })
            })
            .collect();
        for start in starts {
            start.await.unwrap().unwrap();
        }
    }
}

#[test]
fn statements_are_split() {
    let sql =
        "-- a; b\nCREATE TABLE a (x TEXT DEFAULT ';');\n\n-- only words\n;INSERT INTO a VALUES ('--;');";
    let parts: Vec<&str> = migrate::statements(sql).map(str::trim).collect();
    assert_eq!(parts, ["-- a; b\nCREATE TABLE a (x TEXT DEFAULT ';')", "INSERT INTO a VALUES ('--;')"]);
}
