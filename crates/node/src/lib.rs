//! A city's node at work (城市节点): sockets, workers, sequencer and witness around the blocks.
//!
//! Serves clause 1.6.
//!
//! Everything that decides is elsewhere and pure; here are the loops that drive it.
//! What they wait for is looked at in a fixed order (`biased`), so that a simulation repeats itself.

mod call;
mod certificate;
mod client;
mod contact;
mod copy;
mod jobs;
mod lines;
mod listener;
mod membership;
mod mirror;
mod nonces;
mod outbox;
mod pace;
mod places;
mod probe;
mod query;
mod quota;
mod receive;
mod reconcile;
mod recovery;
mod refusals;
mod seen;
mod sequencer;
mod server;
mod witness;

pub mod connection;
pub mod tls;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::response::Response;
use tb_base::{Actor, Clock, Ctx, Entropy, Fault, NodeId, Result, Violation};
use tb_crypto::Vault;
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::{City, Desk, SignedTrustList};
use tb_store::inbox::Handler;
use tb_store::{Sealer, Store};
use tb_telemetry::metrics::Metrics;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::client::PeerClients;
use crate::contact::Contacts;
use crate::lines::Lines;
use crate::listener::TlsListener;
use crate::membership::Membership;
use crate::places::Places;
use crate::quota::Tallies;
use crate::recovery::Passes;
use crate::refusals::Refusals;
use crate::tls::{Door, Identity};

pub use client::{Reply, Wire};
pub use jobs::RunJob;
pub use listener::PeerCity;
pub use membership::KeepTrust;
pub use probe::{Probe, probe};
pub use query::NodePeers;
pub use recovery::Standing;

/// What is in work when the node stops is finished within this time, or cut off.
const STOP_SECONDS_MAX: u64 = 8;

/// The parts that a node is made of.
pub struct NodeParts {
    /// The store of the city.
    pub store: Store,
    /// Trust list, contracts and pseudonym keys.
    pub desk: Arc<Desk>,
    /// The secret keys of the city.
    pub secrets: Arc<Secrets>,
    /// The key that cosigns other cities' logs.
    pub witness_key: WitnessKey,
    /// The TLS certificate and its key.
    pub identity: Identity,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<Mutex<dyn Entropy>>,
    /// The services that the city offers its peers.
    pub handlers: Vec<Handler>,
    /// The kinds of jobs that the blocks do when they fall due.
    pub jobs: Vec<(&'static str, RunJob)>,
}

/// A node, ready to run.
pub struct Node {
    me: NodeId,
    city: City,
    store: Store,
    desk: Arc<Desk>,
    secrets: Arc<Secrets>,
    witness_key: WitnessKey,
    identity: Identity,
    clock: Arc<dyn Clock>,
    entropy: Arc<Mutex<dyn Entropy>>,
    handlers: BTreeMap<&'static str, Handler>,
    jobs: BTreeMap<&'static str, RunJob>,
    clients: Arc<dyn Wire>,
    /// Names this process among those that share the database.
    holder: String,
    stop: watch::Sender<bool>,
    offline: AtomicBool,
    /// How things stand with a store that came out of a backup.
    standing: watch::Sender<Standing>,
    /// Who belongs to the region, while that changes.
    membership: Membership,
    /// What waits for each city.
    lines: Lines,
    /// Who was heard of.
    contacts: Contacts,
    /// The size that each witness cosigned last.
    cosigned: Mutex<BTreeMap<NodeId, u64>>,
    /// The size of the newest checkpoint that this process signed.
    checkpointed: AtomicU64,
    /// What of the quotas is used.
    tallies: Tallies,
    /// Places of the requests that are worked on.
    requests: Places,
    /// How often each city had everything sent once more.
    passes: Passes,
    /// Which refusals of the witness were written down.
    refusals: Refusals,
    /// The node itself put a message into the outbox.
    enqueued: Notify,
    /// The node itself put a job.
    put: Notify,
    metrics: OnceLock<Metrics>,
}

impl Node {
    /// Puts a node together; nothing runs yet. From here on what messages say lies sealed in its store.
    pub fn new(parts: NodeParts) -> Result<Arc<Node>> {
        let door = Door::new(parts.desk.as_ref().clone(), parts.clock.clone());
        let clients = PeerClients::new(door, parts.identity.clone());
        Node::over(parts, Arc::new(clients))
    }

