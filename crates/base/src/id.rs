//! Identifiers (标识): one type each, so that a case is never looked up by a person's id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Entropy, Refusal, Timestamp};

/// Makes an identifier type: 26 letters of lower-case base 32, the first ten of which are the time.
///
/// The text sorts by time of creation, which keeps indexes dense.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 26]);

        impl $name {
            /// A new identifier, unique by 80 random bits within its millisecond.
            pub fn new(now: Timestamp, entropy: &mut dyn Entropy) -> $name {
                $name(fresh(now, entropy))
            }

            /// What sorts before every identifier of that moment and after every earlier one.
            pub fn first_of(at: Timestamp) -> $name {
                $name(text_of(millis_of(at) << 80))
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or("")
            }
        }

        impl FromStr for $name {
            type Err = Refusal;

            fn from_str(text: &str) -> Result<$name, Refusal> {
                parse(text).map($name)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Refusal;

            fn try_from(text: String) -> Result<$name, Refusal> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}

ids! {
    /// A case (办件), one id over all cities and epochs.
    CaseId;
    /// What an applicant has begun and not yet handed in (草稿).
    DraftId;
    /// An issued licence (电子证照), the same over its versions.
    LicenceId;
    /// A message between nodes (报文).
    MessageId;
    /// A natural person in one city's register (自然人).
    PersonId;
    /// A member of staff (工作人员).
    StaffId;
    /// A signed-in session (会话).
    SessionId;
}

/// Crockford's alphabet in lower case: no i, l, o, u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn fresh(now: Timestamp, entropy: &mut dyn Entropy) -> [u8; 26] {
    let mut random = [0_u8; 16];
    entropy.fill(&mut random);
    text_of((millis_of(now) << 80) | (u128::from_be_bytes(random) & 0xffff_ffff_ffff_ffff_ffff))
}

fn millis_of(at: Timestamp) -> u128 {
    u128::from(at.micros().div_euclid(1_000).unsigned_abs()) & 0xffff_ffff_ffff
}

fn text_of(mut value: u128) -> [u8; 26] {
    let mut text = [b'0'; 26];
    for letter in text.iter_mut().rev() {
        *letter = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    text
}

fn parse(text: &str) -> Result<[u8; 26], Refusal> {
    let letters: [u8; 26] = text
        .as_bytes()
        .try_into()
        .map_err(|_| Refusal::invalid("BAS-ID-001", "标识应为 26 位", "An identifier has 26 letters"))?;
    if letters.iter().all(|letter| ALPHABET.contains(letter)) {
        return Ok(letters);
    }
    Err(Refusal::invalid(
        "BAS-ID-002",
        "标识含有不允许的字符",
        "An identifier holds only digits and lower-case letters",
    ))
}

/// A city's node (城市节点), named by the division code of the city.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeId([u8; 6]);

impl NodeId {
    /// The six digits as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }
}

impl FromStr for NodeId {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<NodeId, Refusal> {
        let digits: Option<[u8; 6]> = text.as_bytes().try_into().ok();
        match digits {
            Some(digits) if digits.iter().all(u8::is_ascii_digit) => Ok(NodeId(digits)),
            _ => Err(Refusal::invalid(
                "BAS-ID-003",
                "城市节点应为 6 位行政区划代码",
                "A node is named by six digits",
            )),
        }
    }
}

impl TryFrom<String> for NodeId {
    type Error = Refusal;

    fn try_from(text: String) -> Result<NodeId, Refusal> {
        text.parse()
    }
}

impl From<NodeId> for String {
    fn from(node: NodeId) -> String {
        node.as_str().to_owned()
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Makes a named text: what a definition or a contract is called by.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Refusal;

            fn from_str(text: &str) -> Result<$name, Refusal> {
                let good = |letter: u8| letter.is_ascii_alphanumeric() || b"-._".contains(&letter);
                if text.is_empty() || NAME_LETTERS_MAX < text.len() || !text.bytes().all(good) {
                    return Err(Refusal::invalid("BAS-ID-004", "名称只能用字母、数字、点和连字符，最长 64 位", "A name holds up to 64 letters, digits, dots and hyphens"));
                }
                Ok($name(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Refusal;

            fn try_from(text: String) -> Result<$name, Refusal> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

const NAME_LETTERS_MAX: usize = 64;

names! {
    /// A contract between two cities (共享契约).
    ContractId;
    /// An office: a department, hall or window unit of one city (单位).
    OfficeId;
}
