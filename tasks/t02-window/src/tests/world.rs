//! One city with its site, its offices and nobody at the other end of its lines.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::Value;
use tb_base::{
    Actor, Calendar, CaseId, Clock, Ctx, DraftId, Entropy, Fault, LicenceId, MessageId, NodeId, OfficeId,
    Result, Role, StaffId, Timestamp,
};
use tb_case::case::Channel;
use tb_case::draft::{self, Draft, Fetched, NewDraft};
use tb_case::{Env, submit};
use tb_counter::ticket::{self, Ticket};
use tb_crypto::{Vault, sha256};
use tb_exchange::founding::{Charter, Founder, Member, found};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::{Answer, BoxFuture, Desk, Outgoing, Peers, ServiceTerms};
use tb_identity::{people, seed};
use tb_store::{Config, Store};
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
    pub store: Store,
    pub env: Arc<Env>,
    entropy: Arc<Mutex<dyn Entropy>>,
    site: Router,
}

/// An answer of the site.
#[derive(Debug)]
pub struct Got {
    pub status: StatusCode,
    pub location: String,
    /// After how many seconds the page is asked for again; empty for never.
    pub refresh: String,
    cookie: String,
    pub text: String,
}

impl Got {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The codes of what the form says.
    #[track_caller]
    pub fn codes(&self) -> Vec<String> {
        let errors = self.json()["form"]["errors"].as_array().expect("errors").clone();
        errors.iter().map(|error| error["code"].as_str().unwrap_or("").to_owned()).collect()
    }
}

impl World {
    pub async fn new() -> World {
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
        let schemas = [tb_identity::SCHEMA, tb_case::SCHEMA, tb_counter::SCHEMA];
        let store = Store::open(&Config::memory(), &schemas).await.expect("a store");
        let vault = Arc::new(Vault::new(secrets[0].vault));
        let city = seed::city(seed::SEED, node(CITY), 4, 1).expect("a city");
        let ctx = Ctx::new(NOON, Actor::System, node(CITY), Arc::clone(&entropy));
        seed::plant(&store, &ctx, &vault, &desk, None, city).await.expect("a register");
        let env = env(&desk, &vault);
        let module = module(Parts { vault, catalogue: catalogue(), env: Arc::clone(&env) });
        let app = App::new(AppParts {
            node: node(CITY),
            store: store.clone(),
            desk,
            peers: Arc::new(Silent),
            clock: Arc::new(Stepped(AtomicI64::new(NOON.0))),
            entropy: Arc::clone(&entropy),
            cities: CITIES.map(front).into(),
            session: accounts(),
            nav: Vec::new(),
            secure_cookies: false,
            demo: None,
        });
        World { store, env, entropy, site: tb_web::site(app, std::slice::from_ref(&module)) }
    }

    pub fn ctx(&self, who: &str) -> Ctx {
        let actor = account(who).map_or(Actor::System, |account| account.actor);
        Ctx::new(NOON, actor, node(CITY), Arc::clone(&self.entropy))
    }

    /// A draft of the driver's on the hall's counter, with everything that it needs, for a city to decide.
    pub async fn drafted(&self, deciding: &'static str) -> Draft {
        let (ctx, env) = (self.ctx("window"), Arc::clone(&self.env));
        let made = self.store.write("test.draft", move |tx| {
            let number = seed::driver()?.number;
            let person = people::by_number(tx, &env.vault, &number)?.expect("the driver").id;
            let begin =
                NewDraft { item: 121, person, channel: Channel::Window, deciding: Some(node(deciding)) };
            let mut held = draft::create(tx, &ctx, &env, &begin)?;
            for (material, kind) in
                [("identity", "resident_card"), ("old-certificate", "road_transport_qualification")]
            {
                let paper = fetched(&ctx, material, kind, node(deciding));
                held = draft::attach_fetched(tx, &ctx, &env, held.id, held.version, &paper)?;
            }
            let answers = [
                ("reason", "damaged"),
                ("phone", "13907310009"),
                ("delivery", "electronic"),
                ("truth", "yes"),
            ];
            let answers = answers.map(|(id, answer)| (id.to_owned(), answer.to_owned())).into();
            held = draft::save(tx, &ctx, &env, held.id, held.version, &answers)?;
            let checks = ["person-present", "form-complete", "consent-given"].map(str::to_owned).into();
            draft::check(tx, &ctx, &env, held.id, held.version, &checks)
        });
        made.await.expect("a draft")
    }

