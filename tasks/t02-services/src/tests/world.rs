//! Three cities in one process: a site and a store each, joined by peers and an outbox that call the
//! other side's handlers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::Value;
use tb_base::{Actor, Calendar, Clock, Ctx, Entropy, NodeId, Refusal, ResidentId, Result, Role, Uscc};
use tb_case::Env;
use tb_crypto::Vault;
use tb_exchange::{Answer, BoxFuture, Desk, Incoming, Outgoing, Peers, Receipt, ReceiptKind};
use tb_identity::enterprises::Enterprise;
use tb_identity::{people, seed};
use tb_licence::store::Issuer;
use tb_licence::types::Types;
use tb_store::inbox::Handler;
use tb_store::{Config, Store, Tx, inbox, outbox};
use tb_testregion::{Founded, Site, SiteParts, Stepped, account, staff};
use tb_web::session::{Account, Acting, Lookup};

use crate::{Parts, module};

pub use tb_testregion::{CHANGSHA, Got, NOON, XIANGTAN, node};

const DEFINITIONS: [(&str, &str); 3] = [
    ("resident_card.toml", include_str!("../../../t03-recognition/defs/licence/resident_card.toml")),
    (
        "road_transport_qualification.toml",
        include_str!("../../../t03-recognition/defs/licence/road_transport_qualification.toml"),
    ),
    ("business_licence.toml", include_str!("../../../t03-recognition/defs/licence/business_licence.toml")),
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
            return Err(
                Refusal::not_now("EXC-PEER-001", "湘潭市暂时没有应答", "Xiangtan does not answer").into()
            );
        }
        let city = &self.cities.get().expect("cities")[&to];
        city.desk.admit(&envelope, now)?;
        let incoming = Incoming { envelope, body, at: now, base_hash: [7; 32], evidence: Value::Null };
        let handler = city.handlers.iter().find(|it| it.service == incoming.envelope.service);
        let handle = Arc::clone(&handler.expect("offered").handle);
        let ctx = Ctx::new(now, Actor::Peer(from), to, Arc::clone(&self.entropy));
        let body = city.store.write("test.query", move |tx| handle(tx, &ctx, &incoming)).await?;
        Ok(Answer { from: to, body: body.to_string().into_bytes(), at: now })
    }
}

