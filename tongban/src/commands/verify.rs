//! `tongban verify` (离线验证): checks an evidence bundle with no node running.

use std::path::Path;

use tb_exchange::bundle::{self, Origin, Report};

use crate::commands::say;

/// Prints every part that fails, then what was found; fails when anything does.
pub fn run(bundle: &Path, trust: Option<&Path>, json: bool) -> Result<(), String> {
    let bytes = read(bundle)?;
    let trust = trust.map(read).transpose()?;
    let report = bundle::verify(&bytes, trust.as_deref());
    if json {
        say(&serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?);
        return verdict(bundle, &report);
    }
    for check in report.checks.iter().filter(|check| !check.ok) {
        say(&format!("FAILED  {} · {}: {}", check.part, check.what, check.detail));
    }
    say(&summary(&report));
    verdict(bundle, &report)
}

fn verdict(bundle: &Path, report: &Report) -> Result<(), String> {
    if report.ok { Ok(()) } else { Err(format!("{} does not verify", bundle.display())) }
}

fn summary(report: &Report) -> String {
    let cities: Vec<String> = report.parts.iter().map(ToString::to_string).collect();
    let cosigned: Vec<String> = report
        .cosignatures
        .iter()
        .map(|(log, by)| {
            format!("{log} by {}", by.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "))
        })
        .collect();
    let origin = match report.origin {
        _ if !report.ok => "what failed stands above; nothing in this bundle is to be relied on",
        Origin::Proven => "origin proved by the trust list given",
        Origin::SelfConsistent => {
            "consistent in itself; compare the fingerprint of its trust list to prove its origin (--trust FILE)"
        }
    };
    format!(
        "parts of {}\nchecks {}, failed {}\ninclusion proofs {}\nmessages {}, shown by both sides {}\nlooks {}, case events {}, licences {}\ncheckpoints cosigned: {}\ntrust list {}\n{}: {}",
        cities.join(", "),
        report.checks.len(),
        report.checks.iter().filter(|check| !check.ok).count(),
        report.proofs,
        report.messages,
        report.paired,
        report.looks,
        report.events,
        report.licences,
        cosigned.join("; "),
        report.fingerprint,
        if report.ok { "VERIFIED" } else { "NOT VERIFIED" },
        origin,
    )
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}
