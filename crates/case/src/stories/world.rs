//! Two cities with real stores, real contracts and a messenger that a test holds in its hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use tb_base::{
    Actor, Calendar, CaseId, Ctx, DraftId, Error, LicenceId, MessageId, NodeId, PersonId, Result, Role,
    StaffId, Timestamp,
};
use tb_crypto::Vault;
use tb_exchange::founding::{Charter, Founder, Member, found};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::{Desk, Incoming, Outgoing, Receipt, ReceiptKind, ServiceTerms, service};
use tb_identity::people::{self, Person, PersonKind, PersonStatus};
use tb_store::{Config, Sealer, Store, Tx, inbox, outbox};

use crate::acts::{self, Acted};
use crate::case::{Channel, IssuedResult};
use crate::command::Command;
use crate::definitions::Source;
use crate::draft::{self, Fetched, NewDraft};
use crate::fixture::{Counter, catalogue, changsha, morning, place, xiangtan};
use crate::{Env, ProgressView, peer};

/// The messenger takes everything, and nobody else does.
const DRIVER: &str = "43030419900307202X";

pub(super) struct City {
    pub(super) store: Store,
    pub(super) env: Env,
    pub(super) person: PersonId,
}

pub(super) struct World {
    pub(super) cities: BTreeMap<NodeId, City>,
    pub(super) now: Timestamp,
    entropy: Arc<Mutex<Counter>>,
    /// Versions of licences as Xiangtan holds them; a test changes them.
    pub(super) in_force: Arc<Mutex<BTreeMap<LicenceId, u32>>>,
    runtime: tokio::runtime::Runtime,
}

impl World {
    pub(super) fn new() -> World {
        World::on(|_| Config::memory())
    }

    pub(super) fn on(config: impl Fn(NodeId) -> Config) -> World {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let now = morning("2026-09-14");
        let entropy = Arc::new(Mutex::new(Counter(77)));
        let in_force = Arc::new(Mutex::new(BTreeMap::new()));
        let mut world = World { cities: BTreeMap::new(), now, entropy, in_force, runtime };
        for desk in desks(now) {
            let me = desk.me;
            let schemas = [tb_identity::SCHEMA, crate::SCHEMA];
            let store = world.runtime.block_on(Store::open(&config(me), &schemas)).unwrap();
            let env = world.env(desk);
            store.seal_messages(Sealer::new((*env.vault).clone(), world.entropy.clone()));
            let ctx = world.ctx(me, Actor::System);
            let person = Person {
                id: ctx.id(PersonId::new),
                number: DRIVER.parse().unwrap(),
                name: "贺志强".into(),
                phone: Some("13807314627".into()),
                address: "湘潭市岳塘区".into(),
                division: "430304".parse().unwrap(),
                kind: PersonKind::Household,
                status: PersonStatus::Active,
            };
            let id = person.id;
            world.cities.insert(me, City { store, env, person: id });
            world
                .write(me, Actor::System, move |tx, ctx, env| {
                    people::add(tx, ctx, &env.vault, &person)?;
                    people::bind_pseudonyms(tx, ctx, &env.desk, &person)
                })
                .unwrap();
        }
        world
    }

    fn env(&self, desk: Desk) -> Env {
        let (issued, checked) = (self.in_force.clone(), self.in_force.clone());
        Env {
            vault: Arc::new(Vault::new(tb_crypto::sha256(desk.me.as_str().as_bytes()))),
            desk: Arc::new(desk),
            catalogue: catalogue(),
            calendar: Arc::new(Calendar::national().clone()),
            issue: Arc::new(move |_, _, case, _| {
                let old = case.opening.licences.iter().find(|it| it.material == "old-certificate").unwrap();
                issued.lock().unwrap().insert(old.licence, old.version + 1);
                Ok(IssuedResult { licence: old.licence, version: old.version + 1 })
            }),
            is_current: Arc::new(move |_, _, _, it| {
                Ok(checked.lock().unwrap().get(&it.licence) == Some(&it.version))
            }),
            ended: Arc::new(|_, _, _| Ok(())),
        }
    }

