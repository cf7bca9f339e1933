//! A look in words (用话说): who did what with which data, why, and how it is proven.

use serde::{Deserialize, Serialize};
use tb_identity::look::{HERSELF, LookKind};
use tb_licence::ask::VERIFY_PURPOSE;
use tb_licence::peer::INDEX_FIELD;
use tb_licence::peer::show::PRESENT_PURPOSE;
use tb_web::Lang;

use super::trace::Seen;
use super::{Found, PURPOSE};
use crate::firm::{AGENT, AGENT_PURPOSE};
use crate::parts::Words;

/// Field names that the headline spells out; more are counted.
const HEADLINE_FIELDS_MAX: usize = 2;
/// The outcome of a look that was granted.
pub const SHOWN: &str = "shown";

/// Why somebody looked, as the filter groups it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// For a case of hers (办我的事).
    Case,
    /// She showed a licence (我亮证).
    Showing,
    /// By law (依法查询).
    Law,
}

impl Why {
    /// Every reason, with its words.
    pub const ALL: [(Why, &'static str, &'static str, &'static str); 3] = [
        (Why::Case, "case", "办我的事", "For my cases"),
        (Why::Showing, "showing", "我亮证", "I showed a licence"),
        (Why::Law, "law", "依法查询", "By law"),
    ];

    /// Why this look was made.
    pub fn of(kind: LookKind, ground: &str) -> Why {
        match (kind, ground.split(':').next()) {
            (LookKind::Verify, _) => Why::Showing,
            (_, Some("statute")) => Why::Law,
            _ => Why::Case,
        }
    }
}

/// A look in words.
#[derive(Clone, Debug, Serialize)]
pub struct Telling {
    /// The office, or what acts by itself.
    pub who: String,
    /// What it did.
    pub verb: String,
    /// With what.
    pub what: String,
    /// What stands behind it in Chinese, such as 没有给.
    pub tail: String,
    /// In which function.
    pub function: String,
    /// For which item.
    pub item: String,
    /// On what ground.
    pub ground: String,
    /// Which fields were seen.
    pub seen: String,
}

/// Puts a look into words.
///
/// `city` is the name of the city that looked, for an office whose own city does not answer.
pub fn tell(lang: Lang, words: &Words, found: &Found, row: &Seen, city: &str) -> Telling {
    let (verb, tail) = verb(lang, row);
    Telling {
        who: who(lang, found, row, city),
        verb,
        what: what(lang, words, row),
        tail,
        function: function(lang, row).to_owned(),
        item: item(lang, words, &row.item),
        ground: ground(lang, row),
        seen: seen(lang, words, row),
    }
}

/// Whether it was granted.
pub fn is_granted(row: &Seen) -> bool {
    row.outcome == SHOWN
}

fn is_anonymous(row: &Seen) -> bool {
    matches!(row.role.as_str(), "anonymous" | "public")
}

fn who(lang: Lang, found: &Found, row: &Seen, city: &str) -> String {
    let Some(office) = &row.office else {
        let (zh, en) = match (row.role.as_str(), row.kind) {
            // Another resident may verify what she shows; she herself fetches with her consent.
            (HERSELF, LookKind::Verify) => ("登录的居民", "A signed-in resident"),
            (HERSELF, _) => ("您", "You"),
            (AGENT, _) => ("您企业的经办人", "An agent of your enterprise"),
            (_, LookKind::Verify) if is_anonymous(row) => ("匿名核验", "Anonymous check"),
            (_, _) if is_anonymous(row) => ("没有登录的人", "Somebody not signed in"),
            (_, _) => ("系统", "The system"),
        };
        return lang.t(zh, en).to_owned();
    };
    match found.offices.get(office) {
        Some((zh, en)) => lang.t(zh, en).to_owned(),
        None => match lang {
            Lang::Zh => format!("{city}的单位（{office}）"),
            Lang::En => format!("An office of {city} ({office})"),
        },
    }
}

fn verb(lang: Lang, row: &Seen) -> (String, String) {
    if !is_granted(row) {
        let (zh, en) = ("想看", " wanted to see ");
        return (lang.t(zh, en).to_owned(), lang.t("，没有给", "; it was refused").to_owned());
    }
    let (zh, en) = match row.kind {
        LookKind::Register => ("查了登记里的", " read in the register: "),
        LookKind::Fetch => ("调取了", " fetched: "),
        LookKind::Verify if is_anonymous(row) => ("：", ": "),
        LookKind::Verify => ("核验了", " verified "),
        LookKind::Locate => ("查了", " looked up "),
        LookKind::Case => ("打开了", " opened "),
        LookKind::Trace => ("看了", " read "),
    };
    (lang.t(zh, en).to_owned(), String::new())
}

fn what(lang: Lang, words: &Words, row: &Seen) -> String {
    match row.kind {
        LookKind::Locate => lang.t("您有哪些证照", "which licences you have").to_owned(),
        LookKind::Case => lang.t("您的办件", "your case").to_owned(),
        LookKind::Trace => lang.t("查看记录", "the list of looks").to_owned(),
        LookKind::Verify => lang.t("您出示的证照", "the licence that you showed").to_owned(),
        LookKind::Register | LookKind::Fetch => match row.fields.is_empty() {
            true => lang.t("您的证照信息", "data of your licence").to_owned(),
            false => headline(lang, words, &row.fields),
        },
    }
}

fn headline(lang: Lang, words: &Words, fields: &[String]) -> String {
    let named: Vec<String> =
        fields.iter().take(HEADLINE_FIELDS_MAX).map(|field| field_name(lang, words, field, fields)).collect();
    let text = named.join(lang.t("、", ", "));
    match fields.len().checked_sub(HEADLINE_FIELDS_MAX) {
        None | Some(0) => text,
        Some(_) => match lang {
            Lang::Zh => format!("{text}等 {} 项", fields.len()),
            Lang::En => format!("{text} and others, {} in all", fields.len()),
        },
    }
}

fn field_name(lang: Lang, words: &Words, field: &str, all: &[String]) -> String {
    let own = match field {
        INDEX_FIELD => Some(("有哪些证照", "which licences there are")),
        "state" => Some(("状态", "state")),
        "earlier_cases" => Some(("以前的办件", "earlier cases")),
        _ => None,
    };
    match (own, (words.field)(field, all)) {
        (Some((zh, en)), _) => lang.t(zh, en).to_owned(),
        (None, Some((zh, en))) => lang.t(&zh, &en).to_owned(),
        (None, None) => field.to_owned(),
    }
}

fn item(lang: Lang, words: &Words, item: &str) -> String {
    match item {
        AGENT_PURPOSE => return lang.t("代企业办事", "acting for the enterprise").to_owned(),
        PURPOSE => return lang.t("看自己的查看记录", "reading the own list").to_owned(),
        PRESENT_PURPOSE => {
            return lang.t("看自己的证照、亮证", "reading or showing an own licence").to_owned();
        }
        VERIFY_PURPOSE => return lang.t("核验您出示的证照", "checking a licence that you showed").to_owned(),
        _ => {}
    }
    match (words.item)(item) {
        Some((zh, en)) => lang.t(&zh, &en).to_owned(),
        None if item.bytes().all(|digit| digit.is_ascii_digit()) => match lang {
            Lang::Zh => format!("事项 {item}"),
            Lang::En => format!("item {item}"),
        },
        None => item.to_owned(),
    }
}

fn ground(lang: Lang, row: &Seen) -> String {
    let (kind, name) = row.ground.split_once(':').unwrap_or((&row.ground, ""));
    match (kind, row.kind) {
        (_, LookKind::Verify) => lang.t("您出示的一次性码", "The one-time code that you showed").to_owned(),
        ("consent", _) => match lang {
            Lang::Zh => format!("您的同意（回执 {name}）"),
            Lang::En => format!("Your consent (receipt {name})"),
        },
        ("statute", _) => match lang {
            Lang::Zh => format!("法律、法规（{name}）"),
            Lang::En => format!("By law ({name})"),
        },
        ("grant", _) => match lang {
            Lang::Zh => format!("企业的授权（{name}）"),
            Lang::En => format!("A grant of the enterprise ({name})"),
        },
        ("case", _) => lang.t("办理您的办件", "Handling your case").to_owned(),
        ("subject", _) => lang.t("您本人", "You yourself").to_owned(),
        (_, _) => row.ground.clone(),
    }
}

fn seen(lang: Lang, words: &Words, row: &Seen) -> String {
    if !is_granted(row) {
        let nothing = lang.t("什么也没看到", "Nothing");
        return match lang {
            Lang::Zh => format!("{nothing}（{}）", row.outcome),
            Lang::En => format!("{nothing} ({})", row.outcome),
        };
    }
    if row.fields.is_empty() {
        return lang.t("没有字段", "No field").to_owned();
    }
    let named: Vec<String> =
        row.fields.iter().map(|field| field_name(lang, words, field, &row.fields)).collect();
    let count = lang.count(row.fields.len(), "项", "field", "fields");
    match lang {
        Lang::Zh => format!("{}（{count}）", named.join("、")),
        Lang::En => format!("{} ({count})", named.join(", ")),
    }
}

fn function(lang: Lang, row: &Seen) -> &str {
    match row.role.as_str() {
        HERSELF if row.kind == LookKind::Verify => {
            lang.t("登录的居民，不是您本人", "a resident who was signed in, not you")
        }
        "node" => lang.t("系统自动，无人经手", "by itself, no person was involved"),
        "window" => lang.t("窗口人员", "window clerk"),
        "reviewer" => lang.t("审查人员", "reviewer"),
        "approver" => lang.t("审批人员", "approver"),
        "inspector" => lang.t("执法检查人员", "inspector"),
        "bureau" => lang.t("数据局", "data bureau"),
        "supervisor" => lang.t("监督人员", "supervisor"),
        "auditor" => lang.t("审计人员", "auditor"),
        "administrator" => lang.t("系统管理员", "administrator"),
        HERSELF => lang.t("您本人", "yourself"),
        AGENT => lang.t("企业经办人", "agent of an enterprise"),
        "anonymous" | "public" => lang.t("没有登录的人", "somebody who was not signed in"),
        other => other,
    }
}
