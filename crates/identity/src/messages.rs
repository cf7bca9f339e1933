//! Notices to a person on the site (站内消息): which words, by kind and edition, and what is filled in.
//!
//! Invariant: parameters lie sealed, since an officer may have typed one of them.

use std::collections::BTreeMap;

use tb_base::{CaseId, Ctx, Fault, MessageId, PersonId, Refusal, Result, Timestamp};
use tb_store::{Row, Stmt, Tx, params, stmt};

use crate::wording::{self, Wording};
use crate::{PAGE_ROWS, offset};

/// A notice (站内消息).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its id.
    pub id: MessageId,
    /// Key of its words, such as `case.accepted`.
    pub template: String,
    /// Which edition of the words it was sent with.
    pub edition: usize,
    /// What the text fills in.
    pub params: BTreeMap<String, String>,
    /// The case that it is about, where there is one.
    pub case: Option<CaseId>,
    /// When it was written.
    pub at: Timestamp,
    /// When the person read it.
    pub read_at: Option<Timestamp>,
}

const INSERT: Stmt = stmt(
    "identity.message.insert",
    "
    INSERT INTO identity_message (id, person, template, params, case_id, read_at, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, NULL, 1, $6, $7)
",
);

const UNREAD: Stmt = stmt(
    "identity.message.unread",
    "
    SELECT COUNT(*) AS counted
    FROM identity_message
    WHERE person = $1 AND read_at IS NULL
",
);

const READ: Stmt = stmt(
    "identity.message.read",
    "
    UPDATE identity_message
    SET read_at = $2, version = version + 1, tx = $3
    WHERE person = $1 AND read_at IS NULL
",
);

const NARROWED: Stmt = stmt(
    "identity.message.narrowed",
    "
    SELECT id, template, params, case_id, at, read_at
    FROM identity_message
    WHERE person = $1 AND (CAST($2 AS BIGINT) = 0 OR read_at IS NULL) AND (CAST($3 AS TEXT) = '' OR case_id = $3)
    ORDER BY at DESC, id DESC
    LIMIT $4 OFFSET $5
",
);

const NARROWED_COUNT: Stmt = stmt(
    "identity.message.narrowed_count",
    "
    SELECT COUNT(*) AS counted
    FROM identity_message
    WHERE person = $1 AND (CAST($2 AS BIGINT) = 0 OR read_at IS NULL) AND (CAST($3 AS TEXT) = '' OR case_id = $3)
",
);

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[INSERT, UNREAD, READ, NARROWED, NARROWED_COUNT];

/// How many parameters a notice may have.
pub const PARAMS_MAX: usize = 16;

impl Notice {
    /// What it says in Chinese and English; nothing where its words are not among those known.
    pub fn words(&self, known: &[Wording]) -> Option<(String, String)> {
        wording::filled(known, (&self.template, self.edition), &self.params)
    }
}

/// Writes a notice to a person, in the newest edition of its words.
pub fn post(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    person: PersonId,
    wording: &Wording,
    params: &BTreeMap<String, String>,
    case: Option<CaseId>,
) -> Result<MessageId> {
    if PARAMS_MAX < params.len() {
        return Err(
            Refusal::invalid("IDN-MSG-001", "消息参数过多", "The notice has too many parameters").into()
        );
    }
    let id = ctx.id(MessageId::new);
    let filled = serde_json::to_string(params).map_err(|error| Fault::of("writing a notice", error))?;
    let filled = tx.seal(&place(id), filled);
    let name = tx.name;
    tx.run(&INSERT, params![id, person, wording.newest(), filled, case, ctx.now, name])?;
    Ok(id)
}

/// Which notices are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only those that are not read.
    pub only_unread: bool,
    /// Only those about one case.
    pub case: Option<CaseId>,
}

/// One page of the notices that are wanted, newest first, and how many there are in all.
pub fn narrowed(tx: &mut Tx<'_>, person: PersonId, wanted: Wanted, page: u32) -> Result<(Vec<Notice>, i64)> {
    let case = wanted.case.map_or(String::new(), |case| case.to_string());
    let mut values = params![person, i64::from(wanted.only_unread), case].to_vec();
    let total = tx.one(&NARROWED_COUNT, &values)?.map_or(Ok(0), |row| row.get("counted"))?;
    values.extend_from_slice(params![PAGE_ROWS, offset(page)]);
    let found: Result<Vec<Notice>> = tx.all(&NARROWED, &values)?.iter().map(|row| notice(tx, row)).collect();
    Ok((found?, total))
}

/// How many notices the person has not read.
pub fn unread(tx: &mut Tx<'_>, person: PersonId) -> Result<i64> {
    tx.one(&UNREAD, params![person])?.map_or(Ok(0), |row| row.get("counted"))
}

/// Marks every notice of a person as read.
pub fn mark_all_read(tx: &mut Tx<'_>, ctx: &Ctx, person: PersonId) -> Result<()> {
    let name = tx.name;
    tx.run(&READ, params![person, ctx.now, name]).map(drop)
}

/// The place of the parameters of a notice.
pub(crate) fn place(id: MessageId) -> String {
    format!("identity_message/{id}/params")
}

fn notice(tx: &Tx<'_>, row: &Row) -> Result<Notice> {
    let id: MessageId = row.parse("id")?;
    let name: String = row.get("template")?;
    let (key, edition) = wording::named(&name);
    Ok(Notice {
        id,
        template: key.to_owned(),
        edition,
        params: tx.open_json(row, "params", &place(id))?,
        case: row.parse_option("case_id")?,
        at: row.get("at")?,
        read_at: row.get("read_at")?,
    })
}
