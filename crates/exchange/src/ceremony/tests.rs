//! Lists that may follow, and those that may not.

use std::collections::BTreeSet;

use tb_base::{Error, NodeId, Result, Timestamp};

use super::{Plan, Statement, propose};
use crate::fixture::{Counter, NOON, Region, changsha, fetch, node, services, xiangtan, zhuzhou};
use crate::founding::Charter;
use crate::keys::{KeyUse, Secrets, WitnessKey};
use crate::package::Package;
use crate::{City, difference, http_message};

#[track_caller]
fn code<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result.unwrap_err() {
        Error::Violation(violation) => format!("{} {}", violation.code, violation.component),
        other => panic!("{other}"),
    }
}

fn plan() -> Plan {
    let charter = Charter {
        region: "czt".to_owned(),
        not_before: NOON,
        not_after: NOON.plus_seconds(86_400 * 365),
        services: services(),
        retention_days: 365,
    };
    let overlap_until = NOON.plus_seconds(3_600);
    Plan { charter, quorum: None, removed: BTreeSet::new(), revoked: BTreeSet::new(), overlap_until }
}

fn founded(region: &Region) -> Package {
    Package { trust: region.trust.clone(), contracts: region.contracts.clone() }
}

fn signed(region: &Region, mut package: Package, by: &[NodeId]) -> Package {
    for city in by {
        package.sign(*city, &region.secrets[city]).unwrap();
    }
    package
}

/// A city with other keys, as it states itself, and those keys.
fn renewed(region: &Region, city: NodeId) -> (Statement, Secrets) {
    let mut entropy = Counter(90_000);
    let secrets = region.secrets[&city].renewed(&mut entropy);
    let listed = region.trust.list.city(city).unwrap();
    let keys = secrets.public(&"11".repeat(32), &WitnessKey::generate(&mut entropy).public());
    let said = City { keys, ..listed.clone() };
    (Statement::new(said, NOON, &secrets).unwrap(), secrets)
}

fn removing(city: NodeId) -> Plan {
    Plan { removed: [city].into(), ..plan() }
}

#[test]
fn a_list_needs_a_quorum_of_the_members_before() {
    let region = Region::new();
    let (first, now) = (founded(&region), NOON.plus_seconds(1));
    let next = propose(&removing(xiangtan()), Some(&first), &[]).unwrap();
    let check = |by: &[NodeId]| signed(&region, next.clone(), by).verify_after(Some(&first.trust.list), now);
    assert_eq!(code(check(&[])), "signature-coverage trust-list");
    assert_eq!(code(check(&[changsha()])), "signature-coverage trust-list");
    // Whoever leaves may agree, but the members that stay have to be enough of the new list.
    assert_eq!(code(check(&[changsha(), xiangtan()])), "signature-coverage trust-list");
    check(&[changsha(), zhuzhou()]).unwrap();
    check(&[changsha(), zhuzhou(), xiangtan()]).unwrap();
    let good = signed(&region, next, &[changsha(), zhuzhou()]);
    let late = NOON.plus_seconds(86_400 * 366);
    assert_eq!(code(good.verify_after(Some(&first.trust.list), late)), "expired trust-list");
    assert_eq!(code(good.verify_after(None, now)), "gap trust-list");
    assert_eq!(code(first.verify_after(Some(&good.trust.list), now)), "replay trust-list");
    // A list that skips one, or follows another than this one.
    let later = propose(&plan(), Some(&good), &[]).unwrap();
    let later = signed(&region, later, &[changsha(), zhuzhou()]);
    assert_eq!(code(later.verify_after(Some(&first.trust.list), now)), "gap trust-list");
    later.verify_after(Some(&good.trust.list), now).unwrap();
}

#[test]
fn a_city_is_not_exchanged_by_itself() {
    let region = Region::new();
    let first = founded(&region);
    let (said, secrets) = renewed(&region, xiangtan());
    let next = propose(&plan(), Some(&first), std::slice::from_ref(&said)).unwrap();
    let mut own = next.clone();
    own.sign(xiangtan(), &secrets).unwrap();
    assert_eq!(code(own.verify_after(Some(&first.trust.list), NOON)), "signature-coverage trust-list");
    signed(&region, next, &[changsha(), zhuzhou()]).verify_after(Some(&first.trust.list), NOON).unwrap();
    // A statement that somebody changed on its way is not taken.
    let mut changed = said;
    changed.city.exchange_url = "https://evil.example".to_owned();
    assert_eq!(code(propose(&plan(), Some(&first), &[changed])), "signature-invalid member");
}

