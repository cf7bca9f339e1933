//! Finding an item (找事项): by words, department or content; every row says honestly what can be done with it.
//! Serves clause 2.1.

mod guide;
mod search;

use askama::Template;
use axum::Router;
use axum::routing::get;
use serde::Serialize;
use tb_base::{Error, Refusal};
use tb_case::definitions::Item;
use tb_case::queue;
use tb_web::ui::Pager;
use tb_web::{App, Frame, Lang, PageError, PageResult, RouteInfo, Visit, Who, redirect, ui};

use crate::access::Shared;
use crate::parts::Parts;
use crate::words::{Named, say};

pub(crate) use guide::again as guide_again;
pub(crate) use search::search;

/// The addresses of these pages.
pub(crate) const ROUTES: &[RouteInfo] =
    &[RouteInfo::get("/items", Who::Public), RouteInfo::get("/items/{no}", Who::Public)];

/// Rows of one page of the list.
const ROWS: usize = 30;
/// Letters of a search at the most.
const LETTERS_MAX: usize = 60;
/// Letters of the code of a case.
const CODE_LETTERS: usize = 8;

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
    /// The department, as the list names it.
    pub department: String,
    /// How it is handled.
    pub modes: Vec<String>,
    /// Whether it can be applied for here; otherwise it is a guide entry (办理指引).
    pub can_apply: bool,
}

impl Items {
    /// Where one signs in and comes back to the code.
    fn sign_in(&self) -> String {
        let code: String = self.q.chars().filter(char::is_ascii_alphanumeric).collect();
        format!("/sign-in?next=%2Fitems%3Fq%3D{code}")
    }
}

impl ItemLine {
    pub(crate) fn of(lang: Lang, item: &Item) -> ItemLine {
        let name = Named::of(lang, &item.entry.title, item.title_en());
        ItemLine {
            no: item.entry.number,
            name: name.text,
            name_lang: name.lang,
            department: item.entry.department.clone(),
            modes: item.entry.modes.iter().map(|mode| say(lang, &mode.name()).to_owned()).collect(),
            can_apply: item.online(),
        }
    }

    /// What can be done with it, as a mark.
    pub(crate) fn tag(&self, lang: &Lang) -> tb_web::Html {
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
    pager: Pager,
    only_online: bool,
    /// Nothing was found and it looks like the code of a case: who is not signed in must sign in to see one.
    may_be_code: bool,
    #[serde(skip)]
    is_signed_in: bool,
    #[serde(skip)]
    found: String,
}

/// GET /items?q=&only=online: a code of a case of hers leads straight to it.
async fn list(visit: Visit, parts: Shared) -> PageResult {
    let q: String = visit.param("q").unwrap_or_default().trim().chars().take(LETTERS_MAX).collect();
    if let Some(case) = own_case(&visit, &q).await? {
        return Ok(case);
    }
    let only_online = visit.param("only").as_deref() == Some("online");
    let all = search(&parts.catalogue, &q).into_iter();
    let found: Vec<&Item> = all.filter(|item| item.online() || !only_online).collect();
    let pager = Pager::of(&visit, found.len(), ROWS);
    let shown = found.iter().skip(pager.offset(ROWS)).take(ROWS);
    let lang = visit.lang;
    let title = if q.is_empty() { lang.t("全部事项", "All items").to_owned() } else { q.clone() };
    let title = format!("{title} · {}", lang.t("办事", "Services"));
    visit.page(Items {
        frame: visit.frame(&title, &title).crumb("首页", "Start", "/"),
        lang,
        count: found.len(),
        items: shown.map(|item| ItemLine::of(lang, item)).collect(),
        pager,
        only_online,
        // Staff open cases from their own desks.
        may_be_code: found.is_empty()
            && is_code(&q)
            && (visit.account.is_none() || visit.ctx.actor.person().is_some()),
        is_signed_in: visit.account.is_some(),
        found: lang.count(found.len(), "项", "item", "items"),
        q,
    })
}

/// Whether it looks like the code of a case.
fn is_code(q: &str) -> bool {
    let letters = q.chars().filter(|letter| !letter.is_whitespace());
    letters.clone().all(|letter| letter.is_ascii_alphanumeric()) && letters.count() == CODE_LETTERS
}

/// Straight to a case, when a resident searches for its code.
async fn own_case(visit: &Visit, q: &str) -> Result<Option<axum::response::Response>, PageError> {
    let (true, Some(person)) = (is_code(q), visit.ctx.actor.person()) else { return Ok(None) };
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
