//! Verification by tables against the plain one: the same answer for good, bent, foreign and hostile signatures.

use super::*;
use crate::sign::tests::Seeded;
use crate::text::unhex;
use crate::{Algorithm, SigningKey};
use tb_base::Entropy;

/// The order of the group.
const ORDER: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
/// The prime of the field, which lies above the order.
const PRIME: &str = "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff";

fn issuer(seed: u64) -> (SigningKey, IssuerKey) {
    let key = SigningKey::generate(Algorithm::Sm2, &mut Seeded::new(seed));
    let issuer = IssuerKey::new(&key.public()).unwrap();
    (key, issuer)
}

/// Both ways agree; gives what they say.
#[track_caller]
fn agreed(issuer: &IssuerKey, message: &[u8], signature: &[u8]) -> bool {
    let plain = issuer.verify_plainly(message, signature);
    assert_eq!(issuer.verify(message, signature), plain, "{}", crate::text::hex(signature));
    plain
}

#[test]
fn good_and_bent_signatures() {
    let mut random = Seeded::new(11);
    let (mut good, mut bad) = (0, 0);
    for seed in 0..4 {
        let (key, issuer) = issuer(100 + 2 * seed);
        let (_, stranger) = self::issuer(200 + 2 * seed);
        for _ in 0..100 {
            let mut message = [0; 40];
            random.fill(&mut message);
            let signature = key.sign(&message);
            assert!(agreed(&issuer, &message, &signature));
            good += 1;
            let mut at = [0; 2];
            random.fill(&mut at);
            let mut bent = signature.clone();
            bent[usize::from(at[0]) % 64] ^= 1 << (at[1] % 8);
            message[0] ^= 1;
            for refused in [
                agreed(&issuer, &message, &signature),
                agreed(&issuer, &[&message[..], &[0]].concat(), &bent),
                agreed(&stranger, &message, &signature),
            ] {
                assert!(!refused);
                bad += 1;
            }
            message[0] ^= 1;
            assert!(!agreed(&issuer, &message, &bent));
        }
    }
    assert_eq!((good, bad), (400, 1_200));
}

#[test]
fn numbers_at_the_edges() {
    let (key, issuer) = issuer(7);
    let number = |last: u8| unhex(&format!("{last:064x}")).unwrap();
    let near = |text: &str, by: i8| {
        let mut bytes = unhex(text).unwrap();
        bytes[31] = bytes[31].wrapping_add_signed(by);
        bytes
    };
    let mut edges = vec![number(0), number(1), number(2), number(255), vec![0xff; 32], unhex(PRIME).unwrap()];
    edges.extend([near(ORDER, -1), near(ORDER, -2), near(ORDER, 0), near(ORDER, 1), near(PRIME, -1)]);
    let signature = key.sign(b"message");
    edges.extend([signature[..32].to_vec(), signature[32..].to_vec()]);
    // Windows of zeros and of 255 only.
    edges.extend([[vec![1], vec![0; 31]].concat(), [vec![0], vec![0xff; 31]].concat()]);
    let mut taken = 0;
    for r in &edges {
        for s in &edges {
            taken += usize::from(agreed(&issuer, b"message", &[r.clone(), s.clone()].concat()));
        }
    }
    assert_eq!(taken, 1, "the one signature that was made");
    // r + s = n: t is zero.
    for (r, s) in [(near(ORDER, -1), number(1)), (number(1), near(ORDER, -1)), (near(ORDER, -2), number(2))] {
        assert!(!agreed(&issuer, b"message", &[r, s].concat()));
    }
    for length in [0, 1, 63, 65, 128] {
        assert!(!agreed(&issuer, b"message", &vec![1; length]));
    }
}

#[test]
fn secrets_at_the_edges() {
    for secret in [
        format!("{:064x}", 1),
        format!("{:064x}", 2),
        ORDER.replace("d54123", "d54121"),
        ORDER.replace("d54123", "d54120"),
    ] {
        let secret: [u8; 32] = unhex(&secret).unwrap().try_into().unwrap();
        let key = SigningKey::from_secret(Algorithm::Sm2, &secret).unwrap();
        let issuer = IssuerKey::new(&key.public()).unwrap();
        for message in [&b""[..], b"a", &[7; 1_000]] {
            assert!(agreed(&issuer, message, &key.sign(message)));
        }
    }
}

#[test]
fn other_algorithms_have_no_tables() {
    for algorithm in [Algorithm::Ed25519, Algorithm::P256] {
        assert!(IssuerKey::new(&SigningKey::generate(algorithm, &mut Seeded::new(1)).public()).is_none());
    }
}
