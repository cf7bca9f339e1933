//! What lies on the disk: bodies and answers of messages sealed, files for nobody else.

use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use tb_base::Entropy;
use tb_crypto::Vault;

use super::bench::{Bench, ctx};
use super::messages::{id, incoming, node, outgoing};
use crate::inbox::{Handler, Outcome};
use crate::{Sealer, Stmt, Store, inbox, outbox, params, stmt};

both! {
    what_messages_say_lies_sealed, a_sealed_body_opens_in_its_own_row_only, what_came_before_the_key_is_read,
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

fn seal(store: &Store) {
    store.seal_messages(Sealer::new(Vault::new([5; 32]), Arc::new(Mutex::new(Counter(0)))));
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
