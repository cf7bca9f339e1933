//! What stands around every page (页框): band, brand, tools, menu, help and foot.
//!
//! A view holds a `Frame` in a field named `frame`; its template extends `layout.html`.

use std::sync::Arc;

use askama::Template;
use serde::{Serialize, Serializer};
use tb_base::{NodeId, Role};

use crate::App;
use crate::app::CityFront;
use crate::fields::Fields;
use crate::html::Html;
use crate::kiosk;
use crate::lang::{Given, Lang, Text};
use crate::tour::TourBar;
use crate::ui;
use crate::visit::{ViewMode, Visit};

/// A place in the main menu (主要栏目).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NavEntry {
    /// Its address; also current on every address below it.
    pub href: &'static str,
    /// What it is called.
    pub zh: &'static str,
    /// The same in English.
    pub en: &'static str,
    /// Who sees it; empty for visitors and residents.
    pub roles: &'static [Role],
    /// Whether the larger view leaves it out: it is no main task.
    pub is_extra: bool,
}

impl NavEntry {
    /// A place that visitors and residents see.
    pub const fn public(href: &'static str, zh: &'static str, en: &'static str) -> NavEntry {
        NavEntry { href, zh, en, roles: &[], is_extra: false }
    }

    /// A place that accounts with one of the roles see.
    pub const fn staff(
        href: &'static str,
        zh: &'static str,
        en: &'static str,
        roles: &'static [Role],
    ) -> NavEntry {
        NavEntry { href, zh, en, roles, is_extra: false }
    }

    /// A place that the larger view leaves out of its short menu.
    #[must_use]
    pub const fn extra(self) -> NavEntry {
        NavEntry { is_extra: true, ..self }
    }

    fn shown_to(&self, role: Option<Role>) -> bool {
        match role {
            None | Some(Role::Resident) => self.roles.is_empty(),
            Some(role) => self.roles.contains(&role),
        }
    }
}

/// The page around the page. Made by [`Visit::frame`].
#[derive(Clone)]
pub struct Frame {
    /// The language of the page.
    pub lang: Lang,
    /// The title, without the name of the app.
    pub title: String,
    /// The token that forms on this page carry.
    pub csrf: String,
    /// Whether this is the elder view, or the machine's, which is as large.
    pub elder: bool,
    /// Whether this is the view of a machine in a hall.
    pub kiosk: bool,
    /// The path of the page.
    pub path: String,
    /// How many errors its form has.
    pub errors: usize,
    /// The trace of the request.
    pub trace: String,
    /// When the page was made, for what is printed of it.
    pub made: String,
    crumbs: Vec<(String, String)>,
    nav: Vec<NavItem>,
    user: Option<String>,
    acting: Option<String>,
    office: Option<String>,
    role: Option<Role>,
    app: App,
    desk: bool,
    even: bool,
    tour: Option<Arc<TourBar>>,
    contact: Text,
    links: Links,
}

#[derive(Clone)]
struct NavItem {
    href: &'static str,
    label: &'static str,
    current: bool,
}

#[derive(Clone)]
struct Links {
    language: String,
    view: String,
}

#[derive(Template)]
#[template(path = "frame/open.html")]
struct Open<'a> {
    frame: &'a Frame,
    lang: Lang,
    front: Option<&'a CityFront>,
    others: Vec<&'a CityFront>,
    style: String,
    script: String,
    icon: String,
}

#[derive(Template)]
#[template(path = "frame/close.html")]
struct Close<'a> {
    frame: &'a Frame,
    lang: Lang,
    others: Vec<&'a CityFront>,
    hosts: String,
}

impl Frame {
    pub(crate) fn new(visit: &Visit, title: &str) -> Frame {
        let (lang, role) = (visit.lang, visit.ctx.actor.role());
        let current = current_nav(&visit.app.nav, role, &visit.path);
        let is_elder = visit.view.is_large();
        let nav = visit.app.nav.iter();
        let shown = nav.filter(|entry| entry.shown_to(role) && !(is_elder && entry.is_extra));
        Frame {
            lang,
            title: title.to_owned(),
            csrf: visit.csrf.clone(),
            elder: is_elder,
            kiosk: visit.view == ViewMode::Kiosk,
            path: visit.path.clone(),
            errors: 0,
            trace: visit.ctx.trace.to_string(),
            made: lang.time(visit.ctx.now),
            crumbs: Vec::new(),
            nav: shown
                .map(|entry| NavItem {
                    href: entry.href,
                    label: lang.t(entry.zh, entry.en),
                    current: current == Some(entry.href),
                })
                .collect(),
            user: visit.account.as_ref().map(|account| account.name.clone()),
            acting: visit.acting().map(|acting| acting.name.clone()),
            office: visit.account.as_ref().and_then(|account| account.office_name.clone()),
            role,
            app: visit.app.clone(),
            desk: !matches!(role, None | Some(Role::Resident)),
            even: false,
            tour: visit.tour.clone(),
            contact: Text::new(
                "政务服务便民热线 12345。窗口地址与时间以各市公布为准。",
                "Call 12345. Addresses and hours of the windows are as each city publishes them.",
            ),
            links: Links {
                language: visit.address_with("lang", lang.t("en", "zh")),
                view: visit.address_with("view", if visit.view.is_large() { "standard" } else { "elder" }),
            },
        }
    }

