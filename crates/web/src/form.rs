//! Forms as they arrive (表单): read within limits, checked for where they come from, never half.

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRef, FromRequest, FromRequestParts, Multipart, Request};
use axum::http::{HeaderMap, header};
use tb_base::{Fault, Refusal};

use crate::fields::Fields;
use crate::page::PageError;
use crate::upload::{self, Upload};
use crate::visit::Visit;
use crate::{App, csrf};

/// A whole request with its uploads.
pub const BODY_BYTES_MAX: usize = 34 * 1024 * 1024;
/// A form without uploads; a drawn signature fits.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;
/// Fields in one form.
pub const FIELDS_MAX: usize = 400;
/// Files in one form.
pub const FILES_MAX: usize = 12;

/// A form that was sent from one of our own pages by the visitor herself.
pub struct Form {
    values: BTreeMap<String, Vec<String>>,
    files: Vec<Result<Upload, (String, Refusal)>>,
    lang: crate::Lang,
    csrf: String,
}

impl Form {
    /// Its fields, to be read into checked types.
    pub fn fields(self) -> Fields {
        Fields::sent(self.lang, self.csrf, self.values, self.files)
    }

    /// Reads a body of a kind, for a visitor with this token; whether the body holds the token is not looked at.
    pub async fn read(lang: crate::Lang, csrf: &str, kind: &str, body: Body) -> Result<Form, PageError> {
        let mut form = Form { values: BTreeMap::new(), files: Vec::new(), lang, csrf: csrf.to_owned() };
        if kind.starts_with("multipart/form-data") {
            let mut request = Request::builder()
                .header(header::CONTENT_TYPE, kind)
                .body(body)
                .map_err(|_| PageError::from(incomplete_refusal()))?;
            DefaultBodyLimit::max(BODY_BYTES_MAX).apply(&mut request);
            let parts = Multipart::from_request(request, &()).await.map_err(|_| incomplete())?;
            read_parts(&mut form, parts).await?;
        } else {
            let bytes = to_bytes(body, TEXT_BYTES_MAX).await.map_err(|_| too_much())?;
            read_text(&mut form, kind, &bytes)?;
        }
        Ok(form)
    }

    fn add(&mut self, name: String, value: String) -> Result<(), PageError> {
        let count: usize = self.values.values().map(Vec::len).sum();
        if FIELDS_MAX <= count {
            return Err(too_much());
        }
        self.values.entry(name).or_default().push(value);
        Ok(())
    }
}

impl<S> FromRequest<S> for Form
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Form, PageError> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, state).await?;
        csrf::check_origin(&parts.headers)?;
        let headers = parts.headers.clone();
        let kind = text(&headers, header::CONTENT_TYPE.as_str()).unwrap_or("").to_owned();
        // Nobody uploads before signing in: a stranger's request takes little memory, whatever it calls itself.
        let body = match visit.account {
            Some(_) => body,
            None => Body::from(to_bytes(body, TEXT_BYTES_MAX).await.map_err(|_| too_much())?),
        };
        let mut form = Form::read(visit.lang, &visit.csrf, &kind, body).await?;
        let in_field = form.values.remove(csrf::FIELD).and_then(|mut values| values.pop());
        let given = in_field.as_deref().or_else(|| text(&headers, csrf::HEADER));
        csrf::check(&visit.csrf, given)?;
        Ok(form)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn read_text(form: &mut Form, kind: &str, bytes: &[u8]) -> Result<(), PageError> {
    if bytes.is_empty() {
        return Ok(());
    }
    if kind.starts_with("application/json") {
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|_| incomplete())?;
        return read_json(form, &value);
    }
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(incomplete());
    }
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes).map_err(|_| incomplete())?;
    pairs.into_iter().try_for_each(|(name, value)| form.add(name, value))
}

/// A flat object, as programs send it: texts, numbers, booleans, and lists of texts.
fn read_json(form: &mut Form, value: &serde_json::Value) -> Result<(), PageError> {
    use serde_json::Value;
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Bool(false) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let members = value.as_object().ok_or_else(incomplete)?;
    for (name, member) in members {
        let values = match member {
            Value::Array(list) => list.iter().filter_map(plain).collect(),
            other => plain(other).into_iter().collect::<Vec<_>>(),
        };
        values.into_iter().try_for_each(|value| form.add(name.clone(), value))?;
    }
    Ok(())
}

async fn read_parts(form: &mut Form, mut parts: Multipart) -> Result<(), PageError> {
    while let Some(mut part) = parts.next_field().await.map_err(|error| broken(&error))? {
        let name = part.name().unwrap_or("").to_owned();
        let Some(file_name) = part.file_name().map(str::to_owned) else {
            let text = part.text().await.map_err(|error| broken(&error))?;
            if TEXT_BYTES_MAX < text.len() {
                return Err(too_much());
            }
            form.add(name, text)?;
            continue;
        };
        if FILES_MAX <= form.files.len() {
            return Err(too_much());
        }
        // The rest of an oversize file is read and dropped, so that the page can name it and keep the other fields.
        let (mut bytes, mut size_bytes) = (Vec::new(), 0_usize);
        while let Some(chunk) = part.chunk().await.map_err(|error| broken(&error))? {
            size_bytes = size_bytes.saturating_add(chunk.len());
            if size_bytes <= upload::FILE_BYTES_MAX {
                bytes.extend_from_slice(&chunk);
            }
        }
        if size_bytes == 0 && file_name.is_empty() {
            continue; // The browser sends an empty part for a file that was not chosen.
        }
        let checked = upload::checked(&name, &file_name, bytes, size_bytes);
        form.files.push(checked.map_err(|refusal| (name, refusal)));
    }
    Ok(())
}

fn broken(error: &axum::extract::multipart::MultipartError) -> PageError {
    match error.status().as_u16() {
        413 => too_much(),
        500.. => Fault::new("reading an upload").into(),
        _ => incomplete(),
    }
}

fn incomplete() -> PageError {
    incomplete_refusal().into()
}

fn too_much() -> PageError {
    too_much_refusal().into()
}

/// What is told of a form that did not arrive whole.
pub(crate) fn incomplete_refusal() -> Refusal {
    Refusal::invalid(
        "WEB-FORM-003",
        "提交的内容不完整，没有处理",
        "What was sent is not complete; nothing was done",
    )
    .but("返回上一页再提交一次", "Go back and send it again")
}

/// What is told of a form that is too large.
pub(crate) fn too_much_refusal() -> Refusal {
    Refusal::invalid("WEB-FORM-004", "一次提交的内容太大", "Too much was sent at once").but(
        "每个文件不超过 10 MB，一次不超过 12 个，合计不超过 34 MB；上传文件要先登录",
        "At most 12 files of 10 MB each, 34 MB in all, at once; sign in before you upload",
    )
}
