//! One running city (城市): its folder opened, its store at hand, its site and its exchange listening.

use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use tb_base::{Actor, Clock, Ctx, Entropy, Fault, NodeId, Result};
use tb_crypto::Vault;
use tb_exchange::package::Package;
use tb_exchange::{Peers, TrustList};
use tb_node::tls::Identity;
use tb_node::{Node, NodeParts};
use tb_store::{Config, Engine, Sealer, Store, Tx};
use tb_telemetry::metrics::Metrics;
use tb_web::limits::{Counting, Gate};
use tb_web::{App, AppParts, CityFront, DemoSettings, Module, Origins, RouteInfo};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::OsEntropy;
use crate::config::CityConfig;
use crate::keyring::KeyRing;
use crate::modules::{self, Parts};
use crate::observe::{self, Observer};
use crate::operations::{self, Operations};
use crate::pages::demo_front::DemoCity;
use crate::region::{CityFolder, Region};
use crate::resealing::{self, Keys};
use crate::{housekeeping, restoring, site, trust};

/// So long tasks that were cut off may hold the store of a city that ends.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// A city, ready to run.
pub struct City {
    /// Its code.
    pub node: NodeId,
    /// Its store.
    pub store: Store,
    /// What pages and workers share.
    pub parts: Arc<Parts>,
    /// Every address of its site, with the module that lists it.
    pub routes: Vec<(&'static str, RouteInfo)>,
    app: App,
    engine: Arc<Node>,
    site: axum::Router,
    origins: Origins,
    duty: Duty,
    stop_within: Duration,
    /// Health, readiness and figures.
    operations: Arc<Operations>,
    operations_socket: Option<TcpListener>,
    /// Of the site and of the exchange; a worker has none.
    sockets: Option<(TcpListener, TcpListener)>,
    folder: PathBuf,
    /// Every trust list that was in force.
    history: Vec<Package>,
    ring: KeyRing,
}

/// What a process of a city does (进程分工).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Site, exchange and the work behind them.
    Everything,
    /// Site and exchange; workers on the same database do the work.
    Front,
    /// The work alone: messages, jobs, the log and its witnesses.
    Work,
}

impl Duty {
    /// How it is named in log lines.
    pub fn name(self) -> &'static str {
        match self {
            Duty::Everything => "everything",
            Duty::Front => "front",
            Duty::Work => "worker",
        }
    }
}

/// What a city is opened with.
pub struct Opening<'a> {
    /// Its folder, read.
    pub folder: CityFolder,
    /// The region that it is in.
    pub region: &'a Region,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// What this process does.
    pub duty: Duty,
    /// Set in `demo` only.
    pub demo: Option<DemoSettings>,
}

impl City {
    /// Opens a city's folder: configuration, keys, trust list, contracts, database, sockets.
    pub async fn open(opening: Opening<'_>, extra: impl FnOnce(&Parts) -> Vec<Module>) -> Result<City> {
        let Opening { folder, region, clock, duty, demo } = opening;
        let node = folder.config.node;
        one_process_on_sqlite(&folder, duty)?;
        demo_on_loopback(&folder, demo.as_ref())?;
        let secure_cookies = own_site(&folder).starts_with("https://");
        let entropy: Arc<Mutex<dyn Entropy>> = Arc::new(Mutex::new(OsEntropy));
        let desk = folder.desk()?;
        let store = Store::open(&database(&folder), &modules::schemas()).await?;
        let metrics = Metrics::default();
        store.measure(metrics.clone());
        let secrets = Arc::new(folder.secrets);
        let vault = Arc::new(Vault::with_ring(secrets.vault, folder.ring.ring(clock.now())?));
        // Before anything is read or written: columns lie sealed, and every holder of the vault gets new keys at once.
        store.seal_messages(Sealer::new((*vault).clone(), entropy.clone()));
        let parts =
            Parts::new(store.clone(), Arc::new(desk), secrets.clone(), vault, demo.is_some(), &entropy)?;
        let parts = Arc::new(parts);
        let mut modules = modules::all(&parts)?;
        modules.extend(extra(&parts));
        let engine = Node::new(NodeParts {
            store: store.clone(),
            desk: parts.desk.clone(),
            secrets,
            witness_key: folder.witness,
            identity: folder.identity.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            handlers: modules.iter().flat_map(|module| module.handlers.clone()).collect(),
            jobs: jobs(&modules),
        })?;
        trust::keep_in(&engine, folder.path.clone());
        engine.measure(metrics.clone());
        let operations = watched(&folder.config, folder.identity, duty, &store, &clock, &engine, &metrics);
        let peers: Arc<dyn Peers> = engine.peers();
        let app = App::new(AppParts {
            node,
            store: store.clone(),
            desk: parts.desk.clone(),
            peers,
            clock,
            entropy,
            cities: fronts(region, &folder.trust.list),
            session: t01_data_platform::session_lookup(parts.vault.clone()),
            nav: modules::navigation(),
            secure_cookies,
            demo,
        });
        let origins = folder.config.origins()?;
        let app = guarded(app, &parts, &folder.config, origins.clone());
        let site = observed(&app, &modules, &engine, Observer { node, metrics });
        let (sockets, operations_socket) = listen(&folder.config, duty).await?;
        Ok(City {
            node,
            store,
            parts,
            routes: addresses(&modules),
            app,
            engine,
            site,
            origins,
            duty,
            stop_within: Duration::from_secs(folder.config.limits.stop_seconds),
            operations,
            operations_socket,
            sockets,
            folder: folder.path,
            history: folder.history,
            ring: folder.ring,
        })
    }

