//! Outbox and inbox: what is sent waits until it is settled, what arrives takes effect once.

use std::sync::Arc;

use tb_base::{CaseId, Error, MessageId, NodeId, Refusal, Result};
use tb_exchange::{
    ContractRef, Envelope, Incoming, LeafKind, Outgoing, Pseudonym, Purpose, Receipt, ReceiptKind, service,
};

use super::bench::{Bench, INSERT, at, ctx};
use crate::inbox::{Handler, Outcome, Recorded};
use crate::outbox::State;
use crate::{Lease, Tx, inbox, log, nonces, outbox, params};

both! {
    a_sent_message_waits_with_its_leaf, a_rolled_back_message_was_never_sent, a_failed_try_keeps_its_place,
    a_word_that_contradicts_a_final_one_is_a_violation, receipts_go_forward_only, a_dead_message_can_still_be_settled,
    what_waits_for_a_city, a_duplicate_takes_effect_once, duplicates_at_once_take_effect_once,
    the_same_id_with_other_words_is_a_violation, a_refusal_is_kept_and_undone, a_fault_leaves_no_record,
    messages_of_a_case, a_salt_can_be_forgotten, a_line_is_held_by_one_process_and_none_overtakes,
    messages_of_one_transaction_keep_their_order, a_nonce_counts_once_for_each_sender_until_it_ends,
    what_a_restored_receiver_lost_waits_again,
    what_a_restored_sender_lost_is_taken_back_once, what_a_city_sent_is_given_in_pages,
}

pub(super) fn node(code: &str) -> NodeId {
    code.parse().unwrap()
}

pub(super) fn id(number: u8) -> MessageId {
    ctx(i64::from(number)).id(MessageId::new)
}

fn envelope(number: u8, to: &str, case: Option<CaseId>) -> Envelope {
    Envelope {
        id: id(number),
        from: node("430100"),
        to: node(to),
        service: service::CASE_OFFER.to_owned(),
        contract: ContractRef { id: "czt-430100-430300".parse().unwrap(), version: 1, hash: "ab".repeat(32) },
        purpose: Purpose { item: "121".to_owned(), case, basis: "case".to_owned() },
        actor: "window/430100-hall-1".to_owned(),
        subject: Some(Pseudonym([7; 32])),
        deadline: at(86_400),
    }
}

