//! `tongban keys` (数据密钥): rotation of the keys that seal a city's database.

#![expect(clippy::print_stdout, reason = "what the keys and the rows are is what the command is for")]

use clap::Subcommand;
use tb_base::{Clock, Fault, Result};
use tb_crypto::{KeyId, Mark, Suite};
use tb_store::reseal::{BATCH_ROWS_MAX, Pass, Work, step};

use crate::clock::{OsEntropy, SystemClock};
use crate::commands::offline::Offline;
use crate::commands::place::Place;
use crate::keyring::WAIT_SECONDS;
use crate::{modules, resealing};

/// What to do with the keys.
#[derive(Subcommand)]
pub enum What {
    /// Makes a new key, which seals from a minute on; a running node takes it over by itself and seals anew.
    Rotate {
        #[command(flatten)]
        place: Place,
        /// The key seals at once: for a city of which no process runs.
        #[arg(long)]
        stopped: bool,
    },
    /// Says which keys there are and how many values lie under each (on SQLite with the node stopped).
    Status(Place),
    /// Seals everything with the newest key and the city's suite; may be interrupted and run again.
    Reseal(Place),
    /// Takes a key out of use; refused while anything lies under it.
    Retire {
        #[command(flatten)]
        place: Place,
        /// The number of the key; 0 is the one that the city was founded with.
        #[arg(long)]
        key: u32,
    },
}

/// Does it.
pub async fn run(what: What) -> Result<()> {
    match what {
        What::Rotate { place, stopped } => rotate(&place, if stopped { 0 } else { WAIT_SECONDS }),
        What::Status(place) => status(&place).await,
        What::Reseal(place) => reseal(&place).await,
        What::Retire { place, key } => retire(&place, key).await,
    }
}

fn rotate(place: &Place, wait_seconds: i64) -> Result<()> {
    let mut ring = place.folder(place.config()?)?.ring;
    let from = SystemClock::real().now().plus_seconds(wait_seconds);
    let number = ring.rotate(from, &mut OsEntropy)?;
    println!("key {number} is made and seals from {from} on");
    println!("copy keys/vault.json to every machine of the city before then, and to the backup of the keys");
    println!("running nodes take it over by themselves; for a stopped city: tongban keys reseal");
    Ok(())
}

async fn status(place: &Place) -> Result<()> {
    let opened = Offline::open(place).await?;
    let pass = pass(&opened, Work::Count).await?;
    println!("seals with {}", pass.to);
    for number in opened.ring.numbers() {
        let under: u64 = marks(number).map(|mark| pass.under.get(&mark).copied().unwrap_or(0)).sum();
        println!("key {number}: {under} values");
    }
    for (mark, count) in &pass.under {
        println!("    {mark}: {count}");
    }
    opened.store.close().await;
    Ok(())
}

async fn reseal(place: &Place) -> Result<()> {
    let opened = Offline::open(place).await?;
    let pass = pass(&opened, Work::Seal).await?;
    let left = resealing::left(&pass);
    let ctx = opened.ctx();
    opened.store.write("keys.reseal", move |tx| resealing::finished(tx, &ctx, left)).await?;
    println!("read {}, sealed anew with {}: {}", pass.seen, pass.to, pass.renewed);
    opened.store.close().await;
    if left == 0 {
        println!("nothing is left under another key");
        return Ok(());
    }
    let under: Vec<String> = pass.under.iter().map(|(mark, count)| format!("{mark}: {count}")).collect();
    let problem = format!(
        "sealing everything anew: {left} values are left under other keys, {} of them do not open ({})",
        pass.broken,
        under.join(", ")
    );
    Err(Fault::new(problem).into())
}

async fn retire(place: &Place, key: u32) -> Result<()> {
    let mut opened = Offline::open(place).await?;
    let pass = pass(&opened, Work::Count).await?;
    let under: u64 = marks(key).map(|mark| pass.under.get(&mark).copied().unwrap_or(0)).sum();
    let now = opened.now;
    if under == 0 {
        opened.ring.retire(key, now)?;
        let ctx = opened.ctx();
        let object = format!("vault:{key}");
        let line =
            move |tx: &mut tb_store::Tx<'_>| tb_store::audit::line(tx, &ctx, "keys.retire", &object, "done");
        opened.store.write("keys.retire", line).await?;
    }
    opened.store.close().await;
    if 0 < under {
        let problem =
            format!("retiring key {key}: {under} values lie under it; tongban keys reseal comes first");
        return Err(Fault::new(problem).into());
    }
    println!("key {key} is retired; backups that were made before need it, so keep its file with them");
    Ok(())
}

/// How the two suites under a key are named.
fn marks(number: u32) -> impl Iterator<Item = String> {
    [Suite::Aes256Gcm, Suite::Sm4Gcm]
        .into_iter()
        .map(move |suite| Mark { suite, key: KeyId(number) }.to_string())
}

/// A pass over every sealed column, one transaction a batch.
async fn pass(city: &Offline, work: Work) -> Result<Pass> {
    let mut pass = Pass::default();
    while !pass.done {
        let before = pass.clone();
        let batch = move |tx: &mut tb_store::Tx<'_>| {
            let mut pass = before.clone();
            step(tx, &modules::sealed_columns(), work, BATCH_ROWS_MAX, &mut pass)?;
            Ok(pass)
        };
        pass = match work {
            Work::Count => city.store.read("keys.count", batch).await?,
            Work::Seal => city.store.write("keys.batch", batch).await?,
        };
    }
    Ok(pass)
}
