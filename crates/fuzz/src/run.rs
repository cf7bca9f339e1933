//! Running a reader (执行): the kept inputs as they are, then bent ones, each within its time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::bend::{Dice, bend};
use crate::{Target, corpus};

/// Any input may take this long, on a busy machine and without optimisation.
const INPUT_TIME_MAX: Duration = Duration::from_secs(3);
/// And a large one so much more for each kilobyte: twice the size, at the most about twice the time.
const KILOBYTE_TIME_MAX: Duration = Duration::from_millis(40);

/// How long to go on.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// So many bent inputs.
    Count(u32),
    /// So much time.
    Time(Duration),
}

/// An input that broke a reader, and how.
#[derive(Debug)]
pub struct Broken {
    /// The input.
    pub input: Vec<u8>,
    /// What did not hold.
    pub how: String,
}

/// Tries one input; says whether it was read.
#[expect(clippy::disallowed_methods, reason = "what is timed here is the machine, not an act")]
pub fn try_one(target: &Target, input: &[u8]) -> Result<bool, Broken> {
    let begun = Instant::now();
    let ran = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let took = begun.elapsed();
    let kilobytes = u32::try_from(input.len() / 1_024).unwrap_or(u32::MAX);
    let broken = |how: String| Broken { input: input.to_vec(), how };
    match ran {
        Err(panic) => Err(broken(words_of(&*panic))),
        Ok(_) if INPUT_TIME_MAX + KILOBYTE_TIME_MAX * kilobytes < took => {
            Err(broken(format!("{} bytes took {took:?}", input.len())))
        }
        Ok(was_read) => Ok(was_read),
    }
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_owned()
}

/// Tries everything that is kept, then bent inputs; gives how many were tried.
#[expect(clippy::disallowed_methods, reason = "what is timed here is the machine, not an act")]
pub fn run(target: &Target, seed: u64, until: Until) -> Result<u32, Broken> {
    let mut good = (target.seeds)();
    let kept =
        corpus::kept(target).unwrap_or_else(|error| panic!("reading the corpus of {}: {error}", target.name));
    good.extend(kept.into_iter().map(|(_, bytes)| bytes));
    assert!(!good.is_empty(), "{} has nothing to begin with", target.name);
    for input in &good {
        try_one(target, input)?;
    }
    let (mut dice, mut tried, begun) = (Dice::new(seed), 0_u32, Instant::now());
    loop {
        let is_over = match until {
            Until::Count(count) => count <= tried,
            Until::Time(time) => time <= begun.elapsed(),
        };
        if is_over {
            return Ok(tried);
        }
        let (input, other) = (&good[dice.below(good.len())], &good[dice.below(good.len())]);
        try_one(target, &bend(&mut dice, input, other))?;
        tried += 1;
    }
}
