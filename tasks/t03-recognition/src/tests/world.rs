//! Three cities in one process: a site and a store each, joined by peers that call the other side's handlers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::Value;
use tb_base::{Actor, Clock, Ctx, Entropy, NodeId, ResidentId, Result, Role, Timestamp, Uscc};
use tb_crypto::{Vault, sha256};
use tb_exchange::founding::{Charter, Founder, Member, found};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::{
    Answer, BoxFuture, Desk, Incoming, Outgoing, Peers, ServiceTerms, SignedContract, SignedTrustList,
};
use tb_identity::{people, seed};
use tb_licence::store::Issuer;
use tb_licence::types::Types;
use tb_store::inbox::Handler;
use tb_store::{Config, Store, Tx};
use tb_web::session::{Account, Lookup};
use tb_web::{App, AppParts, CityFront};
use tower::ServiceExt;

use crate::{Parts, module};

/// 2026-11-24 12:00 in China.
pub const NOON: Timestamp = Timestamp(1_795_492_800_000_000);
pub const CHANGSHA: &str = "430100";
pub const ZHUZHOU: &str = "430200";
pub const XIANGTAN: &str = "430300";
/// The region as it is shipped: what its contracts do not allow fails here.
const REGION: &str = include_str!("../../../../region/region.toml");
const DEFINITIONS: [(&str, &str); 3] = [
    ("resident_card.toml", include_str!("../../defs/licence/resident_card.toml")),
    (
        "road_transport_qualification.toml",
        include_str!("../../defs/licence/road_transport_qualification.toml"),
    ),
    ("business_licence.toml", include_str!("../../defs/licence/business_licence.toml")),
];

pub fn node(text: &str) -> NodeId {
    text.parse().expect("a city")
}

struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&sha256(&self.0.to_be_bytes())[..chunk.len()]);
        }
    }
}

/// A clock that the test turns.
struct Stepped(AtomicI64);

impl Clock for Stepped {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

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
    pub site: Router,
}

/// The region.
pub struct World {
    pub cities: BTreeMap<NodeId, City>,
    lines: Arc<Lines>,
    clock: Arc<Stepped>,
    entropy: Arc<Mutex<dyn Entropy>>,
}

/// An answer of a site.
#[derive(Debug)]
pub struct Got {
    pub status: StatusCode,
    pub location: String,
    cookie: String,
    pub text: String,
}

impl Got {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

impl World {
    /// Twenty people a city; only Xiangtan has issued licences.
    pub async fn new() -> World {
        let mut counter = Counter(0);
        let nodes = [CHANGSHA, ZHUZHOU, XIANGTAN].map(node);
        let secrets: Vec<_> = nodes.iter().map(|_| Secrets::generate(&mut counter)).collect();
        let witnesses: Vec<_> = nodes.iter().map(|_| WitnessKey::generate(&mut counter)).collect();
        let founders: Vec<_> = nodes
            .iter()
            .zip(secrets.iter().zip(&witnesses))
            .map(|(node, (secrets, witness))| Founder { member: member(*node), secrets, witness })
            .collect();
        let region = found(&charter(), &founders).expect("a region");
        let entropy: Arc<Mutex<dyn Entropy>> = Arc::new(Mutex::new(counter));
        let clock = Arc::new(Stepped(AtomicI64::new(NOON.0)));
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
        for (node, secrets) in nodes.iter().zip(&secrets) {
            reached.insert(*node, world.add(*node, secrets, &region).await);
        }
        assert!(world.lines.cities.set(reached).is_ok(), "set once");
        world
    }

