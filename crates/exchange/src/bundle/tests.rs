//! Tests of bundles: a whole one verifies, a changed one never does and the report says where.

use std::collections::BTreeMap;

use tb_base::{MessageId, NodeId};
use tb_crypto::text;
use tb_tlog::note::Note;
use tb_tlog::{Checkpoint, leaf_hash, prove_inclusion, stored_hashes, tree_root};

use super::{
    AnswerEvidence, Bundle, CaseEvidence, EventEvidence, FORMAT, LeafProof, LicenceEvidence, LookEvidence,
    MessageEvidence, Origin, Part, Report, SignedPart, assemble, licence_text, verify,
};
use crate::fixture::{DRIVER, NOON, Region, changsha, ctx_at, fetch, purpose, xiangtan, zhuzhou};
use crate::http_message::{Facts, Reply, sign_request, sign_response};
use crate::{Leaf, LeafKind, Outgoing, subject_commitment, witness};

const SALT: [u8; 16] = [9; 16];
const ROW: &str = "{\"city\":\"430100\",\"item\":\"121\"}";
const RECORD: &str = "{\"id\":\"01kq3zt0000000000000000005\",\"version\":2}";

fn leaf(kind: LeafKind, id: MessageId, content: [u8; 32]) -> Leaf {
    Leaf { kind, at: NOON, id, contract: [0; 16], content, base: [0; 32], subject: [0; 32] }
}

/// A log of these leaves, with a signed checkpoint that the witnesses cosigned.
fn log(region: &Region, node: NodeId, leaves: &[Leaf], witnesses: &[NodeId]) -> (String, Vec<LeafProof>) {
    let mut hashes: Vec<[u8; 32]> = Vec::new();
    for (at, leaf) in leaves.iter().enumerate() {
        let known = hashes.clone();
        let mut reader = move |positions: &[u64]| {
            Ok(positions.iter().map(|at| known[usize::try_from(*at).unwrap()]).collect())
        };
        let at = u64::try_from(at).unwrap();
        hashes.extend(stored_hashes(at, leaf_hash(&leaf.encode()), &mut reader).unwrap());
    }
    let mut reader = move |positions: &[u64]| {
        Ok(positions.iter().map(|at| hashes[usize::try_from(*at).unwrap()]).collect())
    };
    let size = u64::try_from(leaves.len()).unwrap();
    let city = region.trust.list.city(node).unwrap();
    let root = tree_root(size, &mut reader).unwrap();
    let mut note = Note::new(&Checkpoint { origin: city.log_origin.clone(), size, root }.text()).unwrap();
    for signer in witness::signers(city, &region.secrets[&node]).unwrap() {
        note = note.clone().with(signer.sign(&note));
    }
    for other in witnesses {
        let cosigner =
            witness::cosigner(region.trust.list.city(*other).unwrap(), &region.witnesses[other]).unwrap();
        note = note.clone().with(cosigner.cosign(&note, NOON));
    }
    let prove = |(at, leaf): (usize, &Leaf)| {
        let index = u64::try_from(at).unwrap();
        LeafProof::new(leaf, index, &prove_inclusion(index, size, &mut reader).unwrap())
    };
    let proofs = leaves.iter().enumerate().map(prove).collect();
    (note.to_string(), proofs)
}

/// The message of the journey, signed and answered.
fn message(region: &Region, message: &Outgoing) -> (MessageEvidence, [u8; 32]) {
    let desk = region.desk(changsha());
    let request = sign_request(message, &region.secrets[&changsha()], &desk, NOON, [3; 16]).unwrap();
    let facts = Facts::read(&request.method, &request.path, &request.fields);
    let id = ctx_at(xiangtan(), NOON).id(MessageId::new);
    let reply = Reply::json(id, 200, b"{\"name\":\"x\"}".to_vec());
    let response =
        sign_response(&reply, &facts, &region.desk(xiangtan()), &region.secrets[&xiangtan()], NOON).unwrap();
    let answer =
        AnswerEvidence { response: response.evidence(), content: Some(text::base64(&response.body)) };
    let evidence = MessageEvidence {
        request: request.evidence(),
        content: Some(text::base64(&message.body)),
        answer: Some(answer),
    };
    (evidence, request.base_hash)
}

