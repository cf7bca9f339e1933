//! The ceremony (密钥仪式) in values: what a city says of itself, and the next list that is proposed from it.
//!
//! Nothing here decides: a proposal is worth what its signatures are worth ([`crate::package`]).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tb_base::{NodeId, Result, Timestamp, Violation};
use tb_crypto::text;

use crate::founding::Charter;
use crate::keys::{KeyUse, Secrets};
use crate::package::Package;
use crate::trust::{FORMER_KEYS_MAX, LEFT_MAX};
use crate::{City, FormerKeys, Quorum, SignedContract, SignedTrustList, TrustList};

/// What stands before the canonical text when a city signs what it says of itself.
const SIGNED_AS: &[u8] = b"tongban-member-v1\n";

/// What a city says of itself (成员声明), signed with its own governance key; it proves that the key is at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The entry that it wants to have in the list.
    pub city: City,
    /// When it was made.
    pub made: Timestamp,
    /// Ed25519 over the canonical text of entry and time, base64.
    pub signature: String,
}

/// What is proposed beside the statements.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Region, validity and the terms of the contracts.
    pub charter: Charter,
    /// How many must sign; two of three where nothing is said.
    pub quorum: Option<Quorum>,
    /// Cities that are to leave.
    pub removed: BTreeSet<NodeId>,
    /// Cities whose keys before this were stolen: none of them counts any more, from this list on.
    pub revoked: BTreeSet<NodeId>,
    /// Until when replaced keys count beside the new ones.
    pub overlap_until: Timestamp,
}

impl Statement {
    /// Says it and signs it.
    pub fn new(city: City, made: Timestamp, secrets: &Secrets) -> Result<Statement> {
        let signature = text::base64(&secrets.governance.sign(&signed_text(&city, made)?));
        Ok(Statement { city, made, signature })
    }

    /// Checks that the city whose governance key stands in it signed it.
    pub fn verify(&self) -> Result<()> {
        let signature = text::unbase64(&self.signature)?;
        let key = self.city.keys.key(KeyUse::Governance)?;
        key.verify(&signed_text(&self.city, self.made)?, &signature).map_err(|_| {
            Violation::new("signature-invalid", "member", format!("not by {} itself", self.city.node)).into()
        })
    }
}

fn signed_text(city: &City, made: Timestamp) -> Result<Vec<u8>> {
    Ok([SIGNED_AS, &tb_crypto::canonical(&(city, made))?].concat())
}

/// Composes the list that follows `from`, or the first one, with its contracts; nobody has signed the list yet.
pub fn propose(plan: &Plan, from: Option<&Package>, statements: &[Statement]) -> Result<Package> {
    let before = from.map(|package| &package.trust.list);
    let mut list = TrustList {
        region: plan.charter.region.clone(),
        version: before.map_or(1, |list| list.version.saturating_add(1)),
        not_before: plan.charter.not_before,
        not_after: plan.charter.not_after,
        cities: before.map(|list| list.cities.clone()).unwrap_or_default(),
        quorum: plan.quorum,
        previous: before.map(TrustList::fingerprint).transpose()?,
        contracts: Vec::new(),
        left: before.map(|list| list.left.clone()).unwrap_or_default(),
    };
    check_revoked(plan, before, statements)?;
    for node in &plan.removed {
        remove(&mut list, *node)?;
    }
    for statement in statements {
        statement.verify()?;
        enter(&mut list, plan, statement.city.clone());
    }
    list.cities.sort_by_key(|city| city.node);
    let kept = from.map(|package| package.contracts.as_slice()).unwrap_or_default();
    let contracts = contracts(plan, &list, kept)?;
    let mut hashes: Vec<String> =
        contracts.iter().map(|signed| signed.contract.hash()).collect::<Result<_>>()?;
    hashes.sort();
    list.contracts = hashes;
    Ok(Package { trust: SignedTrustList::new(list), contracts })
}

