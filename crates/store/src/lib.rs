//! Storage (存储): SQLite and PostgreSQL behind one `read` and `write(name, |tx| …)`.
//!
//! The only crate that names a database driver.
//! A unit of work is a synchronous closure over [`Tx`]; it runs in one transaction and may run twice.

mod check;
mod damage;
mod held;
mod leases;
mod migrate;
mod postgres;
mod row;
mod schema;
mod sealed;
mod sealing;
mod sqlite;
mod store;
#[cfg(test)]
mod tests;
mod tx;
mod unit;
mod value;
mod writes;

pub mod audit;
pub mod backup;
pub mod contact;
pub mod dead_letters;
pub mod figures;
pub mod inbox;
pub mod jobs;
pub mod log;
pub mod mirror;
pub mod nonces;
pub mod outbox;
pub mod owed;
pub mod processes;
pub mod reseal;
pub mod restored;
pub mod search;
pub mod trust;
pub mod usage;

pub use check::check_statements;
pub use damage::Pages;
pub use leases::Lease;
pub use migrate::{CONTRACTS, Standing, standing};
pub use row::{FromValue, Row};
pub use schema::{Migration, Schema, Stmt, stmt};
pub use sealing::Sealer;
pub use store::{Config, Engine, Store, drop_schema};
pub use tx::Tx;
pub use unit::{Moment, Watch};
pub use value::Value;
pub use writes::Writes;

/// The tables of this crate; [`Store::open`] puts them first.
pub const SCHEMA: Schema = Schema {
    owner: "store",
    migrations: &[
        Migration {
            name: "0001_store",
            sql: include_str!("../migrations/0001_store.sql"),
            sha256: "544137452e931cfc7b527caef24441d62ea8e3c243370c96de2355365272f8c1",
        },
        Migration {
            name: "0002_lines",
            sql: include_str!("../migrations/0002_lines.sql"),
            sha256: "beb9654acaf984665329f4f264ff0442d001466d9c70238fe2bc0a3828504e66",
        },
        Migration {
            name: "0003_mirror",
            sql: include_str!("../migrations/0003_mirror.sql"),
            sha256: "4b1e21d9ab4cf58b5811da026c0a5646f612cac304c61176fe2c032f967f6cbd",
        },
        Migration {
            name: "0004_inbox_count",
            sql: include_str!("../migrations/0004_inbox_count.sql"),
            sha256: "da5e93a5c79301ca68bfe6519b35802da5557ae7854a9ae98858196021ae114d",
        },
        Migration {
            name: "0005_bureau",
            sql: include_str!("../migrations/0005_bureau.sql"),
            sha256: "d1ef773daad9ec124927962535c243419ef39cda3d09d83c831e58b1aa291465",
        },
        Migration {
            name: "0006_processes",
            sql: include_str!("../migrations/0006_processes.sql"),
            sha256: "5a069f2497c2bcb967584eca9d14505f1f884c397ee36f1a50b2acccf083a62b",
        },
        Migration {
            name: "0007_trust",
            sql: include_str!("../migrations/0007_trust.sql"),
            sha256: "aab54a8d2c7692d1c8d512562f17b72f92582bda6cc313faeacb497da1cc5b29",
        },
        Migration {
            name: "0008_owed",
            sql: include_str!("../migrations/0008_owed.sql"),
            sha256: "911da8399360b262de61415854c9b8401314602ebea11602a66c3e5b00c30c42",
        },
        Migration {
            name: "0009_job_lines",
            sql: include_str!("../migrations/0009_job_lines.sql"),
            sha256: "d359415b5b105ab6789782762d575f0ff69abf6d8d3b2830d18970774c55abeb",
        },
    ],
    statements: &[
        migrate::STATEMENTS,
        store::STATEMENTS,
        audit::STATEMENTS,
        figures::STATEMENTS,
        inbox::STATEMENTS,
        jobs::STATEMENTS,
        leases::STATEMENTS,
        log::STATEMENTS,
        log::tree::STATEMENTS,
        log::checkpoint::STATEMENTS,
        log::adopt::STATEMENTS,
        mirror::STATEMENTS,
        nonces::STATEMENTS,
        log::lag::STATEMENTS,
        outbox::STATEMENTS,
        owed::STATEMENTS,
        restored::STATEMENTS,
        outbox::standing::STATEMENTS,
        contact::STATEMENTS,
        dead_letters::STATEMENTS,
        usage::STATEMENTS,
        processes::STATEMENTS,
        trust::STATEMENTS,
        sealed::STATEMENTS,
    ],
};

pub use sealed::SEALED;
