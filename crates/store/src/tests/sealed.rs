//! What lies on the disk: bodies and answers of messages sealed, files for nobody else.

use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use tb_base::Entropy;
use tb_crypto::{KeyId, Ring, Suite, Vault};

use super::bench::{Bench, ctx};
use super::messages::{id, incoming, node, outgoing};
use crate::inbox::{Handler, Outcome};
use crate::reseal::{BATCH_BYTES_MAX, BATCH_ROWS_MAX, Pass, Work, step};
use crate::{SEALED, Sealer, Stmt, Store, inbox, outbox, params, stmt};

both! {
    what_messages_say_lies_sealed, a_sealed_body_opens_in_its_own_row_only, what_came_before_the_key_is_read,
    everything_is_sealed_anew_in_batches, what_does_not_open_is_counted_and_left,
    a_batch_ends_with_its_bytes_too,
}

const SECRET: &str = "430302198506158207";
const OUT: Stmt = stmt("test.out", "SELECT body FROM store_outbox WHERE id = $1");
const IN: Stmt = stmt("test.in", "SELECT body, answer FROM store_inbox WHERE id = $1");
const SWAP: Stmt = stmt(
    "test.swap",
    "UPDATE store_outbox SET body = (SELECT body FROM store_outbox WHERE id = $1) WHERE id = $2",
);

struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0 += 1;
        let number = self.0.to_be_bytes();
        bytes.iter_mut().zip(number.iter().cycle()).for_each(|(byte, drawn)| *byte = *drawn);
    }
}

fn seal(store: &Store) -> Vault {
    let vault = Vault::new([5; 32]);
    store.seal_messages(Sealer::new(vault.clone(), Arc::new(Mutex::new(Counter(0)))));
    vault
}

/// The founding key opens, a newer one seals.
fn second_key() -> Ring {
    Ring::sealing_with(KeyId(1), [6; 32], Suite::Sm4Gcm).opening_with(KeyId::FOUNDING, [5; 32])
}

/// Goes over every column in batches of two rows; `stop_after` leaves off as a killed process would.
async fn pass(store: &Store, work: Work, stop_after: usize) -> Pass {
    let mut pass = Pass::default();
    for _ in 0..stop_after {
        let before = pass.clone();
        let batch = move |tx: &mut crate::Tx<'_>| {
            let mut pass = before.clone();
            step(tx, SEALED, work, 2, &mut pass)?;
            Ok(pass)
        };
        pass = store.write("test.reseal", batch).await.unwrap();
        if pass.done {
            break;
        }
    }
    pass
}

fn under(pass: &Pass) -> Vec<(&str, u64)> {
    pass.under.iter().map(|(mark, count)| (mark.as_str(), *count)).collect()
}

fn told() -> serde_json::Value {
    serde_json::json!({ "number": SECRET })
}

async fn send(bench: &Bench, number: u8) {
    let mut message = outgoing(number, "430300", None);
    message.body = told().to_string().into_bytes();
    bench.store.write("test.send", move |tx| outbox::send(tx, &ctx(1), &message)).await.unwrap();
}

async fn receive(bench: &Bench, number: u8) -> Outcome {
    let answer = Handler { service: "test/1/tell", query: true, handle: Arc::new(|_, _, _| Ok(told())) };
    let mut message = incoming(number);
    message.body = told().to_string().into_bytes();
    let kept =
        bench.store.write("test.receive", move |tx| inbox::receive(tx, &ctx(2), &answer, &message)).await;
    kept.unwrap().0.outcome
}

async fn what_messages_say_lies_sealed(bench: &Bench) {
    seal(&bench.store);
    send(bench, 1).await;
    assert_eq!(receive(bench, 2).await, Outcome::Answered(told()));
    let raw = bench.store.read("test.raw", |tx| {
        let out: Vec<u8> = tx.one(&OUT, params![id(1)])?.unwrap().get("body")?;
        let row = tx.one(&IN, params![id(2)])?.unwrap();
        let (body, answer): (Vec<u8>, String) = (row.get("body")?, row.get("answer")?);
        Ok([out, body, answer.into_bytes()])
    });
    for held in raw.await.unwrap() {
        assert!(!String::from_utf8_lossy(&held).contains(SECRET), "{}", String::from_utf8_lossy(&held));
    }
    // The owner of the key reads all of it; a repetition is known by what it says.
    assert_eq!(receive(bench, 2).await, Outcome::Answered(told()));
    let sent = bench.store.read("test.find", |tx| outbox::find(tx, id(1))).await.unwrap().unwrap();
    assert_eq!(sent.message.body, told().to_string().into_bytes());
    let other = Store::open(&bench.config, &[]).await;
    if let Ok(keyless) = other {
        let read = keyless.read("test.find", |tx| outbox::find(tx, id(1))).await;
        assert!(read.is_err(), "a store without the key read a sealed message");
        keyless.close().await;
    }
}

