//! A case (办件) as a value: where it stands, what it carries, what may still happen.
//! Serves clauses 2.1 to 2.5.
//!
//! Invariants: what a phase has, its variant carries; exactly one node owns a case, the one of the highest
//! accepted epoch; a case ends under the definition that it was filed under.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tb_base::{Calendar, CaseId, Date, Deadline, DeadlineInput, Due, LicenceId, NodeId, OfficeId, Timestamp};

use crate::definitions::{DeliveryMode, PauseKind, RatingTarget, StageId};
use crate::text::{Place, Text};

/// Where a case stands (办件状态).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case", deny_unknown_fields)]
pub enum Phase {
    /// Offered to the deciding city, which has not yet accepted custody (移交中).
    Offered {
        /// To which city.
        to: NodeId,
    },
    /// Handed in and complete, not yet accepted (收件).
    Received,
    /// The applicant answers a one-time notice (补正).
    Correcting {
        /// What was asked.
        asked: Correction,
    },
    /// Accepted (受理): the legal clock runs, less the union of its pauses.
    Accepted {
        /// Whether by silence (视为受理).
        deemed: bool,
        /// What the reviewer found.
        opinion: Option<Opinion>,
        /// The special procedure that is under way (特别程序).
        paused: Option<Pause>,
    },
    /// Decided (决定), the result not yet ready or not yet handed over.
    Decided {
        /// Which way.
        outcome: Outcome,
    },
    /// The result is ready and on its way (送达中).
    Delivering {
        /// Which way it was decided.
        outcome: Outcome,
        /// What was issued.
        result: IssuedResult,
    },
    /// In the hands of the person (已送达).
    Delivered {
        /// How the case ended.
        end: End,
    },
    /// Closed and filed (办结归档).
    Closed {
        /// How the case ended.
        end: End,
    },
    /// Taken back by the applicant (撤回).
    Withdrawn,
    /// Not accepted (不予受理).
    Declined {
        /// Why.
        reason: Reason,
        /// What the person can do against it.
        remedies: Vec<RemedyText>,
    },
    /// Not corrected in time (逾期未补正).
    Lapsed,
    /// The deciding city refused custody (退回).
    Returned {
        /// Why.
        reason: Reason,
    },
}

/// A phase without what it carries: for tables, columns and filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is documented at Phase")]
pub enum PhaseKind {
    Offered,
    Received,
    Correcting,
    Accepted,
    Decided,
    Delivering,
    Delivered,
    Closed,
    Withdrawn,
    Declined,
    Lapsed,
    Returned,
}

/// Every phase in the order of the machine.
pub const PHASES: [PhaseKind; 12] = [
    PhaseKind::Offered,
    PhaseKind::Received,
    PhaseKind::Correcting,
    PhaseKind::Accepted,
    PhaseKind::Decided,
    PhaseKind::Delivering,
    PhaseKind::Delivered,
    PhaseKind::Closed,
    PhaseKind::Withdrawn,
    PhaseKind::Declined,
    PhaseKind::Lapsed,
    PhaseKind::Returned,
];

