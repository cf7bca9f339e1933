//! A site to look at and to test with: three cities' fronts, a database in memory, a clock that stands still.

use std::sync::{Arc, Mutex};

use tb_base::{Actor, Clock, Ctx, Entropy, NodeId, Result, Role, Timestamp};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::{Answer, City, Desk, Outgoing, Peers, SignedTrustList, TrustList};
use tb_store::{Config, Store};
use tb_web::session::{Account, Lookup};
use tb_web::{App, AppParts, CityFront, DemoSettings, NavEntry};

/// 2026-11-24 09:41 in China, the present of all design work.
pub const NOW: Timestamp = Timestamp(1_795_484_460_000_000);
/// The session of a resident in the sample site.
pub const RESIDENT_TOKEN: &str = "resident-token";
/// The session of a reviewer.
pub const REVIEWER_TOKEN: &str = "reviewer-token";

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// A counter that is spread over all bits: unlike bytes, but the same in every run.
struct Counted(u64);

impl Entropy for Counted {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[0];
        }
    }
}

struct Alone;

impl Peers for Alone {
    fn query(
        &self,
        _: Ctx,
        _: Outgoing,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Answer>> + Send + '_>> {
        Box::pin(async { Err(tb_exchange::unavailable("别的城市", "Any other city").into()) })
    }
}

fn front(node: &str, name: &str, name_en: &str, app: &str, seal: &str, colour: &str) -> Result<CityFront> {
    Ok(CityFront {
        node: node.parse()?,
        name: name.to_owned(),
        name_en: name_en.to_owned(),
        app: app.to_owned(),
        seal: seal.to_owned(),
        colour: colour.to_owned(),
        site_url: format!("http://{node}.invalid"),
    })
}

/// The fronts of the shipped region.
pub fn fronts() -> Result<Vec<CityFront>> {
    Ok(vec![
        front("430100", "长沙", "Changsha", "我的长沙", "长", "#7a3b5e")?,
        front("430200", "株洲", "Zhuzhou", "诸事达", "株", "#345a78")?,
        front("430300", "湘潭", "Xiangtan", "e潭就办", "潭", "#66691a")?,
    ])
}

fn desk(me: NodeId, entropy: &mut dyn Entropy) -> Result<Desk> {
    let (secrets, witness) = (Secrets::generate(entropy), WitnessKey::generate(entropy));
    let city = City {
        node: me,
        name: "长沙市".to_owned(),
        name_en: "Changsha".to_owned(),
        app: "我的长沙".to_owned(),
        exchange_url: "https://127.0.0.1:1".to_owned(),
        site_url: "http://127.0.0.1:2".to_owned(),
        log_origin: format!("tongban/{me}"),
        keys: secrets.public(&"0".repeat(64), &witness.public()),
        former: Vec::new(),
    };
    let list = TrustList {
        region: "czt".to_owned(),
        version: 1,
        not_before: NOW,
        not_after: NOW.plus_seconds(86_400),
        cities: vec![city],
        quorum: None,
        previous: None,
        contracts: Vec::new(),
        left: Vec::new(),
    };
    let mut trust = SignedTrustList::new(list);
    trust.sign(me, &secrets)?;
    Desk::new(me, trust, Vec::new(), &secrets)
}

/// Knows two sessions, whatever the database holds.
fn lookup() -> Lookup {
    Arc::new(|_, token, now| {
        let ctx = Ctx::new(now, Actor::System, "430100".parse()?, Arc::new(Mutex::new(Counted(7))));
        let (name, actor, office_name) = match token {
            RESIDENT_TOKEN => {
                ("贺志强", Actor::Resident { person: ctx.id(tb_base::PersonId::new), level: 3 }, None)
            }
            REVIEWER_TOKEN => {
                let (staff, office) = (ctx.id(tb_base::StaffId::new), "430100-transport".parse()?);
                (
                    "宋岚",
                    Actor::Staff { staff, role: Role::Reviewer, office },
                    Some("长沙市交通运输局".to_owned()),
                )
            }
            _ => return Ok(None),
        };
        let login = token.to_owned();
        Ok(Some(Account {
            id: login.clone(),
            login,
            name: name.to_owned(),
            actor,
            office_name,
            acting: None,
        }))
    })
}

/// The sample site of Changsha.
pub async fn app() -> Result<App> {
    app_over(Line::Plain).await
}

/// What a site is served over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// HTTP on loopback.
    Plain,
    /// TLS.
    Tls,
}

/// The sample site over a kind of line.
pub async fn app_over(line: Line) -> Result<App> {
    let node: NodeId = "430100".parse()?;
    let mut entropy = Counted(1);
    let desk = Arc::new(desk(node, &mut entropy)?);
    Ok(App::new(AppParts {
        node,
        store: Store::open(&Config::memory(), &[]).await?,
        desk,
        peers: Arc::new(Alone),
        clock: Arc::new(Still),
        entropy: Arc::new(Mutex::new(entropy)),
        cities: fronts()?,
        session: lookup(),
        nav: vec![
            NavEntry::public("/", "首页", "Start"),
            NavEntry::public("/items", "办事", "Services"),
            NavEntry::public("/cases", "办件", "My cases").extra(),
            NavEntry::public("/licences", "证照", "Licences"),
            NavEntry::public("/looks", "我的数据", "My data"),
            NavEntry::staff("/review", "待办", "To do", &[Role::Reviewer, Role::Approver]),
        ],
        secure_cookies: line == Line::Tls,
        demo: Some(DemoSettings { start_url: "http://127.0.0.1:8420/".to_owned(), guide: None }),
    }))
}
