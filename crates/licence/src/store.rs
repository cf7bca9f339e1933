//! Licences at rest (证照库): issue, replace, order about, find.
//! Serves clauses 3.3 and 3.5.
//!
//! Invariant: a licence has one row, its newest version; a version that was replaced is archived in the history
//! in the same transaction. History is only ever added to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tb_base::{
    Ctx, Date, Error, LicenceId, LicenceOid, NodeId, PersonId, Refusal, ResidentId, Result, Timestamp, Uscc,
    Violation,
};
use tb_crypto::{SigningKey, Vault, canonical, sha256, text::hex};
use tb_exchange::{Leaf, LeafKind};
use tb_store::{Row, Tx, Value, params};

use crate::record::{Contents, Extract, Record, sign, signed_text};
use crate::state::{Change, Command, Standing, State, decide};
use crate::types::{FieldKind, HolderKind, LicenceType, Types};

pub mod notices;
mod statements;

pub use statements::STATEMENTS;
use statements::{APPEND, DUE, FIND, HISTORY, INSERT, NEXT_SEQ, OF_HOLDER, OF_TAG, OID, ORDER, REPLACE};

/// The longest value of a field, in bytes.
const VALUE_BYTES_MAX: usize = 4_000;
/// The longest reason of an order, in letters.
const REASON_LETTERS_MAX: usize = 500;
/// More licences than one holder has.
const HOLDER_LICENCES_MAX: u32 = 200;
/// How many terms one run of the job ends.
const EXPIRE_MAX: u32 = 200;
/// Identifiers have three digits for the version.
const VERSION_MAX: u16 = 999;
/// Where record, sealed values and signature stand in a line of the history.
const ARCHIVED: std::ops::Range<usize> = 10..13;
/// How the history names the reason of a first issue.
const FIRST_ISSUE: &str = "新发";

/// The issuing side of a city (签发端): keys and definitions, handed down by `main`.
#[derive(Clone)]
pub struct Issuer {
    /// Seals the values.
    pub vault: Arc<Vault>,
    /// Signs licences (SM2).
    pub key: Arc<SigningKey>,
    /// The types that are known here.
    pub types: Arc<Types>,
    /// This city.
    pub city: NodeId,
    /// The credit code of the city's issuing body.
    pub uscc: Uscc,
}

/// Whom a licence is for.
#[derive(Clone, Debug)]
pub enum Holder {
    /// A natural person of this city's register.
    Person {
        /// The person.
        id: PersonId,
        /// The resident number.
        number: ResidentId,
    },
    /// A market entity, with the person who represents it where that person is in this city's register.
    Enterprise {
        /// The credit code.
        code: Uscc,
        /// The legal representative.
        representative: Option<PersonId>,
    },
}

impl Holder {
    fn kind(&self) -> (HolderKind, &'static str) {
        match self {
            Holder::Person { .. } => (HolderKind::Person, "111"),
            Holder::Enterprise { .. } => (HolderKind::Enterprise, "001"),
        }
    }

    fn person(&self) -> Option<PersonId> {
        match self {
            Holder::Person { id, .. } => Some(*id),
            Holder::Enterprise { representative, .. } => *representative,
        }
    }

    /// By what a holder is found without her number being stored (持证主体盲索引).
    pub(crate) fn tag(&self, vault: &Vault) -> [u8; 32] {
        match self {
            Holder::Person { number, .. } => vault.tag("licence-holder", &format!("111 {number}")),
            Holder::Enterprise { code, .. } => vault.tag("licence-holder", &format!("001 {code}")),
        }
    }
}

/// What is needed to issue a licence.
#[derive(Clone, Debug)]
pub struct NewLicence {
    /// The type.
    pub type_id: String,
    /// For whom.
    pub holder: Holder,
    /// Values by field.
    pub fields: BTreeMap<String, String>,
    /// First day of the term.
    pub valid_from: Date,
    /// Last day of the term; none is without end.
    pub valid_to: Option<Date>,
}

/// What a new version changes; fields that are not named stay.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// Values that change, by field.
    pub fields: BTreeMap<String, String>,
    /// First day of the new term.
    pub valid_from: Date,
    /// Last day of the new term; none is without end.
    pub valid_to: Option<Date>,
    /// Why, such as `换发，办件 …`.
    pub reason: String,
}

