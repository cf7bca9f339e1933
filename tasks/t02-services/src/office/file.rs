//! What an officer reads of a case (办件案卷): the application, the papers checked against the own register, the history.
//! Serves clauses 2.5 and 3.4.
//!
//! Invariant: whoever sees values has left a look for them, in the transaction that read them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tb_base::{Actor, CaseId, Ctx, Error, LicenceId, NodeId, PersonId, Result, StaffId, Timestamp};
use tb_case::acts;
use tb_case::case::{Case, LicenceRef, Party};
use tb_case::command::{Answers, CommandKind};
use tb_case::definitions::{ItemRules, Source};
use tb_case::files::CaseFile;
use tb_case::keep::{self, Record};
use tb_case::progress::ProgressView;
use tb_case::queue::{self, CaseRow};
use tb_case::work;
use tb_crypto::text::hex;
use tb_identity::look::{self, Look, LookKind, ONE_LOOK_SECONDS};
use tb_identity::people;
use tb_licence::office::{Reason, read as read_licence};
use tb_licence::types::{FieldKind, LicenceType};
use tb_store::Tx;
use tb_web::Lang;

use super::compare::{Held, Register};
use super::{may_open, may_read};
use crate::form;
use crate::parts::Parts;
use crate::words::{discreet, say, word};

/// Earlier cases of the applicant that the page names.
const EARLIER_MAX: i64 = 10;
/// How the list of looks names that her earlier cases were seen.
const EARLIER_FIELD: &str = "earlier_cases";

/// A value with its label.
#[derive(Clone, Serialize)]
pub(super) struct Value {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) value: String,
}

/// A paper of the case, and how the own register stands to it now (材料核对).
#[derive(Serialize)]
pub(super) struct Paper {
    /// The material.
    pub(super) id: String,
    pub(super) title: String,
    /// The city that issued it; none for what the office checks itself.
    pub(super) source: Option<NodeId>,
    pub(super) licence: Option<LicenceId>,
    pub(super) version: Option<u32>,
    pub(super) digest: String,
    /// Whether version, digest and state are still those of the case; none where this city cannot tell.
    pub(super) current: Option<bool>,
    /// The version in force now, where this city issued it.
    pub(super) version_now: Option<u32>,
    /// How it stands now: Chinese, English.
    #[serde(skip)]
    pub(super) state: (&'static str, &'static str),
    pub(super) values: Vec<Value>,
    /// Whether its place in the definition is not certain.
    pub(super) unconfirmed: bool,
}

/// Everything that the page shows of a case.
pub(super) struct Opened {
    pub(super) view: ProgressView,
    pub(super) case: Option<Case>,
    /// What the applicant gave; none for whoever may not open it.
    pub(super) file: Option<CaseFile>,
    pub(super) papers: Vec<Paper>,
    /// What this city's registers hold beside it.
    pub(super) register: Register,
    /// The applicant's other cases with this office.
    pub(super) earlier: Vec<CaseRow>,
    /// The points that the visitor has ticked.
    pub(super) ticks: BTreeSet<String>,
    pub(super) records: Vec<Record>,
    /// What the case allows the visitor.
    pub(super) allowed: Vec<CommandKind>,
}

/// Opens a case for the visitor, with looks for what she sees of a person.
pub(super) fn open(tx: &mut Tx<'_>, ctx: &Ctx, parts: &Parts, lang: Lang, id: CaseId) -> Result<Opened> {
    let view = acts::view(tx, &parts.env, id)?;
    may_read(ctx, &view.deciding.office)?;
    let is_owned = view.owner == ctx.node;
    let case = if is_owned { Some(acts::owned(tx, id)?) } else { None };
    let allowed = super::buttons(ctx, &view.deciding.office, &acts::may(tx, ctx, &parts.env, id)?);
    let records = keep::records(tx, id)?;
    let rules = parts.catalogue.rules(view.item, view.deciding.city);
    let mut opened = Opened {
        file: None,
        papers: Vec::new(),
        register: Register::default(),
        earlier: Vec::new(),
        ticks: BTreeSet::new(),
        records,
        allowed,
        case,
        view,
    };
    if let (Some(case), Some(rules), true) =
        (&opened.case, &rules, may_open(ctx, &opened.view.deciding.office))
    {
        opened.file = Some(acts::open_file(tx, ctx, &parts.env, id)?);
        (opened.papers, opened.register) = read_papers(tx, ctx, parts, lang, case, rules)?;
        if let Some(person) = acts::person_of(tx, id)? {
            let office = &opened.view.deciding.office;
            opened.earlier = queue::earlier(tx, person, office, id, EARLIER_MAX)?;
            let has_earlier = !opened.earlier.is_empty();
            opened.register.person = read_person(tx, ctx, parts, case, rules, person, has_earlier)?;
        }
    }
    if let Some(staff) = staff(ctx) {
        opened.ticks = work::ticks(tx, id, staff)?;
    }
    Ok(opened)
}

