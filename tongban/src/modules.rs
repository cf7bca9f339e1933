//! The list of modules (模块清单): what a city is made of, wired by hand, once.

use std::sync::{Arc, Mutex};

use tb_base::{Calendar, Date, Entropy, Fault, NodeId, Result, Role, Uscc};
use tb_case::Env;
use tb_crypto::Vault;
use tb_exchange::Desk;
use tb_exchange::keys::Secrets;
use tb_identity::accounts::{self, Door, Passwords};
use tb_identity::seed;
use tb_licence::store::Issuer;
use tb_store::reseal::SealedColumn;
use tb_store::{Schema, Store};
use tb_web::{Module, NavEntry};

use crate::city::City;
use crate::definitions::{self, Definitions};
use crate::pages::agreement;
use crate::{housekeeping, resealing};

/// What every module of a city may share.
pub struct Parts {
    /// The store.
    pub store: Store,
    /// Trust list and contracts.
    pub desk: Arc<Desk>,
    /// Secret keys.
    pub secrets: Arc<Secrets>,
    /// Seals personal data.
    pub vault: Arc<Vault>,
    /// Items and licence types.
    pub definitions: Definitions,
    /// Issues licences.
    pub issuer: Arc<Issuer>,
    /// What cases need.
    pub env: Arc<Env>,
    /// What enquiries need.
    pub enquiry: tb_enquiry::Env,
    /// The working days.
    pub calendar: Arc<Calendar>,
    /// Checks passwords.
    pub passwords: Passwords,
    /// Whether this is a demo.
    pub demo: bool,
}

impl Parts {
    /// Loads the definitions and wires the blocks.
    pub fn new(
        store: Store,
        desk: Arc<Desk>,
        secrets: Arc<Secrets>,
        vault: Arc<Vault>,
        demo: bool,
        entropy: &Mutex<dyn Entropy>,
    ) -> Result<Parts> {
        let definitions = definitions::load()?;
        let issuer = Arc::new(Issuer {
            vault: vault.clone(),
            key: Arc::new(secrets.licence_sm2.clone()),
            types: definitions.types.clone(),
            city: desk.me,
            uscc: issuing_body(desk.me)?,
        });
        let calendar = Arc::new(Calendar::national().clone());
        let env = t02_services::env(&desk, &definitions.catalogue, &calendar, &vault, &issuer);
        let enquiry = tb_enquiry::Env {
            desk: desk.clone(),
            calendar: calendar.clone(),
            vault: vault.clone(),
            limits: tb_enquiry::Limits::shipped()?,
        };
        let mut entropy = entropy.lock().map_err(|_| Fault::new("drawing the password pepper"))?;
        let passwords = Passwords::new(&mut *entropy)?;
        Ok(Parts {
            store,
            desk,
            secrets,
            vault,
            definitions,
            issuer,
            env,
            enquiry,
            calendar,
            passwords,
            demo,
        })
    }

    /// The door of the accounts.
    pub fn door(&self) -> Door {
        Door::new(self.store.clone(), self.vault.clone(), self.passwords.clone())
    }
}

/// The credit code that a city's licences are issued under; a synthetic body with a right check letter.
fn issuing_body(node: NodeId) -> Result<Uscc> {
    let body = format!("11{node}MB9900001");
    let letter = Uscc::check_letter(&body)?;
    Ok(format!("{body}{letter}").parse::<Uscc>()?)
}

/// The tables of all blocks, in the order in which they stand on each other.
pub fn schemas() -> Vec<Schema> {
    vec![tb_identity::SCHEMA, tb_licence::SCHEMA, tb_case::SCHEMA, tb_enquiry::SCHEMA, tb_counter::SCHEMA]
}

/// How many steps a fresh store takes.
pub fn steps() -> usize {
    schemas().iter().map(|schema| schema.migrations.len()).sum::<usize>() + tb_store::SCHEMA.migrations.len()
}

/// Every column that lies sealed.
pub fn sealed_columns() -> Vec<SealedColumn> {
    [
        tb_store::SEALED,
        tb_identity::SEALED,
        tb_licence::SEALED,
        tb_case::SEALED,
        tb_enquiry::SEALED,
        tb_counter::SEALED,
    ]
    .concat()
}

/// What the services' pages need.
pub fn services(parts: &Parts) -> t02_services::Parts {
    t02_services::Parts {
        vault: parts.vault.clone(),
        secrets: parts.secrets.clone(),
        desk: parts.desk.clone(),
        issuer: parts.issuer.clone(),
        types: parts.definitions.types.clone(),
        catalogue: parts.definitions.catalogue.clone(),
        finding: parts.definitions.finding.clone(),
        calendar: parts.calendar.clone(),
        env: parts.env.clone(),
    }
}

