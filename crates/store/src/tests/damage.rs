//! Flipped bits: a store that is damaged is not opened, and says so in words; leases of the dead end at the start.

use std::path::PathBuf;

use tb_exchange::{Leaf, LeafKind};
use tb_testkit::Folder;

use super::bench::{Bench, INSERT, TEST, at, ctx};
use super::messages::{id, outgoing};
use crate::{Config, Engine, Lease, Store, Tx, jobs, log, outbox, params, stmt};

both! { a_log_that_lost_leaves_is_not_opened, a_changed_leaf_is_seen }

/// Rows, and a signed log of some leaves.
async fn fill(store: &Store) {
    let fill = |tx: &mut Tx<'_>| {
        for number in 0..200_u8 {
            tx.run(&INSERT, params![format!("row-{number:03}"), i64::from(number)])?;
        }
        for number in 0..60_u8 {
            let ctx = ctx(i64::from(number));
            let leaf = Leaf {
                kind: LeafKind::Case,
                at: ctx.now,
                id: ctx.id(tb_base::MessageId::new),
                contract: [0; 16],
                content: [number; 32],
                base: [0; 32],
                subject: [0; 32],
            };
            log::append(tx, &leaf)?;
        }
        let fence = log::take(tx, at(0), "one", 10)?.unwrap();
        let size = log::sequence(tx, fence, 100)?.end;
        let root = log::root(tx, size)?;
        log::put_checkpoint(tx, at(0), size, &root, "signed")
    };
    store.write("test.fill", fill).await.unwrap();
}

/// A database file as it lies on the disk of a city that is down.
struct File {
    folder: Folder,
    bytes: Vec<u8>,
}

impl File {
    async fn new(name: &str) -> File {
        let bench = Bench::sqlite(name).await;
        fill(&bench.store).await;
        let Bench { store, config, folder } = bench;
        store.close().await;
        let Engine::Sqlite(path) = config.engine else { panic!("it is a file") };
        File { bytes: std::fs::read(path).unwrap(), folder }
    }

    /// Puts the file with one bit changed into its place and opens it.
    async fn open_with(&self, at: usize, bit: u8) -> Result<Store, String> {
        let mut changed = self.bytes.clone();
        changed[at] ^= 1 << bit;
        let path: PathBuf = self.folder.file("changed.sqlite");
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(self.folder.file(&format!("changed.sqlite{ending}")));
        }
        std::fs::write(&path, &changed).unwrap();
        let config = Config { engine: Engine::Sqlite(path.clone()), inline: true };
        let opened = Store::open(&config, &[TEST]).await.map_err(|error| error.to_string());
        if opened.is_err() {
            assert_eq!(std::fs::read(path).unwrap(), changed, "byte {at}: a damaged file was changed");
        }
        opened
    }

    #[track_caller]
    fn position_of(&self, text: &[u8]) -> usize {
        self.bytes.windows(text.len()).rposition(|window| window == text).unwrap()
    }
}

fn check_words(error: &str) {
    for word in ["is damaged", "Nothing was started and nothing was changed", "tongban restore"] {
        assert!(error.contains(word), "{word} is missing in: {error}");
    }
}

#[tokio::test]
async fn a_flipped_bit_where_it_matters_stops_the_start() {
    let file = File::new("flipped").await;
    let leaf = file.position_of(&[33; 32]);
    let hash = tb_tlog::leaf_hash(&file.bytes[leaf - 52..leaf + 96]);
    let places = [
        ("the head of the file", 20),
        ("the root of a tree of pages", 4_096),
        ("the content of a leaf", leaf),
        ("a hash in the log, or in the index that finds it", file.position_of(&hash)),
        ("the key of a row, or in the index that finds it", file.position_of(b"row-017")),
    ];
    for (what, at) in places {
        let error = file.open_with(at, 0).await.err().unwrap_or_else(|| panic!("{what}: it was opened"));
        check_words(&error);
    }
}

/// A city that was killed leaves its log of writes beside the file; whoever looks into the damage finds both.
#[tokio::test]
async fn a_damaged_file_with_a_log_of_writes_beside_it_stays_as_it_was_found() {
    let bench = Bench::sqlite("killed").await;
    fill(&bench.store).await;
    let Bench { store, config, folder } = bench;
    store.close().await;
    let store = Store::open(&config, &[TEST]).await.unwrap();
    let late = |tx: &mut Tx<'_>| tx.run(&INSERT, params!["row-late", 1_i64]);
    store.write("test.late", late).await.unwrap();
    let bench = Bench { store, config, folder };
    let copy = again(&bench);
    let Engine::Sqlite(path) = &copy.engine else { panic!("it is a file") };
    let log = bench.folder.file("again.sqlite-wal");
    let leaf = [33; 32];
    let position = |bytes: &[u8]| bytes.windows(leaf.len()).rposition(|window| window == leaf);
    let mut bytes = std::fs::read(path).unwrap();
    let writes = std::fs::read(&log).unwrap();
    assert!(!writes.is_empty() && position(&writes).is_none(), "the leaf lies in the file alone");
    // Sound, both are taken, and the log is folded in at the end.
    assert!(Store::open(&again(&bench), &[TEST]).await.is_ok());
    again(&bench);
    let at = position(&bytes).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, &bytes).unwrap();
    let error = Store::open(&copy, &[TEST]).await.unwrap_err().to_string();
    check_words(&error);
    let damage = Store::look(&copy).await.unwrap().damage().await.unwrap().unwrap();
    assert!(error.contains(&damage), "{damage} in {error}");
    assert!(std::fs::read(path).unwrap() == bytes, "the file was changed");
    assert!(std::fs::read(&log).unwrap() == writes, "the log of writes was changed");
}

