//! My cases (我的办件): the list, progress, what she may do, the receipt.
//! Serves clauses 2.3 to 2.5.
//!
//! Invariant: both cities show the same progress, because both show the owner's view as it came.

mod act;
pub(crate) mod decision;
mod list;
pub(crate) mod open;
mod papers;
pub(crate) mod progress;
pub(crate) mod receipt;
pub(crate) mod show;

use axum::Router;
use axum::routing::{get, post};
use tb_web::{App, RouteInfo};

use crate::RESIDENT;

pub(crate) use list::{CaseLine, DraftLine};

/// The addresses of these pages.
pub(crate) const ROUTES: &[RouteInfo] = &[
    RouteInfo::get("/cases", RESIDENT),
    RouteInfo::get("/cases/{case}", RESIDENT),
    RouteInfo::get("/cases/{case}/receipt", RESIDENT),
    RouteInfo::get("/cases/{case}/decision", RESIDENT),
    RouteInfo::post("/cases/{case}/correction", RESIDENT),
    RouteInfo::post("/cases/{case}/again", RESIDENT),
    RouteInfo::get("/cases/{case}/withdraw", RESIDENT),
    RouteInfo::post("/cases/{case}/withdraw", RESIDENT),
    RouteInfo::get("/cases/{case}/rate", RESIDENT),
    RouteInfo::post("/cases/{case}/rate", RESIDENT),
];

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/cases", get(list::show))
        .route("/cases/{case}", get(show::show))
        .route("/cases/{case}/receipt", get(receipt::show))
        .route("/cases/{case}/decision", get(decision::show))
        .route("/cases/{case}/correction", post(act::correct))
        .route("/cases/{case}/again", post(act::again))
        .route("/cases/{case}/withdraw", get(act::confirm_withdraw).post(act::withdraw))
        .route("/cases/{case}/rate", get(act::ask_rating).post(act::rate))
}
