//! One session (会话连接): a client, its statements, and the state of the transaction in it.

mod bulk;
mod place;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tb_base::{Error, Fault, Result, Violation};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Statement};

pub(super) use place::Watched;

use super::types;
use crate::sqlite::exists_already;
use crate::{Row, Stmt, Value};

/// Prepared statements that a session keeps; past that it starts afresh.
const STATEMENTS_MAX: usize = 512;
const CONNECT_SECONDS_MAX: u64 = 10;
const GOODBYE_SECONDS_MAX: u64 = 1;

/// Where the data of one city lies.
#[derive(Clone)]
pub(crate) struct Place {
    config: Arc<Config>,
    /// Letters, digits and underscores only: it stands in statements as it is.
    schema: Arc<str>,
}

/// A session of one worker. Everything in it happens on the worker's thread.
pub(crate) struct Session {
    place: Place,
    runtime: Runtime,
    client: Option<Client>,
    /// Speaks for the client; ends when the client is dropped.
    connection: Option<JoinHandle<std::result::Result<(), tokio_postgres::Error>>>,
    statements: HashMap<&'static str, Known>,
    state: State,
    begin: &'static str,
    /// What made the unit fail in a way that running it again may mend.
    setback: Option<tokio_postgres::Error>,
    /// Spreads the pauses of workers that collided.
    jitter: u64,
}

/// A prepared statement and the column names of its rows.
#[derive(Clone)]
struct Known {
    statement: Statement,
    columns: Arc<[String]>,
}

/// Where the transaction of a unit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Statements run on their own.
    Loose,
    /// The next statement takes BEGIN with it.
    ToBegin,
    /// BEGIN was sent.
    Begun,
}

/// Each unit sees one moment, and one that changes a row changed since runs again: what two units read and then
/// write cannot get lost, as with the one writer of SQLite. SERIALIZABLE would also abort units that only add rows
/// to the same index page, which is what ids that sort by time do.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";
const BEGIN_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

impl Place {
    pub(crate) fn new(url: &str, schema: &str) -> Result<Place> {
        let good = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
        if schema.is_empty() || 63 < schema.len() || !schema.bytes().all(good) {
            return Err(Fault::new(format!("opening the store: {schema:?} is no name for a schema")).into());
        }
        let mut config: Config =
            url.parse().map_err(|error| Fault::of("reading the database address", error))?;
        config
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX))
            .application_name(format!("tongban {schema}"));
        Ok(Place { config: Arc::new(config), schema: schema.into() })
    }
}

