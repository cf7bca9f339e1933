//! Contracts between two cities (共享契约): which services, for which purposes, which fields.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tb_base::{ContractId, NodeId};

/// How a message names the contract that it stands under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct ServiceTerms {
    /// Item numbers or purpose codes; `*` for any item.
    pub purposes: BTreeSet<String>,
    /// Names of the licence fields that may be answered; empty where none travel.
    #[serde(default)]
    pub fields: BTreeSet<String>,
    /// How many messages a day at the most.
    pub quota_per_day: u32,
}

/// What two cities agreed; both sign its canonical text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct SignedContract {
    /// What was agreed.
    pub contract: Contract,
    /// Signature by city over the canonical text, base64.
    pub signatures: BTreeMap<NodeId, String>,
}
