//! The agreement (协议) and what serves each of its clauses, said honestly.

use std::collections::BTreeMap;

use askama::Template;
use axum::Router;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use tb_base::{Fault, Result};
use tb_web::{App, Frame, Lang, Module, PageResult, RouteInfo, Visit, Who, ui};

const TEXT: &str = include_str!("../../../docs/agreement/agreement.txt");
const CLAUSES: &str = include_str!("../../../docs/agreement/clauses.csv");
const STATES: &str = include_str!("../../../docs/agreement/clauses.toml");
const PAGES: &str = include_str!("../../../docs/agreement/pages.toml");
const ROUTES: &[RouteInfo] = &[RouteInfo::get("/agreement", Who::Public)];

/// The page as a module of a site.
pub fn module() -> Module {
    Module {
        id: "agreement",
        clauses: &[],
        routes: Router::<App>::new().route("/agreement", get(show)),
        handlers: Vec::new(),
        jobs: Vec::new(),
        schema: None,
        route_list: ROUTES,
    }
}

/// How far a clause is served (完成情况).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Works,
    Begun,
    Open,
}

#[derive(Deserialize)]
struct Said {
    state: State,
    serves: String,
    lacks: String,
    serves_zh: String,
    lacks_zh: String,
    pages: Vec<String>,
}

#[derive(Deserialize)]
struct PageName {
    zh: String,
    en: String,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    task: String,
    text: String,
    due: String,
}

/// A page that serves a clause.
#[derive(Serialize)]
struct Link {
    href: String,
    words: String,
}

#[derive(Serialize)]
struct Clause {
    id: String,
    text: String,
    due: &'static str,
    state: State,
    serves: String,
    lacks: String,
    pages: Vec<Link>,
}

#[derive(Serialize)]
struct Task {
    number: usize,
    name: String,
    clauses: Vec<Clause>,
}

#[derive(Template, Serialize)]
#[template(path = "agreement.html")]
struct Agreement {
    frame: Frame,
    lang: Lang,
    /// The only state that is listed; none lists all.
    shown: Option<State>,
    works: usize,
    begun: usize,
    open: usize,
    tasks: Vec<Task>,
    paragraphs: Vec<&'static str>,
}

impl Agreement {
    /// Mark and word of a state.
    fn state(&self, state: &State) -> tb_web::Html {
        match state {
            State::Works => ui::tag("done", self.lang.t("能用", "Works")),
            State::Begun => ui::tag("now", self.lang.t("部分能用", "In part")),
            State::Open => ui::tag("", self.lang.t("还没有", "Not yet")),
        }
    }

    /// How many clauses there are of each state, each figure a link to them.
    fn tiles(&self) -> ui::Tiles {
        let tile = |figure: usize, label: &str, href: &str| ui::Tile {
            figure: self.lang.number(i64::try_from(figure).unwrap_or(i64::MAX)),
            label: label.to_owned(),
            href: href.to_owned(),
            kind: String::new(),
        };
        ui::Tiles {
            tiles: vec![
                tile(self.works, self.lang.t("整条能用", "work in whole"), "/agreement?state=works"),
                tile(self.begun, self.lang.t("部分能用", "work in part"), "/agreement?state=begun"),
                tile(self.open, self.lang.t("还没有", "not yet"), "/agreement?state=open"),
            ],
        }
    }
}

async fn show(visit: Visit) -> PageResult {
    let mut tasks = tasks(visit.lang)?;
    let count = |state: State| {
        tasks.iter().flat_map(|task| &task.clauses).filter(|clause| clause.state == state).count()
    };
    let (works, begun, open) = (count(State::Works), count(State::Begun), count(State::Open));
    let shown = visit.param("state").and_then(|word| state_of(&word));
    if let Some(state) = shown {
        for task in &mut tasks {
            task.clauses.retain(|clause| clause.state == state);
        }
        tasks.retain(|task| !task.clauses.is_empty());
    }
    visit.page(Agreement {
        frame: visit
            .frame("协议与完成情况", "The agreement and its state")
            .airy()
            .crumb("首页", "Start", "/"),
        lang: visit.lang,
        shown,
        works,
        begun,
        open,
        tasks,
        paragraphs: TEXT
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with(">>"))
            .collect(),
    })
}

