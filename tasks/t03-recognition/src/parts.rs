//! What this task needs beside the application (所需部件).

use std::sync::Arc;

use tb_exchange::Desk;
use tb_licence::store::Issuer;

/// The name of an item by its number: Chinese, then English. The catalogue knows it, this task does not.
pub type ItemName = Arc<dyn Fn(&str) -> Option<(String, String)> + Send + Sync>;

/// What this task needs beside the application.
#[derive(Clone)]
pub struct Parts {
    /// Trust list, contracts and pseudonyms.
    pub desk: Arc<Desk>,
    /// Types of licences, and the vault that opens their values.
    pub issuer: Arc<Issuer>,
    /// Names of items.
    pub item: ItemName,
}
