//! One licence as the department sees it (证照详情): term, state, history; its values only on a ground.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{Ctx, Date, LicenceId, Result, Role, Timestamp};
use tb_identity::look::LookKind;
use tb_licence::state::State;
use tb_licence::store::{HistoryLine, Issuer, Licence, history_of};
use tb_licence::types::Viewer;
use tb_store::{Tx, audit};
use tb_web::{Choice, Field, Fields, Form, Frame, Html, Input, Lang, PageResult, Visit, ui};

use super::act::{ARTICLE, REASON};
use super::deed::{Deed, allowed};
use super::ground::{BASIS, CASE, Opened, Stated, record};
use super::{licence_id, managed};
use crate::parts::Parts;
use crate::words::{event_word, face_order, field_name, state_kind, state_word, type_name};

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t03/office_licence.html")]
pub(super) struct LicencePage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    licence: Shown,
    /// What the visitor may order now.
    allowed: Vec<Deed>,
    history: Vec<Line>,
    form: Fields,
    /// What was just done.
    done: Option<Deed>,
    /// Whether the holder is in this city's register, so that she is told here.
    told: bool,
    /// Whether the visitor's role gives orders at all.
    may_order: bool,
    #[serde(skip)]
    choices: Html,
}

/// The licence; `values` is empty until they are opened on a ground.
#[derive(Debug, Serialize)]
struct Shown {
    id: LicenceId,
    oid: String,
    #[serde(rename = "type")]
    type_id: String,
    type_name: String,
    state: State,
    state_word: String,
    version: u16,
    issued_at: Timestamp,
    valid_from: Date,
    valid_to: Option<Date>,
    void_from: Option<Date>,
    values: Vec<Value>,
}

#[derive(Debug, Serialize)]
struct Value {
    field: String,
    label: String,
    value: String,
}

/// A line of the history.
#[derive(Debug, Serialize)]
struct Line {
    at: Timestamp,
    version: u32,
    event: String,
    event_word: String,
    void_from: Option<Date>,
    reason: String,
}

impl LicencePage {
    fn kind(&self) -> &'static str {
        state_kind(self.licence.state)
    }

    fn summary(&self) -> ui::Summary {
        let (lang, it) = (self.lang, &self.licence);
        let term = match it.valid_to {
            Some(last) => format!("{} {} {last}", it.valid_from, lang.t("至", "to")),
            None => format!("{} {}", it.valid_from, lang.t("起，长期", "on, without end")),
        };
        let mut rows = vec![
            ui::SummaryRow::new(lang.t("有效期", "Term"), term),
            ui::SummaryRow::new(lang.t("版本", "Version"), lang.number(it.version)),
            ui::SummaryRow::new(lang.t("签发时间", "Issued at"), lang.time(it.issued_at)),
            ui::SummaryRow::new(lang.t("证照标识", "Identifier"), ui::grouped(&it.oid, 8)).code(),
        ];
        if let Some(from) = it.void_from {
            rows.push(ui::SummaryRow::new(lang.t("失效自", "Void from"), from.to_string()));
        }
        ui::Summary { rows }
    }

    fn face(&self) -> ui::Summary {
        ui::Summary {
            rows: self.licence.values.iter().map(|it| ui::SummaryRow::new(&it.label, &it.value)).collect(),
        }
    }

    fn done_note(&self) -> Option<Html> {
        let (lang, deed) = (self.lang, self.done?);
        let text = match self.told {
            true => lang.t(
                "已写入履历，并通知持证人；各市核验立即看到新状态。",
                "It is in the history, and the holder is told; every city that verifies sees the new state at once.",
            ),
            false => lang.t(
                "已写入履历；各市核验立即看到新状态。持证人不在本市登记，请另行送达。",
                "It is in the history; every city that verifies sees the new state at once. The holder is not in this \
                 city's register: serve it on her separately.",
            ),
        };
        Some(ui::note("done", deed.word(lang), text))
    }
}

/// A licence with its history, as it was read.
pub(super) struct Managed {
    pub(super) licence: Licence,
    pub(super) history: Vec<HistoryLine>,
}

/// The licence of an address with its history; its values stay sealed.
pub(super) async fn read(visit: &Visit, id: LicenceId) -> Result<Managed> {
    let ctx = visit.ctx.clone();
    let read = move |tx: &mut Tx<'_>| {
        let licence = managed(tx, &ctx, id)?;
        Ok(Managed { history: history_of(tx, id)?, licence })
    };
    visit.app.store.read_snapshot("t03.office.licence", read).await
}

