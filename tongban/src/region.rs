//! A region on disk (区域): its file, and for each city a folder with keys, certificate, trust list and configuration.
//!
//! `prepare` founds a whole region in one place, which is right for a demonstration, a journey and tests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tb_base::{Entropy, Fault, NodeId, Result, Timestamp};
use tb_exchange::founding::{Charter, Founder, Member, found};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::package::Package;
use tb_exchange::{Desk, Quorum, ServiceTerms, SignedContract, SignedTrustList};
use tb_node::tls::Identity;

use crate::config::{self, CityConfig};
use crate::files::{json, read, replace_secret, write};
use crate::keyring::KeyRing;
use crate::keys::{self, Keys};
use crate::trust;

/// The region that the binary ships with.
pub const SHIPPED: &str = include_str!("../../region/region.toml");

/// A trust list founded here holds for this long; `tongban trust` renews it.
const TRUST_YEARS: i64 = 3;
const YEAR_SECONDS: i64 = 366 * 86_400;
/// A trust list begins a little before it is made, for clocks that are behind.
const TRUST_BEFORE_SECONDS: i64 = 3_600;

/// A region as its file says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Its code, such as `czt`.
    pub region: String,
    /// Its name.
    pub name: String,
    /// Its name in English.
    pub name_en: String,
    /// How long a city keeps what it received from another, in days.
    pub retention_days: u32,
    /// How many cities must sign a trust list after the first, such as `2/3`; two of three where nothing is said.
    #[serde(default)]
    pub quorum: Option<Quorum>,
    /// Its cities.
    pub city: Vec<RegionCity>,
    /// What every two of them agree, by service.
    pub service: BTreeMap<String, ServiceTerms>,
}

/// A city as the region's file says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionCity {
    /// Its division code.
    pub node: NodeId,
    /// Its name with 市.
    pub name: String,
    /// Its name without.
    pub short: String,
    /// Its name in English.
    pub name_en: String,
    /// Its app.
    pub app: String,
    /// One character.
    pub seal: String,
    /// Its colour.
    pub colour: String,
}

impl Region {
    /// The region of a file, or the shipped one.
    pub fn load(file: Option<&Path>) -> Result<Region> {
        match file {
            Some(file) => Region::parse(&read(file)?, &file.display().to_string()),
            None => Region::parse(SHIPPED, "region/region.toml"),
        }
    }

    fn parse(text: &str, name: &str) -> Result<Region> {
        toml::from_str(text).map_err(|error| Fault::of(format!("reading {name}"), error).into())
    }
}

/// A PostgreSQL database and how the schemas of its cities begin.
#[derive(Clone, Debug)]
pub struct Database {
    /// `postgres://…`.
    pub url: String,
    /// Such as `city_`; a city's code follows.
    pub prefix: String,
}

impl Database {
    /// The schema of a city.
    pub fn schema(&self, node: NodeId) -> String {
        format!("{}{node}", self.prefix)
    }
}

/// The ports of a city on this machine.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// Of the public site.
    pub site: u16,
    /// Of the exchange.
    pub exchange: u16,
}

/// Everything that a city's folder holds, read and checked.
pub struct CityFolder {
    /// The folder.
    pub path: PathBuf,
    /// Its configuration.
    pub config: CityConfig,
    /// Its secret keys.
    pub secrets: Secrets,
    /// The keys that seal its database.
    pub ring: KeyRing,
    /// Its witness key.
    pub witness: WitnessKey,
    /// Its TLS certificate.
    pub identity: Identity,
    /// The trust list.
    pub trust: SignedTrustList,
    /// The contracts of the region.
    pub contracts: Vec<SignedContract>,
    /// Every list that was in force with its contracts, the present one last.
    pub history: Vec<Package>,
}

