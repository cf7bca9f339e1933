//! The definitions that the binary holds (内嵌定义): items and licence types of the shipped region.

use std::sync::Arc;

use t02_services::defs::Finding;
use tb_base::{Fault, Result};
use tb_case::Catalogue;
use tb_licence::types::Types;

/// Names a file of `defs/` and embeds it.
macro_rules! embed {
    ($folder:literal: $($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../tasks/", $folder, "/defs/", $path)))),+]
    };
}

const LICENCE_TYPES: &[(&str, &str)] = embed!("t03-recognition":
    "licence/business_licence.toml",
    "licence/resident_card.toml",
    "licence/road_transport_qualification.toml",
);

/// The definitions, loaded and sound.
#[derive(Clone)]
pub struct Definitions {
    /// Items.
    pub catalogue: Arc<Catalogue>,
    /// How they are found.
    pub finding: Arc<Finding>,
    /// Licence types.
    pub types: Arc<Types>,
}

/// What loading found.
pub struct Found {
    /// What could be read of the items.
    pub catalogue: Catalogue,
    /// How they are found, if the words are sound.
    pub finding: Option<Arc<Finding>>,
    /// The licence types, if they are sound.
    pub types: Option<Types>,
    /// Every problem, by file and line.
    pub problems: Vec<String>,
}

/// Loads everything and reports every problem.
pub fn find() -> Found {
    let loaded = Catalogue::load(t02_services::defs::FILES);
    let mut problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    let types = match Types::load(LICENCE_TYPES) {
        Ok(types) => Some(types),
        Err(found) => {
            problems.extend(found.iter().map(ToString::to_string));
            None
        }
    };
    let finding = t02_services::defs::finding(&loaded.catalogue);
    let finding = finding.map_err(|error| problems.push(error.to_string())).ok();
    Found { catalogue: loaded.catalogue, finding, types, problems }
}

/// Loads everything; anything wrong keeps a city from starting.
pub fn load() -> Result<Definitions> {
    let found = find();
    match (found.types, found.finding) {
        (Some(types), Some(finding)) if found.problems.is_empty() => {
            Ok(Definitions { catalogue: Arc::new(found.catalogue), finding, types: Arc::new(types) })
        }
        (Some(_) | None, _) => {
            Err(Fault::new(format!("loading the definitions: {}", found.problems.join("; "))).into())
        }
    }
}
