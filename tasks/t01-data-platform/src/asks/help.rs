//! 办不成事: one form, with an account or with a telephone number alone; somebody follows it until it is done.
//!
//! Invariant: without an account the receipt stands on the answer itself; the code is in no address.

use askama::Template;
use serde::Serialize;
use tb_base::{CaseId, NodeId, OfficeId, Refusal, Result};
use tb_case::queue as cases;
use tb_enquiry::acts::{self, NewEnquiry};
use tb_enquiry::{About, Asker, Enquiry};
use tb_identity::permit::{Action, Scope, may};
use tb_store::Tx;
use tb_web::{
    Choice, Field, Fields, Form, Frame, Html, Input, Lang, PageError, PageResult, Visit, redirect, ui,
};

use super::{Shared, city_name, key_of, taken, wording, words};
use crate::door::masked_phone;
use crate::parts::Parts;
use crate::register::mobile;

const TEXT: Field<'static> = Field::new("text", "卡在哪里", "What is stuck", Input::Area).hint(
    "在哪个窗口或哪一步、对方怎么说、您需要什么。最多 1000 字；不要写身份证号和密码",
    "Which window or step, what you were told, what you need. At most 1000 letters; no identity number, no password",
);
const PHONE: Field<'static> = Field::new("phone", "手机号", "Mobile phone", Input::Phone)
    .hint("有了答复发短信告诉您，只用来办这件事", "A message tells you of the answer; used for this alone")
    .autocomplete("tel");
/// Cases that the form offers; there are rarely more under way.
const CASES_MAX: usize = 8;

/// The form.
#[derive(Template, Serialize)]
#[template(path = "t01/help.html")]
struct HelpPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    is_signed_in: bool,
    /// What it may be about: value, Chinese, English.
    #[serde(skip)]
    choices: Vec<(String, String, String)>,
    /// The item of the page that she came from.
    item: Option<u16>,
    #[serde(skip)]
    item_name: String,
    /// Makes the same form one enquiry.
    key: String,
    #[serde(skip)]
    limit: String,
}

impl HelpPage {
    /// The question what it is about, with the choices of this visitor.
    fn about(&self) -> Html {
        let choices: Vec<Choice<'_>> =
            self.choices.iter().map(|(value, zh, en)| Choice::new(value, zh, en)).collect();
        let field = Field::new("about", "关于什么", "What about", Input::Radio(&choices));
        self.form.show(&field)
    }
}

/// What somebody without an account keeps.
#[derive(Template, Serialize)]
#[template(path = "t01/help_receipt.html")]
struct Receipt {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    code: String,
    phone: String,
    city: String,
    due: String,
    is_on_its_way: bool,
}

/// Cases and cities that a visitor may choose among.
struct Offered {
    cases: Vec<(CaseId, String, u16, OfficeId)>,
}

/// GET /help
pub async fn show(visit: Visit, parts: Shared) -> PageResult {
    let offered = offered(&visit).await?;
    let (case, item) = came_from(&visit);
    let known = |case: &CaseId| offered.cases.iter().any(|(id, ..)| id == case);
    let about = match case.filter(known) {
        Some(case) => format!("case:{case}"),
        None => format!("city:{}", visit.ctx.node),
    };
    let form = Fields::blank(&visit).with("about", about);
    visit.page(view(&visit, &parts, form, &offered, item))
}

/// POST /help
pub async fn submit(visit: Visit, parts: Shared, form: Form) -> PageResult {
    may(&visit.ctx.actor, Action::ReportStuck, &Scope::Node(visit.ctx.node))?;
    let offered = offered(&visit).await?;
    let mut fields = form.fields();
    let item = fields.value("item").parse::<u16>().ok();
    let Some(new) = read(&visit, &offered, &mut fields, item) else {
        return visit.form_again(view(&visit, &parts, fields, &offered, item));
    };
    let asker = new.asker.clone();
    let (ctx, env) = (visit.ctx.clone(), parts.enquiry.clone());
    let asked = visit.app.store.write("t01.help", move |tx| acts::ask(tx, &ctx, &env, new.clone())).await;
    match (taken(&mut fields, asked)?, asker) {
        (Some(asked), Asker::Phone(phone)) => visit.page(receipt(&visit, &asked, &phone)),
        (Some(asked), _) => Ok(redirect(&format!("/asks/{}?done=asked", asked.id))),
        (None, _) => visit.form_again(view(&visit, &parts, fields, &offered, item)),
    }
}

/// Her running cases.
async fn offered(visit: &Visit) -> std::result::Result<Offered, PageError> {
    let Some(person) = visit.ctx.actor.person() else { return Ok(Offered { cases: Vec::new() }) };
    let running = move |tx: &mut Tx<'_>| -> Result<_> {
        let rows = cases::of_person(tx, person, 0)?.rows.into_iter().filter(|row| !row.phase.is_over());
        Ok(rows.take(CASES_MAX).map(|row| (row.case, row.query_code, row.item, row.office)).collect())
    };
    Ok(Offered { cases: visit.app.store.read("t01.help.cases", running).await? })
}

