//! Applying (申办): begin, fill in one page after the other, agree to the fetch, check, hand in.
//! Serves clauses 2.2 and 2.3.
//!
//! Invariant: whatever is typed stays, whatever a city answers; nothing is asked that a city already knows.

mod acting;
mod check;
mod consent;
mod dispute;
mod page;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use serde::Serialize;
use tb_base::{Ctx, DraftId, NodeId, Refusal, Result};
use tb_case::ItemRules;
use tb_case::case::Channel;
use tb_case::draft::{self, Draft, NewDraft};
use tb_identity::people::{self, Person};
use tb_identity::permit::Action;
use tb_store::{Tx, audit};
use tb_web::{App, Form, Frame, Lang, PageError, PageResult, RouteInfo, Visit, redirect};

use crate::access::{Shared, draft_id, own_draft, resident};
use crate::cases::open::{OpenCase, same_item};
use crate::parts::Parts;
use crate::words::say;
use crate::{RESIDENT, items};

/// The addresses of these pages.
pub(crate) const ROUTES: &[RouteInfo] = &[
    RouteInfo::post("/items/{no}/apply", RESIDENT),
    RouteInfo::get("/drafts/{draft}", RESIDENT),
    RouteInfo::post("/drafts/{draft}", RESIDENT),
    RouteInfo::get("/drafts/{draft}/consent", RESIDENT),
    RouteInfo::post("/drafts/{draft}/consent", RESIDENT),
    RouteInfo::get("/drafts/{draft}/check", RESIDENT),
    RouteInfo::post("/drafts/{draft}/dispute", RESIDENT),
    RouteInfo::post("/drafts/{draft}/submit", RESIDENT),
    RouteInfo::get("/drafts/{draft}/discard", RESIDENT),
    RouteInfo::post("/drafts/{draft}/discard", RESIDENT),
];

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/items/{no}/apply", post(begin))
        .route("/drafts/{draft}", get(page::show).post(page::send))
        .route("/drafts/{draft}/consent", get(consent::show).post(consent::send))
        .route("/drafts/{draft}/check", get(check::show))
        .route("/drafts/{draft}/dispute", post(dispute::send))
        .route("/drafts/{draft}/submit", post(check::send))
        .route("/drafts/{draft}/discard", get(confirm_discard).post(discard))
}

/// A draft as pages and programs name it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DraftHead {
    /// The draft.
    pub id: DraftId,
    /// Its version, which a save names.
    pub version: i64,
    /// What one goes on with it by.
    pub code: String,
    /// The item.
    pub item: u16,
    /// Its name.
    pub name: String,
    /// The city that decides, as far as it is known.
    pub deciding: Option<NodeId>,
}

impl DraftHead {
    pub(crate) fn of(lang: Lang, draft: &Draft, rules: &ItemRules) -> DraftHead {
        DraftHead {
            id: draft.id,
            version: draft.version,
            code: draft.code.clone(),
            item: draft.item,
            name: say(lang, &rules.item.title).to_owned(),
            deciding: draft.deciding,
        }
    }
}

/// The rules that a draft is filled in under: those of the city that decides, as far as it is known.
pub(crate) fn rules(parts: &Parts, draft: &Draft) -> Result<Arc<ItemRules>> {
    let city = draft.deciding.unwrap_or_else(|| parts.env.me());
    parts.catalogue.rules(draft.item, city).ok_or_else(|| items::guide_only().into())
}

/// A draft of hers with its rules and with what the register knows of her.
pub(crate) struct Opened {
    pub(crate) draft: Draft,
    pub(crate) person: Person,
    pub(crate) rules: Arc<ItemRules>,
    /// Cases of the same item that she has under way.
    pub(crate) open: Vec<OpenCase>,
}

/// Opens a draft, if it is hers.
pub(crate) async fn open(
    visit: &Visit,
    parts: &Arc<Parts>,
    id: &str,
) -> std::result::Result<Opened, PageError> {
    let (id, (person, _)) = (draft_id(id)?, resident(&visit.ctx, Action::FileCase)?);
    let shared = Arc::clone(parts);
    let read = visit.app.store.read("t02.draft", move |tx| {
        let draft = own_draft(tx, &shared, id, person)?;
        let open = same_item(tx, person, draft.item)?;
        Ok((draft, people::get(tx, &shared.vault, person)?, open))
    });
    let (draft, person, open) = read.await?;
    let rules = rules(parts, &draft)?;
    Ok(Opened { draft, person, rules, open })
}