pub(super) fn outgoing(number: u8, to: &str, case: Option<CaseId>) -> Outgoing {
    Outgoing { envelope: envelope(number, to, case), body: br#"{"a":1}"#.to_vec() }
}

pub(super) fn incoming(number: u8) -> Incoming {
    Incoming {
        envelope: envelope(number, "430300", None),
        body: br#"{"b":"\u6e58"}"#.to_vec(),
        at: at(5),
        base_hash: [9; 32],
        evidence: serde_json::json!({ "base": "…", "signature": "…" }),
    }
}

fn receipt(number: u8, kind: ReceiptKind) -> Receipt {
    Receipt { message: id(number), kind, at: at(9), leaf: "00".repeat(32), refusal: None }
}

async fn send(bench: &Bench, seconds: i64, message: Outgoing) {
    let ctx = ctx(seconds);
    bench.store.write("test.send", move |tx| outbox::send(tx, &ctx, &message)).await.unwrap();
}

async fn state(bench: &Bench, number: u8) -> State {
    bench.store.read("test.state", move |tx| Ok(outbox::find(tx, id(number))?.unwrap().state)).await.unwrap()
}

/// The line to a city as one of two processes sees it.
pub(super) async fn line(
    bench: &Bench,
    seconds: i64,
    to: &'static str,
    holder: &'static str,
) -> Vec<MessageId> {
    let line = move |tx: &mut Tx<'_>| outbox::line(tx, at(seconds), node(to), holder, 100);
    bench.store.read("test.line", line).await.unwrap().iter().map(|one| one.id).collect()
}

/// What waits for Xiangtan.
pub(super) async fn waiting(bench: &Bench) -> Vec<MessageId> {
    line(bench, 100, "430300", "one").await
}

async fn recipients(bench: &Bench) -> Vec<NodeId> {
    bench.store.read("test.recipients", outbox::recipients).await.unwrap()
}

async fn take_line(bench: &Bench, seconds: i64, holder: &'static str) -> bool {
    let lease = Lease { holder, seconds: 60 };
    let take = move |tx: &mut Tx<'_>| outbox::take_line(tx, at(seconds), node("430300"), lease);
    bench.store.write("test.take", take).await.unwrap()
}

async fn a_sent_message_waits_with_its_leaf(bench: &Bench) {
    let message = outgoing(1, "430300", None);
    send(bench, 1, message.clone()).await;
    let (sent, leaf) = bench
        .store
        .read("test.find", |tx| {
            let sent = outbox::find(tx, id(1))?.unwrap();
            let leaf = log::find(tx, &sent.leaf)?.unwrap();
            Ok((sent, leaf))
        })
        .await
        .unwrap();
    assert_eq!(sent.message, message);
    assert_eq!((sent.state, sent.attempts, sent.created), (State::Waiting, 0, at(1)));
    assert_eq!(leaf.leaf.kind, LeafKind::Sent);
    assert_eq!(leaf.leaf.content, tb_crypto::sha256(&message.body));
    assert_eq!(leaf.leaf.contract, [0xab; 16]);
    assert_eq!(leaf.index, None);
    let salt = bench.store.read("test.salt", move |tx| log::salt(tx, &leaf.hash)).await.unwrap().unwrap();
    assert_eq!(leaf.leaf.subject, tb_crypto::sha256(&[&salt[..], &[7; 32]].concat()));
}

async fn a_rolled_back_message_was_never_sent(bench: &Bench) {
    let refused = bench
        .store
        .write("test.send", |tx| {
            outbox::send(tx, &ctx(1), &outgoing(1, "430300", None))?;
            Err::<(), _>(Refusal::not_now("TST-001", "不行", "No").into())
        })
        .await;
    assert!(refused.is_err());
    assert!(waiting(bench).await.is_empty());
    assert!(recipients(bench).await.is_empty());
    let waiting = bench.store.read("test.waiting", log::waiting).await.unwrap();
    assert_eq!(waiting, 0);
}

async fn a_failed_try_keeps_its_place(bench: &Bench) {
    send(bench, 1, outgoing(1, "430300", None)).await;
    let failed = |tx: &mut Tx<'_>| outbox::attempted(tx, at(2), id(1), at(500), "refused connection");
    bench.store.write("test.attempted", failed).await.unwrap();
    send(bench, 3, outgoing(2, "430300", None)).await;
    assert_eq!(waiting(bench).await, [id(1), id(2)]);
    let sent = bench.store.read("test.find", |tx| outbox::find(tx, id(1))).await.unwrap().unwrap();
    assert_eq!((sent.attempts, sent.problem.as_deref()), (1, Some("refused connection")));
    assert_eq!(sent.next_try, at(500));
}

/// The second process gets nothing of the line while the first lives, and begins with the oldest when it does not.
async fn a_line_is_held_by_one_process_and_none_overtakes(bench: &Bench) {
    for (number, to) in [(1, "430300"), (2, "430300"), (3, "430200")] {
        send(bench, number.into(), outgoing(number, to, None)).await;
    }
    assert_eq!(recipients(bench).await, [node("430200"), node("430300")]);
    assert_eq!(line(bench, 3, "430300", "two").await, [id(1), id(2)], "nobody holds it yet");
    assert!(take_line(bench, 4, "one").await);
    assert!(!take_line(bench, 5, "two").await);
    assert_eq!(line(bench, 5, "430300", "two").await, []);
    assert_eq!(line(bench, 5, "430200", "two").await, [id(3)]);
    assert_eq!(line(bench, 5, "430300", "one").await, [id(1), id(2)]);
    // It keeps the line from half of its lease on.
    assert!(take_line(bench, 40, "one").await);
    assert!(!take_line(bench, 65, "two").await);
    // The first is not heard of again: its lease of the line ends.
    assert_eq!(line(bench, 101, "430300", "two").await, [id(1), id(2)]);
    assert!(take_line(bench, 101, "two").await);
    // If it was only frozen, it learns before its next try that the line is no longer its own.
    assert!(!take_line(bench, 102, "one").await);
    assert_eq!(line(bench, 102, "430300", "one").await, []);
}

/// Ids of one millisecond are in no order, so what was written first is told by more than the moment.
async fn messages_of_one_transaction_keep_their_order(bench: &Bench) {
    let numbers = [7_u8, 3, 9, 1, 5, 8, 2];
    let send = move |tx: &mut Tx<'_>| {
        let ctx = ctx(20);
        numbers.iter().try_for_each(|number| outbox::send(tx, &ctx, &outgoing(*number, "430300", None)))
    };
    bench.store.write("test.send", send).await.unwrap();
    assert_eq!(waiting(bench).await, numbers.map(id));
}

