//! Honest logs grow; forged and forked ones are refused with the right word.

use proptest::prelude::*;
use tb_crypto::Algorithm;

use super::*;
use crate::note::Signer;
use crate::note::tests::{cosigner, signer};
use crate::prove::tests::Memory;
use crate::{prove_consistency, tree_root};

const ORIGIN: &str = "log.changsha.example/2026";
const NOW: Timestamp = Timestamp(1_767_225_600_000_000);

fn note(log: &mut Memory, size: u64, signer: &Signer) -> Note {
    let root = tree_root(size, log).unwrap();
    let note = Note::new(&Checkpoint { origin: ORIGIN.to_owned(), size, root }.text()).unwrap();
    note.clone().with(signer.sign(&note))
}

fn request(log: &mut Memory, old: u64, size: u64, signer: &Signer) -> Request {
    Request { old, proof: prove_consistency(old, size, log).unwrap(), note: note(log, size, signer) }
}

fn known(log: &mut Memory, size: u64) -> Known {
    Known { size, root: tree_root(size, log).unwrap() }
}

fn ask(known: Known, request: &Request) -> Result<Accepted, Refused> {
    let keys = [
        signer(ORIGIN, Algorithm::Ed25519, 1).verifier().clone(),
        signer(ORIGIN, Algorithm::Sm2, 2).verifier().clone(),
    ];
    decide(&keys, known, request, &cosigner("witness.zhuzhou.example", 9), NOW)
}

fn own() -> Signer {
    signer(ORIGIN, Algorithm::Ed25519, 1)
}

#[test]
fn an_honest_log_grows() {
    let mut log = Memory::of(120, "");
    let mut state = Known::NOTHING;
    for size in [0, 1, 2, 2, 3, 7, 64, 65, 120] {
        let request = request(&mut log, state.size, size, &own());
        let sent: Request = request.to_string().parse().unwrap();
        assert_eq!(sent, request);
        let accepted = ask(state, &sent).unwrap();
        state = accepted.known;
        assert_eq!(state, known(&mut log, size));

        let lines = Signature::parse_lines(&accepted.line.to_string()).unwrap();
        let cosigned = lines.into_iter().fold(sent.note, Note::with);
        let verified = cosigned.verify(&[cosigner("witness.zhuzhou.example", 9).verifier().clone()]).unwrap();
        assert_eq!(verified[0].seconds, Some(1_767_225_600));
    }
}

#[test]
fn either_key_of_the_log_suffices() {
    let mut log = Memory::of(5, "");
    assert!(ask(Known::NOTHING, &request(&mut log, 0, 5, &signer(ORIGIN, Algorithm::Sm2, 2))).is_ok());
}

#[track_caller]
fn check(known: Known, request: &Request, status: u16) {
    let refused = ask(known, request).unwrap_err();
    assert_eq!(refused.status(), status, "{refused:?}");
}

/// The witness says which size it knows; `forked` when the root of that size is another one.
#[track_caller]
fn check_size(known: Known, request: &Request, forked: bool) {
    let size = known.size;
    let expected = if forked { Refused::Forked { size } } else { Refused::Conflict { size } };
    assert_eq!(ask(known, request).unwrap_err(), expected);
    assert_eq!(expected.status(), 409);
}

#[test]
fn refusals() {
    let (mut log, mut fork) = (Memory::of(40, ""), Memory::of(40, "fork"));
    let at_20 = known(&mut log, 20);
    let honest = request(&mut log, 20, 40, &own());
    assert!(ask(at_20, &honest).is_ok());

    // Unknown origin: the log's keys are not here.
    let asked = decide(&[], at_20, &honest, &cosigner("w.example", 9), NOW).unwrap_err();
    assert_eq!((asked.clone(), asked.status()), (Refused::UnknownOrigin, 404));
    // A stranger signs, under the log's name or its own.
    check(at_20, &request(&mut log, 20, 40, &signer(ORIGIN, Algorithm::Ed25519, 7)), 403);
    check(at_20, &request(&mut log, 20, 40, &signer("other.example", Algorithm::Ed25519, 1)), 403);
    // The signature of another checkpoint is pasted on.
    let pasted = note(&mut fork, 40, &own()).signatures()[0].clone();
    let bare = Note::new(honest.note.text()).unwrap();
    check(at_20, &Request { note: bare.with(pasted), ..honest.clone() }, 403);
    // Not a checkpoint at all; an old size above the new.
    let other = Note::new("text\n").unwrap();
    check(at_20, &Request { note: other.clone().with(own().sign(&other)), ..honest.clone() }, 400);
    check(at_20, &Request { old: 41, ..honest.clone() }, 400);
    // Stale, from nothing, rolled back: the witness says what it knows.
    check_size(at_20, &request(&mut log, 19, 40, &own()), false);
    check_size(at_20, &request(&mut log, 0, 40, &own()), false);
    check_size(at_20, &request(&mut log, 10, 15, &own()), false);
    // No proof, a bent proof, a proof that is too long.
    check(at_20, &Request { proof: vec![], ..honest.clone() }, 422);
    let mut bent = honest.clone();
    bent.proof[0][0] ^= 1;
    check(at_20, &bent, 422);
    let mut long = honest;
    long.proof.push([0; 32]);
    check(at_20, &long, 422);
}

