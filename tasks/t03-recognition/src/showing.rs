//! Showing a licence (亮证): a one-time code as QR and letters, for a minute, and who redeemed it.
//! Serves clause 1.2.
//!
//! The code is drawn here and only its hash goes to the city that issued the licence; the address of the page
//! carries it, which is harmless: it is redeemed once and dies within a minute.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{LicenceId, MessageId, NodeId, Refusal, Timestamp};
use tb_identity::permit::Action;
use tb_licence::peer::show::{Present, Presented, Told, draw};
use tb_licence::present::{Code, PresentationState};
use tb_licence::state::State;
use tb_web::{Form, Frame, Html, Lang, PageError, PageResult, Visit, redirect, ui};

use crate::holder::{Heard, ask, holder, place};
use crate::licence::unlike;
use crate::parts::Parts;
use crate::words::{state_kind, state_word, type_name, verifier};

/// The page fetches the part that tells who verified again after so many seconds.
const RELOAD_SECONDS: u32 = 4;

/// Where the code stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum CodeState {
    /// Waits for a verifier.
    Open,
    /// A verifier redeemed it.
    Redeemed,
    /// Its minute is over, or she put it away.
    Over,
    /// The issuing city does not answer just now.
    Unknown,
}

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t03/code.html")]
struct CodePage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    id: LicenceId,
    city: NodeId,
    presentation: MessageId,
    type_name: String,
    licence_state: Option<State>,
    /// The code; none once it cannot be redeemed any more.
    code: Option<String>,
    #[serde(skip)]
    qr: Html,
    state: CodeState,
    expires_at: Option<Timestamp>,
    seconds_left: i64,
    /// Who redeemed it, in words.
    verified_by: Option<String>,
    verified_at: Option<Timestamp>,
    /// What the verifier was told: `yes` or a state.
    verdict: Option<String>,
    as_of: Timestamp,
}

impl CodePage {
    fn state_tag(&self) -> Html {
        match self.licence_state {
            Some(state) => ui::tag(state_kind(state), &state_word(self.lang, state)),
            None => ui::tag("wait", self.lang.t("状态没有确认", "state not confirmed")),
        }
    }

    fn letters(&self) -> Html {
        let code = self.code.as_deref().unwrap_or("");
        let (head, secret) = code.rsplit_once('.').unwrap_or(("", code));
        ui::code(&format!("{head}. {}", ui::grouped(secret, 4)))
    }

    fn told(&self) -> String {
        let (lang, verdict) = (self.lang, self.verdict.as_deref().unwrap_or(""));
        match verdict {
            "yes" => lang.t("对方看到：有效", "They were told: valid").to_owned(),
            "not_allowed" => {
                lang.t("对方无权核验，什么也没看到", "They may not verify; they saw nothing").to_owned()
            }
            "not_yet_valid" => lang.t("对方看到：尚未生效", "They were told: not valid yet").to_owned(),
            other => match other.parse::<State>() {
                Ok(state) => {
                    format!("{}{}", lang.t("对方看到：", "They were told: "), state_word(lang, state))
                }
                Err(_) => String::new(),
            },
        }
    }

    fn again(&self) -> Html {
        let action = format!("/licences/{}/{}/present", self.city, self.id);
        ui::post_button(&self.frame.csrf, &action, "", self.lang.t("换一个码", "New code"))
    }

    fn countdown(&self) -> Html {
        ui::countdown(self.seconds_left, self.lang.t("已过期", "over"))
    }

    fn close_url(&self) -> String {
        format!("/licences/{}/{}/close", self.city, self.id)
    }

    fn confirmed(&self) -> String {
        self.lang.clock(self.as_of)
    }

    fn verified(&self) -> String {
        self.verified_at.map(|at| self.lang.clock(at)).unwrap_or_default()
    }
}

/// POST /licences/{city}/{id}/present
pub async fn make(
    visit: Visit,
    parts: Extension<Arc<Parts>>,
    path: Path<(String, String)>,
    _: Form,
) -> PageResult {
    let (city, licence) = place(&parts, &path)?;
    let holder = holder(&visit, &parts, Action::PresentLicence).await?;
    let (code, make) = draw(&visit.ctx, city, licence);
    match ask(&visit, &parts, &holder, city, &make).await? {
        Heard::Answer(Presented::Made { presentation, .. }) => {
            Ok(redirect(&format!("/licences/{city}/{licence}/code?c={code}&p={presentation}")))
        }
        Heard::Answer(other) => Err(unlike(&other).into()),
        Heard::Silent(refusal) => Err(refusal.into()),
    }
}

