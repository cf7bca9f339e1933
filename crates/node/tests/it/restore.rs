//! A city that lost what came after its backup: it signs nothing before the others have told, loses no leaf, forks nothing.

use http::Method;
use serde_json::json;
use tb_base::{Clock, MessageId, NodeId};
use tb_exchange::witness::{ADD_CHECKPOINT_PATH, log_keys, witness_keys};
use tb_node::Standing;
use tb_store::outbox::{self, State};
use tb_store::{Tx, log, mirror, restored};
use tb_tlog::note::Note;
use tb_tlog::tile::{Content, read_entries, tiles_of_growth};
use tb_tlog::{Checkpoint, Hash, leaf_hash, node_hash};

use crate::membership::{in_force, next, plan};
use crate::raw;
use crate::services::{COUNTED, ECHO, REFUSED};
use crate::world::{On, World, changsha, until, xiangtan, zhuzhou};

both!(
    a_city_that_lost_all_since_its_backup_goes_on,
    a_city_comes_back_after_keys_were_renewed,
    an_operator_decides_not_to_wait_for_a_city,
    a_restored_log_that_is_another_is_not_gone_on_with,
    nobody_has_everything_sent_once_more_at_will,
);

/// Leaves and root of Xiangtan's log when all of it is cosigned by both.
async fn settled(world: &World) -> (Vec<Vec<u8>>, Hash) {
    until("the whole log is cosigned", async || {
        // In this order: a leaf that waits no more is counted in the size that is read after that.
        let waiting = world.read(xiangtan(), log::waiting).await;
        let size = world.read(xiangtan(), log::size).await;
        let latest = world.read(xiangtan(), |tx| log::latest_cosigned(tx, 2)).await?;
        (waiting == 0 && latest.size == size).then_some(())
    })
    .await;
    let read = |tx: &mut Tx<'_>| {
        let size = log::size(tx)?;
        Ok((log::entries(tx, 0..size)?, log::root(tx, size)?))
    };
    world.read(xiangtan(), read).await
}

/// Messages both ways, and a question; all of it is done when this ends.
async fn traffic(world: &World, numbers: std::ops::Range<i64>) -> Vec<(NodeId, MessageId)> {
    let mut sent = Vec::new();
    for n in numbers {
        sent.push((changsha(), world.send(changsha(), xiangtan(), COUNTED, n).await));
        sent.push((xiangtan(), world.send(xiangtan(), zhuzhou(), COUNTED, n).await));
    }
    world.ask(world.compose(zhuzhou(), xiangtan(), ECHO, &json!({"n": 1}))).await.unwrap();
    for (from, id) in &sent {
        world.until_state(*from, *id, State::Processed).await;
    }
    sent
}

async fn numbers(world: &World, node: NodeId) -> Vec<i64> {
    let mut numbers: Vec<i64> = world.effects(node).await.into_iter().map(|(_, n)| n).collect();
    numbers.sort_unstable();
    numbers
}

async fn waits_for(world: &World) -> Vec<NodeId> {
    until("the node says whom it waits for", async || match world.engine(xiangtan()).standing() {
        Standing::Recovering { waits_for, .. } if !waits_for.is_empty() => {
            Some(waits_for.into_keys().collect())
        }
        _ => None,
    })
    .await
}

async fn sound(world: &World) {
    until("the node works again", async || {
        (world.engine(xiangtan()).standing() == Standing::Sound).then_some(())
    })
    .await;
}

async fn get(world: &World, by: NodeId, to: NodeId, path: &str) -> raw::Raw {
    raw::call(&world.city(by).identity, world.city(to), Method::GET, path, &[], Vec::new()).await.unwrap()
}

/// While it waits, the node gives nobody an answer, signs no checkpoint, and sends nothing.
async fn is_silent(world: &World, size: u64) {
    for path in ["/log/checkpoint", "/log/tile/entries/000.p/1", "/recovery/v1/state"] {
        assert_eq!(get(world, changsha(), xiangtan(), path).await.status, 503, "{path}");
    }
    let by = &world.city(changsha()).identity;
    let asked = raw::call(by, world.city(xiangtan()), Method::POST, ADD_CHECKPOINT_PATH, &[], Vec::new());
    assert_eq!(asked.await.unwrap().status, 503);
    assert!(world.ask(world.compose(xiangtan(), changsha(), ECHO, &json!({"n": 1}))).await.is_err());
    let signed = world.read(xiangtan(), log::latest).await.map_or(0, |latest| latest.size);
    assert!(signed <= size, "a checkpoint was signed: {signed} after {size}");
}

