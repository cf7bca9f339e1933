//! Cookies (饼干): session, language, view, and one that ties forms to a visitor who is not signed in.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use crate::App;

/// Ties forms to a browser before anybody has signed in.
const VISIT_COOKIE: &str = "tb_visit";
const LANG_COOKIE: &str = "tb_lang";
const VIEW_COOKIE: &str = "tb_view";
/// When a machine in a hall was used last.
const KIOSK_COOKIE: &str = "tb_kiosk";
/// Where the guided tour stands, in `demo` only; the three cities of one machine share it.
const TOUR_COOKIE: &str = "tb_tour";
/// Longer values are not ours.
const VALUE_LETTERS_MAX: usize = 128;
const YEAR_SECONDS: u32 = 31_536_000;

/// The cookies of a request that concern us.
#[derive(Debug, Default)]
pub(crate) struct Jar {
    pub(crate) session: Option<String>,
    pub(crate) visit: Option<String>,
    pub(crate) lang: Option<String>,
    pub(crate) view: Option<String>,
    pub(crate) kiosk: Option<String>,
    pub(crate) tour: Option<String>,
}

impl Jar {
    /// Reads the cookies of a request.
    pub(crate) fn of(app: &App, headers: &HeaderMap) -> Jar {
        let (session, visit) = (session_name(app), visit_name(app));
        let mut jar = Jar::default();
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        for (name, value) in
            lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='))
        {
            let fine = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
            if VALUE_LETTERS_MAX < value.len() || !value.bytes().all(fine) {
                continue;
            }
            let value = Some(value.to_owned());
            match name {
                LANG_COOKIE => jar.lang = value,
                VIEW_COOKIE => jar.view = value,
                KIOSK_COOKIE => jar.kiosk = value,
                TOUR_COOKIE => jar.tour = value.filter(|_| app.demo.is_some()),
                _ if name == session => jar.session = value,
                _ if name == visit => jar.visit = value,
                _ => {}
            }
        }
        jar
    }
}

/// Browsers keep cookies by host without its port; three cities on one machine must not share a session.
pub(crate) fn session_name(app: &App) -> String {
    format!("{}tb_session_{}", prefix(app), app.node)
}

fn visit_name(app: &App) -> String {
    format!("{}{VISIT_COOKIE}", prefix(app))
}

/// Over TLS the browser itself sees to it that no other host and no plain connection sets these cookies (RFC 6265bis §4.1.3.2).
fn prefix(app: &App) -> &'static str {
    if app.secure_cookies { "__Host-" } else { "" }
}

/// The cookie that begins a session.
pub(crate) fn session(app: &App, token: &str) -> String {
    format!("{}={token}; Path=/; HttpOnly; SameSite=Lax{}", session_name(app), secure(app))
}

/// The cookie that ends it.
pub(crate) fn session_over(app: &App) -> String {
    format!("{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{}", session_name(app), secure(app))
}

/// The cookie that ties forms to an anonymous browser.
pub(crate) fn visit(app: &App, value: &str) -> String {
    format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{}", visit_name(app), secure(app))
}

/// The cookie that remembers the language.
pub(crate) fn lang(app: &App, key: &str) -> String {
    format!("{LANG_COOKIE}={key}; Path=/; HttpOnly; SameSite=Lax; Max-Age={YEAR_SECONDS}{}", secure(app))
}

/// The cookie that remembers the view.
pub(crate) fn view(app: &App, key: &str) -> String {
    format!("{VIEW_COOKIE}={key}; Path=/; HttpOnly; SameSite=Lax; Max-Age={YEAR_SECONDS}{}", secure(app))
}

/// The cookie that says when the machine was used last.
pub(crate) fn kiosk(app: &App, stamp: &str) -> String {
    format!("{KIOSK_COOKIE}={stamp}; Path=/; HttpOnly; SameSite=Lax{}", secure(app))
}

/// The cookie that says where the guided tour stands; nothing ends it.
pub(crate) fn tour(app: &App, stand: Option<&str>) -> String {
    let (value, end) = stand.map_or(("", "; Max-Age=0"), |stand| (stand, ""));
    format!("{TOUR_COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax{end}{}", secure(app))
}

/// Adds a cookie to an answer.
pub(crate) fn put(answer: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        answer.headers_mut().append(header::SET_COOKIE, value);
    }
}

fn secure(app: &App) -> &'static str {
    if app.secure_cookies { "; Secure" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::support::Line;

    #[tokio::test]
    async fn the_session_is_for_no_script_and_no_other_site() {
        for line in [Line::Plain, Line::Tls] {
            let app = crate::support::app_over(line).await.expect("a sample site");
            let bound = [session(&app, "abc"), session_over(&app), visit(&app, "abc")];
            for cookie in bound.iter().chain(&[lang(&app, "en"), view(&app, "elder"), kiosk(&app, "1.a")]) {
                for flag in ["; Path=/", "; HttpOnly", "; SameSite=Lax"] {
                    assert!(cookie.contains(flag), "{cookie}");
                }
                assert!(!cookie.contains("Domain"), "{cookie}");
                assert_eq!(cookie.contains("; Secure"), line == Line::Tls, "{cookie}");
            }
            for cookie in bound {
                assert_eq!(cookie.starts_with("__Host-"), line == Line::Tls, "{cookie}");
            }
        }
    }

    #[tokio::test]
    async fn over_tls_a_plain_cookie_is_nobody() {
        let app = crate::support::app_over(Line::Tls).await.expect("a sample site");
        let mut headers = HeaderMap::new();
        let cookies = "tb_session_430100=planted; tb_visit=planted; __Host-tb_session_430100=mine";
        headers.insert(header::COOKIE, HeaderValue::from_static(cookies));
        let jar = Jar::of(&app, &headers);
        assert_eq!((jar.session.as_deref(), jar.visit), (Some("mine"), None));
    }
}
