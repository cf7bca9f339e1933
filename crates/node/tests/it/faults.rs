//! Bad input: each single fault has its own problem, which names the part, and leaves an audit line.

use serde_json::json;
use tb_base::NodeId;
use tb_exchange::http_message::SignedRequest;
use tb_exchange::keys::Secrets;
use tb_exchange::{BODY_BYTES_MAX, Outgoing, http_message};
use tb_store::{Stmt, stmt};

use crate::services::{COUNTED, ECHO, NOBODY};
use crate::world::{On, World, changsha, until, xiangtan, zhuzhou};

both!(
    what_was_changed_on_the_way_is_refused,
    what_is_not_for_this_city_or_moment_is_refused,
    what_is_not_agreed_is_refused,
    what_was_used_before_is_refused,
    what_was_used_before_a_restart_is_refused_after_it,
    what_is_too_large_is_refused,
);

/// A request of Changsha to Xiangtan, to be spoiled.
fn good(world: &World) -> (Outgoing, SignedRequest) {
    let message = world.compose(changsha(), xiangtan(), COUNTED, &json!({"n": 1}));
    let signed = world.sign(&message);
    (message, signed)
}

fn spoil(mut signed: SignedRequest, name: &str, change: impl Fn(&str) -> String) -> SignedRequest {
    let field = signed.fields.iter_mut().find(|(known, _)| known == name).unwrap();
    field.1 = change(&field.1);
    signed
}

/// Posts to Xiangtan and compares code and component; the audit line must be there, and no effect.
async fn check(world: &World, by: NodeId, signed: &SignedRequest, code: &str, component: &str) {
    let before = world.audited(xiangtan(), "exchange.refuse").await.len();
    let problem = world.refused(world.city(by), world.city(xiangtan()), signed).await;
    assert_eq!((problem.code(), problem.component.as_deref()), (code, Some(component)), "{problem:?}");
    let lines = world.audited(xiangtan(), "exchange.refuse").await;
    assert_eq!(lines.len(), before + 1, "{code}");
    let path: String = signed.path.chars().take(100).collect();
    assert_eq!(lines[0], (path, code.to_owned()));
    assert_eq!(world.effects(xiangtan()).await, [], "{code}");
}

async fn what_was_changed_on_the_way_is_refused(on: On) {
    let world = World::running(on, "changed").await;
    let by = changsha();
    let (_, signed) = good(&world);

    let body = SignedRequest { body: b"{\"n\":2}".to_vec(), ..signed.clone() };
    check(&world, by, &body, "digest-mismatch", "content-digest;sha-256").await;
    let digest = http_message_digest(b"{\"n\":2}");
    let both = spoil(body, "content-digest", |_| digest.clone());
    check(&world, by, &both, "signature-invalid", "signature;tb").await;
    let head = spoil(signed.clone(), "tb-actor", |_| "\"window/430100-hall-2\"".to_owned());
    check(&world, by, &head, "signature-invalid", "signature;tb").await;
    let signature = spoil(signed.clone(), "signature", |value| {
        let (start, rest) = value.split_at(20);
        let other = if rest.starts_with('A') { "B" } else { "A" };
        format!("{start}{other}{}", &rest[1..])
    });
    check(&world, by, &signature, "signature-invalid", "signature;tb").await;
    let mut bare = signed.clone();
    bare.fields.retain(|(name, _)| name != "tb-deadline");
    check(&world, by, &bare, "signature-coverage", "tb-deadline").await;
    let mut doubled = signed.clone();
    doubled.fields.push(("tb-to".to_owned(), "\"430300\"".to_owned()));
    check(&world, by, &doubled, "grammar", "tb-to").await;
    let mut queried = signed.clone();
    queried.path.push_str("?a=b");
    check(&world, by, &queried, "grammar", "@path").await;

    // Under another id it is another message, which nobody signed.
    let other = "\"01kq3zt0000000000000000009\"";
    let renamed =
        spoil(spoil(signed, "tb-message-id", |_| other.to_owned()), "idempotency-key", |_| other.to_owned());
    check(&world, by, &renamed, "signature-invalid", "signature;tb").await;
}

fn http_message_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", tb_crypto::text::base64(&tb_crypto::sha256(body)))
}

async fn what_is_not_for_this_city_or_moment_is_refused(on: On) {
    let world = World::running(on, "elsewhere").await;
    // Zhuzhou carries what Changsha signed: the connection is not the signer's.
    let (message, signed) = good(&world);
    check(&world, zhuzhou(), &signed, "audience", "tb-from").await;
    // A message to Zhuzhou that is posted to Xiangtan.
    let elsewhere = world.sign(&world.compose(changsha(), zhuzhou(), COUNTED, &json!({"n": 1})));
    check(&world, changsha(), &elsewhere, "audience", "tb-to").await;
    let moved = SignedRequest { path: elsewhere.path.replace("/430200/", "/430300/"), ..elsewhere };
    check(&world, changsha(), &moved, "audience", "@path").await;

    // Late, and from a clock that is ahead: the problem says by how much.
    world.clock.advance(400);
    check(&world, changsha(), &signed, "expired", "signature-input;expires").await;
    let problem = world.refused(world.city(changsha()), world.city(xiangtan()), &signed).await;
    let delta = problem.clock_delta_ms.unwrap();
    assert!((-402_000..=-400_000).contains(&delta), "{delta}");
    world.clock.advance(120);
    let ahead = world.sign(&message);
    world.clock.advance(-120);
    check(&world, changsha(), &ahead, "expired", "signature-input;created").await;
    let problem = world.refused(world.city(changsha()), world.city(xiangtan()), &ahead).await;
    assert!((118_000..=120_000).contains(&problem.clock_delta_ms.unwrap()), "{problem:?}");
    // Signed in time, and nobody waits for it any more.
    world.clock.advance(4_000);
    check(&world, changsha(), &world.sign(&message), "expired", "tb-deadline").await;
}

