//! The roster (名册): how a member of staff comes, changes office and role, gets a first password anew; how offices are
//! made, renamed and closed.
//!
//! Invariants: nobody changes the own office or role; a city keeps an administrator whose account can be used; a move
//! ends every session, so that no page goes on with powers of before.

use std::collections::BTreeSet;

use tb_base::{Actor, Ctx, OfficeId, Refusal, Result, Role, StaffId, Violation};
use tb_crypto::Vault;
use tb_store::{Stmt, Tx, audit, params, stmt};

use crate::accounts::{self, AccountState, NewAccount, first, roll, sessions};
use crate::offices::{self, Office, OfficeKind};
use crate::permit::{Action, Permit};
use crate::staff::{self, Staff, role_word};
use crate::{hold, leave};

/// The longest name of a person or an office.
pub const NAME_LETTERS_MAX: usize = 60;
/// The longest sign-in name.
pub const LOGIN_LETTERS_MAX: usize = 40;

const MOVE: Stmt = stmt(
    "identity.roster.move",
    "
    UPDATE identity_staff
    SET office = $2, role = $3, version = version + 1, at = $4, tx = $5
    WHERE id = $1
",
);

/// Administrators who can sign in today: with a password, and not on leave.
const OTHER_ADMINISTRATORS: Stmt = stmt(
    "identity.roster.other_administrators",
    "
    SELECT COUNT(*) AS counted
    FROM identity_staff s
    JOIN identity_account a ON a.staff = s.id
    WHERE s.role = 'administrator' AND a.state = 'active' AND a.has_password = 1 AND s.id <> $1
        AND NOT EXISTS (
            SELECT 1
            FROM identity_leave l
            WHERE l.staff = s.id AND l.ended IS NULL AND l.first_day <= $2 AND $2 <= l.last_day
        )
",
);

const BY_LOGIN: Stmt = stmt(
    "identity.roster.by_login",
    "
    SELECT id, login, office, role, sealed
    FROM identity_staff
    WHERE login = $1
",
);

const PEERS: Stmt = stmt(
    "identity.roster.peers",
    "
    SELECT s.id, s.login, s.office, s.role, s.sealed
    FROM identity_staff s
    JOIN identity_account a ON a.staff = s.id
    WHERE s.office = $1 AND s.role = $2 AND s.id <> $3 AND a.state = 'active' AND a.has_password = 1
    ORDER BY s.login
    LIMIT $4
",
);

const CLOSED: Stmt =
    stmt("identity.roster.closed", "SELECT id FROM identity_office WHERE closed = 1 ORDER BY id");

/// Those roles answer what people ask; an account without a password cannot be used yet.
const ANSWERING: Stmt = stmt(
    "identity.roster.answering",
    "
    SELECT DISTINCT o.id AS id
    FROM identity_office o
    JOIN identity_staff s ON s.office = o.id
    JOIN identity_account a ON a.staff = s.id
    WHERE o.closed = 0 AND a.state = 'active' AND a.has_password = 1
        AND s.role IN ('window', 'reviewer', 'approver', 'inspector', 'bureau')
    ORDER BY o.id
",
);

const SET_CLOSED: Stmt = stmt(
    "identity.roster.set_closed",
    "
    UPDATE identity_office
    SET closed = $2, version = version + 1, at = $3, tx = $4
    WHERE id = $1 AND closed <> $2
",
);

const IN_OFFICE: Stmt = stmt(
    "identity.roster.in_office",
    "
    SELECT COUNT(*) AS counted
    FROM identity_staff s
    LEFT JOIN identity_account a ON a.staff = s.id
    WHERE s.office = $1 AND COALESCE(a.state, 'closed') <> 'closed'
",
);

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] =
    &[MOVE, OTHER_ADMINISTRATORS, BY_LOGIN, PEERS, CLOSED, ANSWERING, SET_CLOSED, IN_OFFICE];

/// Who is entered.
#[derive(Clone, Debug)]
pub struct NewStaff {
    /// The sign-in name.
    pub login: String,
    /// Name (姓名).
    pub name: String,
    /// Mobile phone, for one-time codes.
    pub phone: Option<String>,
    /// Number on the badge (工号).
    pub badge: String,
    /// The office.
    pub office: OfficeId,
    /// The one role.
    pub role: Role,
}