impl Session {
    /// A session that connects at its first statement.
    pub(crate) fn new(place: Place, number: usize) -> Result<Session> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Fault::of("starting a session", error))?;
        Ok(Session {
            place,
            runtime,
            client: None,
            connection: None,
            statements: HashMap::new(),
            state: State::Loose,
            begin: BEGIN,
            setback: None,
            jitter: 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number as u64 + 1),
        })
    }

    /// Makes the schema and keeps other processes from migrating it until the session ends.
    pub(crate) fn prepare_schema(&mut self) -> Result<()> {
        let schema = Arc::clone(&self.place.schema);
        self.administer(&format!(
            "SELECT pg_advisory_lock(hashtextextended('tongban migrate {schema}', 0)); \
             CREATE SCHEMA IF NOT EXISTS {schema}"
        ))
    }

    /// Removes the schema and everything in it.
    pub(crate) fn drop_schema(&mut self) -> Result<()> {
        let schema = Arc::clone(&self.place.schema);
        self.administer(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE"))
    }

    fn administer(&mut self, sql: &str) -> Result<()> {
        self.connect().map_err(|error| Fault::of("connecting to PostgreSQL", error))?;
        let Session { place, runtime, client: Some(client), .. } = self else {
            return Err(Fault::new("connecting to PostgreSQL").into());
        };
        let outcome = runtime.block_on(client.batch_execute(sql));
        outcome.map_err(|error| Fault::of(format!("preparing the schema {}", place.schema), error).into())
    }

    /// The clock of deadlines; tells no civil time.
    pub(crate) fn now(&self) -> Instant {
        Instant::now()
    }

    /// A unit begins; nothing is sent yet.
    pub(crate) fn begin(&mut self, is_write: bool, is_snapshot: bool) {
        self.setback = None;
        self.begin = if is_snapshot { BEGIN_SNAPSHOT } else { BEGIN };
        self.state = if is_write || is_snapshot { State::ToBegin } else { State::Loose };
    }

    /// Why the unit must run again, if it must.
    pub(crate) fn take_setback(&mut self) -> Option<tokio_postgres::Error> {
        self.setback.take()
    }

    /// Commits or rolls back. An error on COMMIT leaves the outcome unknown.
    pub(crate) fn end(&mut self, keep: bool) -> std::result::Result<(), Fault> {
        if std::mem::replace(&mut self.state, State::Loose) != State::Begun {
            return Ok(());
        }
        let Session { runtime, client: Some(client), .. } = self else {
            return Ok(());
        };
        let sql = if keep { "COMMIT" } else { "ROLLBACK" };
        match runtime.block_on(client.batch_execute(sql)) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.disconnect();
                // A rollback that was not heard is none the less one.
                if keep { Err(Fault::of("committing", error).unknown()) } else { Ok(()) }
            }
        }
    }

    /// Gives the transaction up after a setback.
    pub(crate) fn abandon(&mut self) {
        let begun = std::mem::replace(&mut self.state, State::Loose) == State::Begun;
        let lost = self.client.as_ref().is_none_or(Client::is_closed);
        if lost {
            return self.disconnect();
        }
        let Session { runtime, client: Some(client), .. } = self else {
            return;
        };
        if begun && runtime.block_on(client.batch_execute("ROLLBACK")).is_err() {
            self.disconnect();
        }
    }

    /// Waits a little, longer with each try and not in step with other workers.
    pub(crate) fn pause(&mut self, tries: u32, millis_max: u64) {
        // xorshift64: spreads, and needs no source of randomness.
        self.jitter ^= self.jitter << 13;
        self.jitter ^= self.jitter >> 7;
        self.jitter ^= self.jitter << 17;
        let ceiling = 2_u64.saturating_pow(tries).min(millis_max).max(2);
        let pause = Duration::from_millis(1 + self.jitter % ceiling);
        self.runtime.block_on(async { tokio::time::sleep(pause).await });
    }

    /// Ends the session politely.
    pub(crate) fn close(mut self) {
        self.disconnect();
    }

    /// All rows of a statement.
    pub(crate) fn all(&mut self, stmt: &Stmt, params: &[Value]) -> Result<Vec<Row>> {
        let (columns, rows) = self.reach(stmt.name, |runtime, client, statements, opening| {
            let params = references(params);
            let answer = async {
                let known = known(client, statements, stmt.sql).await?;
                let rows = client.query(&known.statement, &params).await?;
                Ok((known.columns, rows))
            };
            runtime.block_on(after(client, opening, answer))
        })?;
        rows.iter().map(|row| row_of(stmt, &columns, row)).collect()
    }

    /// Runs a statement and counts the rows that it changed.
    pub(crate) fn run(&mut self, stmt: &Stmt, params: &[Value]) -> Result<u64> {
        self.reach(stmt.name, |runtime, client, statements, opening| {
            let params = references(params);
            let answer = async {
                let known = known(client, statements, stmt.sql).await?;
                client.execute(&known.statement, &params).await
            };
            runtime.block_on(after(client, opening, answer))
        })
    }

    /// Runs a statement that was put together for this engine; it is not kept.
    pub(crate) fn batch(&mut self, name: &'static str, sql: &str) -> Result<()> {
        self.reach(name, |runtime, client, _, opening| {
            runtime.block_on(after(client, opening, client.batch_execute(sql)))
        })
    }

    /// Runs writes without waiting for one before the next is sent.
    pub(crate) fn run_all(&mut self, batch: &[(&Stmt, Vec<Value>)]) -> Result<()> {
        let mut failed = 0;
        let answer = self.reach("store.batch", |runtime, client, statements, opening| {
            runtime.block_on(after(client, opening, send_all(client, statements, batch, &mut failed)))
        });
        match (answer, batch.get(failed)) {
            // The name of the statement says more than that of the batch.
            (Err(Error::Fault(fault)), Some((stmt, _))) => {
                Err(Fault::of(format!("running {}", stmt.name), fault).into())
            }
            (answer, _) => answer,
        }
    }

    /// Prepares a statement and says what is wrong with it.
    pub(crate) fn check(&mut self, stmt: &Stmt) -> std::result::Result<(), String> {
        self.connect().map_err(|error| error.to_string())?;
        let Session { runtime, client: Some(client), .. } = self else {
            return Err("not connected".to_owned());
        };
        let statement = runtime.block_on(client.prepare(stmt.sql)).map_err(|error| words(&error))?;
        if let Some(at) = statement.params().iter().position(|kind| !types::is_bindable(kind)) {
            return Err(format!(
                "parameter ${} is not of the four types; cast it to BIGINT, TEXT, BYTEA or DOUBLE PRECISION",
                at + 1
            ));
        }
        match statement.columns().iter().find(|column| !types::is_readable(column.type_())) {
            None => Ok(()),
            Some(column) => Err(format!("column {} is {}; cast it", column.name(), column.type_())),
        }
    }

    /// Connects where need be, takes note of BEGIN, and sorts the errors of the exchange.
    fn reach<T>(
        &mut self,
        name: &'static str,
        exchange: impl FnOnce(
            &Runtime,
            &Client,
            &mut HashMap<&'static str, Known>,
            Option<&'static str>,
        ) -> std::result::Result<T, tokio_postgres::Error>,
    ) -> Result<T> {
        if let Err(error) = self.connect() {
            return Err(self.failed(name, error));
        }
        let Session { runtime, client: Some(client), statements, state, begin, .. } = self else {
            return Err(Fault::new(format!("running {name}: there is no session")).into());
        };
        let opening = (*state == State::ToBegin).then_some(*begin);
        if opening.is_some() {
            *state = State::Begun;
        }
        exchange(runtime, client, statements, opening).map_err(|error| self.failed(name, error))
    }

    /// A session that was lost within a transaction is not replaced before the unit begins again.
    fn connect(&mut self) -> std::result::Result<(), tokio_postgres::Error> {
        if self.client.is_some() {
            return Ok(());
        }
        let (place, runtime) = (&self.place, &self.runtime);
        let (client, connection) = runtime.block_on(async {
            let (client, connection) = place.config.connect(NoTls).await?;
            let connection = tokio::spawn(connection);
            client
                .batch_execute(&format!(
                    "SET search_path TO {}; SET client_min_messages TO warning",
                    place.schema
                ))
                .await?;
            Ok::<_, tokio_postgres::Error>((client, connection))
        })?;
        self.client = Some(client);
        self.connection = Some(connection);
        Ok(())
    }

    fn disconnect(&mut self) {
        self.client = None;
        self.statements.clear();
        self.state = State::Loose;
        if let Some(connection) = self.connection.take() {
            // Gives the connection time to say goodbye; a server that does not listen is left.
            let goodbye =
                async { tokio::time::timeout(Duration::from_secs(GOODBYE_SECONDS_MAX), connection).await };
            drop(self.runtime.block_on(goodbye));
        }
    }

    /// Takes note of what running again may mend; a duplicate is a refusal, another broken constraint a violation.
    fn failed(&mut self, name: &'static str, error: tokio_postgres::Error) -> Error {
        let said = words(&error);
        let again = match error.code() {
            None => error.is_closed() || is_io(&error),
            Some(code) => is_passing(code) || is_stale(code, &said),
        };
        if again {
            if error.code().is_some_and(|code| is_stale(code, &said)) {
                self.statements.clear();
            }
            self.setback = self.setback.take().or(Some(error));
            return Fault::new(format!("running {name}: {said}")).into();
        }
        match error.code() {
            Some(code) if *code == SqlState::UNIQUE_VIOLATION => exists_already().into(),
            Some(code) if code.code().starts_with("23") => Violation::new("inconsistent", name, said).into(),
            // The error itself would quote values of the row in its details.
            Some(_) | None => Fault::new(format!("running {name}: {said}")).into(),
        }
    }
}

