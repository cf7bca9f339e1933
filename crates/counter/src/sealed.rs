//! The sealed columns of the counter (专窗加密列), and the place that each value is sealed for.

use tb_base::Result;
use tb_store::reseal::{SealedColumn, statements};
use tb_store::{Row, Stmt, sealed_column};

/// What this crate keeps sealed: what a paper is and under which number it travels, why a hand-over is taken back.
pub const SEALED: &[SealedColumn] = &[
    sealed_column!(Text "counter"/"original"."content" by Text "id" at original_place),
    sealed_column!(Text "counter"/"undo"."content" by Text "case_id" at |row| Ok(place::undo(row.parse("case_id")?))),
];

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &statements::<{ 2 * SEALED.len() }>(SEALED);

fn original_place(row: &Row) -> Result<String> {
    Ok(place::original(row.parse("id")?))
}

/// The place of a sealed text: table, row, column.
pub(crate) mod place {
    use tb_base::{CaseId, MessageId};

    pub(crate) fn original(id: MessageId) -> String {
        format!("counter_original/{id}/content")
    }

    pub(crate) fn undo(case: CaseId) -> String {
        format!("counter_undo/{case}/content")
    }
}
