//! What is said of enterprises and grants (企业用语).

use tb_base::{Date, Refusal};
use tb_identity::enterprises::EnterpriseStatus;
use tb_identity::grants::{Force, Grant, Matter, Standing};
use tb_web::Lang;

/// Whether it can act, by the register, and which mark that gets.
pub fn status(lang: Lang, status: EnterpriseStatus) -> (&'static str, &'static str) {
    let (kind, zh, en) = match status {
        EnterpriseStatus::Active => ("done", "存续", "in operation"),
        EnterpriseStatus::Abnormal => ("wait", "经营异常", "on the list of abnormal operations"),
        EnterpriseStatus::Revoked => ("stop", "吊销", "licence revoked"),
        EnterpriseStatus::Closed => ("stop", "注销", "deregistered"),
    };
    (kind, lang.t(zh, en))
}

/// In which capacity she acts.
pub fn standing(lang: Lang, standing: &Standing) -> String {
    match (standing, lang) {
        (Standing::Representative, _) => lang.t("法定代表人", "representative").to_owned(),
        (Standing::Agent(grant), Lang::Zh) => format!("经办人，授权到 {}", grant.to),
        (Standing::Agent(grant), Lang::En) => format!("agent, granted until {}", grant.to),
    }
}

/// Whether a grant counts, and which mark that gets.
pub fn force(lang: Lang, grant: &Grant, today: Date) -> (&'static str, String) {
    let (kind, zh, en) = match grant.force(today) {
        Force::Coming => ("wait", "待生效", "to come"),
        Force::Holds => ("done", "有效", "in force"),
        Force::Expired => ("", "已到期", "expired"),
        Force::Ended => ("stop", "已结束", "ended"),
    };
    (kind, lang.t(zh, en).to_owned())
}

/// When it was ended and by which side; nothing for one that was not.
pub fn ended(lang: Lang, grant: &Grant) -> String {
    let Some(ended) = &grant.ended else { return String::new() };
    let side = match grant.agent == ended.by {
        true => lang.t("经办人辞去", "given up by the agent"),
        false => lang.t("企业取消", "taken back by the enterprise"),
    };
    match lang {
        Lang::Zh => format!("{} {side}", lang.time(ended.at)),
        Lang::En => format!("{side} at {}", lang.time(ended.at)),
    }
}

/// What a grant covers.
pub fn matters(lang: Lang, grant: &Grant) -> String {
    let named: Vec<&str> = Matter::ALL
        .iter()
        .filter(|it| grant.matters.contains(it))
        .map(|it| lang.t(it.zh(), it.en()))
        .collect();
    named.join(lang.t("；", "; "))
}

/// Who acts for no enterprise is told how that comes about.
pub fn none() -> Refusal {
    Refusal::not_now("T01-FRM-001", "您现在没有代哪家企业办事", "You act for no enterprise at present").but(
        "法定代表人登录即可看到自己的企业；经办人请法定代表人在“企业”页面授权",
        "A representative sees the enterprise after signing in; an agent asks the representative for a grant",
    )
}

/// Staff have no enterprise of their own here.
pub fn not_a_person() -> Refusal {
    Refusal::not_allowed("T01-FRM-002", "请用个人账户登录", "Sign in with a personal account")
}

/// What is no id of a grant is none.
pub fn no_grant() -> Refusal {
    Refusal::gone("T01-FRM-003", "没有这份授权", "There is no such grant")
        .but("从“我的企业”打开", "Open it from “My enterprise”")
}
