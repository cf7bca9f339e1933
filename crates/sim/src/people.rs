//! The people of a run (模拟办事人): they file, act, send and ask, and press again when nothing came back.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tb_base::{Actor, CaseId, DraftId, Error, LicenceId, MessageId, NodeId, Result, Role};
use tb_case::acts::{self, Acted};
use tb_case::case::{Agreement, Channel, CorrectionLine, Proof};
use tb_case::command::{AnswerLine, Answers, Command, Decision, GroundFacts};
use tb_case::definitions::{DeliveryMode, RatingTarget, Source};
use tb_case::draft::{self, Fetched, NewDraft};
use tb_case::{Party, PhaseKind};
use tb_exchange::{Peers, Purpose};
use tb_store::outbox;

use crate::dice::Dice;
use crate::effects::{self, COUNTED, ECHO};
use crate::region::ITEM;
use crate::storm::Planted;
use crate::world::{DRIVER, World};

/// A message is worth delivering for so long.
const MESSAGE_SECONDS: i64 = 30 * 86_400;

/// What people were told, to be held against what is there in the end.
#[derive(Default)]
pub struct Ledger {
    /// Cases that were handed in: where, and who decides.
    pub cases: Vec<(CaseId, NodeId, NodeId)>,
    /// Acts that a city said it had done or passed on.
    pub acts: Vec<(CaseId, MessageId, NodeId, bool)>,
    /// Messages that a city said it would send.
    pub sent: Vec<(MessageId, NodeId, NodeId)>,
    /// Messages of which nobody knows whether they were taken.
    pub perhaps: Vec<(MessageId, NodeId, NodeId)>,
    /// Questions that were answered.
    pub answered: Vec<(MessageId, NodeId, NodeId)>,
    /// What must never happen, as it happened.
    pub wrongs: Vec<String>,
}

/// The people and their ledger.
pub struct People {
    /// Where they live.
    pub world: Arc<World>,
    ledger: Mutex<Ledger>,
}

impl People {
    /// People of a world.
    pub fn new(world: Arc<World>) -> People {
        People { world, ledger: Mutex::default() }
    }

    /// What they were told.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One applicant: files a case, and everybody concerned does this and that with it.
    pub async fn apply(self: Arc<People>, mut dice: Dice, cities: Vec<NodeId>) {
        let (collecting, deciding) = two(&mut dice, &cities);
        pause(&mut dice, 20).await;
        let Some(case) = self.file(&mut dice, collecting, deciding).await else { return };
        self.ledger().cases.push((case, collecting, deciding));
        for _ in 0..dice.between(6, 16) {
            pause(&mut dice, 20).await;
            self.act(&mut dice, case, collecting, deciding).await;
        }
    }

    /// Presses until there is an answer, or the storm has long been over.
    async fn press<T: Send + 'static>(
        &self,
        dice: &mut Dice,
        node: NodeId,
        actor: Actor,
        work: impl Fn(&mut tb_store::Tx<'_>, &tb_base::Ctx, &tb_case::Env) -> Result<T> + Clone + Send + 'static,
    ) -> Option<Result<T>> {
        for _ in 0..200 {
            match self.world.write(node, actor.clone(), work.clone()).await {
                Some(Err(Error::Fault(_))) | None => pause(dice, 10).await,
                Some(Err(Error::Violation(violation))) => {
                    self.ledger().wrongs.push(format!("{node}: {violation}"));
                    return Some(Err(violation.into()));
                }
                Some(done) => return Some(done),
            }
        }
        None
    }

