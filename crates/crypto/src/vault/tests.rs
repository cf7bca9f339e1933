//! Published vectors of the two suites, and what a vault must refuse.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::KeyInit as _;
use proptest::prelude::*;
use sm4::cipher::BlockCipherEncrypt;

use super::*;
use crate::sign::tests::Seeded;
use crate::text::{hex, unhex};

#[test]
fn sm4_of_the_standard() {
    // GB/T 32907-2016, annex A: once, and a million times.
    let key: [u8; 16] = unhex("0123456789abcdeffedcba9876543210").unwrap().try_into().unwrap();
    let cipher = Sm4::new(&key.into());
    let mut block = key.into();
    cipher.encrypt_block(&mut block);
    assert_eq!(hex(&block), "681edf34d206965e86b3e94f536e4246");
    (1..1_000_000).for_each(|_| cipher.encrypt_block(&mut block));
    assert_eq!(hex(&block), "595298c7c6fd271f0402f804c33d3f66");
}

#[track_caller]
fn check(cipher: &impl Aead<NonceSize = U12>, nonce: &str, aad: &str, plain: &str, sealed: &str) {
    let (nonce, aad) = (unhex(nonce).unwrap().try_into().unwrap(), unhex(aad).unwrap());
    let (plain, sealed) = (unhex(plain).unwrap(), unhex(sealed).unwrap());
    assert_eq!(hex(&encrypt(cipher, nonce, &aad, &plain)), hex(&sealed));
    assert_eq!(decrypt(cipher, nonce, &aad, &sealed), Some(plain));
}

#[test]
fn sm4_gcm_of_rfc_8998() {
    // RFC 8998, appendix A.1.
    let key: [u8; 16] = unhex("0123456789abcdeffedcba9876543210").unwrap().try_into().unwrap();
    check(
        &Sm4Gcm::new(&key.into()),
        "00001234567800000000abcd",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccddddddddddddddddeeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d83de3541e4c2b58177e065a9bf7b62ec",
    );
}

#[test]
fn aes_256_gcm_of_the_submission() {
    // Test case 16 of the GCM submission to NIST.
    let key: [u8; 32] = unhex(&"feffe9928665731c6d6a8f9467308308".repeat(2)).unwrap().try_into().unwrap();
    check(
        &Aes256Gcm::new(&key.into()),
        "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
    );
}

#[test]
fn tags_are_apart() {
    let vault = Vault::new([7; 32]);
    assert_eq!(
        vault.tag("resident", "430"),
        Vault::with_suite([7; 32], Suite::Sm4Gcm).tag("resident", "430")
    );
    assert_ne!(vault.tag("resident", "430"), vault.tag("residen", "t430"));
    assert_ne!(vault.tag("resident", "430"), vault.tag("phone", "430"));
    assert_ne!(vault.tag("resident", "430"), Vault::new([8; 32]).tag("resident", "430"));
}

/// What the vault sealed before its keys had numbers.
fn sealed_without_number(key: [u8; 32], suite: Suite, aad: &[u8], plain: &[u8]) -> Vec<u8> {
    let bound = [&[suite as u8], aad].concat();
    let job = |name: &[u8]| derive_key(Hash::Sm3, &key, name);
    let sealed = match suite {
        Suite::Aes256Gcm => {
            encrypt(&Aes256Gcm::new(&job(b"tongban vault aes-256-gcm v1").into()), [9; 12], &bound, plain)
        }
        Suite::Sm4Gcm => {
            let half: [u8; 16] = job(b"tongban vault sm4-gcm v1")[..16].try_into().unwrap();
            encrypt(&Sm4Gcm::new(&half.into()), [9; 12], &bound, plain)
        }
    };
    [&[suite as u8], &[9; 12][..], &sealed].concat()
}

#[test]
fn values_from_before_there_were_several_keys_still_open() {
    for suite in [Suite::Aes256Gcm, Suite::Sm4Gcm] {
        let old = sealed_without_number([7; 32], suite, b"row", b"430302");
        assert_eq!(Mark::read(&old), Some(Mark { suite, key: KeyId::FOUNDING }));
        let vault = Vault::new([7; 32]);
        assert_eq!(vault.open(b"row", &old).unwrap(), b"430302");
        vault.change_keys(
            Ring::sealing_with(KeyId(1), [8; 32], Suite::Sm4Gcm).opening_with(KeyId::FOUNDING, [7; 32]),
        );
        assert_eq!(vault.open(b"row", &old).unwrap(), b"430302");
        vault.open(b"other", &old).unwrap_err();
    }
}

