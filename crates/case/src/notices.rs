//! What a person is told about her case (办件通知): templates by phase, words in both languages.

use std::collections::BTreeMap;

use tb_base::{Ctx, PersonId, Result};
use tb_identity::wording::{Wording, wording};
use tb_store::Tx;

use crate::case::PhaseKind;
use crate::progress::ProgressView;

const TOLD: Wording = wording(
    "case.told",
    &[(
        "您的“{item}”（{code}）有新的告知，请查看；最晚 {due} 办完。",
        "Your case '{item_en}' ({code}) has news for you, please read it; it will be decided by {due}.",
    )],
);
const OFFERED: Wording = wording(
    "case.offered",
    &[(
        "您的“{item}”（{code}）已收件，正在移交办理城市。",
        "Your case '{item_en}' ({code}) has been collected and is being handed over to the deciding city.",
    )],
);
const RECEIVED: Wording = wording(
    "case.received",
    &[(
        "您的“{item}”（{code}）已由{office}收件，等待受理。",
        "Your case '{item_en}' ({code}) has been received by {office_en} and waits to be accepted.",
    )],
);
const CORRECTING: Wording = wording(
    "case.correcting",
    &[(
        "您的“{item}”（{code}）需要补正，请查看需要补正的全部内容。",
        "Your case '{item_en}' ({code}) needs a correction; see everything that is asked.",
    )],
);
const ACCEPTED: Wording = wording(
    "case.accepted",
    &[(
        "您的“{item}”（{code}）已受理，最晚 {due} 办完。",
        "Your case '{item_en}' ({code}) has been accepted and will be decided by {due} at the latest.",
    )],
);
const DECIDED: Wording = wording(
    "case.decided",
    &[("您的“{item}”（{code}）已作出决定。", "Your case '{item_en}' ({code}) has been decided.")],
);
const DELIVERING: Wording = wording(
    "case.delivering",
    &[(
        "您的“{item}”（{code}）结果已可领取：{office}。",
        "Your case '{item_en}' ({code}) is ready: {office_en}.",
    )],
);
const DELIVERED: Wording = wording(
    "case.delivered",
    &[(
        "您的“{item}”（{code}）已送达，欢迎评价。",
        "Your case '{item_en}' ({code}) has been delivered; please rate it.",
    )],
);
const CLOSED: Wording = wording(
    "case.closed",
    &[("您的“{item}”（{code}）已办结归档。", "Your case '{item_en}' ({code}) has been closed.")],
);
const WITHDRAWN: Wording = wording(
    "case.withdrawn",
    &[(
        "您的“{item}”（{code}）已按您的要求撤回。",
        "Your case '{item_en}' ({code}) has been withdrawn as you asked.",
    )],
);
const DECLINED: Wording = wording(
    "case.declined",
    &[(
        "您的“{item}”（{code}）不予受理，请查看理由。",
        "Your case '{item_en}' ({code}) was not accepted; see the reasons.",
    )],
);
const LAPSED: Wording = wording(
    "case.lapsed",
    &[(
        "您的“{item}”（{code}）逾期未补正，已终止。",
        "Your case '{item_en}' ({code}) has lapsed: it was not corrected in time.",
    )],
);
const RETURNED: Wording = wording(
    "case.returned",
    &[(
        "您的“{item}”（{code}）被办理城市退回，请查看理由。",
        "Your case '{item_en}' ({code}) was returned by the deciding city; see the reason.",
    )],
);

/// Every kind of notice of this crate.
pub const WORDINGS: &[Wording] = &[
    TOLD, OFFERED, RECEIVED, CORRECTING, ACCEPTED, DECIDED, DELIVERING, DELIVERED, CLOSED, WITHDRAWN,
    DECLINED, LAPSED, RETURNED,
];

fn wording_of(phase: PhaseKind) -> &'static Wording {
    match phase {
        PhaseKind::Offered => &OFFERED,
        PhaseKind::Received => &RECEIVED,
        PhaseKind::Correcting => &CORRECTING,
        PhaseKind::Accepted => &ACCEPTED,
        PhaseKind::Decided => &DECIDED,
        PhaseKind::Delivering => &DELIVERING,
        PhaseKind::Delivered => &DELIVERED,
        PhaseKind::Closed => &CLOSED,
        PhaseKind::Withdrawn => &WITHDRAWN,
        PhaseKind::Declined => &DECLINED,
        PhaseKind::Lapsed => &LAPSED,
        PhaseKind::Returned => &RETURNED,
    }
}

/// What the person had been told before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    pub(crate) phase: PhaseKind,
    pub(crate) notes: usize,
}

/// Posts a notice when the phase has changed, or when there is something more to know.
pub(crate) fn post(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    person: Option<PersonId>,
    before: Option<Before>,
    view: &ProgressView,
) -> Result<()> {
    let Some(person) = person else { return Ok(()) };
    let wording = match before {
        Some(before) if before.phase == view.phase && before.notes < view.notes.len() => &TOLD,
        Some(before) if before.phase == view.phase => return Ok(()),
        Some(_) | None => wording_of(view.phase),
    };
    let due = view.due().map(|clock| clock.due.to_string()).unwrap_or_default();
    let params: BTreeMap<String, String> = [
        ("item", view.item_name.zh.clone()),
        ("item_en", view.item_name.en.clone()),
        ("code", view.query_code.clone()),
        ("office", view.holder.place.name.zh.clone()),
        ("office_en", view.holder.place.name.en.clone()),
        ("due", due),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    tb_identity::messages::post(tx, ctx, person, wording, &params, Some(view.case)).map(drop)
}
