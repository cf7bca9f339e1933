//! Figures of lines, contracts and dead letters: right, and read from indexes.

use tb_base::{Error, MessageId, StaffId};
use tb_exchange::{Receipt, ReceiptKind, service};

use super::bench::{Bench, at, ctx};
use super::messages::{id, incoming, node, outgoing};
use crate::dead_letters::{self, Ending, Filter, Letter, LetterState};
use crate::outbox::State;
use crate::usage::Count;
use crate::{Stmt, Tx, Value, audit, contact, inbox, log, outbox, usage};

both! {
    a_line_tells_what_waits_and_what_went, a_given_up_message_is_a_letter_until_it_is_closed,
    a_letter_is_closed_once, a_letter_that_died_again_keeps_its_owner, a_receipt_closes_a_letter,
    letters_are_paged_and_filtered, usage_counts_days_once, a_city_is_heard_of_or_silent, witnesses_lag,
}

const DAY_SECONDS: i64 = 86_400;

fn staff(letter: char) -> StaffId {
    format!("01kq3zt000000000000000000{letter}").parse().unwrap()
}

async fn bury(bench: &Bench, seconds: i64, number: u8, to: &str) {
    let message = outgoing(number, to, None);
    let write = move |tx: &mut Tx<'_>| {
        outbox::send(tx, &ctx(seconds), &message)?;
        outbox::dead(tx, at(seconds + 1), message.envelope.id, "contract-stale in tb-contract: x").map(drop)
    };
    bench.store.write("test.bury", write).await.unwrap();
}

async fn letter(bench: &Bench, number: u8) -> Letter {
    let find = move |tx: &mut Tx<'_>| dead_letters::find(tx, id(number));
    bench.store.read("test.letter", find).await.unwrap().unwrap()
}

fn open() -> Filter {
    Filter { state: LetterState::Open, to: None, service: None, died_before: at(1_000_000) }
}

async fn found(bench: &Bench, filter: Filter) -> (u32, Vec<MessageId>) {
    let read = move |tx: &mut Tx<'_>| {
        Ok((dead_letters::count(tx, &filter)?, dead_letters::page(tx, &filter, None, 10)?))
    };
    let (count, letters) = bench.store.read("test.letters", read).await.unwrap();
    (count, letters.iter().map(|letter| letter.envelope.id).collect())
}

fn code<T: std::fmt::Debug>(refused: tb_base::Result<T>) -> String {
    match refused.unwrap_err() {
        Error::Refused(refusal) => refusal.code.into_owned(),
        other => panic!("{other}"),
    }
}

async fn a_line_tells_what_waits_and_what_went(bench: &Bench) {
    let write = |tx: &mut Tx<'_>| {
        for (number, to) in [(1, "430300"), (2, "430300"), (3, "430200")] {
            outbox::send(tx, &ctx(number.into()), &outgoing(number, to, None))?;
        }
        outbox::attempted(tx, at(4), id(1), at(9), "it does not answer")
    };
    bench.store.write("test.send", write).await.unwrap();
    let standing =
        bench.store.read("test.standing", |tx| outbox::standing(tx, node("430300"))).await.unwrap();
    assert_eq!((standing.waiting, standing.since, standing.failures), (2, Some(at(1)), 1));
    assert_eq!(standing.problem.as_deref(), Some("it does not answer"));
    assert_eq!(standing.newest, Some((id(2), at(2))));
    let nobody = bench.store.read("test.standing", |tx| outbox::standing(tx, node("430400"))).await.unwrap();
    assert_eq!((nobody.waiting, nobody.since, nobody.newest), (0, None, None));
}

async fn a_given_up_message_is_a_letter_until_it_is_closed(bench: &Bench) {
    bury(bench, 1, 1, "430300").await;
    let seen = letter(bench, 1).await;
    assert_eq!((seen.state, seen.died, seen.owner), (LetterState::Open, at(2), None));
    assert_eq!(seen.envelope, outgoing(1, "430300", None).envelope);
    assert!(seen.problem.starts_with("contract-stale"));
    let oldest = bench.store.read("test.oldest", dead_letters::oldest).await.unwrap();
    assert_eq!(oldest, Some(at(2)));
    let take = seen.clone();
    bench.store.write("test.take", move |tx| dead_letters::take(tx, at(5), &take, staff('a'))).await.unwrap();
    let taken = letter(bench, 1).await;
    assert_eq!((taken.owner, taken.taken), (Some(staff('a')), Some(at(5))));
    let settle = move |tx: &mut Tx<'_>| {
        dead_letters::close(tx, at(6), &taken, staff('b'), Ending::Settled("not_needed", "nothing"))
    };
    bench.store.write("test.settle", settle).await.unwrap();
    let settled = letter(bench, 1).await;
    assert_eq!((settled.state, settled.closed_by), (LetterState::Settled, Some(staff('b'))));
    assert_eq!((settled.why.as_deref(), settled.done.as_deref()), (Some("not_needed"), Some("nothing")));
    assert_eq!(found(bench, open()).await, (0, vec![]));
    let settled = Filter { state: LetterState::Settled, ..open() };
    assert_eq!(found(bench, settled).await, (1, vec![id(1)]));
}

