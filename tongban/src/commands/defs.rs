//! `tongban defs` (定义): loads every definition, counts, compares cities, prints the permit table.

use clap::Subcommand;
use tb_base::{Fault, NodeId, Result};

use crate::commands::say;
use crate::definitions;

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
}

/// Runs it.
pub fn run(what: What) -> Result<()> {
    match what {
        What::Check => check(),
        What::Diff { first, second } => diff(first, second),
        What::Permits => {
            say(tb_identity::permit::permit_table().trim_end());
            Ok(())
        }
    }
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
