//! One contract (一份契约): its terms, its use in both directions, and the signed document itself.
//! Serves clause 1.6.

mod changes;

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{ContractId, Fault, NodeId, Refusal, Result};
use tb_exchange::{Desk, SignedContract};
use tb_store::{Tx, audit};
use tb_web::{Frame, Lang, PageResult, Visit, download as file, ui};

use self::changes::Changes;
use super::contracts::{ServiceUse, force_tag, uses, version_word};
use super::counted;
use super::words::{purpose_word, service_word};
use crate::parts::{Parts, Words};

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/contract.html")]
struct ContractPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    signed: SignedContract,
    /// SHA-256 of its canonical text, by which messages name it.
    hash: String,
    peer: NodeId,
    in_force: bool,
    uses: Vec<ServiceUse>,
    /// What this version changes; nothing where none is known before it.
    changes: Option<Changes>,
    #[serde(skip)]
    parts: Arc<Parts>,
}

/// GET /bureau/contracts/{id}
pub async fn show(visit: Visit, parts: Extension<Arc<Parts>>, id: Path<String>) -> PageResult {
    super::reading(&visit)?;
    let (signed, peer) = find(&parts.desk, &id)?;
    let (ctx, inner) = (visit.ctx.clone(), signed.contract.clone());
    let read = move |tx: &mut Tx<'_>| {
        let uses = uses(tx, &ctx, peer, &inner)?;
        audit::line(tx, &ctx, "bureau.read", &format!("contract/{}", inner.id), "done")?;
        Ok(uses)
    };
    let uses = visit.app.store.write("t01.contract", read).await?;
    let frame = visit.frame("契约", "Contract").crumb("交换", "Exchange", "/bureau");
    visit.page(ContractPage {
        frame: frame.crumb("契约", "Contracts", "/bureau/contracts"),
        lang: visit.lang,
        hash: signed.contract.hash()?,
        in_force: signed.contract.is_in_force(visit.ctx.now),
        changes: changes::of(&parts.desk, &signed.contract),
        peer,
        uses,
        signed,
        parts: Arc::clone(&parts.0),
    })
}

/// GET /bureau/contracts/{id}/file: the signed document, as both cities hold it.
pub async fn download(visit: Visit, parts: Extension<Arc<Parts>>, id: Path<String>) -> PageResult {
    super::reading(&visit)?;
    let (signed, _) = find(&parts.desk, &id)?;
    let body = serde_json::to_vec_pretty(&signed);
    let body = body.map_err(|error| Fault::of("writing a contract", error))?;
    let (ctx, object) = (visit.ctx.clone(), format!("contract/{}", signed.contract.id));
    let note = move |tx: &mut Tx<'_>| audit::line(tx, &ctx, "bureau.export", &object, "done");
    visit.app.store.write("t01.contract.file", note).await?;
    let name = format!("{}-v{}.json", signed.contract.id, signed.contract.version);
    Ok(file(&name, "application/json", body))
}

fn find(desk: &Desk, id: &str) -> Result<(SignedContract, NodeId)> {
    let id: ContractId = id.parse().map_err(|_| missing())?;
    let signed = desk.contracts().get(&id).cloned().ok_or_else(missing)?;
    let peer = signed.contract.peer_of(desk.me).ok_or_else(missing)?;
    Ok((signed, peer))
}

fn missing() -> Refusal {
    Refusal::gone("T01-CON-001", "本市没有这份契约", "This city has no such contract")
        .but("请从契约列表打开", "Open it from the list of contracts")
}

/// Purposes as a page names them.
pub(super) fn purpose_words(lang: Lang, words: &Words, purposes: &BTreeSet<String>) -> String {
    let word = |purpose: &String| match ((words.item)(purpose), purpose.as_str()) {
        (_, tb_exchange::ANY_PURPOSE) => lang.t("任何事项", "any item").to_owned(),
        (Some((zh, en)), _) => lang.t(&zh, &en).to_owned(),
        (None, other) => purpose_word(lang, other).unwrap_or(other).to_owned(),
    };
    purposes.iter().map(word).collect::<Vec<_>>().join(lang.t("、", ", "))
}

/// Fields as a page names them, each once.
pub(super) fn field_words(lang: Lang, words: &Words, fields: &BTreeSet<String>) -> String {
    let all: Vec<String> = fields.iter().map(|id| id.rsplit('.').next().unwrap_or(id).to_owned()).collect();
    let word = |id: &String| match (words.field)(id, &all) {
        Some((zh, en)) => lang.t(&zh, &en).to_owned(),
        None => id.clone(),
    };
    let mut named: Vec<String> = all.iter().map(word).collect();
    named.sort();
    named.dedup();
    named.join(lang.t("、", ", "))
}

impl ContractPage {
    fn headline(&self) -> String {
        let name = self.frame.city_name(self.peer);
        match self.lang {
            Lang::Zh => format!("与{name}的契约"),
            Lang::En => format!("Contract with {name}"),
        }
    }

