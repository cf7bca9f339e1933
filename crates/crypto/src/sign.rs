//! Signatures (数字签名): SM2, Ed25519 and P-256 behind one key type.
//!
//! A signature is 64 raw bytes: `R‖S` for Ed25519 (RFC 8032), `r‖s` for SM2 (GB/T 32918.2) and ECDSA (FIPS 186-5).
//! Nonces are derived from key and message (RFC 6979 and RFC 8032 §5.1.6), so signing needs no randomness
//! and a message signed twice gives one signature.
//!
//! Invariant: a public key is a point of its curve, not the neutral one, in its one spelling.

use std::fmt;

use ed25519_dalek as ed25519;
use p256::ecdsa as p256_dsa;
use p256::ecdsa::signature::{RandomizedSigner, Signer, Verifier};
use serde::{Deserialize, Serialize};
use sm2::dsa as sm2_dsa;
use tb_base::{Entropy, Violation};

mod issuer;
mod often;
mod retry;

pub use issuer::IssuerKey;
use retry::Retry;

/// The signer's id that enters every SM2 digest when nothing else is agreed (默认用户标识), GM/T 0009-2012 §10.
pub const SM2_ID: &str = "1234567812345678";
/// Bytes of a signature, whatever the algorithm.
pub const SIGNATURE_BYTES: usize = 64;
/// Bytes of an uncompressed point: a tag and two coordinates (SEC 1 §2.3.3).
const POINT_BYTES: usize = 65;
/// Secrets tried from one draw of randomness before drawing again.
const SEEDS_PER_DRAW: usize = 8;

/// How a key signs (签名算法).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// RFC 8032, pure.
    Ed25519,
    /// GB/T 32918.2-2016 over SM3, with [`SM2_ID`].
    Sm2,
    /// ECDSA over P-256 and SHA-256, FIPS 186-5.
    P256,
}

impl Algorithm {
    /// The name in key files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Ed25519 => "ed25519",
            Algorithm::Sm2 => "sm2",
            Algorithm::P256 => "p256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A secret key that signs (签名私钥).
#[derive(Clone)]
pub struct SigningKey(Secret);

#[derive(Clone)]
enum Secret {
    Ed25519(Box<ed25519::SigningKey>),
    Sm2(Box<sm2_dsa::SigningKey>),
    P256(Box<p256_dsa::SigningKey>),
}

impl SigningKey {
    /// A new key from fresh randomness.
    pub fn generate(algorithm: Algorithm, entropy: &mut dyn Entropy) -> SigningKey {
        loop {
            for seed in seeds(entropy) {
                if let Ok(key) = SigningKey::from_secret(algorithm, &seed) {
                    return key;
                }
            }
        }
    }

    /// A key from its stored secret.
    ///
    /// Ed25519 takes any 32 bytes; a curve takes a number from 1 to its order less 1,
    /// SM2 one less still: with d = n−1 the inverse of 1+d does not exist (GB/T 32918.1 §6.1).
    pub fn from_secret(algorithm: Algorithm, secret: &[u8; 32]) -> tb_base::Result<SigningKey> {
        let bad = || Violation::new("key-invalid", algorithm.name(), "secret is out of range");
        Ok(SigningKey(match algorithm {
            Algorithm::Ed25519 => Secret::Ed25519(Box::new(ed25519::SigningKey::from_bytes(secret))),
            Algorithm::Sm2 => Secret::Sm2(Box::new(sm2_secret(secret).ok_or_else(bad)?)),
            Algorithm::P256 => {
                Secret::P256(Box::new(p256_dsa::SigningKey::from_slice(secret).map_err(|_| bad())?))
            }
        }))
    }

    /// The secret, for the key file and nothing else.
    pub fn secret(&self) -> [u8; 32] {
        match &self.0 {
            Secret::Ed25519(key) => key.to_bytes(),
            Secret::Sm2(key) => key.to_bytes().into(),
            Secret::P256(key) => key.to_bytes().into(),
        }
    }

    /// The public key that goes with it.
    pub fn public(&self) -> PublicKey {
        PublicKey(match &self.0 {
            Secret::Ed25519(key) => Point::Ed25519(Box::new(key.verifying_key())),
            Secret::Sm2(key) => Point::Sm2(Box::new(key.verifying_key().clone())),
            Secret::P256(key) => Point::P256(Box::new(*key.verifying_key())),
        })
    }

    /// How it signs.
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Secret::Ed25519(_) => Algorithm::Ed25519,
            Secret::Sm2(_) => Algorithm::Sm2,
            Secret::P256(_) => Algorithm::P256,
        }
    }

    /// Signs a message: 64 raw bytes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.0 {
            Secret::Ed25519(key) => key.sign(message).to_vec(),
            Secret::Sm2(key) => sm2_sign(key, message),
            Secret::P256(key) => {
                let signature: p256_dsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
        }
    }
}

