//! Checks that a running node and `doctor` share (共用检查): trust list, certificate, keys, migrations, queues.

use tb_base::{Result, Timestamp};
use tb_exchange::TrustList;
use tb_node::tls::Identity;
use tb_store::figures::Figures;
use tb_store::{Standing, Tx};

use crate::config::Warn;
use crate::finding::Finding;
use crate::modules;

const DAY_SECONDS: i64 = 86_400;
const MINUTE_SECONDS: i64 = 60;

/// Whether the trust list counts, and for how long.
pub fn trust(list: &TrustList, now: Timestamp, warn: &Warn) -> Finding {
    let says = format!("version {} of {} counts until {}", list.version, list.region, list.not_after.date());
    let renew = "have the cities sign a new list and put it in place (docs/operations)";
    if now < list.not_before {
        let begins = format!("version {} begins on {}", list.version, list.not_before.date());
        return Finding::fail("trust", begins, "set the clock, or use the list that counts now");
    }
    if list.not_after < now {
        return Finding::fail("trust", format!("{says}; that is over"), renew);
    }
    if list.not_after < now.plus_seconds(i64::from(warn.trust_days) * DAY_SECONDS) {
        return Finding::warn("trust", says, renew);
    }
    Finding::ok("trust", says)
}

/// Whether the certificate is the one that the other cities expect, and for how long it counts.
pub fn certificate(
    list: &TrustList,
    node: tb_base::NodeId,
    identity: &Identity,
    now: Timestamp,
    warn: &Warn,
) -> Finding {
    let Some(city) = list.city(node) else {
        return Finding::fail(
            "certificate",
            format!("the trust list has no city {node}"),
            "use the list of the city's own region",
        );
    };
    let shown = identity.fingerprint();
    if shown != city.keys.tls_sha256 {
        let says = format!("its SHA-256 is {shown}, the trust list says {}", city.keys.tls_sha256);
        return Finding::fail(
            "certificate",
            says,
            "use the certificate of the list, or have the cities sign a list with this one",
        );
    }
    let Some(last) = identity.last_day() else {
        return Finding::warn("certificate", "its end cannot be read", "make a new one");
    };
    let soon = now.plus_seconds(i64::from(warn.trust_days) * DAY_SECONDS).date();
    let says = format!("the one of the trust list, until {last}");
    match (last < now.date(), last < soon) {
        (true, _) => {
            Finding::fail("certificate", says, "make a new one and have the cities sign a list with it")
        }
        (_, true) => {
            Finding::warn("certificate", says, "make a new one and have the cities sign a list with it")
        }
        _ => Finding::ok("certificate", says),
    }
}

/// Whether the program and the store fit.
pub fn migrations(standing: Result<Standing>) -> Finding {
    match standing {
        Err(error) => Finding::fail(
            "migrations",
            error.to_string(),
            "use a program of the version that made the store, or a later one",
        ),
        Ok(Standing { waiting, ahead }) => match (waiting.as_slice(), ahead.as_slice()) {
            ([], []) => Finding::ok("migrations", "the store has every step of this program"),
            ([], _) => {
                let says = format!("the store is ahead of this program by {}", ahead.join(", "));
                Finding::warn("migrations", says, "finish the upgrade: start the later program everywhere")
            }
            _ => {
                let says = format!("waiting: {}", waiting.join(", "));
                Finding::warn("migrations", says, "they run at the next start, or now by `tongban migrate`")
            }
        },
    }
}

/// How the store stands to this program.
pub fn standing(tx: &mut Tx<'_>) -> Result<Standing> {
    tb_store::standing(tx, &modules::schemas())
}

/// What waits too long, and what was given up.
pub fn queues(figures: &Figures, now: Timestamp, warn: &Warn) -> Vec<Finding> {
    let limit = i64::from(warn.outbox_minutes) * MINUTE_SECONDS;
    let mut findings = Vec::new();
    for waiting in &figures.waiting {
        let minutes = (now.seconds() - waiting.since.seconds()) / MINUTE_SECONDS;
        let says = format!("{} to {}, the oldest for {minutes} min", waiting.messages, waiting.to);
        findings.push(match waiting.since.plus_seconds(limit) < now {
            true => Finding::warn(
                "outbox",
                says,
                "see whether that city is reachable; messages go by themselves then",
            ),
            false => Finding::ok("outbox", says),
        });
    }
    if findings.is_empty() {
        findings.push(Finding::ok("outbox", "nothing waits"));
    }
    findings.push(match figures.dead {
        0 => Finding::ok("dead letters", "none"),
        dead => Finding::warn("dead letters", format!("{dead}"), "a person has to look, at /bureau/dead"),
    });
    findings.push(match figures.jobs_failed {
        0 => Finding::ok("jobs", format!("{} are due, none failed", figures.jobs_due)),
        failed => Finding::warn(
            "jobs",
            format!("{failed} failed and are tried again"),
            "the column problem of store_job says why",
        ),
    });
    findings
}
