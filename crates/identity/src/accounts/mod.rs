//! Accounts (账号): one per person and city, one per member of staff.
//! Serves clause 1.1.
//!
//! Invariants: the account's id is the person's or the staff's; a sign-in name is found by a keyed tag only;
//! what a stranger is told never depends on whether an account exists.

pub mod codes;
pub mod door;
pub mod first;
pub mod limits;
pub mod passwords;
pub mod phone;
pub mod roll;
pub mod sessions;

use tb_base::{Actor, Ctx, OfficeId, PersonId, Refusal, Result, Role, StaffId, Timestamp, Violation};
use tb_crypto::Vault;
use tb_store::{Row, Stmt, Tx, Value, audit, params, stmt};

use crate::offices::{self, Office};
use crate::people::{self, Person};
use crate::permit::{Action, Permit};
use crate::sms;
use crate::staff::{self, Staff};
use crate::words::words;

pub use door::{Credentials, Door, SignedIn};
pub use limits::Source;
pub use passwords::Passwords;
pub use sessions::{Session, session, sign_out, touch};

/// The level that a check of the card at a window gives.
const LEVEL_AT_COUNTER: u8 = 3;

words! {
    /// Whether the account can be used (账号状态).
    AccountState {
        /// It can be used (正常).
        Active = "active",
        /// An administrator or the person stopped it (冻结).
        Frozen = "frozen",
        /// Its holder left for good; it can be opened again (注销).
        Closed = "closed",
    }
}

/// An account of somebody who may sign in (账号).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The person's or the staff's id.
    pub id: String,
    /// The sign-in name as it may be shown: staff name in full, resident number masked.
    pub login: String,
    /// Name of the person.
    pub name: String,
    /// Who acts with this account.
    pub actor: Actor,
    /// The office, where the account is staff's.
    pub office: Option<Office>,
    /// Whether it can be used.
    pub state: AccountState,
}

impl Account {
    /// The role of the account.
    pub fn role(&self) -> Role {
        self.actor.role().unwrap_or(Role::Resident)
    }
}

const FIND: Stmt = stmt(
    "identity.account.find",
    "
    SELECT id, hash, person, staff, level, state
    FROM identity_account
    WHERE id = $1
",
);

const BY_LOGIN: Stmt = stmt(
    "identity.account.by_login",
    "
    SELECT id, hash, person, staff, level, state
    FROM identity_account
    WHERE login_tag = $1 OR alias_tag = $1
",
);

/// Inserts an account; a known id or sign-in name is left alone.
pub(crate) const INSERT: Stmt = stmt(
    "identity.account.insert",
    "
    INSERT INTO identity_account
        (id, login_tag, alias_tag, hash, person, staff, level, state, has_password, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'active', $10, 1, $8, $9)
    ON CONFLICT DO NOTHING
",
);

const SET_HASH: Stmt = stmt(
    "identity.account.set_hash",
    "
    UPDATE identity_account
    SET hash = $2, has_password = $5, version = version + 1, at = $3, tx = $4
    WHERE id = $1
",
);

const SET_STATE: Stmt = stmt(
    "identity.account.set_state",
    "
    UPDATE identity_account
    SET state = $2, version = version + 1, at = $3, tx = $4
    WHERE id = $1
",
);

const SET_LEVEL: Stmt = stmt(
    "identity.account.set_level",
    "
    UPDATE identity_account
    SET level = $2, version = version + 1, at = $3, tx = $4
    WHERE id = $1
",
);

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[FIND, BY_LOGIN, INSERT, SET_HASH, SET_STATE, SET_LEVEL];

/// The row of an account, before person, staff and office are read.
pub(crate) struct Stored {
    pub(crate) id: String,
    pub(crate) hash: String,
    owner: Owner,
    level: u8,
    state: AccountState,
}

enum Owner {
    Person(PersonId),
    Staff(StaffId),
}

/// Who an account is made for, before it is stored.
pub struct NewAccount {
    /// The person's or the staff's id.
    pub(crate) id: String,
    login: String,
    alias: Option<String>,
    person: Option<PersonId>,
    staff: Option<StaffId>,
    level: u8,
    password: Password,
}

/// Whether somebody knows the password of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Password {
    /// Its holder does.
    Set,
    /// Nobody: a one-time code waits for its first one.
    Awaited,
}

impl Password {
    fn column(self) -> i64 {
        i64::from(self == Password::Set)
    }
}

impl NewAccount {
    /// An account for a person of the register; signs in by resident number.
    pub fn of_person(person: &Person, level: u8) -> NewAccount {
        NewAccount {
            id: person.id.to_string(),
            login: person.number.to_string(),
            alias: None,
            person: Some(person.id),
            staff: None,
            level,
            password: Password::Set,
        }
    }

