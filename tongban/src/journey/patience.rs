//! What people do when a city fails under their hands (耐心): look again, press the button again.
//!
//! For the drill, in which cities are killed all the time; a journey without it takes every failure as one.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::journey::browser::Page;
use crate::journey::people::World;
use crate::journey::region::CITIES;

/// What fails for longer has failed.
const PATIENCE_SECONDS_MAX: u64 = 40;
/// The pause before the next try.
const PAUSE_MILLIS: u64 = 60;

/// Members of staff whom the journey does not need.
const FIRST: [&str; 4] = ["supervisor1", "auditor1", "admin1", "bureau1"];

/// How a try ended.
enum Tried<T> {
    /// As it should.
    Done(T),
    /// Nobody knows whether it took effect.
    Cut(String),
    /// The city said that it cannot at the moment.
    Busy(String),
    /// The city said no.
    Refused(String),
}

/// Somebody signs in in every city until it works: what is killed there counts as failed tries of hers, and too many
/// of them, from wherever, would close an account of the journey for a quarter of an hour.
pub async fn first_sign_in(world: &mut World) -> Result<(), String> {
    let begun = Begun::now();
    for city in CITIES {
        for turn in 0.. {
            let login = format!("{}@{city}", FIRST[turn % FIRST.len()]);
            match world.person(&login).await {
                Ok(_) => break,
                Err(error) => begun.pause(world, error).await?,
            }
        }
    }
    Ok(())
}

/// Reads a page until it is there.
pub async fn get(world: &mut World, login: &str, path: &str) -> Result<Value, String> {
    let begun = Begun::now();
    loop {
        match world.get_once(login, path).await {
            Ok(page) => return Ok(page),
            Err(error) => begun.pause(world, error).await?,
        }
    }
}

/// Downloads a file until it is there.
pub async fn download(world: &mut World, login: &str, path: &str) -> Result<Vec<u8>, String> {
    let begun = Begun::now();
    loop {
        match world.download_once(login, path).await {
            Ok(body) => return Ok(body),
            Err(error) => begun.pause(world, error).await?,
        }
    }
}

/// Sends a form until it went through. Where the line was cut after it was sent, a refusal of the second try means
/// that the first took effect: then the place it led to is not known, and empty.
pub async fn post(
    world: &mut World,
    login: &str,
    form: &str,
    path: &str,
    fields: &[(&str, &str)],
) -> Result<String, String> {
    let begun = Begun::now();
    let mut was_cut = false;
    loop {
        let problem = match one(world, login, form, path, fields).await {
            Tried::Done(location) => return Ok(location),
            Tried::Refused(_) if was_cut => return Ok(String::new()),
            Tried::Cut(problem) => {
                was_cut = true;
                problem
            }
            Tried::Busy(problem) | Tried::Refused(problem) => problem,
        };
        begun.pause(world, problem).await?;
    }
}

async fn one(
    world: &mut World,
    login: &str,
    form: &str,
    path: &str,
    fields: &[(&str, &str)],
) -> Tried<String> {
    let browser = match world.person(login).await {
        Ok(browser) => browser,
        Err(error) => return Tried::Busy(error),
    };
    match browser.call(hyper::Method::GET, form, None).await {
        Ok(page) if page.status < 500 => {}
        Ok(page) => return Tried::Busy(page.short()),
        Err(error) => return Tried::Busy(error),
    }
    match browser.submit(path, fields).await {
        Ok(Page { status: 303, location: Some(location), .. }) => Tried::Done(location),
        Ok(page) => verdict(path, &page),
        Err(error) => Tried::Cut(error),
    }
}

/// A fault leaves open what happened; another city that does not answer is waited for.
fn verdict(path: &str, page: &Page) -> Tried<String> {
    let words = format!("{path}: status {}: {}", page.status, page.short());
    if 500 <= page.status {
        return Tried::Cut(words);
    }
    if words.contains("EXC-PEER-001") { Tried::Busy(words) } else { Tried::Refused(words) }
}

/// Since when somebody tries.
struct Begun(Instant);

impl Begun {
    #[expect(clippy::disallowed_methods, reason = "waiting for other processes is about real time")]
    fn now() -> Begun {
        Begun(Instant::now())
    }

    /// Waits before the next try; gives the problem where patience ends, or the drill itself failed.
    async fn pause(&self, world: &World, problem: String) -> Result<(), String> {
        world.region.drill_problem().map_or(Ok(()), Err)?;
        if Duration::from_secs(PATIENCE_SECONDS_MAX) < self.0.elapsed() {
            return Err(format!("after {PATIENCE_SECONDS_MAX} s still: {problem}"));
        }
        tokio::time::sleep(Duration::from_millis(PAUSE_MILLIS)).await;
        Ok(())
    }
}
