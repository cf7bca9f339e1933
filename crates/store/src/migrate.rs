//! Migrations (迁移): forward only, each in one transaction, each with a pinned hash.
//!
//! Invariant: a text that differs from its pin, a landed step that changed and a store that this program can no
//! longer work with all stop the start before anything is written.
//!
//! Steps add. One that takes away says so by the line [`CONTRACTS`], and may take only what the release before does
//! not use any more: so a program goes on, and starts, beside one of the release after it.

use std::collections::BTreeMap;

use tb_base::{Error, Fault, Result};

use crate::sqlite::{Connection, write_one};
use crate::unit::{Unit, erase};
use crate::{Migration, Schema, Stmt, Tx, params, stmt};

const CREATE: Stmt = stmt(
    "store.migration.create",
    "
    CREATE TABLE IF NOT EXISTS store_migration (
        owner TEXT NOT NULL,
        name TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        PRIMARY KEY (owner, name)
    )
",
);

pub(crate) const APPLIED: Stmt = stmt(
    "store.migration.applied",
    "
    SELECT owner, name, sha256
    FROM store_migration
    ORDER BY owner, name
",
);

pub(crate) const APPLY: Stmt = stmt(
    "store.migration.apply",
    "
    INSERT INTO store_migration (owner, name, sha256)
    VALUES ($1, $2, $3)
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[APPLIED, APPLY];

/// The line in the text of a step that takes something away.
pub const CONTRACTS: &str = "-- contracts";
/// Beside a step that takes away stands a second row of this owner, for programs that do not know the step.
const CONTRACTED: &str = "contracts";
/// Steps that a store may be ahead of a program: more are not of one release.
const STEPS_AHEAD_MAX: usize = 24;

const THERE_SQLITE: Stmt = stmt(
    "store.migration.there_sqlite",
    "SELECT COUNT(*) AS there FROM sqlite_master WHERE type = 'table' AND name = 'store_migration'",
);
const THERE_POSTGRES: Stmt = stmt(
    "store.migration.there_postgres",
    "SELECT CAST(CASE WHEN to_regclass('store_migration') IS NULL THEN 0 ELSE 1 END AS BIGINT) AS there",
);

/// How the steps of a store and of a program stand to each other (迁移状态); steps as `owner/name`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The program has them, the store not yet.
    pub waiting: Vec<String>,
    /// The store has them from a later program.
    pub ahead: Vec<String>,
}

/// How a store stands, without changing it; an error where this program cannot work with it.
pub fn standing(tx: &mut Tx<'_>, schemas: &[Schema]) -> Result<Standing> {
    let there = if tx.is_postgres() { THERE_POSTGRES } else { THERE_SQLITE };
    let is_there = 0 < tx.one(&there, &[])?.map_or(Ok(0), |row| row.get::<i64>("there"))?;
    let applied = if is_there { applied(tx)? } else { Applied::new() };
    compare(&with_own(schemas), &applied).map(|(standing, _)| standing)
}

/// The store's own tables come first.
pub(crate) fn with_own(schemas: &[Schema]) -> Vec<Schema> {
    std::iter::once(crate::SCHEMA).chain(schemas.iter().copied()).collect()
}

/// How the store that `execute` reaches stands.
pub(crate) fn look(schemas: &[Schema], execute: &mut dyn FnMut(Box<dyn Unit>)) -> Result<Standing> {
    let schemas = schemas.to_vec();
    within(execute, move |tx| standing(tx, &schemas))
}

/// Steps that landed in a store: hash by owner and name.
pub(crate) type Applied = BTreeMap<(String, String), String>;

/// Brings a SQLite file up to date.
pub(crate) fn on_sqlite(connection: &Connection, schemas: &[Schema]) -> Result<()> {
    run(schemas, &mut |unit| write_one(connection, unit))
}

/// Brings a store up to date; `execute` runs one unit in one transaction before it returns.
pub(crate) fn run(schemas: &[Schema], execute: &mut dyn FnMut(Box<dyn Unit>)) -> Result<()> {
    check_pins(schemas)?;
    let applied = within(execute, |tx| {
        tx.define(&CREATE)?;
        applied(tx)
    })?;
    let (standing, pending) = compare(schemas, &applied)?;
    if let Some(newest) = standing.ahead.last() {
        let steps = standing.ahead.len();
        tracing::warn!(steps, newest, "the store was made by a later program; this one works on, update it");
    }
    for (owner, migration) in pending {
        within(execute, move |tx| apply(tx, owner, &migration))?;
    }
    Ok(())
}

/// Runs the steps that had landed in another store, and no more; refuses one that this program does not fully know.
pub(crate) fn run_to(
    schemas: &[Schema],
    landed: &Applied,
    execute: &mut dyn FnMut(Box<dyn Unit>),
) -> Result<()> {
    check_pins(schemas)?;
    let (standing, _) = compare(schemas, landed)?;
    // A copy is made whole or not at all: tables that this program does not know it cannot fill.
    if let Some(step) = standing.ahead.first() {
        return Err(Fault::new(format!("making a store: {step} is of a later program; use that one")).into());
    }
    within(execute, |tx| tx.define(&CREATE))?;
    for schema in schemas {
        let is_wanted =
            |step: &&Migration| landed.contains_key(&(schema.owner.to_owned(), step.name.to_owned()));
        for migration in schema.migrations.iter().filter(is_wanted) {
            let (owner, migration) = (schema.owner, *migration);
            within(execute, move |tx| apply(tx, owner, &migration))?;
        }
    }
    Ok(())
}