async fn a_city_that_lost_all_since_its_backup_goes_on(on: On) {
    let mut world = World::running(on, "restored").await;
    let kept = traffic(&world, 0..3).await;
    let refused = world.send(changsha(), xiangtan(), REFUSED, 1).await;
    world.until_state(changsha(), refused, State::Rejected).await;
    let archive = world.back_up(xiangtan()).await;
    let before = world.read(xiangtan(), log::size).await;
    let lost = traffic(&world, 3..6).await;
    // Changsha's log grows too, and Xiangtan cosigns it.
    let (leaves, root) = settled(&world).await;
    let origin = world.listed(changsha()).log_origin.clone();
    let witnessed = world.read(xiangtan(), move |tx| log::witness_state(tx, &origin)).await.unwrap();

    world.kill(xiangtan());
    world.stop(zhuzhou()).await;
    world.lose_and_restore(xiangtan(), &archive).await;
    // What waits in its outbox must not leave it yet, either.
    let store = world.opened(xiangtan()).await;
    let (message, ctx) =
        (world.compose(xiangtan(), changsha(), COUNTED, &json!({"n": 9})), world.ctx(xiangtan()));
    let waiting = message.envelope.id;
    store.write("test.send", move |tx| outbox::send(tx, &ctx, &message)).await.unwrap();
    store.close().await;
    world.start(xiangtan()).await;
    assert_eq!(waits_for(&world).await, [zhuzhou()]);
    is_silent(&world, before).await;
    assert_eq!(world.sent(xiangtan(), waiting).await.evidence, None);

    world.start(zhuzhou()).await;
    sound(&world).await;
    let size = leaves.len() as u64;
    let back = world.read(xiangtan(), move |tx| Ok((log::entries(tx, 0..size)?, log::root(tx, size)?))).await;
    assert_eq!(back, (leaves.clone(), root), "the log came back byte for byte");
    for (from, id) in kept.iter().chain(&lost) {
        world.until_state(*from, *id, State::Processed).await;
    }
    // What was in the backup is known there, and only said to have come: what became of it stays as it was.
    let still = world.until_state(changsha(), refused, State::Rejected).await;
    assert_eq!(still.problem.as_deref(), Some("TST-REF-001"));
    world.until_state(xiangtan(), waiting, State::Processed).await;
    took_effect_again(&world, 6).await;
    assert_eq!(numbers(&world, xiangtan()).await, [0, 1, 2, 3, 4, 5]);
    assert_eq!(numbers(&world, zhuzhou()).await, [0, 1, 2, 3, 4, 5]);
    let known = world.read(xiangtan(), move |tx| log::witness_state(tx, &witnessed.origin)).await.unwrap();
    assert!(witnessed.size <= known.size);
    assert_eq!(world.audited(xiangtan(), "recovery.done").await.len(), 1);
    assert!(!world.audited(xiangtan(), "recovery.leaves").await.is_empty());
    // It goes on: both witnesses cosign what follows, and none of them saw a fork.
    traffic(&world, 6..8).await;
    let (more, _) = settled(&world).await;
    assert!(leaves.len() < more.len());
    for city in [changsha(), zhuzhou()] {
        assert_eq!(world.audited(city, "witness.refuse").await, []);
        is_rebuilt(&world, city, &more).await;
    }
}

