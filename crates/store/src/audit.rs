//! Audit lines (审计): who did what to what, without personal data.

use tb_base::{Ctx, MessageId, Result, Timestamp};

use crate::{Row, Stmt, Tx, params, stmt};

/// Lines that one page holds at the most.
pub const LINES_MAX: u32 = 200;

const INSERT: Stmt = stmt(
    "store.audit.insert",
    "
    INSERT INTO store_audit (id, actor, action, object, outcome, trace, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
",
);

const BY_OBJECT: Stmt = stmt(
    "store.audit.by_object",
    "
    SELECT id, actor, action, object, outcome, trace, at
    FROM store_audit
    WHERE object = $1 AND id < $2 AND $3 <= at AND at < $4
    ORDER BY id DESC
    LIMIT $5
",
);

const BY_ACTION: Stmt = stmt(
    "store.audit.by_action",
    "
    SELECT id, actor, action, object, outcome, trace, at
    FROM store_audit
    WHERE action = $1 AND id < $2 AND $3 <= at AND at < $4
    ORDER BY id DESC
    LIMIT $5
",
);

const BY_TIME: Stmt = stmt(
    "store.audit.by_time",
    "
    SELECT id, actor, action, object, outcome, trace, at
    FROM store_audit
    WHERE id < $1 AND $2 <= at AND at < $3
    ORDER BY id DESC
    LIMIT $4
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[INSERT, BY_OBJECT, BY_ACTION, BY_TIME];

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

/// Which lines are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// All of them.
    All,
    /// Those of one thing.
    Object(String),
    /// Those of one kind of act.
    Action(String),
}

/// Which part of the lines found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// From this moment on.
    pub from: Timestamp,
    /// Before this moment.
    pub until: Timestamp,
    /// Older than this line, where a page went before.
    pub before: Option<MessageId>,
    /// How many at the most; no more than [`LINES_MAX`].
    pub limit: u32,
}

impl Page {
    /// The newest lines of all time.
    pub fn newest(limit: u32) -> Page {
        Page { from: Timestamp(i64::MIN), until: Timestamp(i64::MAX), before: None, limit }
    }
}

/// Writes an audit line. `object` is an id, `outcome` a word or a refusal code.
pub fn line(tx: &mut Tx<'_>, ctx: &Ctx, action: &'static str, object: &str, outcome: &str) -> Result<()> {
    let id = ctx.id(MessageId::new);
    let (actor, trace) = (ctx.actor.to_string(), ctx.trace.to_string());
    tx.run(&INSERT, params![id, actor, action, object, outcome, trace, ctx.now, tx.name]).map(drop)
}

/// Finds audit lines, the newest first.
pub fn search(tx: &mut Tx<'_>, search: &Search, page: &Page) -> Result<Vec<Line>> {
    // `{` sorts after every letter that an id may hold.
    let before = page.before.map_or_else(|| "{".to_owned(), |id| id.to_string());
    let limit = page.limit.min(LINES_MAX);
    let rows = match search {
        Search::All => tx.all(&BY_TIME, params![before, page.from, page.until, limit]),
        Search::Object(object) => tx.all(&BY_OBJECT, params![object, before, page.from, page.until, limit]),
        Search::Action(action) => tx.all(&BY_ACTION, params![action, before, page.from, page.until, limit]),
    }?;
    rows.iter().map(line_of).collect()
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
