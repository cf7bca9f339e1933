//! The message protocol between city nodes (城市间交换协议), as values in and values out.
//!
//! Layer 1: no clock, no socket, no store. `docs/protocol/` says the same in prose.

mod contract;
mod desk;
mod envelope;
mod leaf;
mod quorum;
mod receipt;
mod trust;

pub mod bundle;
pub mod ceremony;
pub mod difference;
pub mod fork;
pub mod founding;
pub mod http_message;
pub mod keys;
pub mod package;
pub mod problem;
pub mod retry;
pub mod service;
pub mod witness;

#[cfg(test)]
mod fixture;

pub use contract::{ANY_PURPOSE, Contract, ContractRef, SELF_CONTRACT, ServiceTerms, SignedContract};
pub use desk::{
    Again, Answer, BODY_BYTES_MAX, BoxFuture, Desk, HEAD_TEXT_BYTES_MAX, Peers, UNAVAILABLE, unavailable,
};
pub use envelope::{Envelope, Incoming, Outgoing, Pseudonym, Purpose};
pub use leaf::{LEAF_BYTES, Leaf, LeafKind, subject_commitment};
pub use quorum::Quorum;
pub use receipt::{Receipt, ReceiptKind};
pub use trust::{CITIES_MAX, City, CityKeys, FormerKeys, SignedTrustList, TrustList};