/// Conflicts of transactions and servers that go down or come up.
fn is_passing(code: &SqlState) -> bool {
    code.code().starts_with("08")
        || [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
        ]
        .contains(code)
}

/// Statements that the server knows no more, or whose tables changed.
fn is_stale(code: &SqlState, said: &str) -> bool {
    *code == SqlState::INVALID_SQL_STATEMENT_NAME
        || *code == SqlState::FEATURE_NOT_SUPPORTED && said.contains("cached plan")
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

/// What the server said, without values: its details would quote them.
fn words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => std::error::Error::source(error)
            .map_or_else(|| error.to_string(), |source| format!("{error}: {source}")),
    }
}

fn references(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}

/// Sends BEGIN where the transaction has yet to begin, and the statement right behind it.
async fn after<T>(
    client: &Client,
    opening: Option<&'static str>,
    answer: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
) -> std::result::Result<T, tokio_postgres::Error> {
    let Some(begin) = opening else {
        return answer.await;
    };
    // Biased: BEGIN is written before the statement, always.
    let (opened, answer) = tokio::join!(biased; client.batch_execute(begin), answer);
    opened.and(answer)
}

async fn known(
    client: &Client,
    statements: &mut HashMap<&'static str, Known>,
    sql: &'static str,
) -> std::result::Result<Known, tokio_postgres::Error> {
    if let Some(known) = statements.get(sql) {
        return Ok(known.clone());
    }
    if STATEMENTS_MAX <= statements.len() {
        statements.clear();
    }
    let statement = client.prepare(sql).await?;
    let columns = statement.columns().iter().map(|column| column.name().to_owned()).collect();
    let known = Known { statement, columns };
    statements.insert(sql, known.clone());
    Ok(known)
}

