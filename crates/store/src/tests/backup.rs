//! Backup and restore: either engine's archive comes back whole on either, marked, or not at all.

use std::path::PathBuf;

use tb_base::{Error, Result};

use super::bench::{ADD, Bench, CHILD, INSERT, KIND, KINDS, READ, SUM, TEST, at};
use super::messages::outgoing;
use super::tree::leaf;
use crate::backup::{self, About, Manifest, archive::Piece, archive::Reader};
use crate::{Config, Engine, Migration, Schema, Store, Tx, log, outbox, params, restored, search};

both! {
    a_backup_comes_back_on_either_engine, a_backup_is_one_moment, data_is_never_overwritten,
    a_damaged_archive_is_refused, an_older_schema_is_brought_up_to_date, an_unfinished_restoration_is_thrown_away,
    one_backup_at_a_time_gets_a_name,
}

fn about() -> About {
    About { city: "430100".parse().unwrap(), region: "czt".to_owned(), now: at(100) }
}

async fn back_up(bench: &Bench, name: &str) -> (PathBuf, Manifest) {
    let to = bench.folder.file(name);
    let manifest = backup::back_up(&bench.config.engine, &about(), &to).await.unwrap();
    (to, manifest)
}

/// A place for a store that does not exist yet, on the same engine or the other one.
fn place(bench: &Bench, name: &str, is_postgres: bool) -> Engine {
    if is_postgres {
        let server = tb_testkit::Postgres::start();
        let schema = server.schema(&format!("{name}_{}", if bench.is_postgres() { "pg" } else { "lite" }));
        Engine::Postgres { url: server.url, schema }
    } else {
        Engine::Sqlite(bench.folder.file(&format!("{name}/city.db")))
    }
}

async fn restore(engine: &Engine, archive: &std::path::Path) -> Result<Manifest> {
    backup::restore(engine, &[TEST], archive, about().city, at(200)).await
}

async fn opened(engine: &Engine) -> Store {
    Store::open(&Config { engine: engine.clone(), inline: false }, &[TEST]).await.unwrap()
}

/// A row of every kind, a reference, a message with its leaf, a log with a checkpoint, words to be found.
fn traffic(tx: &mut Tx<'_>) -> Result<()> {
    tx.run(&INSERT, params!["a", 41_i64])?;
    tx.run(&INSERT, params!["b", 1_i64])?;
    tx.run(&CHILD, params!["c", "a"])?;
    tx.run(&KIND, params![i64::MIN, -0.5_f64, "湘\"'", vec![0_u8, 255], "full"])?;
    tx.run(&KIND, params![None::<i64>, None::<f64>, None::<&str>, None::<&[u8]>, "none"])?;
    outbox::send(tx, &super::bench::ctx(3), &outgoing(3, "430300", None))?;
    (10..15).try_for_each(|number| log::append(tx, &leaf(number)).map(drop))?;
    search::index(tx, "item", "121", "道路运输证 Transport")?;
    search::index(tx, "item", "122", "教师资格证")
}

async fn grown(store: &Store) {
    let grow = |tx: &mut Tx<'_>| {
        let fence = log::take(tx, at(50), "one", 10)?.unwrap();
        let size = log::sequence(tx, fence, 4)?.end;
        let root = log::root(tx, size)?;
        log::put_checkpoint(tx, at(50), size, &root, "note\n\n— line\n")?;
        log::add_cosignature(tx, at(51), size, "tongban/witness/430200", "— line")
    };
    store.write("test.grow", grow).await.unwrap();
}

async fn a_backup_comes_back_on_either_engine(bench: &Bench) {
    let postgres = bench.is_postgres();
    bench.store.write("test.traffic", traffic).await.unwrap();
    grown(&bench.store).await;
    let (archive, manifest) = back_up(bench, "full.tongban").await;
    assert_eq!((manifest.log_size, manifest.engine == "postgres"), (4, postgres));
    assert!(manifest.checkpoint.as_deref().is_some_and(|note| note.ends_with("— line\n")));
    assert_eq!(backup::check(&archive).await.unwrap(), manifest);
    assert!(manifest.migrations.iter().any(|(owner, name, _)| owner == "store" && name == "0003_mirror"));
    for is_postgres in [false, true] {
        let engine = place(bench, "back", is_postgres);
        restore(&engine, &archive).await.unwrap();
        // A backup of what came back holds the same bytes, before anything opens it.
        let again = bench.folder.file(&format!("again-{is_postgres}.tongban"));
        let again = backup::back_up(&engine, &about(), &again).await.unwrap();
        for (before, after) in manifest.parts.iter().zip(&again.parts) {
            let is_mark = before.name == "store_restored" || before.name == search::PART;
            assert!(is_mark || before == after, "{before:?} {after:?}");
        }
        let store = opened(&engine).await;
        let mark = store.read("test.pending", restored::pending).await.unwrap().unwrap();
        assert_eq!((mark.taken, mark.size, mark.without.len()), (at(100), 4, 0));
        let found = |tx: &mut Tx<'_>| {
            let latin = search::find(tx, "item", "transp", 9)?;
            Ok((latin, search::find(tx, "item", "资格", 9)?, tx.all(&KINDS, &[])?.len()))
        };
        let found = store.read("test.found", found).await.unwrap();
        assert_eq!(found, (vec!["121".to_owned()], vec!["122".to_owned()], 2));
        assert_eq!(store.read("test.root", |tx| log::root(tx, 4)).await.unwrap(), root(bench).await);
        store.write("test.finish", |tx| restored::finish(tx, at(300))).await.unwrap();
        assert_eq!(store.read("test.pending", restored::pending).await.unwrap(), None);
        let late = store.write("test.without", |tx| restored::go_without(tx, at(301), about().city)).await;
        assert!(matches!(late, Err(Error::Refused(_))));
        store.close().await;
    }
}

