//! What tests of this crate share: three cities with keys and contracts, and the store of one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tb_base::{Actor, CaseId, Ctx, Entropy, Error, NodeId, PersonId, Result, Timestamp};
use tb_crypto::{Vault, sha256};
use tb_exchange::founding::{Charter, Founder, Member, found};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::{Answer, Desk, Incoming, Outgoing, ServiceTerms, SignedContract, SignedTrustList, service};
use tb_identity::people::Person;
use tb_identity::seed;
use tb_store::{Config, Sealer, Store, Tx};

use crate::consent::Asked;
use crate::store::{Holder, Issuer, Licence, NewLicence, issue};
use crate::types::Types;

/// The definitions of the first version, as task 3 ships them.
pub(crate) const DEFINITIONS: [(&str, &str); 3] = [
    ("resident_card.toml", include_str!("../../../tasks/t03-recognition/defs/licence/resident_card.toml")),
    (
        "road_transport_qualification.toml",
        include_str!("../../../tasks/t03-recognition/defs/licence/road_transport_qualification.toml"),
    ),
    (
        "business_licence.toml",
        include_str!("../../../tasks/t03-recognition/defs/licence/business_licence.toml"),
    ),
];

/// 2026-06-01 12:00 in China.
pub(crate) const NOON: Timestamp = Timestamp(1_780_286_400_000_000);
pub(crate) const QUALIFICATION: &str = "road_transport_qualification";
/// What the contracts of the test region let a peer see.
const AGREED: [&str; 8] = [
    "name",
    "sex",
    "birth",
    "category",
    "road_transport_qualification.number",
    "issuer",
    "integrity",
    "vehicle_class",
];

/// The types of the first version.
pub(crate) fn types() -> Types {
    Types::load(&DEFINITIONS).expect("the definitions are good")
}

pub(crate) fn changsha() -> NodeId {
    "430100".parse().expect("a city")
}

pub(crate) fn zhuzhou() -> NodeId {
    "430200".parse().expect("a city")
}

pub(crate) fn xiangtan() -> NodeId {
    "430300".parse().expect("a city")
}

pub(crate) fn names(fields: &[&str]) -> BTreeSet<String> {
    fields.iter().map(|field| (*field).to_owned()).collect()
}

/// A counter in the place of randomness.
struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&sha256(&self.0.to_be_bytes())[..chunk.len()]);
        }
    }
}

/// The region and what stands in each city.
pub(crate) struct World {
    trust: SignedTrustList,
    contracts: Vec<SignedContract>,
    secrets: BTreeMap<NodeId, Secrets>,
    stores: BTreeMap<NodeId, Store>,
    entropy: Arc<Mutex<dyn Entropy>>,
    runtime: tokio::runtime::Runtime,
}

impl World {
    pub(crate) fn new() -> World {
        World::on(|_| Config::memory())
    }

    pub(crate) fn on(config: impl Fn(NodeId) -> Config) -> World {
        let mut entropy = Counter(0);
        let nodes = [changsha(), zhuzhou(), xiangtan()];
        let secrets: BTreeMap<_, _> = nodes.iter().map(|it| (*it, Secrets::generate(&mut entropy))).collect();
        let witnesses: Vec<_> = nodes.iter().map(|_| WitnessKey::generate(&mut entropy)).collect();
        let founders: Vec<_> = nodes
            .iter()
            .zip(&witnesses)
            .map(|(node, witness)| Founder { member: member(*node), secrets: &secrets[node], witness })
            .collect();
        let (trust, contracts) = found(&charter(), &founders).expect("a region");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("runtime");
        let open = |node: &NodeId| {
            let schemas = [tb_identity::SCHEMA, crate::SCHEMA];
            (*node, runtime.block_on(Store::open(&config(*node), &schemas)).expect("a store"))
        };
        let stores: BTreeMap<NodeId, Store> = nodes.iter().map(open).collect();
        let entropy = Arc::new(Mutex::new(entropy));
        for (node, store) in &stores {
            store.seal_messages(Sealer::new(Vault::new(secrets[node].vault), entropy.clone()));
        }
        World { trust, contracts, secrets, stores, entropy, runtime }
    }

    /// A region whose cities have a small register each.
    pub(crate) fn peopled(people: usize) -> World {
        World::new().plant(people)
    }

    pub(crate) fn plant(self, people: usize) -> World {
        for node in [changsha(), zhuzhou(), xiangtan()] {
            let city = seed::city(seed::SEED, node, people, 3).expect("a city");
            let vault = Arc::new(self.vault(node));
            let ctx = self.ctx(node, NOON, Actor::System);
            let desk = self.desk(node);
            let planted = seed::plant(&self.stores[&node], &ctx, &vault, &desk, None, city);
            assert!(self.runtime.block_on(planted).expect("a register"));
        }
        self
    }

    pub(crate) fn ctx(&self, node: NodeId, now: Timestamp, actor: Actor) -> Ctx {
        Ctx::new(now, actor, node, Arc::clone(&self.entropy))
    }

    pub(crate) fn system(&self, node: NodeId) -> Ctx {
        self.ctx(node, NOON, Actor::System)
    }

    pub(crate) fn vault(&self, node: NodeId) -> Vault {
        Vault::new(self.secrets[&node].vault)
    }

