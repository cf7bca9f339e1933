//! The contracts of this city (契约): what is agreed with whom, and how much of it is used.
//! Serves clause 1.6.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_base::{ContractId, Ctx, Date, NodeId, Result, Timestamp};
use tb_exchange::http_message::PATH_PREFIX;
use tb_exchange::{Contract, Desk, service};
use tb_store::usage::{self, Count, Usage};
use tb_store::{Tx, audit, outbox};
use tb_web::{Frame, Lang, PageResult, Visit, ui};

use super::{city_cell, counted};
use crate::parts::Parts;

/// Usage is told for the present day and for so many days.
pub(super) const DAYS: u32 = 30;

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/contracts.html")]
struct ContractsPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    contracts: Vec<Line>,
}

/// One contract.
#[derive(Clone, Serialize)]
struct Line {
    id: ContractId,
    version: u32,
    peer: NodeId,
    effective: Date,
    in_force: bool,
    services: usize,
    /// Messages of the day, ours and theirs.
    out_today: u64,
    in_today: u64,
    /// The same over the last days.
    out_days: u64,
    in_days: u64,
    /// How much of a quota is used at the most, of a hundred.
    used_percent: u64,
    /// Messages of the other city that were beyond a quota today.
    refused_today: u32,
}

/// How much of one service is used.
#[derive(Clone, Serialize)]
pub(super) struct ServiceUse {
    pub code: String,
    pub quota_per_day: u32,
    pub today: Pair,
    pub days: Pair,
    /// Messages of the other city that were beyond the quota today, and over the last days.
    pub refused_today: u32,
    pub refused_days: u32,
}

/// What this city sent or asked, and what the other one did.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Pair {
    pub out: u64,
    pub back: u64,
}

impl Pair {
    fn of(usage: &Usage, code: &str) -> Pair {
        let Count { out, back } = usage.get(code).copied().unwrap_or_default();
        Pair { out, back }
    }
}

/// How much of each service of a contract is used; closes the days that are over.
pub(super) fn uses(tx: &mut Tx<'_>, ctx: &Ctx, peer: NodeId, contract: &Contract) -> Result<Vec<ServiceUse>> {
    let today = usage::today(tx, ctx.now, peer, &service::ALL)?;
    let days = usage::last_days(tx, ctx.now, peer, &service::ALL, DAYS)?;
    let (midnight, first) = (Timestamp::at(ctx.now.date(), 0), i64::from(DAYS - 1) * 86_400);
    let mut all = Vec::new();
    for (code, terms) in &contract.services {
        // A refused message is an audit line about the address that it was sent to.
        let path = format!("{PATH_PREFIX}{}/{peer}/{code}", ctx.node);
        let mut refused =
            |since| audit::count_about(tx, &path, since, "exchange.refuse", "quota", outbox::COUNT_MAX);
        all.push(ServiceUse {
            refused_today: refused(midnight)?,
            refused_days: refused(midnight.plus_seconds(-first))?,
            quota_per_day: terms.quota_per_day,
            today: Pair::of(&today, code),
            days: Pair::of(&days, code),
            code: code.clone(),
        });
    }
    Ok(all)
}

/// GET /bureau/contracts
pub async fn show(visit: Visit, parts: Extension<Arc<Parts>>) -> PageResult {
    super::reading(&visit)?;
    let (ctx, desk) = (visit.ctx.clone(), Arc::clone(&parts.desk));
    let read = move |tx: &mut Tx<'_>| {
        let lines = lines(tx, &ctx, &desk)?;
        audit::line(tx, &ctx, "bureau.read", "contracts", &format!("found:{}", lines.len()))?;
        Ok(lines)
    };
    let contracts = visit.app.store.write("t01.contracts", read).await?;
    let frame = visit.frame("契约", "Contracts").crumb("交换", "Exchange", "/bureau");
    visit.page(ContractsPage { frame, lang: visit.lang, contracts })
}

fn lines(tx: &mut Tx<'_>, ctx: &Ctx, desk: &Desk) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for signed in desk.contracts().values() {
        let contract = &signed.contract;
        let Some(peer) = contract.peer_of(desk.me) else { continue };
        let uses = uses(tx, ctx, peer, contract)?;
        let percent = |it: &ServiceUse| {
            it.today.out.max(it.today.back).saturating_mul(100) / u64::from(it.quota_per_day.max(1))
        };
        lines.push(Line {
            id: contract.id.clone(),
            version: contract.version,
            peer,
            effective: contract.effective,
            in_force: contract.is_in_force(ctx.now),
            services: contract.services.len(),
            out_today: uses.iter().map(|it| it.today.out).sum(),
            in_today: uses.iter().map(|it| it.today.back).sum(),
            out_days: uses.iter().map(|it| it.days.out).sum(),
            in_days: uses.iter().map(|it| it.days.back).sum(),
            used_percent: uses.iter().map(percent).max().unwrap_or(0),
            refused_today: uses.iter().map(|it| it.refused_today).max().unwrap_or(0),
        });
    }
    Ok(lines)
}

/// Whether a contract counts now.
pub(super) fn force_tag(lang: Lang, in_force: bool) -> (&'static str, &'static str) {
    match in_force {
        true => ("done", lang.t("生效", "in force")),
        false => ("wait", lang.t("未生效", "not yet")),
    }
}

/// `第 3 版` or `version 3`.
pub(super) fn version_word(lang: Lang, version: u32) -> String {
    match lang {
        Lang::Zh => format!("第 {version} 版"),
        Lang::En => format!("version {version}"),
    }
}

impl ContractsPage {
    fn table(&self) -> ui::Table {
        let lang = self.lang;
        let rows = self.contracts.iter().map(|line| {
            let (kind, word) = force_tag(lang, line.in_force);
            let refused = match line.refused_today {
                0 => String::new(),
                refused => {
                    format!("{} {}", lang.t("今天超配额拒收", "beyond quota today"), counted(lang, refused))
                }
            };
            ui::TableRow::new(vec![
                ui::Cell::link(line.id.to_string(), format!("/bureau/contracts/{}", line.id))
                    .note(version_word(lang, line.version)),
                city_cell(&self.frame, lang, line.peer),
                ui::Cell::tag(kind, word).note(lang.date(line.effective)),
                ui::Cell::text(lang.number(line.services)),
                ui::Cell::text(format!("{} / {}", lang.number(line.out_today), lang.number(line.in_today))),
                ui::Cell::text(format!("{} / {}", lang.number(line.out_days), lang.number(line.in_days))),
                ui::Cell::text(format!("{} %", lang.number(line.used_percent))).note(refused),
            ])
        });
        ui::Table {
            caption: lang.t("契约", "Contracts").to_owned(),
            heads: vec![
                ui::Head::text(lang.t("契约", "Contract")),
                ui::Head::text(lang.t("对方", "With")),
                ui::Head::text(lang.t("状态", "State")),
                ui::Head::number(lang.t("服务", "Services")),
                ui::Head::number(lang.t("今天 发 / 收", "Today out / in")),
                ui::Head::number(lang.t("近 30 天 发 / 收", "30 days out / in")),
                ui::Head::number(lang.t("配额最多用到", "Quota used at most")),
            ],
            rows: rows.collect(),
            count: lang.count(self.contracts.len(), "份", "contract", "contracts"),
            export: None,
        }
    }
}
