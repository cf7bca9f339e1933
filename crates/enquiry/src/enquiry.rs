//! An enquiry (问询): what somebody asks an office, where it stands, and what was said.
//!
//! Invariant: what was said is a set of turns that only grows; the state follows from it, in either city.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tb_base::{CaseId, MessageId, NodeId, OfficeId, PersonId, Refusal, Timestamp};
use tb_identity::look::LookKind;

use crate::refusals;

/// Letters of one text at the most.
pub const TEXT_LETTERS_MAX: usize = 1_000;
/// Fields that a look may name; as many as the look itself.
pub const FIELDS_MAX: usize = 64;
/// Letters of a name or a code that another city sends.
const NAME_LETTERS_MAX: usize = 120;

/// What somebody wrote: not empty, not long, no signs that steer a screen (问答文字).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Wording(String);

impl Wording {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Wording {
    type Err = Refusal;

    /// Line ends become those of one kind; blanks around the text go.
    fn from_str(text: &str) -> Result<Wording, Refusal> {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = text.trim();
        if text.is_empty() {
            return Err(refusals::empty());
        }
        if TEXT_LETTERS_MAX < text.chars().count() {
            return Err(refusals::too_long());
        }
        if text.chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t') {
            return Err(refusals::control());
        }
        Ok(Wording(text.to_owned()))
    }
}

impl TryFrom<String> for Wording {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Wording, Refusal> {
        text.parse()
    }
}

impl From<Wording> for String {
    fn from(text: Wording) -> String {
        text.0
    }
}

impl fmt::Display for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why somebody asks (问询类别); each has its own limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something could not be got done (办不成事).
    Stuck,
    /// A question about a look at the own data (追问查看).
    Look,
}

/// Where an enquiry stands (问询状态).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The office has to answer (待答复).
    Open,
    /// The office has answered; she may ask again (已答复).
    Answered,
    /// The office said why it cannot answer, and who can (已退回).
    Returned,
    /// Over (已办结).
    Closed,
}

/// Every state, as filters list them.
pub const STATES: [State; 4] = [State::Open, State::Answered, State::Returned, State::Closed];

/// What an enquiry is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case", deny_unknown_fields)]
pub enum About {
    /// Anything (其他).
    Anything {},
    /// An item (事项).
    Item {
        /// Its number.
        item: u16,
    },
    /// A case (办件).
    Case {
        /// The case.
        case: CaseId,
        /// The code that both cities know it by.
        code: String,
        /// Its item.
        item: u16,
    },
    /// A look at her data (查看).
    Look {
        /// The look, as the city that holds the data wrote it down.
        look: Box<LookRef>,
    },
}

/// A look that is asked about, as the person sees it in her own list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookRef {
    /// The look.
    pub id: MessageId,
    /// The city that holds the data and wrote the look down.
    pub held_by: NodeId,
    /// When somebody looked.
    pub at: Timestamp,
    /// In which way.
    pub kind: LookKind,
    /// The office that looked; none where a machine or a passer-by did.
    pub office: Option<OfficeId>,
    /// In which role.
    pub role: String,
    /// The item or purpose.
    pub item: String,
    /// The case.
    pub case: Option<CaseId>,
    /// On what ground.
    pub ground: String,
    /// Names of the fields, never values.
    pub fields: Vec<String>,
    /// The message that asked, where it was another city.
    pub message: Option<MessageId>,
    /// `shown`, or the code of the refusal.
    pub outcome: String,
}

impl About {
    /// Why somebody asks.
    pub fn kind(&self) -> Kind {
        match self {
            About::Anything {} | About::Item { .. } | About::Case { .. } => Kind::Stuck,
            About::Look { .. } => Kind::Look,
        }
    }

    /// The case that it belongs to.
    pub fn case(&self) -> Option<CaseId> {
        match self {
            About::Anything {} | About::Item { .. } => None,
            About::Case { case, .. } => Some(*case),
            About::Look { look } => look.case,
        }
    }

    /// Whether every list and name in it is as short as ours are.
    pub(crate) fn is_bounded(&self) -> bool {
        let short = |text: &String| text.chars().count() <= NAME_LETTERS_MAX;
        match self {
            About::Anything {} | About::Item { .. } => true,
            About::Case { code, .. } => short(code),
            About::Look { look } => {
                look.fields.len() <= FIELDS_MAX
                    && look.fields.iter().all(short)
                    && [&look.role, &look.item, &look.ground, &look.outcome].into_iter().all(short)
            }
        }
    }
}

/// Who asks, as far as this city knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Somebody who was signed in (已登录).
    Person(PersonId),
    /// Somebody who left a telephone number (留了手机号).
    Phone(String),
    /// Somebody whom only the asking city knows (外市居民).
    Elsewhere,
}

/// An office, with the name that both cities show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The office.
    pub id: OfficeId,
    /// Its name in Chinese.
    pub zh: String,
    /// Its name in English.
    pub en: String,
}

impl Place {
    pub(crate) fn is_bounded(&self) -> bool {
        self.zh.chars().count() <= NAME_LETTERS_MAX && self.en.chars().count() <= NAME_LETTERS_MAX
    }
}

