//! Lists of cases (待办与查询): by office, by window, by person, by code; narrowed and counted by the database.
//!
//! Invariant: rows are written in the transaction of their cause, so a list is never behind.

use std::collections::BTreeSet;

use tb_base::{CaseId, OfficeId, PersonId, Result, Timestamp};
use tb_store::{Row, Stmt, Tx, Value, params, stmt};

use crate::case::{Channel, PhaseKind};

/// Rows of one page.
pub const PAGE_ROWS: i64 = 20;
/// Rows of a list that is taken away as a file.
pub const FILE_ROWS_MAX: i64 = 10_000;

/// What a list is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// These phases only; every phase where nothing is said.
    pub phases: Option<BTreeSet<PhaseKind>>,
    /// One item only.
    pub item: Option<u16>,
    /// Only those whose date lies at this moment or later.
    pub due_from: Option<Timestamp>,
    /// Only those whose date lies before this moment.
    pub due_before: Option<Timestamp>,
    /// Only those that what was typed may mean.
    pub typed: Option<Typed>,
    /// Whether finished cases are wanted instead of running ones.
    pub finished: bool,
}

/// What was typed to find cases (查询码或事项); names of people are sealed and cannot be searched for here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// A part of a code; letters and digits count, nothing else.
    pub code: String,
    /// The items that it may name.
    pub items: BTreeSet<u16>,
}

/// What a list of an office begins with (排序).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The most urgent: the nearest date, and what has none at the end.
    #[default]
    Due,
    /// What has stood longest where it stands.
    Since,
    /// What was handed in last.
    Newest,
}

/// Where a case stands in a narrowed list, and what stands beside it (上一件, 下一件).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// Its place, from 1; none where it is not, or no longer, in the list.
    pub place: Option<i64>,
    /// How many the list holds.
    pub total: i64,
    /// The case before it.
    pub previous: Option<CaseId>,
    /// The case after it.
    pub next: Option<CaseId>,
}

/// Whose turn it is and how late, over all running cases of an office.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Urgency {
    /// How many there are.
    pub all: i64,
    /// Those whose date has passed.
    pub late: i64,
    /// Those whose date is near.
    pub soon: i64,
    /// Those in one of the phases that were asked for.
    pub in_phases: i64,
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
        AND is_over = $2 AND (CAST($3 AS TEXT) = '' OR $3 LIKE '%,' || phase || ',%')
        AND (CAST($4 AS BIGINT) = 0 OR item = $4)
        AND (CAST($5 AS BIGINT) = 0 OR $5 <= due) AND (CAST($6 AS BIGINT) = 0 OR due < $6)
        AND (query_code LIKE $7 OR CAST($8 AS TEXT) LIKE '%,' || CAST(item AS TEXT) || ',%')"
    };
}

/// The list of an office in one order: its rows, and how many of them stand before a case of this city.
struct Ordered {
    rows: Stmt,
    before: Stmt,
}

macro_rules! ordered {
    ($rows:literal, $before:literal, $key:literal) => {
        Ordered {
            rows: stmt(
                $rows,
                concat!(
                    columns!(),
                    " WHERE office = $1",
                    narrowed!(),
                    " ORDER BY ",
                    $key,
                    ", since, case_id LIMIT $9 OFFSET $10"
                ),
            ),
            before: stmt(
                $before,
                concat!(
                    "SELECT COUNT(*) AS counted FROM case_index WHERE office = $1",
                    narrowed!(),
                    " AND (",
                    $key,
                    ", since, case_id) < (SELECT ",
                    $key,
                    ", since, case_id FROM case_index WHERE case_id = $9)"
                ),
            ),
        }
    };
}

/// What has no date comes last: its key is the greatest number there is.
const BY_DUE: Ordered =
    ordered!("case.queue.office", "case.queue.office_before", "COALESCE(due, 9223372036854775807)");

const BY_SINCE: Ordered = ordered!("case.queue.office_since", "case.queue.office_since_before", "since");

const BY_NEWEST: Ordered =
    ordered!("case.queue.office_newest", "case.queue.office_newest_before", "-collected");

const OFFICE_HOLDS: Stmt = stmt(
    "case.queue.office_holds",
    concat!("SELECT COUNT(*) AS counted FROM case_index WHERE office = $1", narrowed!(), " AND case_id = $9"),
);

/// Her other cases that an office decided or decides.
const EARLIER: Stmt = stmt(
    "case.queue.earlier",
    concat!(
        columns!(),
        " WHERE person = $1 AND deciding_office = $2 AND case_id <> $3
        ORDER BY collected DESC, case_id DESC LIMIT $4"
    ),
);

const OFFICE_COUNT: Stmt = stmt(
    "case.queue.office_count",
    concat!("SELECT COUNT(*) AS counted FROM case_index WHERE office = $1", narrowed!()),
);

