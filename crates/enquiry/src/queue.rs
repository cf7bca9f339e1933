//! Lists of enquiries (问询清单): of a person, of an office, of the whole city, and those that other cities owe.
//!
//! Invariant: the database narrows, orders and counts; what is owed and late stands first.

use tb_base::{NodeId, OfficeId, PersonId, Result, Timestamp};
use tb_store::{Stmt, Tx, Value, params, stmt};

use crate::enquiry::{Enquiry, Kind, State};
use crate::keep::{columns, read};

/// Rows of one page.
pub const PAGE_ROWS: i64 = 20;

/// Whose enquiries a list holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those that an office of this city has.
    Office(OfficeId),
    /// All that this city answers.
    City,
    /// Those that were asked here and another city answers.
    Away,
}

/// What a list is narrowed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// One state only.
    pub state: Option<State>,
    /// One kind only.
    pub kind: Option<Kind>,
    /// Only what is owed and was due before this moment.
    pub due_before: Option<Timestamp>,
}

/// One page of a list, and how many rows there are in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Enquiry>,
    /// How many there are.
    pub total: i64,
}

/// How much is owed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Owed {
    /// Enquiries that wait for an answer.
    pub open: i64,
    /// Those whose day has passed.
    pub late: i64,
    /// Those whose day is today.
    pub soon: i64,
    /// Those that were answered and are not over.
    pub answered: i64,
}

/// What one office owes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficeOwes {
    /// The office.
    pub office: OfficeId,
    /// How many it has to answer.
    pub open: i64,
    /// How many of them are late.
    pub late: i64,
}

/// Offices that the overview lists at the most; a city has a few dozen.
const OFFICES_MAX: i64 = 200;

/// Questions about looks that the list of looks marks at the most.
const LOOKS_MAX: i64 = 200;

macro_rules! whose {
    () => {
        "
    WHERE ((CAST($1 AS TEXT) = 'away' AND from_city = $2 AND to_city <> $2)
        OR (CAST($1 AS TEXT) = 'city' AND to_city = $2)
        OR (CAST($1 AS TEXT) = 'office' AND to_city = $2 AND office = $3))"
    };
}

macro_rules! narrowed {
    () => {
        "
        AND (CAST($4 AS TEXT) = '' OR state = $4) AND (CAST($5 AS TEXT) = '' OR kind = $5)
        AND (CAST($6 AS BIGINT) = 0 OR (state = 'open' AND due < $6))"
    };
}

const LIST: Stmt = stmt(
    "enquiry.queue.list",
    concat!(
        columns!(),
        whose!(),
        narrowed!(),
        " ORDER BY CASE WHEN state = 'open' THEN 0 ELSE 1 END, CASE WHEN state = 'open' THEN due ELSE 0 - at END, id",
        " LIMIT $7 OFFSET $8"
    ),
);

const LIST_COUNT: Stmt = stmt(
    "enquiry.queue.list_count",
    concat!("SELECT COUNT(*) AS counted FROM enquiry_enquiry", whose!(), narrowed!()),
);

const OWED: Stmt = stmt(
    "enquiry.queue.owed",
    concat!(
        "
    SELECT COUNT(CASE WHEN state = 'open' THEN 1 END) AS open,
        COUNT(CASE WHEN state = 'open' AND due < $4 THEN 1 END) AS late,
        COUNT(CASE WHEN state = 'open' AND $4 <= due AND due < $5 THEN 1 END) AS soon,
        COUNT(CASE WHEN state IN ('answered', 'returned') THEN 1 END) AS answered
    FROM enquiry_enquiry",
        whose!()
    ),
);

const BY_OFFICE: Stmt = stmt(
    "enquiry.queue.by_office",
    "
    SELECT office, COUNT(*) AS open, COUNT(CASE WHEN due < $2 THEN 1 END) AS late
    FROM enquiry_enquiry
    WHERE to_city = $1 AND state = 'open' AND office IS NOT NULL
    GROUP BY office
    ORDER BY COUNT(CASE WHEN due < $2 THEN 1 END) DESC, COUNT(*) DESC, office
    LIMIT $3
",
);

