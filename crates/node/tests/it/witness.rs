//! The witness: a log that forked, was forged, rolled back or is unknown gets no cosignature.

use http::Method;
use serde_json::json;
use tb_base::{Clock, NodeId};
use tb_exchange::keys::Secrets;
use tb_exchange::witness::{ADD_CHECKPOINT_PATH, log_keys, signers, witness_keys};
use tb_store::log::{self, WitnessState};
use tb_tlog::note::{Note, Signature};
use tb_tlog::witness::Request;
use tb_tlog::{Checkpoint, Hash};

use crate::raw::{self, Raw};
use crate::services::ECHO;
use crate::world::{On, World, changsha, until, xiangtan, zhuzhou};

both!(what_is_not_the_log_is_not_cosigned, a_log_that_was_set_back_is_found_out);

const OTHER: Hash = [0x66; 32];

fn checkpoint(world: &World, size: u64, root: Hash) -> Checkpoint {
    Checkpoint { origin: world.listed(changsha()).log_origin.clone(), size, root }
}

/// A checkpoint with both signatures of Changsha's log, made with these keys.
fn signed(world: &World, checkpoint: &Checkpoint, secrets: &Secrets) -> Note {
    let mut city = world.listed(changsha()).clone();
    city.log_origin.clone_from(&checkpoint.origin);
    let bare = Note::new(&checkpoint.text()).unwrap();
    signers(&city, secrets).unwrap().iter().fold(bare.clone(), |note, signer| note.with(signer.sign(&bare)))
}

/// Asks Xiangtan's witness over the connection of a city.
async fn ask(world: &World, by: NodeId, old: u64, proof: Vec<Hash>, note: Note) -> Raw {
    let body = Request { old, proof, note }.to_string().into_bytes();
    let identity = &world.city(by).identity;
    raw::call(identity, world.city(xiangtan()), Method::POST, ADD_CHECKPOINT_PATH, &[], body).await.unwrap()
}

async fn known(world: &World, by: NodeId) -> Option<WitnessState> {
    let origin = world.listed(changsha()).log_origin.clone();
    world.read(by, move |tx| log::witness_state(tx, &origin)).await
}

/// Lets Changsha's log grow to some leaves that both witnesses cosigned.
async fn grown(world: &World) -> WitnessState {
    world.ask(world.compose(changsha(), xiangtan(), ECHO, &json!({"n": 1}))).await.unwrap();
    settled(world).await
}

async fn settled(world: &World) -> WitnessState {
    until("the whole log is cosigned", async || {
        // In this order: a leaf that waits no more is counted in the size that is read after that.
        let waiting = world.read(changsha(), log::waiting).await;
        let size = world.read(changsha(), log::size).await;
        let latest = world.read(changsha(), |tx| log::latest_cosigned(tx, 2)).await?;
        if waiting == 0 && latest.size == size { known(world, xiangtan()).await } else { None }
    })
    .await
}

