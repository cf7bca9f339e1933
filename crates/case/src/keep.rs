//! Keeps cases (办件存储): chain of events, head, index, timers, messages and notices in one transaction.
//!
//! Invariants: only the node that the head names writes, and only on the epoch and count that it has read;
//! the hash of an event covers its predecessor's; a command takes effect once. Events, heads, views and the words of
//! ratings lie sealed, since officers and applicants write freely there; the chain hashes what was sealed.

use serde::{Deserialize, Serialize};
use tb_base::{CaseId, Ctx, Fault, MessageId, PersonId, Result, Violation};
use tb_exchange::{Leaf, LeafKind, Pseudonym, SELF_CONTRACT};
use tb_store::{Row, Stmt, Tx, Value, params, stmt};

use crate::case::{Case, ClockKind};
use crate::env::Env;
use crate::event::{Event, evolve};
use crate::peer::ActAnswer;
use crate::progress::{ProgressView, progress};
use crate::sealed::place;
use crate::{notices, peer, refusals, timers};

/// An event as it is kept and handed over (办件事件记录).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The case.
    pub case: CaseId,
    /// Its place, from 1.
    pub seq: u32,
    /// The epoch after it.
    pub epoch: u32,
    /// The command that made it.
    pub command: MessageId,
    /// Its place among the events of that command, from 0.
    pub part: u32,
    /// What happened.
    pub event: Event,
    /// Hash of the event before it; empty for the first.
    pub prev: String,
    /// SHA-256 of the canonical JSON of all of the above.
    pub hash: String,
}

#[derive(Serialize)]
struct Hashed<'a> {
    case: CaseId,
    seq: u32,
    epoch: u32,
    command: MessageId,
    part: u32,
    event: &'a Event,
    prev: &'a str,
}

impl Record {
    /// The hash that the record must have.
    pub fn expected_hash(&self) -> String {
        let Record { case, seq, epoch, command, part, event, prev, hash: _ } = self;
        crate::digest(&Hashed {
            case: *case,
            seq: *seq,
            epoch: *epoch,
            command: *command,
            part: *part,
            event,
            prev,
        })
    }
}

/// The case of a chain of records, or nothing where the chain is broken anywhere.
pub fn replay(records: &[Record]) -> Option<Case> {
    let mut prev = "";
    for (at, record) in records.iter().enumerate() {
        let seq = u32::try_from(at + 1).ok()?;
        let same = record.case == records.first()?.case;
        if !same || record.seq != seq || record.prev != prev || record.hash != record.expected_hash() {
            return None;
        }
        prev = &record.hash;
    }
    let case = crate::fold(records.iter().map(|record| &record.event))?;
    (case.id() == records.first()?.case && case.epoch == records.last()?.epoch).then_some(case)
}

/// A case with its place in the store.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) case: Case,
    pub(crate) head_hash: String,
    pub(crate) person: Option<PersonId>,
}

