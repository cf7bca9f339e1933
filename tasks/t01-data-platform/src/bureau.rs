//! Exchange and log of this city at a glance (契约与交换), for the data bureau and the auditor.
//! Serves clause 1.6.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_base::{ContractId, Ctx, Date, MessageId, NodeId, Result, Timestamp};
use tb_crypto::text;
use tb_exchange::Desk;
use tb_identity::permit::{Action, Scope, may};
use tb_store::outbox::{MESSAGES_MAX, Sent, State};
use tb_store::{Tx, log, outbox};
use tb_web::{Frame, Lang, PageResult, Visit, ui};

use crate::parts::Parts;

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/bureau.html")]
struct BureauPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    #[serde(flatten)]
    state: Standing,
    #[serde(skip)]
    now: Timestamp,
}

/// How exchange and log stand.
#[derive(Clone, Serialize)]
struct Standing {
    peers: Vec<Peer>,
    dead: Vec<Letter>,
    contracts: Vec<InForce>,
    log: LogState,
}

/// The line to one other city.
#[derive(Clone, Serialize)]
struct Peer {
    node: NodeId,
    /// Among the newest messages, how many wait for it.
    waiting: usize,
    /// Since when the oldest one waits.
    since: Option<Timestamp>,
    /// Why the last try failed.
    problem: Option<String>,
}

/// A message that was given up.
#[derive(Clone, Serialize)]
struct Letter {
    id: MessageId,
    to: NodeId,
    service: String,
    problem: Option<String>,
    created: Timestamp,
}

/// A contract of this city.
#[derive(Clone, Serialize)]
struct InForce {
    id: ContractId,
    version: u32,
    peer: NodeId,
    effective: Date,
    in_force: bool,
    services: Vec<String>,
    retention_days: u32,
}

/// The log and its newest checkpoint.
#[derive(Clone, Serialize)]
struct LogState {
    size: u64,
    waiting: u32,
    checkpoint: Option<CheckpointState>,
    /// The size that two other cities cosigned.
    cosigned_by_two: u64,
}

#[derive(Clone, Serialize)]
struct CheckpointState {
    size: u64,
    root: String,
    at: Timestamp,
    /// Names of the witnesses that cosigned it.
    witnesses: Vec<String>,
}

/// GET /bureau
pub async fn show(visit: Visit, parts: Extension<Arc<Parts>>) -> PageResult {
    may(&visit.ctx.actor, Action::ReadExchange, &Scope::Node(visit.ctx.node))?;
    let (ctx, desk) = (visit.ctx.clone(), Arc::clone(&parts.desk));
    let state = visit.app.store.read_snapshot("t01.bureau", move |tx| read(tx, &ctx, &desk)).await?;
    let frame = visit.frame("契约与交换", "Contracts and exchange");
    visit.page(BureauPage { frame, lang: visit.lang, state, now: visit.ctx.now })
}

fn read(tx: &mut Tx<'_>, ctx: &Ctx, desk: &Desk) -> Result<Standing> {
    let recent = outbox::recent(tx, MESSAGES_MAX)?;
    let mut peers = Vec::new();
    for node in desk.peers() {
        let waiting = recent.iter().filter(|it| it.state == State::Waiting && it.message.envelope.to == node);
        let problem = waiting.clone().find_map(|it| it.problem.clone());
        peers.push(Peer { node, waiting: waiting.count(), since: outbox::waiting_since(tx, node)?, problem });
    }
    let dead = recent.iter().filter(|it| it.state == State::Dead).map(letter).collect();
    Ok(Standing { peers, dead, contracts: contracts(ctx, desk), log: log_state(tx)? })
}

fn letter(sent: &Sent) -> Letter {
    let envelope = &sent.message.envelope;
    Letter {
        id: envelope.id,
        to: envelope.to,
        service: envelope.service.clone(),
        problem: sent.problem.clone(),
        created: sent.created,
    }
}

