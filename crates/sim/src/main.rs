//! `sim`: storms by seed, for `cargo xtask sim`; prints what failed and keeps its seed.

#![expect(clippy::print_stdout, reason = "the findings are what the command is for")]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What is wanted.
#[derive(Default)]
struct Wanted {
    /// The first new seed.
    from: u64,
    /// New seeds, as many as this.
    seeds: Option<u64>,
    /// New seeds for so long.
    seconds: Option<u64>,
    /// One seed, told in full.
    trace: Option<u64>,
    /// Runs the kept seeds first.
    kept: bool,
}

fn main() -> ExitCode {
    match wanted().and_then(|wanted| work(&wanted)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("sim: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn wanted() -> Result<Wanted, String> {
    let mut wanted = Wanted { from: 1, ..Wanted::default() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || {
            let word = words.next().ok_or_else(|| format!("{word} wants a number"))?;
            word.parse::<u64>().map_err(|_| format!("{word} is no number"))
        };
        match word.as_str() {
            "--seeds" => wanted.seeds = Some(number()?),
            "--seconds" => wanted.seconds = Some(number()?),
            "--from" => wanted.from = number()?,
            "--trace" => wanted.trace = Some(number()?),
            "--kept" => wanted.kept = true,
            _ => {
                return Err(
                    "usage: sim [--kept] [--from N] [--seeds N | --seconds N] [--trace SEED]".to_owned()
                );
            }
        }
    }
    Ok(wanted)
}

#[expect(clippy::disallowed_methods, reason = "what is timed here is the machine, not an act")]
fn work(wanted: &Wanted) -> Result<(), String> {
    let begun = Instant::now();
    let mut sum = Sum::default();
    if let Some(seed) = wanted.trace {
        return told(seed, &mut sum);
    }
    let kept = if wanted.kept { kept()? } else { Vec::new() };
    for seed in kept {
        sum.add(seed)?;
    }
    let limit = wanted.seconds.map(Duration::from_secs);
    let count = wanted.seeds.unwrap_or(if limit.is_some() { u64::MAX } else { 0 });
    for seed in wanted.from..wanted.from.saturating_add(count) {
        if limit.is_some_and(|limit| limit <= begun.elapsed()) {
            break;
        }
        sum.add(seed)?;
    }
    let took = begun.elapsed().as_secs_f64();
    println!(
        "sim: {} seeds, {} failed; {:.1} simulated hours in {took:.0} s; {} deaths, {} calls, {} cases, {} acts, {} messages, {} answers",
        sum.runs,
        sum.failed.len(),
        sum.seconds as f64 / 3_600.0,
        sum.deaths,
        sum.calls,
        sum.people[0],
        sum.people[1],
        sum.people[2],
        sum.people[3]
    );
    if sum.failed.is_empty() { Ok(()) } else { Err(format!("failed: {:?}", sum.failed)) }
}

#[derive(Default)]
struct Sum {
    runs: u64,
    seconds: u64,
    deaths: u64,
    calls: u64,
    people: [usize; 4],
    failed: Vec<u64>,
}

impl Sum {
    fn add(&mut self, seed: u64) -> Result<(), String> {
        let outcome = tb_sim::run(seed).map_err(|error| format!("seed {seed}: {error}"))?;
        self.runs += 1;
        self.seconds += outcome.seconds;
        self.deaths += outcome.deaths;
        self.calls += outcome.calls;
        self.people.iter_mut().zip(outcome.people).for_each(|(sum, count)| *sum += count);
        if !outcome.wrongs.is_empty() {
            println!("seed {seed} failed under {:?}", outcome.storm);
            outcome.wrongs.iter().for_each(|wrong| println!("  {wrong}"));
            self.failed.push(seed);
            keep(seed)?;
        }
        Ok(())
    }
}

/// Everything that happened under one seed.
fn told(seed: u64, sum: &mut Sum) -> Result<(), String> {
    let outcome = tb_sim::run(seed).map_err(|error| error.to_string())?;
    outcome.lines.iter().for_each(|line| println!("{line}"));
    println!("{:?}", outcome.storm);
    println!(
        "{} things happened in {} simulated seconds, trace {}",
        outcome.happened, outcome.seconds, outcome.trace
    );
    sum.add(seed)?;
    if sum.failed.is_empty() { Ok(()) } else { Err(format!("seed {seed} failed")) }
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/kept.txt")
}

/// Seeds that once found something, one a line; what follows a `#` says what.
fn kept() -> Result<Vec<u64>, String> {
    let text = std::fs::read_to_string(file()).map_err(|error| format!("{}: {error}", file().display()))?;
    let seeds = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    seeds
        .filter(|seed| !seed.is_empty())
        .map(|seed| seed.parse().map_err(|_| format!("{seed} in {} is no seed", file().display())))
        .collect()
}

/// A seed that failed is run again by everybody.
fn keep(seed: u64) -> Result<(), String> {
    if kept()?.contains(&seed) {
        return Ok(());
    }
    let opened = OpenOptions::new().append(true).open(file());
    let written = opened.and_then(|mut file| writeln!(file, "{seed} # failed, and says above why"));
    written.map_err(|error| format!("{}: {error}", file().display()))
}
