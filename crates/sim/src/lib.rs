//! The simulation (确定性模拟): three cities, the real node, log, outbox, witness and custody code, one seed.
//!
//! The cities run as they do in production, workers and all, on real SQLite files; only time, network, randomness
//! and the power supply are the simulation's. A storm is followed by calm, and then the invariants must hold.
//! The same seed gives the same run.

mod dice;
mod effects;
mod invariants;
mod liar;
mod life;
mod net;
mod people;
mod region;
mod storm;
#[cfg(test)]
mod tests;
mod trace;
mod world;

use std::sync::Arc;
use std::time::Duration;

use tb_base::{Fault, Result};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::dice::Dice;
use crate::people::People;
use crate::world::World;

pub use storm::{Lie, Planted, Storm};

/// After so many calm seconds everything must have come to rest: a job that failed often waits over an hour.
const CALM_SECONDS_MAX: u64 = 3 * 3_600;
/// A planted mistake often leaves something that never comes to rest.
const PLANTED_CALM_SECONDS_MAX: u64 = 600;
/// How often the owners of cases are looked at while the storm goes on.
const LOOK_SECONDS: u64 = 3;

/// What came of a run.
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The faults.
    pub storm: Storm,
    /// What must not be and was.
    pub wrongs: Vec<String>,
    /// The hash of everything that happened.
    pub trace: String,
    /// How many things happened.
    pub happened: u64,
    /// Everything that happened, for reading.
    pub lines: Vec<String>,
    /// How long it was in simulated seconds.
    pub seconds: u64,
    /// How often a city died.
    pub deaths: u64,
    /// Calls between the cities.
    pub calls: u64,
    /// Cases handed in, acts taken, messages sent, questions answered.
    pub people: [usize; 4],
}

/// Runs the storm of a seed.
pub fn run(seed: u64) -> Result<Outcome> {
    let storm = Storm::drawn(&mut Dice::new(seed).apart("storm"), &region::cities()?);
    run_storm(seed, storm)
}

/// Runs a seed with a planted mistake, which must be found by what it does.
pub fn run_planted(seed: u64, planted: Planted) -> Result<Outcome> {
    let storm = Storm::with(planted, &mut Dice::new(seed).apart("storm"), &region::cities()?);
    run_storm(seed, storm)
}

/// The storm of [`run_planted`] without the mistake: nothing may be found in it.
pub fn run_control(seed: u64, planted: Planted) -> Result<Outcome> {
    let mut storm = Storm::with(planted, &mut Dice::new(seed).apart("storm"), &region::cities()?);
    storm.planted = None;
    run_storm(seed, storm)
}

fn run_storm(seed: u64, storm: Storm) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| Fault::of("starting a simulation", error))?;
    let outcome = runtime.block_on(storm_and_calm(seed, storm));
    // Whatever still runs ends here, on this thread.
    runtime.shutdown_background();
    outcome
}

async fn storm_and_calm(seed: u64, storm: Storm) -> Result<Outcome> {
    let begun = Instant::now();
    let dice = Dice::new(seed);
    let world = Arc::new(World::new(seed, storm)?);
    let people = Arc::new(People::new(world.clone()));
    let mut lives = JoinSet::new();
    for city in world.cities.keys() {
        lives.spawn(world.clone().live(*city));
    }
    let busy = set_out(&people, &dice);
    let mut wrongs = weather(&people, &mut dice.apart("weather"), &mut lives).await;
    world.calm();
    wrongs.extend(come_to_rest(&world, busy, &mut lives).await);
    let counts = {
        let ledger = people.ledger();
        [ledger.cases.len(), ledger.acts.len(), ledger.sent.len(), ledger.answered.len()]
    };
    match invariants::check(&people).await {
        Ok(found) => wrongs.extend(found),
        Err(error) => wrongs.push(format!("the end could not be looked at: {error}")),
    }
    Ok(Outcome {
        seed,
        wrongs,
        trace: world.trace.hash(),
        happened: world.trace.count(),
        lines: world.trace.lines(),
        seconds: begun.elapsed().as_secs(),
        deaths: world.deaths(),
        calls: world.net.calls(),
        people: counts,
        storm: world.storm.clone(),
    })
}

/// Everybody begins.
fn set_out(people: &Arc<People>, dice: &Dice) -> JoinSet<()> {
    let mut busy = JoinSet::new();
    let cities: Vec<_> = people.world.cities.keys().copied().collect();
    for number in 0..people.world.storm.applicants {
        busy.spawn(people.clone().apply(dice.apart(&format!("applicant {number}")), cities.clone()));
    }
    for number in 0..2 {
        busy.spawn(people.clone().write_and_ask(dice.apart(&format!("writer {number}")), cities.clone()));
    }
    busy
}

/// Lines are cut and mended while the storm lasts; who owns what is looked at all the time.
async fn weather(people: &Arc<People>, dice: &mut Dice, lives: &mut JoinSet<Result<()>>) -> Vec<String> {
    let world = &people.world;
    let cities: Vec<_> = world.cities.keys().copied().collect();
    let end = Instant::now() + Duration::from_secs(world.storm.seconds);
    let mut wrongs = Vec::new();
    while Instant::now() < end {
        tokio::select! {
            biased;
            ended = lives.join_next() => wrongs.push(format!("a city could not live on: {}", reason(ended))),
            () = tokio::time::sleep(Duration::from_secs(LOOK_SECONDS)) => {}
        }
        if !wrongs.is_empty() {
            return wrongs;
        }
        for _ in 0..world.storm.cuts {
            world.net.cut(*dice.choose(&cities), *dice.choose(&cities), dice.happens(30));
        }
        wrongs.extend(owned_twice(people).await);
    }
    wrongs
}

async fn owned_twice(people: &Arc<People>) -> Vec<String> {
    let cases = people.ledger().cases.clone();
    let mut wrongs = Vec::new();
    for (case, collecting, deciding) in cases {
        // A city that is down says nothing.
        if matches!(invariants::owners(&people.world, case, [collecting, deciding]).await, Ok(2..)) {
            wrongs.push(format!("{case} is owned twice"));
        }
    }
    wrongs
}

/// Waits until everybody is done and nothing waits any more.
async fn come_to_rest(
    world: &Arc<World>,
    mut busy: JoinSet<()>,
    lives: &mut JoinSet<Result<()>>,
) -> Vec<String> {
    let is_planted = world.storm.planted.is_some();
    let seconds = if is_planted { PLANTED_CALM_SECONDS_MAX } else { CALM_SECONDS_MAX };
    let limit = Instant::now() + Duration::from_secs(seconds);
    loop {
        tokio::select! {
            biased;
            ended = lives.join_next() => return vec![format!("a city could not live on: {}", reason(ended))],
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
        }
        while busy.try_join_next().is_some() {}
        let waits = invariants::waits(world).await;
        if busy.is_empty() && waits.is_empty() {
            return Vec::new();
        }
        if limit <= Instant::now() {
            let rest = format!("it did not come to rest: {} people are busy", busy.len());
            return std::iter::once(rest).chain(waits).collect();
        }
    }
}

fn reason(ended: Option<std::result::Result<Result<()>, tokio::task::JoinError>>) -> String {
    match ended {
        Some(Ok(Err(error))) => error.to_string(),
        Some(Err(error)) => error.to_string(),
        Some(Ok(Ok(()))) | None => "its lives ended".to_owned(),
    }
}
