//! Digests and what is made of them (杂凑、消息鉴别码、密钥派生): SM3, SHA-256, HMAC, HKDF.
//!
//! SM3 is GB/T 32905-2016, SHA-256 is FIPS 180-4, HMAC is RFC 2104 and HKDF is RFC 5869.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use sm3::Sm3;

/// Bytes of one block of SM3 and of SHA-256; HMAC pads its key to this.
const BLOCK_BYTES: usize = 64;
/// Most bytes that HKDF gives: 255 digests (RFC 5869 §2.3).
const HKDF_BYTES_MAX: usize = 255 * 32;

/// Which digest a construction stands on (杂凑算法).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// GB/T 32905-2016.
    Sm3,
    /// FIPS 180-4.
    Sha256,
}

impl Hash {
    fn hmac(self, key: &[u8], message: &[u8]) -> [u8; 32] {
        match self {
            Hash::Sm3 => hmac_sm3(key, message),
            Hash::Sha256 => hmac_sha256(key, message),
        }
    }
}

/// SHA-256 digest, FIPS 180-4.
pub fn sha256(message: &[u8]) -> [u8; 32] {
    Sha256::digest(message).into()
}

/// SM3 digest (国密杂凑), GB/T 32905-2016.
pub fn sm3(message: &[u8]) -> [u8; 32] {
    Sm3::digest(message).into()
}

/// HMAC over SHA-256, RFC 2104.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new(&padded(key, sha256).into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// HMAC over SM3 (带密钥的杂凑), RFC 2104 with GB/T 32905-2016.
pub fn hmac_sm3(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sm3>::new(&padded(key, sm3).into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// A key as HMAC wants it: hashed when longer than a block, then filled with zeros (RFC 2104 §2).
fn padded(key: &[u8], hash: fn(&[u8]) -> [u8; 32]) -> [u8; BLOCK_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    let hashed;
    let key = if BLOCK_BYTES < key.len() {
        hashed = hash(key);
        &hashed
    } else {
        key
    };
    block[..key.len()].copy_from_slice(key);
    block
}

/// Derives key bytes from a secret (密钥派生), RFC 5869: extract, then expand to `length` bytes.
///
/// # Panics
/// If more than 255 digests are asked for; lengths are constants of the caller.
pub fn hkdf(hash: Hash, salt: &[u8], secret: &[u8], info: &[u8], length: usize) -> Vec<u8> {
    assert!(length <= HKDF_BYTES_MAX, "HKDF gives at most {HKDF_BYTES_MAX} bytes");
    let extracted = hash.hmac(salt, secret);
    let (mut derived, mut block) = (Vec::with_capacity(length + 32), Vec::new());
    for counter in 1..=u8::MAX {
        if length <= derived.len() {
            break;
        }
        block.extend_from_slice(info);
        block.push(counter);
        block = hash.hmac(&extracted, &block).to_vec();
        derived.extend_from_slice(&block);
    }
    derived.truncate(length);
    derived
}

/// Derives one key of 32 bytes: the usual case of [`hkdf`], without a length to get wrong.
pub(crate) fn derive_key(hash: Hash, secret: &[u8], info: &[u8]) -> [u8; 32] {
    let extracted = hash.hmac(&[], secret);
    let mut block = info.to_vec();
    block.push(1);
    hash.hmac(&extracted, &block)
}

#[cfg(test)]
mod tests;
