//! Evidence of a fork (分叉证据): two notes that one log signed and that cannot both be its history.
//!
//! Two roots of one size are proof by themselves. Where a longer log does not continue the known one, the witness
//! testifies to the proof that it was given: the log can clear itself by a better one, and by nothing else.

use serde::{Deserialize, Serialize};
use tb_base::{Fault, NodeId, Result, Timestamp, Violation};
use tb_crypto::text;
use tb_tlog::note::Note;
use tb_tlog::{Checkpoint, verify_consistency};

use crate::keys::{KeyUse, Secrets};
use crate::witness::checkpoint_of;
use crate::{SignedTrustList, TrustList};

/// What a document calls itself.
pub const FORMAT: &str = "tongban-fork-v1";
/// The largest document that is read.
pub const FORK_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Letters of its id in the name of its file.
const NAME_LETTERS: usize = 16;
/// What stands before the canonical text when a document is signed.
const SIGNED_AS: &[u8] = b"tongban-fork-v1\n";

/// What a witness saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fork {
    /// [`FORMAT`].
    pub format: String,
    /// The city whose log it is.
    pub log: NodeId,
    /// The city that witnessed it.
    pub witness: NodeId,
    /// When.
    pub at: Timestamp,
    /// The note that the witness had cosigned last.
    pub known: String,
    /// The note that it was asked to cosign then.
    pub shown: String,
    /// The proof that came with it, base64 of each hash.
    pub proof: Vec<String>,
    /// The trust list in force at the witness.
    pub trust: SignedTrustList,
}

/// What a witness saw, signed with the message key of its city.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedFork {
    /// What it saw.
    pub fork: Fork,
    /// Ed25519 over the canonical text, base64.
    pub signature: String,
}

/// What a document shows to whoever has the trust list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The log signed two roots of this size: nothing can explain that.
    Proven(u64),
    /// The log signed a longer history and gave no proof that it continues the other, as the witness testifies.
    Testified {
        /// The size that was known.
        known: u64,
        /// The size that was shown.
        shown: u64,
    },
}

impl Fork {
    /// Signs it as the witness.
    pub fn sign(self, secrets: &Secrets) -> Result<SignedFork> {
        let signature = text::base64(&secrets.message.sign(&signed_text(&self)?));
        Ok(SignedFork { fork: self, signature })
    }

    /// The two trees, the known one first, as their notes name them; whether the log signed them says [`SignedFork::verify`].
    pub fn trees(&self) -> Result<[Checkpoint; 2]> {
        let read = |text: &str| -> Result<Checkpoint> { Ok(Checkpoint::parse(Note::parse(text)?.text())?) };
        Ok([read(&self.known)?, read(&self.shown)?])
    }

    /// What the file of the document is called.
    pub fn file_name(&self) -> Result<String> {
        let id = self.id()?;
        Ok(format!("fork-{}.json", id.get(..NAME_LETTERS).unwrap_or(&id)))
    }

    /// Names the two histories: the same pair has the same id, however often it is shown.
    pub fn id(&self) -> Result<String> {
        let texts = [Note::parse(&self.known)?, Note::parse(&self.shown)?];
        let joined = [texts[0].text().as_bytes(), b"\0", texts[1].text().as_bytes()].concat();
        Ok(text::hex(&tb_crypto::sha256(&joined)))
    }
}

impl SignedFork {
    /// Reads a document; what it says is to be verified.
    pub fn from_json(bytes: &[u8]) -> std::result::Result<SignedFork, Violation> {
        if FORK_BYTES_MAX < bytes.len() {
            return Err(Violation::new("too-large", "fork", format!("at most {FORK_BYTES_MAX} bytes")));
        }
        serde_json::from_slice(bytes).map_err(|error| Violation::new("grammar", "fork", error.to_string()))
    }

    /// The document as a file, the same wherever it is written.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|error| Fault::of("writing evidence of a fork", error).into())
    }

    /// Checks everything with a trust list got from elsewhere: both signatures of the log under
    /// each note, the witness's, the histories.
    pub fn verify(&self, trust: &TrustList) -> Result<Shown> {
        let fork = &self.fork;
        let city = |node: NodeId| {
            let known = trust.known(node);
            known.ok_or_else(|| Violation::new("key-unknown", "fork", format!("{node} is not in the list")))
        };
        if fork.format != FORMAT || fork.trust.list.region != trust.region {
            return Err(Violation::new("grammar", "fork", "another format or another region").into());
        }
        let signature = text::unbase64(&self.signature)?;
        city(fork.witness)?.verify_at(KeyUse::Message, fork.at, &signed_text(fork)?, &signature)?;
        let log = city(fork.log)?;
        let read = |text: &str| -> Result<Checkpoint> { Ok(checkpoint_of(log, &Note::parse(text)?)?) };
        shown(&read(&fork.known)?, &read(&fork.shown)?, &fork.proof)
    }
}

