//! Two cities (双城) of a region of three in this process: real stores, real TLS, runtimes of their own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tb_base::{Actor, CaseId, Clock, Ctx, Entropy, NodeId};
use tb_exchange::founding::{Charter, Founder, Member, found};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::{
    Desk, Incoming, Outgoing, Peers, Purpose, ServiceTerms, SignedContract, SignedTrustList, service,
};
use tb_node::tls::Identity;
use tb_node::{Node, NodeParts, NodePeers};
use tb_store::inbox::Handler;
use tb_store::{Config, Engine, Store};
use tb_testkit::Folder;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tongban::clock::{OsEntropy, SystemClock};

use crate::load::Caller;
use crate::measure::{Outcome, words};
use crate::sqlite::runtime;

/// The city that asks, the one that answers, and the third, which is off the network.
const NODES: [&str; 3] = ["430100", "430300", "430200"];
/// The service that is asked for: it gives back what it got.
const SERVICE: &str = service::LICENCE_LOCATE;
const ITEM: &str = "121";
const QUOTA: u32 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;
const DRIVER: &str = "430302199003072024";

/// A city before it runs.
struct Seat {
    node: NodeId,
    secrets: Arc<Secrets>,
    witness: WitnessKey,
    identity: Identity,
    socket: std::net::TcpListener,
}

/// A running city.
pub struct City {
    /// Its desk.
    pub desk: Arc<Desk>,
    /// Where it asks others.
    pub peers: Arc<NodePeers>,
    /// Its threads.
    pub runtime: Runtime,
    engine: Arc<Node>,
    task: JoinHandle<tb_base::Result<()>>,
}

/// The cities that run, the one that asks first.
pub struct Region {
    /// Cities in order of [`NODES`].
    pub cities: Vec<City>,
    _folder: Folder,
}

impl Region {
    /// Founds the region and starts the first two cities.
    pub fn start() -> Outcome<Region> {
        let folder = Folder::new("bench-region");
        let members = NODES.iter().map(|node| member(node)).collect::<Outcome<Vec<_>>>()?;
        let now = SystemClock::real().now();
        let charter = Charter {
            region: "czt".to_owned(),
            not_before: now.plus_seconds(-DAY_SECONDS),
            not_after: now.plus_seconds(365 * DAY_SECONDS),
            services: terms(),
            retention_days: 365,
        };
        let founders = members.iter().map(founder).collect::<Outcome<Vec<_>>>()?;
        let (trust, contracts) = found(&charter, &founders).map_err(words)?;
        drop(founders);
        let cities = members
            .into_iter()
            .take(2)
            .map(|member| start(member, &folder, &trust, &contracts))
            .collect::<Outcome<_>>()?;
        Ok(Region { cities, _folder: folder })
    }

    /// Ends both cities.
    pub fn stop(self) {
        for city in &self.cities {
            city.engine.shut_down();
        }
        for city in self.cities {
            drop(city.runtime.block_on(city.task));
        }
    }
}

fn member(node: &str) -> Outcome<Seat> {
    let node: NodeId = node.parse().map_err(|_| "a city's code")?;
    Ok(Seat {
        node,
        secrets: Arc::new(Secrets::generate(&mut OsEntropy)),
        witness: WitnessKey::generate(&mut OsEntropy),
        identity: Identity::generate(node).map_err(words)?,
        socket: std::net::TcpListener::bind("127.0.0.1:0").map_err(words)?,
    })
}

fn founder(member: &Seat) -> Outcome<Founder<'_>> {
    let address = member.socket.local_addr().map_err(words)?;
    let listed = Member {
        node: member.node,
        name: format!("{}市", member.node),
        name_en: format!("City {}", member.node),
        app: "某通".to_owned(),
        exchange_url: format!("https://{address}"),
        site_url: "http://127.0.0.1:1".to_owned(),
        tls_sha256: member.identity.fingerprint(),
    };
    Ok(Founder { member: listed, secrets: &member.secrets, witness: &member.witness })
}

fn terms() -> BTreeMap<String, ServiceTerms> {
    let terms = ServiceTerms {
        purposes: [ITEM.to_owned()].into(),
        fields: ["name".to_owned()].into(),
        quota_per_day: QUOTA,
    };
    service::ALL.iter().map(|name| ((*name).to_owned(), terms.clone())).collect()
}

fn start(
    member: Seat,
    folder: &Folder,
    trust: &SignedTrustList,
    contracts: &[SignedContract],
) -> Outcome<City> {
    let Seat { node, secrets, witness, identity, socket } = member;
    let runtime = runtime()?;
    let engine = Engine::Sqlite(folder.file(&format!("{node}.db")));
    let store = runtime.block_on(Store::open(&Config { engine, inline: false }, &[])).map_err(words)?;
    let desk = Arc::new(Desk::new(node, trust.clone(), contracts.to_vec(), &secrets).map_err(words)?);
    let echo = Handler {
        service: SERVICE,
        query: true,
        handle: Arc::new(|_, _, incoming: &Incoming| incoming.parse()),
    };
    let entropy: Arc<Mutex<dyn Entropy>> = Arc::new(Mutex::new(OsEntropy));
    let engine = Node::new(NodeParts {
        store,
        desk: desk.clone(),
        secrets,
        witness_key: witness,
        identity,
        clock: SystemClock::real(),
        entropy,
        handlers: vec![echo],
        jobs: Vec::new(),
    })
    .map_err(words)?;
    socket.set_nonblocking(true).map_err(words)?;
    let (running, peers) = (engine.clone(), engine.peers());
    let task = runtime.spawn(async move {
        let socket = TcpListener::from_std(socket)
            .map_err(|error| tb_base::Fault::of("listening in the benchmark", error))?;
        running.run(socket).await
    });
    Ok(City { desk, peers, runtime, engine, task })
}

/// Asks the second city in the name of the first.
pub struct CityCaller {
    desk: Arc<Desk>,
    peers: Arc<NodePeers>,
    body: serde_json::Value,
    entropy: Arc<Mutex<dyn Entropy>>,
}

impl CityCaller {
    /// One that asks with this body.
    pub fn new(city: &City, body: &serde_json::Value) -> CityCaller {
        CityCaller {
            desk: city.desk.clone(),
            peers: city.peers.clone(),
            body: body.clone(),
            entropy: Arc::new(Mutex::new(OsEntropy)),
        }
    }

    /// A message about a person, as a window would send it.
    pub fn compose(&self) -> Outcome<(Ctx, Outgoing)> {
        let ctx = Ctx::new(SystemClock::real().now(), Actor::System, self.desk.me, self.entropy.clone());
        let case: CaseId = "01kq3zt0000000000000000000".parse().map_err(|_| "a case's number")?;
        let purpose = Purpose { item: ITEM.to_owned(), case: Some(case), basis: "case".to_owned() };
        let to = NODES[1].parse().map_err(|_| "a city's code")?;
        let deadline = ctx.now.plus_seconds(60);
        let actor = "window/430100-hall-1";
        let message =
            self.desk.compose(&ctx, to, SERVICE, purpose, actor, Some(DRIVER), &self.body, deadline);
        Ok((ctx, message.map_err(words)?))
    }
}

impl Caller for CityCaller {
    async fn ask(&mut self) -> Outcome<()> {
        let (ctx, message) = self.compose()?;
        let answer = self.peers.query(ctx, message).await.map_err(words)?;
        if answer.body.len() < 1_000 { Err("the answer is too short".to_owned()) } else { Ok(()) }
    }
}
