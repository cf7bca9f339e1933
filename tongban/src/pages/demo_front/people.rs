//! Who one can be in the demo (角色): every person of the cast with who she is, and the cards that they carry.

use serde::Serialize;
use tb_base::{NodeId, Role};
use tb_identity::seed::{DemoAccount, demo_accounts, driver, walk_in};
use tb_web::{CityFront, Lang, Visit};

/// Somebody to come in as.
#[derive(Serialize)]
pub struct Card {
    pub(super) node: NodeId,
    pub(super) seal: String,
    pub(super) login: String,
    pub(super) name: String,
    pub(super) who: String,
    pub(super) enter: String,
}

/// A role with those who hold it, city by city.
#[derive(Serialize)]
pub struct RoleRow {
    #[serde(skip)]
    part: Part,
    pub(super) role: Role,
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) people: Vec<Card>,
}

/// What somebody is in the demo: a role, and whether she acts for a firm.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Agent,
    Holds(Role),
}

impl Part {
    fn of(account: &DemoAccount) -> Part {
        if account.login.starts_with("agent") { Part::Agent } else { Part::Holds(account.role) }
    }

    fn name(self, lang: Lang) -> &'static str {
        match self {
            Part::Agent => lang.t("企业经办人", "Agent of a firm"),
            Part::Holds(Role::Resident) => lang.t("居民", "Resident"),
            Part::Holds(Role::Window) => lang.t("跨域通办专窗", "Cross-city window"),
            Part::Holds(Role::Reviewer) => lang.t("审查", "Reviewer"),
            Part::Holds(Role::Approver) => lang.t("审批", "Approver"),
            Part::Holds(Role::Inspector) => lang.t("执法检查", "Inspector"),
            Part::Holds(Role::Bureau) => lang.t("数据局", "Data bureau"),
            Part::Holds(Role::Supervisor) => lang.t("监督", "Supervisor"),
            Part::Holds(Role::Auditor) => lang.t("审计", "Auditor"),
            Part::Holds(Role::Administrator) => lang.t("管理员", "Administrator"),
        }
    }

    /// The errand: what whoever comes in so is here for.
    fn errand(self, lang: Lang) -> &'static str {
        match self {
            Part::Agent => lang.t(
                "替企业办事，授权谁、办到哪，一处看全",
                "Act for a firm: whom it trusts and where its matters stand",
            ),
            Part::Holds(Role::Resident) => lang.t(
                "办一件事，知道何时办完，看谁看了自己的数据",
                "Get one thing done, know when, see who looked at her data",
            ),
            Part::Holds(Role::Window) => lang.t(
                "三分钟内叫号、核身份、收件、移交，交付新证",
                "Call, identify, collect, hand over within three minutes",
            ),
            Part::Holds(Role::Reviewer) => {
                lang.t("下一件：一次告知补正、受理、提出意见", "The next case: ask once, accept, propose")
            }
            Part::Holds(Role::Approver) => lang.t(
                "作出决定，签发新证，旧证当即失效",
                "Decide; the new certificate ends the old one at once",
            ),
            Part::Holds(Role::Inspector) => lang.t(
                "在路上核验别人出示的证，当场问发证的城市",
                "Verify what is shown on the road, live with the issuer",
            ),
            Part::Holds(Role::Bureau) => {
                lang.t("给了谁、凭什么、卡在哪", "What went to whom, on what ground, and where it is stuck")
            }
            Part::Holds(Role::Supervisor) => {
                lang.t("晚了几件，在谁手里", "How many are late, and in whose hands")
            }
            Part::Holds(Role::Auditor) => {
                lang.t("查谁做了什么，核对日志证明", "Who did what, and what the log proves")
            }
            Part::Holds(Role::Administrator) => lang.t(
                "管理账号和单位，看不到办件和个人数据",
                "Accounts and offices; sees no case and no personal data",
            ),
        }
    }

    /// The page that she works on.
    fn home(self) -> &'static str {
        match self {
            Part::Agent => "/firm",
            Part::Holds(Role::Resident) => "/",
            Part::Holds(Role::Administrator) => "/accounts",
            Part::Holds(Role::Window) => "/window",
            Part::Holds(Role::Reviewer | Role::Approver) => "/office",
            Part::Holds(Role::Supervisor) => "/supervise",
            Part::Holds(Role::Inspector) => "/verify",
            Part::Holds(Role::Bureau) => "/bureau",
            Part::Holds(Role::Auditor) => "/audit",
        }
    }
}

/// Every role of the demo, in the order in which the first city lists them.
pub fn roles(visit: &Visit, token: &str) -> Vec<RoleRow> {
    let lang = visit.lang;
    let mut rows: Vec<RoleRow> = Vec::new();
    for city in &visit.app.cities {
        for account in demo_accounts(city.node) {
            let (part, card) = (Part::of(&account), card(lang, city, &account, token));
            match rows.iter_mut().find(|row| row.part == part) {
                Some(row) => row.people.push(card),
                None => rows.push(RoleRow {
                    part,
                    role: account.role,
                    name: part.name(lang),
                    what: part.errand(lang),
                    people: vec![card],
                }),
            }
        }
    }
    rows
}

fn card(lang: Lang, city: &CityFront, account: &DemoAccount, token: &str) -> Card {
    Card {
        node: city.node,
        seal: city.seal.clone(),
        enter: enter(city, token, &account.login, Part::of(account).home()),
        login: account.login.clone(),
        name: account.name.clone(),
        who: lang.t(&account.who_zh, &account.who_en).to_owned(),
    }
}

/// The address that signs somebody in and leads on to a page.
pub fn enter(city: &CityFront, token: &str, login: &str, next: &str) -> String {
    let next = next.replace('%', "%25").replace('?', "%3F").replace('&', "%26").replace('=', "%3D");
    format!("{}/demo/enter?token={token}&login={login}&next={next}", city.site_url)
}

/// The identity card that somebody of the cast carries.
#[derive(Serialize)]
pub struct IdentityCard {
    pub(super) name: &'static str,
    pub(super) number: String,
    pub(super) phone: String,
    pub(super) note: &'static str,
}

/// What the clerk needs to type in: in life she reads it off the card.
pub fn identity_cards(lang: Lang) -> tb_base::Result<Vec<IdentityCard>> {
    let (driver, walk_in) = (driver()?, walk_in()?);
    Ok(vec![
        IdentityCard {
            name: driver.name,
            number: driver.number.to_string(),
            phone: driver.phone.unwrap_or_default(),
            note: lang.t(
                "户籍湘潭，住长沙，两市都有账号",
                "Registered in Xiangtan, lives in Changsha, has an account in both",
            ),
        },
        IdentityCard {
            name: walk_in.name,
            number: walk_in.number.to_string(),
            phone: walk_in.phone.unwrap_or_default(),
            note: lang.t(
                "没有手机也没有账号，到窗口手写签名",
                "Has neither phone nor account; signs by hand at the window",
            ),
        },
    ])
}