/// Xiangtan and a witness of its log have other keys than those that signed what is brought back.
async fn a_city_comes_back_after_keys_were_renewed(on: On) {
    let mut world = World::running(on, "rekeyed").await;
    traffic(&world, 0..1).await;
    let renewed = [xiangtan(), zhuzhou()].map(|city| (city, world.renewed(city)));
    let said = renewed.iter().map(|(_, (said, _))| said.clone()).collect::<Vec<_>>();
    let package = next(&world, &plan(&world, &[]), &said, &[changsha(), zhuzhou()]);
    world.engine(changsha()).install(package.clone()).await.unwrap();
    for city in [changsha(), zhuzhou(), xiangtan()] {
        in_force(&world, city, 2).await;
    }
    // Neither was restarted yet: what follows the backup is signed and cosigned with the old keys.
    let archive = world.back_up(xiangtan()).await;
    let lost = traffic(&world, 1..3).await;
    let (leaves, root) = settled(&world).await;
    world.kill(xiangtan());
    world.stop(zhuzhou()).await;
    world.lose_and_restore(xiangtan(), &archive).await;
    world.adopt(package);
    for (city, (_, keys)) in renewed {
        world.take(city, keys);
        world.start(city).await;
    }
    sound(&world).await;
    let size = leaves.len() as u64;
    let back = world.read(xiangtan(), move |tx| Ok((log::entries(tx, 0..size)?, log::root(tx, size)?))).await;
    assert_eq!(back, (leaves, root), "the log came back byte for byte");
    for (from, id) in &lost {
        world.until_state(*from, *id, State::Processed).await;
    }
    took_effect_again(&world, 3).await;
    assert_eq!(numbers(&world, xiangtan()).await, [0, 1, 2]);
    // It goes on with its new keys, which both witnesses know, one of them with a new key as well.
    traffic(&world, 3..4).await;
    let (more, _) = settled(&world).await;
    for city in [changsha(), zhuzhou()] {
        assert_eq!(world.audited(city, "witness.refuse").await, []);
        is_rebuilt(&world, city, &more).await;
    }
}

/// Its senders know what became of a lost message all the while; the restored city does it once more in its own time.
async fn took_effect_again(world: &World, count: usize) {
    until("what was lost takes effect again", async || {
        (count <= numbers(world, xiangtan()).await.len()).then_some(())
    })
    .await;
}

/// Xiangtan's log out of what another city publishes of it: every leaf, under a checkpoint that both signed.
async fn is_rebuilt(world: &World, holder: NodeId, leaves: &[Vec<u8>]) {
    let asker = if holder == changsha() { zhuzhou() } else { changsha() };
    let raw = get(world, asker, holder, "/log/mirror/430300/checkpoint").await;
    let note = Note::parse(&raw.text()).unwrap();
    let checkpoint = Checkpoint::parse(note.text()).unwrap();
    assert_eq!(note.verify(&log_keys(world.listed(xiangtan())).unwrap()).unwrap().len(), 2);
    assert_eq!(note.verify(&witness_keys(world.listed(holder)).unwrap()).unwrap().len(), 1);
    let mut copied = Vec::new();
    for tile in tiles_of_growth(0, checkpoint.size) {
        let raw = get(world, asker, holder, &format!("/log/mirror/430300/{}", tile.path())).await;
        assert_eq!(raw.status, 200, "{}", tile.path());
        if tile.content == Content::Entries {
            copied.extend(read_entries(&raw.body, tile.width).unwrap());
        }
    }
    assert_eq!(copied, leaves);
    assert_eq!(root_of(&copied.iter().map(|leaf| leaf_hash(leaf)).collect::<Vec<_>>()), checkpoint.root);
    assert_eq!(get(world, asker, holder, "/log/mirror/430300/tile/entries/009").await.status, 404);
    assert_eq!(get(world, asker, holder, "/log/mirror/430900/checkpoint").await.status, 404);
}

/// The tree as RFC 6962 defines it, over all leaves at once.
fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => tb_tlog::EMPTY_ROOT,
        [leaf] => *leaf,
        leaves => {
            let split = 1 << (usize::BITS - 1 - (leaves.len() - 1).leading_zeros());
            node_hash(&root_of(&leaves[..split]), &root_of(&leaves[split..]))
        }
    }
}

