//! What a holder is told when an authority orders something about her licence (证照变动通知).

use std::collections::BTreeMap;

use tb_base::{Ctx, Result};
use tb_identity::wording::{Wording, wording};
use tb_store::Tx;

use super::{Issuer, Licence};
use crate::state::Command;

/// The words that follow an order, `{type}` being what the licence is.
const SUSPENDED: Wording = wording(
    "licence.suspended",
    &[(
        "您的“{type}”已被暂扣，解除前不能使用。依据：{article}。不服的，可以向签发单位申辩，也可以依法申请行政复议或提起行政诉讼。",
        "Your licence '{type_en}' has been suspended and cannot be used until the suspension ends. Basis: {article}. You may object to the office that issued it, ask for administrative review, or go to court.",
    )],
);
const LIFTED: Wording = wording(
    "licence.lifted",
    &[(
        "您的“{type}”已解除暂扣，可以使用。依据：{article}。不服的，可以向签发单位申辩，也可以依法申请行政复议或提起行政诉讼。",
        "Your licence '{type_en}' is released from suspension and can be used. Basis: {article}. You may object to the office that issued it, ask for administrative review, or go to court.",
    )],
);
const CANCELLED: Wording = wording(
    "licence.cancelled",
    &[(
        "您的“{type}”已注销。依据：{article}。不服的，可以向签发单位申辩，也可以依法申请行政复议或提起行政诉讼。",
        "Your licence '{type_en}' has been deregistered. Basis: {article}. You may object to the office that issued it, ask for administrative review, or go to court.",
    )],
);
const REVOKED: Wording = wording(
    "licence.revoked",
    &[(
        "您的“{type}”已被撤销，自始无效。依据：{article}。不服的，可以向签发单位申辩，也可以依法申请行政复议或提起行政诉讼。",
        "Your licence '{type_en}' has been annulled and was void from the start. Basis: {article}. You may object to the office that issued it, ask for administrative review, or go to court.",
    )],
);
const WITHDRAWN: Wording = wording(
    "licence.withdrawn",
    &[(
        "您的“{type}”已被吊销，自今日起失效。依据：{article}。不服的，可以向签发单位申辩，也可以依法申请行政复议或提起行政诉讼。",
        "Your licence '{type_en}' has been withdrawn and is void from that day on. Basis: {article}. You may object to the office that issued it, ask for administrative review, or go to court.",
    )],
);

/// Every kind of notice of this crate.
pub const WORDINGS: &[Wording] = &[SUSPENDED, LIFTED, CANCELLED, REVOKED, WITHDRAWN];

fn wording_of(command: Command) -> Option<&'static Wording> {
    match command {
        Command::Suspend => Some(&SUSPENDED),
        Command::Lift => Some(&LIFTED),
        Command::Cancel => Some(&CANCELLED),
        Command::Revoke => Some(&REVOKED),
        Command::Withdraw => Some(&WITHDRAWN),
        _ => None,
    }
}

/// Tells the holder what was ordered and by which article; nobody where she is not in this city's register.
pub fn post(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    issuer: &Issuer,
    licence: &Licence,
    command: Command,
    article: &str,
) -> Result<()> {
    let (Some(person), Some(wording)) = (licence.holder, wording_of(command)) else { return Ok(()) };
    let kind = issuer.types.find(&licence.type_id)?;
    let params = [("type", kind.title.as_str()), ("type_en", &kind.title_en), ("article", article)];
    let params: BTreeMap<String, String> =
        params.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    tb_identity::messages::post(tx, ctx, person, wording, &params, None).map(drop)
}