fn contracts(ctx: &Ctx, desk: &Desk) -> Vec<InForce> {
    let contracts = desk.contracts.values().map(|signed| &signed.contract);
    let of = |contract: &tb_exchange::Contract| {
        Some(InForce {
            id: contract.id.clone(),
            version: contract.version,
            peer: contract.peer_of(desk.me)?,
            effective: contract.effective,
            in_force: contract.is_in_force(ctx.now),
            services: contract.services.keys().cloned().collect(),
            retention_days: contract.retention_days,
        })
    };
    contracts.filter_map(of).collect()
}

fn log_state(tx: &mut Tx<'_>) -> Result<LogState> {
    let checkpoint = log::latest(tx)?.map(|kept| CheckpointState {
        size: kept.size,
        root: text::base64(&kept.root),
        at: kept.at,
        witnesses: kept.cosignatures.into_iter().map(|(witness, _)| witness).collect(),
    });
    let cosigned_by_two = log::latest_cosigned(tx, 2)?.map_or(0, |kept| kept.size);
    Ok(LogState { size: log::size(tx)?, waiting: log::waiting(tx)?, checkpoint, cosigned_by_two })
}

impl BureauPage {
    /// What is wrong, not what the page is.
    fn headline(&self) -> String {
        let lang = self.lang;
        let waiting: usize = self.state.peers.iter().map(|peer| peer.waiting).sum();
        match (self.state.dead.len(), waiting) {
            (0, 0) => lang.t("交换正常，没有积压", "Exchange is well; nothing waits").to_owned(),
            (0, waiting) => match lang {
                Lang::Zh => format!("{} 条报文在等对方城市", lang.number(waiting)),
                Lang::En => {
                    format!("{} for another city", lang.count(waiting, "", "message waits", "messages wait"))
                }
            },
            (dead, _) => match lang {
                Lang::Zh => format!("{} 条死信要处理", lang.number(dead)),
                Lang::En => lang.count(dead, "", "dead letter to be seen to", "dead letters to be seen to"),
            },
        }
    }

    fn mark(&self, node: NodeId) -> Option<ui::CityMark> {
        let city = self.frame.cities().iter().find(|city| city.node == node)?;
        Some(ui::CityMark::of(self.lang, city))
    }

    fn city_cell(&self, node: NodeId) -> ui::Cell {
        match self.mark(node) {
            Some(mark) => ui::Cell::default().city(mark),
            None => ui::Cell::text(node.to_string()),
        }
    }

    fn age(&self, since: Timestamp) -> String {
        let minutes = (self.now.seconds() - since.seconds()).max(0) / 60;
        match self.lang {
            Lang::Zh if minutes < 60 => format!("{minutes} 分钟"),
            Lang::Zh => format!("{} 小时 {} 分钟", minutes / 60, minutes % 60),
            Lang::En if minutes < 60 => format!("{minutes} min"),
            Lang::En => format!("{} h {} min", minutes / 60, minutes % 60),
        }
    }

    fn peers(&self) -> ui::Table {
        let lang = self.lang;
        let rows = self.state.peers.iter().map(|peer| {
            let (state, since) = match peer.since {
                None => (ui::Cell::tag("done", lang.t("正常", "well")), String::new()),
                Some(since) => {
                    let word = lang.t("追补中", "catching up");
                    (ui::Cell::tag("wait", word), format!("{} ({})", lang.time(since), self.age(since)))
                }
            };
            let why = peer.problem.clone().unwrap_or_default();
            let count = ui::Cell::text(lang.number(peer.waiting));
            ui::TableRow::new(vec![self.city_cell(peer.node), state, count, ui::Cell::text(since).note(why)])
        });
        ui::Table {
            caption: lang.t("到另外两市的通道", "Lines to the other cities").to_owned(),
            heads: vec![
                ui::Head::text(lang.t("到", "To")),
                ui::Head::text(lang.t("状态", "State")),
                ui::Head::number(lang.t("待发", "Waiting")),
                ui::Head::text(lang.t("最久的从何时起", "Oldest since")),
            ],
            rows: rows.collect(),
            count: String::new(),
            export: None,
        }
    }

