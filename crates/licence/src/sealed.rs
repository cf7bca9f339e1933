//! The sealed columns of licences (证照加密列), and the place that each value is sealed for.

use tb_base::{LicenceId, Result};
use tb_store::reseal::{Form, KeyColumn, SealedColumn};
use tb_store::{Row, Stmt, stmt};

const LICENCES: Stmt = stmt(
    "licence.sealed.licences",
    "
    SELECT id, edition, sealed AS held
    FROM licence_licence
    WHERE $1 < id
    ORDER BY id
    LIMIT $2
",
);

const PUT_LICENCES: Stmt = stmt(
    "licence.sealed.put_licences",
    "
    UPDATE licence_licence SET sealed = $3
    WHERE id = $1 AND sealed = $2
",
);

const ARCHIVED: Stmt = stmt(
    "licence.sealed.archived",
    "
    SELECT licence, seq, edition, sealed AS held
    FROM licence_version
    WHERE ($1, $2) < (licence, seq) AND sealed IS NOT NULL
    ORDER BY licence, seq
    LIMIT $3
",
);

const PUT_ARCHIVED: Stmt = stmt(
    "licence.sealed.put_archived",
    "
    UPDATE licence_version SET sealed = $4
    WHERE licence = $1 AND seq = $2 AND sealed = $3
",
);

const REASONS: Stmt = stmt(
    "licence.sealed.reasons",
    "
    SELECT licence, seq, reason AS held
    FROM licence_version
    WHERE ($1, $2) < (licence, seq)
    ORDER BY licence, seq
    LIMIT $3
",
);

const PUT_REASONS: Stmt = stmt(
    "licence.sealed.put_reasons",
    "
    UPDATE licence_version SET reason = $4
    WHERE licence = $1 AND seq = $2 AND reason = $3
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] =
    &[LICENCES, PUT_LICENCES, ARCHIVED, PUT_ARCHIVED, REASONS, PUT_REASONS];

/// What this crate keeps sealed: the values of licences, and the reasons of orders.
pub const SEALED: &[SealedColumn] = &[
    SealedColumn {
        table: "licence_licence",
        column: "sealed",
        form: Form::Bytes,
        keys: &[KeyColumn::Text("id")],
        rows: LICENCES,
        put: PUT_LICENCES,
        place: |row| fields_place(row, "id"),
    },
    SealedColumn {
        table: "licence_version",
        column: "sealed",
        form: Form::Bytes,
        keys: &[KeyColumn::Text("licence"), KeyColumn::Number("seq")],
        rows: ARCHIVED,
        put: PUT_ARCHIVED,
        place: |row| fields_place(row, "licence"),
    },
    SealedColumn {
        table: "licence_version",
        column: "reason",
        form: Form::Text,
        keys: &[KeyColumn::Text("licence"), KeyColumn::Number("seq")],
        rows: REASONS,
        put: PUT_REASONS,
        place: |row| Ok(reason(row.parse("licence")?, row.get("seq")?)),
    },
];

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
