//! A region: three cities founded on the ports that they really listen on.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tb_base::{Actor, CaseId, Clock, Ctx, Entropy, MessageId, NodeId, Result, Timestamp};
use tb_exchange::ceremony::Statement;
use tb_exchange::founding::{Charter, Founder, Member, found};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::package::Package;
use tb_exchange::{
    Answer, City as Listed, Desk, LeafKind, Outgoing, Peers, Purpose, ServiceTerms, SignedContract,
    SignedTrustList, service,
};
use tb_node::tls::Identity;
use tb_node::{Node, NodeParts};
use tb_store::backup::{self, About};
use tb_store::outbox::{self, Sent, State};
use tb_store::{Config, Engine, Store, Tx, audit, drop_schema, log};
use tb_testkit::{Folder, Postgres};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::services::{self, Knobs, REFUSED, SCARCE, TEST};

/// 2026-11-24 12:00 in China.
const NOON: i64 = 1_795_492_800_000_000;
/// Nothing that a test waits for takes longer.
const PATIENCE_SECONDS: u64 = 30;
/// The driver of the journey.
pub const DRIVER: &str = "430302199003072024";

/// Which engine a test runs on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum On {
    Sqlite,
    Postgres,
}

/// Goes as fast as time does, from a fixed noon, and can be set ahead.
pub struct TestClock {
    start: tokio::time::Instant,
    ahead: AtomicI64,
}

impl TestClock {
    pub fn advance(&self, seconds: i64) {
        self.ahead.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let gone = i64::try_from(self.start.elapsed().as_micros()).unwrap();
        Timestamp(NOON + gone + self.ahead.load(Ordering::SeqCst))
    }
}

/// Different bytes for every city and every start, the same for every run.
struct Counting(u64, u64);

static NEXT_SEED: AtomicU64 = AtomicU64::new(1);

impl Counting {
    fn new() -> Counting {
        Counting(NEXT_SEED.fetch_add(1, Ordering::SeqCst), 0)
    }
}

impl Entropy for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(16) {
            self.1 += 1;
            let digest = tb_crypto::sha256(&[self.0.to_be_bytes(), self.1.to_be_bytes()].concat());
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

pub fn changsha() -> NodeId {
    "430100".parse().unwrap()
}

pub fn zhuzhou() -> NodeId {
    "430200".parse().unwrap()
}

pub fn xiangtan() -> NodeId {
    "430300".parse().unwrap()
}

/// A city: what lasts, and the node while it runs.
pub struct City {
    pub node: NodeId,
    pub secrets: Arc<Secrets>,
    pub witness_key: WitnessKey,
    pub identity: Identity,
    pub knobs: Arc<Knobs>,
    pub address: SocketAddr,
    config: Config,
    socket: Option<TcpListener>,
    running: Option<Running>,
}

/// Keys that follow those of a city.
pub struct Renewed {
    secrets: Secrets,
    witness_key: WitnessKey,
    identity: Identity,
}

/// A node with threads of its own, so that it can end as a process ends.
struct Running {
    engine: Arc<Node>,
    store: Store,
    task: JoinHandle<Result<()>>,
    runtime: Option<Runtime>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Waiting for the threads is not possible here, and not needed.
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

pub struct World {
    pub clock: Arc<TestClock>,
    pub trust: SignedTrustList,
    contracts: Vec<SignedContract>,
    cities: BTreeMap<NodeId, City>,
    entropy: Arc<Mutex<dyn Entropy>>,
    folder: Folder,
}

impl World {
    /// A region whose three cities run.
    pub async fn running(on: On, name: &str) -> World {
        let mut world = World::founded(on, name).await;
        for node in [changsha(), zhuzhou(), xiangtan()] {
            world.start(node).await;
        }
        world
    }