    async fn file(&self, dice: &mut Dice, collecting: NodeId, deciding: NodeId) -> Option<CaseId> {
        let clerk = self.world.staff(collecting, Role::Window).ok()?;
        let person = self.world.cities[&collecting].person;
        let fill = move |tx: &mut tb_store::Tx<'_>, ctx: &tb_base::Ctx, env: &tb_case::Env| {
            fill(tx, ctx, env, person, deciding)
        };
        let draft = self.press(dice, collecting, clerk.clone(), fill).await?;
        let draft = self.expected("filling a draft", draft)?;
        let id = self.id(collecting);
        let submit = move |tx: &mut tb_store::Tx<'_>, ctx: &tb_base::Ctx, env: &tb_case::Env| {
            tb_case::submit(tx, ctx, env, draft, id)
        };
        let filed = self.press(dice, collecting, clerk, submit).await?;
        self.expected("handing in", filed)
    }

    /// What cannot be refused was not.
    fn expected<T>(&self, what: &str, done: Result<T>) -> Option<T> {
        done.map_err(|error| self.ledger().wrongs.push(format!("{what}: {error}"))).ok()
    }

    fn id(&self, node: NodeId) -> MessageId {
        self.world.ctx(node, Actor::System).id(MessageId::new)
    }

    async fn act(&self, dice: &mut Dice, case: CaseId, collecting: NodeId, deciding: NodeId) {
        let world = &self.world;
        let view = world.read(collecting, move |tx, env| acts::view(tx, env, case)).await;
        // Most do what comes next; some try what they may not.
        let (command, party) = match view {
            Ok(view) if dice.happens(80) => next(dice, view.phase),
            Ok(_) | Err(_) => (command(dice), *dice.choose(&PARTIES)),
        };
        let (node, actor) = match party {
            Party::Applicant if dice.happens(50) => (collecting, Ok(world.driver(collecting))),
            Party::Applicant | Party::System => (deciding, Ok(world.driver(deciding))),
            Party::Window => (collecting, world.staff(collecting, Role::Window)),
            Party::Reviewer => (deciding, world.staff(deciding, Role::Reviewer)),
            Party::Approver => (deciding, world.staff(deciding, Role::Approver)),
        };
        let Ok(actor) = actor else { return };
        let id = self.id(node);
        let act = move |tx: &mut tb_store::Tx<'_>, ctx: &tb_base::Ctx, env: &tb_case::Env| {
            acts::act(tx, ctx, env, case, command.clone(), id)
        };
        if let Some(Ok(acted)) = self.press(dice, node, actor, act).await {
            let is_sent = acted == Acted::Sent;
            self.ledger().acts.push((case, id, node, is_sent));
        }
    }

    /// One who sends messages that take effect by a row, and asks questions in between.
    pub async fn write_and_ask(self: Arc<People>, mut dice: Dice, cities: Vec<NodeId>) {
        for n in 0..dice.between(10, 40) {
            pause(&mut dice, 8).await;
            let (from, to) = two(&mut dice, &cities);
            if dice.happens(50) {
                self.send(&mut dice, from, to).await;
            } else {
                self.ask(from, to, n).await;
            }
        }
    }

    async fn send(&self, dice: &mut Dice, from: NodeId, to: NodeId) {
        let body = serde_json::json!({ "n": 1 });
        let Some(message) = self.compose(from, to, COUNTED, &body) else { return };
        let id = message.envelope.id;
        let send = move |tx: &mut tb_store::Tx<'_>, ctx: &tb_base::Ctx, _: &tb_case::Env| {
            outbox::send(tx, ctx, &message)
        };
        match self.world.write(from, Actor::System, send).await {
            Some(Ok(())) => {
                self.ledger().sent.push((id, from, to));
                if self.world.storm.planted == Some(Planted::LostMail) && dice.happens(30) {
                    let lose = move |tx: &mut tb_store::Tx<'_>, _: &tb_base::Ctx, _: &tb_case::Env| {
                        effects::drop_message(tx, id)
                    };
                    drop(self.world.write(from, Actor::System, lose).await);
                }
            }
            Some(Err(_)) | None => self.ledger().perhaps.push((id, from, to)),
        }
    }

    /// Whatever comes back as an answer must be the answer.
    async fn ask(&self, from: NodeId, to: NodeId, n: u64) {
        let body = serde_json::json!({ "n": n, "of": from, "to": to });
        let Some(message) = self.compose(from, to, ECHO, &body) else { return };
        let Some(life) = self.world.net.life(from) else { return };
        let Some(node) = life.node.get() else { return };
        let (id, ctx) = (message.envelope.id, self.world.ctx(from, Actor::System));
        let peers = node.peers();
        let asked = tokio::select! {
            biased;
            asked = peers.query(ctx, message) => asked,
            () = life.ended() => return,
        };
        let Ok(answer) = asked else { return };
        let said: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
        if answer.from != to || said.as_ref() != Some(&body) {
            self.ledger().wrongs.push(format!("{from} asked {to} and believed what it had not said"));
        }
        self.ledger().answered.push((id, from, to));
    }

    fn compose(
        &self,
        from: NodeId,
        to: NodeId,
        service: &str,
        body: &serde_json::Value,
    ) -> Option<tb_exchange::Outgoing> {
        let ctx = self.world.ctx(from, Actor::System);
        let case: CaseId = ctx.id(CaseId::new);
        let purpose = Purpose { item: ITEM.to_string(), case: Some(case), basis: "case".to_owned() };
        let deadline = ctx.now.plus_seconds(MESSAGE_SECONDS);
        let desk = &self.world.cities[&from].env.desk;
        let composed = desk.compose(&ctx, to, service, purpose, "window", Some(DRIVER), body, deadline);
        self.expected("composing", composed)
    }
}

async fn pause(dice: &mut Dice, seconds_max: u64) {
    tokio::time::sleep(Duration::from_millis(dice.between(50, seconds_max * 1_000))).await;
}

