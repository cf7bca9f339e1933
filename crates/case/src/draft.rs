//! Drafts (草稿): what somebody has begun, saved as it is, kept sealed, continued on any device or at a window.
//!
//! Invariants: a save names the version that it read; fetched values live here only and end with the draft.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tb_base::{
    Actor, CaseId, Ctx, DraftId, Fault, LicenceId, NodeId, OfficeId, PersonId, Result, StaffId, Timestamp,
    Violation,
};
use tb_crypto::Vault;
use tb_store::{Row, Stmt, Tx, Value, params, stmt};

use crate::case::{Channel, Phase};
use crate::definitions::{Competent, ItemRules};
use crate::env::Env;
use crate::{files, form, keep, refusals};

/// Drafts that one person may have at once.
pub const DRAFTS_MAX: i64 = 20;
/// Rows of a list of drafts.
const ROWS_MAX: i64 = 50;
/// Fetched papers of one draft at the most.
const FETCHED_MAX: usize = 40;
/// Letters of what she says about one field at the most.
pub const DISPUTE_LETTERS_MAX: usize = 500;
/// Fields of the register that may be disputed, beside those of papers.
const REGISTER_FIELDS: [&str; 2] = ["person.name", "person.number"];

/// A draft (草稿).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The draft.
    pub id: DraftId,
    /// What one continues it by (草稿编号).
    pub code: String,
    /// The item.
    pub item: u16,
    /// The version of the definition that it was begun under.
    pub item_version: u32,
    /// Whose it is.
    pub person: PersonId,
    /// By which way it will be handed in.
    pub channel: Channel,
    /// The clerk who fills it with her, at a window.
    pub clerk: Option<StaffId>,
    /// The clerk's office.
    pub office: Option<OfficeId>,
    /// The city that decides, as far as it is known.
    pub deciding: Option<NodeId>,
    /// Lines of the formal check that are ticked.
    pub checks: BTreeSet<String>,
    /// Answers by question.
    pub answers: form::Answers,
    /// Papers that were fetched.
    pub fetched: Vec<Fetched>,
    /// What she says is wrong in the register or on a paper, by field (不对).
    pub disputes: BTreeMap<String, String>,
    /// When it was begun.
    pub created: Timestamp,
    /// When it was last saved.
    pub saved: Timestamp,
    /// Grows with each save.
    pub version: i64,
}

/// A paper that was fetched with consent (已调取的证照).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetched {
    /// The material that it serves.
    pub material: String,
    /// The type.
    pub kind: String,
    /// The licence.
    pub licence: LicenceId,
    /// Its version.
    pub version: u32,
    /// Its digest, lower-case hex.
    pub digest: String,
    /// The city that issued it.
    pub issuer: NodeId,
    /// The consent receipt.
    pub consent: String,
    /// The fetched values, by field; shown here, deleted when the draft is handed in.
    pub values: BTreeMap<String, String>,
    /// When.
    pub at: Timestamp,
}

#[derive(Default, Serialize, Deserialize)]
struct Contents {
    answers: form::Answers,
    fetched: Vec<Fetched>,
    #[serde(default)]
    disputes: BTreeMap<String, String>,
}

/// What a new draft is begun with.
#[derive(Clone, Debug)]
pub struct NewDraft {
    /// The item.
    pub item: u16,
    /// Whose it is.
    pub person: PersonId,
    /// By which way.
    pub channel: Channel,
    /// The city that decides, where it is known already.
    pub deciding: Option<NodeId>,
}

const INSERT: Stmt = stmt(
    "case.draft.insert",
    "
    INSERT INTO case_draft (draft, code, item, item_version, person, channel, clerk, office, deciding, checks, sealed,
        created, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $12, $13)
",
);

const UPDATE: Stmt = stmt(
    "case.draft.update",
    "
    UPDATE case_draft
    SET clerk = $3, office = $4, deciding = $5, checks = $6, sealed = $7, channel = $8,
        version = version + 1, at = $9, tx = $10
    WHERE draft = $1 AND version = $2
",
);

const FIND: Stmt = stmt(
    "case.draft.find",
    "
    SELECT draft, code, item, item_version, person, channel, clerk, office, deciding, checks, sealed, created,
        version, at
    FROM case_draft
    WHERE draft = $1
",
);

const OF_PERSON: Stmt = stmt(
    "case.draft.of_person",
    "
    SELECT draft, code, item, item_version, person, channel, clerk, office, deciding, checks, sealed, created,
        version, at
    FROM case_draft
    WHERE person = $1
    ORDER BY at DESC, draft
    LIMIT $2
",
);

