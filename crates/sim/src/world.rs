//! The world of a run (模拟世界): three cities on their disks, their lives and deaths, and a common time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tb_base::{Actor, Clock, Ctx, Date, Entropy, Fault, NodeId, PersonId, Result, Role, StaffId, Timestamp};
use tb_case::{Env, timers};
use tb_identity::people::{self, Person, PersonKind, PersonStatus};
use tb_node::tls::Identity;
use tb_node::{Node, NodeParts};
use tb_store::{Config, Engine, Moment, Store, Tx};
use tb_testkit::Folder;
use tokio::time::Instant;

use crate::dice::Dice;
use crate::effects;
use crate::liar::Liar;
use crate::life::{Death, Life};
use crate::net::{Net, SimWire};
use crate::region::Region;
use crate::storm::{Planted, Storm};
use crate::trace::Trace;

/// The resident number of everybody's driver; it must not be found in any log.
pub const DRIVER: &str = "43030419900307202X";
/// A Monday of a year whose holidays are announced.
const FIRST_DAY: &str = "2026-09-14";
/// How long a city is down, in seconds, at the most.
const DOWN_SECONDS_MAX: u64 = 40;

/// One city of the world.
pub struct City {
    /// Its code.
    pub node: NodeId,
    /// What its blocks need.
    pub env: Env,
    clock: Arc<SimClock>,
    /// The driver in this city's register.
    pub person: PersonId,
    dice: Mutex<Dice>,
}

/// The world.
pub struct World {
    /// The region.
    pub region: Region,
    /// The cities.
    pub cities: BTreeMap<NodeId, City>,
    /// The network.
    pub net: Arc<Net>,
    /// What happened.
    pub trace: Arc<Trace>,
    /// The faults.
    pub storm: Storm,
    folder: Folder,
    identity: Identity,
    is_calm: AtomicBool,
    deaths: Mutex<u64>,
}

/// A city's clock: the common time, and how far it is off.
struct SimClock {
    begun: Instant,
    origin: Timestamp,
    skew_seconds: AtomicI64,
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let gone = i64::try_from(self.begun.elapsed().as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.origin.0 + gone).plus_seconds(self.skew_seconds.load(Ordering::SeqCst))
    }
}

/// Ids that sort by time want time; everything else of an id is the city's dice.
struct CityDice(Arc<Mutex<Dice>>);

impl Entropy for CityDice {
    fn fill(&mut self, buffer: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(buffer);
    }
}

impl World {
    /// A world whose cities have not begun to live.
    pub fn new(seed: u64, storm: Storm) -> Result<World> {
        let dice = Dice::new(seed);
        let origin = Timestamp::at(day(FIRST_DAY)?, 9);
        let region = Region::found(&mut dice.apart("region"), origin)?;
        let trace = Arc::new(Trace::default());
        let liar = storm.liar.and_then(|(city, lie)| {
            let keys = region.keys.iter().find(|keys| keys.node == city)?;
            let listed = region.trust.list.city(city)?.clone();
            Some(Liar::new(lie, listed, keys.secrets.clone()))
        });
        let net = Arc::new(Net::new(dice.apart("net"), storm.clone(), liar, trace.clone()));
        let mut cities = BTreeMap::new();
        for keys in &region.keys {
            let mut city_dice = dice.apart(keys.node.as_str());
            let skew = storm.skews.get(&keys.node).copied().unwrap_or(0);
            let clock = SimClock { begun: Instant::now(), origin, skew_seconds: AtomicI64::new(skew) };
            let city = City {
                node: keys.node,
                env: region.env(keys)?,
                clock: Arc::new(clock),
                person: PersonId::new(origin, &mut city_dice),
                dice: Mutex::new(city_dice),
            };
            cities.insert(keys.node, city);
        }
        Ok(World {
            identity: Identity::generate(region.keys[0].node)?,
            region,
            cities,
            net,
            trace,
            storm,
            // What a power cut leaves is simulated, not left to the machine.
            folder: Folder::in_memory("sim"),
            is_calm: AtomicBool::new(false),
            deaths: Mutex::new(0),
        })
    }

