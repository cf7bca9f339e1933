//! The front of the demo (演示首页): the three cities, one card per role, one click to sign in.
//!
//! Exists in `demo` only: its module is not listed by a city that `serve` runs, so every address here answers 404 there.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::Query;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use tb_base::{NodeId, Refusal, Role};
use tb_crypto::Vault;
use tb_identity::seed::{DemoAccount, demo_accounts, driver, walk_in};
use tb_identity::{accounts, sms};
use tb_node::Node;
use tb_store::{log, outbox};
use tb_web::ui::{self, RegionMap};
use tb_web::{App, Form, Frame, Lang, Module, PageResult, RouteInfo, Visit, Who, redirect, safe_next};

const OUTLINES: &str = include_str!("../../../region/outlines.json");
const ROUTES: &[RouteInfo] = &[
    RouteInfo::get("/demo", Who::Public),
    RouteInfo::get("/demo/enter", Who::Public),
    RouteInfo::get("/demo/phone", Who::Public),
    RouteInfo::post("/demo/line", Who::Public),
];

/// What the demo's pages need beside the application.
#[derive(Clone)]
pub struct DemoDoor {
    /// Opens the sealed text messages.
    pub vault: Arc<Vault>,
    /// Drawn at each start and printed in the links: a page of another site cannot guess it.
    pub token: String,
    /// The node, to cut its line; set when the city runs in this process.
    pub engine: Arc<std::sync::OnceLock<Arc<Node>>>,
}

/// The front as a module of a site.
pub fn module(door: DemoDoor) -> Module {
    let enter_door = door.clone();
    let phone_door = door.clone();
    let line_door = door.clone();
    Module {
        id: "demo",
        clauses: &[],
        routes: Router::<App>::new()
            .route("/demo", get(move |visit: Visit| show(visit, door.clone())))
            .route(
                "/demo/enter",
                get(move |visit: Visit, asked: Query<Enter>| enter(visit, asked, enter_door.clone())),
            )
            .route("/demo/phone", get(move |visit: Visit| phone(visit, phone_door.clone())))
            .route("/demo/line", post(move |visit: Visit, form: Form| line(visit, form, line_door.clone()))),
        handlers: Vec::new(),
        jobs: Vec::new(),
        schema: None,
        route_list: ROUTES,
    }
}

/// Somebody to come in as.
#[derive(Serialize)]
struct Card {
    node: NodeId,
    seal: String,
    login: String,
    name: String,
    office: String,
    enter: String,
}

/// A role with those who hold it, city by city.
#[derive(Serialize)]
struct RoleRow {
    role: Role,
    name: &'static str,
    what: String,
    people: Vec<Card>,
}

/// The identity card that somebody of the cast carries.
#[derive(Serialize)]
struct IdentityCard {
    name: &'static str,
    number: String,
    phone: String,
    note: &'static str,
}

#[derive(Serialize)]
struct Step {
    text: String,
    link: String,
    href: String,
    node: NodeId,
}

#[derive(Serialize)]
struct NodeState {
    offline: bool,
    leaves: u64,
    checkpoint: Option<String>,
    cosignatures: usize,
    waiting: usize,
}

#[derive(Template, Serialize)]
#[template(path = "demo_front.html")]
struct Front {
    frame: Frame,
    lang: Lang,
    map: RegionMap,
    roles: Vec<RoleRow>,
    cards: Vec<IdentityCard>,
    steps: Vec<Step>,
    state: NodeState,
    password: &'static str,
}

async fn show(visit: Visit, door: DemoDoor) -> PageResult {
    let lang = visit.lang;
    let (latest, waiting) =
        visit.app.store.read("demo.state", |tx| Ok((log::latest(tx)?, outbox::recent(tx, 200)?))).await?;
    let is_waiting = |sent: &&outbox::Sent| sent.state == outbox::State::Waiting;
    let state = NodeState {
        offline: door.engine.get().is_some_and(|engine| engine.is_offline()),
        leaves: latest.as_ref().map_or(0, |latest| latest.size),
        checkpoint: latest.as_ref().map(|latest| lang.time(latest.at)),
        cosignatures: latest.as_ref().map_or(0, |latest| latest.cosignatures.len()),
        waiting: waiting.iter().filter(is_waiting).count(),
    };
    visit.page(Front {
        frame: visit.frame("通办 · 演示", "Tongban demo").airy(),
        lang,
        map: RegionMap::of(lang, OUTLINES, &visit.app.cities)?,
        roles: roles(&visit, &door.token),
        cards: identity_cards(lang)?,
        steps: steps(&visit, &door.token),
        state,
        password: tb_identity::seed::DEMO_PASSWORD,
    })
}