const OF_CLERK: Stmt = stmt(
    "case.draft.of_clerk",
    "
    SELECT draft, code, item, item_version, person, channel, clerk, office, deciding, checks, sealed, created,
        version, at
    FROM case_draft
    WHERE clerk = $1
    ORDER BY at DESC, draft
    LIMIT $2
",
);

const OF_OFFICE: Stmt = stmt(
    "case.draft.of_office",
    "
    SELECT draft, code, item, item_version, person, channel, clerk, office, deciding, checks, sealed, created,
        version, at
    FROM case_draft
    WHERE office = $1
    ORDER BY at DESC, draft
    LIMIT $2
",
);

const OF_OFFICE_COUNT: Stmt = stmt(
    "case.draft.of_office_count",
    "
    SELECT COUNT(*) AS counted, COUNT(CASE WHEN $2 <= at THEN 1 END) AS recent
    FROM case_draft
    WHERE office = $1
",
);

const COUNT: Stmt = stmt("case.draft.count", "SELECT COUNT(*) AS counted FROM case_draft WHERE person = $1");

const DELETE: Stmt = stmt("case.draft.delete", "DELETE FROM case_draft WHERE draft = $1");

pub(crate) const STATEMENTS: &[Stmt] =
    &[INSERT, UPDATE, FIND, OF_PERSON, OF_CLERK, OF_OFFICE, OF_OFFICE_COUNT, COUNT, DELETE];

/// Begins a draft. Staff of a window begin it with the person before them.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, new: &NewDraft) -> Result<Draft> {
    let rules = env.rules_of(new.item, new.deciding.unwrap_or_else(|| env.me()))?;
    let count: i64 = tx.one(&COUNT, params![new.person])?.map_or(Ok(0), |row| row.get("counted"))?;
    if DRAFTS_MAX <= count {
        return Err(refusals::drafts_too_many(DRAFTS_MAX).into());
    }
    let (clerk, office) = clerk(&ctx.actor);
    let draft = Draft {
        id: ctx.id(DraftId::new),
        code: crate::query_code(ctx),
        item: new.item,
        item_version: rules.item.version,
        person: new.person,
        channel: new.channel,
        clerk,
        office,
        deciding: new.deciding.or_else(|| competent(&rules, env.me(), &[])),
        checks: BTreeSet::new(),
        answers: form::Answers::new(),
        fetched: Vec::new(),
        disputes: BTreeMap::new(),
        created: ctx.now,
        saved: ctx.now,
        version: 1,
    };
    let row = params![
        draft.id,
        &draft.code,
        i64::from(draft.item),
        draft.item_version,
        draft.person,
        crate::word(&draft.channel),
        draft.clerk,
        draft.office.clone(),
        draft.deciding,
        checks_text(&draft)?,
        seal(ctx, &env.vault, &draft)?,
        ctx.now,
        tx.name,
    ];
    tx.run(&INSERT, row)?;
    Ok(draft)
}

/// Begins again what was returned (退回后重新提交): the answers are kept, papers are fetched anew.
pub fn from_returned(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, case: CaseId) -> Result<Draft> {
    let kept = keep::owned(tx, case)?;
    let (Phase::Returned { .. }, Some(person)) = (&kept.case.phase, kept.person) else {
        return Err(refusals::not_returned().into());
    };
    let opening = &kept.case.opening;
    let file = files::read(tx, &env.vault, case)?.ok_or_else(refusals::not_found)?;
    let (item, channel) = (opening.item, opening.channel);
    let draft =
        create(tx, ctx, env, &NewDraft { item, person, channel, deciding: Some(opening.deciding.city) })?;
    save(tx, ctx, env, draft.id, draft.version, &file.filing.answers)
}

/// The clerk and the office, where staff act.
fn clerk(actor: &Actor) -> (Option<StaffId>, Option<OfficeId>) {
    match actor {
        Actor::Staff { staff, office, .. } => (Some(*staff), Some(office.clone())),
        Actor::Resident { .. } | Actor::Anonymous | Actor::Peer(_) | Actor::System => (None, None),
    }
}

/// The city that decides, as far as the rule and the fetched papers tell.
pub(crate) fn competent(rules: &ItemRules, collecting: NodeId, fetched: &[Fetched]) -> Option<NodeId> {
    match &rules.item.competent {
        Competent::Collecting => Some(collecting),
        Competent::IssuerOf { material } => {
            fetched.iter().find(|it| it.material == *material).map(|it| it.issuer)
        }
    }
}

