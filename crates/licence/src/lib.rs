//! Electronic licences (电子证照): issue, replace, show, fetch with consent, verify live.
//! Serves clauses 1.2 and 3.3 to 3.5.
//!
//! Layer 3; owns the tables `licence_…`.
//! Invariants: values are sealed at rest; a record is signed with SM2 over SM3 and can be checked by anyone who
//! has the trust list; nothing about a person leaves without a case, a consent or her own showing, and each such
//! answer leaves a look.

pub mod ask;
pub mod consent;
pub mod office;
pub mod peer;
pub mod present;
pub mod record;
pub mod seed;
pub mod state;
pub mod store;
pub mod types;

mod sealed;

use tb_store::{Migration, Schema};

/// What this crate owns in the database.
pub const SCHEMA: Schema = Schema {
    owner: "licence",
    migrations: &[
        Migration {
            name: "0001_licence",
            sql: include_str!("../migrations/0001_licence.sql"),
            sha256: "6646ba3cc15ebf6a91a03ede575577bef711afdfa07288eb60282b9e93a409b5",
        },
        Migration {
            name: "0002_consent_end",
            sql: include_str!("../migrations/0002_consent_end.sql"),
            sha256: "98285cf5bc5b9cc41185c08df645efb8559cfd0930d991352d043fb036202692",
        },
    ],
    statements: &[
        store::STATEMENTS,
        consent::STATEMENTS,
        present::STATEMENTS,
        seed::STATEMENTS,
        sealed::STATEMENTS,
    ],
};

pub use sealed::SEALED;

#[cfg(test)]
mod tests_support;
