//! The exchange: signed, logged, durable queries through two nodes beside nginx as a proxy with mutual TLS.

use tb_testkit::Folder;

use crate::load::{Caller, pace, saturate};
use crate::measure::{Effort, Outcome, Series};
use crate::nginx::Proxy;
use crate::region::{CityCaller, Region};
use crate::report::{Line, Section, Target, number};
use crate::sqlite::runtime;

/// Callers at once.
const CLIENTS: usize = 64;
/// Bytes of question and answer.
const BODY_BYTES: usize = 1_024;

/// What one side gave, round by round.
#[derive(Default)]
struct Figures {
    rate: Series,
    p50: Series,
    p99: Series,
    load: Series,
}

/// Measures both in turns.
pub fn run(effort: Effort) -> Outcome<Section> {
    let folder = Folder::new("bench-nginx");
    let body = body()?;
    let region = Region::start()?;
    let load = runtime()?;
    let text = body.to_string();
    let proxy = load.block_on(Proxy::start(folder.path(), text.as_bytes()))?;
    let asking = region.cities.first().ok_or("no city runs")?;
    let mut ours: Vec<CityCaller> = (0..CLIENTS).map(|_| CityCaller::new(asking, &body)).collect();
    let mut theirs = Vec::new();
    for _ in 0..CLIENTS {
        theirs.push(load.block_on(proxy.caller(text.as_bytes()))?);
    }
    let [mut nodes, mut nginx] = <[Figures; 2]>::default();
    for _ in 0..effort.rounds {
        ours = nodes.round(&asking.runtime, ours, effort)?;
        theirs = nginx.round(&load, theirs, effort)?;
    }
    drop((ours, theirs));
    drop(proxy);
    region.stop();
    Ok(section(&nodes, &nginx))
}

impl Figures {
    /// As much as goes, then half as much by the clock.
    fn round<C: Caller>(
        &mut self,
        runtime: &tokio::runtime::Runtime,
        callers: Vec<C>,
        effort: Effort,
    ) -> Outcome<Vec<C>> {
        let (rate, callers) = saturate(runtime, callers, effort)?;
        let (times, callers) = pace(runtime, callers, rate / 2.0, effort)?;
        self.rate.add(rate);
        self.load.add(rate / 2.0);
        self.p50.add(times.percentile(50));
        self.p99.add(times.percentile(99));
        Ok(callers)
    }
}

fn section(nodes: &Figures, nginx: &Figures) -> Section {
    let name = "nginx, mutual TLS, kept connections";
    let at = |figures: &Figures| number(figures.load.median());
    Section {
        lines: vec![
            Line::beside(
                format!("exchange: queries of 1 KB, {CLIENTS} callers"),
                "/s",
                nodes.rate.clone(),
                (name, nginx.rate.clone()),
                Target::Ratio(0.12),
            ),
            Line::beside("exchange: p50 at half load", "ms", nodes.p50.clone(), (name, nginx.p50.clone()), Target::Open),
            Line::beside("exchange: p99 at half load", "ms", nodes.p99.clone(), (name, nginx.p99.clone()), Target::Open),
        ],
        notes: vec![
            "Ours: a query about a person is composed, signed (Ed25519) and put into the log of the first city; over one pooled TLS 1.3 connection it reaches the second, which verifies it, checks contract and quota, stores it sealed, answers, writes both leaves and signs the answer; the first verifies that and writes the leaf of the answer.".to_owned(),
            "The answer is handed on when the leaves of both sides are on the disk (SQLite, `synchronous=FULL`); sequencer, witnesses and jobs of both cities run meanwhile.".to_owned(),
            format!("The peer: {CLIENTS} kept TLS 1.3 connections with client certificates (P-256) to nginx, one worker a core, which passes each POST on to a stub over kept connections; the stub answers the same bytes and stores nothing."),
            format!("Half load is half of what the same round gave at full load: {}/s for ours, {}/s for nginx; a time counts from when the question was due.", at(nodes), at(nginx)),
            "Generators of load, both cities, nginx and stub share the cores.".to_owned(),
        ],
        tables: Vec::new(),
    }
}

/// JSON of so many bytes.
fn body() -> Outcome<serde_json::Value> {
    let empty = serde_json::json!({ "name": "驾驶证", "note": "" }).to_string().len();
    let note = "x".repeat(BODY_BYTES.checked_sub(empty).ok_or("the body is too small")?);
    Ok(serde_json::json!({ "name": "驾驶证", "note": note }))
}
