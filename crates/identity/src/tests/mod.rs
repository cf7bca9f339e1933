//! Tests on the inline store: accounts, looks, the register and the synthetic region.

mod accounts;
mod crossing;
mod grants;
mod look;
mod people;
mod postgres;
mod roster;
mod seed;
mod world;

use tb_store::Schema;

#[test]
fn migrations_are_pinned() {
    for step in crate::SCHEMA.migrations {
        assert_eq!(
            tb_crypto::text::hex(&tb_crypto::sha256(step.sql.as_bytes())),
            step.sha256,
            "{}",
            step.name
        );
    }
}

/// Every statement of the crate stands in the schema, by a name of its own that begins with the crate's.
#[test]
fn statements_are_registered_once() {
    let Schema { statements, .. } = crate::SCHEMA;
    let mut names: Vec<&str> = statements.iter().flat_map(|list| list.iter()).map(|stmt| stmt.name).collect();
    assert!(names.iter().all(|name| name.starts_with("identity.")));
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

/// Every statement prepares against the tables that the migrations make.
#[tokio::test]
async fn statements_prepare() {
    let engine = tb_store::Engine::Sqlite(":memory:".into());
    let problems = tb_store::check_statements(&[crate::SCHEMA], &engine).await.expect("prepared");
    assert_eq!(problems, Vec::<String>::new());
}
