//! New keys in a running city (密钥轮换): the key file is followed, and what lies under another key is sealed anew,
//! batch by batch, beside the work of the day.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tb_base::{Clock, Ctx, Fault, Result, Timestamp};
use tb_crypto::{Mark, Vault};
use tb_store::audit::Search;
use tb_store::reseal::{self, Pass, Work};
use tb_store::{Store, Tx, audit, jobs};
use tb_web::{Job, Module};
use tokio::sync::watch;

use crate::keyring::KeyRing;
use crate::modules;

/// The kind of the job; there is one of it.
const JOB: &str = "keys.reseal";
/// The act in audit lines.
const ACT: &str = "keys.reseal";
/// Rows of one batch: a few milliseconds of the one writer.
const ROWS: u32 = 200;
/// How often the key file is looked at; a new key waits longer than this before it seals.
const LOOK_SECONDS: u64 = 2;
/// So long after a key began to seal, every process seals with it, and nothing that was sealed before is still to be
/// written: twice a look, and a second.
pub const SETTLE_SECONDS: i64 = 5;
/// A pass that found something to do is followed by the next one an hour later, until one finds nothing.
const AGAIN_SECONDS: i64 = 3_600;

/// What following the key file needs.
pub struct Keys {
    /// The file as it was read at the start.
    pub ring: KeyRing,
    /// Whoever seals and opens in this process.
    pub vault: Arc<Vault>,
    /// The store.
    pub store: Store,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
}

/// The job as a module of a city; it has no page.
pub fn module() -> Module {
    Module {
        id: "resealing",
        clauses: &[],
        routes: axum::Router::new(),
        handlers: Vec::new(),
        jobs: vec![Job { kind: JOB, run: Arc::new(batch) }],
        schema: None,
        route_list: &[],
    }
}

/// Begins a pass unless one was finished under the present key and suite.
pub async fn begin(store: &Store, now: Timestamp) -> Result<()> {
    store.write("keys.begin", move |tx| put_unless_done(tx, now)).await
}

fn put_unless_done(tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
    let object = object(reseal::newest(tx)?);
    let last = audit::search(tx, &Search::object(&object), None, 1)?;
    if last.lines.iter().any(|line| line.action == ACT && line.outcome == "done") {
        return Ok(());
    }
    jobs::put(tx, JOB, JOB, now, &Value::Null)
}

/// How audit lines name a key and suite.
fn object(mark: Mark) -> String {
    format!("vault:{mark}")
}

/// One batch, then the next; a pass that finds the keys changed begins anew.
fn batch(tx: &mut Tx<'_>, ctx: &Ctx, payload: &Value) -> Result<()> {
    let newest = reseal::newest(tx)?.to_string();
    let held: Option<Pass> = serde_json::from_value(payload.clone()).ok();
    let mut pass = held.filter(|pass| pass.to == newest).unwrap_or_default();
    reseal::step(tx, &modules::sealed_columns(), Work::Seal, ROWS, &mut pass)?;
    if !pass.done {
        let payload =
            serde_json::to_value(&pass).map_err(|error| Fault::of("writing how far sealing is", error))?;
        return jobs::put(tx, JOB, JOB, ctx.now, &payload);
    }
    let left = left(&pass);
    tracing::info!(key = newest, seen = pass.seen, renewed = pass.renewed, left, "sealed anew");
    finished(tx, ctx, left)?;
    if left == 0 && pass.renewed == 0 {
        return Ok(());
    }
    jobs::put(tx, JOB, JOB, ctx.now.plus_seconds(AGAIN_SECONDS), &Value::Null)
}

/// Writes down that a pass over every column ended, and whether it left anything.
pub fn finished(tx: &mut Tx<'_>, ctx: &Ctx, left: u64) -> Result<()> {
    let object = object(reseal::newest(tx)?);
    audit::line(tx, ctx, ACT, &object, if left == 0 { "done" } else { "left" })
}

/// How many values a pass found under another key or suite, or in clear.
pub fn left(pass: &Pass) -> u64 {
    pass.under.iter().filter(|(mark, _)| **mark != pass.to).map(|(_, count)| count).sum()
}

/// Takes new keys over while the city runs; a file that is wrong is said and changes nothing.
pub async fn follow_keys(keys: Keys, mut stop: watch::Receiver<bool>) {
    let (mut told, mut owes_pass) = (false, false);
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(LOOK_SECONDS)) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        match look(&keys, &mut owes_pass).await {
            Ok(()) => told = false,
            Err(error) if !told => {
                told = true;
                tracing::error!(%error, "the keys of the vault could not be read again");
            }
            Err(_) => {}
        }
    }
}

/// Another key that seals owes everything a pass; it is put down in the store, or owed until the next look.
async fn look(keys: &Keys, owes_pass: &mut bool) -> Result<()> {
    let now = keys.clock.now();
    let ring = keys.ring.again()?.ring(now)?;
    let sealing = keys.vault.sealing();
    // The bytes count: two machines that each made a key gave both the same number.
    if !keys.vault.uses(&ring) {
        tracing::info!(sealing = %ring.sealing(), keys = ring.ids().len(), "the keys of the vault changed");
        *owes_pass |= ring.sealing() != sealing;
        keys.vault.change_keys(ring);
    }
    if *owes_pass {
        // Whichever process changes last moves the pass to when all of them have changed.
        let due = now.plus_seconds(SETTLE_SECONDS);
        let put = move |tx: &mut Tx<'_>| jobs::put(tx, JOB, JOB, due, &Value::Null);
        keys.store.write("keys.change", put).await?;
        *owes_pass = false;
    }
    Ok(())
}
