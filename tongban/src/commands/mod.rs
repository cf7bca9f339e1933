//! The commands, one file each.

mod admin;
mod backup;
mod config;
mod defs;
mod demo;
mod doctor;
mod journey;
mod keys;
mod log;
mod migrate;
mod offline;
mod place;
mod restore;
mod serve;
mod trust;
mod verify;
mod worker;

use std::io::Write as _;
use std::path::PathBuf;

use clap::Subcommand;

/// What the binary can do.
#[derive(Subcommand)]
pub enum Command {
    /// Runs all cities of the region in one process, with synthetic people and one-click sign-in.
    Demo(demo::Options),
    /// Runs one city: site, exchange and background work.
    Serve(serve::Options),
    /// Does the background work of a city beside processes that serve it, on one PostgreSQL.
    Worker(worker::Options),
    /// Checks a city's configuration, or prints one to begin from.
    Config {
        /// What to do.
        #[command(subcommand)]
        what: config::What,
    },
    /// Says what is wrong with a city and how to mend it.
    Doctor(doctor::Options),
    /// Brings a city's database up to date, or says what that would do.
    Migrate(migrate::Options),
    /// Writes a backup of a city's data while its node runs.
    Backup(backup::Options),
    /// Writes a city's keys, sealed under a passphrase.
    BackupKeys(backup::KeyOptions),
    /// Brings a city's data back from a backup, or checks one.
    Restore(restore::Options),
    /// Drives one case through three cities and writes its evidence; HTTP only.
    Journey(journey::Options),
    /// Checks an evidence bundle with no node running.
    Verify {
        /// The bundle, such as `journey-bundle.json`.
        bundle: PathBuf,
        /// The region's trust list, got from elsewhere; with it the origin is proved too.
        #[arg(long)]
        trust: Option<PathBuf>,
        /// Print every check as JSON.
        #[arg(long)]
        json: bool,
    },
    /// The key ceremony: keys of a city, trust lists signed by several cities, members that come and go.
    Trust {
        /// The step.
        #[command(subcommand)]
        what: trust::What,
    },
    /// Makes a city's first administrator, or a new one-time code for one; the node must be stopped on SQLite.
    Admin(admin::Options),
    /// The keys that seal a city's database: makes, uses and retires them.
    Keys {
        /// What to do with them.
        #[command(subcommand)]
        what: keys::What,
    },
    /// Looks at the definitions that the binary holds.
    Defs {
        /// What to do with them.
        #[command(subcommand)]
        what: defs::What,
    },
}

/// Says something on the terminal; whoever reads may have closed the pipe since, and what was done is done.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Runs a command; an error is a sentence for the terminal.
pub async fn run(command: Command) -> Result<(), String> {
    match command {
        Command::Demo(options) => demo::run(options).await.map_err(|error| error.to_string()),
        Command::Serve(options) => serve::run(options).await.map_err(|error| error.to_string()),
        Command::Worker(options) => worker::run(options).await.map_err(|error| error.to_string()),
        Command::Config { what } => config::run(&what).map_err(|error| error.to_string()),
        Command::Doctor(options) => doctor::run(options).await.map_err(|error| error.to_string()),
        Command::Migrate(options) => migrate::run(options).await.map_err(|error| error.to_string()),
        Command::Backup(options) => backup::run(options).await.map_err(|error| error.to_string()),
        Command::BackupKeys(options) => backup::run_keys(&options).map_err(|error| error.to_string()),
        Command::Restore(options) => restore::run(options).await.map_err(|error| error.to_string()),
        Command::Journey(options) => journey::run(options).await,
        Command::Verify { bundle, trust, json } => verify::run(&bundle, trust.as_deref(), json),
        Command::Trust { what } => trust::run(what).await.map_err(|error| error.to_string()),
        Command::Admin(options) => admin::run(options).await.map_err(|error| error.to_string()),
        Command::Keys { what } => keys::run(what).await.map_err(|error| error.to_string()),
        Command::Defs { what } => defs::run(what).await.map_err(|error| error.to_string()),
    }
}
