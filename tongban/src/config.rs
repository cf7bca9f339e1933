//! The configuration of one city (城市配置): `city.toml`, read whole, every problem at once.
//!
//! Invariant: a file with a problem starts nothing, and every problem is told with its line and the way out.

mod fields;
mod paper;
mod read;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tb_base::{Fault, NodeId, Result};
use tb_web::limits::Counting;
use tb_web::{Network, Origins};

use crate::keyring::{SealSuite, WAIT_SECONDS};

pub use paper::{document, example};
pub use read::{Problem, problems};

/// The name of the file in a city's folder.
pub const FILE: &str = "city.toml";
/// The files in the folder of the keys.
pub const KEY_FILES: [&str; 3] = ["secrets.json", "witness.json", "tls.json"];
/// The files beside the configuration that the cities signed.
pub const SIGNED_FILES: [&str; 2] = ["trust.json", "contracts.json"];
/// What `database` says where the data lies in one SQLite file.
pub const SQLITE: &str = "sqlite";

/// What a city's `city.toml` says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CityConfig {
    /// The city.
    pub node: NodeId,
    /// Where the public site listens.
    pub site: SocketAddr,
    /// Where peers are answered.
    pub exchange: SocketAddr,
    /// Where health, readiness and metrics are answered; nowhere unless it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<SocketAddr>,
    /// How people reach the site, where that is not what the trust list says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub site_url: String,
    /// `sqlite` for a file in the data folder, or a PostgreSQL address.
    pub database: String,
    /// The schema within a PostgreSQL database, such as `city_430100`.
    #[serde(default)]
    pub schema: String,
    /// The folder of the data.
    #[serde(default = "here")]
    pub data: PathBuf,
    /// The folder of the keys.
    #[serde(default = "keys")]
    pub keys: PathBuf,
    /// How the database is sealed; what the other suite sealed still opens.
    #[serde(default)]
    pub seal: SealSuite,
    /// So long a new key waits before it seals.
    #[serde(default = "wait_seconds")]
    pub seal_wait_seconds: u32,
    /// Another region than the shipped one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<PathBuf>,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(default)]
    pub trusted_proxies: Vec<String>,
    /// Halls and offices where many people share an address.
    #[serde(default)]
    pub shared_networks: Vec<String>,
    /// What is logged, and how.
    #[serde(default)]
    pub log: Log,
    /// Where traces go.
    #[serde(default)]
    pub telemetry: Telemetry,
    /// Limits of the machine.
    #[serde(default)]
    pub limits: Limits,
    /// When somebody is to be warned.
    #[serde(default)]
    pub warn: Warn,
    /// Where backups lie, so that their age is seen.
    #[serde(default)]
    pub backup: Backup,
}

/// How log lines are written (日志).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// As `TONGBAN_LOG` has it, which goes before.
    pub level: String,
    /// One line of text or one JSON object each.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs that collect logs.
    Json,
}

/// Where traces go (链路追踪).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// An OTLP/HTTP collector's address for traces; traces are off without it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub endpoint: String,
}

/// Limits of the machine (限额).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How long requests in work may take when the city stops.
    pub stop_seconds: u64,
    /// Whether callers of the site are counted.
    pub requests: Counting,
}

/// When somebody is to be warned (预警).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Warn {
    /// Days before the end of the trust list.
    pub trust_days: u32,
    /// Minutes that a message may wait.
    pub outbox_minutes: u32,
    /// Free megabytes on the disk of the data.
    pub disk_free_mb: u64,
}

/// Where backups lie (备份).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backup {
    /// The folder; nobody looks at backups where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The oldest that the newest backup may be.
    pub hours_max: u32,
}

impl Default for Log {
    fn default() -> Log {
        Log { level: "info".to_owned(), format: LogFormat::Text }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { stop_seconds: 10, requests: Counting::On }
    }
}

impl Default for Warn {
    fn default() -> Warn {
        Warn { trust_days: 30, outbox_minutes: 60, disk_free_mb: 1_024 }
    }
}

