//! Agreed secrets (密钥协商): two cities derive the same key from their own secret and the other's public point.
//!
//! ECDH over P-256 (NIST SP 800-56A §5.7.1.2), then HKDF (RFC 5869) over SM3.
//! Both public points enter the derivation in sorted order, so a key belongs to exactly these two parties.

use std::fmt;

use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{PublicKey, SecretKey};
use tb_base::{Entropy, Violation};

use crate::digest::{Hash, derive_key};
use crate::sign::seeds;

/// Separates this derivation from every other use of HKDF.
const DOMAIN: &[u8] = b"tongban agreement v1";
/// Bytes of an uncompressed point: a tag and two coordinates (SEC 1 §2.3.3).
const POINT_BYTES: usize = 65;

/// A secret that agrees keys with other cities (密钥协商私钥); it never signs.
#[derive(Clone)]
pub struct AgreementKey(SecretKey);

impl AgreementKey {
    /// A new key from fresh randomness.
    pub fn generate(entropy: &mut dyn Entropy) -> AgreementKey {
        loop {
            for seed in seeds(entropy) {
                if let Ok(key) = AgreementKey::from_secret(&seed) {
                    return key;
                }
            }
        }
    }

    /// A key from its stored secret: a number from 1 to the order of the curve less 1.
    pub fn from_secret(secret: &[u8; 32]) -> tb_base::Result<AgreementKey> {
        let key = SecretKey::from_slice(secret);
        Ok(AgreementKey(
            key.map_err(|_| Violation::new("key-invalid", "agreement", "secret is out of range"))?,
        ))
    }

    /// The secret, for the key file and nothing else.
    pub fn secret(&self) -> [u8; 32] {
        self.0.to_bytes().into()
    }

    /// The public point, uncompressed, 65 bytes.
    pub fn public(&self) -> Vec<u8> {
        point(&self.0.public_key())
    }

    /// The key shared with a peer for one purpose, named by `info`; both sides get the same.
    pub fn agree(&self, peer: &[u8], info: &[u8]) -> tb_base::Result<[u8; 32]> {
        self.agree_over(Hash::Sm3, peer, info)
    }

    /// As [`AgreementKey::agree`], over a named digest: SHA-256 for partners without national algorithms.
    pub fn agree_over(&self, hash: Hash, peer: &[u8], info: &[u8]) -> tb_base::Result<[u8; 32]> {
        let peer_key = read_point(peer)?;
        let shared = self.0.diffie_hellman(&peer_key);
        let mut points = [self.public(), peer.to_vec()];
        points.sort_unstable();
        let bound = [DOMAIN, &points[0], &points[1], info].concat();
        Ok(derive_key(hash, shared.raw_secret_bytes(), &bound))
    }
}

fn point(key: &PublicKey) -> Vec<u8> {
    key.to_sec1_point(false).as_bytes().to_vec()
}

/// Only the uncompressed form is taken: one point, one spelling; the curve equation is checked.
fn read_point(bytes: &[u8]) -> Result<PublicKey, Violation> {
    let bad = || Violation::new("key-invalid", "agreement", "not an uncompressed point of P-256");
    match bytes {
        [4, ..] if bytes.len() == POINT_BYTES => PublicKey::from_sec1_bytes(bytes).map_err(|_| bad()),
        _ => Err(bad()),
    }
}

/// Shows that there is a key, never the key.
impl fmt::Debug for AgreementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgreementKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sign::tests::Seeded;
    use crate::text::{hex, unhex};

    /// The shared x-coordinate, before any derivation.
    fn raw(key: &AgreementKey, peer: &[u8]) -> String {
        hex(key.0.diffie_hellman(&read_point(peer).unwrap()).raw_secret_bytes())
    }

    #[test]
    fn ecdh_of_rfc_5903() {
        // RFC 5903 §8.1, the 256-bit random ECP group.
        let secret =
            |text: &str| AgreementKey::from_secret(&unhex(text).unwrap().try_into().unwrap()).unwrap();
        let initiator = secret("c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433");
        let responder = secret("c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53");
        let shared = "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de";
        assert_eq!(raw(&initiator, &responder.public()), shared);
        assert_eq!(raw(&responder, &initiator.public()), shared);
    }

    #[test]
    fn bad_points() {
        let key = AgreementKey::generate(&mut Seeded::new(1));
        let good = key.public();
        assert!(key.agree(&good, b"").is_ok());
        let mut off_curve = good.clone();
        off_curve[64] ^= 1;
        let mut compressed = good[..33].to_vec();
        compressed[0] = 2 | good[64] & 1;
        for bad in [
            vec![],
            vec![0],
            off_curve,
            compressed,
            [&[4][..], &[0; 64]].concat(),
            [&good[..], &[0]].concat(),
        ] {
            assert!(key.agree(&bad, b"").is_err(), "{}", hex(&bad));
        }
        assert!(AgreementKey::from_secret(&[0; 32]).is_err());
        assert!(AgreementKey::from_secret(&[0xff; 32]).is_err());
    }

    proptest! {
        #[test]
        fn both_sides_agree(left: u64, right: u64, info: Vec<u8>) {
            let (left, right) = (AgreementKey::generate(&mut Seeded::new(left)), AgreementKey::generate(&mut Seeded::new(right)));
            let agreed = left.agree(&right.public(), &info).unwrap();
            prop_assert_eq!(agreed, right.agree(&left.public(), &info).unwrap());
            prop_assert_ne!(agreed, left.agree(&right.public(), &[&info[..], b"x"].concat()).unwrap());
            prop_assert_ne!(agreed, left.agree_over(Hash::Sha256, &right.public(), &info).unwrap());
            prop_assert_eq!(AgreementKey::from_secret(&left.secret()).unwrap().public(), left.public());
        }
    }
}
