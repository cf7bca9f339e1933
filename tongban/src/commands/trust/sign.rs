//! Signing, combining and installing a list (签署、合并、装载).

use std::path::{Path, PathBuf};

use clap::Args;
use tb_base::{Fault, Result};
use tb_exchange::City;
use tb_exchange::difference::aloud;
use tb_exchange::package::Package;

use super::{config, difference, now, present, say};
use crate::files::json;
use crate::keys;
use crate::trust;

/// How many hexadecimal letters of a fingerprint must be given where nothing else proves a list.
const LETTERS_MIN: usize = 32;

/// Options of `trust sign`.
#[derive(Args)]
pub struct Sign {
    /// The city's folder.
    #[arg(long)]
    city: PathBuf,
    /// The proposal.
    proposal: PathBuf,
    /// Where the signed copy is written; the proposal itself where nothing is said.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Sign without being asked: the fingerprint was compared.
    #[arg(long)]
    yes: bool,
}

/// Options of `trust combine`.
#[derive(Args)]
pub struct Combine {
    /// Signed copies of one proposal.
    #[arg(required = true)]
    copies: Vec<PathBuf>,
    /// Where the list is written.
    #[arg(long)]
    out: PathBuf,
}

/// Options of `trust install`.
#[derive(Args)]
pub struct Install {
    /// The city's folder.
    #[arg(long)]
    city: PathBuf,
    /// Signed lists, in their order.
    #[arg(required = true)]
    lists: Vec<PathBuf>,
    /// For a city that joins: the fingerprint as the others read it aloud.
    #[arg(long)]
    fingerprint: Option<String>,
}

/// Shows what changes, asks, signs.
pub fn sign(options: &Sign) -> Result<()> {
    let mut package = trust::package(&options.proposal)?;
    let node = config(&options.city)?.node;
    let before = present(&options.city)?;
    say(&difference(before.as_ref(), &package)?);
    if before.as_ref().is_some_and(|before| package.version() != before.version().saturating_add(1)) {
        return Err(Fault::new("signing a list: it does not follow the one in force here").into());
    }
    let keys = signing_keys(&options.city, before.as_ref(), &package)?;
    if !options.yes {
        confirm()?;
    }
    package.sign(node, &keys.secrets)?;
    let out = options.out.as_ref().unwrap_or(&options.proposal);
    trust::replace(out, &json(&package)?)?;
    say(&format!("signed by {node}: {}", out.display()));
    Ok(())
}

/// A member signs with the key that the list in force names; a city that joins, or whose keys the next list revokes,
/// with the one that it stated.
fn signing_keys(city: &Path, before: Option<&Package>, next: &Package) -> Result<keys::Keys> {
    let config = config(city)?;
    let (node, next) = (config.node, &next.trust.list);
    let held = before.filter(|before| before.trust.list.city(node).is_some());
    if let Some(before) = held {
        let keys = keys::in_force(&config.keys, node, &before.trust.list)?;
        let governance = keys.public().governance;
        let is_revoked = |city: &City| city.keys_ever().all(|listed| listed.governance != governance);
        if !next.known(node).is_some_and(is_revoked) {
            return Ok(keys);
        }
    }
    keys::in_force(&config.keys, node, next)
}

fn confirm() -> Result<()> {
    say("Is this the fingerprint that the others read aloud? Type yes to sign (一致请输入 yes 签署):");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.map_err(|error| Fault::of("reading the answer", error))?;
    if answer.trim() == "yes" {
        Ok(())
    } else {
        Err(Fault::new("signing a list: it was not confirmed").into())
    }
}

/// Puts signatures together and says what is missing.
pub fn combine(options: &Combine) -> Result<()> {
    let mut copies = options.copies.iter();
    let first = copies.next().ok_or_else(|| Fault::new("combining: there is no copy"))?;
    let mut package = trust::package(first)?;
    for copy in copies {
        package.merge(trust::package(copy)?)?;
    }
    trust::replace(&options.out, &json(&package)?)?;
    let signed: Vec<String> = package.trust.signatures.keys().map(ToString::to_string).collect();
    say(&format!("signed by {} (已签)", signed.join(", ")));
    match package.verify_signatures() {
        Ok(()) => say(&format!("complete (签名齐全): {}", options.out.display())),
        Err(missing) => say(&format!("not complete yet (签名不足): {missing}")),
    }
    Ok(())
}

/// Checks lists against the one in force and puts them in force.
pub fn install(options: &Install) -> Result<()> {
    let city = &options.city;
    let config = config(city)?;
    let node = config.node;
    for file in &options.lists {
        let package = trust::package(file)?;
        let before = present(city)?;
        if before.as_ref().is_some_and(|before| before.trust.list == package.trust.list) {
            say(&format!("list {} is in force here already (已在用)", package.version()));
            continue;
        }
        check(before.as_ref(), &package, options.fingerprint.as_deref())?;
        let keys = keys::in_force(&config.keys, node, &package.trust.list)?;
        tb_exchange::Desk::new(node, package.trust.clone(), package.contracts.clone(), &keys.secrets)?;
        say(&difference(before.as_ref(), &package)?);
        trust::keep(city, &package)?;
        say(&format!("list {} is installed (已装载); a running node takes it in seconds", package.version()));
    }
    Ok(())
}

/// The list in force judges the next; a city that joins has none, and takes the word of the others for it.
fn check(before: Option<&Package>, package: &Package, said: Option<&str>) -> Result<()> {
    let list = &package.trust.list;
    if before.is_some() || list.version == 1 {
        return package.verify_after(before.map(|before| &before.trust.list), now());
    }
    package.trust.verify(now())?;
    package.verify_signatures()?;
    let fingerprint = list.fingerprint()?;
    let said: String = said.unwrap_or_default().chars().filter(char::is_ascii_hexdigit).collect();
    if LETTERS_MIN <= said.len() && fingerprint.starts_with(&said.to_lowercase()) {
        return Ok(());
    }
    let problem = format!(
        "installing a first list that is not number 1: ask two members to read its fingerprint aloud and give it by \
         --fingerprint (this file has {})",
        aloud(&fingerprint)
    );
    Err(Fault::new(problem).into())
}