/// Enters a member of staff with an account that waits for its first password; gives the one-time code, once.
pub fn enter(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    permit: &Permit,
    new: &NewStaff,
    hash_of_nobody: &str,
) -> Result<(StaffId, String)> {
    may_manage(permit)?;
    open_office(tx, ctx, &new.office)?;
    add(tx, ctx, vault, new, hash_of_nobody)
}

fn add(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    new: &NewStaff,
    hash_of_nobody: &str,
) -> Result<(StaffId, String)> {
    let member = Staff {
        id: ctx.id(StaffId::new),
        login: checked_login(&new.login)?,
        office: new.office.clone(),
        role: new.role,
        name: new.name.clone(),
        phone: new.phone.clone(),
        badge: new.badge.clone(),
    };
    staff::add(tx, ctx, vault, &member)?;
    accounts::create(tx, ctx, vault, &NewAccount::of_staff(&member).awaiting(), hash_of_nobody)?;
    audit::line(tx, ctx, "identity.staff.enter", member.id.as_str(), role_word(member.role))?;
    let code = first::issue(tx, ctx, vault, member.id.as_str())?;
    Ok((member.id, code))
}

/// The first administrator of a city (首任管理员), or a new code for one who lost everything: for the command on the
/// machine, which is its own permit. A leave of hers that holds today ends. Gives the one-time code.
pub fn administrator(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    office: &Office,
    (login, name): (&str, &str),
    hash_of_nobody: &str,
) -> Result<String> {
    if offices::find(tx, &office.id)?.is_none() {
        offices::put(tx, ctx, office)?;
    }
    let login = checked_login(login)?;
    let Some(row) = tx.one(&BY_LOGIN, params![&login])? else {
        let new = NewStaff {
            login,
            name: name.to_owned(),
            phone: None,
            badge: String::new(),
            office: office.id.clone(),
            role: Role::Administrator,
        };
        return add(tx, ctx, vault, &new, hash_of_nobody).map(|(_, code)| code);
    };
    let known = staff::read(&row, vault)?;
    if known.role != Role::Administrator {
        return Err(Refusal::conflict(
            "IDN-STF-006",
            "这个登录名属于别的岗位的人",
            "This sign-in name belongs to somebody with another role",
        )
        .into());
    }
    accounts::set_state(tx, ctx, known.id.as_str(), AccountState::Active)?;
    leave::end_today(tx, ctx, known.id)?;
    renew(tx, ctx, vault, known.id, hash_of_nobody)
}

/// Gives a new one-time code; the password of before and every session end.
pub fn renew_code(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    permit: &Permit,
    id: StaffId,
    hash_of_nobody: &str,
) -> Result<String> {
    may_manage(permit)?;
    let known = roll::find(tx, vault, permit, id)?.ok_or_else(accounts::gone)?;
    not_own(ctx, id)?;
    if known.state.ok_or_else(accounts::gone)? != AccountState::Active {
        return Err(Refusal::not_now(
            "IDN-STF-007",
            "账户已锁定或注销，不能发放代码",
            "The account is locked or closed; it gets no code",
        )
        .but("请先恢复账户", "Unlock or reopen it first")
        .into());
    }
    if known.staff.role == Role::Administrator {
        keep_an_administrator(tx, ctx, id)?;
    }
    renew(tx, ctx, vault, id, hash_of_nobody)
}

fn renew(tx: &mut Tx<'_>, ctx: &Ctx, vault: &Vault, id: StaffId, hash_of_nobody: &str) -> Result<String> {
    accounts::take_password(tx, ctx, id.as_str(), hash_of_nobody)?;
    audit::line(tx, ctx, "identity.staff.code", id.as_str(), "done")?;
    first::issue(tx, ctx, vault, id.as_str())
}

