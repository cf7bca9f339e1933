//! What two cities say to each other about an enquiry (问询报文): asked, answered.
//!
//! Invariants: a turn counts once by its id, so a message that comes twice changes nothing; each side says only what
//! is its own to say; no telephone number and no name is in any of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tb_base::{Ctx, Fault, MessageId, NodeId, OfficeId, Result, Violation};
use tb_exchange::{Incoming, Purpose, service};
use tb_identity::people;
use tb_store::inbox::Handler;
use tb_store::{Tx, audit, outbox};

use crate::enquiry::{About, ActKind, Asker, Enquiry, State, Turn};
use crate::{Env, acts, keep};

/// The purpose of both services.
pub const PURPOSE: &str = "enquiry";
/// How long a message is worth delivering: a city may be down for weeks and no question is lost.
const MESSAGE_SECONDS_MAX: i64 = 60 * 86_400;
/// How far the clock of another city may be ahead.
const AHEAD_SECONDS_MAX: i64 = 3_600;

/// What the asking city says: a question, an addition, that it is over (提出、补充、办结).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The enquiry.
    pub enquiry: MessageId,
    /// What was said.
    pub turn: Turn,
    /// With the first turn: what the enquiry is.
    pub opening: Option<Opening>,
}

/// What an enquiry is, for the city that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// What it is about.
    pub about: About,
    /// The office that is to answer, where it is known.
    pub office: Option<OfficeId>,
    /// Whether she was signed in.
    pub signed_in: bool,
}

/// What the answering city says: that it has it, an answer, where it went (收到、答复、转办、退回).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// The enquiry.
    pub enquiry: MessageId,
    /// What was said.
    pub turn: Turn,
}

/// The services that this crate offers to peers.
pub fn handlers(env: &Env) -> Vec<Handler> {
    let handler = |service, work: fn(&mut Tx<'_>, &Ctx, &Env, &Incoming) -> Result<()>| {
        let env = env.clone();
        Handler {
            service,
            query: false,
            handle: Arc::new(move |tx, ctx, incoming| work(tx, ctx, &env, incoming).map(|()| Value::Null)),
        }
    };
    vec![handler(service::ENQUIRY_ASK, on_asked), handler(service::ENQUIRY_ANSWER, on_answered)]
}

/// Tells the other city of a turn that was made here, where there is another one.
pub(crate) fn tell(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, enquiry: &Enquiry, turn: &Turn) -> Result<()> {
    if !enquiry.is_between_cities() {
        return Ok(());
    }
    if turn.act.kind().is_of_asking_city() {
        return send_asked(tx, ctx, env, enquiry, turn, None);
    }
    let by = turn.act.office().map_or_else(|| env.me().to_string(), |office| office.id.to_string());
    let body = Answered { enquiry: enquiry.id, turn: turn.clone() };
    let actor = format!("department/{by}");
    send(tx, ctx, env, enquiry.from, service::ENQUIRY_ANSWER, (&actor, None), &body)
}

/// Sends what the asking city says; with the first turn what the enquiry is.
pub(crate) fn send_asked(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    enquiry: &Enquiry,
    turn: &Turn,
    opening: Option<Option<OfficeId>>,
) -> Result<()> {
    let number = match &enquiry.asker {
        Asker::Person(person) => Some(people::get(tx, &env.vault, *person)?.number.to_string()),
        Asker::Phone(_) | Asker::Elsewhere => None,
    };
    let opening =
        opening.map(|office| Opening { about: enquiry.about.clone(), office, signed_in: enquiry.signed_in });
    let body = Asked { enquiry: enquiry.id, turn: turn.clone(), opening };
    let actor = if number.is_some() { "resident" } else { "anonymous" };
    send(tx, ctx, env, enquiry.to, service::ENQUIRY_ASK, (actor, number.as_deref()), &body)
}

fn send<B: Serialize>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    to: NodeId,
    service: &str,
    (actor, number): (&str, Option<&str>),
    body: &B,
) -> Result<()> {
    let purpose = Purpose { item: PURPOSE.to_owned(), case: None, basis: "subject".to_owned() };
    let deadline = ctx.now.plus_seconds(MESSAGE_SECONDS_MAX);
    let message = env.desk.compose(ctx, to, service, purpose, actor, number, body, deadline)?;
    outbox::send(tx, ctx, &message)
}

