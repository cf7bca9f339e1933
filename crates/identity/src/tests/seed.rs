//! The synthetic region: the same for everybody, well formed, quick to plant.

use std::collections::HashSet;
use std::sync::Arc;

use tb_base::{Divisions, NodeId, Role, Uscc};

use super::world::{NOW, SOURCE, World};
use crate::people::PersonKind;
use crate::seed::{self, City, DEMO_PASSWORD};
use crate::{enterprises, people};

const CODES: [&str; 3] = ["430100", "430200", "430300"];

fn city(code: &str) -> City {
    seed::city(seed::SEED, code.parse().expect("a node"), seed::PEOPLE, seed::ENTERPRISES).expect("a city")
}

#[test]
fn a_seed_number_determines_the_region() {
    for code in CODES {
        let (one, other) = (city(code), city(code));
        assert_eq!(one.people, other.people);
        assert_eq!(one.enterprises, other.enterprises);
        assert_eq!(one.staff, other.staff);
    }
    let node = "430100".parse().expect("a node");
    let another = seed::city(1, node, seed::PEOPLE, seed::ENTERPRISES).expect("a city");
    assert_ne!(another.people, city("430100").people);
}

#[test]
fn people_are_well_formed_and_some_are_known_twice() {
    let mut households = HashSet::new();
    let mut retired = 0;
    for code in CODES {
        let city = city(code);
        assert!((1_990..=2_000).contains(&city.people.len()), "{}", city.people.len());
        let numbers: HashSet<_> = city.people.iter().map(|person| person.number).collect();
        let ids: HashSet<_> = city.people.iter().map(|person| person.id).collect();
        assert_eq!((numbers.len(), ids.len()), (city.people.len(), city.people.len()));
        for person in &city.people {
            assert_eq!(&person.division.as_str()[..4], &code[..4], "{}", person.division);
            assert!(person.address.contains(Divisions::region().name(&person.division).expect("a name")));
            assert!(2 <= person.name.chars().count(), "{}", person.name);
            assert!(person.phone.as_ref().is_none_or(|phone| phone.len() == 11 && phone.starts_with("1990")));
            retired += usize::from(person.number.region_warning(Divisions::region()).is_some());
        }
        // A surname and a given name; nobody of the staff is known by one character.
        for member in &city.staff {
            assert!(2 <= member.name.chars().count(), "{}: {}", member.login, member.name);
        }
        let here = city.people.iter().filter(|person| person.kind == PersonKind::Household);
        households.extend(here.map(|person| person.number));
    }
    assert!(20 < retired, "{retired}");
    // Who lives in a city and is registered in another one stands in the other's register too.
    for code in CODES {
        for person in city(code).people.iter().filter(|person| person.kind == PersonKind::Residence) {
            assert!(households.contains(&person.number), "{:?}", person.number);
        }
    }
}

#[test]
fn enterprises_are_well_formed() {
    let mut codes: HashSet<Uscc> = HashSet::new();
    for code in CODES {
        let city = city(code);
        assert_eq!(city.enterprises.len(), seed::ENTERPRISES);
        let ids: HashSet<_> = city.people.iter().map(|person| person.id).collect();
        for enterprise in &city.enterprises {
            assert!(codes.insert(enterprise.uscc));
            assert!(ids.contains(&enterprise.representative.expect("a representative")));
        }
    }
}

#[test]
fn a_city_outside_of_the_region_is_refused() {
    let node: NodeId = "430400".parse().expect("a node");
    assert!(seed::city(seed::SEED, node, 10, 1).is_err());
    assert!(seed::demo_accounts(node).is_empty());
}

#[tokio::test]
async fn every_demo_account_signs_in() {
    for code in CODES {
        let world = World::planted(code).await;
        let accounts = seed::demo_accounts(world.node);
        let roles: HashSet<Role> = accounts.iter().map(|account| account.role).collect();
        assert_eq!(roles.len(), 9, "{code}");
        for (index, account) in accounts.iter().enumerate() {
            let source = format!("192.0.2.{index}");
            let signed_in =
                world.sign_in(&account.login, DEMO_PASSWORD, &source, NOW).await.expect("signed in");
            assert_eq!(signed_in.account.name, account.name);
            assert_eq!(signed_in.account.role(), account.role);
            assert_eq!(signed_in.account.office.map(|office| office.id), account.office);
        }
    }
}

/// Two thousand people and what belongs to them; the figure of a dev build is printed with `--nocapture`.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "what is measured here is the machine's own time")]
async fn planting_is_quick_and_happens_once() {
    let world = World::empty("430100").await;
    let began = std::time::Instant::now();
    assert!(world.plant(seed::PEOPLE, seed::ENTERPRISES).await);
    let took = began.elapsed();
    assert!(took < std::time::Duration::from_secs(10), "{took:?}");
    eprintln!("planted in {took:?}");
    assert!(!world.plant(seed::PEOPLE, seed::ENTERPRISES).await);
    let vault = Arc::clone(&world.vault);
    world
        .read(move |tx| {
            assert!(1_990 <= people::count(tx)?);
            assert_eq!(enterprises::count(tx)?, 400);
            let walk_in = people::by_number(tx, &vault, &seed::walk_in()?.number)?.expect("the walk-in");
            assert_eq!(walk_in.phone, None);
            Ok(())
        })
        .await;
    assert!(world.sign_in("driver@430100", DEMO_PASSWORD, SOURCE, NOW).await.is_ok());
}
