//! The desk (台面): the reader's line, a shown licence, a draft taken up, and the number that stands at the counter.

use std::sync::Arc;

use tb_base::{Actor, CaseId, MessageId, OfficeId};
use tb_counter::journal::{self, Kind};
use tb_counter::ticket::{self, NewTicket, Purpose};
use tb_counter::undo;
use tb_identity::{people, seed};
use tb_licence::present;
use tb_store::contact;

use crate::tests::world::{CHANGSHA, World, XIANGTAN, node};
use crate::window::tests::{codes, collected, fields_of, percent};

fn hall() -> OfficeId {
    "430100-hall-1".parse().expect("an office")
}

/// The line that a reader types for the driver.
fn line() -> String {
    let driver = seed::driver().expect("the cast");
    percent(&format!("{}|女|汉|19900307|某地|{}", driver.name, driver.number))
}

#[tokio::test]
async fn one_line_of_the_reader_begins_a_matter() {
    let world = World::new().await;
    let form = format!("card={}&number=&name=&item=121&deciding=430300", line());
    let made = world.post(CHANGSHA, "window", "/window/start", &form).await;
    assert!(made.location.starts_with("/window/drafts/"), "{made:?}");
    let page = world.page(CHANGSHA, "window", &made.location).await;
    assert!(page.text.contains(seed::driver().expect("the cast").name), "the applicant stands on the page");
}

#[tokio::test]
async fn a_card_that_is_read_stays_while_the_rest_is_mended() {
    let world = World::new().await;
    let sent = world.post(CHANGSHA, "window", "/window/start", &format!("card={}", line())).await;
    assert_eq!(fields_of(&sent), ["item", "deciding"]);
    let values = &sent.json()["form"]["values"];
    assert_eq!(values["number"][0], seed::driver().expect("the cast").number.to_string());
    assert_eq!(
        (&values["name"][0], &values["card"][0]),
        (&seed::driver().expect("the cast").name.into(), &"".into())
    );
    let broken =
        world.post(CHANGSHA, "window", "/window/start", "card=%7C%7C%7C&item=121&deciding=430300").await;
    assert_eq!(codes(&broken), ["CTR-CRD-002"]);
}

/// A code for the first licence of a person of Xiangtan, as her telephone shows it; with her name.
async fn shown_code(world: &World) -> (String, String) {
    let vault = world.cities[&node(XIANGTAN)].env.vault.clone();
    let people = seed::city(seed::SEED, node(XIANGTAN), 20, 3).expect("a city").people;
    let now = world.ctx(node(XIANGTAN), Actor::System).now;
    let ctx = world.ctx(node(XIANGTAN), Actor::System);
    let made = world.write(XIANGTAN, move |tx| {
        for known in &people {
            let Some(person) = people::by_number(tx, &vault, &known.number)? else { continue };
            let held = tb_licence::store::of_holder(tx, person.id)?;
            if let Some(licence) = held.iter().find(|it| it.standing.is_in_force(now.date())) {
                let holder = ctx.acting(Actor::Resident { person: person.id, level: 3 });
                return Ok((present::create(tx, &holder, licence.id)?.text, person.name));
            }
        }
        panic!("nobody in Xiangtan has a licence");
    });
    made.await
}

#[tokio::test]
async fn a_shown_licence_says_who_she_is_once() {
    let world = World::new().await;
    let (code, name) = shown_code(&world).await;
    let form = format!("card={}&item=121&deciding=430300", percent(&format!("http://x/verify?code={code}")));
    let elsewhere = world.post(CHANGSHA, "window", "/window/start", &form).await;
    assert_eq!(codes(&elsewhere), ["T02-WIN-009"]);
    let made = world.post(XIANGTAN, "window", "/window/start", &form).await;
    assert!(made.location.starts_with("/window/drafts/"), "{made:?}");
    let page = world.page(XIANGTAN, "window", &made.location).await;
    assert!(page.text.contains(&name), "the holder stands on the page");
    let again = world.post(XIANGTAN, "window", "/window/start", &form).await;
    assert_eq!(codes(&again), ["T02-WIN-010"], "a code is used once");
}

/// A draft that the driver began on the site; its address there and its code.
async fn begun_online(world: &World) -> (String, String) {
    let made = world.post(CHANGSHA, "driver", "/items/121/apply", "deciding=430300").await;
    assert!(made.location.starts_with("/drafts/"), "{made:?}");
    let saved = "reason=expiring&phone=13800990000&action=save";
    let sent = world.post(CHANGSHA, "driver", &made.location, saved).await;
    assert_eq!(sent.status, 303, "{sent:?}");
    let page = world.get(CHANGSHA, "driver", &made.location).await.json();
    (made.location, page["draft"]["code"].as_str().expect("a code").to_owned())
}

