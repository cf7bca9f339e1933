//! One request as a handler sees it (访问): who, in which language, in which view, with which token.
//!
//! Made once per request by the outermost layer; handlers take it as an argument.

mod cookie;

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::Response;
use tb_base::{Actor, Ctx, Fault, Refusal, Role};

use cookie::Jar;

use crate::app::App;
use crate::frame::Frame;
use crate::lang::Lang;
use crate::page::{PageError, redirect};
use crate::session::{Account, Acting};
use crate::tour::TourBar;
use crate::{csrf, kiosk, query};

/// Where an anonymous visitor is sent to sign in; `?next=` brings her back.
pub const SIGN_IN: &str = "/sign-in";

/// Which of the views a page is shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewMode {
    /// The usual one (普通版).
    Standard,
    /// Larger, one column, only the main tasks (长者版).
    Elder,
    /// As large, on a machine in a hall, with a time-out (自助机).
    Kiosk,
}

impl ViewMode {
    fn named(name: Option<&str>) -> ViewMode {
        match name {
            Some("elder") => ViewMode::Elder,
            Some("kiosk") => ViewMode::Kiosk,
            _ => ViewMode::Standard,
        }
    }

    /// The value of the cookie and of `?view=`.
    pub fn key(self) -> &'static str {
        match self {
            ViewMode::Standard => "standard",
            ViewMode::Elder => "elder",
            ViewMode::Kiosk => "kiosk",
        }
    }

    /// Whether everything is large and in one column.
    pub fn is_large(self) -> bool {
        self != ViewMode::Standard
    }
}

/// What a visit owes to the machine that it was made on (自助机).
#[derive(Clone, Debug, Default)]
struct Machine {
    /// Whether the browser was in the machine's view before this request.
    is_one: bool,
    /// When it was used last, as its cookie says.
    stamp: Option<String>,
    /// Whether this request found that somebody had gone away and ended the session.
    is_left: bool,
}

/// One request. Cheap to clone.
#[derive(Clone)]
pub struct Visit {
    /// When, who, on which node, under which trace.
    pub ctx: Ctx,
    /// The language of the answer.
    pub lang: Lang,
    /// The view of the answer.
    pub view: ViewMode,
    /// Whether the caller is a program that asked for `application/json`.
    pub wants_json: bool,
    /// The token that a form of this visitor must carry.
    pub csrf: String,
    /// The path, without the query.
    pub path: String,
    /// The query, without the question mark; may be empty.
    pub query: String,
    /// The account that is signed in.
    pub account: Option<Arc<Account>>,
    /// The application.
    pub app: App,
    /// The token of the session, if there is one.
    pub session_token: Option<String>,
    /// Where the visitor came from on this very site, for links that lead back.
    pub came_from: Option<String>,
    /// Where the guided tour stands, as its cookie says; in `demo` only.
    pub tour_stand: Option<String>,
    /// What the bar of the guided tour says.
    pub(crate) tour: Option<Arc<TourBar>>,
    /// Whether the request only reads, so that it may be repeated after signing in.
    reads: bool,
    /// The cookie that ties forms to this browser.
    bound_cookie: Option<String>,
    /// A new cookie that ties forms to this browser, if it has none.
    fresh_cookie: Option<String>,
    machine: Machine,
}

impl Visit {
    /// The frame of a page with a title in both languages.
    pub fn frame(&self, zh: &str, en: &str) -> Frame {
        Frame::new(self, self.lang.t(zh, en))
    }

    /// Lets accounts with one of the roles through; sends an anonymous visitor to sign in.
    pub fn require(&self, roles: &[Role]) -> Result<(), PageError> {
        match self.ctx.actor.role() {
            Some(role) if roles.contains(&role) => Ok(()),
            Some(_) => Err(self.wrong_role().into()),
            None => Err(self.sign_in_first()),
        }
    }

    /// Lets anybody through who is signed in.
    pub fn require_account(&self) -> Result<&Account, PageError> {
        self.account.as_deref().ok_or_else(|| self.sign_in_first())
    }

    /// The enterprise that she chose to act for, if she did.
    pub fn acting(&self) -> Option<&Acting> {
        self.account.as_ref().and_then(|account| account.acting.as_ref())
    }

    /// A parameter of the query, decoded; the last one where it is given twice.
    pub fn param(&self, name: &str) -> Option<String> {
        query::get(&self.query, name)
    }

    /// This address with one parameter of the query set to another value.
    pub fn address_with(&self, name: &str, value: &str) -> String {
        format!("{}?{}", self.path, query::set(&self.query, name, value))
    }

    /// An answer that begins a session: the cookie lasts until the browser closes or the server ends it.
    pub fn signed_in(&self, token: &str, mut answer: Response) -> Response {
        cookie::put(&mut answer, &cookie::session(&self.app, token));
        answer
    }

