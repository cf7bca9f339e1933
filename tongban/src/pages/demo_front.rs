//! The front of the demo (演示首页): the three cities, one card per role, one click to sign in, the guided tour.
//!
//! Exists in `demo` only: its module is not listed by a city that `serve` runs, so every address here answers 404 there.

mod nodes;
mod people;
mod phone;
mod tour;

use std::sync::{Arc, OnceLock};

use askama::Template;
use axum::Router;
use axum::extract::Query;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use tb_base::{NodeId, Refusal};
use tb_crypto::Vault;
use tb_identity::accounts;
use tb_node::Node;
use tb_web::ui::RegionMap;
use tb_web::{App, Form, Frame, Lang, Module, PageResult, RouteInfo, Visit, Who, redirect, safe_next};

use crate::modules::Parts;

use nodes::NodeRow;
use people::{IdentityCard, RoleRow};
use tour::Step;

pub use tour::guide;

const OUTLINES: &str = include_str!("../../../region/outlines.json");
const ROUTES: &[RouteInfo] = &[
    RouteInfo::get("/demo", Who::Public),
    RouteInfo::get("/demo/enter", Who::Public),
    RouteInfo::get("/demo/phone", Who::Public),
    RouteInfo::post("/demo/line", Who::Public),
    RouteInfo::post("/demo/tour", Who::Public),
];

/// A city that runs in this process.
pub struct DemoCity {
    /// Which.
    pub node: NodeId,
    /// Its node, to cut its line.
    pub engine: Arc<Node>,
    /// Its store and what stands on it.
    pub parts: Arc<Parts>,
}

/// What the demo's pages need beside the application.
#[derive(Clone)]
pub struct DemoDoor {
    /// Opens the sealed text messages.
    pub vault: Arc<Vault>,
    /// Drawn at each start and printed in the links: a page of another site cannot guess it.
    pub token: String,
    /// The cities of this process, once they are open.
    pub cities: Arc<OnceLock<Vec<DemoCity>>>,
}

impl DemoDoor {
    fn cities(&self) -> &[DemoCity] {
        self.cities.get().map_or(&[], Vec::as_slice)
    }
}

/// The front as a module of a site.
pub fn module(door: &DemoDoor) -> Module {
    let [front, entrance, phone, line, tour] = [(); 5].map(|()| door.clone());
    Module {
        id: "demo",
        clauses: &[],
        routes: Router::<App>::new()
            .route("/demo", get(move |visit: Visit| show(visit, front.clone())))
            .route(
                "/demo/enter",
                get(move |visit: Visit, asked: Query<Enter>| enter(visit, asked, entrance.clone())),
            )
            .route("/demo/phone", get(move |visit: Visit| phone::show(visit, phone.clone())))
            .route("/demo/line", post(move |visit: Visit, form: Form| nodes::line(visit, form, line.clone())))
            .route("/demo/tour", post(move |visit: Visit, form: Form| tour::act(visit, form, tour.clone()))),
        handlers: Vec::new(),
        jobs: Vec::new(),
        schema: None,
        route_list: ROUTES,
    }
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
    nodes: Vec<NodeRow>,
    /// Whether the tour can be led from here.
    has_tour: bool,
    now: String,
    password: &'static str,
}

impl Front {
    /// The cities that are off the network.
    fn cut(&self) -> Vec<NodeId> {
        self.nodes.iter().filter(|row| row.offline).map(|row| row.node).collect()
    }
}

async fn show(visit: Visit, door: DemoDoor) -> PageResult {
    let lang = visit.lang;
    let frame = visit.frame("演示首页", "The demonstration").even();
    visit.page(Front {
        frame,
        lang,
        map: RegionMap::of(lang, OUTLINES, &visit.app.cities)?,
        roles: people::roles(&visit, &door.token),
        cards: people::identity_cards(lang)?,
        steps: tour::steps(&visit, &door),
        nodes: nodes::rows(&visit, &door).await?,
        has_tour: tour::is_whole(&door),
        now: lang.time(visit.ctx.now),
        password: tb_identity::seed::DEMO_PASSWORD,
    })
}

#[derive(Deserialize)]
struct Enter {
    token: String,
    login: String,
    next: Option<String>,
    /// The step of the tour that the link leads to.
    tour: Option<usize>,
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
    let answer = visit.signed_in(&signed_in.token, redirect(safe_next(asked.next.as_deref())));
    Ok(match tour::moved(&visit, asked.tour) {
        Some(stand) => visit.touring(Some(&stand), answer),
        None => answer,
    })
}