    /// A region in which no city runs yet; their sockets are open, and nobody answers.
    pub async fn founded(on: On, name: &str) -> World {
        let folder = Folder::new(name);
        let mut cities = BTreeMap::new();
        for node in [changsha(), zhuzhou(), xiangtan()] {
            cities.insert(node, city(on, name, node, &folder).await);
        }
        let charter = Charter {
            region: "czt".to_owned(),
            not_before: Timestamp(NOON).plus_seconds(-86_400),
            not_after: Timestamp(NOON).plus_seconds(86_400 * 365),
            services: terms(),
            retention_days: 365,
        };
        let founders: Vec<_> = cities.values().map(founder).collect();
        let (trust, contracts) = found(&charter, &founders).unwrap();
        World {
            clock: Arc::new(TestClock { start: tokio::time::Instant::now(), ahead: AtomicI64::new(0) }),
            trust,
            contracts,
            cities,
            entropy: Arc::new(Mutex::new(Counting::new())),
            folder,
        }
    }

    /// Starts a city on what is on its disk.
    pub async fn start(&mut self, node: NodeId) {
        let (trust, contracts, clock) = (self.trust.clone(), self.contracts.clone(), self.clock.clone());
        let city = self.cities.get_mut(&node).unwrap();
        let socket = match city.socket.take() {
            Some(socket) => socket,
            // The threads of a node that was killed end one after the other.
            None => until("the port is free", async || TcpListener::bind(city.address).await.ok()).await,
        };
        let config = &city.config;
        let store = until("the files are free", async || Store::open(config, &[TEST]).await.ok()).await;
        let desk = Arc::new(Desk::new(node, trust, contracts, &city.secrets).unwrap());
        let engine = Node::new(NodeParts {
            store: store.clone(),
            desk,
            secrets: city.secrets.clone(),
            witness_key: city.witness_key.clone(),
            identity: city.identity.clone(),
            clock,
            entropy: Arc::new(Mutex::new(Counting::new())),
            handlers: services::handlers(&city.knobs),
            jobs: Vec::new(),
        })
        .unwrap();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (node, socket) = (engine.clone(), socket.into_std().unwrap());
        let task = runtime.spawn(async move { node.run(TcpListener::from_std(socket).unwrap()).await });
        city.running = Some(Running { engine, store, task, runtime: Some(runtime) });
    }

    /// Stops a city; what it had in work is finished when this ends.
    pub async fn stop(&mut self, node: NodeId) {
        let mut running = self.cities.get_mut(&node).unwrap().running.take().unwrap();
        running.engine.shut_down();
        within("the node stops", &mut running.task).await.unwrap().unwrap();
    }

    /// Ends a city in the middle of what it does, as a power failure would.
    pub fn kill(&mut self, node: NodeId) {
        drop(self.cities.get_mut(&node).unwrap().running.take().unwrap());
    }

    /// A backup of a city, taken while it runs.
    pub async fn back_up(&self, node: NodeId) -> PathBuf {
        let to = self.folder.file(&format!("{node}.tongban"));
        let about = About { city: node, region: "czt".to_owned(), now: self.clock.now() };
        backup::back_up(&self.city(node).config.engine, &about, &to).await.unwrap();
        to
    }

    /// Takes everything from a city that was killed, and gives it what is in the archive.
    pub async fn lose_and_restore(&self, node: NodeId, archive: &Path) {
        let engine = &self.city(node).config.engine;
        match engine {
            Engine::Sqlite(path) => {
                for end in ["", "-wal", "-shm"] {
                    let file = PathBuf::from(format!("{}{end}", path.display()));
                    // The threads of a node that was killed may be at it still.
                    until("the file is gone", async || {
                        let _ = std::fs::remove_file(&file);
                        (!file.exists()).then_some(())
                    })
                    .await;
                }
            }
            Engine::Postgres { url, schema } => drop_schema(url, schema).await.unwrap(),
        }
        let now = self.clock.now();
        until("the store is restored", async || {
            backup::restore(engine, &[TEST], archive, node, now).await.ok()
        })
        .await;
    }

    /// Opens the store of a city that does not run.
    pub async fn opened(&self, node: NodeId) -> Store {
        let config = &self.city(node).config;
        until("the files are free", async || Store::open(config, &[TEST]).await.ok()).await
    }

    pub fn city(&self, node: NodeId) -> &City {
        &self.cities[&node]
    }

    pub fn engine(&self, node: NodeId) -> &Arc<Node> {
        &self.city(node).running.as_ref().unwrap().engine
    }

