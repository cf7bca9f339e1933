//! Cases of a whole city (全市办件): what runs, what was received and what was decided; listed, counted, summed up.
//! Serves clauses 2.4 and 2.5.
//!
//! Invariants: a list and every figure that links to it ask the same rows the same question; a page costs its own rows
//! and not those before it, since it begins where the page beside it ended.

use tb_base::{CaseId, Date, NodeId, OfficeId, Result, Timestamp};
use tb_store::{Row, Stmt, Tx, Value, params, stmt};

use crate::queue::{CaseRow, FILE_ROWS_MAX, PAGE_ROWS, case_row};

/// Groups of a sum: offices times items; a city has a few thousand.
const GROUPS_MAX: i64 = 200_000;
/// Before and after every place in a list.
const FIRST: (i64, &str) = (i64::MIN, "");
const LAST: (i64, &str) = (i64::MAX, "zzzzzzzzzzzzzzzzzzzzzzzzzz");

/// Which cases are listed, and in which order (哪些办件).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// Those that run, the most urgent first.
    #[default]
    Running,
    /// Those that offices of this city received to decide, the newest first.
    Received,
    /// Those that offices of this city decided, the newest first.
    Decided,
}

/// What a list is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrow {
    /// Which cases.
    pub listing: Listing,
    /// From this moment on: due, received or decided.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// In the hands of this office; for what was received or decided: decided by it.
    pub office: Option<OfficeId>,
    /// Of this item.
    pub item: Option<u16>,
    /// Whether only those count that wait for another city.
    pub away: bool,
    /// Whether only those count that were decided after the promised day.
    pub overdue: bool,
}

/// A place between two rows of a list (书签).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    key: i64,
    case: String,
}

impl Mark {
    /// The mark as an address carries it.
    pub fn word(&self) -> String {
        format!("{}.{}", self.key, self.case)
    }

    /// The mark of an address.
    pub fn of(word: &str) -> Option<Mark> {
        let (key, case) = word.split_once('.')?;
        let case: CaseId = case.parse().ok()?;
        Some(Mark { key: key.parse().ok()?, case: case.to_string() })
    }
}

/// Which page of a list is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Turn {
    /// The first.
    #[default]
    First,
    /// The one behind a mark.
    After(Mark),
    /// The one in front of a mark.
    Before(Mark),
    /// Every row up to [`FILE_ROWS_MAX`].
    File,
}

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CityRow {
    /// The case as lists show it.
    pub case: CaseRow,
    /// When it was decided.
    pub decided: Option<Timestamp>,
    /// Until when it was promised, as it stood at the decision.
    pub promised: Option<Timestamp>,
    key: i64,
}

impl CityRow {
    /// The place of the row.
    pub fn mark(&self) -> Mark {
        Mark { key: self.key, case: self.case.case.to_string() }
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CityPage {
    /// The rows.
    pub rows: Vec<CityRow>,
    /// How many there are in all.
    pub total: i64,
    /// The page before it, where there is one.
    pub back: Option<Turn>,
    /// The page behind it, where there is one.
    pub on: Option<Turn>,
}

/// Running cases of an item in the hands of an office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// The office.
    pub office: OfficeId,
    /// The item.
    pub item: u16,
    /// Whether they wait for another city.
    pub is_away: bool,
    /// How many there are.
    pub all: i64,
    /// Those whose date has passed.
    pub late: i64,
    /// Those that are due today.
    pub today: i64,
    /// Those that are due in this week, today included.
    pub week: i64,
}

/// Where days begin: what is due before today is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// When today begins.
    pub today: Timestamp,
    /// When tomorrow begins.
    pub tomorrow: Timestamp,
    /// When the next week begins, on Monday.
    pub next_week: Timestamp,
}

impl Days {
    /// The days around a moment.
    pub fn of(now: Timestamp) -> Days {
        let (date, midnight) = (now.date(), Timestamp::at(now.date(), 0));
        let left = 7 - i64::from(date.weekday().to_monday_zero_offset());
        Days {
            today: midnight,
            tomorrow: midnight.plus_seconds(86_400),
            next_week: midnight.plus_seconds(left * 86_400),
        }
    }
}

