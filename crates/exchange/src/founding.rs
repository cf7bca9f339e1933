//! Founding a region (组建区域): the first trust list and a contract for each pair of cities, signed by all.
//!
//! A city that founds itself elsewhere exchanges the same texts by hand; here all secrets are at one place,
//! which is right for a demonstration, a journey and a test, and only there.

use std::collections::BTreeMap;

use tb_base::{NodeId, Result, Timestamp};

use crate::keys::{Secrets, WitnessKey};
use crate::{City, Contract, ServiceTerms, SignedContract, SignedTrustList, TrustList};

/// What a founding member says of itself.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its division code.
    pub node: NodeId,
    /// Its name, such as 长沙市.
    pub name: String,
    /// Its name in English.
    pub name_en: String,
    /// Its app.
    pub app: String,
    /// Where its node answers peers.
    pub exchange_url: String,
    /// Where its public site is.
    pub site_url: String,
    /// SHA-256 of its TLS certificate, lower-case hex.
    pub tls_sha256: String,
}

/// What all contracts of the region start with.
#[derive(Clone, Debug)]
pub struct Charter {
    /// The region, such as `czt`.
    pub region: String,
    /// From when the trust list may be used; contracts are in force from that day in China.
    pub not_before: Timestamp,
    /// Until when the trust list may be used.
    pub not_after: Timestamp,
    /// Services by name, the same for each pair.
    pub services: BTreeMap<String, ServiceTerms>,
    /// How long either side keeps what it received, in days.
    pub retention_days: u32,
}

impl Charter {
    /// The first contract of two cities.
    pub fn contract(&self, parties: [NodeId; 2]) -> Result<Contract> {
        Ok(Contract {
            id: format!("{}-{}-{}", self.region, parties[0], parties[1]).parse()?,
            version: 1,
            parties,
            effective: self.not_before.date(),
            services: self.services.clone(),
            retention_days: self.retention_days,
        })
    }
}

/// A member with its secrets.
pub struct Founder<'a> {
    /// What it says of itself.
    pub member: Member,
    /// Its keys.
    pub secrets: &'a Secrets,
    /// The key of its witness.
    pub witness: &'a WitnessKey,
}

/// Makes the trust list (version 1) and a contract for each pair, all signed.
pub fn found(charter: &Charter, founders: &[Founder<'_>]) -> Result<(SignedTrustList, Vec<SignedContract>)> {
    let mut trust = SignedTrustList::new(TrustList {
        region: charter.region.clone(),
        version: 1,
        not_before: charter.not_before,
        not_after: charter.not_after,
        cities: founders.iter().map(city).collect(),
        quorum: None,
        previous: None,
        contracts: Vec::new(),
        left: Vec::new(),
    });
    for founder in founders {
        trust.sign(founder.member.node, founder.secrets)?;
    }
    let mut contracts = Vec::new();
    for (at, one) in founders.iter().enumerate() {
        for other in &founders[at + 1..] {
            contracts.push(agree(charter, one, other)?);
        }
    }
    Ok((trust, contracts))
}

fn city(founder: &Founder<'_>) -> City {
    founder.member.clone().city(founder.secrets, founder.witness)
}

impl Member {
    /// The entry of the trust list.
    pub fn city(self, secrets: &Secrets, witness: &WitnessKey) -> City {
        City {
            node: self.node,
            log_origin: format!("tongban/{}", self.node),
            keys: secrets.public(&self.tls_sha256, &witness.public()),
            name: self.name,
            name_en: self.name_en,
            app: self.app,
            exchange_url: self.exchange_url,
            site_url: self.site_url,
            former: Vec::new(),
        }
    }
}

fn agree(charter: &Charter, one: &Founder<'_>, other: &Founder<'_>) -> Result<SignedContract> {
    let parties = [one.member.node, other.member.node];
    let mut signed = SignedContract::new(charter.contract(parties)?);
    signed.sign(parties[0], one.secrets)?;
    signed.sign(parties[1], other.secrets)?;
    Ok(signed)
}
