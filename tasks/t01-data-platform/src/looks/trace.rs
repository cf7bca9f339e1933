//! What cities tell each other about looks (查看记录互查): only to the person herself, by her pseudonym.
//!
//! Invariant: the salt of a look stays with the node that wrote it, except in the person's own bundle.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tb_base::{CaseId, Ctx, Error, Fault, MessageId, NodeId, OfficeId, PersonId, Refusal, Result, Timestamp};
use tb_crypto::text;
use tb_exchange::bundle::SignedPart;
use tb_exchange::{Incoming, service};
use tb_identity::look::{self, LookKind, LookRow};
use tb_identity::{PAGE_ROWS, offices, people};
use tb_store::inbox::Handler;
use tb_store::{Tx, log};

use super::{PURPOSE, ROWS_MAX, proof};
use crate::parts::Parts;

/// The question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceAsk {
    /// How many rows at the most, the newest first.
    pub rows_max: u32,
    /// A look whose signed proof is wanted instead of rows.
    pub proof_of: Option<MessageId>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceAnswer {
    /// The looks, newest first.
    pub rows: Vec<Seen>,
    /// How many there were in all.
    pub total: i64,
    /// Names of the answering city's offices: Chinese, English.
    pub offices: BTreeMap<OfficeId, (String, String)>,
    /// The proof that was asked for.
    pub part: Option<Box<SignedPart>>,
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
        (Some(person), None) => rows(tx, person.id, ask.rows_max),
        (Some(person), Some(id)) => {
            // The number does not travel between cities: she knows it, and the salt is in the row.
            let part = proof::part(tx, ctx, parts, person.id, id, proof::Subject::Unnamed)?;
            Ok(TraceAnswer { part: Some(Box::new(part)), ..nothing() })
        }
        // A city that does not know her has nothing of hers to show; an office of it may have looked elsewhere.
        (None, None) => Ok(TraceAnswer { offices: office_names(tx)?, ..nothing() }),
        (None, Some(_)) => Err(proof::gone().into()),
    }
}

fn nothing() -> TraceAnswer {
    TraceAnswer { rows: Vec::new(), total: 0, offices: BTreeMap::new(), part: None }
}

fn not_herself() -> Error {
    Refusal::not_allowed("T01-LOK-004", "查看记录只答复本人", "Looks are told to the person herself only")
        .into()
}

/// The newest looks at a person's data in this city, with the names of its offices.
pub fn rows(tx: &mut Tx<'_>, person: PersonId, rows_max: u32) -> Result<TraceAnswer> {
    let rows_max = usize::try_from(rows_max.min(ROWS_MAX)).unwrap_or(0);
    let mut found = Vec::new();
    for page in 0.. {
        let rows = look::of_person(tx, person, page)?;
        let is_last = i64::try_from(rows.len()).unwrap_or(0) < PAGE_ROWS;
        found.extend(rows);
        if is_last || rows_max <= found.len() {
            break;
        }
    }
    found.truncate(rows_max);
    let covered = Covered::read(tx)?;
    let rows = found.into_iter().map(|row| seen(tx, &covered, row)).collect::<Result<_>>()?;
    Ok(TraceAnswer { rows, total: look::count(tx, person)?, offices: office_names(tx)?, part: None })
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
