//! What two cities say to each other about a case (办件协同报文): offer, custody, progress, act.
//!
//! Invariants: custody moves by offer, acceptance and epoch, so that two nodes never both own a case;
//! a stale or repeated message changes nothing; what a person did is answered, applied or refused.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tb_base::{CaseId, Ctx, Error, Fault, MessageId, NodeId, PersonId, Refusal, Result, Violation};
use tb_exchange::{Incoming, Purpose, service};
use tb_store::inbox::Handler;
use tb_store::{Stmt, Tx, audit, outbox, params, stmt};

use crate::case::{By, Case, Phase, Reason};
use crate::command::Command;
use crate::decide::decide;
use crate::env::Env;
use crate::files::{self, Filing};
use crate::keep::{self, Kept, Record, Tell};
use crate::progress::ProgressView;
use crate::sealed::place;
use crate::text::Text;
use crate::{acts, refusals};

/// How long a message about a case is worth delivering: a city may be down for weeks and no case is lost.
const MESSAGE_SECONDS_MAX: i64 = 60 * 86_400;
/// Records of an offer at the most; a fresh case has two.
const RECORDS_MAX: usize = 100;

/// The package of an offered case (移交包).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// The case.
    pub case: CaseId,
    /// The epoch that is offered.
    pub epoch: u32,
    /// The version of the item's definition.
    pub item_version: u32,
    /// SHA-256 of the shared standard.
    pub definition: String,
    /// Its history so far.
    pub records: Vec<Record>,
    /// What was handed in.
    pub filing: Filing,
}

/// The answer to an offer (接管答复).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custody {
    /// The case.
    pub case: CaseId,
    /// The epoch that was offered.
    pub epoch: u32,
    /// Whether it was taken.
    pub answer: CustodyAnswer,
}

/// Whether custody was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "custody", rename_all = "snake_case", deny_unknown_fields)]
pub enum CustodyAnswer {
    /// Taken; this is where the case stands.
    Accepted {
        /// The view of the new owner.
        view: Box<ProgressView>,
    },
    /// Not taken.
    Refused {
        /// Why.
        reason: Reason,
    },
}

/// Where a case stands, told by its owner (进度).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The view of the owner.
    pub view: ProgressView,
    /// What became of acts that the collecting city sent.
    pub acts: Vec<ActAnswer>,
}

/// What became of an act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActAnswer {
    /// The command.
    pub command: MessageId,
    /// Why it was refused, if it was.
    pub refusal: Option<Refusal>,
}

/// What applicant or window did in the collecting city (申请人动作).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// The case.
    pub case: CaseId,
    /// Unique per act; takes effect once.
    pub id: MessageId,
    /// Who.
    pub by: By,
    /// What.
    pub command: Command,
}

const FIND: Stmt = stmt(
    "case.custody.find",
    "
    SELECT epoch, answer
    FROM case_custody
    WHERE case_id = $1
",
);

const PUT: Stmt = stmt(
    "case.custody.put",
    "
    INSERT INTO case_custody (case_id, epoch, answer, version, at, tx)
    VALUES ($1, $2, $3, 1, $4, $5)
    ON CONFLICT (case_id) DO UPDATE SET
        epoch = EXCLUDED.epoch, answer = EXCLUDED.answer, version = case_custody.version + 1,
        at = EXCLUDED.at, tx = EXCLUDED.tx
    WHERE case_custody.epoch < EXCLUDED.epoch
",
);

pub(crate) const STATEMENTS: &[Stmt] = &[FIND, PUT];

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
    vec![
        handler(service::CASE_OFFER, on_offer),
        handler(service::CASE_CUSTODY, on_custody),
        handler(service::CASE_PROGRESS, on_progress),
        handler(service::CASE_ACT, on_act),
    ]
}

fn send<B: Serialize>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    to: NodeId,
    service: &str,
    about: (u16, CaseId, &str, Option<&str>),
    body: &B,
) -> Result<()> {
    let (item, case, actor, number) = about;
    let purpose = Purpose { item: item.to_string(), case: Some(case), basis: "case".to_owned() };
    let deadline = ctx.now.plus_seconds(MESSAGE_SECONDS_MAX);
    let message = env.desk.compose(ctx, to, service, purpose, actor, number, body, deadline)?;
    outbox::send(tx, ctx, &message)
}

