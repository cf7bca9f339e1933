//! What whoever asked is told (问询通知): a notice on the site, or a text message where she left a number.
//!
//! Invariant: no notice and no message says what was asked or answered; the page does, to her alone.

use std::collections::BTreeMap;

use tb_base::{Ctx, Result};
use tb_identity::wording::{Wording, wording};
use tb_identity::{messages, sms};
use tb_store::Tx;

use crate::Env;
use crate::enquiry::{ActKind, Asker, Enquiry, Kind, Turn};

const ANSWERED: Wording = wording(
    "enquiry.answered",
    &[(
        "您的{what}：{office}已经答复，请查看。",
        "Your {what_en} has been answered by {office_en}; please read it.",
    )],
);
const RETURNED: Wording = wording(
    "enquiry.returned",
    &[(
        "您的{what}：{office}退回了，写明了原因和该找谁。",
        "Your {what_en} was returned by {office_en}, with the reason and whom to ask.",
    )],
);
const PASSED: Wording = wording(
    "enquiry.passed",
    &[("您的{what}：已转给{office}答复。", "Your {what_en} has been passed on to {office_en}.")],
);
const LATE: Wording = wording(
    "enquiry.late",
    &[(
        "您的{what}：到 {due} 没有答复，已列入监督。",
        "Your {what_en} was not answered by {due}; the supervisor sees it now.",
    )],
);

/// Every kind of notice of this crate.
pub const WORDINGS: &[Wording] = &[ANSWERED, RETURNED, PASSED, LATE];

/// Tells whoever asked here about a turn, where it is news to her.
pub(crate) fn tell(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, enquiry: &Enquiry, turn: &Turn) -> Result<()> {
    let (wording, said) = match turn.act.kind() {
        ActKind::Answer => (&ANSWERED, "已有答复"),
        ActKind::Return => (&RETURNED, "已被退回，请看原因"),
        ActKind::PassOn => (&PASSED, ""),
        ActKind::Ask | ActKind::Again | ActKind::Close | ActKind::Receive | ActKind::Lapse => return Ok(()),
    };
    say(tx, ctx, env, enquiry, wording, said)
}

/// Tells whoever asked here that the answer is late, and that the supervisor sees it.
pub(crate) fn tell_late(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, enquiry: &Enquiry) -> Result<()> {
    say(tx, ctx, env, enquiry, &LATE, "逾期没有答复，已列入监督")
}

/// A notice for an account; for a telephone a message, where there is one to send.
fn say(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    enquiry: &Enquiry,
    wording: &Wording,
    said: &str,
) -> Result<()> {
    match &enquiry.asker {
        Asker::Elsewhere => Ok(()),
        Asker::Person(person) => messages::post(tx, ctx, *person, wording, &params(enquiry), None).map(drop),
        Asker::Phone(_) if said.is_empty() => Ok(()),
        Asker::Phone(phone) => {
            let text = format!(
                "【通办】您反映的事（查询码 {}）{said}。打开“办不成事”页面，用查询码和手机号查看。",
                enquiry.code
            );
            sms::send(tx, ctx, &env.vault, phone, "enquiry", &text).map(drop)
        }
    }
}

fn params(enquiry: &Enquiry) -> BTreeMap<String, String> {
    let office = enquiry.office.as_ref();
    let (what, what_en) = match enquiry.about.kind() {
        Kind::Look => ("对查看记录的追问", "question about a look at your data"),
        Kind::Stuck => ("办不成事反映", "report of what could not be done"),
    };
    let pairs = [
        ("enquiry", enquiry.id.to_string()),
        ("what", what.to_owned()),
        ("what_en", what_en.to_owned()),
        ("office", office.map_or_else(String::new, |office| office.zh.clone())),
        ("office_en", office.map_or_else(String::new, |office| office.en.clone())),
        ("due", enquiry.due.date().to_string()),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Where a notice of this crate leads.
pub fn href(template: &str, params: &BTreeMap<String, String>) -> Option<String> {
    let id: tb_base::MessageId = params.get("enquiry")?.parse().ok()?;
    template.starts_with("enquiry.").then(|| format!("/asks/{id}"))
}
