//! Who looked at my data (谁看了我的数据): this city's rows and, asked live, those of every other city.
//! Serves clauses 1.1 and 3.3.
//!
//! Invariant: a city that does not answer is named, never left out in silence; reading the list makes a leaf of
//! its own but no row, so that the list does not grow by being read. Each city counts and filters all of its rows
//! and gives the page that is asked for, older than a row: so every row is on some page.

mod list;
pub mod proof;
pub mod trace;
pub mod words;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Extension;
use tb_base::{Ctx, Error, NodeId, OfficeId, PersonId, Refusal, Result};
use tb_crypto::{canonical, sha256};
use tb_enquiry::queue;
use tb_exchange::{Answer, Leaf, LeafKind, Outgoing, Purpose, SELF_CONTRACT, service};
use tb_identity::people::{self, Person};
use tb_identity::permit::{Action, Permit, Scope, may};
use tb_store::{Tx, audit, log};
use tb_web::{PageError, PageResult, Visit};
use tokio::task::JoinSet;

use crate::parts::Parts;
use trace::{Recent, Seen, TraceAnswer, TraceAsk};

/// Rows on one page, and so what one city gives at once at the most.
pub const ROWS_MAX: u32 = 40;
/// How long another city may take; then it counts as unavailable.
const ANSWER_SECONDS_MAX: i64 = 10;
/// The purpose under which cities ask each other for looks.
pub const PURPOSE: &str = "trace";

/// What was found in all cities.
#[derive(Default)]
pub struct Found {
    /// Rows of this page with the city that holds each, newest first.
    pub rows: Vec<(NodeId, Seen)>,
    /// How many looks there were in all answering cities, whether they fit the filter or not.
    pub total: u64,
    /// How many of them fit the filter, on all pages.
    pub count: u64,
    /// The last thirty days of all looks.
    pub recent: Recent,
    /// The months that have looks.
    pub months: BTreeSet<String>,
    /// How many of these are on this page and those after it.
    pub left: u64,
    /// Names of offices: Chinese, English.
    pub offices: BTreeMap<OfficeId, (String, String)>,
    /// Cities that did not answer, with what they said instead.
    pub unavailable: Vec<(NodeId, Refusal)>,
}

/// GET /looks
pub async fn show(visit: Visit, parts: Extension<Arc<Parts>>) -> PageResult {
    let ask = TraceAsk {
        rows_max: ROWS_MAX,
        before: visit.param("before").and_then(|id| id.parse().ok()),
        wanted: list::wanted(&visit),
        proof_of: None,
    };
    let found = found(&visit, &parts.0, &ask).await?;
    let (person, _) = reader(&visit.ctx)?;
    let asked = visit.app.store.read("t01.looks.asked", move |tx| queue::looks_of_person(tx, person)).await?;
    let view = list::view(&visit, &parts.0, &ask.wanted, &found, &asked);
    visit.page(view)
}

/// One page of looks in all cities, and what else they say.
pub async fn found(
    visit: &Visit,
    parts: &Arc<Parts>,
    ask: &TraceAsk,
) -> std::result::Result<Found, PageError> {
    let (person, permit) = reader(&visit.ctx)?;
    let (ctx, inner, asked) = (visit.ctx.clone(), Arc::clone(parts), ask.clone());
    let own = move |tx: &mut Tx<'_>| own(tx, &ctx, &inner, &permit, person, &asked);
    let (holder, answer) = visit.app.store.write("t01.looks", own).await?;
    let mut found = Found::default();
    found.add(visit.ctx.node, answer);
    for (node, answer) in ask_all(visit, parts, &holder, ask).await? {
        match answer {
            Ok(answer) => found.add(node, answer),
            Err(refusal) => found.unavailable.push((node, refusal)),
        }
    }
    // Ids sort by time; each city gave its newest, so the newest of all are among them.
    found.rows.sort_by_key(|(_, row)| Reverse(row.id));
    found.rows.truncate(usize::try_from(ROWS_MAX).unwrap_or(0));
    found.unavailable.sort_by_key(|(node, _)| *node);
    Ok(found)
}

impl Found {
    fn add(&mut self, node: NodeId, answer: TraceAnswer) {
        self.rows.extend(answer.rows.into_iter().map(|row| (node, row)));
        self.total = self.total.saturating_add(answer.total);
        self.count = self.count.saturating_add(answer.count);
        self.left = self.left.saturating_add(answer.left);
        self.recent.count = self.recent.count.saturating_add(answer.recent.count);
        self.recent.refused = self.recent.refused.saturating_add(answer.recent.refused);
        self.recent.offices.extend(answer.recent.offices);
        self.months.extend(answer.months);
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
    ask: &TraceAsk,
) -> Result<(Person, TraceAnswer)> {
    let holder = people::get(tx, &parts.vault, person)?;
    let answer = trace::rows(tx, ctx, person, ask)?;
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
async fn ask_all(visit: &Visit, parts: &Parts, holder: &Person, ask: &TraceAsk) -> Result<Asked> {
    let mut asked = JoinSet::new();
    let mut answers = Asked::new();
    for node in parts.desk.peers() {
        match message(&visit.ctx, parts, node, holder, ask) {
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
