//! SQLite (嵌入式存储): one writer thread that commits waiting units together, and several readers.
//!
//! Invariant: a caller of `write` gets its answer after the fsync of the batch that holds its unit.
//! A unit that fails or panics undoes its own savepoint only.

mod bulk;
mod queue;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tb_base::{Error, Fault, Refusal, Result, Violation};

use self::queue::Queue;
use crate::damage::{Pages, damaged};
use crate::tx::{Access, Link};
use crate::unit::Unit;
use crate::{Row, Stmt, Tx, Value};

/// Units that one COMMIT covers at the most.
const BATCH_UNITS_MAX: usize = 256;
/// Reader threads, each with its own connection.
const READERS: usize = 4;
/// Prepared statements that a connection keeps.
const STATEMENTS_MAX: usize = 512;
const BUSY_TIMEOUT_MILLIS: u64 = 5_000;
/// The writer keeps up to 64 MiB of pages, so that it need not read what it changes, and carries the log over into
/// the file each 128 MiB: keys such as hashes touch the same pages again and again, which are then carried over once.
/// More would save little and cost disk, and time at the start after a crash, when the log is read once.
const WRITER: &str = "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 32768";
/// How SQLite begins what it found.
const HEADING: &str = "*** in database main ***";
const READER: &str = "PRAGMA query_only = ON";
/// So long a start looks for damage; a city is to be back within five seconds.
pub(crate) const CHECK_AT_START: Duration = Duration::from_millis(1_500);

/// A connection with its prepared statements.
pub(crate) struct Connection {
    inner: rusqlite::Connection,
    /// What is known of a statement, by the address and length of its text, which is static.
    known: RefCell<HashMap<(usize, usize), Arc<Known>>>,
}

/// What does not change between two runs of a statement.
struct Known {
    /// Names of the columns that it gives.
    columns: Arc<[String]>,
    /// Where `$1`, `$2` and so on are bound.
    places: Vec<usize>,
}

impl Connection {
    /// Opens the file for writing; `:memory:` is a database that ends with the connection.
    pub(crate) fn open(path: &Path) -> Result<Connection> {
        Connection::connect(path).map_err(|error| opening(path, error))
    }

