//! Sealing of personal columns (加密存储): JSON under the node's vault, bound to table and row.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tb_base::{Ctx, Fault, Result, Violation};
use tb_crypto::Vault;

/// Seals a value for one row of one table; it opens nowhere else.
pub(crate) fn seal<T: Serialize>(
    ctx: &Ctx,
    vault: &Vault,
    table: &'static str,
    row: &str,
    value: &T,
) -> Result<Vec<u8>> {
    let plain = serde_json::to_vec(value).map_err(|error| Fault::of("writing a personal column", error))?;
    let mut entropy = ctx;
    Ok(vault.seal(&mut entropy, bound(table, row).as_bytes(), &plain))
}

/// Opens what [`seal`] sealed for that row.
pub(crate) fn open<T: DeserializeOwned>(
    vault: &Vault,
    table: &'static str,
    row: &str,
    sealed: &[u8],
) -> Result<T> {
    let plain = vault.open(bound(table, row).as_bytes(), sealed)?;
    serde_json::from_slice(&plain).map_err(|_| Violation::inconsistent(table, row).into())
}

fn bound(table: &str, row: &str) -> String {
    format!("{table}/{row}")
}
