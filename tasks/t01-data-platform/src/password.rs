//! A lost password (忘记密码): a code on the phone sets a new one.
//! Serves clause 1.1.
//!
//! The first step answers alike whether or not there is such an account.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_web::{Field, Fields, Form, Frame, Lang, PageResult, Visit, redirect, ui};

use crate::door::{CODE, NEW_PASSWORD, six_digits, taken};
use crate::parts::Parts;
use crate::source::Source;

const LOGIN: Field<'static> = Field::text("login", "登录名", "Sign-in name")
    .hint("公民身份号码，或工作人员登录名", "Your resident number, or your staff name")
    .autocomplete("username");
const SET: [Field<'static>; 2] = [CODE, NEW_PASSWORD];

/// Asks for whom.
#[derive(Template, Serialize)]
#[template(path = "t01/forgot.html")]
struct ForgotPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
}

/// Asks for code and new password.
#[derive(Template, Serialize)]
#[template(path = "t01/reset.html")]
struct ResetPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    ticket: String,
    #[serde(skip)]
    demo_url: Option<String>,
}

/// GET /password/forgot
pub async fn forgot(visit: Visit) -> PageResult {
    visit.page(forgot_view(&visit, Fields::blank(&visit)))
}

/// POST /password/forgot
pub async fn ask(visit: Visit, parts: Extension<Arc<Parts>>, source: Source, form: Form) -> PageResult {
    let mut fields = form.fields();
    if let Some(login) = fields.read(&LOGIN).required() {
        let outcome = parts.door.reset_request(&visit.ctx, &login, source.0).await;
        if let Some(ticket) = taken(&mut fields, outcome)? {
            return Ok(redirect(&format!("/password/reset?ticket={ticket}")));
        }
    }
    visit.form_again(forgot_view(&visit, fields))
}

/// GET /password/reset
pub async fn reset(visit: Visit) -> PageResult {
    let Some(ticket) = visit.param("ticket") else { return Ok(redirect("/password/forgot")) };
    visit.page(reset_view(&visit, Fields::blank(&visit), ticket))
}

/// POST /password/reset
pub async fn set(visit: Visit, parts: Extension<Arc<Parts>>, source: Source, form: Form) -> PageResult {
    let mut fields = form.fields();
    let ticket = fields.value("ticket").to_owned();
    let code = fields.read(&CODE).check(|code| six_digits(code)).required();
    let password = fields.read(&NEW_PASSWORD).required();
    if let (Some(code), Some(password)) = (code, password) {
        let outcome = parts.door.reset_confirm(&visit.ctx, &ticket, &code, &password, source.0).await;
        if taken(&mut fields, outcome)?.is_some() {
            return Ok(visit.signed_out(redirect("/sign-in?done=reset")));
        }
    }
    visit.form_again(reset_view(&visit, fields, ticket))
}

fn forgot_view(visit: &Visit, form: Fields) -> ForgotPage {
    let frame = visit.frame("忘记密码", "Lost password").errors(&form).airy();
    ForgotPage { frame: frame.crumb("登录", "Sign in", "/sign-in"), lang: visit.lang, form }
}

fn reset_view(visit: &Visit, form: Fields, ticket: String) -> ResetPage {
    let frame = visit.frame("设新密码", "Set a new password").errors(&form).airy();
    ResetPage {
        frame: frame.crumb("登录", "Sign in", "/sign-in"),
        lang: visit.lang,
        form,
        ticket,
        demo_url: visit.app.demo.as_ref().map(|demo| demo.start_url.clone()),
    }
}
