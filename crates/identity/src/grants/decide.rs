//! What may be done with a grant (授权判定): pure; the page asks for its buttons, the act for its answer.

use std::collections::BTreeSet;

use tb_base::{Date, PersonId, Refusal, Result};

use super::terms::Terms;
use super::{Force, Grant, Matter, Side, Standing};
use crate::enterprises::{Enterprise, EnterpriseStatus};

/// What the representative wants to give, once the agent is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Who is to act.
    pub agent: PersonId,
    /// In what.
    pub matters: BTreeSet<Matter>,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

/// Whether `giver` may give this; `known` are the grants of the enterprise that hold or are to come.
pub fn give(
    firm: &Enterprise,
    known: &[Grant],
    giver: PersonId,
    wish: &Wish,
    terms: &Terms,
    today: Date,
) -> Result<()> {
    covers_giving(firm, giver)?;
    if matches!(firm.status, EnterpriseStatus::Closed | EnterpriseStatus::Revoked) {
        return Err(firm_over().into());
    }
    if wish.agent == giver {
        return Err(Refusal::invalid(
            "IDN-GRT-008",
            "您是法定代表人，本来就可以办，不用给自己授权",
            "You represent the enterprise; you need no grant",
        )
        .on("number")
        .into());
    }
    if wish.matters.is_empty() {
        return Err(Refusal::invalid("IDN-GRT-016", "至少选一件可以代办的事", "Choose at least one matter")
            .on("matters")
            .into());
    }
    days(wish, terms.days_max(today), today)?;
    let open = known.iter().filter(|grant| matches!(grant.force(today), Force::Holds | Force::Coming));
    let open: Vec<&Grant> = open.collect();
    if let Some(held) =
        open.iter().find(|held| held.agent == wish.agent && held.from <= wish.to && wish.from <= held.to)
    {
        return Err(crossing(held).into());
    }
    let open_max = terms.open_max(today);
    if open_max <= i64::try_from(open.len()).unwrap_or(i64::MAX) {
        return Err(Refusal::conflict(
            "IDN-GRT-010",
            format!("这家企业已有 {open_max} 份有效的授权，不能再多"),
            format!("The enterprise has {open_max} open grants, which is the most"),
        )
        .but("先结束不再需要的授权", "End one that is no longer needed first")
        .into());
    }
    Ok(())
}

/// Whether somebody may give grants of this enterprise at all.
pub fn covers_giving(firm: &Enterprise, giver: PersonId) -> Result<()> {
    if firm.representative == Some(giver) { Ok(()) } else { Err(not_representative().into()) }
}

/// For which side somebody may end a grant.
pub fn end(firm: &Enterprise, grant: &Grant, by: PersonId, today: Date) -> Result<Side> {
    // Whoever is neither side does not learn that there is such a grant.
    let side = if grant.agent == by {
        Side::Agent
    } else if firm.representative == Some(by) {
        Side::Enterprise
    } else {
        return Err(super::no_grant().into());
    };
    match grant.force(today) {
        Force::Holds | Force::Coming => Ok(side),
        Force::Ended => Err(ended_already(grant).into()),
        Force::Expired => Err(Refusal::conflict(
            "IDN-GRT-015",
            format!("这份授权到 {} 为止，已经到期，不用再结束", grant.to),
            format!("This grant ran until {} and is over already", grant.to),
        )
        .into()),
    }
}

/// In which capacity somebody acts for an enterprise on a day; `hers` are the grants that she has of it.
pub fn standing(firm: &Enterprise, hers: &[Grant], person: PersonId, today: Date) -> Result<Standing> {
    if firm.representative != Some(person) && hers.is_empty() {
        return Err(nothing().into());
    }
    if firm.status == EnterpriseStatus::Closed {
        return Err(firm_over().into());
    }
    if firm.representative == Some(person) {
        return Ok(Standing::Representative);
    }
    if let Some(grant) = hers.iter().find(|grant| grant.force(today) == Force::Holds) {
        return Ok(Standing::Agent(grant.clone()));
    }
    let coming =
        hers.iter().filter(|grant| grant.force(today) == Force::Coming).min_by_key(|grant| grant.from);
    let latest = hers.iter().max_by_key(|grant| (last_day(grant), grant.given));
    match coming.or(latest) {
        Some(grant) => Err(without_force(grant, firm, today).into()),
        None => Err(nothing().into()),
    }
}

/// Whether somebody who acts for an enterprise may do this for it.
pub fn covers(standing: &Standing, matter: Matter) -> Result<()> {
    match standing {
        Standing::Representative => Ok(()),
        Standing::Agent(grant) if grant.matters.contains(&matter) => Ok(()),
        Standing::Agent(_) => Err(Refusal::not_allowed(
            "IDN-GRT-005",
            format!("给您的授权里没有“{}”这一项", matter.zh()),
            format!("Your grant does not cover “{}”", matter.en()),
        )
        .by("民法典 第一百六十二条、第一百七十一条")
        .but("请法定代表人另给一份包含这一项的授权", "Ask the representative for a grant that covers it")
        .into()),
    }
}

