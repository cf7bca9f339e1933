//! Looking at a store: beside whoever runs on it, or at what a dead one left, and nothing of it changes.

use tb_base::Error;

use super::bench::{ADD, Bench, COUNT, INSERT, TEST};
use crate::{Config, Engine, Store, Tx, params};

both! {
    a_look_writes_nothing,
    a_look_sees_what_is_written_beside_it,
}

async fn a_look_writes_nothing(bench: &Bench) {
    let look = Store::look(&bench.config).await.unwrap();
    let refused = look.write("test.insert", |tx| tx.run(&INSERT, params!["a", 1_i64])).await;
    assert!(
        matches!(&refused, Err(Error::Fault(it)) if it.to_string().contains("only looked at")),
        "{refused:?}"
    );
    let read = look.read("test.insert", |tx| tx.run(&INSERT, params!["a", 1_i64])).await;
    assert!(read.is_err(), "{read:?}");
    look.close().await;
    assert_eq!(bench.rows().await, 0);
}

async fn a_look_sees_what_is_written_beside_it(bench: &Bench) {
    let look = Store::look(&bench.config).await.unwrap();
    bench.store.write("test.insert", |tx| tx.run(&INSERT, params!["a", 1_i64])).await.unwrap();
    let rows = look.read("test.count", |tx| tx.one(&COUNT, &[])?.unwrap().get::<i64>("rows")).await;
    assert_eq!(rows.unwrap(), 1);
    assert_eq!(look.damage().await.unwrap(), None);
    look.close().await;
    bench.store.write("test.add", |tx| tx.one(&ADD, params!["a", 1_i64]).map(drop)).await.unwrap();
}

/// A file and its log of writes as a power failure leaves them, and a file that was closed in order.
#[tokio::test]
async fn what_a_dead_process_left_stays_as_it_is() {
    let Bench { store, config, folder } = Bench::sqlite("look").await;
    let write = |tx: &mut Tx<'_>| {
        (0..50_i64).try_for_each(|n| tx.run(&INSERT, params![format!("row-{n}"), n]).map(drop))
    };
    store.write("test.insert", write).await.unwrap();
    let Engine::Sqlite(path) = &config.engine else { panic!("it is a file") };
    let beside =
        |path: &std::path::Path, end: &str| std::path::PathBuf::from(format!("{}{end}", path.display()));
    let dead = folder.file("dead.sqlite");
    std::fs::copy(path, &dead).unwrap();
    std::fs::copy(beside(path, "-wal"), beside(&dead, "-wal")).unwrap();
    store.close().await;
    let log = std::fs::read(beside(&dead, "-wal")).unwrap();
    assert!(!log.is_empty(), "the rows stand in the log of writes alone");
    for (path, log) in [(&dead, log), (path, Vec::new())] {
        let before = std::fs::read(path).unwrap();
        let config = Config { engine: Engine::Sqlite(path.clone()), inline: false };
        assert_eq!(Store::standing(&config, &[TEST]).await.unwrap().ahead, Vec::<String>::new());
        let look = Store::look(&config).await.unwrap();
        assert_eq!(look.damage().await.unwrap(), None);
        let rows = look.read("test.count", |tx| tx.one(&COUNT, &[])?.unwrap().get::<i64>("rows")).await;
        assert_eq!(rows.unwrap(), 50);
        look.close().await;
        assert!(std::fs::read(path).unwrap() == before, "{} was changed", path.display());
        assert!(std::fs::read(beside(path, "-wal")).unwrap_or_default() == log, "{}", path.display());
    }
}
