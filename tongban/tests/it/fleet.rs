//! Several processes of one city on one PostgreSQL: fronts, workers, and what a killed worker leaves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tb_base::{Clock as _, Timestamp};
use tb_store::{Config, Engine, Store, log};
use tb_testkit::{Folder, Postgres, until};
use tongban::clock::SystemClock;
use tongban::journey::browser::Browser;
use tongban::journey::people::{World, list};
use tongban::journey::region::{Region, Setup};
use tongban::journey::steps;
use tongban::journey::tour::shift_to;

use crate::process::{Process, free_address, tongban};

const HOME: &str = "430100";
/// The lease of who grows the log, and a little for the machine.
const TAKEN_OVER_SECONDS_MAX: u64 = 12;

/// The size of the log, whether nothing waits and two cities cosigned all of it, and who grows it.
type Stand = (u64, bool, Option<String>);

fn stand(runtime: &tokio::runtime::Runtime, store: &Store, now: Timestamp) -> Stand {
    let look = move |tx: &mut tb_store::Tx<'_>| {
        let size = log::size(tx)?;
        let cosigned = log::latest_cosigned(tx, 2)?.map_or(0, |it| it.size);
        Ok((size, log::waiting(tx)? == 0 && cosigned == size, log::holder(tx, now)?))
    };
    runtime.block_on(store.read("test.stand", look)).expect("the log")
}

/// The home city as two fronts and two workers, where one process stood.
struct Fleet {
    world: World,
    other_site: String,
    _fronts: Vec<Process>,
    workers: Vec<Process>,
    store: Store,
}

fn begin(runtime: &tokio::runtime::Runtime, folder: &Folder, shift: i64) -> Fleet {
    let postgres = Postgres::start();
    let setup = Setup {
        binary: PathBuf::from(env!("CARGO_BIN_EXE_tongban")),
        folder: folder.path().join("region"),
        shift,
        database: Some(postgres.url.clone()),
        drill: false,
    };
    std::fs::create_dir(&setup.folder).expect("a folder");
    let mut region = runtime.block_on(Region::start(setup)).expect("the region starts");
    region.kill(HOME).expect("the one process of the home city ends");
    let config = folder.path().join("region").join(HOME).join("city.toml");
    let (file, ahead) = (config.display().to_string(), shift.to_string());
    let (site, exchange) = (free_address(), free_address());
    let front = ["serve", "--without-workers", "--demo", "--config", &file, "--shift", &ahead];
    let other = [&front[..], &["--site", &site, "--exchange", &exchange]].concat();
    let worker = ["worker", "--config", &file, "--shift", &ahead];
    let fronts = vec![Process::start(folder, "front-1", &front), Process::start(folder, "front-2", &other)];
    let workers =
        vec![Process::start(folder, "worker-1", &worker), Process::start(folder, "worker-2", &worker)];
    let store =
        runtime.block_on(Store::open(&database(&config), &tongban::modules::schemas())).expect("the store");
    Fleet { world: World::new(region), other_site: format!("http://{site}"), _fronts: fronts, workers, store }
}

fn database(config: &Path) -> Config {
    let config = tongban::config::CityConfig::load(config).expect("the configuration");
    Config { engine: Engine::Postgres { url: config.database, schema: config.schema }, inline: false }
}

/// Two fronts and two workers; the worker that grows the log is killed, and nothing is lost, doubled or forked.
#[test]
fn a_killed_worker_is_replaced_within_the_lease() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let folder = Folder::new("fleet");
    let shift = shift_to("2026-03-10").expect("a day");
    let clock = SystemClock::ahead(shift);
    let mut fleet = begin(&runtime, &folder, shift);
    let world = &mut fleet.world;
    let draft = runtime.block_on(steps::prepare_online(world)).expect("a draft");
    let case = runtime.block_on(steps::submit_online(world, &draft)).expect("a case");
    runtime.block_on(steps::both_show(world, &case, &["received"])).expect("the case arrived");
    let quiet = |least: u64| {
        let (store, runtime, clock) = (&fleet.store, &runtime, &clock);
        move || Some(stand(runtime, store, clock.now())).filter(|stand| least < stand.0 && stand.1)
    };
    let ((size, _, _), _) = until("a log that all cosigned", Duration::from_secs(30), quiet(0));
    let root =
        runtime.block_on(fleet.store.read("test.root", move |tx| log::root(tx, size))).expect("a root");

    // The holder is known while its lease runs: another case makes it take the lease, and it is killed at once.
    let draft = runtime.block_on(steps::prepare_online(&mut fleet.world)).expect("another draft");
    let holder = stand(&runtime, &fleet.store, clock.now()).2.expect("somebody grows the log");
    let holds = |worker: &Process| worker.said(&holder).is_some();
    let at = fleet.workers.iter().position(holds).expect("a worker grows the log");
    fleet.workers[at].kill();

    // The fronts answer on, each; what is handed in goes its way by the other worker.
    let mut other = Browser::at(&fleet.other_site);
    let world = &mut fleet.world;
    let second = runtime
        .block_on(steps::submit_online(world, &draft))
        .expect("handed in while no worker holds the log");
    let ((grown, _, holder_then), took) =
        until("the log grows again", Duration::from_secs(TAKEN_OVER_SECONDS_MAX), || {
            Some(stand(&runtime, &fleet.store, clock.now()))
                .filter(|it| size < it.0 && it.2.as_ref().is_some_and(|it| *it != holder))
        });
    println!("another worker grew the log {} ms after the kill; size {size} → {grown}", took.as_millis());
    assert!(
        holder_then.is_some_and(|it| fleet.workers[1 - at].said(&it).is_some()),
        "the other worker grows it"
    );
    runtime.block_on(steps::both_show(world, &second, &["received"])).expect("the second case arrived");
    let cases = runtime.block_on(async {
        other.get("/sign-in").await?;
        let door = [("login", steps::DRIVER_HOME), ("password", "Tongban-demo-2026")];
        other.post("/sign-in", &door).await?;
        other.get("/cases").await
    });
    assert_eq!(list(&cases.expect("the other front answers"), "/cases").len(), 2);
    // The witnesses cosigned the grown log from the old one: it did not fork.
    until("a log that all cosigned again", Duration::from_secs(30), || {
        Some(stand(&runtime, &fleet.store, clock.now())).filter(|it| size < it.0 && it.1)
    });
    let kept =
        runtime.block_on(fleet.store.read("test.root", move |tx| log::root(tx, size))).expect("a root");
    assert_eq!(root, kept, "the log that was is the beginning of the log that is");
    drop(fleet.workers);
    runtime.block_on(fleet.store.close());
}

#[test]
fn a_worker_beside_sqlite_is_refused_with_a_clear_sentence() {
    let folder = Folder::new("fleet-sqlite");
    let data = folder.path().display().to_string();
    assert!(tongban(&["demo", "--prepare-only", "--data", &data]).status.success());
    let config = folder.path().join(HOME).join("city.toml").display().to_string();
    for words in [&["worker", "--config", &config][..], &["serve", "--without-workers", "--config", &config]]
    {
        let output = tongban(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("set database in"), "{said}");
    }
    let output = tongban(&["config", "check", &config]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
