//! A session as a place among the processes on a schema (进程占位): locks that the server ends with the session.

use std::time::Duration;

use tb_base::{Fault, Result};
use tokio::sync::oneshot;

use super::Session;
use crate::postgres::presence::Found;
use crate::{Stmt, Value, stmt};

/// Whoever has it is the only one.
const ALONE: Stmt = stmt(
    "store.presence.alone",
    "SELECT CASE WHEN pg_try_advisory_lock(hashtextextended($1, 0)) THEN 1::BIGINT ELSE 0::BIGINT END AS taken",
);
/// Everybody else who lives has this.
const SHARED: Stmt = stmt(
    "store.presence.shared",
    "SELECT CASE WHEN pg_try_advisory_lock_shared(hashtextextended($1, 0)) THEN 1::BIGINT ELSE 0::BIGINT END AS taken",
);
/// A server that has just started lost the sessions of all who live: they get this time to come back.
const YOUNG: Stmt = stmt(
    "store.presence.young",
    "SELECT CASE WHEN clock_timestamp() < pg_postmaster_start_time() + INTERVAL '2 seconds'
        THEN 1::BIGINT ELSE 0::BIGINT END AS taken",
);

/// What was seen of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::postgres) enum Watched {
    /// The store is closed.
    Ended,
    /// The session is the same as before.
    Lives,
    /// The session is no more, and its locks neither.
    Lost,
}

impl Session {
    /// Takes a place among the processes on the schema until the session ends.
    pub(in crate::postgres) fn appear(&mut self) -> Result<Found> {
        let key = Value::Text(self.key());
        self.begin(false, false);
        if self.is_so(&ALONE, std::slice::from_ref(&key))? {
            if !self.is_so(&YOUNG, &[])? {
                return Ok(Found::Alone);
            }
            self.administer(&format!("SELECT pg_advisory_unlock(hashtextextended('{}', 0))", self.key()))?;
            return Ok(Found::NotYet);
        }
        Ok(if self.is_so(&SHARED, &[key])? { Found::Beside } else { Found::NotYet })
    }

    /// Takes the place of one who lives, in a session that is made anew; false while another begins.
    pub(in crate::postgres) fn stay(&mut self) -> Result<bool> {
        self.begin(false, false);
        let taken = self.is_so(&SHARED, &[Value::Text(self.key())]);
        if taken.is_err() {
            self.disconnect();
        }
        taken
    }

    /// The place is that of one who lives from now on, and the others come on; at no moment it is none.
    pub(in crate::postgres) fn let_others_on(&mut self) -> Result<()> {
        let key = self.key();
        self.administer(&format!(
            "SELECT pg_advisory_lock_shared(hashtextextended('{key}', 0)); \
             SELECT pg_advisory_unlock(hashtextextended('{key}', 0))"
        ))
    }

    /// Gives the place up, and ends: who begins right after this one finds itself alone.
    ///
    /// The server would end the locks with the session, but only some time after it was told.
    pub(in crate::postgres) fn leave(mut self) {
        if let Some(client) = self.client.as_ref().filter(|client| !client.is_closed()) {
            let given_up = client.batch_execute("SELECT pg_advisory_unlock_all()");
            let within = Duration::from_secs(super::GOODBYE_SECONDS_MAX);
            // A server that does not answer ends them by itself.
            drop(self.runtime.block_on(async { tokio::time::timeout(within, given_up).await }));
        }
        self.disconnect();
    }

    /// Waits for a word, or that the store is closed; true where it is.
    pub(in crate::postgres) fn wait_for(
        &mut self,
        word: oneshot::Receiver<()>,
        ended: &mut oneshot::Receiver<()>,
    ) -> bool {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                _ = ended => true,
                // A sender that is dropped has said it too.
                _ = word => false,
            }
        })
    }

    /// Waits, unless the store is closed; true where it is.
    pub(in crate::postgres) fn pause_unless(
        &mut self,
        ended: &mut oneshot::Receiver<()>,
        pause: Duration,
    ) -> bool {
        self.runtime.block_on(async { tokio::time::timeout(pause, ended).await.is_ok() })
    }

    /// Waits so long, unless something ends, then asks the server.
    pub(in crate::postgres) fn watch(
        &mut self,
        ended: &mut oneshot::Receiver<()>,
        within: Duration,
    ) -> Watched {
        let Some(mut connection) = self.connection.take() else {
            return Watched::Lost;
        };
        let (client, runtime) = (self.client.as_ref(), &self.runtime);
        let watched = runtime.block_on(async {
            tokio::select! {
                biased;
                _ = ended => Watched::Ended,
                _ = &mut connection => Watched::Lost,
                () = tokio::time::sleep(within) => {
                    let asked = async { client?.batch_execute("SELECT 1").await.ok() };
                    let answered = tokio::time::timeout(within, asked).await.ok().flatten();
                    answered.map_or(Watched::Lost, |()| Watched::Lives)
                }
            }
        });
        if watched == Watched::Lost {
            // What is left of it is not waited for: the other side may be gone without a word.
            connection.abort();
            self.disconnect();
        } else {
            self.connection = Some(connection);
        }
        watched
    }

    fn key(&self) -> String {
        format!("tongban process {}", self.place.schema)
    }

    fn is_so(&mut self, stmt: &Stmt, params: &[Value]) -> Result<bool> {
        let row = self.all(stmt, params)?.into_iter().next();
        let row = row.ok_or_else(|| Fault::new(format!("running {}: no row came", stmt.name)))?;
        Ok(row.get::<i64>("taken")? == 1)
    }
}