    /// The site's application.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The node, to cut its line in the demo.
    pub fn engine(&self) -> &Arc<Node> {
        &self.engine
    }

    /// The city as the demo's pages reach it.
    pub fn in_demo(&self) -> DemoCity {
        DemoCity { node: self.node, engine: self.engine.clone(), parts: self.parts.clone() }
    }

    /// A context for what the city does itself.
    pub fn ctx(&self) -> Ctx {
        self.app.ctx(Actor::System)
    }

    /// Runs the node alone, before the door of the city opens; it ends when the engine is told to.
    pub async fn run_node(&mut self) -> Result<JoinHandle<Result<()>>> {
        begin(&self.store, self.ctx(), self.history.clone(), self.duty).await?;
        let sockets = self.sockets.take();
        Ok(tokio::spawn(drive(self.engine.clone(), self.duty, sockets.map(|(_, exchange)| exchange))))
    }

    /// Closes a city whose door never opened.
    pub async fn close(self) {
        let City { store, parts, app, engine, site, operations, sockets, operations_socket, .. } = self;
        drop((parts, app, engine, site, operations, sockets, operations_socket));
        store.close().await;
    }

    /// Serves until told to stop; requests and messages in work are finished. A node that fails ends the city.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<()> {
        let ctx = self.ctx();
        let City {
            node,
            store,
            engine,
            site,
            origins,
            sockets,
            parts,
            app,
            duty,
            stop_within,
            operations,
            operations_socket,
            folder,
            history,
            ring,
            routes: _,
        } = self;
        begin(&store, ctx, history, duty).await?;
        let watching = tokio::spawn(trust::watch(folder, engine.clone()));
        operations::appear(&operations).await?;
        tracing::info!(city = %node, duty = duty.name(), process = engine.process(), "ready");
        let site_stop = watch::Sender::new(false);
        let beating = tokio::spawn(operations::beat(operations.clone(), site_stop.subscribe()));
        let told = operations_socket
            .map(|socket| tokio::spawn(operations::serve(socket, operations, site_stop.subscribe())));
        let (site_socket, exchange_socket) = sockets.unzip();
        let site_task =
            site_socket.map(|socket| tokio::spawn(site::serve(socket, site, origins, site_stop.subscribe())));
        let mut engine_task = tokio::spawn(drive(engine.clone(), duty, exchange_socket));
        let keys = Keys { ring, vault: parts.vault.clone(), store: store.clone(), clock: app.clock.clone() };
        let keys_task = tokio::spawn(resealing::follow_keys(keys, site_stop.subscribe()));
        let failed = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => None,
            ended = &mut engine_task => Some(ended),
        };
        watching.abort();
        site_stop.send_replace(true);
        engine.shut_down();
        let running = failed.is_none();
        let ended = tokio::time::timeout(stop_within, async {
            if let Some(site_task) = site_task {
                let _ = site_task.await;
            }
            let _ = keys_task.await;
            let _ = watching.await;
            if running {
                let _ = engine_task.await;
            }
            let _ = beating.await;
            if let Some(told) = told {
                let _ = told.await;
            }
        });
        if ended.await.is_err() {
            tracing::warn!(%node, "some requests did not end in time and were cut off");
        }
        drop((engine, parts, app));
        store.close_last(CLOSE_WITHIN).await;
        match failed {
            None => Ok(()),
            Some(Ok(outcome)) => outcome,
            Some(Err(error)) => Err(Fault::of(format!("running the node of {node}"), error).into()),
        }
    }
}

/// Writes down the trust lists that are in force and were, and what is to be done by and by.
async fn begin(store: &Store, ctx: Ctx, history: Vec<Package>, duty: Duty) -> Result<()> {
    let now = ctx.now;
    let begin = move |tx: &mut Tx<'_>| {
        history.iter().try_for_each(|package| tb_store::trust::put(tx, &ctx, package))?;
        if duty == Duty::Front { Ok(()) } else { housekeeping::begin(tx, ctx.now) }
    };
    store.write("city.begin", begin).await?;
    if duty == Duty::Front { Ok(()) } else { resealing::begin(store, now).await }
}

/// Every address that the modules list.
fn addresses(modules: &[Module]) -> Vec<(&'static str, RouteInfo)> {
    let of = |module: &Module| {
        let id = module.id;
        module.route_list.iter().map(move |route| (id, *route))
    };
    modules.iter().flat_map(of).collect()
}