/// The steps that landed: owner, name and hash.
pub(crate) fn landed(tx: &mut Tx<'_>) -> Result<Vec<(String, String, String)>> {
    Ok(applied(tx)?.into_iter().map(|((owner, name), sha256)| (owner, name, sha256)).collect())
}

fn within<T, F>(execute: &mut dyn FnMut(Box<dyn Unit>), work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
{
    let (unit, mut answer) = erase("store.migrate", None, work);
    execute(unit);
    answer.try_recv().map_err(|error| Fault::of("migrating", error))?
}

fn applied(tx: &mut Tx<'_>) -> Result<Applied> {
    let rows = tx.all(&APPLIED, &[])?;
    rows.iter().map(|row| Ok(((row.get("owner")?, row.get("name")?), row.get("sha256")?))).collect()
}

fn apply(tx: &mut Tx<'_>, owner: &'static str, migration: &Migration) -> Result<()> {
    let only_elsewhere = if tx.is_postgres() { ONLY_SQLITE } else { ONLY_POSTGRES };
    for sql in statements(migration.sql).filter(|sql| !sql.contains(only_elsewhere)) {
        tx.define(&stmt(migration.name, sql))?;
    }
    if migration.sql.lines().any(|line| line.trim() == CONTRACTS) {
        tx.run(&APPLY, params![CONTRACTED, step(owner, migration.name), migration.sha256])?;
    }
    tx.run(&APPLY, params![owner, migration.name, migration.sha256]).map(drop)
}

/// A statement under such a comment is for one engine (full-text search has no common form).
const ONLY_SQLITE: &str = "-- only sqlite";
const ONLY_POSTGRES: &str = "-- only postgres";

/// Splits at semicolons outside of texts and comments; parts without a statement are left out.
pub(crate) fn statements(sql: &'static str) -> impl Iterator<Item = &'static str> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = end_of_statement(rest);
        let (statement, after) = rest.split_at(end);
        rest = after.strip_prefix(';').unwrap_or(after);
        Some(statement)
    })
    .filter(|statement| {
        statement.lines().map(str::trim).any(|line| !line.is_empty() && !line.starts_with("--"))
    })
}

fn end_of_statement(sql: &str) -> usize {
    let (mut quoted, mut comment, mut before) = (false, false, ' ');
    for (at, letter) in sql.char_indices() {
        match letter {
            '\n' => comment = false,
            '-' if before == '-' && !quoted => comment = true,
            '\'' if !comment => quoted = !quoted,
            ';' if !quoted && !comment => return at,
            _ => {}
        }
        before = letter;
    }
    sql.len()
}

/// Every text must be the one that was reviewed.
fn check_pins(schemas: &[Schema]) -> Result<()> {
    for schema in schemas {
        for migration in schema.migrations {
            let actual = tb_crypto::text::hex(&tb_crypto::sha256(migration.sql.as_bytes()));
            if actual != migration.sha256 {
                let problem = format!("its SHA-256 is {actual}, the pin says {}", migration.sha256);
                return Err(refused(schema.owner, migration.name, &problem));
            }
        }
    }
    Ok(())
}

fn step(owner: &str, name: &str) -> String {
    format!("{owner}/{name}")
}

/// What is to be run of a program's steps, and which the store has beyond; refuses a store that does not fit.
fn compare(schemas: &[Schema], applied: &Applied) -> Result<(Standing, Vec<(&'static str, Migration)>)> {
    let mut unknown = applied.clone();
    let mut pending: Vec<(&'static str, Migration)> = Vec::new();
    for schema in schemas {
        for migration in schema.migrations {
            let landed = unknown.remove(&(schema.owner.to_owned(), migration.name.to_owned()));
            let waits = pending.iter().any(|(owner, _)| *owner == schema.owner);
            match landed {
                None => pending.push((schema.owner, *migration)),
                Some(sha256) if sha256 != migration.sha256 => {
                    let problem = format!("this store was made with SHA-256 {sha256}");
                    return Err(refused(schema.owner, migration.name, &problem));
                }
                Some(_) if waits => {
                    return Err(refused(
                        schema.owner,
                        migration.name,
                        "it landed before a step that stands ahead of it",
                    ));
                }
                Some(_) => {}
            }
        }
    }
    let (marks, unknown): (Vec<_>, Vec<_>) = unknown.into_keys().partition(|(owner, _)| owner == CONTRACTED);
    for (owner, name) in &unknown {
        let is_taking = marks.iter().any(|(_, taken)| *taken == step(owner, name));
        let last = schemas.iter().find(|schema| schema.owner == owner).and_then(|it| it.migrations.last());
        // A step between those that are known is of another line of programs.
        let is_later = last.is_none_or(|last| last.name < name.as_str());
        if is_taking || !is_later || STEPS_AHEAD_MAX < unknown.len() {
            return Err(refused(
                owner,
                name,
                "the store is newer than this program can work with; update it",
            ));
        }
    }
    let waiting = pending.iter().map(|(owner, migration)| step(owner, migration.name)).collect();
    let ahead = unknown.iter().map(|(owner, name)| step(owner, name)).collect();
    Ok((Standing { waiting, ahead }, pending))
}

fn refused(owner: &str, name: &str, problem: &str) -> Error {
    Fault::new(format!("checking the migration crate {owner}, file migrations/{name}.sql: {problem}")).into()
}