    /// An account for a member of staff.
    pub fn of_staff(staff: &Staff) -> NewAccount {
        NewAccount {
            id: staff.id.to_string(),
            login: staff.login.clone(),
            alias: None,
            person: None,
            staff: Some(staff.id),
            level: 0,
            password: Password::Set,
        }
    }

    /// A second sign-in name.
    #[must_use]
    pub fn alias(mut self, alias: &str) -> NewAccount {
        self.alias = Some(alias.to_owned());
        self
    }

    /// Nobody knows its password yet.
    #[must_use]
    pub(crate) fn awaiting(mut self) -> NewAccount {
        self.password = Password::Awaited;
        self
    }

    /// The parameters of [`INSERT`].
    pub(crate) fn row(&self, name: &'static str, ctx: &Ctx, vault: &Vault, hash: &str) -> Vec<Value> {
        params![
            &self.id,
            login_tag(vault, &self.login),
            self.alias.as_deref().map(|alias| login_tag(vault, alias)),
            hash,
            self.person,
            self.staff,
            self.level,
            ctx.now,
            name,
            self.password.column(),
        ]
        .to_vec()
    }
}

/// Stores an account. One for each person and city: a sign-in name or a person that has one is a conflict.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, vault: &Vault, account: &NewAccount, hash: &str) -> Result<()> {
    let row = account.row(tx.name, ctx, vault, hash);
    if tx.run(&INSERT, &row)? == 0 {
        return Err(
            Refusal::conflict("IDN-ACC-001", "该人员已有账号", "This person has an account already").into()
        );
    }
    audit::line(tx, ctx, "identity.account.create", &account.id, "done")
}

/// The account of an id.
pub fn find(tx: &mut Tx<'_>, vault: &Vault, id: &str) -> Result<Option<Account>> {
    let Some(row) = tx.one(&FIND, params![id])? else { return Ok(None) };
    account(tx, vault, &stored(&row)?).map(Some)
}

/// The account of a sign-in name or its alias, for the demo's one-click sign-in and for administrators.
pub fn by_login(tx: &mut Tx<'_>, vault: &Vault, login: &str) -> Result<Option<Account>> {
    let Some(stored) = stored_by_login(tx, vault, login)? else { return Ok(None) };
    account(tx, vault, &stored).map(Some)
}

/// Stops an account or lets it be used again; stopping kills its sessions.
pub fn set_state(tx: &mut Tx<'_>, ctx: &Ctx, id: &str, state: AccountState) -> Result<()> {
    change_state(tx, ctx, id, state)?;
    audit::line(tx, ctx, "identity.account.state", id, state.word())
}

/// Writes the state; the caller writes the audit line.
fn change_state(tx: &mut Tx<'_>, ctx: &Ctx, id: &str, state: AccountState) -> Result<()> {
    let name = tx.name;
    if tx.run(&SET_STATE, params![id, state.word(), ctx.now, name])? == 0 {
        return Err(gone());
    }
    match state {
        AccountState::Frozen | AccountState::Closed => sessions::kill_all(tx, id),
        AccountState::Active => Ok(()),
    }
}

/// Sets the assurance level (实名等级) after a check at the counter or a downgrade.
pub fn set_level(tx: &mut Tx<'_>, ctx: &Ctx, id: &str, level: u8) -> Result<()> {
    let name = tx.name;
    if tx.run(&SET_LEVEL, params![id, level, ctx.now, name])? == 0 {
        return Err(gone());
    }
    audit::line(tx, ctx, "identity.account.level", id, "done")
}

/// Notes that an officer saw the person and her card (窗口核验): level 3, and the phone that she named.
///
/// The permit must be one for [`Action::CheckIdentity`]. A phone that is replaced gets a message.
/// A person without an account only gets the phone.
pub fn check_at_counter(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    permit: &Permit,
    person: PersonId,
    phone: Option<String>,
) -> Result<()> {
    if permit.action() != Action::CheckIdentity {
        return Err(Refusal::not_allowed(
            "IDN-ACC-003",
            "没有窗口核验身份的权限",
            "This needs the permit to check identity at a window",
        )
        .into());
    }
    let mut known = people::get(tx, vault, person)?;
    if phone.is_some() && known.phone != phone {
        let before = std::mem::replace(&mut known.phone, phone);
        people::update(tx, ctx, vault, &known)?;
        if let Some(before) = before {
            // Whoever holds the phone can set the password: the old one hears of it, so that no officer changes it alone.
            let text = "【通办】您登记的手机号刚在政务大厅窗口改为新号码。如非本人办理，请立即拨打 12345。";
            sms::send(tx, ctx, vault, &before, "phone", text)?;
        }
    }
    if stored_by_id(tx, person.as_str())?.is_some() {
        set_level(tx, ctx, person.as_str(), LEVEL_AT_COUNTER)?;
    }
    audit::line(tx, ctx, "identity.check", person.as_str(), "done")
}