async fn a_nonce_counts_once_for_each_sender_until_it_ends(bench: &Bench) {
    let take = |from: &'static str, seconds: i64| {
        let take = move |tx: &mut Tx<'_>| nonces::take(tx, at(seconds), node(from), "a", at(seconds + 420));
        bench.store.write("test.nonce", take)
    };
    assert!(take("430100", 0).await.unwrap());
    assert!(take("430300", 0).await.unwrap());
    assert!(!take("430100", 420).await.unwrap());
    // By then the signature that carried it has expired on any tolerated clock.
    assert!(take("430100", 421).await.unwrap());
    assert!(!take("430100", 422).await.unwrap());
    let forget = |seconds: i64| bench.store.write("test.forget", move |tx| nonces::forget(tx, at(seconds)));
    assert_eq!(forget(421).await.unwrap(), 1);
    assert_eq!(forget(422).await.unwrap(), 0);
    // A transaction that fails takes no nonce.
    let refused = bench.store.write("test.nonce", |tx| {
        nonces::take(tx, at(500), node("430200"), "b", at(900))?;
        Err::<(), _>(Refusal::not_now("TST-001", "不行", "No").into())
    });
    assert!(refused.await.is_err());
    let free = |tx: &mut Tx<'_>| nonces::take(tx, at(501), node("430200"), "b", at(900));
    assert!(bench.store.write("test.nonce", free).await.unwrap());
}

async fn settle(bench: &Bench, number: u8, kind: ReceiptKind) {
    let receipt = receipt(number, kind);
    let settled = bench.store.write("test.settled", move |tx| {
        outbox::settled(tx, at(9), id(number), &receipt, &serde_json::json!({ "signature": "…" }))
    });
    settled.await.unwrap();
}

async fn receipts_go_forward_only(bench: &Bench) {
    send(bench, 1, outgoing(1, "430300", None)).await;
    settle(bench, 1, ReceiptKind::Delivered).await;
    assert_eq!(state(bench, 1).await, State::Delivered);
    assert_eq!(waiting(bench).await, []);
    settle(bench, 1, ReceiptKind::Processed).await;
    settle(bench, 1, ReceiptKind::Delivered).await;
    assert_eq!(state(bench, 1).await, State::Processed);
    let receipts = bench.store.read("test.receipts", |tx| outbox::receipts(tx, id(1))).await.unwrap();
    assert_eq!(receipts.len(), 2);
    let other = receipt(2, ReceiptKind::Processed);
    let wrong = bench
        .store
        .write("test.settled", move |tx| outbox::settled(tx, at(9), id(1), &other, &serde_json::Value::Null));
    assert!(matches!(wrong.await, Err(Error::Violation(_))));
}

async fn a_word_that_contradicts_a_final_one_is_a_violation(bench: &Bench) {
    send(bench, 1, outgoing(1, "430300", None)).await;
    settle(bench, 1, ReceiptKind::Processed).await;
    let other = |tx: &mut Tx<'_>| {
        let rejected = receipt(1, ReceiptKind::Rejected);
        outbox::settled(tx, at(9), id(1), &rejected, &serde_json::Value::Null)
    };
    let refused = bench.store.write("test.settled", other).await;
    assert!(matches!(refused, Err(Error::Violation(violation)) if violation.component == "kind"));
    assert_eq!(state(bench, 1).await, State::Processed);
}