/// Saves answers as they are: mistakes are told by [`form::check`], never lost.
pub fn save(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    id: DraftId,
    version: i64,
    answers: &form::Answers,
) -> Result<Draft> {
    change(tx, ctx, env, id, version, |draft, rules| {
        let mut merged = draft.answers.clone();
        merged.extend(answers.iter().map(|(id, answer)| (id.clone(), answer.clone())));
        if let Some(mistake) = form::check_shape(rules, &merged).into_iter().next() {
            return Err(mistake.into());
        }
        draft.answers = merged;
        Ok(())
    })
}

/// Keeps a paper that was fetched with consent; a newer one of the same material replaces it.
pub fn attach_fetched(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    id: DraftId,
    version: i64,
    fetched: &Fetched,
) -> Result<Draft> {
    change(tx, ctx, env, id, version, |draft, rules| {
        if rules.material(&fetched.material).is_none() || FETCHED_MAX <= draft.fetched.len() {
            return Err(refusals::material_missing(&fetched.material).into());
        }
        if fetched.consent.is_empty() {
            return Err(refusals::consent_missing(&fetched.material).into());
        }
        draft.fetched.retain(|held| held.material != fetched.material);
        draft.fetched.push(fetched.clone());
        draft.deciding = competent(rules, env.me(), &draft.fetched).or(draft.deciding);
        Ok(())
    })
}

/// Notes that the register or a paper is wrong in her view (不对); the note travels with the case to the officer.
/// An empty text takes it back.
pub fn dispute(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    id: DraftId,
    version: i64,
    field: &str,
    text: &str,
) -> Result<Draft> {
    change(tx, ctx, env, id, version, |draft, _| {
        let text = text.trim();
        if DISPUTE_LETTERS_MAX < text.chars().count() {
            return Err(form::too_long(field, DISPUTE_LETTERS_MAX).into());
        }
        if !is_prefilled(draft, field) {
            return Err(refusals::not_disputable(field).into());
        }
        match text {
            "" => draft.disputes.remove(field),
            text => draft.disputes.insert(field.to_owned(), text.to_owned()),
        };
        Ok(())
    })
}

/// Whether a value comes from the register or from a paper that was fetched.
fn is_prefilled(draft: &Draft, field: &str) -> bool {
    let on_paper = |(material, name): (&str, &str)| {
        draft.fetched.iter().any(|it| it.material == material && it.values.contains_key(name))
    };
    REGISTER_FIELDS.contains(&field) || field.split_once('.').is_some_and(on_paper)
}

/// Names the city that is asked for the papers, before any was fetched.
pub fn set_deciding(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    id: DraftId,
    version: i64,
    city: NodeId,
) -> Result<Draft> {
    change(tx, ctx, env, id, version, |draft, rules| {
        draft.deciding = competent(rules, env.me(), &draft.fetched).or(Some(city));
        Ok(())
    })
}

/// Ticks the lines of the formal check (形式审查).
pub fn check(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    id: DraftId,
    version: i64,
    checks: &BTreeSet<String>,
) -> Result<Draft> {
    change(tx, ctx, env, id, version, |draft, rules| {
        draft.checks =
            rules.checks.iter().map(|check| check.id.clone()).filter(|id| checks.contains(id)).collect();
        Ok(())
    })
}

/// Takes a draft over at a window or on another device (换渠道继续).
pub fn take_over(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    id: DraftId,
    version: i64,
    channel: Channel,
) -> Result<Draft> {
    change(tx, ctx, env, id, version, |draft, _| {
        draft.channel = channel;
        (draft.clerk, draft.office) = clerk(&ctx.actor);
        Ok(())
    })
}

/// Gives a draft back to its person, who goes on with it alone (交还本人).
pub fn hand_back(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, id: DraftId, version: i64) -> Result<Draft> {
    change(tx, ctx, env, id, version, |draft, _| {
        (draft.channel, draft.clerk, draft.office) = (Channel::Online, None, None);
        Ok(())
    })
}

