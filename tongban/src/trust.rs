//! Trust lists in a city's folder (信任名单): `trust/000001.json` and so on, one for each list with its contracts.
//!
//! Invariants: the highest number that is there is in force; a file appears whole or not at all;
//! `trust.json` and `contracts.json` beside them are copies for people.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tb_base::{Fault, NodeId, Result, Timestamp};
use tb_exchange::keys::Secrets;
use tb_exchange::package::Package;
use tb_exchange::{Desk, TrustList};
use tb_node::Node;

use crate::files::{folder_of, json, parse, read};

/// The folder within a city's folder.
pub const FOLDER: &str = "trust";
/// How long before its end a list is spoken of.
const WARN_DAYS: i64 = 90;
const DAY_SECONDS: i64 = 86_400;
/// How often a running node looks for a list that somebody installed.
const LOOK_SECONDS: u64 = 2;

/// Every list of the folder in order, the one in force last; empty before the first is installed.
pub fn history(city: &Path) -> Result<Vec<Package>> {
    let mut packages = Vec::new();
    for number in numbers(city)? {
        packages.push(package(&file_of(city, number))?);
    }
    // A region that was founded in one place has its first list beside the folder.
    if packages.is_empty() && city.join("trust.json").is_file() {
        let trust = parse(&city.join("trust.json"))?;
        packages.push(Package { trust, contracts: parse(&city.join("contracts.json"))? });
    }
    Ok(packages)
}

/// Why a city without a list cannot run.
pub fn none_installed(city: &Path) -> Fault {
    let city = city.display();
    Fault::new(format!("opening {city}: no trust list is there; `tongban trust install --city {city} FILE`"))
}

/// A desk on the list in force that remembers what stood before it.
pub fn desk(me: NodeId, history: &[Package], secrets: &Secrets) -> Result<Desk> {
    let mut packages = history.iter();
    let first = packages.next().ok_or_else(|| Fault::new("opening a city without a trust list"))?;
    let desk = Desk::new(me, first.trust.clone(), first.contracts.clone(), secrets)?;
    for package in packages {
        package.verify_successor(&desk.trust().list)?;
        desk.replace(package.trust.clone(), package.contracts.clone())?;
    }
    Ok(desk)
}

/// Puts a package into the folder; it was checked before. The same again changes nothing.
pub fn keep(city: &Path, package: &Package) -> Result<()> {
    let folder = city.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| Fault::of(format!("making {}", folder.display()), error))?;
    // The list before this one, where it lies beside the folder only.
    if numbers(city)?.is_empty() {
        for before in history(city)?.iter().filter(|before| before.version() < package.version()) {
            replace(&file_of(city, before.version()), &json(before)?)?;
        }
    }
    replace(&file_of(city, package.version()), &json(package)?)?;
    replace(&city.join("trust.json"), &json(&package.trust)?)?;
    replace(&city.join("contracts.json"), &json(&package.contracts)?)
}

/// Says that a list ends within [`WARN_DAYS`], or has ended.
pub fn ends_soon(list: &TrustList, now: Timestamp) -> Option<String> {
    let days = (list.not_after.seconds() - now.seconds()).div_euclid(DAY_SECONDS);
    if list.not_after < now {
        return Some(
            "the list has ended: no message passes between cities (名单已过期，城市间报文停止)".to_owned(),
        );
    }
    (days < WARN_DAYS)
        .then(|| format!("the list ends in {days} days: agree on the next one (名单将到期，请续签)"))
}

/// Lists that the node hears of go into this folder before they take effect.
pub fn keep_in(engine: &Node, city: PathBuf) {
    engine.keep_trust(Arc::new(move |package| keep(&city, package)));
}

/// Tells a running node of lists that are put into its folder, until it is aborted.
///
/// Whatever went wrong is tried again: the file may be put right, and the database may answer again.
pub async fn watch(city: PathBuf, engine: Arc<Node>) {
    let mut told = None;
    loop {
        let problem = look(&city, &engine).await.err().map(|error| error.to_string());
        if let Some(problem) = problem.as_ref().filter(|problem| told.as_ref() != Some(*problem)) {
            tracing::error!(problem, city = %city.display(), "a trust list was not put in force");
        }
        told = problem;
        tokio::time::sleep(Duration::from_secs(LOOK_SECONDS)).await;
    }
}

/// Puts what is newer in force; a file that may not follow keeps nothing from what another process wrote down.
async fn look(city: &Path, engine: &Arc<Node>) -> Result<()> {
    let of_folder = from_folder(city, engine).await;
    engine.catch_up().await?;
    of_folder
}

/// One list after the other.
async fn from_folder(city: &Path, engine: &Arc<Node>) -> Result<()> {
    for number in numbers(city)?.into_iter().filter(|number| engine.trust_number() < *number) {
        engine.install(package(&file_of(city, number))?).await?;
    }
    Ok(())
}

/// A package of a file.
pub fn package(file: &Path) -> Result<Package> {
    Ok(Package::from_json(read(file)?.as_bytes())?)
}

fn file_of(city: &Path, number: u32) -> PathBuf {
    city.join(FOLDER).join(format!("{number:06}.json"))
}

/// The numbers of the lists in the folder, lowest first.
fn numbers(city: &Path) -> Result<Vec<u32>> {
    let folder = city.join(FOLDER);
    let doing = || format!("reading {}", folder.display());
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut numbers = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|error| Fault::of(doing(), error))? {
        let name = entry.map_err(|error| Fault::of(doing(), error))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".json"));
        numbers.extend(number.and_then(|number| number.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Writes a file so that it is there whole or as it was, whenever the power fails.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    let doing = || format!("writing {}", path.display());
    // Two processes of a city may write the same file at once.
    let draft = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut file = fs::File::create(&draft).map_err(|error| Fault::of(doing(), error))?;
    file.write_all(text.as_bytes()).map_err(|error| Fault::of(doing(), error))?;
    file.sync_all().map_err(|error| Fault::of(doing(), error))?;
    fs::rename(&draft, path).map_err(|error| Fault::of(doing(), error))?;
    let folder = fs::File::open(folder_of(path)).map_err(|error| Fault::of(doing(), error))?;
    folder.sync_all().map_err(|error| Fault::of(doing(), error).into())
}
