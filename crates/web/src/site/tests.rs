//! Tests of the site: what a browser and a program get, and what neither ever gets.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use axum::routing::{get, post};
use tb_base::{Fault, Role, Violation};
use tower::ServiceExt;

use super::site;
use crate::module::{Module, RouteInfo, Who};
use crate::support::{self, Line, RESIDENT_TOKEN, REVIEWER_TOKEN};
use crate::{App, Form, PageResult, Visit, redirect, styleguide};

const ROUTES: &[RouteInfo] = &[
    RouteInfo::get("/fault", Who::Public),
    RouteInfo::get("/panic", Who::Public),
    RouteInfo::get("/violation", Who::Public),
    RouteInfo::get("/fault/{of}", Who::Public),
    RouteInfo::get("/number/{number}", Who::Public),
    RouteInfo::get("/account", Who::SignedIn),
    RouteInfo::get("/review", Who::Roles(&[Role::Reviewer])),
    RouteInfo::post("/review", Who::Roles(&[Role::Reviewer])),
];

async fn fault() -> PageResult {
    Err(Fault::of("opening /secret/path", std::io::Error::other("password=hunter2")).into())
}

async fn violation() -> PageResult {
    Err(Violation::inconsistent("secret_table", 7).into())
}

async fn panic() -> PageResult {
    panic!("secret detail")
}

async fn number(axum::extract::Path(number): axum::extract::Path<u8>) -> String {
    number.to_string()
}

async fn who(visit: Visit) -> PageResult {
    Ok(redirect(&format!("/{}", visit.ctx.actor.role().map_or("nobody".into(), |role| format!("{role:?}")))))
}

async fn sent(_: Form) -> PageResult {
    Ok(redirect("/sent"))
}

fn module() -> Module {
    let routes: Router<App> = Router::new()
        .route("/fault", get(fault))
        .route("/violation", get(violation))
        .route("/fault/{of}", get(fault))
        .route("/panic", get(panic))
        .route("/number/{number}", get(number))
        .route("/account", get(who))
        .route("/review", get(who).post(sent))
        .route("/unlisted", post(sent).get(who));
    Module { routes, route_list: ROUTES, ..styleguide::module() }
}

async fn start() -> Router {
    let app = support::app().await.expect("a sample site");
    site(app, &[styleguide::module(), module()])
}

async fn ask(router: &Router, request: Request<Body>) -> Response<Body> {
    router.clone().oneshot(request).await.expect("an answer")
}

async fn text(answer: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn to(path: &str) -> axum::http::request::Builder {
    Request::builder().uri(path).header(header::HOST, "localhost")
}

fn fetch(path: &str) -> Request<Body> {
    to(path).body(Body::empty()).expect("a request")
}

fn as_account(path: &str, token: &str) -> axum::http::request::Builder {
    to(path).header(header::COOKIE, format!("tb_session_430100={token}"))
}

/// The cookie and the token that the page of a form hands out.
async fn form_page(router: &Router, path: &str) -> (String, String) {
    let answer = ask(router, fetch(path)).await;
    let cookie = answer.headers()[header::SET_COOKIE]
        .to_str()
        .expect("text")
        .split(';')
        .next()
        .unwrap_or("")
        .to_owned();
    (cookie, form_token(&text(answer).await))
}

/// The same for somebody who is signed in.
async fn own_form_page(router: &Router, path: &str) -> (String, String) {
    let cookie = format!("tb_session_430100={RESIDENT_TOKEN}");
    let page = ask(router, as_account(path, RESIDENT_TOKEN).body(Body::empty()).expect("a request")).await;
    (cookie, form_token(&text(page).await))
}

fn form_token(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a token");
    rest.split('"').next().unwrap_or("").to_owned()
}

fn send(path: &str, cookie: &str, body: impl Into<String>) -> Request<Body> {
    to(path)
        .method("POST")
        .header(header::COOKIE, cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.into()))
        .expect("a request")
}

