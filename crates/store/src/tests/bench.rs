//! A store of its own for a test, on either engine.

use std::sync::{Arc, Mutex};

use tb_base::{Actor, Ctx, Entropy, Timestamp};
use tb_testkit::{Folder, Postgres};

use crate::{Config, Engine, Migration, Schema, Stmt, Store, stmt};

pub(crate) const INSERT: Stmt = stmt("test.insert", "INSERT INTO test_row (id, n) VALUES ($1, $2)");
pub(crate) const READ: Stmt = stmt("test.read", "SELECT n FROM test_row WHERE id = $1");
pub(crate) const COUNT: Stmt = stmt("test.count", "SELECT COUNT(*) AS rows FROM test_row");
pub(crate) const ADD: Stmt = stmt("test.add", "UPDATE test_row SET n = n + $2 WHERE id = $1 RETURNING n");
pub(crate) const SUM: Stmt =
    stmt("test.sum", "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) AS total FROM test_row");
pub(crate) const CHILD: Stmt = stmt("test.child", "INSERT INTO test_child (id, parent) VALUES ($1, $2)");
pub(crate) const KIND: Stmt =
    stmt("test.kind", "INSERT INTO test_kind (id, number, real, text, bytes) VALUES ($5, $1, $2, $3, $4)");
pub(crate) const KINDS: Stmt =
    stmt("test.kinds", "SELECT number, real, text, bytes FROM test_kind ORDER BY id");

/// The tables of the tests.
pub(crate) const TEST: Schema = Schema {
    owner: "test",
    migrations: &[Migration { name: "0001_test", sql: SQL, sha256: SQL_SHA256 }],
    statements: &[&[INSERT, READ, COUNT, ADD, SUM, CHILD, KIND, KINDS]],
};

const SQL: &str = "CREATE TABLE test_row (id TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL);
CREATE TABLE test_child (id TEXT NOT NULL PRIMARY KEY, parent TEXT NOT NULL REFERENCES test_row (id));
CREATE TABLE test_kind (id TEXT NOT NULL PRIMARY KEY, number BIGINT, real DOUBLE PRECISION, text TEXT, bytes BYTEA)";
const SQL_SHA256: &str = "ce8e9238ffc5eba288256f94f912b9f294175ac8cffd076efe7da93b8d9aeeb4";

/// A store and what it stands on.
pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) config: Config,
    pub(crate) folder: Folder,
}

impl Bench {
    pub(crate) async fn sqlite(name: &str) -> Bench {
        let folder = Folder::new(name);
        let config = Config { engine: Engine::Sqlite(folder.file("data.sqlite")), inline: false };
        Bench::open(config, folder).await
    }

    pub(crate) async fn postgres(name: &str) -> Bench {
        let server = Postgres::start();
        let schema = server.schema(name);
        let config = Config { engine: Engine::Postgres { url: server.url, schema }, inline: false };
        Bench::open(config, Folder::new(name)).await
    }

    async fn open(config: Config, folder: Folder) -> Bench {
        let store = Store::open(&config, &[TEST]).await.unwrap();
        Bench { store, config, folder }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.config.engine, Engine::Postgres { .. })
    }

    /// The rows of the test table.
    pub(crate) async fn rows(&self) -> i64 {
        self.store.read("test.count", |tx| tx.one(&COUNT, &[])?.unwrap().get("rows")).await.unwrap()
    }
}

/// Bytes that count up: tests want them different, not secret.
struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            self.0 = self.0.wrapping_mul(5).wrapping_add(17);
            *byte = self.0;
        }
    }
}

/// Seconds after a fixed moment.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp(1_795_449_600_000_000).plus_seconds(seconds)
}

/// A context at that moment, on Changsha's node.
pub(crate) fn ctx(seconds: i64) -> Ctx {
    let seed = u8::try_from(seconds.rem_euclid(251)).unwrap();
    Ctx::new(at(seconds), Actor::System, "430100".parse().unwrap(), Arc::new(Mutex::new(Counting(seed))))
}
