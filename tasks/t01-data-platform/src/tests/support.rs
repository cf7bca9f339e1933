//! Three cities in one process, and a browser that keeps cookies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::Value;
use tb_base::{Actor, Clock, Ctx, Entropy, MessageId, NodeId, PersonId, Result, Role, Timestamp};
use tb_crypto::Vault;
use tb_exchange::founding::{Charter, Founder, Member, found};
use tb_exchange::http_message::{sign_request, verify_request};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::{
    Answer, BoxFuture, Desk, Outgoing, Peers, ServiceTerms, SignedContract, SignedTrustList, service, witness,
};
use tb_identity::accounts::{Door, Passwords};
use tb_identity::look::{self, Look, LookKind};
use tb_identity::{people, seed, sms};
use tb_store::inbox::{Handler, Outcome};
use tb_store::{Config, Store, inbox, log};
use tb_tlog::Checkpoint;
use tb_tlog::note::Note;
use tb_web::{App, AppParts, CityFront, DemoSettings, NavEntry, site};
use tower::ServiceExt;

use crate::{CaseEvidence, Parts, Words, module, session_lookup};

/// 2026-11-24 09:41 in China.
pub const NOW: Timestamp = Timestamp(1_795_484_460_000_000);
/// The cities of the region.
pub const CITIES: [&str; 3] = ["430100", "430200", "430300"];

