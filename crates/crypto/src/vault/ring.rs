//! The keys of a vault (密钥环): the newest seals, all of them open.
//!
//! Invariant: a ring always holds the key that it seals with.

use std::collections::BTreeMap;
use std::fmt;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::KeyInit;

use super::{NONCE_BYTES, Sm4Gcm, decrypt, encrypt};
use crate::digest::{Hash, derive_key};

/// What is added to the suite where the number of the key follows.
const NUMBERED: u8 = 0x10;
/// Bytes before the nonce: suite and number of the key.
const HEAD_BYTES: usize = 5;

/// How a value is sealed (密码套件); the number stands in the first byte of what is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Suite {
    /// AES with a key of 256 bits.
    Aes256Gcm = 1,
    /// SM4 (国密分组密码), key of 128 bits.
    Sm4Gcm = 2,
}

impl Suite {
    fn from_byte(byte: u8) -> Option<Suite> {
        match byte {
            1 => Some(Suite::Aes256Gcm),
            2 => Some(Suite::Sm4Gcm),
            _ => None,
        }
    }

    /// The word of configurations, such as `sm4-gcm`.
    pub fn word(self) -> &'static str {
        match self {
            Suite::Aes256Gcm => "aes-256-gcm",
            Suite::Sm4Gcm => "sm4-gcm",
        }
    }
}

/// The number of a vault key (密钥编号): 0 is the founding key, each new one has the next number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(pub u32);

impl KeyId {
    /// The key that the city was founded with.
    pub const FOUNDING: KeyId = KeyId(0);
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// With what a value was sealed (封存标记): suite and key, as its first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The suite.
    pub suite: Suite,
    /// The key.
    pub key: KeyId,
}

impl Mark {
    /// The first bytes of a value that is sealed so.
    pub(super) fn head(self) -> [u8; HEAD_BYTES] {
        let [a, b, c, d] = self.key.0.to_be_bytes();
        [self.suite as u8 | NUMBERED, a, b, c, d]
    }

    /// The mark of a sealed value and how many bytes it takes; nothing where the bytes are no sealed value.
    pub(super) fn of(sealed: &[u8]) -> Option<(Mark, usize)> {
        let first = *sealed.first()?;
        if first & NUMBERED == 0 {
            // From before there were several keys.
            return Some((Mark { suite: Suite::from_byte(first)?, key: KeyId::FOUNDING }, 1));
        }
        let suite = Suite::from_byte(first ^ NUMBERED)?;
        let number: [u8; 4] = sealed.get(1..HEAD_BYTES)?.try_into().ok()?;
        Some((Mark { suite, key: KeyId(u32::from_be_bytes(number)) }, HEAD_BYTES))
    }

    /// With what a value was sealed, as far as its first bytes tell.
    pub fn read(sealed: &[u8]) -> Option<Mark> {
        Mark::of(sealed).map(|(mark, _)| mark)
    }
}

/// As audit lines and progress name it, such as `3/sm4-gcm`.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.key, self.suite.word())
    }
}

/// One key, ready for both suites.
#[derive(Clone)]
pub(super) struct Key {
    /// Tells it from another key of the same number; the key does not follow from it.
    fingerprint: [u8; 32],
    aes: Box<Aes256Gcm>,
    sm4: Box<Sm4Gcm>,
}

impl Key {
    fn new(key: &[u8; 32]) -> Key {
        let job = |name: &[u8]| derive_key(Hash::Sm3, key, name);
        let sm4_key: [u8; 32] = job(b"tongban vault sm4-gcm v1");
        let mut sm4_half = [0; 16];
        sm4_half.copy_from_slice(&sm4_key[..16]);
        Key {
            fingerprint: job(b"tongban vault fingerprint v1"),
            aes: Box::new(Aes256Gcm::new(&job(b"tongban vault aes-256-gcm v1").into())),
            sm4: Box::new(Sm4Gcm::new(&sm4_half.into())),
        }
    }

    pub(super) fn encrypt(
        &self,
        suite: Suite,
        nonce: [u8; NONCE_BYTES],
        bound: &[u8],
        plain: &[u8],
    ) -> Vec<u8> {
        match suite {
            Suite::Aes256Gcm => encrypt(&*self.aes, nonce, bound, plain),
            Suite::Sm4Gcm => encrypt(&*self.sm4, nonce, bound, plain),
        }
    }

    pub(super) fn decrypt(
        &self,
        suite: Suite,
        nonce: [u8; NONCE_BYTES],
        bound: &[u8],
        sealed: &[u8],
    ) -> Option<Vec<u8>> {
        match suite {
            Suite::Aes256Gcm => decrypt(&*self.aes, nonce, bound, sealed),
            Suite::Sm4Gcm => decrypt(&*self.sm4, nonce, bound, sealed),
        }
    }
}

/// The keys of a vault (密钥环).
#[derive(Clone)]
pub struct Ring {
    suite: Suite,
    newest: (KeyId, Key),
    others: BTreeMap<KeyId, Key>,
}

impl Ring {
    /// The founding key alone.
    pub fn founded(key: [u8; 32], suite: Suite) -> Ring {
        Ring::sealing_with(KeyId::FOUNDING, key, suite)
    }

    /// One key, which seals.
    pub fn sealing_with(id: KeyId, key: [u8; 32], suite: Suite) -> Ring {
        Ring { suite, newest: (id, Key::new(&key)), others: BTreeMap::new() }
    }

    /// One more key, which opens only.
    #[must_use]
    pub fn opening_with(mut self, id: KeyId, key: [u8; 32]) -> Ring {
        if id != self.newest.0 {
            self.others.insert(id, Key::new(&key));
        }
        self
    }

    /// How it seals.
    pub fn sealing(&self) -> Mark {
        Mark { suite: self.suite, key: self.newest.0 }
    }

    /// The numbers of its keys, in order.
    pub fn ids(&self) -> Vec<KeyId> {
        let mut ids: Vec<KeyId> = self.others.keys().copied().collect();
        ids.push(self.newest.0);
        ids.sort_unstable();
        ids
    }

    /// Whether another ring seals alike and opens with the very same keys; their numbers alone do not tell.
    pub fn is_same(&self, other: &Ring) -> bool {
        self.sealing() == other.sealing() && self.fingerprints() == other.fingerprints()
    }

    fn fingerprints(&self) -> BTreeMap<KeyId, [u8; 32]> {
        let others = self.others.iter().map(|(id, key)| (*id, key.fingerprint));
        others.chain([(self.newest.0, self.newest.1.fingerprint)]).collect()
    }

    pub(super) fn newest(&self) -> &Key {
        &self.newest.1
    }

    pub(super) fn find(&self, id: KeyId) -> Option<&Key> {
        if id == self.newest.0 { Some(&self.newest.1) } else { self.others.get(&id) }
    }
}

/// Shows how it seals, never a key.
impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ring({})", self.sealing())
    }
}
