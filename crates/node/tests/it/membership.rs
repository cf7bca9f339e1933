//! Membership: a list that may follow goes round by itself and takes effect; one that may not changes nothing.

use http::Method;
use serde_json::json;
use tb_base::NodeId;
use tb_exchange::ceremony::{Plan, Statement, propose};
use tb_exchange::fork::Shown;
use tb_exchange::founding::Charter;
use tb_exchange::package::Package;
use tb_exchange::witness::{ADD_CHECKPOINT_PATH, signers};
use tb_store::log::WitnessState;
use tb_store::outbox::State;
use tb_store::{log, trust};
use tb_tlog::Checkpoint;
use tb_tlog::note::Note;
use tb_tlog::witness::Request;

use crate::raw;
use crate::services::{COUNTED, ECHO};
use crate::world::{On, World, changsha, until, xiangtan, zhuzhou};

both!(
    a_city_that_left_is_cut_off_everywhere,
    what_may_not_follow_is_refused,
    a_new_certificate_counts_beside_the_old_one,
    a_renewed_city_cosigns_before_and_after_its_restart,
    a_fork_is_kept_as_evidence
);

pub fn plan(world: &World, removed: &[NodeId]) -> Plan {
    let now = world.ctx(changsha()).now;
    let charter = Charter {
        region: "czt".to_owned(),
        not_before: now.plus_seconds(-60),
        not_after: now.plus_seconds(86_400 * 365),
        services: world.terms(),
        retention_days: 365,
    };
    let removed = removed.iter().copied().collect();
    let overlap_until = now.plus_seconds(3_600);
    Plan { charter, quorum: None, removed, revoked: Default::default(), overlap_until }
}

/// The next list, signed by these.
pub fn next(world: &World, plan: &Plan, said: &[Statement], signers: &[NodeId]) -> Package {
    let mut package = propose(plan, Some(&world.package()), said).unwrap();
    for signer in signers {
        package.sign(*signer, &world.city(*signer).secrets).unwrap();
    }
    package
}

pub async fn in_force(world: &World, node: NodeId, number: u32) {
    until("the list is in force", async || (world.engine(node).trust_number() == number).then_some(())).await;
    until("it is written down", async || world.read(node, move |tx| trust::find(tx, number)).await.map(drop))
        .await;
}

async fn a_city_that_left_is_cut_off_everywhere(on: On) {
    let world = World::running(on, "left").await;
    world.ask(world.compose(xiangtan(), changsha(), ECHO, &json!({"n": 1}))).await.unwrap();
    let before = world.compose(xiangtan(), changsha(), ECHO, &json!({"n": 2}));
    let package = next(&world, &plan(&world, &[xiangtan()]), &[], &[changsha(), zhuzhou()]);
    world.engine(changsha()).install(package.clone()).await.unwrap();
    // Nobody told Zhuzhou: it hears of the list when Changsha asks for a cosignature.
    in_force(&world, zhuzhou(), 2).await;
    let lines = world.audited(zhuzhou(), "trust.install").await;
    assert_eq!(lines[0], ("trust/2".to_owned(), package.trust.list.fingerprint().unwrap()));

    // Connections that are open are of no use any more, and new ones are not to be had.
    assert!(world.ask(before).await.is_err());
    let (identity, to) = (&world.city(xiangtan()).identity, world.city(changsha()));
    let call = raw::call(identity, to, Method::GET, "/log/checkpoint", &[], Vec::new()).await;
    assert!(call.is_err());
    // What waits for it is given up at once, and says why.
    let id = world.send(changsha(), xiangtan(), COUNTED, 1).await;
    let dead = world.until_state(changsha(), id, State::Dead).await;
    assert!(dead.problem.unwrap().contains("no member"));
    // The others go on, and cosign each other.
    world.ask(world.compose(changsha(), zhuzhou(), ECHO, &json!({"n": 3}))).await.unwrap();
}

async fn what_may_not_follow_is_refused(on: On) {
    let world = World::running(on, "refused").await;
    let engine = world.engine(changsha());
    let plan = plan(&world, &[xiangtan()]);
    let one = next(&world, &plan, &[], &[changsha()]);
    assert!(engine.install(one).await.unwrap_err().to_string().contains("signature-coverage"));
    let good = next(&world, &plan, &[], &[changsha(), zhuzhou()]);
    let mut forged = good.clone();
    forged.trust.list.not_after = forged.trust.list.not_after.plus_seconds(1);
    assert!(engine.install(forged).await.unwrap_err().to_string().contains("signature-invalid"));
    let mut stripped = good.clone();
    stripped.contracts.clear();
    assert!(engine.install(stripped).await.unwrap_err().to_string().contains("inconsistent"));
    assert_eq!(engine.trust_number(), 1);
    engine.install(good.clone()).await.unwrap();
    engine.install(good).await.unwrap();
    assert!(engine.install(world.package()).await.unwrap_err().to_string().contains("replay"));
    assert_eq!(engine.trust_number(), 2);
}

