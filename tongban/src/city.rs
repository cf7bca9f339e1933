//! One running city (城市): its folder opened, its store at hand, its site and its exchange listening.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tb_base::{Actor, Clock, Ctx, Entropy, Fault, NodeId, Result};
use tb_crypto::Vault;
use tb_exchange::{Desk, Peers, TrustList};
use tb_node::{Node, NodeParts};
use tb_store::{Config, Engine, Store};
use tb_web::{App, AppParts, CityFront, DemoSettings, Module};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::clock::OsEntropy;
use crate::modules::{self, Parts};
use crate::region::{CityFolder, Region};
use crate::{housekeeping, site};

/// How long requests in work may take when the city stops.
const STOP_SECONDS_MAX: u64 = 10;

/// A city, ready to run.
pub struct City {
    /// Its code.
    pub node: NodeId,
    /// Its store.
    pub store: Store,
    /// What pages and workers share.
    pub parts: Arc<Parts>,
    app: App,
    engine: Arc<Node>,
    site: axum::Router,
    listeners: (TcpListener, TcpListener),
}

impl City {
    /// Opens a city's folder: configuration, keys, trust list, contracts, database, sockets.
    pub async fn open(
        folder: &Path,
        region: &Region,
        clock: Arc<dyn Clock>,
        demo: Option<DemoSettings>,
        extra: impl FnOnce(&Parts) -> Vec<Module>,
    ) -> Result<City> {
        let folder = CityFolder::open(folder)?;
        let node = folder.config.node;
        if demo.is_some() && !folder.config.site.ip().is_loopback() {
            let problem = format!(
                "opening the demo on {}: one-click sign-in exists on loopback only",
                folder.config.site
            );
            return Err(Fault::new(problem).into());
        }
        let entropy: Arc<Mutex<dyn Entropy>> = Arc::new(Mutex::new(OsEntropy));
        let desk = Desk::new(node, folder.trust.clone(), folder.contracts.clone(), &folder.secrets)?;
        let store = Store::open(&database(&folder), &modules::schemas()).await?;
        let secrets = Arc::new(folder.secrets);
        let vault = Arc::new(Vault::new(secrets.vault));
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
            identity: folder.identity,
            clock: clock.clone(),
            entropy: entropy.clone(),
            handlers: modules.iter().flat_map(|module| module.handlers.clone()).collect(),
            jobs: modules
                .iter()
                .flat_map(|module| module.jobs.iter().map(|job| (job.kind, job.run.clone())))
                .collect(),
        })?;
        let peers: Arc<dyn Peers> = engine.peers();
        let own_site = folder.trust.list.city(node).map_or("", |city| city.site_url.as_str());
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
            secure_cookies: own_site.starts_with("https://"),
            demo,
        });
        let app = app.keeping(modules::keep_session(parts.vault.clone()));
        let site = tb_web::site(app.clone(), &modules);
        let listeners = (bind(folder.config.site).await?, bind(folder.config.exchange).await?);
        Ok(City { node, store, parts, app, engine, site, listeners })
    }

    /// The site's application.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The node, to cut its line in the demo.
    pub fn engine(&self) -> &Arc<Node> {
        &self.engine
    }

    /// A context for what the city does itself.
    pub fn ctx(&self) -> Ctx {
        self.app.ctx(Actor::System)
    }

    /// Closes a city that never ran.
    pub async fn close(self) {
        let City { store, parts, app, engine, site, listeners, .. } = self;
        drop((parts, app, engine, site, listeners));
        store.close().await;
    }

    /// Serves until told to stop; requests and messages in work are finished. A node that fails ends the city.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<()> {
        let City { node, store, engine, site, listeners: (site_socket, exchange_socket), parts, app } = self;
        let now = app.clock.now();
        store.write("city.begin", move |tx| housekeeping::begin(tx, now)).await?;
        let site_stop = watch::Sender::new(false);
        let site_task = tokio::spawn(site::serve(site_socket, site, site_stop.subscribe()));
        let mut engine_task = tokio::spawn(engine.clone().run(exchange_socket));
        let failed = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => None,
            ended = &mut engine_task => Some(ended),
        };
        site_stop.send_replace(true);
        engine.shut_down();
        let running = failed.is_none();
        let within = std::time::Duration::from_secs(STOP_SECONDS_MAX);
        let ended = tokio::time::timeout(within, async {
            let _ = site_task.await;
            if running {
                let _ = engine_task.await;
            }
        });
        if ended.await.is_err() {
            tracing::warn!(%node, "some requests did not end in time and were cut off");
        }
        drop((engine, parts, app));
        store.close().await;
        match failed {
            None => Ok(()),
            Some(Ok(outcome)) => outcome,
            Some(Err(error)) => Err(Fault::of(format!("running the node of {node}"), error).into()),
        }
    }
}

fn database(folder: &CityFolder) -> Config {
    let engine = match folder.config.database.as_str() {
        "sqlite" => Engine::Sqlite(folder.path.join("city.db")),
        url => Engine::Postgres { url: url.to_owned(), schema: folder.config.schema.clone() },
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