/// The last day on which a grant could be used.
fn last_day(grant: &Grant) -> Date {
    grant.ended.as_ref().map_or(grant.to, |ended| ended.at.date().min(grant.to))
}

fn days(wish: &Wish, days_max: i64, today: Date) -> Result<()> {
    let wrong = |field: &'static str, zh: String, en: String| {
        Err(Refusal::invalid("IDN-GRT-007", zh, en).on(field).into())
    };
    if wish.from < today {
        return wrong(
            "from",
            format!("开始日期不能早于今天（{today}）"),
            format!("It begins on {today} or later"),
        );
    }
    if wish.to < wish.from {
        return wrong("to", "最后一天不能早于第一天".into(), "The last day is not before the first".into());
    }
    let days = wish.from.duration_until(wish.to).as_hours() / 24 + 1;
    if days_max < days {
        return wrong(
            "to",
            format!("一次授权最长 {days_max} 天，您填了 {days} 天"),
            format!("A grant has at most {days_max} days; these are {days}"),
        );
    }
    Ok(())
}

fn without_force(grant: &Grant, firm: &Enterprise, today: Date) -> Refusal {
    let name = &firm.name;
    let refusal = match (grant.force(today), &grant.ended) {
        (Force::Coming, _) => {
            return Refusal::not_now(
                "IDN-GRT-002",
                format!("您代{name}办事的授权从 {} 起才有效", grant.from),
                format!("Your grant to act for {name} begins on {}", grant.from),
            )
            .but("到那一天再来", "Come again on that day");
        }
        (Force::Ended, Some(ended)) => {
            let (zh, en) = match grant.agent == ended.by {
                true => ("您辞去", "you"),
                false => ("企业取消", "the enterprise"),
            };
            Refusal::not_now(
                "IDN-GRT-004",
                format!("您代{name}办事的授权已在 {} 由{zh}", ended.at.minute()),
                format!("Your grant to act for {name} was ended by {en} at {}", ended.at.minute()),
            )
        }
        (Force::Ended | Force::Expired | Force::Holds, _) => Refusal::not_now(
            "IDN-GRT-003",
            format!("您代{name}办事的授权到 {} 为止，已经到期", grant.to),
            format!("Your grant to act for {name} ran until {}", grant.to),
        ),
    };
    refusal.by("民法典 第一百七十三条").but(
        "需要继续代办的，请法定代表人重新授权；或以本人身份办自己的事",
        "To go on, ask the representative for a new grant; or act as yourself",
    )
}

pub(super) fn nothing() -> Refusal {
    Refusal::not_allowed(
        "IDN-GRT-001",
        "您没有代这家企业办事的授权",
        "You have no grant to act for this enterprise",
    )
    .by("民法典 第一百六十五条")
    .but(
        "请企业的法定代表人在“我的企业”里给您授权",
        "Ask the representative of the enterprise to give you a grant under “My enterprise”",
    )
}

fn not_representative() -> Refusal {
    Refusal::not_allowed(
        "IDN-GRT-006",
        "只有登记的法定代表人可以授权；经办人不能转给别人",
        "Only the registered representative gives grants; an agent does not pass one on",
    )
    .by("民法典 第六十一条、第一百六十九条")
    .but("请法定代表人本人登录办理", "The representative signs in and does it")
}

fn firm_over() -> Refusal {
    Refusal::not_now(
        "IDN-GRT-011",
        "登记显示这家企业已注销或被吊销，不能再这样办",
        "By the register the enterprise is closed or its licence revoked",
    )
    .by("民法典 第一百七十三条")
    .but(
        "登记有误的，请到市场监管窗口更正",
        "If the register is wrong, the market regulation window corrects it",
    )
}

fn crossing(held: &Grant) -> Refusal {
    Refusal::conflict(
        "IDN-GRT-009",
        format!("这个人已有 {} 至 {} 的授权，日期重叠", held.from, held.to),
        format!("This person has a grant from {} to {} already; the days cross", held.from, held.to),
    )
    .on("from")
    .but("先结束那一份，或换日期", "End that one first, or choose other days")
}

fn ended_already(grant: &Grant) -> Refusal {
    let at = grant.ended.as_ref().map_or_else(String::new, |ended| ended.at.minute());
    Refusal::conflict(
        "IDN-GRT-014",
        format!("这份授权在 {at} 已经结束"),
        format!("This grant was ended at {at} already"),
    )
    .but("不用再做什么，双方都已收到通知", "Nothing more to do; both sides have been told")
}

#[cfg(test)]
mod tests;
