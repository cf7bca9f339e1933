//! Tests of composing and admitting, and of the signed texts beneath.

use tb_base::{Error, NodeId, Timestamp};

use super::{Again, Desk, mismatch};
use crate::fixture::{DRIVER, NOON, Region, changsha, ctx_at, fetch, purpose, xiangtan, zhuzhou};
use crate::keys::{Secrets, WitnessKey};
use crate::{ContractRef, Envelope, Outgoing, Purpose, ServiceTerms, SignedContract, service};

/// The code of a refusal or violation.
#[track_caller]
fn code<T: std::fmt::Debug>(result: tb_base::Result<T>) -> String {
    match result.unwrap_err() {
        Error::Refused(refusal) => refusal.code.into_owned(),
        Error::Violation(violation) => format!("{} {}", violation.code, violation.component),
        Error::Fault(fault) => panic!("{fault}"),
    }
}

fn compose(
    desk: &Desk,
    to: NodeId,
    service: &str,
    purpose: Purpose,
    now: Timestamp,
) -> tb_base::Result<Outgoing> {
    let ctx = ctx_at(desk.me, now);
    desk.compose(&ctx, to, service, purpose, "window/hall", Some(DRIVER), &"body", now.plus_seconds(9))
}

#[test]
fn what_is_composed_is_admitted() {
    let region = Region::new();
    let message = fetch(&region, NOON);
    region.desk(xiangtan()).admit(&message.envelope, NOON).unwrap();
}

#[test]
fn composing_refuses_what_is_not_agreed() {
    let region = Region::new();
    let desk = region.desk(changsha());
    let with = |change: fn(&mut Purpose)| {
        let mut purpose = purpose();
        change(&mut purpose);
        code(compose(&desk, xiangtan(), service::LICENCE_FETCH, purpose, NOON))
    };
    assert_eq!(with(|purpose| purpose.item = "122".to_owned()), "EXC-CON-003");
    assert_eq!(with(|purpose| purpose.basis = "curiosity".to_owned()), "EXC-CON-003");
    assert_eq!(with(|purpose| purpose.basis = "consent:".to_owned()), "EXC-CON-003");
    assert_eq!(with(|purpose| (purpose.case, purpose.basis) = (None, "case".to_owned())), "EXC-CON-003");
    assert_eq!(code(compose(&desk, xiangtan(), service::CASE_ACT, purpose(), NOON)), "EXC-CON-002");
    let nowhere = "110100".parse().unwrap();
    assert_eq!(code(compose(&desk, nowhere, service::CASE_OFFER, purpose(), NOON)), "EXC-CON-002");
    let before = NOON.plus_seconds(-2 * 86_400);
    assert_eq!(code(compose(&desk, xiangtan(), service::CASE_OFFER, purpose(), before)), "EXC-TRU-001");
}

#[test]
fn the_own_city_needs_no_contract() {
    let region = Region::new();
    let desk = region.desk(changsha());
    let message = compose(&desk, changsha(), service::LICENCE_FETCH, purpose(), NOON).unwrap();
    assert_eq!(message.envelope.contract, ContractRef::own_city().unwrap());
    desk.admit(&message.envelope, NOON).unwrap();
    assert_eq!(code(region.desk(xiangtan()).admit(&message.envelope, NOON)), "audience tb-to");
}

#[track_caller]
fn check_admit(change: impl FnOnce(&mut Envelope), expected: &str) {
    let region = Region::new();
    let mut envelope = fetch(&region, NOON).envelope;
    change(&mut envelope);
    assert_eq!(code(region.desk(xiangtan()).admit(&envelope, NOON)), expected);
}

#[test]
fn admission_names_what_is_wrong() {
    check_admit(|envelope| envelope.to = zhuzhou(), "audience tb-to");
    check_admit(|envelope| envelope.from = zhuzhou(), "grant tb-contract");
    check_admit(|envelope| envelope.from = xiangtan(), "grant tb-contract");
    check_admit(|envelope| envelope.purpose.item = "122".to_owned(), "purpose tb-purpose");
    check_admit(|envelope| envelope.service = service::CASE_ACT.to_owned(), "grant @path");
    check_admit(|envelope| envelope.contract.version = 2, "contract-stale tb-contract");
    check_admit(|envelope| envelope.contract.hash = "00".repeat(32), "contract-stale tb-contract");
    check_admit(|envelope| envelope.contract.id = "czt-430100-430200".parse().unwrap(), "grant tb-contract");
    check_admit(|envelope| envelope.deadline = NOON.plus_seconds(-1), "expired tb-deadline");
}