#[tokio::test]
async fn style_guide_renders_in_both_languages() {
    let router = start().await;
    let zh = text(ask(&router, fetch("/styleguide")).await).await;
    assert!(zh.contains("<html lang=\"zh-CN\" data-city=\"430100\">"));
    assert!(zh.contains("<title>部件 · 我的长沙</title>"));
    let records = text(ask(&router, fetch("/styleguide/records")).await).await;
    assert!(records.contains("最晚办完") && records.contains("逐日写明"));
    let answer = ask(&router, fetch("/styleguide?lang=en")).await;
    let cookies: Vec<_> = answer
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .map(|it| it.to_str().expect("text").to_owned())
        .collect();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("tb_lang=en;")), "{cookies:?}");
    let en = text(answer).await;
    assert!(en.contains("<html lang=\"en\""));
    assert!(en.contains("Skip to the main part") && en.contains("Base and forms"));
    assert!(!en.contains("跳到主要内容"));
}

#[tokio::test]
async fn elder_view_is_an_address_away() {
    let page = text(ask(&start().await, fetch("/styleguide?view=elder")).await).await;
    assert!(page.contains("data-view=\"elder\""));
    assert!(page.contains("普通版") && page.contains("class=\"nav\""));
    let usual = text(ask(&start().await, fetch("/styleguide")).await).await;
    let is_extra = "<li><a href=\"/cases\">";
    assert!(usual.contains(is_extra) && !page.contains(is_extra), "main tasks only");
}

fn chapters() -> impl Iterator<Item = &'static str> {
    styleguide::ROUTES.iter().filter(|route| route.method == "GET").map(|route| route.path)
}

#[tokio::test]
async fn pages_are_light() {
    let router = start().await;
    let app = support::app().await.expect("a sample site");
    let paths: Vec<_> = chapters().flat_map(|path| [path.to_owned(), format!("{path}?lang=en")]).collect();
    for path in paths.iter().map(String::as_str).chain(["/nothing"]) {
        let bytes = text(ask(&router, fetch(path)).await).await.len();
        assert!(
            bytes + app.assets().weight_bytes() < 100_000,
            "{path} weighs {bytes} and the assets {}",
            app.assets().weight_bytes()
        );
    }
}

#[tokio::test]
async fn pages_carry_no_inline_style_or_script() {
    let router = start().await;
    for path in chapters() {
        let page = text(ask(&router, fetch(path)).await).await;
        for barred in [" style=", "<style", " onclick=", " onload=", "javascript:", "http://fonts"] {
            assert!(!page.contains(barred), "{path}: {barred}");
        }
        let ids: Vec<_> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        for (at, id) in ids.iter().enumerate() {
            assert!(!ids[..at].contains(id), "{path}: {id} stands twice");
        }
    }
}

/// Every kind of answer, in both kinds of line; the whole binary does the same with every address that it has.
#[tokio::test]
async fn answers_have_safe_headers() {
    for line in [Line::Plain, Line::Tls] {
        let app = support::app_over(line).await.expect("a sample site");
        let router = site(app, &[styleguide::module(), module()]);
        for path in [
            "/styleguide",
            "/nothing",
            "/fault",
            "/panic",
            "/healthz",
            "/favicon.ico",
            "/static/%FF",
            "/account",
        ] {
            for method in ["GET", "POST", "TRACE"] {
                let request = to(path).method(method).body(Body::empty()).expect("a request");
                let answer = ask(&router, request).await;
                for (name, value) in super::headers::HEADERS {
                    assert_eq!(answer.headers()[name], value, "{method} {path}");
                }
                let over_tls = answer.headers().contains_key("strict-transport-security");
                assert_eq!(over_tls, line == Line::Tls, "{method} {path}");
            }
        }
        let page = ask(&router, fetch("/styleguide")).await;
        assert_eq!(page.headers()[header::CACHE_CONTROL], "no-store");
    }
}

#[test]
fn the_policy_lets_nothing_in_from_elsewhere() {
    let policy = super::headers::HEADERS[0].1;
    for wanted in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
        assert!(policy.contains(wanted), "{wanted}");
    }
    for barred in ["unsafe", "*", "http:", "https:"] {
        assert!(!policy.contains(barred), "{barred}");
    }
}

