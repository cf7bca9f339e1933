//! The drill with real processes: a city is backed up while it works, loses its data, and comes back by the commands.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tb_testkit::{Folder, Postgres};
use tongban::journey::people::{World, list, text};
use tongban::journey::region::{Region, Setup};
use tongban::journey::steps::{self, DRIVER_HOME, DRIVER_THERE, REVIEWER};
use tongban::journey::tour::shift_to;

/// The city that loses its data.
const LOST: &str = "430300";

struct Drill {
    folder: Folder,
    shift: i64,
    world: World,
}

impl Drill {
    async fn begin(name: &str, database: Option<String>) -> Drill {
        let folder = Folder::new(name);
        let shift = shift_to("2026-03-10").expect("a day");
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_tongban"));
        let setup = Setup { binary, folder: folder.path().to_owned(), shift, database, drill: false };
        Drill { world: World::new(Region::start(setup).await.expect("the region starts")), folder, shift }
    }

    fn city(&self) -> PathBuf {
        self.world.region.folder().join(LOST)
    }

    fn run(&self, command: &str, words: &[&Path]) -> Output {
        let mut run = Command::new(env!("CARGO_BIN_EXE_tongban"));
        run.arg(command).arg("--city").arg(self.city()).args(words);
        run.output().expect("the binary runs")
    }

    fn must(&self, command: &str, words: &[&Path]) -> String {
        let shift = self.shift.to_string();
        let words = [words, &[Path::new("--shift"), Path::new(&shift)]].concat();
        let output = self.run(command, &words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Her cases at home and there, when both show this one.
    async fn one_case_each(&mut self, case: &str) {
        let path = format!("/cases/{case}");
        for who in [DRIVER_HOME, DRIVER_THERE] {
            let here = |page: &serde_json::Value| text(page, "/progress/phase") == "received";
            self.world.until(who, &path, "the case received", here).await.expect("the case is there");
            let cases = self.world.get(who, "/cases").await.expect("her cases");
            assert_eq!(list(&cases, "/cases").len(), 1, "{who}: {cases:#}");
        }
    }
}

/// A case arrives after the backup; the city loses everything, is restored, and has the case again, once.
async fn drill(name: &str, database: Option<(String, String)>) {
    let (url, schema) = database.unzip();
    let mut drill = Drill::begin(name, url.clone()).await;
    let draft = steps::prepare_online(&mut drill.world).await.expect("a draft");
    // She has signed in there before the backup, so that her session is in it.
    drill.world.get(DRIVER_THERE, "/cases").await.expect("her cases there");
    let (archive, keys) = (drill.folder.file("xiangtan.tongban"), drill.folder.file("xiangtan.keys"));
    let secret = drill.folder.file("passphrase");
    std::fs::write(&secret, "correct horse battery\n").expect("the passphrase");
    let sealing = [Path::new("--keys-to"), &keys, Path::new("--passphrase-file"), &secret];
    let said = drill.must("backup", &[&[Path::new("--to"), archive.as_path()], &sealing[..]].concat());
    assert!(said.contains("log of"), "{said}");
    is_sealed(&archive, &keys, &drill.city());

    let case = steps::submit_online(&mut drill.world, &draft).await.expect("handed in");
    drill.one_case_each(&case).await;
    let from: [&Path; 2] = [Path::new("--from"), &archive];
    // While the node runs, and while there is data, nothing is restored.
    assert!(!drill.run("restore", &from).status.success());
    drill.world.region.kill(LOST).expect("it is killed");
    assert!(!drill.run("restore", &from).status.success());
    lose(&drill.city(), url.as_deref(), schema.as_deref()).await;
    let said = drill.must("restore", &[&from[..], &[Path::new("--check")]].concat());
    assert!(said.contains("every hash is right"), "{said}");
    let opening = [Path::new("--keys"), &keys, Path::new("--passphrase-file"), &secret];
    drill.must("restore", &[&from[..], &opening[..]].concat());
    drill.world.region.restart(LOST).await.expect("it comes back");
    drill.one_case_each(&case).await;
    // It goes on: the officer there takes the case, and both cities show the very same again.
    let accept = [("command", "accept")];
    steps::act(&mut drill.world, REVIEWER, &case, &accept).await.expect("it is accepted");
    steps::both_show(&mut drill.world, &case, &["accepted"]).await.expect("both cities show it");
    let log = drill.world.region.folder().join(format!("{LOST}.log"));
    let log = std::fs::read_to_string(log).expect("its log");
    assert!(log.contains("the node works again"), "{log}");
}

/// Neither file holds a key in clear, and the archive no name of the driver.
fn is_sealed(archive: &Path, keys: &Path, city: &Path) {
    let secrets = std::fs::read_to_string(city.join("keys/secrets.json")).expect("the keys");
    let secrets: serde_json::Value = serde_json::from_str(&secrets).expect("JSON");
    let vault = secrets.get("vault").and_then(serde_json::Value::as_str).expect("the vault's key");
    for file in [archive, keys] {
        let bytes = std::fs::read(file).expect("the file");
        assert!(!bytes.windows(vault.len()).any(|part| part == vault.as_bytes()), "{}", file.display());
        let driver = "430302199003072024".as_bytes();
        assert!(!bytes.windows(driver.len()).any(|part| part == driver), "{}", file.display());
    }
}

/// The disk is gone, the keys with it.
async fn lose(city: &Path, url: Option<&str>, schema: Option<&str>) {
    std::fs::remove_dir_all(city.join("keys")).expect("the keys are gone");
    match (url, schema) {
        (Some(url), Some(schema)) => tb_store::drop_schema(url, schema).await.expect("the schema is gone"),
        _ => {
            for end in ["", "-wal", "-shm"] {
                let file = city.join(format!("city.db{end}"));
                if file.exists() {
                    std::fs::remove_file(&file).expect("the file is gone");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_city_on_sqlite_comes_back_from_its_backup() {
    drill("restore-sqlite", None).await;
}

#[tokio::test]
async fn a_city_on_postgres_comes_back_from_its_backup() {
    let postgres = Postgres::start();
    let schema = format!("journey_{}_{LOST}", std::process::id());
    drill("restore-postgres", Some((postgres.url.clone(), schema))).await;
}
