//! What one act of the ceremony carries (信任包): a trust list and the contracts that go with it.
//!
//! Invariants: the list names its contracts by their hashes, so none can be left out or slipped in;
//! a package follows the one before it, or is the first and wanted by every member.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tb_base::{NodeId, Result, Timestamp, Violation};

use crate::keys::Secrets;
use crate::problem::mismatch;
use crate::{CITIES_MAX, SignedContract, SignedTrustList, TrustList};

/// The largest package that is read.
pub const PACKAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Every pair of cities has one contract.
const CONTRACTS_MAX: usize = CITIES_MAX * (CITIES_MAX - 1) / 2;

/// A trust list with its contracts, signed by some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The list.
    pub trust: SignedTrustList,
    /// A contract for each pair of cities that has one.
    pub contracts: Vec<SignedContract>,
}

impl Package {
    /// Reads a package; what it says is to be verified.
    pub fn from_json(bytes: &[u8]) -> std::result::Result<Package, Violation> {
        if PACKAGE_BYTES_MAX < bytes.len() {
            let detail = format!("at most {PACKAGE_BYTES_MAX} bytes, not {}", bytes.len());
            return Err(Violation::new("too-large", "trust-package", detail));
        }
        serde_json::from_slice(bytes)
            .map_err(|error| Violation::new("grammar", "trust-package", error.to_string()))
    }

    /// Its number.
    pub fn version(&self) -> u32 {
        self.trust.list.version
    }

    /// Checks all that does not depend on the day and on what is in force.
    pub fn verify_signatures(&self) -> Result<()> {
        self.trust.verify_signatures()?;
        self.check_contracts()
    }

    /// Checks that it may be put in force now after `previous`, or as the first.
    pub fn verify_after(&self, previous: Option<&TrustList>, now: Timestamp) -> Result<()> {
        match previous {
            Some(previous) => self.trust.verify_after(previous, now)?,
            None => {
                self.trust.verify(now)?;
                self.check_first()?;
            }
        }
        self.check_contracts()?;
        previous.map_or(Ok(()), |previous| self.check_new_contracts(previous, now))
    }

    /// A contract that the list before named stands as it was signed; a new one needs keys that count now.
    fn check_new_contracts(&self, previous: &TrustList, now: Timestamp) -> Result<()> {
        for signed in &self.contracts {
            if !previous.contracts.contains(&signed.contract.hash()?) {
                signed.verify_at(&[&self.trust.list, previous], now)?;
            }
        }
        Ok(())
    }

    /// Checks that it stood after `previous`, whatever the day.
    pub fn verify_successor(&self, previous: &TrustList) -> Result<()> {
        self.trust.verify_successor(previous)?;
        self.check_contracts()
    }

    fn check_first(&self) -> std::result::Result<(), Violation> {
        let list = &self.trust.list;
        if list.version == 1 && list.previous.is_none() {
            return Ok(());
        }
        let detail = mismatch("version 1 after none", &format!("version {}", list.version));
        Err(Violation::new("gap", "trust-list", detail))
    }

    fn check_contracts(&self) -> Result<()> {
        let list = &self.trust.list;
        if CONTRACTS_MAX < self.contracts.len() {
            return Err(Violation::new("grammar", "contract", "there are more than pairs of cities").into());
        }
        let mut hashes = BTreeSet::new();
        for signed in &self.contracts {
            signed.verify(list)?;
            if signed.contract.parties.iter().any(|party| list.city(*party).is_none()) {
                let detail = format!("{} is with a city that left", signed.contract.id);
                return Err(Violation::new("key-unknown", "contract", detail).into());
            }
            hashes.insert(signed.contract.hash()?);
        }
        let is_founded_in_one_place = list.version == 1 && list.contracts.is_empty();
        if is_founded_in_one_place || hashes.iter().eq(list.contracts.iter()) {
            return Ok(());
        }
        let detail = "these are not the contracts that the list names";
        Err(Violation::new("inconsistent", "contract", detail).into())
    }

    /// Signs the list as a member, and what contracts the city is party of and has not signed.
    pub fn sign(&mut self, node: NodeId, secrets: &Secrets) -> Result<()> {
        self.trust.sign(node, secrets)?;
        for signed in &mut self.contracts {
            if signed.contract.peer_of(node).is_some() {
                signed.sign_where_missing(node, secrets, &self.trust.list)?;
            }
        }
        Ok(())
    }

    /// Takes over the signatures that another copy of the same package has.
    pub fn merge(&mut self, other: Package) -> std::result::Result<(), Violation> {
        if other.trust.list != self.trust.list {
            return Err(Violation::new("inconsistent", "trust-package", "it is another proposal"));
        }
        self.trust.signatures.extend(other.trust.signatures);
        let mut signed: BTreeMap<_, _> = other
            .contracts
            .into_iter()
            .map(|signed| ((signed.contract.id.clone(), signed.contract.version), signed))
            .collect();
        for mine in &mut self.contracts {
            let key = (mine.contract.id.clone(), mine.contract.version);
            let theirs = signed.remove(&key).filter(|theirs| theirs.contract == mine.contract);
            let theirs = theirs
                .ok_or_else(|| Violation::new("inconsistent", "trust-package", "it holds other contracts"))?;
            mine.signatures.extend(theirs.signatures);
        }
        Ok(())
    }
}
