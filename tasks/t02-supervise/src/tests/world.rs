//! One city with its site, cases in its lists and nobody at the other end of its lines.

use std::sync::Arc;

use tb_base::{Actor, Calendar, Ctx, OfficeId, Role, Timestamp};
use tb_crypto::Vault;
use tb_exchange::Desk;
use tb_identity::seed;
use tb_store::{Config, Stmt, Store, params, stmt};
use tb_testregion::{Counter, Founded, Silent, Site, SiteParts, Stepped, account, staff};
use tb_web::session::Lookup;

use crate::{Parts, module};

pub use tb_testregion::{CHANGSHA as CITY, Got, NOON, node};

/// The city.
pub struct World {
    store: Store,
    site: Site,
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
        let founded = Founded::new();
        let (desk, vault) = (founded.desk(node(CITY)), founded.vault(node(CITY)));
        let store = Store::open(config, &[tb_identity::SCHEMA, tb_case::SCHEMA]).await.expect("a store");
        let city = seed::city(seed::SEED, node(CITY), 4, 1).expect("a city");
        let ctx = Ctx::new(NOON, Actor::System, node(CITY), Arc::clone(&founded.entropy));
        seed::plant(&store, &ctx, &vault, &desk, None, city).await.expect("a register");
        let module = module(Parts::new(Arc::new(env(&desk, &vault))));
        let parts = SiteParts {
            node: node(CITY),
            store: &store,
            desk: &desk,
            peers: Arc::new(Silent),
            clock: Arc::new(Stepped::running()),
            entropy: &founded.entropy,
            session: accounts(),
            form_page: "/performance",
        };
        let site = Site::of(parts, &module);
        World { store, site }
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
        self.site.page(who, path).await
    }

    pub async fn get(&self, who: &str, path: &str) -> Got {
        self.site.get(who, path).await
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

fn accounts() -> Lookup {
    Arc::new(|_: &mut tb_store::Tx<'_>, token: &str, _| {
        let role = match token {
            "supervisor" => Role::Supervisor,
            "reviewer" => Role::Reviewer,
            _ => return Ok(None),
        };
        Ok(Some(account(token, Actor::Staff { staff: staff(token), role, office: hall() })))
    })
}
