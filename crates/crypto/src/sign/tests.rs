//! Published vectors, hostile keys and signatures, and the laws of signing.

use proptest::prelude::*;

use super::*;
use crate::text::{hex, unhex};

/// A seeded source of bytes (xorshift64*), the same on every run.
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Seeded {
        Seeded(seed | 1)
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            *byte = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes()[0];
        }
    }
}

const ALGORITHMS: [Algorithm; 3] = [Algorithm::Ed25519, Algorithm::Sm2, Algorithm::P256];
/// Orders of the two curves and of Ed25519's scalars, big endian.
const SM2_ORDER: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

fn key(algorithm: Algorithm, secret: &str) -> tb_base::Result<SigningKey> {
    SigningKey::from_secret(algorithm, &unhex(secret).unwrap().try_into().unwrap())
}

/// The number with its last byte changed by an amount.
fn shifted(number: &str, by: i8) -> String {
    let mut bytes = unhex(number).unwrap();
    bytes[31] = bytes[31].checked_add_signed(by).unwrap();
    hex(&bytes)
}

#[track_caller]
fn check(algorithm: Algorithm, secret: &str, public: &str, message: &[u8], signature: &str) {
    let key = key(algorithm, secret).unwrap();
    assert_eq!(hex(&key.public().to_bytes()), public);
    assert_eq!(hex(&key.sign(message)), signature);
    key.public().verify(message, &unhex(signature).unwrap()).unwrap();
}

#[test]
fn ed25519_of_rfc_8032() {
    check(
        Algorithm::Ed25519,
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        b"",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    );
    check(
        Algorithm::Ed25519,
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        &[0x72],
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    );
}

#[test]
fn p256_of_rfc_6979() {
    check(
        Algorithm::P256,
        "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
        "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
        b"sample",
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    );
}

#[test]
fn sm2_of_the_standard() {
    // GB/T 32918.5-2017, annex A.2; the standard draws its nonce, so its signature is verified, not made again.
    let key =
        key(Algorithm::Sm2, "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8").unwrap();
    assert_eq!(
        hex(&key.public().to_bytes()),
        "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
    );
    let signature = unhex(
        "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
    )
    .unwrap();
    key.public().verify(b"message digest", &signature).unwrap();
    assert!(key.public().verify(b"message digesu", &signature).is_err());
}

#[test]
fn secrets_out_of_range() {
    let zero = "0".repeat(64);
    for (algorithm, secret, taken) in [
        (Algorithm::Sm2, zero.clone(), false),
        (Algorithm::Sm2, shifted(SM2_ORDER, -2), true),
        (Algorithm::Sm2, shifted(SM2_ORDER, -1), false),
        (Algorithm::Sm2, SM2_ORDER.to_owned(), false),
        (Algorithm::P256, zero, false),
        (Algorithm::P256, shifted(P256_ORDER, -1), true),
        (Algorithm::P256, P256_ORDER.to_owned(), false),
    ] {
        assert_eq!(key(algorithm, &secret).is_ok(), taken, "{algorithm} {secret}");
    }
}

#[test]
fn signatures_out_of_range() {
    let zero = "0".repeat(64);
    let one = shifted(&zero, 1);
    for (algorithm, order) in [(Algorithm::Sm2, SM2_ORDER), (Algorithm::P256, P256_ORDER)] {
        let public = SigningKey::generate(algorithm, &mut Seeded::new(7)).public();
        let less = shifted(order, -1);
        // The last pair has r + s = n, so that SM2's t is zero.
        for (r, s) in [
            (&zero, &one),
            (&one, &zero),
            (&order.to_owned(), &one),
            (&one, &order.to_owned()),
            (&one, &less),
        ] {
            let signature = unhex(&format!("{r}{s}")).unwrap();
            assert!(public.verify(b"message", &signature).is_err(), "{algorithm} {r} {s}");
        }
    }
}

#[test]
fn ed25519_scalar_is_reduced() {
    // Adding the order to s gives a second signature that a careless verifier takes (RFC 8032 §5.1.7).
    let order = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let key = SigningKey::generate(Algorithm::Ed25519, &mut Seeded::new(3));
    let mut signature = key.sign(b"message");
    let mut carry = 0;
    for (byte, added) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(added) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert!(key.public().verify(b"message", &signature).is_err());
}