    fn connect(path: &Path) -> rusqlite::Result<Connection> {
        // Without a log of writes there is nothing that closing could fold into the file.
        let has_log = beside(path, "-wal").is_file();
        let inner = rusqlite::Connection::open(path)?;
        inner.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log)?;
        inner.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        inner.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MILLIS))?;
        inner.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;",
        )?;
        Ok(Connection { inner, known: RefCell::default() })
    }

    /// Opens the file for reading beside whoever writes, or when nobody does: file and log of writes stay as they are.
    pub(crate) fn look(path: &Path) -> Result<Connection> {
        Connection::connect_to_look(path).map_err(|error| opening(path, error))
    }

    /// Not as an immutable file, for its owner may start at any moment; the shared index beside it may be made anew.
    fn connect_to_look(path: &Path) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let inner = rusqlite::Connection::open_with_flags(path, flags)?;
        inner.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        inner.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MILLIS))?;
        // A first read, so that a file which makes no sense is told as such.
        inner.execute_batch("PRAGMA trusted_schema = OFF; SELECT COUNT(*) FROM sqlite_master;")?;
        inner.execute_batch(READER)?;
        Ok(Connection { inner, known: RefCell::default() })
    }

    /// From now on the last connection folds the log of writes into the file when it closes; before, a file that is
    /// found to be damaged stays as it was found, and so does the log beside it.
    pub(crate) fn trust(&self) -> Result<()> {
        let set = self.inner.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
        set.map(drop).map_err(|error| failed("store.trust", error))
    }

    /// The same, for a reader thread.
    pub(crate) fn open_reader(path: &Path) -> Result<Connection> {
        let connection = Connection::open(path)?;
        connection.batch("store.reader", READER)?;
        Ok(connection)
    }

    /// Runs statements that give no rows.
    pub(crate) fn batch(&self, name: &'static str, sql: &str) -> Result<()> {
        self.inner.execute_batch(sql).map_err(|error| failed(name, error))
    }

    /// All rows of a statement.
    pub(crate) fn all(&self, stmt: &Stmt, params: &[Value]) -> Result<Vec<Row>> {
        self.query(stmt, params).map_err(|error| failed(stmt.name, error))
    }

    /// Runs a statement and counts the rows that it changed.
    pub(crate) fn run(&self, stmt: &Stmt, params: &[Value]) -> Result<u64> {
        self.execute(stmt, params).map_err(|error| failed(stmt.name, error))
    }

    /// What SQLite finds wrong with tables and indexes in that time.
    pub(crate) fn pages(&self, within: Duration) -> Pages {
        let handle = self.inner.get_interrupt_handle();
        let (done, finished) = channel::<()>();
        let timer = spawn("store-check", move || {
            if finished.recv_timeout(within) == Err(RecvTimeoutError::Timeout) {
                handle.interrupt();
            }
        });
        let found = self.inner.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
        drop(done);
        if let Ok(timer) = timer {
            drop(timer.join());
        }
        match found {
            Ok(said) if said == "ok" => Pages::Sound,
            Ok(said) => Pages::Damaged(said.trim_start_matches(HEADING).trim().replace('\n', "; ")),
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) => {
                Pages::Unfinished
            }
            Err(error) => Pages::Damaged(error.to_string()),
        }
    }

    /// Prepares a statement and says what is wrong with it.
    pub(crate) fn check(&self, stmt: &Stmt) -> std::result::Result<(), String> {
        self.inner.prepare(portable(stmt.sql)).map(drop).map_err(|error| error.to_string())
    }

    fn query(&self, stmt: &Stmt, params: &[Value]) -> rusqlite::Result<Vec<Row>> {
        let mut prepared = self.inner.prepare_cached(portable(stmt.sql))?;
        let known = self.known(stmt, &prepared)?;
        bind(&mut prepared, &known, params)?;
        let mut rows = prepared.raw_query();
        let mut answer = Vec::new();
        while let Some(row) = rows.next()? {
            let mut values = Vec::with_capacity(known.columns.len());
            for at in 0..known.columns.len() {
                values.push(value(row.get_ref(at)?));
            }
            answer.push(Row { columns: Arc::clone(&known.columns), values });
        }
        Ok(answer)
    }

    fn execute(&self, stmt: &Stmt, params: &[Value]) -> rusqlite::Result<u64> {
        let mut prepared = self.inner.prepare_cached(portable(stmt.sql))?;
        let known = self.known(stmt, &prepared)?;
        bind(&mut prepared, &known, params)?;
        prepared.raw_execute().map(|count| count as u64)
    }

    fn known(&self, stmt: &Stmt, prepared: &rusqlite::Statement<'_>) -> rusqlite::Result<Arc<Known>> {
        let key = (stmt.sql.as_ptr() as usize, stmt.sql.len());
        if let Some(known) = self.known.borrow().get(&key) {
            return Ok(Arc::clone(known));
        }
        let columns = prepared.column_names().map(str::to_owned).collect();
        let places = (1..=prepared.parameter_count()).map(|number| place(prepared, number));
        let known = Arc::new(Known { columns, places: places.collect::<rusqlite::Result<_>>()? });
        self.known.borrow_mut().insert(key, Arc::clone(&known));
        Ok(known)
    }
}

/// SQLite knows no row locks and needs none: there is one writer.
fn portable(sql: &str) -> &str {
    let sql = sql.trim_end();
    let sql = sql.strip_suffix("SKIP LOCKED").map_or(sql, str::trim_end);
    sql.strip_suffix("FOR UPDATE").unwrap_or(sql)
}

/// To SQLite `$2` is a name, numbered by where it first stands.
fn place(prepared: &rusqlite::Statement<'_>, number: usize) -> rusqlite::Result<usize> {
    let name = format!("${number}");
    let at = prepared.parameter_index(&name)?;
    at.ok_or(rusqlite::Error::InvalidParameterName(name))
}

