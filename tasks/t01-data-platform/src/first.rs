//! The first password (首次密码): set with the one-time code that an administrator handed over.
//! Serves clause 1.1.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_web::{Field, Fields, Form, Frame, Lang, PageResult, Visit, redirect};

use crate::door::{NEW_PASSWORD, taken};
use crate::parts::Parts;
use crate::source::Source;

const CODE: Field<'static> = Field::text("code", "一次性代码", "One-time code")
    .hint(
        "16 位，如 7K3M-9QXA-…，24 小时内有效，只能用一次",
        "16 letters, such as 7K3M-9QXA-…, good once within 24 hours",
    )
    .autocomplete("one-time-code");
const CODE_LETTERS_MAX: usize = 40;
const SET: [Field<'static>; 2] = [CODE, NEW_PASSWORD];

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/first.html")]
struct FirstPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
}

/// GET /password/first
pub async fn show(visit: Visit) -> PageResult {
    visit.page(view(&visit, Fields::blank(&visit)))
}

/// POST /password/first
pub async fn set(visit: Visit, parts: Extension<Arc<Parts>>, source: Source, form: Form) -> PageResult {
    let mut fields = form.fields();
    let code = fields.read(&CODE).max(CODE_LETTERS_MAX).required();
    let password = fields.read(&NEW_PASSWORD).required();
    if let (Some(code), Some(password)) = (code, password) {
        let outcome = parts.door.first_password(&visit.ctx, &code, &password, source.0).await;
        if taken(&mut fields, outcome)?.is_some() {
            return Ok(visit.signed_out(redirect("/sign-in?done=first")));
        }
    }
    visit.form_again(view(&visit, fields))
}

fn view(visit: &Visit, form: Fields) -> FirstPage {
    let frame = visit.frame("设首次密码", "Set your first password").errors(&form).airy();
    FirstPage { frame: frame.crumb("登录", "Sign in", "/sign-in"), lang: visit.lang, form }
}
