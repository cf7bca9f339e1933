//! The holder who is signed in (持证人), and how her city asks another one in her name.
//! Serves clause 1.2.

use std::time::Duration;

use tb_base::{Class, Ctx, Error, Fault, LicenceId, NodeId, PersonId, Refusal, ResidentId};
use tb_exchange::{Answer, Outgoing};
use tb_identity::people;
use tb_identity::permit::{Action, Scope, may};
use tb_licence::peer::show::{self, Present, Presented};
use tb_web::{App, PageError, Visit};

use crate::parts::Parts;

/// How long a person waits for a city before its silence is said.
const ANSWER_SECONDS_MAX: u64 = 5;

/// The person who is signed in, permitted to do what she came for.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The person in this city's register.
    pub person: PersonId,
    /// Her number, from which pseudonyms are made; it leaves the city in no message.
    pub number: ResidentId,
}

/// What came of asking a city.
pub enum Heard<T> {
    /// It answered.
    Answer(T),
    /// It did not; this is what it or the desk said instead.
    Silent(Refusal),
}

/// The holder, if she may do this.
pub async fn holder(visit: &Visit, parts: &Parts, action: Action) -> Result<Holder, PageError> {
    let person = visit.ctx.actor.person().ok_or_else(not_a_person)?;
    may(&visit.ctx.actor, action, &Scope::Person(person))?;
    let vault = parts.issuer.vault.clone();
    let found = visit.app.store.read("t03.holder", move |tx| people::get(tx, &vault, person)).await?;
    Ok(Holder { person, number: found.number })
}

/// Asks the city that issued a licence, which may be this one.
pub async fn ask(
    visit: &Visit,
    parts: &Parts,
    holder: &Holder,
    city: NodeId,
    ask: &Present,
) -> Result<Heard<Presented>, PageError> {
    let message = show::message(&parts.desk, &visit.ctx, city, holder.number.as_str(), ask)?;
    match heard(query(visit.app.clone(), visit.ctx.clone(), message).await)? {
        Heard::Silent(refusal) => Ok(Heard::Silent(refusal)),
        Heard::Answer(answer) => match show::presented(&parts.desk.trust().list, &answer) {
            Ok(presented) => Ok(Heard::Answer(presented)),
            Err(Error::Violation(_)) => Ok(Heard::Silent(unreadable())),
            Err(error) => Err(error.into()),
        },
    }
}

/// Asks a city and waits for a bearable time; the question runs on by itself, so that its record becomes whole.
pub async fn query(app: App, ctx: Ctx, message: Outgoing) -> tb_base::Result<Answer> {
    let asked = tokio::spawn(async move { app.peers.query(ctx, message).await });
    match tokio::time::timeout(Duration::from_secs(ANSWER_SECONDS_MAX), asked).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Err(Fault::of("asking a city about a licence", error).into()),
        Err(_) => Err(too_slow().into()),
    }
}

/// Tells an answer from silence: whatever may pass by itself is silence, any other refusal goes on to the page.
fn heard(outcome: tb_base::Result<Answer>) -> Result<Heard<Answer>, PageError> {
    match outcome {
        Ok(answer) => Ok(Heard::Answer(answer)),
        Err(Error::Refused(refusal)) if refusal.class == Class::NotNow => Ok(Heard::Silent(*refusal)),
        Err(error) => Err(error.into()),
    }
}

/// City and licence of an address; anything else is no page of ours.
pub fn place(parts: &Parts, (city, id): &(String, String)) -> Result<(NodeId, LicenceId), PageError> {
    let city: Option<NodeId> = city.parse().ok();
    let known = city.filter(|city| *city == parts.desk.me || parts.desk.peers().contains(city));
    match (known, id.parse::<LicenceId>()) {
        (Some(city), Ok(id)) => Ok((city, id)),
        (None, _) | (_, Err(_)) => Err(no_such_licence().into()),
    }
}

fn too_slow() -> Refusal {
    Refusal::not_now("T03-LIC-004", "签发城市没有及时应答", "The issuing city does not answer in time")
        .but("请稍后再试", "Try again in a while")
}

/// What a city answered does not verify: that city's fault, and no answer.
pub fn unreadable() -> Refusal {
    Refusal::not_now("T03-LIC-003", "回答有误，没有采用", "What it answered is not in order and was not used")
}

fn no_such_licence() -> Refusal {
    Refusal::gone("T03-LIC-001", "没有这张证照", "There is no such licence")
        .but("请从“我的证照”打开", "Open it from your list of licences")
}

fn not_a_person() -> Refusal {
    Refusal::not_allowed("T03-LIC-002", "只有本人能看自己的证照", "Only the holder herself sees her licences")
}
