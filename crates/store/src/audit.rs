//! Audit lines (审计): who did what to what, without personal data.

use tb_base::{Ctx, MessageId, Result, Timestamp};

use crate::{Row, Stmt, Tx, params, stmt};

/// Lines that one search looks at, at the most; it says where it stopped.
pub const SCAN_MAX: usize = 20_000;
/// Lines that one count looks at, at the most.
pub const COUNT_SCAN_MAX: u32 = 10_000;
/// Lines that are fetched at once.
const BATCH: u32 = 500;
/// Before and after every id.
const ID_FIRST: &str = "";
const ID_LAST: &str = "zzzzzzzzzzzzzzzzzzzzzzzzzz";
/// Kinds of actors that are many.
const KINDS_WITH_IDS: [&str; 3] = ["staff", "resident", "node"];

const INSERT: Stmt = stmt(
    "store.audit.insert",
    "
    INSERT INTO store_audit (id, actor, action, object, outcome, trace, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
",
);

/// What is looked up in an index: the newest first, the oldest first, and how many of those looked at fit.
struct Lookup {
    down: Stmt,
    up: Stmt,
    count: Stmt,
}

macro_rules! lookup {
    ($name:literal, $named:literal, $counted:literal) => {
        Lookup {
            down: stmt(
                concat!("store.audit.", $name),
                concat!(
                    "SELECT id, actor, action, object, outcome, trace, at FROM store_audit WHERE ",
                    $named,
                    "$1 <= id AND id < $2 ORDER BY id DESC LIMIT $3"
                ),
            ),
            up: stmt(
                concat!("store.audit.", $name, ".up"),
                concat!(
                    "SELECT id, actor, action, object, outcome, trace, at FROM store_audit WHERE ",
                    $named,
                    "$1 <= id AND id < $2 ORDER BY id LIMIT $3"
                ),
            ),
            count: stmt(
                concat!("store.audit.", $name, ".count"),
                concat!(
                    "SELECT COUNT(*) AS seen, COUNT(CASE WHEN (CAST($4 AS TEXT) = '' OR actor = $4 OR actor LIKE $5) ",
                    "AND (CAST($6 AS TEXT) = '' OR action = $6) AND (CAST($7 AS TEXT) = '' OR object = $7) ",
                    "AND (CAST($8 AS TEXT) = '' OR outcome = $8) AND (CAST($9 AS TEXT) = '' OR trace = $9) ",
                    "THEN 1 END) AS fitting FROM (SELECT actor, action, object, outcome, trace FROM store_audit WHERE ",
                    $counted,
                    "$1 <= id AND id < $2 ORDER BY id DESC LIMIT $3) AS looked_at"
                ),
            ),
        }
    };
}

const BY_TIME: Lookup = lookup!("by_time", "", "");
const BY_OBJECT: Lookup = lookup!("by_object", "object = $4 AND ", "object = $7 AND ");
const BY_ACTION: Lookup = lookup!("by_action", "action = $4 AND ", "action = $6 AND ");
const BY_ACTOR: Lookup = lookup!("by_actor", "actor = $4 AND ", "actor = $4 AND ");
const BY_TRACE: Lookup = lookup!("by_trace", "trace = $4 AND ", "trace = $9 AND ");

const FIND: Stmt = stmt(
    "store.audit.find",
    "
    SELECT id, actor, action, object, outcome, trace, at
    FROM store_audit
    WHERE id = $1
",
);

const COUNT_ABOUT: Stmt = stmt(
    "store.audit.count_about",
    "
    SELECT COUNT(*) AS lines
    FROM (
        SELECT id
        FROM store_audit
        WHERE object = $1 AND $2 <= id AND action = $3 AND outcome = $4
        LIMIT $5
    ) AS counted
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[
    INSERT,
    BY_TIME.down,
    BY_TIME.up,
    BY_TIME.count,
    BY_OBJECT.down,
    BY_OBJECT.up,
    BY_OBJECT.count,
    BY_ACTION.down,
    BY_ACTION.up,
    BY_ACTION.count,
    BY_ACTOR.down,
    BY_ACTOR.up,
    BY_ACTOR.count,
    BY_TRACE.down,
    BY_TRACE.up,
    BY_TRACE.count,
    FIND,
    COUNT_ABOUT,
];

/// An audit line as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Sorts by time; the cursor of the next page.
    pub id: MessageId,
    /// Kind and id of who acted, such as `staff:…`.
    pub actor: String,
    /// What was done, such as `case.accept`.
    pub action: String,
    /// The id of what it was done to.
    pub object: String,
    /// A word or a refusal code.
    pub outcome: String,
    /// The trace of the act.
    pub trace: String,
    /// When.
    pub at: Timestamp,
}

/// Which lines are looked for: those that fit everything that is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// By this actor, such as `staff:…`; or by all of a kind, such as `staff`.
    pub actor: Option<String>,
    /// Of this kind of act.
    pub action: Option<String>,
    /// About this thing.
    pub object: Option<String>,
    /// With this outcome.
    pub outcome: Option<String>,
    /// Of this request.
    pub trace: Option<String>,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The lines, the newest first.
    pub lines: Vec<Line>,
    /// Where to go on, unless everything was looked through.
    pub next: Option<MessageId>,
}

