//! Cases (政务办件): item definitions, phases, clocks, custody between cities, progress.
//! Serves clauses 2.1 to 2.5.
//!
//! Layer 3; owns the tables `case_…`.
//! Invariants: what happens to a case is decided by one pure function and kept as a chain of events; of two nodes
//! never both own a case; everything of one act is one transaction.

pub mod acts;
pub mod case;
pub mod city;
pub mod clocks;
pub mod command;
pub mod decide;
pub mod definitions;
pub mod draft;
pub mod env;
pub mod event;
pub mod figures;
pub mod files;
pub mod form;
pub mod keep;
pub mod notices;
pub mod peer;
pub mod progress;
pub mod queue;
pub mod submit;
pub mod text;
pub mod timers;
pub mod work;

#[cfg(test)]
mod fixture;
mod refusals;
mod sealed;
#[cfg(test)]
mod stories;

use tb_base::{Ctx, Result, Violation};
use tb_store::{Migration, Row, Schema};

pub use acts::act;
pub use case::{By, Case, Party, Phase, PhaseKind};
pub use command::{Command, CommandKind};
pub use decide::{allowed, decide};
pub use definitions::{Catalogue, DefinitionFile, ItemRules};
pub use env::Env;
pub use event::{Event, evolve, fold};
pub use progress::{ProgressView, progress};
pub use sealed::SEALED;
pub use submit::submit;

/// What this crate owns in the database.
pub const SCHEMA: Schema = Schema {
    owner: "case",
    migrations: &[
        Migration {
            name: "0001_case",
            sql: include_str!("../migrations/0001_case.sql"),
            sha256: "34743974ba5de6e0fd03b23add3e35cd79e95f4a0f41524a89a09347be813e13",
        },
        Migration {
            name: "0002_office_lists",
            sql: include_str!("../migrations/0002_office_lists.sql"),
            sha256: "d15f26d57d17df00affdec5d1d0edef7fef2647afc2e2393ff840da4c5caab43",
        },
        Migration {
            name: "0003_city",
            sql: include_str!("../migrations/0003_city.sql"),
            sha256: "e1a0804df5e364dd9d25728d21b671a1b6c3f1221ce0134e2be067537bd57dbe",
        },
        Migration {
            name: "0004_office_work",
            sql: include_str!("../migrations/0004_office_work.sql"),
            sha256: "04b1455108967c643e6576969c4b94857d99266abbce5a5747363fd8c4ae8416",
        },
    ],
    statements: &[
        keep::STATEMENTS,
        acts::STATEMENTS,
        city::STATEMENTS,
        draft::STATEMENTS,
        files::STATEMENTS,
        peer::STATEMENTS,
        queue::STATEMENTS,
        sealed::STATEMENTS,
        work::STATEMENTS,
    ],
};

/// Letters and digits that are not mistaken for each other.
const CODE_LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A code of eight letters (查询码): short enough to say aloud, 40 random bits, good only beside a sign-in.
pub(crate) fn query_code(ctx: &Ctx) -> String {
    let random: [u8; 8] = ctx.random();
    random
        .iter()
        .filter_map(|byte| CODE_LETTERS.get(usize::from(byte & 31)))
        .map(|letter| char::from(*letter))
        .collect()
}

/// A column that holds the name of a unit variant.
pub(crate) fn unword<T: serde::de::DeserializeOwned>(row: &Row, column: &'static str) -> Result<T> {
    let word: String = row.get(column)?;
    serde_json::from_value(serde_json::Value::String(word))
        .map_err(|error| Violation::new("inconsistent", column, error.to_string()).into())
}

/// The name of a unit variant as it is stored and sent.
pub(crate) fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

/// SHA-256 of the canonical JSON, lower-case hex.
///
/// Our own values hold only text, integers, lists and maps, which always have a canonical form.
pub(crate) fn digest(value: &impl serde::Serialize) -> String {
    let text = tb_crypto::canonical(value).unwrap_or_default();
    tb_crypto::text::hex(&tb_crypto::sha256(&text))
}