    /// How often a city died.
    pub fn deaths(&self) -> u64 {
        *self.deaths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the storm: clocks are set, lines mended, and nobody dies any more.
    pub fn calm(&self) {
        self.is_calm.store(true, Ordering::SeqCst);
        self.net.calm();
        for city in self.cities.values() {
            city.clock.skew_seconds.store(0, Ordering::SeqCst);
            if let Some(life) = self.net.life(city.node) {
                life.spare();
            }
        }
    }

    /// Whether the storm is over.
    pub fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::SeqCst)
    }

    /// A context for one act in a city.
    pub fn ctx(&self, node: NodeId, actor: Actor) -> Ctx {
        let city = &self.cities[&node];
        let dice = city.dice().apart("ctx");
        // Every context draws from dice of its own, so that acts of one city do not depend on each other's order.
        city.dice().throw();
        Ctx::new(city.clock.now(), actor, node, Arc::new(Mutex::new(dice)))
    }

    /// A member of staff of a city's office for the item.
    pub fn staff(&self, node: NodeId, role: Role) -> Result<Actor> {
        let rules = self.cities[&node].env.catalogue.rules(crate::region::ITEM, node);
        let rules = rules.ok_or_else(|| Fault::new("looking for the rules of the item"))?;
        let office = if role == Role::Window { &rules.offices.window } else { &rules.offices.deciding };
        let staff = StaffId::new(Timestamp(i64::from(role as u8) * 1_000_000), &mut Dice::new(5));
        Ok(Actor::Staff { staff, role, office: office.id.clone() })
    }

    /// The driver at a city.
    pub fn driver(&self, node: NodeId) -> Actor {
        Actor::Resident { person: self.cities[&node].person, level: 3 }
    }

    /// Writes in a city; nothing where it is down, or dies before it answers.
    pub async fn write<T: Send + 'static>(
        &self,
        node: NodeId,
        actor: Actor,
        work: impl Fn(&mut Tx<'_>, &Ctx, &Env) -> Result<T> + Send + 'static,
    ) -> Option<Result<T>> {
        let life = self.net.life(node)?;
        let store = life.store.get()?.clone();
        let (ctx, env) = (self.ctx(node, actor), self.cities[&node].env.clone());
        tokio::select! {
            biased;
            done = store.write("sim.act", move |tx| work(tx, &ctx, &env)) => Some(done),
            () = life.ended() => None,
        }
    }

    /// Reads in a city that lives.
    pub async fn read<T: Send + 'static>(
        &self,
        node: NodeId,
        work: impl Fn(&mut Tx<'_>, &Env) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let life = self.net.life(node).ok_or_else(|| Fault::new(format!("reading {node}: it is down")))?;
        let store = life.store.get().ok_or_else(|| Fault::new("reading: the store is closed"))?.clone();
        let env = self.cities[&node].env.clone();
        store.read("sim.read", move |tx| work(tx, &env)).await
    }

    /// The lives of a city, one after the other, until the run ends.
    pub async fn live(self: Arc<World>, node: NodeId) -> Result<()> {
        let mut dice = self.cities[&node].dice().apart("lives");
        let mut disk = self.folder.file(&format!("{node}-0"));
        for number in 0.. {
            let death = self.next_death(&mut dice);
            let forgetful = self.storm.planted == Some(Planted::ForgetfulDisk);
            let life = Arc::new(Life::new(node, number, disk.clone(), death, forgetful));
            self.begin(&life).await?;
            life.ended().await;
            *self.deaths.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            let torn = vec![0xa5; usize::try_from(dice.between(0, 5_000)).unwrap_or(0)];
            disk = self.folder.file(&format!("{node}-{}", number + 1));
            life.leave_disk(&disk, &torn)?;
            tokio::time::sleep(Duration::from_secs(dice.between(1, DOWN_SECONDS_MAX))).await;
        }
        Ok(())
    }

    fn next_death(&self, dice: &mut Dice) -> Option<Death> {
        let mean = self.storm.writes_to_death.filter(|_| !self.is_calm())?;
        // A city that has just begun needs a few writes before there is something to lose.
        let at = 5 + dice.between(0, 2 * mean);
        Some((at, *dice.choose(&[Moment::Before, Moment::After])))
    }

    async fn begin(&self, life: &Arc<Life>) -> Result<()> {
        let city = &self.cities[&life.city];
        let engine = Engine::Sqlite(life.disk.join("city.db"));
        let schemas = [tb_identity::SCHEMA, tb_case::SCHEMA, effects::SCHEMA];
        let store = Store::open(&Config { engine, inline: true }, &schemas).await?;
        if life.number == 0 {
            self.settle(city, &store).await?;
        }
        store.watch(life.watch(self.trace.clone()));
        let node = self.node(life, &store)?;
        let _ = (life.store.set(store), life.node.set(node.clone()));
        if self.is_calm() {
            life.spare();
        }
        self.net.join(life);
        let work = tokio::spawn(async move { node.work().await.map_err(|error| error.to_string()) });
        life.owns(work.abort_handle());
        if self.storm.liar == Some((life.city, crate::storm::Lie::OmittedLeaf)) {
            life.owns(tokio::spawn(omit(life.clone())).abort_handle());
        }
        Ok(())
    }

    /// The driver is in every city's register.
    async fn settle(&self, city: &City, store: &Store) -> Result<()> {
        let person = Person {
            id: city.person,
            number: DRIVER.parse()?,
            name: "贺志强".into(),
            phone: Some("13807314627".into()),
            address: "湘潭市岳塘区".into(),
            division: "430304".parse()?,
            kind: PersonKind::Household,
            status: PersonStatus::Active,
        };
        let (ctx, env) = (self.ctx(city.node, Actor::System), city.env.clone());
        let settle = move |tx: &mut Tx<'_>| {
            people::add(tx, &ctx, &env.vault, &person)?;
            people::bind_pseudonyms(tx, &ctx, &env.desk, &person)
        };
        store.write("sim.settle", settle).await
    }

    fn node(&self, life: &Arc<Life>, store: &Store) -> Result<Arc<Node>> {
        let city = &self.cities[&life.city];
        let keys = self.region.keys.iter().find(|keys| keys.node == life.city);
        let keys = keys.ok_or_else(|| Fault::new("looking for the keys of a city"))?;
        let mut handlers = tb_case::peer::handlers(&city.env);
        handlers.extend(effects::handlers(self.storm.planted == Some(Planted::DoubleEffect)));
        let env = city.env.clone();
        let timer: tb_node::RunJob = Arc::new(move |tx, ctx, payload| timers::run(tx, ctx, &env, payload));
        let dice = city.dice().apart(&format!("life {}", life.number));
        let parts = NodeParts {
            store: store.clone(),
            desk: city.env.desk.clone(),
            secrets: keys.secrets.clone(),
            witness_key: keys.witness.clone(),
            identity: self.identity.clone(),
            clock: city.clock.clone(),
            entropy: Arc::new(Mutex::new(CityDice(Arc::new(Mutex::new(dice))))),
            handlers,
            jobs: vec![(timers::JOB, timer)],
        };
        Node::over(parts, Arc::new(SimWire { life: life.clone(), net: self.net.clone() }))
    }
}

impl City {
    fn dice(&self) -> MutexGuard<'_, Dice> {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn day(text: &str) -> Result<Date> {
    text.parse().map_err(|error| Fault::of("reading the first day", error).into())
}

/// Leaves of what was acknowledged vanish before the log takes them.
async fn omit(life: Arc<Life>) {
    let Some(store) = life.store.get().cloned() else { return };
    let mut ticks = tokio::time::interval(Duration::from_millis(30));
    loop {
        ticks.tick().await;
        drop(store.write("sim.omit", effects::omit).await);
    }
}
