//! A new member of staff (新增工作人员), and the one-time code that is shown once.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_base::{OfficeId, Refusal, Role, StaffId};
use tb_identity::offices::{self, Office};
use tb_identity::roster::{self, NewStaff};
use tb_store::Tx;
use tb_web::{Choice, Field, Fields, Form, Frame, Html, Input, Lang, PageError, PageResult, Visit, ui};

use super::permit;
use super::show::role_of;
use crate::parts::Parts;

/// Roles that a member of staff can have; each alone, because powers are kept apart.
pub(super) const STAFF_ROLES: [Choice<'static>; 8] = [
    Choice::new(
        "window",
        "窗口人员：收件、核验身份、送达",
        "Window clerk: collects, checks identity, delivers",
    ),
    Choice::new("reviewer", "审查人员：补正、受理、审查", "Reviewer: corrections, acceptance, examination"),
    Choice::new("approver", "审批人员：决定、延期、制证", "Approver: decides, extends, issues"),
    Choice::new("inspector", "执法检查人员：核验证照", "Inspector: verifies licences"),
    Choice::new("supervisor", "监督人员：看时限", "Supervisor: watches limits"),
    Choice::new("bureau", "数据局：看交换与契约", "Data bureau: exchange and contracts"),
    Choice::new("auditor", "审计人员：查审计", "Auditor: reads audit lines"),
    Choice::new(
        "administrator",
        "系统管理员：管账户与单位，看不到办件",
        "Administrator: accounts and offices, sees no case",
    ),
];
const LOGIN: Field<'static> = Field::text("login", "登录名", "Sign-in name").hint(
    "小写字母、数字和 @ . - _，不要用姓名或证件号码，如 window4@430100",
    "Small letters, digits and @ . - _; no name and no number of a card, such as window4@430100",
);
const NAME: Field<'static> = Field::text("name", "姓名", "Name");
const BADGE: Field<'static> = Field::text("badge", "工号", "Number on the badge");
const PHONE: Field<'static> = Field::new("phone", "手机号", "Mobile phone", Input::Phone)
    .hint("忘记密码时收验证码", "Codes go there when the password is lost")
    .optional();
const BADGE_LETTERS_MAX: usize = 30;
const PHONE_DIGITS: usize = 11;

/// The form.
#[derive(Template, Serialize)]
#[template(path = "t01/account_new.html")]
struct EnterPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    offices: Vec<(OfficeId, String)>,
    #[serde(skip)]
    office_input: Html,
    #[serde(skip)]
    role_input: Html,
}

/// The one-time code, which no other page shows again.
#[derive(Template, Serialize)]
#[template(path = "t01/account_code.html")]
pub(super) struct CodePage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    id: StaffId,
    login: String,
    code: String,
    /// Where it is typed.
    address: String,
}

impl EnterPage {
    fn fields(&self) -> [Field<'static>; 4] {
        [LOGIN, NAME, BADGE, PHONE]
    }
}

/// GET /accounts/new
pub async fn blank(visit: Visit) -> PageResult {
    let form = Fields::blank(&visit);
    let view = view(&visit, form).await?;
    visit.page(view)
}

/// POST /accounts/new
pub async fn enter(visit: Visit, parts: Extension<Arc<Parts>>, form: Form) -> PageResult {
    let permit = permit(&visit)?;
    let mut fields = form.fields();
    if let Some(new) = read(&mut fields) {
        let (ctx, shared, hash) = (visit.ctx.clone(), Arc::clone(&parts), parts.door.hash_of_nobody());
        let login = new.login.trim().to_lowercase();
        let outcome = visit.app.store.write("t01.account.enter", move |tx: &mut Tx<'_>| {
            roster::enter(tx, &ctx, &shared.vault, &permit, &new, &hash)
        });
        if let Some((id, code)) = fields.take(outcome.await)? {
            return visit.page(code_page(&visit, id, login, code));
        }
    }
    let view = view(&visit, fields).await?;
    visit.form_again(view)
}

