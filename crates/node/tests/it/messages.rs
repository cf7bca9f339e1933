//! Messages: delivered, processed, refused, retried, repeated; each takes effect once.

use std::sync::atomic::Ordering;

use serde_json::json;
use tb_exchange::LeafKind::{Received, Sent};
use tb_exchange::ReceiptKind::{self, Delivered, Processed, Rejected};
use tb_store::outbox::{self, State};
use tb_store::{Stmt, inbox, params, stmt};

use crate::services::{self, COUNTED, FAILING, GATED, REFUSED, refusal};
use crate::world::{On, World, changsha, until, xiangtan};

both!(
    a_message_is_delivered_then_processed,
    what_a_message_says_is_not_read_off_the_disk,
    a_refused_message_has_no_effect_and_says_why,
    a_failing_message_is_retried_and_takes_effect_once,
    a_body_that_does_not_fit_is_sent_back,
    the_same_request_twice_takes_effect_once,
    a_poisoned_message_does_not_delay_the_next,
    a_message_to_the_own_city_takes_effect_too,
    many_messages_arrive_in_order,
    a_message_over_the_quota_waits_for_tomorrow_and_delays_no_other,
);

async fn kinds(world: &World, id: tb_base::MessageId) -> Vec<ReceiptKind> {
    let mut kinds: Vec<_> = world
        .read(changsha(), move |tx| outbox::receipts(tx, id))
        .await
        .iter()
        .map(|kept| kept.receipt.kind)
        .collect();
    kinds.sort_by_key(|kind| kind.is_final());
    kinds
}

async fn a_message_is_delivered_then_processed(on: On) {
    let world = World::running(on, "message").await;
    let id = world.send(changsha(), xiangtan(), COUNTED, 1).await;
    world.until_state(changsha(), id, State::Processed).await;
    assert_eq!(world.effects(xiangtan()).await, [(id.to_string(), 1)]);
    until("both receipts are kept", async || {
        (kinds(&world, id).await == [Delivered, Processed]).then_some(())
    })
    .await;
    assert_eq!(world.leaves(changsha(), id).await, [Sent]);
    assert_eq!(world.leaves(xiangtan(), id).await, [Received]);
    // Both receipts name the receiver's leaf and carry the receiver's signature.
    let leaf = world.read(xiangtan(), move |tx| tb_store::log::of_message(tx, id)).await[0].hash;
    for kept in world.read(changsha(), move |tx| outbox::receipts(tx, id)).await {
        assert_eq!(kept.receipt.leaf, tb_crypto::text::hex(&leaf));
        assert!(kept.evidence["fields"].to_string().contains("signature-input"));
    }
    // Whoever sent it is told of it once.
    let heard = async || world.read(changsha(), move |tx| services::heard(tx, id.as_str())).await;
    let heard =
        until("the sender's handler ran", async || Some(heard().await).filter(|heard| !heard.is_empty()))
            .await;
    assert_eq!(heard, ["Processed"]);
}

/// A node seals what it sends and receives; whoever has its key reads it as it travelled.
async fn what_a_message_says_is_not_read_off_the_disk(on: On) {
    const SENT: Stmt = stmt("test.sent", "SELECT body FROM store_outbox WHERE id = $1");
    const GOT: Stmt = stmt("test.got", "SELECT body FROM store_inbox WHERE id = $1");
    let world = World::running(on, "sealed").await;
    let id = world.send(changsha(), xiangtan(), COUNTED, 430_302_198).await;
    world.until_state(changsha(), id, State::Processed).await;
    for (city, held) in [(changsha(), SENT), (xiangtan(), GOT)] {
        let held: Vec<u8> =
            world.read(city, move |tx| tx.one(&held, params![id])?.unwrap().get("body")).await;
        let text = String::from_utf8_lossy(&held).into_owned();
        assert!(!text.contains("430302198") && text.starts_with("TBS1"), "{city}: {text}");
    }
    let got = world.read(xiangtan(), move |tx| inbox::find(tx, changsha(), id)).await.unwrap();
    assert_eq!(got.incoming.body, world.sent(changsha(), id).await.message.body);
    assert!(String::from_utf8_lossy(&got.incoming.body).contains("430302198"));
}

async fn a_refused_message_has_no_effect_and_says_why(on: On) {
    let world = World::running(on, "message_refused").await;
    let id = world.send(changsha(), xiangtan(), REFUSED, 1).await;
    let sent = world.until_state(changsha(), id, State::Rejected).await;
    assert_eq!(sent.problem.as_deref(), Some("TST-REF-001"));
    assert_eq!(world.effects(xiangtan()).await, []);
    let receipts = world.read(changsha(), move |tx| outbox::receipts(tx, id)).await;
    let rejected = receipts.iter().find(|kept| kept.receipt.kind == Rejected).unwrap();
    assert_eq!(rejected.receipt.refusal, Some(refusal()));
    assert!(
        world
            .audited(xiangtan(), "exchange.process")
            .await
            .contains(&(id.to_string(), "TST-REF-001".to_owned()))
    );
}

