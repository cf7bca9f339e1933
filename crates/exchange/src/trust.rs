//! The region's trust list (信任名单): which cities there are, by which keys they are known.
//!
//! Invariants: the first list needs every member; a later one a quorum of its own members and of those before it.
//! A key that was replaced counts for what was signed until its last moment, and for nothing after it; what bears no
//! time counts under it without end, but decides about no later list or contract.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tb_base::{NodeId, Result, Timestamp, Violation};
use tb_crypto::text;

use crate::keys::{KeyUse, Secrets};
use crate::problem::mismatch;
use crate::quorum::Quorum;

/// How many cities a region may have.
pub const CITIES_MAX: usize = 64;
/// How many replaced sets of keys a list remembers for a city; the oldest leave first.
pub const FORMER_KEYS_MAX: usize = 16;
/// How many cities that left a list remembers.
pub const LEFT_MAX: usize = 64;
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
    /// Keys that it had before, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<FormerKeys>,
}

/// Keys that were replaced (旧密钥): they count for what was signed until a moment, so that evidence outlives them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormerKeys {
    /// The keys.
    pub keys: CityKeys,
    /// The last moment at which they may sign and open connections.
    pub until: Timestamp,
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
    /// How many must sign the next list; two of three where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<Quorum>,
    /// The fingerprint of the list before this one; the first has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Hashes of the contracts that go with it, sorted; a list founded in one place names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contracts: Vec<String>,
    /// Cities that were members once: their keys check evidence and open nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<City>,
}

/// A list with the signatures of the cities.
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

    /// The member of that code, or the city that once was one.
    pub fn known(&self, node: NodeId) -> Option<&City> {
        self.city(node).or_else(|| self.left.iter().find(|city| city.node == node))
    }

    /// How many signatures of its members this list needs: of all for the first, else a quorum.
    pub fn signatures_min(&self) -> usize {
        if self.version <= 1 { self.cities.len() } else { self.quorum_min() }
    }

    /// How many of its members decide about the next list.
    pub fn quorum_min(&self) -> usize {
        self.quorum.unwrap_or(Quorum::TWO_THIRDS).of(self.cities.len())
    }

    fn check_form(&self) -> std::result::Result<(), Violation> {
        let bad = |detail: String| Err(Violation::new("grammar", "trust-list", detail));
        if self.cities.is_empty() || CITIES_MAX < self.cities.len() {
            return bad(format!("a region has 1 to {CITIES_MAX} cities, not {}", self.cities.len()));
        }
        if self.not_after <= self.not_before {
            return bad("it ends before it begins".to_owned());
        }
        if LEFT_MAX < self.left.len() || self.all().any(|city| FORMER_KEYS_MAX < city.former.len()) {
            return bad("it remembers too much".to_owned());
        }
        let nodes: BTreeSet<NodeId> = self.all().map(|city| city.node).collect();
        let origins: BTreeSet<&str> = self.all().map(|city| city.log_origin.as_str()).collect();
        let cities = self.cities.len() + self.left.len();
        if nodes.len() < cities || origins.len() < cities {
            return bad("two cities share a code or a log".to_owned());
        }
        self.check_keys()
    }

    fn all(&self) -> impl Iterator<Item = &City> {
        self.cities.iter().chain(&self.left)
    }

    /// No key may have two jobs or two cities: else a text of one job could pass as one of the other.
    fn check_keys(&self) -> std::result::Result<(), Violation> {
        let mut seen: BTreeMap<&str, (NodeId, &str)> = BTreeMap::new();
        for city in self.all() {
            let sets = std::iter::once(&city.keys).chain(city.former.iter().map(|former| &former.keys));
            for (at, keys) in sets.enumerate() {
                for (job, key) in keys.jobs() {
                    // A set of keys that was replaced may have kept some; within one set a key stands once.
                    let known = seen.insert(key, (city.node, job));
                    if known.is_some_and(|known| at == 0 || known != (city.node, job)) {
                        let detail = format!("a key of {} stands twice", city.node);
                        return Err(Violation::new("grammar", "trust-list", detail));
                    }
                }
            }
        }
        Ok(())
    }
}

impl City {
    /// The keys that the city may use at that moment: the present ones, and former ones that still count.
    pub fn keys_at(&self, at: Timestamp) -> impl Iterator<Item = &CityKeys> {
        let former = self.former.iter().filter(move |former| at <= former.until);
        std::iter::once(&self.keys).chain(former.map(|former| &former.keys))
    }

    /// The present keys and all former ones, for what bears no time.
    pub fn keys_ever(&self) -> impl Iterator<Item = &CityKeys> {
        std::iter::once(&self.keys).chain(self.former.iter().map(|former| &former.keys))
    }

