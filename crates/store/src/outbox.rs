//! The outbox (发件箱): messages wait here until their receiver has said what became of them.
//!
//! Invariants: a message and its leaf are written in the transaction that sends it; nothing is sent that is not here.
//! One process at a time holds the line to a city and tries what waits for it, oldest first: none is overtaken.
//! Nothing is written about a message that only waits: the line is leased, and each city is looked at by itself.

pub(crate) mod standing;

pub use standing::{COUNT_MAX, Standing, standing};

use tb_base::{CaseId, Ctx, MessageId, NodeId, Result, Timestamp, Violation};
use tb_exchange::{Envelope, Leaf, LeafKind, Outgoing, Receipt, ReceiptKind};

use crate::{Lease, Row, Stmt, Tx, dead_letters, log, params, sealing, stmt};

/// Messages that one look gives at the most.
pub const MESSAGES_MAX: u32 = 256;
/// Messages that one look at a line names at the most.
pub const LINE_MAX: u32 = 65_536;
/// Cities for which something waits, at the most.
const RECIPIENTS_MAX: usize = 1_000;

const INSERT: Stmt = stmt("store.outbox.insert", "
    INSERT INTO store_outbox (id, recipient, service, case_id, envelope, body, leaf, evidence, state, attempts,
        next_try, lease_until, problem, created, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, 'waiting', 0, $8, 0, NULL, $9, 1, $8, $10)
");

const NEWEST: Stmt = stmt(
    "store.outbox.newest_waiting",
    "
    SELECT MAX(created) AS newest
    FROM store_outbox
    WHERE recipient = $1 AND state = 'waiting'
",
);

pub(crate) const NEXT_RECIPIENT: Stmt = stmt(
    "store.outbox.next_recipient",
    "
    SELECT recipient
    FROM store_outbox
    WHERE state = 'waiting' AND $1 < recipient
    ORDER BY recipient
    LIMIT 1
",
);

pub(crate) const WAITING: Stmt = stmt(
    "store.outbox.waiting",
    "
    SELECT id, service, created
    FROM store_outbox
    WHERE recipient = $1 AND state = 'waiting'
    ORDER BY created, id
    LIMIT $2
",
);

const LINE: Stmt = stmt(
    "store.outbox.line",
    "
    SELECT holder, lease_until
    FROM store_line
    WHERE recipient = $1
",
);

const TAKE_LINE: Stmt = stmt(
    "store.outbox.take_line",
    "
    INSERT INTO store_line (recipient, holder, lease_until, version, at, tx)
    VALUES ($1, $2, $3, 1, $4, $5)
    ON CONFLICT (recipient) DO UPDATE SET
        holder = excluded.holder, lease_until = excluded.lease_until, version = store_line.version + 1,
        at = excluded.at, tx = excluded.tx
    WHERE store_line.holder = excluded.holder OR store_line.lease_until <= excluded.at
",
);

const SIGNED: Stmt = stmt(
    "store.outbox.signed",
    "
    UPDATE store_outbox SET evidence = $2, version = version + 1, at = $3, tx = $4
    WHERE id = $1
",
);

const ATTEMPTED: Stmt = stmt(
    "store.outbox.attempted",
    "
    UPDATE store_outbox SET
        attempts = attempts + 1, next_try = $2, problem = $3, version = version + 1, at = $4, tx = $5
    WHERE id = $1 AND state = 'waiting'
",
);

const SETTLED: Stmt = stmt(
    "store.outbox.settled",
    "
    UPDATE store_outbox SET state = $2, problem = $3, version = version + 1, at = $4, tx = $5
    WHERE id = $1 AND state IN ('waiting', 'delivered', 'dead')
",
);

const DEAD: Stmt = stmt(
    "store.outbox.dead",
    "
    UPDATE store_outbox SET state = 'dead', problem = $2, version = version + 1, at = $3, tx = $4
    WHERE id = $1 AND state = 'waiting'
",
);

const REVIVE: Stmt = stmt(
    "store.outbox.revive",
    "
    UPDATE store_outbox SET
        state = 'waiting', next_try = $2, problem = NULL, version = version + 1, at = $2, tx = $3
    WHERE id = $1 AND state = 'dead'
",
);

const RECEIPT: Stmt = stmt(
    "store.outbox.receipt",
    "
    INSERT INTO store_receipt (message, kind, receipt, evidence, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (message, kind) DO NOTHING
",
);

const RECEIPTS: Stmt = stmt(
    "store.outbox.receipts",
    "
    SELECT receipt, evidence
    FROM store_receipt
    WHERE message = $1
    ORDER BY at, kind
",
);

const FIND: Stmt = stmt(
    "store.outbox.find",
    "
    SELECT id, envelope, body, leaf, evidence, state, attempts, next_try, problem, created
    FROM store_outbox
    WHERE id = $1
",
);

const OF_CASE: Stmt = stmt(
    "store.outbox.of_case",
    "
    SELECT id, envelope, body, leaf, evidence, state, attempts, next_try, problem, created
    FROM store_outbox
    WHERE case_id = $1
    ORDER BY created, id
",
);

const RECENT: Stmt = stmt(
    "store.outbox.recent",
    "
    SELECT id, envelope, body, leaf, evidence, state, attempts, next_try, problem, created
    FROM store_outbox
    ORDER BY created DESC, id DESC
    LIMIT $1
",
);

const WAITING_SINCE: Stmt = stmt(
    "store.outbox.waiting_since",
    "
    SELECT MIN(created) AS since
    FROM store_outbox
    WHERE recipient = $1 AND state = 'waiting'
",
);

const SETTLED_SINCE: Stmt = stmt(
    "store.outbox.settled_since",
    "
    SELECT id, envelope, body, leaf, evidence, state, attempts, next_try, problem, created
    FROM store_outbox
    WHERE recipient = $1 AND $2 < id AND $3 <= at AND state IN ('delivered', 'processed', 'rejected')
    ORDER BY id
    LIMIT $4
",
);

const AGAIN: Stmt = stmt(
    "store.outbox.again",
    "
    UPDATE store_outbox SET
        state = 'waiting', attempts = 0, next_try = $2, version = version + 1, at = $2, tx = $3
    WHERE id = $1 AND state IN ('delivered', 'processed', 'rejected')
",
);

const BACK: Stmt = stmt("store.outbox.back", "
    INSERT INTO store_outbox (id, recipient, service, case_id, envelope, body, leaf, evidence, state, attempts,
        next_try, lease_until, problem, created, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'delivered', 0, $9, 0, NULL, $10, 1, $9, $11)
    ON CONFLICT (id) DO NOTHING
");

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[
    SETTLED_SINCE,
    AGAIN,
    BACK,
    INSERT,
    NEWEST,
    NEXT_RECIPIENT,
    WAITING,
    LINE,
    TAKE_LINE,
    SIGNED,
    ATTEMPTED,
    SETTLED,
    DEAD,
    REVIVE,
    RECEIPT,
    RECEIPTS,
    FIND,
    OF_CASE,
    RECENT,
    WAITING_SINCE,
];

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its receiver has not said that it has it (待送达).
    Waiting,
    /// Its receiver has it (送达).
    Delivered,
    /// Its effect was made (已处理).
    Processed,
    /// It was refused (退回).
    Rejected,
    /// It is given up; a person must look at it (死信).
    Dead,
}

/// A message as the outbox holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// What is sent.
    pub message: Outgoing,
    /// Hash of its Sent leaf.
    pub leaf: [u8; 32],
    /// The request as it was signed last, once it was.
    pub evidence: Option<serde_json::Value>,
    /// Where it stands.
    pub state: State,
    /// How many tries failed so far.
    pub attempts: u32,
    /// When it is tried next, while it waits; said to people, and no order is made by it.
    pub next_try: Timestamp,
    /// Why the last try failed.
    pub problem: Option<String>,
    /// Since when it is here.
    pub created: Timestamp,
}

/// A message that waits, as the line to its city names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub id: MessageId,
    /// Its service.
    pub service: String,
    /// When it was written; lines are in the order of this and the id.
    pub created: Timestamp,
}

