//! A partner that is down loses and blocks nothing: what waits says since when, and goes on by itself.

use std::sync::atomic::Ordering;

use serde_json::json;
use tb_base::{Clock, MessageId};
use tb_store::Tx;
use tb_store::outbox::{self, State};

use crate::services::{COUNTED, ECHO, GATED, flood, touched};
use crate::world::{On, World, changsha, until, xiangtan, zhuzhou};

both!(
    what_waits_is_delivered_in_order_when_the_partner_is_back,
    a_partner_that_says_nothing_delays_no_other,
    many_messages_for_a_city_that_is_down_delay_and_cost_nothing,
    a_clock_that_is_set_back_keeps_the_order,
    a_cut_line_loses_nothing,
    a_receipt_waits_for_its_city,
    what_was_stored_and_not_processed_is_processed_after_a_restart,
    a_node_that_was_killed_does_the_rest_once,
    a_sender_that_restarts_sends_what_waited,
    a_sender_that_was_killed_keeps_the_order,
    a_message_that_nobody_takes_in_time_is_a_dead_letter,
    a_node_stops_at_once_even_while_it_waits,
);

async fn waiting_since(world: &World) -> Option<tb_base::Timestamp> {
    world.read(changsha(), |tx| outbox::waiting_since(tx, xiangtan())).await
}

async fn numbers(world: &World) -> Vec<i64> {
    world.effects(xiangtan()).await.into_iter().map(|(_, n)| n).collect()
}

async fn what_waits_is_delivered_in_order_when_the_partner_is_back(on: On) {
    let mut world = World::running(on, "down").await;
    world.stop(xiangtan()).await;
    assert_eq!(waiting_since(&world).await, None);
    let before = world.clock.now();
    let first = world.send(changsha(), xiangtan(), COUNTED, 0).await;
    let after = world.clock.now();
    let tried = until("it was tried", async || {
        Some(world.sent(changsha(), first).await).filter(|sent| 0 < sent.attempts)
    })
    .await;
    assert_eq!(tried.state, State::Waiting);
    assert!(tried.problem.unwrap().contains("EXC-PEER-001"));
    // Newer ones do not overtake it, although they are due at once and it is not.
    for n in 1..5 {
        world.send(changsha(), xiangtan(), COUNTED, n).await;
    }
    let since = waiting_since(&world).await.unwrap();
    assert!(before <= since && since <= after);
    world.start(xiangtan()).await;
    until("all took effect", async || (numbers(&world).await.len() == 5).then_some(())).await;
    assert_eq!(numbers(&world).await, [0, 1, 2, 3, 4]);
    world.until_state(changsha(), first, State::Processed).await;
    until("nothing waits", async || waiting_since(&world).await.is_none().then_some(())).await;
}

/// Zhuzhou's socket takes connections and never says a word: calls to it hang until they are given up.
async fn a_partner_that_says_nothing_delays_no_other(on: On) {
    let mut world = World::founded(on, "silent").await;
    world.start(changsha()).await;
    world.start(xiangtan()).await;
    let silent = world.send(changsha(), zhuzhou(), COUNTED, 1).await;
    for n in 0..3 {
        let begun = world.clock.now();
        let id = world.send(changsha(), xiangtan(), COUNTED, n).await;
        world.until_state(changsha(), id, State::Processed).await;
        assert!(world.clock.now() < begun.plus_seconds(5));
    }
    // Its witness is silent, too; Xiangtan's cosigns all the same.
    until("Xiangtan cosigned", async || {
        world.read(changsha(), |tx| tb_store::log::latest_cosigned(tx, 1)).await
    })
    .await;
    assert_eq!(world.sent(changsha(), silent).await.state, State::Waiting);
}

/// Twenty thousand wait for Zhuzhou, which is down: nothing is written about them, and no other city waits.
async fn many_messages_for_a_city_that_is_down_delay_and_cost_nothing(on: On) {
    const WRITES_MAX: u64 = 150;
    let mut world = World::running(on, "many").await;
    world.stop(zhuzhou()).await;
    let first = world.send(changsha(), zhuzhou(), COUNTED, 1).await;
    let ctx = world.ctx(changsha());
    let many = move |tx: &mut Tx<'_>| flood(tx, &ctx, first, 20_000);
    world.store(changsha()).write("test.flood", many).await.unwrap();
    for n in 0..3 {
        let begun = world.clock.now();
        let id = world.send(changsha(), xiangtan(), COUNTED, n).await;
        world.until_state(changsha(), id, State::Processed).await;
        assert!(world.clock.now() < begun.plus_seconds(5));
    }
    let tried = async |times: u32| {
        until("it was tried", async || {
            Some(world.sent(changsha(), first).await.attempts).filter(|attempts| times <= *attempts)
        })
        .await
    };
    let so_far = tried(1).await;
    let before = world.store(changsha()).writes().count();
    tried(so_far + 2).await;
    let writes = world.store(changsha()).writes().count() - before;
    assert!(writes < WRITES_MAX, "{writes} writes while nothing but two tries happened");
    assert_eq!(world.read(changsha(), |tx| touched(tx, zhuzhou())).await, 1, "only the first is written to");
}