fn bind(prepared: &mut rusqlite::Statement<'_>, known: &Known, params: &[Value]) -> rusqlite::Result<()> {
    if known.places.len() != params.len() {
        return Err(rusqlite::Error::InvalidParameterCount(params.len(), known.places.len()));
    }
    for (at, param) in known.places.iter().zip(params) {
        prepared.raw_bind_parameter(*at, param)?;
    }
    Ok(())
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Float(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn value(stored: ValueRef<'_>) -> Value {
    match stored {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Float(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

/// Looks at the pages of a file beside whoever runs on it, and leaves everything as it is.
pub(crate) fn look_at_pages(path: &Path, within: Duration) -> Result<Pages> {
    let connection = match Connection::connect_to_look(path) {
        Ok(connection) => connection,
        Err(error) if makes_no_sense(&error) => return Ok(Pages::Damaged(error.to_string())),
        Err(error) => return Err(opening(path, error)),
    };
    Ok(connection.pages(within))
}

/// A file whose first pages make no sense is damaged; anything else is a fault of the moment.
fn opening(path: &Path, error: rusqlite::Error) -> Error {
    if makes_no_sense(&error) {
        return damaged(path.display(), error);
    }
    Fault::of(format!("opening {}", path.display()), error).into()
}

fn makes_no_sense(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

/// A file that SQLite keeps beside the database.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// A duplicate is a refusal, another broken constraint a violation, the rest a fault.
fn failed(name: &'static str, error: rusqlite::Error) -> Error {
    use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
    match error.sqlite_error() {
        Some(code)
            if [SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE].contains(&code.extended_code) =>
        {
            exists_already().into()
        }
        Some(code) if code.code == rusqlite::ErrorCode::ConstraintViolation => {
            Violation::new("inconsistent", name, error.to_string()).into()
        }
        Some(code) if code.code == rusqlite::ErrorCode::DiskFull || is_refused_room(code) => {
            no_room(name, error).into()
        }
        Some(_) | None => Fault::of(format!("running {name}"), error).into(),
    }
}

/// A write that the system cut off: a quota or a largest size of files is as good as a full disk.
fn is_refused_room(code: &rusqlite::ffi::Error) -> bool {
    code.extended_code == rusqlite::ffi::SQLITE_IOERR_WRITE
}

/// A fault and not a refusal: whoever waits for this city tries again, and nothing that was acknowledged is gone.
fn no_room(name: &str, error: rusqlite::Error) -> Fault {
    let doing = "there is no room on the disk for the data: make room, the city goes on by itself";
    Fault::of(format!("running {name}: {doing}"), error)
}

/// What a unique key says when somebody was first.
pub(crate) fn exists_already() -> Refusal {
    Refusal::conflict(
        "STO-CON-001",
        "该记录已经存在，可能刚刚由他人办理",
        "The record exists already; somebody may have just made it",
    )
    .but("请刷新页面后查看最新情况", "Reload the page to see how things stand")
}

/// Threads that own the connections of one file.
pub(crate) struct Threads {
    writes: Option<Sender<Box<dyn Unit>>>,
    reads: Arc<Queue>,
    writer: Option<JoinHandle<()>>,
    readers: Vec<JoinHandle<()>>,
}

/// What a read sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// Each statement what was committed when it began.
    Latest,
    /// All statements the same.
    Snapshot,
}

impl Threads {
    /// Starts the writer on its connection and opens the readers.
    pub(crate) fn start(writer: Connection, path: &Path) -> Result<Threads> {
        writer.batch("store.writer", WRITER)?;
        let (writes, units) = channel();
        let reads = Arc::new(Queue::default());
        let writer = spawn("store-writer", move || write_loop(&writer, &units))?;
        let mut readers = Vec::new();
        for _ in 0..READERS {
            let reader = Connection::open_reader(path)?;
            let queue = Arc::clone(&reads);
            readers.push(spawn("store-reader", move || read_loop(&reader, &queue))?);
        }
        Ok(Threads { writes: Some(writes), reads, writer: Some(writer), readers })
    }

    /// Hands a unit to the writer.
    pub(crate) fn write(&self, unit: Box<dyn Unit>) {
        let refused = match &self.writes {
            Some(writes) => writes.send(unit).err().map(|refused| refused.0),
            None => Some(unit),
        };
        if let Some(unit) = refused {
            unit.fail(Fault::new("writing: the store is closed"));
        }
    }

    /// Hands a unit to a reader.
    pub(crate) fn read(&self, unit: Box<dyn Unit>, view: View) {
        if let Some(unit) = self.reads.put(unit, view) {
            unit.fail(Fault::new("reading: the store is closed"));
        }
    }
}

impl Drop for Threads {
    /// Lets the threads finish what waits; a thread that drops the store itself is not waited for.
    ///
    /// The writer goes last: only the last connection folds the log of writes into the file, and a reader may not.
    fn drop(&mut self) {
        let me = std::thread::current().id();
        let join = |handle: JoinHandle<()>| {
            if handle.thread().id() != me {
                drop(handle.join());
            }
        };
        self.reads.close();
        self.readers.drain(..).for_each(join);
        self.writes = None;
        if let Some(writer) = self.writer.take() {
            join(writer);
        }
    }
}

/// Starts a named thread.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|error| Fault::of(format!("starting the thread {name}"), error).into())
}

fn write_loop(connection: &Connection, units: &Receiver<Box<dyn Unit>>) {
    while let Ok(first) = units.recv() {
        commit_together(connection, first, || units.try_recv().ok());
    }
}

/// Runs the first unit and whatever waits behind it, then commits once and answers all.
fn commit_together(
    connection: &Connection,
    first: Box<dyn Unit>,
    mut next: impl FnMut() -> Option<Box<dyn Unit>>,
) {
    let mut batch = Vec::new();
    let mut failure =
        connection.batch("store.begin", "BEGIN IMMEDIATE").err().map(|error| (error.to_string(), false));
    let mut waiting = Some(first);
    while let Some(mut unit) = waiting {
        if failure.is_none() && !unit.is_abandoned() {
            failure = run_one(connection, &mut *unit).err().map(|error| (error.to_string(), false));
        }
        let is_alone = unit.is_alone();
        batch.push(unit);
        let takes_more = !is_alone && batch.len() < BATCH_UNITS_MAX && failure.is_none();
        waiting = if takes_more { next() } else { None };
    }
    if failure.is_none() {
        failure = connection.batch("store.commit", "COMMIT").err().map(|error| (error.to_string(), true));
    }
    if failure.is_some() && !connection.inner.is_autocommit() {
        // Nothing more can be done if this fails too: the callers are told of the first failure.
        drop(connection.batch("store.rollback", "ROLLBACK"));
    }
    for unit in batch {
        match &failure {
            None => unit.settle(),
            Some((problem, is_commit)) => unit.fail(batch_fault(problem, *is_commit)),
        }
    }
}

fn batch_fault(problem: &str, is_commit: bool) -> Fault {
    let fault = Fault::new(format!("committing a batch: {problem}"));
    if is_commit { fault.unknown() } else { fault }
}

/// Runs a unit within its savepoint. An error means that the whole transaction is lost.
fn run_one(connection: &Connection, unit: &mut dyn Unit) -> Result<()> {
    const BEGIN: Stmt = crate::stmt("store.unit", "SAVEPOINT unit");
    const UNDO: Stmt = crate::stmt("store.unit.undo", "ROLLBACK TO SAVEPOINT unit");
    const END: Stmt = crate::stmt("store.unit.end", "RELEASE SAVEPOINT unit");
    connection.run(&BEGIN, &[])?;
    let keep = unit.run(&mut Tx::new(unit.name(), Link::Sqlite(connection), Access::Write));
    if connection.inner.is_autocommit() {
        return Err(Fault::new(format!("running {}: SQLite gave the transaction up", unit.name())).into());
    }
    if !keep {
        connection.run(&UNDO, &[])?;
    }
    connection.run(&END, &[]).map(drop)
}

fn read_loop(connection: &Connection, queue: &Queue) {
    let mut taken = Vec::new();
    while queue.take(READERS, &mut taken) {
        for (unit, view) in taken.drain(..) {
            read_one(connection, unit, view);
        }
    }
}

/// Runs a read and answers it.
pub(crate) fn read_one(connection: &Connection, mut unit: Box<dyn Unit>, view: View) {
    if unit.is_abandoned() {
        return;
    }
    let begun = match view {
        View::Latest => Ok(()),
        View::Snapshot => connection.batch("store.snapshot", "BEGIN"),
    };
    if let Err(error) = begun {
        return unit.fail(Fault::of("beginning a snapshot", error));
    }
    let _ = unit.run(&mut Tx::new(unit.name(), Link::Sqlite(connection), Access::Read));
    if !connection.inner.is_autocommit() {
        // A read has nothing to keep.
        drop(connection.batch("store.snapshot.end", "ROLLBACK"));
    }
    unit.settle();
}

/// Runs a write on the calling thread, commits and answers it.
pub(crate) fn write_one(connection: &Connection, unit: Box<dyn Unit>) {
    commit_together(connection, unit, || None);
}