#[test]
fn a_stale_contract_is_told_the_expected_hash() {
    let region = Region::new();
    let mut envelope = fetch(&region, NOON).envelope;
    let expected = envelope.contract.hash.clone();
    envelope.contract.hash = "00".repeat(32);
    let Err(Error::Violation(violation)) = region.desk(xiangtan()).admit(&envelope, NOON) else {
        panic!("it is a violation")
    };
    assert_eq!(violation.detail, mismatch(&format!("v1 {expected}"), &format!("v1 {}", "00".repeat(32))));
}

#[test]
fn fields_and_quota_are_those_of_the_contract() {
    let region = Region::new();
    let desk = region.desk(xiangtan());
    let envelope = fetch(&region, NOON).envelope;
    let terms = desk.terms(&envelope).unwrap();
    assert!(terms.gives("card", "name") && !terms.gives("card", "address"));
    let of_one_type = ServiceTerms { fields: ["card.address".to_owned()].into(), ..terms.clone() };
    assert!(of_one_type.gives("card", "address") && !of_one_type.gives("permit", "address"));
    desk.check_quota(&envelope, 99).unwrap();
    assert_eq!(code(desk.check_quota(&envelope, 100)), "quota tb-contract");
}

#[test]
fn two_cities_agree_on_a_pseudonym_and_a_third_has_another() {
    let region = Region::new();
    let of = |city, contract: &str| region.desk(city).pseudonym(&contract.parse().unwrap(), DRIVER).ok();
    let shared = of(changsha(), "czt-430100-430300");
    assert!(shared.is_some());
    assert_eq!(shared, of(xiangtan(), "czt-430100-430300"));
    assert_ne!(shared, of(changsha(), "czt-430100-430200"));
    assert_eq!(of(zhuzhou(), "czt-430100-430300"), None);
    assert_ne!(of(changsha(), "self"), of(xiangtan(), "self"));
    assert_eq!(region.desk(changsha()).pseudonyms(DRIVER).len(), 3);
}

#[test]
fn the_first_trust_list_needs_every_member() {
    let region = Region::new();
    let mut trust = region.trust.clone();
    trust.verify(NOON).unwrap();
    trust.signatures.remove(&changsha());
    assert_eq!(code(trust.verify(NOON)), "signature-coverage trust-list");
    assert_eq!(code(region.trust.verify(NOON.plus_seconds(-90_000))), "expired trust-list");
    assert_eq!(code(region.trust.verify(NOON.plus_seconds(400 * 86_400))), "expired trust-list");
}

#[test]
fn a_changed_trust_list_is_refused() {
    let region = Region::new();
    let mut trust = region.trust.clone();
    trust.list.cities[0].exchange_url = "https://evil.example".to_owned();
    assert_eq!(code(trust.verify(NOON)), "signature-invalid trust-list");
    let mut trust = region.trust.clone();
    trust.list.cities[0].keys.message = trust.list.cities[0].keys.log.clone();
    assert_eq!(code(trust.verify(NOON)), "grammar trust-list");
}

#[test]
fn a_trust_list_replaces_only_an_older_one() {
    let region = Region::new();
    assert_eq!(code(region.trust.verify_after(&region.trust.list, NOON)), "replay trust-list");
    let mut next = region.trust.clone();
    next.list.version = 2;
    next.list.previous = Some(region.trust.list.fingerprint().unwrap());
    next.signatures.clear();
    next.sign(changsha(), &region.secrets[&changsha()]).unwrap();
    assert_eq!(code(next.verify_after(&region.trust.list, NOON)), "signature-coverage trust-list");
    next.sign(xiangtan(), &region.secrets[&xiangtan()]).unwrap();
    next.verify_after(&region.trust.list, NOON).unwrap();
}

