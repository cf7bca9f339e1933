//! What people and officers do while a demo is planted (预置动作), each by the act that their page would call.

use std::collections::BTreeMap;

use t02_services::filing::{self, Agreed, Filled};
use tb_base::{Actor, CaseId, Fault, MessageId, NodeId, Result, StaffId};
use tb_case::acts;
use tb_case::case::{Agreement, Channel, CorrectionLine, Proof};
use tb_case::command::{AnswerLine, Answers, Command, Decision, GroundFacts};
use tb_case::definitions::{DeliveryMode, RatingTarget};
use tb_case::draft::NewDraft;
use tb_counter::ticket::{self, NewTicket, Purpose};
use tb_enquiry::acts::{self as asking, NewEnquiry};
use tb_enquiry::enquiry::{About, Asker};
use tb_store::Tx;

use super::plan::{Planned, Step, Way};
use super::{Ground, Planting, applicant};
use crate::journey::steps::SIGNATURE;

/// 道路运输驾驶员从业资格证换发.
const ITEM: u16 = 121;
/// Where somebody waits for a city that was silent, and that city.
const WAITS: (&str, &str) = ("430100", "430300");
/// Who asks back, where, and whom.
const ASKS: (&str, &str, &str) = ("唐雨晴", "430200", "430300");
/// What the numbers at the door are for.
const NUMBERS: [Purpose; 5] = [Purpose::Apply, Purpose::Fetch, Purpose::Apply, Purpose::GoOn, Purpose::Ask];

impl Planting {
    /// Does one step of a case.
    pub(super) async fn step(&self, planned: &Planned, case: &mut Option<CaseId>, step: Step) -> Result<()> {
        if step == Step::File {
            *case = Some(self.file(planned).await?);
            return Ok(());
        }
        let Some(case) = *case else { return Err(Fault::new("planting: nothing was filed").into()) };
        let there = self.ground(planned.deciding)?;
        let here = self.ground(planned.collecting)?;
        let (reviewer, approver) = (there.staff("reviewer1"), there.staff("approver1"));
        match step {
            Step::File => Ok(()),
            Step::Ask => act(there, reviewer, case, vec![ask()]).await,
            Step::Accept => act(there, reviewer, case, vec![Command::Accept]).await,
            Step::Decline => act(there, reviewer, case, vec![decline()]).await,
            Step::Favour => act(there, reviewer, case, vec![opine(Agreement::Approve)]).await,
            Step::Oppose => act(there, reviewer, case, vec![opine(Agreement::Refuse)]).await,
            Step::Grant => {
                let decision = Command::Decide { decision: Decision::Approve };
                act(there, approver, case, vec![decision, Command::IssueResult { result: None }]).await
            }
            Step::Refuse => act(there, approver, case, vec![refuse()]).await,
            Step::Answer => act(here, applicant(planned), case, vec![answer(planned)]).await,
            Step::Withdraw => act(here, applicant(planned), case, vec![Command::Withdraw]).await,
            Step::Deliver => act(here, here.staff("window1"), case, vec![deliver()]).await,
            Step::Rate(grade) => {
                let commands = [RatingTarget::Window, RatingTarget::Department];
                let rate = |target| Command::Rate { target, grade, text: String::new() };
                act(here, applicant(planned), case, commands.map(rate).to_vec()).await
            }
        }
    }

    async fn file(&self, planned: &Planned) -> Result<CaseId> {
        let filled = self.fill(planned).await?;
        if !filled.is_complete {
            return Err(Fault::new("planting: a city did not give its papers").into());
        }
        let ground = self.ground(planned.collecting)?;
        let ctx = ground.ctx(self.filer(planned)?);
        filing::submit(ground.city.app(), &ctx, &ground.services, filled.draft).await
    }

    async fn fill(&self, planned: &Planned) -> Result<Filled> {
        let ground = self.ground(planned.collecting)?;
        let ctx = ground.ctx(self.filer(planned)?);
        let (channel, agreed) = match planned.way {
            Way::Online => (Channel::Online, Agreed::InApp),
            Way::Counter => (Channel::Window, Agreed::Signed(SIGNATURE.to_owned())),
        };
        let new =
            NewDraft { item: ITEM, person: planned.person.id, channel, deciding: Some(planned.deciding) };
        filing::fill(ground.city.app(), &ctx, &ground.services, new, answers(planned), agreed).await
    }

    /// What happens shortly before the demo opens, beside the cases: somebody waits for a city that was silent, numbers
    /// are taken at the doors, somebody asks back.
    pub(super) async fn today(&self) -> Result<()> {
        self.wait_for_silent().await?;
        for ground in self.grounds.values() {
            numbers(ground).await?;
        }
        self.ask_back().await
    }

