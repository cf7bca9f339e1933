//! Questions: answered, recorded on both sides, refused, scarce, and not to be had.

use serde_json::json;
use tb_base::{Class, Error};
use tb_crypto::sha256;
use tb_exchange::LeafKind::{Answered, Got, Received, Sent};
use tb_exchange::http_message::{self, Facts, RequestEvidence, ResponseEvidence};
use tb_store::{inbox, log};

use crate::services::{ECHO, NO, SCARCE, refusal};
use crate::world::{On, World, changsha, xiangtan, zhuzhou};

both!(
    an_answer_is_recorded_on_both_sides,
    a_refusal_crosses_and_is_recorded,
    the_own_city_is_asked_without_a_socket,
    a_quota_ends_and_a_day_begins,
    a_city_that_is_off_the_network_says_nothing,
);

async fn an_answer_is_recorded_on_both_sides(on: On) {
    let world = World::running(on, "query").await;
    let question = world.compose(changsha(), xiangtan(), ECHO, &json!({"n": 7}));
    let id = question.envelope.id;
    let answer = world.ask(question.clone()).await.unwrap();
    assert_eq!(answer.from, xiangtan());
    assert_eq!(answer.parse::<serde_json::Value>().unwrap(), json!({"n": 7}));
    assert_eq!(world.leaves(changsha(), id).await, [Sent, Got]);
    assert_eq!(world.leaves(xiangtan(), id).await, [Received, Answered]);

    // The leaves of the two logs commit to the same bytes, and to the same signature.
    let ours = world.read(changsha(), move |tx| log::of_message(tx, id)).await;
    let theirs = world.read(xiangtan(), move |tx| log::of_message(tx, id)).await;
    let contents = |kept: &[log::KeptLeaf]| kept.iter().map(|kept| kept.leaf.content).collect::<Vec<_>>();
    assert_eq!(contents(&ours), [sha256(&question.body), sha256(&answer.body)]);
    assert_eq!(contents(&ours), contents(&theirs));
    assert!(ours.iter().chain(&theirs).all(|kept| kept.leaf.base == ours[0].leaf.base));
    assert_ne!(ours[0].leaf.base, [0; 32]);
    // The driver is committed to with a salt of each side's own.
    assert_ne!(ours[0].leaf.subject, theirs[0].leaf.subject);
    assert_eq!(world.audited(xiangtan(), "exchange.answer").await, [(id.to_string(), "answered".to_owned())]);

    // How the answer was signed is kept beside the question, as evidence for whoever was not there.
    let kept = world.read(xiangtan(), move |tx| inbox::find(tx, changsha(), id)).await.unwrap();
    let reply: ResponseEvidence = serde_json::from_value(kept.reply.unwrap()).unwrap();
    let asked: RequestEvidence = serde_json::from_value(kept.incoming.evidence).unwrap();
    let facts = Facts::read(&asked.method, &asked.path, &asked.fields);
    let trust = &world.trust.list;
    let checked =
        http_message::check_response(trust, &facts, reply.status, &reply.fields, Some(&answer.body)).unwrap();
    assert_eq!((checked.from, checked.evidence), (xiangtan(), reply));
}

async fn a_refusal_crosses_and_is_recorded(on: On) {
    let world = World::running(on, "query_refused").await;
    let question = world.compose(changsha(), xiangtan(), NO, &json!({}));
    let id = question.envelope.id;
    let Err(Error::Refused(refused)) = world.ask(question).await else { panic!("it is refused") };
    assert_eq!(*refused, refusal());
    assert_eq!(world.leaves(changsha(), id).await, [Sent, Got]);
    assert_eq!(world.leaves(xiangtan(), id).await, [Received, Answered]);
    let ours = world.read(changsha(), move |tx| log::of_message(tx, id)).await;
    let theirs = world.read(xiangtan(), move |tx| log::of_message(tx, id)).await;
    assert_eq!(ours[1].leaf.content, theirs[1].leaf.content);
}

async fn the_own_city_is_asked_without_a_socket(on: On) {
    let mut world = World::founded(on, "query_own").await;
    world.start(changsha()).await;
    world.engine(changsha()).set_offline(true);
    let question = world.compose(changsha(), changsha(), ECHO, &json!({"n": 1}));
    let id = question.envelope.id;
    let answer = world.ask(question).await.unwrap();
    assert_eq!(answer.parse::<serde_json::Value>().unwrap(), json!({"n": 1}));
    assert_eq!(world.leaves(changsha(), id).await, [Received, Answered]);
}

async fn a_quota_ends_and_a_day_begins(on: On) {
    let world = World::running(on, "query_quota").await;
    let ask = async || world.ask(world.compose(changsha(), xiangtan(), SCARCE, &json!({}))).await;
    ask().await.unwrap();
    ask().await.unwrap();
    let Err(Error::Refused(refused)) = ask().await else { panic!("the quota is used up") };
    assert_eq!((refused.class, refused.code.as_ref()), (Class::NotNow, "EXC-PEER-001"));
    assert_eq!(world.audited(xiangtan(), "exchange.refuse").await[0].1, "quota");
    // Another city has a quota of its own, and tomorrow there is a new one.
    world.ask(world.compose(zhuzhou(), xiangtan(), SCARCE, &json!({}))).await.unwrap();
    world.clock.advance(86_400);
    ask().await.unwrap();
}

async fn a_city_that_is_off_the_network_says_nothing(on: On) {
    let world = World::running(on, "query_offline").await;
    let ask = async || world.ask(world.compose(changsha(), xiangtan(), ECHO, &json!({"n": 1}))).await;
    for offline in [xiangtan(), changsha()] {
        world.engine(offline).set_offline(true);
        assert!(world.engine(offline).is_offline());
        let Err(Error::Refused(refused)) = ask().await else { panic!("nobody answers") };
        assert_eq!((refused.class, refused.code.as_ref()), (Class::NotNow, "EXC-PEER-001"));
        assert!(refused.en.contains("City 430300"), "{refused:?}");
        world.engine(offline).set_offline(false);
        ask().await.unwrap();
    }
}