/// A receipt with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptReceipt {
    /// What the receiver said.
    pub receipt: Receipt,
    /// How it was signed.
    pub evidence: serde_json::Value,
}

/// Stores a message and its leaf; a worker of `node` signs, sends and retries it.
pub fn send(tx: &mut Tx<'_>, ctx: &Ctx, message: &Outgoing) -> Result<()> {
    let envelope = &message.envelope;
    let leaf = sent_leaf(message, ctx.now);
    let hash = log::append_about(tx, ctx, leaf, envelope.subject.as_ref().map(|subject| &subject.0[..]))?;
    // Two messages of one transaction have one moment, and a clock may be set back: the later one is written behind
    // whatever waits all the same.
    let newest: Option<Timestamp> =
        tx.one(&NEWEST, params![envelope.to])?.map(|row| row.get("newest")).transpose()?.flatten();
    let created = newest.map_or(ctx.now, |newest| ctx.now.max(Timestamp(newest.micros().saturating_add(1))));
    let text = json("store_outbox.envelope", envelope)?;
    let body = sealing::seal(tx.sealer(), &body_of(envelope.id), &message.body);
    tx.run(
        &INSERT,
        params![
            envelope.id,
            envelope.to,
            &envelope.service,
            envelope.purpose.case,
            text,
            body,
            hash,
            ctx.now,
            created,
            tx.name,
        ],
    )
    .map(drop)
}

