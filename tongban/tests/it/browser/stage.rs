//! What a browser test stands on: three city processes on a fixed day, and a Chromium.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tb_testkit::{Chrome, Folder};
use tongban::journey::people::World;
use tongban::journey::region::{Region, Setup};

use super::Seen;
use super::plain::Plain;
use super::tab::{Faults, Notes, Tab, View};
use super::visits::Visits;

/// Monday, 2026-09-07, nine in the morning in Changsha: the pictures do not change with the day of the test.
pub const BEGIN_SECONDS: i64 = 1_788_742_800;

/// Fields drop in this order: the cities and the browser end before their folder goes.
pub struct Stage {
    pub world: World,
    chrome: Chrome,
    notes: Notes,
    _folder: Folder,
}

impl Stage {
    /// Founds the region and starts its three processes and the browser's driver.
    pub async fn open(name: &str) -> Seen<Stage> {
        let folder = Folder::new(name);
        let setup = Setup {
            binary: PathBuf::from(env!("CARGO_BIN_EXE_tongban")),
            folder: folder.path().to_owned(),
            shift: BEGIN_SECONDS - now_seconds(),
            database: None,
            drill: false,
        };
        let world = World::new(Region::start(setup).await?);
        let notes = Notes { faults: Faults::default(), visits: Visits::of(name) };
        Ok(Stage { world, chrome: Chrome::start(), notes, _folder: folder })
    }

    /// A browser of its own at a city's site, with nobody signed in.
    pub async fn tab(&self, name: &str, view: View, city: &str) -> Seen<Tab> {
        Tab::open(&self.chrome, name, view, &self.world.region.site(city), &self.notes).await
    }

    /// A browser without script at a city's site.
    pub fn plain(&self, city: &str) -> Plain {
        Plain::at(&self.world.region.site(city), &self.notes.visits)
    }

    /// How a test came out: the step that failed, and the faults of every page that was looked over.
    pub fn verdict(&self, outcome: Seen) -> Seen {
        verdict(&self.notes, outcome)
    }
}

/// The same for browsers that stand on no stage.
pub fn verdict(notes: &Notes, outcome: Seen) -> Seen {
    let written = notes.visits.write();
    let faults = notes.faults.lock().unwrap_or_else(PoisonError::into_inner);
    let told: Vec<String> =
        [outcome, written].into_iter().filter_map(Seen::err).chain(faults.iter().cloned()).collect();
    if told.is_empty() { Ok(()) } else { Err(told.join("\n")) }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the shift from real time to the day of the test is about real time"
)]
pub fn now_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(0)
}

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}
