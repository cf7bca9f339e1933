//! Leave (请假): days on which a member of staff does not act, and who of the same office and role does the work.
//!
//! Cases and drafts lie with an office, never with one person, so nothing has to be moved: the substitute sees them
//! already. Invariants: whoever is away cannot sign in and has no session; a substitute has the same office and role,
//! and neither is away nor leaves somebody uncovered on those days.

use std::str::FromStr;

use tb_base::{Ctx, Date, MessageId, Refusal, Result, StaffId, Timestamp};
use tb_crypto::Vault;
use tb_store::{Row, Stmt, Tx, audit, params, stmt};

use crate::accounts::roll;
use crate::accounts::{AccountState, sessions};
use crate::hold;
use crate::permit::{Action, Permit};

/// The longest leave that is entered at once.
pub const DAYS_MAX: i64 = 366;
/// Leaves of one person that a page shows.
pub const LEAVES_MAX: i64 = 50;
/// The code of the refusal, which is the outcome in the audit line too.
pub(crate) const ON_LEAVE: &str = "IDN-LEV-001";

/// A leave (请假).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leave {
    /// Its id.
    pub id: MessageId,
    /// Who is away.
    pub staff: StaffId,
    /// Who does the work.
    pub substitute: StaffId,
    /// The first day.
    pub first_day: Date,
    /// The last day.
    pub last_day: Date,
    /// When it was ended before its last day.
    pub ended: Option<Timestamp>,
}

impl Leave {
    /// Whether it can still be ended: it stands and its last day has not passed.
    pub fn is_open(&self, today: Date) -> bool {
        self.ended.is_none() && today <= self.last_day
    }

    /// Whether it holds on that day.
    pub fn holds(&self, today: Date) -> bool {
        self.is_open(today) && self.first_day <= today
    }
}

const INSERT: Stmt = stmt(
    "identity.leave.insert",
    "
    INSERT INTO identity_leave (id, staff, substitute, first_day, last_day, ended, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, NULL, 1, $6, $7)
",
);

const AWAY: Stmt = stmt(
    "identity.leave.away",
    "
    SELECT id, staff, substitute, first_day, last_day, ended
    FROM identity_leave
    WHERE staff = $1 AND ended IS NULL AND first_day <= $2 AND $2 <= last_day
    ORDER BY last_day DESC
    LIMIT 1
",
);

const OF_STAFF: Stmt = stmt(
    "identity.leave.of_staff",
    "
    SELECT id, staff, substitute, first_day, last_day, ended
    FROM identity_leave
    WHERE staff = $1 OR substitute = $1
    ORDER BY first_day DESC, id DESC
    LIMIT $2
",
);

/// Leaves that meet the days and in which one of the two is away, or this member is the substitute.
const MEETING: Stmt = stmt(
    "identity.leave.meeting",
    "
    SELECT id, staff, substitute, first_day, last_day, ended
    FROM identity_leave
    WHERE ended IS NULL AND first_day <= $4 AND $3 <= last_day
        AND (staff = $1 OR staff = $2 OR substitute = $1)
    LIMIT 1
",
);

/// A leave that is not over, in which this member stands in.
const STANDING_IN: Stmt = stmt(
    "identity.leave.standing_in",
    "
    SELECT id, staff, substitute, first_day, last_day, ended
    FROM identity_leave
    WHERE substitute = $1 AND ended IS NULL AND $2 <= last_day
    ORDER BY first_day
    LIMIT 1
",
);

const END_TODAY: Stmt = stmt(
    "identity.leave.end_today",
    "
    UPDATE identity_leave
    SET ended = $2, version = version + 1, at = $2, tx = $3
    WHERE staff = $1 AND ended IS NULL AND first_day <= $4 AND $4 <= last_day
",
);

const END: Stmt = stmt(
    "identity.leave.end",
    "
    UPDATE identity_leave
    SET ended = $2, version = version + 1, at = $2, tx = $3
    WHERE id = $1 AND ended IS NULL AND $4 <= last_day
    RETURNING staff
",
);

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[INSERT, AWAY, OF_STAFF, MEETING, STANDING_IN, END_TODAY, END];

/// Enters a leave; from its first day on the account does not act.
pub fn take(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    permit: &Permit,
    (staff, substitute): (StaffId, StaffId),
    (first_day, last_day): (Date, Date),
) -> Result<MessageId> {
    check_days(ctx, first_day, last_day)?;
    // Both are held while their leaves are looked at, so that two administrators do not cross.
    hold::staff(tx, ctx, &[staff, substitute])?;
    let one = roll::find(tx, vault, permit, staff)?.ok_or_else(nobody)?;
    let other = roll::find(tx, vault, permit, substitute)?.ok_or_else(nobody)?;
    let equal = one.staff.office == other.staff.office && one.staff.role == other.staff.role;
    let is_usable = other.state == Some(AccountState::Active) && other.has_password;
    if staff == substitute || !equal || !is_usable {
        return Err(Refusal::invalid(
            "IDN-LEV-002",
            "代办人须是同一单位、同一岗位、账户正常的另一个人",
            "A substitute is somebody else of the same office and role whose account is in use",
        )
        .on("substitute")
        .into());
    }
    if let Some(row) = tx.one(&MEETING, params![staff, substitute, first_day, last_day])? {
        return Err(crossing(&leave(&row)?).into());
    }
    let id = ctx.id(MessageId::new);
    let name = tx.name;
    tx.run(&INSERT, params![id, staff, substitute, first_day, last_day, ctx.now, name])?;
    if first_day <= ctx.now.date() {
        sessions::kill_all(tx, staff.as_str())?;
    }
    audit::line(tx, ctx, "identity.leave", staff.as_str(), "begun")?;
    Ok(id)
}

