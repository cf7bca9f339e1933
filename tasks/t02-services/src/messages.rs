//! Notices to her (消息): what happened to her cases, newest first.
//! Serves clause 2.4.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::routing::{get, post};
use serde::Serialize;
use tb_base::{CaseId, MessageId, PersonId, Result};
use tb_case::acts;
use tb_identity::PAGE_ROWS;
use tb_identity::grants;
use tb_identity::messages::{self, Notice, Wanted};
use tb_identity::permit::Action;
use tb_identity::wording::Wording;
use tb_store::Tx;
use tb_web::ui::{Filters, Pager};
use tb_web::{App, Choice, Field, Form, Frame, Input, Lang, PageResult, RouteInfo, Visit, redirect, ui};

use crate::RESIDENT;
use crate::access::{Shared, resident};
use crate::parts::Parts;
use crate::words::say;

/// The addresses of this page.
pub(crate) const ROUTES: &[RouteInfo] =
    &[RouteInfo::get("/messages", RESIDENT), RouteInfo::post("/messages/read", RESIDENT)];

/// Every kind of notice that a person may get, by the crate that sends it.
pub const WORDINGS: &[&[Wording]] = &[
    tb_case::notices::WORDINGS,
    tb_licence::store::notices::WORDINGS,
    tb_enquiry::notices::WORDINGS,
    grants::notices::WORDINGS,
    tb_counter::notices::WORDINGS,
];

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/messages", get(show)).route("/messages/read", post(read))
}

const READING: &[Choice<'static>] = &[Choice::new("unread", "只看未读", "Unread only")];

#[derive(Template, Serialize)]
#[template(path = "t02/messages.html")]
struct Messages {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    unread: i64,
    count: i64,
    /// Case by case, that of the newest message first.
    groups: Vec<Group>,
    is_filtered: bool,
    pager: Pager,
    #[serde(skip)]
    filters: Filters,
}

/// The messages of this page about one case, or about none.
#[derive(Serialize)]
struct Group {
    case: Option<CaseId>,
    title: String,
    code: String,
    messages: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    id: MessageId,
    template: String,
    text: String,
    at: String,
    case: Option<CaseId>,
    /// The page that it is about.
    href: Option<String>,
    is_read: bool,
}

/// GET /messages?reading=unread&case=&page=
async fn show(visit: Visit, parts: Shared) -> PageResult {
    let (person, _) = resident(&visit.ctx, Action::ReadOwnMessages)?;
    let page = visit.param("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).max(1);
    let wanted = Wanted {
        only_unread: visit.param("reading").as_deref() == Some("unread"),
        case: visit.param("case").and_then(|case| case.parse().ok()),
    };
    let (shared, lang) = (Arc::clone(&parts), visit.lang);
    let read = visit.app.store.read("t02.messages", move |tx| {
        let (found, count) = messages::narrowed(tx, person, wanted, page - 1)?;
        let groups = grouped(tx, &shared, lang, person, &found)?;
        Ok((groups, count, messages::unread(tx, person)?))
    });
    let (groups, count, unread) = read.await?;
    let rows = usize::try_from(PAGE_ROWS).unwrap_or(1);
    visit.page(Messages {
        frame: visit.frame("消息", "Messages").crumb("首页", "Start", "/"),
        lang,
        unread,
        count,
        groups,
        is_filtered: wanted != Wanted::default(),
        pager: Pager::of(&visit, usize::try_from(count).unwrap_or(0), rows),
        filters: Filters::of(&visit, &[Field::new("reading", "哪些消息", "Which", Input::Select(READING))]),
    })
}

/// Messages case by case; each case is called by its item and its code.
fn grouped(
    tx: &mut Tx<'_>,
    parts: &Parts,
    lang: Lang,
    person: PersonId,
    found: &[Notice],
) -> Result<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    for notice in found {
        let line = line(lang, notice);
        match groups.iter_mut().find(|group| group.case == notice.case) {
            Some(group) => group.messages.push(line),
            None => {
                let (title, code) = called(tx, parts, lang, person, notice.case)?;
                groups.push(Group { case: notice.case, title, code, messages: vec![line] });
            }
        }
    }
    Ok(groups)
}

/// What a case is called; a case that this city does not know any more has only its messages.
fn called(
    tx: &mut Tx<'_>,
    parts: &Parts,
    lang: Lang,
    person: PersonId,
    case: Option<CaseId>,
) -> Result<(String, String)> {
    let Some(case) = case else { return Ok((lang.t("其他", "Other").to_owned(), String::new())) };
    if acts::person_of(tx, case)? != Some(person) {
        return Ok((lang.t("办件", "A case").to_owned(), String::new()));
    }
    let view = acts::view(tx, &parts.env, case)?;
    Ok((say(lang, &view.item_name).to_owned(), ui::grouped(&view.query_code, 4)))
}

fn line(lang: Lang, notice: &Notice) -> Line {
    let words = WORDINGS.iter().find_map(|known| notice.words(known));
    let text = match &words {
        Some((zh, en)) => lang.t(zh, en),
        None => lang.t("您有一条新消息。", "You have a new message."),
    };
    Line {
        id: notice.id,
        template: notice.template.clone(),
        text: text.to_owned(),
        at: lang.time(notice.at),
        href: notice
            .case
            .map(|case| format!("/cases/{case}"))
            .or_else(|| tb_enquiry::notices::href(&notice.template, &notice.params))
            .or_else(|| grants::notices::href(&notice.template))
            .or_else(|| tb_counter::notices::href(&notice.template, &notice.params)),
        case: notice.case,
        is_read: notice.read_at.is_some(),
    }
}

/// POST /messages/read: marks everything as read.
async fn read(visit: Visit, _: Form) -> PageResult {
    let (person, _) = resident(&visit.ctx, Action::ReadOwnMessages)?;
    let ctx = visit.ctx.clone();
    let all = move |tx: &mut Tx<'_>| messages::mark_all_read(tx, &ctx, person);
    visit.app.store.write("t02.messages.read", all).await?;
    Ok(redirect("/messages"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What is filled in, by name.
    fn places(words: &str) -> BTreeSet<&str> {
        words.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or_default()).collect()
    }

    #[test]
    fn every_notice_is_a_sentence_in_both_languages() {
        let mut keys = BTreeSet::new();
        for wording in WORDINGS.iter().copied().flatten() {
            assert!(keys.insert(wording.key), "{} twice", wording.key);
            assert!(!wording.editions.is_empty(), "{} has no words", wording.key);
            for (zh, en) in wording.editions {
                assert!(zh.ends_with('。') && en.ends_with('.'), "{}: {zh} {en}", wording.key);
                let in_chinese: BTreeSet<&str> =
                    places(en).iter().map(|it| it.trim_end_matches("_en")).collect();
                assert_eq!(places(zh), in_chinese, "{}: other things are filled in", wording.key);
            }
        }
    }
}
