//! The start page (首页): one search, what she has under way, what happened to her, the other cities.
//! Serves clause 2.1.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::routing::get;
use serde::Serialize;
use tb_base::{PersonId, Role};
use tb_case::case::PhaseKind;
use tb_case::{draft, queue};
use tb_web::{App, CityFront, Frame, Lang, PageError, PageResult, RouteInfo, Visit, Who, redirect, ui};

use crate::access::Shared;
use crate::cases::{CaseLine, DraftLine};
use crate::items::ItemLine;
use crate::situations::Tile;

/// The addresses of this page.
pub(crate) const ROUTES: &[RouteInfo] = &[RouteInfo::get("/", Who::Public)];

/// What people search for most.
pub(crate) const POPULAR: &[(&str, &str)] = &[
    ("从业资格证", "Driver's qualification"),
    ("居民身份证", "Identity card"),
    ("公积金", "Housing fund"),
    ("社会保障卡", "Social security card"),
];
/// What is often done; items that can be applied for come before these.
const FREQUENT: &[u16] = &[5, 77, 37, 27, 86, 32, 64];
/// Rows of what she has under way.
const OPEN_MAX: usize = 4;
/// Situations of the start page, and of the one in larger letters.
const SITUATIONS_SHOWN: usize = 8;
const SITUATIONS_LARGE: usize = 5;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/", get(show))
}

#[derive(Template, Serialize)]
#[template(path = "t02/home.html")]
struct Home {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    user: Option<String>,
    /// What she has under way, what waits for her first.
    open: Vec<CaseLine>,
    drafts: Vec<DraftLine>,
    case_count: i64,
    situations: Vec<Tile>,
    situation_count: usize,
    frequent: Vec<ItemLine>,
    item_count: usize,
    online_count: usize,
    #[serde(skip)]
    others: Vec<CityFront>,
    #[serde(skip)]
    here: String,
}

impl Home {
    fn popular(&self) -> &'static [(&'static str, &'static str)] {
        POPULAR
    }

    fn waits_for_her(&self) -> Option<&CaseLine> {
        self.open.iter().find(|line| line.waits_for_her)
    }
}

/// GET /: staff are sent to where their work lies.
async fn show(visit: Visit, parts: Shared) -> PageResult {
    if let Some(desk) = visit.ctx.actor.role().and_then(desk) {
        return Ok(redirect(desk));
    }
    let lang = visit.lang;
    let (open, drafts, case_count) = match visit.ctx.actor.person() {
        Some(person) => hers(&visit, &parts, person).await?,
        None => (Vec::new(), Vec::new(), 0),
    };
    let counts = parts.catalogue.counts();
    let online = parts.catalogue.items().filter(|item| item.online()).map(|item| item.entry.number);
    let numbers = online.chain(FREQUENT.iter().copied());
    let situations = parts.finding.situations.all();
    let shown = if visit.view.is_large() { SITUATIONS_LARGE } else { SITUATIONS_SHOWN };
    visit.page(Home {
        frame: visit.frame("首页", "Start"),
        lang,
        user: visit.account.as_ref().map(|account| account.name.clone()),
        open,
        drafts,
        case_count,
        situations: situations.iter().take(shown).map(|it| Tile::of(lang, it)).collect(),
        situation_count: situations.len(),
        frequent: numbers
            .filter_map(|no| parts.catalogue.item(no))
            .map(|item| ItemLine::of(lang, &parts, item))
            .collect(),
        item_count: counts.items,
        online_count: counts.online,
        others: visit.app.cities.iter().filter(|city| city.node != visit.ctx.node).cloned().collect(),
        here: visit.app.front().map_or(String::new(), |front| lang.t(&front.name, &front.name_en).to_owned()),
    })
}

/// The bench of a member of staff.
fn desk(role: Role) -> Option<&'static str> {
    match role {
        Role::Window => Some("/window"),
        Role::Reviewer | Role::Approver => Some("/office"),
        Role::Supervisor => Some("/supervise"),
        Role::Inspector => Some("/verify"),
        Role::Bureau => Some("/bureau"),
        Role::Auditor => Some("/audit"),
        Role::Administrator => Some("/accounts"),
        Role::Resident => None,
    }
}

async fn hers(
    visit: &Visit,
    parts: &Shared,
    person: PersonId,
) -> Result<(Vec<CaseLine>, Vec<DraftLine>, i64), PageError> {
    let shared = Arc::clone(parts);
    let read = visit.app.store.read("t02.home", move |tx| {
        Ok((queue::of_person(tx, person, 0)?, draft::of_person(tx, &shared.env, person)?))
    });
    let (page, drafts) = read.await?;
    let mut open: Vec<_> = page.rows.iter().filter(|row| !row.phase.is_over()).collect();
    open.sort_by_key(|row| (!matches!(row.phase, PhaseKind::Correcting | PhaseKind::Delivering), row.due));
    let open = open.into_iter().take(OPEN_MAX).map(|row| CaseLine::of(visit, parts, row)).collect();
    let drafts = drafts.iter().take(OPEN_MAX).map(|draft| DraftLine::of(visit, parts, draft)).collect();
    Ok((open, drafts, page.total))
}

#[cfg(test)]
mod tests {
    /// A word that finds nothing would be a dead end.
    #[test]
    fn every_popular_word_finds_what_is_called_so() {
        let catalogue = crate::defs::catalogue().expect("the shipped definitions");
        let finding = crate::defs::finding(&catalogue).expect("the shipped words");
        for (word, _) in super::POPULAR {
            assert_eq!(finding.finder.find(word).how, tb_find::How::AsTyped, "{word}");
        }
        for no in super::FREQUENT {
            assert!(catalogue.item(*no).is_some(), "{no}");
        }
    }
}
