//! Pages for what did not work (出错页): a refusal with its ground and way out, a fault with its trace and nothing else.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use tb_base::{Error, Refusal};

use super::again::Again;
use crate::frame::Frame;
use crate::lang::Lang;
use crate::page::{Failed, whole};
use crate::visit::Visit;

/// What a page of failure shows.
#[derive(Template)]
#[template(path = "frame/failure.html")]
struct FailurePage {
    frame: Frame,
    lang: Lang,
    headline: String,
    detail: String,
    basis: Option<String>,
    way_out: Option<String>,
    /// Refusals have a code, faults do not.
    code: Option<String>,
    back: Option<String>,
    /// The form that was not dealt with, to be sent again.
    again: Option<Again>,
}

/// What a program gets: RFC 9457, with the members of a refusal.
#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    way_out: Option<&'a str>,
    trace: String,
}

/// Turns an error on its way out into a page or a problem; leaves any other answer as it is.
///
/// The log names the route, such as `/cases/{case}`: what stands in its place may be a person's.
pub(super) fn shown(visit: &Visit, route: &str, answer: Response) -> Response {
    let status = answer.status();
    if let Some(Failed(error)) = answer.extensions().get::<Failed>() {
        let trace = visit.ctx.trace;
        return match error.as_ref() {
            Error::Refused(refusal) => with_time(&answer, refused(visit, &answer, refusal)),
            Error::Fault(fault) => {
                tracing::error!(%trace, route, "fault {fault}");
                failed(visit)
            }
            Error::Violation(violation) => {
                tracing::error!(%trace, route, "violation: {violation}");
                failed(visit)
            }
        };
    }
    let ours = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes().starts_with(b"text/html") || kind.as_bytes().starts_with(b"application/")
    });
    match (status.is_client_error() || status.is_server_error(), ours) {
        (true, false) if status.is_server_error() => failed(visit),
        (true, false) => refused(visit, &answer, &by_status(status)),
        (_, _) => answer,
    }
}

/// Words for what the framework refused before a handler saw it.
fn by_status(status: StatusCode) -> Refusal {
    match status {
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => Refusal::gone(
            "WEB-PAGE-002",
            "地址不对，没有这一页",
            "The address is wrong; there is no such page",
        )
        .but("检查地址，或从首页找", "Check the address, or look from the start page"),
        StatusCode::METHOD_NOT_ALLOWED => Refusal::invalid(
            "WEB-PAGE-003",
            "这个地址不能这样打开",
            "This address cannot be opened in this way",
        )
        .but("返回上一页，用页面上的按钮", "Go back and use the button on the page"),
        StatusCode::PAYLOAD_TOO_LARGE => {
            Refusal::invalid("WEB-FORM-004", "一次提交的内容太大", "Too much was sent at once").but(
                "每个文件不超过 10 MB，分几次交",
                "Keep each file under 10 MB and send them in several goes",
            )
        }
        _ => Refusal::invalid(
            "WEB-PAGE-004",
            "请求不完整，没有处理",
            "The request was not complete; nothing was done",
        )
        .but("返回上一页再试", "Go back and try again"),
    }
}

/// Keeps the time to wait.
fn with_time(answer: &Response, mut shown: Response) -> Response {
    if let Some(seconds) = answer.headers().get(header::RETRY_AFTER) {
        shown.headers_mut().insert(header::RETRY_AFTER, seconds.clone());
    }
    shown
}

fn refused(visit: &Visit, answer: &Response, refusal: &Refusal) -> Response {
    let (lang, status) = (visit.lang, answer.status());
    if visit.wants_json {
        let problem = Problem {
            kind: "about:blank",
            title: lang.refusal(refusal),
            status: status.as_u16(),
            code: &refusal.code,
            field: refusal.field.as_deref(),
            basis: refusal.basis.as_deref(),
            way_out: lang.way_out(refusal),
            trace: visit.ctx.trace.to_string(),
        };
        return problem_answer(status, &problem);
    }
    let title = match status {
        StatusCode::NOT_FOUND => ("找不到", "Not found"),
        StatusCode::FORBIDDEN => ("不能这样做", "Not allowed"),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => ("请稍等", "Please wait"),
        _ => ("没有办成", "Not done"),
    };
    page(
        status,
        &FailurePage {
            frame: visit.frame(title.0, title.1).airy(),
            lang,
            headline: lang.refusal(refusal).to_owned(),
            detail: String::new(),
            basis: refusal.basis.as_ref().map(ToString::to_string),
            way_out: lang.way_out(refusal).map(str::to_owned),
            code: Some(refusal.code.to_string()),
            back: visit.came_from.clone(),
            again: answer.extensions().get::<Again>().cloned(),
        },
    )
}

/// Says that the machine failed, and nothing of how.
fn failed(visit: &Visit) -> Response {
    let (lang, status) = (visit.lang, StatusCode::INTERNAL_SERVER_ERROR);
    let headline = lang.t("系统出了故障，不是您的问题", "The system failed; it is not your fault");
    if visit.wants_json {
        let trace = visit.ctx.trace.to_string();
        let problem = Problem {
            kind: "about:blank",
            title: headline,
            status: status.as_u16(),
            code: "WEB-FAULT",
            field: None,
            basis: None,
            way_out: None,
            trace,
        };
        return problem_answer(status, &problem);
    }
    page(status, &FailurePage {
        frame: visit.frame("系统故障", "System failure").airy(),
        lang,
        headline: headline.to_owned(),
        detail: lang
            .t("故障已经记下。刚才要是提交了什么，先到“我的办件”看有没有办成，再决定要不要重来。", "It has been recorded. If you had just sent something, look under “My cases” whether it went through before you send it again.")
            .to_owned(),
        basis: None,
        way_out: None,
        code: None,
        back: visit.came_from.clone(),
        again: None,
    })
}

fn page(status: StatusCode, view: &FailurePage) -> Response {
    match view.render() {
        Ok(html) => whole(status, "text/html; charset=utf-8", html.into_bytes()),
        Err(error) => {
            tracing::error!(%error, "rendering the page of an error");
            whole(status, "text/plain; charset=utf-8", view.headline.clone().into_bytes())
        }
    }
}

fn problem_answer(status: StatusCode, problem: &Problem<'_>) -> Response {
    let body = serde_json::to_vec(problem).unwrap_or_default();
    whole(status, "application/problem+json", body)
}
