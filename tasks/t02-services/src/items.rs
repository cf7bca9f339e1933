//! Finding an item (找事项): by words, department or content; every row says honestly what can be done with it.
//! Serves clause 2.1.

mod guide;
#[cfg(test)]
mod tests;

use askama::Template;
use axum::Router;
use axum::routing::get;
use serde::Serialize;
use tb_base::{Error, Refusal};
use tb_case::definitions::Item;
use tb_case::queue;
use tb_find::{Department, How};
use tb_web::ui::Pager;
use tb_web::{
    App, Choice, Field, Fields, Frame, Html, Input, Lang, PageError, PageResult, RouteInfo, Visit, Who,
    redirect, ui,
};

use crate::access::Shared;
use crate::home;
use crate::parts::Parts;
use crate::situations::Tile;
use crate::words::{Named, say};

pub(crate) use guide::again as guide_again;

/// The addresses of these pages.
pub(crate) const ROUTES: &[RouteInfo] =
    &[RouteInfo::get("/items", Who::Public), RouteInfo::get("/items/{no}", Who::Public)];

/// Rows of one page of the list.
const ROWS: usize = 30;
/// Situations beside what was found, at the most.
const SITUATIONS_MAX: usize = 2;
/// Letters of the code of a case.
const CODE_LETTERS: usize = 8;
const ONLINE: &[Choice<'static>] = &[Choice::new("online", "只看可办理的", "Only those to apply for")];

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/items", get(list)).route("/items/{no}", get(guide::show))
}

/// A row of the list.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ItemLine {
    /// Its number.
    pub no: u16,
    /// Its name; in Chinese where it is not translated.
    pub name: String,
    /// The language of the name, where it is not the page's.
    #[serde(skip)]
    pub name_lang: &'static str,
    /// The department, in Chinese as the list names it.
    pub department: String,
    /// The language of the department.
    #[serde(skip)]
    pub department_lang: &'static str,
    /// How it is handled.
    pub modes: Vec<String>,
    /// Whether it can be applied for here; otherwise it is a guide entry (办理指引).
    pub can_apply: bool,
}

impl ItemLine {
    pub(crate) fn of(lang: Lang, parts: &Parts, item: &Item) -> ItemLine {
        let (entry, finder) = (&item.entry, &parts.finding.finder);
        let name = Named::of(lang, &entry.title, item.title_en().or(finder.english(entry.number)));
        let group = finder.department_of(entry.number).map(|group| group.en.as_str());
        let department = Named::of(lang, &entry.department, group);
        ItemLine {
            no: entry.number,
            name: name.text,
            name_lang: name.lang,
            department: department.text,
            department_lang: department.lang,
            modes: entry.modes.iter().map(|mode| say(lang, &mode.name()).to_owned()).collect(),
            can_apply: item.online(),
        }
    }

    /// What can be done with it, as a mark.
    pub(crate) fn tag(&self, lang: &Lang) -> Html {
        match self.can_apply {
            true => ui::tag("done", lang.t("可办理", "Apply here")),
            false => ui::tag("plain", lang.t("办理指引", "Guide only")),
        }
    }
}

#[derive(Template, Serialize)]
#[template(path = "t02/items.html")]
struct Items {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    q: String,
    count: usize,
    items: Vec<ItemLine>,
    /// How the items belong to what was typed; empty where they hold it.
    how: &'static str,
    /// What may have happened to somebody who types this.
    situations: Vec<Tile>,
    pager: Pager,
    /// Nothing was found and it looks like the code of a case: who is not signed in must sign in to see one.
    may_be_code: bool,
    #[serde(skip)]
    is_signed_in: bool,
    #[serde(skip)]
    is_filtered: bool,
    #[serde(skip)]
    found: String,
    #[serde(skip)]
    filters: Html,
}

impl Items {
    /// Where one signs in and comes back to the code.
    fn sign_in(&self) -> String {
        let code: String = self.q.chars().filter(char::is_ascii_alphanumeric).collect();
        format!("/sign-in?next=%2Fitems%3Fq%3D{code}")
    }

    fn popular(&self) -> &'static [(&'static str, &'static str)] {
        home::POPULAR
    }
}