impl PhaseKind {
    /// The kind of its mark on pages: who has to act, and whether it is over.
    pub fn tag(self) -> &'static str {
        match self {
            PhaseKind::Offered | PhaseKind::Received | PhaseKind::Accepted | PhaseKind::Decided => "now",
            PhaseKind::Correcting | PhaseKind::Delivering => "wait",
            PhaseKind::Delivered | PhaseKind::Closed => "done",
            PhaseKind::Withdrawn => "plain",
            PhaseKind::Declined | PhaseKind::Lapsed | PhaseKind::Returned => "stop",
        }
    }

    /// Its name in both languages.
    pub fn name(self) -> Text {
        match self {
            PhaseKind::Offered => Text::new("移交中", "Being handed over"),
            PhaseKind::Received => Text::new("已收件", "Received"),
            PhaseKind::Correcting => Text::new("待补正", "Correction asked"),
            PhaseKind::Accepted => Text::new("已受理，审查中", "Accepted, under examination"),
            PhaseKind::Decided => Text::new("已决定", "Decided"),
            PhaseKind::Delivering => Text::new("待送达", "Ready for delivery"),
            PhaseKind::Delivered => Text::new("已送达", "Delivered"),
            PhaseKind::Closed => Text::new("已办结", "Closed"),
            PhaseKind::Withdrawn => Text::new("已撤回", "Withdrawn"),
            PhaseKind::Declined => Text::new("不予受理", "Not accepted"),
            PhaseKind::Lapsed => Text::new("逾期未补正", "Lapsed: not corrected in time"),
            PhaseKind::Returned => Text::new("已退回", "Returned by the deciding city"),
        }
    }

    /// Whether nothing but rating can follow.
    pub fn is_over(self) -> bool {
        match self {
            PhaseKind::Delivered
            | PhaseKind::Closed
            | PhaseKind::Withdrawn
            | PhaseKind::Declined
            | PhaseKind::Lapsed
            | PhaseKind::Returned => true,
            PhaseKind::Offered
            | PhaseKind::Received
            | PhaseKind::Correcting
            | PhaseKind::Accepted
            | PhaseKind::Decided
            | PhaseKind::Delivering => false,
        }
    }
}

impl Phase {
    /// Which phase it is.
    pub fn kind(&self) -> PhaseKind {
        match self {
            Phase::Offered { .. } => PhaseKind::Offered,
            Phase::Received => PhaseKind::Received,
            Phase::Correcting { .. } => PhaseKind::Correcting,
            Phase::Accepted { .. } => PhaseKind::Accepted,
            Phase::Decided { .. } => PhaseKind::Decided,
            Phase::Delivering { .. } => PhaseKind::Delivering,
            Phase::Delivered { .. } => PhaseKind::Delivered,
            Phase::Closed { .. } => PhaseKind::Closed,
            Phase::Withdrawn => PhaseKind::Withdrawn,
            Phase::Declined { .. } => PhaseKind::Declined,
            Phase::Lapsed => PhaseKind::Lapsed,
            Phase::Returned { .. } => PhaseKind::Returned,
        }
    }
}

/// What came out (办理结果).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// Granted (准予).
    Approved,
    /// Not granted (不予), with reasons and the ways to contest it.
    Refused {
        /// Why, at least one.
        reasons: Vec<Reason>,
        /// What the person can do against it (救济途径).
        remedies: Vec<RemedyText>,
    },
}

/// A ground as it is told to the person: words and article.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The ground of the definition, or the code of a refusal.
    pub ground: String,
    /// What it says.
    pub text: Text,
    /// Law and article.
    pub article: String,
    /// The facts of this case, in the words of the officer; Chinese, may be empty.
    pub facts: String,
}

/// A way to contest a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemedyText {
    /// What can be done, until when.
    pub text: Text,
    /// Law and article.
    pub basis: String,
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Which way it was decided.
    pub outcome: Outcome,
    /// What was issued.
    pub result: Option<IssuedResult>,
    /// How it was handed over.
    pub proof: Proof,
}

/// What was issued (办理结果证照).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuedResult {
    /// The licence.
    pub licence: LicenceId,
    /// The version that is in force since.
    pub version: u32,
}

/// Proof of delivery (送达凭证).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// How it was handed over.
    pub mode: DeliveryMode,
    /// Waybill, or digest of the signature; no personal data.
    pub reference: String,
}

/// A correction notice (补正告知), told once and complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Everything that has to be corrected.
    pub lines: Vec<CorrectionLine>,
    /// When it was asked.
    pub asked: Timestamp,
    /// When it was answered.
    pub answered: Option<Timestamp>,
}

/// One line of a correction notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectionLine {
    /// The question or the material.
    pub about: String,
    /// What is wrong and what is expected.
    pub what: String,
    /// Law and article.
    pub article: String,
}

