//! PostgreSQL: the store beside pgbench with the same statements, on one private server with durable commits.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tb_store::{Config, Engine, Store};
use tb_testkit::{Folder, Postgres};

use crate::measure::{Effort, Outcome, Series, words};
use crate::report::{Line, Section, Target};
use crate::rows::{AT, BODY, ITEM, Keys, PERSON, SCHEMA};
use crate::sqlite::{plant, runtime, store_reads, store_writes};

/// Callers at once, and clients of pgbench.
const CLIENTS: usize = 16;
const ROWS: u64 = 200_000;
const SCHEMA_NAME: &str = "city_bench";

/// Measures writes and reads.
pub fn run(effort: Effort) -> Outcome<Section> {
    let server = Postgres::durable()?;
    let measured = measure(&server, effort);
    Postgres::end_durable();
    measured
}

fn measure(server: &Postgres, effort: Effort) -> Outcome<Section> {
    let folder = Folder::new("bench-postgres");
    let runtime = runtime()?;
    let rows = effort.of(ROWS, ROWS / 10);
    let engine = Engine::Postgres { url: server.url.clone(), schema: SCHEMA_NAME.to_owned() };
    let config = Config { engine, inline: false };
    let store = runtime.block_on(Store::open(&config, &[SCHEMA])).map_err(words)?;
    runtime.block_on(plant(&store, rows))?;
    let host = server.socket_folder().ok_or("the private server has no socket")?;
    let (insert, find) = (folder.file("insert.sql"), folder.file("find.sql"));
    std::fs::write(&insert, insert_script()).map_err(words)?;
    std::fs::write(&find, find_script(rows)).map_err(words)?;
    let keys = Arc::new(Keys::default());
    let [mut writes, mut bench_writes, mut reads, mut bench_reads] = <[Series; 4]>::default();
    for _ in 0..effort.rounds {
        writes.add(store_writes(&runtime, &store, &keys, CLIENTS, effort));
        bench_writes.add(pgbench(&host, &insert, effort)?);
        reads.add(store_reads(&runtime, &store, rows, CLIENTS, effort));
        bench_reads.add(pgbench(&host, &find, effort)?);
    }
    runtime.block_on(store.close());
    Ok(Section {
        lines: vec![
            Line::beside(
                format!("PostgreSQL: inserts, {CLIENTS} callers of `store.write`"),
                "/s",
                writes,
                ("pgbench -M prepared, same statements", bench_writes),
                Target::Ratio(0.8),
            ),
            Line::beside(
                format!("PostgreSQL: point reads, {CLIENTS} callers of `store.read`"),
                "/s",
                reads,
                ("pgbench -M prepared, same statement", bench_reads),
                Target::Ratio(0.6),
            ),
        ],
        notes: vec![
            "One private server: `fsync=on`, `synchronous_commit=on`, `shared_buffers=1GB`, unix socket, on the same two cores as its clients.".to_owned(),
            format!("pgbench runs `-M prepared -c {CLIENTS} -j 2` with `BEGIN ISOLATION LEVEL REPEATABLE READ`, the `INSERT`, `COMMIT`, and for reads with the bare `SELECT`, as the store does."),
            "The store sends `BEGIN` along with the first statement; pgbench waits for its answer.".to_owned(),
        ],
        tables: Vec::new(),
    })
}

fn insert_script() -> String {
    let body = BODY.replace('\'', "''");
    format!(
        "\\set id random(1, 4611686018427387903)\n\
         BEGIN ISOLATION LEVEL REPEATABLE READ;\n\
         INSERT INTO {SCHEMA_NAME}.bench_row (id, person, item, body, at) \
         VALUES (:id, '{PERSON}', '{ITEM}', '{body}', {AT});\n\
         COMMIT;\n"
    )
}

fn find_script(rows: u64) -> String {
    format!(
        "\\set id random(1, {rows})\n\
         SELECT id, person, item, body, at FROM {SCHEMA_NAME}.bench_row WHERE id = 0 - :id;\n"
    )
}

/// Transactions a second, by its own count.
fn pgbench(host: &Path, script: &Path, effort: Effort) -> Outcome<f64> {
    let seconds = effort.of(2, 1).to_string();
    let clients = CLIENTS.to_string();
    let output = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-c", &clients, "-j", "2", "-T", &seconds, "-U", "postgres", "-h"])
        .arg(host)
        .arg("-f")
        .arg(script)
        .arg("postgres")
        .output()
        .map_err(|error| format!("running pgbench: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.ok_or_else(|| format!("pgbench said {said} {}", String::from_utf8_lossy(&output.stderr)))
}
