//! SQLite: the store beside bare rusqlite, on files with the same settings.

use std::path::Path;
use std::sync::Arc;

use tb_store::{Config, Engine, Store, params};
use tb_testkit::Folder;
use tokio::runtime::Runtime;

use crate::measure::{Effort, Meter, Outcome, Series, rate_of, words};
use crate::report::{Line, Section, Target};
use crate::rows::{AT, BODY, FIND, INSERT, ITEM, Keys, PERSON, SCHEMA};

/// Callers at once.
const CLIENTS: usize = 64;
/// Rows that point reads choose from.
const ROWS: u64 = 200_000;
/// Rows of one planting transaction.
const PLANTED_AT_ONCE: u64 = 10_000;

/// Measures writes and reads.
pub fn run(effort: Effort) -> Outcome<Section> {
    let folder = Folder::new("bench-sqlite");
    let runtime = runtime()?;
    let rows = effort.of(ROWS, ROWS / 10);
    let path = folder.file("ours.db");
    let config = Config { engine: Engine::Sqlite(path.clone()), inline: false };
    let store = runtime.block_on(Store::open(&config, &[SCHEMA])).map_err(words)?;
    runtime.block_on(plant(&store, rows))?;
    // The same file: a table that grows at another pace would be another task.
    let bare = open(&path)?;
    let keys = Arc::new(Keys::default());
    let [mut writes, mut bare_writes, mut reads, mut bare_reads, mut bare_two, mut reads_one] =
        <[Series; 6]>::default();
    for _ in 0..effort.rounds {
        writes.add(store_writes(&runtime, &store, &keys, CLIENTS, effort));
        bare_writes.add(insert_bare(&bare, &keys, effort)?);
        reads.add(store_reads(&runtime, &store, rows, CLIENTS, effort));
        bare_reads.add(read_bare(&path, rows, effort)?);
        bare_two.add(read_bare_twice(&path, rows, effort)?);
        reads_one.add(store_reads(&runtime, &store, rows, 1, effort));
    }
    runtime.block_on(store.close());
    Ok(Section {
        lines: vec![
            Line::beside(
                format!("SQLite: durable inserts, {CLIENTS} callers of `store.write`"),
                "/s",
                writes,
                ("bare rusqlite, one transaction per insert", bare_writes),
                Target::Ratio(5.0),
            ),
            Line::beside(
                format!("SQLite: point reads, {CLIENTS} callers of `store.read`"),
                "/s",
                reads.clone(),
                ("bare rusqlite, prepared, one thread", bare_reads.clone()),
                Target::Ratio(0.6),
            ),
            Line::beside(
                "the same",
                "/s",
                reads,
                ("bare rusqlite, prepared, two threads", bare_two),
                Target::Open,
            ),
            Line::beside(
                "SQLite: point reads, one caller of `store.read`",
                "/s",
                reads_one,
                ("bare rusqlite, prepared, one thread", bare_reads),
                Target::Open,
            ),
        ],
        notes: vec![
            "Both sides: WAL, `synchronous=FULL`, `foreign_keys=ON`, the same table of the same file in turns, rows of some 250 bytes under keys that do not come in order.".to_owned(),
            "The peer of the writes is one thread on one connection with a prepared `INSERT` in a transaction of its own; more threads would only wait for each other, for SQLite has one writer.".to_owned(),
            "The store commits what waits together, and each caller gets its answer after the fsync that holds its row.".to_owned(),
            format!("Reads are of {rows} rows by primary key, all five columns taken out; the peer is a prepared statement in a loop on the thread itself, without any queue; ours crosses to a reader thread and back."),
        ],
        tables: Vec::new(),
    })
}

/// Two threads drive the callers, as `tongban` on two cores.
pub fn runtime() -> Outcome<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(words)
}

