//! `tongban migrate` (迁移): brings a city's database up to date, or says what that would do.

use std::io::Write as _;

use clap::Args;
use tb_base::{Fault, Result};
use tb_store::Store;

use crate::city::database;
use crate::commands::log;
use crate::commands::place::Place;
use crate::modules;

/// Options of `migrate`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// Only say which steps wait.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the steps that wait.
pub async fn run(options: Options) -> Result<()> {
    let config = options.place.config()?;
    log::begin(&config.log);
    let database = database(&options.place.folder(config)?);
    let schemas = modules::schemas();
    let standing = Store::standing(&database, &schemas).await?;
    let mut lines: Vec<String> =
        standing.ahead.iter().map(|step| format!("ahead    {step}: of a later program")).collect();
    if !options.dry_run {
        Store::open(&database, &schemas).await?.close().await;
    }
    let word = if options.dry_run { "waiting" } else { "done   " };
    lines.extend(standing.waiting.iter().map(|step| format!("{word}  {step}")));
    lines.push(format!("{} steps {}", standing.waiting.len(), word.trim()));
    writeln!(std::io::stdout(), "{}", lines.join("\n")).map_err(|error| Fault::of("printing", error).into())
}
