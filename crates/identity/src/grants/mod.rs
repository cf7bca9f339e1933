//! Grants (授权): who acts for an enterprise, in what, from which day to which.
//! Serves clauses 1.1 and 4.2.
//!
//! Invariants: the registered representative gives, the agent uses, either ends it and both are told; a grant counts
//! on the days that it names and from the moment of its end on no more; whoever has none sees nothing of it.

use std::collections::BTreeSet;

use tb_base::{Ctx, Date, MessageId, PersonId, Refusal, ResidentId, Result, Timestamp, Uscc};
use tb_crypto::Vault;
use tb_store::{Row, Stmt, Tx, audit, params, stmt};

use crate::enterprises::{self, Enterprise};
use crate::people::{self, Person, PersonStatus};
use crate::permit::{Action, Permit, Scope};
use crate::words::words;
use crate::{PAGE_ROWS, hold, offset};

pub mod decide;
pub mod filed;
pub mod notices;
pub mod terms;

words! {
    /// What an agent may do for an enterprise (代办事项).
    Matter {
        /// Apply for it and follow its cases (申请与跟进办件).
        Cases = "cases",
        /// Read its licences (查看证照).
        Licences = "licences",
        /// Ask for what policies give it (申报惠企政策).
        Benefits = "benefits",
    }
}

impl Matter {
    /// Every matter.
    pub const ALL: [Matter; 3] = [Matter::Cases, Matter::Licences, Matter::Benefits];

    /// What it is called.
    pub const fn zh(self) -> &'static str {
        match self {
            Matter::Cases => "申请与跟进办件",
            Matter::Licences => "查看企业证照",
            Matter::Benefits => "申报惠企政策",
        }
    }

    /// The same in English.
    pub const fn en(self) -> &'static str {
        match self {
            Matter::Cases => "applying, and following cases",
            Matter::Licences => "reading its licences",
            Matter::Benefits => "asking for benefits of policies",
        }
    }
}

/// Which side ended a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The enterprise took it back (取消委托).
    Enterprise,
    /// The agent gave it up (辞去委托).
    Agent,
}

/// When a grant was ended, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: PersonId,
}

/// A grant (授权).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: MessageId,
    /// For which enterprise.
    pub enterprise: Uscc,
    /// Who acts.
    pub agent: PersonId,
    /// In what.
    pub matters: BTreeSet<Matter>,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// Who gave it.
    pub given_by: PersonId,
    /// When.
    pub given: Timestamp,
    /// When it was ended before its last day.
    pub ended: Option<Ended>,
}

/// Whether a grant counts on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// Its first day is still to come (待生效).
    Coming,
    /// It counts (有效).
    Holds,
    /// Its last day has passed (已到期).
    Expired,
    /// One side ended it (已结束).
    Ended,
}

impl Grant {
    /// Whether it counts on a day.
    pub fn force(&self, today: Date) -> Force {
        match self.ended {
            Some(_) => Force::Ended,
            None if today < self.from => Force::Coming,
            None if self.to < today => Force::Expired,
            None => Force::Holds,
        }
    }
}

/// In which capacity somebody acts for an enterprise (身份).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// By the register (法定代表人).
    Representative,
    /// By a grant (经办人).
    Agent(Grant),
}

/// What the representative types in.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// The id that the form was shown with: sending it twice gives one grant.
    pub id: MessageId,
    /// For which enterprise.
    pub enterprise: Uscc,
    /// The agent's number.
    pub number: ResidentId,
    /// The agent's name.
    pub name: String,
    /// In what.
    pub matters: BTreeSet<Matter>,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

/// A grant with the person who acts, for the enterprise's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The grant.
    pub grant: Grant,
    /// Who acts.
    pub agent: Person,
}

macro_rules! columns {
    () => {
        "
    SELECT id, enterprise, agent, matters, first_day, last_day, given_by, given, ended, ended_by
    FROM identity_grant"
    };
}

