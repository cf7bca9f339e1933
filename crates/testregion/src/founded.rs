//! The region before anybody lives in it: keys, the trust list and the contracts between its cities.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tb_base::{Ctx, Entropy, NodeId, Result};
use tb_crypto::Vault;
use tb_exchange::founding::{Charter, Founder, Member, found};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::{
    Answer, BoxFuture, Desk, Outgoing, Peers, ServiceTerms, SignedContract, SignedTrustList, unavailable,
};

use crate::{CITIES, Counter, NOON, node};

/// The region as it is shipped: what its contracts do not allow fails in tests, too.
const REGION: &str = include_str!("../../../region/region.toml");

/// A founded region.
pub struct Founded {
    /// The cities, in the order of their codes.
    pub nodes: [NodeId; 3],
    /// What each city keeps to itself.
    pub secrets: BTreeMap<NodeId, Secrets>,
    /// Where the numbers of the whole region come from.
    pub entropy: Arc<Mutex<dyn Entropy>>,
    trust: SignedTrustList,
    contracts: Vec<SignedContract>,
}

impl Founded {
    /// The same in every run.
    pub fn new() -> Founded {
        let mut counter = Counter(0);
        let nodes = CITIES.map(|(code, _)| node(code));
        let secrets: BTreeMap<_, _> = nodes.iter().map(|it| (*it, Secrets::generate(&mut counter))).collect();
        let witnesses: Vec<_> = nodes.iter().map(|_| WitnessKey::generate(&mut counter)).collect();
        let founders: Vec<_> = nodes
            .iter()
            .zip(&witnesses)
            .map(|(node, witness)| Founder { member: member(*node), secrets: &secrets[node], witness })
            .collect();
        let (trust, contracts) = found(&charter(), &founders).expect("a region");
        Founded { nodes, secrets, entropy: Arc::new(Mutex::new(counter)), trust, contracts }
    }

    /// The desk of a city.
    pub fn desk(&self, node: NodeId) -> Arc<Desk> {
        let desk = Desk::new(node, self.trust.clone(), self.contracts.clone(), &self.secrets[&node]);
        Arc::new(desk.expect("a desk"))
    }

    /// What seals the data of a city.
    pub fn vault(&self, node: NodeId) -> Arc<Vault> {
        Arc::new(Vault::new(self.secrets[&node].vault))
    }
}

impl Default for Founded {
    fn default() -> Founded {
        Founded::new()
    }
}

/// Lines with nobody at their other ends.
pub struct Silent;

impl Peers for Silent {
    fn query(&self, _: Ctx, _: Outgoing) -> BoxFuture<'_, Result<Answer>> {
        Box::pin(async { Err(unavailable("别的城市", "Any other city").into()) })
    }
}

fn charter() -> Charter {
    #[derive(serde::Deserialize)]
    struct Region {
        service: BTreeMap<String, ServiceTerms>,
    }
    let region: Region = toml::from_str(REGION).expect("the shipped region");
    Charter {
        region: "czt".to_owned(),
        not_before: NOON.plus_seconds(-86_400),
        not_after: NOON.plus_seconds(86_400 * 365),
        services: region.service,
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