/// Every role of the demo, in the order in which the first city lists them.
fn roles(visit: &Visit, token: &str) -> Vec<RoleRow> {
    let lang = visit.lang;
    let mut rows: Vec<RoleRow> = Vec::new();
    for city in &visit.app.cities {
        for account in demo_accounts(city.node) {
            let card = card(city, &account, token);
            match rows.iter_mut().find(|row| row.role == account.role) {
                Some(row) => row.people.push(card),
                None => rows.push(RoleRow {
                    role: account.role,
                    name: role_name(lang, account.role),
                    what: what_of(lang, account.role)
                        .unwrap_or(lang.t(&account.what_to_do_zh, &account.what_to_do_en))
                        .to_owned(),
                    people: vec![card],
                }),
            }
        }
    }
    rows
}

/// What a role held by different people is about; one person's errand would mislead.
fn what_of(lang: Lang, role: Role) -> Option<&'static str> {
    match role {
        Role::Resident => Some(lang.t(
            "办一件事，看进度，亮证，看谁看了自己的数据",
            "Get one thing done, follow it, show a licence, see who looked",
        )),
        Role::Administrator => Some(lang.t(
            "管理工作人员账号，看不到办件和个人数据",
            "Manage staff accounts; sees no case and no personal data",
        )),
        _ => None,
    }
}

fn card(city: &tb_web::CityFront, account: &DemoAccount, token: &str) -> Card {
    let next = home_of(account.role);
    Card {
        node: city.node,
        seal: city.seal.clone(),
        enter: format!("{}/demo/enter?token={token}&login={}&next={next}", city.site_url, account.login),
        login: account.login.clone(),
        name: account.name.clone(),
        office: city.name.clone(),
    }
}

/// What the clerk needs to type in: in life she reads it off the card.
fn identity_cards(lang: Lang) -> tb_base::Result<Vec<IdentityCard>> {
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

/// The page that a role works on.
fn home_of(role: Role) -> &'static str {
    match role {
        Role::Resident => "/",
        Role::Administrator => "/accounts",
        Role::Window => "/window",
        Role::Reviewer | Role::Approver => "/office",
        Role::Supervisor => "/supervise",
        Role::Inspector => "/verify",
        Role::Bureau => "/bureau",
        Role::Auditor => "/audit",
    }
}

fn role_name(lang: Lang, role: Role) -> &'static str {
    match role {
        Role::Resident => lang.t("居民", "Resident"),
        Role::Window => lang.t("跨域通办专窗", "Cross-city window"),
        Role::Reviewer => lang.t("审查", "Reviewer"),
        Role::Approver => lang.t("审批", "Approver"),
        Role::Inspector => lang.t("执法检查", "Inspector"),
        Role::Bureau => lang.t("数据局", "Data bureau"),
        Role::Supervisor => lang.t("监督", "Supervisor"),
        Role::Auditor => lang.t("审计", "Auditor"),
        Role::Administrator => lang.t("管理员", "Administrator"),
    }
}

