//! Asking back (问询): 办不成事 and questions about looks, as people, offices and the supervisor meet them.
//! Serves clauses 1.1 and 2.4.
//!
//! Invariants: what the block allows is what a page offers; nothing that was typed is lost, whatever is refused;
//! a telephone number is shown only to the office of its own city that has to call back.

pub mod answer;
pub mod find;
pub mod help;
pub mod look;
pub mod mine;
pub mod office;
mod shown;
pub mod words;

use std::str::FromStr;
use std::sync::Arc;

use axum::Extension;
use tb_base::{Ctx, MessageId, NodeId, OfficeId, PersonId, Refusal, Result, Role};
use tb_enquiry::{Wording, acts};
use tb_identity::permit::{Action, Scope, may};
use tb_web::{Field, Fields, Input, PageError, Visit};

use crate::parts::Parts;

/// How handlers take the parts.
type Shared = Extension<Arc<Parts>>;

/// Staff who may have an enquiry to answer, and whoever watches over them.
pub const STAFF: &[Role] =
    &[Role::Window, Role::Reviewer, Role::Approver, Role::Inspector, Role::Bureau, Role::Supervisor];

/// What somebody adds, or asks again.
const AGAIN: Field<'static> = Field::new("text", "写给承办单位", "To the office", Input::Area)
    .hint("最多 1000 字", "At most 1000 letters");

/// The person who is signed in, and that she may.
fn person(ctx: &Ctx, action: Action) -> Result<PersonId> {
    let person = ctx.actor.person().ok_or_else(|| {
        Refusal::not_allowed("T01-ASK-001", "请用个人账户登录", "Sign in with a personal account")
    })?;
    may(&ctx.actor, action, &Scope::Person(person))?;
    Ok(person)
}

/// The office of the member of staff who is signed in.
fn office_of(ctx: &Ctx) -> Result<OfficeId> {
    match &ctx.actor {
        tb_base::Actor::Staff { office, .. } => Ok(office.clone()),
        tb_base::Actor::Resident { .. }
        | tb_base::Actor::Anonymous
        | tb_base::Actor::Peer(_)
        | tb_base::Actor::System => Err(Refusal::not_allowed(
            "T01-ASK-002",
            "只有单位的工作人员可以答复",
            "Only the staff of an office may answer",
        )
        .into()),
    }
}

/// The enquiry of an address; what is no id is no enquiry.
fn id_of(text: &str) -> Result<MessageId> {
    MessageId::from_str(text).map_err(|_| acts::gone().into())
}

/// The id that a form was shown with, so that sending it twice does it once; a fresh one where it carries none.
fn key_of(ctx: &Ctx, fields: &Fields) -> MessageId {
    fields.value("key").parse().unwrap_or_else(|_| ctx.id(MessageId::new))
}

/// A text, read into its checked type; what is wrong with it stands at the field.
fn wording(fields: &mut Fields, field: &Field<'_>) -> Option<Wording> {
    fields.read(field).parse::<Wording>().required()
}

/// The name of a city in both languages; its code where the region does not know it.
fn city_name(visit: &Visit, node: NodeId) -> (String, String) {
    let front = visit.app.city(node);
    let code = || node.as_str().to_owned();
    (
        front.map_or_else(code, |front| front.name.clone()),
        front.map_or_else(code, |front| front.name_en.clone()),
    )
}

/// The outcome of the block: every refusal becomes an error of the form, so that nothing typed is lost.
fn taken<T>(fields: &mut Fields, outcome: Result<T>) -> std::result::Result<Option<T>, PageError> {
    crate::door::taken(fields, outcome)
}