fn sm2_secret(secret: &[u8; 32]) -> Option<sm2_dsa::SigningKey> {
    let key = sm2_dsa::SigningKey::from_slice(SM2_ID, secret).ok()?;
    // d = n−1 is the one secret that cannot sign; it is found by what it cannot do.
    key.try_sign(b"").ok().map(|_| key)
}

/// Signs with the plain nonce of RFC 6979 and, in the one case of 2²⁵⁶ where that gives no signature, with the next.
fn sm2_sign(key: &sm2_dsa::SigningKey, message: &[u8]) -> Vec<u8> {
    let mut signed = key.try_sign(message);
    let mut retry = Retry::default();
    loop {
        match signed {
            Ok(signature) => return signature.to_vec(),
            Err(_) => signed = key.try_sign_with_rng(&mut retry, message),
        }
    }
}

/// Shows algorithm and public key, never the secret.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.public())
    }
}

/// A key that verifies (验签公钥).
#[derive(Clone)]
pub struct PublicKey(Point);

#[derive(Clone)]
enum Point {
    Ed25519(Box<ed25519::VerifyingKey>),
    Sm2(Box<sm2_dsa::VerifyingKey>),
    P256(Box<p256_dsa::VerifyingKey>),
}

impl PublicKey {
    /// A key from its bytes: 32 for Ed25519, else an uncompressed point of 65.
    ///
    /// Refused are points off the curve, the neutral point, points of small order and every other spelling.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> tb_base::Result<PublicKey> {
        let point = match algorithm {
            Algorithm::Ed25519 => ed25519_point(bytes),
            Algorithm::Sm2 => uncompressed(bytes)
                .and_then(|bytes| sm2_dsa::VerifyingKey::from_sec1_bytes(SM2_ID, bytes).ok())
                .map(|key| Point::Sm2(Box::new(key))),
            Algorithm::P256 => uncompressed(bytes)
                .and_then(|bytes| p256_dsa::VerifyingKey::from_sec1_bytes(bytes).ok())
                .map(|key| Point::P256(Box::new(key))),
        };
        let bad = || Violation::new("key-invalid", algorithm.name(), "not a public key in its one spelling");
        Ok(PublicKey(point.ok_or_else(bad)?))
    }

    /// The bytes: 32 for Ed25519, else the uncompressed point of 65.
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.0 {
            Point::Ed25519(key) => key.to_bytes().to_vec(),
            Point::Sm2(key) => {
                sm2::elliptic_curve::sec1::ToSec1Point::to_sec1_point(&**key, false).as_bytes().to_vec()
            }
            Point::P256(key) => key.to_sec1_point(false).as_bytes().to_vec(),
        }
    }

    /// How it verifies.
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Point::Ed25519(_) => Algorithm::Ed25519,
            Point::Sm2(_) => Algorithm::Sm2,
            Point::P256(_) => Algorithm::P256,
        }
    }

    /// Whether the message was signed by the owner of this key.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Violation> {
        let valid = match &self.0 {
            Point::Ed25519(key) => ed25519::Signature::from_slice(signature)
                .and_then(|signature| key.verify_strict(message, &signature))
                .is_ok(),
            Point::Sm2(key) => sm2_dsa::Signature::from_slice(signature)
                .is_ok_and(|signature| often::verify(key, message, &signature)),
            Point::P256(key) => p256_dsa::Signature::from_slice(signature)
                .and_then(|signature| key.verify(message, &signature))
                .is_ok(),
        };
        if valid {
            return Ok(());
        }
        Err(Violation::new(
            "signature-invalid",
            self.algorithm().name(),
            "not a signature of this message by this key",
        ))
    }
}

fn ed25519_point(bytes: &[u8]) -> Option<Point> {
    let bytes: &[u8; 32] = bytes.try_into().ok()?;
    let key = ed25519::VerifyingKey::from_bytes(bytes).ok()?;
    // A reduced spelling of y is the only one taken; dalek reads both (RFC 8032 §5.1.3).
    let canonical = key.to_edwards().compress().to_bytes() == *bytes;
    (canonical && !key.is_weak()).then(|| Point::Ed25519(Box::new(key)))
}

fn uncompressed(bytes: &[u8]) -> Option<&[u8]> {
    (bytes.len() == POINT_BYTES && bytes.first() == Some(&4)).then_some(bytes)
}

/// Candidates for a secret from one draw: the draw itself, then digests of it.
///
/// Digests follow so that a poor source cannot keep the search for a secret in range from ending.
pub(crate) fn seeds(entropy: &mut dyn Entropy) -> impl Iterator<Item = [u8; 32]> {
    let mut draw = [0; 32];
    entropy.fill(&mut draw);
    std::iter::successors(Some(draw), |seed| Some(crate::digest::sm3(seed))).take(SEEDS_PER_DRAW)
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &PublicKey) -> bool {
        self.algorithm() == other.algorithm() && self.to_bytes() == other.to_bytes()
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm(), crate::text::base64(&self.to_bytes()))
    }
}

#[cfg(test)]
pub(crate) mod tests;