/// The state that an address names; anything else names none.
fn state_of(word: &str) -> Option<State> {
    match word {
        "works" => Some(State::Works),
        "begun" => Some(State::Begun),
        "open" => Some(State::Open),
        _ => None,
    }
}

/// Tasks with their clauses, in the order of the agreement.
fn tasks(lang: Lang) -> Result<Vec<Task>> {
    let mut said: BTreeMap<String, Said> = read("clauses.toml", STATES)?;
    let names: BTreeMap<String, PageName> = read("pages.toml", PAGES)?;
    let mut tasks: Vec<Task> = Vec::new();
    for row in csv::Reader::from_reader(CLAUSES.as_bytes()).deserialize() {
        let row: Row = row.map_err(|error| Fault::of("reading clauses.csv", error))?;
        let said = said
            .remove(&row.id)
            .ok_or_else(|| Fault::new(format!("reading clauses.toml: {} is missing", row.id)))?;
        if tasks.last().is_none_or(|task| task.name != row.task) {
            tasks.push(Task { number: tasks.len() + 1, name: row.task, clauses: Vec::new() });
        }
        let clause = Clause {
            id: row.id,
            text: row.text,
            due: due(lang, &row.due)?,
            state: said.state,
            serves: lang.t(&said.serves_zh, &said.serves).to_owned(),
            lacks: lang.t(&said.lacks_zh, &said.lacks).to_owned(),
            pages: said.pages.into_iter().map(|href| link(lang, &names, href)).collect::<Result<_>>()?,
        };
        if let Some(task) = tasks.last_mut() {
            task.clauses.push(clause);
        }
    }
    Ok(tasks)
}

fn read<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| Fault::of(format!("reading {name}"), error).into())
}

/// Until when the cities meant to do it.
fn due(lang: Lang, due: &str) -> Result<&'static str> {
    match due {
        "" => Ok(""),
        "2021" => Ok(lang.t("约定 2021 年内完成", "agreed for 2021")),
        "three years" => Ok(lang.t("约定三年内完成", "agreed for within three years")),
        "2021; three years" => {
            Ok(lang.t("约定 2021 年起步、三年内完成", "agreed from 2021, within three years"))
        }
        other => Err(Fault::new(format!("reading clauses.csv: {other} is no known date")).into()),
    }
}

fn link(lang: Lang, names: &BTreeMap<String, PageName>, href: String) -> Result<Link> {
    let name =
        names.get(&href).ok_or_else(|| Fault::new(format!("reading pages.toml: {href} is missing")))?;
    Ok(Link { words: lang.t(&name.zh, &name.en).to_owned(), href })
}

#[cfg(test)]
mod tests {
    use super::{BTreeMap, Lang, PAGES, PageName, STATES, Said, State, read, tasks};

    #[test]
    fn every_clause_is_spoken_of_in_both_languages() {
        for lang in [Lang::Zh, Lang::En] {
            let tasks = tasks(lang).expect("the shipped files fit each other");
            assert_eq!(tasks.len(), 10);
            let clauses: Vec<_> = tasks.iter().flat_map(|task| &task.clauses).collect();
            assert_eq!(clauses.len(), 68);
            for clause in clauses {
                assert_eq!(clause.serves.is_empty(), clause.state == State::Open, "{}", clause.id);
                assert_eq!(clause.lacks.is_empty(), clause.state == State::Works, "{}", clause.id);
                assert!(!clause.pages.is_empty() || clause.state == State::Open, "{}", clause.id);
            }
        }
    }

    #[test]
    fn no_page_is_named_in_vain() {
        let said: BTreeMap<String, Said> = read("clauses.toml", STATES).expect("clauses");
        let names: BTreeMap<String, PageName> = read("pages.toml", PAGES).expect("pages");
        for href in names.keys() {
            assert!(said.values().any(|clause| clause.pages.contains(href)), "{href}");
        }
    }
}
