//! Sealing of personal data at rest (落库加密): AES-256-GCM or SM4-GCM, and blind tags to look sealed values up.
//!
//! A sealed value is `suite + 16 ‖ key number(4) ‖ nonce(12) ‖ ciphertext ‖ tag(16)`; head and associated data are
//! authenticated. Values from before there were several keys are `suite ‖ nonce ‖ ciphertext ‖ tag` and open under
//! the founding key. GCM is NIST SP 800-38D; SM4 is GB/T 32907-2016, its GCM as in RFC 8998.
//!
//! Invariants: each key derived here has one job; tags have a key that never changes, so that what is found by them
//! is found whatever key seals. Nonces are random, so one key seals at most 2³² values (SP 800-38D §8.3) before it
//! is replaced.

mod ring;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, Payload};
use sm4::Sm4;
use tb_base::{Entropy, Violation};

use crate::digest::{Hash, derive_key, hmac_sm3};

pub use ring::{KeyId, Mark, Ring, Suite};

type Sm4Gcm = AesGcm<Sm4, U12>;

/// Bytes of a GCM nonce (SP 800-38D §5.2.1.1).
const NONCE_BYTES: usize = 12;
/// Bytes of a GCM tag, never shortened.
const TAG_BYTES: usize = 16;

/// Seals under the newest key and opens under every key that is known (保险柜); opens what either suite sealed.
///
/// Clones share their keys: new ones reach every holder at once.
#[derive(Clone)]
pub struct Vault {
    ring: Arc<RwLock<Arc<Ring>>>,
    tags: [u8; 32],
}

impl Vault {
    /// A vault with the founding key alone, which seals with AES-256-GCM.
    pub fn new(key: [u8; 32]) -> Vault {
        Vault::with_suite(key, Suite::Aes256Gcm)
    }

    /// A vault with the founding key alone, which seals with a named suite.
    pub fn with_suite(key: [u8; 32], suite: Suite) -> Vault {
        Vault::with_ring(key, Ring::founded(key, suite))
    }

    /// A vault that seals and opens with the keys of a ring; tags are those of the founding key for ever.
    pub fn with_ring(founding: [u8; 32], ring: Ring) -> Vault {
        let tags = derive_key(Hash::Sm3, &founding, b"tongban vault tag v1");
        Vault { ring: Arc::new(RwLock::new(Arc::new(ring))), tags }
    }

    /// From now on this vault and its clones use these keys.
    pub fn change_keys(&self, ring: Ring) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    /// How this vault seals now: suite and key.
    pub fn sealing(&self) -> Mark {
        self.ring().sealing()
    }

    /// Whether this vault uses these very keys already.
    pub fn uses(&self, ring: &Ring) -> bool {
        self.ring().is_same(ring)
    }

    /// The numbers of the keys that open here.
    pub fn key_ids(&self) -> Vec<KeyId> {
        self.ring().ids()
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Seals a value; `aad` says where it belongs (table, row, column), so that it opens nowhere else.
    ///
    /// # Panics
    /// Never: a ring always holds the key that it seals with.
    pub fn seal(&self, entropy: &mut dyn Entropy, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let ring = self.ring();
        let head = ring.sealing().head();
        let sealed = ring.newest().encrypt(ring.sealing().suite, nonce, &[&head, aad].concat(), plain);
        [&head, &nonce[..], &sealed].concat()
    }

    /// Opens a sealed value of either suite; a changed byte, another place or an unknown key is a violation.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> tb_base::Result<Vec<u8>> {
        let (mark, head_bytes) = Mark::of(sealed).ok_or_else(bad)?;
        let ring = self.ring();
        let key = ring.find(mark.key).ok_or_else(|| {
            let detail = format!("sealed under key {}, which is not among the city's keys", mark.key);
            Violation::new("sealed-key-unknown", "vault", detail)
        })?;
        let (head, rest) = sealed.split_at(head_bytes);
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(bad)?;
        let plain = key.decrypt(mark.suite, *nonce, &[head, aad].concat(), sealed);
        Ok(plain.ok_or_else(bad)?)
    }

    /// A blind tag of a text (盲索引), the same for the same text in the same domain: HMAC-SM3 under its own key.
    pub fn tag(&self, domain: &str, text: &str) -> [u8; 32] {
        let length = u64::try_from(domain.len()).unwrap_or(u64::MAX).to_be_bytes();
        hmac_sm3(&self.tags, &[&length[..], domain.as_bytes(), text.as_bytes()].concat())
    }
}

fn bad() -> Violation {
    Violation::new("sealed-invalid", "vault", "does not open under this key in this place")
}

/// # Panics
/// Only for a plaintext beyond GCM's 64 GiB, which no column and no attachment reaches.
fn encrypt(
    cipher: &impl Aead<NonceSize = U12>,
    nonce: [u8; NONCE_BYTES],
    aad: &[u8],
    plain: &[u8],
) -> Vec<u8> {
    let sealed = cipher.encrypt(&nonce.into(), Payload { msg: plain, aad });
    let sealed = sealed.expect("a plaintext is shorter than 64 GiB");
    debug_assert_eq!(sealed.len(), plain.len() + TAG_BYTES);
    sealed
}

fn decrypt(
    cipher: &impl Aead<NonceSize = U12>,
    nonce: [u8; NONCE_BYTES],
    aad: &[u8],
    sealed: &[u8],
) -> Option<Vec<u8>> {
    cipher.decrypt(&nonce.into(), Payload { msg: sealed, aad }).ok()
}

/// Shows how it seals, never a key.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.sealing())
    }
}

#[cfg(test)]
mod tests;
