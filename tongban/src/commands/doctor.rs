//! `tongban doctor` (诊断): looks at a city from outside its processes and says what is wrong and how to mend it.

mod machine;
mod peers;

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use tb_base::{Clock as _, Fault, Result, Timestamp};
use tb_store::{Pages, Store, figures, processes};

use crate::checks;
use crate::city::database;
use crate::clock::SystemClock;
use crate::commands::place::Place;
use crate::config::{self, CityConfig};
use crate::finding::{Finding, State, worst};
use crate::modules;
use crate::operations::SEEN_SECONDS_MAX;
use crate::region::CityFolder;

/// So long a person waits for a look at every page.
const PAGES_WITHIN: Duration = Duration::from_secs(60);
const RESTORE: &str = "stop the node, keep a copy as it is, and restore the newest backup (docs/operations/drills.md); do not go on with this one";

/// Options of `doctor`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
    /// Look as from a clock ahead of real time by so many seconds.
    #[arg(long, hide = true, allow_negative_numbers = true, default_value_t = 0)]
    shift: i64,
}

/// Prints what was found; a failure is an error.
pub async fn run(options: Options) -> Result<()> {
    let now = SystemClock::ahead(options.shift).now();
    let found = findings(&options.place, now).await;
    let text = match options.json {
        true => {
            serde_json::to_string_pretty(&serde_json::json!({ "state": worst(&found), "findings": found }))
                .map_err(|error| Fault::of("writing JSON", error))?
        }
        false => found.iter().map(Finding::line).collect::<Vec<_>>().join("\n"),
    };
    writeln!(std::io::stdout(), "{text}").map_err(|error| Fault::of("printing", error))?;
    match found.iter().filter(|finding| finding.state == State::Fail).count() {
        0 => Ok(()),
        failures => {
            Err(Fault::new(format!("looking at the city: {failures} of {} checks failed", found.len()))
                .into())
        }
    }
}

/// Everything that can be looked at; what a failure makes impossible is left out.
async fn findings(place: &Place, now: Timestamp) -> Vec<Finding> {
    let file = place.file();
    let (config, mut found) = configuration(&file);
    let Some(config) = config else { return found };
    found.push(machine::configuration(&file, &config));
    found.push(machine::keys(&config.keys));
    found.push(machine::disk(&config));
    found.extend(machine::backup(&config, now));
    let settings = config.clone();
    let folder = match place.folder(config) {
        Ok(folder) => folder,
        Err(error) => {
            found.push(Finding::fail(
                "keys",
                error.to_string(),
                "restore the file that is named, or have it made anew",
            ));
            return found;
        }
    };
    let list = &folder.trust.list;
    found.push(checks::trust(list, now, &settings.warn));
    found.push(checks::certificate(list, settings.node, &folder.identity, now, &settings.warn));
    found.push(site_url(&folder));
    found.extend(machine::ports(&settings).await);
    found.extend(store(&folder, now).await);
    found.extend(peers::all(&folder, now).await);
    found
}

fn configuration(file: &Path) -> (Option<CityConfig>, Vec<Finding>) {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            let says = format!("{} cannot be read: {error}", file.display());
            return (
                None,
                vec![Finding::fail("config", says, "`tongban config example` prints one to begin from")],
            );
        }
    };
    let problems = config::problems(file, &text);
    if problems.is_empty() {
        return match CityConfig::load(file) {
            Ok(config) => (Some(config), vec![Finding::ok("config", format!("{} is sound", file.display()))]),
            Err(error) => (None, vec![Finding::fail("config", error.to_string(), "mend the file")]),
        };
    }
    let failures = problems.into_iter().map(|problem| {
        let at = problem.line.map(|line| format!(" line {line}")).unwrap_or_default();
        Finding::fail(
            "config",
            format!("{}{at}: {}: {}", problem.file.display(), problem.field, problem.found),
            problem.way_out,
        )
    });
    (None, failures.collect())
}

/// People must reach the site by the address that the other cities send them to.
fn site_url(folder: &CityFolder) -> Finding {
    let listed = folder.trust.list.city(folder.config.node).map_or("", |city| city.site_url.as_str());
    let own = &folder.config.site_url;
    if own.is_empty() || own == listed {
        return Finding::ok("site_url", listed);
    }
    let says = format!("the configuration says {own}, the trust list {listed}");
    Finding::warn("site_url", says, "make both the same; the other cities send people to that of the list")
}

