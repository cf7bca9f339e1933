//! The definitions that this task ships (事项定义): the list of items, item 121, the overlays of the cities,
//! and the words by which people find them.

use std::collections::BTreeSet;
use std::sync::Arc;

use tb_base::{Fault, Result};
use tb_case::definitions::Item;
use tb_case::{Catalogue, DefinitionFile};
use tb_find::{Entry, Files, Finder, Situations};

/// Every file below `defs/` that defines items.
pub const FILES: &[DefinitionFile<'static>] = &[
    DefinitionFile { path: "items.csv", text: include_str!("../defs/items.csv") },
    DefinitionFile { path: "121.toml", text: include_str!("../defs/121.toml") },
    DefinitionFile { path: "430100/121.toml", text: include_str!("../defs/430100/121.toml") },
    DefinitionFile { path: "430200/121.toml", text: include_str!("../defs/430200/121.toml") },
    DefinitionFile { path: "430300/121.toml", text: include_str!("../defs/430300/121.toml") },
];
/// What the search knows beside the items.
const WORDS: Files<'static> = Files {
    pinyin: include_str!("../defs/pinyin.csv"),
    synonyms: include_str!("../defs/synonyms.csv"),
    departments: include_str!("../defs/departments.csv"),
};
/// Names of items in English, as a help for readers; the Chinese one counts.
const ENGLISH: &str = include_str!("../defs/names_en.csv");
const SITUATIONS: &str = include_str!("../defs/situations.toml");

/// How items are found: by words, and by what happened.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Search over the items.
    pub finder: Finder,
    /// Ways through items.
    pub situations: Situations,
}

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

/// How the items of a catalogue and what happened are found; a fault that says which file is wrong.
pub fn finding(catalogue: &Catalogue) -> Result<Arc<Finding>> {
    let numbers: BTreeSet<u16> = catalogue.items().map(|item| item.entry.number).collect();
    let situations =
        Situations::read(SITUATIONS, &numbers).map_err(|problems| wrong(&problems.join("; ")))?;
    Ok(Arc::new(Finding { finder: finder(catalogue)?, situations }))
}

/// Search over the items of a catalogue.
pub fn finder(catalogue: &Catalogue) -> Result<Finder> {
    let english = |number: u16| {
        let mut lines = ENGLISH.lines().filter_map(|line| line.split_once(','));
        lines.find(|(no, _)| no.parse() == Ok(number)).map(|(_, name)| name.trim().to_owned())
    };
    let entry = |item: &Item| Entry {
        number: item.entry.number,
        name: item.entry.title.clone(),
        english: item.title_en().map(str::to_owned).or(english(item.entry.number)).unwrap_or_default(),
        department: item.entry.department.clone(),
        content: item.entry.content.clone(),
        can_apply: item.online(),
    };
    let finder = Finder::new(WORDS, catalogue.items().map(entry).collect());
    finder.map_err(|problem| wrong(&problem).into())
}

fn wrong(problem: &str) -> Fault {
    Fault::new(format!("loading the words of the search: {problem}"))
}
