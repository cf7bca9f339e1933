//! Presence (在场): a session that shows the other processes on a schema that this one lives.
//!
//! Invariants: the lock goes with the session, and so with the process, however it ends; a session that the server or
//! the network took away is replaced as soon as there is a server. Who finds itself alone keeps all others out until it
//! has begun.

use std::thread::JoinHandle;
use std::time::Duration;

use tb_base::Result;
use tokio::sync::oneshot;

use super::session::{Place, Session, Watched};
use crate::sqlite::spawn;

/// How often the session is asked whether it lives; one that is cut off by the server is noticed at once.
const PROBE_SECONDS: u64 = 5;
/// The pause before a place is asked for once more.
const PAUSE_MILLIS: u64 = 50;
/// The same while there is no server.
const PAUSE_DOWN_MILLIS: u64 = 250;

/// What a process found that appeared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No other process is on the schema, and none gets on for now.
    Alone,
    /// Others live.
    Beside,
    /// Another one has just begun, or the server has: to be asked again.
    NotYet,
}

/// The right to end what a process before had in work; the next process gets on when this is dropped.
pub(crate) struct Beginning {
    _done: Option<oneshot::Sender<()>>,
}

impl Beginning {
    /// That of a store that no other process can have.
    pub(crate) fn sole() -> Beginning {
        Beginning { _done: None }
    }
}

/// The session, on a thread of its own.
pub(super) struct Presence {
    ends: Option<oneshot::Sender<()>>,
    handle: Option<JoinHandle<()>>,
}

type Told = oneshot::Sender<Result<Option<Beginning>>>;

impl Presence {
    pub(super) fn begin(place: &Place) -> Result<(Presence, oneshot::Receiver<Result<Option<Beginning>>>)> {
        let (ends, ended) = oneshot::channel();
        let (tell, found) = oneshot::channel();
        let place = place.clone();
        let handle = spawn("store-presence", move || match Session::new(place, 0) {
            Ok(session) => stay(session, tell, ended),
            Err(error) => drop(tell.send(Err(error))),
        })?;
        Ok((Presence { ends: Some(ends), handle: Some(handle) }, found))
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.ends = None;
        let me = std::thread::current().id();
        for handle in self.handle.take().into_iter().filter(|handle| handle.thread().id() != me) {
            drop(handle.join());
        }
    }
}

fn stay(mut session: Session, tell: Told, mut ended: oneshot::Receiver<()>) {
    match appear(&mut session, &mut ended) {
        Ok(Some(Found::Alone)) => {
            let (done, begun) = oneshot::channel();
            drop(tell.send(Ok(Some(Beginning { _done: Some(done) }))));
            if session.wait_for(begun, &mut ended) {
                return session.leave();
            }
            if let Err(error) = session.let_others_on() {
                // The session is lost then, and with it the lock: the next look takes it again.
                tracing::debug!(%error, "a place among the processes is to be taken again");
            }
        }
        Ok(Some(Found::Beside | Found::NotYet)) => drop(tell.send(Ok(None))),
        Ok(None) => return session.close(),
        Err(error) => return drop(tell.send(Err(error))),
    }
    loop {
        let within = Duration::from_secs(PROBE_SECONDS);
        let is_ended = match session.watch(&mut ended, within) {
            Watched::Ended => true,
            Watched::Lives => false,
            Watched::Lost => reappear(&mut session, &mut ended),
        };
        if is_ended {
            return session.leave();
        }
    }
}

/// Takes a place; nothing where the store was closed before there was one.
fn appear(session: &mut Session, ended: &mut oneshot::Receiver<()>) -> Result<Option<Found>> {
    loop {
        match session.appear()? {
            Found::NotYet => {}
            found => return Ok(Some(found)),
        }
        if session.pause_unless(ended, Duration::from_millis(PAUSE_MILLIS)) {
            return Ok(None);
        }
    }
}

/// Takes the place once more after the session was lost; true where the store was closed meanwhile.
fn reappear(session: &mut Session, ended: &mut oneshot::Receiver<()>) -> bool {
    tracing::warn!("the session that shows that this process lives was lost, and is made anew");
    loop {
        let pause = match session.stay() {
            Ok(true) => return false,
            Ok(false) => PAUSE_MILLIS,
            Err(error) => {
                tracing::debug!(%error, "the database does not answer yet");
                PAUSE_DOWN_MILLIS
            }
        };
        if session.pause_unless(ended, Duration::from_millis(pause)) {
            return true;
        }
    }
}
