//! A witness's decision (见证): whether a log that it knows has only grown. C2SP tlog-witness.
//!
//! A pure function from what is known and what is asked to what is said; the caller keeps the state, and must
//! read it, decide and write it in one transaction, else a slow request could roll the log back.

use std::fmt;
use std::str::FromStr;

use tb_base::{Timestamp, Violation};
use tb_crypto::text::base64;

use crate::checkpoint::Checkpoint;
use crate::hash::{EMPTY_ROOT, Hash, parse_decimal, parse_hash};
use crate::note::{Cosigner, NOTE_BYTES_MAX, Note, Signature, Verifier};
use crate::verify::verify_consistency;

/// Most hashes of a consistency proof in a request (tlog-witness, add-checkpoint).
pub const PROOF_HASHES_MAX: usize = 63;
/// Most bytes of a request: the note, and 63 hashes of 45 bytes.
pub const REQUEST_BYTES_MAX: usize = NOTE_BYTES_MAX + 4096;

/// The last checkpoint of a log that this witness cosigned (已见证状态).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

impl Known {
    /// A log that was never cosigned: the empty tree.
    pub const NOTHING: Known = Known { size: 0, root: EMPTY_ROOT };
}

/// What a log asks a witness (add-checkpoint, 见证请求).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The size that the log believes the witness knows.
    pub old: u64,
    /// That this size is the beginning of the new one.
    pub proof: Vec<Hash>,
    /// The new checkpoint, signed by the log.
    pub note: Note,
}

impl Request {
    /// The checkpoint in the note; its origin says which keys and which state to decide with.
    pub fn checkpoint(&self) -> Result<Checkpoint, Violation> {
        Checkpoint::parse(self.note.text())
    }
}

/// The body of add-checkpoint.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", base64(hash)))?;
        write!(f, "\n{}", self.note)
    }
}

impl FromStr for Request {
    type Err = Violation;

    fn from_str(body: &str) -> Result<Request, Violation> {
        let bad = |detail: &'static str| Violation::new("witness-request-invalid", "body", detail);
        if REQUEST_BYTES_MAX < body.len() {
            return Err(bad("too long"));
        }
        let (head, note) =
            body.split_once("\n\n").ok_or_else(|| bad("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(parse_decimal);
        let proof = lines.map(parse_hash).collect::<Result<Vec<Hash>, Violation>>()?;
        if PROOF_HASHES_MAX < proof.len() {
            return Err(bad("more than 63 hashes"));
        }
        let old = old.ok_or_else(|| bad("the first line is not the old size"))?;
        Ok(Request { old, proof, note: Note::parse(note)? })
    }
}

/// A witness's yes (已见证): keep the state, then send the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What the witness knows from now on.
    pub known: Known,
    /// Its cosignature, the body of the answer.
    pub line: Signature,
}

/// A witness's no (拒绝见证), in the words of tlog-witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The checkpoint is not one, or the old size is above the new.
    Malformed(Violation),
    /// No log of this origin is known here.
    UnknownOrigin,
    /// No key of this log signed, or a line of a known key is wrong.
    BadSignature(Violation),
    /// The log believes in another size than the witness knows; ask once more from this one, then raise an alarm.
    Conflict {
        /// The size that the witness knows.
        size: u64,
    },
    /// The same size with another root, both signed: the log has forked. Evidence of misbehaviour.
    Forked {
        /// The size of both.
        size: u64,
    },
    /// The proof does not lead from the known root to the new one. Possibly evidence of misbehaviour.
    BadProof,
}

impl Refused {
    /// The HTTP status of tlog-witness.
    pub fn status(&self) -> u16 {
        match self {
            Refused::Malformed(_) => 400,
            Refused::BadSignature(_) => 403,
            Refused::UnknownOrigin => 404,
            Refused::Conflict { .. } | Refused::Forked { .. } => 409,
            Refused::BadProof => 422,
        }
    }
}

impl From<Refused> for Violation {
    fn from(refused: Refused) -> Violation {
        let bad = |code, detail: String| Violation::new(code, "checkpoint", detail);
        match refused {
            Refused::Malformed(violation) | Refused::BadSignature(violation) => violation,
            Refused::UnknownOrigin => {
                bad("witness-unknown-origin", "no such log is witnessed here".to_owned())
            }
            Refused::Conflict { size } => bad("witness-conflict", format!("the witness knows size {size}")),
            Refused::Forked { size } => bad("log-forked", format!("two roots of size {size} are signed")),
            Refused::BadProof => bad("log-inconsistent", "the proof does not lead to the root".to_owned()),
        }
    }
}

/// Decides a request.
///
/// `keys` are the keys of the log of the checkpoint's origin, empty when there is none such;
/// `known` is the state kept for that origin, [`Known::NOTHING`] at first.
pub fn decide(
    keys: &[Verifier],
    known: Known,
    request: &Request,
    cosigner: &Cosigner,
    now: Timestamp,
) -> Result<Accepted, Refused> {
    let new = request.checkpoint().map_err(Refused::Malformed)?;
    if !keys.iter().any(|key| key.name() == new.origin) {
        return Err(Refused::UnknownOrigin);
    }
    let own: Vec<Verifier> = keys.iter().filter(|key| key.name() == new.origin).cloned().collect();
    request.note.verify(&own).map_err(Refused::BadSignature)?;
    if new.size < request.old {
        let detail = format!("old size {} above new size {}", request.old, new.size);
        return Err(Refused::Malformed(Violation::new("witness-request-invalid", "old", detail)));
    }
    if request.old != known.size {
        return Err(Refused::Conflict { size: known.size });
    }
    if new.size == known.size && new.root != known.root {
        return Err(Refused::Forked { size: known.size });
    }
    verify_consistency(known.size, &known.root, new.size, &new.root, &request.proof)
        .map_err(|_| Refused::BadProof)?;
    let known = Known { size: new.size, root: new.root };
    Ok(Accepted { known, line: cosigner.cosign(&request.note, now) })
}

#[cfg(test)]
mod tests;
