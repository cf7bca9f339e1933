//! Migrations: what stops a start.

use tb_base::Error;

use super::bench::{Bench, TEST};
use crate::{Migration, Schema, Store, migrate};

both! { a_second_start_changes_nothing, a_changed_text_stops_the_start, a_changed_step_stops_the_start,
a_newer_store_stops_the_start, a_broken_step_leaves_nothing, two_starts_at_once }

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

async fn a_newer_store_stops_the_start(bench: &Bench) {
    reopen(bench, &[MORE]).await.unwrap().close().await;
    check_refused(reopen(bench, &[TEST]).await, "the store is newer than this program");
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
