//! Sending a message again that was given up (再次发送): the same one where it still can arrive, else another in its
//! place.
//!
//! Invariant: one id never stands for two contents. While contract and deadline hold, the same message goes again and
//! its receiver answers a repetition from memory. Afterwards the same words go under a new id, a new deadline and
//! the contract of today; that is safe for messages which carry in their body what makes them take effect once.

use tb_base::{Ctx, MessageId, Refusal, Result, Timestamp};

use super::Desk;
use crate::{Envelope, Outgoing, service};

/// A message that goes again is worth delivering for at least this long.
const LIFE_SECONDS_MIN: i64 = 3_600;

/// How a message goes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// As it is, with its id.
    Same,
    /// In its place.
    Another(Box<Outgoing>),
}

impl Desk {
    /// How a message that was given up goes again; refused where no contract in force allows it, or it may not.
    ///
    /// `created` is when it was first written: what goes in its place is worth delivering for as long as it was.
    pub fn again(&self, ctx: &Ctx, lost: &Outgoing, created: Timestamp) -> Result<Again> {
        let envelope = &lost.envelope;
        if !service::REPEATABLE.contains(&envelope.service.as_str()) {
            return Err(refuse_repetition().into());
        }
        let contract = self.grant(envelope.to, &envelope.service, &envelope.purpose, ctx.now)?;
        if contract == envelope.contract && ctx.now.plus_seconds(1) < envelope.deadline {
            return Ok(Again::Same);
        }
        if envelope.subject.is_some() && contract.id != envelope.contract.id {
            return Err(refuse_other_contract(envelope).into());
        }
        let life = (envelope.deadline.seconds() - created.seconds()).max(LIFE_SECONDS_MIN);
        let envelope = Envelope {
            id: ctx.id(MessageId::new),
            contract,
            deadline: Timestamp((ctx.now.seconds() + life) * 1_000_000),
            ..envelope.clone()
        };
        Ok(Again::Another(Box::new(Outgoing { envelope, body: lost.body.clone() })))
    }
}

fn refuse_repetition() -> Refusal {
    Refusal::not_allowed(
        "EXC-AGN-001",
        "这是申请人或窗口的操作，不能由别人替她再发一次",
        "This is an act of the applicant or the window; nobody else sends it again for her",
    )
    .but(
        "办件页面已告诉她没有送到，由她决定是否重做；这里请人工办结",
        "The page of the case tells her that it was not delivered, and she decides; settle it by hand here",
    )
}

fn refuse_other_contract(envelope: &Envelope) -> Refusal {
    let id = &envelope.contract.id;
    Refusal::not_allowed(
        "EXC-AGN-002",
        format!("报文里的人按契约 {id} 的假名称呼，而现在适用另一份契约"),
        format!(
            "The message names a person by a pseudonym of contract {id}, and another contract applies now"
        ),
    )
    .but("请由经办单位重新发起，再在这里人工办结", "Have the office send it anew, and settle it by hand here")
}