/// Role and office for the head of a message.
fn actor(by: &By) -> String {
    let office = by.office.as_ref().map_or_else(|| by.city.to_string(), ToString::to_string);
    format!("{}/{office}", crate::word(&by.party))
}

/// Offers a case that was collected here to the city that decides.
pub(crate) fn send_offer(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, kept: &Kept, filing: Filing) -> Result<()> {
    let records = keep::records(tx, kept.case.id())?;
    let by = records.first().map(|record| actor(&record.event.by)).unwrap_or_default();
    let opening = &kept.case.opening;
    let offer = Offer {
        case: opening.case,
        epoch: kept.case.epoch,
        item_version: opening.item_version,
        definition: opening.definition.clone(),
        records,
        filing,
    };
    let number = keep::number_of(tx, env, kept.person)?;
    let about = (opening.item, opening.case, by.as_str(), number.as_deref());
    send(tx, ctx, env, opening.deciding.city, service::CASE_OFFER, about, &offer)
}

/// Tells the collecting city where a case stands.
pub(crate) fn send_progress(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    kept: &Kept,
    view: &ProgressView,
    acts: Vec<ActAnswer>,
) -> Result<()> {
    let number = keep::number_of(tx, env, kept.person)?;
    let opening = &kept.case.opening;
    let by = format!("department/{}", opening.deciding.office);
    let body = Progress { view: view.clone(), acts };
    let about = (opening.item, opening.case, by.as_str(), number.as_deref());
    send(tx, ctx, env, opening.collecting.city, service::CASE_PROGRESS, about, &body)
}

/// Passes an act of applicant or window on to the owner.
pub(crate) fn send_act(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    view: &ProgressView,
    person: Option<PersonId>,
    act: &Act,
) -> Result<()> {
    let number = keep::number_of(tx, env, person)?;
    let by = actor(&act.by);
    send(tx, ctx, env, view.owner, service::CASE_ACT, (view.item, view.case, &by, number.as_deref()), act)
}

/// The person whom the head of a message names by pseudonym.
fn subject(tx: &mut Tx<'_>, env: &Env, incoming: &Incoming) -> Result<Option<PersonId>> {
    let envelope = &incoming.envelope;
    let Some(pseudonym) = &envelope.subject else { return Ok(None) };
    let person = tb_identity::people::by_pseudonym(tx, &env.vault, &envelope.contract.id, pseudonym)?;
    Ok(person.map(|person| person.id))
}

/// The head of a message and its body must speak of one case.
fn same_case(incoming: &Incoming, case: CaseId) -> Result<()> {
    if incoming.envelope.purpose.case == Some(case) {
        return Ok(());
    }
    Err(Violation::new("schema", "tb-purpose", format!("the head names another case than {case}")).into())
}

/// An offer arrives: custody is taken or refused, and the answer goes back in the same transaction.
fn on_offer(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, incoming: &Incoming) -> Result<()> {
    let offer: Offer = incoming.parse()?;
    same_case(incoming, offer.case)?;
    let known = tx.one(&FIND, params![offer.case])?;
    let known = known
        .map(|row| {
            let answer: CustodyAnswer = tx.open_json(&row, "answer", &place::custody(offer.case))?;
            Ok::<_, Error>((row.get::<u32>("epoch")?, answer))
        })
        .transpose()?;
    let answer = match known {
        Some((epoch, answer)) if epoch == offer.epoch => answer,
        Some((epoch, _)) if offer.epoch < epoch => refused(&refusals::stale_epoch()),
        Some(_) | None => take(tx, ctx, env, incoming, &offer)?,
    };
    let text =
        serde_json::to_string(&answer).map_err(|error| Fault::of("writing a custody answer", error))?;
    let text = tx.seal(&place::custody(offer.case), text);
    tx.run(&PUT, params![offer.case, offer.epoch, text, ctx.now, tx.name])?;
    let word = match &answer {
        CustodyAnswer::Accepted { .. } => "accepted".to_owned(),
        CustodyAnswer::Refused { reason } => reason.ground.clone(),
    };
    audit::line(tx, ctx, "case.custody", offer.case.as_str(), &word)?;
    send_custody(tx, ctx, env, incoming, &Custody { case: offer.case, epoch: offer.epoch, answer })
}