/// Bits all over the file: a start either refuses, or everything that the log proves is as it was.
#[tokio::test]
async fn a_flipped_bit_anywhere_never_starts_a_wrong_log() {
    const FLIPS: usize = 240;
    let file = File::new("sweep").await;
    let read = |tx: &mut Tx<'_>| {
        Ok((log::size(tx)?, log::root(tx, 60)?, log::entries(tx, 0..60)?, log::latest(tx)?.map(|it| it.root)))
    };
    let path = file.folder.file("whole.sqlite");
    std::fs::write(&path, &file.bytes).unwrap();
    let config = Config { engine: Engine::Sqlite(path), inline: true };
    let expected = Store::open(&config, &[TEST]).await.unwrap().read("test.log", read).await.unwrap();
    let mut refused = 0;
    for flip in 0..FLIPS {
        let at = flip * file.bytes.len() / FLIPS + flip % 97;
        match file.open_with(at.min(file.bytes.len() - 1), (flip % 8) as u8).await {
            Ok(store) => assert_eq!(store.read("test.log", read).await.unwrap(), expected, "byte {at}"),
            Err(error) => {
                refused += 1;
                check_words(&error);
            }
        }
    }
    println!(
        "{refused} of {FLIPS} flipped bits stopped the start; the others lay where nothing is, or in a value"
    );
    assert!(FLIPS / 20 < refused, "only {refused} of {FLIPS} were seen");
}

async fn a_changed_leaf_is_seen(bench: &Bench) {
    fill(&bench.store).await;
    let change = stmt("test.change", "UPDATE store_leaf SET data = $1 WHERE position = $2");
    bench
        .store
        .write("test.change", move |tx| tx.run(&change, params![vec![1_u8; 148], 30_i64]))
        .await
        .unwrap();
    let error = Store::open(&again(bench), &[TEST]).await.unwrap_err().to_string();
    check_words(&error);
    assert!(error.contains("leaf 30 of the log"), "{error}");
}

async fn a_log_that_lost_leaves_is_not_opened(bench: &Bench) {
    fill(&bench.store).await;
    let change = stmt("test.change", "UPDATE store_sequencer SET size = 59 WHERE id = 1");
    bench.store.write("test.change", move |tx| tx.run(&change, &[])).await.unwrap();
    let error = Store::open(&again(bench), &[TEST]).await.unwrap_err().to_string();
    check_words(&error);
    assert!(error.contains("ends at leaf 59, and its city signed 60"), "{error}");
}

/// The same data for a second process: a copy of the file, which is in use; the same schema.
fn again(bench: &Bench) -> Config {
    let Engine::Sqlite(path) = &bench.config.engine else { return bench.config.clone() };
    let copy = bench.folder.file("again.sqlite");
    let mut into = copy.as_os_str().to_owned();
    std::fs::copy(path, &copy).unwrap();
    into.push("-wal");
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    std::fs::copy(wal, into).unwrap();
    Config { engine: Engine::Sqlite(copy), inline: false }
}

#[tokio::test]
async fn leases_of_a_process_that_is_gone_end_at_the_start() {
    leases_end(Bench::sqlite("leases").await).await;
}

#[tokio::test]
async fn leases_of_a_process_that_is_gone_end_at_the_start_on_postgres() {
    leases_end(Bench::postgres("leases").await).await;
}

/// Whether a process gets the line, how many jobs, and whether it may grow the log.
fn take_all(tx: &mut Tx<'_>, holder: &str) -> tb_base::Result<(bool, usize, bool)> {
    let to = "430300".parse()?;
    let line = outbox::take_line(tx, at(2), to, Lease { holder, seconds: 600 })?;
    let jobs = jobs::due(tx, at(2), 10, Lease { holder: "one", seconds: 600 })?.len();
    Ok((line, jobs, log::take(tx, at(2), holder, 600)?.is_some()))
}

async fn leases_end(bench: Bench) {
    let put = |tx: &mut Tx<'_>| {
        outbox::send(tx, &ctx(1), &outgoing(1, "430300", None))?;
        jobs::put(tx, "test.job", "key", at(1), &serde_json::Value::Null)
    };
    bench.store.write("test.put", put).await.unwrap();
    let take = |holder: &'static str| move |tx: &mut Tx<'_>| take_all(tx, holder);
    assert_eq!(bench.store.write("test.take", take("one")).await.unwrap(), (true, 1, true));
    if bench.is_postgres() {
        // Beside the first, a second process gets nothing of what the first holds.
        let beside = Store::open(&bench.config, &[TEST]).await.unwrap();
        assert_eq!(beside.write("test.take", take("two")).await.unwrap(), (false, 0, false));
        beside.close().await;
    }
    let Bench { store, config, folder: _folder } = bench;
    store.close().await;
    let store = Store::open(&config, &[TEST]).await.unwrap();
    assert_eq!(store.write("test.take", take("two")).await.unwrap(), (true, 1, true));
    let found = store.read("test.find", |tx| outbox::find(tx, id(1))).await.unwrap();
    assert!(found.is_some());
}
