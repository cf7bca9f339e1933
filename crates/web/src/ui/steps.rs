//! The line of steps (进度): who holds a case, since when, and what it waits for.

use askama::Template;
use serde::Serialize;

use crate::app::CityFront;
use crate::html::Html;
use crate::lang::Lang;

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Behind us.
    Done,
    /// Going on.
    Now,
    /// Still to come.
    Next,
    /// Ended here without success.
    Stopped,
}

/// A city as components show it: seal and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CityMark {
    /// Its node.
    pub node: String,
    /// One character.
    #[serde(skip)]
    pub seal: String,
    /// Its name in the language of the page.
    pub name: String,
}

impl CityMark {
    /// The mark of a city.
    pub fn of(lang: Lang, front: &CityFront) -> CityMark {
        CityMark {
            node: front.node.to_string(),
            seal: front.seal.clone(),
            name: lang.t(&front.name, &front.name_en).to_owned(),
        }
    }
}

/// One step.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// How far it is.
    pub state: StepState,
    /// What it is called, such as 受理.
    pub title: String,
    /// The city that holds it.
    pub city: Option<CityMark>,
    /// Office and manner, such as 市交通运输局行政审批科.
    pub who: String,
    /// When it happened, or until when it will.
    pub when: String,
    /// What it waits for, and why; shown for the step that goes on.
    pub waits: Vec<String>,
    /// Receipts and papers of the step: text and address.
    pub links: Vec<(String, String)>,
}

impl Step {
    /// A step with nothing to say yet.
    pub fn new(state: StepState, title: impl Into<String>) -> Step {
        Step {
            state,
            title: title.into(),
            city: None,
            who: String::new(),
            when: String::new(),
            waits: Vec::new(),
            links: Vec::new(),
        }
    }

    fn class(&self) -> &'static str {
        match self.state {
            StepState::Done => "is-done",
            StepState::Now => "is-now",
            StepState::Next => "is-next",
            StepState::Stopped => "is-stop",
        }
    }

    fn is_now(&self) -> bool {
        self.state == StepState::Now
    }
}

/// The line itself.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/steps.html")]
#[serde(transparent)]
pub struct Steps {
    /// Its steps, the first on top.
    pub steps: Vec<Step>,
    /// Which words stand before the state for those who do not see colours.
    #[serde(skip)]
    pub lang: Lang,
}

impl Steps {
    fn state_word(&self, step: &Step) -> &'static str {
        match step.state {
            StepState::Done => self.lang.t("已完成：", "Done: "),
            StepState::Now => self.lang.t("正在办：", "Going on: "),
            StepState::Next => self.lang.t("还没到：", "To come: "),
            StepState::Stopped => self.lang.t("到此为止：", "Ended: "),
        }
    }

    /// The line as HTML.
    pub fn html(&self) -> Html {
        Html::of(self)
    }
}

impl askama::filters::HtmlSafe for Steps {}