    /// Checks a signature that was made at that moment, by whatever key of this use counted then.
    pub fn verify_at(
        &self,
        key_use: KeyUse,
        at: Timestamp,
        text: &[u8],
        signature: &[u8],
    ) -> std::result::Result<(), Violation> {
        let valid = self
            .keys_at(at)
            .any(|keys| keys.key(key_use).is_ok_and(|key| key.verify(text, signature).is_ok()));
        if valid {
            return Ok(());
        }
        Err(Violation::new("signature-invalid", key_use.name(), format!("not of {}", self.node)))
    }

    /// Whether a certificate with this fingerprint is the city's at that moment.
    pub fn shows(&self, tls_sha256: &str, at: Timestamp) -> bool {
        self.keys_at(at).any(|keys| keys.tls_sha256 == tls_sha256)
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
        let text = signed_text(&self.list)?;
        let mut valid = 0;
        for (node, signature) in &self.signatures {
            let city = self
                .list
                .known(*node)
                .ok_or_else(|| Violation::new("key-unknown", "trust-list", format!("{node} is no member")))?;
            verify_one(city, *node, &text, signature, "trust-list")?;
            valid += usize::from(self.list.city(*node).is_some());
        }
        enough(valid, self.list.signatures_min(), "of its members")
    }

    /// Checks that this list may replace `previous` now: a key that was replaced decides until its day, and no more.
    pub fn verify_after(&self, previous: &TrustList, now: Timestamp) -> Result<()> {
        self.verify(now)?;
        self.verify_successor(previous)?;
        let text = signed_text(&self.list)?;
        let count = |members: &TrustList, lists: &[&TrustList]| {
            let decides = |node: NodeId, signature: &str| {
                members.city(node).is_some() && is_signed_at(lists, node, now, &text, signature)
            };
            self.signatures.iter().filter(|(node, signature)| decides(**node, signature)).count()
        };
        // A city signs the list that renews its keys with the old one: where the list before is still in force, that
        // is its present key, so that a node which was down for long catches up after the overlap, too.
        enough(count(&self.list, &[&self.list, previous]), self.list.signatures_min(), "of its members")?;
        enough(count(previous, &[previous]), previous.quorum_min(), "of the members before")
    }

    /// Checks that this list followed `previous`, whatever the day: same region, the next number, and the old members
    /// wanted it.
    pub fn verify_successor(&self, previous: &TrustList) -> Result<()> {
        self.verify_signatures()?;
        if self.list.region != previous.region {
            return Err(Violation::new("grammar", "trust-list", "it is of another region").into());
        }
        if self.list.version <= previous.version {
            let detail = mismatch(&format!("above {}", previous.version), &self.list.version.to_string());
            return Err(Violation::new("replay", "trust-list", detail).into());
        }
        let fingerprint = previous.fingerprint()?;
        let (next, named) = (previous.version + 1, self.list.previous.as_deref());
        if self.list.version != next || named != Some(fingerprint.as_str()) {
            let expected = format!("version {next} after {fingerprint}");
            let actual = format!("version {} after {}", self.list.version, named.unwrap_or("none"));
            return Err(Violation::new("gap", "trust-list", mismatch(&expected, &actual)).into());
        }
        let text = signed_text(&self.list)?;
        let by_the_old = self.signatures.iter().filter(|(node, signature)| {
            let city = previous.city(**node);
            city.is_some_and(|city| verify_one(city, **node, &text, signature, "trust-list").is_ok())
        });
        enough(by_the_old.count(), previous.quorum_min(), "of the members before")
    }
}

fn enough(valid: usize, needed: usize, whose: &str) -> Result<()> {
    if needed <= valid {
        return Ok(());
    }
    let detail = mismatch(&format!("at least {needed} signatures {whose}"), &valid.to_string());
    Err(Violation::new("signature-coverage", "trust-list", detail).into())
}

/// Checks one governance signature, given as base64, by the present key or one that was replaced in good order.
pub(crate) fn verify_one(
    city: &City,
    node: NodeId,
    message: &[u8],
    signature: &str,
    component: &'static str,
) -> std::result::Result<(), Violation> {
    let invalid =
        || Violation::new("signature-invalid", component, format!("the signature of {node} is not valid"));
    let bytes = text::unbase64(signature).map_err(|_| invalid())?;
    let mut keys = city.keys_ever().filter_map(|keys| keys.key(KeyUse::Governance).ok());
    if keys.any(|key| key.verify(message, &bytes).is_ok()) { Ok(()) } else { Err(invalid()) }
}

/// Whether a governance key that counts at that moment, by one of these lists, made the signature.
pub(crate) fn is_signed_at(
    lists: &[&TrustList],
    node: NodeId,
    at: Timestamp,
    message: &[u8],
    signature: &str,
) -> bool {
    let Ok(bytes) = text::unbase64(signature) else { return false };
    let cities = lists.iter().filter_map(|list| list.city(node));
    cities.into_iter().any(|city| city.verify_at(KeyUse::Governance, at, message, &bytes).is_ok())
}

fn signed_text(list: &TrustList) -> Result<Vec<u8>> {
    Ok([SIGNED_AS, &list.canonical()?].concat())
}