fn two(dice: &mut Dice, cities: &[NodeId]) -> (NodeId, NodeId) {
    let one = *dice.choose(cities);
    let others: Vec<NodeId> = cities.iter().copied().filter(|city| *city != one).collect();
    (one, *dice.choose(&others))
}

/// A complete draft at the window of the collecting city.
fn fill(
    tx: &mut tb_store::Tx<'_>,
    ctx: &tb_base::Ctx,
    env: &tb_case::Env,
    person: tb_base::PersonId,
    deciding: NodeId,
) -> Result<DraftId> {
    let new = NewDraft { item: ITEM, person, channel: Channel::Window, deciding: Some(deciding) };
    let mut held = draft::create(tx, ctx, env, &new)?;
    let pairs = [
        ("reason", "expiring"),
        ("phone", "13807314627"),
        ("delivery", "collecting_window"),
        ("truth", "yes"),
    ];
    let answers = pairs.iter().map(|(id, answer)| ((*id).to_owned(), (*answer).to_owned())).collect();
    held = draft::save(tx, ctx, env, held.id, held.version, &answers)?;
    let rules = env.catalogue.rules(ITEM, deciding);
    let rules = rules.ok_or_else(|| tb_base::Fault::new("looking for the rules of the item"))?;
    for material in &rules.materials {
        let Source::Licence { licence, .. } = &material.source else { continue };
        let fetched = Fetched {
            material: material.id.clone(),
            kind: licence.clone(),
            licence: ctx.id(LicenceId::new),
            version: 1,
            digest: "00".repeat(32),
            issuer: deciding,
            consent: "01kq3zt0000000000000000001".into(),
            values: [("name".to_owned(), "贺志强".to_owned())].into(),
            at: ctx.now,
        };
        held = draft::attach_fetched(tx, ctx, env, held.id, held.version, &fetched)?;
    }
    let checks: BTreeSet<String> = rules.checks.iter().map(|check| check.id.clone()).collect();
    held = draft::check(tx, ctx, env, held.id, held.version, &checks)?;
    Ok(held.id)
}

const PARTIES: [Party; 4] = [Party::Applicant, Party::Window, Party::Reviewer, Party::Approver];

/// What usually comes next, and who does it.
fn next(dice: &mut Dice, phase: PhaseKind) -> (Command, Party) {
    let proof = Proof { mode: DeliveryMode::CollectingWindow, reference: "签收 0001".into() };
    let opine = Command::Opine { agrees: Agreement::Approve, text: "符合条件".into() };
    match phase {
        PhaseKind::Received => (Command::Accept, Party::Reviewer),
        PhaseKind::Accepted if dice.happens(50) => (opine, Party::Reviewer),
        PhaseKind::Accepted => (Command::Decide { decision: Decision::Approve }, Party::Approver),
        PhaseKind::Decided => (Command::IssueResult { result: None }, Party::Reviewer),
        PhaseKind::Delivering => (Command::Deliver { proof }, Party::Window),
        PhaseKind::Correcting => (answer(), Party::Applicant),
        PhaseKind::Delivered | PhaseKind::Closed => {
            (Command::Rate { target: RatingTarget::Window, grade: 5, text: String::new() }, Party::Applicant)
        }
        _ => (command(dice), *dice.choose(&PARTIES)),
    }
}

fn answer() -> Command {
    let answer = AnswerLine { about: "changed-what".into(), text: "照片".into() };
    Command::AnswerCorrection { answers: Answers { salt: String::new(), lines: vec![answer] } }
}

fn command(dice: &mut Dice) -> Command {
    let correction = CorrectionLine {
        about: "changed-what".into(),
        what: "没有写清".into(),
        article: "行政许可法第三十二条".into(),
    };
    let facts = GroundFacts { ground: "conditions-not-met".into(), facts: "原证已被撤销".into() };
    let rate = |target| Command::Rate { target, grade: 5, text: String::new() };
    let proof = Proof { mode: DeliveryMode::CollectingWindow, reference: "签收 0001".into() };
    match dice.between(0, 22) {
        0 => Command::AskCorrection { lines: vec![correction] },
        1 | 2 => answer(),
        3..7 => Command::Accept,
        7..10 => Command::Opine { agrees: Agreement::Approve, text: "符合条件".into() },
        10..14 => Command::Decide { decision: Decision::Approve },
        14 => Command::Decide { decision: Decision::Refuse { grounds: vec![facts] } },
        15 | 16 => Command::IssueResult { result: None },
        17 => Command::Deliver { proof },
        18 => Command::Extend { reason: "需要核实".into() },
        19 => rate(RatingTarget::Window),
        20 => rate(RatingTarget::Department),
        _ => Command::Withdraw,
    }
}
