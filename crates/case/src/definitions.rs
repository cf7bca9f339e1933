//! Item definitions (事项定义): the list of items, complete ones in every city, guide entries for the rest.
//! Serves clauses 2.1 and 2.5.
//!
//! Invariant: a [`Catalogue`] without problems answers `rules` for every city of a complete item, and
//! a city differs from the shared standard only where the standard says `local`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use tb_base::NodeId;

use crate::text::Text;

mod check;
mod item;
mod read;

pub use item::*;

/// The list that names every item.
const ITEMS_FILE: &str = "items.csv";
/// More files than this are not definitions but a mistake.
const FILES_MAX: usize = 2_000;

/// A file of the definitions, as it lies in `defs/`.
#[derive(Clone, Copy, Debug)]
pub struct DefinitionFile<'a> {
    /// Its path below `defs/`, such as `430300/121.toml`.
    pub path: &'a str,
    /// What it says.
    pub text: &'a str,
}

/// Something wrong with a definition, by file and line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Path below `defs/`.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what was expected.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.text)
    }
}

/// A row of the list of items (事项清单).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub number: u16,
    /// Its name.
    pub title: String,
    /// The department.
    pub department: String,
    /// Who may apply, as the list says it.
    pub audience: Vec<String>,
    /// How it is handled across cities; a judgement of the list's makers.
    pub modes: Vec<Mode>,
    /// What it covers.
    pub content: String,
    /// Where the row comes from.
    pub source: String,
}

/// An item: its row, and its rules in each city where it is complete.
#[derive(Clone, Debug)]
pub struct Item {
    /// The row of the list.
    pub entry: Entry,
    cities: BTreeMap<NodeId, Local>,
}

#[derive(Clone, Debug)]
struct Local {
    rules: Arc<ItemRules>,
    merged: serde_json::Value,
}

impl Item {
    /// Whether it can be filed; otherwise it is a guide entry (办理指引).
    pub fn online(&self) -> bool {
        !self.cities.is_empty()
    }

    /// Its name in English where it is translated.
    pub fn title_en(&self) -> Option<&str> {
        self.cities.values().next().map(|local| local.rules.item.title.en.as_str())
    }

    /// The words of a question of its form, in whichever city asks it.
    pub fn question(&self, id: &str) -> Option<&crate::text::Text> {
        let mut questions = self.cities.values().flat_map(|local| local.rules.all_questions());
        questions.find(|question| question.id == id).map(|question| &question.text)
    }
}

/// What `tongban defs check` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Items in the list.
    pub items: usize,
    /// Items that can be filed online.
    pub online: usize,
}

/// A permitted difference between two cities (同标同质的例外).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The item.
    pub number: u16,
    /// The path of the key, such as `clocks.promised.limit.working_days`.
    pub path: String,
    /// What the first city says.
    pub first: String,
    /// What the second city says.
    pub second: String,
}

/// All items of the region.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    items: BTreeMap<u16, Item>,
}

/// What loading found: every problem, and what could be read beside them.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What could be read.
    pub catalogue: Catalogue,
    /// What is wrong, by file and line.
    pub problems: Vec<Problem>,
}

impl Loaded {
    /// The catalogue, if nothing is wrong; `serve` refuses to start on anything else.
    pub fn sound(self) -> Result<Catalogue, Vec<Problem>> {
        if self.problems.is_empty() { Ok(self.catalogue) } else { Err(self.problems) }
    }
}