/// Writes an audit line. `object` is an id, `outcome` a word or a refusal code.
pub fn line(tx: &mut Tx<'_>, ctx: &Ctx, action: &'static str, object: &str, outcome: &str) -> Result<()> {
    let id = ctx.id(MessageId::new);
    let (actor, trace) = (ctx.actor.to_string(), ctx.trace.to_string());
    tx.run(&INSERT, params![id, actor, action, object, outcome, trace, ctx.now, tx.name]).map(drop)
}

/// Finds audit lines, the newest first, older than `before`: so many at the most, of so many that are looked at.
///
/// The one thing named that singles out most is looked up in its index; the others are compared line by line. So a
/// search for something rare among a million lines costs no more than [`SCAN_MAX`] of them, and says where it stopped.
pub fn search(tx: &mut Tx<'_>, search: &Search, before: Option<MessageId>, limit: u32) -> Result<Found> {
    let mut cursor = before.map_or_else(|| id_at(search.until, ID_LAST), |id| id.to_string());
    let first = id_at(search.from, ID_FIRST);
    let limit = limit as usize;
    let mut found = Found::default();
    let mut scanned = 0;
    while scanned < SCAN_MAX {
        let batch = batch(tx, search, &first, &cursor)?;
        scanned += batch.len();
        let is_last = batch.len() < BATCH as usize;
        for line in batch {
            if found.lines.len() == limit {
                found.next = found.lines.last().map(|line| line.id);
                return Ok(found);
            }
            cursor = line.id.to_string();
            found.next = Some(line.id);
            if search.fits(&line) {
                found.lines.push(line);
            }
        }
        if is_last {
            found.next = None;
            break;
        }
    }
    Ok(found)
}

/// Finds the audit lines that are newer than one, the nearest of them, shown the newest first; `next` is the newest
/// of those looked at where there are more.
pub fn newer(tx: &mut Tx<'_>, search: &Search, than: MessageId, limit: u32) -> Result<Found> {
    let last = id_at(search.until, ID_LAST);
    let mut cursor = behind(than);
    let limit = limit as usize;
    let mut found = Found::default();
    let mut scanned = 0;
    'looking: while scanned < SCAN_MAX {
        let (lookup, named) = search.lookup();
        let batch = lines(tx, &lookup.up, (&cursor, &last), named)?;
        scanned += batch.len();
        let is_last = batch.len() < BATCH as usize;
        for line in batch {
            if found.lines.len() == limit {
                found.next = found.lines.last().map(|line| line.id);
                break 'looking;
            }
            cursor = behind(line.id);
            found.next = Some(line.id);
            if search.fits(&line) {
                found.lines.push(line);
            }
        }
        if is_last {
            found.next = None;
            break;
        }
    }
    found.lines.reverse();
    Ok(found)
}

