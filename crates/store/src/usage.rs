//! How much goes between this city and another (用量): by day, service and direction, for contracts and pages.
//!
//! A day that is over is counted once and kept; the present day is counted from an index each time.
//! Invariant: a kept figure is never counted again, so it can only be written when the day is over for certain.

use std::collections::BTreeMap;

use tb_base::{Ctx, MessageId, NodeId, Result, Timestamp};

use crate::{Stmt, Tx, params, stmt};

/// What began before midnight is written within this time.
const SETTLE_SECONDS: i64 = 600;
/// Days that one figure looks back over at the most.
pub const DAYS_MAX: u32 = 31;
const DAY_SECONDS: i64 = 86_400;

const ASK: Stmt = stmt(
    "store.usage.asked",
    "
    INSERT INTO store_asked (id, recipient, service, asked, tx)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (id) DO NOTHING
",
);

const COUNT_SENT: Stmt = stmt(
    "store.usage.count_sent",
    "
    SELECT service, COUNT(*) AS messages
    FROM store_outbox
    WHERE recipient = $1 AND $2 <= created AND created < $3
    GROUP BY service
",
);

const COUNT_ASKED: Stmt = stmt(
    "store.usage.count_asked",
    "
    SELECT service, COUNT(*) AS messages
    FROM store_asked
    WHERE recipient = $1 AND $2 <= asked AND asked < $3
    GROUP BY service
",
);

const COUNT_RECEIVED: Stmt = stmt(
    "store.usage.count_received",
    "
    SELECT COUNT(*) AS messages
    FROM store_inbox
    WHERE sender = $1 AND service = $2 AND $3 <= received AND received < $4
",
);

const DAYS: Stmt = stmt(
    "store.usage.days",
    "
    SELECT DISTINCT day
    FROM store_usage
    WHERE peer = $1 AND $2 <= day AND day < $3
",
);

const KEEP: Stmt = stmt(
    "store.usage.keep",
    "
    INSERT INTO store_usage (peer, day, way, service, messages, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (peer, day, way, service) DO NOTHING
",
);

const SUM: Stmt = stmt(
    "store.usage.sum",
    "
    SELECT way, service, CAST(SUM(messages) AS BIGINT) AS messages
    FROM store_usage
    WHERE peer = $1 AND $2 <= day AND day < $3 AND service <> ''
    GROUP BY way, service
",
);

/// The statements of this file.
pub(crate) const STATEMENTS: &[Stmt] = &[ASK, COUNT_SENT, COUNT_ASKED, COUNT_RECEIVED, DAYS, KEEP, SUM];

/// Messages out and in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// What this city sent or asked.
    pub out: u64,
    /// What the other city sent or asked.
    pub back: u64,
}

/// Figures by service.
pub type Usage = BTreeMap<String, Count>;

/// Writes down that a query is asked: it stands in no outbox.
pub fn asked(tx: &mut Tx<'_>, ctx: &Ctx, id: MessageId, to: NodeId, service: &str) -> Result<()> {
    tx.run(&ASK, params![id, to, service, ctx.now, tx.name]).map(drop)
}

/// What went between this city and another since the day began; `services` are those that may be asked of us.
pub fn today(tx: &mut Tx<'_>, now: Timestamp, peer: NodeId, services: &[&str]) -> Result<Usage> {
    let from = Timestamp::at(now.date(), 0);
    between(tx, peer, services, from, Timestamp(i64::MAX))
}

/// The same over the last days, the present one among them; counts and keeps the days that are over.
pub fn last_days(
    tx: &mut Tx<'_>,
    now: Timestamp,
    peer: NodeId,
    services: &[&str],
    days: u32,
) -> Result<Usage> {
    let (first, today_begins) = span(now, days);
    close(tx, now, peer, services, first)?;
    let mut usage = today(tx, now, peer, services)?;
    for row in tx.all(&SUM, params![peer, first, today_begins])? {
        add(&mut usage, row.get("service")?, &row.get::<String>("way")?, row.get("messages")?);
    }
    // A day that ended just now is not kept yet.
    for begins in open_days(tx, peer, first, today_begins)? {
        let of_day = between(tx, peer, services, begins, begins.plus_seconds(DAY_SECONDS))?;
        for (service, count) in of_day {
            let sum = usage.entry(service).or_default();
            (sum.out, sum.back) = (sum.out + count.out, sum.back + count.back);
        }
    }
    Ok(usage)
}

/// From the first of the days to the beginning of the present one.
fn span(now: Timestamp, days: u32) -> (Timestamp, Timestamp) {
    let today_begins = Timestamp::at(now.date(), 0);
    let back = i64::from(days.clamp(1, DAYS_MAX)) - 1;
    (today_begins.plus_seconds(-back * DAY_SECONDS), today_begins)
}

/// Counts the days that are over and were not counted; each once, for ever.
fn close(tx: &mut Tx<'_>, now: Timestamp, peer: NodeId, services: &[&str], first: Timestamp) -> Result<()> {
    let name = tx.name;
    let settled = now.plus_seconds(-SETTLE_SECONDS);
    let mut kept = Vec::new();
    for begins in open_days(tx, peer, first, Timestamp::at(settled.date(), 0))? {
        let ends = begins.plus_seconds(DAY_SECONDS);
        let mut keep = |way: &str, service: &str, messages: u64| {
            let messages = i64::try_from(messages).unwrap_or(i64::MAX);
            kept.push((&KEEP, params![peer, begins, way, service, messages, now, name].to_vec()));
        };
        keep("closed", "", 0);
        for (way, service, messages) in counts(tx, peer, services, begins, ends)? {
            keep(way, &service, messages);
        }
    }
    tx.run_all(&kept)
}

/// The days of a span that were not counted yet.
fn open_days(tx: &mut Tx<'_>, peer: NodeId, first: Timestamp, end: Timestamp) -> Result<Vec<Timestamp>> {
    let kept: Vec<Timestamp> =
        tx.all(&DAYS, params![peer, first, end])?.iter().map(|row| row.get("day")).collect::<Result<_>>()?;
    let mut open = Vec::new();
    let mut day = first;
    while day < end {
        if !kept.contains(&day) {
            open.push(day);
        }
        day = day.plus_seconds(DAY_SECONDS);
    }
    Ok(open)
}

fn between(
    tx: &mut Tx<'_>,
    peer: NodeId,
    services: &[&str],
    from: Timestamp,
    until: Timestamp,
) -> Result<Usage> {
    let mut usage = Usage::new();
    for (way, service, messages) in counts(tx, peer, services, from, until)? {
        add(&mut usage, service, way, messages);
    }
    Ok(usage)
}

fn add(usage: &mut Usage, service: String, way: &str, messages: u64) {
    let count = usage.entry(service).or_default();
    match way {
        "received" => count.back += messages,
        _ => count.out += messages,
    }
}

/// Way, service and number of messages, each from its index.
fn counts(
    tx: &mut Tx<'_>,
    peer: NodeId,
    services: &[&str],
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<(&'static str, String, u64)>> {
    let mut all = Vec::new();
    for (way, statement) in [("sent", &COUNT_SENT), ("asked", &COUNT_ASKED)] {
        for row in tx.all(statement, params![peer, from, until])? {
            all.push((way, row.get("service")?, row.get("messages")?));
        }
    }
    for service in services {
        let row = tx.one(&COUNT_RECEIVED, params![peer, *service, from, until])?;
        let messages: u64 = row.map_or(Ok(0), |row| row.get("messages"))?;
        if 0 < messages {
            all.push(("received", (*service).to_owned(), messages));
        }
    }
    Ok(all)
}
