//! The register, the register match, notices, and what lies in the file.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::world::{NOW, SOURCE, World, desks, refusal};
use crate::people::{self, PersonStatus};
use crate::register::{Claim, Proof, match_claim};
use crate::wording::{Wording, wording};
use crate::{enterprises, messages, seed};

const DUE: Wording = wording("case.due", &[("到 {due}。", "By {due}.")]);

#[tokio::test]
async fn a_person_is_found_by_number_id_and_pseudonym() {
    let world = World::planted("430100").await;
    let peer = desks().into_iter().find(|desk| desk.me.as_str() == "430300").expect("a desk");
    let contract = "czt-430100-430300".parse().expect("a contract");
    let driver = seed::driver().expect("the driver");
    let pseudonym = peer.pseudonym(&contract, driver.number.as_str()).expect("a pseudonym");
    let vault = Arc::clone(&world.vault);
    let number = driver.number;
    let (one, two, three, none) = world
        .read(move |tx| {
            let one = people::by_number(tx, &vault, &number)?.expect("by number");
            let two = people::find(tx, &vault, one.id)?.expect("by id");
            let three = people::by_pseudonym(tx, &vault, &contract, &pseudonym)?.expect("by pseudonym");
            let other = "czt-430100-430200".parse()?;
            Ok((one, two, three, people::by_pseudonym(tx, &vault, &other, &pseudonym)?))
        })
        .await;
    assert_eq!(one.name, "周晓梅");
    assert_eq!(one, two);
    assert_eq!(one, three);
    assert_eq!(none, None);
}

#[tokio::test]
async fn a_number_is_registered_once() {
    let world = World::planted("430100").await;
    let vault = Arc::clone(&world.vault);
    let ctx = world.ctx(NOW);
    let number = seed::driver().expect("the driver").number;
    let twice = world
        .write(move |tx| {
            let person = people::by_number(tx, &vault, &number)?.expect("the driver");
            people::add(tx, &ctx, &vault, &person)
        })
        .await;
    assert_eq!(refusal(twice), "IDN-PER-001");
    let vault = Arc::clone(&world.vault);
    let ctx = world.ctx(NOW);
    let changed = world
        .write(move |tx| {
            let mut person = people::by_number(tx, &vault, &number)?.expect("the driver");
            person.phone = None;
            people::update(tx, &ctx, &vault, &person)?;
            people::by_number(tx, &vault, &number)
        })
        .await
        .expect("updated");
    assert_eq!(changed.expect("the driver").phone, None);
}

#[test]
fn the_register_sets_the_level() {
    let node = "430100".parse().expect("a node");
    let city = seed::city(seed::SEED, node, 10, 1).expect("a city");
    let person = city.people.first().expect("the driver").clone();
    let claim = Claim {
        number: person.number,
        name: person.name.clone(),
        phone: person.phone.clone().expect("a phone"),
    };
    let check = |claim: &Claim, proof, expected| {
        assert_eq!(match_claim(claim, proof, Some(&person)).level, expected, "{claim:?} {proof:?}");
    };
    check(&claim, Proof::Claimed, 2);
    check(&claim, Proof::PhoneCode, 3);
    let spaced = Claim { name: "周 晓·梅".to_owned(), ..claim.clone() };
    check(&spaced, Proof::PhoneCode, 3);
    let other_phone = Claim { phone: "19900000000".to_owned(), ..claim.clone() };
    check(&other_phone, Proof::PhoneCode, 2);
    check(&other_phone, Proof::Counter, 3);
    let other_name = Claim { name: "周小梅".to_owned(), ..claim.clone() };
    check(&other_name, Proof::Counter, 1);
    check(&Claim { name: String::new(), ..claim.clone() }, Proof::Counter, 1);
    let dead = people::Person { status: PersonStatus::Deceased, ..person.clone() };
    assert_eq!(match_claim(&claim, Proof::Counter, Some(&dead)).level, 1);
    assert_eq!(match_claim(&claim, Proof::Counter, None).level, 1);
}

#[tokio::test]
async fn notices_are_read_by_their_person_only() {
    let world = World::planted("430100").await;
    let (vault, ctx) = (Arc::clone(&world.vault), world.ctx(NOW));
    world
        .write(move |tx| {
            let driver = people::by_number(tx, &vault, &seed::driver()?.number)?.expect("the driver").id;
            let other = people::by_number(tx, &vault, &seed::walk_in()?.number)?.expect("the walk-in").id;
            let params = BTreeMap::from([("due".to_owned(), "2026-12-08".to_owned())]);
            let more_than_a_page = crate::PAGE_ROWS + 1;
            for _ in 0..more_than_a_page {
                messages::post(tx, &ctx, driver, &DUE, &params, None)?;
            }
            messages::mark_all_read(tx, &ctx, other)?;
            assert_eq!(messages::unread(tx, driver)?, more_than_a_page);
            messages::mark_all_read(tx, &ctx, driver)?;
            assert_eq!(messages::unread(tx, driver)?, 0);
            let (notices, count) = messages::narrowed(tx, driver, messages::Wanted::default(), 1)?;
            assert_eq!((notices.len(), count), (1, more_than_a_page));
            assert_eq!(
                notices[0].words(&[DUE]),
                Some(("到 2026-12-08。".to_owned(), "By 2026-12-08.".to_owned()))
            );
            assert_eq!(notices[0].words(&[]), None);
            assert_eq!(notices[0].read_at, Some(NOW));
            assert_eq!(messages::narrowed(tx, other, messages::Wanted::default(), 0)?, (vec![], 0));
            Ok(())
        })
        .await
        .expect("written");
}

