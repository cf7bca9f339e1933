//! One account (账户页): who it is, where she works, her leave, and what can be done.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{MessageId, Role, StaffId};
use tb_identity::accounts::AccountState;
use tb_identity::accounts::roll;
use tb_identity::leave::{self, Leave};
use tb_identity::offices::{self, Office};
use tb_identity::roster;
use tb_identity::staff::{Staff, role_word as code_of};
use tb_store::Tx;
use tb_web::{Choice, Field, Fields, Frame, Html, Input, Lang, PageError, PageResult, Visit, ui};

use super::enter::{STAFF_ROLES, office_field, role_field};
use super::{LOCK, Row, UNLOCK, missing, permit};
use crate::parts::Parts;

pub(super) const FIRST_DAY: Field<'static> = Field::new("first_day", "第一天", "First day", Input::Date);
pub(super) const LAST_DAY: Field<'static> = Field::new("last_day", "最后一天", "Last day", Input::Date);

/// One account.
#[derive(Template, Serialize)]
#[template(path = "t01/account.html")]
pub(super) struct AccountPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    account: Row,
    /// Whether it is the administrator's own, which she cannot change.
    is_own: bool,
    /// Whether she is away today.
    is_away: bool,
    /// What just happened, such as `locked`.
    done: String,
    leaves: Vec<LeaveRow>,
    /// Who can stand in: id, then name and sign-in name.
    substitutes: Vec<(StaffId, String)>,
    #[serde(skip)]
    office_input: Html,
    #[serde(skip)]
    role_input: Html,
    #[serde(skip)]
    substitute_input: Html,
}

/// A leave as the page lists it.
#[derive(Serialize)]
struct LeaveRow {
    id: MessageId,
    days: String,
    /// Who is away and who stands in, in words.
    who: String,
    /// `now`, `planned`, `over` or `ended`.
    state: &'static str,
    #[serde(skip)]
    word: &'static str,
}

impl LeaveRow {
    fn can_end(&self) -> bool {
        self.state == "now" || self.state == "planned"
    }
}

fn word(lang: Lang, state: &str) -> &'static str {
    match state {
        "now" => lang.t("休假中", "away now"),
        "planned" => lang.t("已安排", "planned"),
        "ended" => lang.t("已提前结束", "ended early"),
        _ => lang.t("已结束", "over"),
    }
}

/// What one reading of the database gives.
struct Known {
    row: Row,
    member: Staff,
    leaves: Vec<(Leave, String)>,
    substitutes: Vec<(StaffId, String)>,
    offices: Vec<Office>,
}

/// GET /accounts/{id}
pub async fn show(visit: Visit, parts: Extension<Arc<Parts>>, id: Path<String>) -> PageResult {
    let form = Fields::blank(&visit);
    let view = view(&visit, &parts, &id, form).await?;
    visit.page(view)
}

/// The page with the state of its forms.
pub(super) async fn view(
    visit: &Visit,
    parts: &Arc<Parts>,
    id: &str,
    form: Fields,
) -> Result<AccountPage, PageError> {
    let known = known(visit, parts, id).await?;
    let (lang, today) = (visit.lang, visit.ctx.now.date());
    let frame = visit.frame("工作人员账户", "Account of staff").errors(&form).airy();
    let is_own = visit.account.as_ref().is_some_and(|own| own.id == known.row.id.as_str());
    let is_away = known.leaves.iter().any(|(leave, _)| leave.staff == known.row.id && leave.holds(today));
    let leaves = known.leaves.iter().map(|(leave, who)| {
        let state = match (leave.ended, leave.holds(today), leave.is_open(today)) {
            (Some(_), _, _) => "ended",
            (None, true, _) => "now",
            (None, false, true) => "planned",
            (None, false, false) => "over",
        };
        let days = format!("{} — {}", leave.first_day, leave.last_day);
        LeaveRow { id: leave.id, days, who: who.clone(), state, word: word(lang, state) }
    });
    let moved = form.clone();
    let moved = if moved.value("office").is_empty() {
        moved.with("office", known.member.office.to_string()).with("role", code_of(known.member.role))
    } else {
        moved
    };
    Ok(AccountPage {
        frame: frame.crumb("账户管理", "Accounts of staff", "/accounts"),
        lang,
        is_own,
        is_away,
        done: visit.param("done").unwrap_or_default(),
        leaves: leaves.collect(),
        office_input: office_field(&known.offices, |field| moved.show(field)),
        role_input: role_field(&STAFF_ROLES, |field| moved.show(field)),
        substitute_input: substitute_input(&form, &known.substitutes),
        substitutes: known.substitutes,
        account: known.row,
        form,
    })
}