/// The journey as a guided tour: who does what, with a link that signs in and leads there.
fn steps(visit: &Visit, token: &str) -> Vec<Step> {
    let lang = visit.lang;
    let step = |node: &str, login: &str, next: &str, zh: &str, en: &str, zh_link: &str, en_link: &str| {
        let city = visit.app.cities.iter().find(|city| city.node.as_str() == node)?;
        Some(Step {
            text: lang.t(zh, en).to_owned(),
            link: lang.t(zh_link, en_link).to_owned(),
            href: format!("{}/demo/enter?token={token}&login={login}@{node}&next={next}", city.site_url),
            node: city.node,
        })
    };
    [
        step("430100", "driver", "/items/121", "周晓梅户籍在湘潭，住长沙。在“我的长沙”申请换发从业资格证，旧证和身份信息由湘潭取来，不用带。", "Zhou Xiaomei is registered in Xiangtan and lives in Changsha. She asks for a new certificate on Changsha's site; her papers are fetched from Xiangtan.", "以周晓梅登录", "Sign in as her"),
        step("430300", "reviewer1", "/office", "办件移交湘潭。审查人员一次性告知补正，材料齐了予以受理。", "The case goes to Xiangtan. The reviewer asks once for a correction, then accepts.", "以审查人员登录", "Sign in as the reviewer"),
        step("430300", "approver1", "/office", "审批人员作出决定；新证签发，旧证当即失效。", "The approver decides; the new certificate supersedes the old one at once.", "以审批人员登录", "Sign in as the approver"),
        step("430100", "window1", "/window", "长沙专窗把新证交给她，她签收。", "Changsha's window hands it over; she signs.", "以专窗人员登录", "Sign in at the window"),
        step("430100", "driver", "/licences", "她出示新证的一次性码。", "She shows the new certificate by a one-time code.", "去亮证", "Show it"),
        step("430200", "inspector1", "/verify", "株洲执法人员向湘潭实时核验。", "An inspector in Zhuzhou verifies it live with Xiangtan.", "以执法人员登录", "Sign in as the inspector"),
        step("430100", "driver", "/looks", "她查看谁看过她的数据，每一条都带证明。", "She sees who looked at her data, each with a proof.", "看谁看过", "See who looked"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[derive(Deserialize)]
struct Enter {
    token: String,
    login: String,
    next: Option<String>,
}

async fn enter(visit: Visit, Query(asked): Query<Enter>, door: DemoDoor) -> PageResult {
    if !tb_crypto::constant_eq(asked.token.as_bytes(), door.token.as_bytes()) {
        let refusal = Refusal::not_allowed(
            "DEMO-ENT-001",
            "这个链接是上次启动留下的",
            "This link is from an earlier start",
        );
        return Err(refusal.but("从演示首页重新进入", "Enter again from the demo's front page").into());
    }
    let (ctx, vault, login) = (visit.ctx.clone(), door.vault, asked.login);
    let signed_in = visit.app.store.write("demo.enter", move |tx| {
        let account = accounts::by_login(tx, &vault, &login)?;
        let account = account.ok_or_else(|| {
            Refusal::gone("DEMO-ENT-002", "没有这个演示账号", "There is no such demo account")
        })?;
        accounts::door::enter(tx, &ctx, &vault, &account.id, &"demo".into())
    });
    let signed_in = signed_in.await?;
    Ok(visit.signed_in(&signed_in.token, redirect(safe_next(asked.next.as_deref()))))
}

#[derive(Serialize)]
struct Text {
    at: String,
    purpose: String,
    text: String,
}

#[derive(Template, Serialize)]
#[template(path = "demo_phone.html")]
struct Phone {
    frame: Frame,
    lang: Lang,
    phone: String,
    texts: Vec<Text>,
}

/// The text messages that the driver's phone received from this city, newest first.
async fn phone(visit: Visit, door: DemoDoor) -> PageResult {
    let phone = match visit.param("phone") {
        Some(phone) => phone,
        None => driver()?.phone.unwrap_or_default(),
    };
    let (vault, asked) = (door.vault, phone.clone());
    let texts = visit.app.store.read("demo.phone", move |tx| sms::of_phone(tx, &vault, &asked)).await?;
    let lang = visit.lang;
    let texts = texts
        .into_iter()
        .map(|it| Text {
            at: lang.moment(it.at),
            purpose: purpose(lang, &it.purpose).to_owned(),
            text: it.text,
        })
        .collect();
    visit.page(Phone {
        frame: visit.frame("手机短信（演示）", "Text messages (demo)").crumb("演示首页", "Demo", "/demo"),
        lang,
        phone,
        texts,
    })
}

/// What a text message is for, in words.
fn purpose(lang: Lang, purpose: &str) -> &str {
    match purpose {
        "consent" => lang.t("证照调取授权", "Consent to fetch licences"),
        "register" => lang.t("注册", "Registering"),
        "reset" => lang.t("重设密码", "Resetting the password"),
        other => other,
    }
}

/// Cuts this city's line to the others, or mends it.
async fn line(_: Visit, form: Form, door: DemoDoor) -> PageResult {
    let fields = form.fields();
    if let Some(engine) = door.engine.get() {
        engine.set_offline(fields.value("line") == "cut");
    }
    Ok(redirect("/demo"))
}

impl Front {
    fn line_state(&self) -> tb_web::Html {
        if self.state.offline {
            ui::tag("stop", self.lang.t("断线", "Off the network"))
        } else {
            ui::tag("done", self.lang.t("正常", "Up"))
        }
    }
}
