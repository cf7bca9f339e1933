//! `tongban backup`, `tongban backup-keys` (备份): the data while the node runs, and the keys, each in a file of its own.

use std::path::{Path, PathBuf};

use clap::Args;
use tb_base::{Fault, Result, Timestamp};
use tb_store::backup::{self, About, Manifest};

use crate::city::database_of;
use crate::clock::OsEntropy;
use crate::commands::place::{self, Place};
use crate::commands::{say, serve};
use crate::config::CityConfig;
use crate::sealed_keys;

/// Options of `backup`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// The file to write, or a folder to write one into that is named by city and time; else `backup.folder`.
    #[arg(long)]
    to: Option<PathBuf>,
    /// Seal the keys into this file too; keep it elsewhere than the data.
    #[arg(long, requires = "passphrase_file")]
    keys_to: Option<PathBuf>,
    /// A file whose first line is the passphrase of the keys.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Run ahead of real time by so many seconds, as the city's processes do.
    #[arg(long, hide = true, allow_negative_numbers = true)]
    shift: Option<i64>,
}

/// Options of `backup-keys`.
#[derive(Args)]
pub struct KeyOptions {
    #[command(flatten)]
    place: Place,
    /// The file to write.
    #[arg(long)]
    to: PathBuf,
    /// A file whose first line is the passphrase.
    #[arg(long)]
    passphrase_file: PathBuf,
}

/// Writes a backup; the node may run meanwhile.
pub async fn run(options: Options) -> Result<()> {
    let config = options.place.config()?;
    let region = place::region(None, &config)?.region;
    let now = serve::clock(None, options.shift).now();
    let to = options.to.as_ref().or(config.backup.folder.as_ref());
    let to = to.ok_or_else(|| Fault::new("backing up: give --to, or set backup.folder in city.toml"))?;
    let to = file(to, &config, now);
    let about = About { city: config.node, region, now };
    let manifest = backup::back_up(&database_of(&config).engine, &about, &to).await?;
    say(&format!("{}\n{}", summary(&manifest), to.display()));
    match (&options.keys_to, &options.passphrase_file) {
        (Some(keys_to), Some(passphrase)) => seal_keys(&config, keys_to, passphrase),
        _ => Ok(()),
    }
}

/// Writes the sealed keys; a city does it first before it has its trust list.
pub fn run_keys(options: &KeyOptions) -> Result<()> {
    seal_keys(&CityConfig::before_trust(&options.place.file())?, &options.to, &options.passphrase_file)
}

fn seal_keys(config: &CityConfig, to: &Path, passphrase: &Path) -> Result<()> {
    let passphrase = sealed_keys::passphrase(passphrase)?;
    let count = sealed_keys::write(&config.keys, config.node, &passphrase, &mut OsEntropy, to)?;
    say(&format!("{count} key files sealed\n{}", to.display()));
    Ok(())
}

fn file(to: &Path, config: &CityConfig, now: Timestamp) -> PathBuf {
    if !to.is_dir() {
        return to.to_owned();
    }
    let time: String = now.to_string().chars().take_while(|letter| *letter != '.').collect();
    to.join(format!("{}-{}.tongban", config.node, time.replace(':', "")))
}

/// What an archive holds, in a few lines.
pub fn summary(manifest: &Manifest) -> String {
    let rows: u64 = manifest.parts.iter().map(|part| part.rows).sum();
    format!(
        "city {}, region {}, taken {} from {}\n{} tables, {rows} rows, log of {} leaves",
        manifest.city,
        manifest.region,
        manifest.taken,
        manifest.engine,
        manifest.parts.len(),
        manifest.log_size,
    )
}

/// The keys in a sealed file, opened and put into place.
pub fn put_keys(config: &CityConfig, from: &Path, passphrase: Option<&Path>) -> Result<()> {
    let passphrase =
        passphrase.ok_or_else(|| Fault::new("opening the keys: --passphrase-file is missing"))?;
    let files = sealed_keys::open(from, config.node, &sealed_keys::passphrase(passphrase)?)?;
    sealed_keys::put(&files, &config.keys)?;
    say(&format!("{} key files in place\n{}", files.len(), config.keys.display()));
    Ok(())
}
