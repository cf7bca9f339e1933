//! The start page (首页).
//! Serves clause 2.1.

use axum::Router;
use axum::routing::get;
use tb_web::{App, PageResult, RouteInfo, Visit, Who, redirect};

/// The addresses of this page.
pub(crate) const ROUTES: &[RouteInfo] = &[RouteInfo::get("/", Who::Public)];

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/", get(show))
}

async fn show(_: Visit) -> PageResult {
    Ok(redirect("/items"))
}
