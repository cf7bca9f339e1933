//! The canary: one person, her number, name, phone and address, and words that nobody else writes.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tb_base::{Actor, Ctx};
use tb_identity::seed;
use tb_store::backup::{self, About};
use tb_store::{Config, Engine, Store, audit};
use tb_testkit::{Folder, Postgres};
use tongban::clock::OsEntropy;
use tongban::journey::people::{World, list, text};
use tongban::journey::region::{CITIES, Region, Setup};
use tongban::journey::steps::{self, APPROVER, DRIVER_HOME, DRIVER_THERE, REVIEWER, Visitor};
use tongban::modules;

use super::scan::Scanner;

/// What people write in the course of the case, each in another place.
const DISPUTE: &str = "姓名里的金丝雀写错了一笔";
const ASKED: &str = "请到金丝雀巷七号核对住址";
const OPINION: &str = "金丝雀司机符合条件建议准予";
const RATED: &str = "金丝雀觉得窗口很耐心";
const ORDERED: &str = "金丝雀车辆超限运输暂扣证件";
const NEW_PHONE: &str = "13907319999";
/// A part of the picture of her signature, as the browser sends it.
const DRAWING: &str = "tBBQRadzfQlDFUvOu9QNC1mLJxiVpKFNv";

fn secrets() -> Vec<String> {
    let driver = seed::driver().expect("the driver");
    let city = seed::city(seed::SEED, "430100".parse().expect("a city"), 1, 0).expect("a city");
    let person = city.people.first().expect("the driver");
    assert_eq!(person.number, driver.number);
    let words = [DISPUTE, ASKED, OPINION, RATED, ORDERED, NEW_PHONE, DRAWING];
    let mut secrets: Vec<String> = words.map(str::to_owned).to_vec();
    secrets.extend([driver.number.to_string(), driver.name.to_owned(), person.address.clone()]);
    secrets.extend(driver.phone);
    secrets
}

/// A binary that says everything it can: what it logs is searched too.
fn talkative(folder: &Folder) -> PathBuf {
    let script = folder.file("tongban.sh");
    let text = format!("#!/bin/sh\nTONGBAN_LOG=debug exec {} \"$@\"\n", env!("CARGO_BIN_EXE_tongban"));
    std::fs::write(&script, text).expect("a script");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).expect("a script");
    script
}

async fn region(folder: &Folder, database: Option<String>) -> World {
    let data = folder.file("data");
    std::fs::create_dir_all(&data).expect("a folder");
    let setup = Setup { binary: talkative(folder), folder: data, shift: 0, database, drill: false };
    World::new(Region::start(setup).await.expect("the region starts"))
}

/// The whole way, with something of hers typed wherever something can be typed; gives the case.
async fn go(world: &mut World) -> Result<String, String> {
    let draft = steps::collect_at_window(world, Visitor::Driver).await?;
    steps::agree_by_signature(world, &draft).await?;
    let discarded = steps::prepare_online(world).await?;
    let check = format!("{discarded}/check");
    let dispute = [("field", "person.name"), ("text", DISPUTE)];
    world.post(DRIVER_HOME, &check, &format!("{discarded}/dispute"), &dispute).await?;
    let case = steps::submit_online(world, &discarded).await?;
    steps::both_show(world, &case, &["received"]).await?;
    let ask = [
        ("command", "ask_correction"),
        ("about1", "phone"),
        ("what1", ASKED),
        ("article1", "行政许可法第三十二条"),
    ];
    steps::act(world, REVIEWER, &case, &ask).await?;
    steps::both_show(world, &case, &["correcting"]).await?;
    steps::answer_correction(world, DRIVER_HOME, &case).await?;
    steps::both_show(world, &case, &["received"]).await?;
    steps::act(world, REVIEWER, &case, &[("command", "accept")]).await?;
    steps::act(world, REVIEWER, &case, &[("command", "opine"), ("agrees", "approve"), ("text", OPINION)])
        .await?;
    let officer = world.get(REVIEWER, &format!("/office/cases/{case}")).await?.to_string();
    for words in [OPINION, DISPUTE, NEW_PHONE] {
        if !officer.contains(words) {
            return Err(format!("the officer does not see {words}: {officer}"));
        }
    }
    steps::act(world, APPROVER, &case, &[("command", "approve")]).await?;
    steps::both_show(world, &case, &["delivering", "decided"]).await?;
    steps::hand_over(world, &case).await?;
    steps::both_show(world, &case, &["delivered"]).await?;
    let path = format!("/cases/{case}");
    let rate = [("target", "window"), ("grade", "5"), ("text", RATED)];
    world.post(DRIVER_HOME, &path, &format!("{path}/rate"), &rate).await?;
    world.until(DRIVER_THERE, &path, "her rating", |page| list(page, "/progress/ratings").len() == 1).await?;
    let code = steps::show_certificate(world).await?;
    steps::inspect(world, &code).await?;
    world.get(DRIVER_HOME, "/looks").await?;
    order(world).await?;
    Ok(case)
}

/// The department holds her certificate back, with a reason.
async fn order(world: &mut World) -> Result<(), String> {
    let licences = world.get(DRIVER_THERE, "/licences").await?;
    let id = steps::certificate(&licences).map(|it| text(it, "/id").to_owned()).unwrap_or_default();
    let page = format!("/office/licences/{id}");
    let fields = [("do", "suspend"), ("article", "道路运输条例第七十五条"), ("reason", ORDERED)];
    world.post(APPROVER, &page, &page, &fields).await.map(drop)
}

