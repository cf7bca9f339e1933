//! The sealed columns of enquiries (问询加密列), and the place that each value is sealed for.

use tb_base::Result;
use tb_store::reseal::{SealedColumn, statements};
use tb_store::{Row, Stmt, sealed_column};

/// What this crate keeps sealed: what an enquiry is about with telephone and code, and every text.
pub const SEALED: &[SealedColumn] = &[
    sealed_column!(Text "enquiry"/"enquiry"."content" by Text "id" at |row| Ok(place::enquiry(row.parse("id")?))),
    sealed_column!(Text "enquiry"/"turn"."content" by Text "enquiry", Text "turn" at turn_place),
];

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &statements::<{ 2 * SEALED.len() }>(SEALED);

fn turn_place(row: &Row) -> Result<String> {
    Ok(place::turn(row.parse("enquiry")?, row.parse("turn")?))
}

/// The place of a sealed text: table, row, column.
pub(crate) mod place {
    use tb_base::MessageId;

    pub(crate) fn enquiry(id: MessageId) -> String {
        format!("enquiry_enquiry/{id}/content")
    }

    pub(crate) fn turn(enquiry: MessageId, turn: MessageId) -> String {
        format!("enquiry_turn/{enquiry}/{turn}/content")
    }
}