    pub fn store(&self, node: NodeId) -> &Store {
        &self.city(node).running.as_ref().unwrap().store
    }

    pub fn desk(&self, node: NodeId) -> Desk {
        Desk::new(node, self.trust.clone(), self.contracts.clone(), &self.city(node).secrets).unwrap()
    }

    /// New keys of a city, and what it says of them; it goes on with the old ones until it takes these.
    pub fn renewed(&self, node: NodeId) -> (Statement, Renewed) {
        let (city, mut entropy) = (self.city(node), Counting::new());
        let keys = Renewed {
            secrets: city.secrets.renewed(&mut entropy),
            witness_key: WitnessKey::generate(&mut entropy),
            identity: Identity::generate(node).unwrap(),
        };
        let public = keys.secrets.public(&keys.identity.fingerprint(), &keys.witness_key.public());
        let listed = Listed { keys: public, ..self.listed(node).clone() };
        (Statement::new(listed, self.clock.now(), &keys.secrets).unwrap(), keys)
    }

    /// A city that does not run begins with these keys the next time.
    pub fn take(&mut self, node: NodeId, keys: Renewed) {
        let city = self.cities.get_mut(&node).unwrap();
        assert!(city.running.is_none(), "a node takes its keys at its start");
        city.secrets = Arc::new(keys.secrets);
        (city.witness_key, city.identity) = (keys.witness_key, keys.identity);
    }

    /// The list that every city begins with from now on.
    pub fn adopt(&mut self, package: Package) {
        (self.trust, self.contracts) = (package.trust, package.contracts);
    }

    /// The list that the cities begin with, and its contracts.
    pub fn package(&self) -> Package {
        Package { trust: self.trust.clone(), contracts: self.contracts.clone() }
    }

    /// The terms of every contract.
    pub fn terms(&self) -> BTreeMap<String, ServiceTerms> {
        terms()
    }

    pub fn listed(&self, node: NodeId) -> &Listed {
        self.trust.list.city(node).unwrap()
    }

    pub fn ctx(&self, node: NodeId) -> Ctx {
        Ctx::new(self.clock.now(), Actor::System, node, self.entropy.clone())
    }

    /// A message about the driver, good for an hour.
    pub fn compose(&self, from: NodeId, to: NodeId, service: &str, body: &serde_json::Value) -> Outgoing {
        let ctx = self.ctx(from);
        let deadline = ctx.now.plus_seconds(3_600);
        let (actor, resident) = ("window/430100-hall-1", Some(DRIVER));
        self.desk(from).compose(&ctx, to, service, purpose(), actor, resident, body, deadline).unwrap()
    }

    /// Puts a numbered message into the outbox of a running city.
    pub async fn send(&self, from: NodeId, to: NodeId, service: &str, n: i64) -> MessageId {
        let message = self.compose(from, to, service, &serde_json::json!({ "n": n }));
        self.send_message(message).await
    }

    pub async fn send_message(&self, message: Outgoing) -> MessageId {
        let (id, from) = (message.envelope.id, message.envelope.from);
        let ctx = self.ctx(from);
        self.store(from).write("test.send", move |tx| outbox::send(tx, &ctx, &message)).await.unwrap();
        id
    }

    pub async fn ask(&self, message: Outgoing) -> Result<Answer> {
        let from = message.envelope.from;
        let (peers, ctx) = (self.engine(from).peers(), self.ctx(from));
        let runtime = self.city(from).running.as_ref().unwrap().runtime.as_ref().unwrap();
        runtime.spawn(async move { peers.query(ctx, message).await }).await.unwrap()
    }

    /// Asks everything at once.
    pub async fn ask_at_once(&self, from: NodeId, messages: Vec<Outgoing>) -> Vec<Result<Answer>> {
        let runtime = self.city(from).running.as_ref().unwrap().runtime.as_ref().unwrap();
        let mut asking = tokio::task::JoinSet::new();
        for message in messages {
            let (peers, ctx) = (self.engine(from).peers(), self.ctx(from));
            asking.spawn_on(async move { peers.query(ctx, message).await }, runtime.handle());
        }
        asking.join_all().await
    }

