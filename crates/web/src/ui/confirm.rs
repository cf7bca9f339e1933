//! The page that asks once more before what cannot be taken back (确认页): a page, not a pop-up.

use askama::Template;
use askama::filters::HtmlSafe;
use serde::Serialize;

use super::list::Summary;
use crate::frame::Frame;
use crate::html::Html;
use crate::page::PageResult;
use crate::visit::Visit;

/// What is asked, and the two ways on.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/confirm.html")]
pub struct Confirm {
    /// What happens then, one sentence each.
    pub text: Vec<String>,
    /// What it concerns; none for nothing more.
    pub facts: Option<Summary>,
    /// What the button says: the act itself, not "yes".
    pub button: String,
    /// `""` filled, or `stop` for what takes something away.
    pub kind: &'static str,
    /// Where the form is sent.
    #[serde(skip)]
    pub action: String,
    /// Hidden fields: name and value.
    #[serde(skip)]
    pub hidden: Vec<(String, String)>,
    /// The way back: text and address.
    #[serde(skip)]
    pub back: (String, String),
    #[serde(skip)]
    token: String,
}

impl Confirm {
    /// A question whose button sends a form to `action`.
    pub fn of(
        visit: &Visit,
        button: impl Into<String>,
        action: impl Into<String>,
        back: (&str, &str),
    ) -> Confirm {
        Confirm {
            text: Vec::new(),
            facts: None,
            button: button.into(),
            kind: "",
            action: action.into(),
            hidden: Vec::new(),
            back: (back.0.to_owned(), back.1.to_owned()),
            token: visit.csrf.clone(),
        }
    }

    /// Says one thing that happens then.
    #[must_use]
    pub fn says(mut self, text: impl Into<String>) -> Confirm {
        self.text.push(text.into());
        self
    }

    /// Shows what it concerns.
    #[must_use]
    pub fn about(self, facts: Summary) -> Confirm {
        Confirm { facts: Some(facts), ..self }
    }

    /// Takes something away: the button is red.
    #[must_use]
    pub fn stops(self) -> Confirm {
        Confirm { kind: "stop", ..self }
    }

    /// Adds a hidden field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Confirm {
        self.hidden.push((name.to_owned(), value.into()));
        self
    }

    fn csrf(&self) -> Html {
        super::csrf(&self.token)
    }

    /// The question as HTML, without its heading.
    pub fn html(&self) -> Html {
        Html::of(self)
    }
}

impl HtmlSafe for Confirm {}

#[derive(Template, Serialize)]
#[template(path = "frame/confirm.html")]
struct Page {
    frame: Frame,
    confirm: Confirm,
}

impl Visit {
    /// The page that asks; its heading, the title of the frame, is the question.
    pub fn confirm(&self, frame: Frame, confirm: Confirm) -> PageResult {
        self.page(Page { frame, confirm })
    }
}
