//! Forms from elsewhere are refused (跨站请求伪造防护): a token bound to the cookie, and the origin.

use axum::http::{HeaderMap, header};
use tb_base::Refusal;

use crate::App;

/// Name of the hidden field that carries the token.
pub const FIELD: &str = "csrf";
/// Name of the header that carries it for programs.
pub const HEADER: &str = "x-csrf-token";

/// The token of a cookie's value: nobody without the key can make it, and another cookie has another one.
pub(crate) fn token(app: &App, bound_to: &str) -> String {
    let message = format!("tongban form {bound_to}");
    let mac = tb_crypto::hmac_sha256(app.form_key(), message.as_bytes());
    mac.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Refuses a token that is missing or of another session.
pub(crate) fn check(expected: &str, given: Option<&str>) -> Result<(), Refusal> {
    match given {
        Some(given) if tb_crypto::constant_eq(given.as_bytes(), expected.as_bytes()) => Ok(()),
        _ => Err(Refusal::not_allowed(
            "WEB-FORM-001",
            "这个页面打开太久，或者登录已经变了，没有提交",
            "This page was open too long, or the sign-in has changed; nothing was sent",
        )
        .but("返回上一页，刷新后再提交", "Go back, reload the page and send it again")),
    }
}

/// Refuses a change that another site's page asked the browser for.
pub(crate) fn check_origin(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    let host = text(header::HOST);
    let foreign_origin = match text(header::ORIGIN) {
        // Browsers send `null` from sandboxed frames and files: somebody who hides where she comes from.
        Some(origin) => origin.split_once("://").map(|(_, host)| host) != host,
        None => false,
    };
    let cross_site = headers.get("sec-fetch-site").is_some_and(|value| value == "cross-site");
    if foreign_origin || cross_site {
        return Err(Refusal::not_allowed(
            "WEB-FORM-002",
            "请求来自别的网站，没有提交",
            "The request came from another web site; nothing was sent",
        )
        .but("请在本站打开页面后再提交", "Open the page on this site and send it from there"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_headers(pairs: &[(&'static str, &'static str)], allowed: bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, axum::http::HeaderValue::from_static(value));
        }
        assert_eq!(check_origin(&headers).is_ok(), allowed, "{pairs:?}");
    }

    #[test]
    fn origin_is_this_site_or_none() {
        check_headers(&[("host", "127.0.0.1:8430")], true);
        check_headers(&[("host", "127.0.0.1:8430"), ("origin", "http://127.0.0.1:8430")], true);
        check_headers(&[("host", "127.0.0.1:8430"), ("origin", "http://127.0.0.1:8431")], false);
        check_headers(&[("host", "127.0.0.1:8430"), ("origin", "null")], false);
        check_headers(&[("host", "127.0.0.1:8430"), ("sec-fetch-site", "cross-site")], false);
        check_headers(&[("host", "127.0.0.1:8430"), ("sec-fetch-site", "same-origin")], true);
    }

    #[test]
    fn token_must_be_the_same() {
        assert!(super::check("abc", Some("abc")).is_ok());
        assert!(super::check("abc", Some("abd")).is_err());
        assert!(super::check("abc", Some("")).is_err());
        assert!(super::check("abc", None).is_err());
    }
}
