//! Two cities with real stores and contracts, and a messenger that a test holds in its hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use tb_base::{
    Actor, Calendar, Ctx, Entropy, Error, MessageId, NodeId, OfficeId, PersonId, Result, Role, StaffId,
    Timestamp,
};
use tb_crypto::Vault;
use tb_exchange::founding::{Charter, Founder, Member, found};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::{Desk, Incoming, Outgoing, Receipt, ReceiptKind, ServiceTerms, service};
use tb_identity::look::LookKind;
use tb_identity::offices::{self, Office, OfficeKind};
use tb_identity::people::{self, Person, PersonKind, PersonStatus};
use tb_identity::{messages, sms};
use tb_store::{Config, Sealer, Stmt, Store, Tx, inbox, jobs, outbox, stmt};

use crate::acts::{self, Doing, NewEnquiry};
use crate::decide::By;
use crate::queue::{self, Filter, Whose};
use crate::{About, Act, Asker, Enquiry, Env, Limits, LookRef, State, keep, peer, timers};

/// Monday, nine in the morning.
const MONDAY: &str = "2026-09-07";
const DRIVER: &str = "43030419900307202X";
const PHONE: &str = "13800138000";
const WORDS: &str = "窗口说要金丝雀巷的证明，指南上没有写";

/// Who runs the timers here.
const LEASE: tb_store::Lease<'_> = tb_store::Lease { holder: "test", seconds: 60 };

struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            self.0 += 1;
            let digest = tb_crypto::sha256(&self.0.to_be_bytes());
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

struct City {
    store: Store,
    env: Env,
    person: PersonId,
}

struct World {
    cities: BTreeMap<NodeId, City>,
    now: Timestamp,
    entropy: Arc<Mutex<Counter>>,
    runtime: tokio::runtime::Runtime,
}

fn changsha() -> NodeId {
    "430100".parse().unwrap()
}

fn xiangtan() -> NodeId {
    "430300".parse().unwrap()
}

fn office(city: NodeId, name: &str) -> OfficeId {
    format!("{city}-{name}").parse().unwrap()
}

impl World {
    fn new() -> World {
        World::on(|_| Config::memory())
    }

    fn on(config: impl Fn(NodeId) -> Config) -> World {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let now = Timestamp::at(MONDAY.parse().unwrap(), 9);
        let entropy = Arc::new(Mutex::new(Counter(77)));
        let mut world = World { cities: BTreeMap::new(), now, entropy, runtime };
        for desk in desks(now) {
            let me = desk.me;
            let schemas = [tb_identity::SCHEMA, crate::SCHEMA];
            let store = world.runtime.block_on(Store::open(&config(me), &schemas)).unwrap();
            let env = Env {
                vault: Arc::new(Vault::new(tb_crypto::sha256(me.as_str().as_bytes()))),
                desk: Arc::new(desk),
                calendar: Arc::new(Calendar::national().clone()),
                limits: Limits::shipped().unwrap(),
            };
            store.seal_messages(Sealer::new((*env.vault).clone(), world.entropy.clone()));
            let ctx = world.ctx(me, Actor::System);
            let person = driver(ctx.id(PersonId::new));
            world.cities.insert(me, City { store, env, person: person.id });
            world.write(me, Actor::System, move |tx, ctx, env| furnish(tx, ctx, env, &person)).unwrap();
        }
        world
    }

    fn ctx(&self, node: NodeId, actor: Actor) -> Ctx {
        Ctx::new(self.now, actor, node, self.entropy.clone())
    }

    fn write<T: Send + 'static>(
        &self,
        node: NodeId,
        actor: Actor,
        work: impl Fn(&mut Tx<'_>, &Ctx, &Env) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (ctx, env) = (self.ctx(node, actor), self.cities[&node].env.clone());
        let work = move |tx: &mut Tx<'_>| work(tx, &ctx, &env);
        self.runtime.block_on(self.cities[&node].store.write("enquiry.story", work))
    }

    fn her(&self) -> Asker {
        Asker::Person(self.cities[&changsha()].person)
    }

    fn id(&self) -> MessageId {
        self.ctx(changsha(), Actor::System).id(MessageId::new)
    }

