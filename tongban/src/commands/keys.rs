//! `tongban keys` (数据密钥): rotation of the keys that seal a city's database.

use clap::Subcommand;
use tb_base::{Clock, Fault, Result};
use tb_crypto::{KeyId, Mark, Suite};
use tb_store::reseal::{BATCH_ROWS_MAX, Pass, Work, step};
use tb_store::{Tx, processes};

use crate::clock::{OsEntropy, SystemClock};
use crate::commands::offline::Offline;
use crate::commands::place::Place;
use crate::commands::say;
use crate::modules;
use crate::operations::SEEN_SECONDS_MAX;
use crate::resealing::{self, SETTLE_SECONDS};

/// What to do with the keys.
#[derive(Subcommand)]
pub enum What {
    /// Makes a new key, which seals when the wait that city.toml says is over; a running node takes it over by itself
    /// and seals anew.
    Rotate {
        #[command(flatten)]
        place: Place,
        /// The key seals at once: for a city of which no process runs.
        #[arg(long)]
        stopped: bool,
    },
    /// Says which keys there are and how many values lie under each; the node may run.
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
        What::Rotate { place, stopped } => rotate(&place, stopped),
        What::Status(place) => status(&place).await,
        What::Reseal(place) => reseal(&place).await,
        What::Retire { place, key } => retire(&place, key).await,
    }
}

fn rotate(place: &Place, at_once: bool) -> Result<()> {
    let config = place.config()?;
    let wait_seconds = if at_once { 0 } else { config.seal_wait_seconds };
    let mut ring = place.folder(config)?.ring;
    let from = SystemClock::real().now().plus_seconds(wait_seconds.into());
    let number = ring.rotate(from, &mut OsEntropy)?;
    say(&format!("key {number} is made and seals from {from} on"));
    say("copy keys/vault.json to every machine of the city before then, and to the backup of the keys");
    say("running nodes take it over by themselves; for a stopped city: tongban keys reseal");
    Ok(())
}

async fn status(place: &Place) -> Result<()> {
    let opened = Offline::look(place).await?;
    let pass = pass(&opened, Work::Count).await?;
    say(&format!("seals with {}", pass.to));
    for number in opened.ring.numbers() {
        let under: u64 = marks(number).map(|mark| pass.under.get(&mark).copied().unwrap_or(0)).sum();
        say(&format!("key {number}: {under} values"));
    }
    for (mark, count) in &pass.under {
        say(&format!("    {mark}: {count}"));
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
    say(&format!("read {}, sealed anew with {}: {}", pass.seen, pass.to, pass.renewed));
    opened.store.close().await;
    if left == 0 {
        say("nothing is left under another key");
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
    let retired = take_out(&mut opened, key).await;
    opened.store.close().await;
    retired?;
    say(&format!("key {key} is retired; backups that were made before need it, so keep its file with them"));
    Ok(())
}

async fn take_out(opened: &mut Offline, key: u32) -> Result<()> {
    let pass = pass(opened, Work::Count).await?;
    let under: u64 = marks(key).map(|mark| pass.under.get(&mark).copied().unwrap_or(0)).sum();
    let refused = |why: String| Err(Fault::new(format!("retiring key {key}: {why}")).into());
    if 0 < under {
        return refused(format!("{under} values lie under it; tongban keys reseal comes first"));
    }
    // A machine whose clock is behind, or a process that still holds what it sealed, may write under the key before
    // after everything was counted: the new key has to have sealed for as long as it waited.
    let wait_seconds = SETTLE_SECONDS.max(opened.seal_wait_seconds.into());
    let settled = opened.ring.sealing_since(opened.now)?.map(|since| since.plus_seconds(wait_seconds));
    if let Some(settled) = settled.filter(|settled| opened.now < *settled)
        && is_served(opened).await?
    {
        return refused(format!(
            "the city runs and a new key seals only just now; do it again after {settled}"
        ));
    }
    opened.ring.retire(key, opened.now)?;
    let (ctx, object) = (opened.ctx(), format!("vault:{key}"));
    let line = move |tx: &mut Tx<'_>| tb_store::audit::line(tx, &ctx, "keys.retire", &object, "done");
    opened.store.write("keys.retire", line).await
}

/// Whether a process of the city lives beside this command.
async fn is_served(opened: &Offline) -> Result<bool> {
    if opened.is_alone {
        return Ok(false);
    }
    let since = opened.now.plus_seconds(-SEEN_SECONDS_MAX);
    let seen = opened.store.read("keys.processes", move |tx| processes::seen(tx, since)).await?;
    Ok(!seen.is_empty())
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
        let batch = move |tx: &mut Tx<'_>| {
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
