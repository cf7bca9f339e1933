//! The registry of statements, prepared one by one on a real engine.

use tb_base::Result;

use crate::postgres::check_on;
use crate::sqlite::Connection;
use crate::store::Engine;
use crate::{Schema, Stmt, migrate, search};

/// Prepares every registered statement after the migrations and gives a line for each that does not work.
///
/// Run it on both engines: SQL texts are checked by nothing else before they run.
pub async fn check_statements(schemas: &[Schema], engine: &Engine) -> Result<Vec<String>> {
    let schemas: Vec<Schema> = std::iter::once(crate::SCHEMA).chain(schemas.iter().copied()).collect();
    let statements = schemas.iter().flat_map(|schema| schema.statements.iter().copied().flatten()).copied();
    match engine {
        Engine::Sqlite(path) => {
            let statements: Vec<Stmt> = statements.chain(search::SQLITE_STATEMENTS.iter().copied()).collect();
            let connection = Connection::open(path)?;
            migrate::on_sqlite(&connection, &schemas)?;
            Ok(problems(&statements, |stmt| connection.check(stmt)))
        }
        Engine::Postgres { url, schema } => {
            let statements: Vec<Stmt> =
                statements.chain(search::POSTGRES_STATEMENTS.iter().copied()).collect();
            check_on(url, schema, schemas, statements).await
        }
    }
}

/// What is wrong with the statements: names given twice, and texts that cannot be prepared.
pub(crate) fn problems(
    statements: &[Stmt],
    mut check: impl FnMut(&Stmt) -> std::result::Result<(), String>,
) -> Vec<String> {
    let mut names = std::collections::BTreeMap::new();
    let mut problems = Vec::new();
    for stmt in statements {
        if names.insert(stmt.name, stmt.sql).is_some_and(|sql| sql != stmt.sql) {
            problems.push(format!("{}: two statements have this name", stmt.name));
        }
        if let Err(problem) = check(stmt) {
            problems.push(format!("{}: {problem}", stmt.name));
        }
    }
    problems
}