/// A city whose keys are revoked says which it has instead, and none of those may be one that it had.
fn check_revoked(
    plan: &Plan,
    before: Option<&TrustList>,
    statements: &[Statement],
) -> std::result::Result<(), Violation> {
    for node in &plan.revoked {
        let unknown = |detail: &str| Violation::new("key-unknown", "member", format!("{node} {detail}"));
        let old = before.and_then(|list| list.known(*node));
        let old = old.ok_or_else(|| unknown("has no keys that could be revoked"))?;
        let mut said = statements.iter().filter(|statement| statement.city.node == *node).peekable();
        said.peek().ok_or_else(|| unknown("states no keys in the place of those that are revoked"))?;
        let lost: BTreeSet<&str> =
            old.keys_ever().flat_map(|keys| keys.renewable().map(|(_, key)| key)).collect();
        let mut stated = said.flat_map(|statement| statement.city.keys.renewable());
        if let Some((job, _)) = stated.find(|(_, key)| lost.contains(key)) {
            let detail = format!("{node} states a {job} key that is to be revoked");
            return Err(Violation::new("inconsistent", "member", detail));
        }
    }
    Ok(())
}

/// A city that left is remembered, since its keys are in evidence.
fn remove(list: &mut TrustList, node: NodeId) -> std::result::Result<(), Violation> {
    let at = list.cities.iter().position(|city| city.node == node);
    let at = at.ok_or_else(|| Violation::new("key-unknown", "trust-list", format!("{node} is no member")))?;
    let city = list.cities.remove(at);
    list.left.insert(0, city);
    list.left.truncate(LEFT_MAX);
    Ok(())
}

/// A city comes, comes back, or is a member already and says something new.
fn enter(list: &mut TrustList, plan: &Plan, mut city: City) {
    city.former.clear();
    let was_away = list.left.iter().position(|old| old.node == city.node);
    let member = list.cities.iter().position(|old| old.node == city.node);
    let (old, overlap_until) = match (member, was_away) {
        (Some(at), _) => (Some(list.cities.remove(at)), plan.overlap_until),
        // What a city used before it left counts as it did: until it comes back.
        (None, Some(at)) => (Some(list.left.remove(at)), plan.charter.not_before),
        (None, None) => (None, plan.overlap_until),
    };
    // Every set of keys lies in the folder that the thief was at, and with a stolen key he writes any date: of a
    // city whose keys are revoked nothing is kept. What it signed is checked by the list of its day.
    let kept = old.filter(|_| !plan.revoked.contains(&city.node));
    if let Some(old) = kept {
        if old.keys != city.keys {
            city.former.push(FormerKeys { keys: old.keys, until: overlap_until });
        }
        city.former.extend(old.former);
        city.former.truncate(FORMER_KEYS_MAX);
    }
    list.cities.push(city);
}

/// A contract for each pair: the one that stands if nothing in it changes, else a new one.
fn contracts(plan: &Plan, list: &TrustList, kept: &[SignedContract]) -> Result<Vec<SignedContract>> {
    let mut contracts = Vec::new();
    for (at, one) in list.cities.iter().enumerate() {
        for other in &list.cities[at + 1..] {
            let stands = kept.iter().find(|signed| signed.contract.is_between(one.node, other.node));
            contracts.push(contract(plan, list, [one, other], stands)?);
        }
    }
    Ok(contracts)
}

fn contract(
    plan: &Plan,
    list: &TrustList,
    pair: [&City; 2],
    stands: Option<&SignedContract>,
) -> Result<SignedContract> {
    let mut fresh = plan.charter.contract(pair.map(|city| city.node))?;
    // Versions of a contract grow even if the two cities had none for a while.
    fresh.version = list.version;
    let same = stands.filter(|signed| {
        signed.contract.services == fresh.services && signed.contract.retention_days == fresh.retention_days
    });
    let Some(same) = same else { return Ok(SignedContract::new(fresh)) };
    // Whoever has another governance key signs once more; the text stays, and messages on their way with it.
    let mut signed = SignedContract::new(same.contract.clone());
    for city in pair {
        let Some(signature) = same.signatures.get(&city.node) else { continue };
        if same.is_signed_by(city)? {
            signed.signatures.insert(city.node, signature.clone());
        }
    }
    Ok(signed)
}

#[cfg(test)]
mod tests;
