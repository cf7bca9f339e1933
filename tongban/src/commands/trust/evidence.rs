//! Forks that the witness saw (分叉证据): written down as files, and checked by anybody with the trust list.

use std::path::PathBuf;

use clap::Args;
use tb_base::{Fault, Result};
use tb_exchange::SignedTrustList;
use tb_exchange::fork::{Shown, SignedFork};
use tb_exchange::package::Package;
use tb_store::Store;

use super::say;
use crate::city::database;
use crate::files::{parse, read};
use crate::region::CityFolder;
use crate::trust;

/// Documents that one export writes.
const FORKS_MAX: u32 = 10_000;

/// Options of `trust evidence`.
#[derive(Args)]
pub struct Evidence {
    /// The city's folder; its node may be running.
    #[arg(long)]
    city: PathBuf,
    /// Where the documents are written.
    #[arg(long)]
    out: PathBuf,
}

/// Options of `trust check`.
#[derive(Args)]
pub struct Check {
    /// The document.
    fork: PathBuf,
    /// The region's trust list, got from elsewhere.
    #[arg(long)]
    trust: PathBuf,
}

/// Writes every document that the city's witness kept.
pub async fn export(options: &Evidence) -> Result<()> {
    let folder = CityFolder::open(&options.city)?;
    let store = Store::look(&database(&folder)).await?;
    let forks = store.read("trust.evidence", |tx| tb_store::trust::forks(tx, FORKS_MAX)).await;
    store.close().await;
    let forks = forks?;
    let doing = || format!("making {}", options.out.display());
    std::fs::create_dir_all(&options.out).map_err(|error| Fault::of(doing(), error))?;
    for (_, fork) in &forks {
        let file = options.out.join(fork.fork.file_name()?);
        trust::replace(&file, &fork.to_json()?)?;
        say(&format!(
            "{} log of {} seen by {} at {}",
            file.display(),
            fork.fork.log,
            fork.fork.witness,
            fork.fork.at
        ));
    }
    say(&format!("{} documents (份证据)", forks.len()));
    Ok(())
}

/// Checks a document with nothing but the list.
pub fn check(options: &Check) -> Result<()> {
    let trust = read(&options.trust)?;
    let trust: SignedTrustList = match Package::from_json(trust.as_bytes()) {
        Ok(package) => package.trust,
        Err(_) => parse(&options.trust)?,
    };
    trust.verify_signatures()?;
    let fork = SignedFork::from_json(read(&options.fork)?.as_bytes())?;
    let log = fork.fork.log;
    match fork.verify(&trust.list)? {
        Shown::Proven(size) => {
            say(&format!("PROVEN (证实): the log of {log} signed two histories of {size} leaves"));
        }
        Shown::Testified { known, shown } => say(&format!(
            "TESTIFIED (见证): {} saw that the log of {log}, once {known} leaves, came with {shown} and gave no proof \
             that it had only grown; the log may still give one",
            fork.fork.witness
        )),
    }
    Ok(())
}
