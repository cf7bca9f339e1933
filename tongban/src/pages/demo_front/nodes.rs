//! The nodes of the demo (节点状态): how each of them stands, and the line that a visitor takes away and brings back.
//!
//! All cities of `demo` run in one process, so one page reaches every engine; nothing of this exists in `serve`.

use serde::Serialize;
use tb_base::{NodeId, Refusal, Result};
use tb_exchange::service;
use tb_store::{log, outbox};
use tb_web::{Form, Html, Lang, PageResult, Visit, redirect, ui};

use super::people::enter;
use super::{DemoCity, DemoDoor};

/// Messages of an outbox that are looked at; more have never waited in a demo.
const MESSAGES: u32 = 200;

/// How one city stands.
#[derive(Serialize)]
pub struct NodeRow {
    /// Which.
    pub node: NodeId,
    /// Whether its line is cut.
    pub offline: bool,
    /// Leaves of its log.
    pub leaves: u64,
    /// When it signed its log last.
    pub checkpoint: Option<String>,
    /// How many cities cosigned that.
    pub cosignatures: usize,
    /// What waits to be sent, city by city.
    pub waiting: Vec<Waiting>,
}

/// What waits for another city.
#[derive(Serialize)]
pub struct Waiting {
    /// For which.
    pub to: NodeId,
    /// How many messages.
    pub messages: usize,
    /// Since when.
    pub since: String,
    /// The counter's page of a case among them.
    pub case_url: Option<String>,
}

impl NodeRow {
    /// How its line stands, as a tag.
    pub fn line(&self, lang: &Lang) -> Html {
        if self.offline {
            ui::tag("stop", lang.t("断线", "Off the network"))
        } else {
            ui::tag("done", lang.t("正常", "Up"))
        }
    }
}

/// Every city that runs in this process, in the order of the region.
pub async fn rows(visit: &Visit, door: &DemoDoor) -> Result<Vec<NodeRow>> {
    let mut rows = Vec::new();
    for city in door.cities() {
        rows.push(row(visit, door, city).await?);
    }
    Ok(rows)
}

async fn row(visit: &Visit, door: &DemoDoor, city: &DemoCity) -> Result<NodeRow> {
    let lang = visit.lang;
    let read =
        city.parts.store.read("demo.state", |tx| Ok((log::latest(tx)?, outbox::recent(tx, MESSAGES)?)));
    let (latest, recent) = read.await?;
    let mut waiting: Vec<Waiting> = Vec::new();
    // The newest stand first, so the last one that is seen of a city is the oldest.
    for sent in recent.iter().filter(|sent| sent.state == outbox::State::Waiting) {
        let envelope = &sent.message.envelope;
        let since = lang.moment(sent.created);
        let case_url = case_url(visit, door, city.node, sent);
        match waiting.iter_mut().find(|it| it.to == envelope.to) {
            Some(held) => {
                held.messages += 1;
                held.since = since;
                held.case_url = case_url.or(held.case_url.take());
            }
            None => waiting.push(Waiting { to: envelope.to, messages: 1, since, case_url }),
        }
    }
    Ok(NodeRow {
        node: city.node,
        offline: city.engine.is_offline(),
        leaves: latest.as_ref().map_or(0, |latest| latest.size),
        checkpoint: latest.as_ref().map(|latest| lang.moment(latest.at)),
        cosignatures: latest.as_ref().map_or(0, |latest| latest.cosignatures.len()),
        waiting,
    })
}

/// A case that waits to be handed over is shown by the counter that collected it.
fn case_url(visit: &Visit, door: &DemoDoor, from: NodeId, sent: &outbox::Sent) -> Option<String> {
    let envelope = &sent.message.envelope;
    let case = envelope.purpose.case.filter(|_| envelope.service == service::CASE_OFFER)?;
    let city = visit.app.city(from)?;
    Some(enter(city, &door.token, &format!("window1@{from}"), &format!("/window/cases/{case}")))
}

/// POST /demo/line: takes the line of a city away (`cut=430300`) or brings it back (`mend=430300`).
pub async fn line(_: Visit, form: Form, door: DemoDoor) -> PageResult {
    let fields = form.fields();
    let (node, is_cut) = match (fields.value("cut"), fields.value("mend")) {
        ("", node) => (node, false),
        (node, _) => (node, true),
    };
    let node: NodeId = node.parse().map_err(tb_base::Error::from)?;
    let city = door.cities().iter().find(|city| city.node == node).ok_or_else(|| {
        Refusal::gone(
            "DEMO-LIN-001",
            "这个城市不在本次演示的进程里",
            "This city does not run in this process",
        )
        .but("从那个城市自己的演示首页断开或接回", "Cut or mend its line on that city's own demo page")
    })?;
    city.engine.set_offline(is_cut);
    Ok(redirect("/demo#nodes"))
}
