//! All tables of a SQLite file at once, for backup and restore.

use rusqlite::params_from_iter;
use tb_base::{Result, Violation};

use super::{Connection, failed, value, write_one};
use crate::backup::{Purpose, Tables};
use crate::tx::{Access, Link};
use crate::unit::Unit;
use crate::{Tx, Value};

const NAME: &str = "store.bulk";
/// The words of the search index stand in tables of the engine's own, and migrations are run, not copied.
const TABLES: &str = "
    SELECT name
    FROM sqlite_master
    WHERE type = 'table' AND name <> 'store_migration'
        AND substr(name, 1, 7) <> 'sqlite_' AND substr(name, 1, 12) <> 'store_search'
    ORDER BY rowid
";

impl Tables for Connection {
    fn begin(&mut self, purpose: Purpose) -> Result<()> {
        match purpose {
            Purpose::Snapshot => self.batch(
                NAME,
                "CREATE VIRTUAL TABLE temp.store_search_vocabulary
                     USING fts5vocab(main, store_search_words, instance);
                 BEGIN",
            ),
            // Rows come table by table; at the end all references are looked at together.
            Purpose::Load => self.batch(NAME, "PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE"),
        }
    }

    fn commit(&mut self) -> Result<()> {
        let mut broken = None;
        self.each("PRAGMA foreign_key_check", &mut |row| {
            broken = broken.take().or(row.into_iter().next());
            Ok(())
        })?;
        if let Some(table) = broken {
            return Err(
                Violation::new("inconsistent", "archive", format!("{table:?} refers to nothing")).into()
            );
        }
        self.batch(NAME, "COMMIT; PRAGMA foreign_keys = ON")
    }

    fn names(&mut self) -> Result<Vec<String>> {
        texts(self, TABLES)
    }

    fn columns(&mut self, table: &str) -> Result<Vec<String>> {
        texts(self, &format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"))
    }

    fn each(&mut self, sql: &str, take: &mut dyn FnMut(Vec<Value>) -> Result<()>) -> Result<()> {
        let mut prepared = self.inner.prepare(sql).map_err(|error| failed(NAME, error))?;
        let columns = prepared.column_count();
        let mut rows = prepared.query([]).map_err(|error| failed(NAME, error))?;
        while let Some(row) = rows.next().map_err(|error| failed(NAME, error))? {
            let values: rusqlite::Result<Vec<Value>> =
                (0..columns).map(|at| row.get_ref(at).map(value)).collect();
            take(values.map_err(|error| failed(NAME, error))?)?;
        }
        Ok(())
    }

    fn empty(&mut self, table: &str) -> Result<()> {
        self.batch(NAME, &format!("DELETE FROM {table}"))
    }

    fn load(&mut self, table: &str, columns: &[String], rows: &[Vec<Value>]) -> Result<()> {
        let places = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT INTO {table} ({}) VALUES ({places})", columns.join(", "));
        let mut prepared = self.inner.prepare(&sql).map_err(|error| failed(NAME, error))?;
        for row in rows {
            prepared.execute(params_from_iter(row)).map_err(|error| failed(NAME, error))?;
        }
        Ok(())
    }

    fn tx(&mut self) -> Tx<'_> {
        Tx::new(NAME, Link::Sqlite(self), Access::Write)
    }

    fn unit(&mut self, unit: Box<dyn Unit>) {
        write_one(self, unit);
    }
}

fn texts(connection: &mut Connection, sql: &str) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    connection.each(sql, &mut |row| {
        texts.extend(row.into_iter().filter_map(|value| match value {
            Value::Text(text) => Some(text),
            Value::Null | Value::Int(_) | Value::Float(_) | Value::Bytes(_) => None,
        }));
        Ok(())
    })?;
    Ok(texts)
}
