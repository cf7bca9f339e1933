//! PostgreSQL (集中式存储): worker threads with a session each, behind one queue.
//!
//! Invariants: BEGIN is a constant sent with the first statement; COMMIT is awaited and never sent twice;
//! a unit runs again only where the server said that nothing of it stayed, or the session was lost before COMMIT.

mod presence;
mod session;
mod types;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tb_base::{Fault, Result};
use tokio::sync::oneshot;

pub(crate) use presence::Beginning;
pub(crate) use session::Session;

use self::presence::Presence;
use crate::check::problems;
use crate::sqlite::{View, spawn};
use crate::tx::{Access, Link};
use crate::unit::Unit;
use crate::{Schema, Stmt, Tx, migrate};

/// Sessions of one process (measured: more gain nothing on two cores).
const SESSIONS: usize = 16;
/// How long a unit is tried again before its caller is told.
const RETRY_SECONDS_MAX: u64 = 10;
const PAUSE_MILLIS_MAX: u64 = 400;

/// How a unit is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Write,
    Read(View),
}

type Job = (Box<dyn Unit>, Mode);

/// The threads that own the sessions.
pub(crate) struct Workers {
    jobs: Option<Sender<Job>>,
    handles: Vec<JoinHandle<()>>,
    _presence: Option<Presence>,
}

/// Brings the schema up to date in a session of its own, then starts the workers.
///
/// A process that is alone on the schema gets its beginning, and none other gets on before that is dropped.
pub(crate) async fn open(
    url: &str,
    schema: &str,
    schemas: Vec<Schema>,
) -> Result<(Workers, Option<Beginning>)> {
    let place = session::Place::new(url, schema)?;
    let first = place.clone();
    let (done, migrated) = oneshot::channel();
    // The session's runtime must not be entered from the caller's.
    let handle = spawn("store-migrate", move || drop(done.send(migrate(first, &schemas))))?;
    let outcome = migrated.await.map_err(|error| Fault::of("migrating", error))?;
    drop(handle.join());
    outcome?;
    let (presence, found) = Presence::begin(&place)?;
    let beginning = found.await.map_err(|error| Fault::of("looking for other processes", error))??;
    Ok((Workers::start(&place, Some(presence))?, beginning))
}

/// Workers that read beside others and do not show that they live.
pub(crate) fn look(url: &str, schema: &str) -> Result<Workers> {
    Workers::start(&session::Place::new(url, schema)?, None)
}

fn migrate(place: session::Place, schemas: &[Schema]) -> Result<()> {
    let mut session = Session::new(place, 0)?;
    session.prepare_schema()?;
    let outcome = migrate::run(schemas, &mut |unit| run(&mut session, unit, Mode::Write));
    session.close();
    outcome
}

/// How a schema stands to the steps of a program; nothing is changed.
pub(crate) async fn standing(url: &str, schema: &str, schemas: Vec<Schema>) -> Result<migrate::Standing> {
    let place = session::Place::new(url, schema)?;
    let (done, found) = oneshot::channel();
    let look = move || {
        let mut session = Session::new(place, 0)?;
        let outcome = migrate::look(&schemas, &mut |unit| run(&mut session, unit, Mode::Read(View::Latest)));
        session.close();
        outcome
    };
    let handle = spawn("store-standing", move || drop(done.send(look())))?;
    let outcome = found.await.map_err(|error| Fault::of("looking at the migrations", error))?;
    drop(handle.join());
    outcome
}

/// Migrates and prepares every statement.
pub(crate) async fn check_on(
    url: &str,
    schema: &str,
    schemas: Vec<Schema>,
    statements: Vec<Stmt>,
) -> Result<Vec<String>> {
    let place = session::Place::new(url, schema)?;
    let (done, checked) = oneshot::channel();
    let check = move || {
        let mut session = Session::new(place.clone(), 0)?;
        migrate(place, &schemas)?;
        let problems = problems(&statements, |stmt| session.check(stmt));
        session.close();
        Ok(problems)
    };
    let handle = spawn("store-check", move || drop(done.send(check())))?;
    let outcome = checked.await.map_err(|error| Fault::of("checking the statements", error))?;
    drop(handle.join());
    outcome
}

