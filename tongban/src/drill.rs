//! Halting at a write (演练): for drills that kill a city's process at every step, with nothing left to chance.
//!
//! Invariant: only a city on loopback with the demo's addresses can be told to halt.

use std::collections::BTreeSet;
use std::io::Write;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use tb_store::{Moment, Watch};

/// How a process says where it halts, before the name of the point.
pub const HALTED: &str = "halted ";

/// A write by its name, and whether its transaction is about to run or is committed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    name: String,
    is_after: bool,
}

impl FromStr for Point {
    type Err = String;

    /// Reads `t02.submit:before` or `t02.submit:after`.
    fn from_str(text: &str) -> Result<Point, String> {
        let (name, moment) = text.rsplit_once(':').unwrap_or((text, ""));
        match moment {
            "before" => Ok(Point { name: name.to_owned(), is_after: false }),
            "after" => Ok(Point { name: name.to_owned(), is_after: true }),
            _ => Err(format!("{text:?} is no point such as t02.submit:before or t02.submit:after")),
        }
    }
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.name, if self.is_after { "after" } else { "before" })
    }
}

/// Halts at the first write that reaches one of the points, or any point where none is named, but for those passed.
pub fn halting(at: Vec<Point>, passed: Vec<Point>) -> Watch {
    let (at, passed): (BTreeSet<Point>, BTreeSet<Point>) =
        (at.into_iter().collect(), passed.into_iter().collect());
    let halted = Arc::new(Mutex::new(false));
    Arc::new(move |name, moment| {
        let point = Point { name: name.to_owned(), is_after: moment == Moment::After };
        let is_wanted = (at.is_empty() || at.contains(&point)) && !passed.contains(&point);
        let mut is_halted = halted.lock().unwrap_or_else(PoisonError::into_inner);
        if is_wanted && !*is_halted {
            *is_halted = true;
            let mut out = std::io::stdout();
            let _ = writeln!(out, "{HALTED}{point}").and_then(|()| out.flush());
        }
        // What comes after the point would not have happened: every later write waits, too.
        if *is_halted {
            drop(is_halted);
            loop {
                std::thread::park();
            }
        }
        true
    })
}

#[cfg(test)]
mod tests {
    use super::Point;

    #[test]
    fn points_are_names_with_a_moment() {
        for text in ["t02.submit:before", "case/1/offer:after"] {
            assert_eq!(text.parse::<Point>().unwrap().to_string(), text);
        }
        for text in ["", "t02.submit", "t02.submit:during"] {
            assert!(text.parse::<Point>().is_err(), "{text}");
        }
    }
}
