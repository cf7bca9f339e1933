//! The inbox (收件箱): each message takes effect once.
//!
//! Invariant: effect, record, leaf and answer of a message are written in one transaction, or none of them is.
//! A duplicate is answered from memory; the same id with another content is a violation.

use std::sync::Arc;

use tb_base::{CaseId, Ctx, Error, MessageId, NodeId, Refusal, Result, Timestamp, Violation};
use tb_exchange::{Envelope, Incoming, Leaf, LeafKind};

use crate::outbox::json;
use crate::{Row, Stmt, Tx, log, params, sealing, stmt};

const INSERT: Stmt = stmt("store.inbox.insert", "
    INSERT INTO store_inbox (sender, id, service, case_id, envelope, body, content, base, evidence, leaf, state,
        answer, reply, received, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'received', NULL, NULL, $11, 1, $12, $13)
    ON CONFLICT (sender, id) DO NOTHING
");

const FIND: Stmt = stmt(
    "store.inbox.find",
    "
    SELECT sender, id, envelope, body, content, base, evidence, leaf, state, answer, reply, received
    FROM store_inbox
    WHERE sender = $1 AND id = $2
",
);

const CONCLUDE: Stmt = stmt(
    "store.inbox.conclude",
    "
    UPDATE store_inbox SET state = $3, answer = $4, version = version + 1, at = $5, tx = $6
    WHERE sender = $1 AND id = $2
",
);

const REPLIED: Stmt = stmt(
    "store.inbox.replied",
    "
    UPDATE store_inbox SET reply = $3, version = version + 1, at = $4, tx = $5
    WHERE sender = $1 AND id = $2
",
);

const OF_CASE: Stmt = stmt(
    "store.inbox.of_case",
    "
    SELECT sender, id, envelope, body, content, base, evidence, leaf, state, answer, reply, received
    FROM store_inbox
    WHERE case_id = $1
    ORDER BY received, sender, id
",
);

const COUNT_SINCE: Stmt = stmt(
    "store.inbox.count_since",
    "
    SELECT COUNT(*) AS messages
    FROM store_inbox
    WHERE sender = $1 AND service = $2 AND $3 <= received
",
);

const FROM_SENDER: Stmt = stmt(
    "store.inbox.from_sender",
    "
    SELECT sender, id, envelope, body, content, base, evidence, leaf, state, answer, reply, received
    FROM store_inbox
    WHERE sender = $1 AND $2 < id AND $3 <= received
    ORDER BY id
    LIMIT $4
",
);

const NEWEST: Stmt = stmt(
    "store.inbox.newest",
    "
    SELECT id, received
    FROM store_inbox
    WHERE sender = $1
    ORDER BY id DESC
    LIMIT 1
",
);

const NEWEST_OF: Stmt = stmt(
    "store.inbox.newest_of",
    "
    SELECT id, received
    FROM store_inbox
    WHERE sender = $1 AND service = $2
    ORDER BY received DESC
    LIMIT 1
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] =
    &[INSERT, FIND, CONCLUDE, REPLIED, OF_CASE, COUNT_SINCE, FROM_SENDER, NEWEST, NEWEST_OF];

/// Messages that one look gives at the most.
pub const MESSAGES_MAX: u32 = 32;

/// What is done with a message or a query, inside the transaction that records it.
///
/// A message answers `Null`. A refusal is sent back as such, a fault is tried again later.
pub type Handle = Arc<dyn Fn(&mut Tx<'_>, &Ctx, &Incoming) -> Result<serde_json::Value> + Send + Sync>;

/// A service that this node offers its peers.
#[derive(Clone)]
pub struct Handler {
    /// One of `tb_exchange::service`.
    pub service: &'static str,
    /// Whether the peer waits for the answer (query) or gets receipts (message).
    pub query: bool,
    /// What is done.
    pub handle: Handle,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is recorded and nothing was done with it yet.
    Received,
    /// Its effect was made; this is the answer.
    Answered(serde_json::Value),
    /// It was refused and had no effect.
    Refused(Refusal),
}

/// A message as the inbox holds it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The message with its evidence.
    pub incoming: Incoming,
    /// Hash of its Received leaf.
    pub leaf: [u8; 32],
    /// What became of it.
    pub outcome: Outcome,
    /// The response as it was signed, once it was.
    pub reply: Option<serde_json::Value>,
}

/// Whether a message is new.
#[derive(Clone, Debug)]
pub enum Recorded {
    /// It was not here before; this is the hash of its leaf.
    New([u8; 32]),
    /// It was here before: answer as then.
    Duplicate(Box<Kept>),
}

/// Records a message, lets the handler act on it and keeps the answer.
///
/// Gives what is kept and whether it is new. A refusal undoes what the handler did and is kept as the answer;
/// a fault or a violation undoes everything, the record too.
pub fn receive(tx: &mut Tx<'_>, ctx: &Ctx, handler: &Handler, incoming: &Incoming) -> Result<(Kept, bool)> {
    let leaf = match record(tx, ctx, incoming)? {
        Recorded::New(leaf) => leaf,
        Recorded::Duplicate(kept) => return Ok((*kept, false)),
    };
    let outcome = match tx.attempt(|tx| (handler.handle)(tx, ctx, incoming)) {
        Ok(answer) => Outcome::Answered(answer),
        Err(Error::Refused(refusal)) => Outcome::Refused(*refusal),
        Err(error @ (Error::Fault(_) | Error::Violation(_))) => return Err(error),
    };
    conclude(tx, ctx.now, incoming.envelope.from, incoming.envelope.id, &outcome)?;
    Ok((Kept { incoming: incoming.clone(), leaf, outcome, reply: None }, true))
}

/// Records a message with its leaf, unless it is here already.
pub fn record(tx: &mut Tx<'_>, ctx: &Ctx, incoming: &Incoming) -> Result<Recorded> {
    let envelope = &incoming.envelope;
    if let Some(kept) = find(tx, envelope.from, envelope.id)? {
        return duplicate(incoming, kept);
    }
    let content = tb_crypto::sha256(&incoming.body);
    let leaf = Leaf {
        kind: LeafKind::Received,
        at: ctx.now,
        id: envelope.id,
        contract: envelope.contract.hash16(),
        content,
        base: incoming.base_hash,
        subject: [0; 32],
    };
    let (leaf, salt) = log::salted(ctx, leaf, envelope.subject.as_ref().map(|subject| &subject.0[..]));
    let hash = log::hash_of(&leaf);
    let body = sealing::seal(tx.sealer(), &place(envelope.from, envelope.id, "body"), &incoming.body);
    let inserted = tx.run(
        &INSERT,
        params![
            envelope.from,
            envelope.id,
            &envelope.service,
            envelope.purpose.case,
            json("store_inbox.envelope", envelope)?,
            body,
            content,
            incoming.base_hash,
            incoming.evidence.to_string(),
            hash,
            incoming.at,
            ctx.now,
            tx.name,
        ],
    )?;
    if inserted == 0 {
        // Another transaction recorded it between our look and our insert, and has committed since.
        return match find(tx, envelope.from, envelope.id)? {
            Some(kept) => duplicate(incoming, kept),
            None => Err(Violation::inconsistent("store_inbox", envelope.id).into()),
        };
    }
    log::append_salted(tx, &leaf, salt)?;
    Ok(Recorded::New(hash))
}

/// Keeps what became of a message.
pub fn conclude(
    tx: &mut Tx<'_>,
    now: Timestamp,
    from: NodeId,
    id: MessageId,
    outcome: &Outcome,
) -> Result<()> {
    let (state, answer) = match outcome {
        Outcome::Received => return Ok(()),
        Outcome::Answered(answer) => ("answered", answer.to_string()),
        Outcome::Refused(refusal) => ("refused", json("store_inbox.answer", refusal)?),
    };
    let answer = sealing::seal_text(tx.sealer(), &place(from, id, "answer"), answer);
    tx.run(&CONCLUDE, params![from, id, state, answer, now, tx.name]).map(drop)
}

/// Keeps the response as it was signed: a duplicate gets the same one.
pub fn replied(
    tx: &mut Tx<'_>,
    now: Timestamp,
    from: NodeId,
    id: MessageId,
    reply: &serde_json::Value,
) -> Result<()> {
    tx.run(&REPLIED, params![from, id, reply.to_string(), now, tx.name]).map(drop)
}

/// One message.
pub fn find(tx: &mut Tx<'_>, from: NodeId, id: MessageId) -> Result<Option<Kept>> {
    tx.one(&FIND, params![from, id])?.map(|row| kept_of(tx, &row)).transpose()
}

/// The messages of a case, in order of arrival.
pub fn of_case(tx: &mut Tx<'_>, case: CaseId) -> Result<Vec<Kept>> {
    tx.all(&OF_CASE, params![case])?.iter().map(|row| kept_of(tx, row)).collect()
}

/// What a city sent since a moment, in the order of ids, behind the one that was given last.
pub fn from_sender(
    tx: &mut Tx<'_>,
    from: NodeId,
    since: Timestamp,
    after: Option<MessageId>,
    limit: u32,
) -> Result<Vec<Kept>> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows = tx.all(&FROM_SENDER, params![from, after, since, limit.min(MESSAGES_MAX)])?;
    rows.iter().map(|row| kept_of(tx, row)).collect()
}

