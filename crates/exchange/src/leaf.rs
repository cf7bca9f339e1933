//! What the log holds (日志叶): commitments, never content.
//!
//! Invariant: a leaf has one encoding of [`LEAF_BYTES`] bytes, and holds nothing by which a person can be guessed:
//! the subject is committed to with a salt of 16 bytes that stays with the node that wrote the leaf.

use tb_base::{MessageId, Result, Timestamp, Violation};

/// The size of every leaf: version, kind, time, id, contract, content, base, subject.
pub const LEAF_BYTES: usize = 1 + 1 + 8 + 26 + 16 + 32 + 32 + 32;
/// The first byte of every leaf of this form.
const LEAF_VERSION: u8 = 1;

/// What a leaf says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LeafKind {
    /// A request or message was handed to the outbox (发出).
    Sent = 1,
    /// A request or message was received and checked (收到).
    Received = 2,
    /// A query was answered (应答).
    Answered = 3,
    /// An answer was received (收到应答).
    Got = 4,
    /// A receipt was given (回执).
    Receipt = 5,
    /// Somebody looked at a person's data (查看).
    Look = 6,
    /// A licence was issued or changed its state (证照事件).
    Licence = 7,
    /// A case moved (办件事件).
    Case = 8,
    /// A definition, contract or trust list took effect (规则生效).
    Definition = 9,
}

/// A leaf before encoding. The encoding has a fixed size and a version byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What happened.
    pub kind: LeafKind,
    /// When, by the clock of the node that writes it.
    pub at: Timestamp,
    /// The message, case, licence or look that it is about: its id.
    pub id: MessageId,
    /// First 16 bytes of the contract's hash; zero where none applies.
    pub contract: [u8; 16],
    /// SHA-256 of the content: body of the message, canonical JSON of the event.
    pub content: [u8; 32],
    /// SHA-256 of the signature base, where a signature was made or checked.
    pub base: [u8; 32],
    /// SHA-256 of salt ‖ subject, where a person is concerned.
    pub subject: [u8; 32],
}

/// SHA-256 of salt ‖ subject: tells nothing to whoever has not the salt.
pub fn subject_commitment(salt: &[u8; 16], subject: &[u8]) -> [u8; 32] {
    tb_crypto::sha256(&[salt.as_slice(), subject].concat())
}

impl LeafKind {
    const ALL: [LeafKind; 9] = [
        LeafKind::Sent,
        LeafKind::Received,
        LeafKind::Answered,
        LeafKind::Got,
        LeafKind::Receipt,
        LeafKind::Look,
        LeafKind::Licence,
        LeafKind::Case,
        LeafKind::Definition,
    ];

    /// The kind that is written as this byte.
    pub fn from_byte(byte: u8) -> Option<LeafKind> {
        LeafKind::ALL.into_iter().find(|known| *known as u8 == byte)
    }
}

impl Leaf {
    /// The bytes that are hashed into the log.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LEAF_BYTES);
        bytes.push(LEAF_VERSION);
        bytes.push(self.kind as u8);
        bytes.extend_from_slice(&self.at.micros().to_be_bytes());
        bytes.extend_from_slice(self.id.as_str().as_bytes());
        bytes.extend_from_slice(&self.contract);
        bytes.extend_from_slice(&self.content);
        bytes.extend_from_slice(&self.base);
        bytes.extend_from_slice(&self.subject);
        bytes
    }

    /// Reads a leaf back; anything that `encode` does not write is a violation.
    pub fn decode(bytes: &[u8]) -> Result<Leaf> {
        let mut rest = Rest(bytes);
        let [version] = rest.take()?;
        let [kind] = rest.take()?;
        if version != LEAF_VERSION {
            return Err(bad("the version is not known").into());
        }
        let kind = LeafKind::from_byte(kind);
        let leaf = Leaf {
            kind: kind.ok_or_else(|| bad("the kind is not known"))?,
            at: Timestamp(i64::from_be_bytes(rest.take()?)),
            id: rest.id()?,
            contract: rest.take()?,
            content: rest.take()?,
            base: rest.take()?,
            subject: rest.take()?,
        };
        if rest.0.is_empty() { Ok(leaf) } else { Err(bad("there are bytes behind the leaf").into()) }
    }
}

/// What of the bytes has not been read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or_else(|| bad("the leaf is too short"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn id(&mut self) -> Result<MessageId> {
        let bytes: [u8; 26] = self.take()?;
        let text = std::str::from_utf8(&bytes).map_err(|_| bad("the id is not text"))?;
        text.parse().map_err(|_| bad("the id is not well formed").into())
    }
}

fn bad(detail: &'static str) -> Violation {
    Violation::new("grammar", "leaf", detail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

    use super::{LEAF_BYTES, Leaf, LeafKind};
    use tb_base::{MessageId, Timestamp};

    struct Fixed([u8; 16]);

    impl tb_base::Entropy for Fixed {
        fn fill(&mut self, buffer: &mut [u8]) {
            for (byte, random) in buffer.iter_mut().zip(self.0) {
                *byte = random;
            }
        }
    }

    fn leaves() -> impl Strategy<Value = Leaf> {
        let hashes = (any::<[u8; 16]>(), any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u8; 32]>());
        (0_usize..9, any::<i64>(), any::<[u8; 16]>(), hashes).prop_map(|(kind, at, random, hashes)| Leaf {
            kind: LeafKind::ALL[kind],
            at: Timestamp(at),
            id: MessageId::new(Timestamp(at), &mut Fixed(random)),
            contract: hashes.0,
            content: hashes.1,
            base: hashes.2,
            subject: hashes.3,
        })
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(leaf in leaves()) {
            let bytes = leaf.encode();
            prop_assert_eq!(bytes.len(), LEAF_BYTES);
            prop_assert_eq!(Leaf::decode(&bytes).ok(), Some(leaf));
        }

        #[test]
        fn whatever_decodes_is_the_encoding(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(leaf) = Leaf::decode(&bytes) {
                prop_assert_eq!(leaf.encode(), bytes);
            }
        }

        #[test]
        fn a_cut_or_longer_leaf_is_refused(leaf in leaves(), cut in 0_usize..LEAF_BYTES) {
            let mut bytes = leaf.encode();
            prop_assert_eq!(Leaf::decode(&bytes[..cut]).is_err(), true);
            bytes.push(0);
            prop_assert_eq!(Leaf::decode(&bytes).is_err(), true);
        }
    }

    #[test]
    fn a_leaf_keeps_below_300_bytes() {
        const { assert!(LEAF_BYTES <= 300) }
    }
}
