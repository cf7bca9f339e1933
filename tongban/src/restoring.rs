//! The site of a city that is being restored (恢复中): one page, until the other cities have told what they hold.
//!
//! Nobody acts on what the city has forgotten, so nothing behind this page runs.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::RETRY_AFTER;
use tb_node::{Node, Standing};

/// What tells a watchdog that the process lives.
const ALIVE: &str = "/healthz";
/// When a browser may ask again.
const AGAIN_SECONDS: &str = "30";

/// The site, behind this page while the node may not sign. Headers and log lines are put around it by whoever calls.
pub fn until_sound<S: Clone + Send + Sync + 'static>(site: Router<S>, node: Arc<Node>) -> Router<S> {
    site.layer(middleware::from_fn(move |request: Request, next: Next| {
        let node = node.clone();
        async move {
            if request.uri().path() == ALIVE || node.is_sound().await {
                return next.run(request).await;
            }
            page(&node.standing())
        }
    }))
}

fn page(standing: &Standing) -> Response {
    let mut cities = String::new();
    if let Standing::Recovering { waits_for, .. } = standing {
        for city in waits_for.keys() {
            let _ = write!(cities, " {city}");
        }
    }
    let (zh, en) = if cities.is_empty() {
        (String::new(), String::new())
    } else {
        (format!("正在等待：{cities}。"), format!("It waits for:{cities}."))
    };
    let body = format!(
        "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>系统恢复中 · Being restored</title>\
         <h1>系统恢复中</h1><p>本市数据正由备份恢复，并与其他城市核对，暂不办理业务，请稍后再来。{zh}</p>\
         <h1 lang=\"en\">Being restored</h1><p lang=\"en\">This city's data is being restored from a backup and \
         compared with the other cities. Nothing can be done here for now; come back later. {en}</p></html>"
    );
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, AGAIN_SECONDS)], Html(body)).into_response()
}