/// What every turn from another city has to be.
fn check(ctx: &Ctx, incoming: &Incoming, turn: &Turn, of_asking_city: Side) -> Result<()> {
    let from = incoming.envelope.from;
    let wrong = |what: &'static str, detail: String| Err(Violation::new("schema", what, detail).into());
    if incoming.envelope.purpose.item != PURPOSE {
        return wrong(
            "tb-purpose",
            format!("{} is not the purpose of enquiries", incoming.envelope.purpose.item),
        );
    }
    if turn.city != from {
        return wrong("turn", format!("{from} speaks for {}", turn.city));
    }
    let side = if turn.act.kind().is_of_asking_city() { Side::Asking } else { Side::Answering };
    if side != of_asking_city {
        return wrong("act", format!("{:?} is not for {from} to do", turn.act.kind()));
    }
    if ctx.now.plus_seconds(AHEAD_SECONDS_MAX) < turn.at {
        return wrong("at", format!("a turn of {}", turn.at));
    }
    if !turn.act.is_bounded() {
        return wrong("act", "a name is too long".to_owned());
    }
    Ok(())
}

/// Which city says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Asking,
    Answering,
}

/// A question, an addition or an end arrives.
fn on_asked(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, incoming: &Incoming) -> Result<()> {
    let asked: Asked = incoming.parse()?;
    check(ctx, incoming, &asked.turn, Side::Asking)?;
    let from = incoming.envelope.from;
    match (keep::find(tx, asked.enquiry)?, asked.opening) {
        (Some(held), _) if held.from != from || held.to != env.me() => {
            Err(Violation::new("custody", "enquiry", format!("{} is not of {from}", asked.enquiry)).into())
        }
        (Some(held), None) => acts::add(tx, ctx, env, held, &asked.turn).map(drop),
        // The same question once more.
        (Some(_), Some(_)) => Ok(()),
        (None, Some(opening)) => open(tx, ctx, env, (from, asked.enquiry), &asked.turn, opening),
        // The question may still be on its way: a fault is tried again.
        (None, None) => Err(Fault::new(format!("waiting for the enquiry {}", asked.enquiry)).into()),
    }
}

/// Takes a question in and gives it to an office, which is told to the city where it was asked.
fn open(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    (from, id): (NodeId, MessageId),
    turn: &Turn,
    opening: Opening,
) -> Result<()> {
    if turn.act.kind() != ActKind::Ask || turn.id != id || !opening.about.is_bounded() {
        return Err(
            Violation::new("schema", "opening", format!("{id} does not begin with a question")).into()
        );
    }
    let enquiry = Enquiry {
        id,
        asker: Asker::Elsewhere,
        signed_in: opening.signed_in,
        code: String::new(),
        from,
        to: env.me(),
        office: None,
        state: State::Open,
        asked: turn.at,
        since: turn.at,
        due: env.limits.due(&env.calendar, opening.about.kind(), turn.at).at,
        received: None,
        turns: 0,
        agains: 0,
        passes: 0,
        about: opening.about,
    };
    keep::insert(tx, ctx, &env.vault, &enquiry)?;
    let enquiry = acts::add(tx, ctx, env, enquiry, turn)?.0;
    audit::line(tx, ctx, "enquiry.ask", id.as_str(), &crate::word(&enquiry.about.kind()))?;
    acts::receive(tx, ctx, env, enquiry, opening.office.as_ref()).map(drop)
}

/// Word from the city that answers.
fn on_answered(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, incoming: &Incoming) -> Result<()> {
    let answered: Answered = incoming.parse()?;
    check(ctx, incoming, &answered.turn, Side::Answering)?;
    let from = incoming.envelope.from;
    let held = keep::find(tx, answered.enquiry)?;
    let Some(held) = held.filter(|held| held.to == from && held.from == env.me()) else {
        let detail = format!("{} was never asked of {from}", answered.enquiry);
        return Err(Violation::new("custody", "enquiry", detail).into());
    };
    let id = held.id;
    let (enquiry, is_new) = acts::add(tx, ctx, env, held, &answered.turn)?;
    let outcome = if is_new { crate::word(&enquiry.state) } else { "again".to_owned() };
    audit::line(tx, ctx, answered.turn.act.kind().action(), id.as_str(), &outcome)
}