    fn summary(&self) -> ui::Summary {
        let (lang, contract) = (self.lang, &self.signed.contract);
        let row = |zh, en, value: String| ui::SummaryRow::new(lang.t(zh, en), value);
        let join = lang.t("、", ", ");
        let names = |nodes: &mut dyn Iterator<Item = NodeId>| {
            nodes.map(|node| self.frame.city_name(node)).collect::<Vec<_>>().join(join)
        };
        let until = lang.t("没有终止日，直到双方签新的版本", "no end, until both sign another version");
        ui::Summary {
            rows: vec![
                row("状态", "State", force_tag(lang, self.in_force).1.to_owned()),
                row("编号", "Number", contract.id.to_string()).code(),
                row("版本", "Version", version_word(lang, contract.version)),
                row("双方", "Parties", names(&mut contract.parties.iter().copied())),
                row("生效", "In force from", lang.date(contract.effective)),
                row("终止", "Until", until.to_owned()),
                row("签名", "Signed by", names(&mut self.signed.signatures.keys().copied())),
                row(
                    "对方最多留存",
                    "Kept for at most",
                    lang.count(contract.retention_days, "天", "day", "days"),
                ),
                row("指纹", "Fingerprint", ui::grouped(&self.hash, 8)).code(),
            ],
        }
    }

    fn purposes(&self, code: &str) -> String {
        let terms = self.signed.contract.services.get(code);
        terms.map_or_else(String::new, |terms| self.purpose_words(&terms.purposes))
    }

    fn purpose_words(&self, purposes: &BTreeSet<String>) -> String {
        purpose_words(self.lang, &self.parts.words, purposes)
    }

    fn fields(&self, code: &str) -> String {
        let terms = self.signed.contract.services.get(code);
        terms.map_or_else(String::new, |terms| self.field_words(&terms.fields))
    }

    fn field_words(&self, fields: &BTreeSet<String>) -> String {
        field_words(self.lang, &self.parts.words, fields)
    }

    fn terms(&self) -> ui::Table {
        let lang = self.lang;
        let rows = self.uses.iter().map(|it| {
            let fields = self.fields(&it.code);
            let fields =
                if fields.is_empty() { lang.t("不给字段", "no fields").to_owned() } else { fields };
            ui::TableRow::new(vec![
                ui::Cell::text(service_word(lang, &it.code)).note(&it.code),
                ui::Cell::text(self.purposes(&it.code)),
                ui::Cell::text(fields),
                ui::Cell::text(lang.number(it.quota_per_day)),
            ])
        });
        ui::Table {
            caption: lang.t("允许什么", "What is allowed").to_owned(),
            heads: vec![
                ui::Head::text(lang.t("服务", "Service")),
                ui::Head::text(lang.t("用途", "Purposes")),
                ui::Head::text(lang.t("字段", "Fields")),
                ui::Head::number(lang.t("一天最多", "A day at most")),
            ],
            rows: rows.collect(),
            count: String::new(),
            export: None,
        }
    }

    fn usage(&self) -> ui::Table {
        let lang = self.lang;
        let of_quota = |used: u64, quota: u32| {
            let share = used.saturating_mul(100) / u64::from(quota.max(1));
            ui::Cell::text(lang.number(used)).note(format!("{} %", lang.number(share)))
        };
        let rows = self.uses.iter().map(|it| {
            ui::TableRow::new(vec![
                ui::Cell::text(service_word(lang, &it.code)),
                of_quota(it.today.out, it.quota_per_day),
                of_quota(it.today.back, it.quota_per_day),
                ui::Cell::text(lang.number(it.days.out)),
                ui::Cell::text(lang.number(it.days.back)),
                ui::Cell::text(counted(lang, it.refused_today)),
                ui::Cell::text(counted(lang, it.refused_days)),
            ])
        });
        let heads = [
            ("今天发出", "Out today"),
            ("今天收到", "In today"),
            ("近 30 天发出", "Out, 30 days"),
            ("近 30 天收到", "In, 30 days"),
            ("今天超配额拒收", "Beyond quota today"),
            ("近 30 天拒收", "Beyond quota, 30 days"),
        ];
        let heads = heads.iter().map(|(zh, en)| ui::Head::number(lang.t(zh, en)));
        ui::Table {
            caption: lang.t("用了多少", "How much is used").to_owned(),
            heads: std::iter::once(ui::Head::text(lang.t("服务", "Service"))).chain(heads).collect(),
            rows: rows.collect(),
            count: String::new(),
            export: None,
        }
    }

    /// The services that were used, with both directions in the figure.
    fn chart(&self) -> Option<ui::BarChart> {
        let lang = self.lang;
        let bar = |it: &ServiceUse| {
            let (out, back) = (lang.number(it.days.out), lang.number(it.days.back));
            ui::Bar {
                label: service_word(lang, &it.code),
                value: f64::from(u32::try_from(it.days.out + it.days.back).unwrap_or(u32::MAX)),
                figure: format!("{out} / {back}"),
                city: String::new(),
                href: String::new(),
            }
        };
        let used = self.uses.iter().filter(|it| 0 < it.days.out + it.days.back);
        let bars: Vec<ui::Bar> = used.map(bar).collect();
        (!bars.is_empty()).then(|| ui::BarChart {
            lang,
            id: "usage".to_owned(),
            title: lang
                .t("近 30 天各项服务的次数（发出 / 收到）", "Messages of 30 days by service (out / in)")
                .to_owned(),
            description: lang.t("条越长，用得越多", "The longer the bar, the more it is used").to_owned(),
            label_head: lang.t("服务", "Service").to_owned(),
            figure_head: lang.t("发出 / 收到", "Out / in").to_owned(),
            bars,
        })
    }
}
