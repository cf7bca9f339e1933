//! Published vectors of the digests, and agreement of the two ways to derive a key.

use proptest::prelude::*;

use super::*;
use crate::text::{hex, unhex};

#[track_caller]
fn check(digest: [u8; 32], expected: &str) {
    assert_eq!(hex(&digest), expected);
}

#[test]
fn sm3_of_the_standard() {
    // GB/T 32905-2016, annex A.
    check(sm3(b"abc"), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    check(sm3(&b"abcd".repeat(16)), "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732");
}

#[test]
fn sha256_of_the_standard() {
    // FIPS 180-4 examples.
    check(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

#[test]
fn hmac_of_rfc_4231() {
    // Test cases 2 and 6 (a key longer than a block).
    check(
        hmac_sha256(b"Jefe", b"what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
    check(
        hmac_sha256(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First"),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    );
}

#[test]
fn hkdf_of_rfc_5869() {
    // Test case 1.
    let salt = unhex("000102030405060708090a0b0c").unwrap();
    let info = unhex("f0f1f2f3f4f5f6f7f8f9").unwrap();
    assert_eq!(
        hex(&hkdf(Hash::Sha256, &salt, &[0x0b; 22], &info, 42)),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    );
}

proptest! {
    #[test]
    fn derived_key_is_the_first_block(secret: Vec<u8>, info: Vec<u8>) {
        for hash in [Hash::Sm3, Hash::Sha256] {
            prop_assert_eq!(derive_key(hash, &secret, &info).to_vec(), hkdf(hash, &[], &secret, &info, 32));
        }
    }
}
