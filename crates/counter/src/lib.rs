//! The counter (专窗台面): numbers that are called, cards that are read, papers in and out, what was done on a day.
//! Serves clause 2.3.
//!
//! Layer 3; owns the tables `counter_…`.
//! Invariants: one number is called by one clerk, whoever else presses at the same moment; what is written here
//! names cases by their ids and holds nobody's name in clear; what a paper is and how it travels lies sealed.

pub mod card;
pub mod courier;
pub mod journal;
pub mod notices;
pub mod original;
pub mod retention;
mod sealed;
pub mod sheet;
pub mod ticket;
pub mod undo;

#[cfg(test)]
mod tests;

pub use sealed::SEALED;
use tb_base::{Result, Violation};
use tb_store::{Migration, Row, Schema};

/// What this crate owns in the database.
pub const SCHEMA: Schema = Schema {
    owner: "counter",
    migrations: &[
        Migration {
            name: "0001_counter",
            sql: include_str!("../migrations/0001_counter.sql"),
            sha256: "91444838a5facf7dc8cf6d381149a014489eaf5431f29db2ca66974aa6eba7ad",
        },
        Migration {
            name: "0002_originals",
            sql: include_str!("../migrations/0002_originals.sql"),
            sha256: "5dc7a0dbe48c622e4fcab73c82a97a70e65aa0a908f430e15bb58b377c1718dd",
        },
        Migration {
            name: "0003_undo",
            sql: include_str!("../migrations/0003_undo.sql"),
            sha256: "d81d810bf255b3793c8e10e82925876dccdf35813ba1dd8be0675dda8db12b9c",
        },
    ],
    statements: &[
        ticket::STATEMENTS,
        journal::STATEMENTS,
        original::STATEMENTS,
        sealed::STATEMENTS,
        undo::STATEMENTS,
        retention::STATEMENTS,
    ],
};

/// A column that holds the name of a unit variant.
pub(crate) fn unword<T: serde::de::DeserializeOwned>(row: &Row, column: &'static str) -> Result<T> {
    let word: String = row.get(column)?;
    serde_json::from_value(serde_json::Value::String(word))
        .map_err(|error| Violation::new("inconsistent", column, error.to_string()).into())
}

/// The name of a unit variant as it is stored.
pub(crate) fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

/// An item's number out of a column that may be empty.
pub(crate) fn item(row: &Row, column: &'static str) -> Result<Option<u16>> {
    let number: Option<i64> = row.get(column)?;
    let narrow = |number| {
        u16::try_from(number).map_err(|_| Violation::new("inconsistent", column, "no number of an item"))
    };
    Ok(number.map(narrow).transpose()?)
}