/// The cities for which something waits: a look that costs the same however much it is.
pub fn recipients(tx: &mut Tx<'_>) -> Result<Vec<NodeId>> {
    let mut recipients: Vec<NodeId> = Vec::new();
    while recipients.len() < RECIPIENTS_MAX {
        let last = recipients.last().map(NodeId::to_string).unwrap_or_default();
        let Some(row) = tx.one(&NEXT_RECIPIENT, params![last])? else { break };
        recipients.push(row.parse("recipient")?);
    }
    Ok(recipients)
}

/// What waits for a city, in the order of sending; nothing while another process holds the line to it.
pub fn line(tx: &mut Tx<'_>, now: Timestamp, to: NodeId, holder: &str, limit: u32) -> Result<Vec<Waiting>> {
    if hold(tx, to)?.is_some_and(|hold| hold.holder != holder && now < hold.until) {
        return Ok(Vec::new());
    }
    let rows = tx.all(&WAITING, params![to, limit.min(LINE_MAX)])?;
    rows.iter()
        .map(|row| {
            Ok(Waiting { id: row.parse("id")?, service: row.get("service")?, created: row.get("created")? })
        })
        .collect()
}

/// Takes the line to a city, or keeps it; false where another process holds it. Asked again before each try.
///
/// Nothing is written while more than half of the lease is left.
pub fn take_line(tx: &mut Tx<'_>, now: Timestamp, to: NodeId, lease: Lease<'_>) -> Result<bool> {
    let enough = now.plus_seconds(lease.seconds / 2);
    if hold(tx, to)?.is_some_and(|hold| hold.holder == lease.holder && enough < hold.until) {
        return Ok(true);
    }
    let until = now.plus_seconds(lease.seconds);
    Ok(tx.run(&TAKE_LINE, params![to, lease.holder, until, now, tx.name])? == 1)
}

/// Who holds a line, and until when.
struct Hold {
    holder: String,
    until: Timestamp,
}

fn hold(tx: &mut Tx<'_>, to: NodeId) -> Result<Option<Hold>> {
    let row = tx.one(&LINE, params![to])?;
    row.map(|row| Ok(Hold { holder: row.get("holder")?, until: row.get("lease_until")? })).transpose()
}

/// Keeps the request as it was signed, before it is sent.
pub fn signed(tx: &mut Tx<'_>, now: Timestamp, id: MessageId, evidence: &serde_json::Value) -> Result<()> {
    tx.run(&SIGNED, params![id, evidence.to_string(), now, tx.name]).map(drop)
}

/// A try was in vain: the message keeps its place in the line, and is tried again at `next_try`.
pub fn attempted(
    tx: &mut Tx<'_>,
    now: Timestamp,
    id: MessageId,
    next_try: Timestamp,
    problem: &str,
) -> Result<()> {
    tx.run(&ATTEMPTED, params![id, next_try, problem, now, tx.name]).map(drop)
}