    /// The line comes back at once; the draft at the counter stays as it was then, to be gone on with.
    async fn wait_for_silent(&self) -> Result<()> {
        let (here, silent) = (node(WAITS.0)?, node(WAITS.1)?);
        let crosses = |it: &&Planned| it.collecting == here && it.deciding == silent;
        let Some(planned) = self.planned.iter().rev().find(crosses) else { return Ok(()) };
        let engine = self.ground(silent)?.city.engine();
        engine.set_offline(true);
        let planned = Planned { way: Way::Counter, ..planned.clone() };
        let filled = self.fill(&planned).await;
        engine.set_offline(false);
        match filled?.is_complete {
            true => Err(Fault::new("planting: a city that was off the network gave papers").into()),
            false => Ok(()),
        }
    }

    async fn ask_back(&self) -> Result<()> {
        let (name, here, to) = ASKS;
        let (here, to) = (node(here)?, node(to)?);
        let Some(planned) = self.planned.iter().find(|it| it.person.name == name) else { return Ok(()) };
        let ground = self.ground(here)?;
        let (ctx, env) = (ground.ctx(applicant(planned)), ground.city.parts.enquiry.clone());
        let new = NewEnquiry {
            id: ctx.id(MessageId::new),
            about: About::Anything {},
            asker: Asker::Person(planned.person.id),
            to,
            office: None,
            text: "电话里说换证要先交单位证明，指南上没有这一条，到底要不要？".parse()?,
        };
        let ask = move |tx: &mut Tx<'_>| asking::ask(tx, &ctx, &env, new.clone()).map(drop);
        ground.city.store.write("demo.plant.ask", ask).await
    }
}

fn node(code: &str) -> Result<NodeId> {
    Ok(code.parse()?)
}

/// Numbers at the door of a hall, the first of them called.
async fn numbers(ground: &Ground) -> Result<()> {
    let clerk = ground.staff("window1");
    let Actor::Staff { staff, office, .. } = clerk.clone() else { return Ok(()) };
    let ctx = ground.ctx(clerk);
    let take = move |tx: &mut Tx<'_>| {
        for purpose in NUMBERS {
            let item = (purpose == Purpose::Apply).then_some(ITEM);
            ticket::take(tx, &ctx, &office, &NewTicket { purpose, item, city: None })?;
        }
        let nobody: Option<MessageId> = None;
        let clerk: StaffId = staff;
        ticket::next(tx, &ctx, &office, clerk, nobody).map(drop)
    };
    ground.city.store.write("demo.plant.numbers", take).await
}

/// Gives commands to a case, one after the other, in one transaction; an officer opens the file first.
async fn act(ground: &Ground, actor: Actor, case: CaseId, commands: Vec<Command>) -> Result<()> {
    let (ctx, env) = (ground.ctx(actor), ground.city.parts.env.clone());
    let opens = matches!(&ctx.actor, Actor::Staff { role, .. } if *role != tb_base::Role::Window);
    let work = move |tx: &mut Tx<'_>| {
        if opens {
            acts::open_file(tx, &ctx, &env, case)?;
        }
        for command in &commands {
            acts::act(tx, &ctx, &env, case, command.clone(), ctx.id(MessageId::new))?;
        }
        Ok(())
    };
    ground.city.store.write("demo.plant.act", work).await
}

/// What stands in the form.
fn answers(planned: &Planned) -> BTreeMap<String, String> {
    let reason = if planned.person.number.is_male() { "expiring" } else { "damaged" };
    let phone = planned.person.phone.clone().unwrap_or_default();
    [("reason", reason), ("phone", &phone), ("delivery", "collecting_window"), ("truth", "yes")]
        .into_iter()
        .filter(|(_, answer)| !answer.is_empty())
        .map(|(question, answer)| (question.to_owned(), answer.to_owned()))
        .collect()
}

fn ask() -> Command {
    let line = CorrectionLine {
        about: "phone".to_owned(),
        what: "所留手机号停机，请改成能打通的号码，或写明没有手机".to_owned(),
        article: "行政许可法第三十二条第一款第四项".to_owned(),
    };
    Command::AskCorrection { lines: vec![line] }
}

fn answer(planned: &Planned) -> Command {
    let text = planned.person.phone.clone().unwrap_or_else(|| "没有手机，请通知窗口".to_owned());
    let lines = vec![AnswerLine { about: "phone".to_owned(), text }];
    Command::AnswerCorrection { answers: Answers { salt: String::new(), lines } }
}

fn decline() -> Command {
    Command::Decline {
        ground: "other-authority".to_owned(),
        facts: "原证由省外机关签发，应向签发机关提出".to_owned(),
    }
}

fn opine(agrees: Agreement) -> Command {
    let text = match agrees {
        Agreement::Approve => "原证有效，诚信考核和继续教育学时已核对，建议准予换发",
        Agreement::Refuse => "继续教育学时不足，建议不予换发",
    };
    Command::Opine { agrees, text: text.to_owned() }
}

fn refuse() -> Command {
    let grounds = vec![GroundFacts {
        ground: "conditions-not-met".to_owned(),
        facts: "继续教育学时未完成".to_owned(),
    }];
    Command::Decide { decision: Decision::Refuse { grounds } }
}

fn deliver() -> Command {
    Command::Deliver {
        proof: Proof { mode: DeliveryMode::CollectingWindow, reference: "本人签收".to_owned() },
    }
}