/// Three events: Changsha logs the first, Xiangtan the others.
fn events() -> Vec<EventEvidence> {
    let mut prev = String::new();
    let event = |seq: u32| {
        let record =
            serde_json::json!({"case": purpose().case, "seq": seq, "prev": prev, "event": {"kind": "moved"}});
        let evidence = EventEvidence::of(&record).unwrap();
        prev.clone_from(&evidence.hash);
        evidence
    };
    (1..=3).map(event).collect()
}

fn run(events: &[EventEvidence]) -> Vec<CaseEvidence> {
    vec![CaseEvidence { case: purpose().case.unwrap(), events: events.to_vec() }]
}

/// The parts of Changsha and Xiangtan, unsigned, so that a test can bend them.
fn parts(region: &Region, witnesses: &[NodeId]) -> BTreeMap<NodeId, Part> {
    let sent = fetch(region, NOON);
    let (evidence, base) = message(region, &sent);
    let envelope = &sent.envelope;
    let contract = envelope.contract.hash16();
    let content = tb_crypto::sha256(&sent.body);
    let out = Leaf { contract, ..leaf(LeafKind::Sent, envelope.id, content) };
    let received = Leaf { contract, base, ..leaf(LeafKind::Received, envelope.id, content) };
    let subject = subject_commitment(&SALT, DRIVER.as_bytes());
    let look = Leaf { subject, ..leaf(LeafKind::Look, envelope.id, tb_crypto::sha256(ROW.as_bytes())) };
    let case_id: MessageId = purpose().case.unwrap().as_str().parse().unwrap();
    let logged =
        |event: &EventEvidence| leaf(LeafKind::Case, case_id, tb_crypto::sha256(event.record.as_bytes()));
    let events = events();

    let signed = region.contracts.iter().find(|signed| signed.contract.id == envelope.contract.id).unwrap();
    let base_part = |node, leaves: &[Leaf]| {
        let (checkpoint, proofs) = log(region, node, leaves, witnesses);
        let mut part = Part::new(node, NOON, region.trust.clone());
        part.contracts = vec![signed.clone()];
        part.checkpoint = Some(checkpoint);
        part.leaves = proofs;
        part.messages = vec![evidence.clone()];
        part
    };
    let mut sender = base_part(changsha(), &[out, logged(&events[0])]);
    sender.cases = run(&events[..1]);
    let mut receiver = base_part(xiangtan(), &[received, look, logged(&events[1]), logged(&events[2])]);
    receiver.looks =
        vec![LookEvidence { row: ROW.to_owned(), salt: text::hex(&SALT), subject: Some(DRIVER.to_owned()) }];
    receiver.cases = run(&events[1..]);
    let signature = region.secrets[&xiangtan()].licence_sm2.sign(&licence_text(RECORD.as_bytes()));
    receiver.licences = vec![LicenceEvidence {
        record: RECORD.to_owned(),
        issuer: xiangtan(),
        signature: text::base64(&signature),
    }];
    [(changsha(), sender), (xiangtan(), receiver)].into()
}

fn sign(region: &Region, parts: BTreeMap<NodeId, Part>) -> Vec<SignedPart> {
    parts.into_iter().map(|(node, part)| part.sign(&region.secrets[&node]).unwrap()).collect()
}

fn sample(region: &Region) -> Vec<u8> {
    assemble(sign(region, parts(region, &[zhuzhou()]))).unwrap()
}

fn failures(report: &Report) -> Vec<String> {
    report.failures().map(|check| format!("{} {}", check.part, check.what)).collect()
}

#[test]
fn a_whole_bundle_verifies() {
    let region = Region::new();
    let bundle = sample(&region);
    let report = verify(&bundle, None);
    assert_eq!(failures(&report), Vec::<String>::new(), "{report:#?}");
    assert!(report.ok);
    assert_eq!(report.origin, Origin::SelfConsistent);
    assert_eq!(report.fingerprint, region.trust.list.fingerprint().unwrap());
    assert_eq!((report.proofs, report.messages, report.paired), (6, 2, 1));
    assert_eq!((report.looks, report.events, report.licences), (1, 3, 1));
    assert_eq!(
        report.cosignatures,
        [(changsha(), [zhuzhou()].into()), (xiangtan(), [zhuzhou()].into())].into()
    );
}

