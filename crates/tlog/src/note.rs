//! Signed notes (签名文本): a text and lines that say who signed it. C2SP signed-note and tlog-cosignature.
//!
//! Three kinds of line: a log's Ed25519 (0x01), a log's SM2 (0xff and the identifier `sm2`),
//! a witness's timestamped Ed25519 (`cosignature/v1`, 0x04).
//!
//! Invariant: a line of a key that is not known is ignored; a line of a known key that does not verify
//! refuses the whole note; one key counts once, however many lines it has.

use std::fmt;
use std::str::FromStr;

use tb_base::{Timestamp, Violation};
use tb_crypto::text::{base64, unbase64};
use tb_crypto::{Algorithm, PublicKey, SigningKey, sha256};

/// Most bytes of a note.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;
/// Most signature lines; the standard asks for at least 16.
pub const SIGNATURES_MAX: usize = 64;

/// What a signature line begins with: em dash and space.
const LINE_START: &str = "\u{2014} ";
/// Bytes of a key id before the signature.
const ID_BYTES: usize = 4;

/// How a line is signed (签名类型).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Ed25519 over the text.
    Ed25519,
    /// SM2 over SM3 of the text; a type of ours, as the standard has none.
    Sm2,
    /// Ed25519 over time and text: what a witness says (见证签名).
    Cosignature,
}

impl Kind {
    /// The type as it enters key ids and key texts.
    fn identifier(self) -> &'static [u8] {
        match self {
            Kind::Ed25519 => &[0x01],
            Kind::Sm2 => b"\xffsm2",
            Kind::Cosignature => &[0x04],
        }
    }

    fn algorithm(self) -> Algorithm {
        match self {
            Kind::Ed25519 | Kind::Cosignature => Algorithm::Ed25519,
            Kind::Sm2 => Algorithm::Sm2,
        }
    }
}

/// A key that verifies lines of a note, under the name of its owner (验签者).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    kind: Kind,
    key: PublicKey,
    id: u32,
}

impl Verifier {
    /// A verifier of one kind of line; name and algorithm must fit.
    pub fn new(name: &str, kind: Kind, key: PublicKey) -> Result<Verifier, Violation> {
        check_name(name)?;
        if key.algorithm() != kind.algorithm() {
            return Err(bad("key", "the algorithm of the key is not that of the kind"));
        }
        let hashed = [name.as_bytes(), b"\n", kind.identifier(), &key.to_bytes()].concat();
        let [a, b, c, d, ..] = sha256(&hashed);
        Ok(Verifier { name: name.to_owned(), kind, key, id: u32::from_be_bytes([a, b, c, d]) })
    }

    /// The owner's name; for a log, its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which lines it verifies.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The key id: the first four bytes of SHA-256(name ‖ newline ‖ type ‖ key).
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Verifies one line over a text; a cosignature tells its time.
    fn verify(&self, text: &str, signature: &Signature) -> Result<Verified, Violation> {
        let (time, message, bytes) = match self.kind {
            Kind::Ed25519 | Kind::Sm2 => (None, text.to_owned(), &signature.bytes[..]),
            Kind::Cosignature => {
                let (time, bytes) =
                    signature.bytes.split_first_chunk::<8>().ok_or_else(|| bad("signature", "too short"))?;
                let seconds = u64::from_be_bytes(*time);
                (Some(seconds), cosigned(seconds, text), bytes)
            }
        };
        let time = time.map(i64::try_from).transpose().map_err(|_| bad("signature", "time beyond 2^63-1"))?;
        self.key.verify(message.as_bytes(), bytes)?;
        Ok(Verified { name: self.name.clone(), kind: self.kind, seconds: time })
    }

    fn made(&self, signature: &Signature) -> bool {
        self.id == signature.id && self.name == signature.name
    }
}

/// The key as operators exchange it: `name+id+base64(type ‖ key)`, the vkey of signed-note.
impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [self.kind.identifier(), &self.key.to_bytes()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, base64(&key))
    }
}