/// How many messages of a service a city sent since a moment, for the quota of its contract.
pub fn count_since(tx: &mut Tx<'_>, from: NodeId, service: &str, since: Timestamp) -> Result<u32> {
    match tx.one(&COUNT_SINCE, params![from, service, since])? {
        Some(row) => row.get("messages"),
        None => Ok(0),
    }
}

/// The newest message of a city by its own order, and when it came.
pub fn newest(tx: &mut Tx<'_>, from: NodeId) -> Result<Option<(MessageId, Timestamp)>> {
    tx.one(&NEWEST, params![from])?.as_ref().map(place_of).transpose()
}

/// The newest message of a service that came from a city.
pub fn newest_of(tx: &mut Tx<'_>, from: NodeId, service: &str) -> Result<Option<(MessageId, Timestamp)>> {
    tx.one(&NEWEST_OF, params![from, service])?.as_ref().map(place_of).transpose()
}

fn place_of(row: &Row) -> Result<(MessageId, Timestamp)> {
    Ok((row.parse("id")?, row.get("received")?))
}

/// An id that comes back with other words is not a repetition.
fn duplicate(incoming: &Incoming, kept: Kept) -> Result<Recorded> {
    if kept.incoming.body == incoming.body && kept.incoming.envelope == incoming.envelope {
        return Ok(Recorded::Duplicate(Box::new(kept)));
    }
    Err(Violation::new(
        "fingerprint",
        "tb-message-id",
        format!("{} was used for another content", incoming.envelope.id),
    )
    .into())
}

