//! Evidence bundles (存证包): what anybody can check with no node running and no network.
//!
//! A bundle has one part for each city concerned, signed with that city's message key.
//! Invariant: a bundle has one encoding, the canonical one; every byte of it stands under a signature or is fixed.

mod part;
mod report;
mod verify;

use serde::{Deserialize, Serialize};
use tb_base::{CaseId, NodeId, Result, Timestamp, Violation};
use tb_crypto::text;

use crate::http_message::{RequestEvidence, ResponseEvidence};
use crate::keys::Secrets;
use crate::{SignedContract, SignedTrustList};

pub use report::{Check, Origin, Report};
pub use verify::verify;

/// What a bundle calls itself.
pub const FORMAT: &str = "tongban-bundle-v1";
/// The largest bundle that is read.
pub const BUNDLE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How many entries each list of a part may have.
pub const ENTRIES_MAX: usize = 10_000;
/// What stands before the canonical text when a part is signed.
const SIGNED_AS: &[u8] = b"tongban-bundle-part-v1\n";

/// A bundle: parts in the order of their cities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// [`FORMAT`].
    pub format: String,
    /// One for each city concerned.
    pub parts: Vec<SignedPart>,
}

/// What one city says, with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedPart {
    /// What it says.
    pub body: Part,
    /// The city.
    pub node: NodeId,
    /// Ed25519 with the city's message key over the canonical body, base64.
    pub signature: String,
}

/// What one city says and shows (一城的证据).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The city.
    pub node: NodeId,
    /// When the part was made.
    pub made_at: Timestamp,
    /// The trust list; the same in every part of a bundle.
    pub trust: SignedTrustList,
    /// The contracts that the messages stand under.
    pub contracts: Vec<SignedContract>,
    /// The city's signed and cosigned checkpoint, a note; must be there when there are leaves.
    pub checkpoint: Option<String>,
    /// Leaves of the city's log, each with its proof under that checkpoint.
    pub leaves: Vec<LeafProof>,
    /// Messages that the city sent or received.
    pub messages: Vec<MessageEvidence>,
    /// Looks at a person's data in that city.
    pub looks: Vec<LookEvidence>,
    /// Events of cases that the city logged.
    pub cases: Vec<CaseEvidence>,
    /// Licences that the city issued.
    pub licences: Vec<LicenceEvidence>,
}

/// That a leaf stands in the city's log (存证证明).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeafProof {
    /// The leaf's bytes, base64.
    pub leaf: String,
    /// Its place in the log.
    pub index: u64,
    /// The hashes from its sibling up, base64 each.
    pub path: Vec<String>,
}

/// A message as it was signed (报文证据); its leaf is among the leaves of the same part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageEvidence {
    /// The request without its body.
    pub request: RequestEvidence,
    /// The body, base64; left out where the reader may not see it, the signed digest then stands for it.
    pub content: Option<String>,
    /// The signed answer, where one is kept.
    pub answer: Option<AnswerEvidence>,
}

/// A signed answer (应答证据).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerEvidence {
    /// The response without its body.
    pub response: ResponseEvidence,
    /// The body, base64; left out where the reader may not see it.
    pub content: Option<String>,
}

/// That somebody looked at a person's data (查看记录).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookEvidence {
    /// The row, JSON exactly as its leaf commits to it.
    pub row: String,
    /// The salt of the leaf's commitment to the person, 16 bytes in lower-case hex.
    pub salt: String,
    /// The person as the leaf commits to her; only in a bundle made for herself.
    pub subject: Option<String>,
}

/// A run of events without gaps that one city logged (办件事件链); a case that moved has runs in several parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseEvidence {
    /// The case.
    pub case: CaseId,
    /// The events in their order.
    pub events: Vec<EventEvidence>,
}

/// One event of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventEvidence {
    /// The record, canonical JSON, with the members `case`, `seq` and `prev` (the hash of the record before) among
    /// others and without `hash`, which is the SHA-256 of this text and what the leaf commits to.
    pub record: String,
    /// That hash, lower-case hex.
    pub hash: String,
}

/// A licence as its issuer signed it (证照证据).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenceEvidence {
    /// The canonical record, JSON.
    pub record: String,
    /// The issuing city.
    pub issuer: NodeId,
    /// The issuing city's SM2 signature over [`licence_text`], base64.
    pub signature: String,
}

/// What a city signs when it issues a licence: SM3 of the canonical record, after a context of its own.
pub fn licence_text(record: &[u8]) -> Vec<u8> {
    [b"tongban/licence/1\n".as_slice(), &tb_crypto::sm3(record)].concat()
}

impl Part {
    /// A part that shows nothing yet.
    pub fn new(node: NodeId, made_at: Timestamp, trust: SignedTrustList) -> Part {
        Part {
            node,
            made_at,
            trust,
            contracts: Vec::new(),
            checkpoint: None,
            leaves: Vec::new(),
            messages: Vec::new(),
            looks: Vec::new(),
            cases: Vec::new(),
            licences: Vec::new(),
        }
    }

    /// Signs the part in the name of its city.
    pub fn sign(self, secrets: &Secrets) -> Result<SignedPart> {
        let signature = secrets.message.sign(&signed_text(&tb_crypto::canonical(&self)?));
        Ok(SignedPart { node: self.node, signature: text::base64(&signature), body: self })
    }
}

impl EventEvidence {
    /// The evidence of a record as it is kept; its member `hash`, if it has one, must be the right one.
    pub fn of(record: &impl Serialize) -> Result<EventEvidence> {
        let bad = |detail: String| Violation::new("inconsistent", "case-event", detail);
        let mut value = serde_json::to_value(record).map_err(|error| bad(error.to_string()))?;
        let kept = value.as_object_mut().and_then(|members| members.remove("hash"));
        let text = tb_crypto::canonical(&value)?;
        let hash = text::hex(&tb_crypto::sha256(&text));
        if kept.is_some_and(|kept| kept.as_str() != Some(&hash)) {
            return Err(bad("the hash of the record is not that of its text".to_owned()).into());
        }
        let record = String::from_utf8(text).map_err(|error| bad(error.to_string()))?;
        Ok(EventEvidence { record, hash })
    }
}

impl LeafProof {
    /// A leaf with its proof.
    pub fn new(leaf: &crate::Leaf, index: u64, path: &[[u8; 32]]) -> LeafProof {
        LeafProof {
            leaf: text::base64(&leaf.encode()),
            index,
            path: path.iter().map(|hash| text::base64(hash)).collect(),
        }
    }
}

/// The bytes of a bundle: parts in the order of their cities, one for each.
pub fn assemble(mut parts: Vec<SignedPart>) -> Result<Vec<u8>> {
    parts.sort_by_key(|part| part.node);
    if parts.is_empty() || parts.windows(2).any(|pair| pair[0].node == pair[1].node) {
        return Err(Violation::new("grammar", "parts", "one part for each city, at least one").into());
    }
    let bytes = tb_crypto::canonical(&Bundle { format: FORMAT.to_owned(), parts })?;
    if BUNDLE_BYTES_MAX < bytes.len() {
        let detail =
            crate::problem::mismatch(&format!("at most {BUNDLE_BYTES_MAX} bytes"), &bytes.len().to_string());
        return Err(Violation::new("too-large", "bundle", detail).into());
    }
    Ok(bytes)
}

fn signed_text(canonical_body: &[u8]) -> Vec<u8> {
    [SIGNED_AS, canonical_body].concat()
}

#[cfg(test)]
mod tests;
