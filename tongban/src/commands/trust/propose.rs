//! Proposing the next list (拟定名单): from statements, without some cities, or both.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use tb_base::{Fault, NodeId, Result};
use tb_exchange::ceremony::{self, Plan, Statement};
use tb_exchange::founding::Charter;
use tb_exchange::package::Package;

use super::{base, difference, now, say};
use crate::files::{json, parse};
use crate::region::Region;
use crate::trust;

const DAY_SECONDS: i64 = 86_400;
/// A list begins a little before it is made, for clocks that are behind.
const BEFORE_SECONDS: i64 = 3_600;
/// Nobody plans for longer.
const DAYS_MAX: i64 = 3_660;

/// Options of `trust propose`.
#[derive(Args)]
pub struct Propose {
    /// The region's file; the shipped one where none is given.
    #[arg(long)]
    region: Option<PathBuf>,
    /// Statements of the cities that join, or that say something new.
    #[arg(long, num_args = 1..)]
    members: Vec<PathBuf>,
    /// The list before: a package, or the folder of a city in which it is in force. Without it, the first list.
    #[arg(long)]
    from: Option<PathBuf>,
    /// A city that is to leave.
    #[arg(long)]
    remove: Vec<NodeId>,
    /// A city whose keys were stolen or lost: what it signed before with them counts no more.
    #[arg(long)]
    revoke: Vec<NodeId>,
    #[command(flatten)]
    times: Times,
    /// Where the proposal is written.
    #[arg(long)]
    out: PathBuf,
}

/// How long things hold.
#[derive(Args)]
struct Times {
    /// For how many days the list holds.
    #[arg(long, default_value_t = 1_098)]
    days: i64,
    /// For how many days keys that are replaced count beside the new ones.
    #[arg(long, default_value_t = 30)]
    overlap_days: i64,
}

/// Options of `trust remove`.
#[derive(Args)]
pub struct Remove {
    /// The cities that are to leave.
    #[arg(required = true)]
    cities: Vec<NodeId>,
    /// The folder of a city in which the list is in force, or a package.
    #[arg(long)]
    from: PathBuf,
    /// The region's file; the shipped one where none is given.
    #[arg(long)]
    region: Option<PathBuf>,
    #[command(flatten)]
    times: Times,
    /// Where the proposal is written.
    #[arg(long)]
    out: PathBuf,
}

/// Composes a proposal.
pub fn propose(options: &Propose) -> Result<()> {
    let region = Region::load(options.region.as_deref())?;
    let from = options.from.as_deref().map(base).transpose()?;
    let statements: Vec<Statement> = options.members.iter().map(|file| parse(file)).collect::<Result<_>>()?;
    let known = |node: &NodeId| region.city.iter().any(|city| city.node == *node);
    if let Some(strange) = statements.iter().find(|said| !known(&said.city.node)) {
        return Err(super::unknown_city(strange.city.node).into());
    }
    let mut plan = plan(&region, &options.times)?;
    plan.removed = options.remove.iter().copied().collect();
    plan.revoked = options.revoke.iter().copied().collect();
    write(&plan, from.as_ref(), &statements, &options.out)
}

/// Composes a list without some cities.
pub fn remove(options: &Remove) -> Result<()> {
    let region = Region::load(options.region.as_deref())?;
    let mut plan = plan(&region, &options.times)?;
    plan.removed = options.cities.iter().copied().collect();
    write(&plan, Some(&base(&options.from)?), &[], &options.out)
}

fn plan(region: &Region, times: &Times) -> Result<Plan> {
    let days = 1..=DAYS_MAX;
    if !days.contains(&times.days) || !(0..=DAYS_MAX).contains(&times.overlap_days) {
        let problem = format!("proposing a list: it holds for 1 to {DAYS_MAX} days");
        return Err(Fault::new(problem).into());
    }
    let begin = now();
    let charter = Charter {
        region: region.region.clone(),
        not_before: begin.plus_seconds(-BEFORE_SECONDS),
        not_after: begin.plus_seconds(times.days * DAY_SECONDS),
        services: region.service.clone(),
        retention_days: region.retention_days,
    };
    Ok(Plan {
        charter,
        quorum: region.quorum,
        removed: BTreeSet::new(),
        revoked: BTreeSet::new(),
        overlap_until: begin.plus_seconds(times.overlap_days * DAY_SECONDS),
    })
}

fn write(plan: &Plan, from: Option<&Package>, said: &[Statement], out: &Path) -> Result<()> {
    let package = ceremony::propose(plan, from, said)?;
    if package.trust.list.cities.is_empty() {
        return Err(Fault::new("proposing a list: no city is left").into());
    }
    trust::replace(out, &json(&package)?)?;
    say(&difference(from, &package)?);
    say(&format!("written: {}; each city that signs reads the fingerprint aloud first", out.display()));
    Ok(())
}
