//! Dead letters (死信): messages that were given up, who takes care of each, and how it ended.
//!
//! Invariants: a message that is dead in the outbox stands here as open, or as closed with the way it ended;
//! an act on a letter takes effect in the state in which it was seen, or not at all.

use tb_base::{MessageId, NodeId, Refusal, Result, StaffId, Timestamp, Violation};
use tb_exchange::Envelope;

use crate::{Row, Stmt, Tx, Value, outbox, params, stmt};

/// Letters on one page at the most.
pub const LETTERS_MAX: u32 = 200;

const OPEN: Stmt = stmt(
    "store.dead.open",
    "
    INSERT INTO store_dead (message, recipient, service, problem, died, state, version, at, tx)
    SELECT id, recipient, service, $2, $3, 'open', 1, $3, $4
    FROM store_outbox
    WHERE id = $1
    ON CONFLICT (message) DO UPDATE SET
        problem = excluded.problem, died = excluded.died, state = 'open', closed = NULL, closed_by = NULL,
        version = store_dead.version + 1, at = excluded.at, tx = excluded.tx
",
);

const ARRIVED: Stmt = stmt(
    "store.dead.arrived",
    "
    UPDATE store_dead SET state = 'arrived', closed = $2, version = version + 1, at = $2, tx = $3
    WHERE message = $1 AND state = 'open'
",
);

const TAKE: Stmt = stmt(
    "store.dead.take",
    "
    UPDATE store_dead SET owner = $3, taken = $4, version = version + 1, at = $4, tx = $5
    WHERE message = $1 AND version = $2 AND state = 'open'
",
);

const CLOSE: Stmt = stmt(
    "store.dead.close",
    "
    UPDATE store_dead SET
        state = $3, closed = $4, closed_by = $5, successor = $6, why = $7, done = $8,
        version = version + 1, at = $4, tx = $9
    WHERE message = $1 AND version = $2 AND state = 'open'
",
);

const FIND: Stmt = stmt("store.dead.find", "
    SELECT letter.message, letter.recipient, letter.service, letter.problem, letter.died, letter.state,
        letter.owner, letter.taken, letter.closed, letter.closed_by, letter.successor, letter.why, letter.done,
        letter.version, sent.envelope, sent.created, sent.attempts
    FROM store_dead AS letter
    JOIN store_outbox AS sent ON sent.id = letter.message
    WHERE letter.message = $1
");

const PAGE: Stmt = stmt("store.dead.page", "
    SELECT letter.message, letter.recipient, letter.service, letter.problem, letter.died, letter.state,
        letter.owner, letter.taken, letter.closed, letter.closed_by, letter.successor, letter.why, letter.done,
        letter.version, sent.envelope, sent.created, sent.attempts
    FROM store_dead AS letter
    JOIN store_outbox AS sent ON sent.id = letter.message
    WHERE letter.state = $1 AND letter.died < $2
        AND ($3 < letter.died OR ($3 = letter.died AND $4 < letter.message))
        AND ($5 = '' OR letter.recipient = $5) AND ($6 = '' OR letter.service = $6)
    ORDER BY letter.died, letter.message
    LIMIT $7
");

const COUNT: Stmt = stmt(
    "store.dead.count",
    "
    SELECT COUNT(*) AS letters
    FROM (
        SELECT message
        FROM store_dead
        WHERE state = $1 AND died < $2 AND ($3 = '' OR recipient = $3) AND ($4 = '' OR service = $4)
        LIMIT $5
    ) AS counted
",
);

const OLDEST: Stmt = stmt(
    "store.dead.oldest",
    "
    SELECT MIN(died) AS died
    FROM store_dead
    WHERE state = 'open'
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[OPEN, ARRIVED, TAKE, CLOSE, FIND, PAGE, COUNT, OLDEST];

/// Where a letter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterState {
    /// Somebody has to see to it (待处理).
    Open,
    /// It was sent again (已重发).
    Again,
    /// It was settled by hand (已人工办结).
    Settled,
    /// A receipt came after all (已送达).
    Arrived,
}

/// Every state of a letter.
pub const STATES: [LetterState; 4] =
    [LetterState::Open, LetterState::Again, LetterState::Settled, LetterState::Arrived];

impl LetterState {
    /// The word by which it is stored and named in addresses.
    pub fn word(self) -> &'static str {
        match self {
            LetterState::Open => "open",
            LetterState::Again => "again",
            LetterState::Settled => "settled",
            LetterState::Arrived => "arrived",
        }
    }

    /// The state of a word.
    pub fn of(word: &str) -> Option<LetterState> {
        STATES.into_iter().find(|state| state.word() == word)
    }
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The head of the message.
    pub envelope: Envelope,
    /// Since when the message was in the outbox.
    pub created: Timestamp,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// Why it was given up, as the node wrote it down.
    pub problem: String,
    /// When it was given up last.
    pub died: Timestamp,
    /// Where it stands.
    pub state: LetterState,
    /// The member of staff who takes care of it.
    pub owner: Option<StaffId>,
    /// Since when.
    pub taken: Option<Timestamp>,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// Who closed it.
    pub closed_by: Option<StaffId>,
    /// The message that went in its place.
    pub successor: Option<MessageId>,
    /// Why it was settled by hand: a word.
    pub why: Option<String>,
    /// What was done about it: a word.
    pub done: Option<String>,
    /// Grows with each change; an act names the one that it saw.
    pub version: i64,
}

/// Which letters are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// In this state.
    pub state: LetterState,
    /// To this city.
    pub to: Option<NodeId>,
    /// Of this service.
    pub service: Option<String>,
    /// Given up before this moment.
    pub died_before: Timestamp,
}