fn read(fields: &mut Fields) -> Option<NewStaff> {
    let login = fields.read(&LOGIN).max(roster::LOGIN_LETTERS_MAX).required();
    let name = fields.read(&NAME).max(roster::NAME_LETTERS_MAX).required();
    let badge = fields.read(&BADGE).max(BADGE_LETTERS_MAX).required();
    let phone = fields.read(&PHONE).check(|phone| is_phone(phone)).optional();
    let office = fields.read(&Field::text("office", "单位", "Office")).parse::<OfficeId>().required();
    let role = read_role(fields);
    Some(NewStaff { login: login?, name: name?, badge: badge?, phone: phone?, office: office?, role: role? })
}

/// The role that was chosen.
pub(super) fn read_role(fields: &mut Fields) -> Option<Role> {
    let role = fields.read(&Field::new("role", "岗位", "Role", Input::Radio(&STAFF_ROLES))).required();
    role.and_then(|word| role_of(&word))
}

fn is_phone(phone: &str) -> Result<(), Refusal> {
    if phone.len() == PHONE_DIGITS && phone.starts_with('1') && phone.bytes().all(|it| it.is_ascii_digit()) {
        return Ok(());
    }
    Err(Refusal::invalid("T01-ACC-003", "手机号是 11 位数字", "A mobile phone has eleven digits"))
}

async fn view(visit: &Visit, form: Fields) -> Result<EnterPage, PageError> {
    let read = |tx: &mut Tx<'_>| {
        let closed = roster::closed_offices(tx)?;
        Ok(offices::all(tx)?.into_iter().filter(|it| !closed.contains(&it.id)).collect::<Vec<_>>())
    };
    let open: Vec<Office> = visit.app.store.read("t01.account.offices", read).await?;
    let frame = visit.frame("新增工作人员", "A new member of staff").errors(&form).airy();
    Ok(EnterPage {
        frame: frame.crumb("账户管理", "Accounts of staff", "/accounts"),
        lang: visit.lang,
        office_input: office_field(&open, |field| form.show(field)),
        role_input: role_field(&STAFF_ROLES, |field| form.show(field)),
        offices: open
            .into_iter()
            .map(|it| (it.id, visit.lang.t(&it.name_zh, &it.name_en).to_owned()))
            .collect(),
        form,
    })
}

/// The list of offices as a field.
pub(super) fn office_field(offices: &[Office], show: impl FnOnce(&Field<'_>) -> Html) -> Html {
    let ids: Vec<String> = offices.iter().map(|it| it.id.to_string()).collect();
    let choices: Vec<Choice<'_>> =
        offices.iter().zip(&ids).map(|(it, id)| Choice::new(id, &it.name_zh, &it.name_en)).collect();
    show(&Field::new("office", "单位", "Office", Input::Select(&choices)))
}

/// The one role as a field.
pub(super) fn role_field(roles: &[Choice<'_>], show: impl FnOnce(&Field<'_>) -> Html) -> Html {
    show(&Field::new("role", "岗位（只能一个）", "Role (one only)", Input::Radio(roles)).hint(
        "岗位决定能办什么；权力分开，一人一岗",
        "The role says what may be done; powers are kept apart, one role each",
    ))
}

/// The page that shows a code once.
pub(super) fn code_page(visit: &Visit, id: StaffId, login: String, code: String) -> CodePage {
    let frame = visit.frame("一次性代码", "One-time code").airy();
    let own = visit.app.city(visit.ctx.node).map(|city| city.site_url.clone()).unwrap_or_default();
    CodePage {
        frame: frame.crumb("账户管理", "Accounts of staff", "/accounts"),
        lang: visit.lang,
        id,
        login,
        code,
        address: format!("{own}/password/first"),
    }
}

/// Held so that a role that the table gains is not forgotten here.
#[cfg(test)]
#[test]
fn every_role_of_staff_can_be_chosen() {
    let offered: Vec<&str> = STAFF_ROLES.iter().map(|choice| choice.value).collect();
    let roles = tb_identity::permit::ROLES.into_iter().filter(|role| *role != Role::Resident);
    for role in roles {
        assert!(offered.contains(&tb_identity::staff::role_word(role)), "{role:?}");
    }
}
