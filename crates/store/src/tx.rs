//! The store and its unit of work.

use std::path::PathBuf;

use tb_base::Result;

use crate::{Row, Schema, Stmt, Value};

/// Where the data lies.
#[derive(Clone, Debug)]
pub enum Engine {
    /// One file, WAL, `synchronous=FULL`.
    Sqlite(PathBuf),
    /// A PostgreSQL database and the schema within it that is this city's.
    Postgres {
        /// `postgres://user@host/db`.
        url: String,
        /// Such as `city_430100`.
        schema: String,
    },
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Config {
    /// Engine and place.
    pub engine: Engine,
    /// Run units of work on the calling thread (simulation, unit tests; SQLite only).
    pub inline: bool,
}

/// The store of one city; cheap to clone.
#[derive(Clone)]
pub struct Store {}

/// One transaction. Everything that a unit of work does goes through it.
pub struct Tx<'a> {
    /// Name of the unit of work, written into the `tx` column of every row.
    pub name: &'static str,
    inner: &'a mut (),
}

impl Tx<'_> {
    /// All rows.
    pub fn all(&mut self, stmt: &Stmt, params: &[Value]) -> Result<Vec<Row>> {
        let _ = (stmt, params, &self.inner);
        unimplemented!()
    }

    /// The first row, if there is one.
    pub fn one(&mut self, stmt: &Stmt, params: &[Value]) -> Result<Option<Row>> {
        Ok(self.all(stmt, params)?.into_iter().next())
    }

    /// Runs a statement and counts the rows that it changed.
    pub fn run(&mut self, stmt: &Stmt, params: &[Value]) -> Result<u64> {
        let _ = (stmt, params);
        unimplemented!()
    }

    /// Runs a series of writes in one round trip.
    pub fn run_all(&mut self, batch: &[(&Stmt, Vec<Value>)]) -> Result<()> {
        let _ = batch;
        unimplemented!()
    }
}

impl Store {
    /// Opens the store and brings the schema up to date. `schemas` is every crate's, in order.
    pub async fn open(config: &Config, schemas: &[Schema]) -> Result<Store> {
        let _ = (config, schemas);
        unimplemented!()
    }

    /// Runs a unit of work in one transaction; it may run twice and must have no outside effect.
    pub async fn write<T, F>(&self, name: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let _ = (name, work);
        unimplemented!()
    }

    /// Runs reads; each statement sees what was committed when it began.
    pub async fn read<T, F>(&self, name: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let _ = (name, work);
        unimplemented!()
    }

    /// Runs reads over one consistent view.
    pub async fn read_snapshot<T, F>(&self, name: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let _ = (name, work);
        unimplemented!()
    }

    /// Finishes what waits and closes the database.
    pub async fn close(self) {}
}
