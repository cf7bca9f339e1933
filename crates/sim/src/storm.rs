//! The storm (风暴): which faults a run has, and how many of each; drawn from the seed.

use std::collections::BTreeMap;

use tb_base::NodeId;

use crate::dice::Dice;

/// What a city does that lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Its messages carry signatures that do not fit.
    BadSignature,
    /// It shows the witnesses another log than its own.
    ForkedLog,
    /// It sends what it sent before, byte for byte.
    Replay,
    /// It acknowledges messages and leaves them out of its log.
    OmittedLeaf,
}

/// A mistake that is planted to see whether the checks find it; never drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// A disk that forgets its last write when the power goes.
    ForgetfulDisk,
    /// A handler that takes effect outside of the record of its message.
    DoubleEffect,
    /// An outbox that drops a message in silence.
    LostMail,
}

/// The faults of one run.
#[derive(Clone, Debug)]
pub struct Storm {
    /// How long it lasts, in simulated seconds.
    pub seconds: u64,
    /// Requests or answers in a hundred that are lost.
    pub loss: u64,
    /// Requests in a hundred that arrive twice.
    pub doubling: u64,
    /// Requests or answers in a hundred in which one bit turns on the way.
    pub turning: u64,
    /// Milliseconds that a way takes, at the most; a wide range reorders.
    pub millis_max: u64,
    /// A city dies after so many writes on average; nothing for never.
    pub writes_to_death: Option<u64>,
    /// One-way lines that are drawn every few seconds: each is cut with three in ten, and mended otherwise.
    pub cuts: u64,
    /// How far each city's clock is off, in seconds.
    pub skews: BTreeMap<NodeId, i64>,
    /// Which city lies, and how.
    pub liar: Option<(NodeId, Lie)>,
    /// People who file cases.
    pub applicants: u64,
    /// A mistake that the checks must find.
    pub planted: Option<Planted>,
}

impl Storm {
    /// The storm of a seed.
    pub fn drawn(dice: &mut Dice, cities: &[NodeId]) -> Storm {
        let skews = cities.iter().map(|city| (*city, skew(dice))).collect();
        let lies = [Lie::BadSignature, Lie::ForkedLog, Lie::Replay, Lie::OmittedLeaf];
        let liar = dice.happens(40).then(|| (*dice.choose(cities), *dice.choose(&lies)));
        Storm {
            seconds: dice.between(60, 240),
            loss: *dice.choose(&[0, 2, 10, 30]),
            doubling: *dice.choose(&[0, 5, 25]),
            turning: *dice.choose(&[0, 0, 1, 5]),
            millis_max: *dice.choose(&[2, 40, 800, 6_000]),
            writes_to_death: *dice.choose(&[None, Some(400), Some(120), Some(40)]),
            cuts: dice.between(0, 4),
            skews,
            liar,
            applicants: dice.between(1, 5),
            planted: None,
        }
    }

    /// A storm with a planted mistake that its faults bring to light.
    pub fn with(planted: Planted, dice: &mut Dice, cities: &[NodeId]) -> Storm {
        let mut storm = Storm::drawn(dice, cities);
        storm.planted = Some(planted);
        storm.skews = cities.iter().map(|city| (*city, 0)).collect();
        match planted {
            Planted::ForgetfulDisk => (storm.writes_to_death, storm.liar) = (Some(40), None),
            Planted::DoubleEffect => (storm.doubling, storm.loss, storm.liar) = (25, 10, None),
            Planted::LostMail => storm.liar = None,
        }
        storm
    }
}

/// Most clocks are nearly right; some are off by more than messages are given.
fn skew(dice: &mut Dice) -> i64 {
    let within = |dice: &mut Dice, seconds: u64| {
        i64::try_from(dice.between(0, 2 * seconds)).unwrap_or(0) - i64::try_from(seconds).unwrap_or(0)
    };
    match dice.between(0, 10) {
        0 => within(dice, 600),
        1..4 => within(dice, 50),
        _ => 0,
    }
}