#[test]
fn a_forked_log_is_refused() {
    let (mut log, mut fork) = (Memory::of(40, ""), Memory::of(20, ""));
    // The fork shares 20 leaves and then goes its own way, signed by the same key.
    (20..40).for_each(|n| fork.push(format!("fork{n}").as_bytes()));
    let at_30 = known(&mut log, 30);
    check_size(at_30, &request(&mut fork, 30, 30, &own()), true);
    check(at_30, &request(&mut fork, 30, 40, &own()), 422);
    // With the proof of the honest log beside the root of the fork.
    let proof = prove_consistency(30, 40, &mut log).unwrap();
    check(at_30, &Request { proof, ..request(&mut fork, 30, 40, &own()) }, 422);
    // Up to the common beginning it is the same log.
    assert!(ask(known(&mut log, 20), &request(&mut fork, 20, 40, &own())).is_ok());
}

#[test]
fn a_forged_log_is_refused() {
    // One leaf in the past is changed and everything after it is rebuilt and signed.
    let (mut log, mut forged) = (Memory::of(40, ""), Memory::default());
    (0..40).for_each(|n| {
        let leaf = if n == 3 { "changed".to_owned() } else { n.to_string() };
        forged.push(leaf.as_bytes());
    });
    for old in 4..40 {
        let at_old = known(&mut log, old);
        check(at_old, &request(&mut forged, old, 40, &own()), 422);
        check_size(at_old, &request(&mut forged, old, old, &own()), true);
    }
}

#[test]
fn empty_trees() {
    let mut log = Memory::default();
    assert!(ask(Known::NOTHING, &request(&mut log, 0, 0, &own())).is_ok());
    let lie = Note::new(&Checkpoint { origin: ORIGIN.to_owned(), size: 0, root: [1; 32] }.text()).unwrap();
    let lie = Request { old: 0, proof: vec![], note: lie.clone().with(own().sign(&lie)) };
    check_size(Known::NOTHING, &lie, true);
}

#[test]
fn bodies() {
    let mut log = Memory::of(40, "");
    let body = request(&mut log, 20, 40, &own()).to_string();
    let refused = |body: &str| assert!(body.parse::<Request>().is_err(), "{body}");
    assert!(body.parse::<Request>().is_ok());
    refused(&body.replace("old 20", "old 020"));
    refused(&body.replace("old 20", "old"));
    refused(&body.replace("old 20\n", ""));
    refused(&body.replace("old 20\n", "old 20\nrest\n"));
    refused(&body.replace('\n', "\r\n"));
    refused(&body.replace("old 20\n", &format!("old 20\n{}", format!("{}\n", base64(&[0; 32])).repeat(63))));
    refused(&"a".repeat(REQUEST_BYTES_MAX + 1));
}

proptest! {
    #[test]
    fn any_body_is_survived(body: String) {
        let _ = body.parse::<Request>();
    }

    /// However a log behaves, the sizes that a witness cosigns only grow, along one tree.
    #[test]
    fn a_witness_is_never_rolled_back(asked in prop::collection::vec((0_u64..30, 0_u64..30, any::<bool>()), 1..20)) {
        let (mut log, mut fork) = (Memory::of(30, ""), Memory::of(30, "fork"));
        let (mut state, mut cosigned) = (Known::NOTHING, vec![Known::NOTHING]);
        for (old, more, is_fork) in asked {
            let size = (old + more).min(30);
            let source = if is_fork { &mut fork } else { &mut log };
            if let Ok(accepted) = ask(state, &request(source, old, size, &own())) {
                prop_assert!(state.size <= accepted.known.size);
                state = accepted.known;
                cosigned.push(state);
            }
        }
        let on = |log: &mut Memory| cosigned.iter().all(|one| *one == known(log, one.size));
        prop_assert!(on(&mut log) || on(&mut fork));
    }
}
