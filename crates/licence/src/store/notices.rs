//! What a holder is told when an authority orders something about her licence (证照变动通知).

use std::collections::BTreeMap;

use tb_base::{Ctx, Result};
use tb_store::Tx;

use super::{Issuer, Licence};
use crate::state::Command;

/// The order, then what it means, in both languages; `{type}` and `{article}` are filled in.
struct Told {
    command: Command,
    template: &'static str,
    zh: &'static str,
    en: &'static str,
}

const fn told(command: Command, template: &'static str, zh: &'static str, en: &'static str) -> Told {
    Told { command, template, zh, en }
}

const TOLD: &[Told] = &[
    told(
        Command::Suspend,
        "licence.suspended",
        "已被暂扣，解除前不能使用",
        "has been suspended and cannot be used until the suspension ends",
    ),
    told(
        Command::Lift,
        "licence.lifted",
        "已解除暂扣，可以使用",
        "is released from suspension and can be used",
    ),
    told(Command::Cancel, "licence.cancelled", "已注销", "has been deregistered"),
    told(
        Command::Revoke,
        "licence.revoked",
        "已被撤销，自始无效",
        "has been annulled and was void from the start",
    ),
    told(
        Command::Withdraw,
        "licence.withdrawn",
        "已被吊销，自今日起失效",
        "has been withdrawn and is void from that day on",
    ),
];

/// Tells the holder what was ordered and by which article; nobody where she is not in this city's register.
pub fn post(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    issuer: &Issuer,
    licence: &Licence,
    command: Command,
    article: &str,
) -> Result<()> {
    let told = TOLD.iter().find(|it| it.command == command);
    let (Some(person), Some(told)) = (licence.holder, told) else { return Ok(()) };
    let kind = issuer.types.find(&licence.type_id)?;
    let params = [("type", kind.title.as_str()), ("type_en", &kind.title_en), ("article", article)];
    let params: BTreeMap<String, String> =
        params.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    tb_identity::messages::post(tx, ctx, person, told.template, &params, None).map(drop)
}

/// The words of a notice of this crate, Chinese and English; nothing for templates of others.
pub fn words(template: &str, params: &BTreeMap<String, String>) -> Option<(String, String)> {
    let told = TOLD.iter().find(|it| it.template == template)?;
    let get = |key: &str| params.get(key).map(String::as_str).unwrap_or_default();
    let (kind, kind_en, article) = (get("type"), get("type_en"), get("article"));
    let zh = format!(
        "您的“{kind}”{}。依据：{article}。不服的，可以向签发单位申辩，也可以依法申请行政复议或提起行政诉讼。",
        told.zh
    );
    let en = format!(
        "Your licence '{kind_en}' {}. Basis: {article}. You may object to the office that issued it, ask for \
         administrative review, or go to court.",
        told.en
    );
    Some((zh, en))
}
