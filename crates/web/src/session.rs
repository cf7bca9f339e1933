//! Sessions as pages see them (会话): who the cookie stands for. Identity owns the rows.

use std::sync::Arc;

use tb_base::{Actor, Result, Timestamp};
use tb_store::Tx;

/// The account that a session belongs to (账户).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account's id.
    pub id: String,
    /// The name that it signs in with.
    pub login: String,
    /// The name that pages show.
    pub name: String,
    /// Who acts when this account acts.
    pub actor: Actor,
    /// The office of a member of staff, by name.
    pub office_name: Option<String>,
}

/// Finds the account of a session token; none when the session is unknown, over or locked.
pub type Lookup = Arc<dyn Fn(&mut Tx<'_>, &str, Timestamp) -> Result<Option<Account>> + Send + Sync>;

/// A lookup that knows nobody, for sites without accounts and for tests.
pub fn nobody() -> Lookup {
    Arc::new(|_, _, _| Ok(None))
}
