//! A decision against the applicant (不予许可、不予受理): shown to everybody in the same words, and to be printed.
//! Serves clause 2.5.
//!
//! Invariant: window and applicant read the same reasons, articles, facts and remedies, because both read the view.

use std::slice;
use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{CaseId, Refusal, Timestamp};
use tb_case::acts;
use tb_case::case::{Outcome, PhaseKind, Reason, RemedyText};
use tb_case::definitions::StageId;
use tb_case::progress::ProgressView;
use tb_case::text::Text;
use tb_identity::people::{self, Person};
use tb_identity::permit::Action;
use tb_web::{Frame, Lang, PageResult, Visit, ui};

use super::progress::collected_at;
use crate::access::{Shared, case_id, own_case, resident};
use crate::words::{say, word};

/// Why a case was not granted or not accepted, and what can be done against it; none where nothing was refused.
pub(crate) fn against(view: &ProgressView) -> Option<(&[Reason], &[RemedyText])> {
    match (&view.outcome, &view.reason) {
        (Some(Outcome::Refused { reasons, remedies }), _) => Some((reasons, remedies)),
        (Some(Outcome::Approved) | None, Some(reason)) if view.phase == PhaseKind::Declined => {
            Some((slice::from_ref(reason), &view.remedies))
        }
        (Some(Outcome::Approved) | None, Some(_) | None) => None,
    }
}

/// What such a decision is called.
pub(crate) fn heading(view: &ProgressView) -> Text {
    match view.phase {
        PhaseKind::Declined => Text::new("不予受理决定书", "Decision not to accept"),
        PhaseKind::Offered
        | PhaseKind::Received
        | PhaseKind::Correcting
        | PhaseKind::Accepted
        | PhaseKind::Decided
        | PhaseKind::Delivering
        | PhaseKind::Delivered
        | PhaseKind::Closed
        | PhaseKind::Withdrawn
        | PhaseKind::Lapsed
        | PhaseKind::Returned => Text::new("不予许可决定书", "Decision of refusal"),
    }
}

#[derive(Template, Serialize)]
#[template(path = "t02/decision.html")]
struct Decision {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    case: CaseId,
    query_code: String,
    item: u16,
    name: String,
    /// When it was decided.
    decided: Option<Timestamp>,
    reasons: Vec<Reason>,
    remedies: Vec<RemedyText>,
    #[serde(skip)]
    title: String,
    #[serde(skip)]
    office: String,
    #[serde(skip)]
    summary: ui::Summary,
    #[serde(skip)]
    back: String,
}

impl Decision {
    fn s<'a>(&self, text: &'a Text) -> &'a str {
        say(self.lang, text)
    }
}

/// GET /cases/{case}/decision
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let (case, (person, _)) = (case_id(&id)?, resident(&visit.ctx, Action::ReadOwnCase)?);
    let shared = Arc::clone(&parts);
    let read = visit.app.store.read("t02.decision", move |tx| {
        own_case(tx, case, person)?;
        Ok((acts::view(tx, &shared.env, case)?, people::get(tx, &shared.vault, person)?))
    });
    let (view, person) = read.await?;
    page(&visit, &view, &person, &format!("/cases/{case}"))
}

/// The decision of a case, for the applicant and for the window that prints it.
pub(crate) fn page(visit: &Visit, view: &ProgressView, person: &Person, back: &str) -> PageResult {
    let Some((reasons, remedies)) = against(view) else {
        return Err(Refusal::gone(
            "T02-CAS-002",
            "这个办件没有不予许可或者不予受理的决定",
            "Nothing was refused in this case",
        )
        .but("从办件进度看现在到了哪一步", "See the progress of the case")
        .into());
    };
    let (lang, title) = (visit.lang, heading(view));
    let decided = decided(view);
    let frame = visit.frame(&title.zh, &title.en).crumb("办件进度", "Progress", back).airy();
    visit.page(Decision {
        frame,
        lang,
        case: view.case,
        query_code: ui::grouped(&view.query_code, 4),
        item: view.item,
        name: say(lang, &view.item_name).to_owned(),
        decided,
        reasons: reasons.to_vec(),
        remedies: remedies.to_vec(),
        title: say(lang, &title).to_owned(),
        office: say(lang, &view.deciding.name).to_owned(),
        summary: ui::Summary { rows: rows(visit, view, person, decided) },
        back: back.to_owned(),
    })
}

/// When it was decided; the step says it in both cities.
fn decided(view: &ProgressView) -> Option<Timestamp> {
    let keys = [word(&StageId::Decide), word(&PhaseKind::Declined)];
    view.steps.iter().filter(|step| keys.contains(&step.key)).find_map(|step| step.at)
}

fn rows(
    visit: &Visit,
    view: &ProgressView,
    person: &Person,
    decided: Option<Timestamp>,
) -> Vec<ui::SummaryRow> {
    let lang = visit.lang;
    let row = |zh: &str, en: &str, value: String| ui::SummaryRow::new(lang.t(zh, en), value);
    let applied = format!("{} · {}", lang.time(view.collected), collected_at(visit, view));
    let mut rows = vec![
        row("申请人", "Applicant", format!("{} {}", person.name, person.number.masked())),
        row("申请事项", "Applied for", say(lang, &view.item_name).to_owned()),
        row("申请时间", "Applied", applied),
        row("决定机关", "Decided by", say(lang, &view.deciding.name).to_owned()),
    ];
    if let Some(decided) = decided {
        rows.push(row("决定时间", "Decided", lang.time(decided)));
    }
    rows.push(row("查询码", "Code", ui::grouped(&view.query_code, 4)).code());
    rows.push(row("办件编号", "Number", ui::grouped(view.case.as_str(), 4)).code());
    rows
}