/// Cases that an office decided, by the days on which they began and ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The item.
    pub item: u16,
    /// The office.
    pub office: OfficeId,
    /// The day on which they were collected.
    pub first: Date,
    /// The day on which they were decided.
    pub last: Date,
    /// How many there are.
    pub counted: i64,
    /// Those whose promised day is known.
    pub promised: i64,
    /// Those that were decided after it.
    pub overdue: i64,
}

/// Cases that an office received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The item.
    pub item: u16,
    /// The office.
    pub office: OfficeId,
    /// How many there are.
    pub counted: i64,
    /// Those that another city collected.
    pub remote: i64,
    /// Those that were handed in on a site.
    pub online: i64,
}

/// How people rated an office of this city for an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rated {
    /// The item.
    pub item: u16,
    /// How many ratings there are.
    pub counted: i64,
    /// Those of grade four or five.
    pub good: i64,
}

/// The three statements of a list.
struct Lists {
    up: Stmt,
    down: Stmt,
    count: Stmt,
}

macro_rules! rows {
    ($base:literal, $key:literal, $office:literal) => {
        concat!(
            "FROM case_index WHERE ",
            $base,
            " AND $1 <= ",
            $key,
            " AND ",
            $key,
            " < $2 AND (CAST($3 AS TEXT) = '' OR ",
            $office,
            " = $3) AND (CAST($4 AS BIGINT) = 0 OR item = $4)",
            " AND (CAST($6 AS BIGINT) = 0 OR office NOT LIKE $5 OR phase = 'offered')",
            " AND (CAST($7 AS BIGINT) = 0 OR promised < decided)"
        )
    };
}

macro_rules! lists {
    ($name:literal, $base:literal, $key:literal, $office:literal) => {
        Lists {
            up: stmt(
                concat!("case.city.", $name, ".up"),
                concat!(
                    "SELECT case_id, owned, item, phase, channel, query_code, office, collecting_office, ",
                    "deciding_office, due, collected, since, decided, promised, ",
                    $key,
                    " AS place ",
                    rows!($base, $key, $office),
                    " AND (",
                    $key,
                    ", case_id) > (CAST($8 AS BIGINT), CAST($9 AS TEXT)) ORDER BY ",
                    $key,
                    ", case_id LIMIT $10"
                ),
            ),
            down: stmt(
                concat!("case.city.", $name, ".down"),
                concat!(
                    "SELECT case_id, owned, item, phase, channel, query_code, office, collecting_office, ",
                    "deciding_office, due, collected, since, decided, promised, ",
                    $key,
                    " AS place ",
                    rows!($base, $key, $office),
                    " AND (",
                    $key,
                    ", case_id) < (CAST($8 AS BIGINT), CAST($9 AS TEXT)) ORDER BY ",
                    $key,
                    " DESC, case_id DESC LIMIT $10"
                ),
            ),
            count: stmt(
                concat!("case.city.", $name, ".count"),
                concat!("SELECT COUNT(*) AS counted ", rows!($base, $key, $office)),
            ),
        }
    };
}

const RUNNING: Lists = lists!("running", "is_over = 0", "COALESCE(due, 9000000000000000000)", "office");
const RECEIVED: Lists = lists!("received", "deciding_office LIKE $5", "collected", "deciding_office");
const DECIDED: Lists =
    lists!("decided", "decided IS NOT NULL AND deciding_office LIKE $5", "decided", "deciding_office");

const LOADS: Stmt = stmt(
    "case.city.loads",
    "
    SELECT office, item, CASE WHEN office NOT LIKE $1 OR phase = 'offered' THEN 1 ELSE 0 END AS away,
        COUNT(*) AS counted,
        COUNT(CASE WHEN COALESCE(due, 9000000000000000000) < $2 THEN 1 END) AS late,
        COUNT(CASE WHEN $2 <= due AND due < $3 THEN 1 END) AS today,
        COUNT(CASE WHEN $2 <= due AND due < $4 THEN 1 END) AS week
    FROM case_index
    WHERE is_over = 0
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    LIMIT $5
",
);

/// Days in China: the offset of eight hours is that of `tb_base::Timestamp`.
const DECISIONS: Stmt = stmt(
    "case.city.decisions",
    "
    SELECT item, deciding_office, (collected + 28800000000) / 86400000000 AS first,
        (decided + 28800000000) / 86400000000 AS last, COUNT(*) AS counted, COUNT(promised) AS promised,
        COUNT(CASE WHEN promised < decided THEN 1 END) AS overdue
    FROM case_index
    WHERE decided IS NOT NULL AND $1 <= decided AND decided < $2 AND deciding_office LIKE $3
        AND (CAST($4 AS BIGINT) = 0 OR item = $4)
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    LIMIT $5
",
);