impl Default for Backup {
    fn default() -> Backup {
        Backup { folder: None, hours_max: 26 }
    }
}

fn here() -> PathBuf {
    PathBuf::from(".")
}

fn wait_seconds() -> u32 {
    WAIT_SECONDS
}

fn keys() -> PathBuf {
    PathBuf::from("keys")
}

impl CityConfig {
    /// A configuration with the usual value for everything that may be left out.
    pub fn new(
        node: NodeId,
        site: SocketAddr,
        exchange: SocketAddr,
        database: &str,
        schema: &str,
    ) -> CityConfig {
        CityConfig {
            node,
            site,
            exchange,
            operations: None,
            site_url: String::new(),
            database: database.to_owned(),
            schema: schema.to_owned(),
            data: here(),
            keys: keys(),
            seal: SealSuite::default(),
            seal_wait_seconds: wait_seconds(),
            region: None,
            trusted_proxies: Vec::new(),
            shared_networks: Vec::new(),
            log: Log::default(),
            telemetry: Telemetry::default(),
            limits: Limits::default(),
            warn: Warn::default(),
            backup: Backup::default(),
        }
    }

    /// Whether the data lies in a SQLite file, which one process has for itself.
    pub fn is_sqlite(&self) -> bool {
        self.database == SQLITE
    }

    /// What the city knows of the addresses that speak to its site.
    pub fn origins(&self) -> Result<Origins> {
        let read = |texts: &[String]| -> Result<Vec<Network>> {
            texts.iter().map(|text| text.parse::<Network>().map_err(Into::into)).collect()
        };
        Ok(Origins { trusted_proxies: read(&self.trusted_proxies)?, shared: read(&self.shared_networks)? })
    }

    /// The file of the data on SQLite.
    pub fn sqlite_file(&self) -> PathBuf {
        self.data.join("city.db")
    }

    /// Reads a file; a fault names every problem of it.
    pub fn load(file: &Path) -> Result<CityConfig> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Fault::of(format!("reading {}", file.display()), error))?;
        CityConfig::read(file, &text, &problems(file, &text))
    }

    /// The same for a city whose folders were lost, and are about to be restored.
    pub fn load_to_restore(file: &Path) -> Result<CityConfig> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Fault::of(format!("reading {}", file.display()), error))?;
        let mut found = problems(file, &text);
        found.retain(|problem| !["keys", "data"].contains(&problem.field.as_str()));
        CityConfig::read(file, &text, &found)
    }

    fn read(file: &Path, text: &str, found: &[Problem]) -> Result<CityConfig> {
        if !found.is_empty() {
            return Err(Fault::new(told(file, found)).into());
        }
        let config: CityConfig =
            toml::from_str(text).map_err(|error| Fault::of(format!("reading {}", file.display()), error))?;
        Ok(config.beside(file))
    }

    /// What a file says before the city has its first trust list: nothing that lies beside it is looked for.
    pub fn before_trust(file: &Path) -> Result<CityConfig> {
        let doing = || format!("reading {}", file.display());
        let text = std::fs::read_to_string(file).map_err(|error| Fault::of(doing(), error))?;
        let config: CityConfig = toml::from_str(&text).map_err(|error| Fault::of(doing(), error))?;
        Ok(config.beside(file))
    }

    /// Paths are meant from the folder of the file.
    fn beside(mut self, file: &Path) -> CityConfig {
        let folder = file.parent().unwrap_or(Path::new("."));
        self.data = folder.join(self.data);
        self.keys = folder.join(self.keys);
        self.region = self.region.map(|path| folder.join(path));
        self.backup.folder = self.backup.folder.map(|path| folder.join(path));
        self
    }
}

/// The file itself, where a link was named (符号链接): what lies beside it is looked for there.
pub fn behind_links(file: &Path) -> PathBuf {
    // A file that is not there is told by whoever reads it.
    std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned())
}

/// Every problem of a file, one a line.
pub fn told(file: &Path, problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    format!("reading {}: {} found{}", file.display(), counted(problems.len()), lines.concat())
}

fn counted(count: usize) -> String {
    if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") }
}
