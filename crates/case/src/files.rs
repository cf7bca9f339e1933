//! What a case holds of a person (办件材料): sealed at rest, kept by the owner only, opened with a look on record.
//!
//! Invariant: the history holds digests; who loses custody deletes the contents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tb_base::{CaseId, Ctx, Fault, Result, Violation};
use tb_crypto::Vault;
use tb_store::{Row, Stmt, Tx, params, stmt};

use crate::command::Answers;

/// What was handed in (申请表): answers by question, salted so that its digest tells nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filing {
    /// Random, lower-case hex.
    pub salt: String,
    /// Answers by question.
    pub answers: BTreeMap<String, String>,
    /// The lines of the formal check that a clerk ticked.
    pub checks: Vec<String>,
    /// What she says is wrong in a register or on a paper, by field; left out where there is nothing, so that
    /// the digest of an undisputed application is what it always was.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disputes: BTreeMap<String, String>,
}

/// Everything that a case holds of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFile {
    /// What was handed in.
    pub filing: Filing,
    /// Answers to correction notices, in order.
    pub answers: Vec<Answers>,
}

const FILING: &str = "filing";

const PUT: Stmt = stmt(
    "case.file.put",
    "
    INSERT INTO case_file (case_id, part, sealed, digest, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (case_id, part) DO NOTHING
",
);

const ALL: Stmt = stmt(
    "case.file.all",
    "
    SELECT case_id, part, sealed, digest
    FROM case_file
    WHERE case_id = $1
    ORDER BY part
",
);

const DELETE: Stmt = stmt("case.file.delete", "DELETE FROM case_file WHERE case_id = $1");

pub(crate) const STATEMENTS: &[Stmt] = &[PUT, ALL, DELETE];

pub(crate) fn put_filing(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    case: CaseId,
    filing: &Filing,
) -> Result<()> {
    put(tx, ctx, vault, case, FILING, filing)
}

/// `nth` counts the corrections that were answered before.
pub(crate) fn put_answers(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    case: CaseId,
    nth: usize,
    answers: &Answers,
) -> Result<()> {
    put(tx, ctx, vault, case, &format!("answers-{nth:03}"), answers)
}

fn put(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    case: CaseId,
    part: &str,
    value: &impl Serialize,
) -> Result<()> {
    let plain = serde_json::to_vec(value).map_err(|error| Fault::of("sealing a part of a case", error))?;
    let sealed = vault.seal(&mut &*ctx, &place(case, part), &plain);
    tx.run(&PUT, params![case, part, sealed, crate::digest(value), ctx.now, tx.name]).map(drop)
}

/// Deletes what was sealed: custody is elsewhere now.
pub(crate) fn delete(tx: &mut Tx<'_>, case: CaseId) -> Result<()> {
    tx.run(&DELETE, params![case]).map(drop)
}

/// Reads it without a look; for the crate's own messages and hooks.
pub(crate) fn read(tx: &mut Tx<'_>, vault: &Vault, case: CaseId) -> Result<Option<CaseFile>> {
    let (mut filing, mut answers) = (None, Vec::new());
    for row in tx.all(&ALL, params![case])? {
        let part: String = row.get("part")?;
        if part == FILING {
            filing = Some(opened(&row, vault, case, &part)?);
        } else {
            answers.push(opened(&row, vault, case, &part)?);
        }
    }
    Ok(filing.map(|filing| CaseFile { filing, answers }))
}

fn opened<T: serde::de::DeserializeOwned + Serialize>(
    row: &Row,
    vault: &Vault,
    case: CaseId,
    part: &str,
) -> Result<T> {
    let sealed: Vec<u8> = row.get("sealed")?;
    let plain = vault.open(&place(case, part), &sealed)?;
    serde_json::from_slice(&plain).map_err(|_| Violation::inconsistent("case_file", case).into())
}

/// Ties the sealed bytes to their row.
fn place(case: CaseId, part: &str) -> Vec<u8> {
    format!("case_file/{case}/{part}").into_bytes()
}