const INSERT_EVENT: Stmt = stmt(
    "case.event.insert",
    "
    INSERT INTO case_event (case_id, seq, epoch, kind, event, command, part, prev, hash, leaf, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
",
);

const EVENTS: Stmt = stmt(
    "case.event.all",
    "
    SELECT case_id, seq, epoch, event, command, part, prev, hash
    FROM case_event
    WHERE case_id = $1
    ORDER BY seq
",
);

const BY_COMMAND: Stmt = stmt(
    "case.event.by_command",
    "
    SELECT case_id
    FROM case_event
    WHERE command = $1
    LIMIT 1
",
);

const HEAD: Stmt = stmt(
    "case.head.find",
    "
    SELECT state, head_hash, person
    FROM case_head
    WHERE case_id = $1
",
);

const INSERT_HEAD: Stmt = stmt(
    "case.head.insert",
    "
    INSERT INTO case_head (case_id, state, seq, epoch, head_hash, person, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8)
",
);

/// Only on the count and epoch that were read: whoever was overtaken changes nothing.
const UPDATE_HEAD: Stmt = stmt(
    "case.head.update",
    "
    UPDATE case_head
    SET state = $2, seq = $3, epoch = $4, head_hash = $5, version = version + 1, at = $6, tx = $7
    WHERE case_id = $1 AND seq = $8 AND epoch = $9
",
);

const DELETE_HEAD: Stmt = stmt("case.head.delete", "DELETE FROM case_head WHERE case_id = $1 AND epoch < $2");

const REFERENCE: Stmt = stmt(
    "case.reference.find",
    "
    SELECT view, person
    FROM case_reference
    WHERE case_id = $1
",
);

const PUT_REFERENCE: Stmt = stmt(
    "case.reference.put",
    "
    INSERT INTO case_reference (case_id, view, seq, epoch, head_hash, status, owner, person, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10)
    ON CONFLICT (case_id) DO UPDATE SET
        view = EXCLUDED.view, seq = EXCLUDED.seq, epoch = EXCLUDED.epoch, head_hash = EXCLUDED.head_hash,
        status = EXCLUDED.status, owner = EXCLUDED.owner, version = case_reference.version + 1,
        at = EXCLUDED.at, tx = EXCLUDED.tx
    WHERE case_reference.seq < EXCLUDED.seq
",
);

pub(crate) const PUT_INDEX: Stmt = stmt(
    "case.index.put",
    "
    INSERT INTO case_index (case_id, owned, item, phase, is_over, channel, query_code, office, collecting_office,
        deciding_office, person, due, collected, since, version, at, tx, decided, promised)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1, $15, $16, $17, $18)
    ON CONFLICT (case_id) DO UPDATE SET
        owned = EXCLUDED.owned, phase = EXCLUDED.phase, is_over = EXCLUDED.is_over, office = EXCLUDED.office,
        due = EXCLUDED.due, since = EXCLUDED.since, version = case_index.version + 1,
        at = EXCLUDED.at, tx = EXCLUDED.tx, decided = EXCLUDED.decided, promised = EXCLUDED.promised
",
);