/// How many lines fit, of so many that are looked at, the newest of a time; and whether there were more to look at.
pub fn count(tx: &mut Tx<'_>, search: &Search) -> Result<(u32, bool)> {
    let (first, last) = (id_at(search.from, ID_FIRST), id_at(search.until, ID_LAST));
    let text = |asked: &Option<String>| asked.clone().unwrap_or_default();
    let kind = search.actor.as_deref().filter(|actor| !is_one(actor));
    let kind = kind.map_or_else(String::new, |kind| format!("{kind}:%"));
    let (lookup, _) = search.lookup();
    let asked = params![
        first,
        last,
        COUNT_SCAN_MAX,
        text(&search.actor),
        kind,
        text(&search.action),
        text(&search.object),
        text(&search.outcome),
        text(&search.trace),
    ];
    let Some(row) = tx.one(&lookup.count, asked)? else { return Ok((0, false)) };
    let seen: u32 = row.get("seen")?;
    Ok((row.get("fitting")?, COUNT_SCAN_MAX <= seen))
}

/// The first id after one.
fn behind(id: MessageId) -> String {
    format!("{id}0")
}

fn batch(tx: &mut Tx<'_>, search: &Search, first: &str, before: &str) -> Result<Vec<Line>> {
    let (lookup, named) = search.lookup();
    lines(tx, &lookup.down, (first, before), named)
}

fn lines(
    tx: &mut Tx<'_>,
    stmt: &Stmt,
    (first, before): (&str, &str),
    named: Option<&String>,
) -> Result<Vec<Line>> {
    let rows = match named {
        Some(value) => tx.all(stmt, params![first, before, BATCH, value])?,
        None => tx.all(stmt, params![first, before, BATCH])?,
    };
    rows.iter().map(line_of).collect()
}

/// Whether an actor is one, and not all of a kind.
fn is_one(actor: &str) -> bool {
    actor.contains(':') || !KINDS_WITH_IDS.contains(&actor)
}

impl Search {
    /// About one thing.
    pub fn object(object: &str) -> Search {
        Search { object: Some(object.to_owned()), ..Search::default() }
    }

    /// Of one kind of act.
    pub fn action(action: &str) -> Search {
        Search { action: Some(action.to_owned()), ..Search::default() }
    }

    /// Where the one thing named that singles out most is looked up.
    fn lookup(&self) -> (Lookup, Option<&String>) {
        let exact = self.actor.as_ref().filter(|actor| is_one(actor));
        let named = [
            (BY_TRACE, self.trace.as_ref()),
            (BY_OBJECT, self.object.as_ref()),
            (BY_ACTOR, exact),
            (BY_ACTION, self.action.as_ref()),
        ];
        let found = named.into_iter().find(|(_, value)| value.is_some());
        found.unwrap_or((BY_TIME, None))
    }

    fn fits(&self, line: &Line) -> bool {
        let is = |asked: &Option<String>, value: &str| asked.as_deref().is_none_or(|asked| asked == value);
        let by = self.actor.as_deref().is_none_or(|actor| match is_one(actor) {
            true => line.actor == actor,
            false => line.actor.split(':').next() == Some(actor),
        });
        by && is(&self.action, &line.action)
            && is(&self.object, &line.object)
            && is(&self.outcome, &line.outcome)
            && is(&self.trace, &line.trace)
    }
}

/// One line.
pub fn find(tx: &mut Tx<'_>, id: MessageId) -> Result<Option<Line>> {
    tx.one(&FIND, params![id])?.as_ref().map(line_of).transpose()
}

/// How often an act about a thing came out like this since a moment, up to `limit`.
pub fn count_about(
    tx: &mut Tx<'_>,
    object: &str,
    since: Timestamp,
    action: &str,
    outcome: &str,
    limit: u32,
) -> Result<u32> {
    let first = id_at(Some(since), ID_FIRST);
    match tx.one(&COUNT_ABOUT, params![object, first, action, outcome, limit])? {
        Some(row) => row.get("lines"),
        None => Ok(0),
    }
}

/// The first id of a moment: ids begin with the time, so a time is a place in every index that ends in the id.
fn id_at(at: Option<Timestamp>, otherwise: &str) -> String {
    at.map_or_else(|| otherwise.to_owned(), |at| MessageId::first_of(at).to_string())
}

fn line_of(row: &Row) -> Result<Line> {
    Ok(Line {
        id: row.parse("id")?,
        actor: row.get("actor")?,
        action: row.get("action")?,
        object: row.get("object")?,
        outcome: row.get("outcome")?,
        trace: row.get("trace")?,
        at: row.get("at")?,
    })
}