/// Inserts a grant; one that is there is left alone.
pub(crate) const INSERT: Stmt = stmt(
    "identity.grant.insert",
    "
    INSERT INTO identity_grant
        (id, enterprise, agent, matters, first_day, last_day, given_by, given, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $8, $9)
    ON CONFLICT (id) DO NOTHING
",
);

const FIND: Stmt = stmt("identity.grant.find", concat!(columns!(), " WHERE id = $1"));

/// Those that were not ended and whose last day has not passed.
const OPEN: Stmt = stmt(
    "identity.grant.open",
    concat!(
        columns!(),
        " WHERE enterprise = $1 AND ended IS NULL AND $2 <= last_day ORDER BY given, id LIMIT $3"
    ),
);

const OF_ENTERPRISE: Stmt = stmt(
    "identity.grant.of_enterprise",
    concat!(columns!(), " WHERE enterprise = $1 ORDER BY given DESC, id DESC LIMIT $2 OFFSET $3"),
);

const OF_ENTERPRISE_COUNT: Stmt = stmt(
    "identity.grant.of_enterprise_count",
    "SELECT COUNT(*) AS counted FROM identity_grant WHERE enterprise = $1",
);

const OF_AGENT: Stmt = stmt(
    "identity.grant.of_agent",
    concat!(columns!(), " WHERE agent = $1 ORDER BY given DESC, id DESC LIMIT $2"),
);

const BETWEEN: Stmt = stmt(
    "identity.grant.between",
    concat!(columns!(), " WHERE enterprise = $1 AND agent = $2 ORDER BY given DESC, id DESC LIMIT $3"),
);

const END: Stmt = stmt(
    "identity.grant.end",
    "
    UPDATE identity_grant
    SET ended = $2, ended_by = $3, version = version + 1, at = $2, tx = $4
    WHERE id = $1 AND ended IS NULL
",
);

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] =
    &[INSERT, FIND, OPEN, OF_ENTERPRISE, OF_ENTERPRISE_COUNT, OF_AGENT, BETWEEN, END];

/// More open grants than any limit of the data lets an enterprise have.
const OPEN_ROWS_MAX: i64 = 1_000;

/// Gives a grant; the same one given again is the one that is there.
///
/// The permit must be one for [`Action::GrantAgency`].
pub fn give(tx: &mut Tx<'_>, ctx: &Ctx, vault: &Vault, permit: &Permit, new: &NewGrant) -> Result<Grant> {
    let giver = holder(permit, Action::GrantAgency)?;
    // Held while its grants are looked at, so that two that cross do not both see none.
    let firm = hold::enterprise(tx, &new.enterprise)?.ok_or_else(no_grant)?;
    if let Some(given) = find(tx, new.id)? {
        return if given.given_by == giver { Ok(given) } else { Err(no_grant().into()) };
    }
    // Before anything is said about the person whose number was typed.
    decide::covers_giving(&firm, giver)?;
    let agent = agent(tx, vault, new)?;
    let today = ctx.now.date();
    let rows = tx.all(&OPEN, params![firm.uscc.to_string(), today, OPEN_ROWS_MAX])?;
    let known: Vec<Grant> = rows.iter().map(grant).collect::<Result<_>>()?;
    let wish = decide::Wish { agent, matters: new.matters.clone(), from: new.from, to: new.to };
    decide::give(&firm, &known, giver, &wish, &terms::Terms::shipped()?, today)?;
    let given = Grant {
        id: new.id,
        enterprise: firm.uscc,
        agent,
        matters: wish.matters,
        from: wish.from,
        to: wish.to,
        given_by: giver,
        given: ctx.now,
        ended: None,
    };
    let row = insert_row(tx.name, &given);
    tx.run(&INSERT, &row)?;
    notices::given(tx, ctx, vault, &firm, &given)?;
    audit::line(tx, ctx, "identity.grant", given.id.as_str(), "given")?;
    Ok(given)
}