/// What the reviewer found (审查意见).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opinion {
    /// Who, as an opaque name.
    pub by: String,
    /// What is proposed.
    pub agrees: Agreement,
    /// Why.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// What a reviewer proposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// To grant.
    Approve,
    /// To refuse.
    Refuse,
}

/// A special procedure (特别程序): its time does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// Which.
    pub kind: PauseKind,
    /// Why and how long it will take, as told to the applicant.
    pub notice: String,
    /// How many days were estimated.
    pub estimate_days: u32,
    /// Since when.
    pub since: Timestamp,
}

/// A rating (好差评).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rating {
    /// Who was rated.
    pub target: RatingTarget,
    /// 5 is best.
    pub grade: u8,
    /// In words; may be empty.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// A licence that stands in for a paper (免提交证照): named, never copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenceRef {
    /// The material that it serves.
    pub material: String,
    /// The type.
    pub kind: String,
    /// The licence.
    pub licence: LicenceId,
    /// The version that was fetched.
    pub version: u32,
    /// The digest of the fetched record, as its issuer gave it.
    pub digest: String,
    /// The city that issued it.
    pub issuer: NodeId,
    /// The consent receipt under which it was fetched.
    pub consent: String,
}

/// By which way the case was handed in (渠道).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// On a city's site.
    Online,
    /// At a cross-city window.
    Window,
}

/// Which limit a clock watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// Handing over (移交).
    HandOver,
    /// Accepting or asking (受理).
    Acceptance,
    /// The applicant's answer (补正).
    Answer,
    /// By law (法定).
    Legal,
    /// Promised (承诺).
    Promised,
    /// Delivering (送达).
    Delivery,
}

/// A clock of a case with everything that explains its date (时限).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseClock {
    /// Which limit.
    pub kind: ClockKind,
    /// What it limits.
    pub text: Text,
    /// What the date is computed from; the same input gives the same date in every city.
    pub input: DeadlineInput,
    /// The last day.
    pub due: Date,
    /// The end of the last day.
    pub due_at: Timestamp,
    /// Whether the holidays of that year are not yet announced (待公布).
    pub provisional: bool,
    /// The version of the calendar.
    pub calendar: String,
    /// Law and article.
    pub basis: Option<String>,
    /// Whether the limit itself is not certain.
    pub unconfirmed: bool,
    /// When its purpose was reached; a stopped clock is kept for the explanation.
    pub stopped: Option<Timestamp>,
}

impl CaseClock {
    /// Day by day, why that is the date (为什么是这一天).
    pub fn explain(&self, calendar: &Calendar) -> Due {
        Deadline::compute(calendar, &self.input)
    }

    /// Whether it runs and its time is over.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let stands_still = self.input.pauses.iter().any(|(_, end)| end.is_none());
        self.stopped.is_none() && !stands_still && self.due_at < now
    }
}

/// What a case is opened with (收件信息).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The case.
    pub case: CaseId,
    /// What a person may ask by (查询码).
    pub query_code: String,
    /// The item.
    pub item: u16,
    /// The version of its definition.
    pub item_version: u32,
    /// SHA-256 of the shared standard.
    pub definition: String,
    /// By which way.
    pub channel: Channel,
    /// Where it was collected (收件地).
    pub collecting: Place,
    /// Where it is decided (办理地).
    pub deciding: Place,
    /// How the result is to be handed over.
    pub delivery: DeliveryMode,
    /// Licences instead of papers.
    pub licences: Vec<LicenceRef>,
    /// SHA-256 of the sealed filing.
    pub filing: String,
    /// Clocks that start with it.
    pub clocks: Vec<CaseClock>,
}

