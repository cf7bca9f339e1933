//! The sealed columns of cases (办件加密列), and the place that each value is sealed for.

use tb_base::Result;
use tb_store::reseal::{SealedColumn, statements};
use tb_store::{Row, Stmt, sealed_column};

/// What this crate keeps sealed: histories, views, ratings, files and drafts.
pub const SEALED: &[SealedColumn] = &[
    sealed_column!(Text "case"/"event"."event" by Text "case_id", Number "seq" at event_place),
    sealed_column!(Text "case"/"head"."state" by Text "case_id" at |row| Ok(place::head(row.parse("case_id")?))),
    sealed_column!(Text "case"/"reference"."view" by Text "case_id" at |row| Ok(place::reference(row.parse("case_id")?))),
    sealed_column!(Text "case"/"custody"."answer" by Text "case_id" at |row| Ok(place::custody(row.parse("case_id")?))),
    sealed_column!(Text "case"/"act"."refusal" by Text "command" at |row| Ok(place::act(row.parse("command")?))),
    sealed_column!(Text "case"/"rating"."words" by Text "case_id", Text "target" at rating_place),
    sealed_column!(Text "case"/"bulk_row"."refusal" by Text "bulk", Text "case_id" at bulk_row_place),
    sealed_column!(Bytes "case"/"file"."sealed" by Text "case_id", Text "part" at file_place),
    sealed_column!(Bytes "case"/"draft"."sealed" by Text "draft" at draft_place),
];

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &statements::<{ 2 * SEALED.len() }>(SEALED);

fn event_place(row: &Row) -> Result<String> {
    Ok(place::event(row.parse("case_id")?, row.get("seq")?))
}

fn rating_place(row: &Row) -> Result<String> {
    Ok(place::rating(row.parse("case_id")?, &row.get::<String>("target")?))
}

fn bulk_row_place(row: &Row) -> Result<String> {
    Ok(place::bulk_row(row.parse("bulk")?, row.parse("case_id")?))
}

fn file_place(row: &Row) -> Result<String> {
    Ok(format!("case_file/{}/{}", row.get::<String>("case_id")?, row.get::<String>("part")?))
}

fn draft_place(row: &Row) -> Result<String> {
    Ok(format!("case_draft/{}", row.get::<String>("draft")?))
}

/// The place of a sealed text: table, row, column.
pub(crate) mod place {
    use tb_base::{CaseId, MessageId};

    pub(crate) fn event(case: CaseId, seq: u32) -> String {
        format!("case_event/{case}/{seq}/event")
    }

    pub(crate) fn head(case: CaseId) -> String {
        format!("case_head/{case}/state")
    }

    pub(crate) fn reference(case: CaseId) -> String {
        format!("case_reference/{case}/view")
    }

    pub(crate) fn custody(case: CaseId) -> String {
        format!("case_custody/{case}/answer")
    }

    pub(crate) fn act(command: MessageId) -> String {
        format!("case_act/{command}/refusal")
    }

    pub(crate) fn bulk_row(bulk: MessageId, case: CaseId) -> String {
        format!("case_bulk_row/{bulk}/{case}/refusal")
    }

    pub(crate) fn rating(case: CaseId, target: &str) -> String {
        format!("case_rating/{case}/{target}/words")
    }
}
