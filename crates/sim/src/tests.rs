//! The simulation itself (自检): it repeats, and it finds what is planted.

use crate::{Planted, run, run_planted};

#[test]
fn the_same_seed_gives_the_same_run() {
    let (once, again) = (run(11).unwrap(), run(11).unwrap());
    assert_eq!(once.wrongs, again.wrongs);
    let first = once.lines.iter().zip(&again.lines).find(|(one, other)| one != other);
    assert_eq!((first, &once.trace), (None, &again.trace));
    assert_ne!(once.trace, run(12).unwrap().trace);
}

/// Seeds that a planted mistake is looked for in; one run need not meet it.
const TRIES: u64 = 6;

#[test]
fn a_forgetful_disk_is_found() {
    assert_found(Planted::ForgetfulDisk);
}

#[test]
fn an_effect_taken_twice_is_found() {
    assert_found(Planted::DoubleEffect);
}

#[test]
fn a_lost_message_is_found() {
    assert_found(Planted::LostMail);
}

fn assert_found(planted: Planted) {
    let mut found = (1..=TRIES).map(|seed| run_planted(seed, planted).unwrap());
    assert!(found.any(|outcome| !outcome.wrongs.is_empty()), "{planted:?} was not found in {TRIES} seeds");
}
