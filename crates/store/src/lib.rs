//! Storage (存储): SQLite and PostgreSQL behind one `read` and `write(name, |tx| …)`.
//!
//! The only crate that names a database driver.
//! A unit of work is a synchronous closure over [`Tx`]; it runs in one transaction and may run twice.

mod row;
mod schema;
mod tx;
mod value;

pub mod audit;
pub mod inbox;
pub mod jobs;
pub mod log;
pub mod outbox;

pub use row::{FromValue, Row};
pub use schema::{Migration, Schema, Stmt, stmt};
pub use tx::{Config, Engine, Store, Tx};
pub use value::Value;
