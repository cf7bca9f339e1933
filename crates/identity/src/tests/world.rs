//! One city on an inline store, with a desk that has contracts with the two others.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tb_base::{Actor, Ctx, Entropy, NodeId, Result, Timestamp};
use tb_crypto::{Vault, sha256};
use tb_exchange::Desk;
use tb_exchange::founding::{Charter, Founder, Member, found};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_store::{Config, Engine, Store, Tx};

use crate::accounts::{Credentials, Door, Passwords, SignedIn};
use crate::seed;

/// 2026-11-24 09:41 in China.
pub const NOW: Timestamp = Timestamp(1_795_484_460_000_000);
pub const SOURCE: &str = "192.0.2.7";

pub struct Hashes(u64);

impl Entropy for Hashes {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&sha256(&self.0.to_be_bytes())[..chunk.len()]);
        }
    }
}

pub struct World {
    pub node: NodeId,
    pub store: Store,
    pub vault: Arc<Vault>,
    pub desk: Desk,
    pub passwords: Passwords,
    pub door: Door,
    entropy: Arc<Mutex<Hashes>>,
}

/// A desk for each of the three cities.
pub fn desks() -> Vec<Desk> {
    let mut entropy = Hashes(900);
    let secrets: Vec<(NodeId, Secrets, WitnessKey)> = ["430100", "430200", "430300"]
        .into_iter()
        .map(|code| {
            let node = code.parse().expect("a node");
            (node, Secrets::generate(&mut entropy), WitnessKey::generate(&mut entropy))
        })
        .collect();
    let charter = Charter {
        region: "czt".to_owned(),
        not_before: NOW.plus_seconds(-86_400),
        not_after: NOW.plus_seconds(86_400),
        services: BTreeMap::new(),
        retention_days: 30,
    };
    let founders: Vec<Founder<'_>> = secrets
        .iter()
        .map(|(node, secrets, witness)| Founder {
            member: Member {
                node: *node,
                name: node.to_string(),
                name_en: node.to_string(),
                app: node.to_string(),
                exchange_url: format!("https://{node}"),
                site_url: format!("https://{node}"),
                tls_sha256: "00".repeat(32),
            },
            secrets,
            witness,
        })
        .collect();
    let (trust, contracts) = found(&charter, &founders).expect("a region");
    secrets
        .iter()
        .map(|(node, secrets, _)| {
            Desk::new(*node, trust.clone(), contracts.clone(), secrets).expect("a desk")
        })
        .collect()
}

pub const SCHEMAS: &[tb_store::Schema] = &[crate::SCHEMA];

impl World {
    pub async fn empty(code: &str) -> World {
        World::at(code, &Config::memory()).await
    }

    pub async fn in_file(code: &str, file: PathBuf) -> World {
        World::at(code, &Config { engine: Engine::Sqlite(file), inline: true }).await
    }

    /// On PostgreSQL, which the test kit finds or starts.
    pub async fn on_postgres(code: &str, name: &str) -> World {
        let server = tb_testkit::Postgres::start();
        let schema = server.schema(name);
        World::at(code, &Config { engine: Engine::Postgres { url: server.url, schema }, inline: false }).await
    }

    async fn at(code: &str, config: &Config) -> World {
        let node: NodeId = code.parse().expect("a node");
        let store = Store::open(config, SCHEMAS).await.expect("a store");
        let vault = Arc::new(Vault::new([7; 32]));
        let mut entropy = Hashes(1);
        let passwords = Passwords::new(&mut entropy).expect("passwords");
        let desk = desks().into_iter().find(|desk| desk.me == node).expect("a desk");
        let door = Door::new(store.clone(), Arc::clone(&vault), passwords.clone());
        World { node, store, vault, desk, passwords, door, entropy: Arc::new(Mutex::new(entropy)) }
    }

    /// A small city, planted.
    pub async fn planted(code: &str) -> World {
        let world = World::empty(code).await;
        world.plant(60, 12).await;
        world
    }

    pub async fn plant(&self, people: usize, enterprises: usize) -> bool {
        let city = seed::city(seed::SEED, self.node, people, enterprises).expect("a city");
        let ctx = self.ctx(NOW);
        seed::plant(&self.store, &ctx, &self.vault, &self.desk, Some(&self.passwords), city)
            .await
            .expect("planted")
    }

    pub fn ctx(&self, now: Timestamp) -> Ctx {
        Ctx::new(now, Actor::System, self.node, self.entropy.clone())
    }

    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.store.write("test", work).await
    }

    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> T {
        self.store.read("test", work).await.expect("a read")
    }

    pub async fn sign_in(
        &self,
        login: &str,
        password: &str,
        source: &str,
        now: Timestamp,
    ) -> Result<SignedIn> {
        let credentials =
            Credentials { login: login.to_owned(), password: password.to_owned(), source: source.into() };
        self.door.sign_in(&self.ctx(now), &credentials).await
    }

    /// The last text message to a phone.
    pub async fn last_sms(&self, phone: &str) -> Option<String> {
        let (vault, phone) = (Arc::clone(&self.vault), phone.to_owned());
        let messages = self.read(move |tx| crate::sms::of_phone(tx, &vault, &phone)).await;
        messages.into_iter().next().map(|sms| sms.text)
    }
}

/// The code of a refusal; anything else fails the test.
#[track_caller]
pub fn refusal<T>(result: Result<T>) -> String {
    match result {
        Err(tb_base::Error::Refused(refusal)) => refusal.code.into_owned(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("not refused"),
    }
}

/// The six digits in a text message.
pub fn code_in(text: &str) -> String {
    text.split(|letter: char| !letter.is_ascii_digit())
        .find(|part| part.len() == 6)
        .expect("a code")
        .to_owned()
}