/// Founds the region under `data` unless it is there already; gives the folder of each city in order.
pub fn prepare(
    data: &Path,
    region: &Region,
    ports: &[Ports],
    database: Option<&Database>,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<Vec<PathBuf>> {
    let folders: Vec<PathBuf> = region.city.iter().map(|city| data.join(city.node.as_str())).collect();
    if folders.iter().all(|folder| folder.join("city.toml").is_file()) {
        return Ok(folders);
    }
    let mut made = Vec::new();
    for city in &region.city {
        made.push(Keys::generate(city.node, entropy)?);
    }
    let founders: Vec<Founder<'_>> = region
        .city
        .iter()
        .zip(&made)
        .zip(ports)
        .map(|((city, made), ports)| Founder {
            member: member(city, made, *ports),
            secrets: &made.secrets,
            witness: &made.witness,
        })
        .collect();
    let charter = Charter {
        region: region.region.clone(),
        not_before: now.plus_seconds(-TRUST_BEFORE_SECONDS),
        not_after: now.plus_seconds(TRUST_YEARS * YEAR_SECONDS),
        services: region.service.clone(),
        retention_days: region.retention_days,
    };
    let (trust, contracts) = found(&charter, &founders)?;
    for (((folder, city), made), ports) in folders.iter().zip(&region.city).zip(&made).zip(ports) {
        write_city(folder, city.node, made, *ports, database, &trust, &contracts)?;
    }
    write(&data.join("trust.json"), &json(&trust)?)?;
    Ok(folders)
}

fn member(city: &RegionCity, made: &Keys, ports: Ports) -> Member {
    Member {
        node: city.node,
        name: city.name.clone(),
        name_en: city.name_en.clone(),
        app: city.app.clone(),
        exchange_url: format!("https://127.0.0.1:{}", ports.exchange),
        site_url: format!("http://127.0.0.1:{}", ports.site),
        tls_sha256: made.identity.fingerprint(),
    }
}

fn write_city(
    folder: &Path,
    node: NodeId,
    made: &Keys,
    ports: Ports,
    database: Option<&Database>,
    trust: &SignedTrustList,
    contracts: &[SignedContract],
) -> Result<()> {
    made.write(&folder.join(keys::FOLDER))?;
    write(&folder.join("trust.json"), &json(trust)?)?;
    write(&folder.join("contracts.json"), &json(&contracts)?)?;
    let socket = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let config = CityConfig::new(
        node,
        socket(ports.site),
        socket(ports.exchange),
        database.map_or(config::SQLITE, |database| &database.url),
        &database.map(|database| database.schema(node)).unwrap_or_default(),
    );
    write_config(folder, &config)
}

/// Writes a configuration, last of all: a folder with one is complete. The address of a database may hold a password,
/// so it is for the node's own user.
pub fn write_config(folder: &Path, config: &CityConfig) -> Result<()> {
    let text = toml::to_string(config).map_err(|error| Fault::of("writing city.toml", error))?;
    replace_secret(&folder.join(config::FILE), &text)
}

impl CityFolder {
    /// The configuration alone.
    pub fn config(path: &Path) -> Result<CityConfig> {
        CityConfig::load(&path.join(config::FILE))
    }

    /// Reads a city's folder; says which file is wrong.
    pub fn open(path: &Path) -> Result<CityFolder> {
        CityFolder::of(CityFolder::config(path)?, path)
    }

    /// Reads what lies beside a configuration, which is in the folder `path`.
    pub fn of(config: CityConfig, path: &Path) -> Result<CityFolder> {
        let history = trust::history(path)?;
        let present = history.last().ok_or_else(|| trust::none_installed(path))?;
        let keys = keys::in_force(&config.keys, config.node, &present.trust.list)?;
        let ring = KeyRing::open(&config.keys, keys.secrets.vault, config.seal)?;
        Ok(CityFolder {
            ring,
            secrets: keys.secrets,
            witness: keys.witness,
            identity: keys.identity,
            trust: present.trust.clone(),
            contracts: present.contracts.clone(),
            history,
            path: path.to_owned(),
            config,
        })
    }

    /// What the city knows of its peers, and of those that it had.
    pub fn desk(&self) -> Result<Desk> {
        trust::desk(self.config.node, &self.history, &self.secrets)
    }
}
