//! `cargo xtask fuzz [--seconds N] [--seed N] [TARGET]`: looks for inputs that break a reader, and keeps them.

#![expect(clippy::print_stdout, reason = "a command line tool talks to its terminal")]

use std::hash::{BuildHasher, Hasher, RandomState};
use std::process::ExitCode;
use std::time::Duration;

use tb_fuzz::run::{Until, run};
use tb_fuzz::{Target, corpus, targets};

struct Options {
    seconds: u64,
    seed: u64,
    target: Option<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options { seconds: 10, seed: any_seed(), target: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || {
            let value = words.next().unwrap_or_default();
            value.parse::<u64>().map_err(|_| format!("{word} needs a number"))
        };
        match word.as_str() {
            "--seconds" => options.seconds = number()?,
            "--seed" => options.seed = number()?,
            _ if word.starts_with('-') => return Err(format!("there is no {word}")),
            _ => options.target = Some(word),
        }
    }
    Ok(options)
}

/// A run without a seed of its own begins anywhere; the seed is printed, so that it can be repeated.
fn any_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(problem) => return failed(&format!("{problem}; usage: fuzz [--seconds N] [--seed N] [TARGET]")),
    };
    let all = targets();
    let chosen: Vec<&Target> =
        all.iter().filter(|it| options.target.as_deref().is_none_or(|name| it.name == name)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = all.iter().map(|target| target.name).collect();
        return failed(&format!("there is no such target; there are {}", names.join(", ")));
    }
    println!("fuzz: seed {}, {} s for each of {} targets", options.seed, options.seconds, chosen.len());
    let mut broken = 0;
    for target in chosen {
        match run(target, options.seed, Until::Time(Duration::from_secs(options.seconds))) {
            Ok(tried) => println!("fuzz: {}: {tried} inputs held", target.name),
            Err(found) => {
                broken += 1;
                let kept = corpus::keep(target, &found.input);
                let place = kept.map_or_else(|error| error.to_string(), |path| path.display().to_string());
                println!("fuzz: {}: BROKEN: {}\n  kept as {place}", target.name, found.how);
            }
        }
    }
    if broken == 0 { ExitCode::SUCCESS } else { failed(&format!("{broken} targets are broken")) }
}

fn failed(problem: &str) -> ExitCode {
    eprintln!("fuzz: {problem}");
    ExitCode::FAILURE
}
