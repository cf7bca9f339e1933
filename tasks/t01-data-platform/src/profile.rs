//! The own account (我的账户): assurance level, phone, sessions, password.
//! Serves clause 1.1.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_base::{Actor, Refusal, Result, SessionId, Timestamp, Violation};
use tb_identity::accounts::{self, sessions};
use tb_identity::{grants, people, staff};
use tb_store::{Tx, audit};
use tb_web::{Field, Fields, Form, Frame, Input, Lang, PageResult, Visit, redirect, ui};

use crate::door::{NEW_PASSWORD, masked_phone, taken};
use crate::parts::Parts;
use crate::source::{Source, device_words};

const OLD: Field<'static> =
    Field::new("old", "现在的密码", "Present password", Input::Password).autocomplete("current-password");
const CHANGE: [Field<'static>; 2] = [OLD, NEW_PASSWORD];

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/profile.html")]
struct ProfilePage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    #[serde(flatten)]
    known: Known,
    /// What just happened: `registered`, `password`, `phone` or `ended`.
    done: String,
}

/// What the account says.
#[derive(Clone, Serialize)]
struct Known {
    login: String,
    name: String,
    /// Assurance level of a resident.
    level: Option<u8>,
    phone: Option<String>,
    office: Option<String>,
    badge: Option<String>,
    /// The enterprises that she acts for.
    enterprises: Vec<String>,
    sessions: Vec<SignedInAt>,
}

/// One of the own sessions.
#[derive(Clone, Serialize)]
struct SignedInAt {
    id: SessionId,
    /// The code of the device; the page puts it into words.
    device: String,
    /// The network address; empty where it was not kept.
    address: String,
    created: Timestamp,
    seen: Timestamp,
    is_this: bool,
}

impl ProfilePage {
    fn summary(&self) -> ui::Summary {
        let (lang, known) = (self.lang, &self.known);
        let row = |zh, en, value: &str| ui::SummaryRow::new(lang.t(zh, en), value);
        let mut rows = vec![row("姓名", "Name", &known.name), row("登录名", "Sign-in name", &known.login)];
        if let Some(level) = known.level {
            rows.push(row("实名等级", "Assurance level", &level_words(lang, level)));
        }
        if let Some(phone) = &known.phone {
            let row = row("手机号", "Mobile phone", phone);
            // The numbers of staff are the administrator's to change.
            rows.push(match known.level {
                Some(_) => row.action(lang.t("更换", "Change"), "/profile/phone"),
                None => row,
            });
        }
        if let Some(office) = &known.office {
            rows.push(row("单位", "Office", office));
        }
        if let Some(badge) = &known.badge {
            rows.push(row("工号", "Badge", badge));
        }
        if !known.enterprises.is_empty() {
            let names = known.enterprises.join(lang.t("、", ", "));
            rows.push(row("代办企业", "Acts for", &names).action(lang.t("打开", "Open"), "/firm"));
        }
        ui::Summary { rows }
    }

    /// Where the account is signed in: device, network, since when; each other one can be ended.
    fn places(&self) -> Vec<(String, String, &SignedInAt)> {
        let lang = self.lang;
        let told = |it: &SignedInAt| {
            let seen = match lang {
                Lang::Zh => format!("{} 登录，{} 还在用", lang.time(it.created), lang.time(it.seen)),
                Lang::En => format!("since {}, last used {}", lang.time(it.created), lang.time(it.seen)),
            };
            match (it.address.is_empty(), lang) {
                (true, _) => seen,
                (false, Lang::Zh) => format!("网络地址 {}，{seen}", it.address),
                (false, Lang::En) => format!("network {}, {seen}", it.address),
            }
        };
        self.known.sessions.iter().map(|it| (device_words(lang, &it.device), told(it), it)).collect()
    }

    fn can_rise(&self) -> bool {
        self.known.level.is_some_and(|level| level < 3)
    }
}

fn level_words(lang: Lang, level: u8) -> String {
    let words = match level {
        0 | 1 => ("还没有与登记核对", "not compared with the register"),
        2 => ("号码、姓名与登记一致", "number and name agree with the register"),
        3 => (
            "号码、姓名、手机与登记一致，或窗口已核验",
            "number, name and phone agree, or a window checked the card",
        ),
        _ => ("当面核验", "checked in person"),
    };
    format!("{level} · {}", lang.t(words.0, words.1))
}

/// GET /account: the address that the frame of every page links to.
pub async fn moved() -> axum::response::Response {
    redirect("/profile")
}

/// GET /profile
pub async fn show(visit: Visit, parts: Extension<Arc<Parts>>) -> PageResult {
    let known = known(&visit, &parts).await?;
    let form = Fields::blank(&visit);
    visit.page(view(&visit, form, known))
}

