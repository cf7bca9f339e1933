//! Asking for an account (注册): compared with the register, confirmed by a code on the phone.
//! Serves clause 1.1.
//!
//! The first step answers alike whether or not number, name and phone agree with the register.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_base::{Refusal, ResidentId};
use tb_identity::register::Claim;
use tb_web::{Field, Fields, Form, Frame, Input, Lang, PageResult, Visit, redirect, ui};

use crate::door::{CODE, NEW_PASSWORD, six_digits, taken};
use crate::parts::Parts;
use crate::source::Source;

const NUMBER: Field<'static> = Field::text("number", "公民身份号码", "Resident number")
    .hint("18 位，末位可能是 X", "18 letters; the last one may be X");
const NAME: Field<'static> = Field::text("name", "姓名", "Name")
    .hint("与身份证上一致", "As on the resident card")
    .autocomplete("name");
const PHONE: Field<'static> = Field::new("phone", "手机号", "Mobile phone", Input::Phone)
    .hint("与登记时留的一致，验证码发到这个号", "The one that the register knows; the code goes there")
    .autocomplete("tel");
const CLAIM: [Field<'static>; 3] = [NUMBER, NAME, PHONE];
const CONFIRM: [Field<'static>; 2] = [CODE, NEW_PASSWORD];

/// Both steps of the page.
#[derive(Template, Serialize)]
#[template(path = "t01/register.html")]
struct RegisterPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    /// Set in the second step.
    ticket: Option<String>,
    #[serde(skip)]
    demo_url: Option<String>,
}

impl RegisterPage {
    fn fields(&self) -> &'static [Field<'static>] {
        if self.ticket.is_some() { &CONFIRM } else { &CLAIM }
    }
}

/// GET /register
pub async fn show(visit: Visit) -> PageResult {
    let view = view(&visit, Fields::blank(&visit), visit.param("ticket"));
    visit.page(view)
}

/// POST /register
pub async fn submit(visit: Visit, parts: Extension<Arc<Parts>>, source: Source, form: Form) -> PageResult {
    let mut fields = form.fields();
    let ticket = Some(fields.value("ticket").to_owned()).filter(|ticket| !ticket.is_empty());
    let answer = match &ticket {
        None => ask(&visit, &parts, &source, &mut fields).await?,
        Some(ticket) => confirm(&visit, &parts, &source, &mut fields, ticket).await?,
    };
    match answer {
        Some(answer) => Ok(answer),
        None => {
            let view = view(&visit, fields, ticket);
            visit.form_again(view)
        }
    }
}

type Step = Result<Option<axum::response::Response>, tb_web::PageError>;

async fn ask(visit: &Visit, parts: &Parts, source: &Source, fields: &mut Fields) -> Step {
    let today = visit.ctx.now.date();
    let number = fields
        .read(&NUMBER)
        .parse::<ResidentId>()
        .check(|number| number.born_by(today).map_err(Refusal::from))
        .required();
    let name = fields.read(&NAME).max(NAME_LETTERS_MAX).required();
    let phone = fields.read(&PHONE).check(|phone| mobile(phone)).required();
    let (Some(number), Some(name), Some(phone)) = (number, name, phone) else { return Ok(None) };
    let claim = Claim { number, name, phone };
    let ticket = taken(fields, parts.door.register_request(&visit.ctx, &claim, source.0.clone()).await)?;
    Ok(ticket.map(|ticket| redirect(&format!("/register?ticket={ticket}"))))
}

async fn confirm(visit: &Visit, parts: &Parts, source: &Source, fields: &mut Fields, ticket: &str) -> Step {
    let code = fields.read(&CODE).check(|code| six_digits(code)).required();
    let password = fields.read(&NEW_PASSWORD).required();
    let (Some(code), Some(password)) = (code, password) else { return Ok(None) };
    let outcome = parts.door.register_confirm(&visit.ctx, ticket, &code, &password, source.0.clone()).await;
    let entered = taken(fields, outcome)?;
    Ok(entered.map(|entered| visit.signed_in(&entered.token, redirect("/profile?done=registered"))))
}

/// Letters of a name; the longest names of the register have about fifty.
const NAME_LETTERS_MAX: usize = 60;

/// A mobile phone of the mainland: eleven digits, the first a one.
pub fn mobile(phone: &str) -> Result<(), Refusal> {
    if phone.len() == 11 && phone.starts_with('1') && phone.bytes().all(|digit| digit.is_ascii_digit()) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "T01-REG-001",
        "手机号是 11 位数字，以 1 开头",
        "A mobile phone has 11 digits and begins with 1",
    ))
}

fn view(visit: &Visit, form: Fields, ticket: Option<String>) -> RegisterPage {
    RegisterPage {
        frame: visit.frame("注册", "Register").errors(&form).airy(),
        lang: visit.lang,
        form,
        ticket,
        demo_url: visit.app.demo.as_ref().map(|demo| demo.start_url.clone()),
    }
}
