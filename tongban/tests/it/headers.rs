//! Every address of a city, asked by every kind of account (响应头): what stands above each answer, whatever it says.

use tb_base::Role;
use tb_identity::seed;
use tb_store::{Stmt, Tx, params, stmt};

use crate::sockets::{People, Site, status};

/// Above every answer; the values are held by the tests of the pages themselves.
const ALWAYS: [&str; 8] = [
    "content-security-policy: default-src 'none'; ",
    "x-content-type-options: nosniff",
    "x-frame-options: DENY",
    "referrer-policy: same-origin",
    "cross-origin-opener-policy: same-origin",
    "cross-origin-resource-policy: same-origin",
    "permissions-policy: camera=(), ",
    "vary: accept, cookie",
];

fn between<'a>(text: &'a str, before: &str, after: char) -> &'a str {
    text.split_once(before).and_then(|(_, rest)| rest.split(after).next()).unwrap_or("")
}

async fn ask(site: &Site, method: &str, path: &str, cookie: &str) -> String {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: city.test\r\nconnection: close\r\ncookie: {cookie}\r\n\
         content-length: 0\r\n\r\n"
    );
    site.send(request.as_bytes()).await
}

/// The session cookie of an account.
async fn sign_in(site: &Site, login: &str) -> String {
    let page = ask(site, "GET", "/sign-in", "").await;
    let (cookie, token) =
        (between(&page, "set-cookie: ", ';'), between(&page, "name=\"csrf\" value=\"", '"'));
    let body = format!("csrf={token}&login={login}&password={}", seed::DEMO_PASSWORD);
    let request = format!(
        "POST /sign-in HTTP/1.1\r\nhost: city.test\r\nconnection: close\r\ncookie: {cookie}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = site.send(request.as_bytes()).await;
    assert_eq!(status(&answer), 303, "{login}: {answer}");
    let head = answer.split("\r\n\r\n").next().unwrap_or("");
    for line in head.lines().filter(|line| line.starts_with("set-cookie: ")) {
        assert!(line.contains("; HttpOnly") && line.contains("; SameSite=Lax"), "{line}");
    }
    format!("tb_session_430100={}", between(head, "tb_session_430100=", ';'))
}

#[track_caller]
fn check(answer: &str, what: &str) {
    check_head(answer, what);
    assert!(status(answer) < 500, "{what}: {answer}");
}

#[track_caller]
fn check_head(answer: &str, what: &str) {
    let head = answer.split("\r\n\r\n").next().unwrap_or("");
    for header in ALWAYS {
        assert!(head.contains(&format!("\r\n{header}")), "{what} lacks {header}: {head}");
    }
    assert!(head.contains("\r\ncache-control: no-store"), "{what} may be kept: {head}");
    assert!(!head.contains("\r\nserver:") && !head.contains("\r\nx-powered-by:"), "{what}: {head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_answers_with_safe_headers() {
    let site = Site::start("headers", People::Planted).await;
    let mut one_of_each: Vec<(Role, String)> = Vec::new();
    for account in seed::demo_accounts("430100".parse().expect("a city")) {
        if one_of_each.iter().all(|(role, _)| *role != account.role) {
            one_of_each.push((account.role, account.login));
        }
    }
    assert!(8 <= one_of_each.len(), "{one_of_each:?}");
    let mut cookies = vec![("nobody".to_owned(), String::new())];
    for (role, login) in one_of_each {
        cookies.push((format!("{role:?}"), sign_in(&site, &login).await));
    }
    let mut asked = 0;
    for route in site.routes.iter().filter(|route| !route.path.starts_with("/test/")) {
        let path: String = route
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { "430100" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        for (who, cookie) in &cookies {
            let answer = ask(&site, route.method, &path, cookie).await;
            check(&answer, &format!("{} {path} by {who}", route.method));
            asked += 1;
        }
    }
    assert!(500 <= asked, "only {asked} requests: addresses are missing");
    site.stop().await;
}

/// The pages that the agreement's clauses lead to.
#[tokio::test(flavor = "multi_thread")]
async fn the_agreement_leads_to_pages_that_there_are() {
    let site = Site::start("agreement", People::None).await;
    let named: toml::Table =
        toml::from_str(include_str!("../../../docs/agreement/pages.toml")).expect("names of pages");
    for page in named.keys() {
        let fits = |pattern: &str| {
            let (parts, pattern): (Vec<_>, Vec<_>) =
                (page.split('/').collect(), pattern.split('/').collect());
            parts.len() == pattern.len()
                && parts.iter().zip(pattern).all(|(part, of)| of.starts_with('{') || *part == of)
        };
        assert!(site.routes.iter().any(|route| route.method == "GET" && fits(route.path)), "{page}");
        let answer = ask(&site, "GET", page, "").await;
        assert!([200, 303].contains(&status(&answer)), "{page}: {answer}");
    }
    site.stop().await;
}

/// The page that stands before all others until a restored city may act again is an answer like any other.
#[tokio::test(flavor = "multi_thread")]
async fn a_city_that_is_being_restored_answers_with_safe_headers() {
    const MARK: Stmt = stmt(
        "test.restored",
        "INSERT INTO store_restored (archive, taken, size, version, at, tx) VALUES ($1, 1, 0, 1, 1, 'test')",
    );
    let (city, address, folder) = Site::open("restoring", |_| ()).await;
    let mark = |tx: &mut Tx<'_>| tx.run(&MARK, params!["a"]);
    city.store.write("test.restored", mark).await.expect("marked");
    let site = Site::run(city, address, folder);
    for path in ["/", "/items", "/nothing"] {
        let answer = ask(&site, "GET", path, "").await;
        assert_eq!(status(&answer), 503, "{answer}");
        assert!(answer.contains("系统恢复中") && answer.contains("\r\nretry-after: 30"), "{answer}");
        check_head(&answer, path);
    }
    assert_eq!(status(&ask(&site, "GET", "/healthz", "").await), 200);
    site.stop().await;
}
