//! My enquiries (我的问询): the list, and one with everything that was said.

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{MessageId, Result};
use tb_enquiry::acts::{self, Doing};
use tb_enquiry::decide::{By, allowed};
use tb_enquiry::{Act, ActKind, Asker, Enquiry, Turn, keep, queue};
use tb_identity::permit::Action;
use tb_store::Tx;
use tb_web::{Fields, Form, Frame, Lang, PageError, PageResult, Visit, redirect, ui};

use super::help::fields_key;
use super::shown::{Reader, Shown, shown};
use super::{AGAIN, Shared, id_of, key_of, person, taken, wording, words};
use crate::parts::Parts;

/// The list.
#[derive(Template, Serialize)]
#[template(path = "t01/asks.html")]
struct Asks {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    asks: Vec<Row>,
    total: i64,
    #[serde(skip)]
    pager: ui::Pager,
}

#[derive(Serialize)]
struct Row {
    id: MessageId,
    title: String,
    about: String,
    state: String,
    #[serde(skip)]
    kind: &'static str,
}

/// One enquiry, for whoever asked: signed in, or with code and telephone.
#[derive(Template, Serialize)]
#[template(path = "t01/ask.html")]
pub(super) struct AskPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    ask: Shown,
    form: Fields,
    may_add: bool,
    may_close: bool,
    /// Where its forms go.
    #[serde(skip)]
    action: String,
    /// What its forms carry along: what opens it without an account.
    #[serde(skip)]
    hidden: Vec<(&'static str, String)>,
    key: String,
    done: String,
}

/// GET /asks
pub async fn list(visit: Visit, parts: Shared) -> PageResult {
    let person = person(&visit.ctx, Action::ReadOwnEnquiry)?;
    let page = visit.param("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).max(1);
    let found = visit.app.store.read("t01.asks", move |tx| queue::of_person(tx, person, page - 1)).await?;
    let (lang, parts) = (visit.lang, &*parts.0);
    let row = |enquiry: &Enquiry| {
        let (kind, state) = words::tag(&visit, enquiry);
        let (zh, en) = super::city_name(&visit, enquiry.to);
        let office = enquiry.office.as_ref().map(|office| lang.t(&office.zh, &office.en));
        let to = office.unwrap_or_else(|| lang.t(&zh, &en));
        let about = format!("{} · {} · {to}", words::kind(lang, &enquiry.about), lang.time(enquiry.asked));
        Row { id: enquiry.id, title: words::title(lang, parts, &enquiry.about), about, state, kind }
    };
    let per_page = usize::try_from(queue::PAGE_ROWS).unwrap_or(1);
    visit.page(Asks {
        frame: visit.frame("我的问询", "My enquiries").crumb("首页", "Start", "/"),
        lang,
        asks: found.rows.iter().map(row).collect(),
        total: found.total,
        pager: ui::Pager::of(&visit, usize::try_from(found.total).unwrap_or(0), per_page),
    })
}

/// GET /asks/{id}
pub async fn show(visit: Visit, parts: Shared, path: Path<String>) -> PageResult {
    let (asker, id) = asker(&visit, &path)?;
    let (enquiry, turns) = read(&visit, id, asker).await?;
    let form = Fields::blank(&visit);
    visit.page(own_page(&visit, &parts, &enquiry, &turns, form))
}

/// POST /asks/{id}: adds something, or says that it is done.
pub async fn act(visit: Visit, parts: Shared, path: Path<String>, form: Form) -> PageResult {
    let (asker, id) = asker(&visit, &path)?;
    let mut fields = form.fields();
    let act = act_of(&mut fields);
    let done = match act {
        Some(act) => {
            let outcome =
                follow_up(&visit, &parts, id, asker.clone(), key_of(&visit.ctx, &fields), act).await;
            taken(&mut fields, outcome)?
        }
        None => None,
    };
    if done.is_some() {
        return Ok(redirect(&format!("/asks/{id}?done=told")));
    }
    let (enquiry, turns) = read(&visit, id, asker).await?;
    visit.form_again(own_page(&visit, &parts, &enquiry, &turns, fields))
}

fn asker(visit: &Visit, path: &str) -> Result<(Asker, MessageId)> {
    Ok((Asker::Person(person(&visit.ctx, Action::ReadOwnEnquiry)?), id_of(path)?))
}

async fn read(
    visit: &Visit,
    id: MessageId,
    asker: Asker,
) -> std::result::Result<(Enquiry, Vec<Turn>), PageError> {
    let read = move |tx: &mut Tx<'_>| {
        let enquiry = acts::own(keep::find(tx, id)?, &asker)?;
        Ok((enquiry, keep::turns(tx, id)?))
    };
    Ok(visit.app.store.read("t01.ask", read).await?)
}

fn own_page(visit: &Visit, parts: &Parts, enquiry: &Enquiry, turns: &[Turn], form: Fields) -> AskPage {
    let action = format!("/asks/{}", enquiry.id);
    let page = view(visit, parts, (enquiry, turns), form, action, Vec::new());
    AskPage { frame: page.frame.crumb("我的问询", "My enquiries", "/asks"), ..page }
}

/// The page of an enquiry for whoever asked.
pub(super) fn view(
    visit: &Visit,
    parts: &Parts,
    (enquiry, turns): (&Enquiry, &[Turn]),
    form: Fields,
    action: String,
    hidden: Vec<(&'static str, String)>,
) -> AskPage {
    let may = allowed(enquiry, By::Asker);
    let ask = shown(visit, parts, enquiry, turns, Reader::Asker);
    let key = fields_key(&form).unwrap_or_else(|| visit.ctx.id(MessageId::new).to_string());
    AskPage {
        frame: visit.frame(&ask.title, &ask.title).airy().errors(&form).crumb("首页", "Start", "/"),
        lang: visit.lang,
        ask,
        form,
        may_add: may.contains(&ActKind::Again),
        may_close: may.contains(&ActKind::Close),
        action,
        hidden,
        key,
        done: visit.param("done").unwrap_or_default(),
    }
}

/// What a form of the page asks for; nothing where its text is wrong.
pub(super) fn act_of(fields: &mut Fields) -> Option<Act> {
    match fields.pressed() {
        "close" => Some(Act::Close {}),
        _ => wording(fields, &AGAIN).map(|text| Act::Again { text }),
    }
}

/// Does it, if the enquiry is hers.
pub(super) async fn follow_up(
    visit: &Visit,
    parts: &Parts,
    id: MessageId,
    asker: Asker,
    turn: MessageId,
    act: Act,
) -> Result<Enquiry> {
    let (ctx, env) = (visit.ctx.clone(), parts.enquiry.clone());
    let follow_up = move |tx: &mut Tx<'_>| {
        acts::own(keep::find(tx, id)?, &asker)?;
        acts::act(tx, &ctx, &env, id, &Doing { turn, act: act.clone(), by: By::Asker, seen: None })
    };
    visit.app.store.write("t01.ask.follow_up", follow_up).await
}
