//! Finding an enquiry without an account (凭码查询): by its code and the telephone number together.
//!
//! Invariant: a wrong code, a wrong number and an enquiry of somebody signed in are refused alike.

use askama::Template;
use serde::Serialize;
use tb_base::Result;
use tb_enquiry::{Asker, Enquiry, Turn, acts, keep};
use tb_store::Tx;
use tb_web::{Field, Fields, Form, Frame, Input, Lang, PageResult, Visit};

use super::mine::{act_of, follow_up, view};
use super::{Shared, key_of, taken};
use crate::register::mobile;

const CODE: Field<'static> = Field::text("code", "查询码", "Code")
    .hint(
        "提交后页面上的 8 位字母和数字",
        "The eight letters and digits that the page showed when you sent it",
    )
    .autocomplete("off");
const PHONE: Field<'static> = Field::new("phone", "手机号", "Mobile phone", Input::Phone)
    .hint("提交时留的那个", "The one that you left when you sent it")
    .autocomplete("tel");
/// Letters of a code, with the blanks that people type.
const CODE_LETTERS_MAX: usize = 20;
const FORM: [Field<'static>; 2] = [CODE, PHONE];

/// The form.
#[derive(Template, Serialize)]
#[template(path = "t01/help_find.html")]
struct FindPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
}

/// GET /help/find
pub async fn show(visit: Visit) -> PageResult {
    let form = Fields::blank(&visit);
    visit.page(blank(&visit, form))
}

/// POST /help/find: shows it; with `do` adds something to it or ends it.
pub async fn submit(visit: Visit, parts: Shared, form: Form) -> PageResult {
    let mut fields = form.fields();
    let code = fields.read(&CODE).max(CODE_LETTERS_MAX).required();
    let phone = fields.read(&PHONE).check(|phone| mobile(phone)).required();
    let (Some(code), Some(phone)) = (code, phone) else { return visit.form_again(blank(&visit, fields)) };
    let found = read(&visit, &parts, &code, &phone).await;
    let Some((enquiry, turns)) = taken(&mut fields, found)? else {
        return visit.form_again(blank(&visit, fields));
    };
    let hidden = vec![("code", code.clone()), ("phone", phone.clone())];
    let action = "/help/find".to_owned();
    if fields.pressed().is_empty() {
        let form = Fields::blank(&visit);
        return visit.page(view(&visit, &parts, (&enquiry, &turns), form, action, hidden));
    }
    let outcome = match act_of(&mut fields) {
        Some(act) => {
            let key = key_of(&visit.ctx, &fields);
            let done = follow_up(&visit, &parts, enquiry.id, Asker::Phone(phone.clone()), key, act).await;
            taken(&mut fields, done)?
        }
        None => None,
    };
    // The answer shows what there is now; the same form once more does nothing.
    let (enquiry, turns) = read(&visit, &parts, &code, &phone).await?;
    match outcome {
        Some(_) => {
            let form = Fields::blank(&visit);
            visit.page(view(&visit, &parts, (&enquiry, &turns), form, action, hidden))
        }
        None => visit.form_again(view(&visit, &parts, (&enquiry, &turns), fields, action, hidden)),
    }
}

async fn read(visit: &Visit, parts: &Shared, code: &str, phone: &str) -> Result<(Enquiry, Vec<Turn>)> {
    let (code, phone, vault) = (code.to_owned(), phone.to_owned(), parts.vault.clone());
    let read = move |tx: &mut Tx<'_>| {
        let enquiry = keep::by_code(tx, &vault, &code, &phone)?.ok_or_else(acts::gone)?;
        let turns = keep::turns(tx, enquiry.id)?;
        Ok((enquiry, turns))
    };
    visit.app.store.read("t01.help.find", read).await
}

fn blank(visit: &Visit, form: Fields) -> FindPage {
    FindPage {
        frame: visit
            .frame("查办不成事的进度", "Where my report stands")
            .airy()
            .errors(&form)
            .crumb("首页", "Start", "/")
            .crumb("办不成事", "Could not be done", "/help"),
        lang: visit.lang,
        form,
    }
}