/// Every module of a city.
pub fn all(parts: &Parts) -> Result<Vec<Module>> {
    Ok(vec![
        t01_data_platform::module(t01_data_platform::Parts {
            vault: parts.vault.clone(),
            secrets: parts.secrets.clone(),
            desk: parts.desk.clone(),
            door: parts.door(),
            words: t01_data_platform::Words::of(
                parts.definitions.catalogue.clone(),
                parts.definitions.types.clone(),
            ),
            catalogue: parts.definitions.catalogue.clone(),
            english: english(&parts.definitions),
            limits: t01_data_platform::Limits::shipped()?,
            enquiry: parts.enquiry.clone(),
            case_evidence: Some(t01_data_platform::case_evidence(parts.env.clone())),
        }),
        t02_services::module(services(parts)),
        t02_window::module(t02_window::Parts {
            vault: parts.vault.clone(),
            catalogue: parts.definitions.catalogue.clone(),
            env: parts.env.clone(),
        }),
        t02_supervise::module(t02_supervise::Parts::new(parts.env.clone())),
        t03_recognition::module(t03_recognition::Parts {
            desk: parts.desk.clone(),
            issuer: parts.issuer.clone(),
            item: t01_data_platform::Words::of(
                parts.definitions.catalogue.clone(),
                parts.definitions.types.clone(),
            )
            .item,
        }),
        agreement::module(),
        tb_web::kiosk::module(),
        housekeeping::module(),
        resealing::module(),
    ])
}

/// English names: of the definition, or of the list by which items are found.
fn english(definitions: &Definitions) -> t01_data_platform::English {
    let (catalogue, finding) = (definitions.catalogue.clone(), definitions.finding.clone());
    Arc::new(move |no| {
        let own = catalogue.item(no).and_then(|item| item.title_en().map(str::to_owned));
        own.or_else(|| finding.finder.english(no).map(str::to_owned))
    })
}

/// How a session in use is noted.
pub fn keep_session(vault: Arc<Vault>) -> tb_web::session::Keep {
    Arc::new(move |tx, ctx, token| match accounts::session(tx, &vault, token, ctx.now)? {
        Some(session) if session.is_due_for_touch(ctx.now) => accounts::touch(tx, ctx, session.id),
        Some(_) | None => Ok(()),
    })
}

/// How a session is ended.
pub fn end_session() -> tb_web::session::End {
    Arc::new(accounts::sign_out)
}

/// The main menu, by role.
pub fn navigation() -> Vec<NavEntry> {
    vec![
        NavEntry::public("/", "首页", "Start"),
        NavEntry::public("/items", "办事", "Services"),
        NavEntry::public("/cases", "办件", "My cases"),
        NavEntry::public("/licences", "证照", "Licences"),
        NavEntry::public("/looks", "我的数据", "My data").extra(),
        NavEntry::public("/firm", "企业", "Firm").extra(),
        NavEntry::staff("/window", "专窗", "Window", &[Role::Window]),
        NavEntry::staff("/window/day", "日结", "Day", &[Role::Window]),
        NavEntry::staff("/supervise", "总览", "Overview", &[Role::Supervisor]),
        NavEntry::staff("/supervise/cases", "办件", "Cases", &[Role::Supervisor]),
        NavEntry::staff("/office", "待办", "Queue", &[Role::Reviewer, Role::Approver]),
        NavEntry::staff("/office/licences", "证照", "Licences", &[Role::Reviewer, Role::Approver]),
        NavEntry::staff("/office/asks", "问询", "Enquiries", t01_data_platform::ASKED_ROLES),
        NavEntry::staff("/accounts", "账号", "Accounts", &[Role::Administrator]),
        NavEntry::staff("/offices", "单位", "Offices", &[Role::Administrator]),
        NavEntry::staff("/verify", "核验", "Verify", &[Role::Inspector]),
        NavEntry::staff("/bureau", "交换", "Exchange", &[Role::Bureau, Role::Auditor]),
        NavEntry::staff("/bureau/dead", "死信", "Dead letters", &[Role::Bureau, Role::Auditor]),
        NavEntry::staff("/bureau/contracts", "契约", "Contracts", &[Role::Bureau, Role::Auditor]),
        NavEntry::staff("/audit", "审计", "Audit", &[Role::Auditor]),
    ]
}

/// What other keys sealed cannot be opened: a planted register must know its own people by these keys.
async fn keys_fit(city: &City, people: &seed::City) -> Result<()> {
    let (node, vault) = (city.node, city.parts.vault.clone());
    let Some(number) = people.people.first().map(|person| person.number) else { return Ok(()) };
    let known = city.store.read("demo.keys", move |tx| {
        Ok(!seed::is_planted(tx, node)? || tb_identity::people::by_number(tx, &vault, &number)?.is_some())
    });
    if known.await? {
        return Ok(());
    }
    let problem = format!(
        "opening {node}: its database was sealed with other keys than this folder's; use --fresh or that folder"
    );
    Err(Fault::new(problem).into())
}

/// Plants the synthetic people, accounts and licences of a demo that opens on a day; what is there stays.
pub async fn plant(city: &City, opens: Date) -> Result<()> {
    let parts = city.parts.clone();
    let ctx = city.ctx();
    let people = seed::city(seed::SEED, city.node, seed::PEOPLE, seed::ENTERPRISES)?;
    keys_fit(city, &people).await?;
    seed::plant(&city.store, &ctx, &parts.vault, &parts.desk, Some(&parts.passwords), people.clone()).await?;
    city.store
        .write("demo.licences", move |tx| {
            tb_licence::seed::plant_for(tx, &ctx, &parts.issuer, &people, opens).map(drop)
        })
        .await
}
