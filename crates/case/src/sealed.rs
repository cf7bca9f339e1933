//! The sealed columns of cases (办件加密列), and the place that each value is sealed for.

use tb_base::Result;
use tb_store::reseal::{Form, KeyColumn, SealedColumn};
use tb_store::{Row, Stmt, stmt};

const EVENTS: Stmt = stmt(
    "case.sealed.events",
    "
    SELECT case_id, seq, event AS held
    FROM case_event
    WHERE ($1, $2) < (case_id, seq)
    ORDER BY case_id, seq
    LIMIT $3
",
);

const PUT_EVENTS: Stmt = stmt(
    "case.sealed.put_events",
    "
    UPDATE case_event SET event = $4
    WHERE case_id = $1 AND seq = $2 AND event = $3
",
);

const HEADS: Stmt = stmt(
    "case.sealed.heads",
    "
    SELECT case_id, state AS held
    FROM case_head
    WHERE $1 < case_id
    ORDER BY case_id
    LIMIT $2
",
);

const PUT_HEADS: Stmt = stmt(
    "case.sealed.put_heads",
    "
    UPDATE case_head SET state = $3
    WHERE case_id = $1 AND state = $2
",
);

const REFERENCES: Stmt = stmt(
    "case.sealed.references",
    "
    SELECT case_id, view AS held
    FROM case_reference
    WHERE $1 < case_id
    ORDER BY case_id
    LIMIT $2
",
);

const PUT_REFERENCES: Stmt = stmt(
    "case.sealed.put_references",
    "
    UPDATE case_reference SET view = $3
    WHERE case_id = $1 AND view = $2
",
);

const CUSTODY: Stmt = stmt(
    "case.sealed.custody",
    "
    SELECT case_id, answer AS held
    FROM case_custody
    WHERE $1 < case_id
    ORDER BY case_id
    LIMIT $2
",
);

const PUT_CUSTODY: Stmt = stmt(
    "case.sealed.put_custody",
    "
    UPDATE case_custody SET answer = $3
    WHERE case_id = $1 AND answer = $2
",
);

const ACT: Stmt = stmt(
    "case.sealed.act",
    "
    SELECT command, refusal AS held
    FROM case_act
    WHERE $1 < command AND refusal IS NOT NULL
    ORDER BY command
    LIMIT $2
",
);

const PUT_ACT: Stmt = stmt(
    "case.sealed.put_act",
    "
    UPDATE case_act SET refusal = $3
    WHERE command = $1 AND refusal = $2
",
);

const RATINGS: Stmt = stmt(
    "case.sealed.ratings",
    "
    SELECT case_id, target, words AS held
    FROM case_rating
    WHERE ($1, $2) < (case_id, target)
    ORDER BY case_id, target
    LIMIT $3
",
);

const PUT_RATINGS: Stmt = stmt(
    "case.sealed.put_ratings",
    "
    UPDATE case_rating SET words = $4
    WHERE case_id = $1 AND target = $2 AND words = $3
",
);

const FILES: Stmt = stmt(
    "case.sealed.files",
    "
    SELECT case_id, part, sealed AS held
    FROM case_file
    WHERE ($1, $2) < (case_id, part)
    ORDER BY case_id, part
    LIMIT $3
",
);

const PUT_FILES: Stmt = stmt(
    "case.sealed.put_files",
    "
    UPDATE case_file SET sealed = $4
    WHERE case_id = $1 AND part = $2 AND sealed = $3
",
);

const DRAFTS: Stmt = stmt(
    "case.sealed.drafts",
    "
    SELECT draft, sealed AS held
    FROM case_draft
    WHERE $1 < draft
    ORDER BY draft
    LIMIT $2
",
);

const PUT_DRAFTS: Stmt = stmt(
    "case.sealed.put_drafts",
    "
    UPDATE case_draft SET sealed = $3
    WHERE draft = $1 AND sealed = $2
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[
    EVENTS,
    PUT_EVENTS,
    HEADS,
    PUT_HEADS,
    REFERENCES,
    PUT_REFERENCES,
    CUSTODY,
    PUT_CUSTODY,
    ACT,
    PUT_ACT,
    RATINGS,
    PUT_RATINGS,
    FILES,
    PUT_FILES,
    DRAFTS,
    PUT_DRAFTS,
];

/// What this crate keeps sealed: histories, views, ratings, files and drafts.
pub const SEALED: &[SealedColumn] = &[
    SealedColumn {
        table: "case_event",
        column: "event",
        form: Form::Text,
        keys: &[KeyColumn::Text("case_id"), KeyColumn::Number("seq")],
        rows: EVENTS,
        put: PUT_EVENTS,
        place: |row| Ok(place::event(row.parse("case_id")?, row.get("seq")?)),
    },
    SealedColumn {
        table: "case_head",
        column: "state",
        form: Form::Text,
        keys: &[KeyColumn::Text("case_id")],
        rows: HEADS,
        put: PUT_HEADS,
        place: |row| Ok(place::head(row.parse("case_id")?)),
    },
    SealedColumn {
        table: "case_reference",
        column: "view",
        form: Form::Text,
        keys: &[KeyColumn::Text("case_id")],
        rows: REFERENCES,
        put: PUT_REFERENCES,
        place: |row| Ok(place::reference(row.parse("case_id")?)),
    },
    SealedColumn {
        table: "case_custody",
        column: "answer",
        form: Form::Text,
        keys: &[KeyColumn::Text("case_id")],
        rows: CUSTODY,
        put: PUT_CUSTODY,
        place: |row| Ok(place::custody(row.parse("case_id")?)),
    },
    SealedColumn {
        table: "case_act",
        column: "refusal",
        form: Form::Text,
        keys: &[KeyColumn::Text("command")],
        rows: ACT,
        put: PUT_ACT,
        place: |row| Ok(place::act(row.parse("command")?)),
    },
    SealedColumn {
        table: "case_rating",
        column: "words",
        form: Form::Text,
        keys: &[KeyColumn::Text("case_id"), KeyColumn::Text("target")],
        rows: RATINGS,
        put: PUT_RATINGS,
        place: rating_place,
    },
    SealedColumn {
        table: "case_file",
        column: "sealed",
        form: Form::Bytes,
        keys: &[KeyColumn::Text("case_id"), KeyColumn::Text("part")],
        rows: FILES,
        put: PUT_FILES,
        place: file_place,
    },
    SealedColumn {
        table: "case_draft",
        column: "sealed",
        form: Form::Bytes,
        keys: &[KeyColumn::Text("draft")],
        rows: DRAFTS,
        put: PUT_DRAFTS,
        place: |row| Ok(format!("case_draft/{}", row.get::<String>("draft")?)),
    },
];

fn rating_place(row: &Row) -> Result<String> {
    Ok(place::rating(row.parse("case_id")?, &row.get::<String>("target")?))
}

fn file_place(row: &Row) -> Result<String> {
    Ok(format!("case_file/{}/{}", row.get::<String>("case_id")?, row.get::<String>("part")?))
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

    pub(crate) fn rating(case: CaseId, target: &str) -> String {
        format!("case_rating/{case}/{target}/words")
    }
}