#[test]
fn the_newest_key_seals_and_every_known_key_opens() {
    let (vault, mut entropy) = (Vault::new([7; 32]), Seeded::new(1));
    let clone = vault.clone();
    let first = vault.seal(&mut entropy, b"row", b"first");
    let ring = Ring::sealing_with(KeyId(3), [8; 32], Suite::Sm4Gcm).opening_with(KeyId::FOUNDING, [7; 32]);
    vault.change_keys(ring);
    assert_eq!(clone.sealing().to_string(), "3/sm4-gcm");
    assert_eq!(clone.key_ids(), [KeyId(0), KeyId(3)]);
    let second = clone.seal(&mut entropy, b"row", b"second");
    assert_eq!(Mark::read(&second), Some(Mark { suite: Suite::Sm4Gcm, key: KeyId(3) }));
    assert_eq!(vault.open(b"row", &first).unwrap(), b"first");
    assert_eq!(vault.open(b"row", &second).unwrap(), b"second");
    assert_eq!(vault.tag("resident", "430"), Vault::new([7; 32]).tag("resident", "430"));

    // A retired key opens nothing, and a key that is not known is called by its number.
    vault.change_keys(Ring::sealing_with(KeyId(3), [8; 32], Suite::Aes256Gcm));
    assert!(vault.open(b"row", &first).unwrap_err().to_string().contains("key 0"));
    assert_eq!(vault.open(b"row", &second).unwrap(), b"second");
    // The number of another key is no way in.
    let mut bent = second.clone();
    bent[4] = 0;
    vault.change_keys(Ring::founded([8; 32], Suite::Sm4Gcm));
    vault.open(b"row", &bent).unwrap_err();
}

/// Two machines of a city may each have made a key with the next number.
#[test]
fn another_key_of_the_same_number_is_told_apart() {
    let ring = |newest: u8, other: u8| {
        Ring::sealing_with(KeyId(1), [newest; 32], Suite::Sm4Gcm).opening_with(KeyId::FOUNDING, [other; 32])
    };
    let vault = Vault::with_ring([7; 32], ring(8, 7));
    assert!(vault.uses(&ring(8, 7)));
    for other in [ring(9, 7), ring(8, 6), ring(7, 8)] {
        assert_eq!((other.sealing(), other.ids()), (ring(8, 7).sealing(), ring(8, 7).ids()));
        assert!(!vault.uses(&other));
    }
    assert!(!vault.uses(&Ring::founded([7; 32], Suite::Sm4Gcm)));
}

proptest! {
    #[test]
    fn sealing(seed: u64, aad: Vec<u8>, plain: Vec<u8>, at: prop::sample::Index, bit in 0_u8..8) {
        for suite in [Suite::Aes256Gcm, Suite::Sm4Gcm] {
            let vault = Vault::with_suite([seed.to_be_bytes()[7]; 32], suite);
            let sealed = vault.seal(&mut Seeded::new(seed), &aad, &plain);
            prop_assert_eq!(&sealed[..5], &[suite as u8 + 16, 0, 0, 0, 0]);
            prop_assert_eq!(sealed.len(), 5 + NONCE_BYTES + plain.len() + TAG_BYTES);
            prop_assert_eq!(Vault::new([seed.to_be_bytes()[7]; 32]).open(&aad, &sealed).unwrap(), plain.clone());

            prop_assert!(vault.open(&[&aad[..], &[0]].concat(), &sealed).is_err());
            prop_assert!(vault.open(&aad, &sealed[..sealed.len() - 1]).is_err());
            let mut bent = sealed.clone();
            bent[at.index(sealed.len())] ^= 1 << bit;
            prop_assert!(vault.open(&aad, &bent).is_err());
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>) {
        prop_assert!(Vault::new([1; 32]).open(b"", &bytes).is_err());
    }
}
