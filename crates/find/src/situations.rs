//! What can happen to somebody (一件事) as a way through items: in which order, who, when, with which papers.
//!
//! Invariant: a situation names only items that exist, and every paper that it names is told.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::words::plain;

/// Situations, and steps of one, at the most.
const COUNT_MAX: usize = 50;

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// A paper that a step asks for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// Its id, as steps name it.
    pub id: String,
    /// Its name.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// One step (一步).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its items, of which one is chosen; none where the step is in no list.
    pub items: Vec<u16>,
    /// What it is called, where it is not called as its only item.
    pub title: Option<Text>,
    /// When it can be done.
    pub when: Text,
    /// Who does it.
    pub who: Text,
    /// Papers that are usually asked for.
    pub papers: Vec<String>,
}

/// A situation (一件事).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Situation {
    /// Its id in addresses.
    pub id: String,
    /// What people type when it happened; in small letters.
    pub words: Vec<String>,
    /// What happened.
    pub title: Text,
    /// What it is about, in a few words.
    pub about: Text,
    /// What one has to know before the first step.
    pub lead: Text,
    /// The steps, in the order in which they are done.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// All situations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Situations {
    #[serde(rename = "paper")]
    papers: Vec<Paper>,
    #[serde(rename = "situation")]
    all: Vec<Situation>,
}

impl Situations {
    /// Reads the file and says everything that is wrong with it.
    pub fn read(text: &str, items: &BTreeSet<u16>) -> Result<Situations, Vec<String>> {
        let read: Situations = toml::from_str(text).map_err(|error| vec![error.to_string()])?;
        let problems = read.problems(items);
        if problems.is_empty() { Ok(read) } else { Err(problems) }
    }

    /// Every situation, in the order of the file.
    pub fn all(&self) -> &[Situation] {
        &self.all
    }

    /// The situation of an id.
    pub fn get(&self, id: &str) -> Option<&Situation> {
        self.all.iter().find(|it| it.id == id)
    }

    /// The situations that a query speaks of.
    pub fn about(&self, query: &str) -> impl Iterator<Item = &Situation> {
        let query = plain(query);
        self.all.iter().filter(move |it| {
            it.title.zh == query.trim() || it.words.iter().any(|word| query.contains(word.as_str()))
        })
    }

    /// The situations that an item belongs to.
    pub fn with_item(&self, number: u16) -> impl Iterator<Item = &Situation> {
        self.all.iter().filter(move |it| it.steps.iter().any(|step| step.items.contains(&number)))
    }

    /// The paper of an id.
    pub fn paper(&self, id: &str) -> Option<&Paper> {
        self.papers.iter().find(|paper| paper.id == id)
    }

    /// Every paper of a situation once, and the steps, from 1, that ask for it.
    pub fn list(&self, situation: &Situation) -> Vec<(&Paper, Vec<usize>)> {
        let steps = |paper: &Paper| -> Vec<usize> {
            let asks = |(_, step): &(usize, &Step)| step.papers.contains(&paper.id);
            situation.steps.iter().enumerate().filter(asks).map(|(at, _)| at + 1).collect()
        };
        let all = self.papers.iter().map(|paper| (paper, steps(paper)));
        all.filter(|(_, steps)| !steps.is_empty()).collect()
    }

    fn problems(&self, items: &BTreeSet<u16>) -> Vec<String> {
        let mut problems = Vec::new();
        let mut ids = BTreeSet::new();
        if COUNT_MAX < self.all.len() {
            problems.push(format!("{} situations, at most {COUNT_MAX}", self.all.len()));
        }
        for situation in &self.all {
            let id = situation.id.as_str();
            if !id.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-') || !ids.insert(id) {
                problems.push(format!("{id} is no id, or stands twice"));
            }
            if situation.steps.is_empty() || COUNT_MAX < situation.steps.len() {
                problems.push(format!("{id} has {} steps", situation.steps.len()));
            }
            for step in &situation.steps {
                let strange = step.items.iter().filter(|number| !items.contains(number));
                problems
                    .extend(strange.map(|number| format!("{id} names item {number}, which is not there")));
                let untold = step.papers.iter().filter(|paper| self.paper(paper).is_none());
                problems
                    .extend(untold.map(|paper| format!("{id} names the paper {paper}, which is not told")));
                if step.title.is_none() && step.items.len() != 1 {
                    problems.push(format!("a step of {id} has no title and not one item"));
                }
            }
        }
        problems
    }
}
