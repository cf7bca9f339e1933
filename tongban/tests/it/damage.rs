//! A bit that flips on the disk of a city, with real processes: nothing is started on it, doctor says the same, and a
//! backup or the good file brings the city back.

#![expect(clippy::print_stdout, reason = "the figures are what the drill is run for")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use hyper::Method;
use tb_store::{Config, Engine, Store, log};
use tb_testkit::{Folder, until};
use tokio::time::Instant;
use tongban::journey::browser::Browser;
use tongban::journey::people::list;

use crate::failures::{beside, serve, signal, verify};
use crate::operations::{found, site_of};
use crate::process::{Process, tongban};

/// So soon a city says that it does not start, and so soon it serves again.
const WITHIN: Duration = Duration::from_secs(5);
/// So many leaves, and the tree has hashes above them.
const LEAVES_MIN: u64 = 4;

/// The database file of a city that is down, sound.
struct Sound {
    config: PathBuf,
    file: PathBuf,
    bytes: Vec<u8>,
}

impl Sound {
    fn new(config: &Path) -> Sound {
        let file = config.with_file_name("city.db");
        assert!(!config.with_file_name("city.db-wal").exists(), "an orderly end leaves one file");
        Sound { config: config.to_owned(), bytes: std::fs::read(&file).expect("the data"), file }
    }

    /// Where those bytes lie last in the file.
    #[track_caller]
    fn position_of(&self, bytes: &[u8]) -> usize {
        let found = self.bytes.windows(bytes.len()).rposition(|window| window == bytes);
        found.expect("the bytes lie in the file")
    }

    /// Every place whose damage is tried, from the leaves and the shape of the file.
    async fn places(&self) -> [(&'static str, usize); 5] {
        let engine = Engine::Sqlite(self.file.clone());
        let store = Store::look(&Config { engine, inline: true }).await.expect("the store");
        let leaves = |tx: &mut tb_store::Tx<'_>| {
            let size = log::size(tx)?;
            log::entries(tx, 0..size)
        };
        let leaves = store.read("test.leaves", leaves).await.expect("its leaves");
        store.close().await;
        assert!(LEAVES_MIN <= leaves.len() as u64, "the log has {} leaves", leaves.len());
        let hashes = [tb_tlog::leaf_hash(&leaves[0]), tb_tlog::leaf_hash(&leaves[1])];
        let page = usize::from(u16::from_be_bytes([self.bytes[16], self.bytes[17]]));
        [
            ("the head of the file", 20),
            ("the first page behind it", page),
            ("a leaf of the log", self.position_of(&leaves[2]) + 60),
            ("the hash of a leaf", self.position_of(&hashes[1])),
            (
                "a hash of a tile above the leaves",
                self.position_of(&tb_tlog::node_hash(&hashes[0], &hashes[1])),
            ),
        ]
    }

    /// A start on the file with one bit changed is refused in time and in words, and doctor says the same.
    fn is_refused(&self, what: &str, at: usize) {
        let mut changed = self.bytes.clone();
        changed[at] ^= 1;
        std::fs::write(&self.file, &changed).expect("it is written");
        let before = everything(self.folder());
        let begun = Instant::now();
        let refused = run("serve", &self.config, &[]);
        let took = begun.elapsed();
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{what}: {said}");
        assert!(took < WITHIN, "{what}: it was said after {} ms", took.as_millis());
        for words in [
            "city.db: it is damaged (",
            "Nothing was started and nothing was changed",
            "tongban restore",
            "drills.md",
        ] {
            assert!(said.contains(words), "{what}: {words} is missing in: {said}");
        }
        assert!(!said.contains("ready"), "{what}: {said}");
        is_unchanged(&before, self.folder(), what);
        let found = integrity(&self.config);
        let told = found.0.trim_end_matches('.');
        assert!(
            said.contains(told) && found.1.contains("restore"),
            "{what}: doctor says {found:?}, the start {said}"
        );
        is_unchanged(&before, self.folder(), what);
        println!("{what}, byte {at}: refused after {} ms: {told}", took.as_millis());
    }

    fn folder(&self) -> &Path {
        self.file.parent().expect("a folder")
    }

    fn put_back(&self) {
        std::fs::write(&self.file, &self.bytes).expect("it is written");
    }
}

fn run(command: &str, config: &Path, more: &[&str]) -> Output {
    tongban(&[&[command, "--config", &config.display().to_string()][..], more].concat())
}

