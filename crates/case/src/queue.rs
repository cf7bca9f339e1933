//! Lists of cases (待办与查询): by office, by window, by person, by code; counts are exact.
//!
//! Invariant: rows are written in the transaction of their cause, so a list is never behind.

use tb_base::{CaseId, OfficeId, PersonId, Result, Timestamp};
use tb_store::{Row, Stmt, Tx, Value, params, stmt};

use crate::case::{Channel, PhaseKind};

/// Rows of one page.
pub const PAGE_ROWS: i64 = 20;

/// What a list is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// One phase only.
    pub phase: Option<PhaseKind>,
    /// One item only.
    pub item: Option<u16>,
    /// Only those whose date lies before this moment.
    pub due_before: Option<Timestamp>,
    /// Whether finished cases are wanted instead of running ones.
    pub finished: bool,
}

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRow {
    /// The case.
    pub case: CaseId,
    /// Its code.
    pub query_code: String,
    /// The item.
    pub item: u16,
    /// Where it stands.
    pub phase: PhaseKind,
    /// By which way it came.
    pub channel: Channel,
    /// In whose hands it is.
    pub office: OfficeId,
    /// Where it was collected.
    pub collecting_office: OfficeId,
    /// Where it is decided.
    pub deciding_office: OfficeId,
    /// Whether this node owns it.
    pub is_owned: bool,
    /// Until when, where a clock runs.
    pub due: Option<Timestamp>,
    /// When it was handed in.
    pub collected: Timestamp,
    /// Since when it stands there.
    pub since: Timestamp,
}

/// One page of a list, and how many rows there are in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CasePage {
    /// The rows.
    pub rows: Vec<CaseRow>,
    /// How many there are.
    pub total: i64,
    /// Which page, from 0.
    pub page: u32,
}

macro_rules! columns {
    () => {
        "
    SELECT case_id, owned, item, phase, channel, query_code, office, collecting_office, deciding_office, due,
        collected, since
    FROM case_index"
    };
}

macro_rules! narrowed {
    () => {
        "
        AND is_over = $2 AND ($3 = '' OR phase = $3) AND (CAST($4 AS BIGINT) = 0 OR item = $4)
        AND (CAST($5 AS BIGINT) = 0 OR due < $5)"
    };
}

const OFFICE: Stmt = stmt(
    "case.queue.office",
    concat!(
        columns!(),
        " WHERE office = $1",
        narrowed!(),
        " ORDER BY COALESCE(due, since), case_id LIMIT $6 OFFSET $7"
    ),
);

const OFFICE_COUNT: Stmt = stmt(
    "case.queue.office_count",
    concat!("SELECT COUNT(*) AS counted FROM case_index WHERE office = $1", narrowed!()),
);

const COLLECTED: Stmt = stmt(
    "case.queue.collected",
    concat!(
        columns!(),
        " WHERE collecting_office = $1",
        narrowed!(),
        " ORDER BY collected DESC, case_id DESC LIMIT $6 OFFSET $7"
    ),
);

const COLLECTED_COUNT: Stmt = stmt(
    "case.queue.collected_count",
    concat!("SELECT COUNT(*) AS counted FROM case_index WHERE collecting_office = $1", narrowed!()),
);

const PERSON: Stmt = stmt(
    "case.queue.person",
    concat!(columns!(), " WHERE person = $1 ORDER BY collected DESC, case_id DESC LIMIT $2 OFFSET $3"),
);

const PERSON_COUNT: Stmt =
    stmt("case.queue.person_count", "SELECT COUNT(*) AS counted FROM case_index WHERE person = $1");

const CODE: Stmt = stmt("case.queue.code", concat!(columns!(), " WHERE query_code = $1 LIMIT 2"));

pub(crate) const STATEMENTS: &[Stmt] =
    &[OFFICE, OFFICE_COUNT, COLLECTED, COLLECTED_COUNT, PERSON, PERSON_COUNT, CODE];

/// The cases in the hands of an office (待办), the most urgent first.
pub fn of_office(tx: &mut Tx<'_>, office: &OfficeId, filter: &Filter, page: u32) -> Result<CasePage> {
    narrowed(tx, (&OFFICE, &OFFICE_COUNT), office, filter, page)
}

/// The cases that an office collected (已收件), the newest first.
pub fn collected_by(tx: &mut Tx<'_>, office: &OfficeId, filter: &Filter, page: u32) -> Result<CasePage> {
    narrowed(tx, (&COLLECTED, &COLLECTED_COUNT), office, filter, page)
}

fn narrowed(
    tx: &mut Tx<'_>,
    statements: (&Stmt, &Stmt),
    office: &OfficeId,
    filter: &Filter,
    page: u32,
) -> Result<CasePage> {
    let phase = filter.phase.map(|phase| crate::word(&phase)).unwrap_or_default();
    let item = i64::from(filter.item.unwrap_or(0));
    let due_before = filter.due_before.map_or(0, Timestamp::micros);
    let mut values: Vec<Value> = params![office, filter.finished, phase, item, due_before].to_vec();
    let total = count(tx, statements.1, &values)?;
    values.extend_from_slice(params![PAGE_ROWS, offset(page)]);
    rows(tx, statements.0, &values, total, page)
}

/// The cases of a person (我的办件), the newest first.
pub fn of_person(tx: &mut Tx<'_>, person: PersonId, page: u32) -> Result<CasePage> {
    let total = count(tx, &PERSON_COUNT, params![person])?;
    rows(tx, &PERSON, params![person, PAGE_ROWS, offset(page)], total, page)
}

/// The case of a code, as a person types it: blanks and case do not matter.
pub fn by_code(tx: &mut Tx<'_>, code: &str) -> Result<Option<CaseRow>> {
    let code: String =
        code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    let found = tx.all(&CODE, params![code])?;
    // Two cities draw codes on their own; a code that names two cases names none.
    if 1 < found.len() {
        return Ok(None);
    }
    found.first().map(case_row).transpose()
}

fn count(tx: &mut Tx<'_>, stmt: &Stmt, values: &[Value]) -> Result<i64> {
    tx.one(stmt, values)?.map_or(Ok(0), |row| row.get("counted"))
}

fn rows(tx: &mut Tx<'_>, stmt: &Stmt, values: &[Value], total: i64, page: u32) -> Result<CasePage> {
    let rows = tx.all(stmt, values)?.iter().map(case_row).collect::<Result<_>>()?;
    Ok(CasePage { rows, total, page })
}

fn offset(page: u32) -> i64 {
    i64::from(page).saturating_mul(PAGE_ROWS)
}

fn case_row(row: &Row) -> Result<CaseRow> {
    let item: u32 = row.get("item")?;
    Ok(CaseRow {
        case: row.parse("case_id")?,
        query_code: row.get("query_code")?,
        item: u16::try_from(item).unwrap_or_default(),
        phase: crate::unword(row, "phase")?,
        channel: crate::unword(row, "channel")?,
        office: row.parse("office")?,
        collecting_office: row.parse("collecting_office")?,
        deciding_office: row.parse("deciding_office")?,
        is_owned: row.get("owned")?,
        due: row.get("due")?,
        collected: row.get("collected")?,
        since: row.get("since")?,
    })
}
