//! `tongban config` (配置): checks a city's configuration, prints an example and the document.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use tb_base::{Fault, Result};

use crate::config;

/// What to do with configurations.
#[derive(Subcommand)]
pub enum What {
    /// Finds every problem of a configuration at once.
    Check {
        /// The file, such as `/etc/tongban/city.toml`.
        file: PathBuf,
    },
    /// Prints a configuration with every field, to begin from.
    Example,
    /// Prints the document of the fields.
    #[command(hide = true)]
    Document,
}

/// Runs the command.
pub fn run(what: &What) -> Result<()> {
    match what {
        What::Check { file } => check(file),
        What::Example => print(&config::example()),
        What::Document => print(&config::document()),
    }
}

fn check(file: &Path) -> Result<()> {
    let config = config::CityConfig::load(&config::behind_links(file))?;
    print(&format!("{}: sound; the configuration of {}\n", file.display(), config.node))
}

fn print(text: &str) -> Result<()> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Fault::of("printing", error).into())
}