async fn root(bench: &Bench) -> tb_tlog::Hash {
    bench.store.read("test.root", |tx| log::root(tx, 4)).await.unwrap()
}

/// While rows change hands, no backup shows the sum of any other moment.
async fn a_backup_is_one_moment(bench: &Bench) {
    let begin = |tx: &mut Tx<'_>| {
        tx.run(&INSERT, params!["a", 1_000_i64])?;
        tx.run(&INSERT, params!["b", 0_i64]).map(drop)
    };
    bench.store.write("test.begin", begin).await.unwrap();
    let (store, stop) = (bench.store.clone(), std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let stopped = stop.clone();
    let moving = tokio::spawn(async move {
        let mut moves = 0;
        while !stopped.load(std::sync::atomic::Ordering::SeqCst) {
            let hand = |tx: &mut Tx<'_>| {
                tx.one(&ADD, params!["a", -1_i64])?;
                tx.one(&ADD, params!["b", 1_i64]).map(drop)
            };
            store.write("test.hand", hand).await.unwrap();
            moves += 1;
        }
        moves
    });
    for number in 0..5 {
        let (archive, _) = back_up(bench, &format!("moment-{number}.tongban")).await;
        let engine = Engine::Sqlite(bench.folder.file(&format!("moment-{number}/city.db")));
        restore(&engine, &archive).await.unwrap();
        let store = opened(&engine).await;
        let sum = |tx: &mut Tx<'_>| tx.one(&SUM, &[])?.unwrap().get::<i64>("total");
        assert_eq!(store.read("test.sum", sum).await.unwrap(), 1_000);
        store.close().await;
    }
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(0 < moving.await.unwrap());
}

async fn data_is_never_overwritten(bench: &Bench) {
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 1_i64])).await.unwrap();
    let (archive, _) = back_up(bench, "here.tongban").await;
    let refused = backup::back_up(&bench.config.engine, &about(), &archive).await;
    assert!(matches!(&refused, Err(Error::Refused(refusal)) if refusal.code == "STO-RES-002"), "{refused:?}");
    // While it runs, and when it is stopped.
    assert!(restore(&bench.config.engine, &archive).await.is_err());
    let engine = place(bench, "twice", bench.is_postgres());
    restore(&engine, &archive).await.unwrap();
    let refused = restore(&engine, &archive).await;
    assert!(matches!(&refused, Err(Error::Refused(refusal)) if refusal.code == "STO-RES-002"), "{refused:?}");
    if let Engine::Sqlite(path) = &engine {
        // What a WAL holds would be played into the new file.
        let wal = path.with_file_name("city.db-wal");
        std::fs::remove_file(path).unwrap();
        std::fs::write(&wal, b"old").unwrap();
        assert!(restore(&engine, &archive).await.is_err());
        // What a look leaves beside a file holds nothing.
        std::fs::write(&wal, b"").unwrap();
        std::fs::write(path.with_file_name("city.db-shm"), [1; 32_768]).unwrap();
        restore(&engine, &archive).await.unwrap();
    }
    let (other, zhuzhou) = (place(bench, "other", false), "430200".parse().unwrap());
    let other = backup::restore(&other, &[TEST], &archive, zhuzhou, at(1)).await;
    assert!(matches!(other, Err(Error::Violation(_))), "another city's archive");
}

async fn a_damaged_archive_is_refused(bench: &Bench) {
    bench.store.write("test.traffic", |tx| tx.run(&INSERT, params!["a", 1_i64])).await.unwrap();
    let (archive, _) = back_up(bench, "whole.tongban").await;
    let bytes = std::fs::read(&archive).unwrap();
    let spoiled = bench.folder.file("spoiled.tongban");
    let mut cases: Vec<Vec<u8>> =
        vec![bytes[..bytes.len() - 1].to_vec(), [&bytes[..], b"x"].concat(), Vec::new()];
    for place in (0..bytes.len()).step_by(bytes.len() / 97) {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        cases.push(changed);
    }
    for case in cases {
        std::fs::write(&spoiled, &case).unwrap();
        assert!(backup::check(&spoiled).await.is_err());
    }
    let engine = place(bench, "spoiled", bench.is_postgres());
    assert!(restore(&engine, &spoiled).await.is_err());
    // Nothing was made of it.
    restore(&engine, &archive).await.unwrap();
}

