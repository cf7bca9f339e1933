//! What every handler of one city's site has at hand (应用): store, desk, peers, clock and the front of the city.

use std::any::Any;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use serde::Serialize;
use tb_base::{Actor, Clock, Ctx, Entropy, Fault, NodeId, Result, Timestamp};
use tb_exchange::{Desk, Peers};
use tb_store::Store;

use crate::assets::Assets;
use crate::caller::Origins;
use crate::frame::NavEntry;
use crate::limits::{Counting, Gate};
use crate::session;
use crate::tour::Guide;

/// How a city shows itself (城市门面): name, app, seal and colour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CityFront {
    /// Its node.
    pub node: NodeId,
    /// Its name without 市, such as 长沙.
    pub name: String,
    /// Its name in English.
    pub name_en: String,
    /// The name of its app, such as 我的长沙.
    pub app: String,
    /// One character, such as 长; never shown without the name beside it.
    pub seal: String,
    /// Its colour as `#rrggbb`, with at least 4.5 : 1 on white.
    pub colour: String,
    /// Where its site is, such as `http://127.0.0.1:8430`, without a slash at the end.
    pub site_url: String,
}

/// What holds in `demo` only (演示设置).
#[derive(Clone, Debug)]
pub struct DemoSettings {
    /// The page of the map, the cards and the guided journey.
    pub start_url: String,
    /// Who leads the guided tour.
    pub guide: Option<Guide>,
}

/// The parts that an [`App`] is made of.
pub struct AppParts {
    /// The city's node.
    pub node: NodeId,
    /// Its store.
    pub store: Store,
    /// Composes messages to other cities.
    pub desk: Arc<Desk>,
    /// Asks other cities.
    pub peers: Arc<dyn Peers>,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<Mutex<dyn Entropy>>,
    /// Every city of the region, this one among them.
    pub cities: Vec<CityFront>,
    /// Finds the account of a session.
    pub session: session::Lookup,
    /// What the main menu offers to whom.
    pub nav: Vec<NavEntry>,
    /// Whether cookies travel over TLS only; off where the site itself is plain HTTP on loopback.
    pub secure_cookies: bool,
    /// Set in `demo` only.
    pub demo: Option<DemoSettings>,
}

/// The application of one city; cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    parts: AppParts,
    assets: Assets,
    /// Binds form tokens to their cookie; drawn at the start unless every process of the city has the same.
    form_key: [u8; 32],
    gate: Gate,
    shared: Vec<Arc<dyn Any + Send + Sync>>,
    keep: Option<session::Keep>,
    end: Option<session::End>,
    kept: session::Kept,
}

impl App {
    /// An application from its parts.
    pub fn new(parts: AppParts) -> App {
        let mut form_key = [0_u8; 32];
        match parts.entropy.lock() {
            Ok(mut entropy) => entropy.fill(&mut form_key),
            Err(poisoned) => poisoned.into_inner().fill(&mut form_key),
        }
        let assets = Assets::new(&parts.cities);
        App {
            inner: Arc::new(Inner {
                parts,
                assets,
                form_key,
                gate: Gate::new(Counting::On, Origins::default()),
                shared: Vec::new(),
                keep: None,
                end: None,
                kept: session::Kept::default(),
            }),
        }
    }

    /// Adds something that modules need and `web` does not know: a vault, definitions, licence keys.
    ///
    /// Called while the application is being put together, before it is cloned; a later call is lost.
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, shared: Arc<T>) -> App {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.shared.push(shared);
        }
        self
    }

    /// Notes sessions in use by `keep`; called while the application is being put together.
    #[must_use]
    pub fn keeping(mut self, keep: session::Keep) -> App {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.keep = Some(keep);
        }
        self
    }

    /// Ends sessions by `end`; called while the application is being put together.
    #[must_use]
    pub fn ending(mut self, end: session::End) -> App {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.end = Some(end);
        }
        self
    }

    /// Lets callers in by this gate; called while the application is being put together.
    #[must_use]
    pub fn behind(mut self, gate: Gate) -> App {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.gate = gate;
        }
        self
    }

    /// Binds forms by this key, which all processes of a city share: a form that one of them showed another takes.
    /// Called while the application is being put together.
    #[must_use]
    pub fn binding_forms_by(mut self, key: [u8; 32]) -> App {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.form_key = key;
        }
        self
    }

    /// Who may come in now.
    pub(crate) fn gate(&self) -> &Gate {
        &self.inner.gate
    }

    /// How to note this session, if it is time to.
    pub(crate) fn keep(&self, token: &str, now: Timestamp) -> Option<session::Keep> {
        self.inner.keep.clone().filter(|_| self.inner.kept.is_due(token, now))
    }

    /// How a session is ended.
    pub(crate) fn end(&self) -> Option<session::End> {
        self.inner.end.clone()
    }

    /// What was added by [`App::with`]; a fault when `main` forgot it.
    pub fn shared<T: Any + Send + Sync>(&self) -> Result<Arc<T>> {
        let found = self.inner.shared.iter().find_map(|it| Arc::clone(it).downcast::<T>().ok());
        found.ok_or_else(|| {
            Fault::new(format!("looking for the shared {}", std::any::type_name::<T>())).into()
        })
    }

    /// A context for one act of `actor`, at the present moment.
    pub fn ctx(&self, actor: Actor) -> Ctx {
        Ctx::new(self.clock.now(), actor, self.node, Arc::clone(&self.entropy))
    }

    /// The front of this city.
    pub fn front(&self) -> Option<&CityFront> {
        self.city(self.node)
    }

    /// The front of a city of the region.
    pub fn city(&self, node: NodeId) -> Option<&CityFront> {
        self.cities.iter().find(|city| city.node == node)
    }

    pub(crate) fn assets(&self) -> &Assets {
        &self.inner.assets
    }

    pub(crate) fn form_key(&self) -> &[u8; 32] {
        &self.inner.form_key
    }
}

impl Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.inner.parts
    }
}
