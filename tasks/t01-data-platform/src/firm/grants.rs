//! Grants of an enterprise (授权): who holds one, giving another, ending one.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{Date, Error, MessageId, ResidentId, Uscc};
use tb_identity::enterprises::Enterprise;
use tb_identity::grants::terms::Terms;
use tb_identity::grants::{self, Force, Grant, Matter, NewGrant, Standing};
use tb_identity::permit::Action;
use tb_store::Tx;
use tb_web::{Choice, Field, Fields, Form, Frame, Input, Lang, PageError, PageResult, Visit, redirect, ui};

use super::{Shared, named, of_page, permit, words};
use crate::door::taken;
use crate::parts::Parts;

const NUMBER: Field<'static> = Field::text("number", "经办人身份证号", "Agent's resident number")
    .hint("18 位，按身份证填写", "18 characters, as on the card");
const NAME: Field<'static> = Field::text("name", "经办人姓名", "Agent's name");
const MATTERS: Field<'static> = Field::new(
    "matters",
    "可以代办哪些事",
    "What the agent may do",
    Input::Boxes(&[
        Choice::new("cases", Matter::Cases.zh(), "Applying, and following cases"),
        Choice::new("licences", Matter::Licences.zh(), "Reading its licences"),
        Choice::new("benefits", Matter::Benefits.zh(), "Asking for benefits of policies"),
    ]),
);
const FROM: Field<'static> = Field::new("from", "从哪天起", "From", Input::Date);
const TO: Field<'static> = Field::new("to", "到哪天止（含当天）", "Until, this day included", Input::Date);
const TRUTH: Field<'static> = Field::new(
    "truth",
    "我是这家企业的法定代表人，以企业名义作出这项授权；经办人在权限内办的事，后果由企业承担。",
    "I represent this enterprise and give this grant in its name; what the agent does within it binds the enterprise.",
    Input::Agree,
);
/// Longest name that is typed.
const NAME_LETTERS_MAX: usize = 50;

#[derive(Template, Serialize)]
#[template(path = "t01/firm_grants.html")]
struct GrantsPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    code: Uscc,
    name: String,
    /// Whether she may give one.
    may_give: bool,
    total: i64,
    rows: Vec<Row>,
    form: Fields,
    key: String,
    days_max: i64,
    done: String,
    #[serde(skip)]
    table: ui::Table,
    #[serde(skip)]
    pager: ui::Pager,
}

#[derive(Serialize)]
struct Row {
    id: MessageId,
    agent: String,
    matters: String,
    from: Date,
    to: Date,
    state: String,
    can_end: bool,
    note: String,
    #[serde(skip)]
    kind: &'static str,
}

/// GET /firm/grants?firm=
pub async fn show(visit: Visit, parts: Shared) -> PageResult {
    let form = Fields::blank(&visit);
    let today = visit.ctx.now.date();
    let form = form.with("from.y", format!("{:04}", today.year())).with("from.m", today.month().to_string());
    let form = form.with("from.d", today.day().to_string());
    let page = view(&visit, &parts, named(&visit), form).await?;
    visit.page(page)
}

/// POST /firm/grants: gives one; what is wrong stands at its field and nothing typed is lost.
pub async fn give(visit: Visit, parts: Shared, form: Form) -> PageResult {
    let (_, permit) = permit(&visit.ctx, Action::GrantAgency)?;
    let mut fields = form.fields();
    let firm = fields.value("firm").parse::<Uscc>().map_err(|_| Error::from(words::none()))?;
    if let Some(new) = read(&mut fields, &visit, firm) {
        let (ctx, shared) = (visit.ctx.clone(), Arc::clone(&parts));
        let outcome = visit.app.store.write("t01.firm.grant", move |tx: &mut Tx<'_>| {
            grants::give(tx, &ctx, &shared.vault, &permit, &new)
        });
        if taken(&mut fields, outcome.await)?.is_some() {
            return Ok(redirect(&format!("/firm/grants?firm={firm}&done=given")));
        }
    }
    let page = view(&visit, &parts, Some(firm), fields).await?;
    visit.form_again(page)
}

