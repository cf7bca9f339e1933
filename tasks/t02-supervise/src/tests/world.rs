//! One city with its site, cases in its lists and nobody at the other end of its lines.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::Value;
use tb_base::{Actor, Calendar, Clock, Ctx, Entropy, NodeId, OfficeId, Result, Role, StaffId, Timestamp};
use tb_crypto::{Vault, sha256};
use tb_exchange::founding::{Charter, Founder, Member, found};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::{Answer, BoxFuture, Desk, Outgoing, Peers, ServiceTerms};
use tb_identity::seed;
use tb_store::{Config, Stmt, Store, params, stmt};
use tb_web::session::{Account, Lookup};
use tb_web::{App, AppParts, CityFront};
use tower::ServiceExt;

use crate::{Parts, module};

/// 2026-11-24 12:00 in China.
pub const NOON: Timestamp = Timestamp(1_795_492_800_000_000);
pub const CITY: &str = "430100";
const CITIES: [(&str, &str); 3] = [(CITY, "长沙"), ("430200", "株洲"), ("430300", "湘潭")];
const REGION: &str = include_str!("../../../../region/region.toml");

fn node(text: &str) -> NodeId {
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

struct Stepped(AtomicI64);

impl Clock for Stepped {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1_000, Ordering::SeqCst))
    }
}

struct Silent;

impl Peers for Silent {
    fn query(&self, _: Ctx, _: Outgoing) -> BoxFuture<'_, Result<Answer>> {
        Box::pin(async { Err(tb_exchange::unavailable("别的城市", "Any other city").into()) })
    }
}

/// The city.
pub struct World {
    store: Store,
    site: Router,
}

/// An answer of the site.
#[derive(Debug)]
pub struct Got {
    pub status: StatusCode,
    pub location: String,
    pub text: String,
}

impl Got {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

/// A case as lists know it.
pub struct Listed {
    pub item: i64,
    pub phase: &'static str,
    pub office: &'static str,
    pub deciding: &'static str,
    pub due: Option<Timestamp>,
    pub collected: Timestamp,
    pub decided: Option<Timestamp>,
    pub promised: Option<Timestamp>,
}

const PLANT: Stmt = stmt(
    "test.plant",
    "
    INSERT INTO case_index (case_id, owned, item, phase, is_over, channel, query_code, office, collecting_office,
        deciding_office, person, due, collected, since, version, at, tx, decided, promised)
    VALUES ($1, 1, $2, $3, $4, 'online', $5, $6, '430100-hall-1', $7, NULL, $8, $9, $9, 1, $9, 'test', $10, $11)
",
);

impl World {
    pub async fn new() -> World {
        World::on(&Config::memory()).await
    }

    pub async fn on(config: &Config) -> World {
        let mut counter = Counter(0);
        let secrets: Vec<_> = CITIES.iter().map(|_| Secrets::generate(&mut counter)).collect();
        let witnesses: Vec<_> = CITIES.iter().map(|_| WitnessKey::generate(&mut counter)).collect();
        let founders: Vec<_> = CITIES
            .iter()
            .zip(secrets.iter().zip(&witnesses))
            .map(|((city, _), (secrets, witness))| Founder { member: member(node(city)), secrets, witness })
            .collect();
        let (trust, contracts) = found(&charter(), &founders).expect("a region");
        let entropy: Arc<Mutex<dyn Entropy>> = Arc::new(Mutex::new(counter));
        let desk = Arc::new(Desk::new(node(CITY), trust, contracts, &secrets[0]).expect("a desk"));
        let store = Store::open(config, &[tb_identity::SCHEMA, tb_case::SCHEMA]).await.expect("a store");
        let vault = Arc::new(Vault::new(secrets[0].vault));
        let city = seed::city(seed::SEED, node(CITY), 4, 1).expect("a city");
        let ctx = Ctx::new(NOON, Actor::System, node(CITY), Arc::clone(&entropy));
        seed::plant(&store, &ctx, &vault, &desk, None, city).await.expect("a register");
        let module = module(Parts::new(Arc::new(env(&desk, &vault))));
        let app = App::new(AppParts {
            node: node(CITY),
            store: store.clone(),
            desk,
            peers: Arc::new(Silent),
            clock: Arc::new(Stepped(AtomicI64::new(NOON.0))),
            entropy,
            cities: CITIES.map(front).into(),
            session: accounts(),
            nav: Vec::new(),
            secure_cookies: false,
            demo: None,
        });
        World { store, site: tb_web::site(app, std::slice::from_ref(&module)) }
    }

