//! What was begun for an enterprise (企业办件): by whom, which item, when.

use tb_base::{CaseId, Ctx, PersonId, Result, Timestamp, Uscc};
use tb_store::{Row, Stmt, Tx, params, stmt};

/// Rows of one page.
pub const FILED_ROWS: i64 = 20;
/// Rows of a list that is taken away as a file.
pub const FILED_FILE_ROWS_MAX: i64 = 1_000;

/// Something begun for an enterprise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// The case, or the draft that becomes it.
    pub case: CaseId,
    /// For which enterprise.
    pub enterprise: Uscc,
    /// Who began it.
    pub person: PersonId,
    /// The item.
    pub item: u16,
    /// When.
    pub at: Timestamp,
}

/// What a list is narrowed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Narrowed {
    /// Only what this person began.
    pub person: Option<PersonId>,
    /// Only this item.
    pub item: Option<u16>,
}

const INSERT: Stmt = stmt(
    "identity.filed.insert",
    "
    INSERT INTO identity_filed (case_id, enterprise, person, item, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (case_id) DO NOTHING
",
);

const DELETE: Stmt = stmt("identity.filed.delete", "DELETE FROM identity_filed WHERE case_id = $1");

const FIND: Stmt = stmt(
    "identity.filed.find",
    "
    SELECT case_id, enterprise, person, item, at
    FROM identity_filed
    WHERE case_id = $1
",
);

macro_rules! narrowed {
    () => {
        "
    FROM identity_filed
    WHERE enterprise = $1 AND (CAST($2 AS TEXT) = '' OR person = $2) AND (CAST($3 AS BIGINT) = 0 OR item = $3)"
    };
}

const OF_ENTERPRISE: Stmt = stmt(
    "identity.filed.of_enterprise",
    concat!(
        "SELECT case_id, enterprise, person, item, at",
        narrowed!(),
        " ORDER BY at DESC, case_id DESC LIMIT $4 OFFSET $5"
    ),
);

const COUNT: Stmt = stmt("identity.filed.count", concat!("SELECT COUNT(*) AS counted", narrowed!()));

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[INSERT, DELETE, FIND, OF_ENTERPRISE, COUNT];

/// Notes that somebody began this for an enterprise; who calls this has asked [`super::may_act`].
pub fn begin(tx: &mut Tx<'_>, ctx: &Ctx, filed: &Filed) -> Result<()> {
    let name = tx.name;
    let row =
        params![filed.case, filed.enterprise.to_string(), filed.person, i64::from(filed.item), ctx.now, name];
    tx.run(&INSERT, row).map(drop)
}

/// Forgets a draft that was thrown away.
pub fn discard(tx: &mut Tx<'_>, case: CaseId) -> Result<()> {
    tx.run(&DELETE, params![case]).map(drop)
}

/// For which enterprise something was begun, if for one.
pub fn of(tx: &mut Tx<'_>, case: CaseId) -> Result<Option<Filed>> {
    tx.one(&FIND, params![case])?.map(|row| filed(&row)).transpose()
}

/// What was begun for an enterprise, newest first, `rows` from `offset` on, and how much there is in all.
pub fn of_enterprise(
    tx: &mut Tx<'_>,
    uscc: &Uscc,
    narrowed: Narrowed,
    (rows, offset): (i64, i64),
) -> Result<(Vec<Filed>, i64)> {
    let person = narrowed.person.map_or_else(String::new, |person| person.to_string());
    let mut values = params![uscc.to_string(), person, i64::from(narrowed.item.unwrap_or(0))].to_vec();
    let total = tx.one(&COUNT, &values)?.map_or(Ok(0), |row| row.get("counted"))?;
    values.extend_from_slice(params![rows, offset]);
    let found = tx.all(&OF_ENTERPRISE, &values)?.iter().map(filed).collect::<Result<_>>()?;
    Ok((found, total))
}

fn filed(row: &Row) -> Result<Filed> {
    let item: u32 = row.get("item")?;
    Ok(Filed {
        case: row.parse("case_id")?,
        enterprise: row.parse("enterprise")?,
        person: row.parse("person")?,
        item: u16::try_from(item).unwrap_or_default(),
        at: row.get("at")?,
    })
}
