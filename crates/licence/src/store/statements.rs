//! Statements over licences and their history.

use tb_store::{Stmt, stmt};

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] =
    &[INSERT, APPEND, NEXT_SEQ, REPLACE, ORDER, FIND, OF_HOLDER, OF_TAG, OID, HISTORY, DUE];

pub(super) const INSERT: Stmt = stmt(
    "licence.insert",
    "
    INSERT INTO licence_licence
        (id, oid, type, edition, holder, holder_tag, state, valid_from, valid_to, record, sealed, digest,
         signature, predecessor, issued_at, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
",
);

pub(super) const APPEND: Stmt = stmt(
    "licence.append",
    "
    INSERT INTO licence_version
        (licence, seq, edition, oid, event, state, void_from, reason, actor, digest, record, sealed, signature,
         at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
",
);

pub(super) const NEXT_SEQ: Stmt = stmt(
    "licence.next_seq",
    "
    SELECT seq + 1 AS seq
    FROM licence_version
    WHERE licence = $1
    ORDER BY seq DESC
    LIMIT 1
",
);

pub(super) const REPLACE: Stmt = stmt(
    "licence.replace",
    "
    UPDATE licence_licence
    SET oid = $3, edition = $4, state = $5, valid_from = $6, valid_to = $7, void_from = NULL, record = $8,
        sealed = $9, digest = $10, signature = $11, predecessor = $12, issued_at = $13, version = version + 1,
        at = $14, tx = $15
    WHERE id = $1 AND version = $2
",
);

pub(super) const ORDER: Stmt = stmt(
    "licence.order",
    "
    UPDATE licence_licence
    SET state = $3, void_from = $4, version = version + 1, at = $5, tx = $6
    WHERE id = $1 AND version = $2
",
);

pub(super) const FIND: Stmt = stmt(
    "licence.find",
    "
    SELECT id, oid, type, edition, holder, holder_tag, state, valid_from, valid_to, void_from, record, sealed,
        digest, signature, issued_at, version
    FROM licence_licence
    WHERE id = $1
",
);

pub(super) const OF_HOLDER: Stmt = stmt(
    "licence.of_holder",
    "
    SELECT id, oid, type, edition, holder, holder_tag, state, valid_from, valid_to, void_from, record, sealed,
        digest, signature, issued_at, version
    FROM licence_licence
    WHERE holder = $1
    ORDER BY issued_at DESC, id
    LIMIT $2
",
);

pub(super) const OF_TAG: Stmt = stmt(
    "licence.of_tag",
    "
    SELECT id, oid, type, edition, holder, holder_tag, state, valid_from, valid_to, void_from, record, sealed,
        digest, signature, issued_at, version
    FROM licence_licence
    WHERE holder_tag = $1
    ORDER BY issued_at DESC, id
    LIMIT $2
",
);

pub(super) const OID: Stmt = stmt(
    "licence.oid",
    "
    SELECT licence
    FROM licence_version
    WHERE oid = $1
    ORDER BY seq
    LIMIT 1
",
);

pub(super) const HISTORY: Stmt = stmt(
    "licence.history",
    "
    SELECT seq, edition, oid, event, state, void_from, reason, actor, at
    FROM licence_version
    WHERE licence = $1
    ORDER BY seq
",
);

pub(super) const DUE: Stmt = stmt(
    "licence.due",
    "
    SELECT id
    FROM licence_licence
    WHERE state IN ('valid', 'suspended') AND valid_to < $1 AND $2 < id
    ORDER BY id
    LIMIT $3
",
);