const URGENCY: Stmt = stmt(
    "case.queue.urgency",
    "
    SELECT COUNT(*) AS counted, COUNT(CASE WHEN due < $2 THEN 1 END) AS late,
        COUNT(CASE WHEN $2 <= due AND due < $3 THEN 1 END) AS soon,
        COUNT(CASE WHEN CAST($4 AS TEXT) LIKE '%,' || phase || ',%' THEN 1 END) AS in_phases
    FROM case_index
    WHERE office = $1 AND is_over = 0
",
);

const COLLECTED: Stmt = stmt(
    "case.queue.collected",
    concat!(
        columns!(),
        " WHERE collecting_office = $1",
        narrowed!(),
        " ORDER BY collected DESC, case_id DESC LIMIT $9 OFFSET $10"
    ),
);

const COLLECTED_COUNT: Stmt = stmt(
    "case.queue.collected_count",
    concat!("SELECT COUNT(*) AS counted FROM case_index WHERE collecting_office = $1", narrowed!()),
);

macro_rules! of_person {
    () => {
        "
        WHERE person = $1 AND (CAST($2 AS TEXT) = '' OR $2 LIKE '%,' || phase || ',%')
        AND (query_code LIKE $3 OR CAST($4 AS TEXT) LIKE '%,' || CAST(item AS TEXT) || ',%')"
    };
}

const PERSON: Stmt = stmt(
    "case.queue.person",
    concat!(
        columns!(),
        of_person!(),
        " ORDER BY CASE WHEN CAST($5 AS TEXT) LIKE '%,' || phase || ',%' THEN 0 ELSE 1 END,
        collected DESC, case_id DESC LIMIT $6 OFFSET $7"
    ),
);

const PERSON_COUNT: Stmt =
    stmt("case.queue.person_count", concat!("SELECT COUNT(*) AS counted FROM case_index", of_person!()));

const CODE: Stmt = stmt("case.queue.code", concat!(columns!(), " WHERE query_code = $1 LIMIT 2"));

const ONE: Stmt = stmt("case.queue.one", concat!(columns!(), " WHERE case_id = $1"));

const IS_OVER: Stmt = stmt("case.queue.is_over", "SELECT is_over FROM case_index WHERE case_id = $1");

pub(crate) const STATEMENTS: &[Stmt] = &[
    BY_DUE.rows,
    BY_DUE.before,
    BY_SINCE.rows,
    BY_SINCE.before,
    BY_NEWEST.rows,
    BY_NEWEST.before,
    OFFICE_HOLDS,
    EARLIER,
    OFFICE_COUNT,
    URGENCY,
    COLLECTED,
    COLLECTED_COUNT,
    PERSON,
    PERSON_COUNT,
    CODE,
    ONE,
    IS_OVER,
];

/// The row of a case, if this city knows it; a draft is none yet.
pub fn one(tx: &mut Tx<'_>, case: CaseId) -> Result<Option<CaseRow>> {
    tx.one(&ONE, params![case])?.map(|row| case_row(&row)).transpose()
}

/// Whether nothing but a rating can follow; not so of a case that this city does not know.
pub fn is_over(tx: &mut Tx<'_>, case: CaseId) -> Result<bool> {
    tx.one(&IS_OVER, params![case])?.map_or(Ok(false), |row| row.get("is_over"))
}

impl Order {
    fn statements(self) -> &'static Ordered {
        match self {
            Order::Due => &BY_DUE,
            Order::Since => &BY_SINCE,
            Order::Newest => &BY_NEWEST,
        }
    }
}

/// The cases in the hands of an office (待办), the most urgent first.
pub fn of_office(tx: &mut Tx<'_>, office: &OfficeId, filter: &Filter, page: u32) -> Result<CasePage> {
    in_order(tx, office, filter, Order::Due, page)
}

/// The same in another order.
pub fn in_order(
    tx: &mut Tx<'_>,
    office: &OfficeId,
    filter: &Filter,
    order: Order,
    page: u32,
) -> Result<CasePage> {
    narrowed(tx, (&order.statements().rows, &OFFICE_COUNT), office, filter, page)
}

/// The same as a file: every row, up to [`FILE_ROWS_MAX`], and how many there are in all.
pub fn file_of_office(tx: &mut Tx<'_>, office: &OfficeId, filter: &Filter, order: Order) -> Result<CasePage> {
    let mut values = values(office, filter);
    let total = count(tx, &OFFICE_COUNT, &values)?;
    values.extend_from_slice(params![FILE_ROWS_MAX, 0_i64]);
    rows(tx, &order.statements().rows, &values, total, 0)
}

