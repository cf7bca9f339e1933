//! Bodies of the licence services as they travel: JSON, unknown members refused.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tb_base::{Date, LicenceId, LicenceOid, NodeId, Refusal, Result, Timestamp};

use crate::consent::SignedReceipt;
use crate::record::Extract;
use crate::state::State;

/// Asks which licences the subject has of the types that the item lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locate {
    /// The item's list.
    pub types: BTreeSet<String>,
}

/// A licence that was located: no values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The licence.
    pub id: LicenceId,
    /// Its identifier.
    pub oid: LicenceOid,
    /// Its type.
    #[serde(rename = "type")]
    pub type_id: String,
    /// Its version.
    pub version: u16,
    /// How it stands.
    pub state: State,
    /// First day of its term.
    pub valid_from: Date,
    /// Last day of its term; none is without end.
    pub valid_to: Option<Date>,
}

/// Answers [`Locate`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub enum Located {
    /// These; an empty list says that there is none.
    Found {
        /// What there is.
        found: Vec<Match>,
        /// When.
        as_of: Timestamp,
    },
    /// Not answered.
    Refused {
        /// Why.
        refusal: Refusal,
    },
}

impl Located {
    /// What was found, or the refusal as an error.
    pub fn found(self) -> Result<Vec<Match>> {
        match self {
            Located::Found { found, .. } => Ok(found),
            Located::Refused { refusal } => Err(refusal.into()),
        }
    }
}

/// Asks for exact fields of one licence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// The licence.
    pub licence: LicenceId,
    /// The fields; exactly those that she agreed to.
    pub fields: BTreeSet<String>,
    /// Her consent.
    pub consent: SignedReceipt,
}

/// Values that were given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Record, values and signature; [`crate::ask::fetched`] checks them.
    pub extract: Extract,
    /// How the licence stands.
    pub state: State,
    /// From when it is void, if so.
    pub void_from: Option<Date>,
    /// Fields that were asked for and that contract or definition keep back.
    pub withheld: BTreeSet<String>,
    /// When.
    pub as_of: Timestamp,
}

/// Answers [`Fetch`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fetched {
    /// These values.
    Given(Box<Given>),
    /// Not given.
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// The subject has no such licence here.
    NotFound {
        /// When.
        as_of: Timestamp,
    },
}

/// Asks how the licence behind a code stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// The text of the code.
    pub code: String,
}

/// Why nothing was found behind a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotFoundReason {
    /// Nobody made such a code.
    Unknown,
    /// Somebody redeemed it before.
    Used,
    /// Its minute is over.
    Over,
}

/// Answers [`Verify`]: five answers that are never taken for each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub enum Verdict {
    /// In force (有效).
    Yes {
        /// Record, open values and signature.
        extract: Box<Extract>,
        /// Values that are shown in part.
        masked: BTreeMap<String, String>,
        /// When.
        as_of: Timestamp,
    },
    /// Not in force (无效), and why.
    No {
        /// The type.
        #[serde(rename = "type")]
        type_id: String,
        /// How it stands.
        state: State,
        /// The first day of its term, where that lies ahead.
        valid_from: Option<Date>,
        /// The last day of its term.
        valid_to: Option<Date>,
        /// From when it is void, if so.
        void_from: Option<Date>,
        /// When.
        as_of: Timestamp,
    },
    /// No licence behind the code (查不到).
    NotFound {
        /// Why.
        why: NotFoundReason,
        /// When.
        as_of: Timestamp,
    },
    /// The verifier may not know (无权核验).
    NotAllowed {
        /// Why.
        refusal: Refusal,
        /// When.
        as_of: Timestamp,
    },
    /// The issuing city does not answer (无法确认); said by the asking side, never by a peer.
    Unavailable {
        /// The city.
        city: NodeId,
        /// Why.
        refusal: Refusal,
        /// When it was asked.
        as_of: Timestamp,
    },
}

impl Verdict {
    /// What the holder and the log read: `yes`, a state, or why there is none.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Yes { .. } => "yes",
            Verdict::No { state: State::Valid, .. } => "not_yet_valid",
            Verdict::No { state, .. } => state.as_str(),
            Verdict::NotFound { .. } => "not_found",
            Verdict::NotAllowed { .. } => "not_allowed",
            Verdict::Unavailable { .. } => "unavailable",
        }
    }

    /// The values as they may be shown; empty unless the answer is yes.
    pub fn values(&self) -> BTreeMap<String, String> {
        match self {
            Verdict::Yes { extract, masked, .. } => {
                let mut values = extract.plain();
                values.extend(masked.clone());
                values
            }
            Verdict::No { .. }
            | Verdict::NotFound { .. }
            | Verdict::NotAllowed { .. }
            | Verdict::Unavailable { .. } => BTreeMap::new(),
        }
    }

    /// The words for people: Chinese, then English.
    pub fn words(&self) -> (String, String) {
        match self {
            Verdict::Yes { .. } => ("有效".to_owned(), "valid".to_owned()),
            Verdict::No { state: State::Valid, valid_from: Some(from), .. } => {
                (format!("尚未生效，{from} 起有效"), format!("not valid before {from}"))
            }
            Verdict::No { state, .. } => {
                let (zh, en) = state.words();
                (zh.to_owned(), en.to_owned())
            }
            Verdict::NotFound { why: NotFoundReason::Used, .. } => {
                ("此码已被核验过".to_owned(), "this code has been used".to_owned())
            }
            Verdict::NotFound { why: NotFoundReason::Over, .. } => {
                ("此码已过期".to_owned(), "this code is over".to_owned())
            }
            Verdict::NotFound { why: NotFoundReason::Unknown, .. } => {
                ("查不到".to_owned(), "not found".to_owned())
            }
            Verdict::NotAllowed { refusal, .. } => (refusal.zh.to_string(), refusal.en.to_string()),
            Verdict::Unavailable { city, .. } => (
                format!("无法确认：{city} 没有应答，不等于有效或无效"),
                format!("cannot be confirmed: {city} does not answer; this is neither yes nor no"),
            ),
        }
    }
}
