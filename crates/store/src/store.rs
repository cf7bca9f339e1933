//! The store of one city and how it is opened.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tb_base::{Error, Fault, Result};
use tb_telemetry::metrics::{Metric, Metrics};
use tb_telemetry::trace::TARGET;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::damage::Pages;
use crate::held::Held;
use crate::migrate::Standing;
use crate::postgres::{Beginning, Workers};
use crate::sqlite::{Connection, Threads, View, look_at_pages, read_one, write_one};
use crate::unit::{Moment, Onlooker, Unit, Watch, erase};
use crate::writes::{Writes, Written};
use crate::{Schema, Sealer, Stmt, Tx, damage, leases, migrate, postgres, stmt};

/// Units of work that may wait at once; more wait without a place in the queue.
const WAITING_MAX: usize = 1_024;
/// How often a store that is to be closed is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// Units of work by name: names are constants of the program.
static UNITS: Metric = Metric {
    name: "tongban_store_unit_seconds",
    help: "Units of work of the store by kind, name and outcome, waiting included.",
    labels: &["kind", "unit", "outcome"],
};

/// Where the data lies.
#[derive(Clone, Debug)]
pub enum Engine {
    /// One file, WAL, `synchronous=FULL`. `:memory:` for tests with `inline`.
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

impl Config {
    /// A database in memory that runs on the calling thread: for tests and simulation.
    pub fn memory() -> Config {
        Config { engine: Engine::Sqlite(PathBuf::from(MEMORY)), inline: true }
    }
}

const MEMORY: &str = ":memory:";

const ANSWERS: Stmt = stmt("store.answers", "SELECT CAST(1 AS BIGINT) AS one");

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[ANSWERS];

/// The store of one city; cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    // Order matters: the threads end before the folder is given free.
    executor: Executor,
    waiting: Semaphore,
    used: Use,
    sealer: OnceLock<Arc<Sealer>>,
    watch: OnceLock<Watch>,
    written: Arc<Written>,
    metrics: OnceLock<Metrics>,
    _lock: Option<Held>,
}

/// What a store was opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Reads and writes.
    Full,
    /// Reads alone.
    Look,
}

enum Executor {
    Inline(Mutex<Connection>),
    Sqlite(Threads),
    Postgres(Workers),
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// Opens the store and brings the schema up to date. `schemas` is every crate's, in order.
    ///
    /// Refuses a store that is seen to be damaged. Leases of a process that is gone end here.
    pub async fn open(config: &Config, schemas: &[Schema]) -> Result<Store> {
        let schemas = migrate::with_own(schemas);
        let (executor, lock, beginning) = match &config.engine {
            Engine::Sqlite(path) => {
                let (executor, lock) = open_sqlite(path, config.inline, &schemas)?;
                (executor, lock, Some(Beginning::sole()))
            }
            Engine::Postgres { .. } if config.inline => {
                return Err(Fault::new("opening the store: only SQLite runs inline").into());
            }
            Engine::Postgres { url, schema } => {
                let (workers, beginning) = postgres::open(url, schema, schemas).await?;
                (Executor::Postgres(workers), None, beginning)
            }
        };
        let store = Store::over(executor, lock, Use::Full);
        if let Engine::Postgres { schema, .. } = &config.engine {
            damage::check_log_of_schema(&store, schema).await?;
        }
        if let Some(beginning) = beginning {
            store.write("store.begin", leases::end_all).await?;
            // Only now others come on: what they take is theirs.
            drop(beginning);
        }
        Ok(store)
    }

    fn over(executor: Executor, lock: Option<Held>, used: Use) -> Store {
        let waiting = Semaphore::new(WAITING_MAX);
        let (sealer, watch, metrics) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        let written = Arc::default();
        Store {
            inner: Arc::new(Inner { executor, waiting, used, sealer, watch, written, metrics, _lock: lock }),
        }
    }

    /// A store to read from beside whoever runs on it: takes nothing, migrates nothing, checks nothing, writes nothing.
    pub async fn look(config: &Config) -> Result<Store> {
        let executor = match &config.engine {
            Engine::Sqlite(path) if path.is_file() => Executor::Inline(Mutex::new(Connection::look(path)?)),
            Engine::Sqlite(path) => {
                return Err(Fault::new(format!("looking at {}: it is not there", path.display())).into());
            }
            Engine::Postgres { url, schema } => Executor::Postgres(postgres::look(url, schema)?),
        };
        Ok(Store::over(executor, None, Use::Look))
    }