async fn store(folder: &CityFolder, now: Timestamp) -> Vec<Finding> {
    let config = database(folder);
    // Nothing that is read from damaged pages is worth telling.
    let pages = match pages(&config).await {
        Ok(pages) => pages,
        Err(damage) => return vec![damage],
    };
    let standing = Store::standing(&config, &modules::schemas()).await;
    let is_new = standing.as_ref().is_ok_and(|it| it.waiting.len() == modules::steps());
    if let Err(tb_base::Error::Fault(fault)) = &standing
        && !fault.to_string().contains("migration")
    {
        return vec![Finding::fail(
            "database",
            fault.to_string(),
            "start the database, or set database and schema to where it is",
        )];
    }
    let mut found = vec![Finding::ok("database", "it answers")];
    if is_new {
        found.push(Finding::warn(
            "migrations",
            "the store is empty",
            "the first start, or `tongban migrate`, makes its tables",
        ));
        return found;
    }
    let fits = standing.as_ref().is_ok_and(|it| it.waiting.is_empty());
    found.push(checks::migrations(standing));
    found.extend(pages);
    if fits {
        let failed = |error: tb_base::Error| {
            vec![Finding::fail("database", error.to_string(), "see the database's own log")]
        };
        found.extend(inside(folder, &config, now).await.unwrap_or_else(failed));
    }
    found
}

/// A warning where the pages are too many to be looked at; a failure where they are damaged.
async fn pages(config: &tb_store::Config) -> std::result::Result<Option<Finding>, Finding> {
    match Store::pages(config, PAGES_WITHIN).await {
        Ok(Pages::Sound) => Ok(None),
        Ok(Pages::Unfinished) => {
            let says = format!("the file is too large to be looked at in {} s", PAGES_WITHIN.as_secs());
            let way_out = "run `PRAGMA integrity_check` of sqlite3 on a copy of it, at leisure";
            Ok(Some(Finding::warn("pages", says, way_out)))
        }
        Ok(Pages::Damaged(what)) => Err(Finding::fail("integrity", what, RESTORE)),
        Err(error) => {
            Err(Finding::fail("database", error.to_string(), "see that the file can be read by this user"))
        }
    }
}

/// What stands in the store.
async fn inside(folder: &CityFolder, config: &tb_store::Config, now: Timestamp) -> Result<Vec<Finding>> {
    let store = Store::look(config).await?;
    let mut found = Vec::new();
    match store.damage().await {
        Ok(None) => found
            .push(Finding::ok("integrity", "pages and the newest leaves of the log are what was written")),
        Ok(Some(what)) => return Ok(vec![Finding::fail("integrity", what, RESTORE)]),
        Err(error) => return Ok(vec![Finding::fail("integrity", error.to_string(), RESTORE)]),
    }
    let figures = store.read("doctor.figures", move |tx| figures::read(tx, now)).await?;
    found.extend(checks::queues(&figures, now, &folder.config.warn));
    found.push(log(&figures, now));
    let since = now.plus_seconds(-SEEN_SECONDS_MAX);
    let seen = store.read("doctor.processes", move |tx| processes::seen(tx, since)).await?;
    found.push(alive(&seen));
    store.close().await;
    Ok(found)
}

/// A checkpoint follows a leaf within a second.
fn log(figures: &figures::Figures, now: Timestamp) -> Finding {
    const LATE_SECONDS: i64 = 30;
    let signed = figures.checkpoint.map_or(0, |(size, _)| size);
    let says = format!("{} leaves, {signed} of them signed, {} wait", figures.log_size, figures.log_waiting);
    if figures.unsigned_since.is_some_and(|since| since.plus_seconds(LATE_SECONDS) < now) {
        return Finding::warn("log", says, "a process that does the city's work must run");
    }
    Finding::ok("log", says)
}

fn alive(seen: &[processes::Process]) -> Finding {
    if seen.is_empty() {
        return Finding::warn("processes", "none of this city lives", "start `tongban serve`");
    }
    let named: Vec<String> = seen.iter().map(|it| format!("{} {}", it.duty, it.program)).collect();
    let working = seen.iter().any(|it| it.duty != crate::city::Duty::Front.name());
    match working {
        true => Finding::ok("processes", named.join(", ")),
        false => {
            Finding::warn("processes", named.join(", "), "fronts alone send nothing: start `tongban worker`")
        }
    }
}

#[cfg(test)]
mod tests {
    use tb_base::Timestamp;
    use tb_store::figures::Figures;

    use super::log;
    use crate::finding::State;

    #[test]
    fn a_leaf_of_this_moment_is_no_reason_to_warn() {
        let now = Timestamp(1_764_000_000_000_000);
        let since = |unsigned_since| Figures {
            waiting: Vec::new(),
            dead: 0,
            jobs_due: 0,
            jobs_due_since: None,
            jobs_failed: 0,
            log_size: 8,
            log_waiting: 1,
            checkpoint: Some((7, now.plus_seconds(-3_600))),
            unsigned_since,
        };
        assert_eq!(log(&since(None), now).state, State::Ok);
        assert_eq!(log(&since(Some(now.plus_seconds(-1))), now).state, State::Ok);
        assert_eq!(log(&since(Some(now.plus_seconds(-31))), now).state, State::Warn);
    }
}
