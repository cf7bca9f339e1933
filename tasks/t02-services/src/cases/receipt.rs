//! The receipt to print (收件回执): number, code, who decides, until when, where to look.
//! Serves clause 2.3.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{CaseId, Date};
use tb_case::acts;
use tb_case::progress::ProgressView;
use tb_identity::people::{self, Person};
use tb_identity::permit::Action;
use tb_web::{Frame, Html, Lang, PageResult, Visit, ui};

use super::progress::collected_at;
use crate::access::{Shared, case_id, own_case, resident};
use crate::parts::Parts;
use crate::words::say;

#[derive(Template, Serialize)]
#[template(path = "t02/receipt.html")]
struct Receipt {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    case: CaseId,
    query_code: String,
    item: u16,
    name: String,
    legal: Option<Date>,
    promised: Option<Date>,
    address: String,
    #[serde(skip)]
    summary: ui::Summary,
    #[serde(skip)]
    papers: Vec<String>,
    #[serde(skip)]
    qr: Html,
}

impl Receipt {
    fn code(&self) -> Html {
        ui::code(&self.query_code)
    }

    /// The address in pieces after which a line may break.
    fn address_parts(&self) -> Vec<String> {
        let letters: Vec<char> = self.address.chars().collect();
        letters.chunks(8).map(|part| part.iter().collect()).collect()
    }
}

/// GET /cases/{case}/receipt
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let (case, (person, _)) = (case_id(&id)?, resident(&visit.ctx, Action::ReadOwnCase)?);
    let shared = Arc::clone(&parts);
    let read = visit.app.store.read("t02.receipt", move |tx| {
        own_case(tx, case, person)?;
        Ok((acts::view(tx, &shared.env, case)?, people::get(tx, &shared.vault, person)?))
    });
    let (view, person) = read.await?;
    page(&visit, &parts, &view, &person, &format!("/cases/{case}"))
}

/// The receipt of a case, for her and for the window that prints it.
pub(crate) fn page(
    visit: &Visit,
    parts: &Parts,
    view: &ProgressView,
    person: &Person,
    back: &str,
) -> PageResult {
    let (lang, case) = (visit.lang, view.case);
    let address = format!("{}/cases/{case}", visit.app.front().map_or("", |front| front.site_url.as_str()));
    let day = |kind| view.clock(kind).map(|clock| clock.due);
    let rows = rows(visit, view, &format!("{} {}", person.name, person.number.masked()));
    visit.page(Receipt {
        frame: visit.frame("收件回执", "Receipt").crumb("办件进度", "Progress", back).airy(),
        lang,
        case,
        query_code: ui::grouped(&view.query_code, 4),
        item: view.item,
        name: say(lang, &view.item_name).to_owned(),
        legal: day(tb_case::case::ClockKind::Legal),
        promised: day(tb_case::case::ClockKind::Promised),
        qr: ui::qr::svg(
            &address,
            lang.t(
                "打开办件进度的二维码，地址同下",
                "Code that opens the progress; the address stands below",
            ),
        )?,
        address,
        papers: papers(lang, parts, view),
        summary: ui::Summary { rows },
    })
}

fn rows(visit: &Visit, view: &ProgressView, person: &str) -> Vec<ui::SummaryRow> {
    let lang = visit.lang;
    let row = |zh: &str, en: &str, value: String| ui::SummaryRow::new(lang.t(zh, en), value);
    vec![
        row("申请人", "Applicant", person.to_owned()),
        row("收件", "Collected", format!("{} · {}", lang.time(view.collected), collected_at(visit, view))),
        row("决定机关", "Decided by", say(lang, &view.deciding.name).to_owned()),
        row("办件编号", "Number", ui::grouped(view.case.as_str(), 4)).code(),
    ]
}

/// What was handed in without paper.
fn papers(lang: Lang, parts: &Parts, view: &ProgressView) -> Vec<String> {
    let rules = parts.catalogue.rules(view.item, view.deciding.city);
    let materials = rules.map(|rules| rules.materials.clone()).unwrap_or_default();
    materials
        .iter()
        .filter(|material| material.required)
        .map(|material| say(lang, &material.title).to_owned())
        .collect()
}