/// The draft as one of this site: what a window began and she goes on with needs no clerk any more.
pub(crate) fn online(tx: &mut Tx<'_>, ctx: &Ctx, parts: &Parts, held: Draft) -> Result<Draft> {
    match held.channel {
        Channel::Online => Ok(held),
        Channel::Window => draft::take_over(tx, ctx, &parts.env, held.id, held.version, Channel::Online),
    }
}

/// How many steps there are: the pages of the form, the consent, the check.
pub(crate) fn step_count(rules: &ItemRules) -> usize {
    rules.pages.len() + 2
}

/// Step so of so many, in words.
pub(crate) fn step_words(lang: Lang, step: usize, steps: usize) -> String {
    match lang {
        Lang::Zh => format!("第 {step} 步，共 {steps} 步"),
        Lang::En => format!("step {step} of {steps}"),
    }
}

/// POST /items/{no}/apply: begins a draft for the city that is to decide (`deciding`).
async fn begin(visit: Visit, parts: Shared, no: Path<String>, form: Form) -> PageResult {
    let item = items::find(&parts, &no.0)?.entry.number;
    let (person, _) = resident(&visit.ctx, Action::FileCase)?;
    let mut fields = form.fields();
    let deciding = match fields.value("deciding").parse::<NodeId>() {
        Ok(city) if parts.catalogue.rules(item, city).is_some() && visit.app.city(city).is_some() => city,
        Ok(_) | Err(_) => {
            fields.refuse(&no_such_city());
            return items::guide_again(&visit, &parts, item, fields).await;
        }
    };
    let audience =
        parts.catalogue.rules(item, deciding).map_or(Vec::new(), |rules| rules.item.audience.clone());
    if let Err(refusal) = acting::may_apply(&visit, &audience) {
        fields.refuse(&refusal);
        return items::guide_again(&visit, &parts, item, fields).await;
    }
    let (ctx, shared, firm) =
        (visit.ctx.clone(), Arc::clone(&parts), visit.acting().map(|acting| acting.code));
    let made = visit.app.store.write("t02.draft.begin", move |tx| {
        let new = NewDraft { item, person, channel: Channel::Online, deciding: Some(deciding) };
        let draft = draft::create(tx, &ctx, &shared.env, &new)?;
        acting::begun(tx, &ctx, firm, (person, draft.id, item))?;
        audit::line(tx, &ctx, "case.draft", draft.id.as_str(), "begun")?;
        Ok(draft.id)
    });
    match fields.take(made.await)? {
        Some(draft) => Ok(redirect(&format!("/drafts/{draft}"))),
        None => items::guide_again(&visit, &parts, item, fields).await,
    }
}

fn no_such_city() -> Refusal {
    Refusal::invalid("T02-APP-001", "请选由哪个市决定", "Choose the city that decides").on("deciding")
}

/// The question before a draft is thrown away.
#[derive(Template, Serialize)]
#[template(path = "t02/discard.html")]
struct Discard {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    draft: DraftHead,
}

async fn confirm_discard(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let opened = open(&visit, &parts, &id).await?;
    let frame = visit.frame("删除草稿", "Discard the draft").crumb("我的办件", "My cases", "/cases");
    visit.page(Discard {
        frame,
        lang: visit.lang,
        draft: DraftHead::of(visit.lang, &opened.draft, &opened.rules),
    })
}

async fn discard(visit: Visit, parts: Shared, id: Path<String>, _: Form) -> PageResult {
    let opened = open(&visit, &parts, &id).await?;
    let (ctx, draft) = (visit.ctx.clone(), opened.draft.id);
    let gone = visit.app.store.write("t02.draft.discard", move |tx| {
        draft::discard(tx, draft)?;
        tb_identity::grants::filed::discard(tx, crate::access::case_of(draft)?)?;
        tb_licence::consent::end_of_case(tx, &ctx, crate::access::case_of(draft)?)?;
        audit::line(tx, &ctx, "case.draft", draft.as_str(), "discarded")
    });
    gone.await?;
    Ok(redirect("/cases?done=discarded"))
}