    /// Reads from the store of a running city.
    pub async fn read<T: Send + 'static>(
        &self,
        node: NodeId,
        work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> T {
        self.store(node).read("test.read", work).await.unwrap()
    }

    pub async fn effects(&self, node: NodeId) -> Vec<(String, i64)> {
        self.read(node, services::effects).await
    }

    pub async fn sent(&self, node: NodeId, id: MessageId) -> Sent {
        self.read(node, move |tx| outbox::find(tx, id)).await.unwrap()
    }

    /// Waits until a message stands so.
    pub async fn until_state(&self, node: NodeId, id: MessageId, state: State) -> Sent {
        until(&format!("{id} is {state:?}"), async || {
            let sent = self.sent(node, id).await;
            (sent.state == state).then_some(sent)
        })
        .await
    }

    /// The kinds of the leaves about a message that are in the log of a city.
    pub async fn leaves(&self, node: NodeId, id: MessageId) -> Vec<LeafKind> {
        self.read(node, move |tx| log::of_message(tx, id)).await.iter().map(|kept| kept.leaf.kind).collect()
    }

    /// Object and outcome of the audit lines of one action, the newest first.
    pub async fn audited(&self, node: NodeId, action: &str) -> Vec<(String, String)> {
        let search = audit::Search::action(action);
        let found = self.read(node, move |tx| audit::search(tx, &search, None, 100)).await;
        found.lines.into_iter().map(|line| (line.object, line.outcome)).collect()
    }
}

/// An address of this machine that no other city of any test has: its port stays free while the city is down.
fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
    let part = |number: u32| u8::try_from(1 + number % 250).unwrap();
    Ipv4Addr::new(127, part(process), part(process / 250 + number / 250), part(number))
}

async fn city(on: On, name: &str, node: NodeId, folder: &Folder) -> City {
    let engine = match on {
        On::Sqlite => Engine::Sqlite(folder.file(&format!("{node}.db"))),
        On::Postgres => {
            let server = Postgres::start();
            let schema = server.schema(&format!("{name}_{node}"));
            Engine::Postgres { url: server.url, schema }
        }
    };
    let socket = TcpListener::bind((own_address(), 0)).await.unwrap();
    let mut entropy = Counting::new();
    City {
        node,
        secrets: Arc::new(Secrets::generate(&mut entropy)),
        witness_key: WitnessKey::generate(&mut entropy),
        identity: Identity::generate(node).unwrap(),
        knobs: Arc::new(Knobs::default()),
        address: socket.local_addr().unwrap(),
        config: Config { engine, inline: false },
        socket: Some(socket),
        running: None,
    }
}

fn founder(city: &City) -> Founder<'_> {
    let member = Member {
        node: city.node,
        name: format!("{}市", city.node),
        name_en: format!("City {}", city.node),
        app: "某通".to_owned(),
        exchange_url: format!("https://{}", city.address),
        site_url: "http://127.0.0.1:1".to_owned(),
        tls_sha256: city.identity.fingerprint(),
    };
    Founder { member, secrets: &city.secrets, witness: &city.witness_key }
}

fn terms() -> BTreeMap<String, ServiceTerms> {
    let terms = |name: &&'static str| {
        let quota_per_day = if [SCARCE, REFUSED].contains(name) { 2 } else { 10_000 };
        let item = if *name == services::ECHO { "121" } else { "*" };
        let purposes = [item.to_owned()].into();
        ((*name).to_owned(), ServiceTerms { purposes, fields: ["name".to_owned()].into(), quota_per_day })
    };
    service::ALL.iter().map(terms).collect()
}

fn purpose() -> Purpose {
    let case: CaseId = "01kq3zt0000000000000000000".parse().unwrap();
    Purpose { item: "121".to_owned(), case: Some(case), basis: "case".to_owned() }
}

/// Looks until it finds, or fails with what it waited for.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        loop {
            ticks.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    within(what, looking).await
}

/// Waits for something that must come in time.
pub async fn within<T>(what: &str, waiting: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(PATIENCE_SECONDS), waiting).await {
        Ok(found) => found,
        Err(_) => panic!("waited in vain until {what}"),
    }
}
