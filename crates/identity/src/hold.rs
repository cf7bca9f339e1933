//! Holds (占用): rows that a rule over several rows is about, changed so that two units under it never pass each other.
//!
//! A unit sees one moment. A row that was only locked (`FOR UPDATE`) leaves no trace: whoever waited for it goes on
//! with what it saw before. A row that was changed makes it run again, so a hold counts the row's version up.

use tb_base::{Ctx, OfficeId, Result, StaffId, Uscc};
use tb_store::{Stmt, Tx, params, stmt};

use crate::enterprises::{self, Enterprise};

const STAFF: Stmt = stmt(
    "identity.hold.staff",
    "
    UPDATE identity_staff
    SET version = version + 1, at = $2, tx = $3
    WHERE id = $1
",
);

const ADMINISTRATORS: Stmt = stmt(
    "identity.hold.administrators",
    "
    SELECT id
    FROM identity_staff
    WHERE role = 'administrator'
    ORDER BY id
",
);

const OFFICE: Stmt = stmt(
    "identity.hold.office",
    "
    UPDATE identity_office
    SET version = version + 1, at = $2, tx = $3
    WHERE id = $1 AND closed = 0
",
);

const ACCOUNT: Stmt = stmt(
    "identity.hold.account",
    "
    UPDATE identity_account
    SET version = version + 1, at = $3, tx = $4
    WHERE id = $1 AND hash = $2 AND state = 'active'
",
);

/// The day of its record stays: a hold is no news of the register.
const ENTERPRISE: Stmt = stmt(
    "identity.hold.enterprise",
    "
    UPDATE identity_enterprise
    SET version = version + 1, tx = $2
    WHERE uscc = $1
",
);

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[STAFF, ADMINISTRATORS, OFFICE, ACCOUNT, ENTERPRISE];

/// Members of staff: for rules over their leaves, offices and accounts.
pub(crate) fn staff(tx: &mut Tx<'_>, ctx: &Ctx, ids: &[StaffId]) -> Result<()> {
    // In one order, so that two units do not wait for each other.
    let mut ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.sort();
    each(tx, ctx, &ids)
}

/// Every administrator: for the rule that one remains.
pub(crate) fn administrators(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<()> {
    let rows = tx.all(&ADMINISTRATORS, params![])?;
    let mut ids: Vec<String> = rows.iter().map(|row| row.get("id")).collect::<Result<_>>()?;
    ids.sort();
    each(tx, ctx, &ids)
}

fn each(tx: &mut Tx<'_>, ctx: &Ctx, ids: &[String]) -> Result<()> {
    let name = tx.name;
    let batch: Vec<_> = ids.iter().map(|id| (&STAFF, params![id, ctx.now, name].to_vec())).collect();
    tx.run_all(&batch)
}

/// An office that is open: for the rule that nobody works in one that is closed. Says whether there is one.
pub(crate) fn open_office(tx: &mut Tx<'_>, ctx: &Ctx, id: &OfficeId) -> Result<bool> {
    let name = tx.name;
    Ok(0 < tx.run(&OFFICE, params![id, ctx.now, name])?)
}

/// An enterprise: for the rules over its grants. Gives it, if there is one.
pub(crate) fn enterprise(tx: &mut Tx<'_>, uscc: &Uscc) -> Result<Option<Enterprise>> {
    let name = tx.name;
    if tx.run(&ENTERPRISE, params![uscc.to_string(), name])? == 0 {
        return Ok(None);
    }
    enterprises::find(tx, uscc)
}

/// An account whose password was verified before this unit began. Says whether it can still be used with that one.
pub(crate) fn account(tx: &mut Tx<'_>, ctx: &Ctx, id: &str, hash: &str) -> Result<bool> {
    let name = tx.name;
    Ok(0 < tx.run(&ACCOUNT, params![id, hash, ctx.now, name])?)
}