/// Everything in a folder, byte for byte, but what SQLite puts beside a file that is only looked at: its shared index,
/// and a log of writes with nothing in it.
fn everything(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(everything(&path));
        } else {
            let name = path.to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).expect("a file");
            let is_of_a_look = name.ends_with("-shm") || (name.ends_with("-wal") && bytes.is_empty());
            if !is_of_a_look {
                found.insert(path, bytes);
            }
        }
    }
    found
}

#[track_caller]
fn is_unchanged(before: &BTreeMap<PathBuf, Vec<u8>>, folder: &Path, what: &str) {
    let after = everything(folder);
    let names = |all: &BTreeMap<PathBuf, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&after), names(before), "{what}: other files than before");
    let changed: Vec<_> = after.iter().filter(|(path, bytes)| before.get(*path) != Some(bytes)).collect();
    assert!(
        changed.is_empty(),
        "{what}: changed were {:?}",
        changed.iter().map(|it| it.0).collect::<Vec<_>>()
    );
}

/// What doctor says of the integrity, with the way out; it failed over it.
fn integrity(config: &Path) -> (String, String) {
    let output = run("doctor", config, &["--json"]);
    assert!(!output.status.success(), "doctor finds no failure");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    let finding = list(&report, "/findings").iter().find(|it| it["check"] == "integrity");
    let finding = finding.unwrap_or_else(|| panic!("nothing of the integrity in {report:#}"));
    assert_eq!(finding["state"], "fail", "{report:#}");
    let text = |name: &str| finding[name].as_str().expect("a text").to_owned();
    (text("says"), text("way_out"))
}

/// Starts the city; gives it when it serves pages again, which must be soon.
async fn is_back(folder: &Folder, name: &str, config: &Path) -> Process {
    let begun = Instant::now();
    let process = serve(folder, name, config);
    let mut browser = Browser::at(&site_of(config));
    loop {
        let page = browser.call(Method::GET, "/items", None).await;
        if page.as_ref().is_ok_and(|page| page.status == 200) {
            println!("{name}: serving after {} ms", begun.elapsed().as_millis());
            return process;
        }
        assert!(begun.elapsed() < WITHIN, "{name}: {:?} {}", page.map(|it| it.status), process.log());
    }
}

fn end(mut process: Process) {
    signal(&process, "TERM");
    assert!(process.child.wait().expect("it ends").success(), "{}", process.log());
}

/// The size of the log that the city's own commands see while it runs.
async fn leaves(config: &Path) -> u64 {
    let engine = Engine::Sqlite(config.with_file_name("city.db"));
    let store = Store::look(&Config { engine, inline: true }).await.expect("the store");
    let size = store.read("test.size", log::size).await.expect("its size");
    store.close().await;
    size
}

#[tokio::test]
async fn a_flipped_bit_starts_nothing_and_a_backup_brings_the_city_back() {
    let folder = Folder::new("damage");
    let config = found(&folder);
    let _others = ["430200", "430300"].map(|city| serve(&folder, city, &beside(&config, city)));
    let home = serve(&folder, "home", &config);
    let mut browser = Browser::at(&site_of(&config));
    while leaves(&config).await < LEAVES_MIN {
        verify(&mut browser).await;
    }
    let archive = folder.file("home.tongban");
    let backed = run("backup", &config, &["--to", &archive.display().to_string()]);
    assert!(backed.status.success(), "{}", String::from_utf8_lossy(&backed.stderr));
    verify(&mut browser).await;
    end(home);

    let sound = Sound::new(&config);
    let places = sound.places().await;
    for (what, at) in places {
        sound.is_refused(what, at);
    }
    sound.put_back();
    is_back(&folder, "the good file", &config).await.kill();
    for ending in ["-wal", "-shm"] {
        std::fs::remove_file(config.with_file_name(format!("city.db{ending}")))
            .expect("a process was killed");
    }
    let (what, at) = places[2];
    sound.is_refused(what, at);
    let from = ["--from", &archive.display().to_string()];
    let kept = run("restore", &config, &from);
    assert!(!kept.status.success(), "what is there is never overwritten");
    std::fs::rename(&sound.file, folder.file("damaged.db")).expect("it is kept");
    let restored = run("restore", &config, &from);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    let home = is_back(&folder, "the backup", &config).await;
    until("the restored city works again", Duration::from_secs(20), || home.said("the node works again"));
    assert!(verify(&mut Browser::at(&site_of(&config))).await.status < 500, "{}", home.log());
}