async fn a_dead_message_can_still_be_settled(bench: &Bench) {
    send(bench, 1, outgoing(1, "430300", None)).await;
    let bury = |tx: &mut Tx<'_>| outbox::dead(tx, at(3), id(1), "deadline");
    assert!(bench.store.write("test.dead", bury).await.unwrap());
    assert!(!bench.store.write("test.dead", bury).await.unwrap(), "once");
    assert_eq!(state(bench, 1).await, State::Dead);
    assert_eq!(waiting(bench).await, []);
    settle(bench, 1, ReceiptKind::Processed).await;
    assert_eq!(state(bench, 1).await, State::Processed);
}

async fn what_waits_for_a_city(bench: &Bench) {
    send(bench, 3, outgoing(3, "430300", None)).await;
    send(bench, 4, outgoing(4, "430300", None)).await;
    let since =
        |to: &'static str| bench.store.read("test.since", move |tx| outbox::waiting_since(tx, node(to)));
    assert_eq!(since("430300").await.unwrap(), Some(at(3)));
    assert_eq!(since("430200").await.unwrap(), None);
    settle(bench, 3, ReceiptKind::Delivered).await;
    assert_eq!(since("430300").await.unwrap(), Some(at(4)));
}

/// A handler that leaves a row behind each time it runs.
fn counting() -> Handler {
    let handle = |tx: &mut Tx<'_>, _: &tb_base::Ctx, incoming: &Incoming| -> Result<serde_json::Value> {
        tx.run(&INSERT, params![incoming.envelope.id.to_string(), 1_i64])?;
        Ok(serde_json::json!({ "done": true }))
    };
    Handler { service: service::CASE_OFFER, query: true, handle: Arc::new(handle) }
}

async fn receive(bench: &Bench, handler: Handler, incoming: Incoming) -> Result<(inbox::Kept, bool)> {
    bench.store.write("test.receive", move |tx| inbox::receive(tx, &ctx(6), &handler, &incoming)).await
}

async fn a_duplicate_takes_effect_once(bench: &Bench) {
    let (first, is_new) = receive(bench, counting(), incoming(1)).await.unwrap();
    assert!(is_new);
    bench
        .store
        .write("test.replied", |tx| {
            inbox::replied(tx, at(7), node("430100"), id(1), &serde_json::json!("signed"))
        })
        .await
        .unwrap();
    let (second, is_new) = receive(bench, counting(), incoming(1)).await.unwrap();
    assert!(!is_new);
    assert_eq!(second.outcome, Outcome::Answered(serde_json::json!({ "done": true })));
    assert_eq!((second.outcome, second.leaf), (first.outcome, first.leaf));
    assert_eq!(second.reply, Some(serde_json::json!("signed")));
    assert_eq!(second.incoming.evidence, incoming(1).evidence);
    assert_eq!(bench.rows().await, 1);
    let leaves = bench.store.read("test.leaves", |tx| log::of_message(tx, id(1))).await.unwrap();
    assert_eq!(leaves.iter().map(|leaf| leaf.leaf.kind).collect::<Vec<_>>(), [LeafKind::Received]);
}

async fn duplicates_at_once_take_effect_once(bench: &Bench) {
    let tries: Vec<_> = (0..16)
        .map(|_| {
            let store = bench.store.clone();
            tokio::spawn(async move {
                let handler = counting();
                store
                    .write("test.receive", move |tx| inbox::receive(tx, &ctx(6), &handler, &incoming(1)))
                    .await
            })
        })
        .collect();
    let mut new = 0;
    for received in tries {
        let (kept, is_new) = received.await.unwrap().unwrap();
        new += i64::from(is_new);
        assert_eq!(kept.outcome, Outcome::Answered(serde_json::json!({ "done": true })));
    }
    assert_eq!((new, bench.rows().await), (1, 1));
}