/// A clock that a test moves.
pub struct Hand(Mutex<Timestamp>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Unlike bytes, the same in every run.
struct Counted(u64);

impl Entropy for Counted {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            self.0 += 1;
            let digest = tb_crypto::sha256(&self.0.to_be_bytes());
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

/// A city with everything but sockets.
pub struct City {
    pub node: NodeId,
    pub store: Store,
    pub desk: Arc<Desk>,
    pub vault: Arc<Vault>,
    pub secrets: Arc<Secrets>,
    pub site: Router,
}

/// The region.
pub struct Region {
    pub cities: BTreeMap<NodeId, Arc<City>>,
    pub down: Arc<Mutex<BTreeSet<NodeId>>>,
    clock: Arc<Hand>,
    entropy: Arc<Mutex<Counted>>,
    witnesses: BTreeMap<NodeId, WitnessKey>,
}

/// Asks the other city's handler in process, signed and verified as over a socket.
struct Line {
    me: NodeId,
    secrets: Arc<Secrets>,
    desk: Arc<Desk>,
    far: Mutex<BTreeMap<NodeId, Arc<Far>>>,
    down: Arc<Mutex<BTreeSet<NodeId>>>,
}

/// What of a city its peers reach.
struct Far {
    store: Store,
    desk: Arc<Desk>,
    handlers: Vec<Handler>,
}

impl Peers for Line {
    fn query(&self, ctx: Ctx, message: Outgoing) -> BoxFuture<'_, Result<Answer>> {
        Box::pin(async move {
            let to = message.envelope.to;
            if self.down.lock().unwrap().contains(&to) {
                return Err(tb_exchange::unavailable(to.as_str(), to.as_str()).into());
            }
            let signed = sign_request(&message, &self.secrets, &self.desk, ctx.now, ctx.random())?;
            let far = Arc::clone(&self.far.lock().unwrap()[&to]);
            let incoming = verify_request(
                &far.desk,
                &signed.method,
                &signed.path,
                &signed.fields,
                &signed.body,
                ctx.now,
            )?;
            let handler =
                far.handlers.iter().find(|it| it.service == message.envelope.service).cloned().unwrap();
            let mut ctx = ctx.acting(Actor::Peer(self.me));
            ctx.node = to;
            let receive = move |tx: &mut tb_store::Tx<'_>| inbox::receive(tx, &ctx, &handler, &incoming);
            let (kept, _) = far.store.write("test.receive", receive).await?;
            match kept.outcome {
                Outcome::Answered(body) => {
                    Ok(Answer { from: to, body: body.to_string().into_bytes(), at: NOW })
                }
                Outcome::Refused(refusal) => Err(refusal.into()),
                Outcome::Received => unreachable!("a query is answered at once"),
            }
        })
    }
}

pub fn node(text: &str) -> NodeId {
    text.parse().unwrap()
}

fn member(node: NodeId) -> Member {
    Member {
        node,
        name: format!("{node}市"),
        name_en: format!("City {node}"),
        app: "通".to_owned(),
        exchange_url: "https://127.0.0.1:1".to_owned(),
        site_url: "http://127.0.0.1:2".to_owned(),
        tls_sha256: "0".repeat(64),
    }
}

pub fn fronts() -> Vec<CityFront> {
    let front = |node: &str, name: &str, name_en: &str, app: &str, seal: &str, colour: &str| CityFront {
        node: node.parse().unwrap(),
        name: name.to_owned(),
        name_en: name_en.to_owned(),
        app: app.to_owned(),
        seal: seal.to_owned(),
        colour: colour.to_owned(),
        site_url: format!("http://{node}.invalid"),
    };
    vec![
        front("430100", "长沙", "Changsha", "我的长沙", "长", "#7a3b5e"),
        front("430200", "株洲", "Zhuzhou", "诸事达", "株", "#345a78"),
        front("430300", "湘潭", "Xiangtan", "e潭就办", "潭", "#66691a"),
    ]
}

/// The shipped items.
fn catalogue() -> Arc<tb_case::Catalogue> {
    Arc::new(tb_case::Catalogue::load(&super::real_cases::FILES).sound().expect("the shipped definitions"))
}

/// Makes the case block of a city.
pub type CaseBlock = Box<dyn Fn(&Arc<Desk>, &Arc<Vault>) -> CaseEvidence>;

/// The keys, the trust list and the contracts of a new region.
struct Founding {
    secrets: BTreeMap<NodeId, Secrets>,
    witnesses: BTreeMap<NodeId, WitnessKey>,
    trust: SignedTrustList,
    contracts: Vec<SignedContract>,
}

fn founding(entropy: &mut Counted) -> Founding {
    let secrets: BTreeMap<_, _> = CITIES.map(|city| (node(city), Secrets::generate(entropy))).into();
    let witnesses: BTreeMap<_, _> = CITIES.map(|city| (node(city), WitnessKey::generate(entropy))).into();
    let founders = CITIES.map(node).map(|node| Founder {
        member: member(node),
        secrets: &secrets[&node],
        witness: &witnesses[&node],
    });
    let terms = |name: &str| {
        let terms =
            ServiceTerms { purposes: ["*".to_owned()].into(), fields: BTreeSet::new(), quota_per_day: 100 };
        (name.to_owned(), terms)
    };
    let charter = Charter {
        region: "czt".to_owned(),
        not_before: NOW.plus_seconds(-86_400),
        not_after: NOW.plus_seconds(86_400 * 365),
        services: service::ALL.into_iter().map(terms).collect(),
        retention_days: 365,
    };
    let (trust, contracts) = found(&charter, &founders).unwrap();
    Founding { secrets, witnesses, trust, contracts }
}

/// A seeded store of one city.
async fn seeded(me: NodeId, ctx: &Ctx, vault: &Arc<Vault>, desk: &Desk, passwords: &Passwords) -> Store {
    let schemas = [tb_identity::SCHEMA, tb_licence::SCHEMA, tb_case::SCHEMA, tb_enquiry::SCHEMA];
    let store = Store::open(&Config::memory(), &schemas).await.unwrap();
    let people = seed::city(seed::SEED, me, 20, 2).unwrap();
    seed::plant(&store, ctx, vault, desk, Some(passwords), people).await.unwrap();
    store
}

impl Region {
    /// Three seeded cities; `case` makes the case block of each.
    pub async fn new(case: Option<CaseBlock>) -> Region {
        let entropy = Arc::new(Mutex::new(Counted(0)));
        let Founding { secrets, witnesses, trust, contracts } = founding(&mut entropy.lock().unwrap());
        let passwords = Passwords::new(&mut *entropy.lock().unwrap()).unwrap();
        let mut region = Region {
            cities: BTreeMap::new(),
            down: Arc::default(),
            clock: Arc::new(Hand(Mutex::new(NOW))),
            entropy,
            witnesses,
        };
        let (mut lines, mut fars) = (Vec::new(), BTreeMap::new());
        for (me, secrets) in secrets {
            let desk = Arc::new(Desk::new(me, trust.clone(), contracts.clone(), &secrets).unwrap());
            let (vault, secrets) = (Arc::new(Vault::new(secrets.vault)), Arc::new(secrets));
            let ctx = region.ctx(me.as_str());
            let store = seeded(me, &ctx, &vault, &desk, &passwords).await;
            let line = Arc::new(Line {
                me,
                secrets: Arc::clone(&secrets),
                desk: Arc::clone(&desk),
                far: Mutex::default(),
                down: Arc::clone(&region.down),
            });
            let door = Door::new(store.clone(), Arc::clone(&vault), passwords.clone());
            let module = module(Parts {
                vault: Arc::clone(&vault),
                secrets: Arc::clone(&secrets),
                desk: Arc::clone(&desk),
                door,
                words: Words::none(),
                catalogue: catalogue(),
                english: Arc::new(|_| None),
                limits: crate::Limits::shipped().unwrap(),
                enquiry: tb_enquiry::Env {
                    desk: Arc::clone(&desk),
                    calendar: Arc::new(tb_base::Calendar::national().clone()),
                    vault: Arc::clone(&vault),
                    limits: tb_enquiry::Limits::shipped().unwrap(),
                },
                case_evidence: case.as_ref().map(|block| block(&desk, &vault)),
            });
            let handlers = module.handlers.clone();
            fars.insert(me, Arc::new(Far { store: store.clone(), desk: Arc::clone(&desk), handlers }));
            let app = region.app(me, &store, &desk, &vault, Arc::clone(&line) as Arc<dyn Peers>);
            lines.push(line);
            let site = site(app, &[module]);
            region.cities.insert(me, Arc::new(City { node: me, store, desk, vault, secrets, site }));
        }
        for line in lines {
            *line.far.lock().unwrap() = fars.clone();
        }
        region
    }

    fn app(
        &self,
        me: NodeId,
        store: &Store,
        desk: &Arc<Desk>,
        vault: &Arc<Vault>,
        peers: Arc<dyn Peers>,
    ) -> App {
        App::new(AppParts {
            node: me,
            store: store.clone(),
            desk: Arc::clone(desk),
            peers,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            entropy: Arc::clone(&self.entropy) as Arc<Mutex<dyn Entropy>>,
            cities: fronts(),
            session: session_lookup(Arc::clone(vault)),
            nav: vec![
                NavEntry::public("/", "首页", "Start"),
                NavEntry::public("/looks", "我的数据", "My data"),
                NavEntry::staff("/bureau", "交换", "Exchange", &[Role::Bureau, Role::Auditor]),
                NavEntry::staff("/audit", "审计", "Audit", &[Role::Auditor]),
            ],
            secure_cookies: false,
            demo: (me == node("430100"))
                .then(|| DemoSettings { start_url: "http://127.0.0.1:8420/".to_owned(), guide: None }),
        })
    }

    pub fn city(&self, city: &str) -> Arc<City> {
        Arc::clone(&self.cities[&node(city)])
    }

    pub fn later(&self, seconds: i64) {
        let mut now = self.clock.0.lock().unwrap();
        *now = now.plus_seconds(seconds);
    }

    pub fn ctx(&self, city: &str) -> Ctx {
        let entropy = Arc::clone(&self.entropy) as Arc<Mutex<dyn Entropy>>;
        Ctx::new(self.clock.now(), Actor::System, node(city), entropy)
    }

    /// The driver as a city's register knows her.
    pub async fn driver(&self, city: &str) -> PersonId {
        let (vault, number) = (Arc::clone(&self.city(city).vault), seed::driver().unwrap().number);
        let found = move |tx: &mut tb_store::Tx<'_>| people::by_number(tx, &vault, &number);
        self.city(city).store.read("test.driver", found).await.unwrap().unwrap().id
    }

    /// Writes a look at the driver's data into a city's log.
    pub async fn look(&self, city: &str, change: impl FnOnce(&mut Look)) -> MessageId {
        let mut look = Look {
            person: self.driver(city).await,
            kind: LookKind::Fetch,
            city: node("430100"),
            office: Some("430100-hall-1".parse().unwrap()),
            role: "window".to_owned(),
            item: "121".to_owned(),
            case: None,
            ground: "consent:01kq3zt0000000000000000001".to_owned(),
            fields: vec!["name".to_owned(), "class".to_owned()],
            licence: None,
            message: None,
            outcome: "shown".to_owned(),
        };
        change(&mut look);
        let (ctx, vault) = (self.ctx(city), Arc::clone(&self.city(city).vault));
        let record = move |tx: &mut tb_store::Tx<'_>| look::record(tx, &ctx, &vault, &look);
        self.city(city).store.write("test.look", record).await.unwrap().look.id
    }

    /// Places what waits in a city's log, signs it, and lets these cities cosign.
    pub async fn witness(&self, city: &str, by: &[&str]) {
        let (me, now) = (self.city(city), self.clock.now());
        let of = |node: NodeId| me.desk.trust().list.city(node).unwrap().clone();
        let own = of(me.node);
        let signers = witness::signers(&own, &me.secrets).unwrap();
        let cosigners: Vec<_> = by
            .iter()
            .map(|other| witness::cosigner(&of(node(other)), &self.witnesses[&node(other)]).unwrap())
            .collect();
        let write = move |tx: &mut tb_store::Tx<'_>| {
            let fence = log::take(tx, now, "test", 60)?.unwrap();
            let size = log::sequence(tx, fence, log::LEAVES_MAX)?.end;
            let root = log::root(tx, size)?;
            let text = Checkpoint { origin: own.log_origin.clone(), size, root }.text();
            let mut note = Note::new(&text)?;
            for signer in &signers {
                note = note.clone().with(signer.sign(&note));
            }
            log::put_checkpoint(tx, now, size, &root, &note.to_string())?;
            for cosigner in &cosigners {
                let line = cosigner.cosign(&note, now).to_string();
                log::add_cosignature(tx, now, size, cosigner.verifier().name(), &line)?;
            }
            Ok(())
        };
        me.store.write("test.witness", write).await.unwrap();
    }

    /// The last code sent to a phone.
    pub async fn code(&self, city: &str, phone: &str) -> Option<String> {
        let (vault, phone) = (Arc::clone(&self.city(city).vault), phone.to_owned());
        let read = move |tx: &mut tb_store::Tx<'_>| sms::of_phone(tx, &vault, &phone);
        let latest = self.city(city).store.read("test.sms", read).await.unwrap().into_iter().next()?;
        let digits: String = latest.text.chars().skip_while(|it| !it.is_ascii_digit()).take(6).collect();
        Some(digits)
    }
}

