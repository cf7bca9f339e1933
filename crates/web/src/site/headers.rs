//! The headers of every answer (安全响应头): what a browser may do with our pages, and what it may tell others.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::App;

/// Of every answer, pages, files and errors alike.
pub(super) const HEADERS: [(&str, &str); 8] = [
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
    ("x-permitted-cross-domain-policies", "none"),
    (
        "permissions-policy",
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Where the site is served over TLS, a browser that was here once comes back over TLS for a year (RFC 6797).
///
/// Other names below this one are not ours to bind.
const TRANSPORT: (&str, &str) = ("strict-transport-security", "max-age=31536000");

/// The outermost layer: no answer leaves without them.
pub(super) async fn put(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    let transport = app.secure_cookies.then_some(TRANSPORT);
    for (name, value) in HEADERS.into_iter().chain(transport) {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    // Pages hold personal data: no cache keeps them, whatever stands between us and the browser.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.append(header::VARY, HeaderValue::from_static("accept, cookie"));
    answer
}