/// The receiver said what became of the message; `evidence` is how it signed that.
///
/// A later word may follow an earlier one (delivered, then processed), never the other way round: what took effect or
/// was refused stays so when a receiver that was restored says once more that it has the message.
/// A final word that contradicts the one before is a violation.
pub fn settled(
    tx: &mut Tx<'_>,
    now: Timestamp,
    id: MessageId,
    receipt: &Receipt,
    evidence: &serde_json::Value,
) -> Result<()> {
    if receipt.message != id {
        return Err(Violation::new(
            "receipt",
            "message",
            format!("a receipt for {} came for {id}", receipt.message),
        )
        .into());
    }
    let known = receipts(tx, id)?.into_iter().map(|kept| kept.receipt).find(|kept| kept.kind.is_final());
    let state = receipt.kind.after(known.as_ref().map(|known| known.kind))?;
    let refusal = known.as_ref().unwrap_or(receipt).refusal.as_ref();
    let problem = refusal.map(|refusal| refusal.code.to_string());
    let text = json("store_receipt.receipt", receipt)?;
    tx.run_all(&[
        (&RECEIPT, params![id, word(receipt.kind), text, evidence.to_string(), now, tx.name].to_vec()),
        (&SETTLED, params![id, word(state), problem, now, tx.name].to_vec()),
    ])?;
    dead_letters::arrived(tx, now, id)
}

/// The word by which a receipt, and the state that it leads to, is stored.
fn word(kind: ReceiptKind) -> &'static str {
    match kind {
        ReceiptKind::Delivered => "delivered",
        ReceiptKind::Processed => "processed",
        ReceiptKind::Rejected => "rejected",
    }
}

/// A message that waits is given up and stands among the dead letters; a receipt that comes later is still kept.
///
/// False where it waits no more: its receiver has it, or it was given up before, and nothing is to be told of it.
pub fn dead(tx: &mut Tx<'_>, now: Timestamp, id: MessageId, problem: &str) -> Result<bool> {
    let is_given_up = tx.run(&DEAD, params![id, problem, now, tx.name])? == 1;
    if is_given_up {
        dead_letters::open(tx, now, id, problem)?;
    }
    Ok(is_given_up)
}

/// A message that was given up waits again, with the same id; false where it was settled meanwhile.
pub fn revive(tx: &mut Tx<'_>, now: Timestamp, id: MessageId) -> Result<bool> {
    Ok(tx.run(&REVIVE, params![id, now, tx.name])? == 1)
}

/// What [`send_again`] did with one page of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Again {
    /// The messages that wait once more.
    pub waiting: Vec<MessageId>,
    /// The messages that nobody would take any more: their deadline has passed.
    pub too_late: Vec<MessageId>,
    /// Where the next page goes on; nothing after the last.
    pub next: Option<MessageId>,
}

/// Lets messages wait once more that a city took since a moment and has lost; a page at a time, in the order of ids.
///
/// The receiver knows those that it still has by their ids, and answers them from memory.
pub fn send_again(
    tx: &mut Tx<'_>,
    now: Timestamp,
    to: NodeId,
    since: Timestamp,
    after: Option<MessageId>,
) -> Result<Again> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows = tx.all(&SETTLED_SINCE, params![to, after, since, MESSAGES_MAX])?;
    let mut again = Again::default();
    for row in &rows {
        let envelope: Envelope = row.json("envelope")?;
        if envelope.deadline <= now {
            again.too_late.push(envelope.id);
        } else {
            tx.run(&AGAIN, params![envelope.id, now, tx.name])?;
            again.waiting.push(envelope.id);
        }
        again.next = Some(envelope.id).filter(|_| rows.len() == MESSAGES_MAX as usize);
    }
    Ok(again)
}

