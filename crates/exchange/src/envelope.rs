//! What a message says about itself (报文信封), apart from its body.

use std::fmt;

use serde::{Deserialize, Serialize};
use tb_base::{CaseId, MessageId, NodeId, Timestamp};

use crate::ContractRef;

/// A person's name within one contract (契约内假名): HMAC-SM3 of the resident number under the contract's key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pseudonym(pub [u8; 32]);

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pseudonym({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// Why a message may be sent at all (用途): item, case and ground.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purpose {
    /// The item (事项) that it serves, such as `121`; or a purpose code such as `trace`.
    pub item: String,
    /// The case, where there is one.
    pub case: Option<CaseId>,
    /// The ground (依据): `consent:<receipt id>`, `statute:<id>`, `case` or `subject` (the person herself).
    pub basis: String,
}

/// The signed head of a message; travels as HTTP fields `tb-*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Unique per sender; a duplicate is answered from memory.
    pub id: MessageId,
    /// The sending city.
    pub from: NodeId,
    /// The receiving city.
    pub to: NodeId,
    /// One of [`crate::service`].
    pub service: String,
    /// The contract in force, by id, version and hash.
    pub contract: ContractRef,
    /// Why.
    pub purpose: Purpose,
    /// Role and office of who acts, such as `window/430100-hall-1`; never a name.
    pub actor: String,
    /// The data subject, if one.
    pub subject: Option<Pseudonym>,
    /// When an answer is of no use any more.
    pub deadline: Timestamp,
}

/// A message composed and permitted, not yet signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its head.
    pub envelope: Envelope,
    /// Its body, as it will travel: JSON.
    pub body: Vec<u8>,
}

/// A message that arrived and was verified.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Its head.
    pub envelope: Envelope,
    /// Its body as it travelled.
    pub body: Vec<u8>,
    /// When it arrived.
    pub at: Timestamp,
    /// SHA-256 of the signature base.
    pub base_hash: [u8; 32],
    /// The request as it was signed (signature base, signature, key id), kept as evidence.
    pub evidence: serde_json::Value,
}

impl Incoming {
    /// The body as a value of `T`, or a violation that names the schema.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> tb_base::Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| crate::problem::unfit("body", &error).into())
    }
}
