//! Where a city is (城市位置): its configuration, named by file or by folder, and what a process changes of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use tb_base::{Fault, Result};

use crate::config::{self, CityConfig};
use crate::region::{CityFolder, Region};

/// Which city.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Place {
    /// The city's configuration, such as `/etc/tongban/city.toml`.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The city's folder, which holds `city.toml`.
    #[arg(long)]
    city: Option<PathBuf>,
}

/// What one process does elsewhere than the file says: several share it.
#[derive(Args)]
pub struct Addresses {
    /// Serve the site here.
    #[arg(long)]
    site: Option<SocketAddr>,
    /// Answer the other cities here.
    #[arg(long)]
    exchange: Option<SocketAddr>,
    /// Answer health, readiness and metrics here.
    #[arg(long)]
    operations: Option<SocketAddr>,
}

impl Place {
    /// The configuration's file, behind every link.
    pub fn file(&self) -> PathBuf {
        match (&self.config, &self.city) {
            (Some(file), _) => config::behind_links(file),
            (None, Some(folder)) => folder.join(config::FILE),
            (None, None) => PathBuf::from(config::FILE),
        }
    }

    /// The configuration.
    pub fn config(&self) -> Result<CityConfig> {
        CityConfig::load(&self.file())
    }

    /// The configuration of a city whose keys or data were lost.
    pub fn config_to_restore(&self) -> Result<CityConfig> {
        CityConfig::load_to_restore(&self.file())
    }

    /// The folder with everything in it, for a configuration that was read from it.
    pub fn folder(&self, config: CityConfig) -> Result<CityFolder> {
        let file = self.file();
        let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
        CityFolder::of(config, &folder)
    }
}

impl Addresses {
    /// Puts the addresses of this process in place of those in the file.
    pub fn change(&self, config: &mut CityConfig) {
        config.site = self.site.unwrap_or(config.site);
        config.exchange = self.exchange.unwrap_or(config.exchange);
        config.operations = self.operations.or(config.operations);
    }
}

/// The region that a city is in: of an option, of its configuration, or the shipped one.
pub fn region(option: Option<&Path>, config: &CityConfig) -> Result<Region> {
    let region = Region::load(option.or(config.region.as_deref()))?;
    if region.city.iter().any(|city| city.node == config.node) {
        return Ok(region);
    }
    let problem = format!(
        "opening {}: the region {} has no such city; set region to its file",
        config.node, region.region
    );
    Err(Fault::new(problem).into())
}
