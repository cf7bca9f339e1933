//! Looks at a person's data (谁看了我的数据): who, for which case, on what ground, which fields, when.
//! Serves clauses 1.1 and 3.3.
//!
//! Invariant: the row and the leaf that commits to it are one write. The log holds hashes only; the salt that
//! opens them stays here and goes to the person in her bundle.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tb_base::{
    CaseId, Ctx, Fault, LicenceId, MessageId, NodeId, OfficeId, PersonId, Refusal, Result, Timestamp,
    Violation,
};
use tb_crypto::{Vault, canonical, sha256, text};
use tb_exchange::{Leaf, LeafKind, subject_commitment};
use tb_store::{Row, Stmt, Tx, params, stmt};

use crate::words::words;
use crate::{PAGE_ROWS, offset, people};

words! {
    /// In which way somebody looked (查看方式).
    LookKind {
        /// A clerk read the register (查询登记).
        Register = "register",
        /// Fields of a licence were fetched (调取).
        Fetch = "fetch",
        /// A licence that she showed was verified (核验).
        Verify = "verify",
        /// It was looked up which licences she has (定位).
        Locate = "locate",
        /// A case of hers was opened (查看办件).
        Case = "case",
        /// The list of looks itself was read (查看记录).
        Trace = "trace",
    }
}

/// Somebody looked, or was refused to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whose data.
    pub person: PersonId,
    /// In which way.
    pub kind: LookKind,
    /// The city of whoever looked.
    pub city: NodeId,
    /// The office, where the looker is staff.
    pub office: Option<OfficeId>,
    /// The role, such as `window`; `node` for a machine.
    pub role: String,
    /// The item that it served, such as `121`, or a purpose code.
    pub item: String,
    /// The case, where there is one.
    pub case: Option<CaseId>,
    /// The ground (依据), in the form of `Purpose::basis`.
    pub ground: String,
    /// Names of the fields that were seen, never values; empty when refused.
    pub fields: Vec<String>,
    /// The licence, where it was one.
    pub licence: Option<LicenceId>,
    /// The message that asked, where another city looked.
    pub message: Option<MessageId>,
    /// `shown`, or the code of the refusal.
    pub outcome: String,
}

impl Look {
    /// Whether she reads her own data herself, outside of any consent to fetch: kept and proven, not listed.
    ///
    /// Whoever verifies a licence that is shown may be a resident as well, and is somebody else.
    fn is_own(&self) -> bool {
        self.role == HERSELF && self.kind != LookKind::Verify && !self.ground.starts_with("consent:")
    }
}

/// What the log commits to: the canonical JSON of this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookContent {
    /// The id of the look; also the leaf's.
    pub id: MessageId,
    /// When.
    pub at: Timestamp,
    /// The city that wrote it down.
    pub node: NodeId,
    /// In which way.
    pub kind: LookKind,
    /// The city of whoever looked.
    pub city: NodeId,
    /// The office.
    pub office: Option<OfficeId>,
    /// The role.
    pub role: String,
    /// The item or purpose code.
    pub item: String,
    /// The case.
    pub case: Option<CaseId>,
    /// The ground.
    pub ground: String,
    /// Names of the fields.
    pub fields: Vec<String>,
    /// The licence.
    pub licence: Option<LicenceId>,
    /// The message that asked.
    pub message: Option<MessageId>,
    /// `shown`, or the code of the refusal.
    pub outcome: String,
    /// The salt in lower-case hex: without it nobody can guess the content from its hash.
    pub salt: String,
}

/// A look as the person's list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookRow {
    /// What happened.
    pub look: LookContent,
    /// Hash of the leaf in this node's log, lower-case hex.
    pub leaf: String,
}

/// What proves a look, apart from the inclusion that the log gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofParts {
    /// The leaf.
    pub leaf: Leaf,
    /// Its hash in the log.
    pub leaf_hash: [u8; 32],
    /// The canonical JSON whose SHA-256 the leaf holds.
    pub content: String,
    /// The salt of the subject: SHA-256 of salt ‖ resident number is in the leaf.
    pub salt: [u8; 16],
}