const RECEIPTS: Stmt = stmt(
    "case.city.receipts",
    "
    SELECT item, deciding_office, COUNT(*) AS counted,
        COUNT(CASE WHEN collecting_office NOT LIKE $3 THEN 1 END) AS remote,
        COUNT(CASE WHEN channel = 'online' THEN 1 END) AS online
    FROM case_index
    WHERE $1 <= collected AND collected < $2 AND deciding_office LIKE $3
        AND (CAST($4 AS BIGINT) = 0 OR item = $4)
    GROUP BY 1, 2
    ORDER BY 1, 2
    LIMIT $5
",
);

const RATINGS: Stmt = stmt(
    "case.city.ratings",
    "
    SELECT case_index.item AS item, COUNT(*) AS counted,
        COUNT(CASE WHEN 4 <= case_rating.grade THEN 1 END) AS good
    FROM case_index JOIN case_rating ON case_rating.case_id = case_index.case_id
    WHERE case_index.decided IS NOT NULL AND $1 <= case_index.decided AND case_index.decided < $2
        AND case_rating.office LIKE $3
    GROUP BY 1
    ORDER BY 1
    LIMIT $4
",
);

const BETWEEN: Stmt = stmt(
    "case.city.between",
    "
    SELECT case_id
    FROM case_index
    WHERE decided IS NOT NULL AND $1 <= decided AND decided < $2 AND $3 <= collected AND collected < $4
        AND item = $5 AND deciding_office LIKE $6
    ORDER BY case_id
    LIMIT 1
",
);

pub(crate) const STATEMENTS: &[Stmt] = &[
    RUNNING.up,
    RUNNING.down,
    RUNNING.count,
    RECEIVED.up,
    RECEIVED.down,
    RECEIVED.count,
    DECIDED.up,
    DECIDED.down,
    DECIDED.count,
    LOADS,
    DECISIONS,
    RECEIPTS,
    RATINGS,
    BETWEEN,
];

/// What ids of offices of a city look like.
fn offices_of(city: NodeId) -> String {
    format!("{city}-%")
}

impl Narrow {
    fn lists(&self) -> Lists {
        match self.listing {
            Listing::Running => RUNNING,
            Listing::Received => RECEIVED,
            Listing::Decided => DECIDED,
        }
    }

    fn values(&self, city: NodeId) -> Vec<Value> {
        let office = self.office.as_ref().map_or_else(String::new, ToString::to_string);
        let until = self.until.map_or(i64::MAX, Timestamp::micros);
        params![
            self.from.map_or(i64::MIN, Timestamp::micros),
            until,
            office,
            i64::from(self.item.unwrap_or(0)),
            offices_of(city),
            self.away,
            self.overdue,
        ]
        .to_vec()
    }

    /// Whether the newest come first, which is down the key.
    fn is_down(&self) -> bool {
        self.listing != Listing::Running
    }
}

/// One page of the cases of a city.
pub fn list(tx: &mut Tx<'_>, city: NodeId, narrow: &Narrow, turn: &Turn) -> Result<CityPage> {
    let (lists, values) = (narrow.lists(), narrow.values(city));
    let total = tx.one(&lists.count, &values)?.map_or(Ok(0), |row| row.get("counted"))?;
    let is_back = matches!(turn, Turn::Before(_));
    let is_down = narrow.is_down() != is_back;
    let (start, limit) = match turn {
        Turn::After(mark) | Turn::Before(mark) => ((mark.key, mark.case.as_str()), PAGE_ROWS),
        Turn::First => (if is_down { LAST } else { FIRST }, PAGE_ROWS),
        Turn::File => (if is_down { LAST } else { FIRST }, FILE_ROWS_MAX - 1),
    };
    let mut asked = values;
    // One row more than is shown tells whether the list goes on.
    asked.extend_from_slice(params![start.0, start.1, limit + 1]);
    let found = tx.all(if is_down { &lists.down } else { &lists.up }, &asked)?;
    let mut rows = found.iter().map(city_row).collect::<Result<Vec<_>>>()?;
    let goes_on = *turn != Turn::File && i64::try_from(rows.len()).is_ok_and(|count| limit < count);
    if goes_on {
        rows.pop();
    }
    if is_back {
        rows.reverse();
    }
    let (has_back, has_on) = match turn {
        Turn::First | Turn::File => (false, goes_on),
        Turn::After(_) => (true, goes_on),
        Turn::Before(_) => (goes_on, true),
    };
    let back = rows.first().filter(|_| has_back).map(|row| Turn::Before(row.mark()));
    let on = rows.last().filter(|_| has_on).map(|row| Turn::After(row.mark()));
    Ok(CityPage { rows, total, back, on })
}

