//! The register of enterprises that this city keeps (法人库).
//! Serves clauses 1.1 and 4.2.

use tb_base::{Ctx, DivisionCode, PersonId, Refusal, Result, Timestamp, Uscc};
use tb_store::{Row, Stmt, Tx, Value, params, stmt};

use crate::words::words;
use crate::{PAGE_ROWS, offset};

words! {
    /// Whether the enterprise can act (登记状态).
    EnterpriseStatus {
        /// In operation (存续).
        Active = "active",
        /// On the list of abnormal operations (经营异常).
        Abnormal = "abnormal",
        /// Licence revoked as a penalty (吊销).
        Revoked = "revoked",
        /// Deregistered (注销).
        Closed = "closed",
    }
}

/// An enterprise (企业法人). What stands here is public by law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enterprise {
    /// Unified social credit code (统一社会信用代码).
    pub uscc: Uscc,
    /// Name (名称).
    pub name: String,
    /// Legal representative (法定代表人), where this city's register knows the person.
    pub representative: Option<PersonId>,
    /// County-level division (区划).
    pub division: DivisionCode,
    /// Registered address (住所).
    pub address: String,
    /// Whether it can act.
    pub status: EnterpriseStatus,
}

const FIND: Stmt = stmt(
    "identity.enterprise.find",
    "
    SELECT uscc, name, representative, division, address, status
    FROM identity_enterprise
    WHERE uscc = $1
",
);

const OF_REPRESENTATIVE: Stmt = stmt(
    "identity.enterprise.of_representative",
    "
    SELECT uscc, name, representative, division, address, status
    FROM identity_enterprise
    WHERE representative = $1
    ORDER BY uscc
    LIMIT $2
",
);

const PAGE: Stmt = stmt(
    "identity.enterprise.page",
    "
    SELECT uscc, name, representative, division, address, status
    FROM identity_enterprise
    ORDER BY uscc
    LIMIT $1 OFFSET $2
",
);

/// Inserts an enterprise; a known code is left alone.
pub(crate) const INSERT: Stmt = stmt(
    "identity.enterprise.insert",
    "
    INSERT INTO identity_enterprise
        (uscc, name, representative, division, address, status, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8)
    ON CONFLICT (uscc) DO NOTHING
",
);

const RECORDED: Stmt =
    stmt("identity.enterprise.recorded", "SELECT at FROM identity_enterprise WHERE uscc = $1");

const COUNT: Stmt = stmt("identity.enterprise.count", "SELECT COUNT(*) AS counted FROM identity_enterprise");

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[FIND, OF_REPRESENTATIVE, PAGE, INSERT, RECORDED, COUNT];

/// The enterprise of a code.
pub fn find(tx: &mut Tx<'_>, uscc: &Uscc) -> Result<Option<Enterprise>> {
    tx.one(&FIND, params![uscc.to_string()])?.map(|row| enterprise(&row)).transpose()
}

/// When the record of an enterprise was written here.
pub fn recorded(tx: &mut Tx<'_>, uscc: &Uscc) -> Result<Option<Timestamp>> {
    tx.one(&RECORDED, params![uscc.to_string()])?.map(|row| row.get("at")).transpose()
}

/// The enterprises that a person represents by law.
pub fn of_representative(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Enterprise>> {
    tx.all(&OF_REPRESENTATIVE, params![person, PAGE_ROWS])?.iter().map(enterprise).collect()
}

/// One page of the register, by code.
pub fn page(tx: &mut Tx<'_>, page: u32) -> Result<Vec<Enterprise>> {
    tx.all(&PAGE, params![PAGE_ROWS, offset(page)])?.iter().map(enterprise).collect()
}

/// Enters an enterprise; a code that is known already is a conflict.
pub fn add(tx: &mut Tx<'_>, ctx: &Ctx, enterprise: &Enterprise) -> Result<()> {
    let row = insert_row(tx.name, ctx, enterprise);
    if tx.run(&INSERT, &row)? == 0 {
        return Err(Refusal::conflict(
            "IDN-ENT-001",
            "该统一社会信用代码已在本市登记",
            "This unified social credit code is already registered in this city",
        )
        .on("uscc")
        .into());
    }
    Ok(())
}

/// How many enterprises the register holds.
pub fn count(tx: &mut Tx<'_>) -> Result<i64> {
    tx.one(&COUNT, params![])?.map_or(Ok(0), |row| row.get("counted"))
}

/// The parameters of [`INSERT`].
pub(crate) fn insert_row(name: &'static str, ctx: &Ctx, enterprise: &Enterprise) -> Vec<Value> {
    params![
        enterprise.uscc.to_string(),
        &enterprise.name,
        enterprise.representative,
        enterprise.division.to_string(),
        &enterprise.address,
        enterprise.status.word(),
        ctx.now,
        name,
    ]
    .to_vec()
}

fn enterprise(row: &Row) -> Result<Enterprise> {
    Ok(Enterprise {
        uscc: row.parse("uscc")?,
        name: row.get("name")?,
        representative: row.parse_option("representative")?,
        division: row.parse("division")?,
        address: row.get("address")?,
        status: row.parse("status")?,
    })
}