    /// Puts cases into the lists.
    pub async fn plant(&self, cases: Vec<Listed>) {
        let plant = move |tx: &mut tb_store::Tx<'_>| {
            let mut counter = Counter(77);
            for (n, it) in cases.iter().enumerate() {
                let id = tb_base::CaseId::new(NOON, &mut counter);
                let is_over = matches!(it.phase, "closed" | "delivered" | "withdrawn");
                let code = format!("C{n:07}");
                let row = params![
                    id,
                    it.item,
                    it.phase,
                    is_over,
                    code,
                    it.office,
                    it.deciding,
                    it.due,
                    it.collected,
                    it.decided,
                    it.promised
                ];
                tx.run(&PLANT, row)?;
            }
            Ok(())
        };
        self.store.write("test.plant", plant).await.expect("cases");
    }

    /// Audit lines of an act.
    pub async fn audited(&self, action: &'static str) -> Vec<String> {
        let search = tb_store::audit::Search::action(action);
        let found = self.store.read("test.audit", move |tx| tb_store::audit::search(tx, &search, None, 50));
        found.await.expect("lines").lines.into_iter().map(|line| line.object).collect()
    }

    pub async fn page(&self, who: &str, path: &str) -> Got {
        self.ask(request(who, path, "text/html").body(Body::empty())).await
    }

    pub async fn get(&self, who: &str, path: &str) -> Got {
        self.ask(request(who, path, "application/json").body(Body::empty())).await
    }

    async fn ask(&self, request: axum::http::Result<Request<Body>>) -> Got {
        let answer = self.site.clone().oneshot(request.expect("a request")).await.expect("an answer");
        let text = |name| answer.headers().get(name).and_then(|it| it.to_str().ok()).unwrap_or("").to_owned();
        let (status, location) = (answer.status(), text(header::LOCATION));
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        Got { status, location, text: String::from_utf8_lossy(&body).into_owned() }
    }
}

/// What cases need; nothing is issued here.
fn env(desk: &Arc<Desk>, vault: &Arc<Vault>) -> tb_case::Env {
    tb_case::Env {
        desk: Arc::clone(desk),
        catalogue: catalogue(),
        calendar: Arc::new(Calendar::national().clone()),
        vault: Arc::clone(vault),
        issue: Arc::new(|_, _, _, _| Err(tb_base::Fault::new("nothing is issued here").into())),
        is_current: Arc::new(|_, _, _, _| Ok(false)),
        ended: Arc::new(|_, _, _| Ok(())),
    }
}

/// The shipped item and its cities.
fn catalogue() -> Arc<tb_case::Catalogue> {
    let file = |path, text| tb_case::DefinitionFile { path, text };
    let files = [
        file("items.csv", include_str!("../../../t02-services/defs/items.csv")),
        file("121.toml", include_str!("../../../t02-services/defs/121.toml")),
        file("430100/121.toml", include_str!("../../../t02-services/defs/430100/121.toml")),
        file("430200/121.toml", include_str!("../../../t02-services/defs/430200/121.toml")),
        file("430300/121.toml", include_str!("../../../t02-services/defs/430300/121.toml")),
    ];
    Arc::new(tb_case::Catalogue::load(&files).sound().expect("the shipped definitions"))
}

fn hall() -> OfficeId {
    "430100-hall-1".parse().expect("an office")
}

fn staff(who: &str) -> StaffId {
    let seed = who.bytes().fold(9_000_u64, |sum, letter| sum % 1_000_003 * 31 + u64::from(letter));
    StaffId::new(NOON, &mut Counter(seed))
}

fn accounts() -> Lookup {
    Arc::new(|_: &mut tb_store::Tx<'_>, token: &str, _| Ok(account(token)))
}

fn account(token: &str) -> Option<Account> {
    let role = match token {
        "supervisor" => Role::Supervisor,
        "reviewer" => Role::Reviewer,
        _ => return None,
    };
    let actor = Actor::Staff { staff: staff(token), role, office: hall() };
    let text = token.to_owned();
    Some(Account {
        id: text.clone(),
        login: text.clone(),
        name: text,
        actor,
        office_name: None,
        acting: None,
    })
}

fn request(who: &str, path: &str, accept: &str) -> axum::http::request::Builder {
    let request =
        Request::builder().uri(path).header(header::HOST, "localhost").header(header::ACCEPT, accept);
    match who {
        "" => request,
        who => request.header(header::COOKIE, format!("tb_session_{CITY}={who}")),
    }
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
        service: std::collections::BTreeMap<String, ServiceTerms>,
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
