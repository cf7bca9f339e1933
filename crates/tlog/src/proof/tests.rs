//! A proof holds for its leaf, its log and its witnesses, and for nothing else.

use proptest::prelude::*;
use tb_base::Timestamp;
use tb_crypto::Algorithm;

use super::*;
use crate::note::tests::{cosigner, signer};
use crate::prove::tests::Memory;
use crate::{leaf_hash, prove_inclusion, tree_root};

const ORIGIN: &str = "log.xiangtan.example/2026";

/// A proof of leaf 11 of 30, signed twice by the log and cosigned by two witnesses.
fn proof() -> LogProof {
    let mut log = Memory::of(30, "");
    let checkpoint =
        Checkpoint { origin: ORIGIN.to_owned(), size: 30, root: tree_root(30, &mut log).unwrap() };
    let note = Note::new(&checkpoint.text()).unwrap();
    let lines = [
        signer(ORIGIN, Algorithm::Ed25519, 1).sign(&note),
        signer(ORIGIN, Algorithm::Sm2, 2).sign(&note),
        cosigner("witness.changsha.example", 3).cosign(&note, Timestamp(5_000_000)),
        cosigner("witness.zhuzhou.example", 4).cosign(&note, Timestamp(6_000_000)),
    ];
    let note = lines.into_iter().fold(note, Note::with);
    LogProof { index: 11, path: prove_inclusion(11, 30, &mut log).unwrap(), note }
}

fn log_keys() -> Vec<Verifier> {
    let signers = [signer(ORIGIN, Algorithm::Ed25519, 1), signer(ORIGIN, Algorithm::Sm2, 2)];
    signers.iter().map(|signer| signer.verifier().clone()).collect()
}

fn witness_keys() -> Vec<Verifier> {
    let cosigners = [cosigner("witness.changsha.example", 3), cosigner("witness.zhuzhou.example", 4)];
    cosigners.iter().map(|cosigner| cosigner.verifier().clone()).collect()
}

#[test]
fn verify() {
    let (proof, leaf) = (proof(), leaf_hash(b"11"));
    let proven = proof.verify(&leaf, &log_keys(), &witness_keys()).unwrap();
    assert_eq!((proven.checkpoint.size, proven.log.len(), proven.witnesses.len()), (30, 2, 2));
    let alone = proof.verify(&leaf, &log_keys()[..1], &witness_keys()[1..]).unwrap();
    assert_eq!((alone.log.len(), alone.witnesses[0].seconds), (1, Some(6)));
    assert_eq!(proof.verify(&leaf, &log_keys(), &[]).unwrap().witnesses, []);

    assert!(proof.verify(&leaf_hash(b"12"), &log_keys(), &witness_keys()).is_err());
    assert!(LogProof { index: 12, ..proof.clone() }.verify(&leaf, &log_keys(), &witness_keys()).is_err());
    assert!(LogProof { path: vec![], ..proof.clone() }.verify(&leaf, &log_keys(), &witness_keys()).is_err());
    // Witnesses do not stand in for the log, nor a log of another name.
    assert!(proof.verify(&leaf, &witness_keys(), &witness_keys()).is_err());
    assert!(proof.verify(&leaf, &[], &witness_keys()).is_err());
    let other = signer("log.other.example", Algorithm::Ed25519, 1).verifier().clone();
    assert!(proof.verify(&leaf, &[other], &witness_keys()).is_err());
}

#[test]
fn text() {
    let proof = proof();
    let text = proof.to_string();
    assert_eq!(text.parse::<LogProof>().unwrap(), proof);
    let refused = |text: &str| assert!(text.parse::<LogProof>().is_err(), "{text}");
    refused(&text.replace("@v1", "@v2"));
    refused(&text.replace("index 11", "index 011"));
    refused(&text.replace("index 11", "extra AAAA\nindex 11"));
    refused(&text.replace("index 11\n", "index 11\n\n"));
    refused(
        &text.replace("index 11\n", &format!("index 11\n{}", format!("{}\n", base64(&[0; 32])).repeat(60))),
    );
    refused(&"a".repeat(PROOF_BYTES_MAX + 1));
}

proptest! {
    /// One letter changed anywhere makes the proof fail, or changes a line of nobody known.
    #[test]
    fn spoiled_proofs(at: prop::sample::Index, letter in "[ -~]") {
        let (text, leaf) = (proof().to_string(), leaf_hash(b"11"));
        let mut spoiled: Vec<char> = text.chars().collect();
        let at = at.index(spoiled.len());
        spoiled[at] = letter.chars().next().unwrap();
        let spoiled: String = spoiled.into_iter().collect();
        prop_assume!(spoiled != text);
        let proven = spoiled.parse::<LogProof>().and_then(|proof| proof.verify(&leaf, &log_keys(), &witness_keys()));
        if let Ok(proven) = proven {
            prop_assert!(proven.log.len() + proven.witnesses.len() < 4);
        }
    }

    #[test]
    fn any_text_is_survived(text: String) {
        let _ = text.parse::<LogProof>();
    }
}
