//! One transaction: everything that a unit of work does goes through it.

use std::sync::Arc;

use tb_base::{Fault, Result, Violation};

use crate::postgres::Session;
use crate::sqlite::Connection;
use crate::{Row, Sealer, Stmt, Value, sealing};

/// One transaction. Everything that a unit of work does goes through it.
pub struct Tx<'a> {
    /// Name of the unit of work, written into the `tx` column of every row.
    pub name: &'static str,
    link: Link<'a>,
    access: Access,
    failed: Option<&'static str>,
    depth: u32,
    sealer: Option<Arc<Sealer>>,
}

/// The connection that a transaction runs on.
pub(crate) enum Link<'a> {
    Sqlite(&'a Connection),
    Postgres(&'a mut Session),
}

/// What a unit of work may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Names of nested savepoints; constants, so that they stay in the statement cache.
const SAVEPOINTS: [[Stmt; 3]; SAVEPOINTS_MAX] = [
    savepoint_of("SAVEPOINT nested_1", "ROLLBACK TO SAVEPOINT nested_1", "RELEASE SAVEPOINT nested_1"),
    savepoint_of("SAVEPOINT nested_2", "ROLLBACK TO SAVEPOINT nested_2", "RELEASE SAVEPOINT nested_2"),
    savepoint_of("SAVEPOINT nested_3", "ROLLBACK TO SAVEPOINT nested_3", "RELEASE SAVEPOINT nested_3"),
    savepoint_of("SAVEPOINT nested_4", "ROLLBACK TO SAVEPOINT nested_4", "RELEASE SAVEPOINT nested_4"),
];

/// How deep attempts may nest.
const SAVEPOINTS_MAX: usize = 4;

const fn savepoint_of(begin: &'static str, undo: &'static str, end: &'static str) -> [Stmt; 3] {
    [
        crate::stmt("store.savepoint", begin),
        crate::stmt("store.undo", undo),
        crate::stmt("store.release", end),
    ]
}

impl<'a> Tx<'a> {
    pub(crate) fn new(name: &'static str, link: Link<'a>, access: Access) -> Tx<'a> {
        Tx { name, link, access, failed: None, depth: 0, sealer: None }
    }

    /// Hands over what seals messages, before the unit of work begins.
    pub(crate) fn sealing(&mut self, sealer: Option<Arc<Sealer>>) {
        self.sealer = sealer;
    }

    /// What seals columns, where the store was given one.
    pub(crate) fn sealer(&self) -> Option<&Sealer> {
        self.sealer.as_deref()
    }

    /// A text as a column holds it (封存): sealed for its `place` (table, row, column), where the store has a sealer.
    pub fn seal(&self, place: &str, plain: impl Into<String>) -> String {
        sealing::seal_text(self.sealer(), place, plain.into())
    }

    /// What [`Tx::seal`] was given for that place; a text from before it was sealed is read as it stands.
    pub fn open(&self, place: &str, held: String) -> Result<String> {
        sealing::open_text(self.sealer(), place, held)
    }

    /// A sealed column of a row as a value of JSON.
    pub fn open_json<T: serde::de::DeserializeOwned>(
        &self,
        row: &Row,
        column: &'static str,
        place: &str,
    ) -> Result<T> {
        let text = self.open(place, row.get(column)?)?;
        serde_json::from_str(&text).map_err(|_| Violation::inconsistent(column, place).into())
    }

    /// The statement that failed, unless an attempt around it was rolled back.
    pub(crate) fn failed(&self) -> Option<&'static str> {
        self.failed
    }

    /// Whether the engine is PostgreSQL; only `search` may ask.
    pub(crate) fn is_postgres(&self) -> bool {
        match self.link {
            Link::Sqlite(_) => false,
            Link::Postgres(_) => true,
        }
    }

    /// All rows.
    pub fn all(&mut self, stmt: &Stmt, params: &[Value]) -> Result<Vec<Row>> {
        if self.access == Access::Read && !is_query(stmt.sql) {
            return Err(self.not_a_read(stmt));
        }
        let answer = match &mut self.link {
            Link::Sqlite(connection) => connection.all(stmt, params),
            Link::Postgres(session) => session.all(stmt, params),
        };
        self.noting(stmt, answer)
    }

    /// The first row, if there is one.
    pub fn one(&mut self, stmt: &Stmt, params: &[Value]) -> Result<Option<Row>> {
        Ok(self.all(stmt, params)?.into_iter().next())
    }

    /// Runs a statement and counts the rows that it changed.
    pub fn run(&mut self, stmt: &Stmt, params: &[Value]) -> Result<u64> {
        if self.access == Access::Read {
            return Err(self.not_a_read(stmt));
        }
        let answer = match &mut self.link {
            Link::Sqlite(connection) => connection.run(stmt, params),
            Link::Postgres(session) => session.run(stmt, params),
        };
        self.noting(stmt, answer)
    }

    /// Runs a series of writes in one round trip.
    pub fn run_all(&mut self, batch: &[(&Stmt, Vec<Value>)]) -> Result<()> {
        let Some((first, _)) = batch.first() else {
            return Ok(());
        };
        if self.access == Access::Read {
            return Err(self.not_a_read(first));
        }
        let answer = match &mut self.link {
            Link::Sqlite(connection) => {
                batch.iter().try_for_each(|(stmt, params)| connection.run(stmt, params).map(drop))
            }
            Link::Postgres(session) => session.run_all(batch),
        };
        self.noting(first, answer)
    }

    /// Runs a statement of a migration; on SQLite its tables become strict about types, as PostgreSQL's are, and on
    /// PostgreSQL its texts stand in the order of their bytes, as SQLite's do.
    pub(crate) fn define(&mut self, stmt: &Stmt) -> Result<()> {
        let answer = match &mut self.link {
            Link::Sqlite(connection) => connection.batch(stmt.name, &strict(stmt.sql)),
            Link::Postgres(session) => session.batch(stmt.name, &by_bytes(stmt.sql)),
        };
        self.noting(stmt, answer)
    }

    /// Runs a part that may fail on its own: an error undoes the part and leaves the rest of the transaction.
    pub fn attempt<T>(&mut self, part: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let level = self.depth as usize;
        let Some([begin, undo, end]) = SAVEPOINTS.get(level) else {
            return Err(Fault::new(format!("running {}: attempts nest too deep", self.name)).into());
        };
        let failed_before = self.failed;
        self.run(begin, &[])?;
        self.depth += 1;
        let outcome = part(self);
        self.depth -= 1;
        if outcome.is_err() || self.failed != failed_before {
            self.run(undo, &[])?;
            self.failed = failed_before;
        }
        self.run(end, &[])?;
        outcome
    }

    fn noting<T>(&mut self, stmt: &Stmt, answer: Result<T>) -> Result<T> {
        if answer.is_err() {
            self.failed = self.failed.or(Some(stmt.name));
        }
        answer
    }

    fn not_a_read(&self, stmt: &Stmt) -> tb_base::Error {
        Fault::new(format!("running {}: {} writes, but it was begun as a read", self.name, stmt.name)).into()
    }
}