#[test]
fn a_contract_needs_both_parties_and_nobody_else() {
    let region = Region::new();
    let check = |change: &dyn Fn(&mut SignedContract)| {
        let mut signed = region.contracts[0].clone();
        change(&mut signed);
        code(signed.verify(&region.trust.list))
    };
    let by = |signed: &mut SignedContract, city| signed.sign(city, &region.secrets[&city]).unwrap();
    assert_eq!(check(&|signed| drop(signed.signatures.remove(&changsha()))), "signature-coverage contract");
    assert_eq!(check(&|signed| by(signed, xiangtan())), "signature-coverage contract");
    assert_eq!(check(&|signed| signed.contract.retention_days += 1), "signature-invalid contract");
}

#[test]
fn key_files_read_back_and_hide_themselves() {
    let region = Region::new();
    let secrets = &region.secrets[&changsha()];
    let read = Secrets::from_json(&secrets.to_json()).unwrap();
    assert_eq!(read.to_json(), secrets.to_json());
    assert_eq!(format!("{secrets:?}"), "Secrets(…)");
    let witness = &region.witnesses[&changsha()];
    assert_eq!(WitnessKey::from_json(&witness.to_json()).unwrap().to_json(), witness.to_json());
    let message = tb_crypto::text::base64(&secrets.message.secret());
    let log = tb_crypto::text::base64(&secrets.log.secret());
    assert_eq!(code(Secrets::from_json(&secrets.to_json().replace(&log, &message))), "inconsistent key-file");
    assert_eq!(code(Secrets::from_json(&witness.to_json())), "inconsistent key-file");
}

/// The offer of a case, written at noon for an hour.
fn offer(desk: &Desk) -> Outgoing {
    let ctx = ctx_at(desk.me, NOON);
    let (to, until) = (xiangtan(), NOON.plus_seconds(3_600));
    desk.compose(&ctx, to, service::CASE_OFFER, purpose(), "window/hall", Some(DRIVER), &"body", until)
        .unwrap()
}

fn again(desk: &Desk, lost: &Outgoing, now: Timestamp) -> tb_base::Result<Again> {
    let ctx = tb_base::Ctx::new(
        now,
        tb_base::Actor::System,
        desk.me,
        std::sync::Arc::new(std::sync::Mutex::new(crate::fixture::Counter(9_000))),
    );
    desk.again(&ctx, lost, NOON)
}

#[test]
fn a_lost_message_goes_again_as_it_is_while_it_can_arrive() {
    let region = Region::new();
    let desk = region.desk(changsha());
    let lost = offer(&desk);
    assert_eq!(again(&desk, &lost, NOON.plus_seconds(60)).unwrap(), Again::Same);
    let Again::Another(next) = again(&desk, &lost, NOON.plus_seconds(7_200)).unwrap() else {
        panic!("its deadline has passed")
    };
    assert_ne!(next.envelope.id, lost.envelope.id);
    assert_eq!(next.envelope.deadline, NOON.plus_seconds(7_200 + 3_600));
    let same = Envelope { id: lost.envelope.id, deadline: lost.envelope.deadline, ..next.envelope.clone() };
    assert_eq!((same, &next.body), (lost.envelope.clone(), &lost.body));
    region.desk(xiangtan()).admit(&next.envelope, NOON.plus_seconds(7_201)).unwrap();
}

#[test]
fn a_lost_message_goes_under_the_contract_of_today_or_not_at_all() {
    let region = Region::new();
    let desk = region.desk(changsha());
    let mut lost = offer(&desk);
    lost.envelope.contract.version = 7;
    let Again::Another(next) = again(&desk, &lost, NOON).unwrap() else {
        panic!("another version is in force")
    };
    assert_eq!(next.envelope.contract.version, 1);
    lost.envelope.contract.id = "old-430100-430300".parse().unwrap();
    assert_eq!(code(again(&desk, &lost, NOON)), "EXC-AGN-002");
    let mut lost = offer(&desk);
    lost.envelope.service = service::CASE_ACT.to_owned();
    assert_eq!(code(again(&desk, &lost, NOON)), "EXC-AGN-001");
    let mut lost = offer(&desk);
    lost.envelope.to = "110100".parse().unwrap();
    assert_eq!(code(again(&desk, &lost, NOON)), "EXC-CON-002");
}
