//! Published notes, every way to spoil one, and the rules about known and unknown keys.

use proptest::prelude::*;
use tb_crypto::text::fixed;

use super::*;

/// Text, key and note of the documentation of Go's sumdb/note.
const NEUMANN: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const NEUMANN_SECRET: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

pub(crate) fn key(algorithm: Algorithm, seed: u8) -> SigningKey {
    SigningKey::from_secret(algorithm, &[seed; 32]).unwrap()
}

pub(crate) fn signer(name: &str, algorithm: Algorithm, seed: u8) -> Signer {
    Signer::new(name, key(algorithm, seed)).unwrap()
}

pub(crate) fn cosigner(name: &str, seed: u8) -> Cosigner {
    Cosigner::new(name, key(Algorithm::Ed25519, seed)).unwrap()
}

#[test]
fn note_of_the_reference() {
    let verifier: Verifier = NEUMANN.parse().unwrap();
    assert_eq!(
        (verifier.name(), verifier.kind(), verifier.id()),
        ("PeterNeumann", Kind::Ed25519, 0xc74f_20a3)
    );
    assert_eq!(verifier.to_string(), NEUMANN);
    let note = Note::parse(&format!("{TEXT}\n{LINE}")).unwrap();
    assert_eq!(note.verify(std::slice::from_ref(&verifier)).unwrap()[0].name, "PeterNeumann");

    let secret = fixed(&unbase64(NEUMANN_SECRET).unwrap()[1..]).unwrap();
    let signer =
        Signer::new("PeterNeumann", SigningKey::from_secret(Algorithm::Ed25519, &secret).unwrap()).unwrap();
    assert_eq!(signer.verifier(), &verifier);
    let own = Note::new(TEXT).unwrap();
    assert_eq!(signer.sign(&own).to_string(), LINE);
}

#[test]
fn all_kinds_of_line() {
    let (log, log_sm2) =
        (signer("log.example/1", Algorithm::Ed25519, 1), signer("log.example/1", Algorithm::Sm2, 2));
    let witness = cosigner("witness.example", 3);
    let note = Note::new("log.example/1\n1\nroot\n").unwrap();
    let lines =
        [log.sign(&note), log_sm2.sign(&note), witness.cosign(&note, Timestamp(1_700_000_000_999_999))];
    let note = lines.into_iter().fold(note, Note::with);
    let note = Note::parse(&note.to_string()).unwrap();
    let known = [log.verifier().clone(), log_sm2.verifier().clone(), witness.verifier().clone()];
    let verified = note.verify(&known).unwrap();
    let kinds: Vec<_> = verified.iter().map(|one| (one.kind, one.seconds)).collect();
    assert_eq!(kinds, [(Kind::Ed25519, None), (Kind::Sm2, None), (Kind::Cosignature, Some(1_700_000_000))]);
    for verifier in &known {
        assert_eq!(&verifier.to_string().parse::<Verifier>().unwrap(), verifier);
    }
}

#[test]
fn known_and_unknown_keys() {
    let (log, witness, stranger) = (
        signer("log.example", Algorithm::Ed25519, 1),
        cosigner("witness.example", 3),
        cosigner("stranger.example", 4),
    );
    let (logs, now) = ([log.verifier().clone()], Timestamp(5_000_000));
    let note = Note::new("text\n").unwrap();
    let signed = note.clone().with(log.sign(&note)).with(stranger.cosign(&note, now));
    assert_eq!(signed.verify(&logs).unwrap().len(), 1);
    assert!(note.verify(&logs).is_err());
    assert!(signed.verify(&[]).is_err());
    assert!(signed.verify(&[witness.verifier().clone()]).is_err());

    // Two cosignatures of one witness are one witness.
    let twice = signed.with(witness.cosign(&note, now)).with(witness.cosign(&note, Timestamp(9_000_000)));
    let verified = twice.verify(&[witness.verifier().clone()]).unwrap();
    assert_eq!((verified.len(), verified[0].seconds), (1, Some(5)));

    // Nor does one key become two by being known twice or under two names.
    let alias = cosigner("alias.example", 3);
    let aliased = twice.clone().with(alias.cosign(&note, now));
    let known = [witness.verifier().clone(), witness.verifier().clone(), alias.verifier().clone()];
    assert_eq!(aliased.verify(&known).unwrap().len(), 1);

    // A line of a known key that does not verify refuses the note, even beside a good one.
    let other = Note::new("other\n").unwrap();
    assert!(twice.clone().with(log.sign(&other)).verify(&logs).is_err());
    let late = witness.cosign(&note, now).to_string();
    let mut moved = Signature::parse_lines(&late).unwrap().remove(0);
    moved.bytes[7] += 1;
    assert!(note.with(moved).verify(&[witness.verifier().clone()]).is_err());
}

