//! Load (负载): callers that ask as fast as they can, or so many times a second.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::measure::{Effort, Meter, Outcome, Times, words};

/// One caller, who asks and waits for the answer.
pub trait Caller: Send + 'static {
    /// Asks once; an answer that is not the right one is an error.
    fn ask(&mut self) -> impl Future<Output = Outcome<()>> + Send;
}

/// All callers at once as fast as they can: answers a second, and the callers for the next round.
pub fn saturate<C: Caller>(runtime: &Runtime, callers: Vec<C>, effort: Effort) -> Outcome<(f64, Vec<C>)> {
    let meter = Meter::default();
    let mut asking = JoinSet::new();
    for mut caller in callers {
        let meter = meter.clone();
        asking.spawn_on(
            async move {
                loop {
                    caller.ask().await?;
                    if !meter.count() {
                        return Ok::<C, String>(caller);
                    }
                }
            },
            runtime.handle(),
        );
    }
    let rate = meter.rate(effort);
    let callers = runtime.block_on(all(asking))?;
    Ok((rate, callers))
}

/// All callers together so many times a second: how long each answer took.
///
/// A time counts from the moment at which the question was due, not from when a busy caller came to it.
pub fn pace<C: Caller>(
    runtime: &Runtime,
    callers: Vec<C>,
    rate: f64,
    effort: Effort,
) -> Outcome<(Times, Vec<C>)> {
    let step = Duration::from_secs_f64(callers.len() as f64 / rate.max(1.0));
    let begin = Instant::now();
    let end = begin + effort.warm_up + effort.window;
    let mut asking = JoinSet::new();
    let count = callers.len().max(1) as f64;
    for (at, mut caller) in callers.into_iter().enumerate() {
        let first = begin + step.mul_f64(at as f64 / count);
        asking.spawn_on(
            async move {
                let mut times = Vec::new();
                let mut due = first;
                while due < end {
                    let from = waited_for(due).await;
                    caller.ask().await?;
                    if begin + effort.warm_up < due {
                        times.push(from.elapsed());
                    }
                    due += step;
                }
                Ok::<(Vec<Duration>, C), String>((times, caller))
            },
            runtime.handle(),
        );
    }
    let mut callers = Vec::new();
    let mut times = Vec::new();
    for (some, caller) in runtime.block_on(all(asking))? {
        times.extend(some);
        callers.push(caller);
    }
    Ok((Times(times), callers))
}

/// Waits until it is time. The timer's own lateness is not the answer's: then it counts from now.
async fn waited_for(due: Instant) -> Instant {
    if due <= Instant::now() {
        return due;
    }
    tokio::time::sleep_until(due).await;
    Instant::now()
}

async fn all<T: 'static>(mut asking: JoinSet<Outcome<T>>) -> Outcome<Vec<T>> {
    let mut done = Vec::new();
    while let Some(ended) = asking.join_next().await {
        done.push(ended.map_err(words)??);
    }
    Ok(done)
}
