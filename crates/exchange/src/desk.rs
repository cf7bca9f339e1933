//! The desk of one city (交换台): composes messages that its contracts allow.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use tb_base::{ContractId, Ctx, NodeId, Result, Timestamp};

use crate::{Envelope, Incoming, Outgoing, Pseudonym, Purpose, SignedContract, SignedTrustList};

/// What a city knows about its peers: trust list, contracts in force, and the keys of pseudonyms.
#[derive(Clone)]
pub struct Desk {
    /// This city.
    pub me: NodeId,
    /// The trust list in force.
    pub trust: SignedTrustList,
    /// Contracts in force, by id.
    pub contracts: BTreeMap<ContractId, SignedContract>,
    /// Pseudonym keys by contract, agreed by P-256 Diffie-Hellman.
    pub(crate) pseudonym_keys: BTreeMap<ContractId, [u8; 32]>,
}

impl Desk {
    /// The person's pseudonym under a contract.
    pub fn pseudonym(&self, contract: &ContractId, resident: &str) -> Result<Pseudonym> {
        let _ = (contract, resident, &self.pseudonym_keys);
        unimplemented!()
    }

    /// Composes a message that a contract in force allows; refuses any other (missing contract, service, purpose).
    ///
    /// `resident` is the resident number of the data subject; only its pseudonym travels in the head.
    #[expect(clippy::too_many_arguments, reason = "the head of a message has this many parts, all of them mandatory")]
    pub fn compose<B: serde::Serialize>(
        &self,
        ctx: &Ctx,
        to: NodeId,
        service: &str,
        purpose: Purpose,
        actor: &str,
        resident: Option<&str>,
        body: &B,
        deadline: Timestamp,
    ) -> Result<Outgoing> {
        let _ = (ctx, to, service, purpose, actor, resident, body, deadline);
        unimplemented!()
    }

    /// Checks a verified head against contract, purpose and audience on the receiving side.
    pub fn admit(&self, envelope: &Envelope, now: Timestamp) -> Result<()> {
        let _ = (envelope, now);
        unimplemented!()
    }
}

/// What a peer answered to a query, verified and logged on both sides.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Who answered.
    pub from: NodeId,
    /// The body: JSON.
    pub body: Vec<u8>,
    /// When the answer was complete.
    pub at: Timestamp,
}

/// A future in a box: what crosses a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Asks peers synchronously: over TLS in `node`, in process for the own city.
pub trait Peers: Send + Sync {
    /// Sends a query and hands on the answer when the leaves of both sides are durable.
    ///
    /// A peer that is down, slow or answers wrongly is a refusal of class `NotNow` with code `EXC-PEER-001`
    /// that names the city; what the peer itself refused comes back as its own refusal.
    fn query(&self, ctx: Ctx, message: Outgoing) -> BoxFuture<'_, Result<Answer>>;
}

/// What a node does with an incoming message or query, within the transaction that records it.
pub type Body = serde_json::Value;

#[expect(dead_code, reason = "keeps the import used until handlers are written")]
fn _uses(_: &Incoming) {}
