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

#[derive(Deserialize)]
struct Said {
    state: String,
    serves: String,
    lacks: String,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    task: String,
    text: String,
    due: String,
}

#[derive(Serialize)]
struct Clause {
    id: String,
    text: String,
    due: String,
    state: String,
    serves: String,
    lacks: String,
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
    works: usize,
    begun: usize,
    open: usize,
    tasks: Vec<Task>,
    paragraphs: Vec<&'static str>,
}

impl Agreement {
    /// Mark and word of a state.
    fn state(&self, state: &str) -> tb_web::Html {
        match state {
            "works" => ui::tag("done", self.lang.t("能用", "Works")),
            "begun" => ui::tag("now", self.lang.t("部分能用", "In part")),
            _ => ui::tag("", self.lang.t("还没有", "Not yet")),
        }
    }
}

async fn show(visit: Visit) -> PageResult {
    let tasks = tasks()?;
    let count = |state: &str| {
        tasks.iter().flat_map(|task| &task.clauses).filter(|clause| clause.state == state).count()
    };
    visit.page(Agreement {
        frame: visit
            .frame("协议与完成情况", "The agreement and its state")
            .airy()
            .crumb("首页", "Start", "/"),
        lang: visit.lang,
        works: count("works"),
        begun: count("begun"),
        open: count("open"),
        tasks,
        paragraphs: TEXT
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with(">>"))
            .collect(),
    })
}

/// Tasks with their clauses, in the order of the agreement.
fn tasks() -> Result<Vec<Task>> {
    let said: BTreeMap<String, Said> =
        toml::from_str(STATES).map_err(|error| Fault::of("reading clauses.toml", error))?;
    let mut tasks: Vec<Task> = Vec::new();
    for row in csv::Reader::from_reader(CLAUSES.as_bytes()).deserialize() {
        let row: Row = row.map_err(|error| Fault::of("reading clauses.csv", error))?;
        let said = said
            .get(&row.id)
            .ok_or_else(|| Fault::new(format!("reading clauses.toml: {} is missing", row.id)))?;
        if tasks.last().is_none_or(|task| task.name != row.task) {
            tasks.push(Task { number: tasks.len() + 1, name: row.task, clauses: Vec::new() });
        }
        let clause = Clause {
            id: row.id,
            text: row.text,
            due: row.due,
            state: said.state.clone(),
            serves: said.serves.clone(),
            lacks: said.lacks.clone(),
        };
        if let Some(task) = tasks.last_mut() {
            task.clauses.push(clause);
        }
    }
    Ok(tasks)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_clause_is_spoken_of() {
        let tasks = super::tasks().expect("the shipped files fit each other");
        assert_eq!(tasks.len(), 10);
        assert_eq!(tasks.iter().map(|task| task.clauses.len()).sum::<usize>(), 68);
    }
}