/// GET /office/licences/{id}
pub(super) async fn show(visit: Visit, parts: Extension<Arc<Parts>>, id: Path<String>) -> PageResult {
    let found = read(&visit, licence_id(&id)?).await?;
    let form = Fields::blank(&visit);
    visit.page(view(&visit, &parts, found, form, BTreeMap::new()))
}

/// POST /office/licences/{id}/face: opens what the licence says about its holder.
pub(super) async fn open(
    visit: Visit,
    parts: Extension<Arc<Parts>>,
    id: Path<String>,
    form: Form,
) -> PageResult {
    let id = licence_id(&id)?;
    let found = read(&visit, id).await?;
    let mut form = form.fields();
    let Some(stated) = Stated::read(&mut form) else {
        return visit.form_again(view(&visit, &parts, found, form, BTreeMap::new()));
    };
    let (ctx, issuer) = (visit.ctx.clone(), Arc::clone(&parts.issuer));
    let opened =
        visit.app.store.write("t03.office.face", move |tx| face(tx, &ctx, &issuer, id, &stated)).await;
    match form.take(opened)? {
        Some(values) => visit.page(view(&visit, &parts, found, form, values)),
        None => visit.form_again(view(&visit, &parts, found, form, BTreeMap::new())),
    }
}

/// The values that an office may see, with the look that says so.
fn face(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    issuer: &Issuer,
    id: LicenceId,
    stated: &Stated,
) -> Result<BTreeMap<String, String>> {
    let licence = managed(tx, ctx, id)?;
    let shown = issuer.types.find(&licence.type_id)?.shown_to(Viewer::Office);
    let mut values = licence.values(&issuer.vault)?;
    values.retain(|field, _| shown.contains(field));
    if let Some(person) = licence.holder {
        let fields = values.keys().cloned().collect();
        let opened = Opened { kind: LookKind::Register, licence: Some(id), fields };
        record(tx, ctx, issuer, person, stated, opened)?;
    }
    audit::line(tx, ctx, "licence.open", id.as_str(), "shown")?;
    Ok(values)
}

/// The page of a licence.
pub(super) fn view(
    visit: &Visit,
    parts: &Parts,
    found: Managed,
    form: Fields,
    values: BTreeMap<String, String>,
) -> LicencePage {
    let lang = visit.lang;
    let Managed { licence, history } = found;
    let allowed = allowed(&visit.ctx, &licence.type_id, &licence.standing);
    let choices: Vec<Choice<'static>> = allowed.iter().map(|deed| deed.choice()).collect();
    let choices = form.show(&order_field(&choices));
    // The address says what was done; the history says whether that is so.
    let newest = history.last().map(|line| line.event.clone());
    let done = visit.param("done").as_deref().and_then(Deed::named);
    let done = done.filter(|deed| newest.as_deref() == Some(deed.command().event()));
    let history = history.into_iter().rev().map(|line| Line {
        event_word: event_word(lang, &line.event).to_owned(),
        at: line.at,
        version: line.version,
        event: line.event,
        void_from: line.void_from,
        reason: line.reason,
    });
    let history = history.collect();
    let (name, told) = (type_name(lang, parts, &licence.type_id), licence.holder.is_some());
    LicencePage {
        frame: visit.frame(&name, &name).crumb("证照管理", "Licences", "/office/licences").errors(&form),
        lang,
        licence: shown(visit, parts, licence, name, values),
        allowed,
        history,
        form,
        done,
        told,
        may_order: visit.ctx.actor.role() == Some(Role::Approver),
        choices,
    }
}

/// What is chosen from.
pub(super) fn order_field<'a>(choices: &'a [Choice<'a>]) -> Field<'a> {
    Field::new("do", "怎么处置", "What is ordered", Input::Radio(choices))
}

fn shown(
    visit: &Visit,
    parts: &Parts,
    licence: Licence,
    type_name: String,
    values: BTreeMap<String, String>,
) -> Shown {
    let (lang, state) = (visit.lang, licence.state(visit.ctx.now.date()));
    let kind = parts.issuer.types.get(&licence.type_id);
    let mut values: Vec<Value> = values
        .into_iter()
        .map(|(field, value)| Value { label: field_name(lang, kind, &field), field, value })
        .collect();
    values.sort_by_key(|it| face_order(kind, &it.field));
    Shown {
        id: licence.id,
        oid: licence.oid.as_str().to_owned(),
        type_id: licence.type_id,
        type_name,
        state,
        state_word: state_word(lang, state),
        version: licence.version,
        issued_at: licence.issued_at,
        valid_from: licence.standing.valid_from,
        valid_to: licence.standing.valid_to,
        void_from: licence.standing.void_from,
        values,
    }
}
