//! Cosigning each other's logs (互相见证): names of keys, address and texts of C2SP tlog-witness.
//!
//! The decision itself is `tb_tlog::witness::decide`; here is what travels.

use tb_base::{NodeId, Timestamp, Violation};
use tb_tlog::Checkpoint;
use tb_tlog::note::{Cosigner, Kind, Note, Signature, Signer, Verifier};
use tb_tlog::witness::{self, Accepted, Known, Refused, Request};

use crate::keys::{KeyUse, Secrets, WitnessKey};
use crate::problem::mismatch;
use crate::{City, CityKeys};

/// Where a city takes checkpoints of others, with POST.
pub const ADD_CHECKPOINT_PATH: &str = "/log/add-checkpoint";
/// The media type of a conflict's body.
pub const SIZE_TYPE: &str = "text/x.tlog.size";
/// The media type of every other body.
pub const TEXT_TYPE: &str = "text/plain; charset=utf-8";

/// The name that a city's witness signs under.
pub fn witness_name(node: NodeId) -> String {
    format!("tongban/witness/{node}")
}

/// What every checkpoint of a log is signed with, each in a line of its own.
const LOG_KINDS: [(Kind, KeyUse); 2] = [(Kind::Ed25519, KeyUse::Log), (Kind::Sm2, KeyUse::LogSm2)];

/// The keys that sign a city's checkpoints: Ed25519, then SM2; then those that it had before.
///
/// A checkpoint bears no time and a quiet log stands as it was signed, so former keys count without end:
/// whoever has one can only continue the log that the witnesses know.
pub fn log_keys(city: &City) -> Result<Vec<Verifier>, Violation> {
    let mut verifiers = Vec::new();
    for keys in city.keys_ever() {
        for (kind, key_use) in LOG_KINDS {
            let verifier = Verifier::new(&city.log_origin, kind, keys.key(key_use)?)?;
            if !verifiers.contains(&verifier) {
                verifiers.push(verifier);
            }
        }
    }
    Ok(verifiers)
}

/// The checkpoint that a city's log signed (日志签名): of its origin, with Ed25519 and with SM2.
///
/// Whichever of its keys made the lines: after a renewal the log has more keys than a note has lines.
/// A note with one kind alone is nobody's checkpoint, since either algorithm may be broken one day.
pub fn checkpoint_of(city: &City, note: &Note) -> Result<Checkpoint, Violation> {
    let signed = note.verify(&log_keys(city)?)?;
    for (kind, _) in LOG_KINDS {
        if !signed.iter().any(|line| line.kind == kind) {
            let detail = format!("the log did not sign with {kind:?}");
            return Err(Violation::new("note-invalid", "signature", detail));
        }
    }
    let checkpoint = Checkpoint::parse(note.text())?;
    if checkpoint.origin != city.log_origin {
        let detail = mismatch(&city.log_origin, &checkpoint.origin);
        return Err(Violation::new("witness-unknown-origin", "checkpoint", detail));
    }
    Ok(checkpoint)
}

/// The keys that a city's witness has or ever had, the present one first: for what was cosigned some day.
pub fn witness_keys(city: &City) -> Result<Vec<Verifier>, Violation> {
    cosigning(city, city.keys_ever())
}

/// The keys that a city's witness may cosign with at that moment: a renewed city goes on with its old one for a while.
pub fn witness_keys_at(city: &City, at: Timestamp) -> Result<Vec<Verifier>, Violation> {
    cosigning(city, city.keys_at(at))
}

fn cosigning<'a>(city: &City, sets: impl Iterator<Item = &'a CityKeys>) -> Result<Vec<Verifier>, Violation> {
    let mut verifiers = Vec::new();
    for keys in sets {
        let key = keys.key(KeyUse::Witness)?;
        let verifier = Verifier::new(&witness_name(city.node), Kind::Cosignature, key)?;
        if !verifiers.contains(&verifier) {
            verifiers.push(verifier);
        }
    }
    Ok(verifiers)
}

/// Decides what a city asks about its own log; it must have signed with both kinds of its keys.
///
/// What is cosigned, or kept as the proof of a fork, then holds for everybody who checks it later.
pub fn decide(
    city: &City,
    known: Known,
    request: &Request,
    cosigner: &Cosigner,
    now: Timestamp,
) -> Result<Result<Accepted, Refused>, Violation> {
    let is_its_own = request.checkpoint().is_ok_and(|asked| asked.origin == city.log_origin);
    if is_its_own && let Err(violation) = checkpoint_of(city, &request.note) {
        return Ok(Err(Refused::BadSignature(violation)));
    }
    Ok(witness::decide(&log_keys(city)?, known, request, cosigner, now))
}

/// What signs a city's own checkpoints: Ed25519, then SM2.
pub fn signers(city: &City, secrets: &Secrets) -> Result<[Signer; 2], Violation> {
    Ok([
        Signer::new(&city.log_origin, secrets.log.clone())?,
        Signer::new(&city.log_origin, secrets.log_sm2.clone())?,
    ])
}

/// What cosigns the checkpoints of others.
pub fn cosigner(city: &City, witness: &WitnessKey) -> Result<Cosigner, Violation> {
    Cosigner::new(&witness_name(city.node), witness.key.clone())
}

/// What a witness says, as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It cosigned; the lines.
    Cosigned(Vec<Signature>),
    /// It knows another size: ask once more from there, then raise an alarm.
    Conflict(u64),
    /// It refused with this status: 400, 403, 404 or 422.
    Refused(u16),
}

impl Answer {
    /// What the decision is on the wire.
    pub fn of(decided: &Result<Accepted, Refused>) -> Answer {
        match decided {
            Ok(accepted) => Answer::Cosigned(vec![accepted.line.clone()]),
            Err(Refused::Conflict { size } | Refused::Forked { size }) => Answer::Conflict(*size),
            Err(refused) => Answer::Refused(refused.status()),
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Answer::Cosigned(_) => 200,
            Answer::Conflict(_) => 409,
            Answer::Refused(status) => *status,
        }
    }

    /// The media type of the body.
    pub fn content_type(&self) -> &'static str {
        match self {
            Answer::Conflict(_) => SIZE_TYPE,
            Answer::Cosigned(_) | Answer::Refused(_) => TEXT_TYPE,
        }
    }

    /// The body.
    pub fn body(&self) -> String {
        match self {
            Answer::Cosigned(lines) => lines.iter().map(ToString::to_string).collect(),
            Answer::Conflict(size) => format!("{size}\n"),
            Answer::Refused(_) => String::new(),
        }
    }

    /// Reads what a witness answered; the lines are worth nothing before the note with them is verified.
    pub fn read(status: u16, body: &str) -> Result<Answer, Violation> {
        match status {
            200 => Signature::parse_lines(body).map(Answer::Cosigned),
            409 => {
                let size = body.strip_suffix('\n').and_then(|size| size.parse().ok());
                size.map(Answer::Conflict)
                    .ok_or_else(|| Violation::new("grammar", "body", "a size is expected"))
            }
            status => Ok(Answer::Refused(status)),
        }
    }
}

#[cfg(test)]
mod tests;
