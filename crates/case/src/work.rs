//! An officer's own work on cases (办理工作台): points that she has ticked, one act on several cases.
//!
//! Invariants: a tick is hers alone and decides nothing; each case of a bulk is an act of its own with its own
//! command, so that a row that is done again is done once, and what was refused says why for as long as it is kept.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tb_base::{CaseId, Ctx, Fault, MessageId, OfficeId, Refusal, Result, StaffId, Timestamp};
use tb_store::{Row, Stmt, Tx, params, stmt};

use crate::command::CommandKind;
use crate::refusals;
use crate::sealed::place;

/// Cases of one bulk at the most.
pub const BULK_ROWS_MAX: usize = 50;
/// How long a bulk is kept for who did it.
const BULK_KEPT_SECONDS: i64 = 90 * 86_400;

/// What became of one case of a bulk (批量结果).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// Not yet tried.
    Waiting,
    /// The act took effect.
    Done,
    /// It was refused.
    Refused,
}

/// One case of a bulk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkRow {
    /// The case.
    pub case: CaseId,
    /// The command that acts on it, the same however often it is tried.
    pub command: MessageId,
    /// The number of its events as the officer saw it.
    pub seen: u32,
    /// What became of it.
    pub state: RowState,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
}

/// One act on several cases (批量办理).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bulk {
    /// Which.
    pub id: MessageId,
    /// Who began it.
    pub staff: StaffId,
    /// For which office.
    pub office: OfficeId,
    /// The act.
    pub act: CommandKind,
    /// When.
    pub begun: Timestamp,
    /// Its cases in the order in which they were chosen.
    pub rows: Vec<BulkRow>,
}

const TICKS: Stmt =
    stmt("case.tick.of_case", "SELECT point FROM case_tick WHERE case_id = $1 AND staff = $2");

const TICK: Stmt = stmt(
    "case.tick.insert",
    "
    INSERT INTO case_tick (case_id, staff, point, at, tx)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (case_id, staff, point) DO NOTHING
",
);

const UNTICK: Stmt =
    stmt("case.tick.delete", "DELETE FROM case_tick WHERE case_id = $1 AND staff = $2 AND point = $3");

const BEGIN: Stmt = stmt(
    "case.bulk.insert",
    "
    INSERT INTO case_bulk (bulk, staff, office, act, begun, at, tx)
    VALUES ($1, $2, $3, $4, $5, $5, $6)
    ON CONFLICT (bulk) DO NOTHING
",
);

const ADD: Stmt = stmt(
    "case.bulk.row",
    "
    INSERT INTO case_bulk_row (bulk, case_id, place, command, seen, state, refusal, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, 'waiting', NULL, 1, $6, $7)
    ON CONFLICT (bulk, case_id) DO NOTHING
",
);

const FIND: Stmt = stmt("case.bulk.find", "SELECT staff, office, act, begun FROM case_bulk WHERE bulk = $1");

const ROWS: Stmt = stmt(
    "case.bulk.rows",
    "
    SELECT case_id, command, seen, state, refusal
    FROM case_bulk_row
    WHERE bulk = $1
    ORDER BY place
",
);

const SETTLE: Stmt = stmt(
    "case.bulk.settle",
    "
    UPDATE case_bulk_row
    SET state = $3, refusal = $4, version = version + 1, at = $5, tx = $6
    WHERE bulk = $1 AND case_id = $2 AND state = 'waiting'
",
);

const LATEST: Stmt = stmt(
    "case.bulk.latest",
    "
    SELECT bulk, begun
    FROM case_bulk
    WHERE office = $1 AND staff = $2
    ORDER BY begun DESC, bulk DESC
    LIMIT 1
",
);

const DROP_ROWS: Stmt = stmt(
    "case.bulk.drop_rows",
    "
    DELETE FROM case_bulk_row
    WHERE bulk IN (SELECT bulk FROM case_bulk WHERE office = $1 AND begun < $2)
",
);

const DROP: Stmt = stmt("case.bulk.drop", "DELETE FROM case_bulk WHERE office = $1 AND begun < $2");

pub(crate) const STATEMENTS: &[Stmt] =
    &[TICKS, TICK, UNTICK, BEGIN, ADD, FIND, ROWS, SETTLE, LATEST, DROP_ROWS, DROP];

