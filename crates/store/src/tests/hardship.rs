//! The outbox when things go badly: a receiver that was restored, a clock that is set back, a word that comes too late.

use tb_base::{Error, Refusal, StaffId};
use tb_exchange::{Receipt, ReceiptKind};

use super::bench::{Bench, at, ctx};
use super::messages::{id, node, outgoing, waiting};
use crate::dead_letters::{self, Ending};
use crate::outbox::{self, State};
use crate::{Stmt, Tx, Value, figures};

both! {
    what_was_settled_before_a_restore_stays_as_it_was, a_delivered_message_is_not_buried,
    letters_that_are_seen_to_are_counted_no_more, a_clock_set_back_lets_nothing_overtake,
    a_write_is_told_of_when_it_is_committed,
}

fn said(number: u8, kind: ReceiptKind) -> Receipt {
    let refusal = (kind == ReceiptKind::Rejected).then(|| Refusal::not_now("TST-REF-001", "不行", "No"));
    Receipt { message: id(number), kind, at: at(9), leaf: "00".repeat(32), refusal }
}

fn settle(tx: &mut Tx<'_>, number: u8, kind: ReceiptKind) -> tb_base::Result<()> {
    outbox::settled(tx, at(20), id(number), &said(number, kind), &serde_json::Value::Null)
}

async fn stands(bench: &Bench, number: u8) -> (State, Option<String>) {
    let sent = bench.store.read("test.find", move |tx| outbox::find(tx, id(number))).await.unwrap().unwrap();
    (sent.state, sent.problem)
}

/// The receiver still has them, runs nothing again and says nothing more than that it has them.
async fn what_was_settled_before_a_restore_stays_as_it_was(bench: &Bench) {
    let before = |tx: &mut Tx<'_>| {
        for number in 1..4 {
            outbox::send(tx, &ctx(number.into()), &outgoing(number, "430300", None))?;
            settle(tx, number, ReceiptKind::Delivered)?;
        }
        settle(tx, 1, ReceiptKind::Processed)?;
        settle(tx, 2, ReceiptKind::Rejected)
    };
    bench.store.write("test.before", before).await.unwrap();
    let again = |tx: &mut Tx<'_>| outbox::send_again(tx, at(100), node("430300"), at(0), None);
    assert_eq!(bench.store.write("test.again", again).await.unwrap().waiting.len(), 3);
    assert_eq!(stands(bench, 1).await.0, State::Waiting);
    let delivered =
        |tx: &mut Tx<'_>| (1..4).try_for_each(|number| settle(tx, number, ReceiptKind::Delivered));
    bench.store.write("test.delivered", delivered).await.unwrap();
    assert_eq!(stands(bench, 1).await, (State::Processed, None));
    assert_eq!(stands(bench, 2).await, (State::Rejected, Some("TST-REF-001".to_owned())));
    assert_eq!(stands(bench, 3).await, (State::Delivered, None));
}

async fn a_delivered_message_is_not_buried(bench: &Bench) {
    let bury = |tx: &mut Tx<'_>| {
        outbox::send(tx, &ctx(1), &outgoing(1, "430300", None))?;
        settle(tx, 1, ReceiptKind::Delivered)?;
        outbox::dead(tx, at(30), id(1), "its deadline has passed")
    };
    assert!(!bench.store.write("test.bury", bury).await.unwrap(), "nothing died");
    assert_eq!(stands(bench, 1).await, (State::Delivered, None));
    let letter = bench.store.read("test.letter", |tx| dead_letters::find(tx, id(1))).await.unwrap();
    assert_eq!(letter, None);
}

async fn letters_that_are_seen_to_are_counted_no_more(bench: &Bench) {
    let bury = |tx: &mut Tx<'_>| {
        for number in 1..4 {
            outbox::send(tx, &ctx(number.into()), &outgoing(number, "430300", None))?;
            outbox::dead(tx, at(30), id(number), "its deadline has passed").map(drop)?;
        }
        figures::read(tx, at(40))
    };
    assert_eq!(bench.store.write("test.bury", bury).await.unwrap().dead, 3);
    let by: StaffId = "01kq3zt000000000000000000a".parse().unwrap();
    for (number, ending, left) in [
        (1, Ending::Settled("not_needed", "nothing"), 2),
        (2, Ending::Again(Some(id(9))), 1),
        (3, Ending::Again(None), 0),
    ] {
        let close = move |tx: &mut Tx<'_>| {
            let letter = dead_letters::find(tx, id(number))?.unwrap();
            dead_letters::close(tx, at(50), &letter, by, ending)?;
            figures::read(tx, at(60))
        };
        assert_eq!(bench.store.write("test.close", close).await.unwrap().dead, left);
    }
}

/// What was written first goes first, whatever the clock says of it.
async fn a_clock_set_back_lets_nothing_overtake(bench: &Bench) {
    let send = |tx: &mut Tx<'_>| {
        for (number, seconds) in [(1, 200), (2, 5), (3, 6), (4, 300), (5, 7)] {
            outbox::send(tx, &ctx(seconds), &outgoing(number, "430300", None))?;
        }
        Ok::<_, Error>(())
    };
    bench.store.write("test.send", send).await.unwrap();
    assert_eq!(waiting(bench).await, [1, 2, 3, 4, 5].map(id));
}

/// Whoever waits for rows waits for this, and not for the clock.
async fn a_write_is_told_of_when_it_is_committed(bench: &Bench) {
    let writes = bench.store.writes();
    let before = writes.count();
    bench.store.read("test.look", outbox::recipients).await.unwrap();
    let refused = bench.store.write("test.refused", |tx| {
        outbox::send(tx, &ctx(1), &outgoing(1, "430300", None))?;
        Err::<(), _>(Refusal::not_now("TST-REF-001", "不行", "No").into())
    });
    assert!(refused.await.is_err());
    assert_eq!(writes.count(), before);
    let send = |tx: &mut Tx<'_>| outbox::send(tx, &ctx(1), &outgoing(1, "430300", None));
    bench.store.write("test.send", send).await.unwrap();
    writes.changed().await;
    assert_eq!(writes.count(), before + 1);
    assert_eq!(bench.store.is_shared(), bench.is_postgres());
}

/// What is looked at all the time costs the same with however many messages that wait for a city that is down.
#[tokio::test]
async fn the_looks_of_the_outbox_are_read_from_the_index_of_lines() {
    let bench = Bench::sqlite("the_looks_of_the_outbox").await;
    for (looks, count) in [(outbox::NEXT_RECIPIENT, 1), (outbox::WAITING, 2)] {
        let explain: &'static str = Box::leak(format!("EXPLAIN QUERY PLAN {}", looks.sql).into_boxed_str());
        let plan = bench.store.write("test.explain", move |tx| {
            let rows = tx.all(&Stmt { name: looks.name, sql: explain }, &vec![Value::from("0"); count])?;
            rows.iter().map(|row| row.get::<String>("detail")).collect::<tb_base::Result<Vec<_>>>()
        });
        let plan = plan.await.unwrap();
        let is_sought =
            |step: &String| step.starts_with("SEARCH") && step.contains("store_outbox_recipient (recipient");
        assert!(plan.iter().any(is_sought), "{}: {plan:?}", looks.name);
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY")), "{plan:?}");
    }
}