#[tokio::test]
async fn enterprises_have_representatives_of_the_register() {
    let world = World::planted("430200").await;
    let vault = Arc::clone(&world.vault);
    world
        .read(move |tx| {
            assert_eq!(enterprises::count(tx)?, 12);
            for enterprise in enterprises::page(tx, 0)? {
                let representative = enterprise.representative.expect("a representative");
                assert!(people::find(tx, &vault, representative)?.is_some());
                assert!(enterprises::of_representative(tx, representative)?.contains(&enterprise));
                assert_eq!(enterprises::find(tx, &enterprise.uscc)?.as_ref(), Some(&enterprise));
            }
            Ok(())
        })
        .await;
}

const SEALED_ROWS: [tb_store::Stmt; 3] = [
    tb_store::stmt("test.people", "SELECT id, sealed FROM identity_person ORDER BY id LIMIT 2"),
    tb_store::stmt("test.staff", "SELECT id, sealed FROM identity_staff ORDER BY id LIMIT 2"),
    tb_store::stmt("test.sms", "SELECT id, sealed FROM identity_sms ORDER BY id LIMIT 2"),
];

/// A value that lies in another row, under a key that is not known, or changed by a bit opens nowhere.
#[tokio::test]
async fn a_sealed_column_opens_in_its_own_row_and_under_its_own_key_only() {
    let world = World::planted("430100").await;
    let phone = seed::driver().expect("the driver").phone.expect("a phone");
    for purpose in ["register", "reset"] {
        let (ctx, vault, phone) = (world.ctx(NOW), Arc::clone(&world.vault), phone.clone());
        world
            .write(move |tx| crate::sms::send(tx, &ctx, &vault, &phone, purpose, "短信").map(drop))
            .await
            .expect("sent");
    }
    for (rows, table) in SEALED_ROWS.into_iter().zip(["identity_person", "identity_staff", "identity_sms"]) {
        let held = world
            .read(move |tx| {
                let rows = tx.all(&rows, &[])?;
                rows.iter().map(|row| Ok((row.get::<String>("id")?, row.get::<Vec<u8>>("sealed")?))).collect()
            })
            .await;
        let held: Vec<(String, Vec<u8>)> = held;
        let [(one, sealed), (other, _)] = &held[..] else { panic!("two rows of {table}") };
        let open = |row: &str, sealed: &[u8]| {
            crate::secret::open::<serde_json::Value>(&world.vault, table, row, sealed).map_err(|error| {
                match error {
                    tb_base::Error::Violation(violation) => violation.code.to_string(),
                    other => panic!("{other}"),
                }
            })
        };
        assert!(open(one, sealed).is_ok(), "{table}");
        assert_eq!(open(other, sealed).unwrap_err(), "sealed-invalid", "{table}");
        let mut of_key_nine = sealed.clone();
        of_key_nine[4] = 9;
        assert_eq!(open(one, &of_key_nine).unwrap_err(), "sealed-key-unknown", "{table}");
        let mut bent = sealed.clone();
        bent[sealed.len() / 2] ^= 1;
        assert_eq!(open(one, &bent).unwrap_err(), "sealed-invalid", "{table}");
    }
}

/// Numbers, names, phones, codes and passwords lie nowhere in the file as text.
#[tokio::test]
async fn the_file_holds_no_personal_data_as_text() {
    let folder = tb_testkit::Folder::new("identity-scan");
    let world = World::in_file("430100", folder.file("city.sqlite")).await;
    world.plant(60, 12).await;
    let driver = seed::driver().expect("the driver");
    world.door.reset_request(&world.ctx(NOW), driver.number.as_str(), SOURCE).await.expect("a ticket");
    let code = code(&world, &driver).await;
    world.store.close().await;

    let city = seed::city(seed::SEED, world.node, 60, 12).expect("a city");
    let mut secrets: Vec<String> = vec![seed::DEMO_PASSWORD.to_owned(), format!("验证码 {code}")];
    for person in &city.people {
        secrets.extend([person.number.to_string(), person.address.clone()]);
        secrets.extend(person.phone.clone());
    }
    secrets.push(driver.name.to_owned());
    let mut scanned = 0;
    for file in std::fs::read_dir(folder.path()).expect("a folder") {
        let bytes = std::fs::read(file.expect("a file").path()).unwrap_or_default();
        scanned += bytes.len();
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} lies in the file");
        }
    }
    assert!(100_000 < scanned, "{scanned} bytes");
}

async fn code(world: &World, driver: &seed::CastMember) -> String {
    let phone = driver.phone.clone().expect("a phone");
    super::world::code_in(&world.last_sms(&phone).await.expect("a message"))
}
