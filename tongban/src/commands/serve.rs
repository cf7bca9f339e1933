//! `tongban serve` (运行一市): one city from its folder.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tb_base::{Clock, Date, Fault, Result, Timestamp};
use tb_store::Watch;
use tokio::sync::watch as channel;

use crate::city::{City, Duty, Opening};
use crate::clock::SystemClock;
use crate::commands::place::{self, Addresses, Place};
use crate::commands::{demo, log};
use crate::drill::{self, Point};
use crate::traces;

/// Options of `serve`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    addresses: Addresses,
    /// Serve only: `tongban worker` does the background work on the same PostgreSQL.
    #[arg(long)]
    without_workers: bool,
    #[command(flatten)]
    run: Run,
    /// Open the demo's addresses too (sign-in by one click, phone). Only for a city on loopback.
    #[arg(long, hide = true)]
    demo: bool,
    /// Halt at this write, `NAME:before` or `NAME:after`, or at any with `any`; a drill kills the process there.
    #[arg(long, hide = true, value_delimiter = ',', requires = "demo")]
    halt_at: Vec<String>,
    /// Do not halt at these.
    #[arg(long, hide = true, value_delimiter = ',', requires = "halt_at")]
    passed: Vec<Point>,
}

/// Options of every process of a city.
#[derive(Args)]
pub struct Run {
    /// Begin on this day at nine in the morning instead of now.
    #[arg(long)]
    at: Option<Date>,
    /// Another region than the shipped one: a file like `region/region.toml`.
    #[arg(long)]
    region: Option<PathBuf>,
    /// Run ahead of real time by so many seconds; processes of one run share it.
    #[arg(long, hide = true, allow_negative_numbers = true)]
    shift: Option<i64>,
}

/// Runs until a signal comes.
pub async fn run(options: Options) -> Result<()> {
    let duty = if options.without_workers { Duty::Front } else { Duty::Everything };
    let settings = options.demo.then(demo::Settings::fresh);
    let watch = watch(&options.halt_at, options.passed)?;
    start(&options.place, &options.addresses, &options.run, duty, settings.as_ref(), watch).await
}

/// One process of a city, until a signal comes.
pub async fn start(
    place: &Place,
    addresses: &Addresses,
    run: &Run,
    duty: Duty,
    demo: Option<&demo::Settings>,
    watch: Option<Watch>,
) -> Result<()> {
    let mut config = place.config()?;
    addresses.change(&mut config);
    let (clock, endpoint) = (clock(run.at, run.shift), config.telemetry.endpoint.clone());
    let gathered = if endpoint.is_empty() {
        log::begin(&config.log);
        None
    } else {
        Some(log::begin_traced(&config.log, clock.clone()))
    };
    let region = place::region(run.region.as_deref(), &config)?;
    let folder = place.folder(config)?;
    let opening = Opening { folder, region: &region, clock, duty, demo: None };
    let city = demo::open_city(opening, demo).await?;
    if let Some(settings) = demo {
        let _ = settings.cities.set(vec![city.in_demo()]);
    }
    if let Some(watch) = watch {
        city.store.watch(watch);
    }
    let stop = channel::Sender::new(false);
    let node = city.node;
    let sending =
        gathered.map(|gathered| tokio::spawn(traces::send(endpoint, node, gathered, stop.subscribe())));
    let ended = until_signal(city).await;
    stop.send_replace(true);
    if let Some(sending) = sending {
        // What is left is sent; a collector that does not answer keeps nobody waiting for long.
        let _ = sending.await;
    }
    ended
}

async fn until_signal(city: City) -> Result<()> {
    let stop = channel::Sender::new(false);
    let mut running = tokio::spawn(city.run(stop.subscribe()));
    let doing = |error| Fault::of("running the city", error);
    tokio::select! {
        signal = signal() => signal?,
        // A city that ends by itself has failed; the service manager learns of it.
        ended = &mut running => return ended.map_err(doing)?,
    }
    stop.send_replace(true);
    running.await.map_err(doing)?
}

/// Where a drill wants the process to halt; a city with the demo's addresses is on loopback.
fn watch(halt_at: &[String], passed: Vec<Point>) -> Result<Option<Watch>> {
    let points = match halt_at {
        [] => return Ok(None),
        [any] if any == "any" => Ok(Vec::new()),
        points => points.iter().map(|point| point.parse()).collect(),
    };
    let points = points.map_err(|error: String| Fault::new(format!("reading --halt-at: {error}")))?;
    Ok(Some(drill::halting(points, passed)))
}

/// Real time, time that begins on a given day, or time shifted by a fixed amount.
pub fn clock(at: Option<Date>, shift: Option<i64>) -> Arc<dyn Clock> {
    match (shift, at) {
        (Some(seconds), _) => SystemClock::ahead(seconds),
        (None, Some(day)) => SystemClock::from(Timestamp::at(day, 9)),
        (None, None) => SystemClock::real(),
    }
}

/// Waits for Ctrl-C or a polite kill.
pub async fn signal() -> Result<()> {
    let doing = "waiting for a signal";
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|error| Fault::of(doing, error))?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(|error| Fault::of(doing, error).into()),
        _ = terminate.recv() => Ok(()),
    }
}
