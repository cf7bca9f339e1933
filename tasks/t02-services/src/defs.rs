//! The definitions that this task ships (事项定义): the list of items, item 121, and the overlays of the cities.

use std::sync::Arc;

use tb_base::{Fault, Result};
use tb_case::{Catalogue, DefinitionFile};

/// Every file below `defs/`.
pub const FILES: &[DefinitionFile<'static>] = &[
    DefinitionFile { path: "items.csv", text: include_str!("../defs/items.csv") },
    DefinitionFile { path: "121.toml", text: include_str!("../defs/121.toml") },
    DefinitionFile { path: "430100/121.toml", text: include_str!("../defs/430100/121.toml") },
    DefinitionFile { path: "430200/121.toml", text: include_str!("../defs/430200/121.toml") },
    DefinitionFile { path: "430300/121.toml", text: include_str!("../defs/430300/121.toml") },
];

/// The catalogue of the shipped definitions; a fault that names every problem, if there is one.
pub fn catalogue() -> Result<Arc<Catalogue>> {
    match Catalogue::load(FILES).sound() {
        Ok(catalogue) => Ok(Arc::new(catalogue)),
        Err(problems) => {
            let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Err(Fault::new(format!("loading the definitions: {}", all.join("; "))).into())
        }
    }
}
