//! Sealing of personal data at rest (落库加密): AES-256-GCM or SM4-GCM, and blind tags to look sealed values up.
//!
//! A sealed value is `suite ‖ nonce(12) ‖ ciphertext ‖ tag(16)`; suite and associated data are authenticated.
//! GCM is NIST SP 800-38D; SM4 is GB/T 32907-2016, its GCM as in RFC 8998.
//!
//! Invariant: each key derived here has one job. Nonces are random, so one vault key seals at most 2³² values
//! (SP 800-38D §8.3) before it is replaced.

use std::fmt;

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, AesGcm};
use sm4::Sm4;
use tb_base::{Entropy, Violation};

use crate::digest::{Hash, derive_key, hmac_sm3};

type Sm4Gcm = AesGcm<Sm4, U12>;

/// Bytes of a GCM nonce (SP 800-38D §5.2.1.1).
const NONCE_BYTES: usize = 12;
/// Bytes of a GCM tag, never shortened.
const TAG_BYTES: usize = 16;

/// How a value is sealed (密码套件); the number is the first byte of what is sealed.
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
}

/// Seals and opens values under one master key (保险柜); opens what either suite sealed.
#[derive(Clone)]
pub struct Vault {
    suite: Suite,
    aes: Box<Aes256Gcm>,
    sm4: Box<Sm4Gcm>,
    tags: [u8; 32],
}

impl Vault {
    /// A vault that seals with AES-256-GCM.
    pub fn new(key: [u8; 32]) -> Vault {
        Vault::with_suite(key, Suite::Aes256Gcm)
    }

    /// A vault that seals with a named suite.
    pub fn with_suite(key: [u8; 32], suite: Suite) -> Vault {
        let job = |name: &[u8]| derive_key(Hash::Sm3, &key, name);
        let sm4_key: [u8; 32] = job(b"tongban vault sm4-gcm v1");
        let mut sm4_half = [0; 16];
        sm4_half.copy_from_slice(&sm4_key[..16]);
        Vault {
            suite,
            aes: Box::new(Aes256Gcm::new(&job(b"tongban vault aes-256-gcm v1").into())),
            sm4: Box::new(Sm4Gcm::new(&sm4_half.into())),
            tags: job(b"tongban vault tag v1"),
        }
    }

    /// Seals a value; `aad` says where it belongs (table, row, column), so that it opens nowhere else.
    pub fn seal(&self, entropy: &mut dyn Entropy, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let bound = bind(self.suite, aad);
        let sealed = match self.suite {
            Suite::Aes256Gcm => encrypt(&*self.aes, nonce, &bound, plain),
            Suite::Sm4Gcm => encrypt(&*self.sm4, nonce, &bound, plain),
        };
        [&[self.suite as u8], &nonce[..], &sealed].concat()
    }

    /// Opens a sealed value of either suite; a changed byte or another place is a violation.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> tb_base::Result<Vec<u8>> {
        let bad = || Violation::new("sealed-invalid", "vault", "does not open under this key in this place");
        let (suite, rest) = sealed.split_first().ok_or_else(bad)?;
        let suite = Suite::from_byte(*suite).ok_or_else(bad)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(bad)?;
        let bound = bind(suite, aad);
        let plain = match suite {
            Suite::Aes256Gcm => decrypt(&*self.aes, *nonce, &bound, sealed),
            Suite::Sm4Gcm => decrypt(&*self.sm4, *nonce, &bound, sealed),
        };
        Ok(plain.ok_or_else(bad)?)
    }

    /// A blind tag of a text (盲索引), the same for the same text in the same domain: HMAC-SM3 under its own key.
    pub fn tag(&self, domain: &str, text: &str) -> [u8; 32] {
        let length = u64::try_from(domain.len()).unwrap_or(u64::MAX).to_be_bytes();
        hmac_sm3(&self.tags, &[&length[..], domain.as_bytes(), text.as_bytes()].concat())
    }
}

fn bind(suite: Suite, aad: &[u8]) -> Vec<u8> {
    [&[suite as u8], aad].concat()
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

/// Shows that there is a key, never the key.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({:?})", self.suite)
    }
}

#[cfg(test)]
mod tests;