/// The clock of the sender is an hour ahead, and is set right while messages wait.
async fn a_clock_that_is_set_back_keeps_the_order(on: On) {
    let mut world = World::running(on, "back").await;
    world.stop(xiangtan()).await;
    world.clock.advance(1_800);
    let first = world.send(changsha(), xiangtan(), COUNTED, 0).await;
    until("it was tried", async || (0 < world.sent(changsha(), first).await.attempts).then_some(())).await;
    world.clock.advance(-1_800);
    for n in 1..4 {
        world.send(changsha(), xiangtan(), COUNTED, n).await;
    }
    world.start(xiangtan()).await;
    until("all took effect", async || (numbers(&world).await.len() == 4).then_some(())).await;
    assert_eq!(numbers(&world).await, [0, 1, 2, 3]);
}

async fn a_cut_line_loses_nothing(on: On) {
    let world = World::running(on, "cut").await;
    // At the receiver's end: what answers there is not signed, so it is no word of the city.
    world.engine(xiangtan()).set_offline(true);
    let one = world.send(changsha(), xiangtan(), COUNTED, 1).await;
    until("it was tried", async || {
        Some(world.sent(changsha(), one).await)
            .filter(|sent| 0 < sent.attempts && sent.state == State::Waiting)
    })
    .await;
    world.engine(xiangtan()).set_offline(false);
    world.until_state(changsha(), one, State::Processed).await;
    // At the sender's end: work inside the city goes on.
    world.engine(changsha()).set_offline(true);
    let two = world.send(changsha(), xiangtan(), COUNTED, 2).await;
    world.ask(world.compose(changsha(), changsha(), ECHO, &json!({"n": 1}))).await.unwrap();
    until("it was tried", async || {
        Some(world.sent(changsha(), two).await)
            .filter(|sent| 0 < sent.attempts && sent.state == State::Waiting)
    })
    .await;
    world.engine(changsha()).set_offline(false);
    world.until_state(changsha(), two, State::Processed).await;
    assert_eq!(numbers(&world).await, [1, 2]);
}

/// The sender goes down between the two receipts: the second one finds it later.
async fn a_receipt_waits_for_its_city(on: On) {
    let mut world = World::running(on, "receipt").await;
    let is_closed = &world.city(xiangtan()).knobs.clone().is_closed;
    is_closed.store(true, Ordering::SeqCst);
    let id = world.send(changsha(), xiangtan(), GATED, 1).await;
    world.until_state(changsha(), id, State::Delivered).await;
    world.stop(changsha()).await;
    is_closed.store(false, Ordering::SeqCst);
    let receipt = until("the receipt was tried in vain", async || {
        let sent = world.read(xiangtan(), |tx| outbox::recent(tx, 1)).await.pop()?;
        (0 < sent.attempts).then_some(sent.message.envelope.id)
    })
    .await;
    let since = world.read(xiangtan(), |tx| outbox::waiting_since(tx, changsha())).await;
    assert!(since.is_some());
    world.start(changsha()).await;
    world.until_state(changsha(), id, State::Processed).await;
    world.until_state(xiangtan(), receipt, State::Delivered).await;
    assert_eq!(numbers(&world).await, [1]);
}

async fn what_was_stored_and_not_processed_is_processed_after_a_restart(on: On) {
    let mut world = World::running(on, "restart").await;
    world.city(xiangtan()).knobs.is_closed.store(true, Ordering::SeqCst);
    let id = world.send(changsha(), xiangtan(), GATED, 1).await;
    world.until_state(changsha(), id, State::Delivered).await;
    world.stop(xiangtan()).await;
    world.city(xiangtan()).knobs.is_closed.store(false, Ordering::SeqCst);
    world.start(xiangtan()).await;
    world.until_state(changsha(), id, State::Processed).await;
    assert_eq!(world.effects(xiangtan()).await, [(id.to_string(), 1)]);
}

