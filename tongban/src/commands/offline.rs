//! A city's store opened by a command (离线打开): with its keys, without its site and its exchange.

use std::sync::{Arc, Mutex};

use tb_base::{Actor, Clock, Ctx, Entropy, NodeId, Result, Timestamp};
use tb_crypto::Vault;
use tb_store::{Sealer, Store};

use crate::clock::{OsEntropy, SystemClock};
use crate::commands::place::Place;
use crate::keyring::KeyRing;
use crate::region::CityFolder;
use crate::{city, modules};

/// A city's store and keys.
pub struct Offline {
    /// The store, which seals and opens.
    pub store: Store,
    /// The same keys, for what blocks seal.
    pub vault: Arc<Vault>,
    /// The keys as files.
    pub ring: KeyRing,
    /// The city.
    pub node: NodeId,
    /// How people reach the site.
    pub site_url: String,
    /// So long a new key waits before it seals.
    pub seal_wait_seconds: u32,
    /// Whether no other process has the store while it is open here.
    pub is_alone: bool,
    /// When the command began.
    pub now: Timestamp,
}

impl Offline {
    /// Opens it; on SQLite nobody else may have it open.
    pub async fn open(place: &Place) -> Result<Offline> {
        let folder = place.folder(place.config()?)?;
        let store = Store::open(&city::database(&folder), &modules::schemas()).await?;
        Offline::with(folder, store)
    }

    /// Opens it to read, beside whoever runs on it.
    pub async fn look(place: &Place) -> Result<Offline> {
        let folder = place.folder(place.config()?)?;
        let store = Store::look(&city::database(&folder)).await?;
        Offline::with(folder, store)
    }

    fn with(folder: CityFolder, store: Store) -> Result<Offline> {
        let now = SystemClock::real().now();
        let vault = Vault::with_ring(folder.secrets.vault, folder.ring.ring(now)?);
        store.seal_messages(Sealer::new(vault.clone(), entropy()));
        let site_url = city::own_site(&folder).to_owned();
        Ok(Offline {
            store,
            vault: Arc::new(vault),
            ring: folder.ring,
            node: folder.config.node,
            site_url,
            seal_wait_seconds: folder.config.seal_wait_seconds,
            is_alone: folder.config.is_sqlite(),
            now,
        })
    }

    /// The context of what the command does.
    pub fn ctx(&self) -> Ctx {
        Ctx::new(self.now, Actor::System, self.node, entropy())
    }
}

fn entropy() -> Arc<Mutex<dyn Entropy>> {
    Arc::new(Mutex::new(OsEntropy))
}
