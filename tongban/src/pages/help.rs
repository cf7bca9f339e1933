//! 办不成事: what to do when something cannot be got done, and whom to ask.

use askama::Template;
use axum::Router;
use axum::routing::get;
use serde::Serialize;
use tb_web::{App, Frame, Lang, Module, PageResult, RouteInfo, Visit, Who};

const ROUTES: &[RouteInfo] = &[RouteInfo::get("/help", Who::Public)];

/// The page as a module of a site.
pub fn module() -> Module {
    Module {
        id: "help",
        clauses: &[],
        routes: Router::<App>::new().route("/help", get(show)),
        handlers: Vec::new(),
        jobs: Vec::new(),
        schema: None,
        route_list: ROUTES,
    }
}

#[derive(Template, Serialize)]
#[template(path = "help.html")]
struct Help {
    frame: Frame,
    lang: Lang,
}

async fn show(visit: Visit) -> PageResult {
    let frame = visit
        .frame("办不成事，找这里", "When something cannot be got done")
        .airy()
        .crumb("首页", "Start", "/");
    visit.page(Help { frame, lang: visit.lang })
}
