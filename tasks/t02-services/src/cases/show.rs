//! One case (办件进度): who holds it, until when and why, what she may do, how it ended.
//! Serves clauses 2.4 and 2.5.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{CaseId, Due, Error, MessageId, Refusal, Timestamp};
use tb_case::acts::{self, ActStatus, SentAct};
use tb_case::case::{Outcome, PhaseKind, Rating, Reason};
use tb_case::command::CommandKind;
use tb_case::definitions::{DeliveryMode, ItemRules, RatingTarget};
use tb_case::notices;
use tb_case::progress::ProgressView;
use tb_case::text::Text;
use tb_exchange::service;
use tb_identity::messages::{self, Notice, Wanted};
use tb_identity::permit::Action;
use tb_store::Tx;
use tb_store::outbox::{self, State};
use tb_web::{Fields, Frame, Html, Lang, PageError, PageResult, Visit, ui};

use super::papers::{self, Paper};
use super::progress::{self, Explained, PendingAct, Stuck};
use crate::access::{Shared, case_id, own_case, resident};
use crate::correction::{Asked, asked};
use crate::parts::Parts;
use crate::words::{PATIENCE_SECONDS, mark, say};

/// What was read of a case in one go.
pub(crate) struct Seen {
    pub(crate) view: ProgressView,
    pub(crate) actions: Vec<CommandKind>,
    acts: Vec<SentAct>,
    notices: Vec<Notice>,
    waiting: Option<Timestamp>,
    lost: Option<Refusal>,
    papers: Vec<Paper>,
}

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t02/case.html")]
pub(crate) struct CasePage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    progress: ProgressView,
    due: BTreeMap<String, Due>,
    actions: Vec<CommandKind>,
    pending_acts: Vec<PendingAct>,
    /// The city that does not answer while something waits for it.
    stuck: Option<Stuck>,
    /// Why the case was not taken by the exchange at all; a person of the data bureau has to look.
    lost: Option<Refusal>,
    /// Where the papers are that she handed in.
    papers: Vec<Paper>,
    form: Fields,
    #[serde(skip)]
    command: MessageId,
    #[serde(skip)]
    steps: ui::Steps,
    #[serde(skip)]
    due_box: Option<ui::DueBox>,
    #[serde(skip)]
    calendars: Vec<Explained>,
    #[serde(skip)]
    lines: Vec<Asked>,
    #[serde(skip)]
    notices: Vec<ui::Message>,
    #[serde(skip)]
    rules: Option<Arc<ItemRules>>,
    #[serde(skip)]
    done: String,
    /// Where it was handed in, in words.
    #[serde(skip)]
    collected_at: String,
}

