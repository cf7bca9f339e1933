//! Offices of one city (单位): halls, departments, bureaus and whoever watches them.

use tb_base::{Ctx, DivisionCode, NodeId, OfficeId, Result};
use tb_store::{Row, Stmt, Tx, Value, params, stmt};

use crate::words::words;

words! {
    /// What an office is (单位类别).
    OfficeKind {
        /// A service hall with its windows (政务大厅).
        Hall = "hall",
        /// A department that decides cases (审批部门).
        Department = "department",
        /// A team that checks in the field (执法队伍).
        Enforcement = "enforcement",
        /// The data bureau (数据局).
        Bureau = "bureau",
        /// Watches limits and cards (监督).
        Supervision = "supervision",
        /// Reads logs (审计).
        Audit = "audit",
        /// Runs the node (运行维护).
        Operations = "operations",
        /// A court (法院).
        Court = "court",
    }
}

/// The city of an office: its code begins with that of the city.
pub fn city_of(office: &OfficeId) -> Option<NodeId> {
    office.as_str().get(..6)?.parse().ok()
}

/// An office (单位).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Office {
    /// Such as `430100-hall-1`.
    pub id: OfficeId,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// What it is.
    pub kind: OfficeKind,
    /// The division that it serves.
    pub division: DivisionCode,
}

const FIND: Stmt = stmt(
    "identity.office.find",
    "
    SELECT id, name_zh, name_en, kind, division
    FROM identity_office
    WHERE id = $1
",
);

const ALL: Stmt = stmt(
    "identity.office.all",
    "
    SELECT id, name_zh, name_en, kind, division
    FROM identity_office
    ORDER BY id
    LIMIT $1
",
);

/// Inserts an office or renames it.
pub(crate) const PUT: Stmt = stmt(
    "identity.office.put",
    "
    INSERT INTO identity_office (id, name_zh, name_en, kind, division, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, 1, $6, $7)
    ON CONFLICT (id) DO UPDATE
    SET name_zh = EXCLUDED.name_zh, name_en = EXCLUDED.name_en, kind = EXCLUDED.kind,
        division = EXCLUDED.division, version = identity_office.version + 1,
        at = EXCLUDED.at, tx = EXCLUDED.tx
",
);

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[FIND, ALL, PUT];

/// A city has a few dozen offices; more are a mistake in its data.
pub const OFFICES_MAX: i64 = 1_000;

/// The office of an id.
pub fn find(tx: &mut Tx<'_>, id: &OfficeId) -> Result<Option<Office>> {
    tx.one(&FIND, params![id])?.map(|row| office(&row)).transpose()
}

/// All offices of the city.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Office>> {
    tx.all(&ALL, params![OFFICES_MAX])?.iter().map(office).collect()
}

/// Enters an office or renames it.
pub fn put(tx: &mut Tx<'_>, ctx: &Ctx, office: &Office) -> Result<()> {
    let row = put_row(tx.name, ctx, office);
    tx.run(&PUT, &row).map(drop)
}

/// The parameters of [`PUT`].
pub(crate) fn put_row(name: &'static str, ctx: &Ctx, office: &Office) -> Vec<Value> {
    params![
        &office.id,
        &office.name_zh,
        &office.name_en,
        office.kind.word(),
        office.division.to_string(),
        ctx.now,
        name,
    ]
    .to_vec()
}

fn office(row: &Row) -> Result<Office> {
    Ok(Office {
        id: row.parse("id")?,
        name_zh: row.get("name_zh")?,
        name_en: row.get("name_en")?,
        kind: row.parse("kind")?,
        division: row.parse("division")?,
    })
}