impl Catalogue {
    /// Reads all definitions and reports every problem of every file.
    pub fn load(files: &[DefinitionFile<'_>]) -> Loaded {
        let mut problems = Vec::new();
        if FILES_MAX < files.len() {
            let text = format!("{} files, at most {FILES_MAX}", files.len());
            problems.push(Problem { file: String::new(), line: 1, text });
        }
        let mut catalogue = Catalogue { items: read_list(files, &mut problems) };
        for file in files.iter().take(FILES_MAX).filter(|file| file.path.ends_with(".toml")) {
            if !file.path.contains('/') {
                catalogue.add_item(file, files, &mut problems);
            }
        }
        catalogue.find_strays(files, &mut problems);
        problems.sort();
        problems.dedup();
        Loaded { catalogue, problems }
    }

    /// Reads a complete item and the overlays of the cities.
    fn add_item(
        &mut self,
        file: &DefinitionFile<'_>,
        files: &[DefinitionFile<'_>],
        problems: &mut Vec<Problem>,
    ) {
        let Some(standard) = read::table(file, problems) else { return };
        let mut cities = BTreeMap::new();
        for overlay in files.iter().filter(|other| is_overlay_of(other.path, file.path)) {
            let city = overlay.path.split('/').next().unwrap_or_default();
            let Ok(city) = NodeId::from_str(city) else {
                problems.push(read::problem(
                    overlay,
                    1,
                    format!("folder {city} is no division code of a city"),
                ));
                continue;
            };
            let Some((rules, merged)) = read::item(file, &standard, overlay, problems) else { continue };
            check::item(&rules, file, overlay, &standard, problems);
            cities.insert(city, Local { rules: Arc::new(rules), merged });
        }
        let number = read::number(&standard);
        match number.and_then(|number| self.items.get_mut(&number)) {
            Some(item) => {
                check::same_name(&item.entry, file, &standard, problems);
                if cities.is_empty() {
                    problems.push(read::problem(file, 1, "no city has an overlay for this item".to_owned()));
                }
                item.cities = cities;
            }
            None => problems.push(read::problem(
                file,
                read::line_of(file.text, "number"),
                "the list has no item of this number".to_owned(),
            )),
        }
    }

    /// Overlays that belong to no standard are problems too.
    fn find_strays(&self, files: &[DefinitionFile<'_>], problems: &mut Vec<Problem>) {
        for overlay in files.iter().filter(|file| file.path.contains('/') && file.path.ends_with(".toml")) {
            if !files.iter().any(|file| is_overlay_of(overlay.path, file.path)) {
                problems.push(read::problem(
                    overlay,
                    1,
                    "there is no shared standard that this overlay could change".to_owned(),
                ));
            }
        }
    }

    /// All items by number.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    /// The item of that number.
    pub fn item(&self, number: u16) -> Option<&Item> {
        self.items.get(&number)
    }

    /// What an item is called; its number where the list does not know it.
    pub fn item_name(&self, number: u16) -> Text {
        match self.item(number) {
            None => Text::new(number.to_string(), number.to_string()),
            Some(item) => {
                let title = &item.entry.title;
                Text::new(title.clone(), item.title_en().unwrap_or(title))
            }
        }
    }

    /// The rules of a complete item in a city.
    pub fn rules(&self, number: u16, city: NodeId) -> Option<Arc<ItemRules>> {
        self.items.get(&number)?.cities.get(&city).map(|local| local.rules.clone())
    }

    /// What there is to count.
    pub fn counts(&self) -> Counts {
        Counts { items: self.items.len(), online: self.items.values().filter(|item| item.online()).count() }
    }

    /// Every permitted difference between two cities.
    pub fn diff(&self, first: NodeId, second: NodeId) -> Vec<Difference> {
        let mut all = Vec::new();
        for (number, item) in &self.items {
            let (Some(a), Some(b)) = (item.cities.get(&first), item.cities.get(&second)) else { continue };
            let (a, b) = (read::leaves(&a.merged), read::leaves(&b.merged));
            for path in a.keys().chain(b.keys().filter(|path| !a.contains_key(*path))) {
                let (left, right) = (a.get(path), b.get(path));
                if left != right {
                    let word = |value: Option<&String>| value.cloned().unwrap_or_else(|| "—".to_owned());
                    all.push(Difference {
                        number: *number,
                        path: path.clone(),
                        first: word(left),
                        second: word(right),
                    });
                }
            }
        }
        all
    }

    /// The text that search looks through for one item: name, department, content, English name.
    pub fn search_text(&self, number: u16) -> Option<String> {
        let item = self.items.get(&number)?;
        let entry = &item.entry;
        let english = item.title_en().unwrap_or_default();
        Some(format!("{} {} {} {english}", entry.title, entry.department, entry.content))
    }

    /// Items whose text holds every word of the query, those with a hit in the name first.
    pub fn search(&self, query: &str) -> Vec<&Item> {
        let query = query.to_lowercase();
        let words: Vec<&str> = query.split_whitespace().collect();
        let mut found: Vec<(bool, u16)> = self
            .items
            .keys()
            .filter_map(|number| {
                let text = self.search_text(*number)?.to_lowercase();
                let title = self.items.get(number)?.entry.title.to_lowercase();
                let hit = words.iter().all(|word| text.contains(word));
                hit.then(|| (!words.iter().all(|word| title.contains(word)), *number))
            })
            .collect();
        found.sort_unstable();
        found.iter().filter_map(|(_, number)| self.items.get(number)).collect()
    }
}

/// `430300/121.toml` changes `121.toml`.
fn is_overlay_of(path: &str, standard: &str) -> bool {
    path.split_once('/').is_some_and(|(_, name)| name == standard)
}

#[derive(serde::Deserialize)]
struct ListRow {
    no: u16,
    name: String,
    department: String,
    applicant: String,
    mode: String,
    content: String,
    source: String,
}

fn read_list(files: &[DefinitionFile<'_>], problems: &mut Vec<Problem>) -> BTreeMap<u16, Item> {
    let mut items = BTreeMap::new();
    let Some(file) = files.iter().find(|file| file.path == ITEMS_FILE) else {
        problems.push(Problem {
            file: ITEMS_FILE.to_owned(),
            line: 1,
            text: "the list of items is missing".to_owned(),
        });
        return items;
    };
    let mut reader = csv::Reader::from_reader(file.text.as_bytes());
    for row in reader.deserialize::<ListRow>() {
        match row {
            Ok(row) => {
                let line = read::line_of(file.text, &format!("{},{}", row.no, row.name));
                let mode = row.mode.clone();
                let item = Item { entry: entry(row), cities: BTreeMap::new() };
                if item.entry.modes.len() != mode.split(';').count() {
                    problems.push(read::problem(file, line, format!("unknown mode in {mode}")));
                }
                let number = item.entry.number;
                if items.insert(number, item).is_some() {
                    problems.push(read::problem(
                        file,
                        line,
                        format!("item {number} stands twice in the list"),
                    ));
                }
            }
            Err(error) => {
                let line = error.position().map_or(1, |at| usize::try_from(at.line()).unwrap_or(1));
                problems.push(read::problem(file, line, error.to_string()));
            }
        }
    }
    items
}

fn entry(row: ListRow) -> Entry {
    let modes = row.mode.split(';').filter_map(|mode| match mode.trim() {
        "全程网办" => Some(Mode::OnlineFull),
        "异地代收代办" => Some(Mode::RemoteCollect),
        "多地联办" => Some(Mode::MultiJoint),
        _ => None,
    });
    Entry {
        number: row.no,
        title: row.name,
        department: row.department,
        audience: row.applicant.split(';').map(|word| word.trim().to_owned()).collect(),
        modes: modes.collect(),
        content: row.content,
        source: row.source,
    }
}

#[cfg(test)]
mod tests;
