//! Progress (办理进度): the same view in both cities, made by the owner from its case, shown by the other as it came.
//!
//! Invariant: everything that a page says about a case follows from this value; dates are explained day by day
//! from the inputs that it carries, so both cities give the same reasons.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tb_base::{CaseId, Date, NodeId, Timestamp};

use crate::case::{
    By, Case, CaseClock, Channel, ClockKind, Correction, IssuedResult, Note, Outcome, Party, Phase,
    PhaseKind, Proof, Rating, Reason, RemedyText,
};
use crate::command::CommandKind;
use crate::decide::permits;
use crate::definitions::{DeliveryMode, ItemRules, Side, StageId};
use crate::text::{Place, Text};

/// Where a case stands, for everybody who may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgressView {
    /// The case.
    pub case: CaseId,
    /// What a person may ask by (查询码).
    pub query_code: String,
    /// The item.
    pub item: u16,
    /// Its name.
    pub item_name: Text,
    /// The version of its definition.
    pub item_version: u32,
    /// Where it stands.
    pub phase: PhaseKind,
    /// The same in words.
    pub phase_name: Text,
    /// How often custody was accepted, plus one.
    pub epoch: u32,
    /// Number of its events.
    pub seq: u32,
    /// Hash of its last event, lower-case hex.
    pub head_hash: String,
    /// By which way it was handed in.
    pub channel: Channel,
    /// Where it was collected (收件地).
    pub collecting: Place,
    /// Where it is decided (办理地).
    pub deciding: Place,
    /// In whose hands it is.
    pub holder: Holder,
    /// The node that owns it.
    pub owner: NodeId,
    /// When it was handed in.
    pub collected: Timestamp,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// Its clocks.
    pub clocks: Vec<ClockView>,
    /// The correction that is asked for now, or was answered last.
    pub correction: Option<Correction>,
    /// What was decided.
    pub outcome: Option<Outcome>,
    /// Why it was not accepted or was returned.
    pub reason: Option<Reason>,
    /// What the person can do against a refusal or non-acceptance.
    pub remedies: Vec<RemedyText>,
    /// What the applicant was told beside the decisions: extension, special procedure.
    pub notes: Vec<Note>,
    /// What was issued.
    pub result: Option<IssuedResult>,
    /// How it is handed over.
    pub delivery: DeliveryMode,
    /// Proof of delivery.
    pub proof: Option<Proof>,
    /// Ratings, each target apart.
    pub ratings: Vec<Rating>,
    /// Who is waited for.
    pub waiting: Option<Waiting>,
    /// What applicant and collecting window may do now; staff of the deciding office ask the owner.
    pub may: BTreeMap<Party, Vec<CommandKind>>,
}

/// In whose hands a case is (现在在谁手里).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// The place.
    pub place: Place,
    /// Since when.
    pub since: Timestamp,
}

/// Whether a step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Done.
    Done,
    /// It waits for this one.
    Now,
    /// Still to come.
    Next,
}

/// A step of the way (环节).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Which: a stage, or `correction`, or the name of the phase that ended the case.
    pub key: String,
    /// In words.
    pub text: Text,
    /// Where.
    pub place: Place,
    /// When it was done.
    pub at: Option<Timestamp>,
    /// Until when it is to be done.
    pub until: Option<Date>,
    /// Whether it is done.
    pub state: StepState,
}

/// A clock of the view: the clock of the case itself, nothing of it is kept from the other city.
pub type ClockView = CaseClock;

/// Who is waited for, since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// For whom and what.
    pub text: Text,
    /// Since when.
    pub since: Timestamp,
}

impl ProgressView {
    /// The clock of a kind.
    pub fn clock(&self, kind: ClockKind) -> Option<&ClockView> {
        self.clocks.iter().find(|clock| clock.kind == kind)
    }

    /// When it was decided, if it was.
    pub fn decided(&self) -> Option<Timestamp> {
        let key = crate::word(&StageId::Decide);
        self.steps.iter().find(|step| step.key == key).and_then(|step| step.at)
    }

    /// The date that the person is told (最晚办完): the promise while it runs, else delivery or the applicant's limit.
    pub fn due(&self) -> Option<&ClockView> {
        let order = match self.phase {
            PhaseKind::Offered | PhaseKind::Received | PhaseKind::Accepted => {
                [ClockKind::Promised, ClockKind::Legal]
            }
            PhaseKind::Correcting => [ClockKind::Answer, ClockKind::Answer],
            PhaseKind::Decided | PhaseKind::Delivering => [ClockKind::Delivery, ClockKind::Delivery],
            PhaseKind::Delivered
            | PhaseKind::Closed
            | PhaseKind::Withdrawn
            | PhaseKind::Declined
            | PhaseKind::Lapsed
            | PhaseKind::Returned => return None,
        };
        let running = |kind| self.clock(kind).filter(|clock| clock.stopped.is_none());
        order.into_iter().find_map(running)
    }
}

