//! Contracts between two cities (共享契约): which services, for which purposes, which fields.
//!
//! Invariant: a contract counts only with the governance signatures of both parties.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tb_base::{ContractId, NodeId, Result, Timestamp, Violation};
use tb_crypto::text;

use crate::keys::Secrets;
use crate::trust::{is_signed_at, verify_one};
use crate::{City, TrustList};

/// In a list of purposes: any item.
pub const ANY_PURPOSE: &str = "*";
/// What a city calls the contract that it needs not have with itself.
pub const SELF_CONTRACT: &str = "self";
/// What stands before the canonical text when a contract is signed.
const SIGNED_AS: &[u8] = b"tongban-contract-v1\n";

/// How a message names the contract that it stands under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractRef {
    /// The contract.
    pub id: ContractId,
    /// Its version.
    pub version: u32,
    /// SHA-256 of its canonical text, in lower-case hex.
    pub hash: String,
}

/// What a contract allows for one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceTerms {
    /// Item numbers or purpose codes; `*` for any item.
    pub purposes: BTreeSet<String>,
    /// Licence fields that may be answered, `field` or `type.field`; empty where none travel.
    #[serde(default)]
    pub fields: BTreeSet<String>,
    /// How many messages a day at the most.
    pub quota_per_day: u32,
}

/// What two cities agreed; both sign its canonical text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Its name, such as `czt-430100-430300`.
    pub id: ContractId,
    /// Its version; a change is a new version.
    pub version: u32,
    /// The two cities.
    pub parties: [NodeId; 2],
    /// The first day (in China) on which it is in force.
    pub effective: tb_base::Date,
    /// Services by name.
    pub services: BTreeMap<String, ServiceTerms>,
    /// How long either side keeps what it received, in days.
    pub retention_days: u32,
}

/// A contract with the signatures of both parties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedContract {
    /// What was agreed.
    pub contract: Contract,
    /// Signature by city over the canonical text, base64.
    pub signatures: BTreeMap<NodeId, String>,
}

impl ContractRef {
    /// What stands in the head of a message that a city sends to itself: no contract is needed.
    pub fn own_city() -> Result<ContractRef> {
        Ok(ContractRef { id: SELF_CONTRACT.parse()?, version: 0, hash: "0".repeat(64) })
    }

    /// The first 16 bytes of the hash, as leaves hold them; zero where the hash is not hex.
    pub fn hash16(&self) -> [u8; 16] {
        let bytes = text::unhex(&self.hash).unwrap_or_default();
        bytes.get(..16).and_then(|start| start.try_into().ok()).unwrap_or_default()
    }
}

impl ServiceTerms {
    /// Whether the purpose is agreed.
    pub fn allows(&self, item: &str) -> bool {
        self.purposes.contains(item) || self.purposes.contains(ANY_PURPOSE)
    }

    /// Whether a field of a type of licence may be answered: agreed by its name, or as `type.field` for this type.
    pub fn gives(&self, type_id: &str, field: &str) -> bool {
        self.fields.contains(field) || self.fields.contains(&format!("{type_id}.{field}"))
    }
}

impl Contract {
    /// The canonical text that is hashed and signed.
    pub fn canonical(&self) -> Result<Vec<u8>> {
        tb_crypto::canonical(self)
    }

    /// SHA-256 of the canonical text in lower-case hex.
    pub fn hash(&self) -> Result<String> {
        Ok(text::hex(&tb_crypto::sha256(&self.canonical()?)))
    }

    /// How messages name it.
    pub fn reference(&self) -> Result<ContractRef> {
        Ok(ContractRef { id: self.id.clone(), version: self.version, hash: self.hash()? })
    }

    /// Whether it is the contract of these two cities, in either order.
    pub fn is_between(&self, one: NodeId, other: NodeId) -> bool {
        self.parties == [one, other] || self.parties == [other, one]
    }

    /// The other party, if `me` is one.
    pub fn peer_of(&self, me: NodeId) -> Option<NodeId> {
        match self.parties {
            [one, other] if one == me => Some(other),
            [one, other] if other == me => Some(one),
            _ => None,
        }
    }

    /// Whether it is in force at that moment.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.effective <= now.date()
    }
}

impl SignedContract {
    /// A contract that nobody signed yet.
    pub fn new(contract: Contract) -> SignedContract {
        SignedContract { contract, signatures: BTreeMap::new() }
    }

    /// Adds the signature of a party.
    pub fn sign(&mut self, node: NodeId, secrets: &Secrets) -> Result<()> {
        let signature = secrets.governance.sign(&signed_text(&self.contract)?);
        self.signatures.insert(node, text::base64(&signature));
        Ok(())
    }

    /// Checks that both parties are members and signed, and nobody else did.
    pub fn verify(&self, trust: &TrustList) -> Result<()> {
        let [one, other] = self.contract.parties;
        if one == other
            || self.signatures.keys().copied().collect::<BTreeSet<_>>() != BTreeSet::from([one, other])
        {
            let detail = format!("{} needs the signatures of {one} and {other}", self.contract.id);
            return Err(Violation::new("signature-coverage", "contract", detail).into());
        }
        let message = signed_text(&self.contract)?;
        for (node, signature) in &self.signatures {
            // A contract with a city that left is evidence still.
            let city = trust
                .known(*node)
                .ok_or_else(|| Violation::new("key-unknown", "contract", format!("{node} is no member")))?;
            verify_one(city, *node, &message, signature, "contract")?;
        }
        Ok(())
    }
}

impl SignedContract {
    /// Checks that keys which count at that moment, by one of these lists, signed it: for a contract that is new.
    pub fn verify_at(&self, lists: &[&TrustList], at: Timestamp) -> Result<()> {
        let message = signed_text(&self.contract)?;
        for (node, signature) in &self.signatures {
            if !is_signed_at(lists, *node, at, &message, signature) {
                let detail = format!("the key of {node} signs no new contract any more");
                return Err(Violation::new("signature-invalid", "contract", detail).into());
            }
        }
        Ok(())
    }

    /// Adds the signature of a party unless it stands there already under a key of the list.
    pub fn sign_where_missing(&mut self, node: NodeId, secrets: &Secrets, trust: &TrustList) -> Result<()> {
        let stands = match trust.city(node) {
            Some(city) => self.is_signed_by(city)?,
            None => false,
        };
        if stands { Ok(()) } else { self.sign(node, secrets) }
    }

    /// Whether a key of the city, present or replaced in good order, signed it.
    pub fn is_signed_by(&self, city: &City) -> Result<bool> {
        let message = signed_text(&self.contract)?;
        let signature = self.signatures.get(&city.node);
        Ok(signature.is_some_and(|it| verify_one(city, city.node, &message, it, "contract").is_ok()))
    }
}

fn signed_text(contract: &Contract) -> Result<Vec<u8>> {
    Ok([SIGNED_AS, &contract.canonical()?].concat())
}
