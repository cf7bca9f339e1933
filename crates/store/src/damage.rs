//! Damage (损坏): what a flipped bit leaves to be seen, looked for before anything starts on it.
//!
//! Invariant: a store that is seen to be damaged is not opened, and nothing in it is changed.

use std::fmt::Display;

use tb_base::{Error, Fault, Result};

use crate::{Engine, Stmt, Store, Tx, log, stmt};

/// Leaves that are hashed anew at each start, the newest ones; older ones are proved whenever they are asked for.
const LEAVES_CHECKED_MAX: u64 = 2_048;

/// What an operator is told; the way out stands in `docs/operations`.
pub(crate) fn damaged(place: impl Display, what: impl Display) -> Error {
    Fault::new(format!(
        "opening {place}: it is damaged ({what}). Nothing was started and nothing was changed. \
         Keep a copy as it is, then bring back the newest backup with `tongban restore`: \
         what came after it is fetched from the other cities (docs/operations/drills.md)"
    ))
    .into()
}

/// Looks at the log of a store: the newest leaves, the hashes above them, and the root that was signed.
pub(crate) async fn check_log(store: &Store, engine: &Engine) -> Result<()> {
    let place = match engine {
        Engine::Sqlite(path) => path.display().to_string(),
        Engine::Postgres { schema, .. } => format!("the schema {schema}"),
    };
    match store.read_snapshot("store.check", what_is_wrong).await {
        Ok(None) => Ok(()),
        Ok(Some(what)) => Err(damaged(place, what)),
        Err(Error::Fault(fault)) => Err(fault.into()),
        Err(error @ (Error::Refused(_) | Error::Violation(_))) => Err(damaged(place, error)),
    }
}

const PAGES: Stmt = stmt("store.damage.pages", "SELECT quick_check FROM pragma_quick_check LIMIT 1");

/// The same, and on SQLite the pages of the file.
pub(crate) fn look(tx: &mut Tx<'_>) -> Result<Option<String>> {
    if !tx.is_postgres() {
        let said: Option<String> = tx.one(&PAGES, &[])?.map(|row| row.get("quick_check")).transpose()?;
        if let Some(said) = said.filter(|said| said != "ok") {
            return Ok(Some(said));
        }
    }
    what_is_wrong(tx)
}

fn what_is_wrong(tx: &mut Tx<'_>) -> Result<Option<String>> {
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
