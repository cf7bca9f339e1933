//! The permit table: what it says, and that it cannot be got around.

use super::{Action, ROLES, RULES, Scope, may, permit_table};
use tb_base::{Actor, Error, OfficeId, PersonId, Role};

const PERSON: &str = "01kb3x0000000000000000000a";
const OTHER: &str = "01kb3x0000000000000000000b";

fn person(text: &str) -> PersonId {
    text.parse().expect("a person")
}

fn office(text: &str) -> OfficeId {
    text.parse().expect("an office")
}

fn resident(level: u8) -> Actor {
    Actor::Resident { person: person(PERSON), level }
}

fn staff(role: Role) -> Actor {
    Actor::Staff { staff: OTHER.parse().expect("staff"), role, office: office("430100-hall-1") }
}

#[track_caller]
fn check(actor: &Actor, action: Action, scope: &Scope, expected: Option<&str>) {
    let code = match may(actor, action, scope) {
        Ok(permit) => {
            assert_eq!((permit.action(), permit.actor(), permit.scope()), (action, actor, scope));
            None
        }
        Err(Error::Refused(refusal)) => Some(refusal.code.into_owned()),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(code.as_deref(), expected, "{actor} {action:?} {scope:?}");
}

#[test]
fn rules_reach_as_far_as_they_say() {
    let own = Scope::Person(person(PERSON));
    let other = Scope::Person(person(OTHER));
    let here = Scope::Office(office("430100-hall-1"));
    let there = Scope::Office(office("430300-transport"));
    let node = Scope::Node("430100".parse().expect("a node"));
    check(&resident(3), Action::FileCase, &own, None);
    check(&resident(3), Action::FileCase, &other, Some("IDN-PMT-002"));
    check(&resident(3), Action::FileCase, &node, Some("IDN-PMT-002"));
    check(&resident(2), Action::FileCase, &own, None);
    check(&resident(2), Action::ReadOwnLooks, &own, Some("IDN-PMT-005"));
    check(&resident(4), Action::DecideCase, &here, Some("IDN-PMT-001"));
    check(&staff(Role::Window), Action::CollectCase, &here, None);
    check(&staff(Role::Window), Action::CollectCase, &there, Some("IDN-PMT-003"));
    check(&staff(Role::Window), Action::CollectCase, &node, Some("IDN-PMT-003"));
    check(&staff(Role::Window), Action::DecideCase, &here, Some("IDN-PMT-001"));
    check(&staff(Role::Supervisor), Action::ReadOfficeCase, &there, None);
    check(&staff(Role::Administrator), Action::ReadOfficeCase, &here, Some("IDN-PMT-001"));
    check(&Actor::Anonymous, Action::ReadGuide, &node, None);
    check(&resident(1), Action::ReadGuide, &node, None);
    check(&Actor::Anonymous, Action::FileCase, &own, Some("IDN-PMT-004"));
    check(&Actor::Peer("430300".parse().expect("a node")), Action::AskNode, &node, None);
    check(&Actor::System, Action::DecideCase, &here, Some("IDN-PMT-001"));
}

/// Managing accounts, deciding cases and reading audit lines lie in three hands (三权分立).
#[test]
fn powers_are_separate() {
    let holds = |role: Role, action: Action| {
        let rule = RULES.iter().find(|rule| rule.action == action).expect("a rule");
        rule.grants.iter().any(|(who, _)| *who == super::Who::Role(role))
    };
    for role in ROLES {
        let powers = [Action::ManageAccounts, Action::DecideCase, Action::ReadAudit, Action::AcceptCase];
        let held = powers.into_iter().filter(|action| holds(role, *action)).count();
        assert!(held <= 1, "{role:?}");
    }
}

#[test]
fn every_action_stands_in_the_table_once() {
    let mut actions: Vec<Action> = RULES.iter().map(|rule| rule.action).collect();
    actions.sort_unstable();
    let count = actions.len();
    actions.dedup();
    assert_eq!(actions.len(), count);
    // `RunJobs` is the last of the enum: as many rules as actions.
    assert_eq!(count, Action::RunJobs as usize + 1);
}

/// A change of the table shows here as a difference of one line.
#[test]
fn the_table_is_as_reviewed() {
    assert_eq!(permit_table(), include_str!("table.md"));
}