/// Two people at once: the second one saw a letter that is no more.
async fn a_letter_is_closed_once(bench: &Bench) {
    bury(bench, 1, 1, "430300").await;
    let seen = letter(bench, 1).await;
    let again = {
        let seen = seen.clone();
        move |tx: &mut Tx<'_>| {
            assert!(outbox::revive(tx, at(5), id(1))?);
            dead_letters::close(tx, at(5), &seen, staff('a'), Ending::Again(None))
        }
    };
    bench.store.write("test.again", again).await.unwrap();
    let other = seen.clone();
    let late = bench.store.write("test.late", move |tx| {
        dead_letters::close(tx, at(6), &other, staff('b'), Ending::Settled("not_needed", "nothing"))
    });
    assert_eq!(code(late.await), "STO-DEAD-001");
    let late = bench.store.write("test.late", move |tx| dead_letters::take(tx, at(6), &seen, staff('b')));
    assert_eq!(code(late.await), "STO-DEAD-001");
    let sent = bench.store.read("test.find", |tx| outbox::find(tx, id(1))).await.unwrap().unwrap();
    assert_eq!((sent.state, sent.next_try), (State::Waiting, at(5)));
    assert!(!bench.store.write("test.again", |tx| outbox::revive(tx, at(7), id(1))).await.unwrap());
}

async fn a_letter_that_died_again_keeps_its_owner(bench: &Bench) {
    bury(bench, 1, 1, "430300").await;
    let seen = letter(bench, 1).await;
    let again = move |tx: &mut Tx<'_>| {
        dead_letters::take(tx, at(3), &seen, staff('a'))?;
        let taken = dead_letters::find(tx, id(1))?.unwrap();
        outbox::revive(tx, at(4), id(1))?;
        dead_letters::close(tx, at(4), &taken, staff('a'), Ending::Again(None))?;
        outbox::dead(tx, at(9), id(1), "its deadline has passed").map(drop)
    };
    bench.store.write("test.again", again).await.unwrap();
    let letter = letter(bench, 1).await;
    assert_eq!((letter.state, letter.died, letter.owner), (LetterState::Open, at(9), Some(staff('a'))));
    assert_eq!((letter.closed, letter.problem.as_str()), (None, "its deadline has passed"));
}

async fn a_receipt_closes_a_letter(bench: &Bench) {
    bury(bench, 1, 1, "430300").await;
    let settle = |tx: &mut Tx<'_>| {
        let kind = ReceiptKind::Processed;
        let receipt = Receipt { message: id(1), kind, at: at(9), leaf: "00".repeat(32), refusal: None };
        outbox::settled(tx, at(9), id(1), &receipt, &serde_json::Value::Null)?;
        // What its receiver settled is no dead letter, whoever comes late.
        outbox::dead(tx, at(10), id(1), "its deadline has passed").map(drop)
    };
    bench.store.write("test.settle", settle).await.unwrap();
    assert_eq!(letter(bench, 1).await.state, LetterState::Arrived);
}

async fn letters_are_paged_and_filtered(bench: &Bench) {
    for (number, to) in [(1, "430300"), (2, "430200"), (3, "430300")] {
        bury(bench, i64::from(number) * 10, number, to).await;
    }
    assert_eq!(found(bench, open()).await, (3, vec![id(1), id(2), id(3)]));
    let to = Filter { to: Some(node("430300")), ..open() };
    assert_eq!(found(bench, to).await, (2, vec![id(1), id(3)]));
    let service = Filter { service: Some(service::CASE_ACT.to_owned()), ..open() };
    assert_eq!(found(bench, service).await, (0, vec![]));
    let old = Filter { died_before: at(21), ..open() };
    assert_eq!(found(bench, old).await, (1, vec![id(1)]));
    let second = bench
        .store
        .read("test.page", |tx| dead_letters::page(tx, &open(), Some((at(11), id(1))), 1))
        .await
        .unwrap();
    assert_eq!(second.iter().map(|letter| letter.envelope.id).collect::<Vec<_>>(), [id(2)]);
}