async fn a_new_certificate_counts_beside_the_old_one(on: On) {
    let world = World::running(on, "renewed").await;
    let mut city = world.listed(xiangtan()).clone();
    let renewed = tb_node::tls::Identity::generate(xiangtan()).unwrap();
    city.keys.tls_sha256 = renewed.fingerprint();
    let plan = plan(&world, &[]);
    let said = Statement::new(city, world.ctx(xiangtan()).now, &world.city(xiangtan()).secrets).unwrap();
    let package = next(&world, &plan, &[said], &[changsha(), zhuzhou()]);
    world.engine(changsha()).install(package).await.unwrap();
    in_force(&world, xiangtan(), 2).await;
    // Xiangtan still shows its old certificate, both ways, and whoever shows the new one gets in as well.
    world.ask(world.compose(changsha(), xiangtan(), ECHO, &json!({"n": 1}))).await.unwrap();
    world.ask(world.compose(xiangtan(), changsha(), ECHO, &json!({"n": 1}))).await.unwrap();
    let to = world.city(changsha());
    let read = |identity| raw::call(identity, to, Method::GET, "/log/checkpoint", &[], Vec::new());
    assert_eq!(read(&renewed).await.unwrap().status, 200);
    // After the overlap the old one opens nothing.
    world.clock.advance(2 * 3_600);
    assert_eq!(read(&renewed).await.unwrap().status, 200);
    assert!(read(&world.city(xiangtan()).identity).await.is_err());
}

/// Its old key cosigns until it is restarted, its new one after that: no log waits for a witness in between.
async fn a_renewed_city_cosigns_before_and_after_its_restart(on: On) {
    let mut world = World::running(on, "rewitness").await;
    let (said, keys) = world.renewed(xiangtan());
    let package = next(&world, &plan(&world, &[]), &[said], &[changsha(), zhuzhou()]);
    world.engine(changsha()).install(package.clone()).await.unwrap();
    in_force(&world, xiangtan(), 2).await;
    world.ask(world.compose(changsha(), xiangtan(), ECHO, &json!({"n": 1}))).await.unwrap();
    let before = cosigned_above(&world, 0).await;
    world.stop(xiangtan()).await;
    world.adopt(package);
    world.take(xiangtan(), keys);
    world.start(xiangtan()).await;
    world.ask(world.compose(changsha(), zhuzhou(), ECHO, &json!({"n": 2}))).await.unwrap();
    cosigned_above(&world, before).await;
    assert_eq!(world.audited(changsha(), "witness.refused").await, []);
}

/// The size of Changsha's log when it is above that one and both others have cosigned all of it.
async fn cosigned_above(world: &World, known: u64) -> u64 {
    until("both others cosigned all of it", async || {
        let waiting = world.read(changsha(), log::waiting).await;
        let size = world.read(changsha(), log::size).await;
        let latest = world.read(changsha(), |tx| log::latest_cosigned(tx, 2)).await?;
        (waiting == 0 && latest.size == size && known < size).then_some(size)
    })
    .await
}

/// Two roots of one size: the witness keeps both notes, once, and a third party checks them with the list alone.
async fn a_fork_is_kept_as_evidence(on: On) {
    let mut world = World::founded(on, "fork").await;
    world.start(xiangtan()).await;
    let city = world.listed(changsha()).clone();
    let note = |root| {
        let bare = Note::new(&Checkpoint { origin: city.log_origin.clone(), size: 9, root }.text()).unwrap();
        let signers = signers(&city, &world.city(changsha()).secrets).unwrap();
        signers.iter().fold(bare.clone(), |note, signer| note.with(signer.sign(&bare)))
    };
    let ask = async |old, note| {
        let body = Request { old, proof: Vec::new(), note }.to_string().into_bytes();
        let (identity, to) = (&world.city(changsha()).identity, world.city(xiangtan()));
        raw::call(identity, to, Method::POST, ADD_CHECKPOINT_PATH, &[], body).await.unwrap().status
    };
    // Xiangtan signed this one while its leaves were published, which a city that lies no longer does.
    let state = WitnessState {
        origin: city.log_origin.clone(),
        size: 9,
        root: [1; 32],
        note: note([1; 32]).to_string(),
        at: world.ctx(xiangtan()).now,
    };
    let plant = move |tx: &mut tb_store::Tx<'_>| log::put_witness_state(tx, None, &state);
    world.store(xiangtan()).write("test.plant", plant).await.unwrap();
    assert_eq!(ask(9, note([2; 32])).await, 409);
    assert_eq!(ask(9, note([2; 32])).await, 409);
    let forks = world.read(xiangtan(), |tx| trust::forks(tx, 10)).await;
    assert_eq!(forks.len(), 1);
    assert_eq!(forks[0].1.verify(&world.trust.list).unwrap(), Shown::Proven(9));
    let lines = world.audited(xiangtan(), "witness.fork").await;
    assert_eq!(lines, [("tongban/430100".to_owned(), forks[0].0.clone())]);
    assert_eq!(world.read(xiangtan(), log::size).await, 0);
}