    /// How the pages of a store's file look, beside whoever runs on it, as a start looks at them. PostgreSQL looks at
    /// its own; of a file that is not there nothing is wrong.
    pub async fn pages(config: &Config, within: Duration) -> Result<Pages> {
        let Engine::Sqlite(path) = &config.engine else { return Ok(Pages::Sound) };
        if !path.is_file() {
            return Ok(Pages::Sound);
        }
        let (path, (tell, told)) = (path.clone(), oneshot::channel());
        // A look at a large file takes a while, which a runtime thread should not.
        crate::sqlite::spawn("store-pages", move || drop(tell.send(look_at_pages(&path, within))))?;
        told.await.map_err(|error| Fault::of("looking at the pages", error))?
    }

    /// Whether the database answers a question, however small.
    pub async fn answers(&self) -> Result<()> {
        self.read("store.answers", |tx| tx.one(&ANSWERS, &[]).map(drop)).await
    }

    /// What is wrong with the store's log as a start sees it; nothing where all is well.
    pub async fn damage(&self) -> Result<Option<String>> {
        self.read_snapshot("store.damage", damage::what_is_wrong).await
    }

    /// How a store stands to these schemas, without changing it or taking it.
    pub async fn standing(config: &Config, schemas: &[Schema]) -> Result<Standing> {
        match &config.engine {
            // Opening would make the file.
            Engine::Sqlite(path) if !path.is_file() => {
                let nothing = Connection::open(Path::new(MEMORY))?;
                migrate::look(schemas, &mut |unit| read_one(&nothing, unit, View::Latest))
            }
            Engine::Sqlite(path) => {
                let connection = Connection::look(path)?;
                migrate::look(schemas, &mut |unit| read_one(&connection, unit, View::Latest))
            }
            Engine::Postgres { url, schema } => postgres::standing(url, schema, schemas.to_vec()).await,
        }
    }

    /// From now on what messages say lies sealed in outbox and inbox; the first sealer stays.
    pub fn seal_messages(&self, sealer: Sealer) {
        let _ = self.inner.sealer.set(Arc::new(sealer));
    }

    /// From now on every write is looked on at; the first watch stays. For drills and simulation.
    pub fn watch(&self, watch: Watch) {
        let _ = self.inner.watch.set(watch);
    }

    /// Tells of every write of this process that is committed: whoever waits for rows need not look before.
    pub fn writes(&self) -> Writes {
        Writes::new(self.inner.written.clone())
    }

    /// Whether other processes may write into the same database, of which [`Store::writes`] tells nothing.
    pub fn is_shared(&self) -> bool {
        match self.inner.executor {
            Executor::Inline(_) | Executor::Sqlite(_) => false,
            Executor::Postgres(_) => true,
        }
    }

    /// From now on units are counted by name and timed; the first metrics stay.
    pub fn measure(&self, metrics: Metrics) {
        let _ = self.inner.metrics.set(metrics);
    }

    /// Runs a unit of work in one transaction; it may run twice and must have no outside effect.
    ///
    /// Two units that change the same row run one after the other on both engines. A rule over several rows
    /// needs a unique key, or a row that every unit under the rule changes, be it only by `version = version + 1`.
    /// To lock it is not enough: on PostgreSQL a unit that waited for a lock goes on with what it saw before, and
    /// runs again only where the row was changed.
    pub async fn write<T, F>(&self, name: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        if self.inner.used == Use::Look {
            return Err(Fault::new(format!("running {name}: this store is only looked at")).into());
        }
        let (watch, written) = (self.inner.watch.get().cloned(), self.inner.written.clone());
        let wants_it_alone = watch.is_some();
        let tell: Watch = Arc::new(move |name, moment| {
            let lives = watch.as_ref().is_none_or(|watch| watch(name, moment));
            if lives && moment == Moment::After {
                written.add();
            }
            lives
        });
        let onlooker = Onlooker { watch: tell, wants_it_alone };
        self.measured("write", name, self.submit(name, Some(onlooker), work, write_on)).await
    }

    /// Runs reads; each statement sees what was committed when it began.
    pub async fn read<T, F>(&self, name: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let latest = |executor: &Executor, unit: Box<dyn Unit>| read_on(executor, unit, View::Latest);
        self.measured("read", name, self.submit(name, None, work, latest)).await
    }

    /// Runs reads over one consistent view.
    pub async fn read_snapshot<T, F>(&self, name: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let snapshot = |executor: &Executor, unit: Box<dyn Unit>| read_on(executor, unit, View::Snapshot);
        self.measured("read", name, self.submit(name, None, work, snapshot)).await
    }

    /// Finishes what waits and closes the database, if no other clone is in use.
    pub async fn close(self) {
        // Joining threads blocks, which a runtime thread should not.
        let (done, closed) = oneshot::channel();
        let closing = crate::sqlite::spawn("store-close", move || {
            drop(self);
            let _ = done.send(());
        });
        if closing.is_ok() {
            drop(closed.await);
        }
    }

