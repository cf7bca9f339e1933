//! Finding licences of the department (查找证照): by identifier, or by the holder's number with a ground.
//!
//! The number travels in the body of a request and never in an address, which browsers and logs keep.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_base::{Ctx, Date, LicenceId, LicenceOid, Refusal, ResidentId, Result};
use tb_identity::look::LookKind;
use tb_identity::people;
use tb_identity::permit::Action;
use tb_licence::peer::INDEX_FIELD;
use tb_licence::state::State;
use tb_licence::store::{self, Issuer, Licence};
use tb_store::{Tx, audit};
use tb_web::{Field, Fields, Form, Frame, Input, Lang, PageResult, Visit, ui};

use super::ground::{BASIS, CASE, Opened, Stated, record};
use super::{managed, permitted};
use crate::parts::Parts;
use crate::words::{state_kind, state_word, type_name};

const OID: Field<'static> = Field::text("oid", "证照标识", "Identifier of the licence").hint(
    "证照上的电子证照标识；旧版的标识也能查到",
    "As it stands on the licence; that of an older version finds it, too",
);
const NUMBER: Field<'static> =
    Field::new("number", "公民身份号码", "Resident number", Input::Digits).hint("18 位", "18 characters");

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t03/office_licences.html")]
struct Found {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    licences: Vec<Row>,
    /// Whether something was looked for.
    asked: bool,
}

/// A licence that was found: nothing about its holder.
#[derive(Debug, Serialize)]
struct Row {
    id: LicenceId,
    oid: String,
    #[serde(rename = "type")]
    type_id: String,
    type_name: String,
    state: State,
    state_word: String,
    version: u16,
    valid_from: Date,
    valid_to: Option<Date>,
}

impl Found {
    fn table(&self) -> ui::Table {
        let lang = self.lang;
        let row = |it: &Row| {
            let last =
                it.valid_to.map_or(lang.t("长期", "without end").to_owned(), |last| last.to_string());
            let from = match lang {
                Lang::Zh => format!("{} 起", it.valid_from),
                Lang::En => format!("from {}", it.valid_from),
            };
            ui::TableRow::new(vec![
                ui::Cell::link(&it.type_name, format!("/office/licences/{}", it.id)),
                ui::Cell::tag(state_kind(it.state), &it.state_word),
                ui::Cell::text(lang.number(it.version)),
                ui::Cell::text(last).note(from),
                ui::Cell::code(ui::grouped(&it.oid, 8)),
            ])
        };
        ui::Table {
            caption: lang.t("找到的证照", "Licences found").to_owned(),
            heads: vec![
                ui::Head::text(lang.t("证照", "Licence")),
                ui::Head::text(lang.t("状态", "State")),
                ui::Head::number(lang.t("版本", "Version")),
                ui::Head::text(lang.t("有效期至", "Last day")),
                ui::Head::text(lang.t("证照标识", "Identifier")),
            ],
            rows: self.licences.iter().map(row).collect(),
            count: lang.count(self.licences.len(), "张", "licence", "licences"),
            export: None,
        }
    }
}

/// GET /office/licences?oid=
pub(super) async fn ask(visit: Visit, parts: Extension<Arc<Parts>>) -> PageResult {
    let mut form = Fields::from_query(&visit);
    if form.value(OID.name).is_empty() {
        return visit.page(page(&visit, &parts, form, None));
    }
    let oid = form.read(&OID).try_with(|text| identifier(&text)).required();
    let Some(oid) = oid else { return visit.form_again(page(&visit, &parts, form, None)) };
    let ctx = visit.ctx.clone();
    let found = visit.app.store.read("t03.office.by_oid", move |tx| {
        let Some((licence, _)) = store::by_oid(tx, &oid)? else { return Err(unknown_identifier().into()) };
        managed(tx, &ctx, licence.id)
    });
    match form.take(found.await)? {
        Some(licence) => visit.page(page(&visit, &parts, form, Some(vec![licence]))),
        None => visit.form_again(page(&visit, &parts, form, None)),
    }
}

/// POST /office/licences: by the holder's number.
pub(super) async fn by_number(visit: Visit, parts: Extension<Arc<Parts>>, form: Form) -> PageResult {
    let mut form = form.fields();
    let ctx = visit.ctx.clone();
    let number = form.read(&NUMBER).try_with(|text| number_of(&ctx, &text)).required();
    let stated = Stated::read(&mut form);
    let (Some(number), Some(stated)) = (number, stated) else {
        return visit.form_again(page(&visit, &parts, form, None));
    };
    let issuer = Arc::clone(&parts.issuer);
    let found = visit
        .app
        .store
        .write("t03.office.by_number", move |tx| held(tx, &ctx, &issuer, &number, &stated))
        .await;
    match form.take(found)? {
        Some(licences) => visit.page(page(&visit, &parts, form, Some(licences))),
        None => visit.form_again(page(&visit, &parts, form, None)),
    }
}

/// The licences of a person that the officer's department issued; she sees that somebody looked.
fn held(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    issuer: &Issuer,
    number: &ResidentId,
    stated: &Stated,
) -> Result<Vec<Licence>> {
    let Some(person) = people::by_number(tx, &issuer.vault, number)? else {
        return Err(unknown_number().into());
    };
    let opened = Opened { kind: LookKind::Locate, licence: None, fields: vec![INDEX_FIELD.to_owned()] };
    record(tx, ctx, issuer, person.id, stated, opened)?;
    audit::line(tx, ctx, "licence.find", person.id.as_str(), "shown")?;
    let mut licences = store::of_holder(tx, person.id)?;
    licences.retain(|it| permitted(ctx, Action::ManageLicence, &it.type_id).is_ok());
    Ok(licences)
}

fn page(visit: &Visit, parts: &Parts, form: Fields, found: Option<Vec<Licence>>) -> Found {
    let (lang, today) = (visit.lang, visit.ctx.now.date());
    let asked = found.is_some();
    let row = |it: Licence| Row {
        state: it.state(today),
        state_word: state_word(lang, it.state(today)),
        type_name: type_name(lang, parts, &it.type_id),
        id: it.id,
        oid: it.oid.as_str().to_owned(),
        type_id: it.type_id,
        version: it.version,
        valid_from: it.standing.valid_from,
        valid_to: it.standing.valid_to,
    };
    let licences = found.unwrap_or_default().into_iter().map(row).collect();
    let frame = visit.frame("证照管理", "Licences").errors(&form);
    Found { frame, lang, form, licences, asked }
}

fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>().to_uppercase()
}

fn identifier(text: &str) -> std::result::Result<LicenceOid, Refusal> {
    let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    text.parse::<LicenceOid>().map_err(Into::into)
}

fn number_of(ctx: &Ctx, text: &str) -> std::result::Result<ResidentId, Refusal> {
    let number: ResidentId = plain(text).parse().map_err(Into::<Refusal>::into)?;
    number.born_by(ctx.now.date()).map_err(Into::<Refusal>::into)?;
    Ok(number)
}

fn unknown_identifier() -> Refusal {
    Refusal::invalid(
        "T03-OFL-006",
        "本市没有签发过这个标识的证照",
        "This city has issued no licence of this identifier",
    )
    .on(OID.name)
    .but("核对标识；别的城市签发的，由那个城市管理", "Check it; what another city issued is managed there")
}

fn unknown_number() -> Refusal {
    Refusal::invalid(
        "T03-OFL-007",
        "本市人口登记中没有这个号码",
        "This city's register does not know this number",
    )
    .on(NUMBER.name)
    .but("核对号码，或按证照标识查找", "Check the number, or look by the identifier of the licence")
}
