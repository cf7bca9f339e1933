//! What cities tell each other about looks (查看记录互查): only to the person herself, by her pseudonym.
//!
//! Invariant: the salt of a look stays with the node that wrote it, except in the person's own bundle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tb_base::{
    CaseId, Ctx, Error, Fault, LicenceId, MessageId, NodeId, OfficeId, PersonId, Refusal, Result, Timestamp,
};
use tb_crypto::text;
use tb_exchange::bundle::SignedPart;
use tb_exchange::{Incoming, service};
use tb_identity::look::{self, LookContent, LookKind, LookRow};
use tb_identity::{offices, people};
use tb_store::inbox::Handler;
use tb_store::{Tx, log};
use tb_web::ui;

use super::words::{SHOWN, Why};
use super::{PURPOSE, ROWS_MAX, proof};
use crate::parts::Parts;

/// Looks that are read at once.
const BATCH_ROWS: i64 = 500;
/// How many such batches one question reads; nobody has more looks than these.
const BATCHES_MAX: usize = 100;
/// How far back the figures of the last days count.
const RECENT_SECONDS: i64 = 30 * 86_400;

/// The question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceAsk {
    /// How many rows at the most, the newest first.
    pub rows_max: u32,
    /// Only rows older than this one, where a page went before.
    #[serde(default)]
    pub before: Option<MessageId>,
    /// Which looks are wanted.
    #[serde(default)]
    pub wanted: Wanted,
    /// A look whose signed proof is wanted instead of rows.
    pub proof_of: Option<MessageId>,
}

/// Which looks are wanted: the filter of the page, so that each city counts all of its rows by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The city of whoever looked.
    pub city: Option<NodeId>,
    /// For what reason.
    pub why: Option<Why>,
    /// The month, such as `2026-11`.
    pub month: Option<String>,
    /// The case.
    pub case: Option<CaseId>,
    /// The licence; not said where none is wanted, so that a city of an earlier version still understands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<LicenceId>,
}

impl Wanted {
    /// Whether anything is left out.
    pub fn is_any(&self) -> bool {
        *self != Wanted::default()
    }

    fn fits(&self, row: &LookContent) -> bool {
        self.city.is_none_or(|city| row.city == city)
            && self.why.is_none_or(|why| Why::of(row.kind, &row.ground) == why)
            && self.case.is_none_or(|case| row.case == Some(case))
            && self.licence.is_none_or(|licence| row.licence == Some(licence))
            && self.month.as_ref().is_none_or(|wanted| month(row.at) == *wanted)
    }
}

fn month(at: Timestamp) -> String {
    ui::Month::of(at.date()).to_string()
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceAnswer {
    /// The looks that fit, newest first.
    pub rows: Vec<Seen>,
    /// How many there are in all, whether they fit or not.
    pub total: u64,
    /// How many fit, on all pages.
    pub count: u64,
    /// How many of them are on this page and those after it.
    pub left: u64,
    /// The last thirty days.
    pub recent: Recent,
    /// The months that have looks.
    pub months: BTreeSet<String>,
    /// Names of the answering city's offices: Chinese, English.
    pub offices: BTreeMap<OfficeId, (String, String)>,
    /// The proof that was asked for.
    pub part: Option<Box<SignedPart>>,
}

/// The last thirty days of all looks in a city.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recent {
    /// How many looks.
    pub count: u64,
    /// How many of them were refused.
    pub refused: u64,
    /// The offices that looked.
    pub offices: BTreeSet<OfficeId>,
}

/// A look as another city is told: without the salt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Its id.
    pub id: MessageId,
    /// When.
    pub at: Timestamp,
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
    /// The message that asked.
    pub message: Option<MessageId>,
    /// `shown`, or the code of the refusal.
    pub outcome: String,
    /// How many other cities cosigned a checkpoint that covers the leaf.
    pub witnesses: u8,
}

/// The service for peers: a query.
pub fn handler(parts: &Arc<Parts>) -> Handler {
    let parts = Arc::clone(parts);
    Handler {
        service: service::TRACE_LOOKS,
        query: true,
        handle: Arc::new(move |tx, ctx, incoming| {
            let answer = answer(tx, ctx, &parts, incoming)?;
            serde_json::to_value(&answer)
                .map_err(|error| Fault::of("writing an answer about looks", error).into())
        }),
    }
}

