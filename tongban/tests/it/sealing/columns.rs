//! The inventory of columns: docs/security/columns.md says of each what it holds, and what is sealed there is sealed.

use std::collections::{BTreeMap, BTreeSet};

use tb_store::{Config, Store, stmt};
use tongban::modules;

const COLUMNS: tb_store::Stmt = stmt(
    "test.columns",
    "
    SELECT m.name AS tab, p.name AS col
    FROM sqlite_master m
    JOIN pragma_table_info(m.name) p
    WHERE m.type = 'table' AND p.type IN ('TEXT', 'BLOB')
    ORDER BY m.name, p.cid
",
);

/// What the database has: tables with those columns that could hold words.
async fn columns() -> BTreeMap<String, BTreeSet<String>> {
    let store = Store::open(&Config::memory(), &modules::schemas()).await.expect("a store");
    let read = store.read("test.columns", |tx| {
        tx.all(&COLUMNS, &[])?
            .iter()
            .map(|row| Ok((row.get::<String>("tab")?, row.get::<String>("col")?)))
            .collect()
    });
    let rows: Vec<(String, String)> = read.await.expect("columns");
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    // The engine keeps the search index in tables of its own.
    for (table, column) in rows.into_iter().filter(|(table, _)| !table.starts_with("store_search_words")) {
        tables.entry(table).or_default().insert(column);
    }
    tables
}

/// What the inventory says: table, sealed columns, all columns that it names.
fn inventory() -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let text = include_str!("../../../../docs/security/columns.md");
    let mut tables = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let named = |cell: &str| -> BTreeSet<String> {
            cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        let table = named(cells[0]).into_iter().next().expect("a table");
        let sealed = named(cells[1]);
        let all = sealed.iter().cloned().chain(named(cells[2])).collect();
        assert!(tables.insert(table.clone(), (sealed, all)).is_none(), "{table} stands twice");
    }
    tables
}

#[tokio::test]
async fn every_column_that_could_hold_words_stands_in_the_inventory() {
    let (columns, inventory) = (columns().await, inventory());
    for (table, columns) in &columns {
        let (_, named) =
            inventory.get(table).unwrap_or_else(|| panic!("docs/security/columns.md lacks {table}"));
        let missing: Vec<_> = columns.difference(named).collect();
        assert!(
            missing.is_empty(),
            "docs/security/columns.md does not say what {table} holds in {missing:?}"
        );
    }
    for (table, (_, named)) in &inventory {
        let known = columns.get(table).unwrap_or_else(|| panic!("there is no table {table}"));
        let gone: Vec<_> = named.difference(known).collect();
        assert!(gone.is_empty(), "{table} has no {gone:?}");
    }
}

#[test]
fn what_the_inventory_calls_sealed_is_sealed_anew_with_a_new_key() {
    let registered: BTreeSet<String> =
        modules::sealed_columns().iter().map(tb_store::reseal::SealedColumn::name).collect();
    let named: BTreeSet<String> = inventory()
        .into_iter()
        .flat_map(|(table, (sealed, _))| sealed.into_iter().map(move |column| format!("{table}.{column}")))
        .collect();
    assert_eq!(named, registered);
}