    pub(crate) fn desk(&self, node: NodeId) -> Desk {
        Desk::new(node, self.trust.clone(), self.contracts.clone(), &self.secrets[&node]).expect("a desk")
    }

    pub(crate) fn trust(&self) -> &tb_exchange::TrustList {
        &self.trust.list
    }

    pub(crate) fn secrets(&self, node: NodeId) -> &Secrets {
        &self.secrets[&node]
    }

    pub(crate) fn issuer(&self, node: NodeId) -> Issuer {
        let first = format!("11{node}MB9900001");
        let check = tb_base::Uscc::check_letter(&first).expect("letters");
        Issuer {
            vault: Arc::new(self.vault(node)),
            key: Arc::new(self.secrets[&node].licence_sm2.clone()),
            types: Arc::new(types()),
            city: node,
            uscc: format!("{first}{check}").parse().expect("a code"),
        }
    }

    /// Runs a unit of work in a city's store.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        node: NodeId,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let work = Mutex::new(Some(work));
        self.runtime.block_on(self.stores[&node].write("licence.test", move |tx| {
            let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
            work.expect("run once")(tx)
        }))
    }

    /// The driver as a city's register knows her.
    pub(crate) fn driver(&self, node: NodeId) -> Person {
        let number = seed::driver().expect("the cast").number;
        let vault = self.vault(node);
        let found = self.write(node, move |tx| tb_identity::people::by_number(tx, &vault, &number));
        found.expect("a register").expect("she is in the register")
    }

    /// Gives the driver a qualification in Xiangtan.
    pub(crate) fn qualified(&self) -> Licence {
        let (issuer, ctx, person) =
            (self.issuer(xiangtan()), self.system(xiangtan()), self.driver(xiangtan()));
        let new = qualification(&person);
        self.write(xiangtan(), move |tx| issue(tx, &ctx, &issuer, new)).expect("issued")
    }

    /// Carries a query to a city and runs its handler there, as the node does.
    pub(crate) fn carry(&self, message: Outgoing, now: Timestamp) -> Result<Answer> {
        let Outgoing { envelope, body } = message;
        let (from, to) = (envelope.from, envelope.to);
        let incoming =
            Incoming { envelope, body, at: now, base_hash: [7; 32], evidence: serde_json::Value::Null };
        let desk = self.desk(to);
        desk.admit(&incoming.envelope, now)?;
        let handlers = crate::peer::handlers(&Arc::new(desk), &Arc::new(self.issuer(to)));
        let handler =
            handlers.into_iter().find(|it| it.service == incoming.envelope.service).expect("offered");
        let ctx = self.ctx(to, now, Actor::Peer(from));
        // Verifiers at once make PostgreSQL run a unit again.
        let work = move |tx: &mut Tx<'_>| (handler.handle)(tx, &ctx, &incoming);
        let body = self.runtime.block_on(self.stores[&to].write("licence.test.carry", work))?;
        Ok(Answer { from: to, body: body.to_string().into_bytes(), at: now })
    }
}

pub(crate) fn qualification(person: &Person) -> NewLicence {
    let pairs = [
        ("name", person.name.as_str()),
        ("sex", "女"),
        ("birth", "1990-03-07"),
        ("resident_number", person.number.as_str()),
        ("number", person.number.as_str()),
        ("category", "经营性道路货物运输驾驶员"),
        ("vehicle_class", "A2"),
        ("first_issued", "2014-06-11"),
        ("issuer", "湘潭市交通运输局"),
    ];
    NewLicence {
        type_id: QUALIFICATION.to_owned(),
        holder: Holder::Person { id: person.id, number: person.number },
        fields: pairs.into_iter().map(|(field, value)| (field.to_owned(), value.to_owned())).collect(),
        valid_from: "2020-06-11".parse().expect("a date"),
        valid_to: "2026-06-10".parse().ok(),
    }
}

pub(crate) fn resident(person: PersonId) -> Actor {
    Actor::Resident { person, level: 3 }
}

pub(crate) fn window() -> Actor {
    Actor::Staff {
        staff: "01kq3zt0000000000000000009".parse().expect("an id"),
        role: tb_base::Role::Window,
        office: "430100-hall-1".parse().expect("an office"),
    }
}

pub(crate) fn case(last: char) -> CaseId {
    format!("01kq3zt000000000000000000{last}").parse().expect("an id")
}

pub(crate) fn asked(fields: &[&str]) -> Vec<Asked> {
    vec![Asked { type_id: QUALIFICATION.to_owned(), fields: names(fields) }]
}

#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T>, code: &str) {
    match result {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.code, code, "{refusal}"),
        other => panic!("{other:?} instead of the refusal {code}"),
    }
}

fn charter() -> Charter {
    let terms = |fields: &[&str]| ServiceTerms {
        purposes: ["121", "verify", "120", "present"].map(str::to_owned).into(),
        fields: names(fields),
        quota_per_day: 1_000,
    };
    let services = [
        (service::LICENCE_LOCATE.to_owned(), terms(&[])),
        (service::LICENCE_FETCH.to_owned(), terms(&AGREED)),
        (service::LICENCE_VERIFY.to_owned(), terms(&AGREED)),
        (service::LICENCE_PRESENT.to_owned(), terms(&AGREED)),
    ];
    Charter {
        region: "czt".to_owned(),
        not_before: NOON.plus_seconds(-86_400),
        not_after: NOON.plus_seconds(86_400 * 365),
        services: services.into(),
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
