//! A city's site without a socket: asked as a browser or as a program, by whoever a token names.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::Value;
use tb_base::{Actor, Clock, Entropy, NodeId};
use tb_exchange::{Desk, Peers};
use tb_store::Store;
use tb_web::session::{Account, Lookup};
use tb_web::{App, AppParts, CityFront, Module, site};
use tower::ServiceExt;

use crate::{CITIES, node};

/// What a site stands on.
pub struct SiteParts<'a> {
    /// The city.
    pub node: NodeId,
    /// Its data.
    pub store: &'a Store,
    /// Its desk.
    pub desk: &'a Arc<Desk>,
    /// Who answers for other cities.
    pub peers: Arc<dyn Peers>,
    /// Its time.
    pub clock: Arc<dyn Clock>,
    /// Its numbers.
    pub entropy: &'a Arc<Mutex<dyn Entropy>>,
    /// Who a token is.
    pub session: Lookup,
    /// A page with a form that everybody may open; what is posted takes its token from there.
    pub form_page: &'static str,
}

/// The site of a city.
#[derive(Clone)]
pub struct Site {
    city: NodeId,
    form_page: &'static str,
    router: Router,
}

/// An answer of a site.
#[derive(Debug)]
pub struct Got {
    /// Its status.
    pub status: StatusCode,
    /// Where it leads; empty where it stays.
    pub location: String,
    /// After how many seconds the page is asked for again; empty for never.
    pub refresh: String,
    cookie: String,
    /// Its body; a file is no text throughout.
    pub text: String,
}

impl Got {
    /// The body as a program reads it.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test that got another page has to stop and show it")]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The codes of what the form says.
    #[track_caller]
    pub fn codes(&self) -> Vec<String> {
        let errors = self.json()["form"]["errors"].as_array().expect("errors").clone();
        errors.iter().map(|error| error["code"].as_str().unwrap_or("").to_owned()).collect()
    }
}

impl Site {
    /// The pages of one module on a city.
    pub fn of(parts: SiteParts<'_>, module: &Module) -> Site {
        let app = App::new(AppParts {
            node: parts.node,
            store: parts.store.clone(),
            desk: Arc::clone(parts.desk),
            peers: parts.peers,
            clock: parts.clock,
            entropy: Arc::clone(parts.entropy),
            cities: CITIES.map(front).into(),
            session: parts.session,
            nav: Vec::new(),
            secure_cookies: false,
            demo: None,
        });
        let router = site(app, std::slice::from_ref(module));
        Site { city: parts.node, form_page: parts.form_page, router }
    }

    /// The page as a person gets it; `who` is a token of the session, or empty.
    pub async fn page(&self, who: &str, path: &str) -> Got {
        self.ask(self.request(who, path, "text/html").body(Body::empty())).await
    }

    /// The page as a program gets it.
    pub async fn get(&self, who: &str, path: &str) -> Got {
        self.ask(self.request(who, path, "application/json").body(Body::empty())).await
    }

    /// Sends a form as a program.
    pub async fn post(&self, who: &str, path: &str, form: &str) -> Got {
        self.send(who, path, form, "application/json").await
    }

    /// Sends a form as a browser.
    pub async fn post_page(&self, who: &str, path: &str, form: &str) -> Got {
        self.send(who, path, form, "text/html").await
    }

    async fn send(&self, who: &str, path: &str, form: &str, accept: &str) -> Got {
        let (token, cookie) = self.token(who).await;
        let mut request = self
            .request(who, path, accept)
            .method("POST")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if who.is_empty() {
            request = request.header(header::COOKIE, cookie);
        }
        self.ask(request.body(Body::from(format!("csrf={token}&{form}")))).await
    }

    /// Sends a form with one file, as a program.
    pub async fn post_file(&self, who: &str, path: &str, (field, name, bytes): (&str, &str, &[u8])) -> Got {
        let (token, _) = self.token(who).await;
        let mut body = format!(
            "--line\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n--line\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--line--\r\n");
        let request = self
            .request(who, path, "application/json")
            .method("POST")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=line");
        self.ask(request.body(Body::from(body))).await
    }

    /// What a form has to bring along, and the cookie that belongs to it.
    async fn token(&self, who: &str) -> (String, String) {
        let page = self.get(who, self.form_page).await;
        (page.json()["frame"]["csrf"].as_str().expect("a token").to_owned(), page.cookie)
    }

    fn request(&self, who: &str, path: &str, accept: &str) -> axum::http::request::Builder {
        let request =
            Request::builder().uri(path).header(header::HOST, "localhost").header(header::ACCEPT, accept);
        if who.is_empty() {
            return request;
        }
        request.header(header::COOKIE, format!("tb_session_{}={who}", self.city))
    }

    async fn ask(&self, request: axum::http::Result<Request<Body>>) -> Got {
        let answer = self.router.clone().oneshot(request.expect("a request")).await.expect("an answer");
        let text = |name| answer.headers().get(name).and_then(|it| it.to_str().ok()).unwrap_or("").to_owned();
        let cookie = text(header::SET_COOKIE).split(';').next().unwrap_or("").to_owned();
        let (status, location, refresh) = (answer.status(), text(header::LOCATION), text(header::REFRESH));
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        Got { status, location, refresh, cookie, text: String::from_utf8_lossy(&body).into_owned() }
    }
}

/// The account of somebody whose token is her name, too.
pub fn account(token: &str, actor: Actor) -> Account {
    let text = token.to_owned();
    Account { id: text.clone(), login: text.clone(), name: text, actor, office_name: None, acting: None }
}

fn front((code, name): (&str, &str)) -> CityFront {
    CityFront {
        node: node(code),
        name: name.to_owned(),
        name_en: format!("City {code}"),
        app: format!("我的{name}"),
        seal: name.chars().take(1).collect(),
        colour: "#345a78".to_owned(),
        site_url: format!("http://{code}.invalid"),
    }
}
