//! What happened (一件事): the items that follow, in order, who does each, and one list of what is needed.
//! Serves clause 2.2.
//!
//! Invariant: a step says honestly whether it can be handed in here; what no city confirmed is told as practice.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde::Serialize;
use tb_base::Refusal;
use tb_find::{Situation, Step, Text};
use tb_web::{App, Frame, Lang, PageResult, RouteInfo, Visit, Who, ui};

use crate::access::Shared;
use crate::items::ItemLine;
use crate::parts::Parts;

/// The addresses of these pages.
pub(crate) const ROUTES: &[RouteInfo] =
    &[RouteInfo::get("/situations", Who::Public), RouteInfo::get("/situations/{id}", Who::Public)];

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/situations", get(list)).route("/situations/{id}", get(show))
}

/// A situation as a link.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Tile {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) about: String,
}

impl Tile {
    pub(crate) fn of(lang: Lang, situation: &Situation) -> Tile {
        Tile {
            id: situation.id.clone(),
            title: say(lang, &situation.title).to_owned(),
            about: say(lang, &situation.about).to_owned(),
        }
    }
}

/// The half of a text that the page speaks.
fn say(lang: Lang, text: &Text) -> &str {
    lang.t(&text.zh, &text.en)
}

#[derive(Template, Serialize)]
#[template(path = "t02/situations.html")]
struct All {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    situations: Vec<Tile>,
}

/// GET /situations
async fn list(visit: Visit, parts: Shared) -> PageResult {
    let lang = visit.lang;
    visit.page(All {
        frame: visit.frame("一件事", "What happened").crumb("首页", "Start", "/"),
        lang,
        situations: parts.finding.situations.all().iter().map(|it| Tile::of(lang, it)).collect(),
    })
}

#[derive(Template, Serialize)]
#[template(path = "t02/situation.html")]
struct One {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    id: String,
    title: String,
    lead: String,
    steps: Vec<Way>,
    papers: Vec<Need>,
    /// The first item that can be handed in here.
    first: Option<ItemLine>,
    /// How many of the items can be.
    can_apply: usize,
    item_count: usize,
}

/// A step.
#[derive(Serialize)]
struct Way {
    title: String,
    when: String,
    who: String,
    /// Its items; of several, one is chosen.
    items: Vec<ItemLine>,
    papers: Vec<String>,
}

/// A paper, and the steps that ask for it.
#[derive(Serialize)]
struct Need {
    name: String,
    steps: Vec<usize>,
}

impl Need {
    fn words(&self, lang: &Lang) -> String {
        let numbers: Vec<String> = self.steps.iter().map(ToString::to_string).collect();
        match lang {
            Lang::Zh => format!("第 {} 步", numbers.join("、")),
            Lang::En if numbers.len() == 1 => format!("step {}", numbers.join("")),
            Lang::En => format!("steps {}", numbers.join(", ")),
        }
    }
}

impl Way {
    /// The item, where the step is nothing but one.
    fn only(&self) -> Option<&ItemLine> {
        self.items.first().filter(|item| self.items.len() == 1 && item.name == self.title)
    }
}

impl One {
    /// What the button says that leads to what can be handed in here.
    fn begin(&self) -> String {
        let is_first = |step: &Way| step.items.iter().any(|item| item.can_apply);
        let step = self.steps.iter().position(is_first).map_or(1, |at| at + 1);
        match self.lang {
            Lang::Zh => format!("去办第 {step} 步"),
            Lang::En => format!("Go to step {step}"),
        }
    }

    /// What of it can be handed in here, honestly.
    fn honest(&self) -> String {
        let (can, all) = (self.can_apply, self.item_count);
        match (self.lang, can) {
            (Lang::Zh, 0) => {
                format!("这件事里的 {all} 项现在都还不能在这里提交；下面告诉您先后、找谁、带什么。")
            }
            (Lang::Zh, can) => {
                format!("这件事里的 {all} 项，现在有 {can} 项能在这里提交；其余的告诉您找谁、带什么。")
            }
            (Lang::En, 0) => {
                format!(
                    "None of these {all} items can be handed in here yet; below is the order, whom to see and what to bring."
                )
            }
            (Lang::En, can) => {
                format!(
                    "Of these {all} items, {can} can be handed in here now; for the others it says whom to see and what to bring."
                )
            }
        }
    }
}

/// GET /situations/{id}
async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let lang = visit.lang;
    let situations = &parts.finding.situations;
    let situation = situations.get(&id).ok_or_else(|| {
        Refusal::gone("T02-SIT-001", "没有这件事的说明", "There is no such page")
            .but("从首页的“遇到了什么事”里选", "Choose under ‘What happened’ on the start page")
    })?;
    let steps: Vec<Way> = situation.steps.iter().map(|step| way(lang, &parts, step)).collect();
    let mut items: Vec<&ItemLine> = steps.iter().flat_map(|step| &step.items).collect();
    items.sort_by_key(|item| item.no);
    items.dedup_by_key(|item| item.no);
    let papers = situations.list(situation).into_iter();
    let title = say(lang, &situation.title).to_owned();
    visit.page(One {
        frame: visit.frame(&title, &title).crumb("首页", "Start", "/").crumb(
            "一件事",
            "What happened",
            "/situations",
        ),
        lang,
        id: situation.id.clone(),
        title,
        lead: say(lang, &situation.lead).to_owned(),
        papers: papers
            .map(|(paper, steps)| Need { name: lang.t(&paper.zh, &paper.en).to_owned(), steps })
            .collect(),
        first: items.iter().find(|item| item.can_apply).map(|item| (*item).clone()),
        can_apply: items.iter().filter(|item| item.can_apply).count(),
        item_count: items.len(),
        steps,
    })
}

fn way(lang: Lang, parts: &Parts, step: &Step) -> Way {
    let items = step.items.iter().filter_map(|number| parts.catalogue.item(*number));
    let items: Vec<ItemLine> = items.map(|item| ItemLine::of(lang, parts, item)).collect();
    let papers = step.papers.iter().filter_map(|id| parts.finding.situations.paper(id));
    let title = step.title.as_ref().map(|title| say(lang, title).to_owned());
    Way {
        title: title.or(items.first().map(|item| item.name.clone())).unwrap_or_default(),
        when: say(lang, &step.when).to_owned(),
        who: say(lang, &step.who).to_owned(),
        papers: papers.map(|paper| lang.t(&paper.zh, &paper.en).to_owned()).collect(),
        items,
    }
}