async fn known(visit: &Visit, parts: &Arc<Parts>, id: &str) -> Result<Known, PageError> {
    let permit = permit(visit)?;
    let id: StaffId = id.parse().map_err(|_| missing())?;
    let (parts, lang) = (Arc::clone(parts), visit.lang);
    let read = move |tx: &mut Tx<'_>| {
        let all = offices::all(tx)?;
        let found = roll::find(tx, &parts.vault, &permit, id)?.ok_or_else(missing)?;
        let member = found.staff.clone();
        let peers = roster::peers(tx, &parts.vault, &permit, &member)?;
        let mut leaves = Vec::new();
        for leave in leave::of_staff(tx, &permit, id)? {
            let mut name = |id: StaffId| {
                Ok::<_, tb_base::Error>(
                    roll::find(tx, &parts.vault, &permit, id)?.map_or_else(String::new, |it| it.staff.name),
                )
            };
            let (away, stands_in) = (name(leave.staff)?, name(leave.substitute)?);
            let (zh, en) =
                (format!("{away} 休假，{stands_in} 代办"), format!("{away} away, {stands_in} stands in"));
            leaves.push((leave, lang.t(&zh, &en).to_owned()));
        }
        let closed = roster::closed_offices(tx)?;
        let offices = all.iter().filter(|it| !closed.contains(&it.id)).cloned().collect();
        let substitutes =
            peers.into_iter().map(|it| (it.id, format!("{} · {}", it.name, it.login))).collect();
        Ok(Known { row: Row::of(lang, found, &all), member, leaves, substitutes, offices })
    };
    Ok(visit.app.store.read("t01.account.read", read).await?)
}

fn substitute_input(form: &Fields, substitutes: &[(StaffId, String)]) -> Html {
    let named: Vec<(String, &str)> =
        substitutes.iter().map(|(id, name)| (id.to_string(), name.as_str())).collect();
    let choices: Vec<Choice<'_>> = named.iter().map(|(id, name)| Choice::new(id, name, name)).collect();
    form.show(&Field::new("substitute", "由谁代办", "Who stands in", Input::Select(&choices)))
}

impl AccountPage {
    fn summary(&self) -> ui::Summary {
        let (lang, known) = (self.lang, &self.account);
        let row = |zh, en, value: &str| ui::SummaryRow::new(lang.t(zh, en), value);
        let none = lang.t("没有登记", "none registered");
        let rows = vec![
            row("姓名", "Name", &known.name),
            row("岗位", "Role", &known.role),
            row("单位", "Office", &known.office_name),
            row("状态", "State", known.state_tag(lang).1),
            row("登记的手机", "Registered phone", known.phone.as_deref().unwrap_or(none)),
        ];
        ui::Summary { rows }
    }

    fn is_active(&self) -> bool {
        self.account.is(AccountState::Active)
    }

    fn is_locked(&self) -> bool {
        self.account.is(AccountState::Frozen)
    }

    fn is_closed(&self) -> bool {
        self.account.is(AccountState::Closed)
    }

    fn lock(&self) -> &'static Field<'static> {
        &LOCK
    }

    fn unlock(&self) -> &'static Field<'static> {
        &UNLOCK
    }

    fn days(&self) -> [Field<'static>; 2] {
        [FIRST_DAY, LAST_DAY]
    }

    /// What just happened: title and what it means.
    fn told(&self) -> Option<(&'static str, &'static str)> {
        let t = |zh: &'static str, en: &'static str| self.lang.t(zh, en);
        Some(match self.done.as_str() {
            "locked" => (
                t("已锁定", "Locked"),
                t("它的会话都已结束，不能再登录。", "Its sessions have ended and it cannot sign in."),
            ),
            "unlocked" => (
                t("已恢复", "Unlocked"),
                t("可以用原来的密码登录。", "It signs in with the password that it had."),
            ),
            "closed" => (
                t("已注销", "Closed"),
                t(
                    "会话都已结束；他经手的办件和草稿仍在单位的清单里。",
                    "Its sessions have ended; cases and drafts stay in the lists of the office.",
                ),
            ),
            "reopened" => (
                t("已重新启用", "Open again"),
                t(
                    "可以用原来的密码登录；忘了的，发一个一次性代码。",
                    "It signs in with the password that it had; if that is lost, give out a one-time code.",
                ),
            ),
            "moved" => (
                t("已调岗", "Moved"),
                t(
                    "会话都已结束，下次登录起按新单位和岗位办理；原单位的办件留在原单位。",
                    "Its sessions have ended; from the next sign-in it works in the new office and role, and what the old office has in hand stays there.",
                ),
            ),
            "leave" => (
                t("请假已登记", "The leave is entered"),
                t(
                    "这些天不能登录，由代办人办理。",
                    "No sign-in on those days; the substitute does the work.",
                ),
            ),
            "back" => (t("请假已结束", "The leave is over"), t("现在可以登录。", "It can sign in now.")),
            _ => return None,
        })
    }
}

/// The roles in the order of the permit table.
pub(super) fn role_of(word: &str) -> Option<Role> {
    tb_identity::staff::role_of(word).filter(|role| *role != Role::Resident)
}