fn shown(known: &Checkpoint, shown: &Checkpoint, proof: &[String]) -> Result<Shown> {
    let nothing = || Violation::new("inconsistent", "fork", "the two notes may both be true");
    if known.size == shown.size {
        return if known.root == shown.root { Err(nothing().into()) } else { Ok(Shown::Proven(known.size)) };
    }
    let hashes = proof.iter().map(|hash| text::fixed(&text::unbase64(hash)?));
    let hashes: Vec<[u8; 32]> = hashes.collect::<std::result::Result<_, _>>()?;
    let continues = verify_consistency(known.size, &known.root, shown.size, &shown.root, &hashes).is_ok();
    if shown.size < known.size || continues {
        return Err(nothing().into());
    }
    Ok(Shown::Testified { known: known.size, shown: shown.size })
}

fn signed_text(fork: &Fork) -> Result<Vec<u8>> {
    Ok([SIGNED_AS, &tb_crypto::canonical(fork)?].concat())
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use tb_tlog::{Checkpoint, leaf_hash, note::Note};

    use super::{FORMAT, Fork, Shown};
    use crate::fixture::{NOON, Region, changsha, xiangtan};
    use crate::witness::signers;

    fn note(region: &Region, size: u64, leaf: &[u8]) -> String {
        lines(region, size, leaf, 0..2)
    }

    /// A note of the log with the first, the second or both of its signatures.
    fn lines(region: &Region, size: u64, leaf: &[u8], which: Range<usize>) -> String {
        let city = region.trust.list.city(changsha()).unwrap();
        let checkpoint = Checkpoint { origin: city.log_origin.clone(), size, root: leaf_hash(leaf) };
        let bare = Note::new(&checkpoint.text()).unwrap();
        let signers = signers(city, &region.secrets[&changsha()]).unwrap();
        signers[which].iter().fold(bare.clone(), |note, signer| note.with(signer.sign(&bare))).to_string()
    }

    fn fork(region: &Region, known: String, shown: String) -> Fork {
        let trust = region.trust.clone();
        let (log, witness, format) = (changsha(), xiangtan(), FORMAT.to_owned());
        Fork { format, log, witness, at: NOON, known, shown, proof: Vec::new(), trust }
    }

    #[test]
    fn two_roots_of_one_size_are_proof_for_anybody() {
        let region = Region::new();
        let seen = fork(&region, note(&region, 1, b"one"), note(&region, 1, b"other"));
        let signed = seen.clone().sign(&region.secrets[&xiangtan()]).unwrap();
        assert_eq!(signed.verify(&region.trust.list).unwrap(), Shown::Proven(1));
        assert_eq!(seen.id().unwrap(), seen.clone().id().unwrap());
        let longer = fork(&region, note(&region, 1, b"one"), note(&region, 2, b"other"));
        let longer = longer.sign(&region.secrets[&xiangtan()]).unwrap();
        let expected = Shown::Testified { known: 1, shown: 2 };
        assert_eq!(longer.verify(&region.trust.list).unwrap(), expected);
    }

    #[test]
    fn what_is_no_fork_or_was_made_up_accuses_nobody() {
        let region = Region::new();
        let refused = |fork: Fork, by| fork.sign(&region.secrets[&by]).unwrap().verify(&region.trust.list);
        let (one, other) = (note(&region, 1, b"one"), note(&region, 1, b"other"));
        assert!(refused(fork(&region, one.clone(), one.clone()), xiangtan()).is_err(), "the same note twice");
        assert!(refused(fork(&region, one.clone(), other.clone()), changsha()).is_err(), "not the witness");
        let mut strange = fork(&region, one.clone(), other.clone());
        strange.log = xiangtan();
        assert!(refused(strange, xiangtan()).is_err(), "another city's log");
        let letter = if other.contains("AAAA") { "BBBB" } else { "AAAA" };
        let at = other.len() - 12;
        let spoiled = format!("{}{letter}{}", &other[..at], &other[at + 4..]);
        assert!(
            refused(fork(&region, one, spoiled), xiangtan()).is_err(),
            "a note that the log did not sign"
        );
    }

    /// Either algorithm may be broken one day: a note counts against a log with both of its signatures only.
    #[test]
    fn a_note_with_one_signature_of_the_log_accuses_nobody() {
        let region = Region::new();
        for one in [0..1, 1..2] {
            let half = lines(&region, 1, b"other", one.clone());
            for (known, shown) in [(note(&region, 1, b"one"), half.clone()), (half, note(&region, 1, b"one"))]
            {
                let signed = fork(&region, known, shown).sign(&region.secrets[&xiangtan()]).unwrap();
                assert!(signed.verify(&region.trust.list).is_err(), "line {one:?} alone");
            }
        }
    }
}
