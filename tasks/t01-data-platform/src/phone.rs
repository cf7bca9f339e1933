//! Another mobile phone (更换手机号): a code to the old number and one to the new.
//! Serves clause 1.1.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_base::Violation;
use tb_identity::accounts::{self, Account};
use tb_identity::people;
use tb_web::{Field, Fields, Form, Frame, Input, Lang, PageError, PageResult, Visit, redirect, ui};

use crate::door::{masked_phone, six_digits, taken};
use crate::parts::Parts;
use crate::source::Source;

const PHONE: Field<'static> =
    Field::new("phone", "新手机号", "New mobile phone", Input::Phone).autocomplete("tel");
const OLD_CODE: Field<'static> =
    Field::new("old_code", "旧号码收到的验证码", "Code that the old number got", Input::Digits)
        .autocomplete("one-time-code");
const NEW_CODE: Field<'static> =
    Field::new("new_code", "新号码收到的验证码", "Code that the new number got", Input::Digits);

/// The page in both its steps: the number, then the two codes.
#[derive(Template, Serialize)]
#[template(path = "t01/phone.html")]
struct PhonePage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    /// The number that is registered, masked; none where the register knows no phone.
    old: Option<String>,
    /// What the codes are answered with, once they were sent.
    ticket: Option<String>,
    phone: String,
    #[serde(skip)]
    demo_url: Option<String>,
}

impl PhonePage {
    fn old(&self) -> &str {
        self.old.as_deref().unwrap_or_default()
    }

    fn ticket(&self) -> &str {
        self.ticket.as_deref().unwrap_or_default()
    }
}

/// GET /profile/phone
pub async fn show(visit: Visit, parts: Extension<Arc<Parts>>) -> PageResult {
    let (_, old) = known(&visit, &parts).await?;
    let form = Fields::blank(&visit);
    visit.page(view(&visit, form, old, None))
}

/// POST /profile/phone: sends the codes, or takes both of them (`do=confirm`).
pub async fn submit(visit: Visit, parts: Extension<Arc<Parts>>, source: Source, form: Form) -> PageResult {
    let (account, old) = known(&visit, &parts).await?;
    let mut fields = form.fields();
    if fields.pressed() == "confirm" {
        return confirm(&visit, &parts, source, fields, (account, old)).await;
    }
    let phone = fields.read(&PHONE).required();
    if let Some(phone) = phone {
        let outcome = parts.door.phone_request(&visit.ctx, &account, &phone, source.0).await;
        if let Some(ticket) = taken(&mut fields, outcome)? {
            return visit.page(view(&visit, fields, old, Some(ticket)));
        }
    }
    visit.form_again(view(&visit, fields, old, None))
}

async fn confirm(
    visit: &Visit,
    parts: &Parts,
    source: Source,
    mut fields: Fields,
    (account, old): (Account, Option<String>),
) -> PageResult {
    let (ticket, phone) = (fields.value("ticket").to_owned(), fields.value("phone").to_owned());
    let one = fields.read(&OLD_CODE).check(|code| six_digits(code)).required();
    let other = fields.read(&NEW_CODE).check(|code| six_digits(code)).required();
    if let (Some(one), Some(other)) = (one, other) {
        let codes = [one.as_str(), other.as_str()];
        let outcome = parts.door.phone_confirm(&visit.ctx, &account, &ticket, &phone, codes, source.0).await;
        if taken(&mut fields, outcome)?.is_some() {
            return Ok(redirect("/profile?done=phone"));
        }
    }
    visit.form_again(view(visit, fields, old, Some(ticket)))
}

/// The account, and the number that is registered.
async fn known(visit: &Visit, parts: &Arc<Parts>) -> Result<(Account, Option<String>), PageError> {
    let (id, parts) = (visit.require_account()?.id.clone(), Arc::clone(parts));
    let read = visit.app.store.read("t01.phone", move |tx| {
        let account = accounts::find(tx, &parts.vault, &id)?;
        let account = account.ok_or_else(|| Violation::inconsistent("identity_account", &id))?;
        let phone = match account.actor.person() {
            Some(person) => people::get(tx, &parts.vault, person)?.phone,
            None => None,
        };
        Ok((account, phone.as_deref().map(masked_phone)))
    });
    Ok(read.await?)
}

fn view(visit: &Visit, form: Fields, old: Option<String>, ticket: Option<String>) -> PhonePage {
    let frame = visit.frame("更换手机号", "Change the phone").errors(&form).airy();
    PhonePage {
        frame: frame.crumb("我的账户", "My account", "/profile"),
        lang: visit.lang,
        phone: form.value("phone").to_owned(),
        form,
        old,
        ticket,
        demo_url: visit.app.demo.as_ref().map(|demo| demo.start_url.clone()),
    }
}
