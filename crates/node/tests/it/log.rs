//! The log over HTTP: what an auditor fetches is enough to prove a leaf, with no word from the node's database.

use std::collections::BTreeMap;

use http::Method;
use serde_json::json;
use tb_base::{Clock, MessageId, NodeId, Violation};
use tb_exchange::witness::{log_keys, witness_keys, witness_name};
use tb_exchange::{Leaf, LeafKind};
use tb_store::log;
use tb_tlog::note::{Kind, Note, Verifier};

use tb_tlog::tile::{Content, Tile, TileReader, read_entries, tiles_of_growth};
use tb_tlog::{Checkpoint, LogProof, leaf_hash, prove_inclusion};

use crate::raw;
use crate::services::ECHO;
use crate::world::{On, World, changsha, until, xiangtan, zhuzhou};

both!(
    a_checkpoint_follows_a_leaf_within_a_second_and_is_cosigned,
    a_leaf_is_proven_with_what_is_fetched_over_http,
    a_tile_that_is_not_there_yet_is_not_found,
    a_log_that_is_idle_does_not_grow,
);

/// The witnesses of Changsha's log.
fn witnesses(world: &World) -> Vec<Verifier> {
    [zhuzhou(), xiangtan()].map(|node| witness_keys(world.listed(node)).unwrap()).concat()
}

async fn get(world: &World, path: &str) -> raw::Raw {
    let (auditor, to) = (&world.city(zhuzhou()).identity, world.city(changsha()));
    raw::call(auditor, to, Method::GET, path, &[], Vec::new()).await.unwrap()
}

/// Changsha's checkpoint of at least that size, once both other cities cosigned it.
async fn cosigned(world: &World, size_min: u64) -> (Note, Checkpoint) {
    until("the checkpoint is cosigned by both", async || {
        let raw = get(world, "/log/checkpoint").await;
        let note = Note::parse(&raw.text()).ok().filter(|_| raw.status == 200)?;
        let checkpoint = Checkpoint::parse(note.text()).ok()?;
        let seen = note.verify(&witnesses(world)).map_or(0, |seen| seen.len());
        (size_min <= checkpoint.size && seen == 2).then_some((note, checkpoint))
    })
    .await
}

async fn ask(world: &World) -> MessageId {
    let question = world.compose(changsha(), xiangtan(), ECHO, &json!({"n": 1}));
    let id = question.envelope.id;
    world.ask(question).await.unwrap();
    id
}

async fn a_checkpoint_follows_a_leaf_within_a_second_and_is_cosigned(on: On) {
    let world = World::running(on, "checkpoint").await;
    ask(&world).await;
    let answered = world.clock.now();
    let kept = until("there is a checkpoint of both leaves", async || {
        world.read(changsha(), log::latest).await.filter(|latest| 2 <= latest.size)
    })
    .await;
    assert!(kept.at <= answered.plus_seconds(1), "{} is more than a second after {answered}", kept.at);
    let (note, checkpoint) = cosigned(&world, 2).await;
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("tongban/430100", 2));
    let log = note.verify(&log_keys(world.listed(changsha())).unwrap()).unwrap();
    assert_eq!(log.iter().map(|line| line.kind).collect::<Vec<_>>(), [Kind::Ed25519, Kind::Sm2]);
    let seen = note.verify(&witnesses(&world)).unwrap();
    let names: Vec<_> = seen.iter().map(|line| line.name.clone()).collect();
    assert_eq!(names, [witness_name(zhuzhou()), witness_name(xiangtan())]);
}

async fn fetch_all(world: &World, size: u64) -> BTreeMap<Tile, Vec<u8>> {
    let mut files = BTreeMap::new();
    for tile in tiles_of_growth(0, size) {
        let raw = get(world, &format!("/log/{}", tile.path())).await;
        assert_eq!(raw.status, 200, "{}", tile.path());
        files.insert(tile, raw.body);
    }
    files
}

async fn a_leaf_is_proven_with_what_is_fetched_over_http(on: On) {
    let world = World::running(on, "proof").await;
    for _ in 0..5 {
        ask(&world).await;
    }
    let id = ask(&world).await;
    let (note, checkpoint) = cosigned(&world, 12).await;
    let files = fetch_all(&world, checkpoint.size).await;
    let entries: Vec<Vec<u8>> = files
        .iter()
        .filter(|(tile, _)| tile.content == Content::Entries)
        .flat_map(|(tile, bytes)| read_entries(bytes, tile.width).unwrap())
        .collect();
    assert_eq!(entries.len() as u64, checkpoint.size);
    let is_it = |entry: &Vec<u8>| {
        let leaf = Leaf::decode(entry).unwrap();
        leaf.id == id && leaf.kind == LeafKind::Got
    };
    let index = entries.iter().position(is_it).unwrap() as u64;
    let mut reader = TileReader::new(checkpoint.size, |tile: &Tile| {
        files.get(tile).cloned().ok_or_else(|| Violation::new("missing", "tile", tile.path()).into())
    });
    let path = prove_inclusion(index, checkpoint.size, &mut reader).unwrap();
    let proof = LogProof { index, path, note };
    let hash = leaf_hash(&entries[usize::try_from(index).unwrap()]);
    let proven =
        proof.verify(&hash, &log_keys(world.listed(changsha())).unwrap(), &witnesses(&world)).unwrap();
    assert_eq!((proven.log.len(), proven.witnesses.len()), (2, 2));
    let other = leaf_hash(b"another leaf");
    assert!(proof.verify(&other, &log_keys(world.listed(changsha())).unwrap(), &witnesses(&world)).is_err());
    // Nothing in what is published names the driver.
    let driver: NodeId = xiangtan();
    let pseudonyms = world.desk(driver).pseudonyms(crate::world::DRIVER);
    for entry in &entries {
        assert!(!pseudonyms.iter().any(|(_, name)| entry.windows(32).any(|part| part == name.0)));
        assert!(!entry.windows(18).any(|part| part == crate::world::DRIVER.as_bytes()));
    }
}

async fn a_tile_that_is_not_there_yet_is_not_found(on: On) {
    let world = World::running(on, "tiles").await;
    assert_eq!(get(&world, "/log/checkpoint").await.status, 404);
    ask(&world).await;
    cosigned(&world, 2).await;
    for path in [
        "/log/tile/0/000",
        "/log/tile/0/000.p/200",
        "/log/tile/9/000",
        "/log/tile/0/0",
        "/log/tile/entries/001.p/1",
    ] {
        assert_eq!(get(&world, path).await.status, 404, "{path}");
    }
    assert_eq!(get(&world, "/log/tile/entries/000.p/2").await.status, 200);
    world.engine(changsha()).set_offline(true);
    assert_eq!(get(&world, "/log/checkpoint").await.status, 503);
}

/// Receipts make leaves and leaves make checkpoints: that must come to an end.
async fn a_log_that_is_idle_does_not_grow(on: On) {
    let world = World::running(on, "idle").await;
    let id = world.send(changsha(), xiangtan(), crate::services::COUNTED, 1).await;
    world.until_state(changsha(), id, tb_store::outbox::State::Processed).await;
    let (_, first) = cosigned(&world, 2).await;
    // The line of a later cosignature would show a later size.
    let marks = world.clock.now().plus_seconds(2);
    until("two seconds passed", async || (marks < world.clock.now()).then_some(())).await;
    let (_, second) = cosigned(&world, 2).await;
    assert_eq!(first, second);
}