async fn what_is_not_the_log_is_not_cosigned(on: On) {
    let mut world = World::running(on, "witness").await;
    let first = grown(&world).await;
    let last = grown(&world).await;
    assert!(first.size < last.size);
    // Changsha itself is silent: what follows is said with its certificate and its keys.
    world.stop(changsha()).await;
    let ours = world.city(changsha()).secrets.clone();
    let size = last.size;
    let audited = async || world.audited(xiangtan(), "witness.refuse").await;

    // The same size with another root, signed by the real log keys: a fork.
    let fork = signed(&world, &checkpoint(&world, size, OTHER), &ours);
    let raw = ask(&world, changsha(), size, Vec::new(), fork.clone()).await;
    assert_eq!(
        (raw.status, raw.text(), raw.field("content-type")),
        (409, format!("{size}\n"), Some("text/x.tlog.size"))
    );
    assert_eq!(audited().await[0], ("tongban/430100".to_owned(), "log-forked".to_owned()));
    // However often it comes, it is written down once an hour.
    for _ in 0..3 {
        assert_eq!(ask(&world, changsha(), size, Vec::new(), fork.clone()).await.status, 409);
    }
    assert_eq!(audited().await.iter().filter(|(_, code)| code == "log-forked").count(), 1);
    // A larger log that does not begin with the known one.
    let grown = signed(&world, &checkpoint(&world, size + 1, OTHER), &ours);
    assert_eq!(ask(&world, changsha(), size, vec![OTHER], grown).await.status, 422);
    assert_eq!(audited().await[0].1, "log-inconsistent");
    // Signed with keys that are not the log's.
    let strange = Secrets::generate(&mut &world.ctx(zhuzhou()));
    let forged = signed(&world, &checkpoint(&world, size, last.root), &strange);
    assert_eq!(ask(&world, changsha(), size, Vec::new(), forged).await.status, 403);
    // A true note in which one letter of a signature was changed.
    let true_note = signed(&world, &checkpoint(&world, size, last.root), &ours).to_string();
    let at = true_note.len() - 20;
    let letter = if true_note.as_bytes()[at] == b'A' { "B" } else { "A" };
    let spoiled = Note::parse(&format!("{}{letter}{}", &true_note[..at], &true_note[at + 1..])).unwrap();
    assert_eq!(ask(&world, changsha(), size, Vec::new(), spoiled).await.status, 403);
    // The log as it was before: refused, with the size that is known.
    let back = signed(&world, &checkpoint(&world, first.size, first.root), &ours);
    let raw = ask(&world, changsha(), first.size, Vec::new(), back.clone()).await;
    assert_eq!((raw.status, raw.text()), (409, format!("{size}\n")));
    assert_eq!(ask(&world, changsha(), size, Vec::new(), back).await.status, 400);
    // A log that nobody knows, and a city that brings another city's log.
    let unknown = Checkpoint { origin: "tongban/nowhere".to_owned(), size: 1, root: OTHER };
    assert_eq!(ask(&world, changsha(), 0, Vec::new(), signed(&world, &unknown, &ours)).await.status, 404);
    let carried = signed(&world, &checkpoint(&world, size, last.root), &ours);
    assert_eq!(ask(&world, zhuzhou(), size, Vec::new(), carried.clone()).await.status, 404);

    assert_eq!(known(&world, xiangtan()).await, Some(last), "nothing of that moved what the witness knows");
    // The true checkpoint may be cosigned again.
    let raw = ask(&world, changsha(), size, Vec::new(), carried.clone()).await;
    assert_eq!(raw.status, 200);
    let lines = Signature::parse_lines(&raw.text()).unwrap();
    let note = lines.into_iter().fold(carried, Note::with);
    assert_eq!(note.verify(&witness_keys(world.listed(xiangtan())).unwrap()).unwrap().len(), 1);
    assert_eq!(note.verify(&log_keys(world.listed(changsha())).unwrap()).unwrap().len(), 2);
    // And the log goes on when its city is back.
    world.start(changsha()).await;
    world.ask(world.compose(changsha(), xiangtan(), ECHO, &json!({"n": 1}))).await.unwrap();
    assert!(size < settled(&world).await.size);
}

/// Both witnesses know a longer log than Changsha has: it was set back, and its own node says so.
async fn a_log_that_was_set_back_is_found_out(on: On) {
    let mut world = World::founded(on, "set_back").await;
    world.start(xiangtan()).await;
    let ours = world.city(changsha()).secrets.clone();
    let longer = signed(&world, &checkpoint(&world, 50, OTHER), &ours);
    // Nobody publishes the leaves of it, so it is not cosigned now; before copies were held, it was.
    assert_eq!(ask(&world, changsha(), 0, Vec::new(), longer.clone()).await.status, 503);
    assert_eq!(known(&world, xiangtan()).await, None);
    let origin = world.listed(changsha()).log_origin.clone();
    let note = longer.to_string();
    let state = WitnessState { origin, size: 50, root: OTHER, note, at: world.clock.now() };
    let plant = move |tx: &mut tb_store::Tx<'_>| log::put_witness_state(tx, None, &state);
    world.store(xiangtan()).write("test.plant", plant).await.unwrap();
    world.start(changsha()).await;
    world.ask(world.compose(changsha(), xiangtan(), ECHO, &json!({"n": 1}))).await.unwrap();
    let line = ("430300".to_owned(), "log-rolled-back".to_owned());
    until("the node says so", async || {
        world.audited(changsha(), "witness.refused").await.contains(&line).then_some(())
    })
    .await;
    assert_eq!(world.read(changsha(), |tx| log::latest_cosigned(tx, 1)).await, None);
}