/// What came back.
pub struct Page {
    pub status: StatusCode,
    pub location: String,
    pub body: Vec<u8>,
}

impl Page {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// A browser at one city's site; a clone is a thief's copy of its cookies.
#[derive(Clone)]
pub struct Browser {
    site: Router,
    cookies: BTreeMap<String, String>,
    pub program: bool,
}

impl Browser {
    pub fn at(region: &Region, city: &str) -> Browser {
        Browser { site: region.city(city).site.clone(), cookies: BTreeMap::new(), program: true }
    }

    /// A browser in which somebody is signed in.
    pub async fn signed_in(region: &Region, city: &str, login: &str) -> Browser {
        let mut browser = Browser::at(region, city);
        let page = browser.post("/sign-in", &[("login", login), ("password", seed::DEMO_PASSWORD)]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text());
        browser
    }

    /// Puts a cookie there, as an attacker would before she signs in.
    pub fn plant(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let request = self.request(path).method("GET").body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// Posts a form with the token of the page at the same address.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.post_from("/sign-in", path, fields).await
    }

    pub async fn post_from(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let program = std::mem::replace(&mut self.program, true);
        let token = self.get(page).await.json()["frame"]["csrf"].as_str().unwrap().to_owned();
        self.program = program;
        let mut form = vec![("csrf", token.as_str())];
        form.extend_from_slice(fields);
        let body = form
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect::<Vec<_>>()
            .join("&");
        let request = self.request(path).method("POST");
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    fn request(&self, path: &str) -> axum::http::request::Builder {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let accept = if self.program { "application/json" } else { "text/html" };
        Request::builder()
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::ACCEPT, accept)
            .header(header::COOKIE, cookies.join("; "))
    }

    async fn send(&mut self, request: Request<Body>) -> Page {
        let answer = self.site.clone().oneshot(request).await.unwrap();
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let location =
            answer.headers().get(header::LOCATION).map_or("", |it| it.to_str().unwrap()).to_owned();
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec();
        Page { status, location, body }
    }
}

fn encoded(value: &str) -> String {
    value
        .bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}