    /// The same, handed over.
    pub async fn collected(&self, deciding: &'static str) -> CaseId {
        let draft = self.drafted(deciding).await.id;
        self.hand_in(draft).await
    }

    pub async fn hand_in(&self, draft: DraftId) -> CaseId {
        let (ctx, env) = (self.ctx("window"), Arc::clone(&self.env));
        let command = ctx.id(MessageId::new);
        let made = self.store.write("test.submit", move |tx| submit(tx, &ctx, &env, draft, command));
        made.await.expect("a case")
    }

    /// The number at a clerk's counter.
    pub async fn mine(&self, who: &str) -> Option<Ticket> {
        let staff = staff(who);
        let found = self.store.read("test.mine", move |tx| ticket::current(tx, &hall(), NOON.date(), staff));
        found.await.expect("a queue")
    }

    pub async fn page(&self, who: &str, path: &str) -> Got {
        self.ask(request(who, path, "text/html").body(Body::empty())).await
    }

    pub async fn get(&self, who: &str, path: &str) -> Got {
        self.ask(request(who, path, "application/json").body(Body::empty())).await
    }

    pub async fn post(&self, who: &str, path: &str, form: &str) -> Got {
        let page = self.get(who, "/tickets").await;
        let token = page.json()["frame"]["csrf"].as_str().expect("a token").to_owned();
        let mut request = request(who, path, "application/json")
            .method("POST")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if who.is_empty() {
            request = request.header(header::COOKIE, page.cookie);
        }
        self.ask(request.body(Body::from(format!("csrf={token}&{form}")))).await
    }

    async fn ask(&self, request: axum::http::Result<Request<Body>>) -> Got {
        let answer = self.site.clone().oneshot(request.expect("a request")).await.expect("an answer");
        let text = |name| answer.headers().get(name).and_then(|it| it.to_str().ok()).unwrap_or("").to_owned();
        let cookie = text(header::SET_COOKIE).split(';').next().unwrap_or("").to_owned();
        let (status, location) = (answer.status(), text(header::LOCATION));
        let refresh = text(header::REFRESH);
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        Got { status, location, refresh, cookie, text: String::from_utf8(body.to_vec()).expect("text") }
    }
}

/// What cases need; nothing is issued here, and every licence is what it was.
fn env(desk: &Arc<Desk>, vault: &Arc<Vault>) -> Arc<Env> {
    Arc::new(Env {
        desk: Arc::clone(desk),
        catalogue: catalogue(),
        calendar: Arc::new(Calendar::national().clone()),
        vault: Arc::clone(vault),
        issue: Arc::new(|_, _, _, _| Err(Fault::new("issuing in a test").into())),
        is_current: Arc::new(|_, _, _, _| Ok(true)),
        ended: Arc::new(|_, _, _| Ok(())),
    })
}

fn fetched(ctx: &Ctx, material: &str, kind: &str, issuer: NodeId) -> Fetched {
    Fetched {
        material: material.to_owned(),
        kind: kind.to_owned(),
        licence: ctx.id(LicenceId::new),
        version: 1,
        digest: "00".repeat(32),
        issuer,
        consent: "by her own hand".to_owned(),
        values: std::collections::BTreeMap::new(),
        at: ctx.now,
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
        "window" | "window-colleague" | "window-elsewhere" => Role::Window,
        "reviewer" => Role::Reviewer,
        _ => return None,
    };
    let office =
        if token == "window-elsewhere" { "430100-hall-2".parse().expect("an office") } else { hall() };
    let actor = Actor::Staff { staff: staff(token), role, office };
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
