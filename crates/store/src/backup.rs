//! Backup and restore (备份与恢复): the whole store of a city in one file that either engine takes back.
//!
//! Invariants: an archive is one moment of the store, and its manifest holds the SHA-256 of every part;
//! a restored store appears whole and marked, or not at all. Personal data stays sealed, and no key is in it.

pub(crate) mod archive;
mod restore;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufWriter, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tb_base::{Fault, NodeId, Refusal, Result, Timestamp};
use tokio::sync::oneshot;

use crate::backup::archive::Writer;
use crate::held::Held;
use crate::sqlite::{Connection, spawn};
use crate::unit::Unit;
use crate::{Engine, Tx, Value, log, migrate, postgres, search};

pub use restore::{check, restore};

/// The number of the form that is written; a reader takes this one only.
pub const FORMAT: u32 = 1;

/// Whose backup it is.
#[derive(Clone, Debug)]
pub struct About {
    /// The city.
    pub city: NodeId,
    /// Its region.
    pub region: String,
    /// The moment.
    pub now: Timestamp,
}

/// What an archive holds (备份清单).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The city whose store it is.
    pub city: NodeId,
    /// Its region.
    pub region: String,
    /// The engine that it was taken from: `sqlite` or `postgres`.
    pub engine: String,
    /// When it was taken, by the city's clock.
    pub taken: Timestamp,
    /// The migrations that had landed: owner, name and SHA-256.
    pub migrations: Vec<(String, String, String)>,
    /// How many leaves of the log had an index.
    pub log_size: u64,
    /// The newest checkpoint with its cosignatures, if there was one.
    pub checkpoint: Option<String>,
    /// The parts, one for each table.
    pub parts: Vec<Part>,
}

/// One table in an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The table.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// SHA-256 of these bytes, in hex.
    pub sha256: String,
}

/// Why tables are opened as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To read one moment of all of them.
    Snapshot,
    /// To fill them.
    Load,
}

/// All tables of a store, whatever its engine.
pub(crate) trait Tables {
    /// Begins the one transaction.
    fn begin(&mut self, purpose: Purpose) -> Result<()>;
    /// Commits what was loaded; a row that refers to none is a violation.
    fn commit(&mut self) -> Result<()>;
    /// The tables that go through an archive as they are, in the order in which they were made.
    fn names(&mut self) -> Result<Vec<String>>;
    /// The columns of a table.
    fn columns(&mut self, table: &str) -> Result<Vec<String>>;
    /// Hands over the rows of a query one by one.
    fn each(&mut self, sql: &str, take: &mut dyn FnMut(Vec<Value>) -> Result<()>) -> Result<()>;
    /// Removes the rows of a table.
    fn empty(&mut self, table: &str) -> Result<()>;
    /// Puts rows into a table.
    fn load(&mut self, table: &str, columns: &[String], rows: &[Vec<Value>]) -> Result<()>;
    /// The transaction, for statements of this crate.
    fn tx(&mut self) -> Tx<'_>;
    /// Runs one unit in a transaction of its own.
    fn unit(&mut self, unit: Box<dyn Unit>);
}

/// Writes a backup while the node runs: on a connection of its own, and as of one moment.
///
/// The file appears under its name when it is complete; one that is there already stays.
pub async fn back_up(engine: &Engine, about: &About, to: &Path) -> Result<Manifest> {
    if to.exists() {
        return Err(there_already(to).into());
    }
    let partial = beside(to, ".partial");
    let claim = Arc::new(claim(&partial, to)?);
    let (out, about) = (Arc::clone(&claim), about.clone());
    let written = match engine {
        Engine::Sqlite(path) => {
            if !path.is_file() {
                return Err(Fault::new(format!("opening {}: there is no such file", path.display())).into());
            }
            let path = path.clone();
            apart("store-backup", move || write(&mut Connection::open(&path)?, "sqlite", &about, &out)).await
        }
        Engine::Postgres { url, schema } => {
            postgres::with_session(url, schema, "store-backup", move |session| {
                write(session, "postgres", &about, &out)
            })
            .await
        }
    };
    let named = written.and_then(|manifest| name_once(&partial, to).map(|()| manifest));
    // Whether it has its name now or is of no use: that it cannot be removed changes nothing.
    drop(std::fs::remove_file(&partial));
    // The name is free for the next one only after that.
    drop(claim);
    named
}