/// Who examines, where staff does.
pub(super) fn staff(ctx: &Ctx) -> Option<StaffId> {
    match &ctx.actor {
        Actor::Staff { staff, .. } => Some(*staff),
        Actor::Resident { .. } | Actor::Anonymous | Actor::Peer(_) | Actor::System => None,
    }
}

/// Reads of the own register of persons what the case compares, which leaves a look: who applies, and what the
/// definition fills in from there.
fn read_person(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    parts: &Parts,
    case: &Case,
    rules: &ItemRules,
    person: PersonId,
    has_earlier: bool,
) -> Result<Option<BTreeMap<String, String>>> {
    let Some(held) = people::find(tx, &parts.vault, person)? else { return Ok(None) };
    let prefilled = rules.all_questions().filter_map(|question| question.prefill.as_deref());
    let asked: BTreeSet<&str> =
        prefilled.filter_map(|field| field.strip_prefix("person.")).chain(["name", "number"]).collect();
    let values: BTreeMap<String, String> = [
        ("name", held.name),
        ("number", held.number.to_string()),
        ("phone", held.phone.unwrap_or_default()),
        ("address", held.address),
    ]
    .into_iter()
    .filter(|(field, _)| asked.contains(field))
    .map(|(field, value)| (field.to_owned(), value))
    .collect();
    let earlier = has_earlier.then(|| EARLIER_FIELD.to_owned());
    let look = Look {
        person,
        kind: LookKind::Register,
        city: ctx.node,
        office: Some(case.opening.deciding.office.clone()),
        role: ctx.actor.role().map(|role| word(&role)).unwrap_or_default(),
        item: case.opening.item.to_string(),
        case: Some(case.id()),
        ground: "case".to_owned(),
        fields: values.keys().cloned().chain(earlier).collect(),
        licence: None,
        message: None,
        outcome: "shown".to_owned(),
    };
    look::record_once(tx, ctx, &parts.vault, &look, ONE_LOOK_SECONDS)?;
    Ok(Some(values))
}

fn read_papers(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    parts: &Parts,
    lang: Lang,
    case: &Case,
    rules: &ItemRules,
) -> Result<(Vec<Paper>, Register)> {
    let (mut papers, mut register) = (Vec::new(), Register::default());
    for material in &rules.materials {
        let used = case.opening.licences.iter().find(|it| it.material == material.id);
        let blank = Paper {
            id: material.id.clone(),
            title: say(lang, &material.title).to_owned(),
            source: None,
            licence: None,
            version: None,
            digest: String::new(),
            current: None,
            version_now: None,
            state: ("由本单位内部核对", "checked inside this office"),
            values: Vec::new(),
            unconfirmed: material.unconfirmed,
        };
        papers.push(match (used, &material.source) {
            (Some(used), Source::Licence { fields, .. }) => {
                let known = Paper {
                    source: Some(used.issuer),
                    licence: Some(used.licence),
                    version: Some(used.version),
                    digest: used.digest.clone(),
                    state: ("由签发城市核对", "checked by the issuing city"),
                    ..blank
                };
                let (paper, held) = read_paper(tx, ctx, parts, lang, case, used, fields, known)?;
                register.papers.extend(held.map(|held| (material.id.clone(), held)));
                paper
            }
            (None, Source::Licence { .. }) => Paper { state: ("没有提供", "not provided"), ..blank },
            (_, Source::Office { .. }) => blank,
        });
    }
    Ok((papers, register))
}

/// Reads one licence of the own register, which leaves a look; what another city issued is left to it.
#[expect(
    clippy::too_many_arguments,
    reason = "transaction, actor, parts and language come with every read; the rest is the paper"
)]
fn read_paper(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    parts: &Parts,
    lang: Lang,
    case: &Case,
    used: &LicenceRef,
    fields: &[String],
    known: Paper,
) -> Result<(Paper, Option<Held>)> {
    if used.issuer != ctx.node {
        return Ok((known, None));
    }
    let asked: BTreeSet<String> = fields.iter().cloned().collect();
    let reason = Reason { item: case.opening.item.to_string(), case: case.id(), ground: "case".to_owned() };
    match read_licence(tx, ctx, &parts.issuer, used.licence, &asked, &reason) {
        Ok((licence, values)) => {
            let today = ctx.now.date();
            let same = u32::from(licence.version) == used.version && hex(&licence.digest) == used.digest;
            let held = Held {
                version: Some(u32::from(licence.version)),
                is_current: same && licence.standing.is_in_force(today),
                state: licence.state(today).words(),
                holder: parts.types.get(&used.kind).and_then(|kind| holder(kind, &values)),
                values: values.clone(),
            };
            let paper = Paper {
                current: Some(held.is_current),
                version_now: held.version,
                state: held.state,
                values: labelled(parts, lang, &used.kind, &values),
                ..known
            };
            Ok((paper, Some(held)))
        }
        Err(Error::Refused(_)) => {
            let paper = Paper { current: Some(false), state: ("查不到", "not found"), ..known };
            Ok((paper, Some(Held::default())))
        }
        Err(error) => Err(error),
    }
}