async fn what_is_not_agreed_is_refused(on: On) {
    let world = World::running(on, "agreed").await;
    let by = changsha();
    let compose = |service| world.compose(changsha(), xiangtan(), service, &json!({"n": 1}));

    check(&world, by, &world.sign(&compose(NOBODY)), "grant", "@path").await;
    let mut unknown = compose(COUNTED);
    unknown.envelope.service = "weather/1/forecast".to_owned();
    check(&world, by, &world.sign(&unknown), "grant", "@path").await;
    let mut purpose = compose(ECHO);
    purpose.envelope.purpose.item = "122".to_owned();
    check(&world, by, &world.sign(&purpose), "purpose", "tb-purpose").await;
    let mut ground = compose(ECHO);
    ground.envelope.purpose.basis = "curiosity".to_owned();
    check(&world, by, &world.sign(&ground), "purpose", "tb-purpose").await;
    let mut stale = compose(COUNTED);
    stale.envelope.contract.version = 9;
    check(&world, by, &world.sign(&stale), "contract-stale", "tb-contract").await;

    // Signed with a key that the trust list does not hold.
    let secrets = Secrets::generate(&mut &world.ctx(changsha()));
    let (now, nonce) = (tb_base::Clock::now(&*world.clock), [9; 16]);
    let message = compose(COUNTED);
    let forged = http_message::sign_request(&message, &secrets, &world.desk(changsha()), now, nonce).unwrap();
    check(&world, by, &forged, "key-unknown", "signature-input;keyid").await;
}

async fn what_was_used_before_is_refused(on: On) {
    let world = World::running(on, "used").await;
    let (by, to) = (world.city(changsha()), world.city(xiangtan()));
    let first = world.compose(changsha(), xiangtan(), ECHO, &json!({"n": 1}));
    let nonce = [7; 16];
    assert_eq!(world.post(by, to, &world.sign_with(&first, nonce)).await.status, 200);
    // The same nonce for another message.
    let second = world.compose(changsha(), xiangtan(), COUNTED, &json!({"n": 2}));
    check(&world, changsha(), &world.sign_with(&second, nonce), "replay", "signature-input;nonce").await;
    // The same id for another content.
    let other = Outgoing { body: b"{\"n\":3}".to_vec(), ..first };
    check(&world, changsha(), &world.sign(&other), "fingerprint", "tb-message-id").await;
}

/// The window of nonces lies in the store: a restart, or another process on the same data, knows it too.
async fn what_was_used_before_a_restart_is_refused_after_it(on: On) {
    let mut world = World::running(on, "used_restart").await;
    let first = world.compose(changsha(), xiangtan(), ECHO, &json!({"n": 1}));
    let second = world.compose(changsha(), xiangtan(), COUNTED, &json!({"n": 2}));
    let nonce = [7; 16];
    let signed = world.sign_with(&first, nonce);
    let replay = world.sign_with(&second, nonce);
    assert_eq!(world.post(world.city(changsha()), world.city(xiangtan()), &signed).await.status, 200);
    world.stop(xiangtan()).await;
    world.start(xiangtan()).await;
    check(&world, changsha(), &replay, "replay", "signature-input;nonce").await;
    // The message that the nonce belongs to is no replay: it gets the answer that it got.
    let again = world.post(world.city(changsha()), world.city(xiangtan()), &signed).await;
    assert_eq!((again.status, again.field("tb-replayed")), (200, Some("?1")));
    // When the signature is long over, the nonce is dropped, and the bytes are refused for their age.
    world.clock.advance(500);
    world.stop(xiangtan()).await;
    world.start(xiangtan()).await;
    let left = async || world.read(xiangtan(), |tx| tx.one(&NONCES, &[])?.unwrap().get::<i64>("left")).await;
    until("nothing is kept for ever", async || (left().await == 0).then_some(())).await;
    check(&world, changsha(), &replay, "expired", "signature-input;expires").await;
}

const NONCES: Stmt = stmt("test.nonces", "SELECT COUNT(*) AS left FROM store_nonce");

async fn what_is_too_large_is_refused(on: On) {
    let world = World::running(on, "large").await;
    let mut message = world.compose(changsha(), xiangtan(), COUNTED, &json!({"n": 1}));
    message.body = vec![b' '; BODY_BYTES_MAX + 1];
    check(&world, changsha(), &world.sign(&message), "too-large", "body").await;
    message.body = vec![b' '; BODY_BYTES_MAX + 1024 * 1024];
    check(&world, changsha(), &world.sign(&message), "too-large", "body").await;
}
