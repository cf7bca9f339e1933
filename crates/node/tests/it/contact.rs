//! Who was heard of, how much went, and a message that goes again after it was given up.

use tb_base::{Clock, Timestamp};
use tb_exchange::service;
use tb_store::outbox::{self, State};
use tb_store::{Tx, contact, dead_letters, usage};

use crate::services::{COUNTED, ECHO};
use crate::world::{On, World, changsha, until, xiangtan};

both! { a_silent_city_is_noted_until_it_is_heard_again, a_city_that_only_calls_stays_silent, what_goes_and_is_asked_is_counted, many_who_ask_at_once_are_all_answered, a_dead_letter_goes_again_and_takes_effect_once }

async fn known(world: &World) -> contact::Contact {
    world.read(changsha(), |tx| contact::find(tx, xiangtan())).await
}

async fn a_silent_city_is_noted_until_it_is_heard_again(on: On) {
    let mut world = World::running(on, "contact").await;
    let id = world.send(changsha(), xiangtan(), COUNTED, 1).await;
    world.until_state(changsha(), id, State::Processed).await;
    let heard =
        until("its clock is known", async || Some(known(&world).await).filter(|it| it.skew_millis.is_some()));
    let heard = heard.await;
    assert!(heard.heard.is_some() && heard.silent_since.is_none());
    assert!(heard.skew_millis.is_some_and(|skew| skew.abs() <= 2_000), "{heard:?}");
    world.stop(xiangtan()).await;
    let id = world.send(changsha(), xiangtan(), COUNTED, 2).await;
    until("it is silent", async || known(&world).await.silent_since).await;
    let standing = world.read(changsha(), |tx| outbox::standing(tx, xiangtan())).await;
    assert_eq!((standing.waiting, standing.newest.map(|(id, _)| id)), (1, Some(id)));
    world.start(xiangtan()).await;
    world.until_state(changsha(), id, State::Processed).await;
    until("it is heard again", async || known(&world).await.silent_since.is_none().then_some(())).await;
}

/// A line that is cut in one direction: the other city calls, and is not reached.
async fn a_city_that_only_calls_stays_silent(on: On) {
    let mut world = World::running(on, "one_way").await;
    world.stop(xiangtan()).await;
    world.send(changsha(), xiangtan(), COUNTED, 1).await;
    let since = until("it is silent", async || known(&world).await.silent_since).await;
    world.clock.advance(60);
    let called = world.clock.now();
    let signed = world.sign(&world.compose(xiangtan(), changsha(), COUNTED, &serde_json::json!({ "n": 2 })));
    world.post(world.city(xiangtan()), world.city(changsha()), &signed).await.receipt();
    let heard = until("it called", async || {
        Some(known(&world).await).filter(|it| it.heard.is_some_and(|heard| called <= heard))
    });
    assert_eq!(heard.await.silent_since, Some(since));
    // Nor does anything else end it but an answer.
    until("it is noted again", async || {
        Some(known(&world).await).filter(|it| it.problem.is_some() && it.silent_since == Some(since))
    })
    .await;
    world.start(xiangtan()).await;
    until("it answers", async || known(&world).await.silent_since.is_none().then_some(())).await;
}

async fn what_goes_and_is_asked_is_counted(on: On) {
    let world = World::running(on, "usage").await;
    let id = world.send(changsha(), xiangtan(), COUNTED, 1).await;
    world.until_state(changsha(), id, State::Processed).await;
    world.ask(world.compose(changsha(), xiangtan(), ECHO, &serde_json::json!({ "n": 1 }))).await.unwrap();
    let now = world.clock.now();
    let services = [COUNTED, ECHO, service::RECEIPT];
    let sent = move |tx: &mut Tx<'_>| usage::today(tx, now, xiangtan(), &services);
    let got = move |tx: &mut Tx<'_>| usage::today(tx, now, changsha(), &services);
    let (sent, got) = (world.read(changsha(), sent).await, world.read(xiangtan(), got).await);
    assert_eq!((sent[COUNTED].out, sent[ECHO].out), (1, 1));
    assert_eq!((got[COUNTED].back, got[ECHO].back), (1, 1));
    assert_eq!((sent[service::RECEIPT].back, got[service::RECEIPT].out), (1, 1));
}

/// More than may knock at once from one address: they come over one connection, from the first call on.
async fn many_who_ask_at_once_are_all_answered(on: On) {
    const AT_ONCE: i64 = 100;
    let mut world = World::running(on, "at_once").await;
    world.stop(changsha()).await;
    world.start(changsha()).await;
    let ask = |n: i64| world.compose(changsha(), xiangtan(), ECHO, &serde_json::json!({ "n": n }));
    let answers = world.ask_at_once(changsha(), (0..AT_ONCE).map(ask).collect()).await;
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert!(refused.is_empty(), "{} of {AT_ONCE} were refused: {}", refused.len(), refused[0]);
}

async fn a_dead_letter_goes_again_and_takes_effect_once(on: On) {
    let mut world = World::running(on, "again").await;
    world.stop(xiangtan()).await;
    let id = world.send(changsha(), xiangtan(), COUNTED, 1).await;
    let now: Timestamp = world.clock.now();
    let dead = move |tx: &mut Tx<'_>| outbox::dead(tx, now, id, "given up by hand");
    world.store(changsha()).write("test.dead", dead).await.unwrap();
    world.start(xiangtan()).await;
    let again = move |tx: &mut Tx<'_>| outbox::revive(tx, now, id);
    assert!(world.store(changsha()).write("test.again", again).await.unwrap());
    world.until_state(changsha(), id, State::Processed).await;
    assert_eq!(world.effects(xiangtan()).await, [(id.to_string(), 1)]);
    let letter = world.read(changsha(), move |tx| dead_letters::find(tx, id)).await.unwrap();
    assert_eq!(letter.state, dead_letters::LetterState::Arrived);
}
