//! `tongban journey` (无界面全程): one case through three fresh processes, over HTTP only.

use std::path::PathBuf;

use clap::Args;

use crate::commands::say;
use crate::journey::drill;
use crate::journey::report::Report;
use crate::journey::tour::{Tour, travel};

/// Options of `journey`.
#[derive(Args)]
pub struct Options {
    /// Print a summary as JSON on standard output instead of the steps.
    #[arg(long)]
    json: bool,
    /// Where the evidence is written.
    #[arg(long, default_value = "journey-bundle.json")]
    out: PathBuf,
    /// The day on which it begins; where the holidays are not announced yet, the dates are provisional.
    #[arg(long, default_value = "2026-03-10")]
    at: String,
    /// Use PostgreSQL, with a schema for each city, instead of SQLite files.
    #[arg(long)]
    database: Option<String>,
    /// Kill each city at every write that it reaches, before and after it took effect, and start it again.
    #[arg(long)]
    drill: bool,
    /// Keep the cities' data in this folder, and their schemas where they use PostgreSQL.
    #[arg(long, hide = true)]
    data: Option<PathBuf>,
}

/// Runs it; an error names the step that is missing.
pub async fn run(options: Options) -> Result<(), String> {
    let Options { json, out, at, database, drill, data } = options;
    let binary = std::env::current_exe().map_err(|error| error.to_string())?;
    let tour = Tour { binary, out, at, database, quiet: json, drill, data };
    let (report, outcome) = travel(tour).await;
    if json {
        say(&serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?);
    } else {
        summarise(&report);
    }
    outcome
}

fn summarise(report: &Report) {
    say(&format!("\ncase {}", report.case));
    say(&format!("by law until {}, promised until {}", report.legal_due, report.promised_due));
    say(&format!("messages between the cities: {}", report.messages.len()));
    say(&format!("leaves: {:?}", report.log_sizes));
    say(&format!(
        "looks {}, inclusion proofs {}, cosignatures {}",
        report.looks, report.proofs, report.cosignatures
    ));
    if !report.kills.is_empty() {
        say(&drill::summary(&report.kills));
    }
    say(&format!(
        "evidence in {}, {} ms in all: {}",
        report.bundle,
        report.millis,
        if report.ok { "complete" } else { "INCOMPLETE" }
    ));
}
