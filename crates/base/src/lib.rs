//! Vocabulary of every other crate: checked codes, time, errors and the context of one act.
//!
//! Layer 0: no clock, no randomness, no socket, no file, no database.
//! A value of a type in here is well formed: it was checked once, when it was made.

mod context;
mod error;
mod id;
mod time;

pub use context::{Actor, Clock, Ctx, Entropy, Role, TraceId};
pub use error::{Class, Error, Fault, Refusal, Result, Violation};
pub use id::{CaseId, ContractId, DraftId, LicenceId, MessageId, NodeId, OfficeId, PersonId, SessionId, StaffId};
pub use jiff::civil::Date;
pub use time::Timestamp;
