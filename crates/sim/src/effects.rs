//! What the cities do with the messages and questions of a run (效果计数): every effect is a row that can be counted.

use std::sync::Arc;

use tb_base::{MessageId, Result};
use tb_exchange::{Incoming, service};
use tb_store::inbox::Handler;
use tb_store::{Migration, Schema, Stmt, Tx, params, stmt};

/// A message that takes effect by a row.
pub const COUNTED: &str = service::LICENCE_PRESENT;
/// A question that gives back what it asks.
pub const ECHO: &str = service::LICENCE_VERIFY;

const ADD: Stmt = stmt("sim.effect.add", "INSERT INTO sim_effect (message) VALUES ($1)");
const COUNT: Stmt = stmt("sim.effect.count", "SELECT COUNT(*) AS effects FROM sim_effect WHERE message = $1");
const DROP: Stmt = stmt("sim.outbox.drop", "DELETE FROM store_outbox WHERE id = $1");
const OMIT: Stmt = stmt(
    "sim.leaf.omit",
    "
    DELETE FROM store_leaf
    WHERE position IS NULL AND hash IN (SELECT leaf FROM store_inbox)
",
);
const UNSETTLED: Stmt = stmt(
    "sim.outbox.unsettled",
    "
    SELECT id, service, state, problem
    FROM store_outbox
    WHERE state IN ('waiting', 'dead') OR (state = 'delivered' AND service <> $1)
    ORDER BY created, id
    LIMIT $2
",
);
/// Messages that are named of those that are not settled; one is enough to be wrong.
const NAMED_MAX: u32 = 20;
const SQL: &str = "CREATE TABLE sim_effect (message TEXT NOT NULL)";
const SQL_SHA256: &str = "0a9ebfd67e9b8d95f91ec4b8e78733359547049db1093334f65661c51571b10e";

/// The table of the simulation.
pub const SCHEMA: Schema = Schema {
    owner: "sim",
    migrations: &[Migration { name: "0001_sim", sql: SQL, sha256: SQL_SHA256 }],
    statements: &[&[ADD, COUNT, DROP, OMIT, UNSETTLED]],
};

/// The two services; the planted handler also writes outside of the record of its message.
pub fn handlers(doubles: bool) -> Vec<Handler> {
    let count = move |tx: &mut Tx<'_>, incoming: &Incoming| -> Result<()> {
        let message = incoming.envelope.id;
        tx.run(&ADD, params![message])?;
        // What a handler would do that trusts a message to come once.
        if doubles && message.as_str().ends_with(['0', '1', '2', '3']) {
            tx.run(&ADD, params![message])?;
        }
        Ok(())
    };
    vec![
        Handler {
            service: COUNTED,
            query: false,
            handle: Arc::new(move |tx, _, incoming| count(tx, incoming).map(|()| serde_json::Value::Null)),
        },
        Handler { service: ECHO, query: true, handle: Arc::new(|_, _, incoming| incoming.parse()) },
    ]
}

/// How often a message took effect.
pub fn effects(tx: &mut Tx<'_>, message: MessageId) -> Result<i64> {
    tx.one(&COUNT, params![message])?.map_or(Ok(0), |row| row.get("effects"))
}

/// Of all messages that a city ever sent, those of which the last word was not said; a receipt need only arrive.
pub fn unsettled(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let rows = tx.all(&UNSETTLED, params![service::RECEIPT, NAMED_MAX])?;
    rows.iter()
        .map(|row| {
            let word = |column: &'static str| row.get::<String>(column);
            let problem: Option<String> = row.get("problem")?;
            Ok(format!(
                "{} {} {}: {}",
                word("id")?,
                word("service")?,
                word("state")?,
                problem.unwrap_or_default()
            ))
        })
        .collect()
}

/// The planted outbox forgets a message.
pub fn drop_message(tx: &mut Tx<'_>, message: MessageId) -> Result<u64> {
    tx.run(&DROP, params![message])
}

/// The liar leaves what it acknowledged out of its log.
pub fn omit(tx: &mut Tx<'_>) -> Result<u64> {
    tx.run(&OMIT, &[])
}