#[test]
fn a_trust_list_from_elsewhere_proves_the_origin() {
    let region = Region::new();
    let bundle = sample(&region);
    let trust = serde_json::to_vec_pretty(&region.trust).unwrap();
    let report = verify(&bundle, Some(&trust));
    assert!(report.ok);
    assert_eq!(report.origin, Origin::Proven);

    let mut other = region.trust.clone();
    other.list.version = 2;
    for node in [changsha(), zhuzhou()] {
        other.signatures.remove(&xiangtan());
        other.sign(node, &region.secrets[&node]).unwrap();
    }
    let report = verify(&bundle, Some(&serde_json::to_vec(&other).unwrap()));
    assert!(!report.ok);
    assert_eq!(failures(&report), ["430100 one trust list", "430300 one trust list"]);
    assert_eq!(failures(&verify(&bundle, Some(b"{}"))), ["trust trust list handed in"]);
}

/// Each position is bent in one of eight ways; a stride that is prime to the structure stands for all of them.
#[test]
fn one_changed_byte_anywhere_is_found_and_its_part_named() {
    const STRIDE: usize = 7;
    let region = Region::new();
    let bundle = sample(&region);
    let second = bundle.windows(9).rposition(|window| window == b"},{\"body\"").unwrap();
    for at in (0..bundle.len()).filter(|at| *at < 60 || at % STRIDE == 0 || bundle.len() - 200 < *at) {
        let mut bent = bundle.clone();
        bent[at] ^= 1 << (at % 8);
        let report = verify(&bent, None);
        assert!(!report.ok, "byte {at} was changed and nobody noticed");
        let named = failures(&report).join(", ");
        let expected: &[&str] = if second + 2 < at { &["430300", "part 2"] } else { &["430100", "part 1"] };
        // Brackets and the first name of a part belong to the whole.
        let structural = named.starts_with("bundle ") || (second..second + 10).contains(&at);
        assert!(
            structural || expected.iter().any(|name| named.contains(name)),
            "byte {at} lies in {expected:?}, the report says {named}"
        );
    }
}

#[test]
fn another_spelling_of_the_same_bundle_is_refused() {
    let region = Region::new();
    let bundle = sample(&region);
    let mut spaced = bundle.clone();
    spaced.push(b'\n');
    assert_eq!(failures(&verify(&spaced, None)), ["part 2 encoding"]);
    let pretty: Bundle = serde_json::from_slice(&bundle).unwrap();
    assert!(!verify(&serde_json::to_vec_pretty(&pretty).unwrap(), None).ok);
    let mut unknown = serde_json::to_value(&pretty).unwrap();
    unknown["parts"][0]["body"]["extra"] = 1.into();
    assert_eq!(failures(&verify(&tb_crypto::canonical(&unknown).unwrap(), None)), ["430100 form"]);
    let mut unknown = serde_json::to_value(&pretty).unwrap();
    unknown["extra"] = 1.into();
    assert_eq!(failures(&verify(&tb_crypto::canonical(&unknown).unwrap(), None)), ["bundle shape"]);
    let mut swapped = pretty.clone();
    swapped.parts.reverse();
    assert_eq!(failures(&verify(&tb_crypto::canonical(&swapped).unwrap(), None)), ["bundle order"]);
    let empty = Bundle { format: FORMAT.to_owned(), parts: Vec::new() };
    assert_eq!(failures(&verify(&tb_crypto::canonical(&empty).unwrap(), None)), ["bundle shape"]);
}

/// What the city itself signed although it does not hold.
#[track_caller]
fn check_bent(change: impl FnOnce(&Region, &mut Part), expected: &[&str]) {
    let region = Region::new();
    let mut parts = parts(&region, &[zhuzhou()]);
    change(&region, parts.get_mut(&xiangtan()).unwrap());
    let report = verify(&assemble(sign(&region, parts)).unwrap(), None);
    assert_eq!(failures(&report), expected, "{report:#?}");
}

