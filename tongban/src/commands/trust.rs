//! `tongban trust` (密钥仪式): who belongs to the region and by which keys, agreed by files that people carry.
//!
//! Each city makes its keys on its own machine; lists are proposed, compared aloud, signed, combined and installed.

mod evidence;
mod member;
mod propose;
mod show;
mod sign;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use tb_base::{Clock, Fault, NodeId, Result, Timestamp};
use tb_exchange::difference::{aloud, between};
use tb_exchange::package::Package;

use crate::clock::SystemClock;
use crate::commands::say;
use crate::config::{self, CityConfig};
use crate::trust;

/// The steps of the ceremony, and what stands beside it.
#[derive(Subcommand)]
pub enum What {
    /// Makes a city's keys, certificate and configuration, and the statement that it gives the others.
    Keys(member::Keys),
    /// Writes the statement anew: from the newest keys, with the addresses given.
    Member(member::Member),
    /// Makes keys that are to replace the present ones, and the statement that names them.
    Renew(member::Renew),
    /// Composes the next list and its contracts from statements.
    Propose(propose::Propose),
    /// Composes a list without some cities, as an emergency or in peace.
    Remove(propose::Remove),
    /// Shows what a proposal changes, and signs it in the name of a city.
    Sign(sign::Sign),
    /// Puts the signatures of several copies of a proposal into one.
    Combine(sign::Combine),
    /// Checks a signed list against the one in force and puts it in force; a running node takes it by itself.
    Install(sign::Install),
    /// Shows the list in force, and what will end soon.
    Show(show::Show),
    /// Writes down every fork that the city's witness saw.
    Evidence(evidence::Evidence),
    /// Checks a document of a fork with nothing but a trust list.
    Check(evidence::Check),
}

/// Runs one.
pub async fn run(what: What) -> Result<()> {
    match what {
        What::Keys(options) => member::make(&options),
        What::Member(options) => member::state(&options),
        What::Renew(options) => member::renew(&options),
        What::Propose(options) => propose::propose(&options),
        What::Remove(options) => propose::remove(&options),
        What::Sign(options) => sign::sign(&options),
        What::Combine(options) => sign::combine(&options),
        What::Install(options) => sign::install(&options),
        What::Show(options) => show::show(&options),
        What::Evidence(options) => evidence::export(&options).await,
        What::Check(options) => evidence::check(&options),
    }
}

fn now() -> Timestamp {
    SystemClock::real().now()
}

/// What a package is judged by: a file, or the list in force in a city's folder.
fn base(from: &Path) -> Result<Package> {
    if from.is_dir() {
        return trust::history(from)?.pop().ok_or_else(|| trust::none_installed(from).into());
    }
    trust::package(from)
}

/// The list in force in a city's folder, if there is one.
fn present(city: &Path) -> Result<Option<Package>> {
    Ok(trust::history(city)?.pop())
}

/// What people read to each other before they sign.
fn difference(before: Option<&Package>, next: &Package) -> Result<String> {
    let list = &next.trust.list;
    let mut lines = vec![format!("{} list {} (信任名单第 {} 号)", list.region, list.version, list.version)];
    let changes = between(before.map(|package| &package.trust.list), list);
    lines.extend(changes.iter().map(|change| format!("  {change}")));
    lines.push(format!("fingerprint (指纹) {}", aloud(&list.fingerprint()?)));
    Ok(lines.join("\n"))
}

fn out_file(out: Option<&PathBuf>, city: &Path, name: &str) -> PathBuf {
    out.cloned().unwrap_or_else(|| city.join(name))
}

/// A city's configuration; it may have no list yet.
fn config(city: &Path) -> Result<CityConfig> {
    CityConfig::before_trust(&city.join(config::FILE))
}

fn unknown_city(node: NodeId) -> Fault {
    Fault::new(format!("reading the region: it has no city {node}"))
}
