//! Lists that may follow, and those that may not.

use std::collections::BTreeSet;

use tb_base::{Error, NodeId, Result, Timestamp};

use super::{Plan, Statement, propose};
use crate::fixture::{Counter, NOON, Region, changsha, fetch, node, services, xiangtan, zhuzhou};
use crate::founding::Charter;
use crate::keys::{KeyUse, Secrets};
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
    let secrets = region.secrets[&city].renewed(&mut Counter(90_000));
    let listed = region.trust.list.city(city).unwrap();
    let keys = secrets.public(&"11".repeat(32), &region.witnesses[&city].public());
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