#[test]
fn a_city_cannot_sign_what_does_not_hold() {
    check_bent(|_, part| part.leaves[1].index = 0, &["430300 inclusion", "430300 look"]);
    check_bent(
        |_, part| {
            part.leaves.remove(0);
        },
        &["430300 message"],
    );
    check_bent(|_, part| part.contracts.clear(), &["430300 message"]);
    check_bent(|_, part| part.contracts[0].contract.version = 2, &["430300 contracts", "430300 message"]);
    check_bent(|_, part| part.messages[0].content = Some(text::base64(b"other")), &["430300 message"]);
    check_bent(
        |_, part| part.messages[0].request.fields.push(("via".to_owned(), "x".to_owned())),
        &["430300 message"],
    );
    check_bent(
        |_, part| part.messages[0].answer.as_mut().unwrap().content = Some(text::base64(b"other")),
        &["430300 message"],
    );
    check_bent(|_, part| part.looks[0].row.push(' '), &["430300 look"]);
    check_bent(|_, part| part.looks[0].salt = text::hex(&[1; 16]), &["430300 look"]);
    check_bent(|_, part| part.cases[0].events.reverse(), &["430300 case"]);
    check_bent(|_, part| part.cases[0].events[0].record = "{}".to_owned(), &["430300 case"]);
    check_bent(|_, part| part.cases[0].events[0].hash = text::hex(&[1; 32]), &["430300 case"]);
    check_bent(|_, part| part.cases[0].events = events()[..1].to_vec(), &["430300 case"]);
    check_bent(|_, part| part.licences[0].record = "{\"id\":\"other\"}".to_owned(), &["430300 licence"]);
    check_bent(|_, part| part.licences[0].issuer = changsha(), &["430300 licence"]);
    check_bent(
        |_, part| part.checkpoint = None,
        &["430300 checkpoint", "430300 message", "430300 look", "430300 case"],
    );
}

#[test]
fn parts_that_tell_another_story_of_a_case_are_found_out() {
    check_bent(
        |region, part| {
            let record = serde_json::json!({"case": purpose().case, "seq": 2, "prev": "other", "event": {}});
            let event = EventEvidence::of(&record).unwrap();
            let id = purpose().case.unwrap().as_str().parse().unwrap();
            let leaf = leaf(LeafKind::Case, id, tb_crypto::sha256(event.record.as_bytes()));
            let (checkpoint, proofs) = log(region, part.node, &[leaf], &[zhuzhou()]);
            (part.checkpoint, part.leaves) = (Some(checkpoint), proofs);
            part.cases = run(&[event]);
            (part.messages, part.looks) = (Vec::new(), Vec::new());
        },
        &["bundle case over all parts"],
    );
}

#[test]
fn the_evidence_of_a_record_holds_the_hash_that_it_has() {
    let hash = EventEvidence::of(&serde_json::json!({"seq": 1})).unwrap().hash;
    assert_eq!(
        EventEvidence::of(&serde_json::json!({"seq": 1, "hash": hash})).unwrap().record,
        "{\"seq\":1}"
    );
    assert!(EventEvidence::of(&serde_json::json!({"seq": 1, "hash": "00"})).is_err());
}

#[test]
fn a_message_may_keep_its_content_at_home() {
    check_bent(
        |_, part| {
            part.messages[0].content = None;
            part.messages[0].answer.as_mut().unwrap().content = None;
        },
        &[],
    );
}

#[test]
fn a_checkpoint_needs_another_city() {
    let region = Region::new();
    let lonely = verify(&assemble(sign(&region, parts(&region, &[]))).unwrap(), None);
    assert!(failures(&lonely).contains(&"430300 checkpoint".to_owned()));
    let both =
        verify(&assemble(sign(&region, parts(&region, &[changsha(), zhuzhou(), xiangtan()]))).unwrap(), None);
    assert!(both.ok);
    assert_eq!(both.cosignatures[&xiangtan()], [changsha(), zhuzhou()].into());
}

#[test]
fn one_part_for_each_city() {
    let region = Region::new();
    let mut signed = sign(&region, parts(&region, &[zhuzhou()]));
    signed.push(signed[0].clone());
    assert!(assemble(signed).is_err());
    assert!(assemble(Vec::new()).is_err());
}

#[test]
fn nothing_that_is_no_bundle_verifies() {
    for bytes in
        [b"".as_slice(), b"{}", b"[]", b"null", b"\xff", b"{\"format\":\"tongban-bundle-v1\",\"parts\":[{}]}"]
    {
        assert!(!verify(bytes, None).ok, "{bytes:?}");
    }
}
