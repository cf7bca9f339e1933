//! Statements over presentations.

use tb_store::{Stmt, stmt};

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[INSERT, REDEEM, ANSWERED, CLOSE, FIND, BY_HASH, OF_HOLDER];

pub(super) const INSERT: Stmt = stmt(
    "licence.presentation.insert",
    "
    INSERT INTO licence_presentation (id, code_hash, licence, holder, expires, state, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, 'open', 1, $6, $7)
",
);

pub(super) const REDEEM: Stmt = stmt(
    "licence.presentation.redeem",
    "
    UPDATE licence_presentation
    SET state = 'redeemed', verifier_city = $3, verifier_actor = $4, redeemed_at = $2, version = version + 1,
        at = $2, tx = $5
    WHERE code_hash = $1 AND state = 'open' AND $2 <= expires
    RETURNING id, licence
",
);

pub(super) const ANSWERED: Stmt = stmt(
    "licence.presentation.answered",
    "
    UPDATE licence_presentation
    SET answer = $2, version = version + 1, at = $3, tx = $4
    WHERE id = $1
",
);

pub(super) const CLOSE: Stmt = stmt(
    "licence.presentation.close",
    "
    UPDATE licence_presentation
    SET state = 'closed', version = version + 1, at = $3, tx = $4
    WHERE id = $1 AND holder = $2 AND state = 'open'
",
);

pub(super) const FIND: Stmt = stmt(
    "licence.presentation.find",
    "
    SELECT id, licence, holder, expires, state, verifier_city, verifier_actor, answer, redeemed_at
    FROM licence_presentation
    WHERE id = $1
",
);

pub(super) const BY_HASH: Stmt = stmt(
    "licence.presentation.by_hash",
    "
    SELECT id, licence, holder, expires, state, verifier_city, verifier_actor, answer, redeemed_at
    FROM licence_presentation
    WHERE code_hash = $1
",
);

pub(super) const OF_HOLDER: Stmt = stmt(
    "licence.presentation.of_holder",
    "
    SELECT id, licence, holder, expires, state, verifier_city, verifier_actor, answer, redeemed_at
    FROM licence_presentation
    WHERE holder = $1
    ORDER BY id DESC
    LIMIT $2
",
);