    fn new_of(&self, about: About, to: NodeId) -> NewEnquiry {
        let text = WORDS.parse().unwrap();
        NewEnquiry { id: self.id(), about, asker: self.her(), to, office: None, text }
    }

    fn ask(&self, new: &NewEnquiry) -> Result<Enquiry> {
        let new = new.clone();
        let actor = match new.asker {
            Asker::Person(person) => Actor::Resident { person, level: 3 },
            Asker::Phone(_) | Asker::Elsewhere => Actor::Anonymous,
        };
        self.write(changsha(), actor, move |tx, ctx, env| acts::ask(tx, ctx, env, new.clone()))
    }

    /// Staff of an office do something; `seen` as their page showed it.
    fn office_acts(
        &self,
        city: NodeId,
        name: &'static str,
        id: MessageId,
        act: Act,
        turn: MessageId,
    ) -> Result<Enquiry> {
        let own = office(city, name);
        let staff = StaffId::new(self.now, &mut Counter(5));
        let actor = Actor::Staff { staff, role: Role::Window, office: own.clone() };
        self.write(city, actor, move |tx, ctx, env| {
            let seen = keep::find(tx, id)?.map(|enquiry| enquiry.turns);
            acts::act(tx, ctx, env, id, &Doing { turn, act: act.clone(), by: By::Office(&own), seen })
        })
    }

    fn asker_acts(&self, id: MessageId, act: Act) -> Result<Enquiry> {
        let turn = self.id();
        let actor = Actor::Resident { person: self.cities[&changsha()].person, level: 3 };
        self.write(changsha(), actor, move |tx, ctx, env| {
            acts::act(tx, ctx, env, id, &Doing { turn, act: act.clone(), by: By::Asker, seen: None })
        })
    }

    fn held(&self, city: NodeId, id: MessageId) -> Enquiry {
        self.write(city, Actor::System, move |tx, _, _| keep::find(tx, id)).unwrap().unwrap()
    }

    #[track_caller]
    fn both_say(&self, id: MessageId, state: State) {
        let (here, there) = (self.held(changsha(), id), self.held(xiangtan(), id));
        assert_eq!((here.state, there.state), (state, state));
        assert_eq!(
            (here.due, here.since, here.turns, here.office),
            (there.due, there.since, there.turns, there.office)
        );
    }