async fn a_sealed_body_opens_in_its_own_row_only(bench: &Bench) {
    seal(&bench.store);
    send(bench, 1).await;
    send(bench, 2).await;
    bench.store.write("test.swap", |tx| tx.run(&SWAP, params![id(1), id(2)])).await.unwrap();
    assert!(bench.store.read("test.find", |tx| outbox::find(tx, id(1))).await.is_ok());
    assert!(bench.store.read("test.find", |tx| outbox::find(tx, id(2))).await.is_err());
}

async fn what_came_before_the_key_is_read(bench: &Bench) {
    send(bench, 1).await;
    receive(bench, 2).await;
    seal(&bench.store);
    let sent = bench.store.read("test.find", |tx| outbox::find(tx, id(1))).await.unwrap().unwrap();
    assert_eq!(sent.message.body, told().to_string().into_bytes());
    let kept = bench.store.read("test.find", |tx| inbox::find(tx, node("430100"), id(2))).await.unwrap();
    assert_eq!(kept.unwrap().outcome, Outcome::Answered(told()));
}

async fn everything_is_sealed_anew_in_batches(bench: &Bench) {
    // One message from before there was a sealer, four under the founding key, one received and answered.
    send(bench, 1).await;
    let vault = seal(&bench.store);
    for number in [2, 3, 4, 5] {
        send(bench, number).await;
    }
    receive(bench, 6).await;
    vault.change_keys(second_key());
    let counted = pass(&bench.store, Work::Count, usize::MAX).await;
    assert_eq!(under(&counted), [("0/aes-256-gcm", 6), ("clear", 1)]);
    // A process that dies after one batch has done that batch; the next begins at the front and finds the rest.
    let stopped = pass(&bench.store, Work::Seal, 1).await;
    assert_eq!((stopped.done, stopped.renewed), (false, 2));
    let rest = pass(&bench.store, Work::Seal, usize::MAX).await;
    assert_eq!((rest.done, rest.renewed, rest.broken), (true, 5, 0));
    assert_eq!(under(&rest), [("1/sm4-gcm", 7)]);
    let idle = pass(&bench.store, Work::Seal, usize::MAX).await;
    assert_eq!((idle.renewed, idle.seen), (0, 7));
    // The founding key is needed no more.
    vault.change_keys(Ring::sealing_with(KeyId(1), [6; 32], Suite::Aes256Gcm));
    for number in [1, 5] {
        let sent =
            bench.store.read("test.find", move |tx| outbox::find(tx, id(number))).await.unwrap().unwrap();
        assert_eq!(sent.message.body, told().to_string().into_bytes());
    }
    assert_eq!(receive(bench, 6).await, Outcome::Answered(told()));
}

async fn what_does_not_open_is_counted_and_left(bench: &Bench) {
    let vault = seal(&bench.store);
    send(bench, 1).await;
    send(bench, 2).await;
    bench.store.write("test.swap", |tx| tx.run(&SWAP, params![id(1), id(2)])).await.unwrap();
    vault.change_keys(second_key());
    let found = pass(&bench.store, Work::Seal, usize::MAX).await;
    assert_eq!((found.renewed, found.broken), (1, 1));
    assert_eq!(under(&found), [("0/aes-256-gcm", 1), ("1/sm4-gcm", 1)]);
    let error = bench.store.read("test.find", |tx| outbox::find(tx, id(2))).await.unwrap_err();
    assert!(matches!(error, tb_base::Error::Violation(_)), "{error}");
}

#[tokio::test]
async fn the_files_are_for_nobody_else() {
    let bench = Bench::sqlite("modes").await;
    send(&bench, 1).await;
    let names = ["data.sqlite", "data.sqlite-wal", "data.sqlite.lock"];
    for path in names.map(|name| bench.folder.file(name)) {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
    }
}

/// Long messages: a batch that may read many rows leaves off, and the next one goes on behind it.
async fn a_batch_ends_with_its_bytes_too(bench: &Bench) {
    const LONG: usize = BATCH_BYTES_MAX / 6;
    for number in 1..=17 {
        let mut message = outgoing(number, "430300", None);
        message.body = vec![b'x'; LONG];
        bench.store.write("test.send", move |tx| outbox::send(tx, &ctx(1), &message)).await.unwrap();
    }
    seal(&bench.store);
    let mut passes = vec![Pass::default()];
    while passes.last().is_some_and(|pass| pass.seen < 17) {
        assert!(passes.len() < 17, "no end of batches: {passes:?}");
        let mut pass = passes.last().unwrap().clone();
        let batch = move |tx: &mut crate::Tx<'_>| {
            step(tx, SEALED, Work::Count, BATCH_ROWS_MAX, &mut pass)?;
            Ok(pass.clone())
        };
        passes.push(bench.store.read("test.count", batch).await.unwrap());
    }
    let seen: Vec<u64> = passes.iter().map(|pass| pass.seen).collect();
    let most = passes.windows(2).map(|two| two[1].seen - two[0].seen).max().unwrap();
    assert!(most <= 8 && 17 == *seen.last().unwrap(), "{seen:?}");
}
