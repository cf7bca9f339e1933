//! The region's trust list (信任名单): which cities there are, by which keys they are known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tb_base::{NodeId, Timestamp};

/// The public keys of a city, each for one job only; base64 of the raw key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CityKeys {
    /// SHA-256 of the TLS certificate, lower-case hex.
    pub tls_sha256: String,
    /// Signs trust lists and contracts (Ed25519).
    pub governance: String,
    /// Signs messages (Ed25519).
    pub message: String,
    /// Signs messages in the SM profile (SM2, uncompressed point).
    pub message_sm2: String,
    /// Signs checkpoints of the log (Ed25519).
    pub log: String,
    /// Signs checkpoints of the log (SM2).
    pub log_sm2: String,
    /// Cosigns checkpoints of other cities (Ed25519).
    pub witness: String,
    /// Agrees pseudonym keys (P-256, uncompressed point).
    pub agreement: String,
    /// Signs licences (SM2).
    pub licence_sm2: String,
}

/// A member of the region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct City {
    /// Its division code.
    pub node: NodeId,
    /// Its name, such as 长沙市.
    pub name: String,
    /// Its name in English.
    pub name_en: String,
    /// Its app, such as 我的长沙.
    pub app: String,
    /// Where its node answers peers, such as `https://127.0.0.1:9443`.
    pub exchange_url: String,
    /// Where its public site is.
    pub site_url: String,
    /// The origin line of its log, such as `tongban/430100`.
    pub log_origin: String,
    /// Its keys.
    pub keys: CityKeys,
}

/// The list itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustList {
    /// The region, such as `czt`.
    pub region: String,
    /// Grows by one with each list; a lower one is refused.
    pub version: u32,
    /// From when it may be used.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// The members.
    pub cities: Vec<City>,
}

/// A list with the signatures of the cities; valid with all but one of them, and at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedTrustList {
    /// The list.
    pub list: TrustList,
    /// Signature by city over the canonical text, base64.
    pub signatures: BTreeMap<NodeId, String>,
}

impl TrustList {
    /// The member of that code.
    pub fn city(&self, node: NodeId) -> Option<&City> {
        self.cities.iter().find(|city| city.node == node)
    }
}