/// Ends a leave before its last day, or calls it off.
pub fn end(tx: &mut Tx<'_>, ctx: &Ctx, permit: &Permit, id: MessageId) -> Result<()> {
    may_manage(permit)?;
    let name = tx.name;
    let Some(row) = tx.one(&END, params![id, ctx.now, name, ctx.now.date()])? else {
        return Err(Refusal::conflict("IDN-LEV-005", "这次请假已经结束", "This leave is over already").into());
    };
    audit::line(tx, ctx, "identity.leave", &row.get::<String>("staff")?, "ended")
}

/// Ends what keeps a member away today: for the command on the machine, which is its own permit.
pub(crate) fn end_today(tx: &mut Tx<'_>, ctx: &Ctx, staff: StaffId) -> Result<()> {
    let name = tx.name;
    if tx.run(&END_TODAY, params![staff, ctx.now, name, ctx.now.date()])? == 0 {
        return Ok(());
    }
    audit::line(tx, ctx, "identity.leave", staff.as_str(), "ended")
}

/// Refuses while a member stands in for somebody who is away or will be: nobody would do the work.
pub(crate) fn stands_in_for_nobody(tx: &mut Tx<'_>, staff: StaffId, today: Date) -> Result<()> {
    let Some(row) = tx.one(&STANDING_IN, params![staff, today])? else { return Ok(()) };
    let leave = leave(&row)?;
    Err(Refusal::not_now(
        "IDN-LEV-007",
        format!("这个人正在为别人代办（{} 至 {}），不能锁定或注销", leave.first_day, leave.last_day),
        format!(
            "This member stands in for somebody from {} to {}; the account is not locked or closed",
            leave.first_day, leave.last_day
        ),
    )
    .but("请先结束那次请假，或另定代办人", "End that leave first, or name another substitute")
    .into())
}

/// The leave that holds for a member on a day.
pub fn away(tx: &mut Tx<'_>, staff: StaffId, today: Date) -> Result<Option<Leave>> {
    tx.one(&AWAY, params![staff, today])?.map(|row| leave(&row)).transpose()
}

/// The last day of the leave that holds for an account; nothing for a person's account.
pub(crate) fn away_account(tx: &mut Tx<'_>, account: &str, today: Date) -> Result<Option<Date>> {
    let Ok(staff) = StaffId::from_str(account) else { return Ok(None) };
    Ok(away(tx, staff, today)?.map(|leave| leave.last_day))
}

/// The leaves in which a member is away or stands in, the latest first.
pub fn of_staff(tx: &mut Tx<'_>, permit: &Permit, staff: StaffId) -> Result<Vec<Leave>> {
    may_manage(permit)?;
    tx.all(&OF_STAFF, params![staff, LEAVES_MAX])?.iter().map(leave).collect()
}

/// What whoever is away is told at the door.
pub(crate) fn on_leave(last_day: Date) -> Refusal {
    Refusal::not_now(
        ON_LEAVE,
        format!("您在休假中（到 {last_day} 为止），期间由代办人办理，不能登录"),
        format!("You are on leave until {last_day}; a substitute does the work and you cannot sign in"),
    )
    .but("提前回岗的，请本市系统管理员结束请假", "Back early: let this city's administrator end the leave")
}

fn may_manage(permit: &Permit) -> Result<()> {
    if permit.action() == Action::ManageAccounts { Ok(()) } else { Err(roll::no_permit()) }
}

fn check_days(ctx: &Ctx, first_day: Date, last_day: Date) -> Result<()> {
    let days = first_day.duration_until(last_day).as_hours() / 24;
    if last_day < first_day || last_day < ctx.now.date() || DAYS_MAX <= days {
        return Err(Refusal::invalid(
            "IDN-LEV-003",
            format!("最后一天不能早于第一天和今天，一次最长 {DAYS_MAX} 天"),
            format!("The last day is not before the first or today, and a leave has at most {DAYS_MAX} days"),
        )
        .on("last_day")
        .into());
    }
    Ok(())
}

fn crossing(held: &Leave) -> Refusal {
    Refusal::conflict(
        "IDN-LEV-004",
        format!("这些天与另一次请假（{} 至 {}）相冲突", held.first_day, held.last_day),
        format!("These days cross another leave, {} to {}", held.first_day, held.last_day),
    )
    .on("first_day")
    .but("两个人不能同时离岗又互相代办；请换日期或换代办人", "Choose other days or another substitute")
}

fn nobody() -> tb_base::Error {
    Refusal::gone("IDN-LEV-006", "没有这个工作人员", "There is no such member of staff").into()
}

fn leave(row: &Row) -> Result<Leave> {
    Ok(Leave {
        id: row.parse("id")?,
        staff: row.parse("staff")?,
        substitute: row.parse("substitute")?,
        first_day: row.parse("first_day")?,
        last_day: row.parse("last_day")?,
        ended: row.get("ended")?,
    })
}