/// The view of a case; `head_hash` is the hash of its last event.
pub fn progress(case: &Case, rules: &ItemRules, head_hash: &str) -> ProgressView {
    let opening = &case.opening;
    let asked = match &case.phase {
        Phase::Correcting { asked } => Some(asked),
        Phase::Offered { .. }
        | Phase::Received
        | Phase::Accepted { .. }
        | Phase::Decided { .. }
        | Phase::Delivering { .. }
        | Phase::Delivered { .. }
        | Phase::Closed { .. }
        | Phase::Withdrawn
        | Phase::Declined { .. }
        | Phase::Lapsed
        | Phase::Returned { .. } => None,
    };
    let (reason, proof) = match &case.phase {
        Phase::Declined { reason, .. } | Phase::Returned { reason } => (Some(reason.clone()), None),
        Phase::Delivered { end } | Phase::Closed { end } => (None, Some(end.proof.clone())),
        Phase::Offered { .. }
        | Phase::Received
        | Phase::Correcting { .. }
        | Phase::Accepted { .. }
        | Phase::Decided { .. }
        | Phase::Delivering { .. }
        | Phase::Withdrawn
        | Phase::Lapsed => (None, None),
    };
    ProgressView {
        case: case.id(),
        query_code: opening.query_code.clone(),
        item: opening.item,
        item_name: rules.item.title.clone(),
        item_version: opening.item_version,
        phase: case.phase.kind(),
        phase_name: case.phase.kind().name(),
        epoch: case.epoch,
        seq: case.seq,
        head_hash: head_hash.to_owned(),
        channel: opening.channel,
        collecting: opening.collecting.clone(),
        deciding: opening.deciding.clone(),
        holder: Holder { place: case.holder().clone(), since: case.since },
        owner: case.owner,
        collected: case.collected,
        steps: steps(case, rules),
        clocks: case.clocks.clone(),
        correction: asked.or(case.corrections.last()).cloned(),
        outcome: case.outcome().cloned(),
        reason,
        remedies: remedies(case),
        notes: case.notes.clone(),
        result: case.result().cloned(),
        delivery: opening.delivery,
        proof,
        ratings: case.ratings.clone(),
        waiting: waiting(case),
        may: may(case, rules),
    }
}

fn remedies(case: &Case) -> Vec<RemedyText> {
    match (&case.phase, case.outcome()) {
        (Phase::Declined { remedies, .. }, _) | (_, Some(Outcome::Refused { remedies, .. })) => {
            remedies.clone()
        }
        (_, Some(Outcome::Approved) | None) => Vec::new(),
    }
}

/// What the parties outside of the deciding office may do, wherever they sit.
fn may(case: &Case, rules: &ItemRules) -> BTreeMap<Party, Vec<CommandKind>> {
    let collecting = &case.opening.collecting;
    let of = |party: Party| {
        let by =
            By { party, name: String::new(), city: collecting.city, office: Some(collecting.office.clone()) };
        let kinds =
            crate::command::COMMANDS.into_iter().filter(|kind| permits(case, rules, *kind, &by).is_ok());
        (party, kinds.collect())
    };
    [of(Party::Applicant), of(Party::Window)].into()
}

/// Which stage the case waits at, if it waits.
fn current(case: &Case) -> Option<StageId> {
    match &case.phase {
        Phase::Offered { .. } => Some(StageId::HandOver),
        Phase::Received => Some(StageId::Accept),
        Phase::Accepted { opinion: None, .. } => Some(StageId::Examine),
        Phase::Accepted { opinion: Some(_), .. } => Some(StageId::Decide),
        Phase::Decided { outcome: Outcome::Approved } => Some(StageId::Issue),
        Phase::Decided { outcome: Outcome::Refused { .. } } | Phase::Delivering { .. } => {
            Some(StageId::Deliver)
        }
        Phase::Correcting { .. }
        | Phase::Delivered { .. }
        | Phase::Closed { .. }
        | Phase::Withdrawn
        | Phase::Declined { .. }
        | Phase::Lapsed
        | Phase::Returned { .. } => None,
    }
}

