//! Answers (应答): a page as HTML, or the same view model as JSON; and what becomes of errors.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tb_base::{Class, Error, Fault, Refusal, Violation};

use crate::visit::Visit;

/// What a handler gives back.
pub type PageResult = Result<Response, PageError>;

/// Why a handler does not show its page.
#[derive(Debug)]
pub enum PageError {
    /// Refused, failed or impossible: becomes a page that says so, or a problem for a program.
    Failed(Error),
    /// Nobody is signed in, and the caller is a program.
    Unauthorized(Box<Refusal>),
    /// Not now, and when to come again; or too slow, too large, of a kind that nobody reads.
    Status(Box<Unserved>),
    /// The visitor is sent elsewhere first.
    Elsewhere(Box<Response>),
}

/// A request that no handler saw, with the status that HTTP has for it.
#[derive(Debug)]
pub struct Unserved {
    status: StatusCode,
    /// When to come again, in seconds.
    after_seconds: Option<i64>,
    refusal: Refusal,
}

impl PageError {
    pub(crate) fn unauthorized(refusal: Refusal) -> PageError {
        PageError::Unauthorized(Box::new(refusal))
    }

    /// Refused for now.
    pub(crate) fn later(status: StatusCode, after_seconds: i64, refusal: Refusal) -> PageError {
        PageError::Status(Box::new(Unserved { status, after_seconds: Some(after_seconds), refusal }))
    }

    /// Refused with a status of HTTP's own.
    pub(crate) fn status(status: StatusCode, refusal: Refusal) -> PageError {
        PageError::Status(Box::new(Unserved { status, after_seconds: None, refusal }))
    }
}

/// An error on its way out, picked up by the outermost layer, which knows the visitor's language.
#[derive(Clone)]
pub(crate) struct Failed(pub(crate) Arc<Error>);

impl Visit {
    /// The page; or its view model, when the caller asked for `application/json`.
    pub fn page(&self, view: impl Template + Serialize) -> PageResult {
        self.answer(StatusCode::OK, &view)
    }

    /// The form again, with its errors (422).
    pub fn form_again(&self, view: impl Template + Serialize) -> PageResult {
        self.answer(StatusCode::UNPROCESSABLE_ENTITY, &view)
    }

    /// The page under another status, such as 404 with a list of what there is instead.
    pub fn page_with(&self, status: StatusCode, view: impl Template + Serialize) -> PageResult {
        self.answer(status, &view)
    }

    fn answer(&self, status: StatusCode, view: &(impl Template + Serialize)) -> PageResult {
        if self.wants_json {
            let body = serde_json::to_vec(view).map_err(|error| Fault::of("writing a view model", error))?;
            return Ok(whole(status, "application/json", body));
        }
        let body = view.render().map_err(|error| Fault::of("rendering a page", error))?;
        Ok(whole(status, "text/html; charset=utf-8", body.into_bytes()))
    }
}

/// Sends the browser to an address of this site with GET (303).
pub fn redirect(path: &str) -> Response {
    let mut answer = StatusCode::SEE_OTHER.into_response();
    // An address that is no header value cannot come from our own routes; the start page is safe.
    let value = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    answer.headers_mut().insert(header::LOCATION, value);
    answer
}

/// A file to keep: evidence bundles, receipts, tables.
pub fn download(name: &str, kind: &'static str, body: Vec<u8>) -> Response {
    let mut answer = whole(StatusCode::OK, kind, body);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let name: String = name.chars().filter(|letter| plain(*letter)).collect();
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    answer
}

/// Plain JSON, for addresses that only programs call.
pub fn json(value: &impl Serialize) -> PageResult {
    let body = serde_json::to_vec(value).map_err(|error| Fault::of("writing an answer", error))?;
    Ok(whole(StatusCode::OK, "application/json", body))
}

pub(crate) fn whole(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// The HTTP status of an error.
pub(crate) fn status(error: &Error) -> StatusCode {
    match error {
        Error::Refused(refusal) => match refusal.class {
            Class::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Class::NotAllowed => StatusCode::FORBIDDEN,
            Class::NotNow | Class::Conflict => StatusCode::CONFLICT,
            Class::Gone => StatusCode::NOT_FOUND,
        },
        Error::Fault(_) | Error::Violation(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, after_seconds, error) = match self {
            PageError::Elsewhere(answer) => return *answer,
            PageError::Failed(error) => (status(&error), None, error),
            PageError::Unauthorized(refusal) => (StatusCode::UNAUTHORIZED, None, Error::Refused(refusal)),
            PageError::Status(it) => (it.status, it.after_seconds, Error::Refused(Box::new(it.refusal))),
        };
        let mut answer = status.into_response();
        if let Some(seconds) = after_seconds {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer.extensions_mut().insert(Failed(Arc::new(error)));
        answer
    }
}

impl From<Error> for PageError {
    fn from(error: Error) -> PageError {
        PageError::Failed(error)
    }
}

impl From<Refusal> for PageError {
    fn from(refusal: Refusal) -> PageError {
        PageError::Failed(refusal.into())
    }
}

impl From<Fault> for PageError {
    fn from(fault: Fault) -> PageError {
        PageError::Failed(fault.into())
    }
}

impl From<Violation> for PageError {
    fn from(violation: Violation) -> PageError {
        PageError::Failed(violation.into())
    }
}