impl FromStr for Verifier {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Verifier, Violation> {
        let parts: Vec<&str> = text.splitn(3, '+').collect();
        let [name, _, key] = parts[..] else { return Err(bad("key", "not name, id and key")) };
        let key = unbase64(key)?;
        let kinds = [Kind::Ed25519, Kind::Sm2, Kind::Cosignature];
        let found = kinds.into_iter().find_map(|kind| Some((kind, key.strip_prefix(kind.identifier())?)));
        let (kind, key) = found.ok_or_else(|| bad("key", "unknown type"))?;
        let key = PublicKey::from_bytes(kind.algorithm(), key).map_err(|_| bad("key", "not a public key"))?;
        let verifier = Verifier::new(name, kind, key)?;
        if verifier.to_string() == text {
            Ok(verifier)
        } else {
            Err(bad("key", "the id is not that of the key"))
        }
    }
}

/// A log's key that signs checkpoints (日志签名者).
#[derive(Clone, Debug)]
pub struct Signer {
    key: SigningKey,
    verifier: Verifier,
}

impl Signer {
    /// A signer under the log's origin; Ed25519 or SM2.
    pub fn new(name: &str, key: SigningKey) -> Result<Signer, Violation> {
        let kind = match key.algorithm() {
            Algorithm::Ed25519 => Kind::Ed25519,
            Algorithm::Sm2 => Kind::Sm2,
            Algorithm::P256 => return Err(bad("key", "logs sign with Ed25519 or SM2")),
        };
        let verifier = Verifier::new(name, kind, key.public())?;
        Ok(Signer { key, verifier })
    }

    /// The public half.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// A line over a note's text.
    pub fn sign(&self, note: &Note) -> Signature {
        let bytes = self.key.sign(note.text.as_bytes());
        Signature { name: self.verifier.name.clone(), id: self.verifier.id, bytes }
    }
}

/// A witness's key that cosigns checkpoints (见证签名者); its key serves nothing else.
#[derive(Clone, Debug)]
pub struct Cosigner {
    key: SigningKey,
    verifier: Verifier,
}

impl Cosigner {
    /// A cosigner under the witness's own name; Ed25519.
    pub fn new(name: &str, key: SigningKey) -> Result<Cosigner, Violation> {
        let verifier = Verifier::new(name, Kind::Cosignature, key.public())?;
        Ok(Cosigner { key, verifier })
    }

    /// The public half.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// A line over the text and this moment. Only [`crate::witness::decide`] knows whether it may be given.
    pub fn cosign(&self, note: &Note, now: Timestamp) -> Signature {
        let seconds = u64::try_from(now.seconds()).unwrap_or(0);
        let signature = self.key.sign(cosigned(seconds, &note.text).as_bytes());
        let bytes = [&seconds.to_be_bytes()[..], &signature].concat();
        Signature { name: self.verifier.name.clone(), id: self.verifier.id, bytes }
    }
}

/// What a cosignature signs: two lines, then the text.
fn cosigned(seconds: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

/// One signature line, verified or not (签名行).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    name: String,
    id: u32,
    bytes: Vec<u8>,
}

impl Signature {
    /// The name that the line claims.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads lines, each ended by a newline: what a witness answers with.
    pub fn parse_lines(text: &str) -> Result<Vec<Signature>, Violation> {
        if NOTE_BYTES_MAX < text.len() {
            return Err(bad("note", "too long"));
        }
        let lines = text.strip_suffix('\n').ok_or_else(|| bad("signature", "no newline at the end"))?;
        let lines: Vec<&str> = lines.split('\n').collect();
        if SIGNATURES_MAX < lines.len() {
            return Err(bad("signature", "too many lines"));
        }
        lines.into_iter().map(Signature::parse_line).collect()
    }

