//! Enquiries (问询): 办不成事, and questions about who looked at my data; asked in one city, answered in any.
//! Serves clauses 1.1 and 2.4.
//!
//! Layer 3; owns the tables `enquiry_…`.
//! Invariants: what was asked is kept, sealed and sent in one transaction; what was said is a set of turns, and both
//! cities read the same state from it; a telephone number never leaves the city that it was left in; an answer that
//! is owed has a day, and whoever supervises sees what is late.

pub mod acts;
pub mod decide;
pub mod enquiry;
pub mod keep;
pub mod limits;
pub mod notices;
pub mod peer;
pub mod queue;
pub mod timers;

mod refusals;
mod sealed;
#[cfg(test)]
mod stories;

use std::sync::Arc;

use tb_base::{Calendar, NodeId};
use tb_crypto::Vault;
use tb_exchange::Desk;
use tb_store::{Migration, Schema};

pub use enquiry::{About, Act, ActKind, Asker, Enquiry, Kind, LookRef, Place, State, Turn, Wording};
pub use limits::Limits;
pub use sealed::SEALED;

/// What this crate owns in the database.
pub const SCHEMA: Schema = Schema {
    owner: "enquiry",
    migrations: &[Migration {
        name: "0001_enquiry",
        sql: include_str!("../migrations/0001_enquiry.sql"),
        sha256: "d894da28c3b537323f9ce72dde366221ba1bbe1a4508ea73a1d935b1f0957eb4",
    }],
    statements: &[keep::STATEMENTS, queue::STATEMENTS, sealed::STATEMENTS],
};

/// What the functions of this crate need beside the transaction (问询环境); cheap to clone.
#[derive(Clone)]
pub struct Env {
    /// Composes messages.
    pub desk: Arc<Desk>,
    /// The working days.
    pub calendar: Arc<Calendar>,
    /// Makes tags and opens the register.
    pub vault: Arc<Vault>,
    /// How long an answer may take.
    pub limits: Limits,
}

impl Env {
    /// This city.
    pub fn me(&self) -> NodeId {
        self.desk.me
    }
}

/// The name of a unit variant as it is stored and sent.
pub fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}