#[test]
fn hostile_public_keys() {
    let refused =
        |algorithm, bytes: &[u8]| assert!(PublicKey::from_bytes(algorithm, bytes).is_err(), "{}", hex(bytes));
    for algorithm in [Algorithm::Sm2, Algorithm::P256] {
        let good = SigningKey::generate(algorithm, &mut Seeded::new(5)).public().to_bytes();
        assert_eq!(good.len(), 65);
        let mut off_curve = good.clone();
        off_curve[64] ^= 1;
        refused(algorithm, &off_curve);
        refused(algorithm, &[0]);
        refused(algorithm, &[]);
        refused(algorithm, &[&[4][..], &[0; 64]].concat());
        refused(algorithm, &[&[4][..], &[0xff; 64]].concat());
        refused(algorithm, &[&[2 | good[64] & 1][..], &good[1..33]].concat());
        refused(algorithm, &[&[6 | good[64] & 1][..], &good[1..]].concat());
        refused(algorithm, &good[..64]);
    }
    let p256 = SigningKey::generate(Algorithm::P256, &mut Seeded::new(5)).public().to_bytes();
    refused(Algorithm::Sm2, &p256);
    // Neutral point, a point of order 2, a point of order 4, y = p (0 unreduced), y = p+1 (1 unreduced).
    for low_order in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        refused(Algorithm::Ed25519, &unhex(low_order).unwrap());
    }
    refused(Algorithm::Ed25519, &[0; 31]);
}

#[test]
fn a_poor_source_ends() {
    struct Zeros;
    impl Entropy for Zeros {
        fn fill(&mut self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }
    for algorithm in ALGORITHMS {
        SigningKey::generate(algorithm, &mut Zeros);
    }
}

#[test]
fn second_attempt_also_signs() {
    let secret = unhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8").unwrap();
    let key = sm2_dsa::SigningKey::from_slice(SM2_ID, &secret).unwrap();
    let first: sm2_dsa::Signature = key.try_sign(b"m").unwrap();
    let second: sm2_dsa::Signature = key.try_sign_with_rng(&mut Retry::default(), b"m").unwrap();
    assert_ne!(first, second);
    key.verifying_key().verify(b"m", &second).unwrap();
}

#[test]
fn secrets_do_not_print() {
    for algorithm in ALGORITHMS {
        let key = SigningKey::generate(algorithm, &mut Seeded::new(9));
        let shown = format!("{key:?}");
        assert!(!shown.contains(&hex(&key.secret())) && !shown.contains(&crate::text::base64(&key.secret())));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn signing(seed: u64, message: Vec<u8>, at in 0_usize..64, bit in 0_u8..8) {
        for algorithm in ALGORITHMS {
            let key = SigningKey::generate(algorithm, &mut Seeded::new(seed));
            let public = PublicKey::from_bytes(algorithm, &key.public().to_bytes()).unwrap();
            prop_assert_eq!(&public, &key.public());
            let signature = key.sign(&message);
            prop_assert_eq!(signature.len(), SIGNATURE_BYTES);
            prop_assert_eq!(&signature, &SigningKey::from_secret(algorithm, &key.secret()).unwrap().sign(&message));
            prop_assert!(public.verify(&message, &signature).is_ok());

            let mut bent = signature.clone();
            bent[at] ^= 1 << bit;
            prop_assert!(public.verify(&message, &bent).is_err());
            prop_assert!(public.verify(&[&message[..], &[0]].concat(), &signature).is_err());
            prop_assert!(public.verify(&message, &signature[..63]).is_err());
            let stranger = SigningKey::generate(algorithm, &mut Seeded::new(seed ^ 0x5555)).public();
            prop_assert!(stranger.verify(&message, &signature).is_err());
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..70)) {
        for algorithm in ALGORITHMS {
            let _ = PublicKey::from_bytes(algorithm, &bytes);
            let public = SigningKey::generate(algorithm, &mut Seeded::new(1)).public();
            prop_assert!(public.verify(b"", &bytes).is_err());
        }
    }
}