/// What stands beside a case in a list. A case that has left it since it `stood` at a place has as next what came
/// after it there, and as previous what still stands before that place.
pub fn neighbours(
    tx: &mut Tx<'_>,
    office: &OfficeId,
    filter: &Filter,
    order: Order,
    case: CaseId,
    stood: Option<i64>,
) -> Result<Neighbours> {
    let values = values(office, filter);
    let total = count(tx, &OFFICE_COUNT, &values)?;
    let of_case: Vec<Value> = values.iter().cloned().chain(params![case].iter().cloned()).collect();
    let is_listed = 0 < count(tx, &OFFICE_HOLDS, &of_case)?;
    let place = match is_listed {
        true => Some(count(tx, &order.statements().before, &of_case)? + 1),
        false => None,
    };
    // How many stand before it, and how many it takes up itself.
    let (before, own) = match place {
        Some(place) => (place - 1, 1),
        None => (stood.unwrap_or(1).clamp(1, total + 1) - 1, 0),
    };
    let mut at = |offset: i64| -> Result<Option<CaseId>> {
        if offset < 0 {
            return Ok(None);
        }
        let values: Vec<Value> =
            values.iter().cloned().chain(params![1_i64, offset].iter().cloned()).collect();
        let row = tx.one(&order.statements().rows, &values)?;
        row.map(|row| row.parse("case_id")).transpose()
    };
    Ok(Neighbours { place, total, previous: at(before - 1)?, next: at(before + own)? })
}

/// Her other cases with an office, the newest first, up to `rows_max`.
pub fn earlier(
    tx: &mut Tx<'_>,
    person: PersonId,
    office: &OfficeId,
    case: CaseId,
    rows_max: i64,
) -> Result<Vec<CaseRow>> {
    tx.all(&EARLIER, params![person, office, case, rows_max])?.iter().map(case_row).collect()
}

/// How many running cases an office has: late before `today`, near before `soon`, and those in some phases.
pub fn urgency(
    tx: &mut Tx<'_>,
    office: &OfficeId,
    today: Timestamp,
    soon: Timestamp,
    phases: &BTreeSet<PhaseKind>,
) -> Result<Urgency> {
    let phases = listed(phases.iter().map(crate::word));
    let Some(row) = tx.one(&URGENCY, params![office, today, soon, phases])? else {
        return Ok(Urgency::default());
    };
    Ok(Urgency {
        all: row.get("counted")?,
        late: row.get("late")?,
        soon: row.get("soon")?,
        in_phases: row.get("in_phases")?,
    })
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
    let mut values = values(office, filter);
    let total = count(tx, statements.1, &values)?;
    // A page behind the last one is the last one: the list may have grown shorter since the link was made.
    let last = u32::try_from((total - 1).max(0) / PAGE_ROWS).unwrap_or(u32::MAX);
    let page = page.min(last);
    values.extend_from_slice(params![PAGE_ROWS, offset(page)]);
    rows(tx, statements.0, &values, total, page)
}

fn values(office: &OfficeId, filter: &Filter) -> Vec<Value> {
    let moment = |moment: Option<Timestamp>| moment.map_or(0, Timestamp::micros);
    let (phases, code, items) = words(filter);
    params![
        office,
        filter.finished,
        phases,
        i64::from(filter.item.unwrap_or(0)),
        moment(filter.due_from),
        moment(filter.due_before),
        code,
        items,
    ]
    .to_vec()
}

/// Words as one text in which each stands between commas; never empty, so that no word at all matches nothing.
fn listed(words: impl Iterator<Item = String>) -> String {
    words.fold(",".to_owned(), |list, word| format!("{list}{word},"))
}

/// What a code has to look like; letters and digits only, so that nothing typed is a wildcard.
fn pattern(code: &str) -> String {
    match plain(code).as_str() {
        "" => String::new(),
        code => format!("%{code}%"),
    }
}

fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase()
}

/// The cases of a person (我的办件), the newest first.
pub fn of_person(tx: &mut Tx<'_>, person: PersonId, page: u32) -> Result<CasePage> {
    narrowed_of_person(tx, person, &Filter::default(), &BTreeSet::new(), page)
}

/// Her cases by phase and by what was typed, those in the phases of `first` before the others.
pub fn narrowed_of_person(
    tx: &mut Tx<'_>,
    person: PersonId,
    filter: &Filter,
    first: &BTreeSet<PhaseKind>,
    page: u32,
) -> Result<CasePage> {
    let (phases, code, items) = words(filter);
    let mut values = params![person, phases, code, items].to_vec();
    let total = count(tx, &PERSON_COUNT, &values)?;
    values.extend_from_slice(params![listed(first.iter().map(crate::word)), PAGE_ROWS, offset(page)]);
    rows(tx, &PERSON, &values, total, page)
}

/// The phases, codes and items of a filter, as the statements compare them.
fn words(filter: &Filter) -> (String, String, String) {
    let phases = filter.phases.as_ref().map(|phases| listed(phases.iter().map(crate::word)));
    let (code, items) = match &filter.typed {
        None => ("%".to_owned(), String::new()),
        Some(typed) => (pattern(&typed.code), listed(typed.items.iter().map(u16::to_string))),
    };
    (phases.unwrap_or_default(), code, items)
}

/// The case of a code, as a person types it: blanks and case do not matter.
pub fn by_code(tx: &mut Tx<'_>, code: &str) -> Result<Option<CaseRow>> {
    let found = tx.all(&CODE, params![plain(code)])?;
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

pub(crate) fn case_row(row: &Row) -> Result<CaseRow> {
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

#[cfg(test)]
mod tests;