impl CasePage {
    fn s<'a>(&self, text: &'a Text) -> &'a str {
        say(self.lang, text)
    }

    fn can(&self, kind: &str) -> bool {
        self.actions.iter().any(|action| crate::words::word(action) == kind)
    }

    /// Just handed in, nothing happened yet: the receipt stands on top.
    fn is_fresh(&self) -> bool {
        matches!(self.progress.phase, PhaseKind::Offered | PhaseKind::Received)
            && self.progress.correction.is_none()
    }

    fn tag(&self) -> Html {
        ui::tag(self.progress.phase.tag(), self.s(&self.progress.phase_name))
    }

    /// What she has to do now, where no form on the page asks it of her.
    fn to_do(&self) -> Option<String> {
        let view = &self.progress;
        if !self.lines.is_empty() || self.can("answer_correction") || view.phase.is_over() {
            return None;
        }
        let lang = self.lang;
        if view.phase == PhaseKind::Delivering && view.delivery == DeliveryMode::CollectingWindow {
            let window = self.s(&view.collecting.name);
            return Some(match lang {
                Lang::Zh => format!("请带身份证到{window}领取。"),
                Lang::En => format!("Please collect it at {window}, with your identity card."),
            });
        }
        if self.refused().is_some() {
            return Some(self.after_refusal());
        }
        Some(lang.t("您现在不用做什么。", "You need not do anything now.").to_owned())
    }

    /// What is left to her after a refusal that has not been served yet.
    fn after_refusal(&self) -> String {
        let (view, lang) = (&self.progress, self.lang);
        if view.delivery != DeliveryMode::CollectingWindow {
            let words = lang.t(
                "不同意这个决定的，下面写着您可以怎么办。",
                "If you do not agree, see below what you can do.",
            );
            return words.to_owned();
        }
        let window = self.s(&view.collecting.name);
        match lang {
            Lang::Zh => {
                format!("带身份证到{window}可以领取决定书。不同意这个决定的，下面写着您可以怎么办。")
            }
            Lang::En => format!(
                "You can get the decision at {window}, with your identity card. If you do not agree, see below what you can do."
            ),
        }
    }

    fn code(&self) -> Html {
        ui::code_to_copy(self.lang, &ui::grouped(&self.progress.query_code, 4))
    }

    fn number(&self) -> Html {
        ui::code(&ui::grouped(self.progress.case.as_str(), 4))
    }

    fn refused(&self) -> Option<(&[Reason], &[tb_case::case::RemedyText])> {
        match &self.progress.outcome {
            Some(Outcome::Refused { reasons, remedies }) => Some((reasons, remedies)),
            Some(Outcome::Approved) | None => None,
        }
    }

    fn is_returned(&self) -> bool {
        self.progress.phase == PhaseKind::Returned
    }

    fn again(&self) -> String {
        format!("/cases/{}/again", self.progress.case)
    }

    fn is_approved(&self) -> bool {
        matches!(self.progress.outcome, Some(Outcome::Approved))
    }

    fn legal_day(&self) -> String {
        self.due.get("legal").map_or(String::new(), |due| self.lang.date(due.date))
    }

    /// The targets that she may still rate, with their names.
    fn to_rate(&self) -> Vec<(&'static str, String)> {
        let Some(rules) = self.rules.as_ref().filter(|_| self.can("rate")) else { return Vec::new() };
        let open = rules
            .rating
            .targets
            .iter()
            .filter(|target| !self.progress.ratings.iter().any(|it| it.target == **target));
        open.map(|target| (target_word(*target), target_name(self.lang, &self.progress, *target))).collect()
    }

    fn rating(&self, rating: &Rating) -> String {
        let grades = self.rules.as_ref().map(|rules| rules.rating.grades.as_slice()).unwrap_or_default();
        let grade = grades.iter().find(|grade| grade.grade == rating.grade);
        let grade =
            grade.map_or(rating.grade.to_string(), |grade| self.lang.t(&grade.zh, &grade.en).to_owned());
        format!("{}{}{grade}", target_name(self.lang, &self.progress, rating.target), self.lang.t("：", ": "))
    }

    fn why_day(&self) -> String {
        let Some(clock) = self.progress.due() else {
            return self.lang.t("期限是怎么算的", "How the limits were counted").to_owned();
        };
        match self.lang {
            Lang::Zh => format!("为什么是 {}", self.lang.day(clock.due)),
            Lang::En => format!("Why {}", self.lang.day(clock.due)),
        }
    }
}

/// The word of a target in addresses.
pub(crate) fn target_word(target: RatingTarget) -> &'static str {
    match target {
        RatingTarget::Window => "window",
        RatingTarget::Department => "department",
    }
}

/// Who is rated, by name.
pub(crate) fn target_name(lang: Lang, view: &ProgressView, target: RatingTarget) -> String {
    let place = match target {
        RatingTarget::Window => &view.collecting,
        RatingTarget::Department => &view.deciding,
    };
    say(lang, &place.name).to_owned()
}

/// GET /cases/{case}
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let case = case_id(&id)?;
    let seen = see(&visit, &parts, case).await?;
    let form = Fields::blank(&visit);
    visit.page(page(&visit, &parts, seen, form))
}

/// Reads everything that the page shows, if the case is hers.
pub(crate) async fn see(visit: &Visit, parts: &Arc<Parts>, case: CaseId) -> Result<Seen, PageError> {
    let (person, _) = resident(&visit.ctx, Action::ReadOwnCase)?;
    let (ctx, shared, lang) = (visit.ctx.clone(), Arc::clone(parts), visit.lang);
    let about = Wanted { case: Some(case), ..Wanted::default() };
    let read = visit.app.store.read_snapshot("t02.case", move |tx| {
        own_case(tx, case, person)?;
        let view = acts::view(tx, &shared.env, case)?;
        let to = if view.owner == shared.env.me() { view.deciding.city } else { view.owner };
        let waiting = if to == shared.env.me() { None } else { outbox::waiting_since(tx, to)? };
        Ok(Seen {
            actions: acts::may(tx, &ctx, &shared.env, case)?,
            acts: acts_of(tx, case)?,
            lost: lost(tx, &view)?,
            papers: papers::of_case(tx, lang, case)?,
            notices: messages::narrowed(tx, person, about, 0)?.0,
            waiting,
            view,
        })
    });
    Ok(read.await?)
}

