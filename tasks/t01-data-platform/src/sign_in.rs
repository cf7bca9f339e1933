//! Signing in and out (登录与退出).
//! Serves clause 1.1.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_identity::accounts::{self, Credentials};
use tb_identity::seed;
use tb_web::{Field, Fields, Form, Frame, Input, Lang, PageResult, Visit, redirect, safe_next, ui};

use crate::door::{home, taken};
use crate::parts::Parts;
use crate::source::Source;

const LOGIN: Field<'static> = Field::text("login", "登录名", "Sign-in name")
    .hint("公民身份号码；工作人员用工号登录名", "Your resident number; staff use their staff name")
    .autocomplete("username");
const PASSWORD: Field<'static> =
    Field::new("password", "密码", "Password", Input::Password).autocomplete("current-password");

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/sign_in.html")]
struct SignInPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    /// Where she is sent afterwards.
    next: String,
    /// What just happened: `reset` or `out`.
    done: String,
    /// Demo accounts, in the demo only.
    demo: Option<DemoHint>,
}

/// What the demo says beneath the form.
#[derive(Serialize)]
struct DemoHint {
    password: &'static str,
    accounts: Vec<(String, String)>,
}

/// GET /sign-in
pub async fn show(visit: Visit) -> PageResult {
    let next = visit.param("next");
    let view = view(&visit, Fields::blank(&visit), safe_next(next.as_deref()));
    visit.page(view)
}

/// POST /sign-in
pub async fn submit(visit: Visit, parts: Extension<Arc<Parts>>, source: Source, form: Form) -> PageResult {
    let mut fields = form.fields();
    let next = safe_next(Some(fields.value("next"))).to_owned();
    let (login, password) = (fields.read(&LOGIN).required(), fields.read(&PASSWORD).required());
    if let (Some(login), Some(password)) = (login, password) {
        let credentials = Credentials { login, password, source: source.0 };
        let outcome = parts.door.sign_in(&visit.ctx, &credentials).await;
        if let Some(entered) = taken(&mut fields, outcome)? {
            // Whoever was signed in here before is signed out: a session that nobody holds is nobody's to find.
            end_session(&visit).await?;
            let next = if next == "/" { home(entered.account.role()) } else { &next };
            return Ok(visit.signed_in(&entered.token, redirect(next)));
        }
    }
    let view = view(&visit, fields, &next);
    visit.form_again(view)
}

/// POST /sign-out
pub async fn leave(visit: Visit, _: Form) -> PageResult {
    end_session(&visit).await?;
    Ok(visit.signed_out(redirect("/sign-in?done=out")))
}

/// Ends the session that the request came with, if it came with one.
async fn end_session(visit: &Visit) -> tb_base::Result<()> {
    let Some(token) = visit.session_token.clone() else { return Ok(()) };
    let ctx = visit.ctx.clone();
    visit.app.store.write("t01.sign_out", move |tx| accounts::sign_out(tx, &ctx, &token)).await
}

fn view(visit: &Visit, form: Fields, next: &str) -> SignInPage {
    let demo = visit.app.demo.as_ref().map(|_| DemoHint {
        password: seed::DEMO_PASSWORD,
        accounts: seed::demo_accounts(visit.ctx.node)
            .into_iter()
            .map(|account| {
                (account.login, visit.lang.t(&account.what_to_do_zh, &account.what_to_do_en).to_owned())
            })
            .collect(),
    });
    SignInPage {
        frame: visit.frame("登录", "Sign in").errors(&form).airy(),
        lang: visit.lang,
        form,
        next: next.to_owned(),
        done: visit.param("done").unwrap_or_default(),
        demo,
    }
}
