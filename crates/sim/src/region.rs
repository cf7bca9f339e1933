//! The region of a run (模拟区域): three cities founded on keys that the seed gives, with real item definitions.

use std::collections::BTreeSet;
use std::sync::Arc;

use tb_base::{Calendar, Fault, NodeId, Result, Timestamp};
use tb_case::case::IssuedResult;
use tb_case::{Catalogue, DefinitionFile, Env};
use tb_crypto::Vault;
use tb_exchange::founding::{Charter, Founder, Member, found};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::{Desk, ServiceTerms, SignedContract, SignedTrustList, service};

use crate::dice::Dice;

/// The cities of every run.
pub const CITIES: [&str; 3] = ["430100", "430200", "430300"];
/// The one item that is filed.
pub const ITEM: u16 = 121;

const DAY_SECONDS: i64 = 86_400;

const FILES: [DefinitionFile<'static>; 5] = [
    DefinitionFile { path: "items.csv", text: include_str!("../../../tasks/t02-services/defs/items.csv") },
    DefinitionFile { path: "121.toml", text: include_str!("../../../tasks/t02-services/defs/121.toml") },
    DefinitionFile {
        path: "430100/121.toml",
        text: include_str!("../../../tasks/t02-services/defs/430100/121.toml"),
    },
    DefinitionFile {
        path: "430200/121.toml",
        text: include_str!("../../../tasks/t02-services/defs/430200/121.toml"),
    },
    DefinitionFile {
        path: "430300/121.toml",
        text: include_str!("../../../tasks/t02-services/defs/430300/121.toml"),
    },
];

/// What a city keeps apart from its data.
pub struct Keys {
    /// The city.
    pub node: NodeId,
    /// Its secret keys.
    pub secrets: Arc<Secrets>,
    /// Its witness key.
    pub witness: WitnessKey,
}

/// The three cities and what they agreed.
pub struct Region {
    /// Keys of each city.
    pub keys: Vec<Keys>,
    /// The trust list.
    pub trust: SignedTrustList,
    /// The contracts.
    pub contracts: Vec<SignedContract>,
    catalogue: Arc<Catalogue>,
}

impl Region {
    /// Founds the region.
    pub fn found(dice: &mut Dice, now: Timestamp) -> Result<Region> {
        let keys: Vec<Keys> = cities()?
            .into_iter()
            .map(|node| Keys {
                node,
                secrets: Arc::new(Secrets::generate(dice)),
                witness: WitnessKey::generate(dice),
            })
            .collect();
        let terms = ServiceTerms {
            purposes: ["*".to_owned()].into(),
            fields: BTreeSet::new(),
            quota_per_day: 1_000_000,
        };
        let charter = Charter {
            region: "czt".to_owned(),
            not_before: now.plus_seconds(-DAY_SECONDS),
            not_after: now.plus_seconds(DAY_SECONDS * 400),
            services: service::ALL.into_iter().map(|name| (name.to_owned(), terms.clone())).collect(),
            retention_days: 30,
        };
        let founders: Vec<Founder<'_>> = keys
            .iter()
            .map(|keys| Founder { member: member(keys.node), secrets: &keys.secrets, witness: &keys.witness })
            .collect();
        let (trust, contracts) = found(&charter, &founders)?;
        let loaded = Catalogue::load(&FILES).sound();
        let catalogue =
            loaded.map_err(|problems| Fault::new(format!("loading the definitions: {problems:?}")))?;
        Ok(Region { keys, trust, contracts, catalogue: Arc::new(catalogue) })
    }

    /// What the case block of a city needs.
    pub fn env(&self, keys: &Keys) -> Result<Env> {
        let desk = Desk::new(keys.node, self.trust.clone(), self.contracts.clone(), &keys.secrets)?;
        Ok(Env {
            desk: Arc::new(desk),
            catalogue: self.catalogue.clone(),
            calendar: Arc::new(Calendar::national().clone()),
            vault: Arc::new(Vault::new(keys.secrets.vault)),
            issue: Arc::new(|_, _, case, _| {
                let old = case.opening.licences.first();
                let old = old.ok_or_else(|| Fault::new("issuing: the case has no licence"))?;
                Ok(IssuedResult { licence: old.licence, version: old.version + 1 })
            }),
            is_current: Arc::new(|_, _, _, _| Ok(true)),
            ended: Arc::new(|_, _, _| Ok(())),
        })
    }
}

/// The codes of the cities.
pub fn cities() -> Result<Vec<NodeId>> {
    CITIES.iter().map(|code| Ok(code.parse::<NodeId>()?)).collect()
}

fn member(node: NodeId) -> Member {
    Member {
        node,
        name: node.to_string(),
        name_en: node.to_string(),
        app: node.to_string(),
        exchange_url: format!("https://{node}"),
        site_url: format!("https://{node}"),
        tls_sha256: "00".repeat(32),
    }
}
