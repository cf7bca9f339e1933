//! The context of one act: when, who, on which node, with which randomness.
//!
//! Made once per request, job or message from the clock that `main` hands down.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{NodeId, OfficeId, PersonId, StaffId, Timestamp};

/// A source of time; the system's in production, a fixed or stepped one in tests and stories.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// A source of randomness; the system's in production, a seeded one in tests.
pub trait Entropy: Send {
    /// Fills the buffer with unpredictable bytes.
    fn fill(&mut self, buffer: &mut [u8]);
}

/// What somebody is on a node; an account holds exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A natural person or an agent of an enterprise (办事人).
    Resident,
    /// Collects cases at a cross-city window (窗口人员).
    Window,
    /// Examines cases in a department (审查人员).
    Reviewer,
    /// Decides cases in a department (审批人员).
    Approver,
    /// Checks licences in the field (执法检查人员).
    Inspector,
    /// Runs exchange and catalogue in the city's data bureau (数据局).
    Bureau,
    /// Watches limits and cards (监督人员).
    Supervisor,
    /// Reads logs and audit lines (审计人员).
    Auditor,
    /// Manages accounts and offices (系统管理员).
    Administrator,
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody is signed in.
    Anonymous,
    /// A resident, known to this node's register.
    Resident {
        /// The person.
        person: PersonId,
        /// Assurance level (实名等级), 1 to 4.
        level: u8,
    },
    /// A member of staff.
    Staff {
        /// The account.
        staff: StaffId,
        /// The one role of the account.
        role: Role,
        /// The office that the person works for.
        office: OfficeId,
    },
    /// Another city's node, by a verified message.
    Peer(NodeId),
    /// The node itself: timers, jobs, seeds.
    System,
}

impl Actor {
    /// The role, if the actor is a signed-in account.
    pub fn role(&self) -> Option<Role> {
        match self {
            Actor::Resident { .. } => Some(Role::Resident),
            Actor::Staff { role, .. } => Some(*role),
            Actor::Anonymous | Actor::Peer(_) | Actor::System => None,
        }
    }

    /// The person, if the actor is a resident.
    pub fn person(&self) -> Option<PersonId> {
        match self {
            Actor::Resident { person, .. } => Some(*person),
            Actor::Staff { .. } | Actor::Anonymous | Actor::Peer(_) | Actor::System => None,
        }
    }
}

/// How audit lines name the actor: kind and id, never a name or an identity number.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Anonymous => f.write_str("anonymous"),
            Actor::Resident { person, .. } => write!(f, "resident:{person}"),
            Actor::Staff { staff, .. } => write!(f, "staff:{staff}"),
            Actor::Peer(node) => write!(f, "node:{node}"),
            Actor::System => f.write_str("system"),
        }
    }
}

/// Ties log lines, audit lines and error pages of one act together.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 8]);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The context of one act. Cheap to clone; handed down, never stored.
#[derive(Clone)]
pub struct Ctx {
    /// The moment of the act, read once.
    pub now: Timestamp,
    /// Who acts.
    pub actor: Actor,
    /// The node that acts.
    pub node: NodeId,
    /// The trace of this act.
    pub trace: TraceId,
    entropy: Arc<std::sync::Mutex<dyn Entropy>>,
}

impl Ctx {
    /// A context for one act; draws the trace id from the entropy.
    pub fn new(
        now: Timestamp,
        actor: Actor,
        node: NodeId,
        entropy: Arc<std::sync::Mutex<dyn Entropy>>,
    ) -> Ctx {
        let mut ctx = Ctx { now, actor, node, trace: TraceId([0; 8]), entropy };
        ctx.trace = TraceId(ctx.random());
        ctx
    }

    /// The same act in the name of somebody else (after sign-in, or for a peer).
    #[must_use]
    pub fn acting(&self, actor: Actor) -> Ctx {
        Ctx { actor, ..self.clone() }
    }

    /// Fresh random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0_u8; N];
        (&mut &*self).fill(&mut bytes);
        bytes
    }

    /// A fresh identifier: `ctx.id(CaseId::new)`.
    pub fn id<T>(&self, make: impl Fn(Timestamp, &mut dyn Entropy) -> T) -> T {
        make(self.now, &mut &*self)
    }
}

/// The context itself is a source of randomness.
impl Entropy for &Ctx {
    fn fill(&mut self, buffer: &mut [u8]) {
        let mut entropy = match self.entropy.lock() {
            Ok(entropy) => entropy,
            Err(poisoned) => poisoned.into_inner(),
        };
        entropy.fill(buffer);
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ctx({} {} on {} trace {})", self.now, self.actor, self.node, self.trace)
    }
}