/// A licence (证照) in its newest version; its values stay sealed until asked for.
#[derive(Clone, Debug)]
pub struct Licence {
    /// The same over all versions.
    pub id: LicenceId,
    /// The identifier of this version.
    pub oid: LicenceOid,
    /// The type.
    pub type_id: String,
    /// The version, from 1.
    pub version: u16,
    /// The holder, or who represents it; none where that person is not in this city's register.
    pub holder: Option<PersonId>,
    /// State and term; ask [`Standing::as_of`].
    pub standing: Standing,
    /// What was signed.
    pub record: Record,
    /// SM3 of the record.
    pub digest: [u8; 32],
    /// SM2 signature of the city.
    pub signature: Vec<u8>,
    /// When this version was issued.
    pub issued_at: Timestamp,
    holder_tag: [u8; 32],
    sealed: Vec<u8>,
    row: i64,
}

impl Licence {
    /// All values, for the holder herself.
    pub fn values(&self, vault: &Vault) -> Result<BTreeMap<String, String>> {
        Ok(self.contents(vault)?.into_values())
    }

    /// An extract that shows only those fields.
    pub fn extract(&self, vault: &Vault, fields: &BTreeSet<String>) -> Result<Extract> {
        Ok(Extract::new(&self.record, &self.contents(vault)?, fields, &self.signature))
    }

    /// The state on a day.
    pub fn state(&self, today: Date) -> State {
        self.standing.as_of(today)
    }

    fn contents(&self, vault: &Vault) -> Result<Contents> {
        let plain = vault.open(&place(self.id, self.version), &self.sealed)?;
        let contents = serde_json::from_slice(&plain);
        contents.map_err(|_| Violation::inconsistent("licence_licence", self.id).into())
    }
}

