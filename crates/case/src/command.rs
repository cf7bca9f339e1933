//! What somebody wants done with a case (办件命令).

use serde::{Deserialize, Serialize};

use crate::case::{Agreement, CorrectionLine, IssuedResult, Party, Proof, Reason};
use crate::definitions::{PauseKind, RatingTarget};
use crate::text::Text;

/// What is wanted. Imperative; [`crate::decide()`] says whether it may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Take custody of an offered case (接管).
    AcceptCustody,
    /// Refuse it (退回).
    RefuseCustody {
        /// Why.
        reason: Reason,
    },
    /// Tell the applicant once what is missing (一次性补正告知).
    AskCorrection {
        /// Everything that is missing.
        lines: Vec<CorrectionLine>,
    },
    /// Answer the correction notice (补正).
    AnswerCorrection {
        /// The answers.
        answers: Answers,
    },
    /// 受理.
    Accept,
    /// The limit passed in silence (视为受理).
    DeemAccept,
    /// 不予受理.
    Decline {
        /// The ground of the definition.
        ground: String,
        /// The facts of this case.
        facts: String,
    },
    /// Give a reviewer's opinion (审查意见).
    Opine {
        /// What is proposed.
        agrees: Agreement,
        /// Why.
        text: String,
    },
    /// Extend the limit (延长).
    Extend {
        /// Why; the applicant is told.
        reason: String,
    },
    /// Begin a special procedure (特别程序).
    Pause {
        /// Which.
        kind: PauseKind,
        /// Why; the applicant is told.
        notice: String,
        /// How many days it will take.
        estimate_days: u32,
    },
    /// End the special procedure.
    Resume {
        /// What came out.
        result: String,
    },
    /// 决定.
    Decide {
        /// Which way.
        decision: Decision,
    },
    /// Issue the licence (制证).
    IssueResult {
        /// What was issued; pages leave it empty, the store fills it in the same transaction.
        result: Option<IssuedResult>,
    },
    /// Hand the result over (送达).
    Deliver {
        /// How.
        proof: Proof,
    },
    /// Take the application back (撤回).
    Withdraw,
    /// Rate (评价).
    Rate {
        /// Whom.
        target: RatingTarget,
        /// 5 is best.
        grade: u8,
        /// In words; may be empty.
        text: String,
    },
    /// The applicant's limit passed (逾期未补正).
    Lapse,
    /// File the case (归档).
    Close,
}

/// Which way to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case", deny_unknown_fields)]
pub enum Decision {
    /// 准予.
    Approve,
    /// 不予.
    Refuse {
        /// Grounds of the definition, with the facts of this case.
        grounds: Vec<GroundFacts>,
    },
}

/// A ground of the definition with the facts of this case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroundFacts {
    /// The ground.
    pub ground: String,
    /// The facts, in the officer's words.
    pub facts: String,
}

/// Answers to a correction notice; sealed at rest, only their digest stands in the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Random, so that the digest of a short answer tells nothing; the store fills it when empty.
    pub salt: String,
    /// One answer for each line of the notice.
    pub lines: Vec<AnswerLine>,
}

/// The answer to one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerLine {
    /// The question or material of the notice.
    pub about: String,
    /// The corrected answer or an explanation.
    pub text: String,
}

/// A command without what it carries: buttons, permits, tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is documented at Command")]
pub enum CommandKind {
    AcceptCustody,
    RefuseCustody,
    AskCorrection,
    AnswerCorrection,
    Accept,
    DeemAccept,
    Decline,
    Opine,
    Extend,
    Pause,
    Resume,
    Decide,
    IssueResult,
    Deliver,
    Withdraw,
    Rate,
    Lapse,
    Close,
}

/// Every command.
pub const COMMANDS: [CommandKind; 18] = [
    CommandKind::AcceptCustody,
    CommandKind::RefuseCustody,
    CommandKind::AskCorrection,
    CommandKind::AnswerCorrection,
    CommandKind::Accept,
    CommandKind::DeemAccept,
    CommandKind::Decline,
    CommandKind::Opine,
    CommandKind::Extend,
    CommandKind::Pause,
    CommandKind::Resume,
    CommandKind::Decide,
    CommandKind::IssueResult,
    CommandKind::Deliver,
    CommandKind::Withdraw,
    CommandKind::Rate,
    CommandKind::Lapse,
    CommandKind::Close,
];

