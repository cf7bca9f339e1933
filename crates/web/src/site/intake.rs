//! What a request brings with it (请求体): read whole before a handler sees it, within a size, a time and a number at once.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::LengthLimitError;
use tb_base::Refusal;

use crate::form::{BODY_BYTES_MAX, TEXT_BYTES_MAX};
use crate::limits::Place;
use crate::page::PageError;
use crate::visit::Visit;

/// Any body may take so long, however small.
const BODY_SECONDS_MAX: u64 = 20;
/// A large one may take longer: this is 1 Mbit/s, which a mobile line in the hills still gives.
const BODY_BYTES_PER_SECOND_MIN: usize = 128 * 1024;

/// The request with its body in memory, and the place that a large one takes.
pub(super) async fn whole(visit: &Visit, request: Request) -> Result<(Request, Option<Place>), PageError> {
    let (parts, body) = request.into_parts();
    // Nobody uploads before signing in: a stranger's request takes little memory, whatever it calls itself.
    let size_max = if visit.account.is_some() { BODY_BYTES_MAX } else { TEXT_BYTES_MAX };
    let size = announced(&parts.headers).unwrap_or(size_max);
    if size_max < size {
        return Err(too_large());
    }
    if 0 < size {
        check_kind(&parts.headers)?;
    }
    let place = if TEXT_BYTES_MAX < size { Some(visit.app.gate().upload()?) } else { None };
    let seconds = BODY_SECONDS_MAX + (size / BODY_BYTES_PER_SECOND_MIN) as u64;
    let read = tokio::time::timeout(Duration::from_secs(seconds), to_bytes(body, size_max)).await;
    let bytes = read.map_err(|_| too_slow())?.map_err(|error| broken(&error))?;
    Ok((Request::from_parts(parts, Body::from(bytes)), place))
}

/// The size that the caller announced; none where it sends in chunks, nought where it sends nothing.
fn announced(headers: &HeaderMap) -> Option<usize> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return None;
    }
    let Some(length) = headers.get(header::CONTENT_LENGTH) else { return Some(0) };
    // The server has checked that it is a number; one that does not fit is too large.
    Some(length.to_str().ok().and_then(|it| it.parse().ok()).unwrap_or(usize::MAX))
}

fn check_kind(headers: &HeaderMap) -> Result<(), PageError> {
    const KINDS: [&str; 3] = ["application/x-www-form-urlencoded", "multipart/form-data", "application/json"];
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or("");
    let known = KINDS.iter().any(|known| kind.starts_with(known));
    if known && !headers.contains_key(header::CONTENT_ENCODING) {
        return Ok(());
    }
    let refusal = Refusal::invalid(
        "WEB-FORM-005",
        "提交的内容格式不对，没有处理",
        "What was sent is in a form that is not read here; nothing was done",
    )
    .but("请用页面上的表单提交", "Send it by the form on the page");
    Err(PageError::status(StatusCode::UNSUPPORTED_MEDIA_TYPE, refusal))
}

fn too_slow() -> PageError {
    let refusal = Refusal::not_now(
        "WEB-FORM-006",
        "网络太慢，提交的内容没有传完，没有处理",
        "The line is too slow; what was sent did not arrive in time and nothing was done",
    )
    .but("换个网络，或把文件缩小后再交一次", "Try another line or smaller files, and send it again");
    PageError::status(StatusCode::REQUEST_TIMEOUT, refusal)
}

fn too_large() -> PageError {
    PageError::status(StatusCode::PAYLOAD_TOO_LARGE, crate::form::too_much_refusal())
}

fn broken(error: &axum::Error) -> PageError {
    if matches!(error.source(), Some(it) if it.is::<LengthLimitError>()) {
        return too_large();
    }
    PageError::status(StatusCode::BAD_REQUEST, crate::form::incomplete_refusal())
}
