//! Waiting for what another process does: asked again and again, up to a time.

use std::time::{Duration, Instant};

/// How often is asked.
const ASK_MILLIS: u64 = 25;

/// Asks until there is an answer; gives it and how long it took.
///
/// # Panics
/// Where there is none within the time: the test that waits for it cannot go on.
#[expect(clippy::panic, reason = "a test that waits in vain has to stop with what it waited for")]
#[expect(clippy::disallowed_methods, reason = "waiting for other processes is about real time")]
pub fn until<T>(what: &str, within: Duration, mut ask: impl FnMut() -> Option<T>) -> (T, Duration) {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return (answer, begun.elapsed());
        }
        if within < begun.elapsed() {
            panic!("{what} did not come within {} s", within.as_secs());
        }
        std::thread::sleep(Duration::from_millis(ASK_MILLIS));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    #[test]
    fn it_asks_until_there_is_an_answer() {
        let mut asked = 0;
        let (answer, _) = super::until("the third time", Duration::from_secs(5), || {
            asked += 1;
            (asked == 3).then_some(asked)
        });
        assert_eq!(answer, 3);
    }
}