fn read(fields: &mut Fields, visit: &Visit, enterprise: Uscc) -> Option<NewGrant> {
    let number = fields.read(&NUMBER).parse::<ResidentId>().required();
    let name = fields.read(&NAME).max(NAME_LETTERS_MAX).required();
    let matters = fields.boxes(&MATTERS);
    let (from, to) = (fields.date(&FROM).required(), fields.date(&TO).required());
    let agreed = fields.agreed(&TRUTH, "确认后才能授权", "Needed before the grant is given");
    let id = fields.value("key").parse().unwrap_or_else(|_| visit.ctx.id(MessageId::new));
    let matters: BTreeSet<Matter> = matters?.iter().filter_map(|word| word.parse().ok()).collect();
    agreed?;
    Some(NewGrant { id, enterprise, number: number?, name: name?, matters, from: from?, to: to? })
}

/// GET /firm/grants/{id}/end: asks once more.
pub async fn ask(visit: Visit, parts: Shared, path: Path<String>) -> PageResult {
    let (person, permit) = permit(&visit.ctx, Action::ActForEnterprise)?;
    let (id, today, shared) = (id_of(&path)?, visit.ctx.now.date(), Arc::clone(&parts));
    let (firm, grant, agent) = visit
        .app
        .store
        .read("t01.firm.ending", move |tx| {
            let (firm, grant, _) = grants::ending(tx, &permit, id, today)?;
            let agent = tb_identity::people::get(tx, &shared.vault, grant.agent)?.name;
            Ok((firm, grant, agent))
        })
        .await?;
    let lang = visit.lang;
    let (zh, en) = match grant.agent == person {
        true => ("辞去这份授权？", "Give this grant up?"),
        false => ("结束这份授权？", "End this grant?"),
    };
    let back = format!("/firm/grants?firm={}", firm.uscc);
    let row = |zh: &str, en: &str, value: &str| ui::SummaryRow::new(lang.t(zh, en), value);
    let days = format!("{} {} {}", grant.from, lang.t("至", "to"), grant.to);
    let confirm = ui::Confirm::of(
        &visit,
        lang.t("结束授权", "End the grant"),
        format!("/firm/grants/{id}/end"),
        (lang.t("不结束，返回", "Keep it, go back"), &back),
    )
    .says(lang.t(
        "立即生效，不能恢复；要再办，需要法定代表人重新授权。双方都会收到通知。",
        "It takes effect at once and cannot be undone; to go on, the representative gives another. Both sides are told.",
    ))
    .about(ui::Summary {
        rows: vec![
            row("企业", "Enterprise", &firm.name),
            row("经办人", "Agent", &agent),
            row("可以代办", "Covers", &words::matters(lang, &grant)),
            row("期限", "Days", &days),
        ],
    })
    .stops();
    let frame = visit.frame(zh, en).crumb("首页", "Start", "/").crumb("我的企业", "My enterprise", "/firm");
    visit.confirm(frame.crumb("授权", "Grants", &back), confirm)
}

/// POST /firm/grants/{id}/end
pub async fn end(visit: Visit, parts: Shared, path: Path<String>, _: Form) -> PageResult {
    let (person, permit) = permit(&visit.ctx, Action::ActForEnterprise)?;
    let (id, ctx, shared) = (id_of(&path)?, visit.ctx.clone(), Arc::clone(&parts));
    let ended = move |tx: &mut Tx<'_>| grants::end(tx, &ctx, &shared.vault, &permit, id);
    let grant = visit.app.store.write("t01.firm.grant.end", ended).await?;
    Ok(match grant.agent == person {
        true => redirect("/firm?done=given_up"),
        false => redirect(&format!("/firm/grants?firm={}&done=ended", grant.enterprise)),
    })
}

fn id_of(path: &str) -> Result<MessageId, PageError> {
    path.parse().map_err(|_| Error::from(words::no_grant()).into())
}

/// What one reading gives: the enterprise, whether she represents it, its grants with names, how many.
type Read = (Enterprise, bool, Vec<(Grant, String)>, i64);

