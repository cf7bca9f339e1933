//! The pages of the data bureau (数据局): lines to the other cities, dead letters, contracts, logs with two histories.
//! Serves clause 1.6.
//!
//! The auditor reads them, too. Invariant: what somebody sees here is an audit line of the transaction that read it.

pub mod contract;
pub mod contracts;
pub mod dead;
pub mod forks;
pub mod letter;
pub mod overview;
pub mod shared;
pub mod words;

use tb_base::{NodeId, Result, Timestamp};
use tb_identity::permit::{Action, Permit, Scope, may};
use tb_store::outbox::COUNT_MAX;
use tb_web::{Frame, Lang, Visit, ui};

/// Who may read here.
fn reading(visit: &Visit) -> Result<Permit> {
    may(&visit.ctx.actor, Action::ReadExchange, &Scope::Node(visit.ctx.node))
}

/// Who may act here.
fn operating(visit: &Visit) -> Result<Permit> {
    may(&visit.ctx.actor, Action::OperateExchange, &Scope::Node(visit.ctx.node))
}

/// A city in a table: its mark, or its code where it is no member any more.
fn city_cell(frame: &Frame, lang: Lang, node: NodeId) -> ui::Cell {
    match frame.cities().iter().find(|city| city.node == node) {
        Some(city) => ui::Cell::default().city(ui::CityMark::of(lang, city)),
        None => ui::Cell::text(node.to_string()),
    }
}

/// A count that stops somewhere: `10 000+`.
fn counted(lang: Lang, count: u32) -> String {
    match count < COUNT_MAX {
        true => lang.number(count),
        false => format!("{}+", lang.number(count)),
    }
}

/// How long ago, in the two largest units.
fn age(lang: Lang, now: Timestamp, since: Timestamp) -> String {
    let seconds = (now.seconds() - since.seconds()).max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (lang, days, hours) {
        (Lang::Zh, 0, 0) if minutes == 0 => format!("{seconds} 秒"),
        (Lang::En, 0, 0) if minutes == 0 => format!("{seconds} s"),
        (Lang::Zh, 0, 0) => format!("{minutes} 分钟"),
        (Lang::En, 0, 0) => format!("{minutes} min"),
        (Lang::Zh, 0, _) => format!("{hours} 小时 {minutes} 分钟"),
        (Lang::En, 0, _) => format!("{hours} h {minutes} min"),
        (Lang::Zh, ..) => format!("{days} 天 {hours} 小时"),
        (Lang::En, ..) => format!("{} {hours} h", lang.count(days, "", "day", "days")),
    }
}

/// A moment, and how long ago it was.
fn ago(lang: Lang, now: Timestamp, at: Timestamp) -> String {
    match lang {
        Lang::Zh => format!("{}前", age(lang, now, at)),
        Lang::En => format!("{} ago", age(lang, now, at)),
    }
}