/// What the cities show of it, before and after the keys changed.
async fn is_shown(world: &mut World, case: &str) {
    let hers = world.get(DRIVER_HOME, &format!("/cases/{case}")).await.expect("her case").to_string();
    assert!(hers.contains(RATED), "{hers}");
    let there = world.get(DRIVER_THERE, &format!("/cases/{case}")).await.expect("her case").to_string();
    assert!(there.contains(RATED), "{there}");
    let licences = world.get(DRIVER_THERE, "/licences").await.expect("her licences");
    assert!(steps::certificate(&licences).is_some(), "{licences}");
}

#[track_caller]
fn nothing_in(scanner: &Scanner, folder: &Path, least_bytes: usize) {
    let (found, read) = scanner.folder(folder);
    assert!(least_bytes < read, "only {read} bytes were read in {}", folder.display());
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn nothing_of_a_person_lies_in_the_files_of_three_cities() {
    let folder = Folder::new("canary");
    let mut world = region(&folder, None).await;
    let case = go(&mut world).await.expect("the journey");
    is_shown(&mut world, &case).await;
    let (scanner, data) = (Scanner::new(&secrets()), folder.file("data"));
    for city in CITIES {
        back_up(&data, city).await;
    }
    // As it lies while the cities run: database, write-ahead log, backup, keys and contracts, log lines at debug level.
    nothing_in(&scanner, &data, 3_000_000);
    for city in CITIES {
        let log = std::fs::read_to_string(data.join(format!("{city}.log"))).expect("a log");
        assert!(log.contains("DEBUG"), "{city} said little: {log}");
        world.region.kill(city).expect("killed");
    }
    keys_change(&data.join("430300"));
    nothing_in(&scanner, &data, 3_000_000);
    for city in CITIES {
        world.region.restart(city).await.expect("it starts with the new key");
    }
    is_shown(&mut world, &case).await;
    for city in CITIES {
        world.region.kill(city).expect("killed");
    }
    a_planted_line_is_found(&scanner, &data).await;
}

/// A backup of a city that runs, beside its other files.
async fn back_up(data: &Path, city: &str) {
    let node = city.parse().expect("a city");
    let about = About { city: node, region: "czt".to_owned(), now: tb_base::Timestamp(0) };
    let engine = Engine::Sqlite(data.join(city).join("city.db"));
    let archive = data.join(format!("{city}.backup"));
    let manifest = backup::back_up(&engine, &about, &archive).await.expect("a backup");
    assert!(manifest.parts.iter().any(|part| part.name == "case_event"), "{manifest:?}");
}

/// Runs `tongban keys`; gives whether it succeeded, and what it said.
pub fn keys(words: &[&str], city: &Path) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tongban"));
    command.arg("keys").args(words).arg("--city").arg(city);
    let output = command.output().expect("the binary runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// Everything that a city holds is sealed anew with a second key, and the first one is not needed any more.
fn keys_change(city: &Path) {
    let (done, said) = keys(&["rotate", "--stopped"], city);
    assert!(done && said.contains("key 1"), "{said}");
    let (done, said) = keys(&["retire", "--key", "0"], city);
    assert!(!done && said.contains("values lie under it"), "{said}");
    let (done, said) = keys(&["reseal"], city);
    assert!(done && said.contains("nothing is left under another key"), "{said}");
    let (done, said) = keys(&["status"], city);
    assert!(done && said.contains("key 0: 0 values") && !said.contains("clear"), "{said}");
    let (done, said) = keys(&["retire", "--key", "0"], city);
    assert!(done, "{said}");
}

/// The same search finds what a careless line would leave in the database.
async fn a_planted_line_is_found(scanner: &Scanner, data: &Path) {
    let engine = Engine::Sqlite(data.join("430100/city.db"));
    let store = Store::open(&Config { engine, inline: true }, &modules::schemas()).await.expect("the store");
    let entropy = std::sync::Arc::new(std::sync::Mutex::new(OsEntropy));
    let ctx = Ctx::new(tb_base::Timestamp(0), Actor::System, "430100".parse().expect("a city"), entropy);
    let plant = move |tx: &mut tb_store::Tx<'_>| audit::line(tx, &ctx, "test.careless", OPINION, "done");
    store.write("test.careless", plant).await.expect("written");
    store.close().await;
    let (found, _) = scanner.folder(data);
    assert!(found.iter().any(|it| it.text == OPINION && it.form == "utf-8"), "{found:?}");
}

#[tokio::test]
async fn nothing_of_a_person_lies_in_postgresql() {
    let postgres = Postgres::start();
    let folder = Folder::new("canary-postgres");
    let mut world = region(&folder, Some(postgres.url.clone())).await;
    let case = go(&mut world).await.expect("the journey");
    is_shown(&mut world, &case).await;
    let dump = Command::new("pg_dump")
        .args(["--data-only", "--schema", "journey_*", "--dbname", &postgres.url])
        .output()
        .expect("pg_dump runs");
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    assert!(String::from_utf8_lossy(&dump.stdout).contains(&case), "the dump holds the case");
    let scanner = Scanner::new(&secrets());
    let found = scanner.bytes("dump", &dump.stdout);
    assert!(found.is_empty(), "{found:#?}");
    nothing_in(&scanner, &folder.file("data"), 10_000);
    let careless = [&dump.stdout[..], OPINION.as_bytes()].concat();
    assert_eq!(scanner.bytes("dump", &careless).len(), 1);
}