/// Ends a grant for the side of whoever the permit is for; the other side is told, too.
///
/// The permit must be one for [`Action::ActForEnterprise`].
pub fn end(tx: &mut Tx<'_>, ctx: &Ctx, vault: &Vault, permit: &Permit, id: MessageId) -> Result<Grant> {
    let by = holder(permit, Action::ActForEnterprise)?;
    let (firm, grant, side) = ending(tx, permit, id, ctx.now.date())?;
    let name = tx.name;
    if tx.run(&END, params![id, ctx.now, by, name])? == 0 {
        // Somebody ended it between the reading and here: say so in the words of what is there now.
        let now = find(tx, id)?.ok_or_else(no_grant)?;
        decide::end(&firm, &now, by, ctx.now.date())?;
        return Err(no_grant().into());
    }
    let grant = Grant { ended: Some(Ended { at: ctx.now, by }), ..grant };
    notices::ended(tx, ctx, vault, &firm, &grant, side)?;
    audit::line(tx, ctx, "identity.grant", id.as_str(), "ended")?;
    Ok(grant)
}

/// What would be ended, and for which side; or why not.
pub fn ending(
    tx: &mut Tx<'_>,
    permit: &Permit,
    id: MessageId,
    today: Date,
) -> Result<(Enterprise, Grant, Side)> {
    let by = holder(permit, Action::ActForEnterprise)?;
    let grant = find(tx, id)?.ok_or_else(no_grant)?;
    let firm = enterprises::find(tx, &grant.enterprise)?.ok_or_else(no_grant)?;
    let side = decide::end(&firm, &grant, by, today)?;
    Ok((firm, grant, side))
}

/// In which capacity a person acts for an enterprise today, or why not.
pub fn standing(
    tx: &mut Tx<'_>,
    uscc: &Uscc,
    person: PersonId,
    today: Date,
) -> Result<(Enterprise, Standing)> {
    let Some(firm) = enterprises::find(tx, uscc)? else { return Err(decide::nothing().into()) };
    let hers = between(tx, uscc, person)?;
    let standing = decide::standing(&firm, &hers, person, today)?;
    Ok((firm, standing))
}

/// The same for one matter.
pub fn may_act(
    tx: &mut Tx<'_>,
    uscc: &Uscc,
    person: PersonId,
    matter: Matter,
    today: Date,
) -> Result<(Enterprise, Standing)> {
    let (firm, standing) = standing(tx, uscc, person, today)?;
    decide::covers(&standing, matter)?;
    Ok((firm, standing))
}