/// The statement without its comments, and whether it makes or changes a table.
fn bare(sql: &str) -> (String, bool, bool) {
    let text: Vec<&str> = sql.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    let text = text.join("\n");
    let is = |start: &str| text.trim_start().to_ascii_uppercase().starts_with(start);
    let (creates, alters) = (is("CREATE TABLE"), is("ALTER TABLE"));
    (text, creates, alters)
}

/// The statement in PostgreSQL's words for texts that are compared by their bytes, whatever language the database is in.
fn by_bytes(sql: &str) -> String {
    let (text, creates, alters) = bare(sql);
    if !creates && !alters {
        return text;
    }
    let mut made = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(TEXT) {
        let (before, after) = rest.split_at(at);
        let after = &after[TEXT.len()..];
        let is_within = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let is_word = !before.ends_with(is_within) && !after.starts_with(is_within);
        made.push_str(before);
        made.push_str(if is_word { TEXT_BY_BYTES } else { TEXT });
        rest = after;
    }
    made.push_str(rest);
    made
}

const TEXT: &str = "TEXT";
const TEXT_BY_BYTES: &str = "TEXT COLLATE \"C\"";

/// The statement in SQLite's words for the four types, which strict tables ask for.
fn strict(sql: &str) -> String {
    let (text, creates, alters) = bare(sql);
    if !creates && !alters {
        return text;
    }
    let text = text.replace("BIGINT", "INTEGER").replace("BYTEA", "BLOB").replace("DOUBLE PRECISION", "REAL");
    if creates { format!("{} STRICT", text.trim_end()) } else { text }
}

/// Whether a statement begins like one that only reads.
fn is_query(sql: &str) -> bool {
    let sql = sql.trim_start();
    ["SELECT", "WITH"]
        .iter()
        .any(|word| sql.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
}