/// A place in the list: the last letter of the page before.
pub type Place = (Timestamp, MessageId);

/// How a letter is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending<'a> {
    /// The same message waits again, or another one in its place.
    Again(Option<MessageId>),
    /// By hand: why, and what was done, each in a word.
    Settled(&'a str, &'a str),
}

/// A message was given up; one that died before is open once more, and keeps its owner.
pub(crate) fn open(tx: &mut Tx<'_>, now: Timestamp, id: MessageId, problem: &str) -> Result<()> {
    tx.run(&OPEN, params![id, problem, now, tx.name]).map(drop)
}

/// A receipt came: nothing is left to do.
pub(crate) fn arrived(tx: &mut Tx<'_>, now: Timestamp, id: MessageId) -> Result<()> {
    tx.run(&ARRIVED, params![id, now, tx.name]).map(drop)
}

/// One letter.
pub fn find(tx: &mut Tx<'_>, id: MessageId) -> Result<Option<Letter>> {
    tx.one(&FIND, params![id])?.as_ref().map(letter_of).transpose()
}

/// A page of letters, those that wait longest first, after a place.
pub fn page(tx: &mut Tx<'_>, filter: &Filter, after: Option<Place>, limit: u32) -> Result<Vec<Letter>> {
    let (died, id) = after.map_or((Timestamp(i64::MIN), String::new()), |(at, id)| (at, id.to_string()));
    let [state, before, to, service] = asked(filter);
    let limit = Value::from(limit.min(LETTERS_MAX));
    let rows = tx.all(&PAGE, &[state, before, Value::from(died), Value::from(id), to, service, limit])?;
    rows.iter().map(letter_of).collect()
}

/// How many letters fit, up to [`outbox::COUNT_MAX`].
pub fn count(tx: &mut Tx<'_>, filter: &Filter) -> Result<u32> {
    let [state, before, to, service] = asked(filter);
    match tx.one(&COUNT, &[state, before, to, service, Value::from(outbox::COUNT_MAX)])? {
        Some(row) => row.get("letters"),
        None => Ok(0),
    }
}

/// When the open letter that waits longest was given up.
pub fn oldest(tx: &mut Tx<'_>) -> Result<Option<Timestamp>> {
    match tx.one(&OLDEST, &[])? {
        Some(row) => row.get("died"),
        None => Ok(None),
    }
}

fn asked(filter: &Filter) -> [Value; 4] {
    [
        Value::from(filter.state.word()),
        Value::from(filter.died_before),
        Value::from(filter.to.map(|to| to.to_string()).unwrap_or_default()),
        Value::from(filter.service.clone().unwrap_or_default()),
    ]
}

/// A member of staff takes care of an open letter; refused where it changed since she saw it.
pub fn take(tx: &mut Tx<'_>, now: Timestamp, seen: &Letter, owner: StaffId) -> Result<()> {
    let taken = tx.run(&TAKE, params![seen.envelope.id, seen.version, owner, now, tx.name])?;
    if taken == 1 { Ok(()) } else { Err(moved().into()) }
}

/// Closes an open letter; refused where it changed since it was seen.
pub fn close(tx: &mut Tx<'_>, now: Timestamp, seen: &Letter, by: StaffId, ending: Ending<'_>) -> Result<()> {
    let (state, successor, why, done) = match ending {
        Ending::Again(successor) => (LetterState::Again, successor, None, None),
        Ending::Settled(why, done) => (LetterState::Settled, None, Some(why), Some(done)),
    };
    let closed = tx.run(
        &CLOSE,
        params![seen.envelope.id, seen.version, state.word(), now, by, successor, why, done, tx.name],
    )?;
    if closed == 1 { Ok(()) } else { Err(moved().into()) }
}

/// Two people at once, or a receipt that came: whoever acts must look again.
pub fn moved() -> Refusal {
    Refusal::conflict("STO-DEAD-001", "这封死信刚刚有了变化", "This dead letter has just changed")
        .but("请看它现在的状态，再决定", "Look at how it stands now, and decide then")
}

fn letter_of(row: &Row) -> Result<Letter> {
    let state: String = row.get("state")?;
    let Some(state) = LetterState::of(&state) else {
        return Err(Violation::inconsistent("store_dead", row.get::<String>("message")?).into());
    };
    Ok(Letter {
        envelope: row.json("envelope")?,
        created: row.get("created")?,
        attempts: row.get("attempts")?,
        problem: row.get("problem")?,
        died: row.get("died")?,
        state,
        owner: row.parse_option("owner")?,
        taken: row.get("taken")?,
        closed: row.get("closed")?,
        closed_by: row.parse_option("closed_by")?,
        successor: row.parse_option("successor")?,
        why: row.get("why")?,
        done: row.get("done")?,
        version: row.get("version")?,
    })
}
