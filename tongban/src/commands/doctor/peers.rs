//! What the other cities say (对端检查): the handshake, their clocks, and how much of this city's log they know.

use std::time::Duration;

use tb_base::{NodeId, Timestamp};
use tb_node::tls::Door;
use tb_node::{Probe, probe};

use crate::clock::SystemClock;
use crate::finding::Finding;
use crate::region::CityFolder;

/// A city that does not answer in this time is taken for down.
const ANSWER_SECONDS_MAX: u64 = 5;
/// Clocks further apart than this make messages fail soon: nodes take 60 seconds ahead and 300 behind.
const APART_SECONDS_WARN: i64 = 10;
const APART_SECONDS_FAIL: i64 = 60;

/// Every other city of the trust list.
pub async fn all(folder: &CityFolder, now: Timestamp) -> Vec<Finding> {
    let me = folder.config.node;
    let list = &folder.trust.list;
    let mut found = Vec::new();
    let desk = match folder.desk() {
        Ok(desk) => desk,
        Err(error) => return vec![down("peers", &error.to_string(), "the region")],
    };
    let door = Door::new(desk, SystemClock::real());
    for city in list.cities.iter().filter(|city| city.node != me) {
        let asked = probe(door.clone(), &folder.identity, city.node);
        let name = format!("peer {}", city.node);
        match tokio::time::timeout(Duration::from_secs(ANSWER_SECONDS_MAX), asked).await {
            Ok(Ok(probe)) => found.extend(answered(&name, city.node, &probe, now)),
            Ok(Err(error)) => found.push(down(&name, &error.to_string(), &city.exchange_url)),
            Err(_) => found.push(down(&name, "it did not answer in time", &city.exchange_url)),
        }
    }
    found
}

fn down(name: &str, problem: &str, url: &str) -> Finding {
    let way_out = format!(
        "see that {url} is reachable from here without a proxy that ends TLS, and that both sides have the same trust list"
    );
    Finding::warn(name, problem.to_owned(), way_out)
}

fn answered(name: &str, peer: NodeId, probe: &Probe, now: Timestamp) -> Vec<Finding> {
    let log = match &probe.checkpoint {
        Some(text) => format!("its log has {} leaves", text.lines().nth(1).unwrap_or("?")),
        None => "its log is empty".to_owned(),
    };
    let mut found =
        vec![Finding::ok(name, format!("TLS and answer in {} ms; {log}", probe.took.as_millis()))];
    if let Some(apart) = probe.date.as_deref().and_then(|date| apart(date, now)) {
        found.push(clock(peer, apart));
    }
    found
}

/// Seconds that the other clock is ahead.
fn apart(date: &str, now: Timestamp) -> Option<i64> {
    let there = httpdate::parse_http_date(date).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(i64::try_from(there.as_secs()).ok()? - now.seconds())
}

fn clock(peer: NodeId, apart: i64) -> Finding {
    let says = format!("that of {peer} is {apart} s from this one");
    match apart.abs() {
        far if APART_SECONDS_FAIL <= far => {
            Finding::fail("clock", says, "run NTP here and there: messages are refused as expired")
        }
        far if APART_SECONDS_WARN <= far => Finding::warn("clock", says, "run NTP here and there"),
        _ => Finding::ok("clock", says),
    }
}