/// GET /items?q=&dept=&only=online: a code of a case of hers leads straight to it.
async fn list(visit: Visit, parts: Shared) -> PageResult {
    let q = visit.param("q").unwrap_or_default();
    let q: String = q.trim().chars().take(tb_find::QUERY_LETTERS_MAX).collect();
    if let Some(case) = own_case(&visit, &q).await? {
        return Ok(case);
    }
    let (lang, finding) = (visit.lang, &parts.finding);
    let found = finding.finder.find(&q);
    let all: Vec<&Item> = found.numbers.iter().filter_map(|no| parts.catalogue.item(*no)).collect();
    let chosen = narrowed(&visit, &parts, &all);
    let pager = Pager::of(&visit, chosen.len(), ROWS);
    let shown = chosen.iter().skip(pager.offset(ROWS)).take(ROWS);
    let title = if q.is_empty() { lang.t("全部事项", "All items").to_owned() } else { q.clone() };
    let title = format!("{title} · {}", lang.t("办事", "Services"));
    visit.page(Items {
        frame: visit.frame(&title, &title).crumb("首页", "Start", "/"),
        lang,
        count: chosen.len(),
        items: shown.map(|item| ItemLine::of(lang, &parts, item)).collect(),
        how: match found.how {
            How::All | How::AsTyped | How::Nothing => "",
            How::Alike => "alike",
            How::Partly => "partly",
        },
        situations: finding.situations.about(&q).take(SITUATIONS_MAX).map(|it| Tile::of(lang, it)).collect(),
        pager,
        filters: filters(&visit, &parts, &all),
        // Staff open cases from their own desks.
        may_be_code: is_code(&q, found.how)
            && (visit.account.is_none() || visit.ctx.actor.person().is_some()),
        is_signed_in: visit.account.is_some(),
        is_filtered: chosen.len() < all.len(),
        found: lang.count(chosen.len(), "项", "item", "items"),
        q,
    })
}

/// What the filters of the address leave of what was found.
fn narrowed<'a>(visit: &Visit, parts: &Parts, all: &[&'a Item]) -> Vec<&'a Item> {
    let only_online = visit.param("only").as_deref() == Some("online");
    let department = visit.param("dept").filter(|id| !id.is_empty());
    let fits = |item: &&&Item| {
        let group = parts.finding.finder.department_of(item.entry.number);
        (item.online() || !only_online)
            && department.as_ref().is_none_or(|id| group.is_some_and(|group| group.id == *id))
    };
    all.iter().filter(fits).copied().collect()
}

/// The filters; each department with how much of what was found is its own.
fn filters(visit: &Visit, parts: &Parts, all: &[&Item]) -> Html {
    let finder = &parts.finding.finder;
    let of = |group: &Department| {
        let same = |item: &&&Item| finder.department_of(item.entry.number).is_some_and(|it| it == group);
        all.iter().filter(same).count()
    };
    let counted = finder.departments().iter().map(|group| (group, of(group))).filter(|(_, count)| 0 < *count);
    let words: Vec<(&str, String, String)> = counted
        .map(|(group, count)| {
            (group.id.as_str(), format!("{}（{count}）", group.zh), format!("{} ({count})", group.en))
        })
        .collect();
    let departments: Vec<Choice<'_>> = words.iter().map(|(id, zh, en)| Choice::new(id, zh, en)).collect();
    let fields = [
        Field::new("dept", "哪个部门", "Department", Input::Select(&departments)),
        Field::new("only", "怎么办", "How", Input::Select(ONLINE)),
    ];
    Fields::from_query(visit).show_all(&fields)
}

/// Whether it looks like the code of a case, and like nothing else: a word that something sounds like has no digit.
fn is_code(q: &str, how: How) -> bool {
    let found_nothing = how == How::Nothing;
    let guessed = matches!(how, How::Alike | How::Partly);
    has_code_letters(q) && (found_nothing || (guessed && q.chars().any(|letter| letter.is_ascii_digit())))
}

fn has_code_letters(q: &str) -> bool {
    let letters = q.chars().filter(|letter| !letter.is_whitespace());
    letters.clone().all(|letter| letter.is_ascii_alphanumeric()) && letters.count() == CODE_LETTERS
}

/// Straight to a case, when a resident searches for its code.
async fn own_case(visit: &Visit, q: &str) -> Result<Option<axum::response::Response>, PageError> {
    let (true, Some(person)) = (has_code_letters(q), visit.ctx.actor.person()) else { return Ok(None) };
    let code = q.to_owned();
    let found = visit.app.store.read("t02.code", move |tx| {
        let Some(row) = queue::by_code(tx, &code)? else { return Ok(None) };
        Ok(tb_case::acts::person_of(tx, row.case)?.filter(|owner| *owner == person).map(|_| row.case))
    });
    Ok(found.await?.map(|case| redirect(&format!("/cases/{case}"))))
}

/// The item of an address.
pub(crate) fn find<'a>(parts: &'a Parts, no: &str) -> Result<&'a Item, Error> {
    no.parse::<u16>().ok().and_then(|no| parts.catalogue.item(no)).ok_or_else(|| {
        Refusal::gone("T02-ITM-001", "没有这个事项", "There is no such item")
            .but("从“办事”里找", "Look under services")
            .into()
    })
}

/// What is said to somebody who wants to apply for a guide entry.
pub(crate) fn guide_only() -> Refusal {
    Refusal::not_now(
        "T02-ITM-002",
        "本事项目前只有办理指引，不能在线提交",
        "This item is a guide entry and cannot be filed here",
    )
    .but("请按办理指引到窗口咨询", "Ask at a window, as the guide says")
}