/// Drops what has ended: sessions, one-time codes and counted attempts. Gives how many rows.
pub fn purge(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64> {
    Ok(sessions::purge(tx, now)? + codes::purge(tx, now)? + limits::purge(tx, now)?)
}

/// Sets a new password hash and kills every session of the account.
pub(crate) fn set_hash(tx: &mut Tx<'_>, ctx: &Ctx, id: &str, hash: &str) -> Result<()> {
    put_hash(tx, ctx, id, hash, Password::Set)
}

/// Takes the password away until a one-time code sets another, and kills every session of the account.
pub(crate) fn take_password(tx: &mut Tx<'_>, ctx: &Ctx, id: &str, hash_of_nobody: &str) -> Result<()> {
    put_hash(tx, ctx, id, hash_of_nobody, Password::Awaited)
}

fn put_hash(tx: &mut Tx<'_>, ctx: &Ctx, id: &str, hash: &str, password: Password) -> Result<()> {
    let name = tx.name;
    if tx.run(&SET_HASH, params![id, hash, ctx.now, name, password.column()])? == 0 {
        return Err(gone());
    }
    sessions::kill_all(tx, id)
}

pub(crate) fn stored_by_login(tx: &mut Tx<'_>, vault: &Vault, login: &str) -> Result<Option<Stored>> {
    tx.one(&BY_LOGIN, params![login_tag(vault, login)])?.map(|row| stored(&row)).transpose()
}

pub(crate) fn stored_by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<Stored>> {
    tx.one(&FIND, params![id])?.map(|row| stored(&row)).transpose()
}

/// The phone to which one-time codes of this account go.
pub(crate) fn phone(tx: &mut Tx<'_>, vault: &Vault, stored: &Stored) -> Result<Option<String>> {
    Ok(match stored.owner {
        Owner::Person(id) => people::get(tx, vault, id)?.phone,
        Owner::Staff(id) => staff::find(tx, vault, id)?.and_then(|staff| staff.phone),
    })
}

/// Reads the person or the staff, and the office, that belong to a row.
pub(crate) fn account(tx: &mut Tx<'_>, vault: &Vault, stored: &Stored) -> Result<Account> {
    match stored.owner {
        Owner::Person(id) => {
            let person = people::get(tx, vault, id)?;
            Ok(Account {
                id: stored.id.clone(),
                login: person.number.masked(),
                name: person.name,
                actor: Actor::Resident { person: id, level: stored.level },
                office: None,
                state: stored.state,
            })
        }
        Owner::Staff(id) => staff_account(tx, vault, stored, id),
    }
}

fn staff_account(tx: &mut Tx<'_>, vault: &Vault, stored: &Stored, id: StaffId) -> Result<Account> {
    let staff = staff::find(tx, vault, id)?.ok_or_else(|| Violation::inconsistent("identity_staff", id))?;
    let office: OfficeId = staff.office;
    let known =
        offices::find(tx, &office)?.ok_or_else(|| Violation::inconsistent("identity_office", &office))?;
    Ok(Account {
        id: stored.id.clone(),
        login: staff.login,
        name: staff.name,
        actor: Actor::Staff { staff: id, role: staff.role, office },
        office: Some(known),
        state: stored.state,
    })
}

impl Stored {
    /// Whether the account can be used.
    pub(crate) fn is_active(&self) -> bool {
        self.state == AccountState::Active
    }
}

fn stored(row: &Row) -> Result<Stored> {
    let id: String = row.get("id")?;
    let owner = match (row.parse_option("person")?, row.parse_option("staff")?) {
        (Some(person), None) => Owner::Person(person),
        (None, Some(staff)) => Owner::Staff(staff),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Violation::inconsistent("identity_account", id).into());
        }
    };
    Ok(Stored { hash: row.get("hash")?, owner, level: row.get("level")?, state: row.parse("state")?, id })
}

/// Sign-in names are compared without regard to case and outer spaces.
pub(crate) fn login_tag(vault: &Vault, login: &str) -> [u8; 32] {
    vault.tag("login", &login.trim().to_lowercase())
}

/// The refusal of an account that is not there.
pub(crate) fn gone() -> tb_base::Error {
    Refusal::gone("IDN-ACC-002", "没有这个账号", "There is no such account").into()
}