/// The enterprises for which a person acts today, those that she represents first.
pub fn firms_of(tx: &mut Tx<'_>, person: PersonId, today: Date) -> Result<Vec<(Enterprise, Standing)>> {
    let mut codes: Vec<Uscc> =
        enterprises::of_representative(tx, person)?.into_iter().map(|firm| firm.uscc).collect();
    for grant in of_agent(tx, person)? {
        if !codes.contains(&grant.enterprise) {
            codes.push(grant.enterprise);
        }
    }
    let mut firms = Vec::new();
    for uscc in codes {
        match standing(tx, &uscc, person, today) {
            Ok(found) => firms.push(found),
            Err(tb_base::Error::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(firms)
}

/// One page of the grants of an enterprise with the people who act, newest first, and how many there are.
pub fn of_enterprise(tx: &mut Tx<'_>, vault: &Vault, uscc: &Uscc, page: u32) -> Result<(Vec<Held>, i64)> {
    let code = uscc.to_string();
    let total = tx.one(&OF_ENTERPRISE_COUNT, params![&code])?.map_or(Ok(0), |row| row.get("counted"))?;
    let rows = tx.all(&OF_ENTERPRISE, params![&code, PAGE_ROWS, offset(page)])?;
    let grants: Vec<Grant> = rows.iter().map(grant).collect::<Result<_>>()?;
    Ok((held(tx, vault, grants)?, total))
}

/// The grants of an enterprise that hold or are to come, with the people who act.
pub fn open_of_enterprise(tx: &mut Tx<'_>, vault: &Vault, uscc: &Uscc, today: Date) -> Result<Vec<Held>> {
    let rows = tx.all(&OPEN, params![uscc.to_string(), today, OPEN_ROWS_MAX])?;
    let grants: Vec<Grant> = rows.iter().map(grant).collect::<Result<_>>()?;
    held(tx, vault, grants)
}

/// The grants that a person was given, newest first.
pub fn of_agent(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Grant>> {
    tx.all(&OF_AGENT, params![person, PAGE_ROWS])?.iter().map(grant).collect()
}

/// The grant of an id.
pub fn find(tx: &mut Tx<'_>, id: MessageId) -> Result<Option<Grant>> {
    tx.one(&FIND, params![id])?.map(|row| grant(&row)).transpose()
}

fn between(tx: &mut Tx<'_>, uscc: &Uscc, person: PersonId) -> Result<Vec<Grant>> {
    tx.all(&BETWEEN, params![uscc.to_string(), person, PAGE_ROWS])?.iter().map(grant).collect()
}

fn held(tx: &mut Tx<'_>, vault: &Vault, grants: Vec<Grant>) -> Result<Vec<Held>> {
    grants
        .into_iter()
        .map(|grant| {
            let agent = people::get(tx, vault, grant.agent)?;
            Ok(Held { grant, agent })
        })
        .collect()
}

/// The person who is meant: number and name must agree with this city's register.
fn agent(tx: &mut Tx<'_>, vault: &Vault, new: &NewGrant) -> Result<PersonId> {
    let found = people::by_number(tx, vault, &new.number)?;
    let meant = found.filter(|it| it.name == new.name.trim() && it.status == PersonStatus::Active);
    Ok(meant.map(|it| it.id).ok_or_else(|| {
        Refusal::invalid(
            "IDN-GRT-012",
            "本市登记里没有号码和姓名都相符的人",
            "Nobody in this city's register has this number and this name",
        )
        .on("number")
        .but(
            "核对身份证上的号码和姓名；经办人不在本市登记的，请双方带身份证到政务大厅窗口办理",
            "Compare with the card; an agent whom this city does not know comes to a window with the representative",
        )
    })?)
}

/// The person whom a permit for an action is about.
fn holder(permit: &Permit, action: Action) -> Result<PersonId> {
    match permit.scope() {
        Scope::Person(person) if permit.action() == action => Ok(*person),
        Scope::Person(_) | Scope::Office(_) | Scope::Node(_) => Err(Refusal::not_allowed(
            "IDN-GRT-017",
            "没有办理企业授权的权限",
            "This needs the permit to act for an enterprise",
        )
        .into()),
    }
}

/// A grant that is not there, or of others.
fn no_grant() -> Refusal {
    Refusal::gone("IDN-GRT-013", "没有这份授权，或者与您无关", "There is no such grant, or it is not yours")
        .but("从“我的企业”打开", "Open it from “My enterprise”")
}

/// The parameters of [`INSERT`].
pub(crate) fn insert_row(name: &'static str, grant: &Grant) -> Vec<tb_store::Value> {
    let matters: Vec<&str> = grant.matters.iter().map(|matter| matter.word()).collect();
    params![
        grant.id,
        grant.enterprise.to_string(),
        grant.agent,
        matters.join(","),
        grant.from,
        grant.to,
        grant.given_by,
        grant.given,
        name,
    ]
    .to_vec()
}

fn grant(row: &Row) -> Result<Grant> {
    let matters: String = row.get("matters")?;
    let ended = match (row.get::<Option<Timestamp>>("ended")?, row.parse_option("ended_by")?) {
        (Some(at), Some(by)) => Some(Ended { at, by }),
        (Some(_), None) | (None, Some(_) | None) => None,
    };
    Ok(Grant {
        id: row.parse("id")?,
        enterprise: row.parse("enterprise")?,
        agent: row.parse("agent")?,
        matters: matters.split(',').filter_map(|word| word.parse().ok()).collect(),
        from: row.parse("first_day")?,
        to: row.parse("last_day")?,
        given_by: row.parse("given_by")?,
        given: row.get("given")?,
        ended,
    })
}