/// Killed while messages come in; what was acknowledged is there, and nothing takes effect twice.
async fn a_node_that_was_killed_does_the_rest_once(on: On) {
    const MANY: i64 = 60;
    let mut world = World::running(on, "killed").await;
    for n in 0..MANY {
        world.send(changsha(), xiangtan(), COUNTED, n).await;
    }
    until("some took effect", async || (3 < numbers(&world).await.len()).then_some(())).await;
    world.kill(xiangtan());
    world.kill(changsha());
    // What the dead processes had leased falls free.
    world.clock.advance(20);
    world.start(changsha()).await;
    world.start(xiangtan()).await;
    let sum = async || world.read(changsha(), |tx| outbox::recent(tx, 256)).await;
    until("every message is processed", async || {
        let processed = sum().await.iter().filter(|sent| sent.state == State::Processed).count();
        (processed == 60).then_some(())
    })
    .await;
    let mut taken = numbers(&world).await;
    taken.sort_unstable();
    assert_eq!(taken, (0..MANY).collect::<Vec<_>>());
}

async fn a_sender_that_restarts_sends_what_waited(on: On) {
    let mut world = World::running(on, "sender").await;
    world.stop(xiangtan()).await;
    let ids = [
        world.send(changsha(), xiangtan(), COUNTED, 0).await,
        world.send(changsha(), xiangtan(), COUNTED, 1).await,
    ];
    world.stop(changsha()).await;
    world.start(xiangtan()).await;
    world.start(changsha()).await;
    for id in ids {
        world.until_state(changsha(), id, State::Processed).await;
    }
    let mut taken: Vec<(String, i64)> = world.effects(xiangtan()).await;
    taken.sort_by_key(|(_, n)| *n);
    let expected: Vec<(String, i64)> = ids.iter().map(MessageId::to_string).zip([0, 1]).collect();
    assert_eq!(taken, expected);
}

/// Killed with a message in hand that was tried in vain, and newer ones behind it: none of them overtakes it.
async fn a_sender_that_was_killed_keeps_the_order(on: On) {
    const MANY: i64 = 40;
    let mut world = World::running(on, "order").await;
    world.stop(xiangtan()).await;
    let first = world.send(changsha(), xiangtan(), COUNTED, 0).await;
    until("it was tried more than once", async || {
        Some(world.sent(changsha(), first).await).filter(|sent| 2 < sent.attempts)
    })
    .await;
    for n in 1..MANY {
        world.send(changsha(), xiangtan(), COUNTED, n).await;
    }
    world.kill(changsha());
    if on == On::Postgres {
        // What is left of the process in this test still holds its session: its lease of the line has to end.
        world.clock.advance(20);
    }
    world.start(xiangtan()).await;
    world.start(changsha()).await;
    until("all took effect", async || (numbers(&world).await.len() == 40).then_some(())).await;
    assert_eq!(numbers(&world).await, (0..MANY).collect::<Vec<_>>());
}

async fn a_message_that_nobody_takes_in_time_is_a_dead_letter(on: On) {
    let mut world = World::running(on, "dead").await;
    world.stop(xiangtan()).await;
    let id = world.send(changsha(), xiangtan(), COUNTED, 1).await;
    until("it was tried", async || (0 < world.sent(changsha(), id).await.attempts).then_some(())).await;
    world.clock.advance(3_700);
    world.until_state(changsha(), id, State::Dead).await;
    assert_eq!(world.audited(changsha(), "exchange.dead").await, [(id.to_string(), "dead".to_owned())]);
    // The next one is not held up by it.
    let next = world.send(changsha(), xiangtan(), COUNTED, 2).await;
    world.start(xiangtan()).await;
    world.until_state(changsha(), next, State::Processed).await;
    assert_eq!(numbers(&world).await, [2]);
}

async fn a_node_stops_at_once_even_while_it_waits(on: On) {
    let mut world = World::founded(on, "stops").await;
    world.start(changsha()).await;
    let id = world.send(changsha(), zhuzhou(), COUNTED, 1).await;
    until("it was signed, so that a call to a silent city is under way", async || {
        world.sent(changsha(), id).await.evidence
    })
    .await;
    let begun = world.clock.now();
    world.stop(changsha()).await;
    assert!(world.clock.now() < begun.plus_seconds(5));
    world.start(changsha()).await;
    assert_eq!(world.sent(changsha(), id).await.state, State::Waiting);
}
