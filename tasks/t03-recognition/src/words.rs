//! Licences in words (用话说): states, roles, events, each with its mark.

use tb_base::NodeId;
use tb_licence::state::State;
use tb_licence::types::LicenceType;
use tb_web::{Frame, Lang, Visit};

use crate::parts::Parts;

/// The mark of a state: kinds of [`tb_web::ui::tag`].
pub fn state_kind(state: State) -> &'static str {
    match state {
        State::Valid => "done",
        State::Suspended => "wait",
        State::Superseded | State::TransferredOut => "",
        State::Expired | State::Cancelled | State::Revoked | State::Withdrawn => "stop",
    }
}

/// The word of a state.
pub fn state_word(lang: Lang, state: State) -> String {
    let (zh, en) = state.words();
    lang.t(zh, en).to_owned()
}

/// The name of a type; its code where this city does not know it.
pub fn type_name(lang: Lang, parts: &Parts, type_id: &str) -> String {
    match parts.issuer.types.get(type_id) {
        Some(kind) => lang.t(&kind.title, &kind.title_en).to_owned(),
        None => type_id.to_owned(),
    }
}

/// The name of a field of a type; its code where this city does not know it.
pub fn field_name(lang: Lang, kind: Option<&LicenceType>, field: &str) -> String {
    match kind.and_then(|kind| kind.field(field)) {
        Some(known) => lang.t(&known.title, &known.title_en).to_owned(),
        None => field.to_owned(),
    }
}

/// Fields in the order of the face; what the definition does not know comes last.
pub fn face_order(kind: Option<&LicenceType>, field: &str) -> usize {
    let place = kind.and_then(|kind| kind.fields.iter().position(|it| it.id == field));
    place.unwrap_or(usize::MAX)
}

/// The name of an item.
pub fn item_name(lang: Lang, parts: &Parts, item: &str) -> String {
    match (parts.item)(item) {
        Some((zh, en)) => lang.t(&zh, &en).to_owned(),
        None => format!("{} {item}", lang.t("事项", "Item")),
    }
}

/// What happened to a licence.
pub fn event_word(lang: Lang, event: &str) -> &str {
    match event {
        "issued" => lang.t("签发", "issued"),
        "superseded" => lang.t("被新版代替", "replaced by a newer version"),
        "suspended" => lang.t("暂扣", "suspended"),
        "lifted" => lang.t("解除暂扣", "suspension ended"),
        "expired" => lang.t("期满", "expired"),
        "cancelled" => lang.t("注销", "deregistered"),
        "revoked" => lang.t("撤销", "annulled"),
        "withdrawn" => lang.t("吊销", "withdrawn"),
        "transferred_out" => lang.t("转出", "moved to another city"),
        other => other,
    }
}

/// Who verified: city, function and office, never a name.
pub fn verifier(visit: &Visit, frame: &Frame, city: NodeId, actor: &str) -> String {
    let lang = visit.lang;
    let (role, office) = actor.split_once('/').unwrap_or((actor, ""));
    let role = match role {
        "inspector" => lang.t("执法检查人员", "an inspector"),
        "window" => lang.t("窗口人员", "a window clerk"),
        "reviewer" => lang.t("审查人员", "a reviewer"),
        "approver" => lang.t("审批人员", "an approver"),
        "resident" => lang.t("登录的居民", "a resident who is signed in"),
        _ => lang.t("没有登录的人", "somebody who is not signed in"),
    };
    let city = frame.city_name(city);
    let named = match lang {
        Lang::Zh => format!("{city}的{role}"),
        Lang::En => format!("{role} in {city}"),
    };
    if office.is_empty() { named } else { format!("{named} ({office})") }
}
