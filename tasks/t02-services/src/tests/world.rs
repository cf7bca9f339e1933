//! Three cities in one process: a site and a store each, joined by peers and an outbox that call the
//! other side's handlers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::Value;
use tb_base::{
    Actor, Calendar, Clock, Ctx, Entropy, NodeId, Refusal, ResidentId, Result, Role, Timestamp, Uscc,
};
use tb_case::Env;
use tb_crypto::{Vault, sha256};
use tb_exchange::founding::{Charter, Founder, Member, found};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::{
    Answer, BoxFuture, Desk, Incoming, Outgoing, Peers, Receipt, ReceiptKind, ServiceTerms, SignedContract,
    SignedTrustList,
};
use tb_identity::enterprises::Enterprise;
use tb_identity::{people, seed};
use tb_licence::store::Issuer;
use tb_licence::types::Types;
use tb_store::inbox::Handler;
use tb_store::{Config, Store, Tx, inbox, outbox};
use tb_web::session::{Account, Acting, Lookup};
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
    ("resident_card.toml", include_str!("../../../t03-recognition/defs/licence/resident_card.toml")),
    (
        "road_transport_qualification.toml",
        include_str!("../../../t03-recognition/defs/licence/road_transport_qualification.toml"),
    ),
    ("business_licence.toml", include_str!("../../../t03-recognition/defs/licence/business_licence.toml")),
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
        // As in life, no two acts happen in the same millisecond.
        Timestamp(self.0.fetch_add(1_000, Ordering::SeqCst))
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
        let schemas = [tb_identity::SCHEMA, tb_licence::SCHEMA, tb_case::SCHEMA, tb_counter::SCHEMA];
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
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
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
        let page = self.get(city, who, "/items").await;
        let token = page.json()["frame"]["csrf"].as_str().expect("a token").to_owned();
        let mut request = request(city, who, path, accept)
            .method("POST")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if who.is_empty() {
            request = request.header(header::COOKIE, page.cookie);
        }
        self.ask(city, request.body(Body::from(format!("csrf={token}&{form}")))).await
    }

    /// Sends a form with one file, as a program.
    pub async fn post_file(
        &self,
        city: &str,
        who: &str,
        path: &str,
        (field, name, bytes): (&str, &str, &[u8]),
    ) -> Got {
        let page = self.get(city, who, "/items").await;
        let token = page.json()["frame"]["csrf"].as_str().expect("a token").to_owned();
        let mut body = format!(
            "--line\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n--line\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--line--\r\n");
        let request = request(city, who, path, "application/json")
            .method("POST")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=line");
        self.ask(city, request.body(Body::from(body))).await
    }

    async fn ask(&self, city: &str, request: axum::http::Result<Request<Body>>) -> Got {
        let site = self.cities[&node(city)].site.clone();
        let answer = site.oneshot(request.expect("a request")).await.expect("an answer");
        let text = |name| answer.headers().get(name).and_then(|it| it.to_str().ok()).unwrap_or("").to_owned();
        let cookie = text(header::SET_COOKIE).split(';').next().unwrap_or("").to_owned();
        let (status, location) = (answer.status(), text(header::LOCATION));
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        // A file is no text throughout.
        let text = String::from_utf8_lossy(&body).into_owned();
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

/// The member of staff behind a token.
pub fn staff_of(token: &str) -> tb_base::StaffId {
    let token = token.trim_end_matches("-promoted");
    let seed = token.bytes().fold(9_000_u64, |sum, letter| sum % 1_000_003 * 31 + u64::from(letter));
    tb_base::StaffId::new(NOON, &mut Counter(seed))
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
        let text = token.to_owned();
        let account = |actor| Account {
            id: text.clone(),
            login: text.clone(),
            name: text,
            actor,
            office_name: None,
            acting,
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
