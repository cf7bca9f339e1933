//! The sealed columns of licences (证照加密列), and the place that each value is sealed for.

use tb_base::{LicenceId, Result};
use tb_store::reseal::{SealedColumn, statements};
use tb_store::{Row, Stmt, sealed_column};

/// What this crate keeps sealed: the values of licences, and the reasons of orders.
pub const SEALED: &[SealedColumn] = &[
    sealed_column!(Bytes "licence"/"licence"."sealed" by Text "id" reading "edition" at |row| fields_place(row, "id")),
    sealed_column!(
        Bytes "licence"/"version"."sealed" by Text "licence", Number "seq" reading "edition"
        at |row| fields_place(row, "licence")
    ),
    sealed_column!(Text "licence"/"version"."reason" by Text "licence", Number "seq" at reason_place),
];

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &statements::<{ 2 * SEALED.len() }>(SEALED);

fn reason_place(row: &Row) -> Result<String> {
    Ok(reason(row.parse("licence")?, row.get("seq")?))
}

/// Where the values of a version belong, in its row and in the archive alike.
fn fields_place(row: &Row, id: &'static str) -> Result<String> {
    Ok(fields(row.parse(id)?, row.get("edition")?))
}

/// The place of the values of a version.
pub(crate) fn fields(id: LicenceId, version: i64) -> String {
    format!("licence_licence/{id}/{version}")
}

/// The place of the reason of a line of the history.
pub(crate) fn reason(licence: LicenceId, seq: i64) -> String {
    format!("licence_version/{licence}/{seq}/reason")
}