    /// Adds a step of the way back, from the top down.
    #[must_use]
    pub fn crumb(mut self, zh: &str, en: &str, href: &str) -> Frame {
        self.crumbs.push((self.lang.t(zh, en).to_owned(), href.to_owned()));
        self
    }

    /// Counts the errors of the page's form; the title begins with the count.
    #[must_use]
    pub fn errors(mut self, fields: &Fields) -> Frame {
        self.errors = fields.error_count();
        self
    }

    /// A dense working page for staff (the default where staff is signed in).
    #[must_use]
    pub fn desk(mut self) -> Frame {
        self.desk = true;
        self
    }

    /// A page with the usual air, also for staff.
    #[must_use]
    pub fn airy(mut self) -> Frame {
        self.desk = false;
        self
    }

    /// A page of the whole region: the band shows every city alike, no city's menu and account stand on it.
    #[must_use]
    pub fn even(mut self) -> Frame {
        (self.even, self.desk) = (true, false);
        self.nav.clear();
        self
    }

    /// Marks an element, once on a page, where the guided tour is about it: `<form{{ frame.tour("apply") }}>`.
    pub fn tour(&self, name: &str) -> Html {
        let bar = self.tour.as_ref().filter(|bar| bar.is_marking() && bar.marks.contains(&name));
        Html::made(bar.map_or(String::new(), |_| " id=\"tour-here\" data-tour".to_owned()))
    }

    /// Whom to ask about this page.
    #[must_use]
    pub fn contact(mut self, contact: Text) -> Frame {
        self.contact = contact;
        self
    }

    /// After so many seconds without anybody a machine ends the session.
    fn idle_seconds(&self) -> i64 {
        kiosk::IDLE_SECONDS
    }

    /// Everything before the page's own part.
    pub fn open(&self) -> Html {
        let assets = self.app.assets();
        Html::of(&Open {
            frame: self,
            lang: self.lang,
            front: self.app.front().filter(|_| !self.even),
            others: self.others(),
            style: assets.style(),
            script: assets.script(),
            icon: assets.icon(),
        })
    }

    /// Everything after it.
    pub fn close(&self) -> Html {
        let names: Vec<_> =
            self.app.cities.iter().map(|city| self.lang.t(&city.name, &city.name_en)).collect();
        let hosts = match self.lang {
            Lang::Zh => names.iter().map(|name| format!("{name}市")).collect::<Vec<_>>().join("、"),
            Lang::En => names.join(", "),
        };
        Html::of(&Close { frame: self, lang: self.lang, others: self.others(), hosts })
    }

    /// Seal and name of a city: `{{ frame.city(case.node) }}`.
    pub fn city(&self, node: impl Given<NodeId>) -> Html {
        let node = node.given();
        match self.app.city(node) {
            Some(front) => ui::city(self.lang, front),
            None => Html::escaped(node.as_str()),
        }
    }

    /// The name of a city alone.
    pub fn city_name(&self, node: impl Given<NodeId>) -> String {
        let node = node.given();
        let named = self.app.city(node).map(|front| self.lang.t(&front.name, &front.name_en).to_owned());
        named.unwrap_or_else(|| node.as_str().to_owned())
    }

    /// The hidden field that every form with `method="post"` holds.
    pub fn csrf_field(&self) -> Html {
        ui::csrf(&self.csrf)
    }

    /// The city whose site this is.
    pub fn own_city(&self) -> NodeId {
        self.app.node
    }

    /// Every city of the region.
    pub fn cities(&self) -> &[CityFront] {
        &self.app.cities
    }

    fn others(&self) -> Vec<&CityFront> {
        self.app.cities.iter().filter(|city| self.even || city.node != self.app.node).collect()
    }

    fn app_name(&self) -> &str {
        self.app.front().filter(|_| !self.even).map_or("通办", |front| &front.app)
    }

    fn full_title(&self) -> String {
        let title = format!("{} · {}", self.title, self.app_name());
        match self.errors {
            0 => title,
            count => format!("{}{title}", self.errors_first(count)),
        }
    }

    fn errors_first(&self, count: usize) -> String {
        match self.lang {
            Lang::Zh => format!("有 {count} 处要改："),
            Lang::En => format!("{count} to mend: "),
        }
    }
}

/// The entry whose address is the longest start of the path.
fn current_nav(nav: &[NavEntry], role: Option<Role>, path: &str) -> Option<&'static str> {
    let leads = |entry: &&NavEntry| {
        let below =
            path.strip_prefix(entry.href).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        entry.shown_to(role) && (path == entry.href || (entry.href != "/" && below))
    };
    nav.iter().filter(leads).map(|entry| entry.href).max_by_key(|href| href.len())
}

/// What programs get of the frame: title, language, token and who is signed in.
impl Serialize for Frame {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Plain<'a> {
            title: &'a str,
            lang: Lang,
            csrf: &'a str,
            path: &'a str,
            city: &'a str,
            user: Option<&'a str>,
            role: Option<Role>,
            errors: usize,
            trace: &'a str,
        }
        let Frame { lang, title, csrf, path, errors, trace, role, .. } = self;
        let (city, user) = (self.app.node.as_str(), self.user.as_deref());
        Plain { title, lang: *lang, csrf, path, city, user, role: *role, errors: *errors, trace }
            .serialize(to)
    }
}