    fn waiting(&self, from: NodeId) -> Vec<Outgoing> {
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

    fn deliver(&self, message: &Outgoing) -> Result<()> {
        let envelope = message.envelope.clone();
        let (from, to, id) = (envelope.from, envelope.to, envelope.id);
        self.cities[&to].env.desk.admit(&envelope, self.now).unwrap();
        self.hand_in(message)?;
        self.write(from, Actor::System, move |tx, ctx, _| {
            let (kind, leaf) = (ReceiptKind::Processed, "00".repeat(32));
            let receipt = Receipt { message: id, kind, at: ctx.now, leaf, refusal: None };
            outbox::settled(tx, ctx.now, id, &receipt, &serde_json::Value::Null)
        })
        .unwrap();
        assert_eq!(to, envelope.to);
        Ok(())
    }

    /// What the inbox of the other city does with a message, whether or not it came before.
    fn hand_in(&self, message: &Outgoing) -> Result<()> {
        let incoming = Incoming {
            envelope: message.envelope.clone(),
            body: message.body.clone(),
            at: self.now,
            base_hash: [7; 32],
            evidence: serde_json::Value::Null,
        };
        let (from, to) = (incoming.envelope.from, incoming.envelope.to);
        self.write(to, Actor::Peer(from), move |tx, ctx, env| {
            let handlers = peer::handlers(env);
            let handler = handlers.iter().find(|it| it.service == incoming.envelope.service).unwrap();
            inbox::receive(tx, ctx, handler, &incoming).map(drop)
        })
    }

    /// Delivers everything until nothing waits.
    #[track_caller]
    fn exchange(&self) {
        for _ in 0..10 {
            let mut messages = self.waiting(changsha());
            messages.extend(self.waiting(xiangtan()));
            if messages.is_empty() {
                return;
            }
            for message in messages {
                self.deliver(&message).unwrap();
            }
        }
        panic!("messages go round in circles");
    }

    /// Runs what is due at a moment in a city, once each.
    fn run_timers(&mut self, city: NodeId, at: Timestamp) {
        self.now = at;
        self.write(city, Actor::System, move |tx, ctx, env| {
            for job in jobs::due(tx, ctx.now, 10, LEASE)? {
                timers::run(tx, ctx, env, &job.payload)?;
                jobs::done(tx, &job)?;
            }
            Ok(())
        })
        .unwrap();
    }

    /// The templates of her notices, oldest first.
    fn notices(&self) -> Vec<String> {
        let person = self.cities[&changsha()].person;
        let read = self.write(changsha(), Actor::System, move |tx, _, _| {
            Ok(messages::narrowed(tx, person, Default::default(), 0)?.0)
        });
        let mut notices: Vec<String> = read.unwrap().into_iter().map(|notice| notice.template).collect();
        notices.reverse();
        notices
    }

    fn texts(&self) -> Vec<String> {
        let read = self.write(changsha(), Actor::System, |tx, _, env| sms::of_phone(tx, &env.vault, PHONE));
        read.unwrap().into_iter().map(|sms| sms.text).collect()
    }
}

fn driver(id: PersonId) -> Person {
    Person {
        id,
        number: DRIVER.parse().unwrap(),
        name: "贺志强".into(),
        phone: Some("13807314627".into()),
        address: "湘潭市岳塘区".into(),
        division: "430304".parse().unwrap(),
        kind: PersonKind::Household,
        status: PersonStatus::Active,
    }
}

/// The person, a hall, a data bureau and a department.
fn furnish(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, person: &Person) -> Result<()> {
    people::add(tx, ctx, &env.vault, person)?;
    people::bind_pseudonyms(tx, ctx, &env.desk, person)?;
    let kinds =
        [("bureau", OfficeKind::Bureau), ("hall-1", OfficeKind::Hall), ("transport", OfficeKind::Department)];
    for (name, kind) in kinds {
        let id = office(env.me(), name);
        let (name_zh, name_en) = (format!("{name}处"), format!("Office {name}"));
        offices::put(tx, ctx, &Office { id, name_zh, name_en, kind, division: "430102".parse().unwrap() })?;
    }
    Ok(())
}

fn desks(now: Timestamp) -> Vec<Desk> {
    let mut entropy = Counter(900);
    let keys: Vec<_> = [changsha(), xiangtan()]
        .into_iter()
        .map(|node| (node, Secrets::generate(&mut entropy), WitnessKey::generate(&mut entropy)))
        .collect();
    let purposes = [peer::PURPOSE.to_owned()];
    let terms = ServiceTerms { purposes: purposes.into(), fields: BTreeSet::new(), quota_per_day: 1_000 };
    let names = [service::ENQUIRY_ASK, service::ENQUIRY_ANSWER];
    let charter = Charter {
        region: "czt".to_owned(),
        not_before: now.plus_seconds(-86_400),
        not_after: now.plus_seconds(86_400 * 400),
        services: names.into_iter().map(|name| (name.to_owned(), terms.clone())).collect(),
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

fn a_look(world: &World) -> About {
    let look = LookRef {
        id: world.id(),
        held_by: changsha(),
        at: world.now,
        kind: LookKind::Fetch,
        office: None,
        role: "reviewer".to_owned(),
        item: "121".to_owned(),
        case: None,
        ground: "case".to_owned(),
        fields: vec!["name".to_owned()],
        message: None,
        outcome: "shown".to_owned(),
    };
    About::Look { look: Box::new(look) }
}

fn answer(city: NodeId, name: &str, after: u32) -> Act {
    let place =
        crate::Place { id: office(city, name), zh: format!("{name}处"), en: format!("Office {name}") };
    Act::Answer {
        office: place, text: "是窗口说错了，不需要，现在就可以办".parse().unwrap(), after
    }
}

fn again() -> Act {
    Act::Again { text: "还是不行".parse().unwrap() }
}

#[track_caller]
fn check_code<T: std::fmt::Debug>(outcome: Result<T>, expected: &str) {
    match outcome {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.code, expected),
        other => panic!("{other:?}"),
    }
}

mod anonymous;
mod crossing;
mod here;
mod sealed;