async fn the_same_id_with_other_words_is_a_violation(bench: &Bench) {
    receive(bench, counting(), incoming(1)).await.unwrap();
    let other = Incoming { body: b"{}".to_vec(), ..incoming(1) };
    let violation = receive(bench, counting(), other).await;
    assert!(matches!(violation, Err(Error::Violation(violation)) if violation.code == "fingerprint"));
}

async fn a_refusal_is_kept_and_undone(bench: &Bench) {
    let handle = |tx: &mut Tx<'_>, _: &tb_base::Ctx, _: &Incoming| -> Result<serde_json::Value> {
        tx.run(&INSERT, params!["half", 1_i64])?;
        Err(Refusal::not_now("TST-002", "材料不齐", "Papers are missing").into())
    };
    let handler = Handler { service: service::CASE_OFFER, query: false, handle: Arc::new(handle) };
    let (kept, _) = receive(bench, handler, incoming(1)).await.unwrap();
    assert!(matches!(&kept.outcome, Outcome::Refused(refusal) if refusal.code == "TST-002"));
    let (again, is_new) = receive(bench, counting(), incoming(1)).await.unwrap();
    assert_eq!((again.outcome, is_new), (kept.outcome, false));
    assert_eq!(bench.rows().await, 0);
}

async fn a_fault_leaves_no_record(bench: &Bench) {
    let handle = |_: &mut Tx<'_>, _: &tb_base::Ctx, _: &Incoming| -> Result<serde_json::Value> {
        Err(tb_base::Fault::new("as the test wants").into())
    };
    let handler = Handler { service: service::CASE_OFFER, query: false, handle: Arc::new(handle) };
    assert!(matches!(receive(bench, handler, incoming(1)).await, Err(Error::Fault(_))));
    let (_, is_new) = receive(bench, counting(), incoming(1)).await.unwrap();
    assert!(is_new);
}

async fn messages_of_a_case(bench: &Bench) {
    let case = ctx(1).id(CaseId::new);
    send(bench, 1, outgoing(1, "430300", Some(case))).await;
    send(bench, 2, outgoing(2, "430300", Some(case))).await;
    send(bench, 3, outgoing(3, "430300", None)).await;
    let mut arrived = incoming(4);
    arrived.envelope.purpose.case = Some(case);
    let recorded =
        bench.store.write("test.record", move |tx| inbox::record(tx, &ctx(4), &arrived)).await.unwrap();
    assert!(matches!(recorded, Recorded::New(_)));
    let (sent, arrived) = bench
        .store
        .read("test.of_case", move |tx| Ok((outbox::of_case(tx, case)?, inbox::of_case(tx, case)?)))
        .await
        .unwrap();
    assert_eq!(sent.iter().map(|sent| sent.message.envelope.id).collect::<Vec<_>>(), [id(1), id(2)]);
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].outcome, Outcome::Received);
    let count = bench
        .store
        .read("test.quota", |tx| inbox::count_since(tx, node("430100"), service::CASE_OFFER, at(0)))
        .await;
    assert_eq!(count.unwrap(), 1);
}

async fn a_salt_can_be_forgotten(bench: &Bench) {
    send(bench, 1, outgoing(1, "430300", None)).await;
    let forgotten = bench.store.write("test.forget", |tx| log::forget(tx, &[7; 32])).await.unwrap();
    assert_eq!(forgotten, 1);
    let leaves = bench.store.read("test.leaves", |tx| log::of_message(tx, id(1))).await.unwrap();
    let hash = leaves[0].hash;
    assert_eq!(bench.store.read("test.salt", move |tx| log::salt(tx, &hash)).await.unwrap(), None);
}