/// A city with its site.
pub struct City {
    pub store: Store,
    pub env: Arc<Env>,
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
        let (entropy, clock) = (Arc::clone(&founded.entropy), Arc::new(Stepped::running()));
        let lines = Arc::new(Lines {
            cities: OnceLock::new(),
            down: Mutex::default(),
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
        let schemas = [tb_identity::SCHEMA, tb_licence::SCHEMA, tb_case::SCHEMA, tb_counter::SCHEMA];
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
        let catalogue = crate::defs::catalogue().expect("the shipped definitions");
        let calendar = Arc::new(Calendar::national().clone());
        let env = crate::env(&desk, &catalogue, &calendar, &vault, &issuer);
        let module = module(Parts {
            vault: Arc::clone(&vault),
            secrets: Arc::new(secrets.clone()),
            desk: Arc::clone(&desk),
            issuer: Arc::clone(&issuer),
            types: Arc::clone(&issuer.types),
            finding: crate::defs::finding(&catalogue).expect("the shipped words"),
            catalogue,
            calendar,
            env: Arc::clone(&env),
        });
        let parts = SiteParts {
            node,
            store: &store,
            desk: &desk,
            peers: Arc::clone(&self.lines) as Arc<dyn Peers>,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            entropy: &self.entropy,
            session: accounts(vault),
            form_page: "/items",
        };
        let site = Site::of(parts, &module);
        let mut handlers = module.handlers;
        handlers.extend(tb_licence::peer::handlers(&desk, &issuer));
        self.cities.insert(node, City { store: store.clone(), env, site });
        Reached { desk, store, handlers }
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

    /// What opens a city's sealed data.
    pub fn vault(&self, city: &str) -> Arc<Vault> {
        self.cities[&node(city)].env.vault.clone()
    }

    pub fn pass_seconds(&self, seconds: i64) {
        self.clock.pass_seconds(seconds);
    }

    pub fn cut(&self, city: &str) {
        self.lines.down.lock().expect("lines").insert(node(city));
    }

    pub fn mend(&self, city: &str) {
        self.lines.down.lock().expect("lines").remove(&node(city));
    }

    /// Delivers everything that waits until nothing does; a city that is cut off gets nothing.
    pub async fn exchange(&self) {
        for _ in 0..10 {
            let mut moved = false;
            for node in self.cities.keys() {
                moved |= self.send_all(*node).await;
            }
            if !moved {
                return;
            }
        }
        panic!("messages go round in circles");
    }

    async fn send_all(&self, from: NodeId) -> bool {
        let now = self.clock.now();
        let waiting = move |tx: &mut Tx<'_>| {
            let mut waiting = Vec::new();
            for to in outbox::recipients(tx)? {
                for one in outbox::line(tx, now, to, "messenger", 100)? {
                    waiting.extend(outbox::find(tx, one.id)?);
                }
            }
            Ok(waiting)
        };
        let waiting = self.cities[&from].store.read("test.waiting", waiting).await.expect("an outbox");
        let down = self.lines.down.lock().expect("lines").clone();
        let mut moved = false;
        for sent in waiting.into_iter().filter(|sent| !down.contains(&sent.message.envelope.to)) {
            moved = true;
            self.deliver(from, sent.message).await;
        }
        moved
    }

    async fn deliver(&self, from: NodeId, message: Outgoing) {
        let (now, id, to) = (self.clock.now(), message.envelope.id, message.envelope.to);
        let Outgoing { envelope, body } = message;
        let city = &self.lines.cities.get().expect("cities")[&to];
        city.desk.admit(&envelope, now).expect("admitted");
        let incoming = Incoming { envelope, body, at: now, base_hash: [7; 32], evidence: Value::Null };
        let handler =
            city.handlers.iter().find(|it| it.service == incoming.envelope.service).expect("offered").clone();
        let ctx = Ctx::new(now, Actor::Peer(from), to, Arc::clone(&self.entropy));
        let receive = move |tx: &mut Tx<'_>| inbox::receive(tx, &ctx, &handler, &incoming);
        let (kept, _) = city.store.write("test.receive", receive).await.expect("received");
        let (kind, refusal) = match kept.outcome {
            inbox::Outcome::Refused(refusal) => (ReceiptKind::Rejected, Some(refusal)),
            inbox::Outcome::Answered(_) | inbox::Outcome::Received => (ReceiptKind::Processed, None),
        };
        let receipt = Receipt { message: id, kind, at: now, leaf: "00".repeat(32), refusal };
        let settle = move |tx: &mut Tx<'_>| outbox::settled(tx, now, id, &receipt, &Value::Null);
        self.cities[&from].store.write("test.settled", settle).await.expect("settled");
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

    /// Sends a form with one file, as a program.
    pub async fn post_file(&self, city: &str, who: &str, path: &str, file: (&str, &str, &[u8])) -> Got {
        self.site(city).post_file(who, path, file).await
    }
}

/// The member of staff behind a token.
pub fn staff_of(token: &str) -> tb_base::StaffId {
    staff(token.trim_end_matches("-promoted"))
}

/// The enterprise that the agent of Changsha is granted to act for.
pub fn firm() -> Result<Enterprise> {
    let city = seed::city(seed::SEED, node(CHANGSHA), 20, 3)?;
    Ok(city.enterprises.into_iter().next().expect("an enterprise"))
}

/// The sessions of the tests: the token names who it is.
fn accounts(vault: Arc<Vault>) -> Lookup {
    Arc::new(move |tx, token, _| {
        let resident = |tx: &mut Tx<'_>, number: ResidentId, level| {
            let found = people::by_number(tx, &vault, &number)?;
            Ok::<_, tb_base::Error>(found.map(|it| Actor::Resident { person: it.id, level }))
        };
        // Each token is a member of staff of its own, the same at any time.
        let staff = |role, office: &str| {
            let staff = staff_of(token);
            Ok::<_, tb_base::Error>(Some(Actor::Staff { staff, role, office: office.parse()? }))
        };
        let actor = match token {
            "driver" | "driver-acting" => resident(tx, seed::driver()?.number, 3)?,
            "driver-unproven" => resident(tx, seed::driver()?.number, 2)?,
            "walkin" => resident(tx, seed::walk_in()?.number, 3)?,
            "local" => {
                let first = seed::city(seed::SEED, node(CHANGSHA), 20, 3)?;
                let known = first.people.into_iter().find(|it| it.kind == people::PersonKind::Household);
                resident(tx, known.expect("a household").number, 3)?
            }
            "window" => staff(Role::Window, "430100-hall-1")?,
            "window-colleague" => staff(Role::Window, "430100-hall-1")?,
            "window-elsewhere" => staff(Role::Window, "430100-hall-2")?,
            "reviewer" => staff(Role::Reviewer, "430300-transport")?,
            "reviewer-promoted" => staff(Role::Approver, "430300-transport")?,
            "approver" => staff(Role::Approver, "430300-transport")?,
            "reviewer-elsewhere" => staff(Role::Reviewer, "430300-housing")?,
            "reviewer-changsha" => staff(Role::Reviewer, "430100-transport")?,
            "supervisor" => staff(Role::Supervisor, "430300-supervision")?,
            _ => None,
        };
        let acting = match token {
            "driver-acting" => {
                let firm = firm()?;
                Some(Acting { code: firm.uscc, name: firm.name })
            }
            _ => None,
        };
        Ok(actor.map(|actor| Account { acting, ..account(token, actor) }))
    })
}
