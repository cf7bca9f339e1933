//! What a city makes on its own machine (本市密钥): keys, certificate, configuration, and its statement.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use tb_base::{Fault, NodeId, Result};
use tb_exchange::City;
use tb_exchange::ceremony::Statement;
use tb_exchange::difference::keys_aloud;
use tb_exchange::founding::Member as Entry;

use super::{now, out_file, present, say, unknown_city};
use crate::clock::OsEntropy;
use crate::config::{self, CityConfig};
use crate::files::json;
use crate::keys::{self, Keys as KeySet};
use crate::region::{Region, write_config};
use crate::trust;

/// What a statement is called where nothing else is said.
const STATEMENT: &str = "member.json";

/// Options of `trust keys`.
#[derive(Args)]
pub struct Keys {
    /// The city's folder; it must hold no keys yet.
    #[arg(long)]
    city: PathBuf,
    /// The city's division code, such as 430100.
    #[arg(long)]
    node: NodeId,
    /// The region's file; the shipped one where none is given.
    #[arg(long)]
    region: Option<PathBuf>,
    /// Where the public site listens.
    #[arg(long)]
    site: SocketAddr,
    /// Where peers are answered.
    #[arg(long)]
    exchange: SocketAddr,
    /// `sqlite`, or a PostgreSQL address.
    #[arg(long, default_value = "sqlite")]
    database: String,
    /// The schema within a PostgreSQL database.
    #[arg(long, default_value = "")]
    schema: String,
    #[command(flatten)]
    addresses: Addresses,
    /// Where the statement is written; `member.json` in the folder where nothing is said.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// How others reach the city.
#[derive(Args)]
struct Addresses {
    /// The address of the site as people know it, such as `https://tongban.example.cn`.
    #[arg(long)]
    site_url: Option<String>,
    /// The address that peers call, such as `https://exchange.example.cn:9443`.
    #[arg(long)]
    exchange_url: Option<String>,
}

/// Options of `trust member`.
#[derive(Args)]
pub struct Member {
    /// The city's folder.
    #[arg(long)]
    city: PathBuf,
    /// The region's file; the shipped one where none is given.
    #[arg(long)]
    region: Option<PathBuf>,
    #[command(flatten)]
    addresses: Addresses,
    /// Where the statement is written; `member.json` in the folder where nothing is said.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Options of `trust renew`.
#[derive(Args)]
pub struct Renew {
    /// The city's folder.
    #[arg(long)]
    city: PathBuf,
    /// The region's file; the shipped one where none is given.
    #[arg(long)]
    region: Option<PathBuf>,
    /// A new certificate alone; the keys stay.
    #[arg(long)]
    certificate_only: bool,
    /// Where the statement is written; `member.json` in the folder where nothing is said.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Makes a city's keys; refuses to where there are any.
pub fn make(options: &Keys) -> Result<()> {
    let region = Region::load(options.region.as_deref())?;
    let folder = options.city.join(keys::FOLDER);
    if folder.exists() || options.city.join(config::FILE).exists() {
        let problem = format!("making keys: {} holds a city already", options.city.display());
        return Err(Fault::new(problem).into());
    }
    let made = KeySet::generate(options.node, &mut OsEntropy)?;
    let entry = entry(
        &region,
        options.node,
        &made,
        &options.addresses,
        None,
        Some((options.site, options.exchange)),
    )?;
    made.write(&folder)?;
    let (database, schema) = (&options.database, &options.schema);
    let config = CityConfig::new(options.node, options.site, options.exchange, database, schema);
    write_config(&options.city, &config)?;
    write(&out_file(options.out.as_ref(), &options.city, STATEMENT), entry, &made)
}

/// Writes the statement from the newest keys.
pub fn state(options: &Member) -> Result<()> {
    let keys = keys::newest(&super::config(&options.city)?.keys)?;
    state_with(&options.city, options.region.as_deref(), &keys, &options.addresses, options.out.as_ref())
}

/// Makes the set of keys that is to follow; the present one goes on until a list names the new one.
pub fn renew(options: &Renew) -> Result<()> {
    let config = super::config(&options.city)?;
    let node = config.node;
    let newest = keys::newest(&config.keys)?;
    let list = present(&options.city)?.ok_or_else(|| trust::none_installed(&options.city))?;
    let listed = list.trust.list.known(node).map(|city| city.keys.clone());
    if listed.as_ref() != Some(&newest.public()) {
        let problem = "renewing keys: keys that were made before wait for a list that names them";
        return Err(Fault::new(problem).into());
    }
    let made = if options.certificate_only {
        newest.recertified(node)?
    } else {
        newest.renewed(node, &mut OsEntropy)?
    };
    made.write(&keys::next_set(&config.keys)?)?;
    let none = Addresses { site_url: None, exchange_url: None };
    state_with(&options.city, options.region.as_deref(), &made, &none, options.out.as_ref())
}

fn state_with(
    city: &Path,
    region: Option<&Path>,
    keys: &KeySet,
    addresses: &Addresses,
    out: Option<&PathBuf>,
) -> Result<()> {
    let config = super::config(city)?;
    let listed = present(city)?.and_then(|package| package.trust.list.city(config.node).cloned());
    let sockets = Some((config.site, config.exchange));
    let entry = entry(&Region::load(region)?, config.node, keys, addresses, listed, sockets)?;
    write(&out_file(out, city, STATEMENT), entry, keys)
}

/// The entry that the city wants: names from the region, addresses as given, else as listed, else where it listens.
fn entry(
    region: &Region,
    node: NodeId,
    keys: &KeySet,
    addresses: &Addresses,
    listed: Option<City>,
    sockets: Option<(SocketAddr, SocketAddr)>,
) -> Result<City> {
    let named = region.city.iter().find(|city| city.node == node).ok_or_else(|| unknown_city(node))?;
    let (old_site, old_exchange) = match (listed, sockets) {
        (Some(city), _) => (city.site_url, city.exchange_url),
        (None, Some((site, exchange))) => (format!("http://{site}"), format!("https://{exchange}")),
        (None, None) => (String::new(), String::new()),
    };
    let member = Entry {
        node,
        name: named.name.clone(),
        name_en: named.name_en.clone(),
        app: named.app.clone(),
        exchange_url: addresses.exchange_url.clone().unwrap_or(old_exchange),
        site_url: addresses.site_url.clone().unwrap_or(old_site),
        tls_sha256: keys.identity.fingerprint(),
    };
    if !member.exchange_url.starts_with("https://") {
        let problem = format!("stating a city: {} is no https address", member.exchange_url);
        return Err(Fault::new(problem).into());
    }
    Ok(member.city(&keys.secrets, &keys.witness))
}

fn write(out: &Path, entry: City, keys: &KeySet) -> Result<()> {
    let statement = Statement::new(entry, now(), &keys.secrets)?;
    trust::replace(out, &json(&statement)?)?;
    let city = &statement.city;
    say(&format!("{} {} {} {}", city.node, city.name, city.exchange_url, city.site_url));
    say(&format!("keys (密钥指纹) {}", keys_aloud(city)?));
    say(&format!(
        "written: {}; give it to whoever proposes the list, and read the keys aloud",
        out.display()
    ));
    Ok(())
}