fn steps(case: &Case, rules: &ItemRules) -> Vec<Step> {
    let refused = matches!(case.outcome(), Some(Outcome::Refused { .. }));
    let kind = case.phase.kind();
    let cut_short = kind.is_over() && !matches!(kind, PhaseKind::Delivered | PhaseKind::Closed);
    let now = current(case);
    let mut steps = Vec::new();
    for stage in &rules.stages {
        let skipped =
            (stage.id == StageId::HandOver && !case.is_remote()) || (stage.id == StageId::Issue && refused);
        if stage.id == StageId::Accept {
            steps.extend(corrections(case));
        }
        let at = case.done.get(&stage.id).copied().filter(|_| now != Some(stage.id));
        if skipped || (cut_short && at.is_none()) {
            continue;
        }
        let state = match (at, now) {
            (Some(_), _) => StepState::Done,
            (None, Some(here)) if here == stage.id => StepState::Now,
            (None, Some(_) | None) => StepState::Next,
        };
        let at_window = case.opening.delivery == DeliveryMode::CollectingWindow && !refused;
        let collecting = stage.at == Side::Collecting && (stage.id != StageId::Deliver || at_window);
        let place = if collecting { &case.opening.collecting } else { &case.opening.deciding };
        steps.push(Step {
            key: crate::word(&stage.id),
            text: stage.text.clone(),
            place: place.clone(),
            at,
            until: if at.is_none() { until(case, stage.id) } else { None },
            state,
        });
    }
    if cut_short {
        steps.push(Step {
            key: crate::word(&kind),
            text: kind.name(),
            place: case.holder().clone(),
            at: Some(case.since),
            until: None,
            state: StepState::Done,
        });
    }
    steps
}

/// The step of each correction: asked, and answered or not.
fn corrections(case: &Case) -> Vec<Step> {
    let step = |correction: &Correction, state| Step {
        key: "correction".to_owned(),
        text: Text::new("一次性补正", "Correction, asked once"),
        place: case.opening.deciding.clone(),
        at: correction.answered,
        until: if correction.answered.is_none() {
            case.clock(ClockKind::Answer).map(|clock| clock.due)
        } else {
            None
        },
        state,
    };
    let mut steps: Vec<Step> = case.corrections.iter().map(|it| step(it, StepState::Done)).collect();
    if let Phase::Correcting { asked } = &case.phase {
        steps.push(step(asked, StepState::Now));
    }
    steps
}

/// Until when a stage is to be done. While a correction is asked for nobody knows: its answer starts the limits anew.
fn until(case: &Case, stage: StageId) -> Option<Date> {
    if case.phase.kind() == PhaseKind::Correcting {
        return None;
    }
    let kinds: &[ClockKind] = match stage {
        StageId::Collect => &[],
        StageId::HandOver => &[ClockKind::HandOver],
        StageId::Accept => &[ClockKind::Acceptance],
        StageId::Examine | StageId::Decide => &[ClockKind::Promised, ClockKind::Legal],
        StageId::Issue | StageId::Deliver => &[ClockKind::Delivery],
    };
    kinds.iter().find_map(|kind| case.clock(*kind)).map(|clock| clock.due)
}

fn waiting(case: &Case) -> Option<Waiting> {
    let (collecting, deciding) = (&case.opening.collecting.name, &case.opening.deciding.name);
    let text = match &case.phase {
        Phase::Offered { .. } => Text::new(
            format!("等待{}接管", deciding.zh),
            format!("Waiting for {} to take custody", deciding.en),
        ),
        Phase::Received => Text::new(
            format!("等待{}受理或一次告知补正", deciding.zh),
            format!("Waiting for {} to accept, or to ask once for corrections", deciding.en),
        ),
        Phase::Correcting { .. } => Text::new("等待申请人补正", "Waiting for the applicant's correction"),
        Phase::Accepted { paused: Some(pause), .. } => {
            let name = pause.kind.name();
            Text::new(
                format!("{}进行中，期限暂停", name.zh),
                format!("{} under way; the clock stands still", name.en),
            )
        }
        Phase::Accepted { opinion: None, .. } => {
            Text::new(format!("等待{}审查", deciding.zh), format!("Waiting for {} to examine", deciding.en))
        }
        Phase::Accepted { opinion: Some(_), .. } => {
            Text::new(format!("等待{}决定", deciding.zh), format!("Waiting for {} to decide", deciding.en))
        }
        Phase::Decided { outcome: Outcome::Approved } => Text::new(
            format!("等待{}制证", deciding.zh),
            format!("Waiting for {} to issue the certificate", deciding.en),
        ),
        Phase::Decided { outcome: Outcome::Refused { .. } } => Text::new(
            format!("等待{}送达决定书", deciding.zh),
            format!("Waiting for {} to serve the decision", deciding.en),
        ),
        Phase::Delivering { .. } if case.opening.delivery == DeliveryMode::CollectingWindow => Text::new(
            format!("请到{}领取", collecting.zh),
            format!("Ready to be collected at {}", collecting.en),
        ),
        Phase::Delivering { .. } => {
            Text::new(format!("等待{}寄出", deciding.zh), format!("Waiting for {} to send it", deciding.en))
        }
        Phase::Delivered { .. }
        | Phase::Closed { .. }
        | Phase::Withdrawn
        | Phase::Declined { .. }
        | Phase::Lapsed
        | Phase::Returned { .. } => return None,
    };
    Some(Waiting { text, since: case.since })
}
