//! Definitions: the shipped ones are sound; every kind of mistake is told with file and line.

use super::*;
use crate::fixture::{FILES, catalogue, changsha, node, xiangtan};

#[test]
fn shipped_definitions_are_sound() {
    let loaded = Catalogue::load(&FILES);
    assert_eq!(loaded.problems, vec![]);
    assert_eq!(loaded.catalogue.counts(), Counts { items: 151, online: 1 });
    assert_eq!(loaded.catalogue.items().filter(|item| item.online()).count(), 1);
}

#[test]
fn rules_follow_the_city() {
    let catalogue = catalogue();
    let promised = |city| catalogue.rules(121, city).unwrap().clocks.promised.limit;
    assert_eq!(promised(changsha()), LimitOf::WorkingDays(8));
    assert_eq!(promised(xiangtan()), LimitOf::WorkingDays(5));
    // Three cities, one standard.
    assert_eq!(
        catalogue.rules(121, changsha()).unwrap().sha256,
        catalogue.rules(121, xiangtan()).unwrap().sha256
    );
    assert!(catalogue.rules(1, changsha()).is_none());
}

#[test]
fn differences_are_the_permitted_ones() {
    let differences = catalogue().diff(changsha(), xiangtan());
    assert!(differences.iter().all(|it| {
        ["offices", "window", "clocks.promised.limit"].iter().any(|path| it.path.starts_with(path))
    }));
    let dates: Vec<_> = differences.iter().filter(|it| it.path.starts_with("clocks")).collect();
    assert_eq!(dates.len(), 1);
    assert_eq!((dates[0].first.as_str(), dates[0].second.as_str()), ("8", "5"));
    assert!(catalogue().diff(changsha(), node("430200")).iter().all(|it| !it.path.starts_with("clocks")));
}

#[test]
fn search_prefers_names() {
    let catalogue = catalogue();
    let first = |query: &str| catalogue.search(query).first().map(|item| item.entry.number);
    assert_eq!(first("从业资格证换发"), Some(121));
    assert_eq!(first("Renewal driver"), Some(121));
    assert_eq!(first("没有这样的事项"), None);
    assert_eq!(catalogue.search("").len(), 151);
}

/// Loads the shipped files with one replacement and expects exactly this problem among those found.
#[track_caller]
fn check(path: &str, from: &str, to: &str, line: usize, expected: &str) {
    let shipped = FILES.iter().find(|file| file.path == path).unwrap();
    assert!(shipped.text.contains(from), "{from} is not in {path}");
    let changed = shipped.text.replacen(from, to, 1);
    let files: Vec<_> = FILES
        .iter()
        .map(
            |file| if file.path == path { DefinitionFile { path: file.path, text: &changed } } else { *file },
        )
        .collect();
    let problems = Catalogue::load(&files).problems;
    let found = problems
        .iter()
        .any(|it| it.file == path && it.text.contains(expected) && (line == 0 || it.line == line));
    assert!(found, "expected {path}:{line}: {expected}, found {problems:#?}");
}

#[test]
fn mistakes_are_told_with_file_and_line() {
    check("121.toml", "[item]", "[item", 4, "");
    check("121.toml", "number    = 121", "number    = 999", 0, "no item of this number");
    check("121.toml", "道路运输驾驶员从业资格证换发\"", "换证\"", 0, "the list calls this item");
    check("121.toml", "kind = \"mobile\"", "kind = \"phone\"", 0, "in page");
    check("121.toml", "question = \"reason\", is", "question = \"later\", is", 0, "not asked before it");
    check("121.toml", "id = \"changed-what\"", "id = \"reason\"", 0, "stands twice");
    check("121.toml", "[archive]", "[attic]", 0, "[archive] is missing");
    check("121.toml", "[archive]", "[attic]", 0, "unknown section attic");
    check("121.toml", "basis = \"行政许可法第四十四条\"", "", 0, "without a basis is unconfirmed");
    check(
        "121.toml",
        "limit = { working_days = 8 }",
        "limit = { working_days = 21 }",
        0,
        "longer than the limit by law",
    );
    let office = "required = false\nsource   = { by = \"office\"";
    check("121.toml", office, &office.replace("false", "true"), 0, "must not be required");
    check("121.toml", "material = \"old-certificate\" }", "material = \"none\" }", 0, "no licence material");
    check("430300/121.toml", "working_days = 5", "working_days = 9", 7, "shorter time than the standard");
    check("430300/121.toml", "[clocks.promised]", "[clocks.legal]", 0, "is not local");
    check("430300/121.toml", "[window]", "[door]", 0, "is not local");
    check("430300/121.toml", "number = 121", "number = 120", 4, "another item");
    check("items.csv", "全程网办", "网办", 0, "unknown mode");
}

#[test]
fn every_problem_is_told_at_once() {
    let changed =
        FILES[1].text.replace("kind = \"mobile\"", "kind = \"phone\"").replace("[archive]", "[attic]");
    let mut files = FILES;
    files[1].text = &changed;
    let problems = Catalogue::load(&files).problems;
    assert!(3 <= problems.len(), "{problems:#?}");
    let alone = Catalogue::load(&[FILES[2]]).problems;
    assert_eq!(alone.len(), 2, "the list and the standard are missing: {alone:#?}");
}