/// A case; the fold of its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it was opened with; its clocks have moved into `clocks`.
    pub opening: Opening,
    /// When it was handed in.
    pub collected: Timestamp,
    /// When it was complete: handed in, or the correction answered.
    pub complete: Timestamp,
    /// Number of events so far.
    pub seq: u32,
    /// How often custody was accepted, plus one.
    pub epoch: u32,
    /// The node that owns it.
    pub owner: NodeId,
    /// Where it stands.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// Its clocks, at most one of a kind.
    pub clocks: Vec<CaseClock>,
    /// The corrections that were asked and answered.
    pub corrections: Vec<Correction>,
    /// How often the limit was extended.
    pub extensions: u32,
    /// Everybody who examined it, as opaque names: none of them may decide.
    pub examiners: Vec<String>,
    /// When each stage was done.
    pub done: BTreeMap<StageId, Timestamp>,
    /// Its ratings, at most one of a target.
    pub ratings: Vec<Rating>,
    /// What the applicant was told beside the decisions: extension, special procedure.
    pub notes: Vec<Note>,
}

/// Something that the applicant was told (告知): an extension or a special procedure, with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// What it is.
    pub title: Text,
    /// The reason, in the officer's words.
    pub words: String,
}

impl Case {
    /// The case.
    pub fn id(&self) -> CaseId {
        self.opening.case
    }

    /// Whether collecting and deciding city differ (异地).
    pub fn is_remote(&self) -> bool {
        self.opening.collecting.city != self.opening.deciding.city
    }

    /// The clock of a kind.
    pub fn clock(&self, kind: ClockKind) -> Option<&CaseClock> {
        self.clocks.iter().find(|clock| clock.kind == kind)
    }

    /// What was decided, if it was.
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.phase {
            Phase::Decided { outcome } | Phase::Delivering { outcome, .. } => Some(outcome),
            Phase::Delivered { end } | Phase::Closed { end } => Some(&end.outcome),
            Phase::Offered { .. }
            | Phase::Received
            | Phase::Correcting { .. }
            | Phase::Accepted { .. }
            | Phase::Withdrawn
            | Phase::Declined { .. }
            | Phase::Lapsed
            | Phase::Returned { .. } => None,
        }
    }

    /// What was issued, if anything was.
    pub fn result(&self) -> Option<&IssuedResult> {
        match &self.phase {
            Phase::Delivering { result, .. } => Some(result),
            Phase::Delivered { end } | Phase::Closed { end } => end.result.as_ref(),
            Phase::Offered { .. }
            | Phase::Received
            | Phase::Correcting { .. }
            | Phase::Accepted { .. }
            | Phase::Decided { .. }
            | Phase::Withdrawn
            | Phase::Declined { .. }
            | Phase::Lapsed
            | Phase::Returned { .. } => None,
        }
    }

    /// The place that has to act now, or acted last (现在在谁手里).
    pub fn holder(&self) -> &Place {
        let opening = &self.opening;
        match &self.phase {
            Phase::Offered { .. } | Phase::Returned { .. } => &opening.collecting,
            Phase::Delivering { .. } if opening.delivery == DeliveryMode::CollectingWindow => {
                &opening.collecting
            }
            Phase::Received
            | Phase::Correcting { .. }
            | Phase::Accepted { .. }
            | Phase::Decided { .. }
            | Phase::Delivering { .. }
            | Phase::Delivered { .. }
            | Phase::Closed { .. }
            | Phase::Withdrawn
            | Phase::Declined { .. }
            | Phase::Lapsed => &opening.deciding,
        }
    }
}

/// Who acts on a case, as far as the case cares (行为人).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct By {
    /// In which part.
    pub party: Party,
    /// An opaque name within the city, such as `staff:…`; never a person's name.
    pub name: String,
    /// From which city.
    pub city: NodeId,
    /// From which office.
    pub office: Option<OfficeId>,
}

/// The parts that somebody can have in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// Whose case it is (申请人).
    Applicant,
    /// A window clerk of the collecting city (收件窗口).
    Window,
    /// A reviewer of the deciding office (审查人员).
    Reviewer,
    /// An approver of the deciding office (审批人员).
    Approver,
    /// A node by itself: timers and messages.
    System,
}

impl By {
    /// The node itself.
    pub fn system(city: NodeId) -> By {
        By { party: Party::System, name: "system".to_owned(), city, office: None }
    }
}
