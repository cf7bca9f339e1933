//! The site of one city (站点): all modules behind one layer that knows the visitor and lets nothing leak.
//!
//! In order: visit (session, language, token) → origin of changes → listed address and role → handler
//! → error page → cookies → headers.

mod failure;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Path, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tb_base::{Fault, Refusal};

use crate::app::App;
use crate::module::{Module, RouteInfo, Who};
use crate::page::PageError;
use crate::visit::{Visit, only_reads};
use crate::{csrf, form};

/// A handler that takes longer has failed; the client is told so.
const HANDLER_SECONDS_MAX: u64 = 30;

/// The router of a city's site: static files, `/healthz`, and the modules.
pub fn site(app: App, modules: &[Module]) -> Router {
    let mut pages = Router::new();
    let mut listed = Listed::default();
    for module in modules {
        pages = pages.merge(module.routes.clone());
        listed.add(module.route_list);
    }
    let guarded = pages.route_layer(from_fn_with_state(Arc::new(listed), guard));
    let outer = from_fn_with_state(app.clone(), enter);
    guarded
        .fallback(nothing_here)
        .layer(outer)
        .layer(DefaultBodyLimit::max(form::BODY_BYTES_MAX))
        .route("/static/{name}", get(asset))
        .route("/favicon.ico", get(favicon))
        .route("/healthz", get(healthz))
        .with_state(app)
}

async fn asset(State(app): State<App>, Path(name): Path<String>) -> Response {
    with_headers(app.assets().answer(&name).into_response())
}

async fn favicon(State(app): State<App>) -> Response {
    with_headers(app.assets().favicon().into_response())
}

/// Whether the process answers and its database too.
async fn healthz(State(app): State<App>) -> Response {
    match app.store.read("web.health", |_| Ok(())).await {
        Ok(()) => with_headers((StatusCode::OK, "ok\n").into_response()),
        Err(error) => {
            tracing::error!(%error, "the store does not answer");
            with_headers((StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response())
        }
    }
}

async fn nothing_here() -> PageError {
    Refusal::gone("WEB-PAGE-001", "没有这一页，或者已经不在了", "There is no such page, or not any more")
        .but("检查地址，或从首页找", "Check the address, or look from the start page")
        .into()
}

/// Who may come where, by method and path.
#[derive(Default)]
struct Listed(BTreeMap<(&'static str, &'static str), Who>);

impl Listed {
    fn add(&mut self, routes: &'static [RouteInfo]) {
        self.0.extend(routes.iter().map(|route| ((route.method, route.path), route.who)));
    }

    fn who(&self, method: &Method, path: &str) -> Option<Who> {
        // Axum answers HEAD with the handler of GET.
        let method = if method == Method::HEAD { "GET" } else { method.as_str() };
        self.0.iter().find(|((m, p), _)| *m == method && *p == path).map(|(_, who)| *who)
    }
}

/// Lets through what is listed, and whom the list names.
async fn guard(State(listed): State<Arc<Listed>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let Some(visit) = request.extensions().get::<Visit>() else {
        return PageError::from(Fault::new("looking for the visit of a request")).into_response();
    };
    let allowed = match listed.who(request.method(), path) {
        Some(Who::Public) => Ok(()),
        Some(Who::SignedIn) => visit.require_account().map(drop),
        Some(Who::Roles(roles)) => visit.require(roles),
        None if listed.0.keys().any(|(_, it)| *it == path) => {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        None => Err(Fault::new(format!("serving {path}, which no module lists")).into()),
    };
    match allowed {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// The outermost layer: makes the visit, and sees to it that every answer is whole and safe.
async fn enter(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let (visit, found) = Visit::of(&app, request.method(), request.uri(), request.headers()).await;
    let allowed = found.map_err(PageError::from).and_then(|()| match only_reads(request.method()) {
        true => Ok(()),
        false => csrf::check_origin(request.headers()).map_err(PageError::from),
    });
    let query = request.uri().query().unwrap_or("").to_owned();
    request.extensions_mut().insert(visit.clone());
    let answer = match allowed {
        Ok(()) => run(request, next).await,
        Err(error) => error.into_response(),
    };
    let mut answer = failure::shown(&visit, answer);
    visit.remember(&query, &mut answer);
    with_headers(answer)
}

/// Runs the handler on a task of its own: a client that goes away does not cut it in two,
/// and a panic in it becomes a page like any other fault.
async fn run(request: Request, next: Next) -> Response {
    let task = tokio::spawn(async move { next.run(request).await });
    match tokio::time::timeout(Duration::from_secs(HANDLER_SECONDS_MAX), task).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => PageError::from(Fault::of("running a handler", error)).into_response(),
        Err(late) => PageError::from(Fault::of("waiting for a handler", late)).into_response(),
    }
}

/// What a browser may do with our pages, and what it may tell others.
const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

fn with_headers(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    // Pages hold personal data: no cache keeps them, whatever stands between us and the browser.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.append(header::VARY, HeaderValue::from_static("accept, cookie"));
    answer
}