#[test]
fn a_contract_can_neither_be_left_out_nor_slipped_in() {
    let region = Region::new();
    let first = founded(&region);
    let next = propose(&plan(), Some(&first), &[]).unwrap();
    let good = signed(&region, next, &[changsha(), zhuzhou()]);
    let check = |package: &Package| package.verify_after(Some(&first.trust.list), NOON);
    check(&good).unwrap();
    let mut stripped = good.clone();
    stripped.contracts.remove(0);
    assert_eq!(code(check(&stripped)), "inconsistent contract");
    let mut changed = good.clone();
    changed.contracts[0].contract.retention_days = 9_999;
    assert_eq!(code(check(&changed)), "signature-invalid contract");
    // Contracts stay as they are while nothing in them changes: messages on their way still fit.
    assert_eq!(good.contracts, first.contracts);
    let mut copy = founded(&region);
    assert!(copy.merge(good).is_err(), "another list is no copy of this one");
}

#[test]
fn replaced_keys_count_until_their_day_and_revoked_ones_never() {
    let region = Region::new();
    let first = founded(&region);
    let (said, _) = renewed(&region, changsha());
    let message = fetch(&region, NOON);
    let ctx = crate::fixture::ctx_at(changsha(), NOON);
    let old = &region.secrets[&changsha()];
    let at = |now: Timestamp| {
        let signed = http_message::sign_request(&message, old, &region.desk(changsha()), now, ctx.random());
        signed.unwrap()
    };
    let verify = |package: &Package, now: Timestamp| {
        let desk = region.desk(xiangtan());
        desk.replace(package.trust.clone(), package.contracts.clone()).unwrap();
        let it = at(now);
        http_message::check_request(&desk.trust().list, "POST", &it.path, &it.fields, Some(&it.body))
            .map(drop)
    };
    let renewal = propose(&plan(), Some(&first), std::slice::from_ref(&said)).unwrap();
    let renewal = signed(&region, renewal, &[zhuzhou(), xiangtan()]);
    verify(&renewal, NOON.plus_seconds(3_600)).unwrap();
    assert_eq!(verify(&renewal, NOON.plus_seconds(3_601)).unwrap_err().code, "key-unknown");
    let city = renewal.trust.list.city(changsha()).unwrap();
    assert!(city.shows(&"00".repeat(32), NOON) && city.shows(&"11".repeat(32), NOON));
    assert!(!city.shows(&"00".repeat(32), NOON.plus_seconds(3_601)));

    let revoking = Plan { revoked: [changsha()].into(), ..plan() };
    let mut revoked = propose(&revoking, Some(&first), &[said]).unwrap();
    revoked.trust.sign(zhuzhou(), &region.secrets[&zhuzhou()]).unwrap();
    revoked.trust.sign(xiangtan(), &region.secrets[&xiangtan()]).unwrap();
    // The contracts want the new key of this city; until it signs there is no whole package.
    assert_eq!(code(revoked.verify_after(Some(&first.trust.list), NOON)), "signature-coverage contract");
    let (_, secrets) = renewed(&region, changsha());
    revoked.sign(changsha(), &secrets).unwrap();
    revoked.verify_after(Some(&first.trust.list), NOON).unwrap();
    assert_eq!(verify(&revoked, NOON).unwrap_err().code, "key-unknown");
    assert!(revoked.trust.list.city(changsha()).unwrap().former.is_empty());
}

/// The same keys with another certificate: the old set stays in the list, with all the keys in it.
fn recertified(region: &Region, city: NodeId) -> Statement {
    let mut said = region.trust.list.city(city).unwrap().clone();
    said.keys.tls_sha256 = "22".repeat(32);
    Statement::new(said, NOON, &region.secrets[&city]).unwrap()
}

fn revoking(city: NodeId) -> Plan {
    Plan { revoked: [city].into(), ..plan() }
}

