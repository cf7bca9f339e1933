//! Statements over consents.

use tb_store::{Stmt, stmt};

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[INSERT, CODE, TRY, ANSWER, END, OPEN_CASES, FIND, OF_CASE, OF_PERSON];

pub(super) const INSERT: Stmt = stmt(
    "licence.consent.insert",
    "
    INSERT INTO licence_consent
        (id, case_id, item, deciding, person, asked, asked_by, state, tries_left, expires, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12)
",
);

pub(super) const CODE: Stmt = stmt(
    "licence.consent.code",
    "
    UPDATE licence_consent
    SET code_tag = $3, code_expires = $4, version = version + 1, at = $5, tx = $6
    WHERE id = $1 AND version = $2
",
);

pub(super) const TRY: Stmt = stmt(
    "licence.consent.try",
    "
    UPDATE licence_consent
    SET tries_left = tries_left - 1, version = version + 1, at = $3, tx = $4
    WHERE id = $1 AND version = $2
",
);

pub(super) const ANSWER: Stmt = stmt(
    "licence.consent.answer",
    "
    UPDATE licence_consent
    SET state = $3, manner = $4, signature_hash = $5, expires = $6, answered_at = $7, code_tag = NULL,
        version = version + 1, at = $7, tx = $8
    WHERE id = $1 AND version = $2
",
);

pub(super) const END: Stmt = stmt(
    "licence.consent.end",
    "
    UPDATE licence_consent
    SET ended_at = $3, code_tag = NULL, version = version + 1, at = $3, tx = $4
    WHERE id = $1 AND version = $2
",
);

pub(super) const OPEN_CASES: Stmt = stmt(
    "licence.consent.open_cases",
    "
    SELECT DISTINCT case_id
    FROM licence_consent
    WHERE ended_at IS NULL AND state IN ('asked', 'given') AND $1 <= expires AND $2 < case_id
    ORDER BY case_id
    LIMIT $3
",
);

pub(super) const FIND: Stmt = stmt(
    "licence.consent.find",
    "
    SELECT id, case_id, item, deciding, person, asked, asked_by, state, manner, signature_hash, code_tag,
        code_expires, tries_left, expires, answered_at, ended_at, version
    FROM licence_consent
    WHERE id = $1
",
);

pub(super) const OF_CASE: Stmt = stmt(
    "licence.consent.of_case",
    "
    SELECT id, case_id, item, deciding, person, asked, asked_by, state, manner, signature_hash, code_tag,
        code_expires, tries_left, expires, answered_at, ended_at, version
    FROM licence_consent
    WHERE case_id = $1
    ORDER BY id DESC
    LIMIT $2
",
);

pub(super) const OF_PERSON: Stmt = stmt(
    "licence.consent.of_person",
    "
    SELECT id, case_id, item, deciding, person, asked, asked_by, state, manner, signature_hash, code_tag,
        code_expires, tries_left, expires, answered_at, ended_at, version
    FROM licence_consent
    WHERE person = $1
    ORDER BY id DESC
    LIMIT $2
",
);
