//! Ordering a change of state (处置证照): reason and article are required, what cannot be taken back is asked once more.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{Ctx, LicenceId, Result};
use tb_identity::permit::Action;
use tb_licence::state::decide;
use tb_licence::store::{self, Issuer, Licence, notices};
use tb_store::Tx;
use tb_web::{Choice, Field, Fields, Form, Frame, Input, Lang, PageResult, Visit, redirect, ui};

use super::deed::{Deed, allowed};
use super::one::{order_field, read, view};
use super::{licence_id, managed, permitted};
use crate::parts::Parts;
use crate::words::type_name;

/// Why it is ordered.
pub(super) const REASON: Field<'static> = Field::new("reason", "事实和理由", "Facts and reason", Input::Area)
    .hint("写入履历，本部门和审计可以查阅", "It stands in the history, for your department and the auditor");
/// On which article it rests.
pub(super) const ARTICLE: Field<'static> = Field::text("article", "依据的条款", "Article").hint(
    "如《中华人民共和国行政许可法》第六十九条；持证人会看到",
    "Such as Administrative Licensing Law, article 69; the holder sees it",
);
/// Reason and article together stay within what the history keeps.
const REASON_LETTERS_MAX: usize = 380;
const ARTICLE_LETTERS_MAX: usize = 100;
/// The value of the field by which the second page says that it was asked.
const CONFIRMED: &str = "yes";

/// What is ordered.
#[derive(Clone)]
struct Order {
    deed: Deed,
    reason: String,
    article: String,
}

/// The page that asks once more.
#[derive(Template, Serialize)]
#[template(path = "t03/office_confirm.html")]
struct Confirm {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    id: LicenceId,
    oid: String,
    type_name: String,
    #[serde(rename = "do")]
    deed: Deed,
    reason: String,
    article: String,
    /// What the others would mean, so that they are not mistaken for each other.
    others: Vec<Deed>,
}

impl Confirm {
    fn meaning(&self, deed: &Deed) -> &'static str {
        let (zh, en) = deed.meaning();
        self.lang.t(zh, en)
    }
}

/// POST /office/licences/{id}
pub(super) async fn order(
    visit: Visit,
    parts: Extension<Arc<Parts>>,
    id: Path<String>,
    form: Form,
) -> PageResult {
    let id = licence_id(&id)?;
    let found = read(&visit, id).await?;
    permitted(&visit.ctx, Action::ChangeLicence, &found.licence.type_id)?;
    let mut form = form.fields();
    let confirmed = form.value("confirm") == CONFIRMED;
    let Some(order) = read_order(&mut form) else {
        return visit.form_again(view(&visit, &parts, found, form, BTreeMap::new()));
    };
    // What is not possible is refused before it is asked a second time.
    decide(&found.licence.standing, order.deed.command(), visit.ctx.now.date())?;
    if order.deed.is_final() && !confirmed {
        return visit.page(confirm(&visit, &parts, &found.licence, order));
    }
    let (ctx, issuer, deed) = (visit.ctx.clone(), Arc::clone(&parts.issuer), order.deed);
    let done =
        visit.app.store.write("t03.office.order", move |tx| carry_out(tx, &ctx, &issuer, id, &order)).await;
    match form.take(done)? {
        Some(()) => Ok(redirect(&format!("/office/licences/{id}?done={}", deed.name()))),
        None => visit.form_again(view(&visit, &parts, found, form, BTreeMap::new())),
    }
}

fn read_order(form: &mut Fields) -> Option<Order> {
    let choices: Vec<Choice<'static>> = ["suspend", "lift", "revoke", "withdraw", "cancel"]
        .into_iter()
        .filter_map(Deed::named)
        .map(Deed::choice)
        .collect();
    let deed = form.read(&order_field(&choices)).required();
    let reason = form.read(&REASON).max(REASON_LETTERS_MAX).required();
    let article = form.read(&ARTICLE).max(ARTICLE_LETTERS_MAX).required();
    Some(Order { deed: Deed::named(&deed?)?, reason: reason?, article: article? })
}

/// State, history, leaf, audit line and notice are one write.
fn carry_out(tx: &mut Tx<'_>, ctx: &Ctx, issuer: &Issuer, id: LicenceId, order: &Order) -> Result<()> {
    let licence = managed(tx, ctx, id)?;
    permitted(ctx, Action::ChangeLicence, &licence.type_id)?;
    let command = order.deed.command();
    let reason = format!("{}（依据：{}）", order.reason, order.article);
    let changed = store::order(tx, ctx, id, command, &reason)?;
    notices::post(tx, ctx, issuer, &changed, command, &order.article)
}

fn confirm(visit: &Visit, parts: &Parts, licence: &Licence, order: Order) -> Confirm {
    let lang = visit.lang;
    let possible = allowed(&visit.ctx, &licence.type_id, &licence.standing);
    Confirm {
        frame: visit
            .frame("请确认", "Please confirm")
            .crumb("证照管理", "Licences", "/office/licences")
            .airy(),
        lang,
        id: licence.id,
        oid: ui::grouped(licence.oid.as_str(), 8),
        type_name: type_name(lang, parts, &licence.type_id),
        others: possible.into_iter().filter(|deed| deed.is_final() && *deed != order.deed).collect(),
        deed: order.deed,
        reason: order.reason,
        article: order.article,
    }
}
