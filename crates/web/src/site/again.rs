//! Nothing that was typed is lost (再次提交): the page that asks somebody to wait holds her form, to be sent again.

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header;
use axum::response::Response;

use crate::form::{FIELDS_MAX, TEXT_BYTES_MAX};
use crate::limits::Class;
use crate::visit::only_reads;

/// A form that was not dealt with, on its way to the page that says so.
#[derive(Clone)]
pub(super) struct Again {
    /// The address that it was sent to.
    pub(super) address: String,
    /// Its fields as they were sent, the token among them.
    pub(super) fields: Vec<(String, String)>,
}

/// Adds the form of a request to the answer that turns it away.
///
/// Passwords and codes are not put into a page, and files cannot be: there the page before still holds what was typed.
pub(super) async fn offered(class: Class, request: Request, mut answer: Response) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let is_plain = kind.is_some_and(|it| it.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if only_reads(request.method()) || class == Class::SignIn || !is_plain {
        return answer;
    }
    let address = request.uri().path_and_query().map_or("/", |it| it.as_str()).to_owned();
    let Ok(bytes) = to_bytes(request.into_body(), TEXT_BYTES_MAX).await else { return answer };
    let Ok(fields) = serde_urlencoded::from_bytes::<Vec<(String, String)>>(&bytes) else { return answer };
    let is_secret = |name: &str| name.contains("password") || name == "code";
    if fields.len() <= FIELDS_MAX && !fields.iter().any(|(name, _)| is_secret(name)) {
        answer.extensions_mut().insert(Again { address, fields });
    }
    answer
}
