//! Interoperation with the OpenSSL command line (互操作测试), the independent second implementation.
//!
//! Fails, and does not pass by, when `openssl` is missing: Debian's package `openssl`, version 3.0 or later.
//! OpenSSL signs SM2 with an empty id unless told otherwise; the id of GM/T 0009 is given everywhere here.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tb_base::Entropy;
use tb_crypto::text::{hex, unhex};
use tb_crypto::{Algorithm, PublicKey, SM2_ID, SigningKey, hmac_sha256, hmac_sm3, sha256, sm3};

/// Messages signed in each direction: short, one block of SM3, long, Chinese.
const MESSAGES: [&[u8]; 5] = [b"a", b"message digest", &[0x5a; 64], &[0; 5000], "长株潭一网通办".as_bytes()];

/// DER of the object identifier of a curve: SM2 is 1.2.156.10197.1.301, P-256 is 1.2.840.10045.3.1.7.
fn curve(algorithm: Algorithm) -> Vec<u8> {
    match algorithm {
        Algorithm::Sm2 => unhex("06082a811ccf5501822d").unwrap(),
        Algorithm::P256 => unhex("06082a8648ce3d030107").unwrap(),
        Algorithm::Ed25519 => unreachable!("Ed25519 has no curve parameter"),
    }
}

/// A private key as OpenSSL reads it: RFC 5915 for curves, RFC 8410 for Ed25519.
fn private_der(key: &SigningKey) -> Vec<u8> {
    let secret = key.secret();
    match key.algorithm() {
        Algorithm::Ed25519 => [&unhex("302e020100300506032b657004220420").unwrap(), &secret[..]].concat(),
        algorithm @ (Algorithm::Sm2 | Algorithm::P256) => [
            &unhex("30770201010420").unwrap(),
            &secret[..],
            &[0xa0, 0x0a],
            &curve(algorithm),
            &unhex("a144034200").unwrap(),
            &key.public().to_bytes(),
        ]
        .concat(),
    }
}

/// A public key as OpenSSL reads it: SubjectPublicKeyInfo, RFC 5280 §4.1.2.7.
fn public_der(key: &PublicKey) -> Vec<u8> {
    match key.algorithm() {
        Algorithm::Ed25519 => [unhex("302a300506032b6570032100").unwrap(), key.to_bytes()].concat(),
        algorithm @ (Algorithm::Sm2 | Algorithm::P256) => [
            unhex("3059301306072a8648ce3d0201").unwrap(),
            curve(algorithm),
            unhex("034200").unwrap(),
            key.to_bytes(),
        ]
        .concat(),
    }
}

/// `r‖s` as the ASN.1 sequence of two integers that OpenSSL writes and reads.
fn signature_der(raw: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for number in raw.chunks(32) {
        let start = number.iter().position(|byte| *byte != 0).unwrap();
        let digits = &number[start..];
        let sign_byte = usize::from(0x80 <= digits[0]);
        body.extend([2, u8::try_from(digits.len() + sign_byte).unwrap()]);
        body.extend(vec![0; sign_byte]);
        body.extend(digits);
    }
    [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

fn signature_raw(der: &[u8]) -> Vec<u8> {
    assert_eq!(der[..2], [0x30, u8::try_from(der.len() - 2).unwrap()]);
    let (mut raw, mut rest) = (Vec::new(), &der[2..]);
    while let [2, length, numbers @ ..] = rest {
        let (number, after) = numbers.split_at(usize::from(*length));
        let digits = number.strip_prefix(&[0]).unwrap_or(number);
        raw.extend(vec![0; 32 - digits.len()]);
        raw.extend(digits);
        rest = after;
    }
    assert_eq!((raw.len(), rest), (64, &[][..]));
    raw
}

/// A folder of one test, with helpers that speak to OpenSSL through files in it.
struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Desk {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("crypto-openssl-{name}"));
        fs::create_dir_all(&folder).unwrap();
        Desk(folder)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.join(name), bytes).unwrap();
    }

    fn get(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    /// Whether OpenSSL succeeded, and what it printed.
    fn openssl(&self, arguments: &str) -> (bool, String) {
        let output = Command::new("openssl").args(arguments.split_whitespace()).current_dir(&self.0).output();
        let output = output.expect("the `openssl` command is needed: apt-get install openssl");
        let printed = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
    }

    #[track_caller]
    fn run(&self, arguments: &str) -> String {
        let (success, printed) = self.openssl(arguments);
        assert!(success, "openssl {arguments}\n{printed}");
        printed
    }
}

fn options(algorithm: Algorithm) -> String {
    match algorithm {
        Algorithm::Sm2 => format!("-digest sm3 -pkeyopt distid:{SM2_ID}"),
        Algorithm::P256 => "-digest sha256".to_owned(),
        Algorithm::Ed25519 => String::new(),
    }
}

