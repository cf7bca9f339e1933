//! The site of one city (站点): all modules behind one layer that knows the visitor and lets nothing leak.
//!
//! In order: pace of the address → visit (session, language, token) → origin of changes → body → a place
//! → listed address and role → pace of the account → handler → error page → cookies → headers.

mod again;
mod failure;
mod headers;
mod intake;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, MatchedPath, Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tb_base::{Actor, Fault, Refusal, TraceId};
use tracing::Instrument as _;

use crate::app::App;
use crate::assets::Reads;
use crate::caller::Caller;
use crate::limits::{self, Class, IsStaff};
use crate::module::{Module, RouteInfo, Who};
use crate::page::PageError;
use crate::visit::{Visit, only_reads};
use crate::{csrf, form};

/// A handler that takes longer has failed; the client is told so.
const HANDLER_SECONDS_MAX: u64 = 30;
/// One that nobody waits for any more may still finish within this time, then it gives its place back.
const LATE_SECONDS_MAX: u64 = 120;
/// A database that has not answered in this time does not answer.
const HEALTH_SECONDS_MAX: u64 = 5;

/// The router of a city's site: static files, `/healthz`, and the modules.
pub fn site(app: App, modules: &[Module]) -> Router {
    site_behind(app, modules, |site| site)
}

/// The same with something before the pages that may answer in their stead; its answers have the headers of all.
pub fn site_behind(app: App, modules: &[Module], before: impl FnOnce(Router<App>) -> Router<App>) -> Router {
    let mut pages = Router::new();
    let mut listed = Listed::default();
    for module in modules {
        pages = pages.merge(module.routes.clone());
        listed.add(module.route_list);
    }
    let guarded = pages.route_layer(from_fn_with_state(Arc::new(listed), guard));
    let outer = from_fn_with_state(app.clone(), enter);
    let whole = guarded
        .fallback(nothing_here)
        .layer(outer)
        .layer(DefaultBodyLimit::max(form::BODY_BYTES_MAX))
        .route("/static/{name}", get(asset))
        .route("/favicon.ico", get(favicon))
        .route("/healthz", get(healthz));
    before(whole).layer(from_fn_with_state(app.clone(), headers::put)).with_state(app)
}

/// The trace of the act that an answer belongs to, for whoever logs requests.
#[derive(Clone, Copy, Debug)]
pub struct TraceOf(pub TraceId);