#[tokio::test]
async fn a_draft_of_the_site_goes_on_at_the_counter_with_its_person() {
    let world = World::new().await;
    let (online, code) = begun_online(&world).await;
    let draft = format!("/window/{}", online.trim_start_matches('/'));
    let hidden = world.get(CHANGSHA, "window", &draft).await;
    assert_eq!(hidden.status, 404, "before its person came it lies on no counter");
    // Somebody else's card opens nothing, whatever code is typed.
    let other = seed::walk_in().expect("the cast");
    let wrong = format!("number={}&name={}&draft={code}", other.number, percent(other.name));
    assert_eq!(codes(&world.post(CHANGSHA, "window", "/window/start", &wrong).await), ["T02-WIN-012"]);
    let small = format!("{} {}", code[..4].to_lowercase(), &code[4..]);
    let form = format!("card={}&draft={}", line(), percent(&small));
    let taken = world.post(CHANGSHA, "window", "/window/start", &form).await;
    assert_eq!(taken.location, format!("{draft}?done=taken"), "{taken:?}");
    let page = world.get(CHANGSHA, "window", &draft).await.json();
    assert_eq!(page["fields"]["reason"], "expiring", "what she filled in is there");
    let lines =
        world.write(CHANGSHA, |tx| journal::of_day(tx, &hall(), crate::tests::world::NOON.date())).await;
    assert_eq!(lines.iter().map(|line| line.kind).collect::<Vec<_>>(), [Kind::TakenUp]);
    // A second press goes on with the same draft and is one act.
    let again = world.post(CHANGSHA, "window", "/window/start", &form).await;
    assert_eq!(again.location, taken.location);
}

#[tokio::test]
async fn the_number_at_the_counter_fills_in_what_it_was_taken_for() {
    let world = World::new().await;
    let ctx = world.ctx(node(CHANGSHA), Actor::System);
    let wanted = NewTicket { purpose: Purpose::Apply, item: Some(121), city: Some(node(XIANGTAN)) };
    let waiting = world.write(CHANGSHA, move |tx| ticket::take(tx, &ctx, &hall(), &wanted)).await;
    let desk = world.get(CHANGSHA, "window", "/window").await.json();
    assert_eq!(
        (&desk["queue"]["waiting_total"], &desk["queue"]["mine"]),
        (&1.into(), &serde_json::Value::Null)
    );
    let staff = world.ctx(node(CHANGSHA), Actor::System);
    let clerk = crate::tests::world::staff_of("window");
    world.write(CHANGSHA, move |tx| ticket::next(tx, &staff, &hall(), clerk, None)).await.expect("called");
    let desk = world.get(CHANGSHA, "window", "/window").await.json();
    assert_eq!(desk["queue"]["mine"]["id"], waiting.id.to_string());
    assert_eq!(desk["form"]["values"]["item"][0], "121");
    assert_eq!(desk["form"]["values"]["deciding"][0], XIANGTAN);
    let colleague = world.get(CHANGSHA, "window-colleague", "/window").await.json();
    assert_eq!(colleague["queue"]["mine"], serde_json::Value::Null);
    let made = world
        .post(CHANGSHA, "window", "/window/start", &format!("card={}&item=121&deciding=430300", line()))
        .await;
    let case: tb_base::CaseId = made.location.trim_start_matches("/window/drafts/").parse().expect("an id");
    let held = world.write(CHANGSHA, move |tx| ticket::find(tx, waiting.id)).await.expect("the number");
    assert_eq!(held.case, Some(case), "the number knows what was begun with it");
}

#[tokio::test]
async fn what_is_collected_is_written_into_the_day_once() {
    let world = World::new().await;
    let case = collected(&world).await;
    let lines =
        world.write(CHANGSHA, |tx| journal::of_day(tx, &hall(), crate::tests::world::NOON.date())).await;
    assert_eq!(lines.len(), 1, "sent twice, written once: {lines:?}");
    assert_eq!(
        (lines[0].kind, lines[0].case.to_string(), lines[0].city),
        (Kind::Collected, case, Some(node(XIANGTAN)))
    );
}

