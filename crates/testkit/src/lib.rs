//! What tests need from the machine (测试工具): a private PostgreSQL, a browser and folders of their own.
//!
//! Depends on no other crate, so that every crate may use it in its tests.

mod chrome;
mod folder;
mod pair;
mod postgres;
mod until;

pub use chrome::Chrome;
pub use folder::Folder;
pub use pair::PostgresPair;
pub use postgres::Postgres;
pub use until::until;
