//! The view of a machine that stands in a hall (自助机): it lets nobody find the session of whoever was there before.
//!
//! A cookie says when the machine was used last, under the key of the forms. Beyond the limit, or when the view is
//! left, the session is over: in the database, not only in this browser. With script the page counts down beforehand.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use tb_base::Timestamp;

use crate::module::{Module, RouteInfo, Who};
use crate::page::{PageResult, redirect};
use crate::visit::Visit;
use crate::{App, Frame, Lang};

/// After so long without anybody the page counts down to nought.
pub(crate) const IDLE_SECONDS: i64 = 90;
/// A page tells of keys and touches at most every five seconds; the server waits for that.
const GRACE_SECONDS: i64 = 6;

/// The addresses of the machine's own pages.
const ROUTES: &[RouteInfo] = &[
    RouteInfo::get("/kiosk/over", Who::Public),
    RouteInfo::post("/kiosk/over", Who::Public),
    RouteInfo::get("/kiosk/stay", Who::Public),
];

/// The machine's own pages as a module of a site.
pub fn module() -> Module {
    let over = get(over).post(end);
    Module {
        id: "kiosk",
        clauses: &[],
        routes: Router::<App>::new().route("/kiosk/over", over).route("/kiosk/stay", get(stay)),
        handlers: Vec::new(),
        jobs: Vec::new(),
        schema: None,
        route_list: ROUTES,
    }
}

#[derive(Template, Serialize)]
#[template(path = "frame/kiosk_over.html")]
struct Over {
    frame: Frame,
    lang: Lang,
}

/// GET /kiosk/over
async fn over(visit: Visit) -> PageResult {
    visit.page(Over {
        frame: visit.frame("办完了，已经退出", "Finished and signed out"), lang: visit.lang
    })
}

/// POST /kiosk/over: takes no token, because whoever makes a machine sign out does no harm, and a late page may have none.
async fn end(visit: Visit) -> PageResult {
    visit.end_session().await?;
    Ok(visit.signed_out(redirect("/kiosk/over")))
}

/// GET /kiosk/stay: somebody is at the machine. That the request came is all that it says.
async fn stay() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// What the cookie of last use holds.
pub(crate) fn stamp(app: &App, now: Timestamp) -> String {
    let seconds = now.seconds();
    format!("{seconds}.{}", mac(app, seconds))
}

/// Whether the machine was used within the limit; a stamp of somebody else's making says no.
pub(crate) fn is_in_use(app: &App, stamp: Option<&str>, now: Timestamp) -> bool {
    let read = |stamp: &str| {
        let (seconds, given) = stamp.split_once('.')?;
        let seconds = seconds.parse::<i64>().ok()?;
        tb_crypto::constant_eq(mac(app, seconds).as_bytes(), given.as_bytes()).then_some(seconds)
    };
    let last = stamp.and_then(read);
    last.is_some_and(|last| (0..=IDLE_SECONDS + GRACE_SECONDS).contains(&now.seconds().saturating_sub(last)))
}

fn mac(app: &App, seconds: i64) -> String {
    let mac = tb_crypto::hmac_sha256(app.form_key(), format!("tongban kiosk {seconds}").as_bytes());
    mac.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stamp_is_good_for_a_while_and_nobody_else_makes_one() {
        let app = crate::support::app().await.expect("a sample site");
        let now = app.clock.now();
        let own = stamp(&app, now);
        let later = |seconds| now.plus_seconds(seconds);
        assert!(is_in_use(&app, Some(&own), now) && is_in_use(&app, Some(&own), later(IDLE_SECONDS)));
        assert!(!is_in_use(&app, Some(&own), later(IDLE_SECONDS + GRACE_SECONDS + 1)));
        assert!(!is_in_use(&app, Some(&own), later(-60)));
        let moved = own.replacen(&now.seconds().to_string(), &later(600).seconds().to_string(), 1);
        assert!(!is_in_use(&app, Some(&moved), later(600)));
        for bad in [None, Some(""), Some("1"), Some("x.y")] {
            assert!(!is_in_use(&app, bad, now), "{bad:?}");
        }
    }
}
