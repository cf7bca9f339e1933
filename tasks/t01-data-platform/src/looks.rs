//! Who looked at my data (谁看了我的数据): this city's rows and, asked live, those of every other city.
//! Serves clauses 1.1 and 3.3.
//!
//! Invariant: a city that does not answer is named, never left out in silence; reading the list makes a leaf of
//! its own but no row, so that the list does not grow by being read.

mod list;
pub mod proof;
pub mod trace;
mod words;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use tb_base::{Ctx, Error, NodeId, OfficeId, PersonId, Refusal, Result};
use tb_crypto::{canonical, sha256};
use tb_exchange::{Answer, Leaf, LeafKind, Outgoing, Purpose, SELF_CONTRACT, service};
use tb_identity::people::{self, Person};
use tb_identity::permit::{Action, Permit, Scope, may};
use tb_store::{Tx, audit, log};
use tb_web::{PageError, PageResult, Visit};
use tokio::task::JoinSet;

use crate::parts::Parts;
use trace::{Seen, TraceAnswer, TraceAsk};

/// Looks of one city that the list takes at the most; older ones are counted, not shown.
pub const ROWS_MAX: u32 = 200;
/// How long another city may take; then it counts as unavailable.
const ANSWER_SECONDS_MAX: i64 = 10;
/// The purpose under which cities ask each other for looks.
pub const PURPOSE: &str = "trace";

/// What was found in all cities.
#[derive(Default)]
pub struct Found {
    /// Rows with the city that holds each, newest first.
    pub rows: Vec<(NodeId, Seen)>,
    /// How many looks there were in all, shown or not.
    pub total: i64,
    /// Names of offices: Chinese, English.
    pub offices: BTreeMap<OfficeId, (String, String)>,
    /// Cities that did not answer, with what they said instead.
    pub unavailable: Vec<(NodeId, Refusal)>,
}

/// GET /looks
pub async fn show(visit: Visit, parts: Extension<Arc<Parts>>) -> PageResult {
    let found = found(&visit, &parts.0).await?;
    let view = list::view(&visit, &parts.0, &found);
    visit.page(view)
}

async fn found(visit: &Visit, parts: &Arc<Parts>) -> std::result::Result<Found, PageError> {
    let (person, permit) = reader(&visit.ctx)?;
    let (ctx, inner) = (visit.ctx.clone(), Arc::clone(parts));
    let own = visit.app.store.write("t01.looks", move |tx| own(tx, &ctx, &inner, &permit, person)).await?;
    let (holder, answer) = own;
    let mut found = Found::default();
    found.add(visit.ctx.node, answer);
    for (node, answer) in ask_all(visit, parts, &holder).await? {
        match answer {
            Ok(answer) => found.add(node, answer),
            Err(refusal) => found.unavailable.push((node, refusal)),
        }
    }
    found.rows.sort_by_key(|(_, row)| Reverse((row.at, row.id)));
    found.unavailable.sort_by_key(|(node, _)| *node);
    Ok(found)
}

impl Found {
    fn add(&mut self, node: NodeId, answer: TraceAnswer) {
        self.rows.extend(answer.rows.into_iter().map(|row| (node, row)));
        self.total = self.total.saturating_add(answer.total);
        self.offices.extend(answer.offices);
    }
}

/// The person who reads, and that she may.
pub fn reader(ctx: &Ctx) -> std::result::Result<(PersonId, Permit), PageError> {
    let person = ctx.actor.person().ok_or_else(|| {
        Refusal::not_allowed("T01-LOK-001", "只有本人能看", "Only the person herself may read this")
    })?;
    Ok((person, may(&ctx.actor, Action::ReadOwnLooks, &Scope::Person(person))?))
}

/// This city's rows; writes the leaf of the reading and an audit line.
fn own(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    parts: &Parts,
    permit: &Permit,
    person: PersonId,
) -> Result<(Person, TraceAnswer)> {
    let holder = people::get(tx, &parts.vault, person)?;
    let answer = trace::rows(tx, person, ROWS_MAX)?;
    read_leaf(tx, ctx, parts, &holder)?;
    audit::line(tx, ctx, "look.read", person.as_str(), tb_identity::permit::code(permit.action()))?;
    Ok((holder, answer))
}

/// The leaf that says that the list was read, tied to the person by the pseudonym of her own city.
fn read_leaf(tx: &mut Tx<'_>, ctx: &Ctx, parts: &Parts, holder: &Person) -> Result<()> {
    let pseudonym = parts.desk.pseudonym(&SELF_CONTRACT.parse()?, holder.number.as_str())?;
    let id = ctx.id(tb_base::MessageId::new);
    let what = serde_json::json!({ "act": "look.read", "at": ctx.now, "id": id, "node": ctx.node });
    let leaf = Leaf {
        kind: LeafKind::Look,
        at: ctx.now,
        id,
        contract: [0; 16],
        content: sha256(&canonical(&what)?),
        base: [0; 32],
        subject: [0; 32],
    };
    log::append_about(tx, ctx, leaf, Some(&pseudonym.0)).map(drop)
}

type Asked = Vec<(NodeId, std::result::Result<TraceAnswer, Refusal>)>;

/// Asks every other city at once.
async fn ask_all(visit: &Visit, parts: &Parts, holder: &Person) -> Result<Asked> {
    let mut asked = JoinSet::new();
    let mut answers = Asked::new();
    for node in parts.desk.peers() {
        let ask = TraceAsk { rows_max: ROWS_MAX, proof_of: None };
        match message(&visit.ctx, parts, node, holder, &ask) {
            Ok(message) => {
                let (app, ctx) = (visit.app.clone(), visit.ctx.clone());
                asked.spawn(async move { (node, app.peers.query(ctx, message).await) });
            }
            Err(error) => answers.push((node, Err(why_not(error)?))),
        }
    }
    while let Some(done) = asked.join_next().await {
        let (node, answer) = done.map_err(|error| tb_base::Fault::of("asking other cities", error))?;
        match answer.and_then(|answer: Answer| answer.parse::<TraceAnswer>()) {
            Ok(answer) => answers.push((node, Ok(answer))),
            Err(error) => answers.push((node, Err(why_not(error)?))),
        }
    }
    Ok(answers)
}

/// A question about this person to another city.
pub fn message(ctx: &Ctx, parts: &Parts, to: NodeId, holder: &Person, ask: &TraceAsk) -> Result<Outgoing> {
    let purpose = Purpose { item: PURPOSE.to_owned(), case: None, basis: "subject".to_owned() };
    let deadline = ctx.now.plus_seconds(ANSWER_SECONDS_MAX);
    parts.desk.compose(
        ctx,
        to,
        service::TRACE_LOOKS,
        purpose,
        "resident",
        Some(holder.number.as_str()),
        ask,
        deadline,
    )
}

/// What a city that gave no rows said instead; a broken answer is that city's fault, not the reader's.
fn why_not(error: Error) -> Result<Refusal> {
    match error {
        Error::Refused(refusal) => Ok(*refusal),
        Error::Violation(violation) => {
            let code = violation.code;
            Ok(Refusal::not_now(
                "T01-LOK-005",
                format!("答复不合格（{code}），没有采用"),
                format!("The answer was not well formed ({code}) and was not used"),
            ))
        }
        Error::Fault(fault) => Err(fault.into()),
    }
}