/// Gives a member another office or role (调岗); what the old office has in hand stays with it.
pub fn move_to(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    permit: &Permit,
    id: StaffId,
    (office, role): (&OfficeId, Role),
) -> Result<()> {
    may_manage(permit)?;
    not_own(ctx, id)?;
    let known = roll::find(tx, vault, permit, id)?.ok_or_else(accounts::gone)?.staff;
    if role == Role::Resident {
        return Err(Violation::new("inconsistent", "role", "a member of staff is no resident").into());
    }
    if known.office == *office && known.role == role {
        return Err(Refusal::conflict(
            "IDN-STF-008",
            "单位和岗位没有变化",
            "Office and role are as they were",
        )
        .on("role")
        .into());
    }
    open_office(tx, ctx, office)?;
    let today = ctx.now.date();
    if leave::of_staff(tx, permit, id)?.iter().any(|leave| leave.is_open(today)) {
        return Err(Refusal::not_now(
            "IDN-STF-005",
            "请假或代办期间不能调岗：代办人须同单位同岗位",
            "Nobody moves while on leave or standing in: a substitute has the same office and role",
        )
        .but("请先结束请假", "End the leave first")
        .on("role")
        .into());
    }
    if known.role == Role::Administrator && role != Role::Administrator {
        keep_an_administrator(tx, ctx, id)?;
    }
    // The row of the member is changed here, which holds it too: whoever enters a leave meets the move.
    let name = tx.name;
    tx.run(&MOVE, params![id, office, role_word(role), ctx.now, name])?;
    sessions::kill_all(tx, id.as_str())?;
    audit::line(tx, ctx, "identity.staff.move", id.as_str(), role_word(role))
}

/// Refuses where nobody else could manage accounts.
pub(crate) fn keep_an_administrator(tx: &mut Tx<'_>, ctx: &Ctx, except: StaffId) -> Result<()> {
    hold::administrators(tx, ctx)?;
    let others = tx.one(&OTHER_ADMINISTRATORS, params![except, ctx.now.date()])?;
    let others: i64 = others.map_or(Ok(0), |row| row.get("counted"))?;
    if 0 < others {
        return Ok(());
    }
    Err(Refusal::not_now(
        "IDN-STF-004",
        "这是最后一位可用的系统管理员",
        "This is the last administrator whose account can be used",
    )
    .but("请先任命另一位系统管理员", "Appoint another administrator first")
    .into())
}

/// Members with the same office and role whose accounts can be used: who can stand in.
pub fn peers(tx: &mut Tx<'_>, vault: &Vault, permit: &Permit, member: &Staff) -> Result<Vec<Staff>> {
    may_manage(permit)?;
    let values = params![&member.office, role_word(member.role), member.id, crate::PAGE_ROWS];
    tx.all(&PEERS, values)?.iter().map(|row| staff::read(row, vault)).collect()
}

/// The offices that are closed.
pub fn closed_offices(tx: &mut Tx<'_>) -> Result<BTreeSet<OfficeId>> {
    tx.all(&CLOSED, params![])?.iter().map(|row| row.parse("id")).collect()
}

/// The offices in which somebody can answer what people ask (有人答复的单位).
pub fn answering_offices(tx: &mut Tx<'_>) -> Result<BTreeSet<OfficeId>> {
    tx.all(&ANSWERING, params![])?.iter().map(|row| row.parse("id")).collect()
}

/// Makes an office; its id is for ever.
pub fn make_office(tx: &mut Tx<'_>, ctx: &Ctx, permit: &Permit, office: &Office) -> Result<()> {
    may_manage_offices(permit)?;
    if offices::find(tx, &office.id)?.is_some() {
        return Err(Refusal::conflict(
            "IDN-OFF-001",
            "这个单位代码已被使用",
            "This code of an office is taken",
        )
        .on("code")
        .into());
    }
    if offices::OFFICES_MAX <= i64::try_from(offices::all(tx)?.len()).unwrap_or(i64::MAX) {
        return Err(Refusal::not_now(
            "IDN-OFF-002",
            "单位数量已到上限",
            "There are as many offices as there may be",
        )
        .into());
    }
    offices::put(tx, ctx, office)?;
    audit::line(tx, ctx, "identity.office", office.id.as_str(), "begun")
}

/// Gives an office another name; what it is and serves stays.
pub fn rename_office(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    permit: &Permit,
    id: &OfficeId,
    (name_zh, name_en): (&str, &str),
) -> Result<()> {
    may_manage_offices(permit)?;
    let known = offices::find(tx, id)?.ok_or_else(no_office)?;
    let office = Office { name_zh: name_zh.to_owned(), name_en: name_en.to_owned(), ..known };
    offices::put(tx, ctx, &office)?;
    audit::line(tx, ctx, "identity.office", id.as_str(), "renamed")
}