    /// The same for a process that ends: what still holds a clone has so long to let it go, because only the last
    /// one folds the log of writes into the file.
    pub async fn close_last(self, within: Duration) {
        let alone = async {
            while 1 < Arc::strong_count(&self.inner) {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        if tokio::time::timeout(within, alone).await.is_err() {
            tracing::warn!(
                "the store is still in use; its log of writes stays beside it until the next start"
            );
        }
        self.close().await;
    }

    /// A unit as operators see it: a span of its act, and how long it took.
    async fn measured<T>(
        &self,
        kind: &'static str,
        name: &'static str,
        unit: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let span = tracing::info_span!(target: TARGET, "store", otel.name = name, unit = kind);
        let begun = Instant::now();
        let outcome = unit.instrument(span).await;
        if let Some(metrics) = self.inner.metrics.get() {
            let said = match &outcome {
                Ok(_) => "ok",
                Err(Error::Refused(_)) => "refused",
                Err(Error::Violation(_)) => "violation",
                Err(Error::Fault(_)) => "fault",
            };
            metrics.time(&UNITS, &[kind, name, said], begun.elapsed());
        }
        outcome
    }

    async fn submit<T, F>(
        &self,
        name: &'static str,
        onlooker: Option<Onlooker>,
        mut work: F,
        hand: fn(&Executor, Box<dyn Unit>),
    ) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let closed = || Fault::new(format!("running {name}: the store is closed"));
        let _place = self.inner.waiting.acquire().await.map_err(|_| closed())?;
        let sealer = self.inner.sealer.get().cloned();
        let (unit, answer) = erase(name, onlooker, move |tx| {
            tx.sealing(sealer.clone());
            work(tx)
        });
        hand(&self.inner.executor, unit);
        answer.await.map_err(|_| closed())?
    }
}

/// Removes a city's schema from a PostgreSQL database with everything in it; nothing may be open on it.
pub async fn drop_schema(url: &str, schema: &str) -> Result<()> {
    postgres::drop_schema(url, schema).await
}

fn write_on(executor: &Executor, unit: Box<dyn Unit>) {
    match executor {
        Executor::Inline(connection) => write_one(&locked(connection), unit),
        Executor::Sqlite(threads) => threads.write(unit),
        Executor::Postgres(workers) => workers.write(unit),
    }
}

fn read_on(executor: &Executor, unit: Box<dyn Unit>, view: View) {
    match executor {
        Executor::Inline(connection) => read_one(&locked(connection), unit, view),
        Executor::Sqlite(threads) => threads.read(unit, view),
        Executor::Postgres(workers) => workers.read(unit, view),
    }
}

fn locked(connection: &Mutex<Connection>) -> std::sync::MutexGuard<'_, Connection> {
    match connection.lock() {
        Ok(connection) => connection,
        Err(poisoned) => poisoned.into_inner(),
    }
}

fn open_sqlite(path: &Path, inline: bool, schemas: &[Schema]) -> Result<(Executor, Option<Held>)> {
    let in_memory = path == Path::new(MEMORY);
    if in_memory && !inline {
        return Err(Fault::new("opening the store: a database in memory runs inline only").into());
    }
    let lock = if in_memory { None } else { Some(lock_folder(path)?) };
    if !in_memory {
        own_file(path)?;
    }
    let connection = Connection::open(path)?;
    damage::check_pages(&connection, path)?;
    migrate::on_sqlite(&connection, schemas)?;
    damage::check_log_of_file(&connection, path)?;
    connection.trust()?;
    let executor = if inline {
        Executor::Inline(Mutex::new(connection))
    } else {
        Executor::Sqlite(Threads::start(connection, path)?)
    };
    Ok((executor, lock))
}

/// A file that nobody else on the machine reads; SQLite gives its side files the same mode. One that is there keeps its.
fn own_file(path: &Path) -> Result<File> {
    let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
    opened.map_err(|error| Fault::of(format!("opening {}", path.display()), error).into())
}

/// Takes the data folder for this process: two writers on one file would each believe to be the only one.
pub(crate) fn lock_folder(path: &Path) -> Result<Held> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .map_err(|error| Fault::of(format!("making {}", folder.display()), error))?;
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = PathBuf::from(name);
    match Held::take(own_file(&lock)?) {
        Ok(held) => Ok(held),
        Err(TryLockError::WouldBlock) => Err(Fault::new(format!(
            "opening the data folder {}: another process uses it (it holds {}). Two at once would each believe to be \
             the only one: stop the other first, or leave it as it is, for the city runs already",
            folder.display(),
            lock.display()
        ))
        .into()),
        Err(TryLockError::Error(error)) => {
            Err(Fault::of(format!("locking {}", lock.display()), error).into())
        }
    }
}