    fn parse_line(line: &str) -> Result<Signature, Violation> {
        let parts = line.strip_prefix(LINE_START).and_then(|line| line.split_once(' '));
        let (name, bytes) = parts.ok_or_else(|| bad("signature", "not dash, name and signature"))?;
        check_name(name)?;
        let bytes = unbase64(bytes)?;
        match bytes.split_first_chunk::<ID_BYTES>() {
            Some((id, [_, ..])) => Ok(Signature {
                name: name.to_owned(),
                id: u32::from_be_bytes(*id),
                bytes: bytes[ID_BYTES..].to_vec(),
            }),
            Some((_, [])) | None => Err(bad("signature", "too short")),
        }
    }
}

/// The line with its newline.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.id.to_be_bytes()[..], &self.bytes].concat();
        writeln!(f, "{LINE_START}{} {}", self.name, base64(&bytes))
    }
}

/// A signature that was verified (已验证的签名).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose.
    pub name: String,
    /// Of which kind.
    pub kind: Kind,
    /// When a witness cosigned, in seconds since 1970; logs do not say.
    pub seconds: Option<i64>,
}

/// A text with its signatures; of no worth before [`Note::verify`] (签名文本).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// A text that nobody has signed yet.
    pub fn new(text: &str) -> Result<Note, Violation> {
        if !text.ends_with('\n') || text.len() < 2 {
            return Err(bad("text", "empty, or no newline at the end"));
        }
        if text.contains(|letter: char| letter < ' ' && letter != '\n') {
            return Err(bad("text", "control character"));
        }
        if NOTE_BYTES_MAX < text.len() {
            return Err(bad("text", "too long"));
        }
        Ok(Note { text: text.to_owned(), signatures: Vec::new() })
    }

    /// Reads a note with at least one signature line.
    pub fn parse(note: &str) -> Result<Note, Violation> {
        if NOTE_BYTES_MAX < note.len() {
            return Err(bad("note", "too long"));
        }
        // The last empty line parts text and signatures; the text may have empty lines of its own.
        let at = note.rfind("\n\n").ok_or_else(|| bad("note", "no empty line before the signatures"))?;
        let (text, signatures) = (&note[..=at], &note[at + 2..]);
        Ok(Note { signatures: Signature::parse_lines(signatures)?, ..Note::new(text)? })
    }

    /// What is signed, with its final newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The note with one more line; a line that is already there is not repeated.
    #[must_use]
    pub fn with(mut self, signature: Signature) -> Note {
        if !self.signatures.contains(&signature) {
            self.signatures.push(signature);
        }
        self
    }

    /// Verifies the lines of these keys; each key that signed is named once.
    ///
    /// Refused when no known key signed, or when a line of a known key does not verify.
    pub fn verify(&self, known: &[Verifier]) -> Result<Vec<Verified>, Violation> {
        let (mut verified, mut counted) = (Vec::new(), Vec::new());
        for verifier in known {
            let mut own = None;
            for signature in self.signatures.iter().filter(|signature| verifier.made(signature)) {
                let found = verifier.verify(&self.text, signature)?;
                own.get_or_insert(found);
            }
            // One key under two names is one signer: what it signs does not hold the name.
            let key = (verifier.kind, &verifier.key);
            if let (Some(own), false) = (own, counted.contains(&key)) {
                counted.push(key);
                verified.push(own);
            }
        }
        if verified.is_empty() {
            return Err(bad("signature", "no known key signed"));
        }
        Ok(verified)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| signature.fmt(f))
    }
}

fn check_name(name: &str) -> Result<(), Violation> {
    if name.is_empty()
        || name.contains(|letter: char| letter.is_whitespace() || letter.is_control() || letter == '+')
    {
        return Err(bad("name", "empty, or with space, plus or control character"));
    }
    Ok(())
}

fn bad(component: &'static str, detail: &'static str) -> Violation {
    Violation::new("note-invalid", component, detail)
}

#[cfg(test)]
pub(crate) mod tests;