    async fn add(
        &mut self,
        node: NodeId,
        secrets: &Secrets,
        (trust, contracts): &(SignedTrustList, Vec<SignedContract>),
    ) -> Reached {
        let desk = Arc::new(Desk::new(node, trust.clone(), contracts.clone(), secrets).expect("a desk"));
        let schemas = [tb_identity::SCHEMA, tb_licence::SCHEMA, tb_case::SCHEMA];
        let store = Store::open(&Config::memory(), &schemas).await.expect("a store");
        let vault = Arc::new(Vault::new(secrets.vault));
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
        let app = App::new(AppParts {
            node,
            store: store.clone(),
            desk: Arc::clone(&desk),
            peers: Arc::clone(&self.lines) as Arc<dyn Peers>,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            entropy: Arc::clone(&self.entropy),
            cities: [(CHANGSHA, "长沙"), (ZHUZHOU, "株洲"), (XIANGTAN, "湘潭")].map(front).into(),
            session: accounts(vault),
            nav: Vec::new(),
            secure_cookies: false,
            demo: None,
        });
        let site = tb_web::site(app, std::slice::from_ref(&module));
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
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
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

    /// The page as a person gets it; `who` is one of the tokens of [`accounts`], or empty.
    pub async fn page(&self, city: &str, who: &str, path: &str) -> Got {
        self.ask(city, request(city, who, path, "text/html").body(Body::empty())).await
    }

    /// The page as a program gets it.
    pub async fn get(&self, city: &str, who: &str, path: &str) -> Got {
        self.ask(city, request(city, who, path, "application/json").body(Body::empty())).await
    }

    /// Sends a form as a program.
    pub async fn post(&self, city: &str, who: &str, path: &str, form: &str) -> Got {
        self.send(city, who, path, form, "application/json").await
    }

    /// Sends a form as a browser.
    pub async fn post_page(&self, city: &str, who: &str, path: &str, form: &str) -> Got {
        self.send(city, who, path, form, "text/html").await
    }

    async fn send(&self, city: &str, who: &str, path: &str, form: &str, accept: &str) -> Got {
        let page = self.get(city, who, "/verify").await;
        let token = page.json()["frame"]["csrf"].as_str().expect("a token").to_owned();
        let mut request = request(city, who, path, accept)
            .method("POST")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if who.is_empty() {
            request = request.header(header::COOKIE, page.cookie);
        }
        self.ask(city, request.body(Body::from(format!("csrf={token}&{form}")))).await
    }

    async fn ask(&self, city: &str, request: axum::http::Result<Request<Body>>) -> Got {
        let site = self.cities[&node(city)].site.clone();
        let answer = site.oneshot(request.expect("a request")).await.expect("an answer");
        let text = |name| answer.headers().get(name).and_then(|it| it.to_str().ok()).unwrap_or("").to_owned();
        let cookie = text(header::SET_COOKIE).split(';').next().unwrap_or("").to_owned();
        let (status, location) = (answer.status(), text(header::LOCATION));
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        let text = String::from_utf8(body.to_vec()).expect("text");
        Got { status, location, cookie, text }
    }
}

fn request(city: &str, who: &str, path: &str, accept: &str) -> axum::http::request::Builder {
    let request =
        Request::builder().uri(path).header(header::HOST, "localhost").header(header::ACCEPT, accept);
    if who.is_empty() {
        return request;
    }
    request.header(header::COOKIE, format!("tb_session_{city}={who}"))
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
        let text = token.to_owned();
        let account = |actor| Account {
            id: text.clone(),
            login: text.clone(),
            name: text,
            actor,
            office_name: None,
            acting: None,
        };
        Ok(actor.map(account))
    })
}

fn front((code, name): (&str, &str)) -> CityFront {
    CityFront {
        node: node(code),
        name: name.to_owned(),
        name_en: format!("City {code}"),
        app: format!("我的{name}"),
        seal: name.chars().take(1).collect(),
        colour: "#345a78".to_owned(),
        site_url: format!("http://{code}.invalid"),
    }
}

fn charter() -> Charter {
    #[derive(serde::Deserialize)]
    struct Region {
        service: BTreeMap<String, ServiceTerms>,
    }
    let region: Region = toml::from_str(REGION).expect("the shipped region");
    Charter {
        region: "czt".to_owned(),
        not_before: NOON.plus_seconds(-86_400),
        not_after: NOON.plus_seconds(86_400 * 365),
        services: region.service,
        retention_days: 365,
    }
}

fn member(node: NodeId) -> Member {
    Member {
        node,
        name: "某市".to_owned(),
        name_en: format!("City {node}"),
        app: "某通".to_owned(),
        exchange_url: "https://127.0.0.1:9443".to_owned(),
        site_url: "http://127.0.0.1:8080".to_owned(),
        tls_sha256: "00".repeat(32),
    }
}