/// POST /profile: changes the password, or signs out everywhere (`do=leave`).
pub async fn submit(visit: Visit, parts: Extension<Arc<Parts>>, source: Source, form: Form) -> PageResult {
    let account = visit.require_account()?.id.clone();
    let mut fields = form.fields();
    if fields.pressed() == "leave" {
        let ctx = visit.ctx.clone();
        visit.app.store.write("t01.leave", move |tx| leave(tx, &ctx, &account)).await?;
        return Ok(visit.signed_out(redirect("/sign-in?done=out")));
    }
    let (old, new) = (fields.read(&OLD).required(), fields.read(&NEW_PASSWORD).required());
    if let (Some(old), Some(new)) = (old, new) {
        let outcome = parts.door.change_password(&visit.ctx, &account, &old, &new, source.0).await;
        if let Some(entered) = taken(&mut fields, outcome)? {
            return Ok(visit.signed_in(&entered.token, redirect("/profile?done=password")));
        }
    }
    let known = known(&visit, &parts).await?;
    visit.form_again(view(&visit, fields, known))
}

/// POST /profile/sessions/{id}: ends one sign-in of the own account.
pub async fn end(visit: Visit, id: axum::extract::Path<String>, _: Form) -> PageResult {
    let account = visit.require_account()?.id.clone();
    let gone = || Refusal::gone("T01-PRF-001", "没有这处登录", "There is no such sign-in");
    let id: SessionId = id.parse().map_err(|_| tb_base::Error::from(gone()))?;
    let ctx = visit.ctx.clone();
    let ended = move |tx: &mut Tx<'_>| sessions::end(tx, &ctx, &account, id);
    visit.app.store.write("t01.session.end", ended).await?;
    Ok(redirect("/profile?done=ended"))
}

fn leave(tx: &mut Tx<'_>, ctx: &tb_base::Ctx, account: &str) -> Result<()> {
    sessions::kill_all(tx, account)?;
    audit::line(tx, ctx, "identity.sign_out.all", account, "done")
}

async fn known(visit: &Visit, parts: &Arc<Parts>) -> std::result::Result<Known, tb_web::PageError> {
    let account = visit.require_account()?.id.clone();
    let (parts, now) = (Arc::clone(parts), visit.ctx.now);
    let token = visit.session_token.clone().unwrap_or_default();
    Ok(visit.app.store.read("t01.profile", move |tx| read(tx, &parts, &account, &token, now)).await?)
}

fn read(tx: &mut Tx<'_>, parts: &Parts, id: &str, token: &str, now: Timestamp) -> Result<Known> {
    let account = accounts::find(tx, &parts.vault, id)?;
    let account = account.ok_or_else(|| Violation::inconsistent("identity_account", id))?;
    let (level, phone, badge) = match &account.actor {
        Actor::Resident { person, level } => {
            (Some(*level), people::get(tx, &parts.vault, *person)?.phone, None)
        }
        Actor::Staff { staff, .. } => {
            let member = staff::find(tx, &parts.vault, *staff)?;
            (None, member.as_ref().and_then(|it| it.phone.clone()), member.map(|it| it.badge))
        }
        Actor::Anonymous | Actor::Peer(_) | Actor::System => (None, None, None),
    };
    let enterprises = match account.actor.person() {
        Some(person) => {
            let firms = grants::firms_of(tx, person, now.date())?;
            firms.into_iter().map(|(firm, _)| firm.name).collect()
        }
        None => Vec::new(),
    };
    let sessions = sessions::of_account(tx, id, token, now)?.into_iter().map(signed_in_at).collect();
    Ok(Known {
        login: account.login,
        name: account.name,
        level,
        phone: phone.as_deref().map(masked_phone),
        office: account.office.map(|office| office.name_zh),
        badge,
        enterprises,
        sessions,
    })
}

fn signed_in_at(open: sessions::Open) -> SignedInAt {
    let about = open.about;
    let address = about.as_ref().map_or_else(String::new, |about| about.address.clone());
    SignedInAt {
        id: open.id,
        device: about.map_or_else(String::new, |about| about.device),
        address: if address == crate::source::SOURCE_UNKNOWN { String::new() } else { address },
        created: open.created,
        seen: open.seen,
        is_this: open.is_this,
    }
}

fn view(visit: &Visit, form: Fields, known: Known) -> ProfilePage {
    let frame = visit.frame("我的账户", "My account").errors(&form).airy();
    ProfilePage { frame, lang: visit.lang, form, known, done: visit.param("done").unwrap_or_default() }
}
