//! The sealed columns of people and accounts (身份加密列).

use tb_base::Result;
use tb_store::reseal::{SealedColumn, statements};
use tb_store::{Row, Stmt, sealed_column};

/// What this crate keeps sealed: people, members of staff, text messages, from where sessions were begun, the parameters of notices.
pub const SEALED: &[SealedColumn] = &[
    sealed_column!(Bytes "identity"/"person"."sealed" by Text "id" at |row| place("identity_person", row)),
    sealed_column!(Bytes "identity"/"staff"."sealed" by Text "id" at |row| place("identity_staff", row)),
    sealed_column!(Bytes "identity"/"sms"."sealed" by Text "id" at |row| place("identity_sms", row)),
    sealed_column!(Text "identity"/"session"."about" by Text "id" at |row| Ok(crate::accounts::sessions::place(row.parse("id")?))),
    sealed_column!(Text "identity"/"message"."params" by Text "id" at |row| Ok(crate::messages::place(row.parse("id")?))),
];

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &statements::<{ 2 * SEALED.len() }>(SEALED);

fn place(table: &str, row: &Row) -> Result<String> {
    Ok(format!("{table}/{}", row.get::<String>("id")?))
}
