//! Hostile input for everything that reads (模糊测试): one plain function for each reader, and what must hold of it.
//!
//! Never a panic; never longer than the size allows; what was read and written is read again as the same;
//! a refusal says which part is wrong. For tests only: `cargo test -p tb-fuzz` runs the kept corpus with mutations
//! from a fixed seed, `cargo xtask fuzz` looks for more.

pub mod bend;
pub mod codes;
pub mod corpus;
pub mod definitions;
pub mod frames;
pub mod logs;
pub mod pages;
pub mod run;

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A reader under test.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, also of its folder in `fuzz/corpus`.
    pub name: &'static str,
    /// Reads the input and panics where something does not hold; says whether it was read, or refused.
    pub run: fn(&[u8]) -> bool,
    /// Good inputs to begin with, beside the kept ones.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How many mutations an ordinary test run tries: fewer where one is dear.
    pub mutations: u32,
}

/// Every reader.
pub fn targets() -> Vec<Target> {
    [codes::TARGETS, frames::TARGETS, logs::TARGETS, definitions::TARGETS, pages::TARGETS].concat()
}

/// Reads a text as `T`; what was read is written and read again as the same, and a refusal has words.
pub(crate) fn same_again<T>(text: &str) -> bool
where
    T: FromStr + Display + Debug + PartialEq,
    T::Err: Display,
{
    match text.parse::<T>() {
        Ok(value) => {
            let written = value.to_string();
            match written.parse::<T>() {
                Ok(again) => assert!(again == value, "{written:?} is read as {again:?}, and was {value:?}"),
                Err(error) => panic!("{written:?} was written and is not read: {error}"),
            }
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty(), "a refusal without words");
            false
        }
    }
}

/// The same for JSON; gives the value where there is one.
pub(crate) fn same_json<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(bytes).ok()?;
    let written =
        serde_json::to_vec(&value).unwrap_or_else(|error| panic!("what was read is not written: {error}"));
    let again: T = match serde_json::from_slice(&written) {
        Ok(again) => again,
        Err(error) => panic!("{} was written and is not read: {error}", String::from_utf8_lossy(&written)),
    };
    let twice = serde_json::to_vec(&again).unwrap_or_default();
    assert!(twice == written, "{} is written otherwise the second time", String::from_utf8_lossy(&written));
    Some(value)
}

/// A violation names its part; the input was not read.
pub(crate) fn named(violation: &tb_base::Violation) -> bool {
    assert!(!violation.code.is_empty() && !violation.component.is_empty(), "{violation} names no part");
    false
}