async fn what_a_restored_receiver_lost_waits_again(bench: &Bench) {
    let send = |tx: &mut Tx<'_>| {
        for (number, to) in [(1, "430300"), (2, "430300"), (3, "430300"), (4, "430200")] {
            let mut message = outgoing(number, to, None);
            if number == 3 {
                message.envelope.deadline = at(50);
            }
            outbox::send(tx, &ctx(i64::from(number)), &message)?;
        }
        for (number, second) in [(1, 10), (2, 20), (3, 20), (4, 20)] {
            let taken = receipt(number, ReceiptKind::Processed);
            outbox::settled(tx, at(second), id(number), &taken, &serde_json::Value::Null)?;
        }
        Ok(())
    };
    bench.store.write("test.send", send).await.unwrap();
    let again = |tx: &mut Tx<'_>| outbox::send_again(tx, at(100), node("430300"), at(15), None);
    let again = bench.store.write("test.again", again).await.unwrap();
    assert_eq!((again.waiting, again.too_late, again.next), (vec![id(2)], vec![id(3)], None));
    let states = |tx: &mut Tx<'_>| {
        (1..5).map(|number| Ok(outbox::find(tx, id(number))?.unwrap().state)).collect::<Result<Vec<_>>>()
    };
    let states = bench.store.read("test.states", states).await.unwrap();
    assert_eq!(states, [State::Processed, State::Waiting, State::Processed, State::Processed]);
    // What becomes of it is settled as the first time.
    let settle = |tx: &mut Tx<'_>| {
        let taken = receipt(2, ReceiptKind::Processed);
        outbox::settled(tx, at(110), id(2), &taken, &serde_json::Value::Null)?;
        Ok((outbox::find(tx, id(2))?.unwrap().state, outbox::receipts(tx, id(2))?.len()))
    };
    assert_eq!(bench.store.write("test.settle", settle).await.unwrap(), (State::Processed, 1));
}

async fn what_a_restored_sender_lost_is_taken_back_once(bench: &Bench) {
    let evidence = serde_json::json!({ "signature": "…" });
    let known = bench.store.write("test.leaf", |tx| {
        outbox::send(tx, &ctx(1), &outgoing(1, "430300", None))?;
        Ok(log::of_message(tx, id(1))?[0].hash)
    });
    let known = known.await.unwrap();
    let proof = evidence.clone();
    let back = move |tx: &mut Tx<'_>| {
        let message = outgoing(2, "430300", None);
        let first = outbox::take_back(tx, at(60), &message, &proof, at(2))?;
        let second = outbox::take_back(tx, at(61), &message, &proof, at(2))?;
        let there = outbox::take_back(tx, at(61), &outgoing(1, "430300", None), &proof, at(1))?;
        Ok((first, second, there, outbox::find(tx, id(2))?.unwrap(), outbox::find(tx, id(1))?.unwrap()))
    };
    let (first, second, there, taken, kept) = bench.store.write("test.back", back).await.unwrap();
    assert_eq!((first, second, there), (true, false, false));
    assert_eq!((taken.state, taken.created, taken.evidence), (State::Delivered, at(2), Some(evidence)));
    assert_eq!((kept.state, kept.leaf), (State::Waiting, known));
    let leaf = bench.store.read("test.leaves", move |tx| log::find(tx, &taken.leaf)).await.unwrap().unwrap();
    assert_eq!((leaf.leaf.kind, leaf.leaf.id), (LeafKind::Sent, id(2)));
}

async fn what_a_city_sent_is_given_in_pages(bench: &Bench) {
    let record = |tx: &mut Tx<'_>| {
        (0..40).try_for_each(|number| inbox::record(tx, &ctx(5), &incoming(number)).map(drop))
    };
    bench.store.write("test.record", record).await.unwrap();
    let read = |tx: &mut Tx<'_>| {
        let first = inbox::from_sender(tx, node("430100"), at(5), None, inbox::MESSAGES_MAX)?;
        let last = first.last().map(|kept| kept.incoming.envelope.id);
        let second = inbox::from_sender(tx, node("430100"), at(5), last, inbox::MESSAGES_MAX)?;
        let later = inbox::from_sender(tx, node("430100"), at(6), None, inbox::MESSAGES_MAX)?;
        Ok((first.len(), second.len(), later.len()))
    };
    assert_eq!(bench.store.read("test.pages", read).await.unwrap(), (32, 8, 0));
}