/// GET /licences/{city}/{id}/code?c=…&p=…
pub async fn code(visit: Visit, parts: Extension<Arc<Parts>>, path: Path<(String, String)>) -> PageResult {
    let (city, licence) = place(&parts, &path)?;
    let holder = holder(&visit, &parts, Action::PresentLicence).await?;
    let given = visit.param("c").and_then(|code| code.parse::<Code>().ok()).filter(|code| code.city == city);
    let presentation = visit.param("p").and_then(|id| id.parse::<MessageId>().ok());
    let (Some(code), Some(presentation)) = (given, presentation) else { return Err(no_code().into()) };
    match ask(&visit, &parts, &holder, city, &Present::Ask { presentation }).await? {
        Heard::Answer(Presented::Told(told)) => {
            let page = told_page(&visit, &parts, (city, licence), presentation, &code, told)?;
            visit.page(page)
        }
        Heard::Answer(other) => Err(unlike(&other).into()),
        Heard::Silent(_) => {
            let mut page = blank(&visit, (city, licence), presentation);
            page.give(&visit, &code)?;
            visit.page(page)
        }
    }
}

/// POST /licences/{city}/{id}/close: the code is put away.
pub async fn close(
    visit: Visit,
    parts: Extension<Arc<Parts>>,
    path: Path<(String, String)>,
    form: Form,
) -> PageResult {
    let (city, _) = place(&parts, &path)?;
    let holder = holder(&visit, &parts, Action::PresentLicence).await?;
    let presentation = form.fields().value("p").parse::<MessageId>().map_err(|_| no_code())?;
    match ask(&visit, &parts, &holder, city, &Present::Close { presentation }).await? {
        // A code that could not be put away dies by itself within a minute.
        Heard::Answer(_) | Heard::Silent(_) => Ok(redirect("/licences")),
    }
}

fn told_page(
    visit: &Visit,
    parts: &Parts,
    place: (NodeId, LicenceId),
    presentation: MessageId,
    code: &Code,
    told: Told,
) -> Result<CodePage, PageError> {
    let mut page = blank(visit, place, presentation);
    page.type_name = type_name(visit.lang, parts, &told.type_id);
    page.licence_state = Some(told.licence_state);
    page.expires_at = Some(told.expires);
    page.verdict = told.verdict;
    page.verified_at = told.redeemed_at;
    page.state = match told.state {
        PresentationState::Open if visit.ctx.now <= told.expires => CodeState::Open,
        PresentationState::Open | PresentationState::Closed => CodeState::Over,
        PresentationState::Redeemed => CodeState::Redeemed,
    };
    if let (Some(city), Some(actor)) = (told.verifier_city, &told.verifier_actor) {
        page.verified_by = Some(verifier(visit, &page.frame, city, actor));
    }
    if page.state == CodeState::Open {
        page.seconds_left = (told.expires.seconds() - visit.ctx.now.seconds()).max(0);
        page.give(visit, code)?;
    }
    Ok(page)
}

impl CodePage {
    /// Puts the code on the page, as letters and as QR.
    fn give(&mut self, visit: &Visit, code: &Code) -> Result<(), PageError> {
        // A camera that is not ours opens the page that checks it.
        let site = visit.app.front().map_or("", |front| front.site_url.as_str());
        let words =
            visit.lang.t("一次性核验二维码，内容同下方的码", "One-time code to scan, the same as below");
        self.qr = ui::qr::svg(&format!("{site}/verify?code={code}"), words)?;
        self.code = Some(code.to_string());
        Ok(())
    }
}

fn blank(visit: &Visit, (city, id): (NodeId, LicenceId), presentation: MessageId) -> CodePage {
    CodePage {
        frame: visit.frame("亮证", "Showing a licence").airy().crumb("我的证照", "My licences", "/licences"),
        lang: visit.lang,
        id,
        city,
        presentation,
        type_name: visit.lang.t("亮证", "Showing a licence").to_owned(),
        licence_state: None,
        code: None,
        qr: Html::default(),
        state: CodeState::Unknown,
        expires_at: None,
        seconds_left: 0,
        verified_by: None,
        verified_at: None,
        verdict: None,
        as_of: visit.ctx.now,
    }
}

fn no_code() -> Refusal {
    Refusal::gone("T03-PRE-001", "没有这个码", "There is no such code")
        .but("请从“我的证照”重新出码", "Show a fresh code from your list of licences")
}