    /// An answer from which on the guided tour stands there; `None` ends it.
    pub fn touring(&self, stand: Option<&str>, mut answer: Response) -> Response {
        cookie::put(&mut answer, &cookie::tour(&self.app, stand));
        answer
    }

    /// Asks whoever leads the guided tour what its bar says on this page.
    pub(crate) async fn be_guided(&mut self) {
        let guide = self.app.demo.as_ref().and_then(|demo| demo.guide.clone());
        if let (Some(guide), Some(_), false) = (guide, &self.tour_stand, self.wants_json) {
            self.tour = guide.bar(self).await.map(Arc::new);
        }
    }

    /// An answer that ends the session.
    pub fn signed_out(&self, mut answer: Response) -> Response {
        cookie::put(&mut answer, &cookie::session_over(&self.app));
        answer
    }

    fn sign_in_first(&self) -> PageError {
        if self.wants_json {
            let refusal = Refusal::not_allowed("WEB-WHO-001", "请先登录", "Sign in first");
            return PageError::unauthorized(refusal.but("登录后再来", "Sign in and come again"));
        }
        let here = match (self.reads, self.query.is_empty()) {
            (true, true) => self.path.clone(),
            (true, false) => format!("{}?{}", self.path, self.query),
            (false, _) => self.came_from.clone().unwrap_or_default(),
        };
        PageError::Elsewhere(Box::new(redirect(&format!("{SIGN_IN}?{}", query::set("", "next", &here)))))
    }

    fn wrong_role(&self) -> Refusal {
        Refusal::not_allowed(
            "WEB-WHO-002",
            "您现在的账户不能打开这一页",
            "The account that you are signed in with may not open this page",
        )
        .but(
            "换一个有权限的账户登录，或回到首页",
            "Sign in with an account that may, or go back to the start page",
        )
    }
}

/// A local address to go back to after signing in: never another site.
///
/// `//host` and `/\host` would leave this site, so a second slash of either kind is not let through.
pub fn safe_next(next: Option<&str>) -> &str {
    match next {
        Some(next)
            if next.starts_with('/')
                && !next.starts_with("//")
                && !next.contains('\\')
                && !next.contains(|letter: char| letter.is_ascii_control()) =>
        {
            next
        }
        _ => "/",
    }
}