fn answer(tx: &mut Tx<'_>, ctx: &Ctx, parts: &Parts, incoming: &Incoming) -> Result<TraceAnswer> {
    let envelope = &incoming.envelope;
    let ask: TraceAsk = incoming.parse()?;
    if envelope.purpose.basis != "subject" || envelope.purpose.item != PURPOSE {
        return Err(not_herself());
    }
    let subject = envelope.subject.ok_or_else(not_herself)?;
    let person = people::by_pseudonym(tx, &parts.vault, &envelope.contract.id, &subject)?;
    match (person, ask.proof_of) {
        (Some(person), None) => rows(tx, ctx, person.id, &ask),
        (Some(person), Some(id)) => {
            // The number does not travel between cities: she knows it, and the salt is in the row.
            let part = proof::part(tx, ctx, parts, person.id, id, proof::Subject::Unnamed)?;
            Ok(TraceAnswer { part: Some(Box::new(part)), ..TraceAnswer::default() })
        }
        // A city that does not know her has nothing of hers to show; an office of it may have looked elsewhere.
        (None, None) => Ok(TraceAnswer { offices: office_names(tx)?, ..TraceAnswer::default() }),
        (None, Some(_)) => Err(proof::gone().into()),
    }
}

fn not_herself() -> Error {
    Refusal::not_allowed("T01-LOK-004", "查看记录只答复本人", "Looks are told to the person herself only")
        .into()
}

/// The looks at a person's data in this city: a page of those that fit, and figures over all of them.
pub fn rows(tx: &mut Tx<'_>, ctx: &Ctx, person: PersonId, ask: &TraceAsk) -> Result<TraceAnswer> {
    let rows_max = usize::try_from(ask.rows_max.min(ROWS_MAX)).unwrap_or(0);
    let since = ctx.now.plus_seconds(-RECENT_SECONDS);
    let mut answer = TraceAnswer { offices: office_names(tx)?, ..TraceAnswer::default() };
    let (mut page, mut before) = (Vec::new(), None);
    for _ in 0..BATCHES_MAX {
        let batch = look::by_others(tx, person, before, BATCH_ROWS)?;
        before = batch.last().map(|row| row.look.id);
        let is_last = i64::try_from(batch.len()).unwrap_or(0) < BATCH_ROWS;
        for row in batch {
            answer.add(&row.look, since);
            if !ask.wanted.fits(&row.look) {
                continue;
            }
            answer.count += 1;
            let is_older = ask.before.is_none_or(|before| row.look.id < before);
            answer.left += u64::from(is_older);
            if is_older && page.len() < rows_max {
                page.push(row);
            }
        }
        if is_last {
            break;
        }
    }
    let covered = Covered::read(tx)?;
    answer.rows = page.into_iter().map(|row| seen(tx, &covered, row)).collect::<Result<_>>()?;
    Ok(answer)
}

impl TraceAnswer {
    /// Counts a look in the figures.
    fn add(&mut self, look: &LookContent, since: Timestamp) {
        self.total += 1;
        self.months.insert(month(look.at));
        if look.at < since {
            return;
        }
        self.recent.count += 1;
        self.recent.refused += u64::from(look.outcome != SHOWN);
        self.recent.offices.extend(look.office.clone());
    }
}

/// The names of this city's offices.
fn office_names(tx: &mut Tx<'_>) -> Result<BTreeMap<OfficeId, (String, String)>> {
    let all = offices::all(tx)?.into_iter();
    Ok(all.map(|office| (office.id, (office.name_zh, office.name_en))).collect())
}

/// Up to which size checkpoints are cosigned by one and by two other cities.
struct Covered {
    by_one: u64,
    by_two: u64,
}

impl Covered {
    fn read(tx: &mut Tx<'_>) -> Result<Covered> {
        let size = |tx: &mut Tx<'_>, witnesses| {
            Ok::<u64, Error>(log::latest_cosigned(tx, witnesses)?.map_or(0, |it| it.size))
        };
        Ok(Covered { by_one: size(tx, 1)?, by_two: size(tx, 2)? })
    }

    fn witnesses(&self, index: Option<u64>) -> u8 {
        let within = |size: u64| index.is_some_and(|index| index < size);
        u8::from(within(self.by_one)) + u8::from(within(self.by_two))
    }
}

fn seen(tx: &mut Tx<'_>, covered: &Covered, row: LookRow) -> Result<Seen> {
    let hash: [u8; 32] = text::unhex(&row.leaf)?
        .try_into()
        .map_err(|_| tb_base::Violation::inconsistent("identity_look", row.look.id))?;
    let index = log::find(tx, &hash)?.and_then(|leaf| leaf.index);
    let look = row.look;
    Ok(Seen {
        id: look.id,
        at: look.at,
        kind: look.kind,
        city: look.city,
        office: look.office,
        role: look.role,
        item: look.item,
        case: look.case,
        ground: look.ground,
        fields: look.fields,
        message: look.message,
        outcome: look.outcome,
        witnesses: covered.witnesses(index),
    })
}