fn send_custody(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, incoming: &Incoming, custody: &Custody) -> Result<()> {
    let person = subject(tx, env, incoming)?;
    let number = keep::number_of(tx, env, person)?;
    let item = incoming.envelope.purpose.item.parse().unwrap_or_default();
    let by = format!("department/{}", env.me());
    let about = (item, custody.case, by.as_str(), number.as_deref());
    send(tx, ctx, env, incoming.envelope.from, service::CASE_CUSTODY, about, custody)
}

fn refused(refusal: &Refusal) -> CustodyAnswer {
    let text = Text::new(refusal.zh.as_ref(), refusal.en.as_ref());
    let article = refusal.basis.as_deref().unwrap_or_default().to_owned();
    let facts = refusal.way_out.as_ref().map(|(zh, _)| zh.to_string()).unwrap_or_default();
    CustodyAnswer::Refused { reason: Reason { ground: refusal.code.to_string(), text, article, facts } }
}

/// Takes custody if everything that the offer rests on still holds.
fn take(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, incoming: &Incoming, offer: &Offer) -> Result<CustodyAnswer> {
    let Some(person) = subject(tx, env, incoming)? else { return Ok(refused(&refusals::unknown_subject())) };
    let case = match examine(tx, ctx, env, incoming, offer, person)? {
        Ok(case) => case,
        Err(refusal) => return Ok(refused(&refusal)),
    };
    let rules = env.rules(&case)?;
    let kept = keep::adopt(tx, ctx, &offer.records, case, person)?;
    files::put_filing(tx, ctx, &env.vault, offer.case, &offer.filing)?;
    let events =
        decide(&kept.case, &rules, &Command::AcceptCustody, &By::system(env.me()), ctx.now, &env.calendar)?;
    let view = keep::apply(tx, ctx, env, kept, &events, incoming.envelope.id, Tell::Nobody)?;
    Ok(CustodyAnswer::Accepted { view: Box::new(view) })
}

/// Checks what an offer says; the case that its history makes.
fn examine(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    incoming: &Incoming,
    offer: &Offer,
    person: PersonId,
) -> Result<std::result::Result<Case, Refusal>> {
    let whole = (1..=RECORDS_MAX).contains(&offer.records.len());
    let Some(case) = keep::replay(&offer.records).filter(|_| whole) else {
        return Ok(Err(refusals::broken_chain()));
    };
    let opening = &case.opening;
    let from = incoming.envelope.from;
    let honest = case.id() == offer.case
        && case.epoch == offer.epoch
        && case.owner == from
        && opening.collecting.city == from
        && opening.filing == crate::digest(&offer.filing)
        && opening.item.to_string() == incoming.envelope.purpose.item;
    if !honest {
        return Ok(Err(refusals::broken_chain()));
    }
    if opening.deciding.city != env.me() || case.phase != (Phase::Offered { to: env.me() }) {
        return Ok(Err(refusals::not_competent()));
    }
    let rules = env.catalogue.rules(opening.item, env.me());
    let same = |rules: &Arc<crate::ItemRules>| {
        rules.sha256 == offer.definition
            && rules.item.version == offer.item_version
            && rules.sha256 == opening.definition
    };
    if !rules.as_ref().is_some_and(same) {
        return Ok(Err(refusals::other_definition()));
    }
    for licence in opening.licences.iter().filter(|licence| licence.issuer == env.me()) {
        if !(env.is_current)(tx, ctx, person, licence)? {
            return Ok(Err(refusals::licence_changed(&licence.material)));
        }
    }
    Ok(Ok(case))
}