async fn view(
    visit: &Visit,
    parts: &Shared,
    wanted: Option<Uscc>,
    form: Fields,
) -> Result<GrantsPage, PageError> {
    let (person, _) = permit(&visit.ctx, Action::ActForEnterprise)?;
    let page = visit.param("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).max(1);
    let (ctx, shared) = (visit.ctx.clone(), Arc::clone(parts));
    let read = visit.app.store.read("t01.firm.grants", move |tx| {
        let (firm, standing) = of_page(tx, person, wanted, &ctx)?;
        grants_of(tx, &shared, firm, &standing, page - 1)
    });
    let (firm, may_give, found, total) = read.await?;
    let (lang, today) = (visit.lang, visit.ctx.now.date());
    let rows: Vec<Row> = found.into_iter().map(|(grant, agent)| row(lang, &grant, agent, today)).collect();
    let key = fields_key(visit, &form);
    let per_page = usize::try_from(tb_identity::PAGE_ROWS).unwrap_or(1);
    Ok(GrantsPage {
        frame: visit.frame("授权", "Grants").errors(&form).crumb("首页", "Start", "/").crumb(
            "我的企业",
            "My enterprise",
            &format!("/firm?firm={}", firm.uscc),
        ),
        lang,
        code: firm.uscc,
        name: firm.name,
        may_give,
        total,
        table: table(lang, &rows, total),
        rows,
        form,
        key,
        days_max: Terms::shipped()?.days_max(today),
        done: visit.param("done").unwrap_or_default(),
        pager: ui::Pager::of(visit, usize::try_from(total).unwrap_or(0), per_page),
    })
}

/// All of them for the representative; her own one for an agent.
fn grants_of(
    tx: &mut Tx<'_>,
    parts: &Parts,
    firm: Enterprise,
    standing: &Standing,
    page: u32,
) -> tb_base::Result<Read> {
    match standing {
        Standing::Representative => {
            let (held, total) = grants::of_enterprise(tx, &parts.vault, &firm.uscc, page)?;
            let found = held.into_iter().map(|held| (held.grant, held.agent.name)).collect();
            Ok((firm, true, found, total))
        }
        Standing::Agent(grant) => {
            let name = tb_identity::people::get(tx, &parts.vault, grant.agent)?.name;
            Ok((firm, false, vec![(grant.clone(), name)], 1))
        }
    }
}

fn fields_key(visit: &Visit, form: &Fields) -> String {
    match form.value("key").parse::<MessageId>() {
        Ok(key) => key.to_string(),
        Err(_) => visit.ctx.id(MessageId::new).to_string(),
    }
}

fn row(lang: Lang, grant: &Grant, agent: String, today: Date) -> Row {
    let (kind, state) = words::force(lang, grant, today);
    Row {
        id: grant.id,
        agent,
        matters: words::matters(lang, grant),
        from: grant.from,
        to: grant.to,
        state,
        can_end: matches!(grant.force(today), Force::Holds | Force::Coming),
        note: words::ended(lang, grant),
        kind,
    }
}

fn table(lang: Lang, rows: &[Row], total: i64) -> ui::Table {
    let cells = |row: &Row| {
        let end = match row.can_end {
            true => ui::Cell::link(lang.t("结束", "End"), format!("/firm/grants/{}/end", row.id)),
            false => ui::Cell::text(""),
        };
        ui::TableRow::new(vec![
            ui::Cell::text(&row.agent),
            ui::Cell::text(&row.matters),
            ui::Cell::text(lang.date(row.from)),
            ui::Cell::text(lang.date(row.to)),
            ui::Cell::tag(row.kind, &row.state).note(&row.note),
            end,
        ])
    };
    let heads = [
        ("经办人", "Agent"),
        ("可以代办", "Covers"),
        ("从", "From"),
        ("到", "Until"),
        ("状态", "State"),
        ("操作", "Act"),
    ];
    ui::Table {
        caption: lang.t("授权", "Grants").to_owned(),
        heads: heads.iter().map(|(zh, en)| ui::Head::text(lang.t(*zh, *en))).collect(),
        rows: rows.iter().map(cells).collect(),
        count: lang.count(total, "份授权", "grant", "grants"),
        export: None,
    }
}
