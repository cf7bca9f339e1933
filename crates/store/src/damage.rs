//! Damage (损坏): what a flipped bit leaves to be seen, looked for before anything starts on it.
//!
//! Invariant: a store that is seen to be damaged is not opened, and nothing in it is changed.

use std::fmt::Display;
use std::path::Path;

use tb_base::{Error, Fault, Result};

use crate::sqlite::{CHECK_AT_START, Connection};
use crate::tx::{Access, Link};
use crate::{Store, Tx, log};

/// Leaves that are hashed anew at each start, the newest ones; older ones are proved whenever they are asked for.
const LEAVES_CHECKED_MAX: u64 = 2_048;

/// How the pages of a database look (页面检查).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pages {
    /// Nothing is wrong with them.
    Sound,
    /// There are more than could be looked at in the time; nothing is known to be wrong.
    Unfinished,
    /// This is wrong.
    Damaged(String),
}

/// What an operator is told; the way out stands in `docs/operations`.
pub(crate) fn damaged(place: impl Display, what: impl Display) -> Error {
    Fault::new(format!(
        "opening {place}: it is damaged ({what}). Nothing was started and nothing was changed. \
         Keep a copy as it is, then bring back the newest backup with `tongban restore`: \
         what came after it is fetched from the other cities (docs/operations/drills.md)"
    ))
    .into()
}

/// Looks at the pages of a SQLite file before anything runs on it.
pub(crate) fn check_pages(connection: &Connection, path: &Path) -> Result<()> {
    match connection.pages(CHECK_AT_START) {
        Pages::Sound => Ok(()),
        Pages::Unfinished => {
            tracing::warn!("the database is too large to be checked whole at the start");
            Ok(())
        }
        Pages::Damaged(what) => Err(damaged(path.display(), what)),
    }
}

/// Looks at the log in a file whose tables are there.
pub(crate) fn check_log_of_file(connection: &Connection, path: &Path) -> Result<()> {
    let mut tx = Tx::new("store.check", Link::Sqlite(connection), Access::Read);
    told(path.display(), what_is_wrong(&mut tx))
}

/// Looks at the log in a schema.
pub(crate) async fn check_log_of_schema(store: &Store, schema: &str) -> Result<()> {
    told(format!("the schema {schema}"), store.read_snapshot("store.check", what_is_wrong).await)
}

fn told(place: impl Display, found: Result<Option<String>>) -> Result<()> {
    match found {
        Ok(None) => Ok(()),
        Ok(Some(what)) => Err(damaged(place, what)),
        Err(Error::Fault(fault)) => Err(fault.into()),
        Err(error @ (Error::Refused(_) | Error::Violation(_))) => Err(damaged(place, error)),
    }
}

/// What is wrong with the log: the newest leaves, the hashes above them, and the root that was signed.
pub(crate) fn what_is_wrong(tx: &mut Tx<'_>) -> Result<Option<String>> {
    let size = log::size(tx)?;
    if let Some(signed) = log::latest(tx)? {
        if size < signed.size {
            return Ok(Some(format!(
                "the log ends at leaf {size}, and its city signed {} leaves",
                signed.size
            )));
        }
        if log::root(tx, signed.size)? != signed.root {
            return Ok(Some(format!("the log of {} leaves is not the one that was signed", signed.size)));
        }
    }
    let leaf = log::tree::first_damaged(tx, size.saturating_sub(LEAVES_CHECKED_MAX)..size)?;
    Ok(leaf.map(|index| format!("leaf {index} of the log, or a hash above it, is not what was written")))
}