/// The answer to an offer of this city arrives.
fn on_custody(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, incoming: &Incoming) -> Result<()> {
    let custody: Custody = incoming.parse()?;
    same_case(incoming, custody.case)?;
    match custody.answer {
        CustodyAnswer::Accepted { view } => {
            accept_view(tx, ctx, env, incoming.envelope.from, &view).map(drop)
        }
        CustodyAnswer::Refused { reason } => {
            let Some(kept) = keep::head(tx, custody.case)? else { return Ok(()) };
            let offered = kept.case.phase == (Phase::Offered { to: incoming.envelope.from });
            if !offered || kept.case.epoch != custody.epoch {
                return Ok(());
            }
            let by = By::system(incoming.envelope.from);
            let rules = env.rules(&kept.case)?;
            let events =
                decide(&kept.case, &rules, &Command::RefuseCustody { reason }, &by, ctx.now, &env.calendar)?;
            keep::apply(tx, ctx, env, kept, &events, incoming.envelope.id, Tell::Nobody).map(drop)
        }
    }
}

/// Takes over what the owner says, if it is newer and its sender is the owner. False where it is stale.
fn accept_view(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, from: NodeId, view: &ProgressView) -> Result<bool> {
    if view.owner != from {
        return Err(Violation::new("custody", "view", format!("{from} speaks for {}", view.owner)).into());
    }
    if let Some(kept) = keep::head(tx, view.case)? {
        let next = kept.case.epoch + 1 == view.epoch && kept.case.phase == (Phase::Offered { to: from });
        if !next || view.seq <= kept.case.seq || view.query_code != kept.case.opening.query_code {
            return Err(
                Violation::new("custody", "view", format!("epoch {} of {}", view.epoch, view.case)).into()
            );
        }
        keep::give_up(tx, view.case, view.epoch)?;
        return keep::follow(tx, ctx, env, view, kept.person);
    }
    match keep::reference(tx, view.case)? {
        Some((held, person)) if held.owner == from && held.epoch <= view.epoch => {
            keep::follow(tx, ctx, env, view, person)
        }
        Some(_) | None => {
            Err(Violation::new("custody", "view", format!("{} was never handed to {from}", view.case)).into())
        }
    }
}

/// The owner tells where a case stands; what is not newer is ignored, answers to acts count all the same.
fn on_progress(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, incoming: &Incoming) -> Result<()> {
    let progress: Progress = incoming.parse()?;
    same_case(incoming, progress.view.case)?;
    let newer = accept_view(tx, ctx, env, incoming.envelope.from, &progress.view)?;
    for answer in &progress.acts {
        acts::answered(tx, ctx, progress.view.case, answer)?;
    }
    if !newer {
        audit::line(tx, ctx, "case.progress", progress.view.case.as_str(), "stale")?;
    }
    Ok(())
}

/// The collecting city passes on what applicant or window did.
fn on_act(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, incoming: &Incoming) -> Result<()> {
    let act: Act = incoming.parse()?;
    same_case(incoming, act.case)?;
    let Some(kept) = keep::head(tx, act.case)? else {
        // The offer may still be on its way: a fault is tried again, an answered offer is not.
        return match tx.one(&FIND, params![act.case])? {
            Some(_) => Err(refusals::not_found().into()),
            None => Err(Fault::new(format!("waiting for the offer of case {}", act.case)).into()),
        };
    };
    let from = incoming.envelope.from;
    let outside = matches!(act.by.party, crate::Party::Applicant | crate::Party::Window);
    if act.by.city != from || kept.case.opening.collecting.city != from || !outside {
        return Err(Violation::new("custody", "by", format!("{from} may not act so on {}", act.case)).into());
    }
    if subject(tx, env, incoming)? != kept.person {
        return Err(Violation::new(
            "subject",
            "tb-subject",
            format!("another person than that of {}", act.case),
        )
        .into());
    }
    if keep::by_command(tx, act.id)?.is_some() {
        return Ok(());
    }
    acts::run_here(tx, ctx, env, kept, &act).map(drop)
}
