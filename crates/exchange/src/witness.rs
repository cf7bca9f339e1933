//! Cosigning each other's logs (互相见证): names of keys, address and texts of C2SP tlog-witness.
//!
//! The decision itself is `tb_tlog::witness::decide`; here is what travels.

use tb_base::{NodeId, Violation};
use tb_tlog::note::{Cosigner, Kind, Signature, Signer, Verifier};
use tb_tlog::witness::{Accepted, Refused};

use crate::City;
use crate::keys::{KeyUse, Secrets, WitnessKey};

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

/// The keys that sign a city's checkpoints: Ed25519, then SM2; then those that it had before.
///
/// A checkpoint bears no time and a quiet log stands as it was signed, so former keys count without end:
/// whoever has one can only continue the log that the witnesses know.
pub fn log_keys(city: &City) -> Result<Vec<Verifier>, Violation> {
    let mut verifiers = Vec::new();
    for keys in city.keys_ever() {
        let pair = [(Kind::Ed25519, KeyUse::Log), (Kind::Sm2, KeyUse::LogSm2)];
        for (kind, key_use) in pair {
            let verifier = Verifier::new(&city.log_origin, kind, keys.key(key_use)?)?;
            if !verifiers.contains(&verifier) {
                verifiers.push(verifier);
            }
        }
    }
    Ok(verifiers)
}

/// The keys of a city's witness, the present one first.
pub fn witness_keys(city: &City) -> Result<Vec<Verifier>, Violation> {
    let mut verifiers = Vec::new();
    for keys in city.keys_ever() {
        let key = keys.key(KeyUse::Witness)?;
        let verifier = Verifier::new(&witness_name(city.node), Kind::Cosignature, key)?;
        if !verifiers.contains(&verifier) {
            verifiers.push(verifier);
        }
    }
    Ok(verifiers)
}

/// The key of a city's witness.
pub fn witness_key(city: &City) -> Result<Verifier, Violation> {
    Verifier::new(&witness_name(city.node), Kind::Cosignature, city.keys.key(KeyUse::Witness)?)
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
mod tests {
    use tb_tlog::note::Note;
    use tb_tlog::witness::{Known, Request, decide};
    use tb_tlog::{Checkpoint, leaf_hash};

    use super::{Answer, cosigner, log_keys, signers, witness_key};
    use crate::fixture::{NOON, Region, changsha, xiangtan};

    #[test]
    fn a_city_cosigns_anothers_checkpoint_once_it_grew() {
        let region = Region::new();
        let city = region.trust.list.city(changsha()).unwrap();
        let witness = region.trust.list.city(xiangtan()).unwrap();
        let root = leaf_hash(b"first");
        let text = Checkpoint { origin: city.log_origin.clone(), size: 1, root }.text();
        let mut note = Note::new(&text).unwrap();
        for signer in signers(city, &region.secrets[&changsha()]).unwrap() {
            note = note.clone().with(signer.sign(&note));
        }
        let asked = Request { old: 0, proof: Vec::new(), note }.to_string();
        let request: Request = asked.parse().unwrap();
        let cosigner = cosigner(witness, &region.witnesses[&xiangtan()]).unwrap();
        let keys = log_keys(city).unwrap();
        let decided = decide(&keys, Known::NOTHING, &request, &cosigner, NOON);
        let answer = Answer::of(&decided);
        let read = Answer::read(answer.status(), &answer.body()).unwrap();
        assert_eq!(read, answer);
        let Answer::Cosigned(lines) = read else { panic!("it cosigns") };
        let note = lines.into_iter().fold(request.note.clone(), Note::with);
        assert_eq!(note.verify(&[witness_key(witness).unwrap()]).unwrap().len(), 1);
        assert_eq!(note.verify(&keys).unwrap().len(), 2);

        let stale = decide(&keys, Known { size: 5, root }, &request, &cosigner, NOON);
        let answer = Answer::of(&stale);
        assert_eq!((answer.status(), answer.body().as_str()), (409, "5\n"));
        assert_eq!(Answer::read(409, "5\n").unwrap(), Answer::Conflict(5));
        assert!(Answer::read(409, "five\n").is_err());
    }
}
