//! One city with its site, its offices and nobody at the other end of its lines.

use std::sync::{Arc, Mutex};

use tb_base::{
    Actor, Calendar, CaseId, Ctx, DraftId, Entropy, Fault, LicenceId, MessageId, NodeId, OfficeId, Role,
};
use tb_case::case::Channel;
use tb_case::draft::{self, Draft, Fetched, NewDraft};
use tb_case::{Env, submit};
use tb_counter::ticket::{self, Ticket};
use tb_crypto::Vault;
use tb_exchange::Desk;
use tb_identity::{people, seed};
use tb_store::{Config, Store};
use tb_testregion::{Founded, Silent, Site, SiteParts, Stepped, account, staff};
use tb_web::session::{Account, Lookup};

use crate::{Parts, module};

pub use tb_testregion::{CHANGSHA as CITY, Got, NOON, node};

/// The city.
pub struct World {
    pub store: Store,
    pub env: Arc<Env>,
    entropy: Arc<Mutex<dyn Entropy>>,
    site: Site,
}

impl World {
    pub async fn new() -> World {
        let founded = Founded::new();
        let (desk, vault) = (founded.desk(node(CITY)), founded.vault(node(CITY)));
        let schemas = [tb_identity::SCHEMA, tb_case::SCHEMA, tb_counter::SCHEMA];
        let store = Store::open(&Config::memory(), &schemas).await.expect("a store");
        let city = seed::city(seed::SEED, node(CITY), 4, 1).expect("a city");
        let ctx = Ctx::new(NOON, Actor::System, node(CITY), Arc::clone(&founded.entropy));
        seed::plant(&store, &ctx, &vault, &desk, None, city).await.expect("a register");
        let env = env(&desk, &vault);
        let module = module(Parts { vault, catalogue: catalogue(), env: Arc::clone(&env) });
        let parts = SiteParts {
            node: node(CITY),
            store: &store,
            desk: &desk,
            peers: Arc::new(Silent),
            clock: Arc::new(Stepped::running()),
            entropy: &founded.entropy,
            session: Arc::new(|_: &mut tb_store::Tx<'_>, token: &str, _| Ok(of_token(token))) as Lookup,
            form_page: "/tickets",
        };
        let site = Site::of(parts, &module);
        World { store, env, entropy: founded.entropy, site }
    }

    pub fn ctx(&self, who: &str) -> Ctx {
        let actor = of_token(who).map_or(Actor::System, |account| account.actor);
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
        self.site.page(who, path).await
    }

    pub async fn get(&self, who: &str, path: &str) -> Got {
        self.site.get(who, path).await
    }

    pub async fn post(&self, who: &str, path: &str, form: &str) -> Got {
        self.site.post(who, path, form).await
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

fn of_token(token: &str) -> Option<Account> {
    let role = match token {
        "window" | "window-colleague" | "window-elsewhere" => Role::Window,
        "reviewer" => Role::Reviewer,
        _ => return None,
    };
    let office =
        if token == "window-elsewhere" { "430100-hall-2".parse().expect("an office") } else { hall() };
    Some(account(token, Actor::Staff { staff: staff(token), role, office }))
}