/// Takes a message of this city back from its receiver, who has it; true where it was not here.
///
/// `evidence` is the request as this city signed it. Its leaf is that of the log, where the log has one.
pub fn take_back(
    tx: &mut Tx<'_>,
    now: Timestamp,
    message: &Outgoing,
    evidence: &serde_json::Value,
    sent: Timestamp,
) -> Result<bool> {
    let envelope = &message.envelope;
    let known = log::of_message(tx, envelope.id)?;
    let known = known.into_iter().find(|kept| kept.leaf.kind == LeafKind::Sent);
    let (leaf, created) = match known {
        Some(kept) => (kept.hash, kept.leaf.at),
        None => (log::append(tx, &sent_leaf(message, now))?, sent),
    };
    let text = json("store_outbox.envelope", envelope)?;
    let body = sealing::seal(tx.sealer(), &body_of(envelope.id), &message.body);
    let (to, case, evidence) = (envelope.to, envelope.purpose.case, evidence.to_string());
    let row =
        params![envelope.id, to, &envelope.service, case, text, body, leaf, evidence, now, created, tx.name];
    Ok(0 < tx.run(&BACK, row)?)
}

/// One message.
pub fn find(tx: &mut Tx<'_>, id: MessageId) -> Result<Option<Sent>> {
    tx.one(&FIND, params![id])?.map(|row| sent_of(tx, &row)).transpose()
}

/// The messages of a case, in order of sending.
pub fn of_case(tx: &mut Tx<'_>, case: CaseId) -> Result<Vec<Sent>> {
    tx.all(&OF_CASE, params![case])?.iter().map(|row| sent_of(tx, row)).collect()
}

/// The newest messages.
pub fn recent(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Sent>> {
    tx.all(&RECENT, params![limit.min(MESSAGES_MAX)])?.iter().map(|row| sent_of(tx, row)).collect()
}

/// What the receiver said of a message, in order.
pub fn receipts(tx: &mut Tx<'_>, id: MessageId) -> Result<Vec<KeptReceipt>> {
    let rows = tx.all(&RECEIPTS, params![id])?;
    rows.iter()
        .map(|row| Ok(KeptReceipt { receipt: row.json("receipt")?, evidence: row.json("evidence")? }))
        .collect()
}

/// Since when something waits for that city, if anything does.
pub fn waiting_since(tx: &mut Tx<'_>, to: NodeId) -> Result<Option<Timestamp>> {
    match tx.one(&WAITING_SINCE, params![to])? {
        Some(row) => row.get("since"),
        None => Ok(None),
    }
}

fn sent_of(tx: &Tx<'_>, row: &Row) -> Result<Sent> {
    let envelope: Envelope = row.json("envelope")?;
    let body = sealing::open(tx.sealer(), &body_of(envelope.id), row.get("body")?)?;
    let evidence: Option<String> = row.get("evidence")?;
    Ok(Sent {
        state: state_of(row)?,
        message: Outgoing { envelope, body },
        leaf: row.get("leaf")?,
        evidence: evidence.map(|_| row.json("evidence")).transpose()?,
        attempts: row.get("attempts")?,
        next_try: row.get("next_try")?,
        problem: row.get("problem")?,
        created: row.get("created")?,
    })
}

fn sent_leaf(message: &Outgoing, at: Timestamp) -> Leaf {
    Leaf {
        kind: LeafKind::Sent,
        at,
        id: message.envelope.id,
        contract: message.envelope.contract.hash16(),
        content: tb_crypto::sha256(&message.body),
        // The worker signs later; the receiver's leaf commits to the signature base.
        base: [0; 32],
        subject: [0; 32],
    }
}

/// Where a body is sealed to.
fn body_of(id: MessageId) -> String {
    format!("store_outbox/{id}/body")
}

fn state_of(row: &Row) -> Result<State> {
    let word: String = row.get("state")?;
    match word.as_str() {
        "waiting" => Ok(State::Waiting),
        "delivered" => Ok(State::Delivered),
        "processed" => Ok(State::Processed),
        "rejected" => Ok(State::Rejected),
        "dead" => Ok(State::Dead),
        _ => Err(Violation::inconsistent("store_outbox", row.get::<String>("id")?).into()),
    }
}

/// A value as the text of a JSON column.
pub(crate) fn json(column: &'static str, value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Violation::new("schema", column, error.to_string()).into())
}