/// One message out, one question out, one message in, on a day that is over; then more on the present one.
async fn usage_counts_days_once(bench: &Bench) {
    let services = [service::CASE_OFFER, service::CASE_ACT];
    let (peer, now) = (node("430300"), at(2 * DAY_SECONDS));
    let write = move |tx: &mut Tx<'_>| {
        outbox::send(tx, &ctx(1), &outgoing(1, "430300", None))?;
        usage::asked(tx, &ctx(2), id(2), peer, service::LICENCE_FETCH)?;
        usage::asked(tx, &ctx(2), id(2), peer, service::LICENCE_FETCH)?;
        let mut message = incoming(3);
        message.envelope.from = peer;
        inbox::record(tx, &ctx(3), &message)?;
        outbox::send(tx, &ctx(2 * DAY_SECONDS), &outgoing(4, "430300", None))
    };
    bench.store.write("test.traffic", write).await.unwrap();
    let today =
        bench.store.read("test.today", move |tx| usage::today(tx, now, peer, &services)).await.unwrap();
    assert_eq!(
        today.into_iter().collect::<Vec<_>>(),
        [(service::CASE_OFFER.to_owned(), Count { out: 1, back: 0 })]
    );
    let month = move |tx: &mut Tx<'_>| usage::last_days(tx, now, peer, &services, 30);
    let sum = bench.store.write("test.month", month).await.unwrap();
    let expected = [
        (service::CASE_OFFER.to_owned(), Count { out: 2, back: 1 }),
        (service::LICENCE_FETCH.to_owned(), Count { out: 1, back: 0 }),
    ];
    assert_eq!(sum.into_iter().collect::<Vec<_>>(), expected);
    // The days are kept: what would be written into them afterwards is not counted again.
    let write = |tx: &mut Tx<'_>| {
        // While it waited, what is written later would stand behind it, whatever the clock says.
        outbox::dead(tx, at(2 * DAY_SECONDS), id(4), "given up by hand")?;
        outbox::send(tx, &ctx(5), &outgoing(5, "430300", None))
    };
    bench.store.write("test.late", write).await.unwrap();
    let again = bench.store.write("test.month", month).await.unwrap();
    assert_eq!(again.into_iter().collect::<Vec<_>>(), expected);
}

async fn a_city_is_heard_of_or_silent(bench: &Bench) {
    let peer = node("430300");
    let write = move |tx: &mut Tx<'_>| {
        assert_eq!(contact::find(tx, peer)?, contact::Contact::default());
        contact::heard(tx, at(1), peer, Some(2_000))?;
        contact::silent(tx, at(5), peer, "it does not answer")?;
        contact::silent(tx, at(6), peer, "it still does not answer")?;
        contact::called(tx, at(1), peer)?;
        let silent = contact::find(tx, peer)?;
        contact::heard(tx, at(9), peer, None)?;
        // Another process was slower to write.
        contact::heard(tx, at(8), peer, None)?;
        Ok((silent, contact::find(tx, peer)?))
    };
    let (silent, heard) = bench.store.write("test.contact", write).await.unwrap();
    assert_eq!((silent.heard, silent.silent_since), (Some(at(1)), Some(at(5))));
    assert_eq!(silent.problem.as_deref(), Some("it still does not answer"));
    assert_eq!((heard.heard, heard.silent_since, heard.skew_millis), (Some(at(9)), None, Some(2_000)));
}

async fn witnesses_lag(bench: &Bench) {
    let write = |tx: &mut Tx<'_>| {
        outbox::send(tx, &ctx(1), &outgoing(1, "430300", None))?;
        let since = log::waiting_since(tx)?;
        for (size, seconds) in [(3, 10), (5, 20), (8, 30)] {
            log::put_checkpoint(tx, at(seconds), size, &[1; 32], "note")?;
        }
        log::add_cosignature(tx, at(11), 3, "one", "line")?;
        log::add_cosignature(tx, at(31), 8, "two", "line")?;
        let one = log::cosigned_last(tx, "one")?.unwrap();
        let two = log::cosigned_last(tx, "two")?.unwrap();
        let lag = log::signed_after(tx, one.size)?;
        Ok((since, one, lag, two, log::signed_after(tx, two.size)?, log::cosigned_last(tx, "three")?))
    };
    let (since, one, lag, two, none, nobody) = bench.store.write("test.lag", write).await.unwrap();
    assert_eq!((since, one.size, one.at, lag), (Some(at(1)), 3, at(11), Some(at(20))));
    assert_eq!((two.size, none, nobody), (8, None, None));
}

/// No statement of a page reads a whole table: the planner finds an index for each.
#[tokio::test]
async fn every_figure_is_read_from_an_index() {
    let bench = Bench::sqlite("every_figure_is_read_from_an_index").await;
    let all = [
        outbox::standing::STATEMENTS,
        usage::STATEMENTS,
        dead_letters::STATEMENTS,
        contact::STATEMENTS,
        log::lag::STATEMENTS,
        audit::STATEMENTS,
    ];
    for stmt in all.concat() {
        if !stmt.sql.trim_start().starts_with("SELECT") {
            continue;
        }
        let explain: &'static str = Box::leak(format!("EXPLAIN QUERY PLAN {}", stmt.sql).into_boxed_str());
        let asked = (1..10).take_while(|at| stmt.sql.contains(&format!("${at}"))).count();
        let plan = bench.store.write("test.explain", move |tx| {
            let values = vec![Value::from("0"); asked];
            let rows = tx.all(&Stmt { name: stmt.name, sql: explain }, &values)?;
            rows.iter().map(|row| row.get::<String>("detail")).collect::<tb_base::Result<Vec<_>>>()
        });
        for step in plan.await.unwrap() {
            let whole = step.starts_with("SCAN store_") && !step.contains("INDEX");
            assert!(!whole && !step.contains("TEMP B-TREE FOR ORDER BY"), "{}: {step}", stmt.name);
        }
    }
}
