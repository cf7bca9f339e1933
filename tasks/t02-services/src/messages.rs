//! Notices to her (消息): what happened to her cases, newest first.
//! Serves clause 2.4.

use askama::Template;
use axum::Router;
use axum::routing::{get, post};
use serde::Serialize;
use tb_base::{CaseId, MessageId};
use tb_case::notices;
use tb_identity::PAGE_ROWS;
use tb_identity::messages::{self, Notice};
use tb_identity::permit::Action;
use tb_web::{App, Form, Frame, Lang, PageResult, RouteInfo, Visit, redirect, ui};

use crate::RESIDENT;
use crate::access::resident;
use crate::words::say;

/// The addresses of this page.
pub(crate) const ROUTES: &[RouteInfo] =
    &[RouteInfo::get("/messages", RESIDENT), RouteInfo::post("/messages/read", RESIDENT)];

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/messages", get(show)).route("/messages/read", post(read))
}

#[derive(Template, Serialize)]
#[template(path = "t02/messages.html")]
struct Messages {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    unread: i64,
    messages: Vec<Line>,
    /// The page, from 1.
    page: u32,
    /// Whether older ones follow.
    more: bool,
}

#[derive(Serialize)]
struct Line {
    id: MessageId,
    template: String,
    text: String,
    at: String,
    case: Option<CaseId>,
    /// The page that it is about.
    href: Option<String>,
    is_read: bool,
}

/// GET /messages?page=
async fn show(visit: Visit) -> PageResult {
    let (person, _) = resident(&visit.ctx, Action::ReadOwnMessages)?;
    let page = visit.param("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).max(1);
    let found = visit.app.store.read("t02.messages", move |tx| {
        Ok((messages::of_person(tx, person, page - 1)?, messages::unread(tx, person)?))
    });
    let (found, unread) = found.await?;
    let lang = visit.lang;
    visit.page(Messages {
        frame: visit.frame("消息", "Messages").crumb("首页", "Start", "/"),
        lang,
        unread,
        more: i64::try_from(found.len()).unwrap_or(0) == PAGE_ROWS,
        messages: found.iter().map(|notice| line(lang, notice)).collect(),
        page,
    })
}

fn line(lang: Lang, notice: &Notice) -> Line {
    let of_case = || Some(say(lang, &notices::words(&notice.template, &notice.params)?).to_owned());
    let of_licence = || {
        let (zh, en) = tb_licence::store::notices::words(&notice.template, &notice.params)?;
        Some(lang.t(&zh, &en).to_owned())
    };
    let of_enquiry = || {
        let (zh, en) = tb_enquiry::notices::words(&notice.template, &notice.params)?;
        Some(lang.t(&zh, &en).to_owned())
    };
    let unknown = || lang.t("您有一条新消息。", "You have a new message.").to_owned();
    let text = of_case().or_else(of_licence).or_else(of_enquiry).unwrap_or_else(unknown);
    Line {
        id: notice.id,
        template: notice.template.clone(),
        text,
        at: lang.time(notice.at),
        href: notice
            .case
            .map(|case| format!("/cases/{case}"))
            .or_else(|| tb_enquiry::notices::href(&notice.template, &notice.params)),
        case: notice.case,
        is_read: notice.read_at.is_some(),
    }
}

/// POST /messages/read: marks what the first page shows as read.
async fn read(visit: Visit, _: Form) -> PageResult {
    let (person, _) = resident(&visit.ctx, Action::ReadOwnMessages)?;
    let ctx = visit.ctx.clone();
    let marked = visit.app.store.write("t02.messages.read", move |tx| {
        for notice in messages::of_person(tx, person, 0)?.iter().filter(|notice| notice.read_at.is_none()) {
            messages::mark_read(tx, &ctx, person, notice.id)?;
        }
        Ok(())
    });
    marked.await?;
    Ok(redirect("/messages"))
}
