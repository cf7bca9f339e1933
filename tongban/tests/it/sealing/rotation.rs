//! A new key while the city runs, with real processes: what is written afterwards lies under it, what lay under the
//! old one is sealed anew by the running node, and the old one goes when nothing needs it.

#![expect(clippy::print_stdout, reason = "the figures are what the drill is run for")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use tb_testkit::{Folder, Postgres};
use tokio::time::Instant;
use tongban::journey::people::{World, text};
use tongban::journey::region::{Region, Setup};
use tongban::journey::steps;

use crate::process::Process;
use crate::sealing::canary::keys;

const CITY: &str = "430100";
/// The shortest wait that a configuration may have, so that the test is short.
const WAIT_SECONDS: u64 = 5;
/// A key that did not take over in this time, or an old one that is not free, will not.
const PATIENCE: Duration = Duration::from_secs(60);

/// A city of a region that runs, with its people.
struct Drill {
    world: World,
    city: PathBuf,
    /// What she began before the key changed.
    draft: String,
}

impl Drill {
    async fn begin(folder: &Folder, database: Option<String>) -> Drill {
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_tongban"));
        let setup = Setup { binary, folder: folder.path().to_owned(), shift: 0, database, drill: false };
        let mut world = World::new(Region::start(setup).await.expect("the region starts"));
        let draft = steps::prepare_online(&mut world).await.expect("a draft");
        let city = folder.path().join(CITY);
        let file = city.join("city.toml");
        let text = std::fs::read_to_string(&file).expect("a configuration");
        let short = text.replace("seal_wait_seconds = 60", &format!("seal_wait_seconds = {WAIT_SECONDS}"));
        assert_ne!(text, short);
        std::fs::write(file, short).expect("it is written");
        Drill { world, city, draft }
    }

    /// How many values lie under the old key and under the new one.
    fn status(&self) -> (u64, u64) {
        let (done, said) = keys(&["status"], &self.city);
        assert!(done, "{said}");
        (under(&said, 0), under(&said, 1))
    }

    /// People go on: somebody comes to the window, her fields are sealed; hers from before is shown. Gives the draft.
    async fn somebody_comes(&mut self) -> String {
        let draft = steps::collect_at_window(&mut self.world, steps::Visitor::Driver).await.expect("a draft");
        let filled_in = self.world.get(steps::CLERK, &draft).await.expect("her form");
        assert_eq!(text(&filled_in, "/fields/reason"), "expiring", "{filled_in:#}");
        let check = format!("{}/check", self.draft);
        let hers = self.world.get(steps::DRIVER_HOME, &check).await.expect("what she began before");
        assert!(!text(&hers, "/command").is_empty(), "{hers:#}");
        draft
    }

    /// She changes her mind; a clerk has only so many drafts.
    async fn she_leaves(&mut self, draft: &str) {
        let discard = format!("{draft}/discard");
        self.world.post(steps::CLERK, draft, &discard, &[]).await.expect("it is discarded");
    }

    /// People come and leave until so many values lie under both keys.
    async fn until(&mut self, what: &str, is_so: impl Fn(u64, u64) -> bool) -> (u64, u64) {
        let begun = Instant::now();
        loop {
            let draft = self.somebody_comes().await;
            let (old, new) = self.status();
            self.she_leaves(&draft).await;
            if is_so(old, new) {
                println!(
                    "{what} after {} ms: {old} under key 0, {new} under key 1",
                    begun.elapsed().as_millis()
                );
                return (old, new);
            }
            assert!(begun.elapsed() < PATIENCE, "{what}: not so with {old} under key 0, {new} under key 1");
        }
    }

    fn rotate(&self) {
        let (done, said) = keys(&["status"], &self.city);
        assert!(done && 0 < under(&said, 0) && !said.contains("key 1: "), "{said}");
        let (done, said) = keys(&["rotate"], &self.city);
        assert!(done && said.contains("key 1 is made"), "{said}");
    }

    fn retire(&self) -> (bool, String) {
        keys(&["retire", "--key", "0"], &self.city)
    }
}

/// The number in `key N: … values`.
#[track_caller]
fn under(said: &str, key: u32) -> u64 {
    let line = said.lines().find_map(|line| line.strip_prefix(&format!("key {key}: ")));
    let number = line.and_then(|line| line.split(' ').next()).and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("key {key} in: {said}"))
}

/// A process of the city beside the region's own.
fn process(folder: &Folder, name: &str, words: &[&str], city: &Path) -> Process {
    Process::start(folder, name, &[words, &["--city", &city.display().to_string()]].concat())
}

#[tokio::test]
async fn a_running_node_takes_a_new_key_over_and_seals_anew() {
    let folder = Folder::new("rotation");
    let mut drill = Drill::begin(&folder, None).await;
    drill.rotate();
    drill.until("all was sealed anew", |old, new| old == 0 && 0 < new).await;
    let (done, said) = drill.retire();
    assert!(!done && said.contains("another process uses it"), "{said}");
    drill.world.region.kill(CITY).expect("it is killed");
    let (done, said) = drill.retire();
    assert!(done, "{said}");
    drill.world.region.restart(CITY).await.expect("it starts with the new key alone");
    drill.somebody_comes().await;
    let (done, said) = keys(&["status"], &drill.city);
    assert!(done && said.contains("key 1: ") && !said.contains("key 0: "), "{said}");
}

#[tokio::test]
async fn fronts_and_a_worker_change_keys_while_people_go_on() {
    let postgres = Postgres::start();
    let folder = Folder::new("rotation-postgres");
    let mut drill = Drill::begin(&folder, Some(postgres.url.clone())).await;
    // Fronts alone seal nothing anew, so both keys stay in use as long as the test wants.
    drill.world.region.kill(CITY).expect("it is killed");
    let front = process(&folder, "front", &["serve", "--demo", "--without-workers"], &drill.city);
    drill.rotate();
    let (old, _) = drill.until("the new key seals", |_, new| 0 < new).await;
    assert!(0 < old, "nobody has sealed anew yet");
    let (done, said) = drill.retire();
    assert!(!done && said.contains("values lie under it"), "{said}");

    let worker = process(&folder, "worker", &["worker"], &drill.city);
    drill.until("all was sealed anew", |old, new| old == 0 && 0 < new).await;
    let begun = Instant::now();
    let mut retired = drill.retire();
    while !retired.0 && begun.elapsed() < PATIENCE {
        retired = drill.retire();
    }
    assert!(retired.0, "{}", retired.1);
    let has_one_key = |log: &str| {
        let mut changes = log.lines().filter(|line| line.contains("the keys of the vault changed"));
        changes.next_back().is_some_and(|line| line.contains("keys=1"))
    };
    let begun = Instant::now();
    while !has_one_key(&front.log()) {
        assert!(begun.elapsed() < PATIENCE, "{}", front.log());
        let draft = drill.somebody_comes().await;
        drill.she_leaves(&draft).await;
    }
    drill.somebody_comes().await;
    assert!(worker.said("sealed anew").is_some(), "{}", worker.log());
    let (done, said) = keys(&["status"], &drill.city);
    assert!(done && !said.contains("key 0: "), "{said}");
}