async fn an_operator_decides_not_to_wait_for_a_city(on: On) {
    let mut world = World::running(on, "without").await;
    traffic(&world, 0..1).await;
    let archive = world.back_up(xiangtan()).await;
    let late = world.send(changsha(), xiangtan(), COUNTED, 7).await;
    world.until_state(changsha(), late, State::Processed).await;
    let (leaves, root) = settled(&world).await;
    world.kill(xiangtan());
    world.stop(zhuzhou()).await;
    world.lose_and_restore(xiangtan(), &archive).await;
    // Nobody would take the message any more: its deadline passes.
    world.clock.advance(4_000);
    world.start(xiangtan()).await;
    assert_eq!(waits_for(&world).await, [zhuzhou()]);
    world.stop(xiangtan()).await;
    let store = world.opened(xiangtan()).await;
    let now = world.clock.now();
    store.write("test.without", move |tx| restored::go_without(tx, now, zhuzhou())).await.unwrap();
    store.close().await;
    world.start(xiangtan()).await;
    sound(&world).await;
    let size = leaves.len() as u64;
    assert_eq!(world.read(xiangtan(), move |tx| log::root(tx, size)).await, root);
    assert_eq!(
        world.audited(xiangtan(), "recovery.without").await,
        [("430200".to_owned(), "operator".to_owned())]
    );
    // The message is told of, here and there, and not made again.
    let told = (late.to_string(), "too-late".to_owned());
    assert!(world.audited(xiangtan(), "recovery.message").await.contains(&told));
    assert!(world.audited(changsha(), "recovery.again").await.contains(&told));
    assert_eq!(world.sent(changsha(), late).await.state, State::Processed);
    assert_eq!(numbers(&world, xiangtan()).await, [0]);
    world.start(zhuzhou()).await;
    let held = until("Zhuzhou holds the log again", async || {
        let held = world.read(zhuzhou(), |tx| mirror::size(tx, xiangtan())).await;
        (size <= held).then_some(held)
    })
    .await;
    assert!(size <= held);
}

/// A store that was restored and then grew by itself: another tree of a size that was cosigned.
async fn a_restored_log_that_is_another_is_not_gone_on_with(on: On) {
    let mut world = World::running(on, "another").await;
    traffic(&world, 0..1).await;
    settled(&world).await;
    let archive = world.back_up(xiangtan()).await;
    traffic(&world, 1..3).await;
    settled(&world).await;
    world.kill(xiangtan());
    world.lose_and_restore(xiangtan(), &archive).await;
    let store = world.opened(xiangtan()).await;
    let (message, ctx) =
        (world.compose(xiangtan(), changsha(), COUNTED, &json!({"n": 9})), world.ctx(xiangtan()));
    let now = world.clock.now().plus_seconds(60);
    let grow = move |tx: &mut Tx<'_>| {
        outbox::send(tx, &ctx, &message)?;
        let fence = log::take(tx, now, "nobody", 0)?.unwrap();
        log::sequence(tx, fence, 100).map(|range| range.end)
    };
    let size = store.write("test.grow", grow).await.unwrap();
    store.close().await;
    world.start(xiangtan()).await;
    until("the node says that it is another", async || match world.engine(xiangtan()).standing() {
        Standing::Forked { .. } => Some(()),
        _ => None,
    })
    .await;
    is_silent(&world, size).await;
    assert_eq!(world.audited(xiangtan(), "recovery.forked").await.len(), 1);
    assert_eq!(world.read(xiangtan(), log::size).await, size, "nothing was added to it");
}

/// Xiangtan, which was never restored, asks for everything from the beginning, as often as it likes.
async fn nobody_has_everything_sent_once_more_at_will(on: On) {
    let world = World::running(on, "at_will").await;
    let sent = traffic(&world, 0..2).await;
    let mine = sent.iter().filter(|(from, _)| *from == changsha()).count();
    let ask = async || {
        let body = json!({ "since": 0, "after": null }).to_string().into_bytes();
        let (by, to) = (&world.city(xiangtan()).identity, world.city(changsha()));
        raw::call(by, to, Method::POST, "/recovery/v1/again", &[], body).await.unwrap()
    };
    let mut answers = Vec::new();
    for _ in 0..6 {
        answers.push(ask().await.status);
        for (from, id) in &sent {
            until("nothing waits", async || {
                (world.sent(*from, *id).await.state != State::Waiting).then_some(())
            })
            .await;
        }
    }
    assert_eq!(answers, [200, 200, 200, 200, 429, 429]);
    let lines = world.audited(changsha(), "recovery.again").await;
    assert!(!lines.is_empty() && lines.len() <= 4, "a line for a page, not for a message: {lines:?}");
    // What was sent once more was known, and took effect once.
    assert_eq!(numbers(&world, xiangtan()).await.len(), mine);
    // In an hour it may be asked again; by then nobody would take the messages, which is told once.
    for _ in 0..2 {
        world.clock.advance(3_700);
        assert_eq!(ask().await.status, 200);
    }
    let late = world.audited(changsha(), "recovery.again").await;
    let late = late.iter().filter(|(_, outcome)| outcome == "too-late").count();
    assert_eq!(late, mine);
}