#[tokio::test]
async fn too_many_forms_wait_and_lose_nothing() {
    let router = start().await;
    let send = |token: &str, body: &str| {
        as_account("/review?tab=2", token)
            .method("POST")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.to_owned()))
            .expect("a request")
    };
    let form = "csrf=abc&opinion=%3Cb%3E%E5%B1%9E%E5%AE%9E&day.y=2026";
    let mut answer = ask(&router, send(REVIEWER_TOKEN, form)).await;
    let mut sent = 1;
    while answer.status() != StatusCode::TOO_MANY_REQUESTS && sent < 200 {
        answer = ask(&router, send(REVIEWER_TOKEN, form)).await;
        sent += 1;
    }
    check_status(&answer, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
    let page = text(answer).await;
    assert!(page.contains("WEB-LIM-001") && page.contains("等 1 秒再试"), "{page}");
    assert!(page.contains("<form method=\"post\" action=\"/review?tab=2\">"), "{page}");
    assert!(page.contains("name=\"opinion\" value=\"&#60;b&#62;属实\""), "{page}");
    let secret = text(ask(&router, send(REVIEWER_TOKEN, "csrf=abc&password=hunter2")).await).await;
    assert!(!secret.contains("hunter2"), "{secret}");
    // Looking goes on, and so does everybody else.
    let page = as_account("/review", REVIEWER_TOKEN).body(Body::empty()).expect("a request");
    check_status(&ask(&router, page).await, StatusCode::SEE_OTHER);
    check_status(&ask(&router, send(RESIDENT_TOKEN, form)).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn assets_are_named_by_content() {
    let router = start().await;
    let page = text(ask(&router, fetch("/styleguide")).await).await;
    for (before, kind) in [("rel=\"stylesheet\" href=\"", "text/css"), ("script src=\"", "text/javascript")] {
        let path = page.split_once(before).expect("an asset").1.split('"').next().expect("an address");
        let answer = ask(&router, fetch(path)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(answer.headers()[header::CONTENT_TYPE].to_str().expect("text").starts_with(kind));
        assert!(answer.headers()[header::CACHE_CONTROL].to_str().expect("text").contains("immutable"));
        let body = text(answer).await;
        assert!(kind != "text/css" || body.contains("[data-city=\"430300\"] { --city: #66691a;"));
    }
    assert_eq!(ask(&router, fetch("/static/tongban-0.css")).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn programs_get_the_same_view_as_json() {
    let router = start().await;
    let seen = async |path: &str| -> serde_json::Value {
        let request = to(path).header(header::ACCEPT, "application/json").body(Body::empty());
        let answer = ask(&router, request.expect("a request")).await;
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
        serde_json::from_str(&text(answer).await).expect("JSON")
    };
    let basics = seen("/styleguide").await;
    assert_eq!(basics["frame"]["title"], "部件");
    assert_eq!(basics["frame"]["csrf"].as_str().map(str::len), Some(32));
    assert_eq!(basics["form"]["values"]["phone"][0], "13807314627");
    let records = seen("/styleguide/records").await;
    assert_eq!(records["steps"][2]["state"], "now");
    assert_eq!(records["due"]["unit"], "个工作日");
}

#[tokio::test]
async fn form_shows_every_error_and_keeps_what_was_typed() {
    let router = start().await;
    let (cookie, token) = form_page(&router, "/styleguide").await;
    let body = format!(
        "csrf={token}&name=%E8%B4%BA&phone=138&address=&day.y=2026&day.m=2&day.d=30&delivery=kiosk&county="
    );
    let answer = ask(&router, send("/styleguide", &cookie, body)).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = text(answer).await;
    assert!(page.contains("<title>有 6 处要改：部件 · 我的长沙</title>"), "{}", &page[..400]);
    assert!(page.contains("<a href=\"#phone\">手机号：现在是 3 位，应为 11 位数字</a>"));
    assert!(page.contains("<a href=\"#day\">到期日：没有这一天"));
    assert!(page.contains("<a href=\"#delivery\">新证怎么给您：请从列出的选项里选</a>"));
    assert!(page.contains(
        "id=\"phone\" name=\"phone\" type=\"tel\" inputmode=\"tel\" autocomplete=\"tel\" value=\"138\""
    ));
    assert!(page.contains("aria-describedby=\"phone-why\" aria-invalid=\"true\""));
    assert!(
        page.contains("value=\"贺\"")
            && page.contains("name=\"day.d\" inputmode=\"numeric\" maxlength=\"2\" value=\"30\"")
    );
    assert!(page.contains("tabindex=\"-1\" autofocus"));
}

#[tokio::test]
async fn form_that_is_right_is_taken() {
    let router = start().await;
    let (cookie, token) = form_page(&router, "/styleguide").await;
    let body = format!(
        "csrf={token}&name=x&phone=138+0731+4627&address=y&day.y=2026&day.m=2&day.d=3&delivery=post&county=430304&agree=yes"
    );
    let answer = ask(&router, send("/styleguide", &cookie, body)).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()[header::LOCATION], "/styleguide");
}

#[tokio::test]
async fn what_was_typed_is_escaped() {
    let router = start().await;
    let (cookie, token) = form_page(&router, "/styleguide").await;
    let body = format!("csrf={token}&name=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&phone=1");
    let page = text(ask(&router, send("/styleguide", &cookie, body)).await).await;
    assert!(!page.contains("<script>alert"));
}

#[track_caller]
fn check_status(answer: &Response<Body>, status: StatusCode) {
    assert_eq!(answer.status(), status);
}

#[tokio::test]
async fn forms_from_elsewhere_are_refused() {
    let router = start().await;
    let (cookie, token) = form_page(&router, "/styleguide").await;
    let no_token = ask(&router, send("/styleguide", &cookie, "name=x")).await;
    check_status(&no_token, StatusCode::FORBIDDEN);
    assert!(text(no_token).await.contains("WEB-FORM-001"));
    let other_cookie = ask(&router, send("/styleguide", "tb_visit=1234", format!("csrf={token}"))).await;
    check_status(&other_cookie, StatusCode::FORBIDDEN);
    let mut foreign = send("/styleguide", &cookie, format!("csrf={token}"));
    foreign.headers_mut().insert(header::ORIGIN, "https://evil.example".parse().expect("a value"));
    let foreign = ask(&router, foreign).await;
    check_status(&foreign, StatusCode::FORBIDDEN);
    assert!(text(foreign).await.contains("WEB-FORM-002"));
    let mut in_header = send("/styleguide", &cookie, "name=x");
    in_header.headers_mut().insert("x-csrf-token", token.parse().expect("a value"));
    check_status(&ask(&router, in_header).await, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn forms_have_a_size() {
    let router = start().await;
    let (cookie, token) = form_page(&router, "/styleguide").await;
    let long = format!("csrf={token}&name={}", "x".repeat(crate::form::TEXT_BYTES_MAX));
    let answer = ask(&router, send("/styleguide", &cookie, long)).await;
    check_status(&answer, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(text(answer).await.contains("WEB-FORM-004"));
    let many = format!("csrf={token}{}", "&name=x".repeat(crate::form::FIELDS_MAX + 1));
    assert!(text(ask(&router, send("/styleguide", &cookie, many)).await).await.contains("WEB-FORM-004"));
}

fn multipart(cookie: &str, token: &str, file_name: &str, content: &[u8]) -> Request<Body> {
    let mut body = format!(
        "--edge\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n\
         --edge\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\n贺志强\r\n\
         --edge\r\ncontent-disposition: form-data; name=\"paper\"; filename=\"{file_name}\"\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--edge--\r\n");
    let mut request = send("/styleguide", cookie, "");
    *request.body_mut() = Body::from(body);
    request
        .headers_mut()
        .insert(header::CONTENT_TYPE, "multipart/form-data; boundary=edge".parse().expect("a value"));
    request
}

#[tokio::test]
async fn uploads_are_refused_by_name() {
    let router = start().await;
    let (cookie, token) = own_form_page(&router, "/styleguide").await;
    let large = vec![b'x'; crate::FILE_BYTES_MAX + 1];
    let cases: [(&str, &[u8], &str); 4] = [
        ("a.exe", b"MZ\x90", "“a.exe”不是 PDF、PNG 或 JPG 文件"),
        ("half.pdf", b"%PDF-1.7 half", "“half.pdf”没有传完整或已损坏"),
        ("large.pdf", &large, "“large.pdf”超过 10 MB"),
        ("nil.pdf", b"", "“nil.pdf”是空文件"),
    ];
    for (name, content, words) in cases {
        let answer = ask(&router, multipart(&cookie, &token, name, content)).await;
        check_status(&answer, StatusCode::UNPROCESSABLE_ENTITY);
        let page = text(answer).await;
        assert!(page.contains(words), "{name}: {}", page.split("errors-title").nth(2).unwrap_or(&page));
        assert!(page.contains("value=\"贺志强\""), "{name}: what was typed is kept");
    }
    let good = text(ask(&router, multipart(&cookie, &token, "good.pdf", b"%PDF-1.7\n%%EOF\n")).await).await;
    assert!(!good.contains("href=\"#paper\""));
}

#[tokio::test]
async fn a_stranger_uploads_nothing_large() {
    let router = start().await;
    let (cookie, token) = form_page(&router, "/styleguide").await;
    let content = [b"%PDF-1.7\n".to_vec(), vec![b' '; 300_000], b"%%EOF\n".to_vec()].concat();
    let page = text(ask(&router, multipart(&cookie, &token, "a.pdf", &content)).await).await;
    assert!(page.contains("WEB-FORM-004"), "{page}");
    let (cookie, token) = own_form_page(&router, "/styleguide").await;
    let page = text(ask(&router, multipart(&cookie, &token, "a.pdf", &content)).await).await;
    assert!(!page.contains("WEB-FORM-004") && !page.contains("href=\"#paper\""), "{page}");
}

#[tokio::test]
async fn broken_requests_have_a_page() {
    let router = start().await;
    let (cookie, token) = form_page(&router, "/styleguide").await;
    let mut cut_off = multipart(&cookie, &token, "a.pdf", b"%PDF");
    *cut_off.body_mut() = Body::from("--edge\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\nabc");
    let answer = ask(&router, cut_off).await;
    check_status(&answer, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(answer).await.contains("WEB-FORM-003"));
    let wrong_path = ask(&router, fetch("/number/many")).await;
    check_status(&wrong_path, StatusCode::BAD_REQUEST);
    let page = text(wrong_path).await;
    assert!(page.contains("WEB-PAGE-002") && !page.contains("u8"), "{page}");
    let missing = ask(&router, fetch("/nothing")).await;
    check_status(&missing, StatusCode::NOT_FOUND);
    assert!(text(missing).await.contains("WEB-PAGE-001"));
    let wrong_method = to("/account").method("POST").body(Body::empty()).expect("a request");
    check_status(&ask(&router, wrong_method).await, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn faults_tell_nothing_but_their_trace() {
    let router = start().await;
    for path in ["/fault", "/violation", "/panic"] {
        let answer = ask(&router, fetch(path)).await;
        check_status(&answer, StatusCode::INTERNAL_SERVER_ERROR);
        let page = text(answer).await;
        assert!(page.contains("追踪号"), "{path}");
        assert!(!page.contains("secret") && !page.contains("hunter2"), "{path}");
        let request =
            to(path).header(header::ACCEPT, "application/json").body(Body::empty()).expect("a request");
        let answer = ask(&router, request).await;
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
        let problem = text(answer).await;
        assert!(problem.contains("\"trace\":") && !problem.contains("secret"), "{problem}");
    }
}

/// The log lines of this thread, as they are written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Lines {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = String::new();
        let mut write = |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            line.push_str(&format!(" {}={value:?}", field.name()));
        };
        event.record(&mut write);
        self.0.lock().expect("the lines").push(line);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// What stands in an address may be a person's; the log names the route.
#[tokio::test]
async fn a_fault_line_names_the_route_and_not_the_address() {
    let router = start().await;
    let lines = Lines::default();
    // With one listener alone, a line that another thread writes first would be switched off for all.
    let _second = tracing::Dispatch::new(Lines::default());
    let listening = tracing::subscriber::set_default(lines.clone());
    let answer = ask(&router, fetch("/fault/430302199001017777?name=zhang")).await;
    drop(listening);
    check_status(&answer, StatusCode::INTERNAL_SERVER_ERROR);
    let lines = lines.0.lock().expect("the lines").join("\n");
    assert!(
        lines.contains("fault while opening /secret/path") && lines.contains("route=\"/fault/{of}\""),
        "{lines}"
    );
    assert!(!lines.contains("430302199001017777") && !lines.contains("zhang"), "{lines}");
}

#[tokio::test]
async fn roles_are_held_at_the_door() {
    let router = start().await;
    let anonymous = ask(&router, fetch("/review?tab=2")).await;
    check_status(&anonymous, StatusCode::SEE_OTHER);
    assert_eq!(anonymous.headers()[header::LOCATION], "/sign-in?next=%2Freview%3Ftab%3D2");
    let program =
        to("/review").header(header::ACCEPT, "application/json").body(Body::empty()).expect("a request");
    check_status(&ask(&router, program).await, StatusCode::UNAUTHORIZED);
    let resident = as_account("/review", RESIDENT_TOKEN).body(Body::empty()).expect("a request");
    let resident = ask(&router, resident).await;
    check_status(&resident, StatusCode::FORBIDDEN);
    assert!(text(resident).await.contains("WEB-WHO-002"));
    let reviewer = as_account("/review", REVIEWER_TOKEN).body(Body::empty()).expect("a request");
    assert_eq!(ask(&router, reviewer).await.headers()[header::LOCATION], "/Reviewer");
    let over = as_account("/account", "long-over").body(Body::empty()).expect("a request");
    check_status(&ask(&router, over).await, StatusCode::SEE_OTHER);
}

/// The cookies that an answer sets.
fn cookies(answer: &Response<Body>) -> Vec<String> {
    let lines = answer.headers().get_all(header::SET_COOKIE).iter();
    lines.map(|it| it.to_str().expect("text").split(';').next().expect("a pair").to_owned()).collect()
}

/// A machine in a hall: its session goes on while somebody is there, and is ended in the store when nobody was,
/// when its mark is missing, or when its view is left.
#[tokio::test]
async fn a_machine_keeps_nobodys_session() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let ended = std::sync::Arc::new(AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&ended);
    let app = support::app().await.expect("a sample site").ending(std::sync::Arc::new(move |_, _, token| {
        assert_eq!(token, RESIDENT_TOKEN);
        count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }));
    let router = site(app, &[styleguide::module(), crate::kiosk::module(), module()]);
    let session = format!("tb_session_430100={RESIDENT_TOKEN}");
    let with = |path: &str, more: &str| {
        let request = to(path).header(header::COOKIE, format!("{session}; {more}"));
        request.body(Body::empty()).expect("a request")
    };
    let led = |answer: &Response<Body>| answer.headers()[header::LOCATION].to_str().expect("text").to_owned();
    let first = ask(&router, with("/account?view=kiosk", "tb_view=standard")).await;
    assert_eq!(led(&first), "/Resident");
    let set = cookies(&first);
    let stamp = set.iter().find(|it| it.starts_with("tb_kiosk=")).expect("a mark").clone();
    assert!(set.contains(&"tb_view=kiosk".to_owned()), "{set:?}");
    let there = ask(&router, with("/account", &format!("tb_view=kiosk; {stamp}"))).await;
    assert_eq!((led(&there).as_str(), ended.load(Ordering::Relaxed)), ("/Resident", 0));
    for (at, (path, more)) in [
        ("/account", "tb_view=kiosk".to_owned()),
        ("/account", "tb_view=kiosk; tb_kiosk=1.00".to_owned()),
        ("/account?view=standard", format!("tb_view=kiosk; {stamp}")),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = ask(&router, with(path, &more)).await;
        assert!(led(&answer).starts_with("/sign-in"), "{path} {more}");
        assert!(cookies(&answer).contains(&"tb_session_430100=".to_owned()), "{path} {more}");
        assert_eq!(ended.load(Ordering::Relaxed), at + 1, "{path} {more}");
    }
    let end = with("/kiosk/over", &format!("tb_view=kiosk; {stamp}"));
    let (mut parts, body) = end.into_parts();
    parts.method = axum::http::Method::POST;
    let answer = ask(&router, Request::from_parts(parts, body)).await;
    assert_eq!(answer.headers()[header::LOCATION], "/kiosk/over");
    assert_eq!(ended.load(Ordering::Relaxed), 4);
    let page = text(ask(&router, with("/kiosk/over", &format!("tb_view=kiosk; {stamp}"))).await).await;
    assert!(page.contains("data-idle=\"90\"") && page.contains("English"), "{page}");
    assert!(!page.contains("/account") && !page.contains("长者版") && !page.contains("普通版"), "{page}");
}

#[tokio::test]
async fn unlisted_addresses_are_shut() {
    let router = start().await;
    check_status(&ask(&router, fetch("/unlisted")).await, StatusCode::INTERNAL_SERVER_ERROR);
    let sent = as_account("/unlisted", REVIEWER_TOKEN).method("POST").body(Body::empty()).expect("a request");
    check_status(&ask(&router, sent).await, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn staff_sees_its_own_menu() {
    let router = start().await;
    let request = as_account("/styleguide", REVIEWER_TOKEN).body(Body::empty()).expect("a request");
    let page = text(ask(&router, request).await).await;
    assert!(page.contains("待办") && !page.contains("href=\"/licences\""));
    assert!(page.contains("宋岚") && page.contains("长沙市交通运输局"));
}

#[tokio::test]
async fn health_is_told() {
    let answer = ask(&start().await, fetch("/healthz")).await;
    check_status(&answer, StatusCode::OK);
    assert_eq!(text(answer).await, "ok\n");
}
