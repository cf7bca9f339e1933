//! What is shared with whom and why (共享清单): one row for each service of the contracts in force, with its use.
//! Serves clauses 1.2 and 1.6.
//!
//! Invariant: a row stands here exactly where a message would be let through now; nothing else leaves the city.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_base::{ContractId, Ctx, NodeId, Result, Timestamp};
use tb_exchange::{Contract, Desk};
use tb_store::{Tx, audit};
use tb_web::{Choice, Datum, Field, Frame, Input, Lang, PageResult, Rows, TableFile, Visit, ui};

use super::contract::{field_words, purpose_words};
use super::contracts::{ServiceUse, uses};
use super::words::{SERVICES, service_word};
use super::{city_cell, counted};
use crate::parts::Parts;

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/shared.html")]
struct SharedPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    rows: Vec<Line>,
    #[serde(skip)]
    table: ui::Table,
    #[serde(skip)]
    filters: ui::Filters,
}

/// One service of one contract.
#[derive(Serialize)]
struct Line {
    peer: NodeId,
    contract: ContractId,
    service: String,
    /// Why.
    purposes: String,
    /// What is given; empty for no field.
    fields: String,
    /// How long the other city keeps it at most.
    retention_days: u32,
    #[serde(flatten)]
    used: ServiceUse,
}

/// How many rows there are.
pub(super) fn count(desk: &Desk, now: Timestamp) -> usize {
    in_force(desk, now).iter().map(|(_, contract)| contract.services.len()).sum()
}

fn in_force(desk: &Desk, now: Timestamp) -> Vec<(NodeId, Contract)> {
    let contracts = desk.contracts();
    let known = contracts.values().map(|signed| &signed.contract);
    let known = known.filter(|contract| contract.is_in_force(now));
    known.filter_map(|contract| Some((contract.peer_of(desk.me)?, contract.clone()))).collect()
}

/// GET /bureau/shared?city=&service=&export=xlsx|csv
pub async fn show(visit: Visit, parts: Extension<Arc<Parts>>) -> PageResult {
    super::reading(&visit)?;
    let given = |name| visit.param(name).filter(|value| !value.is_empty());
    let (city, service, kind) = (given("city"), given("service"), TableFile::asked(&visit));
    let (ctx, inner, lang, is_file) = (visit.ctx.clone(), Arc::clone(&parts.0), visit.lang, kind.is_some());
    let read = move |tx: &mut Tx<'_>| {
        let mut rows = lines(tx, &ctx, &inner, lang)?;
        rows.retain(|row| {
            city.as_ref().is_none_or(|city| row.peer.as_str() == city)
                && service.as_ref().is_none_or(|service| row.service == *service)
        });
        let act = if is_file { "bureau.export" } else { "bureau.read" };
        audit::line(tx, &ctx, act, "shared", &format!("found:{}", rows.len()))?;
        Ok(rows)
    };
    let rows = visit.app.store.write("t01.shared", read).await?;
    if let Some(kind) = kind {
        return Ok(file(&visit, &rows).file(kind, &format!("shared-{}", visit.ctx.now.date())));
    }
    let frame = visit.frame("共享清单", "What is shared").crumb("交换", "Exchange", "/bureau");
    let table = table(&visit, &frame, &rows);
    visit.page(SharedPage { frame, lang, table, filters: filters(&visit, &parts), rows })
}

fn lines(tx: &mut Tx<'_>, ctx: &Ctx, parts: &Parts, lang: Lang) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (peer, contract) in in_force(&parts.desk, ctx.now) {
        let used = uses(tx, ctx, peer, &contract)?;
        let mut used: BTreeMap<String, ServiceUse> =
            used.into_iter().map(|it| (it.code.clone(), it)).collect();
        for (service, terms) in &contract.services {
            let Some(used) = used.remove(service) else { continue };
            lines.push(Line {
                peer,
                contract: contract.id.clone(),
                service: service.clone(),
                purposes: purpose_words(lang, &parts.words, &terms.purposes),
                fields: field_words(lang, &parts.words, &terms.fields),
                retention_days: contract.retention_days,
                used,
            });
        }
    }
    Ok(lines)
}