async fn a_failing_message_is_retried_and_takes_effect_once(on: On) {
    let world = World::running(on, "message_failing").await;
    let id = world.send(changsha(), xiangtan(), FAILING, 1).await;
    world.until_state(changsha(), id, State::Processed).await;
    assert_eq!(world.effects(xiangtan()).await, [(id.to_string(), 1)]);
    assert!(2 <= world.city(xiangtan()).knobs.runs.load(Ordering::SeqCst));
}

async fn a_body_that_does_not_fit_is_sent_back(on: On) {
    let world = World::running(on, "message_unfit").await;
    let id = world.send_message(world.compose(changsha(), xiangtan(), COUNTED, &json!({"m": "one"}))).await;
    let sent = world.until_state(changsha(), id, State::Rejected).await;
    assert_eq!(sent.problem.as_deref(), Some("EXC-MSG-003"));
    assert_eq!(world.effects(xiangtan()).await, []);
}

async fn the_same_request_twice_takes_effect_once(on: On) {
    let world = World::running(on, "message_twice").await;
    let (by, to) = (world.city(changsha()), world.city(xiangtan()));
    let message = world.compose(changsha(), xiangtan(), COUNTED, &json!({"n": 1}));
    let id = message.envelope.id;
    // It stands in the outbox, too, so that the receipt finds it: that makes a third copy.
    world.send_message(message.clone()).await;
    let signed = world.sign(&message);
    let first = world.post(by, to, &signed).await;
    world.until_state(changsha(), id, State::Processed).await;
    let second = world.post(by, to, &signed).await;
    // A retry is signed anew, and is still the same message.
    let third = world.post(by, to, &world.sign(&message)).await;
    for again in [&second, &third] {
        assert_eq!((again.status, again.receipt()), (202, first.receipt()));
        assert_eq!(again.field("tb-replayed"), Some("?1"));
    }
    assert_eq!(first.receipt().kind, Delivered);
    assert_eq!(world.effects(xiangtan()).await, [(id.to_string(), 1)]);
    assert_eq!(world.leaves(xiangtan(), id).await, [Received]);
}

async fn a_poisoned_message_does_not_delay_the_next(on: On) {
    let world = World::running(on, "message_poison").await;
    world.city(xiangtan()).knobs.is_closed.store(true, Ordering::SeqCst);
    let poisoned = world.send(changsha(), xiangtan(), GATED, 1).await;
    world.until_state(changsha(), poisoned, State::Delivered).await;
    let next = world.send(changsha(), xiangtan(), COUNTED, 2).await;
    world.until_state(changsha(), next, State::Processed).await;
    assert_eq!(world.sent(changsha(), poisoned).await.state, State::Delivered);
    world.city(xiangtan()).knobs.is_closed.store(false, Ordering::SeqCst);
    world.until_state(changsha(), poisoned, State::Processed).await;
    assert_eq!(world.effects(xiangtan()).await, [(next.to_string(), 2), (poisoned.to_string(), 1)]);
}

async fn a_message_to_the_own_city_takes_effect_too(on: On) {
    let world = World::running(on, "message_own").await;
    world.engine(changsha()).set_offline(true);
    let id = world.send(changsha(), changsha(), COUNTED, 5).await;
    world.until_state(changsha(), id, State::Processed).await;
    assert_eq!(world.effects(changsha()).await, [(id.to_string(), 5)]);
}

async fn many_messages_arrive_in_order(on: On) {
    const MANY: i64 = 80;
    let world = World::running(on, "message_many").await;
    for n in 0..MANY {
        world.send(changsha(), xiangtan(), COUNTED, n).await;
    }
    let numbers = async || world.effects(xiangtan()).await.into_iter().map(|(_, n)| n).collect::<Vec<_>>();
    let numbers = until("all took effect", async || Some(numbers().await).filter(|it| it.len() == 80)).await;
    assert_eq!(numbers, (0..MANY).collect::<Vec<_>>());
}

async fn a_message_over_the_quota_waits_for_tomorrow_and_delays_no_other(on: On) {
    let world = World::running(on, "message_quota").await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let mut message = world.compose(changsha(), xiangtan(), REFUSED, &json!({ "n": n }));
        message.envelope.deadline = message.envelope.deadline.plus_seconds(2 * 86_400);
        ids.push(world.send_message(message).await);
    }
    let other = world.send(changsha(), xiangtan(), COUNTED, 9).await;
    world.until_state(changsha(), other, State::Processed).await;
    world.until_state(changsha(), ids[1], State::Rejected).await;
    let held = until("the third was tried", async || {
        Some(world.sent(changsha(), ids[2]).await).filter(|sent| 0 < sent.attempts)
    })
    .await;
    assert_eq!(held.state, State::Waiting);
    assert!(held.problem.unwrap().contains("quota"));
    world.clock.advance(86_400);
    world.until_state(changsha(), ids[2], State::Rejected).await;
}
