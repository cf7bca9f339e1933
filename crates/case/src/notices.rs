//! What a person is told about her case (办件通知): templates by phase, words in both languages.

use std::collections::BTreeMap;

use tb_base::{Ctx, PersonId, Result};
use tb_store::Tx;

use crate::case::PhaseKind;
use crate::progress::ProgressView;
use crate::text::Text;

fn template(phase: PhaseKind) -> &'static str {
    match phase {
        PhaseKind::Offered => "case.offered",
        PhaseKind::Received => "case.received",
        PhaseKind::Correcting => "case.correcting",
        PhaseKind::Accepted => "case.accepted",
        PhaseKind::Decided => "case.decided",
        PhaseKind::Delivering => "case.delivering",
        PhaseKind::Delivered => "case.delivered",
        PhaseKind::Closed => "case.closed",
        PhaseKind::Withdrawn => "case.withdrawn",
        PhaseKind::Declined => "case.declined",
        PhaseKind::Lapsed => "case.lapsed",
        PhaseKind::Returned => "case.returned",
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
    let template = match before {
        Some(before) if before.phase == view.phase && before.notes < view.notes.len() => "case.told",
        Some(before) if before.phase == view.phase => return Ok(()),
        Some(_) | None => template(view.phase),
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
    tb_identity::messages::post(tx, ctx, person, template, &params, Some(view.case)).map(drop)
}

/// The words of a notice of this crate; nothing for templates of others.
pub fn words(template: &str, params: &BTreeMap<String, String>) -> Option<Text> {
    let get = |key: &str| params.get(key).map(String::as_str).unwrap_or_default();
    let (zh, en) = match template {
        "case.told" => (
            "有新的告知，请查看；最晚 {due} 办完",
            "has news for you, please read it; it will be decided by {due}",
        ),
        "case.offered" => {
            ("已收件，正在移交办理城市", "has been collected and is being handed over to the deciding city")
        }
        "case.received" => {
            ("已由{office}收件，等待受理", "has been received by {office_en} and waits to be accepted")
        }
        "case.correcting" => {
            ("需要补正，请查看需要补正的全部内容", "needs a correction; see everything that is asked")
        }
        "case.accepted" => {
            ("已受理，最晚 {due} 办完", "has been accepted and will be decided by {due} at the latest")
        }
        "case.decided" => ("已作出决定", "has been decided"),
        "case.delivering" => ("结果已可领取：{office}", "is ready: {office_en}"),
        "case.delivered" => ("已送达，欢迎评价", "has been delivered; please rate it"),
        "case.closed" => ("已办结归档", "has been closed"),
        "case.withdrawn" => ("已按您的要求撤回", "has been withdrawn as you asked"),
        "case.declined" => ("不予受理，请查看理由", "was not accepted; see the reasons"),
        "case.lapsed" => ("逾期未补正，已终止", "has lapsed: it was not corrected in time"),
        "case.returned" => {
            ("被办理城市退回，请查看理由", "was returned by the deciding city; see the reason")
        }
        _ => return None,
    };
    let fill = |words: &str| {
        words
            .replace("{office}", get("office"))
            .replace("{office_en}", get("office_en"))
            .replace("{due}", get("due"))
    };
    let zh = format!("您的“{}”（{}）{}。", get("item"), get("code"), fill(zh));
    let en = format!("Your case '{}' ({}) {}.", get("item_en"), get("code"), fill(en));
    Some(Text { zh, en })
}
