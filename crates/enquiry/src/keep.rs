//! Enquiries in the store (问询入库): one row for each, one row for each turn.

use serde::{Deserialize, Serialize};
use tb_base::{Ctx, Fault, MessageId, NodeId, PersonId, Result, Timestamp, Violation};
use tb_crypto::Vault;
use tb_store::{Row, Stmt, Tx, params, stmt};

use crate::decide::{Standing, TURNS_MAX};
use crate::enquiry::{About, Asker, Enquiry, Place, Turn};
use crate::refusals;
use crate::sealed::place;

/// What is sealed of an enquiry.
#[derive(Serialize, Deserialize)]
struct Content {
    about: About,
    signed_in: bool,
    /// The telephone number, where she was not signed in.
    phone: Option<String>,
    code: String,
    office: Option<Place>,
}

/// The columns of an enquiry, in one place for every list.
macro_rules! columns {
    () => {
        "
    SELECT id, from_city, to_city, person, state, asked, since, due, received, turns, agains, passes, content
    FROM enquiry_enquiry"
    };
}

pub(crate) use columns;

const INSERT: Stmt = stmt(
    "enquiry.insert",
    "
    INSERT INTO enquiry_enquiry (id, kind, from_city, to_city, office, person, asker_tag, code_tag, state, asked,
        since, due, received, turns, agains, passes, content, version, at, tx)
    VALUES ($1, $2, $3, $4, NULL, $5, $6, $7, 'open', $8, $8, $9, NULL, 0, 0, 0, $10, 1, $11, $12)
    ON CONFLICT (id) DO NOTHING
",
);

const FIND: Stmt = stmt("enquiry.find", concat!(columns!(), " WHERE id = $1"));

const BY_CODE: Stmt = stmt("enquiry.by_code", concat!(columns!(), " WHERE code_tag = $1 LIMIT 2"));

const OPEN_OF: Stmt = stmt(
    "enquiry.open_of",
    "
    SELECT COUNT(*) AS counted
    FROM enquiry_enquiry
    WHERE asker_tag = $1 AND state = 'open'
",
);

/// Only on the turns that were read: whoever was overtaken changes nothing.
const UPDATE: Stmt = stmt(
    "enquiry.update",
    "
    UPDATE enquiry_enquiry
    SET state = $2, office = $3, since = $4, due = $5, received = $6, turns = $7, agains = $8, passes = $9,
        content = $10, version = version + 1, at = $11, tx = $12
    WHERE id = $1 AND turns = $13
",
);

const INSERT_TURN: Stmt = stmt(
    "enquiry.turn.insert",
    "
    INSERT INTO enquiry_turn (enquiry, turn, seq, city, act, content, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (enquiry, turn) DO NOTHING
",
);

const TURNS: Stmt = stmt(
    "enquiry.turn.all",
    "
    SELECT turn, content
    FROM enquiry_turn
    WHERE enquiry = $1
    ORDER BY seq, turn
    LIMIT $2
",
);

const OVER: Stmt = stmt(
    "enquiry.over",
    "
    SELECT id
    FROM enquiry_enquiry
    WHERE state = 'closed' AND at < $1
    ORDER BY at, id
    LIMIT $2
",
);

const DELETE_TURNS: Stmt = stmt("enquiry.turn.delete", "DELETE FROM enquiry_turn WHERE enquiry = $1");

const DELETE: Stmt = stmt("enquiry.delete", "DELETE FROM enquiry_enquiry WHERE id = $1 AND state = 'closed'");

pub(crate) const STATEMENTS: &[Stmt] =
    &[INSERT, FIND, BY_CODE, OPEN_OF, UPDATE, INSERT_TURN, TURNS, OVER, DELETE_TURNS, DELETE];

/// Writes a new enquiry without any turn; false where the id is taken.
pub(crate) fn insert(tx: &mut Tx<'_>, ctx: &Ctx, vault: &Vault, enquiry: &Enquiry) -> Result<bool> {
    let (person, code_tag) = match &enquiry.asker {
        Asker::Person(person) => (Some(*person), None),
        Asker::Phone(phone) => (None, Some(code_tag(vault, &enquiry.code, phone))),
        Asker::Elsewhere => (None, None),
    };
    let tag = asker_tag(vault, &enquiry.asker, enquiry.from);
    let content = sealed(tx, enquiry)?;
    let row = params![
        enquiry.id,
        crate::word(&enquiry.about.kind()),
        enquiry.from,
        enquiry.to,
        person,
        tag,
        code_tag,
        enquiry.asked,
        enquiry.due,
        content,
        ctx.now,
        tx.name,
    ];
    Ok(tx.run(&INSERT, row)? == 1)
}

/// The enquiry of an id.
pub fn find(tx: &mut Tx<'_>, id: MessageId) -> Result<Option<Enquiry>> {
    let Some(row) = tx.one(&FIND, params![id])? else { return Ok(None) };
    read(tx, &row).map(Some)
}

/// The enquiry that somebody who was not signed in made: by its code and her telephone number.
pub fn by_code(tx: &mut Tx<'_>, vault: &Vault, code: &str, phone: &str) -> Result<Option<Enquiry>> {
    let rows = tx.all(&BY_CODE, params![code_tag(vault, code, phone)])?;
    match rows.as_slice() {
        [row] => read(tx, row).map(Some),
        _ => Ok(None),
    }
}

/// How many enquiries of the same person, or of the same telephone, wait for an answer.
pub(crate) fn open_of(tx: &mut Tx<'_>, vault: &Vault, asker: &Asker, from: NodeId) -> Result<i64> {
    tx.one(&OPEN_OF, params![asker_tag(vault, asker, from)])?.map_or(Ok(0), |row| row.get("counted"))
}

/// Adds a turn; false where it was added before.
pub(crate) fn insert_turn(tx: &mut Tx<'_>, ctx: &Ctx, enquiry: &Enquiry, turn: &Turn) -> Result<bool> {
    let text = serde_json::to_string(turn).map_err(|error| Fault::of("writing a turn", error))?;
    let text = tx.seal(&place::turn(enquiry.id, turn.id), text);
    let (kind, name) = (crate::word(&turn.act.kind()), tx.name);
    let row = params![enquiry.id, turn.id, enquiry.turns, turn.city, kind, text, ctx.now, name];
    Ok(tx.run(&INSERT_TURN, row)? == 1)
}

/// Every turn, in the order in which this city had them.
pub fn turns(tx: &mut Tx<'_>, id: MessageId) -> Result<Vec<Turn>> {
    let most = i64::try_from(TURNS_MAX).unwrap_or(i64::MAX);
    let rows = tx.all(&TURNS, params![id, most])?;
    rows.iter()
        .map(|row| {
            let turn = row.parse("turn")?;
            tx.open_json(row, "content", &place::turn(id, turn))
        })
        .collect()
}

/// Writes down what the turns add up to.
pub(crate) fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: Enquiry,
    now: Standing,
    due: Timestamp,
) -> Result<Enquiry> {
    let turns_before = before.turns;
    let Standing { state, office, received, since, turns, agains, passes } = now;
    let enquiry = Enquiry { state, office, received, since, due, turns, agains, passes, ..before };
    let content = sealed(tx, &enquiry)?;
    let row = params![
        enquiry.id,
        crate::word(&enquiry.state),
        enquiry.office.as_ref().map(|office| office.id.to_string()),
        enquiry.since,
        enquiry.due,
        enquiry.received,
        enquiry.turns,
        enquiry.agains,
        enquiry.passes,
        content,
        ctx.now,
        tx.name,
        turns_before,
    ];
    if tx.run(&UPDATE, row)? == 1 { Ok(enquiry) } else { Err(refusals::moved_on().into()) }
}