fn city_row(row: &Row) -> Result<CityRow> {
    Ok(CityRow {
        case: case_row(row)?,
        decided: row.get("decided")?,
        promised: row.get("promised")?,
        key: row.get("place")?,
    })
}

/// Who holds which running cases, and how urgent they are.
pub fn loads(tx: &mut Tx<'_>, city: NodeId, days: Days) -> Result<Vec<Load>> {
    let asked = params![offices_of(city), days.today, days.tomorrow, days.next_week, GROUPS_MAX];
    let load = |row: &Row| {
        Ok(Load {
            office: row.parse("office")?,
            item: item_of(row)?,
            is_away: row.get("away")?,
            all: row.get("counted")?,
            late: row.get("late")?,
            today: row.get("today")?,
            week: row.get("week")?,
        })
    };
    tx.all(&LOADS, asked)?.iter().map(load).collect()
}

fn spanned(city: NodeId, (from, until): (Timestamp, Timestamp), item: Option<u16>) -> Vec<Value> {
    params![from, until, offices_of(city), i64::from(item.unwrap_or(0)), GROUPS_MAX].to_vec()
}

/// What offices of a city decided between two moments, of one item or of all.
pub fn decided(
    tx: &mut Tx<'_>,
    city: NodeId,
    span: (Timestamp, Timestamp),
    item: Option<u16>,
) -> Result<Vec<Decided>> {
    let decided = |row: &Row| {
        Ok(Decided {
            item: item_of(row)?,
            office: row.parse("deciding_office")?,
            first: day_of(row.get("first")?),
            last: day_of(row.get("last")?),
            counted: row.get("counted")?,
            promised: row.get("promised")?,
            overdue: row.get("overdue")?,
        })
    };
    tx.all(&DECISIONS, &spanned(city, span, item))?.iter().map(decided).collect()
}

/// What offices of a city received to decide between two moments, of one item or of all.
pub fn received(
    tx: &mut Tx<'_>,
    city: NodeId,
    span: (Timestamp, Timestamp),
    item: Option<u16>,
) -> Result<Vec<Received>> {
    let received = |row: &Row| {
        Ok(Received {
            item: item_of(row)?,
            office: row.parse("deciding_office")?,
            counted: row.get("counted")?,
            remote: row.get("remote")?,
            online: row.get("online")?,
        })
    };
    tx.all(&RECEIPTS, &spanned(city, span, item))?.iter().map(received).collect()
}

/// How offices of a city were rated for the cases that were decided between two moments.
pub fn rated(tx: &mut Tx<'_>, city: NodeId, (from, until): (Timestamp, Timestamp)) -> Result<Vec<Rated>> {
    let rated =
        |row: &Row| Ok(Rated { item: item_of(row)?, counted: row.get("counted")?, good: row.get("good")? });
    tx.all(&RATINGS, params![from, until, offices_of(city), GROUPS_MAX])?.iter().map(rated).collect()
}

/// A case of an item that was collected on one day and decided on another.
pub fn between(
    tx: &mut Tx<'_>,
    city: NodeId,
    item: u16,
    (first, last): (Date, Date),
) -> Result<Option<CaseId>> {
    let day = |date: Date| (Timestamp::at(date, 0), Timestamp::at(date, 24));
    let ((collected, collected_end), (decided, decided_end)) = (day(first), day(last));
    let asked = params![decided, decided_end, collected, collected_end, i64::from(item), offices_of(city)];
    tx.one(&BETWEEN, asked)?.map(|row| row.parse("case_id")).transpose()
}

fn item_of(row: &Row) -> Result<u16> {
    let item: u32 = row.get("item")?;
    Ok(u16::try_from(item).unwrap_or_default())
}

fn day_of(days: i64) -> Date {
    Timestamp(days.saturating_mul(86_400_000_000)).date()
}

#[cfg(test)]
mod tests;