#[test]
fn a_log_key_does_not_cosign() {
    // The same key under the other kind has another id, and its line does not count as the other's.
    let (log, witness) = (signer("same.example", Algorithm::Ed25519, 1), cosigner("same.example", 1));
    assert_ne!(log.verifier().id(), witness.verifier().id());
    let note = Note::new("text\n").unwrap();
    let signed = note.clone().with(log.sign(&note));
    assert!(signed.verify(&[witness.verifier().clone()]).is_err());
    assert!(Signer::new("p256.example", key(Algorithm::P256, 1)).is_err());
    assert!(Cosigner::new("sm2.example", key(Algorithm::Sm2, 1)).is_err());
    assert!(Verifier::new("a", Kind::Sm2, key(Algorithm::Ed25519, 1).public()).is_err());
}

#[track_caller]
fn check(note: &str, valid: bool) {
    let parsed = Note::parse(note);
    assert_eq!(parsed.is_ok(), valid, "{note:?}");
    if let Ok(parsed) = parsed {
        assert_eq!(parsed.to_string(), note);
    }
}

#[test]
fn parse() {
    check(&format!("{TEXT}\n{LINE}"), true);
    check(&format!("a\n\nb\n\n{LINE}{LINE}"), true);
    check(&format!("{TEXT}{LINE}"), false);
    check(&format!("{TEXT}\n"), false);
    check(&format!("{TEXT}\n{}", LINE.trim_end()), false);
    check(&format!("{TEXT}\n{LINE}rest"), false);
    check(&format!("{TEXT}\n{LINE}\n"), false);
    check(&format!("\n\n{LINE}"), false);
    check(&format!("a\tb\n\n{LINE}"), false);
    check(&format!("a\r\n\n{LINE}"), false);
    check(&format!("a\n\n{}", LINE.replace("— ", "- ")), false);
    check(&format!("a\n\n{}", LINE.replace("Neumann ", "Neumann\u{3000}x ")), false);
    check(&format!("a\n\n{}", LINE.replace("Peter", "Peter+")), false);
    check("a\n\n— name AAAAAA==\n", false);
    check("a\n\n— name AAAAAAA=\n", true);
    check("a\n\n— name AAAAAAA\n", false);
    check(&format!("a\n\n{}", LINE.repeat(SIGNATURES_MAX)), true);
    check(&format!("a\n\n{}", LINE.repeat(SIGNATURES_MAX + 1)), false);
    check(&format!("{}\n\n{LINE}", "a".repeat(NOTE_BYTES_MAX)), false);
}

#[test]
fn keys_as_text() {
    let refused = |text: &str| assert!(text.parse::<Verifier>().is_err(), "{text}");
    refused("");
    refused("PeterNeumann");
    refused(&NEUMANN.replace("c74f20a3", "c74f20a4"));
    refused(&NEUMANN.replace("c74f20a3", "C74F20A3"));
    refused(&NEUMANN.replace("+AR", "+BR"));
    refused(&NEUMANN.replace("PeterNeumann", "Peter Neumann"));
}

proptest! {
    #[test]
    fn any_text_is_survived(text: String) {
        let _ = Note::parse(&text);
        let _ = text.parse::<Verifier>();
    }

    #[test]
    fn spoiled_notes(at: prop::sample::Index, letter in "[ -~]") {
        let note = format!("{TEXT}\n{LINE}");
        let mut spoiled: Vec<char> = note.chars().collect();
        let at = at.index(spoiled.len());
        spoiled[at] = letter.chars().next().unwrap();
        let spoiled: String = spoiled.into_iter().collect();
        let verified = Note::parse(&spoiled).and_then(|note| note.verify(&[NEUMANN.parse().unwrap()]));
        prop_assert_eq!(verified.is_ok(), spoiled == note);
    }
}

#[test]
fn cosignature_byte_by_byte() {
    // tlog-cosignature: key id, time and signature; the message is written out here by hand.
    let witness = cosigner("witness.example", 3);
    let note = Note::new("log.example/1\n1\nroot\n").unwrap();
    let line = witness.cosign(&note, Timestamp(1_679_315_147_000_000)).to_string();
    let payload = unbase64(line.strip_prefix("— witness.example ").unwrap().trim_end()).unwrap();
    let public = key(Algorithm::Ed25519, 3).public();
    let id = sha256(&[b"witness.example\n\x04", &public.to_bytes()[..]].concat());
    assert_eq!(payload[..4], id[..4]);
    assert_eq!(payload[4..12], 1_679_315_147_u64.to_be_bytes());
    let message = b"cosignature/v1\ntime 1679315147\nlog.example/1\n1\nroot\n";
    public.verify(message, &payload[12..]).unwrap();
}
