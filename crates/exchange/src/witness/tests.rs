//! What logs and witnesses sign, before and after a renewal of their keys.

use tb_tlog::note::Note;
use tb_tlog::witness::{Known, Refused, Request};
use tb_tlog::{Checkpoint, leaf_hash};

use super::{Answer, checkpoint_of, cosigner, decide, log_keys, signers, witness_keys, witness_keys_at};
use crate::fixture::{Counter, NOON, Region, changsha, xiangtan};
use crate::keys::{Secrets, WitnessKey};
use crate::{City, FormerKeys};

#[test]
fn a_city_cosigns_anothers_checkpoint_once_it_grew() {
    let region = Region::new();
    let city = region.trust.list.city(changsha()).unwrap();
    let witness = region.trust.list.city(xiangtan()).unwrap();
    let root = leaf_hash(b"first");
    let text = Checkpoint { origin: city.log_origin.clone(), size: 1, root }.text();
    let mut note = Note::new(&text).unwrap();
    for signer in signers(city, &region.secrets[&changsha()]).unwrap() {
        note = note.clone().with(signer.sign(&note));
    }
    let asked = Request { old: 0, proof: Vec::new(), note }.to_string();
    let request: Request = asked.parse().unwrap();
    let cosigner = cosigner(witness, &region.witnesses[&xiangtan()]).unwrap();
    let keys = log_keys(city).unwrap();
    let decided = decide(city, Known::NOTHING, &request, &cosigner, NOON).unwrap();
    let answer = Answer::of(&decided);
    let read = Answer::read(answer.status(), &answer.body()).unwrap();
    assert_eq!(read, answer);
    let Answer::Cosigned(lines) = read else { panic!("it cosigns") };
    let note = lines.into_iter().fold(request.note.clone(), Note::with);
    assert_eq!(note.verify(&witness_keys(witness).unwrap()).unwrap().len(), 1);
    assert_eq!(note.verify(&keys).unwrap().len(), 2);

    let stale = decide(city, Known { size: 5, root }, &request, &cosigner, NOON).unwrap();
    let answer = Answer::of(&stale);
    assert_eq!((answer.status(), answer.body().as_str()), (409, "5\n"));
    assert_eq!(Answer::read(409, "5\n").unwrap(), Answer::Conflict(5));
    assert!(Answer::read(409, "five\n").is_err());
}

/// The city with other keys since noon, and those keys; the ones before count for an hour.
fn renewed(region: &Region) -> (City, Secrets, WitnessKey) {
    let listed = region.trust.list.city(changsha()).unwrap().clone();
    let mut entropy = Counter(90_000);
    let secrets = region.secrets[&changsha()].renewed(&mut entropy);
    let witness = WitnessKey::generate(&mut entropy);
    let keys = secrets.public(&"11".repeat(32), &witness.public());
    let former = vec![FormerKeys { keys: listed.keys.clone(), until: NOON.plus_seconds(3_600) }];
    (City { keys, former, ..listed }, secrets, witness)
}

/// A note of the city's log with as many of its two lines as are asked for, the SM2 line last.
fn lines(city: &City, secrets: &Secrets, which: std::ops::Range<usize>) -> Note {
    let checkpoint = Checkpoint { origin: city.log_origin.clone(), size: 1, root: leaf_hash(b"first") };
    let bare = Note::new(&checkpoint.text()).unwrap();
    let signers = signers(city, secrets).unwrap();
    signers[which].iter().fold(bare.clone(), |note, signer| note.with(signer.sign(&bare)))
}

#[test]
fn a_log_signs_with_both_kinds_whichever_keys_it_had() {
    let region = Region::new();
    let (city, secrets, _) = renewed(&region);
    let old = &region.secrets[&changsha()];
    assert_eq!(log_keys(&city).unwrap().len(), 4);
    for secrets in [old, &secrets] {
        assert_eq!(checkpoint_of(&city, &lines(&city, secrets, 0..2)).unwrap().size, 1);
        for one in [0..1, 1..2] {
            let note = lines(&city, secrets, one.clone());
            assert_eq!(checkpoint_of(&city, &note).unwrap_err().code, "note-invalid", "line {one:?} alone");
        }
    }
    // One line of each set is one of each kind.
    let mixed = lines(&city, &secrets, 1..2).signatures()[0].clone();
    assert!(checkpoint_of(&city, &lines(&city, old, 0..1).with(mixed)).is_ok());
    let other = region.trust.list.city(xiangtan()).unwrap();
    let note = lines(&city, old, 0..2);
    assert_eq!(checkpoint_of(other, &note).unwrap_err().code, "note-invalid");
    // A log's own keys under a checkpoint of another origin.
    let strange = Checkpoint { origin: other.log_origin.clone(), size: 1, root: leaf_hash(b"first") };
    let bare = Note::new(&strange.text()).unwrap();
    let signers = signers(&city, old).unwrap();
    let strange = signers.iter().fold(bare.clone(), |note, signer| note.with(signer.sign(&bare)));
    assert_eq!(checkpoint_of(&city, &strange).unwrap_err().code, "witness-unknown-origin");
    let stranger = Secrets::generate(&mut Counter(5));
    assert!(checkpoint_of(&city, &lines(&city, &stranger, 0..2)).is_err());
}

/// What could not be shown to anybody later is not cosigned, and is no fork either.
#[test]
fn a_note_with_one_kind_of_signature_is_not_decided_on() {
    let region = Region::new();
    let city = region.trust.list.city(changsha()).unwrap();
    let witness = region.trust.list.city(xiangtan()).unwrap();
    let cosigner = cosigner(witness, &region.witnesses[&xiangtan()]).unwrap();
    let asked = |old, which| Request {
        old,
        proof: Vec::new(),
        note: lines(city, &region.secrets[&changsha()], which),
    };
    let say = |known, request: &Request| decide(city, known, request, &cosigner, NOON).unwrap();
    let other = Known { size: 1, root: [9; 32] };
    assert!(say(Known::NOTHING, &asked(0, 0..2)).is_ok());
    assert_eq!(say(other, &asked(1, 0..2)), Err(Refused::Forked { size: 1 }));
    for one in [0..1, 1..2] {
        for (known, old) in [(Known::NOTHING, 0), (other, 1)] {
            let refused = say(known, &asked(old, one.clone())).unwrap_err();
            assert!(matches!(refused, Refused::BadSignature(_)), "{refused:?}");
        }
    }
}

#[test]
fn a_renewed_witness_cosigns_with_its_old_key_until_the_overlap_ends() {
    let region = Region::new();
    let (city, _, fresh) = renewed(&region);
    let note = lines(&city, &region.secrets[&changsha()], 0..2);
    let cosigned = |key: &WitnessKey| note.clone().with(cosigner(&city, key).unwrap().cosign(&note, NOON));
    let (old, fresh) = (cosigned(&region.witnesses[&changsha()]), cosigned(&fresh));
    let at = |seconds| witness_keys_at(&city, NOON.plus_seconds(seconds)).unwrap();
    assert!(old.verify(&at(3_600)).is_ok() && fresh.verify(&at(3_600)).is_ok());
    assert!(old.verify(&at(3_601)).is_err() && fresh.verify(&at(3_601)).is_ok());
    // What was cosigned then is looked at later, too.
    assert!(old.verify(&witness_keys(&city).unwrap()).is_ok());
}
