//! Every address of the product beside the browser tests that visit it (路由清单); an address that none visits fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

use serde::Deserialize;

use crate::generate::Mode;
use crate::{read, root, visits};

const DOCUMENT: &str = "docs/routes.md";
/// An answer from here on is a refusal or a fault: it visits nothing.
const REFUSED: u16 = 400;

/// An address as `tongban defs routes` tells it.
#[derive(Deserialize)]
struct Route {
    method: String,
    path: String,
    who: String,
    module: String,
}

/// Compares what there is with what was visited; writes the document, or sees whether it is true.
pub fn run(mode: Mode) -> Result<(), String> {
    let routes = told()?;
    let visited = visited(&routes)?;
    let unvisited: Vec<String> = routes
        .iter()
        .filter(|route| !visited.contains_key(&key(route)))
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    let problems = match mode {
        Mode::Write => {
            let text = document(&routes, &visited);
            std::fs::write(root().join(DOCUMENT), text).map_err(|error| format!("{DOCUMENT}: {error}"))?;
            Vec::new()
        }
        Mode::Check => untrue(&routes, &visited)?,
    };
    if unvisited.is_empty() && problems.is_empty() {
        println!("routes: {} addresses, each visited", routes.len());
        return Ok(());
    }
    for route in &unvisited {
        println!("routes: no browser test visits {route}");
    }
    for problem in &problems {
        println!("routes: {problem}");
    }
    Err(format!("{} addresses not visited, {} lines not true", unvisited.len(), problems.len()))
}

fn told() -> Result<Vec<Route>, String> {
    let made = Command::new("cargo")
        .args(["run", "--quiet", "--package", "tongban", "--", "defs", "routes"])
        .current_dir(root())
        .output()
        .map_err(|error| error.to_string())?;
    if !made.status.success() {
        return Err(format!("tongban defs routes: {}", String::from_utf8_lossy(&made.stderr)));
    }
    serde_json::from_slice(&made.stdout).map_err(|error| format!("tongban defs routes: {error}"))
}

type Key = (String, String);

fn key(route: &Route) -> Key {
    (route.path.clone(), route.method.clone())
}

/// The plays that got an answer of each address.
fn visited(routes: &[Route]) -> Result<BTreeMap<Key, BTreeSet<String>>, String> {
    let mut found: BTreeMap<Key, BTreeSet<String>> = BTreeMap::new();
    for visit in visits::read()?.0.into_iter().filter(|visit| visit.status < REFUSED) {
        if let Some(route) = route_of(routes, &visit.method, &visit.path) {
            found.entry(key(route)).or_default().insert(visit.play);
        }
    }
    Ok(found)
}

/// The address that a path belongs to: the one with the most of its words as they stand.
fn route_of<'a>(routes: &'a [Route], method: &str, path: &str) -> Option<&'a Route> {
    let fits = |route: &&Route| route.method == method && fits(&route.path, path);
    routes.iter().filter(fits).max_by_key(|route| words(&route.path).filter(|word| !is_gap(word)).count())
}

fn fits(pattern: &str, path: &str) -> bool {
    words(pattern).count() == words(path).count()
        && words(pattern)
            .zip(words(path))
            .all(|(one, other)| one == other || is_gap(one) && !other.is_empty())
}

fn words(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
}

fn is_gap(word: &str) -> bool {
    word.starts_with('{')
}

fn document(routes: &[Route], visited: &BTreeMap<Key, BTreeSet<String>>) -> String {
    let mut text = format!(
        "<!-- Made by `cargo xtask routes` after the browser tests; do not edit. -->\n\n# Addresses\n\n{} addresses of a city's site, the demo's own among them.\nThe last column names the plays of `tongban/tests/it/browser` in which a browser got an answer there that was no refusal.\nAn address that no play visits fails the check.\n\n| address | | who | module | plays |\n|---|---|---|---|---|\n",
        routes.len()
    );
    let mut sorted: Vec<&Route> = routes.iter().collect();
    sorted.sort_by_key(|route| key(route));
    for route in sorted {
        let plays: Vec<&str> = visited.get(&key(route)).into_iter().flatten().map(String::as_str).collect();
        let Route { method, path, who, module } = route;
        let _ = writeln!(text, "| `{path}` | {method} | {who} | {module} | {} |", plays.join(", "));
    }
    text
}

/// What the document says that is not so. That plays visit more, or some of those named less, is no fault:
/// which pages a play comes by may hang on how fast another city answers.
fn untrue(routes: &[Route], visited: &BTreeMap<Key, BTreeSet<String>>) -> Result<Vec<String>, String> {
    let text = read(DOCUMENT)?;
    let mut said: BTreeMap<Key, (String, BTreeSet<String>)> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [path, method, who, _, plays] = cells.as_slice() else {
            return Err(format!("{DOCUMENT}: {line:?} has other columns"));
        };
        let plays = plays.split(", ").filter(|play| !play.is_empty()).map(str::to_owned).collect();
        said.insert((path.trim_matches('`').to_owned(), (*method).to_owned()), ((*who).to_owned(), plays));
    }
    let mut problems = Vec::new();
    for route in routes {
        match said.remove(&key(route)) {
            None => problems.push(format!("{DOCUMENT} lacks {} {}", route.method, route.path)),
            Some((who, _)) if who != route.who => {
                problems.push(format!("{DOCUMENT} says {who} of {} {}", route.method, route.path));
            }
            Some((_, plays)) => {
                let now = visited.get(&key(route));
                if now.is_some_and(|now| now.is_disjoint(&plays)) {
                    problems
                        .push(format!("other plays visit {} {} than are named", route.method, route.path));
                }
            }
        }
    }
    problems.extend(
        said.into_keys().map(|(path, method)| format!("{DOCUMENT} has {method} {path}, which is gone")),
    );
    if !problems.is_empty() {
        problems.push("run the browser tests, then `cargo xtask routes`".to_owned());
    }
    Ok(problems)
}
