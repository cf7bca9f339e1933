//! The sealed columns of this crate (本库加密列).

use tb_base::Result;

use crate::reseal::{Form, KeyColumn, SealedColumn};
use crate::{Row, Stmt, stmt};

const OUTBOX: Stmt = stmt(
    "store.sealed.outbox",
    "
    SELECT id, body AS held
    FROM store_outbox
    WHERE $1 < id
    ORDER BY id
    LIMIT $2
",
);

const PUT_OUTBOX: Stmt = stmt(
    "store.sealed.put_outbox",
    "
    UPDATE store_outbox SET body = $3
    WHERE id = $1 AND body = $2
",
);

const INBOX: Stmt = stmt(
    "store.sealed.inbox",
    "
    SELECT sender, id, body AS held
    FROM store_inbox
    WHERE ($1, $2) < (sender, id)
    ORDER BY sender, id
    LIMIT $3
",
);

const PUT_INBOX: Stmt = stmt(
    "store.sealed.put_inbox",
    "
    UPDATE store_inbox SET body = $4
    WHERE sender = $1 AND id = $2 AND body = $3
",
);

const ANSWERS: Stmt = stmt(
    "store.sealed.answers",
    "
    SELECT sender, id, answer AS held
    FROM store_inbox
    WHERE ($1, $2) < (sender, id) AND answer IS NOT NULL
    ORDER BY sender, id
    LIMIT $3
",
);

const PUT_ANSWER: Stmt = stmt(
    "store.sealed.put_answer",
    "
    UPDATE store_inbox SET answer = $4
    WHERE sender = $1 AND id = $2 AND answer = $3
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[OUTBOX, PUT_OUTBOX, INBOX, PUT_INBOX, ANSWERS, PUT_ANSWER];

/// What this crate keeps sealed: what messages and answers say.
pub const SEALED: &[SealedColumn] = &[
    SealedColumn {
        table: "store_outbox",
        column: "body",
        form: Form::MarkedBytes,
        keys: &[KeyColumn::Text("id")],
        rows: OUTBOX,
        put: PUT_OUTBOX,
        place: outbox_place,
    },
    SealedColumn {
        table: "store_inbox",
        column: "body",
        form: Form::MarkedBytes,
        keys: &[KeyColumn::Text("sender"), KeyColumn::Text("id")],
        rows: INBOX,
        put: PUT_INBOX,
        place: |row| inbox_place(row, "body"),
    },
    SealedColumn {
        table: "store_inbox",
        column: "answer",
        form: Form::Text,
        keys: &[KeyColumn::Text("sender"), KeyColumn::Text("id")],
        rows: ANSWERS,
        put: PUT_ANSWER,
        place: |row| inbox_place(row, "answer"),
    },
];

fn outbox_place(row: &Row) -> Result<String> {
    Ok(format!("store_outbox/{}/body", row.get::<String>("id")?))
}

fn inbox_place(row: &Row, column: &str) -> Result<String> {
    Ok(format!("store_inbox/{}/{}/{column}", row.get::<String>("sender")?, row.get::<String>("id")?))
}