async fn asset(
    State(app): State<App>,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
) -> Response {
    match name {
        Ok(Path(name)) => app.assets().answer(&name, Reads::of(&headers)).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn favicon(State(app): State<App>, headers: HeaderMap) -> Response {
    app.assets().favicon(Reads::of(&headers)).into_response()
}

/// Whether the process answers and its database too. Asking costs a read, so it has the pace of anything else.
async fn healthz(State(app): State<App>, request: Request) -> Response {
    let caller = app.gate().origins().caller(request.extensions(), request.headers());
    if app.gate().knock(caller, app.clock.now()).is_err() {
        return (StatusCode::TOO_MANY_REQUESTS, "too many requests\n").into_response();
    }
    let within = Duration::from_secs(HEALTH_SECONDS_MAX);
    let problem = match tokio::time::timeout(within, app.store.answers()).await {
        Ok(Ok(())) => return (StatusCode::OK, "ok\n").into_response(),
        Ok(Err(error)) => error.to_string(),
        Err(late) => late.to_string(),
    };
    tracing::error!(problem, "the store does not answer");
    (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response()
}

async fn nothing_here() -> PageError {
    Refusal::gone("WEB-PAGE-001", "没有这一页，或者已经不在了", "There is no such page, or not any more")
        .but("检查地址，或从首页找", "Check the address, or look from the start page")
        .into()
}

/// Who may come where, by method and path, and what it is counted as.
#[derive(Default)]
struct Listed(BTreeMap<(&'static str, &'static str), (Who, Class)>);

impl Listed {
    fn add(&mut self, routes: &'static [RouteInfo]) {
        let entry = |route: &RouteInfo| ((route.method, route.path), (route.who, route.class));
        self.0.extend(routes.iter().map(entry));
    }

    fn find(&self, method: &Method, path: &str) -> Option<(Who, Class)> {
        // Axum answers HEAD with the handler of GET.
        let method = if method == Method::HEAD { "GET" } else { method.as_str() };
        self.0.iter().find(|((m, p), _)| *m == method && *p == path).map(|(_, found)| *found)
    }
}

/// Lets through what is listed, whom the list names, and not too much of it.
async fn guard(State(listed): State<Arc<Listed>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let (Some(visit), Some(caller)) =
        (request.extensions().get::<Visit>(), request.extensions().get::<Caller>().copied())
    else {
        return PageError::from(Fault::new("looking for the visit of a request")).into_response();
    };
    let found = listed.find(request.method(), path);
    let allowed = match found {
        Some((Who::Public, _)) => Ok(()),
        Some((Who::SignedIn, _)) => visit.require_account().map(drop),
        Some((Who::Roles(roles), _)) => visit.require(roles),
        None if listed.0.keys().any(|(_, it)| *it == path) => {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        None => Err(Fault::new(format!("serving {path}, which no module lists")).into()),
    };
    if let Err(error) = allowed {
        return error.into_response();
    }
    let class = match found {
        Some((_, Class::Page)) if visit.wants_json => Class::Program,
        Some((_, class)) => class,
        None => Class::Page,
    };
    let account = visit.account.as_ref().map(|account| account.id.as_str());
    match visit.app.gate().ask(class, account, caller, visit.ctx.now) {
        Ok(()) => next.run(request).await,
        Err(error) => again::offered(class, request, error.into_response()).await,
    }
}

/// The outermost layer: makes the visit, and sees to it that every answer is whole and safe.
async fn enter(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let caller = app.gate().origins().caller(request.extensions(), request.headers());
    request.extensions_mut().insert(caller);
    let mut visit = Visit::read(&app, request.method(), request.uri(), request.headers());
    let query = request.uri().query().unwrap_or("").to_owned();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let answer = match admit(&mut visit, caller, request).await {
        Ok((request, places)) => run(request, next, places).await,
        Err(error) => error.into_response(),
    };
    let mut answer = failure::shown(&visit, route.as_ref().map_or("none", MatchedPath::as_str), answer);
    visit.remember(&query, &mut answer);
    answer.extensions_mut().insert(TraceOf(visit.ctx.trace));
    answer
}

/// Everything that is asked before a handler: pace, account, the origin of changes, the body, a place.
///
/// Whoever is slow to send holds no place in work: those are for requests that are there.
async fn admit(
    visit: &mut Visit,
    caller: Caller,
    request: Request,
) -> Result<(Request, Vec<limits::Place>), PageError> {
    let app = visit.app.clone();
    app.gate().knock(caller, visit.ctx.now)?;
    visit.recognise().await?;
    let is_staff = match visit.ctx.actor {
        Actor::Staff { .. } => IsStaff::Yes,
        _ => IsStaff::No,
    };
    visit.be_guided().await;
    let mut request = request;
    request.extensions_mut().insert(visit.clone());
    if only_reads(request.method()) {
        return Ok((request, vec![app.gate().place(is_staff, caller)?]));
    }
    csrf::check_origin(request.headers())?;
    let on_its_way = app.gate().body(is_staff, caller)?;
    let (request, upload) = intake::whole(visit, request).await?;
    drop(on_its_way);
    let places = std::iter::once(app.gate().place(is_staff, caller)?).chain(upload);
    Ok((request, places.collect()))
}

/// Runs the handler on a task of its own: a client that goes away does not cut it in two,
/// and a panic in it becomes a page like any other fault.
async fn run(request: Request, next: Next, places: Vec<limits::Place>) -> Response {
    let handler = async move {
        let answer = tokio::time::timeout(Duration::from_secs(LATE_SECONDS_MAX), next.run(request)).await;
        drop(places);
        answer.unwrap_or_else(|late| PageError::from(Fault::of("ending a handler", late)).into_response())
    };
    let task = tokio::spawn(handler.in_current_span());
    match tokio::time::timeout(Duration::from_secs(HANDLER_SECONDS_MAX), task).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => PageError::from(Fault::of("running a handler", error)).into_response(),
        Err(late) => PageError::from(Fault::of("waiting for a handler", late)).into_response(),
    }
}
