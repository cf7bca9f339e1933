//! Three cities in one process: a site and a store each, joined by peers that call the other side's handlers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::Value;
use tb_base::{Actor, Clock, Ctx, Entropy, NodeId, ResidentId, Result, Role, Uscc};
use tb_crypto::Vault;
use tb_exchange::{Answer, BoxFuture, Desk, Incoming, Outgoing, Peers};
use tb_identity::{people, seed};
use tb_licence::store::Issuer;
use tb_licence::types::Types;
use tb_store::inbox::Handler;
use tb_store::{Config, Store, Tx};
use tb_testregion::{Counter, Founded, Site, SiteParts, Stepped, account};
use tb_web::session::Lookup;

use crate::{Parts, module};

pub use tb_testregion::{CHANGSHA, Got, XIANGTAN, ZHUZHOU, node};

const DEFINITIONS: [(&str, &str); 3] = [
    ("resident_card.toml", include_str!("../../defs/licence/resident_card.toml")),
    (
        "road_transport_qualification.toml",
        include_str!("../../defs/licence/road_transport_qualification.toml"),
    ),
    ("business_licence.toml", include_str!("../../defs/licence/business_licence.toml")),
];

/// One city as its neighbours reach it.
struct Reached {
    desk: Arc<Desk>,
    store: Store,
    handlers: Vec<Handler>,
}

/// The lines between the cities.
struct Lines {
    cities: OnceLock<BTreeMap<NodeId, Reached>>,
    down: Mutex<BTreeSet<NodeId>>,
    /// Whether answers never come.
    hangs: AtomicBool,
    /// What somebody on the way changes: these letters into those.
    forged: Mutex<Option<(&'static str, &'static str)>>,
    clock: Arc<Stepped>,
    entropy: Arc<Mutex<dyn Entropy>>,
}

impl Peers for Lines {
    fn query(&self, _: Ctx, message: Outgoing) -> BoxFuture<'_, Result<Answer>> {
        Box::pin(self.carry(message))
    }
}

impl Lines {
    async fn carry(&self, message: Outgoing) -> Result<Answer> {
        let Outgoing { envelope, body } = message;
        let (from, to, now) = (envelope.from, envelope.to, self.clock.now());
        if self.down.lock().expect("lines").contains(&to) {
            return Err(tb_exchange::unavailable("湘潭市", "Xiangtan").into());
        }
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let city = &self.cities.get().expect("cities")[&to];
        city.desk.admit(&envelope, now)?;
        let incoming = Incoming { envelope, body, at: now, base_hash: [7; 32], evidence: Value::Null };
        let handler = city.handlers.iter().find(|it| it.service == incoming.envelope.service);
        let handle = Arc::clone(&handler.expect("offered").handle);
        let ctx = Ctx::new(now, Actor::Peer(from), to, Arc::clone(&self.entropy));
        let body = city.store.write("test.query", move |tx| handle(tx, &ctx, &incoming)).await?;
        let body = match *self.forged.lock().expect("lines") {
            None => body.to_string(),
            Some((from, to)) => body.to_string().replace(from, to),
        };
        Ok(Answer { from: to, body: body.into_bytes(), at: now })
    }
}

/// A city with its site.
pub struct City {
    pub store: Store,
    pub issuer: Arc<Issuer>,
    pub site: Site,
}

/// The region.
pub struct World {
    pub cities: BTreeMap<NodeId, City>,
    lines: Arc<Lines>,
    clock: Arc<Stepped>,
    entropy: Arc<Mutex<dyn Entropy>>,
}

