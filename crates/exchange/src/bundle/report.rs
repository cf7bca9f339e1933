//! What the check of a bundle found (验证报告).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tb_base::NodeId;

/// How far the origin of a bundle is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The trust list was handed in from elsewhere and is the one inside.
    Proven,
    /// Everything fits the trust list inside; whether that is the region's, only its fingerprint tells.
    SelfConsistent,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which part of the bundle: a city's code, or `bundle`, or `part N` where the city cannot be read.
    pub part: String,
    /// What was checked.
    pub what: String,
    /// Whether it holds.
    pub ok: bool,
    /// What was found.
    pub detail: String,
}

/// Everything that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether every check holds.
    pub ok: bool,
    /// How far the origin is proved.
    pub origin: Origin,
    /// SHA-256 of the trust list inside, lower-case hex; empty where none can be read.
    pub fingerprint: String,
    /// The cities that speak.
    pub parts: Vec<NodeId>,
    /// Which cities cosigned the checkpoint of which city.
    pub cosignatures: BTreeMap<NodeId, BTreeSet<NodeId>>,
    /// How many leaves were proved to stand in their log.
    pub proofs: usize,
    /// How many messages were checked; one that both sides show counts twice.
    pub messages: usize,
    /// How many messages both sides show.
    pub paired: usize,
    /// How many looks were checked.
    pub looks: usize,
    /// How many events of cases were checked.
    pub events: usize,
    /// How many licences were checked.
    pub licences: usize,
    /// The checks in order.
    pub checks: Vec<Check>,
}

impl Report {
    pub(crate) fn new() -> Report {
        Report {
            ok: true,
            origin: Origin::SelfConsistent,
            fingerprint: String::new(),
            parts: Vec::new(),
            cosignatures: BTreeMap::new(),
            proofs: 0,
            messages: 0,
            paired: 0,
            looks: 0,
            events: 0,
            licences: 0,
            checks: Vec::new(),
        }
    }

    /// Writes down a check; gives what was checked, if it holds.
    pub(crate) fn note<T>(
        &mut self,
        part: &str,
        what: &str,
        found: Result<(T, String), String>,
    ) -> Option<T> {
        let (value, ok, detail) = match found {
            Ok((value, detail)) => (Some(value), true, detail),
            Err(detail) => (None, false, detail),
        };
        self.ok &= ok;
        self.checks.push(Check { part: part.to_owned(), what: what.to_owned(), ok, detail });
        value
    }

    /// The checks that do not hold.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.ok)
    }
}
