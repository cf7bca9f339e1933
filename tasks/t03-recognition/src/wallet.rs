//! My licences (我的证照): those of this city and, asked live, those of every other city.
//! Serves clauses 1.2 and 3.3.
//!
//! Invariant: a city that does not answer is named; its licences are not known, which is not the same as none.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_base::{Date, Error, Fault, LicenceId, NodeId, Refusal, Result};
use tb_exchange::Answer;
use tb_identity::permit::Action;
use tb_licence::ask::located;
use tb_licence::peer::{Match, show as by_holder};
use tb_licence::state::{Standing, State};
use tb_licence::store::{Licence, of_holder};
use tb_web::{Frame, Html, Lang, PageResult, Visit, ui};
use tokio::task::JoinSet;

use crate::holder::{Holder, holder, query, unreadable};
use crate::parts::Parts;
use crate::words::{state_kind, state_word, type_name};

/// More types than that no city is asked for at once.
const TYPES_MAX: usize = 20;
/// From so many days before its last day on, the list says that a licence ends soon.
const SOON_DAYS: i32 = 30;

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t03/licences.html")]
struct Wallet {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    licences: Vec<Card>,
    /// Cities that did not answer.
    silent: Vec<SilentCity>,
}

/// A licence in the list.
#[derive(Debug, Serialize)]
struct Card {
    id: LicenceId,
    city: NodeId,
    #[serde(rename = "type")]
    type_id: String,
    type_name: String,
    state: State,
    state_word: String,
    version: u16,
    valid_from: Date,
    valid_to: Option<Date>,
    /// Whether it may be relied on today.
    in_force: bool,
    /// In how many days it ends, where that is soon.
    ends_in_days: Option<i32>,
    url: String,
    /// Where it is shown by POST; none where nobody could rely on it.
    present_url: Option<String>,
}

/// A city that did not answer.
#[derive(Debug, Serialize)]
struct SilentCity {
    city: NodeId,
    name: String,
    said: String,
}

impl Card {
    fn kind(&self) -> &'static str {
        match (self.state, self.in_force, self.ends_in_days) {
            (State::Valid, false, _) | (State::Valid, true, Some(_)) => "wait",
            (state, _, _) => state_kind(state),
        }
    }

    fn tag(&self, lang: &Lang) -> Html {
        let text = match self.ends_in_days {
            Some(0) => lang.t("今天到期", "ends today").to_owned(),
            Some(days) => match lang {
                Lang::Zh => format!("{days} 天后到期"),
                Lang::En => format!("ends in {}", lang.count(days, "", "day", "days")),
            },
            None => self.state_word.clone(),
        };
        ui::tag(self.kind(), &text)
    }
}

/// GET /licences
pub async fn show(visit: Visit, parts: Extension<Arc<Parts>>) -> PageResult {
    let holder = holder(&visit, &parts, Action::ReadOwnLicences).await?;
    let person = holder.person;
    let own = visit.app.store.read("t03.licences", move |tx| of_holder(tx, person)).await?;
    let own = own.into_iter().map(found_here);
    let mut licences: Vec<Card> = own.map(|it| card(&visit, &parts, visit.ctx.node, it)).collect();
    let mut silent = Vec::new();
    for (city, answer) in ask_all(&visit, &parts, &holder).await? {
        match answer {
            Ok(found) => licences.extend(found.into_iter().map(|it| card(&visit, &parts, city, it))),
            Err(refusal) => silent.push((city, refusal)),
        }
    }
    licences.sort_by_cached_key(|it| (!it.in_force, it.type_id.clone(), it.city, it.id));
    silent.sort_by_key(|(city, _)| *city);
    let frame = visit.frame("我的证照", "My licences").airy();
    let silent = silent.into_iter().map(|(city, refusal)| SilentCity {
        city,
        name: frame.city_name(city),
        said: visit.lang.refusal(&refusal).to_owned(),
    });
    let silent = silent.collect();
    visit.page(Wallet { frame, lang: visit.lang, licences, silent })
}

type Asked = Vec<(NodeId, std::result::Result<Vec<Match>, Refusal>)>;

/// Asks every other city at once.
async fn ask_all(visit: &Visit, parts: &Parts, holder: &Holder) -> Result<Asked> {
    let types: BTreeSet<String> = parts.issuer.types.all().take(TYPES_MAX).map(|it| it.id.clone()).collect();
    let mut asked = JoinSet::new();
    let mut answers = Asked::new();
    for city in parts.desk.peers() {
        let number = holder.number.as_str();
        match by_holder::locate(&parts.desk, &visit.ctx, city, number, types.clone()) {
            Ok(message) => {
                let (app, ctx) = (visit.app.clone(), visit.ctx.clone());
                asked.spawn(async move { (city, query(app, ctx, message).await) });
            }
            Err(error) => answers.push((city, found(Err(error))?)),
        }
    }
    while let Some(done) = asked.join_next().await {
        let (city, outcome) = done.map_err(|error| Fault::of("asking other cities for licences", error))?;
        answers.push((city, found(outcome)?));
    }
    Ok(answers)
}

/// What a city found, or what it said instead. A broken answer is that city's fault and counts as none.
fn found(outcome: Result<Answer>) -> Result<std::result::Result<Vec<Match>, Refusal>> {
    match outcome.and_then(|answer| located(&answer)) {
        Ok(found) => Ok(Ok(found)),
        Err(Error::Refused(refusal)) => Ok(Err(*refusal)),
        Err(Error::Violation(_)) => Ok(Err(unreadable())),
        Err(error @ Error::Fault(_)) => Err(error),
    }
}

fn found_here(licence: Licence) -> Match {
    let Standing { state, valid_from, valid_to, .. } = licence.standing;
    let Licence { id, oid, type_id, version, .. } = licence;
    Match { id, oid, type_id, version, state, valid_from, valid_to }
}

fn card(visit: &Visit, parts: &Parts, city: NodeId, found: Match) -> Card {
    let (lang, today) = (visit.lang, visit.ctx.now.date());
    let standing = Standing { state: found.state, ..Standing::issued(found.valid_from, found.valid_to) };
    let (state, in_force) = (standing.as_of(today), standing.is_in_force(today));
    let state_word = match state {
        State::Valid if !in_force => lang.t("尚未生效", "not valid yet").to_owned(),
        state => state_word(lang, state),
    };
    let left = found.valid_to.and_then(|last| today.until(last).ok()).map(|left| left.get_days());
    let url = format!("/licences/{city}/{}", found.id);
    Card {
        type_name: type_name(lang, parts, &found.type_id),
        present_url: in_force.then(|| format!("{url}/present")),
        ends_in_days: left.filter(|days| in_force && *days <= SOON_DAYS),
        id: found.id,
        city,
        type_id: found.type_id,
        state,
        state_word,
        version: found.version,
        valid_from: found.valid_from,
        valid_to: found.valid_to,
        in_force,
        url,
    }
}