    pub(super) fn ctx(&self, node: NodeId, actor: Actor) -> Ctx {
        Ctx::new(self.now, actor, node, self.entropy.clone())
    }

    pub(super) fn write<T: Send + 'static>(
        &self,
        node: NodeId,
        actor: Actor,
        work: impl Fn(&mut Tx<'_>, &Ctx, &Env) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (ctx, env) = (self.ctx(node, actor), self.cities[&node].env.clone());
        self.runtime.block_on(self.cities[&node].store.write("case.story", move |tx| work(tx, &ctx, &env)))
    }

    pub(super) fn staff(&self, node: NodeId, role: Role) -> Actor {
        let staff = StaffId::new(Timestamp(i64::from(role as u8) * 1_000_000), &mut Counter(5));
        Actor::Staff { staff, role, office: place(node, role == Role::Window).office }
    }

    pub(super) fn driver(&self, node: NodeId) -> Actor {
        Actor::Resident { person: self.cities[&node].person, level: 3 }
    }

    /// A complete draft at Changsha's window, with papers fetched from Xiangtan.
    pub(super) fn filled(&self, delivery: &str) -> (DraftId, i64) {
        let clerk = self.staff(changsha(), Role::Window);
        let person = self.cities[&changsha()].person;
        let delivery = delivery.to_owned();
        let in_force = self.in_force.clone();
        self.write(changsha(), clerk, move |tx, ctx, env| {
            let new = NewDraft { item: 121, person, channel: Channel::Window, deciding: Some(xiangtan()) };
            let mut held = draft::create(tx, ctx, env, &new)?;
            let pairs =
                [("reason", "expiring"), ("phone", "13807314627"), ("delivery", &delivery), ("truth", "yes")];
            let answers = pairs.iter().map(|(id, answer)| ((*id).to_owned(), (*answer).to_owned())).collect();
            held = draft::save(tx, ctx, env, held.id, held.version, &answers)?;
            let rules = env.rules_of(121, xiangtan())?;
            for (id, kind) in rules.materials.iter().filter_map(|it| match &it.source {
                Source::Licence { licence, .. } => Some((it.id.clone(), licence.clone())),
                Source::Office { .. } => None,
            }) {
                let licence = ctx.id(LicenceId::new);
                in_force.lock().unwrap().insert(licence, 1);
                let fetched = Fetched {
                    material: id,
                    kind,
                    licence,
                    version: 1,
                    digest: "00".repeat(32),
                    issuer: xiangtan(),
                    consent: "01kq3zt0000000000000000001".into(),
                    values: [("name".to_owned(), "贺志强".to_owned())].into(),
                    at: ctx.now,
                };
                held = draft::attach_fetched(tx, ctx, env, held.id, held.version, &fetched)?;
            }
            let checks: BTreeSet<String> = rules.checks.iter().map(|check| check.id.clone()).collect();
            held = draft::check(tx, ctx, env, held.id, held.version, &checks)?;
            Ok((held.id, held.version))
        })
        .unwrap()
    }

    /// Hands a complete draft in at Changsha's window.
    pub(super) fn file(&self, delivery: &str) -> CaseId {
        let (draft, _) = self.filled(delivery);
        let id = self.ctx(changsha(), Actor::System).id(MessageId::new);
        let clerk = self.staff(changsha(), Role::Window);
        self.write(changsha(), clerk, move |tx, ctx, env| crate::submit(tx, ctx, env, draft, id)).unwrap()
    }

    pub(super) fn act(&self, node: NodeId, actor: Actor, case: CaseId, command: Command) -> Result<Acted> {
        let id = self.ctx(node, Actor::System).id(MessageId::new);
        self.write(node, actor, move |tx, ctx, env| acts::act(tx, ctx, env, case, command.clone(), id))
    }