const PUT_RATING: Stmt = stmt(
    "case.rating.put",
    "
    INSERT INTO case_rating (case_id, target, office, grade, words, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (case_id, target) DO NOTHING
",
);

pub(crate) const STATEMENTS: &[Stmt] = &[
    INSERT_EVENT,
    EVENTS,
    BY_COMMAND,
    HEAD,
    INSERT_HEAD,
    UPDATE_HEAD,
    DELETE_HEAD,
    REFERENCE,
    PUT_REFERENCE,
    PUT_INDEX,
    PUT_RATING,
];

/// Whom to tell what happened, in the transaction in which it happened.
pub(crate) enum Tell {
    /// The collecting city follows the progress; with the answers to its acts.
    Progress(Vec<ActAnswer>),
    /// The caller sends its own message.
    Nobody,
}

/// The case that this node owns.
pub(crate) fn head(tx: &mut Tx<'_>, case: CaseId) -> Result<Option<Kept>> {
    let Some(row) = tx.one(&HEAD, params![case])? else { return Ok(None) };
    let person = row.parse_option("person")?;
    let state = tx.open_json(&row, "state", &place::head(case))?;
    Ok(Some(Kept { case: state, head_hash: row.get("head_hash")?, person }))
}

/// What this node knows of a case that another one owns.
pub(crate) fn reference(tx: &mut Tx<'_>, case: CaseId) -> Result<Option<(ProgressView, Option<PersonId>)>> {
    let Some(row) = tx.one(&REFERENCE, params![case])? else { return Ok(None) };
    Ok(Some((tx.open_json(&row, "view", &place::reference(case))?, row.parse_option("person")?)))
}

/// The events of a case that this node has kept, in order (办件履历).
pub fn records(tx: &mut Tx<'_>, case: CaseId) -> Result<Vec<Record>> {
    tx.all(&EVENTS, params![case])?.iter().map(|row| record(tx, row)).collect()
}

fn record(tx: &Tx<'_>, row: &Row) -> Result<Record> {
    let (case, seq) = (row.parse("case_id")?, row.get("seq")?);
    Ok(Record {
        case,
        seq,
        epoch: row.get("epoch")?,
        command: row.parse("command")?,
        part: row.get("part")?,
        event: tx.open_json(row, "event", &place::event(case, seq))?,
        prev: row.get("prev")?,
        hash: row.get("hash")?,
    })
}

/// The case in which a command has taken effect.
pub(crate) fn by_command(tx: &mut Tx<'_>, command: MessageId) -> Result<Option<CaseId>> {
    tx.one(&BY_COMMAND, params![command])?.map(|row| row.parse("case_id")).transpose()
}

/// Writes a new case from its first events.
pub(crate) fn begin(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    person: PersonId,
    events: &[Event],
    command: MessageId,
) -> Result<(Kept, ProgressView)> {
    let case =
        crate::fold(events).ok_or_else(|| Violation::new("inconsistent", "case_event", "no opening"))?;
    let number = number_of(tx, env, Some(person))?;
    let records = chained(Chain::new(&case), events, command);
    let kept = Kept { case, head_hash: last_hash(&records), person: Some(person) };
    insert_head(tx, ctx, &kept)?;
    insert_records(tx, ctx, &records, subject_of(env, number.as_deref())?)?;
    let view = settle(tx, ctx, env, &kept, None)?;
    Ok((kept, view))
}

/// Writes a case that another city hands over: its records as they came, and a head on their epoch.
pub(crate) fn adopt(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    records: &[Record],
    case: Case,
    person: PersonId,
) -> Result<Kept> {
    for record in records {
        tx.run(&INSERT_EVENT, &event_row(tx, ctx, record, None)?)?;
    }
    let kept = Kept { case, head_hash: last_hash(records), person: Some(person) };
    insert_head(tx, ctx, &kept)?;
    Ok(kept)
}

fn insert_head(tx: &mut Tx<'_>, ctx: &Ctx, kept: &Kept) -> Result<()> {
    let case = &kept.case;
    let row = params![
        case.id(),
        state(tx, case)?,
        case.seq,
        case.epoch,
        &kept.head_hash,
        kept.person,
        ctx.now,
        tx.name
    ];
    tx.run(&INSERT_HEAD, row).map(drop)
}

/// Applies what was decided to a case that this node owns: events, head, index, timers, notices, messages.
pub(crate) fn apply(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    kept: Kept,
    events: &[Event],
    command: MessageId,
    tell: Tell,
) -> Result<ProgressView> {
    let before = notices::Before { phase: kept.case.phase.kind(), notes: kept.case.notes.len() };
    let (seq, epoch) = (kept.case.seq, kept.case.epoch);
    let number = number_of(tx, env, kept.person)?;
    let chain = Chain { case: kept.case.id(), seq, epoch, prev: kept.head_hash.clone() };
    let case = events.iter().fold(kept.case, evolve);
    let chain = Chain { epoch: case.epoch, ..chain };
    let records = chained(chain, events, command);
    let kept = Kept { case, head_hash: last_hash(&records), person: kept.person };
    let case = &kept.case;
    let row = params![
        case.id(),
        state(tx, case)?,
        case.seq,
        case.epoch,
        &kept.head_hash,
        ctx.now,
        tx.name,
        seq,
        epoch
    ];
    // First the head: whoever was overtaken stops here, before any of its events.
    if tx.run(&UPDATE_HEAD, row)? == 0 {
        let overtaken = head(tx, kept.case.id())?.is_some();
        return Err(if overtaken { refusals::overtaken() } else { refusals::not_owner() }.into());
    }
    insert_records(tx, ctx, &records, subject_of(env, number.as_deref())?)?;
    let view = settle(tx, ctx, env, &kept, Some(before))?;
    match tell {
        Tell::Progress(acts)
            if case.is_remote() && case.owner == env.me() && case.opening.collecting.city != env.me() =>
        {
            peer::send_progress(tx, ctx, env, &kept, &view, acts)?;
        }
        Tell::Progress(_) | Tell::Nobody => {}
    }
    Ok(view)
}

/// Index, timers, ratings and notices that follow from a head.
fn settle(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    kept: &Kept,
    before: Option<notices::Before>,
) -> Result<ProgressView> {
    let rules = env.rules(&kept.case)?;
    let view = progress(&kept.case, &rules, &kept.head_hash);
    put_index(tx, ctx, &view, kept.person, Owned::Here)?;
    end(tx, ctx, env, before, &view)?;
    put_ratings(tx, &view)?;
    timers::set(tx, ctx, &kept.case, &rules)?;
    notices::post(tx, ctx, kept.person, before, &view)?;
    tb_store::audit::line(tx, ctx, "case.move", view.case.as_str(), &crate::word(&view.phase))?;
    Ok(view)
}

/// Follows the owner: the reference, its index row, ratings, a notice. False where the view is not newer.
pub(crate) fn follow(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    view: &ProgressView,
    person: Option<PersonId>,
) -> Result<bool> {
    let before = reference(tx, view.case)?;
    let before = before.map(|(view, _)| notices::Before { phase: view.phase, notes: view.notes.len() });
    let text = serde_json::to_string(view).map_err(|error| Fault::of("writing a progress view", error))?;
    let text = tx.seal(&place::reference(view.case), text);
    let (phase, owner) = (crate::word(&view.phase), view.owner);
    let row = params![
        view.case,
        text,
        view.seq,
        view.epoch,
        &view.head_hash,
        phase,
        owner,
        person,
        ctx.now,
        tx.name
    ];
    if tx.run(&PUT_REFERENCE, row)? == 0 {
        return Ok(false);
    }
    put_index(tx, ctx, view, person, Owned::Elsewhere)?;
    end(tx, ctx, env, before, view)?;
    put_ratings(tx, view)?;
    notices::post(tx, ctx, person, before, view)?;
    Ok(true)
}

/// What was for the case ends with it, once; a rating may still follow.
fn end(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    before: Option<notices::Before>,
    view: &ProgressView,
) -> Result<()> {
    let was_over = before.is_some_and(|before| before.phase.is_over());
    if view.phase.is_over() && !was_over { (env.ended)(tx, ctx, view.case) } else { Ok(()) }
}

/// Gives up the head after custody has moved; the events of the own epoch stay as history.
pub(crate) fn give_up(tx: &mut Tx<'_>, case: CaseId, epoch: u32) -> Result<bool> {
    timers::cancel(tx, case)?;
    crate::files::delete(tx, case)?;
    Ok(0 < tx.run(&DELETE_HEAD, params![case, epoch])?)
}

#[derive(Clone, Copy)]
enum Owned {
    Here,
    Elsewhere,
}

fn put_index(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    view: &ProgressView,
    person: Option<PersonId>,
    owned: Owned,
) -> Result<()> {
    let due = view.due().map(|clock| clock.due_at);
    let decided = view.decided();
    let promised = decided.and_then(|_| view.clock(ClockKind::Promised)).map(|clock| clock.due_at);
    let row = params![
        view.case,
        matches!(owned, Owned::Here),
        i64::from(view.item),
        crate::word(&view.phase),
        view.phase.is_over(),
        crate::word(&view.channel),
        &view.query_code,
        &view.holder.place.office,
        &view.collecting.office,
        &view.deciding.office,
        person,
        due,
        view.collected,
        view.holder.since,
        ctx.now,
        tx.name,
        decided,
        promised,
    ];
    tx.run(&PUT_INDEX, row).map(drop)
}

fn put_ratings(tx: &mut Tx<'_>, view: &ProgressView) -> Result<()> {
    for rating in &view.ratings {
        let office = match rating.target {
            crate::definitions::RatingTarget::Window => &view.collecting.office,
            crate::definitions::RatingTarget::Department => &view.deciding.office,
        };
        let target = crate::word(&rating.target);
        let words = tx.seal(&place::rating(view.case, &target), rating.text.as_str());
        tx.run(&PUT_RATING, params![view.case, target, office, rating.grade, words, rating.at, tx.name])?;
    }
    Ok(())
}

/// Where the chain stands before a write.
struct Chain {
    case: CaseId,
    seq: u32,
    epoch: u32,
    prev: String,
}

impl Chain {
    fn new(case: &Case) -> Chain {
        Chain { case: case.id(), seq: 0, epoch: case.epoch, prev: String::new() }
    }
}

/// The records that follow in a chain.
fn chained(chain: Chain, events: &[Event], command: MessageId) -> Vec<Record> {
    let Chain { case, mut seq, epoch, mut prev } = chain;
    let mut records = Vec::new();
    for (part, event) in (0..).zip(events) {
        seq += 1;
        let hash = String::new();
        let mut record = Record { case, seq, epoch, command, part, event: event.clone(), prev, hash };
        record.hash = record.expected_hash();
        prev = record.hash.clone();
        records.push(record);
    }
    records
}

fn last_hash(records: &[Record]) -> String {
    records.last().map(|record| record.hash.clone()).unwrap_or_default()
}

/// Writes records, each with its leaf; the subject of a leaf is salted.
fn insert_records(tx: &mut Tx<'_>, ctx: &Ctx, records: &[Record], subject: Option<Pseudonym>) -> Result<()> {
    for record in records {
        let leaf = leaf(ctx, record)?;
        let leaf =
            tb_store::log::append_about(tx, ctx, leaf, subject.as_ref().map(|subject| &subject.0[..]))?;
        tx.run(&INSERT_EVENT, &event_row(tx, ctx, record, Some(leaf))?)?;
    }
    Ok(())
}

fn leaf(ctx: &Ctx, record: &Record) -> Result<Leaf> {
    let id = record
        .case
        .as_str()
        .parse::<MessageId>()
        .map_err(|_| Violation::inconsistent("case_event", record.case))?;
    let hash = tb_crypto::text::unhex(&record.hash)?;
    let content = hash.try_into().map_err(|_| Violation::inconsistent("case_event", record.case))?;
    Ok(Leaf {
        kind: LeafKind::Case,
        at: ctx.now,
        id,
        contract: [0; 16],
        content,
        base: [0; 32],
        subject: [0; 32],
    })
}

fn event_row(tx: &Tx<'_>, ctx: &Ctx, record: &Record, leaf: Option<[u8; 32]>) -> Result<Vec<Value>> {
    let text = serde_json::to_string(&record.event).map_err(|error| Fault::of("writing an event", error))?;
    let text = tx.seal(&place::event(record.case, record.seq), text);
    Ok(params![
        record.case,
        record.seq,
        record.epoch,
        record.event.change.kind(),
        text,
        record.command,
        record.part,
        &record.prev,
        &record.hash,
        leaf,
        ctx.now,
        tx.name,
    ]
    .to_vec())
}

fn state(tx: &Tx<'_>, case: &Case) -> Result<String> {
    let text = serde_json::to_string(case).map_err(|error| Fault::of("writing a case", error))?;
    Ok(tx.seal(&place::head(case.id()), text))
}

/// Whom the leaves of a case are about: her pseudonym in this city, since the store keeps it beside the salt.
fn subject_of(env: &Env, number: Option<&str>) -> Result<Option<Pseudonym>> {
    let own = SELF_CONTRACT.parse()?;
    number.map(|number| env.desk.pseudonym(&own, number)).transpose()
}

/// The resident number of the person, for pseudonyms.
pub(crate) fn number_of(tx: &mut Tx<'_>, env: &Env, person: Option<PersonId>) -> Result<Option<String>> {
    let Some(person) = person else { return Ok(None) };
    Ok(Some(tb_identity::people::get(tx, &env.vault, person)?.number.to_string()))
}

/// Refuses unless this node owns the case.
pub(crate) fn owned(tx: &mut Tx<'_>, case: CaseId) -> Result<Kept> {
    match head(tx, case)? {
        Some(kept) => Ok(kept),
        None if reference(tx, case)?.is_some() => Err(refusals::not_owner().into()),
        None => Err(refusals::not_found().into()),
    }
}