/// Where body and answer of a message are sealed to.
fn place(from: NodeId, id: MessageId, column: &str) -> String {
    format!("store_inbox/{from}/{id}/{column}")
}

fn kept_of(tx: &Tx<'_>, row: &Row) -> Result<Kept> {
    let envelope: Envelope = row.json("envelope")?;
    let reply: Option<String> = row.get("reply")?;
    let at = |column| place(envelope.from, envelope.id, column);
    let body = sealing::open(tx.sealer(), &at("body"), row.get("body")?)?;
    let answer: Option<String> = row.get("answer")?;
    let answer = answer.map(|answer| sealing::open_text(tx.sealer(), &at("answer"), answer)).transpose()?;
    Ok(Kept {
        outcome: outcome_of(row, answer.as_deref())?,
        incoming: Incoming {
            envelope,
            body,
            at: row.get("received")?,
            base_hash: row.get("base")?,
            evidence: row.json("evidence")?,
        },
        leaf: row.get("leaf")?,
        reply: reply.map(|_| row.json("reply")).transpose()?,
    })
}

fn outcome_of(row: &Row, answer: Option<&str>) -> Result<Outcome> {
    let bad = || Violation::inconsistent("store_inbox", row.get::<String>("id").unwrap_or_default());
    let word: String = row.get("state")?;
    let answer = answer.unwrap_or_default();
    match word.as_str() {
        "received" => Ok(Outcome::Received),
        "answered" => Ok(Outcome::Answered(serde_json::from_str(answer).map_err(|_| bad())?)),
        "refused" => Ok(Outcome::Refused(serde_json::from_str(answer).map_err(|_| bad())?)),
        _ => Err(bad().into()),
    }
}