/// A file that only one process writes at a time; what a process that was killed left there is overwritten.
fn claim(partial: &Path, to: &Path) -> Result<Held> {
    loop {
        let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(partial);
        let file = opened.map_err(|error| Fault::of(format!("making {}", partial.display()), error))?;
        let file = match Held::take(file) {
            Ok(held) => held,
            Err(TryLockError::WouldBlock) => return Err(being_written(to).into()),
            Err(TryLockError::Error(error)) => {
                return Err(Fault::of(format!("locking {}", partial.display()), error).into());
            }
        };
        // Whoever had it before may have removed it between our two steps: then this is no file of that name.
        let (Ok(ours), Ok(named)) = (file.metadata(), std::fs::metadata(partial)) else { continue };
        if (ours.dev(), ours.ino()) != (named.dev(), named.ino()) {
            continue;
        }
        if ours.len() == 0 {
            return Ok(file);
        }
        // Not emptied but left: it may be an archive that has another name, too.
        let left = std::fs::remove_file(partial);
        left.map_err(|error| Fault::of(format!("removing {}", partial.display()), error))?;
    }
}

fn write(tables: &mut impl Tables, engine: &str, about: &About, out: &File) -> Result<Manifest> {
    tables.begin(Purpose::Snapshot)?;
    let names = tables.names()?;
    if names.is_empty() {
        return Err(Fault::new("backing up: there is no store of this city").into());
    }
    let mut writer = Writer::begin(BufWriter::new(out))?;
    let mut parts = Vec::new();
    for name in names {
        let columns = tables.columns(&name)?;
        let sql = format!("SELECT {} FROM {name}", columns.join(", "));
        parts.push(part(tables, &mut writer, &name, columns, &sql)?);
    }
    let sql = search::dump(tables.tx().is_postgres());
    parts.push(part(tables, &mut writer, search::PART, search::columns(), sql)?);
    let mut tx = tables.tx();
    let manifest = Manifest {
        format: FORMAT,
        city: about.city,
        region: about.region.clone(),
        engine: engine.to_owned(),
        taken: about.now,
        migrations: migrate::landed(&mut tx)?,
        log_size: log::size(&mut tx)?,
        checkpoint: log::latest(&mut tx)?.map(|latest| latest.cosigned_note()),
        parts,
    };
    let mut buffered = writer.finish(&manifest)?;
    let flushed = buffered.flush().and_then(|()| out.sync_all());
    flushed.map_err(|error| Fault::of("writing the archive", error))?;
    Ok(manifest)
}

fn part(
    tables: &mut impl Tables,
    writer: &mut Writer<impl Write>,
    name: &str,
    columns: Vec<String>,
    sql: &str,
) -> Result<Part> {
    writer.part(name, columns)?;
    tables.each(sql, &mut |row| writer.row(&row))?;
    writer.end_part()
}

/// Does blocking work on a thread of its own.
async fn apart<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (done, outcome) = oneshot::channel();
    let handle = spawn(name, move || drop(done.send(work())))?;
    let outcome = outcome.await.map_err(|error| Fault::of(format!("running {name}"), error))?;
    drop(handle.join());
    outcome
}

/// A file that nobody else on the machine reads; what an attempt before left there is overwritten.
fn private_file(path: &Path) -> Result<File> {
    let opened = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path);
    opened.map_err(|error| Fault::of(format!("making {}", path.display()), error).into())
}

/// Gives a complete archive its name, unless another one has it, and makes that last.
fn name_once(from: &Path, to: &Path) -> Result<()> {
    match std::fs::hard_link(from, to) {
        Ok(()) => keep_names(to),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(there_already(to).into()),
        // A file system without such links, as on some network shares: whoever writes this name has claimed it.
        Err(_) if to.exists() => Err(there_already(to).into()),
        Err(_) => settle(from, to),
    }
}

/// Gives a complete file its name, and makes that last.
fn settle(from: &Path, to: &Path) -> Result<()> {
    let named = std::fs::rename(from, to);
    named.map_err(|error| Fault::of(format!("naming {}", to.display()), error))?;
    keep_names(to)
}

/// Makes the names of a folder last.
fn keep_names(of: &Path) -> Result<()> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let kept = File::open(folder).and_then(|folder| folder.sync_all());
    kept.map_err(|error| Fault::of(format!("naming {}", of.display()), error).into())
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn being_written(path: &Path) -> Refusal {
    let path = path.display();
    Refusal::not_now(
        "STO-RES-003",
        format!("另一进程正在写 {path} 的备份"),
        format!("Another process is writing a backup to {path}"),
    )
    .but("请等其完成，或使用其他文件名", "Wait until it is done, or use another name")
}

fn there_already(path: &Path) -> Refusal {
    let path = path.display();
    Refusal::not_now(
        "STO-RES-002",
        format!("{path} 已有数据，不覆盖"),
        format!("{path} holds data already, and nothing is overwritten"),
    )
    .but("请先把原有数据移到别处", "Move what is there to another place first")
}
