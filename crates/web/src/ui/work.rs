//! What a person works with all day (工作台): the line of who comes next, the bar of decisions, the keys.

use askama::Template;
use askama::filters::HtmlSafe;
use serde::Serialize;

use super::steps::CityMark;
use crate::html::Html;
use crate::lang::Lang;

/// One who waits, or one case in a short list.
#[derive(Clone, Debug, Default, Serialize)]
pub struct QueueItem {
    /// What is called out, such as K037.
    pub number: String,
    /// Where it leads; empty for nowhere.
    pub href: String,
    /// What it is about.
    pub title: String,
    /// A second, quieter line.
    pub note: String,
    /// The city that it concerns.
    pub city: Option<CityMark>,
    /// How long it has waited, in words.
    pub waits: String,
    /// `""`, `on` (at the counter now) or `late`.
    pub mark: &'static str,
}

/// Who comes next (叫号, 队列).
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/queue.html")]
pub struct Queue {
    /// What waits here; for those who do not see it.
    #[serde(skip)]
    pub label: String,
    /// In the order in which they are called.
    pub items: Vec<QueueItem>,
    /// Where the one at the counter is said to be; for those who do not see colours.
    #[serde(skip)]
    pub lang: Lang,
}

/// What a button of the bar does.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Sends the form, with `do` set to this.
    Send(String),
    /// Goes to a page that asks for more.
    Go(String),
}

/// A button of the bar.
#[derive(Clone, Debug, Serialize)]
pub struct DecideAct {
    /// What it says.
    pub text: String,
    /// What it does.
    pub act: Act,
    /// `""` filled, `line`, `stop`, `text`.
    pub kind: &'static str,
    /// The key that does the same; empty for none.
    pub key: &'static str,
}

impl DecideAct {
    /// A button that goes to a page.
    pub fn go(text: impl Into<String>, href: impl Into<String>, kind: &'static str) -> DecideAct {
        DecideAct { text: text.into(), act: Act::Go(href.into()), kind, key: "" }
    }

    /// A button that sends the bar's form.
    pub fn send(text: impl Into<String>, value: impl Into<String>, kind: &'static str) -> DecideAct {
        DecideAct { text: text.into(), act: Act::Send(value.into()), kind, key: "" }
    }

    /// Gives it a key.
    #[must_use]
    pub fn key(self, key: &'static str) -> DecideAct {
        DecideAct { key, ..self }
    }
}

/// The bar of decisions, which stays in sight at the foot of a wide screen (决定栏).
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/decide.html")]
pub struct Decide {
    /// The language of the page.
    #[serde(skip)]
    pub lang: Lang,
    /// What stands to be decided, such as 还差 1 条由您判断.
    pub text: String,
    /// What a decision means; may be empty.
    pub note: String,
    /// The buttons; the filled one last.
    pub acts: Vec<DecideAct>,
    /// Where buttons that send are sent to.
    #[serde(skip)]
    pub action: String,
    /// Hidden fields of the form: name and value; the token of the session is added.
    #[serde(skip)]
    pub hidden: Vec<(String, String)>,
    #[serde(skip)]
    token: String,
}

impl Decide {
    /// A bar whose form is sent to `action` with the page's token.
    pub fn of(lang: Lang, text: impl Into<String>, action: impl Into<String>, csrf: &str) -> Decide {
        Decide {
            lang,
            text: text.into(),
            note: String::new(),
            acts: Vec::new(),
            action: action.into(),
            hidden: Vec::new(),
            token: csrf.to_owned(),
        }
    }

    /// Adds a button.
    #[must_use]
    pub fn act(mut self, act: DecideAct) -> Decide {
        self.acts.push(act);
        self
    }

    /// Says what a decision means.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Decide {
        Decide { note: note.into(), ..self }
    }

    fn csrf(&self) -> Html {
        super::csrf(&self.token)
    }

    fn sends(&self) -> bool {
        self.acts.iter().any(|act| matches!(act.act, Act::Send(_)))
    }
}

/// The keys of a work page, with a switch that turns the single letters off (快捷键).
///
/// A part of the page names its key with `data-key` and shows it in `ui::key`; both are only seen where script runs.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/keys.html")]
pub struct Keys {
    lang: Lang,
    keys: Vec<(&'static str, String)>,
}

impl Keys {
    /// The keys and what they do.
    pub fn of(lang: Lang, keys: &[(&'static str, &str)]) -> Keys {
        Keys { lang, keys: keys.iter().map(|(key, does)| (*key, (*does).to_owned())).collect() }
    }
}

/// The parts as HTML.
macro_rules! parts {
    ($($name:ident),+) => {$(
        impl HtmlSafe for $name {}

        impl $name {
            /// The part as HTML.
            pub fn html(&self) -> Html {
                Html::of(self)
            }
        }
    )+};
}

parts!(Queue, Decide, Keys);
