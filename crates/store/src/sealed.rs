//! The sealed columns of this crate (本库加密列).

use tb_base::Result;

use crate::reseal::{SealedColumn, statements};
use crate::{Row, Stmt, sealed_column};

/// What this crate keeps sealed: what messages and answers say.
pub const SEALED: &[SealedColumn] = &[
    sealed_column!(MarkedBytes "store"/"outbox"."body" by Text "id" at outbox_place),
    sealed_column!(MarkedBytes "store"/"inbox"."body" by Text "sender", Text "id" at |row| inbox_place(row, "body")),
    sealed_column!(Text "store"/"inbox"."answer" by Text "sender", Text "id" at |row| inbox_place(row, "answer")),
];

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &statements::<{ 2 * SEALED.len() }>(SEALED);

fn outbox_place(row: &Row) -> Result<String> {
    Ok(format!("store_outbox/{}/body", row.get::<String>("id")?))
}

fn inbox_place(row: &Row, column: &str) -> Result<String> {
    Ok(format!("store_inbox/{}/{}/{column}", row.get::<String>("sender")?, row.get::<String>("id")?))
}
