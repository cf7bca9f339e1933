//! Sessions as pages see them (会话): who the cookie stands for. Identity owns the rows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tb_base::{Actor, Ctx, Result, Timestamp, Uscc};
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
    /// The enterprise that the session acts for; whether it still may is asked at each act.
    pub acting: Option<Acting>,
}

/// For whom somebody chose to act (代办身份).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acting {
    /// The code of the enterprise.
    pub code: Uscc,
    /// Its name.
    pub name: String,
}

/// Finds the account of a session token; none when the session is unknown, over or locked.
pub type Lookup = Arc<dyn Fn(&mut Tx<'_>, &str, Timestamp) -> Result<Option<Account>> + Send + Sync>;

/// Notes that a session is in use, so that it does not end while somebody works.
pub type Keep = Arc<dyn Fn(&mut Tx<'_>, &Ctx, &str) -> Result<()> + Send + Sync>;

/// Ends a session.
pub type End = Arc<dyn Fn(&mut Tx<'_>, &Ctx, &str) -> Result<()> + Send + Sync>;

/// A session in use is noted this often, not at every request.
const KEEP_SECONDS: i64 = 60;
/// Sessions remembered at once; beyond that the memory begins anew.
const KEPT_MAX: usize = 100_000;

/// When each session was noted last (会话续期).
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<String, Timestamp>>);

impl Kept {
    /// Whether the session is to be noted now; says so once a minute.
    pub(crate) fn is_due(&self, token: &str, now: Timestamp) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.get(token).is_some_and(|last| now < last.plus_seconds(KEEP_SECONDS)) {
            return false;
        }
        if KEPT_MAX <= kept.len() {
            kept.clear();
        }
        kept.insert(token.to_owned(), now);
        true
    }
}

/// A lookup that knows nobody, for sites without accounts and for tests.
pub fn nobody() -> Lookup {
    Arc::new(|_, _, _| Ok(None))
}