/// Whose a paper is: the name and the resident number that stand on it.
fn holder(kind: &LicenceType, values: &BTreeMap<String, String>) -> Option<(String, String)> {
    let number = kind.fields.iter().find(|field| field.kind == FieldKind::ResidentNumber)?;
    Some((values.get("name")?.clone(), values.get(&number.id)?.clone()))
}

fn labelled(parts: &Parts, lang: Lang, kind: &str, values: &BTreeMap<String, String>) -> Vec<Value> {
    let Some(kind) = parts.types.get(kind) else { return Vec::new() };
    let value = |field: &tb_licence::types::Field| {
        Some(Value {
            id: field.id.clone(),
            label: lang.t(&field.title, &field.title_en).to_owned(),
            value: discreet(kind, values, field)?,
        })
    };
    kind.fields.iter().filter_map(value).collect()
}

/// The answers of the application, and beside each what the correction changed.
pub(super) fn answers(lang: Lang, file: &CaseFile, rules: &ItemRules) -> Vec<(Value, Option<String>)> {
    let corrected = |id: &str| {
        let lines = file.answers.iter().flat_map(|answers: &Answers| &answers.lines);
        lines.rev().find(|line| line.about == id).map(|line| line.text.clone())
    };
    let line = |question: &tb_case::definitions::Question| {
        let answer = file.filing.answers.get(&question.id);
        let after = corrected(&question.id);
        if answer.is_none() && after.is_none() {
            return None;
        }
        let spoken = form::spoken(question, answer.map(String::as_str).unwrap_or_default());
        let value = Value {
            id: question.id.clone(),
            label: say(lang, &question.text).to_owned(),
            value: say(lang, &spoken).to_owned(),
        };
        Some((value, after))
    };
    let mut lines: Vec<_> = rules.all_questions().filter_map(line).collect();
    for material in &rules.materials {
        if let Some(after) = corrected(&material.id) {
            let label = say(lang, &material.title).to_owned();
            lines.push((Value { id: material.id.clone(), label, value: String::new() }, Some(after)));
        }
    }
    lines
}

/// One line of the history (办件履历).
#[derive(Serialize)]
pub(super) struct Event {
    pub(super) seq: u32,
    pub(super) at: Timestamp,
    pub(super) kind: &'static str,
    pub(super) city: NodeId,
    pub(super) party: Party,
    pub(super) by: String,
    pub(super) hash: String,
}

/// The history as the page lists it.
pub(super) fn events(records: &[Record]) -> Vec<Event> {
    let event = |record: &Record| Event {
        seq: record.seq,
        at: record.event.at,
        kind: record.event.change.kind(),
        city: record.event.by.city,
        party: record.event.by.party,
        by: record.event.by.name.clone(),
        hash: record.hash.clone(),
    };
    records.iter().map(event).collect()
}

/// What happened, in words.
pub(super) fn happened(lang: Lang, kind: &str) -> &'static str {
    match kind {
        "collected" => lang.t("收件", "Collected"),
        "offered" => lang.t("移交", "Offered to the deciding city"),
        "custody_accepted" => lang.t("接管", "Custody accepted"),
        "custody_refused" => lang.t("退回", "Custody refused"),
        "correction_asked" => lang.t("一次性告知补正", "Correction asked"),
        "correction_answered" => lang.t("补正", "Correction answered"),
        "accepted" => lang.t("受理", "Accepted"),
        "declined" => lang.t("不予受理", "Not accepted"),
        "opined" => lang.t("审查意见", "Opinion given"),
        "extended" => lang.t("延长期限", "Limit extended"),
        "paused" => lang.t("特别程序开始", "Special procedure began"),
        "resumed" => lang.t("特别程序结束", "Special procedure ended"),
        "decided" => lang.t("决定", "Decided"),
        "result_issued" => lang.t("制证", "Certificate issued"),
        "delivered" => lang.t("送达", "Delivered"),
        "withdrawn" => lang.t("撤回", "Withdrawn"),
        "rated" => lang.t("评价", "Rated"),
        "lapsed" => lang.t("逾期未补正", "Lapsed"),
        "closed" => lang.t("归档", "Closed"),
        _ => lang.t("其他", "Other"),
    }
}

/// In which part somebody acted, in words.
pub(super) fn party_words(lang: Lang, party: Party) -> &'static str {
    match party {
        Party::Applicant => lang.t("申请人", "applicant"),
        Party::Window => lang.t("窗口", "window"),
        Party::Reviewer => lang.t("审查", "reviewer"),
        Party::Approver => lang.t("审批", "approver"),
        Party::System => lang.t("系统", "system"),
    }
}