async fn an_older_schema_is_brought_up_to_date(bench: &Bench) {
    const MORE: &str = "ALTER TABLE test_row ADD COLUMN note TEXT";
    const MORE_SHA256: &str = "4c309d8055aa852398463390a7b168b39f86b3db7baccd851318795171e4f99b";
    const NEWER: Schema = Schema {
        owner: "test",
        migrations: &[TEST.migrations[0], Migration { name: "0002_more", sql: MORE, sha256: MORE_SHA256 }],
        statements: TEST.statements,
    };
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 7_i64])).await.unwrap();
    let (archive, _) = back_up(bench, "older.tongban").await;
    let engine = place(bench, "newer", bench.is_postgres());
    let city = about().city;
    backup::restore(&engine, &[NEWER], &archive, city, at(200)).await.unwrap();
    let config = Config { engine: engine.clone(), inline: false };
    let store = Store::open(&config, &[NEWER]).await.unwrap();
    let read = |tx: &mut Tx<'_>| tx.one(&READ, params!["a"])?.unwrap().get::<i64>("n");
    assert_eq!(store.read("test.read", read).await.unwrap(), 7);
    store.close().await;
    // The way back: a program that does not know a step does not touch its data.
    let newer = bench.folder.file("newer.tongban");
    backup::back_up(&engine, &about(), &newer).await.unwrap();
    let refused = restore(&place(bench, "older", bench.is_postgres()), &newer).await;
    assert!(refused.unwrap_err().to_string().contains("of a later program"));
}

async fn an_unfinished_restoration_is_thrown_away(bench: &Bench) {
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 7_i64])).await.unwrap();
    let (archive, _) = back_up(bench, "left.tongban").await;
    let engine = place(bench, "left", bench.is_postgres());
    // What a restoration that was killed leaves behind, with other rows in it.
    let left = match &engine {
        Engine::Sqlite(path) => Engine::Sqlite(path.with_file_name("city.db.restoring")),
        Engine::Postgres { url, schema } => {
            Engine::Postgres { url: url.clone(), schema: format!("{schema}_restoring") }
        }
    };
    let store = opened(&left).await;
    store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 1_i64])).await.unwrap();
    store.close().await;
    restore(&engine, &archive).await.unwrap();
    let store = opened(&engine).await;
    let read = |tx: &mut Tx<'_>| tx.one(&READ, params!["a"])?.unwrap().get::<i64>("n");
    assert_eq!(store.read("test.read", read).await.unwrap(), 7);
    store.close().await;
}

/// Whatever bytes come, reading them ends, and with an error.
#[test]
fn any_bytes_are_read_to_an_error() {
    proptest::proptest!(|(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300))| {
        let input = [b"TONGBAN-ARCHIVE-1\n".as_slice(), &bytes].concat();
        let mut reader = Reader::begin(input.as_slice()).unwrap();
        let end = loop {
            match reader.next() {
                Ok(Piece::Part(_) | Piece::Rows(_)) => {}
                Ok(Piece::End(..)) => break true,
                Err(_) => break false,
            }
        };
        assert!(!end);
    });
}

/// Two that write one name at once: one archive, and it is whole; what a killed one left is in nobody's way.
async fn one_backup_at_a_time_gets_a_name(bench: &Bench) {
    bench.store.write("test.traffic", traffic).await.unwrap();
    let (engine, about) = (&bench.config.engine, about());
    let (to, partial) = (bench.folder.file("one.tongban"), bench.folder.file("one.tongban.partial"));
    let other = std::fs::File::create(&partial).unwrap();
    std::io::Write::write_all(&mut &other, &[7; 4_096]).unwrap();
    other.lock().unwrap();
    let refused = backup::back_up(engine, &about, &to).await;
    assert!(matches!(&refused, Err(Error::Refused(it)) if it.code == "STO-RES-003"), "{refused:?}");
    assert_eq!(std::fs::read(&partial).unwrap(), [7; 4_096], "the archive of another is left alone");
    // It is killed; what it left may be an archive that was given its name and moved away before the end.
    let moved = bench.folder.file("moved.tongban");
    std::fs::hard_link(&partial, &moved).unwrap();
    drop(other);
    let (one, two) = tokio::join!(backup::back_up(engine, &about, &to), backup::back_up(engine, &about, &to));
    let refused = match (one, two) {
        (Ok(_), Err(Error::Refused(refused))) | (Err(Error::Refused(refused)), Ok(_)) => refused,
        both => panic!("{both:?}"),
    };
    assert!(["STO-RES-002", "STO-RES-003"].contains(&&*refused.code), "{refused:?}");
    backup::check(&to).await.unwrap();
    assert!(!partial.exists());
    assert_eq!(std::fs::read(&moved).unwrap(), [7; 4_096]);
}