/// Rows to be read, in few transactions.
pub async fn plant(store: &Store, rows: u64) -> Outcome<()> {
    for first in (0..rows).step_by(PLANTED_AT_ONCE as usize) {
        let last = (first + PLANTED_AT_ONCE).min(rows);
        let work = move |tx: &mut tb_store::Tx<'_>| {
            for place in first..last {
                tx.run(&INSERT, params![-1 - place.cast_signed(), PERSON, ITEM, BODY, AT])?;
            }
            Ok(())
        };
        store.write("bench.plant", work).await.map_err(words)?;
    }
    Ok(())
}

/// How many rows a second so many callers write, each waiting for its answer.
pub fn store_writes(
    runtime: &Runtime,
    store: &Store,
    keys: &Arc<Keys>,
    clients: usize,
    effort: Effort,
) -> f64 {
    let meter = Meter::default();
    for _ in 0..clients {
        let (store, keys, meter) = (store.clone(), keys.clone(), meter.clone());
        runtime.spawn(async move {
            loop {
                let id = keys.next();
                let insert = move |tx: &mut tb_store::Tx<'_>| {
                    tx.run(&INSERT, params![id, PERSON, ITEM, BODY, AT]).map(drop)
                };
                if store.write("bench.insert", insert).await.is_err() || !meter.count() {
                    return;
                }
            }
        });
    }
    meter.rate(effort)
}

/// How many rows a second so many callers read by their key.
pub fn store_reads(runtime: &Runtime, store: &Store, rows: u64, clients: usize, effort: Effort) -> f64 {
    let meter = Meter::default();
    for client in 0..clients {
        let (store, meter) = (store.clone(), meter.clone());
        runtime.spawn(async move {
            let mut place = client as u64;
            loop {
                place = next_place(place, rows);
                let id = -1 - place.cast_signed();
                let find = move |tx: &mut tb_store::Tx<'_>| {
                    let Some(row) = tx.one(&FIND, params![id])? else { return Ok(0) };
                    let body: String = row.get("body")?;
                    let person: String = row.get("person")?;
                    Ok(body.len()
                        + person.len()
                        + usize::from(row.get::<i64>("at")? == row.get::<i64>("id")?))
                };
                match store.read("bench.find", find).await {
                    Ok(found) if 0 < found && meter.count() => {}
                    _ => return,
                }
            }
        });
    }
    meter.rate(effort)
}

fn next_place(place: u64, rows: u64) -> u64 {
    (place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 16) % rows
}

fn open(path: &Path) -> Outcome<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(path).map_err(words)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
             PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 32768",
        )
        .map_err(words)?;
    Ok(connection)
}

fn insert_bare(connection: &rusqlite::Connection, keys: &Keys, effort: Effort) -> Outcome<f64> {
    let mut insert = connection.prepare(INSERT.sql).map_err(words)?;
    rate_of(effort, || {
        insert.execute(rusqlite::params![keys.next(), PERSON, ITEM, BODY, AT]).map(drop).map_err(words)
    })
}

/// Two threads with a connection each, as many as there are cores to serve ours.
fn read_bare_twice(path: &Path, rows: u64, effort: Effort) -> Outcome<f64> {
    std::thread::scope(|scope| {
        let other = scope.spawn(|| read_bare(path, rows, effort));
        let one = read_bare(path, rows, effort)?;
        let other = other.join().map_err(|_| "a reader panicked".to_owned())??;
        Ok(one + other)
    })
}

fn read_bare(path: &Path, rows: u64, effort: Effort) -> Outcome<f64> {
    let connection = open(path)?;
    let mut find = connection.prepare(FIND.sql).map_err(words)?;
    let mut place = 0;
    rate_of(effort, || {
        place = next_place(place, rows);
        let found = find.query_row([-1 - place.cast_signed()], |row| {
            let (person, item, body): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let (id, at): (i64, i64) = (row.get(0)?, row.get(4)?);
            Ok(person.len() + item.len() + body.len() + usize::from(id == at))
        });
        std::hint::black_box(found.map_err(words)?);
        Ok(())
    })
}
