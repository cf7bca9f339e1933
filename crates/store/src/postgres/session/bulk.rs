//! All tables of a PostgreSQL schema at once, for backup and restore.

use tb_base::{Fault, Result};
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;

use super::super::{Mode, run};
use super::{Session, State, types, words};
use crate::backup::{Purpose, Tables};
use crate::tx::{Access, Link};
use crate::unit::Unit;
use crate::{Tx, Value};

const NAME: &str = "store.bulk";
/// Rows that one look takes: they may be large.
const ROWS: usize = 32;
/// The words of the search index have a type of their own, and migrations are run, not copied.
const TABLES: &str = "
    SELECT c.relname
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname NOT IN ('store_migration', 'store_search')
    ORDER BY c.oid
";

impl Session {
    /// Gives this session's schema the name of one that is empty or not there; it has no other from then on.
    pub(crate) fn take_name(&mut self, name: &str) -> Result<()> {
        let building = self.place.schema.to_string();
        self.text(&format!("DROP SCHEMA IF EXISTS {name}; ALTER SCHEMA {building} RENAME TO {name}"))
    }

    /// Whether the schema holds any table.
    pub(crate) fn has_tables(&mut self) -> Result<bool> {
        Ok(!self.names()?.is_empty())
    }

    fn text(&mut self, sql: &str) -> Result<()> {
        self.with(async |client| client.batch_execute(sql).await)
    }

    fn with<T>(
        &mut self,
        work: impl AsyncFnOnce(&Client) -> std::result::Result<T, tokio_postgres::Error>,
    ) -> Result<T> {
        self.connect().map_err(|error| Fault::of("connecting to PostgreSQL", error))?;
        let Session { runtime, client: Some(client), .. } = self else {
            return Err(Fault::new("connecting to PostgreSQL").into());
        };
        let outcome = runtime.block_on(work(client));
        // The error itself would quote values of the row in its details.
        outcome.map_err(|error| Fault::new(format!("running {NAME}: {}", words(&error))).into())
    }

    fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Value>>> {
        let rows = self.with(async |client| client.query(sql, &[]).await)?;
        let row = |row: &tokio_postgres::Row| {
            let values: std::result::Result<Vec<Value>, _> =
                (0..row.len()).map(|at| types::value(row, at)).collect();
            values.map_err(|error| Fault::of(format!("running {NAME}"), error).into())
        };
        rows.iter().map(row).collect()
    }

    fn texts(&mut self, sql: &str) -> Result<Vec<String>> {
        let text = |value: Value| match value {
            Value::Text(text) => Some(text),
            Value::Null | Value::Int(_) | Value::Float(_) | Value::Bytes(_) => None,
        };
        Ok(self.rows(sql)?.into_iter().flatten().filter_map(text).collect())
    }
}

impl Tables for Session {
    fn begin(&mut self, purpose: Purpose) -> Result<()> {
        self.state = State::Loose;
        self.text(match purpose {
            Purpose::Snapshot => super::BEGIN_SNAPSHOT,
            Purpose::Load => super::BEGIN,
        })
    }

    fn commit(&mut self) -> Result<()> {
        self.text("COMMIT")
    }

    fn names(&mut self) -> Result<Vec<String>> {
        self.texts(TABLES)
    }

    fn columns(&mut self, table: &str) -> Result<Vec<String>> {
        self.texts(&format!(
            "SELECT attname FROM pg_attribute
             WHERE attrelid = CAST('{table}' AS regclass) AND 0 < attnum AND NOT attisdropped
             ORDER BY attnum"
        ))
    }

    fn each(&mut self, sql: &str, take: &mut dyn FnMut(Vec<Value>) -> Result<()>) -> Result<()> {
        self.text(&format!("DECLARE store_bulk NO SCROLL CURSOR FOR {sql}"))?;
        loop {
            let rows = self.rows(&format!("FETCH {ROWS} FROM store_bulk"))?;
            let is_last = rows.len() < ROWS;
            rows.into_iter().try_for_each(&mut *take)?;
            if is_last {
                return self.text("CLOSE store_bulk");
            }
        }
    }

    fn empty(&mut self, table: &str) -> Result<()> {
        self.text(&format!("DELETE FROM {table}"))
    }

    fn load(&mut self, table: &str, columns: &[String], rows: &[Vec<Value>]) -> Result<()> {
        let columns = columns.join(", ");
        self.with(async |client| {
            let statement = client.prepare(&format!("SELECT {columns} FROM {table}")).await?;
            let kinds: Vec<Type> = statement.columns().iter().map(|column| column.type_().clone()).collect();
            let sink = client.copy_in(&format!("COPY {table} ({columns}) FROM STDIN BINARY")).await?;
            let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &kinds));
            for row in rows {
                writer.as_mut().write_raw(row).await?;
            }
            writer.finish().await.map(drop)
        })
    }

    fn tx(&mut self) -> Tx<'_> {
        Tx::new(NAME, Link::Postgres(self), Access::Write)
    }

    fn unit(&mut self, unit: Box<dyn Unit>) {
        run(self, unit, Mode::Write);
    }
}