#[tokio::test]
async fn each_step_says_what_to_do_while_the_city_is_silent() {
    let world = World::new().await;
    let form = format!("card={}&item=121&deciding=430300", line());
    let draft = world.post(CHANGSHA, "window", "/window/start", &form).await.location;
    let now = world.ctx(node(CHANGSHA), Actor::System).now;
    world.write(CHANGSHA, move |tx| contact::silent(tx, now, node(XIANGTAN), "no answer")).await;
    for (path, advice) in [
        ("/window".to_owned(), "照常收新件"),
        (draft.clone(), "照常填表"),
        (format!("{draft}/consent"), "请本人现在就答复"),
        (format!("{draft}/check"), "照常收件"),
    ] {
        let page = world.page(CHANGSHA, "window", &path).await;
        assert!(page.text.contains(advice), "{path} does not say “{advice}”");
        assert!(page.text.contains("没有应答，从"), "{path} does not say since when");
    }
}

/// What the wish about a case says by now.
async fn wish(world: &World, case: CaseId) -> Option<undo::State> {
    world.write(CHANGSHA, move |tx| Ok(undo::find(tx, case)?.map(|held| held.state))).await
}

/// The clerk asks for the hand-over back.
async fn take_back(world: &World, case: CaseId, command: MessageId) {
    let env = Arc::clone(&world.cities[&node(CHANGSHA)].env);
    let ctx = world.ctx(node(CHANGSHA), Actor::System);
    let clerk = crate::tests::world::staff_of("window");
    world
        .write(CHANGSHA, move |tx| {
            undo::ask(tx, &ctx, &env, (&hall(), clerk), command, (case, "事项选错")).map(drop)
        })
        .await;
}

/// The job looks, as often as it may.
async fn look(world: &World, case: CaseId) {
    for _ in 0..2 {
        let env = Arc::clone(&world.cities[&node(CHANGSHA)].env);
        let ctx = world.ctx(node(CHANGSHA), Actor::System);
        let payload = serde_json::json!({ "case": case });
        world.write(CHANGSHA, move |tx| undo::run(tx, &ctx, &env, &payload)).await;
    }
}

#[tokio::test]
async fn a_hand_over_is_taken_back_once_the_other_city_has_the_case() {
    let world = World::new().await;
    let draft = crate::window::tests::fetched(&world).await;
    let sent = world.post(CHANGSHA, "window", &format!("{draft}/submit"), "").await;
    let path = sent.location.split('?').next().expect("a page").to_owned();
    let case: CaseId = path.trim_start_matches("/window/cases/").parse().expect("a case");
    let command = world.ctx(node(CHANGSHA), Actor::System).id(MessageId::new);
    for _ in 0..2 {
        take_back(&world, case, command).await;
    }
    look(&world, case).await;
    assert_eq!(wish(&world, case).await, Some(undo::State::Waiting), "nobody has taken it yet");
    world.exchange().await;
    look(&world, case).await;
    assert_eq!(wish(&world, case).await, Some(undo::State::PassedOn));
    world.exchange().await;
    look(&world, case).await;
    let page = world.get(CHANGSHA, "window", &path).await.json();
    assert_eq!(page["progress"]["phase"], "withdrawn");
    let messages = page["messages"].as_array().expect("messages");
    let acts = messages.iter().filter(|it| it["service"] == "case/1/act").count();
    assert_eq!(acts, 1, "withdrawn once");
    let told = world.page(CHANGSHA, "driver", "/messages").await;
    assert!(told.text.contains("事项选错"), "{}", told.text);
}

#[tokio::test]
async fn a_case_that_was_withdrawn_meanwhile_is_not_withdrawn_twice() {
    let world = World::new().await;
    let draft = crate::window::tests::fetched(&world).await;
    let sent = world.post(CHANGSHA, "window", &format!("{draft}/submit"), "").await;
    let path = sent.location.split('?').next().expect("a page").to_owned();
    let case: CaseId = path.trim_start_matches("/window/cases/").parse().expect("a case");
    let command = world.ctx(node(CHANGSHA), Actor::System).id(MessageId::new);
    take_back(&world, case, command).await;
    world.exchange().await;
    let own = world.post(CHANGSHA, "driver", &format!("/cases/{case}/withdraw"), "").await;
    assert_eq!(own.status, 303, "{own:?}");
    look(&world, case).await;
    assert_eq!(wish(&world, case).await, Some(undo::State::Moot), "her own withdrawal is on its way");
    world.exchange().await;
    let page = world.get(CHANGSHA, "window", &path).await.json();
    assert_eq!(page["progress"]["phase"], "withdrawn");
}
