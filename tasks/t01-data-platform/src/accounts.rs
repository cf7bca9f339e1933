//! Accounts of staff (账户管理): the administrator finds them, stops them and lets them in again.
//! Serves clause 1.1.
//!
//! Invariant: no password is set or seen here; whoever has none gets a one-time code, once.

mod act;
mod enter;
mod show;

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_base::{OfficeId, Refusal, Result, StaffId};
use tb_identity::accounts::AccountState;
use tb_identity::accounts::roll::{self, StaffAccount};
use tb_identity::permit::{Action, Permit, Scope, may};
use tb_identity::{PAGE_ROWS, offices};
use tb_store::{Tx, audit};
use tb_web::{Choice, Field, Fields, Frame, Input, Lang, PageResult, Visit, ui};

use crate::door::masked_phone;
use crate::parts::Parts;
use crate::words::role_word;

pub use act::{change, code, end_leave, leave, post};
pub use enter::{blank, enter};
pub use show::show;

/// Letters of a sign-in name that is searched for.
const LOGIN_LETTERS_MAX: usize = 80;

const LOGIN: Field<'static> =
    Field::text("login", "登录名", "Sign-in name").hint("可以只写一段", "Or a part of it");
const LOCK: Field<'static> = Field::new(
    "reason",
    "为什么锁定",
    "Why lock it",
    Input::Radio(&[
        Choice::new("left", "离开单位或岗位", "Left the office or the post"),
        Choice::new("stolen", "可能被别人使用", "Somebody else may be using it"),
        Choice::new("examined", "正在核查它的使用", "Its use is being examined"),
    ]),
);
const UNLOCK: Field<'static> = Field::new(
    "reason",
    "为什么恢复",
    "Why unlock it",
    Input::Radio(&[
        Choice::new("back", "回到岗位", "Back at the post"),
        Choice::new("cleared", "核查完毕，没有问题", "The examination found nothing"),
    ]),
);

/// The list.
#[derive(Template, Serialize)]
#[template(path = "t01/accounts.html")]
struct AccountsPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    rows: Vec<Row>,
    /// How many fit, on all pages.
    count: usize,
    #[serde(skip)]
    pager: ui::Pager,
}

/// An account as list and page show it.
#[derive(Clone, Serialize)]
struct Row {
    id: StaffId,
    login: String,
    name: String,
    role: String,
    office: OfficeId,
    office_name: String,
    /// `active`, `frozen`, `closed`, or `none` where there is no account yet.
    state: &'static str,
    /// The phone that codes go to, masked.
    phone: Option<String>,
}

impl Row {
    fn of(lang: Lang, known: StaffAccount, offices: &[offices::Office]) -> Row {
        let StaffAccount { staff, state, .. } = known;
        let office = offices.iter().find(|it| it.id == staff.office);
        Row {
            id: staff.id,
            login: staff.login,
            name: staff.name,
            role: role_word(lang, staff.role).to_owned(),
            office_name: office
                .map_or_else(|| staff.office.to_string(), |it| lang.t(&it.name_zh, &it.name_en).to_owned()),
            office: staff.office,
            state: state.map_or("none", AccountState::word),
            phone: staff.phone.as_deref().map(masked_phone),
        }
    }

    fn is(&self, state: AccountState) -> bool {
        self.state == state.word()
    }

    fn exists(&self) -> bool {
        self.state != "none"
    }

    fn state_tag(&self, lang: Lang) -> (&'static str, &'static str) {
        match self.state {
            "active" => ("done", lang.t("正常", "in use")),
            "frozen" => ("stop", lang.t("已锁定", "locked")),
            "closed" => ("", lang.t("已注销", "closed")),
            _ => ("", lang.t("没有账户", "no account")),
        }
    }
}

fn permit(visit: &Visit) -> Result<Permit> {
    may(&visit.ctx.actor, Action::ManageAccounts, &Scope::Node(visit.ctx.node))
}

/// GET /accounts
pub async fn list(visit: Visit, parts: Extension<Arc<Parts>>) -> PageResult {
    let permit = permit(&visit)?;
    let mut form = Fields::from_query(&visit);
    let asked = form.read(&LOGIN).max(LOGIN_LETTERS_MAX).optional();
    let is_wrong = asked.is_none();
    let text = asked.flatten().unwrap_or_default();
    let per_page = usize::try_from(PAGE_ROWS).unwrap_or(1);
    let counted = {
        let (permit, text) = (permit.clone(), text.clone());
        visit.app.store.read("t01.accounts.count", move |tx| roll::count(tx, &permit, &text)).await?
    };
    let count = if is_wrong { 0 } else { usize::try_from(counted).unwrap_or(0) };
    let pager = ui::Pager::of(&visit, count, per_page);
    let page = u32::try_from(pager.page.saturating_sub(1)).unwrap_or(u32::MAX);
    let (ctx, parts, lang) = (visit.ctx.clone(), Arc::clone(&parts), visit.lang);
    let read = move |tx: &mut Tx<'_>| {
        let offices = offices::all(tx)?;
        let found = roll::search(tx, &parts.vault, &permit, &text, page)?;
        // What was typed may be a person's name: the line says only that somebody searched.
        audit::line(tx, &ctx, "account.list", if text.is_empty() { "all" } else { "search" }, "done")?;
        Ok(found.into_iter().map(|known| Row::of(lang, known, &offices)).collect::<Vec<_>>())
    };
    let rows = match is_wrong {
        true => Vec::new(),
        false => visit.app.store.write("t01.accounts", read).await?,
    };
    let frame = visit.frame("账户管理", "Accounts of staff").errors(&form);
    let view = AccountsPage { frame, lang, form, rows, count, pager };
    if is_wrong { visit.form_again(view) } else { visit.page(view) }
}

fn missing() -> Refusal {
    Refusal::gone("T01-ACC-001", "没有这个工作人员账户", "There is no such account of staff")
        .but("请从“账户管理”打开", "Open it from the list of accounts")
}

fn no_act() -> Refusal {
    Refusal::invalid("T01-ACC-002", "请选择要做什么", "Choose what to do").on("do")
}

impl AccountsPage {
    fn table(&self) -> ui::Table {
        let lang = self.lang;
        let rows = self.rows.iter().map(|row| {
            let (kind, word) = row.state_tag(lang);
            ui::TableRow::new(vec![
                ui::Cell::link(&row.login, format!("/accounts/{}", row.id)),
                ui::Cell::text(&row.name),
                ui::Cell::text(&row.role),
                ui::Cell::text(&row.office_name),
                ui::Cell::tag(kind, word),
            ])
        });
        let heads = [
            ("登录名", "Sign-in name"),
            ("姓名", "Name"),
            ("岗位", "Role"),
            ("单位", "Office"),
            ("状态", "State"),
        ];
        ui::Table {
            caption: lang.t("工作人员账户", "Accounts of staff").to_owned(),
            heads: heads.iter().map(|(zh, en)| ui::Head::text(lang.t(zh, en))).collect(),
            rows: rows.collect(),
            count: lang.count(self.count, "个账户", "account", "accounts"),
            export: None,
        }
    }
}