/// Every kind of job that the modules do.
fn jobs(modules: &[Module]) -> Vec<(&'static str, tb_web::RunJob)> {
    modules.iter().flat_map(|module| module.jobs.iter().map(|job| (job.kind, job.run.clone()))).collect()
}

/// The application with what keeps sessions, callers and forms in order.
fn guarded(app: App, parts: &Parts, config: &CityConfig, origins: Origins) -> App {
    let counting = if app.demo.is_some() { Counting::Off } else { config.limits.requests };
    app.keeping(modules::keep_session(parts.vault.clone()))
        .ending(modules::end_session())
        .behind(Gate::new(counting, origins))
        .binding_forms_by(parts.vault.tag("form", config.node.as_str()))
}

/// The pages, behind that of a city that is being restored, with headers and log lines around both.
fn observed(app: &App, modules: &[Module], engine: &Arc<Node>, observer: Observer) -> axum::Router {
    let restored = engine.clone();
    tb_web::site_behind(app.clone(), modules, |site| restoring::until_sound(site, restored))
        .layer(from_fn_with_state(Arc::new(observer), observe::request))
}

/// What the operator's socket tells of.
fn watched(
    config: &CityConfig,
    identity: Identity,
    duty: Duty,
    store: &Store,
    clock: &Arc<dyn Clock>,
    engine: &Arc<Node>,
    metrics: &Metrics,
) -> Arc<Operations> {
    Arc::new(Operations {
        node: config.node,
        store: store.clone(),
        engine: engine.clone(),
        identity,
        clock: clock.clone(),
        duty,
        process: engine.process().to_owned(),
        metrics: metrics.clone(),
        warn: config.warn.clone(),
        file: config.is_sqlite().then(|| config.sqlite_file()),
        written: AtomicI64::new(0),
    })
}

/// What the node does in this process.
async fn drive(engine: Arc<Node>, duty: Duty, exchange: Option<TcpListener>) -> Result<()> {
    match exchange {
        None => engine.work().await,
        Some(socket) if duty == Duty::Front => engine.serve(socket).await,
        Some(socket) => engine.run(socket).await,
    }
}

/// A SQLite file has one process, which does everything: a second one would find it locked, and half of one would
/// leave half the work undone without a word.
fn one_process_on_sqlite(folder: &CityFolder, duty: Duty) -> Result<()> {
    if duty == Duty::Everything || !folder.config.is_sqlite() {
        return Ok(());
    }
    let what = if duty == Duty::Work { "a worker" } else { "a front without workers" };
    Err(Fault::new(format!(
        "starting {what}: a SQLite file is one process's own, and `tongban serve` does all the work there; \
         for several processes set database in {} to PostgreSQL",
        folder.path.join(crate::config::FILE).display()
    ))
    .into())
}

/// One-click sign-in must not be reached from elsewhere.
fn demo_on_loopback(folder: &CityFolder, demo: Option<&DemoSettings>) -> Result<()> {
    let site = folder.config.site;
    if demo.is_none() || site.ip().is_loopback() {
        return Ok(());
    }
    Err(Fault::new(format!("opening the demo on {site}: one-click sign-in exists on loopback only")).into())
}

/// The sockets of the site and the exchange, which a worker has not, and that of the operations address.
async fn listen(
    config: &CityConfig,
    duty: Duty,
) -> Result<(Option<(TcpListener, TcpListener)>, Option<TcpListener>)> {
    let operations = match config.operations {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let sockets = match duty {
        Duty::Work => None,
        Duty::Everything | Duty::Front => Some((bind(config.site).await?, bind(config.exchange).await?)),
    };
    Ok((sockets, operations))
}

/// How people reach the site.
pub(crate) fn own_site(folder: &CityFolder) -> &str {
    if folder.config.site_url.is_empty() {
        folder.trust.list.city(folder.config.node).map_or("", |city| city.site_url.as_str())
    } else {
        &folder.config.site_url
    }
}

/// The database that a city's configuration names.
pub fn database(folder: &CityFolder) -> Config {
    database_of(&folder.config)
}

/// The same without the keys, which may be lost.
pub fn database_of(config: &CityConfig) -> Config {
    let engine = match config.database.as_str() {
        crate::config::SQLITE => Engine::Sqlite(config.sqlite_file()),
        url => Engine::Postgres { url: url.to_owned(), schema: config.schema.clone() },
    };
    Config { engine, inline: false }
}

fn fronts(region: &Region, trust: &TrustList) -> Vec<CityFront> {
    let front = |city: &crate::region::RegionCity| CityFront {
        node: city.node,
        name: city.short.clone(),
        name_en: city.name_en.clone(),
        app: city.app.clone(),
        seal: city.seal.clone(),
        colour: city.colour.clone(),
        site_url: trust.city(city.node).map(|it| it.site_url.clone()).unwrap_or_default(),
    };
    region.city.iter().map(front).collect()
}

async fn bind(address: std::net::SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        Fault::of(
            format!("listening on {address}; another program may use this port (--port BASE moves all)"),
            error,
        )
        .into()
    })
}
