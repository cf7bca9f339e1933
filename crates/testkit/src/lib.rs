//! What tests need from the machine (测试工具): a private PostgreSQL and folders of their own.
//!
//! Depends on no other crate, so that every crate may use it in its tests.

mod folder;
mod postgres;

pub use folder::Folder;
pub use postgres::Postgres;