impl World {
    /// Twenty people a city; only Xiangtan has issued licences.
    pub async fn new() -> World {
        let founded = Founded::new();
        let (entropy, clock) = (Arc::clone(&founded.entropy), Arc::new(Stepped::standing()));
        let lines = Arc::new(Lines {
            cities: OnceLock::new(),
            down: Mutex::default(),
            hangs: AtomicBool::new(false),
            forged: Mutex::default(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
        });
        let mut world = World { cities: BTreeMap::new(), lines, clock, entropy };
        let mut reached = BTreeMap::new();
        for node in founded.nodes {
            reached.insert(node, world.add(node, &founded).await);
        }
        assert!(world.lines.cities.set(reached).is_ok(), "set once");
        world
    }

    async fn add(&mut self, node: NodeId, founded: &Founded) -> Reached {
        let (desk, vault, secrets) = (founded.desk(node), founded.vault(node), &founded.secrets[&node]);
        let schemas = [tb_identity::SCHEMA, tb_licence::SCHEMA, tb_case::SCHEMA];
        let store = Store::open(&Config::memory(), &schemas).await.expect("a store");
        let first = format!("11{node}MB9900001");
        let letter = Uscc::check_letter(&first).expect("letters");
        let issuer = Arc::new(Issuer {
            vault: Arc::clone(&vault),
            key: Arc::new(secrets.licence_sm2.clone()),
            types: Arc::new(Types::load(&DEFINITIONS).expect("definitions")),
            city: node,
            uscc: format!("{first}{letter}").parse().expect("a code"),
        });
        self.plant(node, &store, &desk, &issuer).await;
        let module = module(Parts {
            desk: Arc::clone(&desk),
            issuer: Arc::clone(&issuer),
            item: Arc::new(|item| {
                (item == "121").then(|| ("从业资格证换发".to_owned(), "Renewal".to_owned()))
            }),
        });
        let parts = SiteParts {
            node,
            store: &store,
            desk: &desk,
            peers: Arc::clone(&self.lines) as Arc<dyn Peers>,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            entropy: &self.entropy,
            session: accounts(vault),
            form_page: "/verify",
        };
        let site = Site::of(parts, &module);
        self.cities.insert(node, City { store: store.clone(), issuer, site });
        Reached { desk, store, handlers: module.handlers }
    }

    async fn plant(&self, node: NodeId, store: &Store, desk: &Desk, issuer: &Arc<Issuer>) {
        let city = seed::city(seed::SEED, node, 20, 3).expect("a city");
        let ctx = self.ctx(node, Actor::System);
        let planted = seed::plant(store, &ctx, &issuer.vault, desk, None, city.clone()).await;
        assert!(planted.expect("a register"));
        if node.as_str() == XIANGTAN {
            let issuer = Arc::clone(issuer);
            let plant = move |tx: &mut Tx<'_>| tb_licence::seed::plant(tx, &ctx, &issuer, &city);
            assert!(0 < store.write("test.plant", plant).await.expect("licences"));
        }
    }

    pub fn ctx(&self, node: NodeId, actor: Actor) -> Ctx {
        Ctx::new(self.clock.now(), actor, node, Arc::clone(&self.entropy))
    }

    /// Runs a unit of work in a city's store.
    pub async fn write<T: Send + 'static>(
        &self,
        city: &str,
        work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> T {
        self.cities[&node(city)].store.write("test.write", work).await.expect("a unit of work")
    }

    pub fn pass_seconds(&self, seconds: i64) {
        self.clock.pass_seconds(seconds);
    }

    pub fn cut(&self, city: &str) {
        self.lines.down.lock().expect("lines").insert(node(city));
    }

    /// From now on answers arrive changed.
    pub fn forge(&self, from: &'static str, to: &'static str) {
        *self.lines.forged.lock().expect("lines") = Some((from, to));
    }

    /// From now on no answer ever comes, and no error either.
    pub fn hang(&self) {
        self.lines.hangs.store(true, Ordering::SeqCst);
    }

    pub fn mend(&self, city: &str) {
        self.lines.down.lock().expect("lines").remove(&node(city));
    }

    fn site(&self, city: &str) -> &Site {
        &self.cities[&node(city)].site
    }

    /// The page as a person gets it; `who` is one of the tokens of [`accounts`], or empty.
    pub async fn page(&self, city: &str, who: &str, path: &str) -> Got {
        self.site(city).page(who, path).await
    }

    /// The page as a program gets it.
    pub async fn get(&self, city: &str, who: &str, path: &str) -> Got {
        self.site(city).get(who, path).await
    }

    /// Sends a form as a program.
    pub async fn post(&self, city: &str, who: &str, path: &str, form: &str) -> Got {
        self.site(city).post(who, path, form).await
    }

    /// Sends a form as a browser.
    pub async fn post_page(&self, city: &str, who: &str, path: &str, form: &str) -> Got {
        self.site(city).post_page(who, path, form).await
    }
}

/// The sessions of the tests: the token names who it is.
fn accounts(vault: Arc<Vault>) -> Lookup {
    Arc::new(move |tx, token, now| {
        let resident = |tx: &mut Tx<'_>, number: ResidentId, level| {
            let found = people::by_number(tx, &vault, &number)?;
            Ok::<_, tb_base::Error>(found.map(|it| Actor::Resident { person: it.id, level }))
        };
        let staff_of = |role, office: &str| {
            let ctx = Ctx::new(now, Actor::System, node(CHANGSHA), Arc::new(Mutex::new(Counter(9_000))));
            let office = office.parse()?;
            Ok::<_, tb_base::Error>(Some(Actor::Staff { staff: ctx.id(tb_base::StaffId::new), role, office }))
        };
        let staff = |role| staff_of(role, "430200-transport");
        let actor = match token {
            "driver" => resident(tx, seed::driver()?.number, 3)?,
            "driver-unproven" => resident(tx, seed::driver()?.number, 2)?,
            "walkin" => resident(tx, seed::walk_in()?.number, 3)?,
            "local" => {
                let first = seed::city(seed::SEED, node(CHANGSHA), 20, 3)?;
                let known = first.people.into_iter().find(|it| it.kind == people::PersonKind::Household);
                resident(tx, known.expect("a household").number, 3)?
            }
            "inspector" => staff(Role::Inspector)?,
            "window" => staff(Role::Window)?,
            "bureau" => staff(Role::Bureau)?,
            "reviewer" => staff_of(Role::Reviewer, "430300-transport")?,
            "approver" => staff_of(Role::Approver, "430300-transport")?,
            "approver-market" => staff_of(Role::Approver, "430300-market")?,
            _ => None,
        };
        Ok(actor.map(|actor| account(token, actor)))
    })
}
