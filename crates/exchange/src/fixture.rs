//! Three cities with fixed keys, for the tests of this crate.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tb_base::{Actor, Ctx, Entropy, NodeId, Timestamp};

use crate::founding::{Charter, Founder, Member, found};
use crate::keys::{Secrets, WitnessKey};
use crate::{Desk, Outgoing, Purpose, ServiceTerms, SignedContract, SignedTrustList, service};

/// 2026-11-24 12:00 in China.
pub(crate) const NOON: Timestamp = Timestamp(1_795_492_800_000_000);
/// The driver of the journey.
pub(crate) const DRIVER: &str = "430302199003072024";

/// A counter in the place of randomness.
#[derive(Clone)]
pub(crate) struct Counter(pub(crate) u64);

impl Entropy for Counter {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            self.0 += 1;
            let digest = tb_crypto::sha256(&self.0.to_be_bytes());
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

pub(crate) struct Region {
    pub(crate) trust: SignedTrustList,
    pub(crate) contracts: Vec<SignedContract>,
    pub(crate) secrets: BTreeMap<NodeId, Secrets>,
    pub(crate) witnesses: BTreeMap<NodeId, WitnessKey>,
}

pub(crate) fn node(text: &str) -> NodeId {
    text.parse().unwrap()
}

pub(crate) fn changsha() -> NodeId {
    node("430100")
}

pub(crate) fn zhuzhou() -> NodeId {
    node("430200")
}

pub(crate) fn xiangtan() -> NodeId {
    node("430300")
}

pub(crate) fn ctx_at(node: NodeId, now: Timestamp) -> Ctx {
    Ctx::new(now, Actor::System, node, Arc::new(Mutex::new(Counter(7_000))))
}

pub(crate) fn services() -> BTreeMap<String, ServiceTerms> {
    let terms = |name: &str| {
        let item = if name == service::LICENCE_FETCH { "121" } else { "*" };
        let fields = ["name", "class"].map(str::to_owned).into();
        (name.to_owned(), ServiceTerms { purposes: [item.to_owned()].into(), fields, quota_per_day: 100 })
    };
    // A list of its own: the documented example names this contract by its hash.
    let agreed = [
        service::CASE_OFFER,
        service::CASE_CUSTODY,
        service::CASE_PROGRESS,
        service::LICENCE_LOCATE,
        service::LICENCE_FETCH,
        service::LICENCE_VERIFY,
        service::TRACE_LOOKS,
        service::RECEIPT,
    ];
    agreed.into_iter().map(terms).collect()
}

impl Region {
    pub(crate) fn new() -> Region {
        let mut entropy = Counter(0);
        let nodes = [changsha(), zhuzhou(), xiangtan()];
        let secrets: BTreeMap<_, _> =
            nodes.iter().map(|node| (*node, Secrets::generate(&mut entropy))).collect();
        let witnesses: BTreeMap<_, _> =
            nodes.iter().map(|node| (*node, WitnessKey::generate(&mut entropy))).collect();
        let founders: Vec<_> = nodes
            .iter()
            .map(|node| Founder { member: member(*node), secrets: &secrets[node], witness: &witnesses[node] })
            .collect();
        let charter = Charter {
            region: "czt".to_owned(),
            not_before: NOON.plus_seconds(-86_400),
            not_after: NOON.plus_seconds(86_400 * 365),
            services: services(),
            retention_days: 365,
        };
        let (trust, contracts) = found(&charter, &founders).unwrap();
        Region { trust, contracts, secrets, witnesses }
    }

    pub(crate) fn desk(&self, me: NodeId) -> Desk {
        Desk::new(me, self.trust.clone(), self.contracts.clone(), &self.secrets[&me]).unwrap()
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

pub(crate) fn purpose() -> Purpose {
    Purpose {
        item: "121".to_owned(),
        case: Some("01kq3zt0000000000000000000".parse().unwrap()),
        basis: "consent:01kq3zt0000000000000000001".to_owned(),
    }
}

/// What Changsha asks of Xiangtan for the driver.
pub(crate) fn fetch(region: &Region, now: Timestamp) -> Outgoing {
    region
        .desk(changsha())
        .compose(
            &ctx_at(changsha(), now),
            xiangtan(),
            service::LICENCE_FETCH,
            purpose(),
            "window/430100-hall-1",
            Some(DRIVER),
            &serde_json::json!({"fields": ["name"]}),
            now.plus_seconds(30),
        )
        .unwrap()
}