    pub(super) fn view(&self, node: NodeId, case: CaseId) -> ProgressView {
        self.write(node, Actor::System, move |tx, _, env| acts::view(tx, env, case)).unwrap()
    }

    /// What waits in a city's outbox.
    pub(super) fn waiting(&self, from: NodeId) -> Vec<Outgoing> {
        self.write(from, Actor::System, move |tx, ctx, _| {
            let mut waiting = Vec::new();
            for to in outbox::recipients(tx)? {
                for one in outbox::line(tx, ctx.now, to, "messenger", 100)? {
                    waiting.extend(outbox::find(tx, one.id)?.map(|sent| sent.message));
                }
            }
            Ok(waiting)
        })
        .unwrap()
    }

    /// Delivers one message as the other city's inbox takes it.
    pub(super) fn deliver(&self, message: &Outgoing) -> Result<()> {
        let envelope = message.envelope.clone();
        let (from, to, id) = (envelope.from, envelope.to, envelope.id);
        self.cities[&to].env.desk.admit(&envelope, self.now).unwrap();
        let incoming = Incoming {
            envelope,
            body: message.body.clone(),
            at: self.now,
            base_hash: [7; 32],
            evidence: serde_json::Value::Null,
        };
        self.write(to, Actor::Peer(from), move |tx, ctx, env| {
            let handlers = peer::handlers(env);
            let handler = handlers.iter().find(|it| it.service == incoming.envelope.service).unwrap();
            inbox::receive(tx, ctx, handler, &incoming).map(drop)
        })?;
        self.write(from, Actor::System, move |tx, ctx, _| {
            let receipt = Receipt {
                message: id,
                kind: ReceiptKind::Processed,
                at: ctx.now,
                leaf: "00".repeat(32),
                refusal: None,
            };
            outbox::settled(tx, ctx.now, id, &receipt, &serde_json::Value::Null)
        })
    }

    /// Delivers everything until nothing waits; what must come again later waits for the next round.
    #[track_caller]
    pub(super) fn exchange(&self) {
        for _ in 0..10 {
            let mut messages = self.waiting(changsha());
            messages.extend(self.waiting(xiangtan()));
            if messages.is_empty() {
                return;
            }
            for message in messages {
                match self.deliver(&message) {
                    Ok(()) | Err(Error::Fault(_)) => {}
                    Err(error) => panic!("{}: {error}", message.envelope.service),
                }
            }
        }
        panic!("messages go round in circles");
    }
}

fn desks(now: Timestamp) -> Vec<Desk> {
    let mut entropy = Counter(900);
    let keys: Vec<_> = [changsha(), xiangtan()]
        .into_iter()
        .map(|node| (node, Secrets::generate(&mut entropy), WitnessKey::generate(&mut entropy)))
        .collect();
    let terms =
        ServiceTerms { purposes: ["*".to_owned()].into(), fields: BTreeSet::new(), quota_per_day: 1_000 };
    let charter = Charter {
        region: "czt".to_owned(),
        not_before: now.plus_seconds(-86_400),
        not_after: now.plus_seconds(86_400 * 400),
        services: service::ALL.into_iter().map(|name| (name.to_owned(), terms.clone())).collect(),
        retention_days: 30,
    };
    let member = |node: NodeId| Member {
        node,
        name: node.to_string(),
        name_en: node.to_string(),
        app: node.to_string(),
        exchange_url: format!("https://{node}"),
        site_url: format!("https://{node}"),
        tls_sha256: "00".repeat(32),
    };
    let founders: Vec<_> = keys
        .iter()
        .map(|(node, secrets, witness)| Founder { member: member(*node), secrets, witness })
        .collect();
    let (trust, contracts) = found(&charter, &founders).unwrap();
    keys.iter()
        .map(|(node, secrets, _)| Desk::new(*node, trust.clone(), contracts.clone(), secrets).unwrap())
        .collect()
}