#[test]
fn stolen_keys_do_not_survive_as_former_ones() {
    let region = Region::new();
    let first = founded(&region);
    let second = propose(&plan(), Some(&first), &[recertified(&region, changsha())]).unwrap();
    let second = signed(&region, second, &[zhuzhou(), xiangtan()]);
    second.verify_after(Some(&first.trust.list), NOON).unwrap();
    assert_eq!(second.trust.list.city(changsha()).unwrap().former.len(), 1);

    let (said, fresh) = renewed(&region, changsha());
    let mut third = propose(&revoking(changsha()), Some(&second), &[said]).unwrap();
    let lines: Vec<String> = difference::between(Some(&second.trust.list), &third.trust.list)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        lines.iter().any(|line| line.starts_with("! 430100 has 1 sets of keys from before")),
        "{lines:#?}"
    );
    third.sign(changsha(), &fresh).unwrap();
    let third = signed(&region, third, &[zhuzhou(), xiangtan()]);
    third.verify_after(Some(&second.trust.list), NOON).unwrap();
    let (city, old) = (third.trust.list.city(changsha()).unwrap(), &region.secrets[&changsha()]);
    assert_eq!(city.keys_ever().count(), 1, "none of the lost keys is left");
    for (job, key) in [(KeyUse::Message, &old.message), (KeyUse::Governance, &old.governance)] {
        assert!(city.verify_at(job, NOON, b"anything", &key.sign(b"anything")).is_err(), "{}", job.name());
    }
    assert!(!city.shows(&"00".repeat(32), NOON) && !city.shows(&"22".repeat(32), NOON));
    let ours = second.contracts.iter().filter(|signed| signed.contract.peer_of(changsha()).is_some());
    ours.for_each(|signed| assert_eq!(code(signed.verify(&third.trust.list)), "signature-invalid contract"));
}

#[test]
fn a_revocation_wants_new_keys_of_that_city() {
    let region = Region::new();
    let first = founded(&region);
    let (said, _) = renewed(&region, changsha());
    let propose = |city, from, said: &[Statement]| propose(&revoking(city), from, said);
    // Nobody's statement, another city's, one with a key that is to count no more, and a list that has none.
    assert_eq!(code(propose(changsha(), Some(&first), &[])), "key-unknown member");
    assert_eq!(code(propose(xiangtan(), Some(&first), std::slice::from_ref(&said))), "key-unknown member");
    let unchanged = recertified(&region, changsha());
    assert_eq!(code(propose(changsha(), Some(&first), &[unchanged])), "inconsistent member");
    assert_eq!(code(propose(changsha(), None, std::slice::from_ref(&said))), "key-unknown member");
    let second = super::propose(&plan(), Some(&first), &[said]).unwrap();
    let back = Statement::new(
        region.trust.list.city(changsha()).unwrap().clone(),
        NOON,
        &region.secrets[&changsha()],
    );
    assert_eq!(code(propose(changsha(), Some(&second), &[back.unwrap()])), "inconsistent member");
}

/// A list that renews Changsha's keys for an hour from noon, and its new keys.
fn renewal(region: &Region, by: &[NodeId]) -> (Package, Secrets) {
    let (said, secrets) = renewed(region, changsha());
    let package = propose(&plan(), Some(&founded(region)), &[said]).unwrap();
    (signed(region, package, by), secrets)
}

#[test]
fn a_replaced_key_decides_about_no_list_after_its_day() {
    let region = Region::new();
    let (second, fresh) = renewal(&region, &[zhuzhou(), xiangtan()]);
    let (in_time, late) = (NOON.plus_seconds(3_600), NOON.plus_seconds(3_601));
    let after = |package: &Package, now| package.verify_after(Some(&second.trust.list), now);
    let next = propose(&plan(), Some(&second), &[]).unwrap();
    let old = signed(&region, next.clone(), &[changsha(), zhuzhou()]);
    after(&old, in_time).unwrap();
    assert_eq!(code(after(&old, late)), "signature-coverage trust-list");
    // What was put in force then is read again without end.
    old.verify_successor(&second.trust.list).unwrap();
    let mut new = signed(&region, next.clone(), &[zhuzhou()]);
    new.sign(changsha(), &fresh).unwrap();
    after(&new, late).unwrap();
    // It does no harm beside enough others.
    after(&signed(&region, next, &[changsha(), zhuzhou(), xiangtan()]), late).unwrap();
    // Nor does it help where its own members would be enough, and those before it are not.
    let all = Plan { quorum: Some("1/1".parse().unwrap()), ..plan() };
    let (said, fresh) = renewed(&region, changsha());
    let strict = propose(&all, Some(&founded(&region)), &[said]).unwrap();
    let mut strict = signed(&region, strict, &[zhuzhou(), xiangtan()]);
    strict.sign(changsha(), &fresh).unwrap();
    let loose = propose(&plan(), Some(&strict), &[]).unwrap();
    let loose = signed(&region, loose, &[changsha(), zhuzhou(), xiangtan()]);
    let check = |now| loose.verify_after(Some(&strict.trust.list), now);
    check(in_time).unwrap();
    let Error::Violation(violation) = check(late).unwrap_err() else { panic!("a violation") };
    assert!(violation.to_string().contains("of the members before"), "{violation}");
}