    fn dead(&self) -> ui::Table {
        let lang = self.lang;
        let rows = self.state.dead.iter().map(|letter| {
            ui::TableRow::new(vec![
                ui::Cell::code(letter.id.to_string()).note(&letter.service),
                self.city_cell(letter.to),
                ui::Cell::text(letter.problem.clone().unwrap_or_default()),
                ui::Cell::text(lang.time(letter.created)),
            ])
        });
        ui::Table {
            caption: lang.t("死信", "Dead letters").to_owned(),
            heads: vec![
                ui::Head::text(lang.t("报文", "Message")),
                ui::Head::text(lang.t("到", "To")),
                ui::Head::text(lang.t("卡在哪里", "What stopped it")),
                ui::Head::text(lang.t("何时发出", "Sent")),
            ],
            rows: rows.collect(),
            count: String::new(),
            export: None,
        }
    }

    fn contracts(&self) -> ui::Table {
        let lang = self.lang;
        let rows = self.state.contracts.iter().map(|contract| {
            let (kind, word) = match contract.in_force {
                true => ("done", lang.t("生效", "in force")),
                false => ("wait", lang.t("未生效", "not yet")),
            };
            let version = match lang {
                Lang::Zh => format!("第 {} 版", contract.version),
                Lang::En => format!("version {}", contract.version),
            };
            let services = contract.services.join(lang.t("、", ", "));
            ui::TableRow::new(vec![
                ui::Cell::code(contract.id.to_string()).note(version),
                self.city_cell(contract.peer),
                ui::Cell::tag(kind, word).note(lang.date(contract.effective)),
                ui::Cell::text(lang.count(contract.services.len(), "项服务", "service", "services"))
                    .note(services),
                ui::Cell::text(lang.count(contract.retention_days, "天", "day", "days")),
            ])
        });
        ui::Table {
            caption: lang.t("契约", "Contracts").to_owned(),
            heads: vec![
                ui::Head::text(lang.t("契约", "Contract")),
                ui::Head::text(lang.t("对方", "With")),
                ui::Head::text(lang.t("状态", "State")),
                ui::Head::text(lang.t("服务", "Services")),
                ui::Head::number(lang.t("保存", "Kept")),
            ],
            rows: rows.collect(),
            count: String::new(),
            export: None,
        }
    }

    /// Witnesses by the names of their cities; a name of another form as it is.
    fn witnesses(&self, names: &[String]) -> String {
        let named = names.iter().map(|name| {
            match name.rsplit('/').next().and_then(|code| code.parse::<NodeId>().ok()) {
                Some(node) => self.frame.city_name(node),
                None => name.clone(),
            }
        });
        named.collect::<Vec<_>>().join(self.lang.t("、", ", "))
    }

    fn log(&self) -> ui::Summary {
        let (lang, log) = (self.lang, &self.state.log);
        let row = |zh, en, value: String| ui::SummaryRow::new(lang.t(zh, en), value);
        let mut rows = vec![
            row("日志", "Log", lang.count(log.size, "条", "leaf", "leaves")),
            row("等着入列", "Waiting for a place", lang.number(log.waiting)),
        ];
        if let Some(checkpoint) = &log.checkpoint {
            rows.push(row(
                "最近的检查点",
                "Newest checkpoint",
                format!("{} · {}", lang.number(checkpoint.size), lang.time(checkpoint.at)),
            ));
            rows.push(row("树根", "Root", ui::grouped(&checkpoint.root, 4)).code());
            let witnesses = match checkpoint.witnesses.is_empty() {
                true => lang.t("还没有", "none yet").to_owned(),
                false => self.witnesses(&checkpoint.witnesses),
            };
            rows.push(row("已见证", "Cosigned by", witnesses));
        }
        rows.push(row("两市都已见证到", "Cosigned by both up to", lang.number(log.cosigned_by_two)));
        ui::Summary { rows }
    }
}