/// Removes a city's schema and everything in it; nothing may be open on it.
pub(crate) async fn drop_schema(url: &str, schema: &str) -> Result<()> {
    with_session(url, schema, "store-drop", session::Session::drop_schema).await
}

/// Whether the schema is there and holds any table.
pub(crate) async fn has_tables(url: &str, schema: &str) -> Result<bool> {
    with_session(url, schema, "store-look", session::Session::has_tables).await
}

/// Works on a session of its own, on a thread of its own: its runtime must not be entered from the caller's.
pub(crate) async fn with_session<T: Send + 'static>(
    url: &str,
    schema: &str,
    name: &'static str,
    work: impl FnOnce(&mut Session) -> Result<T> + Send + 'static,
) -> Result<T> {
    let place = session::Place::new(url, schema)?;
    let (done, outcome) = oneshot::channel();
    let worker = move || {
        let mut session = Session::new(place, 0)?;
        let outcome = work(&mut session);
        session.close();
        outcome
    };
    let handle = spawn(name, move || drop(done.send(worker())))?;
    let outcome = outcome.await.map_err(|error| Fault::of(format!("running {name}"), error))?;
    drop(handle.join());
    outcome
}

impl Workers {
    fn start(place: &session::Place, presence: Option<Presence>) -> Result<Workers> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let start = |number: usize| {
            let (place, queue) = (place.clone(), Arc::clone(&queue));
            spawn("store-session", move || work(place, number, &queue))
        };
        let handles = (1..=SESSIONS).map(start).collect::<Result<_>>()?;
        Ok(Workers { jobs: Some(jobs), handles, _presence: presence })
    }

    /// Hands a unit to a session.
    pub(crate) fn write(&self, unit: Box<dyn Unit>) {
        self.hand((unit, Mode::Write));
    }

    /// Hands a read to a session.
    pub(crate) fn read(&self, unit: Box<dyn Unit>, view: View) {
        self.hand((unit, Mode::Read(view)));
    }

    fn hand(&self, job: Job) {
        let refused = match &self.jobs {
            Some(jobs) => jobs.send(job).err().map(|refused| refused.0),
            None => Some(job),
        };
        if let Some((unit, _)) = refused {
            unit.fail(Fault::new("running a unit of work: the store is closed"));
        }
    }
}

impl Drop for Workers {
    /// Lets the threads finish what waits; a thread that drops the store itself is not waited for.
    fn drop(&mut self) {
        self.jobs = None;
        let me = std::thread::current().id();
        for handle in self.handles.drain(..).filter(|handle| handle.thread().id() != me) {
            drop(handle.join());
        }
    }
}

/// The life of a worker: its session is made and dropped in its own thread.
fn work(place: session::Place, number: usize, queue: &Mutex<Receiver<Job>>) {
    let mut session = match Session::new(place, number) {
        Ok(session) => session,
        Err(error) => {
            tracing::error!(%error, "a session of the store cannot start");
            return;
        }
    };
    loop {
        let received = match queue.lock() {
            Ok(queue) => queue.recv(),
            Err(poisoned) => poisoned.into_inner().recv(),
        };
        match received {
            Ok((unit, mode)) => run(&mut session, unit, mode),
            Err(_) => return session.close(),
        }
    }
}

/// Runs a unit until it has an outcome, and tells it.
fn run(session: &mut Session, mut unit: Box<dyn Unit>, mode: Mode) {
    if unit.is_abandoned() {
        return;
    }
    let deadline = session.now() + Duration::from_secs(RETRY_SECONDS_MAX);
    let mut tries = 0;
    loop {
        session.begin(mode == Mode::Write, mode == Mode::Read(View::Snapshot));
        let access = if mode == Mode::Write { Access::Write } else { Access::Read };
        let name = unit.name();
        let keep = unit.run(&mut Tx::new(name, Link::Postgres(session), access));
        match session.take_setback() {
            None => {
                return match session.end(keep && mode == Mode::Write) {
                    Ok(()) => unit.settle(),
                    Err(fault) => unit.fail(fault),
                };
            }
            Some(problem) => {
                session.abandon();
                tries += 1;
                if deadline <= session.now() {
                    return unit.fail(Fault::of(format!("running {name}, {tries} times"), problem));
                }
                tracing::debug!(unit = name, tries, %problem, "a unit of work runs again");
                session.pause(tries, PAUSE_MILLIS_MAX);
            }
        }
    }
}
