//! The sealed columns of people and accounts (身份加密列).

use tb_base::Result;
use tb_store::reseal::{Form, KeyColumn, SealedColumn};
use tb_store::{Row, Stmt, stmt};

const PEOPLE: Stmt = stmt(
    "identity.sealed.people",
    "
    SELECT id, sealed AS held
    FROM identity_person
    WHERE $1 < id
    ORDER BY id
    LIMIT $2
",
);

const PUT_PEOPLE: Stmt = stmt(
    "identity.sealed.put_people",
    "
    UPDATE identity_person SET sealed = $3
    WHERE id = $1 AND sealed = $2
",
);

const STAFF: Stmt = stmt(
    "identity.sealed.staff",
    "
    SELECT id, sealed AS held
    FROM identity_staff
    WHERE $1 < id
    ORDER BY id
    LIMIT $2
",
);

const PUT_STAFF: Stmt = stmt(
    "identity.sealed.put_staff",
    "
    UPDATE identity_staff SET sealed = $3
    WHERE id = $1 AND sealed = $2
",
);

const SMS: Stmt = stmt(
    "identity.sealed.sms",
    "
    SELECT id, sealed AS held
    FROM identity_sms
    WHERE $1 < id
    ORDER BY id
    LIMIT $2
",
);

const PUT_SMS: Stmt = stmt(
    "identity.sealed.put_sms",
    "
    UPDATE identity_sms SET sealed = $3
    WHERE id = $1 AND sealed = $2
",
);

const NOTICES: Stmt = stmt(
    "identity.sealed.notices",
    "
    SELECT id, params AS held
    FROM identity_message
    WHERE $1 < id
    ORDER BY id
    LIMIT $2
",
);

const PUT_NOTICES: Stmt = stmt(
    "identity.sealed.put_notices",
    "
    UPDATE identity_message SET params = $3
    WHERE id = $1 AND params = $2
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] =
    &[PEOPLE, PUT_PEOPLE, STAFF, PUT_STAFF, SMS, PUT_SMS, NOTICES, PUT_NOTICES];

/// What this crate keeps sealed: people, members of staff, text messages and the parameters of notices.
pub const SEALED: &[SealedColumn] = &[
    SealedColumn {
        table: "identity_person",
        column: "sealed",
        form: Form::Bytes,
        keys: &[KeyColumn::Text("id")],
        rows: PEOPLE,
        put: PUT_PEOPLE,
        place: |row| place("identity_person", row),
    },
    SealedColumn {
        table: "identity_staff",
        column: "sealed",
        form: Form::Bytes,
        keys: &[KeyColumn::Text("id")],
        rows: STAFF,
        put: PUT_STAFF,
        place: |row| place("identity_staff", row),
    },
    SealedColumn {
        table: "identity_sms",
        column: "sealed",
        form: Form::Bytes,
        keys: &[KeyColumn::Text("id")],
        rows: SMS,
        put: PUT_SMS,
        place: |row| place("identity_sms", row),
    },
    SealedColumn {
        table: "identity_message",
        column: "params",
        form: Form::Text,
        keys: &[KeyColumn::Text("id")],
        rows: NOTICES,
        put: PUT_NOTICES,
        place: |row| Ok(crate::messages::place(row.parse("id")?)),
    },
];

fn place(table: &str, row: &Row) -> Result<String> {
    Ok(format!("{table}/{}", row.get::<String>("id")?))
}
