//! One licence as its holder reads it (查看证照): values, term, state and history, from the city that issued it.
//! Serves clauses 1.2 and 3.3.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::Serialize;
use tb_base::{Date, LicenceId, NodeId, Timestamp, Violation};
use tb_identity::permit::Action;
use tb_licence::peer::show::{Own, Present, Presented};
use tb_licence::state::State;
use tb_web::{Frame, Lang, PageResult, Visit, ui};

use crate::holder::{Heard, ask, holder, place};
use crate::parts::Parts;
use crate::words::{event_word, face_order, field_name, state_kind, state_word, type_name};

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t03/licence.html")]
struct LicencePage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    id: LicenceId,
    city: NodeId,
    #[serde(rename = "type")]
    type_id: String,
    type_name: String,
    oid: String,
    version: u16,
    state: State,
    state_word: String,
    in_force: bool,
    valid_from: Date,
    valid_to: Option<Date>,
    void_from: Option<Date>,
    values: Vec<Value>,
    /// Names of fields that the contract between the cities keeps back.
    withheld: Vec<String>,
    history: Vec<Line>,
    as_of: Timestamp,
    present_url: Option<String>,
}

/// A field with its value.
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
}

/// The page while the issuing city does not answer.
#[derive(Template, Serialize)]
#[template(path = "t03/silent.html")]
struct SilentPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    city: NodeId,
    said: String,
    /// This very address, to ask again.
    again: String,
}

impl LicencePage {
    fn summary(&self) -> ui::Summary {
        let lang = self.lang;
        let mut rows: Vec<ui::SummaryRow> =
            self.values.iter().map(|it| ui::SummaryRow::new(&it.label, &it.value)).collect();
        let term = match self.valid_to {
            Some(last) => format!("{} {} {last}", self.valid_from, lang.t("至", "to")),
            None => format!("{} {}", self.valid_from, lang.t("起，长期", "on, without end")),
        };
        rows.push(ui::SummaryRow::new(lang.t("有效期", "Term"), term));
        if let Some(from) = self.void_from {
            rows.push(ui::SummaryRow::new(lang.t("失效自", "Void from"), from.to_string()));
        }
        rows.push(ui::SummaryRow::new(lang.t("证照标识", "Identifier"), ui::grouped(&self.oid, 8)).code());
        ui::Summary { rows }
    }

    fn kind(&self) -> &'static str {
        if self.state == State::Valid && !self.in_force { "wait" } else { state_kind(self.state) }
    }

    fn confirmed(&self) -> String {
        self.lang.clock(self.as_of)
    }
}

/// GET /licences/{city}/{id}
pub async fn show(visit: Visit, parts: Extension<Arc<Parts>>, path: Path<(String, String)>) -> PageResult {
    let (city, licence) = place(&parts, &path)?;
    let holder = holder(&visit, &parts, Action::ReadOwnLicences).await?;
    match ask(&visit, &parts, &holder, city, &Present::Read { licence }).await? {
        Heard::Answer(Presented::Licence(own)) => visit.page(view(&visit, &parts, city, *own)),
        Heard::Answer(other) => Err(unlike(&other).into()),
        Heard::Silent(refusal) => {
            let said = visit.lang.refusal(&refusal).to_owned();
            let frame = visit.frame("查不到", "Not reached").crumb("我的证照", "My licences", "/licences");
            let again = visit.path.clone();
            let page = SilentPage { frame, lang: visit.lang, city, said, again };
            visit.page_with(StatusCode::SERVICE_UNAVAILABLE, page)
        }
    }
}

/// A city answered another question than was asked.
pub fn unlike(answer: &Presented) -> Violation {
    let what = match answer {
        Presented::Licence(_) => "a licence",
        Presented::Made { .. } => "a code",
        Presented::Told(_) => "what became of a code",
        Presented::NotFound { .. } | Presented::Refused { .. } => "a refusal",
    };
    Violation::new("schema", "body", format!("{what} was not asked for"))
}

fn view(visit: &Visit, parts: &Parts, city: NodeId, own: Own) -> LicencePage {
    let lang = visit.lang;
    let values = own.extract.plain();
    let record = own.extract.record;
    let kind = parts.issuer.types.get(&record.type_id);
    let mut values: Vec<Value> = values
        .into_iter()
        .map(|(field, value)| Value { label: field_name(lang, kind, &field), field, value })
        .collect();
    values.sort_by_key(|it| face_order(kind, &it.field));
    let mut withheld: Vec<&String> = own.withheld.iter().collect();
    withheld.sort_by_key(|field| face_order(kind, field));
    let name = type_name(lang, parts, &record.type_id);
    let history = own.history.into_iter().rev().map(|line| Line {
        event_word: event_word(lang, &line.event).to_owned(),
        at: line.at,
        version: line.version,
        event: line.event,
    });
    LicencePage {
        frame: visit.frame(&name, &name).airy().crumb("我的证照", "My licences", "/licences"),
        lang,
        id: record.id,
        city,
        state_word: match own.state {
            State::Valid if !own.in_force => lang.t("尚未生效", "not valid yet").to_owned(),
            state => state_word(lang, state),
        },
        type_id: record.type_id,
        type_name: name,
        oid: record.oid.as_str().to_owned(),
        version: record.version,
        state: own.state,
        in_force: own.in_force,
        valid_from: record.valid_from,
        valid_to: record.valid_to,
        void_from: own.void_from,
        values,
        withheld: withheld.into_iter().map(|field| field_name(lang, kind, field)).collect(),
        history: history.collect(),
        as_of: own.as_of,
        present_url: own.in_force.then(|| format!("/licences/{city}/{}/present", record.id)),
    }
}