fn table(visit: &Visit, frame: &Frame, lines: &[Line]) -> ui::Table {
    let lang = visit.lang;
    let row = |line: &Line| {
        let contract = format!("/bureau/contracts/{}", line.contract);
        let fields = if line.fields.is_empty() {
            lang.t("不给字段", "no fields").to_owned()
        } else {
            line.fields.clone()
        };
        let quota = lang.number(line.used.quota_per_day);
        let refused = match line.used.refused_today {
            0 => String::new(),
            count => format!("{} {}", lang.t("今天超配额拒收", "beyond quota today"), counted(lang, count)),
        };
        ui::TableRow::new(vec![
            ui::Cell::link(service_word(lang, &line.service), contract).note(&line.service),
            city_cell(frame, lang, line.peer),
            ui::Cell::text(&line.purposes),
            ui::Cell::text(fields).note(format!(
                "{}{}",
                lang.t("最多留存 ", "kept for at most "),
                lang.count(line.retention_days, "天", "day", "days")
            )),
            ui::Cell::text(pair(lang, line.used.today.out, line.used.today.back))
                .note(format!("{} {quota}", lang.t("一天最多", "a day at most"))),
            ui::Cell::text(pair(lang, line.used.days.out, line.used.days.back)).note(refused),
        ])
    };
    ui::Table {
        caption: lang.t("和谁共享什么、为什么", "What is shared with whom and why").to_owned(),
        heads: vec![
            ui::Head::text(lang.t("服务", "Service")),
            ui::Head::text(lang.t("对方", "With")),
            ui::Head::text(lang.t("为什么", "Why")),
            ui::Head::text(lang.t("给哪些字段", "Fields")),
            ui::Head::number(lang.t("今天 发 / 收", "Today out / in")),
            ui::Head::number(lang.t("近 30 天 发 / 收", "30 days out / in")),
        ],
        rows: lines.iter().map(row).collect(),
        count: lang.count(lines.len(), "项", "service", "services"),
        export: Some(ui::Exports::of(visit)),
    }
}

fn pair(lang: Lang, out: u64, back: u64) -> String {
    format!("{} / {}", lang.number(out), lang.number(back))
}

fn filters(visit: &Visit, parts: &Parts) -> ui::Filters {
    let peers = parts.desk.peers();
    let cities: Vec<(String, String, String)> = visit
        .app
        .cities
        .iter()
        .filter(|city| peers.contains(&city.node))
        .map(|city| (city.node.to_string(), city.name.clone(), city.name_en.clone()))
        .collect();
    let cities: Vec<Choice<'_>> = cities.iter().map(|(code, zh, en)| Choice::new(code, zh, en)).collect();
    let services: Vec<Choice<'_>> = SERVICES.iter().map(|(code, zh, en)| Choice::new(code, zh, en)).collect();
    let fields = [
        Field::new("city", "对方", "With", Input::Select(&cities)).optional(),
        Field::new("service", "服务", "Service", Input::Select(&services)).optional(),
    ];
    ui::Filters::of(visit, &fields)
}

/// The list as a file.
fn file(visit: &Visit, lines: &[Line]) -> Rows {
    let lang = visit.lang;
    let heads = match lang {
        Lang::Zh => [
            "对方",
            "服务",
            "服务代码",
            "用途",
            "字段",
            "最多留存天数",
            "一天最多",
            "今天发出",
            "今天收到",
            "近 30 天发出",
            "近 30 天收到",
            "契约",
        ],
        Lang::En => [
            "with",
            "service",
            "service code",
            "purposes",
            "fields",
            "kept days",
            "a day at most",
            "out today",
            "in today",
            "out 30 days",
            "in 30 days",
            "contract",
        ],
    };
    let mut rows = Rows::new(lang.t("共享清单", "What is shared"), &heads);
    let number = |count: u64| Datum::Number(i64::try_from(count).unwrap_or(i64::MAX));
    for line in lines {
        let city = visit.app.city(line.peer).map(|city| lang.t(&city.name, &city.name_en).to_owned());
        rows.push(vec![
            Datum::text(city.unwrap_or_else(|| line.peer.to_string())),
            Datum::text(service_word(lang, &line.service)),
            Datum::code(&line.service),
            Datum::text(&line.purposes),
            Datum::text(&line.fields),
            Datum::Number(i64::from(line.retention_days)),
            Datum::Number(i64::from(line.used.quota_per_day)),
            number(line.used.today.out),
            number(line.used.today.back),
            number(line.used.days.out),
            number(line.used.days.back),
            Datum::code(line.contract.to_string()),
        ]);
    }
    rows
}