/// Sends all statements, then waits for all answers. `failed` becomes the place of the first that failed.
async fn send_all(
    client: &Client,
    statements: &mut HashMap<&'static str, Known>,
    batch: &[(&Stmt, Vec<Value>)],
    failed: &mut usize,
) -> std::result::Result<(), tokio_postgres::Error> {
    let mut prepared = Vec::with_capacity(batch.len());
    for (at, (stmt, params)) in batch.iter().enumerate() {
        *failed = at;
        prepared.push((known(client, statements, stmt.sql).await?, references(params)));
    }
    type Answer<'f> = Pin<Box<dyn Future<Output = std::result::Result<u64, tokio_postgres::Error>> + 'f>>;
    let mut waiting: Vec<Option<Answer<'_>>> = Vec::with_capacity(batch.len());
    for (known, params) in &prepared {
        waiting.push(Some(Box::pin(client.execute(&known.statement, params))));
    }
    let mut first: Option<(usize, tokio_postgres::Error)> = None;
    std::future::poll_fn(|context| {
        for (at, place) in waiting.iter_mut().enumerate() {
            let Some(answer) = place else { continue };
            let Poll::Ready(outcome) = answer.as_mut().poll(context) else { continue };
            *place = None;
            if let Err(error) = outcome {
                // Those behind the first failure fail too, and only say that the transaction is aborted.
                if first.as_ref().is_none_or(|(before, _)| at < *before) {
                    first = Some((at, error));
                }
            }
        }
        if waiting.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    match first {
        None => Ok(()),
        Some((at, error)) => {
            *failed = at;
            Err(error)
        }
    }
}

fn row_of(stmt: &Stmt, columns: &Arc<[String]>, row: &tokio_postgres::Row) -> Result<Row> {
    let values: std::result::Result<Vec<Value>, _> =
        (0..columns.len()).map(|at| types::value(row, at)).collect();
    match values {
        Ok(values) => Ok(Row { columns: Arc::clone(columns), values }),
        Err(error) => Err(Fault::of(format!("reading the rows of {}", stmt.name), error).into()),
    }
}
