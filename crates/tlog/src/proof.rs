//! A proof that anybody can check alone (离线存证证明): index, path and cosigned checkpoint. C2SP tlog-proof.

use std::fmt;
use std::str::FromStr;

use tb_base::Violation;
use tb_crypto::text::base64;

use crate::checkpoint::Checkpoint;
use crate::hash::{Hash, parse_decimal, parse_hash};
use crate::note::{NOTE_BYTES_MAX, Note, Verified, Verifier};
use crate::verify::verify_inclusion;

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// Most hashes of a path: a tree has at most 2⁶² leaves.
const PATH_HASHES_MAX: usize = 62;
/// Most bytes of a proof: the note, and the path of 45 bytes a line.
const PROOF_BYTES_MAX: usize = NOTE_BYTES_MAX + 4096;

/// That a leaf stands in a log (存证证明); of no worth before [`LogProof::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogProof {
    /// Where the leaf stands.
    pub index: u64,
    /// The hashes from the leaf's sibling up.
    pub path: Vec<Hash>,
    /// The checkpoint with its signatures.
    pub note: Note,
}

/// What a proof has shown (已证明).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The checkpoint that the leaf stands under.
    pub checkpoint: Checkpoint,
    /// Signatures of the log, at least one.
    pub log: Vec<Verified>,
    /// Cosignatures of distinct witnesses; the caller knows how many are enough.
    pub witnesses: Vec<Verified>,
}

impl LogProof {
    /// Shows that the leaf stands in the log whose keys these are, and which of the witnesses saw it.
    ///
    /// Refused when the log did not sign, when the checkpoint is of another origin than the log's name,
    /// when a line of a known key does not verify, or when the path does not lead to the root.
    pub fn verify(
        &self,
        leaf_hash: &Hash,
        log: &[Verifier],
        witnesses: &[Verifier],
    ) -> Result<Proven, Violation> {
        let checkpoint = Checkpoint::parse(self.note.text())?;
        let own: Vec<Verifier> = log.iter().filter(|key| key.name() == checkpoint.origin).cloned().collect();
        let signed = self.note.verify(&own)?;
        // Log and witnesses are verified apart: no log line may stand in for a witness.
        let all = [&own[..], witnesses].concat();
        let seen = self.note.verify(&all)?.split_off(signed.len());
        verify_inclusion(leaf_hash, self.index, checkpoint.size, &self.path, &checkpoint.root)?;
        Ok(Proven { checkpoint, log: signed, witnesses: seen })
    }
}

impl fmt::Display for LogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}\nindex {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", base64(hash)))?;
        write!(f, "\n{}", self.note)
    }
}

/// The line `extra` of the standard is refused: nothing signs it.
impl FromStr for LogProof {
    type Err = Violation;

    fn from_str(text: &str) -> Result<LogProof, Violation> {
        let bad = |detail: &'static str| Violation::new("proof-invalid", "text", detail);
        if PROOF_BYTES_MAX < text.len() {
            return Err(bad("too long"));
        }
        let (head, note) =
            text.split_once("\n\n").ok_or_else(|| bad("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(bad("not a tlog-proof of version 1"));
        }
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(parse_decimal);
        let path = lines.map(parse_hash).collect::<Result<Vec<Hash>, Violation>>()?;
        if PATH_HASHES_MAX < path.len() {
            return Err(bad("the path is longer than any tree is high"));
        }
        let note = Note::parse(note)?;
        // A text that is no checkpoint could hide lines of the path in it.
        Checkpoint::parse(note.text())?;
        Ok(LogProof { index: index.ok_or_else(|| bad("no index"))?, path, note })
    }
}

#[cfg(test)]
mod tests;