/// The list that renews a city's keys is signed with its old one; a node that was down for the overlap takes it still.
#[test]
fn a_node_that_was_down_catches_up_after_the_overlap() {
    let region = Region::new();
    let (second, fresh) = renewal(&region, &[changsha(), zhuzhou()]);
    let late = NOON.plus_seconds(86_400);
    second.verify_after(Some(&region.trust.list), late).unwrap();
    let mut third = signed(&region, propose(&plan(), Some(&second), &[]).unwrap(), &[zhuzhou()]);
    third.sign(changsha(), &fresh).unwrap();
    third.verify_after(Some(&second.trust.list), late).unwrap();
}

#[test]
fn a_replaced_key_signs_no_new_contract_after_its_day() {
    let region = Region::new();
    let (second, _) = renewal(&region, &[zhuzhou(), xiangtan()]);
    let mut changed = plan();
    changed.charter.retention_days = 30;
    // Two others are enough for the list; the contracts of Changsha are signed with its old key.
    let third = propose(&changed, Some(&second), &[]).unwrap();
    let third = signed(&region, third, &[changsha(), zhuzhou(), xiangtan()]);
    let check = |now| third.verify_after(Some(&second.trust.list), now);
    check(NOON.plus_seconds(3_600)).unwrap();
    assert_eq!(code(check(NOON.plus_seconds(3_601))), "signature-invalid contract");
    // The contracts that stand were signed with it as well, and go on.
    let same = signed(&region, propose(&plan(), Some(&second), &[]).unwrap(), &[zhuzhou(), xiangtan()]);
    same.verify_after(Some(&second.trust.list), NOON.plus_seconds(3_601)).unwrap();
}

#[test]
fn what_ended_is_remembered() {
    let region = Region::new();
    let (first, desk) = (founded(&region), region.desk(changsha()));
    let contract = "czt-430100-430300".parse().unwrap();
    let before = desk.pseudonym(&contract, "430302199003072024").unwrap();
    let message = fetch(&region, NOON);
    let without = propose(&removing(xiangtan()), Some(&first), &[]).unwrap();
    let without = signed(&region, without, &[changsha(), zhuzhou()]);
    desk.check(&without).unwrap();
    desk.replace(without.trust.clone(), without.contracts.clone()).unwrap();
    assert!(!desk.is_member(xiangtan()) && desk.contracts().len() == 1);
    // Whoever looked under the contract that ended is still found, and the evidence still stands.
    assert_eq!(desk.pseudonym(&contract, "430302199003072024").unwrap(), before);
    assert_eq!(desk.contracts_ever().len(), 2);
    let city = desk.trust().list.known(xiangtan()).cloned().unwrap();
    assert!(city.keys.key(KeyUse::Message).is_ok());
    let mut from_there = message.envelope;
    (from_there.from, from_there.to) = (xiangtan(), changsha());
    assert_eq!(code(desk.admit(&from_there, NOON)), "key-unknown tb-from");
    // It comes back with the same keys, and is no stranger among those who left.
    let listed = region.trust.list.city(xiangtan()).unwrap().clone();
    let said = Statement::new(listed, NOON, &region.secrets[&xiangtan()]).unwrap();
    let back = propose(&plan(), Some(&without), &[said]).unwrap();
    let back = signed(&region, back, &[changsha(), zhuzhou(), xiangtan()]);
    back.verify_after(Some(&without.trust.list), NOON).unwrap();
    assert!(back.trust.list.left.is_empty());
    desk.replace(back.trust.clone(), back.contracts.clone()).unwrap();
    assert_eq!(desk.contracts()[&contract].contract.version, 3);
}

#[test]
fn people_read_what_changes() {
    let region = Region::new();
    let (said, _) = renewed(&region, xiangtan());
    let first = founded(&region);
    let next = propose(&removing(zhuzhou()), Some(&first), &[said]).unwrap();
    let lines: Vec<String> = difference::between(Some(&first.trust.list), &next.trust.list)
        .iter()
        .map(ToString::to_string)
        .collect();
    let has = |start: &str| lines.iter().any(|line| line.starts_with(start));
    assert!(has("- 430200") && has("~ 430300 has a new message key"), "{lines:#?}");
    assert!(!has("~ 430300 has a new agreement key"), "{lines:#?}");
    assert!(has("~ a later list needs 2 of 2 cities, not 2 of 3"), "{lines:#?}");
    assert_eq!(difference::aloud(&"0123456789abcdef".repeat(4)), "0123 4567 89ab cdef 0123 4567 89ab cdef");
    assert_eq!(code(propose(&removing(node("431300")), Some(&first), &[])), "key-unknown trust-list");
}