/// Raw and DER are one for Ed25519.
fn to_openssl(algorithm: Algorithm, raw: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Ed25519 => raw.to_vec(),
        Algorithm::Sm2 | Algorithm::P256 => signature_der(raw),
    }
}

fn from_openssl(algorithm: Algorithm, signature: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Ed25519 => signature.to_vec(),
        Algorithm::Sm2 | Algorithm::P256 => signature_raw(signature),
    }
}

/// Signs with one and verifies with the other, in both directions, and shows that a bent signature fails.
#[track_caller]
fn check(desk: &Desk, key: &SigningKey) {
    let (algorithm, public) = (key.algorithm(), key.public());
    let options = options(algorithm);
    desk.put("private.der", &private_der(key));
    desk.put("public.der", &public_der(&public));
    let verify = format!(
        "pkeyutl -verify -rawin {options} -pubin -inkey public.der -keyform DER -in message -sigfile signature"
    );
    for message in MESSAGES {
        desk.put("message", message);

        let mut signature = key.sign(message);
        desk.put("signature", &to_openssl(algorithm, &signature));
        desk.run(&verify);
        signature[40] ^= 1;
        desk.put("signature", &to_openssl(algorithm, &signature));
        assert!(!desk.openssl(&verify).0, "OpenSSL took a bent signature");

        desk.run(&format!(
            "pkeyutl -sign -rawin {options} -inkey private.der -keyform DER -in message -out signature"
        ));
        let mut signature = from_openssl(algorithm, &desk.get("signature"));
        public.verify(message, &signature).unwrap();
        signature[40] ^= 1;
        assert!(public.verify(message, &signature).is_err());
    }
}

/// Randomness of a test: digests of a counter.
struct Counted(u64);

impl Entropy for Counted {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&sm3(&self.0.to_be_bytes())[..chunk.len()]);
        }
    }
}

/// What OpenSSL prints under a heading, as bytes.
fn printed(text: &str, heading: &str) -> Vec<u8> {
    let lines = text.lines().skip_while(|line| *line != heading).skip(1);
    let digits: String = lines.take_while(|line| line.starts_with("    ")).flat_map(str::chars).collect();
    unhex(&digits.replace([' ', ':'], "")).unwrap()
}

#[test]
fn sm2_with_keys_of_openssl() {
    let desk = Desk::new("sm2-theirs");
    for _ in 0..3 {
        desk.run("genpkey -algorithm SM2 -out theirs.pem");
        let text = desk.run("pkey -in theirs.pem -noout -text");
        let secret = printed(&text, "priv:");
        // OpenSSL prints no leading zeros beyond the sign; a number of 32 bytes is what a key is.
        let mut padded = [0; 32];
        let digits = &secret[secret.len().saturating_sub(32)..];
        padded[32 - digits.len()..].copy_from_slice(digits);
        let key = SigningKey::from_secret(Algorithm::Sm2, &padded).unwrap();
        assert_eq!(hex(&key.public().to_bytes()), hex(&printed(&text, "pub:")));
        check(&desk, &key);
    }
}

#[test]
fn keys_of_ours() {
    for algorithm in [Algorithm::Sm2, Algorithm::P256, Algorithm::Ed25519] {
        let desk = Desk::new(&format!("{algorithm}-ours"));
        for seed in 0..3 {
            check(&desk, &SigningKey::generate(algorithm, &mut Counted(seed * 100)));
        }
    }
}

#[test]
fn sm2_id_matters() {
    let desk = Desk::new("sm2-id");
    let key = SigningKey::generate(Algorithm::Sm2, &mut Counted(7));
    desk.put("private.der", &private_der(&key));
    desk.put("message", b"message");
    let sign = "pkeyutl -sign -rawin -digest sm3 -inkey private.der -keyform DER -in message -out signature";
    for id in ["", "-pkeyopt distid:8765432187654321"] {
        desk.run(&format!("{sign} {id}"));
        assert!(key.public().verify(b"message", &signature_raw(&desk.get("signature"))).is_err());
    }
}

#[test]
fn digests() {
    let desk = Desk::new("digests");
    for message in MESSAGES {
        desk.put("message", message);
        for (name, ours) in [("sm3", sm3(message)), ("sha256", sha256(message))] {
            assert!(desk.run(&format!("dgst -{name} -r message")).starts_with(&hex(&ours)));
        }
        for key in ["k", &"long".repeat(32)] {
            for (name, ours) in
                [("SM3", hmac_sm3(key.as_bytes(), message)), ("SHA256", hmac_sha256(key.as_bytes(), message))]
            {
                let theirs = desk.run(&format!("mac -digest {name} -macopt key:{key} -in message HMAC"));
                assert_eq!(theirs.trim().to_lowercase(), hex(&ours));
            }
        }
    }
}