impl Visit {
    /// Reads a request's head and finds who came.
    pub(crate) async fn of(
        app: &App,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> (Visit, Result<(), tb_base::Error>) {
        let mut visit = Visit::read(app, method, uri, headers);
        let found = visit.recognise().await;
        (visit, found)
    }

    /// Reads a request's head and asks nobody: enough for a page that turns somebody away.
    pub(crate) fn read(app: &App, method: &Method, uri: &Uri, headers: &HeaderMap) -> Visit {
        let jar = Jar::of(app, headers);
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let raw_query = uri.query().unwrap_or("").to_owned();
        let lang = query::get(&raw_query, "lang").as_deref().and_then(Lang::named);
        let view = query::get(&raw_query, "view").or_else(|| jar.view.clone());
        Visit {
            ctx: app.ctx(Actor::Anonymous),
            lang: lang.or_else(|| jar.lang.as_deref().and_then(Lang::named)).unwrap_or(Lang::Zh),
            view: ViewMode::named(view.as_deref()),
            wants_json: text(header::ACCEPT).is_some_and(|accept| accept.contains("application/json")),
            csrf: String::new(),
            path: uri.path().to_owned(),
            query: query::without(&raw_query, &["lang", "view"]),
            account: None,
            app: app.clone(),
            session_token: jar.session,
            came_from: came_from(headers),
            tour_stand: jar.tour,
            tour: None,
            reads: only_reads(method),
            bound_cookie: jar.visit,
            fresh_cookie: None,
            machine: Machine {
                is_one: ViewMode::named(jar.view.as_deref()) == ViewMode::Kiosk,
                stamp: jar.kiosk,
                is_left: false,
            },
        }
    }

    /// Finds the account, in the store only where there is a session cookie, and ties forms to the visitor.
    pub(crate) async fn recognise(&mut self) -> Result<(), tb_base::Error> {
        let found = self.look_up().await;
        let bound_to = self.session_token.clone().or_else(|| self.bound_cookie.take());
        let bound_to = bound_to.unwrap_or_else(|| self.draw_cookie());
        self.csrf = csrf::token(&self.app, &bound_to);
        found
    }

    fn draw_cookie(&mut self) -> String {
        let value: String = self.ctx.random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        self.fresh_cookie = Some(value.clone());
        value
    }

    /// Puts the cookies of this visit on its answer: language and view as chosen in the address, and the form's.
    pub(crate) fn remember(&self, query: &str, answer: &mut Response) {
        if let Some(value) = &self.fresh_cookie {
            cookie::put(answer, &cookie::visit(&self.app, value));
        }
        if query::get(query, "lang").as_deref().and_then(Lang::named).is_some() {
            cookie::put(answer, &cookie::lang(&self.app, self.lang.key()));
        }
        if query::get(query, "view").is_some() {
            cookie::put(answer, &cookie::view(&self.app, self.view.key()));
        }
        if self.machine.is_left {
            cookie::put(answer, &cookie::session_over(&self.app));
        }
        if self.view == ViewMode::Kiosk {
            cookie::put(answer, &cookie::kiosk(&self.app, &kiosk::stamp(&self.app, self.ctx.now)));
        }
    }

    /// Whether whoever was at the machine has gone away, or its view is left: her session must not be there any more.
    fn has_left_machine(&self) -> bool {
        let in_use = || kiosk::is_in_use(&self.app, self.machine.stamp.as_deref(), self.ctx.now);
        self.machine.is_one && (self.view != ViewMode::Kiosk || !in_use())
    }

    /// Ends the session that this request came with, if it came with one.
    pub(crate) async fn end_session(&self) -> Result<(), tb_base::Error> {
        match self.session_token.clone() {
            Some(token) => self.end(self.ctx.clone(), token).await,
            None => Ok(()),
        }
    }

    async fn end(&self, ctx: Ctx, token: String) -> Result<(), tb_base::Error> {
        let Some(end) = self.app.end() else { return Ok(()) };
        self.app.store.write("web.session.end", move |tx| end(tx, &ctx, &token)).await
    }

    async fn look_up(&mut self) -> Result<(), tb_base::Error> {
        let Some(token) = self.session_token.take() else { return Ok(()) };
        let (lookup, now, key) = (Arc::clone(&self.app.session), self.ctx.now, token.clone());
        let account = self.app.store.read("web.session", move |tx| lookup(tx, &key, now)).await?;
        if let Some(account) = account {
            if self.has_left_machine() {
                self.machine.is_left = true;
                return self.end(self.ctx.acting(account.actor), token).await;
            }
            self.ctx = self.ctx.acting(account.actor.clone());
            self.account = Some(Arc::new(account));
            self.session_token = Some(token);
            self.note_use().await?;
        }
        Ok(())
    }

    /// A session ends after half an hour without a request; this one was a request.
    async fn note_use(&self) -> Result<(), tb_base::Error> {
        let Some(token) = self.session_token.clone() else { return Ok(()) };
        let Some(keep) = self.app.keep(&token, self.ctx.now) else { return Ok(()) };
        let ctx = self.ctx.clone();
        self.app.store.write("web.session.keep", move |tx| keep(tx, &ctx, &token)).await
    }
}

/// Path and query of the referring page, if it is one of this site.
fn came_from(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let (_, rest) = headers.get(header::REFERER)?.to_str().ok()?.split_once("://")?;
    let path = rest.strip_prefix(host)?;
    // The path becomes a link; one that begins like another site's address is none.
    (safe_next(Some(path)) == path).then(|| path.to_owned())
}

impl<S> FromRequestParts<S> for Visit
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Visit, PageError> {
        if let Some(visit) = parts.extensions.get::<Visit>() {
            return Ok(visit.clone());
        }
        // A route outside of `site()`, as in tests of one handler.
        let (visit, found) =
            Visit::of(&App::from_ref(state), &parts.method, &parts.uri, &parts.headers).await;
        found.map_err(|error| PageError::from(Fault::of("looking up the session", error)))?;
        parts.extensions.insert(visit.clone());
        Ok(visit)
    }
}

/// Whether a method only reads.
pub(crate) fn only_reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    use axum::http::HeaderValue;

    #[track_caller]
    fn check(next: &str, expected: &str) {
        assert_eq!(safe_next(Some(next)), expected);
    }

    #[track_caller]
    fn check_came_from(referer: &str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("a.test:8430"));
        headers.insert(header::REFERER, HeaderValue::from_str(referer).expect("a header"));
        assert_eq!(came_from(&headers).as_deref(), expected, "{referer}");
    }

    #[test]
    fn the_way_back_stays_on_this_site() {
        check_came_from("http://a.test:8430/cases?tab=2", Some("/cases?tab=2"));
        check_came_from("http://a.test:8430//evil.example/", None);
        check_came_from("http://a.test:8430/\\evil.example/", None);
        check_came_from("http://a.test:8430.evil.example/", None);
        check_came_from("http://evil.example/", None);
        check_came_from("http://a.test:8430", None);
    }

    #[test]
    fn next_stays_on_this_site() {
        check("/cases/1?tab=2", "/cases/1?tab=2");
        check("//evil.example", "/");
        check("/\\evil.example", "/");
        check("https://evil.example/", "/");
        check("/a\r\nset-cookie: x", "/");
        check("", "/");
        assert_eq!(safe_next(None), "/");
    }
}