/// The acts that were passed on. No progress will ever answer one whose message was refused or given up,
/// so the page must.
fn acts_of(tx: &mut Tx<'_>, case: CaseId) -> Result<Vec<SentAct>, Error> {
    let mut acts = acts::sent(tx, case)?;
    if acts.iter().all(|act| act.status != ActStatus::Sent) {
        return Ok(acts);
    }
    for sent in
        outbox::of_case(tx, case)?.iter().filter(|sent| sent.message.envelope.service == service::CASE_ACT)
    {
        let waiting = acts.iter_mut().find(|act| act.status == ActStatus::Sent && act.sent == sent.created);
        let (Some(act), State::Rejected | State::Dead) = (waiting, sent.state) else { continue };
        let said = outbox::receipts(tx, sent.message.envelope.id)?;
        act.status = ActStatus::Rejected;
        act.refusal = Some(said.into_iter().find_map(|it| it.receipt.refusal).unwrap_or_else(not_delivered));
    }
    Ok(acts)
}

/// Why an offer will never arrive, if that is so: it was refused for good, or given up.
fn lost(tx: &mut Tx<'_>, view: &ProgressView) -> Result<Option<Refusal>, Error> {
    if view.phase != PhaseKind::Offered {
        return Ok(None);
    }
    let sent = outbox::of_case(tx, view.case)?.into_iter();
    let offer = sent.rev().find(|sent| sent.message.envelope.service == service::CASE_OFFER);
    let Some(offer) = offer.filter(|offer| matches!(offer.state, State::Rejected | State::Dead)) else {
        return Ok(None);
    };
    let said = outbox::receipts(tx, offer.message.envelope.id)?;
    Ok(Some(said.into_iter().find_map(|it| it.receipt.refusal).unwrap_or_else(not_delivered)))
}

fn not_delivered() -> Refusal {
    Refusal::not_now("T02-ACT-004", "没有送到，请再做一次", "It was not delivered; do it once more")
}

/// The page of a case, with a form that may hold errors.
pub(crate) fn page(visit: &Visit, parts: &Parts, seen: Seen, form: Fields) -> CasePage {
    let lang = visit.lang;
    let view = seen.view;
    let rules = parts.catalogue.rules(view.item, view.deciding.city);
    let title = format!("{} · {}", say(lang, &view.item_name), say(lang, &view.phase_name));
    let collected_at = progress::collected_at(visit, &view);
    let frame =
        visit.frame(&title, &title).crumb("首页", "Start", "/").crumb("我的办件", "My cases", "/cases");
    CasePage {
        frame: frame.errors(&form),
        lang,
        due: progress::due(parts, &view),
        steps: progress::steps(visit, &view),
        due_box: progress::due_box(visit, parts, &view),
        calendars: progress::calendars(visit, parts, &view),
        lines: asked(rules.as_deref(), &view, &form),
        pending_acts: progress::pending(visit, &view, &seen.acts),
        stuck: stuck(visit, &view, seen.waiting),
        lost: seen.lost,
        papers: seen.papers,
        notices: seen.notices.iter().filter_map(|notice| message(visit, &view, notice)).collect(),
        actions: seen.actions,
        command: visit.ctx.id(MessageId::new),
        progress: view,
        form,
        rules,
        done: visit.param("done").unwrap_or_default(),
        collected_at,
    }
}

/// Something waits for another city for longer than it takes.
fn stuck(visit: &Visit, view: &ProgressView, waiting: Option<Timestamp>) -> Option<Stuck> {
    let city = if view.owner == visit.ctx.node { view.deciding.city } else { view.owner };
    let since = waiting.filter(|since| since.plus_seconds(PATIENCE_SECONDS) <= visit.ctx.now)?;
    (city != visit.ctx.node && !view.phase.is_over()).then_some(Stuck { city, since })
}

fn message(visit: &Visit, view: &ProgressView, notice: &Notice) -> Option<ui::Message> {
    let lang = visit.lang;
    let of_counter = || notice.words(tb_counter::notices::WORDINGS);
    let (zh, en) = notice.words(notices::WORDINGS).or_else(of_counter)?;
    // The city that collected speaks until the other one has taken over.
    let collects = notice.template == "case.offered" || notice.template.starts_with("counter.");
    let (who, city) = match collects {
        true => (progress::collected_at(visit, view), view.collecting.city),
        false => (say(lang, &view.deciding.name).to_owned(), view.deciding.city),
    };
    Some(ui::Message {
        who,
        when: lang.moment(notice.at),
        city: mark(&visit.app, lang, city),
        mine: false,
        text: lang.t(&zh, &en).to_owned(),
    })
}