fn change(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    id: DraftId,
    version: i64,
    work: impl FnOnce(&mut Draft, &ItemRules) -> Result<()>,
) -> Result<Draft> {
    let mut draft = find(tx, env, id)?.ok_or_else(refusals::draft_gone)?;
    if draft.version != version {
        return Err(refusals::draft_changed().into());
    }
    let rules = env.rules_of(draft.item, draft.deciding.unwrap_or_else(|| env.me()))?;
    work(&mut draft, &rules)?;
    let row: Vec<Value> = params![
        draft.id,
        version,
        draft.clerk,
        draft.office.clone(),
        draft.deciding,
        checks_text(&draft)?,
        seal(ctx, &env.vault, &draft)?,
        crate::word(&draft.channel),
        ctx.now,
        tx.name,
    ]
    .to_vec();
    if tx.run(&UPDATE, &row)? == 0 {
        return Err(refusals::draft_changed().into());
    }
    (draft.version, draft.saved) = (version + 1, ctx.now);
    Ok(draft)
}

/// The draft of that id.
pub fn find(tx: &mut Tx<'_>, env: &Env, id: DraftId) -> Result<Option<Draft>> {
    tx.one(&FIND, params![id])?.map(|row| draft(&row, &env.vault)).transpose()
}

/// The drafts of a person, newest first.
pub fn of_person(tx: &mut Tx<'_>, env: &Env, person: PersonId) -> Result<Vec<Draft>> {
    tx.all(&OF_PERSON, params![person, ROWS_MAX])?.iter().map(|row| draft(row, &env.vault)).collect()
}

/// The drafts that a clerk has on the desk, newest first.
pub fn of_clerk(tx: &mut Tx<'_>, env: &Env, clerk: StaffId) -> Result<Vec<Draft>> {
    tx.all(&OF_CLERK, params![clerk, ROWS_MAX])?.iter().map(|row| draft(row, &env.vault)).collect()
}

/// The drafts that lie on an office's counter, newest first, whoever began them.
pub fn of_office(tx: &mut Tx<'_>, env: &Env, office: &OfficeId) -> Result<Vec<Draft>> {
    tx.all(&OF_OFFICE, params![office, ROWS_MAX])?.iter().map(|row| draft(row, &env.vault)).collect()
}

/// How many drafts lie on an office's counter in all, and how many of them were saved since a moment.
pub fn count_of_office(tx: &mut Tx<'_>, office: &OfficeId, since: Timestamp) -> Result<(i64, i64)> {
    let Some(row) = tx.one(&OF_OFFICE_COUNT, params![office, since])? else { return Ok((0, 0)) };
    Ok((row.get("counted")?, row.get("recent")?))
}

/// Discards a draft with everything that was fetched for it.
pub fn discard(tx: &mut Tx<'_>, id: DraftId) -> Result<()> {
    tx.run(&DELETE, params![id]).map(drop)
}

fn checks_text(draft: &Draft) -> Result<String> {
    serde_json::to_string(&draft.checks).map_err(|error| Fault::of("writing a draft", error).into())
}

fn place(id: DraftId) -> Vec<u8> {
    format!("case_draft/{id}").into_bytes()
}

fn seal(ctx: &Ctx, vault: &Vault, draft: &Draft) -> Result<Vec<u8>> {
    let contents = Contents {
        answers: draft.answers.clone(),
        fetched: draft.fetched.clone(),
        disputes: draft.disputes.clone(),
    };
    let plain = serde_json::to_vec(&contents).map_err(|error| Fault::of("sealing a draft", error))?;
    Ok(vault.seal(&mut &*ctx, &place(draft.id), &plain))
}

fn draft(row: &Row, vault: &Vault) -> Result<Draft> {
    let id: DraftId = row.parse("draft")?;
    let sealed: Vec<u8> = row.get("sealed")?;
    let plain = vault.open(&place(id), &sealed)?;
    let contents: Contents =
        serde_json::from_slice(&plain).map_err(|_| Violation::inconsistent("case_draft", id))?;
    let item: u32 = row.get("item")?;
    Ok(Draft {
        id,
        code: row.get("code")?,
        item: u16::try_from(item).map_err(|_| Violation::inconsistent("case_draft", id))?,
        item_version: row.get("item_version")?,
        person: row.parse("person")?,
        channel: crate::unword(row, "channel")?,
        clerk: row.parse_option("clerk")?,
        office: row.parse_option("office")?,
        deciding: row.parse_option("deciding")?,
        checks: row.json("checks")?,
        answers: contents.answers,
        fetched: contents.fetched,
        disputes: contents.disputes,
        created: row.get("created")?,
        saved: row.get("at")?,
        version: row.get("version")?,
    })
}
