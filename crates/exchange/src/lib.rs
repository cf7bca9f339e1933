//! The message protocol between city nodes (城市间交换协议), as values in and values out.
//!
//! Layer 1: no clock, no socket, no store. `docs/protocol/` says the same in prose.

mod contract;
mod desk;
mod envelope;
mod leaf;
mod receipt;
mod trust;

pub mod service;

pub use contract::{Contract, ContractRef, ServiceTerms, SignedContract};
pub use desk::{Answer, Desk, Peers};
pub use envelope::{Envelope, Incoming, Outgoing, Pseudonym, Purpose};
pub use leaf::{Leaf, LeafKind};
pub use receipt::{Receipt, ReceiptKind};
pub use trust::{City, CityKeys, SignedTrustList, TrustList};