/// The case or the item of the page that she came from.
fn came_from(visit: &Visit) -> (Option<CaseId>, Option<u16>) {
    let path = visit.came_from.clone().unwrap_or_default();
    let mut parts = path.split(['/', '?']).skip(1);
    match (parts.next(), parts.next()) {
        (Some("cases"), Some(case)) => (case.parse().ok(), None),
        (Some("items"), Some(item)) => (None, item.parse().ok()),
        _ => (None, None),
    }
}

/// What was typed, as checked values; nothing where something is wrong with it.
fn read(visit: &Visit, offered: &Offered, fields: &mut Fields, item: Option<u16>) -> Option<NewEnquiry> {
    let about = fields
        .read(&Field::text("about", "关于什么", "What about"))
        .try_with(|about| target(visit, offered, &about, item))
        .required();
    let text = wording(fields, &TEXT);
    let asker = match visit.ctx.actor.person() {
        Some(person) => Some(Asker::Person(person)),
        None => fields.read(&PHONE).check(|phone| mobile(phone)).required().map(Asker::Phone),
    };
    let ((about, to, office), text, asker) = (about?, text?, asker?);
    Some(NewEnquiry { id: key_of(&visit.ctx, fields), about, asker, to, office, text })
}

/// What an answer to “what about” means: the matter, the city that answers, and its office.
fn target(
    visit: &Visit,
    offered: &Offered,
    about: &str,
    item: Option<u16>,
) -> std::result::Result<(About, NodeId, Option<OfficeId>), Refusal> {
    let bad = || Refusal::invalid("T01-ASK-003", "请从列出的选项里选", "Choose one of those listed");
    match about.split_once(':') {
        Some(("case", id)) => {
            let found = offered.cases.iter().find(|(case, ..)| case.as_str() == id).ok_or_else(bad)?;
            let (case, code, item, office) = found.clone();
            let to = tb_identity::offices::city_of(&office).unwrap_or(visit.ctx.node);
            Ok((About::Case { case, code, item }, to, Some(office)))
        }
        Some(("city", city)) => {
            let to: NodeId = city.parse().map_err(|_| bad())?;
            visit.app.city(to).ok_or_else(bad)?;
            Ok((item.map_or(About::Anything {}, |item| About::Item { item }), to, None))
        }
        _ => Err(bad()),
    }
}

fn view(visit: &Visit, parts: &Parts, form: Fields, offered: &Offered, item: Option<u16>) -> HelpPage {
    let lang = visit.lang;
    let mut choices = Vec::new();
    for (case, code, item, office) in &offered.cases {
        let named = |lang| words::item_name(lang, parts, &item.to_string());
        let (zh, en) =
            tb_identity::offices::city_of(office).map(|city| city_name(visit, city)).unwrap_or_default();
        choices.push((
            format!("case:{case}"),
            format!("{}，{code}，在{zh}", named(Lang::Zh)),
            format!("{}, {code}, in {en}", named(Lang::En)),
        ));
    }
    for front in &visit.app.cities {
        let (zh, en) = (&front.name, &front.name_en);
        choices.push(match offered.cases.is_empty() {
            true => (format!("city:{}", front.node), format!("{zh}的事"), format!("A matter in {en}")),
            false => (
                format!("city:{}", front.node),
                format!("别的事，在{zh}"),
                format!("Another matter, in {en}"),
            ),
        });
    }
    let limits = &parts.enquiry.limits;
    let limit = limits.answer(tb_enquiry::Kind::Stuck, visit.ctx.now.date()).limit;
    let key = match fields_key(&form) {
        Some(key) => key,
        None => visit.ctx.id(tb_base::MessageId::new).to_string(),
    };
    HelpPage {
        frame: visit
            .frame("办不成事，找这里", "When something cannot be got done")
            .airy()
            .errors(&form)
            .crumb("首页", "Start", "/"),
        lang,
        is_signed_in: visit.ctx.actor.person().is_some(),
        choices,
        item_name: item.map(|item| words::item_name(lang, parts, &item.to_string())).unwrap_or_default(),
        item,
        key,
        limit: lang.t(&limit.zh(), &limit.en()).to_owned(),
        form,
    }
}

/// The key that the form came with.
pub(super) fn fields_key(form: &Fields) -> Option<String> {
    let key = form.value("key");
    key.parse::<tb_base::MessageId>().is_ok().then(|| key.to_owned())
}

fn receipt(visit: &Visit, asked: &Enquiry, phone: &str) -> Receipt {
    let (zh, en) = city_name(visit, asked.to);
    Receipt {
        frame: visit
            .frame("收到了，有人跟进", "We have it, and somebody follows it")
            .airy()
            .crumb("首页", "Start", "/")
            .crumb("办不成事", "Could not be done", "/help"),
        lang: visit.lang,
        code: ui::grouped(&asked.code, 4),
        phone: masked_phone(phone),
        city: visit.lang.t(&zh, &en).to_owned(),
        due: format!("{} {}", visit.lang.day(asked.due.date()), visit.lang.weekday(asked.due.date())),
        is_on_its_way: asked.is_on_its_way(),
    }
}