/// Drops enquiries that have been over since before then; gives how many, at most `rows_max`.
pub fn purge(tx: &mut Tx<'_>, before: Timestamp, rows_max: i64) -> Result<usize> {
    let over = tx.all(&OVER, params![before, rows_max])?;
    for row in &over {
        let id: String = row.get("id")?;
        tx.run(&DELETE_TURNS, params![&id])?;
        tx.run(&DELETE, params![&id])?;
    }
    Ok(over.len())
}

/// An enquiry from a row of [`columns`].
pub(crate) fn read(tx: &Tx<'_>, row: &Row) -> Result<Enquiry> {
    let id: MessageId = row.parse("id")?;
    let content: Content = tx.open_json(row, "content", &place::enquiry(id))?;
    let person: Option<PersonId> = row.parse_option("person")?;
    let asker = match (person, content.phone) {
        (Some(person), _) => Asker::Person(person),
        (None, Some(phone)) => Asker::Phone(phone),
        (None, None) => Asker::Elsewhere,
    };
    let state: String = row.get("state")?;
    Ok(Enquiry {
        id,
        about: content.about,
        asker,
        signed_in: content.signed_in,
        code: content.code,
        from: row.parse("from_city")?,
        to: row.parse("to_city")?,
        office: content.office,
        state: serde_json::from_value(serde_json::Value::String(state))
            .map_err(|_| Violation::inconsistent("enquiry_enquiry", id))?,
        asked: row.get("asked")?,
        since: row.get("since")?,
        due: row.get("due")?,
        received: row.get("received")?,
        turns: row.get("turns")?,
        agains: row.get("agains")?,
        passes: row.get("passes")?,
    })
}

fn sealed(tx: &Tx<'_>, enquiry: &Enquiry) -> Result<String> {
    let phone = match &enquiry.asker {
        Asker::Phone(phone) => Some(phone.clone()),
        Asker::Person(_) | Asker::Elsewhere => None,
    };
    let content = Content {
        about: enquiry.about.clone(),
        signed_in: enquiry.signed_in,
        phone,
        code: enquiry.code.clone(),
        office: enquiry.office.clone(),
    };
    let text = serde_json::to_string(&content).map_err(|error| Fault::of("writing an enquiry", error))?;
    Ok(tx.seal(&place::enquiry(enquiry.id), text))
}

/// Code and telephone together: neither opens anything alone. Blanks and case do not matter.
fn code_tag(vault: &Vault, code: &str, phone: &str) -> [u8; 32] {
    let code = code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    vault.tag("enquiry.code", &format!("{code}/{phone}"))
}

fn asker_tag(vault: &Vault, asker: &Asker, from: NodeId) -> [u8; 32] {
    let who = match asker {
        Asker::Person(person) => format!("person/{person}"),
        Asker::Phone(phone) => format!("phone/{phone}"),
        Asker::Elsewhere => format!("city/{from}"),
    };
    vault.tag("enquiry.asker", &who)
}
