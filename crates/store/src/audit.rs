//! Audit lines (审计): who did what to what, without personal data.

use tb_base::{Ctx, MessageId, Result, Timestamp};

use crate::{Row, Stmt, Tx, params, stmt};

/// Lines that one search looks at, at the most; it says where it stopped.
pub const SCAN_MAX: usize = 20_000;
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

const BY_TIME: Stmt = stmt(
    "store.audit.by_time",
    "
    SELECT id, actor, action, object, outcome, trace, at
    FROM store_audit
    WHERE $1 <= id AND id < $2
    ORDER BY id DESC
    LIMIT $3
",
);

const BY_OBJECT: Stmt = stmt(
    "store.audit.by_object",
    "
    SELECT id, actor, action, object, outcome, trace, at
    FROM store_audit
    WHERE object = $4 AND $1 <= id AND id < $2
    ORDER BY id DESC
    LIMIT $3
",
);

const BY_ACTION: Stmt = stmt(
    "store.audit.by_action",
    "
    SELECT id, actor, action, object, outcome, trace, at
    FROM store_audit
    WHERE action = $4 AND $1 <= id AND id < $2
    ORDER BY id DESC
    LIMIT $3
",
);

const BY_ACTOR: Stmt = stmt(
    "store.audit.by_actor",
    "
    SELECT id, actor, action, object, outcome, trace, at
    FROM store_audit
    WHERE actor = $4 AND $1 <= id AND id < $2
    ORDER BY id DESC
    LIMIT $3
",
);

const BY_TRACE: Stmt = stmt(
    "store.audit.by_trace",
    "
    SELECT id, actor, action, object, outcome, trace, at
    FROM store_audit
    WHERE trace = $4 AND $1 <= id AND id < $2
    ORDER BY id DESC
    LIMIT $3
",
);

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
pub(crate) const STATEMENTS: &[Stmt] =
    &[INSERT, BY_TIME, BY_OBJECT, BY_ACTION, BY_ACTOR, BY_TRACE, FIND, COUNT_ABOUT];

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

fn batch(tx: &mut Tx<'_>, search: &Search, first: &str, before: &str) -> Result<Vec<Line>> {
    let exact = search.actor.as_ref().filter(|actor| is_one(actor));
    let named = [
        (&BY_TRACE, search.trace.as_ref()),
        (&BY_OBJECT, search.object.as_ref()),
        (&BY_ACTOR, exact),
        (&BY_ACTION, search.action.as_ref()),
    ];
    let rows = match named.into_iter().find_map(|(stmt, value)| Some((stmt, value?))) {
        Some((stmt, value)) => tx.all(stmt, params![first, before, BATCH, value])?,
        None => tx.all(&BY_TIME, params![first, before, BATCH])?,
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