/// The points that an officer has ticked on a case.
pub fn ticks(tx: &mut Tx<'_>, case: CaseId, staff: StaffId) -> Result<BTreeSet<String>> {
    tx.all(&TICKS, params![case, staff])?.iter().map(|row| row.get("point")).collect()
}

/// Notes which points an officer has ticked on a case: these, and no others.
pub fn tick(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    case: CaseId,
    staff: StaffId,
    points: &BTreeSet<String>,
) -> Result<()> {
    let held = ticks(tx, case, staff)?;
    for point in held.difference(points) {
        tx.run(&UNTICK, params![case, staff, point])?;
    }
    for point in points.difference(&held) {
        tx.run(&TICK, params![case, staff, point, ctx.now, tx.name])?;
    }
    Ok(())
}

/// Notes what is to be done before any of it is done; the same bulk begun again is the one that was begun.
pub fn begin(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: MessageId,
    (staff, office): (StaffId, &OfficeId),
    act: CommandKind,
    cases: &[(CaseId, u32)],
) -> Result<()> {
    if cases.is_empty() || BULK_ROWS_MAX < cases.len() {
        return Err(refusals::bulk_size(BULK_ROWS_MAX).into());
    }
    let old = ctx.now.plus_seconds(-BULK_KEPT_SECONDS);
    tx.run(&DROP_ROWS, params![office, old])?;
    tx.run(&DROP, params![office, old])?;
    if tx.run(&BEGIN, params![id, staff, office, crate::word(&act), ctx.now, tx.name])? == 0 {
        return Ok(());
    }
    for (place, (case, seen)) in (1_i64..).zip(cases) {
        let command = ctx.id(MessageId::new);
        tx.run(&ADD, params![id, *case, place, command, *seen, ctx.now, tx.name])?;
    }
    tb_store::audit::line(tx, ctx, "case.bulk", id.as_str(), &crate::word(&act))
}

/// A bulk with what became of each case.
pub fn find(tx: &mut Tx<'_>, id: MessageId) -> Result<Option<Bulk>> {
    let Some(row) = tx.one(&FIND, params![id])? else { return Ok(None) };
    let rows = tx.all(&ROWS, params![id])?;
    let rows = rows.iter().map(|row| bulk_row(tx, id, row)).collect::<Result<_>>()?;
    Ok(Some(Bulk {
        id,
        staff: row.parse("staff")?,
        office: row.parse("office")?,
        act: crate::unword(&row, "act")?,
        begun: row.get("begun")?,
        rows,
    }))
}

fn bulk_row(tx: &Tx<'_>, bulk: MessageId, row: &Row) -> Result<BulkRow> {
    let case: CaseId = row.parse("case_id")?;
    let refusal: Option<String> = row.get("refusal")?;
    Ok(BulkRow {
        case,
        command: row.parse("command")?,
        seen: row.get("seen")?,
        state: crate::unword(row, "state")?,
        refusal: refusal.map(|_| tx.open_json(row, "refusal", &place::bulk_row(bulk, case))).transpose()?,
    })
}

/// Notes what became of a case: done, or refused and why. What is settled stays as it is.
pub fn settle(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    bulk: MessageId,
    case: CaseId,
    refusal: Option<&Refusal>,
) -> Result<()> {
    let state = if refusal.is_some() { RowState::Refused } else { RowState::Done };
    let refusal = refusal.map(serde_json::to_string).transpose();
    let refusal = refusal.map_err(|error| Fault::of("writing a refusal", error))?;
    let refusal = refusal.map(|refusal| tx.seal(&place::bulk_row(bulk, case), refusal));
    tx.run(&SETTLE, params![bulk, case, crate::word(&state), refusal, ctx.now, tx.name]).map(drop)
}

/// The last bulk of an officer of an office, and when she began it.
pub fn latest(tx: &mut Tx<'_>, office: &OfficeId, staff: StaffId) -> Result<Option<(MessageId, Timestamp)>> {
    let row = tx.one(&LATEST, params![office, staff])?;
    row.map(|row| Ok((row.parse("bulk")?, row.get("begun")?))).transpose()
}

#[cfg(test)]
mod tests;