/// A line of a licence's history (证照履历).
#[derive(Clone, Debug)]
pub struct HistoryLine {
    /// Its place, from 1.
    pub seq: u32,
    /// Which version it is about.
    pub version: u32,
    /// The identifier of that version.
    pub oid: LicenceOid,
    /// What happened, such as `suspended`.
    pub event: String,
    /// The state that followed.
    pub state: State,
    /// From when void, if so.
    pub void_from: Option<Date>,
    /// Why.
    pub reason: String,
    /// Who, as audit lines name them.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// Issues a licence (新发): identifier, record, digest, signature, leaf.
pub fn issue(tx: &mut Tx<'_>, ctx: &Ctx, issuer: &Issuer, new: NewLicence) -> Result<Licence> {
    let licence = make(ctx, issuer, new)?;
    tx.run_all(&insertions(tx, ctx, &licence))?;
    leaf(tx, ctx, &licence, "issued")?;
    tb_store::audit::line(tx, ctx, "licence.issue", licence.id.as_str(), "issued")?;
    Ok(licence)
}

/// Makes a first version without storing it; the seed stores many at a time.
pub(crate) fn make(ctx: &Ctx, issuer: &Issuer, new: NewLicence) -> Result<Licence> {
    let kind = issuer.types.find(&new.type_id)?;
    check(kind, &new.holder, &new.fields)?;
    check_term(new.valid_from, new.valid_to)?;
    let id = ctx.id(LicenceId::new);
    let holder_tag = new.holder.tag(&issuer.vault);
    let record = Record {
        id,
        oid: oid(issuer, kind, id, 1)?,
        type_id: kind.id.clone(),
        type_version: kind.version,
        version: 1,
        predecessor: None,
        issuer: issuer.uscc,
        city: issuer.city,
        holder_kind: new.holder.kind().1.to_owned(),
        valid_from: new.valid_from,
        valid_to: new.valid_to,
        issued_at: ctx.now,
        fields: BTreeMap::new(),
    };
    seal(ctx, issuer, record, new.fields, new.holder.person(), holder_tag)
}

/// Replaces a licence by a new version (换发、变更、延续); the old one is superseded at once.
pub fn supersede(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    issuer: &Issuer,
    id: LicenceId,
    renewal: Renewal,
) -> Result<Licence> {
    let old = need(tx, id)?;
    let kind = issuer.types.find(&old.type_id)?;
    let reason = checked_reason(&renewal.reason)?;
    let change = decide(&old.standing, Command::Supersede, ctx.now.date())?;
    check_term(renewal.valid_from, renewal.valid_to)?;
    let version = old.version.checked_add(1).filter(|it| *it <= VERSION_MAX).ok_or_else(too_many_versions)?;
    let mut fields = old.values(&issuer.vault)?;
    fields.extend(renewal.fields);
    check_values(kind, &fields)?;
    let record = Record {
        oid: oid(issuer, kind, id, version)?,
        type_version: kind.version,
        version,
        predecessor: Some(old.oid.clone()),
        valid_from: renewal.valid_from,
        valid_to: renewal.valid_to,
        issued_at: ctx.now,
        ..old.record.clone()
    };
    let new = seal(ctx, issuer, record, fields, old.holder, old.holder_tag)?;
    archive(tx, ctx, &old, change, reason)?;
    replace(tx, ctx, &old, &new)?;
    history(tx, ctx, &new, "issued", reason)?;
    leaf(tx, ctx, &new, "issued")?;
    tb_store::audit::line(tx, ctx, "licence.supersede", id.as_str(), "superseded")?;
    find(tx, id)?.ok_or_else(|| Violation::inconsistent("licence_licence", id).into())
}

/// Orders a change of state (暂扣、解除、撤销、注销、吊销…) with its reason.
pub fn order(tx: &mut Tx<'_>, ctx: &Ctx, id: LicenceId, command: Command, reason: &str) -> Result<Licence> {
    if command == Command::Supersede {
        return Err(Refusal::invalid(
            "LIC-STA-002",
            "换发新版须给出新版内容",
            "A new version needs its contents",
        )
        .into());
    }
    let mut licence = need(tx, id)?;
    let reason = checked_reason(reason)?;
    let change = decide(&licence.standing, command, ctx.now.date())?;
    let changed =
        tx.run(&ORDER, params![id, licence.row, change.to.as_str(), change.void_from, ctx.now, tx.name])?;
    expect_one(changed)?;
    licence.standing = Standing { state: change.to, void_from: change.void_from, ..licence.standing };
    licence.row += 1;
    history(tx, ctx, &licence, command.event(), reason)?;
    leaf(tx, ctx, &licence, command.event())?;
    tb_store::audit::line(tx, ctx, "licence.order", id.as_str(), command.event())?;
    Ok(licence)
}

/// Holds a licence back for a time (暂扣).
pub fn suspend(tx: &mut Tx<'_>, ctx: &Ctx, id: LicenceId, reason: &str) -> Result<Licence> {
    order(tx, ctx, id, Command::Suspend, reason)
}

/// Ends a suspension (解除暂扣).
pub fn lift(tx: &mut Tx<'_>, ctx: &Ctx, id: LicenceId, reason: &str) -> Result<Licence> {
    order(tx, ctx, id, Command::Lift, reason)
}

/// Annuls a licence from the start (撤销).
pub fn revoke(tx: &mut Tx<'_>, ctx: &Ctx, id: LicenceId, reason: &str) -> Result<Licence> {
    order(tx, ctx, id, Command::Revoke, reason)
}

/// Withdraws a licence as a penalty, from today on (吊销).
pub fn withdraw(tx: &mut Tx<'_>, ctx: &Ctx, id: LicenceId, reason: &str) -> Result<Licence> {
    order(tx, ctx, id, Command::Withdraw, reason)
}

/// Deregisters a licence (注销).
pub fn cancel(tx: &mut Tx<'_>, ctx: &Ctx, id: LicenceId, reason: &str) -> Result<Licence> {
    order(tx, ctx, id, Command::Cancel, reason)
}

/// Licences whose term is over and of which nobody has written it down, by id, after one of them: a page for a job.
/// They are given as they stand, since a row may be damaged.
pub fn due(tx: &mut Tx<'_>, today: Date, after: &str) -> Result<Vec<String>> {
    tx.all(&DUE, params![today, after, EXPIRE_MAX])?.iter().map(|row| row.get("id")).collect()
}

/// Writes down that a term is over (期满失效). Whoever asks before it is done gets the same answer, because
/// [`Standing::as_of`] looks at the term.
pub fn expire(tx: &mut Tx<'_>, ctx: &Ctx, id: LicenceId) -> Result<Licence> {
    order(tx, ctx, id, Command::Expire, "期满")
}

/// The newest version of a licence, if it is of this city.
pub fn find(tx: &mut Tx<'_>, id: LicenceId) -> Result<Option<Licence>> {
    tx.one(&FIND, params![id])?.as_ref().map(licence).transpose()
}

/// The licence that an identifier belongs to, and the version that it names (newest or older).
pub fn by_oid(tx: &mut Tx<'_>, oid: &LicenceOid) -> Result<Option<(Licence, u16)>> {
    let Some(row) = tx.one(&OID, params![oid.as_str()])? else { return Ok(None) };
    let found = find(tx, row.parse("licence")?)?;
    Ok(found.map(|licence| (licence, oid.version())))
}

/// Licences of a person and of the entities that she represents, newest first.
pub fn of_holder(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Licence>> {
    tx.all(&OF_HOLDER, params![person, HOLDER_LICENCES_MAX])?.iter().map(licence).collect()
}

/// Licences of a market entity, newest first.
pub fn of_enterprise(tx: &mut Tx<'_>, vault: &Vault, code: Uscc) -> Result<Vec<Licence>> {
    let tag = Holder::Enterprise { code, representative: None }.tag(vault);
    tx.all(&OF_TAG, params![tag, HOLDER_LICENCES_MAX])?.iter().map(licence).collect()
}

/// The history of a licence, oldest first.
pub fn history_of(tx: &mut Tx<'_>, id: LicenceId) -> Result<Vec<HistoryLine>> {
    tx.all(&HISTORY, params![id])?.iter().map(|row| history_line(tx, id, row)).collect()
}

/// The statements that store a licence and the first line of its history.
pub(crate) fn insertions(
    tx: &Tx<'_>,
    ctx: &Ctx,
    licence: &Licence,
) -> Vec<(&'static tb_store::Stmt, Vec<Value>)> {
    let row = params![
        licence.id,
        licence.oid.as_str(),
        licence.type_id.as_str(),
        i64::from(licence.version),
        licence.holder,
        licence.holder_tag,
        licence.standing.state.as_str(),
        licence.standing.valid_from,
        licence.standing.valid_to,
        record_text(licence),
        licence.sealed.as_slice(),
        licence.digest,
        licence.signature.as_slice(),
        licence.record.predecessor.as_ref().map(LicenceOid::as_str),
        licence.issued_at,
        licence.row,
        ctx.now,
        tx.name
    ];
    vec![(&INSERT, row.to_vec()), (&APPEND, line(tx, ctx, licence, 1, "issued", FIRST_ISSUE))]
}

fn seal(
    ctx: &Ctx,
    issuer: &Issuer,
    mut record: Record,
    values: BTreeMap<String, String>,
    holder: Option<PersonId>,
    holder_tag: [u8; 32],
) -> Result<Licence> {
    let contents = Contents::new(ctx, values);
    record.fields = contents.commitments();
    let digest = record.digest()?;
    let mut entropy = ctx;
    let sealed = issuer.vault.seal(&mut entropy, &place(record.id, record.version), &canonical(&contents)?);
    Ok(Licence {
        id: record.id,
        oid: record.oid.clone(),
        type_id: record.type_id.clone(),
        version: record.version,
        holder,
        standing: Standing::issued(record.valid_from, record.valid_to),
        digest,
        signature: sign(&issuer.key, &digest),
        issued_at: record.issued_at,
        record,
        holder_tag,
        sealed,
        row: 1,
    })
}

/// Where sealed values belong, so that they open nowhere else.
fn place(id: LicenceId, version: u16) -> Vec<u8> {
    crate::sealed::fields(id, i64::from(version)).into_bytes()
}

fn oid(issuer: &Issuer, kind: &LicenceType, id: LicenceId, version: u16) -> Result<LicenceOid> {
    let serial = id.as_str().to_ascii_uppercase();
    LicenceOid::issue(&kind.code, &issuer.uscc, &serial, version).map_err(|_| {
        Violation::new("inconsistent", "licence-oid", "the type or the issuer has no valid code").into()
    })
}

fn archive(tx: &mut Tx<'_>, ctx: &Ctx, old: &Licence, change: Change, reason: &str) -> Result<()> {
    let mut gone = old.clone();
    gone.standing = Standing { state: change.to, void_from: change.void_from, ..old.standing };
    let seq = next_seq(tx, old.id)?;
    let mut row = line(tx, ctx, &gone, seq, Command::Supersede.event(), reason);
    let kept = [
        Value::Text(record_text(old)),
        Value::Bytes(old.sealed.clone()),
        Value::Bytes(old.signature.clone()),
    ];
    row.splice(ARCHIVED, kept);
    expect_one(tx.run(&APPEND, &row)?)
}

fn replace(tx: &mut Tx<'_>, ctx: &Ctx, old: &Licence, new: &Licence) -> Result<()> {
    let changed = tx.run(
        &REPLACE,
        params![
            old.id,
            old.row,
            new.oid.as_str(),
            i64::from(new.version),
            new.standing.state.as_str(),
            new.standing.valid_from,
            new.standing.valid_to,
            record_text(new),
            new.sealed.as_slice(),
            new.digest,
            new.signature.as_slice(),
            old.oid.as_str(),
            new.issued_at,
            ctx.now,
            tx.name
        ],
    )?;
    expect_one(changed)
}

fn history(tx: &mut Tx<'_>, ctx: &Ctx, licence: &Licence, event: &str, reason: &str) -> Result<()> {
    let seq = next_seq(tx, licence.id)?;
    let row = line(tx, ctx, licence, seq, event, reason);
    expect_one(tx.run(&APPEND, &row)?)
}

fn next_seq(tx: &mut Tx<'_>, id: LicenceId) -> Result<i64> {
    let row = tx.one(&NEXT_SEQ, params![id])?;
    row.map_or(Ok(1), |row| row.get("seq"))
}

fn line(tx: &Tx<'_>, ctx: &Ctx, licence: &Licence, seq: i64, event: &str, reason: &str) -> Vec<Value> {
    params![
        licence.id,
        seq,
        i64::from(licence.version),
        licence.oid.as_str(),
        event,
        licence.standing.state.as_str(),
        licence.standing.void_from,
        tx.seal(&crate::sealed::reason(licence.id, seq), reason),
        ctx.actor.to_string(),
        licence.digest,
        None::<String>,
        None::<Vec<u8>>,
        None::<Vec<u8>>,
        ctx.now,
        tx.name
    ]
    .to_vec()
}

fn leaf(tx: &mut Tx<'_>, ctx: &Ctx, licence: &Licence, event: &str) -> Result<()> {
    let content = serde_json::json!({
        "licence": licence.id,
        "oid": licence.oid,
        "version": licence.version,
        "event": event,
        "state": licence.standing.state,
        "void_from": licence.standing.void_from,
        "digest": hex(&licence.digest),
        "at": ctx.now,
    });
    let leaf = Leaf {
        kind: LeafKind::Licence,
        at: ctx.now,
        id: licence.id.as_str().parse()?,
        contract: [0; 16],
        content: sha256(&canonical(&content)?),
        base: sha256(&signed_text(&licence.digest)),
        subject: [0; 32],
    };
    tb_store::log::append_about(tx, ctx, leaf, Some(&licence.holder_tag)).map(drop)
}

fn licence(row: &Row) -> Result<Licence> {
    let record: Record = row.json("record")?;
    let version: i64 = row.get("edition")?;
    let id: LicenceId = row.parse("id")?;
    let inconsistent = || Violation::inconsistent("licence_licence", id);
    Ok(Licence {
        id,
        oid: row.parse("oid")?,
        type_id: row.get("type")?,
        version: u16::try_from(version).map_err(|_| inconsistent())?,
        holder: row.parse_option("holder")?,
        standing: Standing {
            state: row.parse("state")?,
            valid_from: row.parse("valid_from")?,
            valid_to: row.parse_option("valid_to")?,
            void_from: row.parse_option("void_from")?,
        },
        record,
        digest: row.get("digest")?,
        signature: row.get("signature")?,
        issued_at: row.get("issued_at")?,
        holder_tag: row.get("holder_tag")?,
        sealed: row.get("sealed")?,
        row: row.get("version")?,
    })
}

fn history_line(tx: &Tx<'_>, id: LicenceId, row: &Row) -> Result<HistoryLine> {
    let reason = tx.open(&crate::sealed::reason(id, row.get("seq")?), row.get("reason")?)?;
    Ok(HistoryLine {
        seq: row.get("seq")?,
        version: row.get("edition")?,
        oid: row.parse("oid")?,
        event: row.get("event")?,
        state: row.parse("state")?,
        void_from: row.parse_option("void_from")?,
        reason,
        actor: row.get("actor")?,
        at: row.get("at")?,
    })
}

fn record_text(licence: &Licence) -> String {
    serde_json::to_string(&licence.record).unwrap_or_default()
}

fn need(tx: &mut Tx<'_>, id: LicenceId) -> Result<Licence> {
    find(tx, id)?.ok_or_else(missing)
}

pub(crate) fn missing() -> Error {
    Refusal::gone("LIC-FND-001", "没有这张证照", "There is no such licence")
        .but("请核对证照编号，或请签发单位查询", "Check the number, or ask the issuing office")
        .into()
}

fn expect_one(changed: u64) -> Result<()> {
    if changed == 1 {
        return Ok(());
    }
    Err(Refusal::conflict("LIC-STA-003", "证照刚刚被别人改动", "Somebody else has just changed the licence")
        .but("请刷新后再试", "Load the page again and retry")
        .into())
}

fn too_many_versions() -> Error {
    Refusal::not_now(
        "LIC-STA-004",
        "证照版本已满 999，须重新发证",
        "The licence has 999 versions; issue a new one",
    )
    .into()
}

fn checked_reason(reason: &str) -> Result<&str> {
    let reason = reason.trim();
    if reason.is_empty() || REASON_LETTERS_MAX < reason.chars().count() {
        return Err(Refusal::invalid(
            "LIC-STA-005",
            "请写明理由，最长 500 字",
            "Give a reason of at most 500 letters",
        )
        .on("reason")
        .into());
    }
    Ok(reason)
}

fn check_term(from: Date, to: Option<Date>) -> Result<()> {
    if to.is_some_and(|to| to < from) {
        return Err(Refusal::invalid(
            "LIC-ISS-003",
            "有效期止不能早于有效期起",
            "The term ends before it begins",
        )
        .on("valid_to")
        .into());
    }
    Ok(())
}

fn check(kind: &LicenceType, holder: &Holder, fields: &BTreeMap<String, String>) -> Result<()> {
    if kind.holder != holder.kind().0 {
        return Err(Refusal::invalid(
            "LIC-ISS-001",
            format!("{}不能发给这类主体", kind.title),
            format!("{} is not issued to such a holder", kind.title_en),
        )
        .into());
    }
    check_values(kind, fields)
}

fn check_values(kind: &LicenceType, fields: &BTreeMap<String, String>) -> Result<()> {
    let missing = kind.fields.iter().filter(|field| field.required && !fields.contains_key(&field.id));
    let mut wrong: Vec<&str> = missing.map(|field| field.id.as_str()).collect();
    let bad =
        |(id, value): &(&String, &String)| !kind.field(id).is_some_and(|field| is_good(field.kind, value));
    wrong.extend(fields.iter().filter(bad).map(|(id, _)| id.as_str()));
    if wrong.is_empty() {
        return Ok(());
    }
    let names = wrong.join("、");
    Err(Refusal::invalid(
        "LIC-ISS-002",
        format!("{}缺少或不合格的项：{names}", kind.title),
        format!("{} lacks or has wrong fields: {names}", kind.title_en),
    )
    .into())
}

fn is_good(kind: FieldKind, value: &str) -> bool {
    let well_formed = match kind {
        FieldKind::Text => !value.trim().is_empty(),
        FieldKind::Date => value.parse::<Date>().is_ok(),
        FieldKind::Number => value.parse::<u32>().is_ok(),
        FieldKind::ResidentNumber => value.parse::<ResidentId>().is_ok(),
        FieldKind::Uscc => value.parse::<Uscc>().is_ok(),
    };
    well_formed && value.len() <= VALUE_BYTES_MAX
}

#[cfg(test)]
mod tests;
