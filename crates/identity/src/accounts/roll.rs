//! The roll of accounts of staff (工作人员账户): found by an administrator, stopped and let in again, with a reason.
//!
//! Invariant: nobody stops the own account, so that a city is never left without its administrator by a slip.

use tb_base::{Actor, Ctx, Refusal, Result, Role, StaffId};
use tb_crypto::Vault;
use tb_store::{Row, Stmt, Tx, audit, params, stmt};

use super::{AccountState, change_state, first, gone};
use crate::hold;
use crate::leave;
use crate::permit::{Action, Permit};
use crate::roster;
use crate::staff::{self, Staff};
use crate::words::words;
use crate::{PAGE_ROWS, offset};

words! {
    /// Why an account is stopped or let in again (理由): words, because audit lines hold no personal data.
    Because {
        /// She left the office or the post (离岗).
        Left = "left",
        /// Somebody else may be using it (可能被冒用).
        Stolen = "stolen",
        /// Looks or acts of it are being examined (核查).
        Examined = "examined",
        /// She is back at her post (回岗).
        Back = "back",
        /// The examination is over (核查完毕).
        Cleared = "cleared",
    }
}

/// An account of a member of staff, as the administrator's list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffAccount {
    /// The member of staff; the account has the same id.
    pub staff: Staff,
    /// Whether it can be used; none where there is no account yet.
    pub state: Option<AccountState>,
    /// Whether its holder has set a password; not while a one-time code waits.
    pub has_password: bool,
}

const SEARCH: Stmt = stmt(
    "identity.roll.search",
    "
    SELECT s.id, s.login, s.office, s.role, s.sealed, a.state, a.has_password
    FROM identity_staff s
    LEFT JOIN identity_account a ON a.staff = s.id
    WHERE s.login LIKE $1 ESCAPE '!'
    ORDER BY s.login
    LIMIT $2 OFFSET $3
",
);

const COUNT: Stmt = stmt(
    "identity.roll.count",
    "
    SELECT COUNT(*) AS counted
    FROM identity_staff
    WHERE login LIKE $1 ESCAPE '!'
",
);

const FIND: Stmt = stmt(
    "identity.roll.find",
    "
    SELECT s.id, s.login, s.office, s.role, s.sealed, a.state, a.has_password
    FROM identity_staff s
    LEFT JOIN identity_account a ON a.staff = s.id
    WHERE s.id = $1
",
);

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[SEARCH, COUNT, FIND];

/// One page of the accounts whose sign-in name holds this text, by sign-in name; pages are counted from 0.
pub fn search(
    tx: &mut Tx<'_>,
    vault: &Vault,
    permit: &Permit,
    text: &str,
    page: u32,
) -> Result<Vec<StaffAccount>> {
    check(permit)?;
    let rows = tx.all(&SEARCH, params![pattern(text), PAGE_ROWS, offset(page)])?;
    rows.iter().map(|row| read(row, vault)).collect()
}

/// How many accounts [`search`] finds on all pages.
pub fn count(tx: &mut Tx<'_>, permit: &Permit, text: &str) -> Result<i64> {
    check(permit)?;
    tx.one(&COUNT, params![pattern(text)])?.map_or(Ok(0), |row| row.get("counted"))
}

/// The account of a member of staff.
pub fn find(tx: &mut Tx<'_>, vault: &Vault, permit: &Permit, id: StaffId) -> Result<Option<StaffAccount>> {
    check(permit)?;
    tx.one(&FIND, params![id])?.map(|row| read(&row, vault)).transpose()
}

/// Stops an account of staff, which ends its sessions, or lets it be used again.
pub fn set_state(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    permit: &Permit,
    id: StaffId,
    state: AccountState,
    because: Because,
) -> Result<()> {
    let found = find(tx, vault, permit, id)?.ok_or_else(gone)?;
    let known = found.state.ok_or_else(gone)?;
    if matches!(&ctx.actor, Actor::Staff { staff, .. } if *staff == id) {
        return Err(Refusal::not_allowed(
            "IDN-ACC-004",
            "不能锁定、注销或恢复自己的账户",
            "Nobody locks, closes or unlocks the own account",
        )
        .but("请另一位系统管理员来做", "Let another administrator do it")
        .into());
    }
    if known == state {
        return Err(Refusal::conflict(
            "IDN-ACC-005",
            "这个账户已经是这个状态",
            "The account is in that state already",
        )
        .but("请刷新后再看", "Load the page again")
        .into());
    }
    if known == AccountState::Active && found.staff.role == Role::Administrator {
        roster::keep_an_administrator(tx, ctx, id)?;
    } else {
        hold::staff(tx, ctx, &[id])?;
    }
    if known == AccountState::Active {
        leave::stands_in_for_nobody(tx, id, ctx.now.date())?;
    }
    // Whoever had left comes back to an office that is still there.
    if known == AccountState::Closed {
        roster::open_office(tx, ctx, &found.staff.office)?;
    }
    change_state(tx, ctx, id.as_str(), state)?;
    if state != AccountState::Active {
        first::forget(tx, id.as_str())?;
    }
    let outcome = format!("{}:{}", state.word(), because.word());
    audit::line(tx, ctx, "identity.account.state", id.as_str(), &outcome)
}

fn check(permit: &Permit) -> Result<()> {
    if permit.action() == Action::ManageAccounts { Ok(()) } else { Err(no_permit()) }
}

pub(crate) fn no_permit() -> tb_base::Error {
    Refusal::not_allowed("IDN-ACC-006", "没有管理账号的权限", "This needs the permit to manage accounts")
        .into()
}

/// The text anywhere in a sign-in name; what means something to `LIKE` stands for itself.
fn pattern(text: &str) -> String {
    let plain = text.trim().to_lowercase();
    let escaped = plain.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{escaped}%")
}

fn read(row: &Row, vault: &Vault) -> Result<StaffAccount> {
    let has_password = row.get::<Option<i64>>("has_password")? == Some(1);
    Ok(StaffAccount { staff: staff::read(row, vault)?, state: row.parse_option("state")?, has_password })
}
