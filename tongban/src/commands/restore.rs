//! `tongban restore` (恢复): a city's store from a backup; checks one; lets a restored city go on without another.

use std::path::{Path, PathBuf};

use clap::Args;
use tb_base::{Actor, Clock, Ctx, NodeId, Result, Violation};
use tb_store::{Store, Tx, audit, backup, restored};

use crate::city::database_of;
use crate::clock::OsEntropy;
use crate::commands::backup::{put_keys, summary};
use crate::commands::place::Place;
use crate::commands::{say, serve};
use crate::config::CityConfig;
use crate::modules;

/// Options of `restore`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// The backup. Data that is there already is never overwritten.
    #[arg(long, required_unless_present_any = ["without", "keys"])]
    from: Option<PathBuf>,
    /// Read the backup to its end and compare every hash; bring nothing back.
    #[arg(long, requires = "from")]
    check: bool,
    /// The sealed keys, put into place before the data; alone where only the keys were lost.
    #[arg(long, requires = "passphrase_file", conflicts_with = "check")]
    keys: Option<PathBuf>,
    /// A file whose first line is the passphrase of the keys.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Decide that the restored city goes on without what this city could tell. Stop the node first.
    #[arg(long, conflicts_with_all = ["from", "check", "keys"])]
    without: Vec<NodeId>,
    /// Run ahead of real time by so many seconds, as the city's processes do.
    #[arg(long, hide = true, allow_negative_numbers = true)]
    shift: Option<i64>,
}

/// Does what the options say.
pub async fn run(options: Options) -> Result<()> {
    let config = options.place.config_to_restore()?;
    let clock = serve::clock(None, options.shift);
    match &options.from {
        Some(archive) if options.check => check(&config, archive).await,
        archive => {
            if let Some(keys) = &options.keys {
                put_keys(&config, keys, options.passphrase_file.as_deref())?;
            }
            match archive {
                Some(archive) => bring_back(&config, archive, &*clock).await,
                None if options.without.is_empty() => Ok(()),
                None => go_without(&config, options.without, &*clock).await,
            }
        }
    }
}

async fn check(config: &CityConfig, archive: &Path) -> Result<()> {
    let manifest = backup::check(archive).await?;
    say(&summary(&manifest));
    if manifest.city != config.node {
        let detail = format!("it is {}'s, not {}'s", manifest.city, config.node);
        return Err(Violation::new("archive-invalid", "city", detail).into());
    }
    say("every hash is right");
    Ok(())
}

async fn bring_back(config: &CityConfig, archive: &Path, clock: &dyn Clock) -> Result<()> {
    let engine = database_of(config).engine;
    let manifest = backup::restore(&engine, &modules::schemas(), archive, config.node, clock.now()).await?;
    say(&format!(
        "{}\nrestored; when the node is started it signs nothing before the other cities have told what they hold",
        summary(&manifest)
    ));
    Ok(())
}

async fn go_without(config: &CityConfig, cities: Vec<NodeId>, clock: &dyn Clock) -> Result<()> {
    let store = Store::open(&database_of(config), &modules::schemas()).await?;
    let entropy = std::sync::Arc::new(std::sync::Mutex::new(OsEntropy));
    let ctx = Ctx::new(clock.now(), Actor::System, config.node, entropy);
    let told = cities.clone();
    let decide = move |tx: &mut Tx<'_>| {
        for city in &cities {
            restored::go_without(tx, ctx.now, *city)?;
            audit::line(tx, &ctx, "recovery.decided", city.as_str(), "without")?;
        }
        Ok(())
    };
    let decided = store.write("recovery.decide", decide).await;
    store.close().await;
    decided?;
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    say(&format!("the restored city does not wait for {}", told.join(", ")));
    Ok(())
}
