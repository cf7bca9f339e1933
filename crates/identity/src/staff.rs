//! Members of staff (工作人员): one office, one role, one sign-in name.

use serde::{Deserialize, Serialize};
use tb_base::{Ctx, OfficeId, Refusal, Result, Role, StaffId, Violation};
use tb_crypto::Vault;
use tb_store::{Row, Stmt, Tx, Value, params, stmt};

use crate::{PAGE_ROWS, offset, secret};

/// A member of staff (工作人员).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// The id; also the account's.
    pub id: StaffId,
    /// The sign-in name, such as `window1@430100`.
    pub login: String,
    /// The office.
    pub office: OfficeId,
    /// The one role.
    pub role: Role,
    /// Name (姓名).
    pub name: String,
    /// Mobile phone, for one-time codes.
    pub phone: Option<String>,
    /// Number on the badge (工号).
    pub badge: String,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    name: String,
    phone: Option<String>,
    badge: String,
}

const FIND: Stmt = stmt(
    "identity.staff.find",
    "
    SELECT id, login, office, role, sealed
    FROM identity_staff
    WHERE id = $1
",
);

const PAGE: Stmt = stmt(
    "identity.staff.page",
    "
    SELECT id, login, office, role, sealed
    FROM identity_staff
    ORDER BY login
    LIMIT $1 OFFSET $2
",
);

/// Inserts a member of staff; a known sign-in name is left alone.
pub(crate) const INSERT: Stmt = stmt(
    "identity.staff.insert",
    "
    INSERT INTO identity_staff (id, login, office, role, sealed, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, 1, $6, $7)
    ON CONFLICT (login) DO NOTHING
",
);

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[FIND, PAGE, INSERT];

/// The member of staff of an id.
pub fn find(tx: &mut Tx<'_>, vault: &Vault, id: StaffId) -> Result<Option<Staff>> {
    tx.one(&FIND, params![id])?.map(|row| read(&row, vault)).transpose()
}

/// One page of the city's staff, by sign-in name.
pub fn page(tx: &mut Tx<'_>, vault: &Vault, page: u32) -> Result<Vec<Staff>> {
    tx.all(&PAGE, params![PAGE_ROWS, offset(page)])?.iter().map(|row| read(row, vault)).collect()
}

/// Enters a member of staff; a sign-in name that is taken is a conflict.
pub fn add(tx: &mut Tx<'_>, ctx: &Ctx, vault: &Vault, staff: &Staff) -> Result<()> {
    if staff.role == Role::Resident {
        return Err(Refusal::invalid(
            "IDN-STF-002",
            "工作人员不能使用办事人角色",
            "A member of staff cannot have the role of a resident",
        )
        .on("role")
        .into());
    }
    let row = insert_row(tx.name, ctx, vault, staff)?;
    if tx.run(&INSERT, &row)? == 0 {
        return Err(Refusal::conflict("IDN-STF-001", "该登录名已被使用", "This sign-in name is taken")
            .on("login")
            .into());
    }
    Ok(())
}

/// The parameters of [`INSERT`].
pub(crate) fn insert_row(name: &'static str, ctx: &Ctx, vault: &Vault, staff: &Staff) -> Result<Vec<Value>> {
    let sealed = Sealed { name: staff.name.clone(), phone: staff.phone.clone(), badge: staff.badge.clone() };
    Ok(params![
        staff.id,
        &staff.login,
        &staff.office,
        role_word(staff.role),
        secret::seal(ctx, vault, "identity_staff", staff.id.as_str(), &sealed)?,
        ctx.now,
        name,
    ]
    .to_vec())
}

/// The word by which a role is stored and written in messages.
pub const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Resident => "resident",
        Role::Window => "window",
        Role::Reviewer => "reviewer",
        Role::Approver => "approver",
        Role::Inspector => "inspector",
        Role::Bureau => "bureau",
        Role::Supervisor => "supervisor",
        Role::Auditor => "auditor",
        Role::Administrator => "administrator",
    }
}

/// The role of a word.
pub fn role_of(word: &str) -> Option<Role> {
    crate::permit::ROLES.iter().copied().find(|role| role_word(*role) == word)
}

pub(crate) fn read(row: &Row, vault: &Vault) -> Result<Staff> {
    let id: StaffId = row.parse("id")?;
    let sealed: Sealed = secret::open(vault, "identity_staff", id.as_str(), &row.get::<Vec<u8>>("sealed")?)?;
    let role: String = row.get("role")?;
    Ok(Staff {
        id,
        login: row.get("login")?,
        office: row.parse("office")?,
        role: role_of(&role).ok_or_else(|| Violation::inconsistent("identity_staff", id))?,
        name: sealed.name,
        phone: sealed.phone,
        badge: sealed.badge,
    })
}
