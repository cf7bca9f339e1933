//! The rows (测试行) that both sides write and read: a key and some 250 bytes.

use std::sync::atomic::{AtomicU64, Ordering};

use tb_store::{Migration, Schema, Stmt, stmt};

/// Writes one row.
pub const INSERT: Stmt =
    stmt("bench.insert", "INSERT INTO bench_row (id, person, item, body, at) VALUES ($1, $2, $3, $4, $5)");
/// Reads one row by its key.
pub const FIND: Stmt = stmt("bench.find", "SELECT id, person, item, body, at FROM bench_row WHERE id = $1");

const TABLE: &str = "CREATE TABLE bench_row (
    id BIGINT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL,
    item TEXT NOT NULL,
    body TEXT NOT NULL,
    at BIGINT NOT NULL
)";

/// The table of the benchmark.
pub const SCHEMA: Schema = Schema {
    owner: "bench",
    migrations: &[Migration { name: "0001_bench", sql: TABLE, sha256: TABLE_SHA256 }],
    statements: &[&[INSERT, FIND]],
};
const TABLE_SHA256: &str = "6a41ce2e0390a676a9e988dd9ced2a76cec9e5db2f9cc8cf55ee7aa07ceb03e1";

/// The person of every row.
pub const PERSON: &str = "8f14e45fceea167a5a36dedd4bea2543";
/// The item of every row.
pub const ITEM: &str = "121";
/// The bulk of a row.
pub const BODY: &str = "{\"phase\":\"submitted\",\"office\":\"430100-hall-1\",\"deciding\":\"430300-bureau\",\
    \"promised\":\"2026-12-01\",\"parts\":[\"identity\",\"licence\",\"photograph\"],\"note\":\"collected at the window\"}";
/// The time of every row.
pub const AT: i64 = 1_795_492_800_000_000;

/// Keys that do not come in order, never twice, the same in every run (an odd factor permutes the numbers of 62 bits).
#[derive(Default)]
pub struct Keys(AtomicU64);

impl Keys {
    /// The next one.
    pub fn next(&self) -> i64 {
        Keys::at(self.0.fetch_add(1, Ordering::Relaxed))
    }

    /// The one of a place.
    pub fn at(place: u64) -> i64 {
        (place.wrapping_mul(0x9e37_79b9_7f4a_7c15) & ((1 << 62) - 1)).cast_signed()
    }
}