/// What was done or said (问答动作).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// She asks.
    Ask {
        /// What.
        text: Wording,
    },
    /// She adds something, or is not content with the answer (补充、追问).
    Again {
        /// What.
        text: Wording,
    },
    /// She says that it is done (办成了).
    Close {},
    /// It has come to the office of the other city (已收到).
    Receive {
        /// Which.
        office: Place,
    },
    /// The office answers (答复).
    Answer {
        /// Which office.
        office: Place,
        /// What.
        text: Wording,
        /// How many of her additions the office had read.
        after: u32,
    },
    /// The office hands it to another one of its city (转办).
    PassOn {
        /// Which office.
        office: Place,
        /// To whom.
        to: Place,
        /// Why.
        text: Wording,
    },
    /// The office cannot answer, and says why and who can (退回).
    Return {
        /// Which office.
        office: Place,
        /// Why.
        text: Wording,
        /// How many of her additions the office had read.
        after: u32,
    },
    /// Nothing was asked after the answer (无追问办结).
    Lapse {},
}

/// What kind of act it is; also the word in the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActKind {
    /// See [`Act::Ask`].
    Ask,
    /// See [`Act::Again`].
    Again,
    /// See [`Act::Close`].
    Close,
    /// See [`Act::Receive`].
    Receive,
    /// See [`Act::Answer`].
    Answer,
    /// See [`Act::PassOn`].
    PassOn,
    /// See [`Act::Return`].
    Return,
    /// See [`Act::Lapse`].
    Lapse,
}

impl Act {
    /// Its kind.
    pub fn kind(&self) -> ActKind {
        match self {
            Act::Ask { .. } => ActKind::Ask,
            Act::Again { .. } => ActKind::Again,
            Act::Close {} => ActKind::Close,
            Act::Receive { .. } => ActKind::Receive,
            Act::Answer { .. } => ActKind::Answer,
            Act::PassOn { .. } => ActKind::PassOn,
            Act::Return { .. } => ActKind::Return,
            Act::Lapse {} => ActKind::Lapse,
        }
    }

    /// The office that did it, where one did.
    pub fn office(&self) -> Option<&Place> {
        match self {
            Act::Receive { office }
            | Act::Answer { office, .. }
            | Act::PassOn { office, .. }
            | Act::Return { office, .. } => Some(office),
            Act::Ask { .. } | Act::Again { .. } | Act::Close {} | Act::Lapse {} => None,
        }
    }

    /// What was said.
    pub fn text(&self) -> Option<&Wording> {
        match self {
            Act::Ask { text }
            | Act::Again { text }
            | Act::Answer { text, .. }
            | Act::PassOn { text, .. }
            | Act::Return { text, .. } => Some(text),
            Act::Close {} | Act::Receive { .. } | Act::Lapse {} => None,
        }
    }

    /// Whether every name in it is as short as ours are.
    pub(crate) fn is_bounded(&self) -> bool {
        let named = match self {
            Act::PassOn { to, .. } => to.is_bounded(),
            _ => true,
        };
        named && self.office().is_none_or(Place::is_bounded)
    }
}

impl ActKind {
    /// How audit lines call it.
    pub(crate) fn action(self) -> &'static str {
        match self {
            ActKind::Ask => "enquiry.ask",
            ActKind::Again => "enquiry.again",
            ActKind::Close => "enquiry.close",
            ActKind::Receive => "enquiry.receive",
            ActKind::Answer => "enquiry.answer",
            ActKind::PassOn => "enquiry.pass_on",
            ActKind::Return => "enquiry.return",
            ActKind::Lapse => "enquiry.lapse",
        }
    }

    /// Whether the city where it was asked does it; the other acts are those of the city that answers.
    pub fn is_of_asking_city(self) -> bool {
        match self {
            ActKind::Ask | ActKind::Again | ActKind::Close | ActKind::Lapse => true,
            ActKind::Receive | ActKind::Answer | ActKind::PassOn | ActKind::Return => false,
        }
    }
}

/// One turn (一问一答中的一条).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Unique; takes effect once.
    pub id: MessageId,
    /// When.
    pub at: Timestamp,
    /// In which city.
    pub city: NodeId,
    /// What.
    pub act: Act,
}

/// An enquiry as one city holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enquiry {
    /// Its id, the same in both cities.
    pub id: MessageId,
    /// What it is about.
    pub about: About,
    /// Who asks.
    pub asker: Asker,
    /// Whether she was signed in.
    pub signed_in: bool,
    /// The code by which it is looked up; empty in the other city.
    pub code: String,
    /// The city where it was asked.
    pub from: NodeId,
    /// The city that answers.
    pub to: NodeId,
    /// The office that has it; none while it is on its way to the other city.
    pub office: Option<Place>,
    /// Where it stands.
    pub state: State,
    /// When it was asked.
    pub asked: Timestamp,
    /// Since when the office's clock runs.
    pub since: Timestamp,
    /// Until when the office has to answer.
    pub due: Timestamp,
    /// When the answering city had it.
    pub received: Option<Timestamp>,
    /// How many turns there are.
    pub turns: u32,
    /// How often she added something or asked again.
    pub agains: u32,
    /// How often it was handed on.
    pub passes: u32,
}

impl Enquiry {
    /// Whether an answer is owed and late.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.state == State::Open && self.due < now
    }

    /// Whether another city answers, or asked.
    pub fn is_between_cities(&self) -> bool {
        self.from != self.to
    }

    /// Whether it is still on its way to the city that answers.
    pub fn is_on_its_way(&self) -> bool {
        self.received.is_none()
    }
}