    /// The same over another wire, for simulation; it is driven by [`Node::work`] and [`Node::answer`].
    pub fn over(parts: NodeParts, clients: Arc<dyn Wire>) -> Result<Arc<Node>> {
        let me = parts.desk.me;
        let trust = parts.desk.trust();
        // A city that left still serves its own people.
        let city = trust.list.known(me);
        let city = city
            .ok_or_else(|| Violation::new("key-unknown", "trust-list", format!("{me} is no member")))?
            .clone();
        let lines = Lines::new(trust.list.cities.iter().map(|city| city.node));
        let ctx = Ctx::new(parts.clock.now(), Actor::System, me, parts.entropy.clone());
        parts.store.seal_messages(Sealer::new(Vault::new(parts.secrets.vault), parts.entropy.clone()));
        Ok(Arc::new(Node {
            me,
            holder: ctx.trace.to_string(),
            city,
            clients,
            membership: Membership::new(),
            lines,
            store: parts.store,
            desk: parts.desk,
            secrets: parts.secrets,
            witness_key: parts.witness_key,
            identity: parts.identity,
            clock: parts.clock,
            entropy: parts.entropy,
            handlers: parts.handlers.into_iter().map(|handler| (handler.service, handler)).collect(),
            jobs: parts.jobs.into_iter().collect(),
            stop: watch::Sender::new(false),
            offline: AtomicBool::new(false),
            contacts: Contacts::default(),
            standing: watch::Sender::new(Standing::Unknown),
            cosigned: Mutex::new(BTreeMap::new()),
            checkpointed: AtomicU64::new(0),
            tallies: Tallies::default(),
            requests: Places::new(),
            passes: Passes::default(),
            refusals: Refusals::default(),
            enqueued: Notify::new(),
            put: Notify::new(),
            metrics: OnceLock::new(),
        }))
    }

    /// From now on calls of and to other cities and jobs are counted; the first metrics stay.
    pub fn measure(&self, metrics: Metrics) {
        let _ = self.metrics.set(metrics);
    }

    /// Names this process among those that share the database.
    pub fn process(&self) -> &str {
        &self.holder
    }

    /// Asks other cities, and this one in process.
    pub fn peers(self: &Arc<Node>) -> Arc<NodePeers> {
        Arc::new(NodePeers::new(self.clone()))
    }

    /// Takes the node off the network and back, as if its line were cut; work inside the city goes on.
    pub fn set_offline(&self, offline: bool) {
        self.offline.store(offline, Ordering::SeqCst);
        if !offline {
            self.lines.all_open();
        }
    }

    /// Whether the line is cut.
    pub fn is_offline(&self) -> bool {
        self.offline.load(Ordering::SeqCst)
    }

    /// The trust list in force; another one may be at the next moment.
    pub fn trust(&self) -> Arc<SignedTrustList> {
        self.desk.trust()
    }

    /// How things stand with the store: while it is not sound, the node signs nothing and answers nobody.
    pub fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    /// Whether the node may sign; looks where nobody has yet.
    pub async fn is_sound(self: &Arc<Node>) -> bool {
        recovery::may_sign(self).await
    }

    /// Waits until the node may sign.
    pub async fn sound(&self) {
        // The sender is a field of this node, so the channel cannot close while we wait.
        let _ = self.standing.subscribe().wait_for(|standing| *standing == Standing::Sound).await;
    }

    /// What a node that is not sound waits for is logged when it changes; a sound one stays so.
    fn stand(&self, standing: Standing) {
        self.standing.send_if_modified(|known| {
            if *known == Standing::Sound || *known == standing {
                return false;
            }
            match &standing {
                Standing::Unknown | Standing::Sound => {}
                Standing::Recovering { taken, waits_for } => {
                    tracing::warn!(node = %self.me, %taken, ?waits_for, "the store came out of a backup; nothing is signed before the other cities have told what they hold");
                }
                Standing::Forked { city, problem } => {
                    tracing::error!(node = %self.me, %city, problem, "the restored log is not the one that was cosigned; nothing is signed, a person has to decide");
                }
            }
            *known = standing;
            true
        });
    }

    /// The other cities of the region.
    fn others(&self) -> Vec<NodeId> {
        let trust = self.desk.trust();
        let cities = trust.list.cities.iter().map(|city| city.node);
        cities.filter(|city| *city != self.me).collect()
    }

