//! `tongban defs` (定义): loads every definition, counts, compares cities, prints permits, notices and addresses.

use std::path::Path;

use clap::Subcommand;
use serde::Serialize;
use tb_base::{Fault, NodeId, Result};
use tb_web::{RouteInfo, Who};

use crate::city::{Duty, Opening};
use crate::clock::{OsEntropy, SystemClock};
use crate::commands::{demo, say};
use crate::definitions;
use crate::region::{CityFolder, Ports, Region, prepare};

/// What to do with the definitions.
#[derive(Clone, Copy, Subcommand)]
pub enum What {
    /// Loads every definition and prints every problem.
    Check,
    /// Prints every permitted difference between two cities.
    Diff {
        /// The first city, such as 430100.
        first: NodeId,
        /// The second.
        second: NodeId,
    },
    /// Prints who may do what, role by action.
    Permits,
    /// Prints the words of every notice, edition by edition.
    Notices,
    /// Prints every address of a city's site in the demo, with who may come there, as JSON.
    Routes,
}

/// Runs it.
pub async fn run(what: What) -> Result<()> {
    match what {
        What::Check => check(),
        What::Diff { first, second } => diff(first, second),
        What::Permits => {
            say(tb_identity::permit::permit_table().trim_end());
            Ok(())
        }
        What::Notices => {
            say(notices().trim_end());
            Ok(())
        }
        What::Routes => routes().await,
    }
}

/// The words of notices as people read them.
fn notices() -> String {
    let mut text = "# Words of notices\n\nWhat a person is told on the site, by kind and edition.\nA notice keeps the edition that it was sent with, so an edition that stands here never changes: other words are a further edition.\nWhat stands in braces is filled in.\n\n| kind | edition | 中文 | English |\n|---|---|---|---|\n".to_owned();
    for wording in t02_services::messages::WORDINGS.iter().copied().flatten() {
        for (at, (zh, en)) in wording.editions.iter().enumerate() {
            text.push_str(&format!("| `{}` | {} | {zh} | {en} |\n", wording.key, at + 1));
        }
    }
    text
}

/// An address as programs read it.
#[derive(Serialize)]
struct Address {
    method: &'static str,
    path: &'static str,
    who: String,
    module: &'static str,
}

/// A city is opened in a folder of its own to ask it: what it serves is what it says, and no second list can be wrong.
async fn routes() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("tongban-routes-{}", std::process::id()));
    let told = addresses(&folder).await;
    let _ = std::fs::remove_dir_all(&folder);
    let text = serde_json::to_string_pretty(&told?).map_err(|error| Fault::of("writing JSON", error))?;
    say(&text);
    Ok(())
}

async fn addresses(folder: &Path) -> Result<Vec<Address>> {
    let region = Region::load(None)?;
    let clock = SystemClock::real();
    let ports: Vec<Ports> = region.city.iter().map(|_| Ports { site: 0, exchange: 0 }).collect();
    let now = tb_base::Clock::now(&*clock);
    let folders = prepare(folder, &region, &ports, None, now, &mut OsEntropy)?;
    let first = folders.first().ok_or_else(|| Fault::new("opening a city: the region has none"))?;
    let opening = Opening {
        folder: CityFolder::open(first)?,
        region: &region,
        clock,
        duty: Duty::Everything,
        demo: None,
    };
    let city = demo::open_city(opening, Some(&demo::Settings::fresh())).await?;
    let told = city.routes.iter().map(|(module, route)| address(module, route)).collect();
    city.close().await;
    Ok(told)
}

fn address(module: &'static str, route: &RouteInfo) -> Address {
    let who = match route.who {
        Who::Public => "anybody".to_owned(),
        Who::SignedIn => "whoever is signed in".to_owned(),
        Who::Roles(roles) => {
            roles.iter().map(|role| format!("{role:?}").to_lowercase()).collect::<Vec<_>>().join(", ")
        }
    };
    Address { method: route.method, path: route.path, who, module }
}

fn check() -> Result<()> {
    let found = definitions::find();
    for problem in &found.problems {
        say(&problem.to_string());
    }
    let counts = found.catalogue.counts();
    let types = found.types.as_ref().map_or(0, tb_licence::types::Types::count);
    say(&format!(
        "{} items, {} can be filed online, {types} licence types, {} problems",
        counts.items,
        counts.online,
        found.problems.len()
    ));
    if found.problems.is_empty() {
        Ok(())
    } else {
        Err(Fault::new("checking the definitions: there are problems").into())
    }
}

fn diff(first: NodeId, second: NodeId) -> Result<()> {
    let definitions = definitions::load()?;
    let known = |city: NodeId| {
        definitions
            .catalogue
            .items()
            .any(|item| definitions.catalogue.rules(item.entry.number, city).is_some())
    };
    if let Some(unknown) = [first, second].into_iter().find(|city| !known(*city)) {
        return Err(
            Fault::new(format!("comparing the cities: {unknown} has no definitions of its own")).into()
        );
    }
    let differences = definitions.catalogue.diff(first, second);
    for difference in &differences {
        say(&format!(
            "{} {}: {first} {} | {second} {}",
            difference.number, difference.path, difference.first, difference.second
        ));
    }
    say(&format!("{} permitted differences between {first} and {second}", differences.len()));
    Ok(())
}