const INSERT: Stmt = stmt(
    "identity.look.insert",
    "
    INSERT INTO identity_look (id, person, content, salt, leaf, fingerprint, own, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
",
);

const RECENT: Stmt = stmt(
    "identity.look.recent",
    "
    SELECT id
    FROM identity_look
    WHERE fingerprint = $1 AND $2 < at
    LIMIT 1
",
);

const OF_PERSON: Stmt = stmt(
    "identity.look.of_person",
    "
    SELECT id, content, leaf
    FROM identity_look
    WHERE person = $1
    ORDER BY at DESC, id DESC
    LIMIT $2 OFFSET $3
",
);

const BY_OTHERS: Stmt = stmt(
    "identity.look.by_others",
    "
    SELECT id, content, leaf
    FROM identity_look
    WHERE person = $1 AND own = 0 AND id < $2
    ORDER BY id DESC
    LIMIT $3
",
);

const COUNT: Stmt = stmt(
    "identity.look.count",
    "
    SELECT COUNT(*) AS counted
    FROM identity_look
    WHERE person = $1
",
);

const FIND: Stmt = stmt(
    "identity.look.find",
    "
    SELECT id, content, salt, leaf
    FROM identity_look
    WHERE person = $1 AND id = $2
",
);

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[INSERT, RECENT, OF_PERSON, BY_OTHERS, COUNT, FIND];

/// After every id in the order of any language: letters stand in theirs, signs such as `{` do not everywhere.
const ID_LAST: &str = "zzzzzzzzzzzzzzzzzzzzzzzzzz";

/// The role of a person who reads her own data.
pub const HERSELF: &str = "resident";
/// How many field names one look may hold.
pub const FIELDS_MAX: usize = 64;
/// How long reading the same again is still the same look: an officer who turns pages looks once.
pub const ONE_LOOK_SECONDS: i64 = 600;

/// Writes a look and its leaf. Gives the row as the person will see it.
pub fn record(tx: &mut Tx<'_>, ctx: &Ctx, vault: &Vault, look: &Look) -> Result<LookRow> {
    check(look)?;
    let fingerprint = fingerprint(ctx, vault, look)?;
    write(tx, ctx, vault, look, fingerprint)
}

/// Writes a look, unless the same officer saw the same for the same case and ground within so many seconds.
///
/// The time runs from the look that was written, so whoever reads all day is on record again and again.
pub fn record_once(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    look: &Look,
    within_seconds: i64,
) -> Result<Option<LookRow>> {
    check(look)?;
    let fingerprint = fingerprint(ctx, vault, look)?;
    let since = ctx.now.plus_seconds(-within_seconds);
    if tx.one(&RECENT, params![fingerprint, since])?.is_some() {
        return Ok(None);
    }
    write(tx, ctx, vault, look, fingerprint).map(Some)
}

fn write(tx: &mut Tx<'_>, ctx: &Ctx, vault: &Vault, look: &Look, fingerprint: [u8; 32]) -> Result<LookRow> {
    let person = people::get(tx, vault, look.person)?;
    let salt: [u8; 16] = ctx.random();
    let content = content(ctx, look, &salt);
    let text = canonical(&content)?;
    let leaf = leaf(&content, &text, &salt, &person.number.to_string());
    let leaf_hash = tb_store::log::append(tx, &leaf)?;
    let stored = String::from_utf8(text).map_err(|_| Violation::inconsistent("identity_look", content.id))?;
    let (name, own) = (tx.name, i64::from(look.is_own()));
    let row = params![content.id, look.person, stored, salt, leaf_hash, fingerprint, own, ctx.now, name];
    tx.run(&INSERT, row)?;
    Ok(LookRow { look: content, leaf: text::hex(&leaf_hash) })
}

/// One page of the looks at a person's data, newest first.
pub fn of_person(tx: &mut Tx<'_>, person: PersonId, page: u32) -> Result<Vec<LookRow>> {
    tx.all(&OF_PERSON, params![person, PAGE_ROWS, offset(page)])?.iter().map(look_row).collect()
}

/// The newest looks that are not her own reading, older than `before` where it is given.
pub fn by_others(
    tx: &mut Tx<'_>,
    person: PersonId,
    before: Option<MessageId>,
    rows_max: i64,
) -> Result<Vec<LookRow>> {
    let before = before.map_or_else(|| ID_LAST.to_owned(), |id| id.to_string());
    tx.all(&BY_OTHERS, params![person, before, rows_max])?.iter().map(look_row).collect()
}

/// How many looks there were, her own reading included.
pub fn count(tx: &mut Tx<'_>, person: PersonId) -> Result<i64> {
    tx.one(&COUNT, params![person])?.map_or(Ok(0), |row| row.get("counted"))
}

/// What proves one look at this person's data.
pub fn proof_parts(
    tx: &mut Tx<'_>,
    vault: &Vault,
    person: PersonId,
    id: MessageId,
) -> Result<Option<ProofParts>> {
    let Some(row) = tx.one(&FIND, params![person, id])? else { return Ok(None) };
    let number = people::get(tx, vault, person)?.number.to_string();
    let stored: String = row.get("content")?;
    let content: LookContent = row.json("content")?;
    let salt: [u8; 16] = row.get("salt")?;
    let leaf = leaf(&content, stored.as_bytes(), &salt, &number);
    Ok(Some(ProofParts { leaf, leaf_hash: row.get("leaf")?, content: stored, salt }))
}

fn check(look: &Look) -> Result<()> {
    if look.ground.is_empty() {
        return Err(Refusal::not_allowed(
            "IDN-LOK-001",
            "没有办件或法定依据，不得查看个人信息",
            "Without a case or a named statute personal data may not be looked at",
        )
        .by("《中华人民共和国个人信息保护法》第十三条")
        .into());
    }
    if FIELDS_MAX < look.fields.len() {
        return Err(
            Refusal::invalid("IDN-LOK-002", "一次查看的字段过多", "One look names too many fields").into()
        );
    }
    Ok(())
}

/// What makes two looks the same one: who looked, at what, for what. A blind tag, since it names an officer.
fn fingerprint(ctx: &Ctx, vault: &Vault, look: &Look) -> Result<[u8; 32]> {
    let fields: BTreeSet<&String> = look.fields.iter().collect();
    let same = Same {
        actor: ctx.actor.to_string(),
        person: look.person,
        kind: look.kind,
        city: look.city,
        office: look.office.as_ref(),
        role: &look.role,
        item: &look.item,
        case: look.case,
        ground: &look.ground,
        fields,
        licence: look.licence,
        message: look.message,
        outcome: &look.outcome,
    };
    let text = String::from_utf8(canonical(&same)?)
        .map_err(|error| Fault::of("writing the fingerprint of a look", error))?;
    Ok(vault.tag("look", &text))
}

/// Everything that has to agree for two looks to be one.
#[derive(Serialize)]
struct Same<'a> {
    actor: String,
    person: PersonId,
    kind: LookKind,
    city: NodeId,
    office: Option<&'a OfficeId>,
    role: &'a str,
    item: &'a str,
    case: Option<CaseId>,
    ground: &'a str,
    fields: BTreeSet<&'a String>,
    licence: Option<LicenceId>,
    message: Option<MessageId>,
    outcome: &'a str,
}

fn content(ctx: &Ctx, look: &Look, salt: &[u8; 16]) -> LookContent {
    LookContent {
        id: ctx.id(MessageId::new),
        at: ctx.now,
        node: ctx.node,
        kind: look.kind,
        city: look.city,
        office: look.office.clone(),
        role: look.role.clone(),
        item: look.item.clone(),
        case: look.case,
        ground: look.ground.clone(),
        fields: look.fields.clone(),
        licence: look.licence,
        message: look.message,
        outcome: look.outcome.clone(),
        salt: text::hex(salt),
    }
}

fn leaf(content: &LookContent, text: &[u8], salt: &[u8; 16], number: &str) -> Leaf {
    Leaf {
        kind: LeafKind::Look,
        at: content.at,
        id: content.id,
        contract: [0; 16],
        content: sha256(text),
        base: [0; 32],
        subject: subject_commitment(salt, number.as_bytes()),
    }
}

fn look_row(row: &Row) -> Result<LookRow> {
    let leaf: [u8; 32] = row.get("leaf")?;
    Ok(LookRow { look: row.json("content")?, leaf: text::hex(&leaf) })
}