/// Closes an office in which nobody works any more; whoever calls this has seen that no case lies there.
pub fn close_office(tx: &mut Tx<'_>, ctx: &Ctx, permit: &Permit, id: &OfficeId) -> Result<()> {
    may_manage_offices(permit)?;
    // Closing changes the row of the office, which whoever is entered or moved there holds.
    let working: i64 = tx.one(&IN_OFFICE, params![id])?.map_or(Ok(0), |row| row.get("counted"))?;
    if 0 < working {
        return Err(Refusal::not_now(
            "IDN-OFF-003",
            format!("单位里还有 {working} 个没有注销的账户"),
            format!("{working} accounts of the office are not closed"),
        )
        .but(
            "请先把他们调到别的单位，或注销账户",
            "Move them to another office or close their accounts first",
        )
        .into());
    }
    set_closed(tx, ctx, id, 1, "closed")
}

/// Opens a closed office again.
pub fn reopen_office(tx: &mut Tx<'_>, ctx: &Ctx, permit: &Permit, id: &OfficeId) -> Result<()> {
    may_manage_offices(permit)?;
    set_closed(tx, ctx, id, 0, "active")
}

fn set_closed(tx: &mut Tx<'_>, ctx: &Ctx, id: &OfficeId, closed: i64, outcome: &str) -> Result<()> {
    offices::find(tx, id)?.ok_or_else(no_office)?;
    let name = tx.name;
    if tx.run(&SET_CLOSED, params![id, closed, ctx.now, name])? == 0 {
        return Err(Refusal::conflict(
            "IDN-OFF-005",
            "这个单位已经是这个状态",
            "The office is in that state already",
        )
        .into());
    }
    audit::line(tx, ctx, "identity.office", id.as_str(), outcome)
}

/// Holds the office of somebody who is to work there; refuses one that is closed.
pub(crate) fn open_office(tx: &mut Tx<'_>, ctx: &Ctx, id: &OfficeId) -> Result<()> {
    if hold::open_office(tx, ctx, id)? {
        return Ok(());
    }
    Err(Refusal::invalid(
        "IDN-OFF-006",
        "没有这个单位，或它已撤销",
        "There is no such office, or it is closed",
    )
    .on("office")
    .into())
}

fn no_office() -> tb_base::Error {
    Refusal::gone("IDN-OFF-004", "没有这个单位", "There is no such office").into()
}

fn may_manage(permit: &Permit) -> Result<()> {
    if permit.action() == Action::ManageAccounts { Ok(()) } else { Err(roll::no_permit()) }
}

fn may_manage_offices(permit: &Permit) -> Result<()> {
    if permit.action() == Action::ManageOffices {
        return Ok(());
    }
    Err(Refusal::not_allowed("IDN-OFF-007", "没有管理单位的权限", "This needs the permit to manage offices")
        .into())
}

fn not_own(ctx: &Ctx, id: StaffId) -> Result<()> {
    if matches!(&ctx.actor, Actor::Staff { staff, .. } if *staff == id) {
        return Err(Refusal::not_allowed(
            "IDN-STF-003",
            "不能改自己的岗位、单位和密码代码",
            "Nobody changes the own role, office or code",
        )
        .but("请另一位系统管理员来做", "Let another administrator do it")
        .into());
    }
    Ok(())
}

/// Small letters, digits and a few signs: it is typed every morning, and it is no place for a name.
fn checked_login(login: &str) -> Result<String> {
    let login = login.trim().to_lowercase();
    let good =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "@.-_".contains(letter);
    let has_letter = login.chars().any(|letter| letter.is_ascii_lowercase());
    if login.len() < 3 || LOGIN_LETTERS_MAX < login.len() || !login.chars().all(good) || !has_letter {
        return Err(Refusal::invalid(
            "IDN-STF-009",
            format!("登录名用 3 到 {LOGIN_LETTERS_MAX} 个小写字母、数字或 @ . - _，至少一个字母"),
            format!("A sign-in name has 3 to {LOGIN_LETTERS_MAX} small letters, digits or @ . - _, one letter at least"),
        )
        .on("login")
        .into());
    }
    Ok(login)
}

/// The office that runs the node, for the first administrator of a city that has none.
pub fn operations_office(ctx: &Ctx) -> Result<Office> {
    Ok(Office {
        id: format!("{}-operations", ctx.node).parse()?,
        name_zh: "政务数据运行维护中心".to_owned(),
        name_en: "Operations Centre".to_owned(),
        kind: OfficeKind::Operations,
        division: ctx
            .node
            .as_str()
            .parse()
            .map_err(|_| Violation::inconsistent("identity_office", ctx.node))?,
    })
}
