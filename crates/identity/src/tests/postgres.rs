//! The same on PostgreSQL: every statement prepares, and a city is planted, signed in to and looked at.

use std::sync::Arc;

use tb_store::Engine;

use super::world::{NOW, SOURCE, World, code_in, refusal};
use crate::accounts::{self, limits, sessions};
use crate::look::{self, Look, LookKind};
use crate::seed::{self, DEMO_PASSWORD};
use crate::{people, sms};

#[tokio::test]
async fn statements_prepare() {
    let server = tb_testkit::Postgres::start();
    let schema = server.schema("identity_statements");
    let engine = Engine::Postgres { url: server.url, schema };
    let problems = tb_store::check_statements(&[crate::SCHEMA], &engine).await.expect("prepared");
    assert_eq!(problems, Vec::<String>::new());
}

#[tokio::test]
async fn a_city_works() {
    let world = World::on_postgres("430300", "identity_city").await;
    assert!(world.plant(200, 20).await);
    assert!(!world.plant(200, 20).await);

    let driver = seed::driver().expect("the driver");
    let signed_in =
        world.sign_in(driver.number.as_str(), DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in");
    let (vault, token) = (Arc::clone(&world.vault), signed_in.token.clone());
    assert!(world.read(move |tx| sessions::session(tx, &vault, &token, NOW)).await.is_some());

    for _ in 0..limits::SIGN_IN_PAIR.attempts_max {
        assert_eq!(refusal(world.sign_in("window1@430300", "wrong wrong", SOURCE, NOW).await), "IDN-SGN-001");
    }
    assert_eq!(refusal(world.sign_in("window1@430300", DEMO_PASSWORD, SOURCE, NOW).await), "IDN-LIM-001");

    let ctx = world.ctx(NOW);
    let phone = driver.phone.expect("a phone");
    let ticket = world.door.reset_request(&ctx, "driver@430300", SOURCE).await.expect("a ticket");
    let code = code_in(&world.last_sms(&phone).await.expect("a message"));
    let new = "another-secret-9";
    assert_eq!(refusal(world.door.reset_confirm(&ctx, &ticket, "x", new, SOURCE).await), "IDN-COD-001");
    world.door.reset_confirm(&ctx, &ticket, &code, new, SOURCE).await.expect("reset");
    let (vault, token) = (Arc::clone(&world.vault), signed_in.token);
    assert!(world.read(move |tx| sessions::session(tx, &vault, &token, NOW)).await.is_none());

    let vault = Arc::clone(&world.vault);
    let later = NOW.plus_seconds(sessions::LIFE_SECONDS_MAX);
    world
        .write(move |tx| {
            let person = people::by_number(tx, &vault, &driver.number)?.expect("the driver").id;
            let written = look::record(tx, &ctx, &vault, &a_look(person))?;
            assert_eq!(look::of_person(tx, person, 0)?, std::slice::from_ref(&written));
            assert!(look::proof_parts(tx, &vault, person, written.look.id)?.is_some());
            for message in sms::waiting(tx, &vault)? {
                sms::sent(tx, &ctx, message.id)?;
            }
            assert!(sms::waiting(tx, &vault)?.is_empty());
            assert!(0 < accounts::purge(tx, later)?);
            Ok(())
        })
        .await
        .expect("written");
    super::look::looks_of_one_reading(&world).await;
    super::look::looks_of_others_by_pages(&world).await;
}

fn a_look(person: tb_base::PersonId) -> Look {
    Look {
        person,
        kind: LookKind::Verify,
        city: "430200".parse().expect("a node"),
        office: None,
        role: "inspector".to_owned(),
        item: "verify".to_owned(),
        case: None,
        ground: "subject".to_owned(),
        fields: vec!["state".to_owned()],
        licence: None,
        message: None,
        outcome: "shown".to_owned(),
    }
}