    /// Does work that signs, once the node may: before that not a single round of it.
    async fn once_sound(self: Arc<Node>, work: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = self.sound() => work.await,
            () = self.stopped() => {}
        }
    }

    /// Serves peers on the socket and runs the workers until [`Node::shut_down`].
    ///
    /// A worker that panics ends the node with a fault: half a node would look like a whole one.
    pub async fn run(self: Arc<Node>, socket: TcpListener) -> Result<()> {
        let mut tasks = JoinSet::new();
        self.listen(socket, &mut tasks)?;
        self.begin_work(&mut tasks);
        self.until_stopped(tasks).await
    }

    /// Serves peers on the socket until [`Node::shut_down`]; another process on the same database does the work.
    pub async fn serve(self: Arc<Node>, socket: TcpListener) -> Result<()> {
        let mut tasks = JoinSet::new();
        self.listen(socket, &mut tasks)?;
        tasks.spawn(recovery::attend(self.clone()));
        self.until_stopped(tasks).await
    }

    /// Runs the workers alone until [`Node::shut_down`]: beside processes that serve on the same database, or in
    /// simulation, where whoever carries requests here asks [`Node::answer`].
    pub async fn work(self: Arc<Node>) -> Result<()> {
        let mut tasks = JoinSet::new();
        self.begin_work(&mut tasks);
        self.until_stopped(tasks).await
    }

    /// Answers a request that came from a city by a wire of the caller's.
    pub async fn answer(self: Arc<Node>, peer: NodeId, request: axum::extract::Request) -> Response {
        server::answer_one(self, peer, request).await
    }

    fn listen(self: &Arc<Node>, socket: TcpListener, tasks: &mut JoinSet<()>) -> Result<()> {
        let door = Door::new(self.desk.as_ref().clone(), self.clock.clone());
        let config = tls::server_config(&self.identity, door.clone())?;
        let listener = TlsListener::new(socket, config, door);
        let listener = listener.map_err(|error| Fault::of("listening for peers", error))?;
        tasks.spawn(server::run(self.clone(), listener));
        Ok(())
    }

    fn begin_work(self: &Arc<Node>, tasks: &mut JoinSet<()>) {
        tasks.spawn(recovery::run(self.clone()));
        tasks.spawn(self.clone().once_sound(outbox::run(self.clone())));
        tasks.spawn(self.clone().once_sound(jobs::run(self.clone())));
        tasks.spawn(self.clone().once_sound(sequencer::run(self.clone())));
        tasks.spawn(nonces::run(self.clone()));
        tasks.spawn(membership::serve(self.clone()));
    }

    async fn until_stopped(self: Arc<Node>, mut tasks: JoinSet<()>) -> Result<()> {
        tasks.spawn(membership::run(self.clone()));
        let ended = self.attend(&mut tasks).await;
        self.shut_down();
        let within = Duration::from_secs(STOP_SECONDS_MAX);
        let finished = tokio::time::timeout(within, async { while tasks.join_next().await.is_some() {} });
        if finished.await.is_err() {
            tracing::warn!(node = %self.me, "some work did not end in time and was cut off");
        }
        ended
    }

    /// Waits until the node is told to stop, or a worker ends before that.
    async fn attend(&self, tasks: &mut JoinSet<()>) -> Result<()> {
        tokio::select! {
            biased;
            () = self.stopped() => Ok(()),
            ended = tasks.join_next() => match ended {
                Some(Err(error)) => Err(Fault::of("running the node", error).into()),
                Some(Ok(())) | None if !self.is_stopped() => {
                    Err(Fault::new("running the node: a worker ended by itself").into())
                }
                Some(Ok(())) | None => Ok(()),
            },
        }
    }

    /// Ends the loops; what is in work is finished, what waits stays stored.
    pub fn shut_down(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until the node is told to stop; at once where it was told already.
    async fn stopped(&self) {
        // The sender is a field of this node, so the channel cannot close while we wait.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }

    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    fn cosigned_sizes(&self) -> MutexGuard<'_, BTreeMap<NodeId, u64>> {
        self.cosigned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A context for one act of `actor`, at the present moment.
    fn ctx(&self, actor: Actor) -> Ctx {
        Ctx::new(self.clock.now(), actor, self.me, self.entropy.clone())
    }
}
