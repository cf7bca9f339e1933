//! Vocabulary of every other crate: checked codes, calendar, time, errors and the context of one act.
//!
//! Layer 0: no clock, no randomness, no socket, no file, no database.
//! A value of a type in here is well formed: it was checked once, when it was made.

mod calendar;
mod cents;
mod clause;
mod code;
mod context;
mod dated;
mod deadline;
mod error;
mod id;
mod time;

pub use calendar::{BadCalendar, Calendar, DayReason, Exception, Working};
pub use cents::{BadCents, Cents};
pub use clause::{BadClause, ClauseId};
pub use code::{
    BadCaseNo, BadCatalogCode, BadCustomsEntry, BadDivision, BadHandleItem, BadLicenceOid, BadProjectCode,
    BadRealEstateUnit, BadResidentId, BadResourceCode, BadTaskCode, BadUscc, CaseNo, CatalogCode,
    CustomsDirection, CustomsEntryNo, Division, DivisionCode, DivisionLevel, DivisionState, Divisions,
    HandleItemCode, LicenceOid, PrefixWarning, ProjectCode, Quality, RealEstateUnitNo, Registrar, ResidentId,
    ResourceCode, ResourceKind, TaskCode, Uscc,
};
pub use context::{Actor, Clock, Ctx, Entropy, Role, TraceId};
pub use dated::{DatedTerm, DatedTerms};
pub use deadline::{BadLimit, DayLine, Deadline, DeadlineInput, Due, Limit, LimitUnit};
pub use error::{Class, Error, Fault, Refusal, Result, Violation};
pub use id::{
    CaseId, ContractId, DraftId, LicenceId, MessageId, NodeId, OfficeId, PersonId, SessionId, StaffId,
};
pub use jiff::civil::Date;
pub use time::Timestamp;
