//! When a message is tried again (重试): exponential pauses with full jitter, never past its deadline.

use tb_base::Timestamp;

/// The longest first pause.
pub const PAUSE_MILLIS_FIRST: u64 = 1_000;
/// The longest pause of all.
pub const PAUSE_MILLIS_MAX: u64 = 300_000;
/// A pause is never shorter, so that a peer that just came back is not overrun.
pub const PAUSE_MILLIS_MIN: u64 = 100;

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try again then.
    At(Timestamp),
    /// No attempt would be in time: a person must look at it (死信).
    DeadLetter,
}

/// Decides after the `attempts`-th failure (from 1); `jitter` is fresh randomness.
pub fn next(attempts: u32, now: Timestamp, deadline: Timestamp, jitter: u64) -> Next {
    let longest = PAUSE_MILLIS_FIRST
        .saturating_mul(1_u64.checked_shl(attempts.saturating_sub(1)).unwrap_or(u64::MAX))
        .min(PAUSE_MILLIS_MAX);
    let pause_millis = PAUSE_MILLIS_MIN + jitter % (longest - PAUSE_MILLIS_MIN + 1);
    let pause_micros = i64::try_from(pause_millis * 1_000).unwrap_or(i64::MAX);
    let at = Timestamp(now.micros().saturating_add(pause_micros));
    if at < deadline { Next::At(at) } else { Next::DeadLetter }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{Next, PAUSE_MILLIS_MAX, PAUSE_MILLIS_MIN, next};
    use crate::fixture::NOON;
    use tb_base::Timestamp;

    proptest! {
        #[test]
        fn a_pause_is_bounded_and_ends_before_the_deadline(
            attempts in 1_u32..200,
            jitter: u64,
            wait_seconds in -10_i64..100_000,
        ) {
            let deadline = NOON.plus_seconds(wait_seconds);
            match next(attempts, NOON, deadline, jitter) {
                Next::At(at) => {
                    let pause = (at.micros() - NOON.micros()) / 1_000;
                    prop_assert!(i64::try_from(PAUSE_MILLIS_MIN).unwrap() <= pause);
                    prop_assert!(pause <= i64::try_from(PAUSE_MILLIS_MAX).unwrap());
                    prop_assert!(at < deadline);
                }
                Next::DeadLetter => prop_assert!(wait_seconds * 1_000 <= i64::try_from(PAUSE_MILLIS_MAX).unwrap()),
            }
        }

        #[test]
        fn the_longest_pause_doubles(attempts in 1_u32..9) {
            let far = Timestamp(i64::MAX);
            let longest = |attempts| {
                let millis = 1_000_u64 << (attempts - 1);
                next(attempts, NOON, far, millis - PAUSE_MILLIS_MIN)
            };
            prop_assert_eq!(longest(attempts), Next::At(Timestamp(NOON.micros() + (1_000_000 << (attempts - 1)))));
        }

        #[test]
        fn no_count_of_attempts_overflows(attempts: u32, jitter in any::<u64>()) {
            next(attempts, NOON, Timestamp(i64::MAX), jitter);
        }
    }
}
