//! The region's trust list (信任名单): which cities there are, by which keys they are known.
//!
//! Invariant: a list counts only with valid signatures of all its members but one, and of at least one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tb_base::{NodeId, Result, Timestamp, Violation};
use tb_crypto::text;

use crate::keys::{KeyUse, Secrets};

/// How many cities a region may have.
pub const CITIES_MAX: usize = 64;
/// What stands before the canonical text when a list is signed, so that no other text can be taken for one.
const SIGNED_AS: &[u8] = b"tongban-trust-v1\n";

/// The public keys of a city, each for one job only; base64 of the raw key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
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

    /// The canonical text that is hashed and signed.
    pub fn canonical(&self) -> Result<Vec<u8>> {
        tb_crypto::canonical(self)
    }

    /// SHA-256 of the canonical text in lower-case hex: what people compare.
    pub fn fingerprint(&self) -> Result<String> {
        Ok(text::hex(&tb_crypto::sha256(&self.canonical()?)))
    }

    /// Whether the list may be used at that moment.
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// How many signatures a list of this size needs.
    pub fn signatures_min(&self) -> usize {
        self.cities.len().saturating_sub(1).max(1)
    }

    fn check_form(&self) -> std::result::Result<(), Violation> {
        let bad = |detail: String| Err(Violation::new("grammar", "trust-list", detail));
        if self.cities.is_empty() || CITIES_MAX < self.cities.len() {
            return bad(format!("a region has 1 to {CITIES_MAX} cities, not {}", self.cities.len()));
        }
        if self.not_after <= self.not_before {
            return bad("it ends before it begins".to_owned());
        }
        let nodes: BTreeSet<NodeId> = self.cities.iter().map(|city| city.node).collect();
        let origins: BTreeSet<&str> = self.cities.iter().map(|city| city.log_origin.as_str()).collect();
        if nodes.len() < self.cities.len() || origins.len() < self.cities.len() {
            return bad("two members share a code or a log".to_owned());
        }
        self.check_keys()
    }

    /// No key may stand twice: a key for two jobs lets a text of one job pass as one of the other.
    fn check_keys(&self) -> std::result::Result<(), Violation> {
        let mut seen = BTreeSet::new();
        for city in &self.cities {
            let keys = &city.keys;
            let all = [
                &keys.governance,
                &keys.message,
                &keys.message_sm2,
                &keys.log,
                &keys.log_sm2,
                &keys.witness,
                &keys.agreement,
                &keys.licence_sm2,
            ];
            if !all.into_iter().all(|key| seen.insert(key)) {
                return Err(Violation::new(
                    "grammar",
                    "trust-list",
                    format!("a key of {} stands twice", city.node),
                ));
            }
        }
        Ok(())
    }
}

impl SignedTrustList {
    /// A list that nobody signed yet.
    pub fn new(list: TrustList) -> SignedTrustList {
        SignedTrustList { list, signatures: BTreeMap::new() }
    }

    /// Adds the signature of a member.
    pub fn sign(&mut self, node: NodeId, secrets: &Secrets) -> Result<()> {
        let signature = secrets.governance.sign(&signed_text(&self.list)?);
        self.signatures.insert(node, text::base64(&signature));
        Ok(())
    }

    /// Checks form, signatures, their number, and that the list may be used now.
    pub fn verify(&self, now: Timestamp) -> Result<()> {
        self.verify_signatures()?;
        if self.list.is_current(now) {
            return Ok(());
        }
        let window = format!("valid from {} to {}, now {now}", self.list.not_before, self.list.not_after);
        Err(Violation::new("expired", "trust-list", window).into())
    }

    /// Checks form, signatures and their number: what does not depend on the day.
    pub fn verify_signatures(&self) -> Result<()> {
        self.list.check_form()?;
        self.count_signatures(&self.list)
    }

    /// Checks that this list may replace `previous`: same region, higher version, signed by the old members too.
    pub fn verify_after(&self, previous: &TrustList, now: Timestamp) -> Result<()> {
        self.verify(now)?;
        if self.list.region != previous.region {
            return Err(Violation::new("grammar", "trust-list", "it is of another region").into());
        }
        if self.list.version <= previous.version {
            let detail = crate::problem::mismatch(
                &format!("version above {}", previous.version),
                &self.list.version.to_string(),
            );
            return Err(Violation::new("replay", "trust-list", detail).into());
        }
        let by_the_old = SignedTrustList {
            list: self.list.clone(),
            signatures: self
                .signatures
                .iter()
                .filter(|(node, _)| previous.city(**node).is_some())
                .map(|(node, signature)| (*node, signature.clone()))
                .collect(),
        };
        by_the_old.count_signatures(previous)
    }

    /// Every signature must be valid under the governance key in `keys`, and there must be enough of them.
    fn count_signatures(&self, keys: &TrustList) -> Result<()> {
        let message = signed_text(&self.list)?;
        for (node, signature) in &self.signatures {
            let city = keys
                .city(*node)
                .ok_or_else(|| Violation::new("key-unknown", "trust-list", format!("{node} is no member")))?;
            verify_one(&city.keys, *node, &message, signature, "trust-list")?;
        }
        if self.signatures.len() < keys.signatures_min() {
            let detail = crate::problem::mismatch(
                &format!("at least {} signatures", keys.signatures_min()),
                &self.signatures.len().to_string(),
            );
            return Err(Violation::new("signature-coverage", "trust-list", detail).into());
        }
        Ok(())
    }
}

/// Checks one governance signature, given as base64.
pub(crate) fn verify_one(
    keys: &CityKeys,
    node: NodeId,
    message: &[u8],
    signature: &str,
    component: &'static str,
) -> std::result::Result<(), Violation> {
    let invalid =
        || Violation::new("signature-invalid", component, format!("the signature of {node} is not valid"));
    let bytes = text::unbase64(signature).map_err(|_| invalid())?;
    keys.key(KeyUse::Governance)?.verify(message, &bytes).map_err(|_| invalid())
}

fn signed_text(list: &TrustList) -> Result<Vec<u8>> {
    Ok([SIGNED_AS, &list.canonical()?].concat())
}