const OF_PERSON: Stmt = stmt(
    "enquiry.queue.person",
    concat!(columns!(), " WHERE person = $1 ORDER BY asked DESC, id DESC LIMIT $2 OFFSET $3"),
);

const OF_PERSON_COUNT: Stmt =
    stmt("enquiry.queue.person_count", "SELECT COUNT(*) AS counted FROM enquiry_enquiry WHERE person = $1");

const LOOKS_OF_PERSON: Stmt = stmt(
    "enquiry.queue.person_looks",
    concat!(columns!(), " WHERE person = $1 AND kind = 'look' ORDER BY asked DESC, id DESC LIMIT $2"),
);

pub(crate) const STATEMENTS: &[Stmt] =
    &[LIST, LIST_COUNT, OWED, BY_OFFICE, OF_PERSON, OF_PERSON_COUNT, LOOKS_OF_PERSON];

/// One page of a list, what is owed and oldest first; pages are counted from 0.
pub fn list(tx: &mut Tx<'_>, me: NodeId, whose: &Whose, filter: &Filter, page: u32) -> Result<Page> {
    let mut values = whose_values(me, whose);
    values.extend_from_slice(params![
        filter.state.map_or_else(String::new, |state| crate::word(&state)),
        filter.kind.map_or_else(String::new, |kind| crate::word(&kind)),
        filter.due_before.map_or(0, Timestamp::micros),
    ]);
    let total = count(tx, &LIST_COUNT, &values)?;
    values.extend_from_slice(params![PAGE_ROWS, offset(page)]);
    let rows = tx.all(&LIST, &values)?;
    Ok(Page { rows: rows.iter().map(|row| read(tx, row)).collect::<Result<_>>()?, total })
}

/// How much is owed: late before `now`, soon before `soon`.
pub fn owed(tx: &mut Tx<'_>, me: NodeId, whose: &Whose, now: Timestamp, soon: Timestamp) -> Result<Owed> {
    let mut values = whose_values(me, whose);
    values.extend_from_slice(params![now, soon]);
    let Some(row) = tx.one(&OWED, &values)? else { return Ok(Owed::default()) };
    Ok(Owed {
        open: row.get("open")?,
        late: row.get("late")?,
        soon: row.get("soon")?,
        answered: row.get("answered")?,
    })
}

/// What each office of this city owes, the latest first.
pub fn by_office(tx: &mut Tx<'_>, me: NodeId, now: Timestamp) -> Result<Vec<OfficeOwes>> {
    let rows = tx.all(&BY_OFFICE, params![me, now, OFFICES_MAX])?;
    rows.iter()
        .map(|row| {
            Ok(OfficeOwes { office: row.parse("office")?, open: row.get("open")?, late: row.get("late")? })
        })
        .collect()
}

/// The enquiries of a person (我的问询), the newest first; pages are counted from 0.
pub fn of_person(tx: &mut Tx<'_>, person: PersonId, page: u32) -> Result<Page> {
    let total = count(tx, &OF_PERSON_COUNT, params![person])?;
    let rows = tx.all(&OF_PERSON, params![person, PAGE_ROWS, offset(page)])?;
    Ok(Page { rows: rows.iter().map(|row| read(tx, row)).collect::<Result<_>>()?, total })
}

/// A person's latest questions about looks, for the list of looks.
pub fn looks_of_person(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Enquiry>> {
    tx.all(&LOOKS_OF_PERSON, params![person, LOOKS_MAX])?.iter().map(|row| read(tx, row)).collect()
}

fn whose_values(me: NodeId, whose: &Whose) -> Vec<Value> {
    let (word, office) = match whose {
        Whose::Office(office) => ("office", office.to_string()),
        Whose::City => ("city", String::new()),
        Whose::Away => ("away", String::new()),
    };
    params![word, me, office].to_vec()
}

fn count(tx: &mut Tx<'_>, stmt: &Stmt, values: &[Value]) -> Result<i64> {
    tx.one(stmt, values)?.map_or(Ok(0), |row| row.get("counted"))
}

fn offset(page: u32) -> i64 {
    i64::from(page).saturating_mul(PAGE_ROWS)
}
