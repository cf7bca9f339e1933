//! Signed HTTP messages between nodes (签名报文): RFC 9421 over a fixed list of components, as values.
//!
//! The profile is that of `docs/protocol/exchange.md`: the components, their order and the parameters are fixed,
//! no `alg` travels (the algorithm belongs to the key), and every failure has its own code and component.
//!
//! Invariant: nothing is handed on whose digest, signature, time, audience and contract were not all checked.

mod fields;
mod request;
mod response;
mod signature;

use serde::{Deserialize, Serialize};
use tb_base::{MessageId, NodeId};

use crate::Envelope;
use crate::problem::{PROBLEM_TYPE, Problem};

pub use fields::{FIELD_BYTES_MAX, FIELDS_MAX};
pub use request::{PATH_PREFIX, check_request, path, sign_request, sign_request_with, verify_request};
pub use response::{check_response, sign_response, verify_response};
pub use signature::{CLOCK_TOLERANCE_SECONDS, LIFETIME_SECONDS, NONCE_BYTES, TAG};

/// The media type of every body that is not a problem.
pub const JSON_TYPE: &str = "application/json";
/// How long a nonce is to be remembered: its message's life, and the tolerance on either side of it.
pub const NONCE_MEMORY_SECONDS: i64 = LIFETIME_SECONDS + 2 * CLOCK_TOLERANCE_SECONDS;

/// With which keys a message is signed (签名档次).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Ed25519 (label `tb`); the log's checkpoints carry SM2 for it.
    Ed25519,
    /// Ed25519 and SM2 (labels `tb` and `tbsm`), with an SM3 digest beside the SHA-256 one.
    Both,
}

/// A request ready for the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest {
    /// Always `POST`.
    pub method: String,
    /// The path; there is no query.
    pub path: String,
    /// The fields that the profile adds, by lower-case name.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// SHA-256 of the signature base, for the leaf.
    pub base_hash: [u8; 32],
}

impl SignedRequest {
    /// What of the request is kept as evidence: everything but the body.
    pub fn evidence(&self) -> RequestEvidence {
        RequestEvidence { method: self.method.clone(), path: self.path.clone(), fields: self.fields.clone() }
    }
}

/// A request without its body, as it was signed (请求证据): enough to check the signature again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestEvidence {
    /// Always `POST`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The covered fields and the signature itself.
    pub fields: Vec<(String, String)>,
}

/// A response without its body, as it was signed (应答证据).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseEvidence {
    /// The HTTP status.
    pub status: u16,
    /// The covered fields and the signature itself.
    pub fields: Vec<(String, String)>,
}

/// What of a request a response is bound to; read without judging, so that a bad request gets a signed answer too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The field `tb-message-id`, if there is one.
    pub message_id: Option<String>,
    /// The field `content-digest`, if there is one.
    pub content_digest: Option<String>,
    /// The nonce of the signature, if there is one.
    pub nonce: Option<String>,
}

impl Facts {
    /// Reads them from a request.
    pub fn read(method: &str, path: &str, fields: &[(String, String)]) -> Facts {
        let field = |name| fields::find(fields, name).map(str::to_owned);
        Facts {
            method: method.to_owned(),
            path: path.to_owned(),
            message_id: field("tb-message-id"),
            content_digest: field("content-digest"),
            nonce: signature::nonce(fields),
        }
    }
}

/// A request whose signature was checked, not yet its time, audience and contract.
#[derive(Clone, Debug)]
pub struct CheckedRequest {
    /// Its head.
    pub envelope: Envelope,
    /// SHA-256 of the signature base.
    pub base_hash: [u8; 32],
    /// SHA-256 of the content, as the signed digest says.
    pub content: [u8; 32],
    /// When it was signed, in seconds.
    pub created: i64,
    /// Until when it may be taken, in seconds.
    pub expires: i64,
    /// Unique for the sender.
    pub nonce: String,
    /// What is kept of it.
    pub evidence: RequestEvidence,
}

/// What is answered, before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The answer's own id.
    pub id: MessageId,
    /// The HTTP status.
    pub status: u16,
    /// `application/json` or `application/problem+json`.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// Whether it repeats an earlier answer to the same message.
    pub replayed: bool,
}

impl Reply {
    /// An answer with a JSON body.
    pub fn json(id: MessageId, status: u16, body: Vec<u8>) -> Reply {
        Reply { id, status, content_type: JSON_TYPE, body, replayed: false }
    }

    /// An answer that says what is wrong.
    pub fn problem(id: MessageId, problem: &Problem) -> Reply {
        Reply {
            id,
            status: problem.status,
            content_type: PROBLEM_TYPE,
            body: problem.to_json(),
            replayed: false,
        }
    }

    /// The same answer, given again.
    #[must_use]
    pub fn again(mut self) -> Reply {
        self.replayed = true;
        self
    }
}

/// A response ready for the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedResponse {
    /// The HTTP status.
    pub status: u16,
    /// The fields that the profile adds, by lower-case name.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// SHA-256 of the signature base, for the leaf.
    pub base_hash: [u8; 32],
}

impl SignedResponse {
    /// What of the response is kept as evidence: everything but the body.
    pub fn evidence(&self) -> ResponseEvidence {
        ResponseEvidence { status: self.status, fields: self.fields.clone() }
    }
}

/// A response whose signature was checked.
#[derive(Clone, Debug)]
pub struct CheckedResponse {
    /// The answer's own id.
    pub id: MessageId,
    /// Who answered.
    pub from: NodeId,
    /// The HTTP status.
    pub status: u16,
    /// Whether it says what is wrong.
    pub is_problem: bool,
    /// Whether it repeats an earlier answer.
    pub replayed: bool,
    /// SHA-256 of the signature base.
    pub base_hash: [u8; 32],
    /// SHA-256 of the content, as the signed digest says.
    pub content: [u8; 32],
    /// When it was signed, in seconds.
    pub created: i64,
    /// Until when it may be taken, in seconds.
    pub expires: i64,
    /// What is kept of it.
    pub evidence: ResponseEvidence,
}

#[cfg(test)]
mod tests;