impl CommandKind {
    /// Its name in both languages, as a button says it.
    pub fn name(self) -> Text {
        match self {
            CommandKind::AcceptCustody => Text::new("接管", "Take custody"),
            CommandKind::RefuseCustody => Text::new("退回", "Refuse custody"),
            CommandKind::AskCorrection => Text::new("一次性告知补正", "Ask for corrections"),
            CommandKind::AnswerCorrection => Text::new("补正", "Answer the correction"),
            CommandKind::Accept => Text::new("受理", "Accept"),
            CommandKind::DeemAccept => Text::new("视为受理", "Deem accepted"),
            CommandKind::Decline => Text::new("不予受理", "Do not accept"),
            CommandKind::Opine => Text::new("提出审查意见", "Give an opinion"),
            CommandKind::Extend => Text::new("延长期限", "Extend the limit"),
            CommandKind::Pause => Text::new("进入特别程序", "Begin a special procedure"),
            CommandKind::Resume => Text::new("结束特别程序", "End the special procedure"),
            CommandKind::Decide => Text::new("作出决定", "Decide"),
            CommandKind::IssueResult => Text::new("制证", "Issue the certificate"),
            CommandKind::Deliver => Text::new("送达", "Hand over"),
            CommandKind::Withdraw => Text::new("撤回申请", "Withdraw"),
            CommandKind::Rate => Text::new("评价", "Rate"),
            CommandKind::Lapse => Text::new("逾期终止", "Lapse"),
            CommandKind::Close => Text::new("归档", "Close"),
        }
    }

    /// Who may give it, wherever the case stands.
    pub fn parties(self) -> &'static [Party] {
        match self {
            CommandKind::AcceptCustody
            | CommandKind::RefuseCustody
            | CommandKind::DeemAccept
            | CommandKind::Lapse
            | CommandKind::Close => &[Party::System],
            CommandKind::AskCorrection
            | CommandKind::Accept
            | CommandKind::Decline
            | CommandKind::Opine
            | CommandKind::Pause
            | CommandKind::Resume
            | CommandKind::IssueResult => &[Party::Reviewer, Party::Approver],
            CommandKind::Extend | CommandKind::Decide => &[Party::Approver],
            CommandKind::Deliver => &[Party::Window, Party::Reviewer, Party::Approver],
            CommandKind::AnswerCorrection | CommandKind::Withdraw => &[Party::Applicant, Party::Window],
            CommandKind::Rate => &[Party::Applicant],
        }
    }
}

impl Command {
    /// Which command it is.
    pub fn kind(&self) -> CommandKind {
        match self {
            Command::AcceptCustody => CommandKind::AcceptCustody,
            Command::RefuseCustody { .. } => CommandKind::RefuseCustody,
            Command::AskCorrection { .. } => CommandKind::AskCorrection,
            Command::AnswerCorrection { .. } => CommandKind::AnswerCorrection,
            Command::Accept => CommandKind::Accept,
            Command::DeemAccept => CommandKind::DeemAccept,
            Command::Decline { .. } => CommandKind::Decline,
            Command::Opine { .. } => CommandKind::Opine,
            Command::Extend { .. } => CommandKind::Extend,
            Command::Pause { .. } => CommandKind::Pause,
            Command::Resume { .. } => CommandKind::Resume,
            Command::Decide { .. } => CommandKind::Decide,
            Command::IssueResult { .. } => CommandKind::IssueResult,
            Command::Deliver { .. } => CommandKind::Deliver,
            Command::Withdraw => CommandKind::Withdraw,
            Command::Rate { .. } => CommandKind::Rate,
            Command::Lapse => CommandKind::Lapse,
            Command::Close => CommandKind::Close,
        }
    }
}
