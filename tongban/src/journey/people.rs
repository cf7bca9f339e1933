//! The people of a journey (人物): each signed in at a city's site with a browser of her own.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::journey::browser::Browser;
use crate::journey::patience;
use crate::journey::region::Region;

/// The password of the demo's accounts.
const PASSWORD: &str = "Tongban-demo-2026";
/// What does not show within this time is missing.
const WAIT_SECONDS_MAX: u64 = 30;
/// How often a page is read while something is awaited.
const ASK_MILLIS: u64 = 40;

/// A region with people in it.
pub struct World {
    /// The nodes.
    pub region: Region,
    people: BTreeMap<String, Browser>,
    /// How many sign-ins came to nothing.
    cut: u32,
    /// Whether people try again what failed, as in a drill they must.
    is_patient: bool,
}

impl World {
    /// Nobody is signed in yet.
    pub fn new(region: Region) -> World {
        World { is_patient: region.is_drilled(), region, people: BTreeMap::new(), cut: 0 }
    }

    /// Whether cities may be away at any moment.
    pub fn is_patient(&self) -> bool {
        self.is_patient
    }

    /// The browser of an account such as `driver@430100`; signs in the first time.
    pub async fn person(&mut self, login: &str) -> Result<&mut Browser, String> {
        if !self.people.contains_key(login) {
            let city = login.rsplit('@').next().unwrap_or_default();
            let browser = Browser::asking_from(self.seat(), &self.region.site(city));
            match signed_in(browser, login).await {
                Ok(browser) => self.people.insert(login.to_owned(), browser),
                Err(error) => {
                    self.cut += 1;
                    return Err(error);
                }
            };
        }
        self.people.get_mut(login).ok_or_else(|| format!("{login} is not here"))
    }

    /// The address from which people sign in: another one after each sign-in that came to nothing.
    ///
    /// A sign-in that a kill cuts short counts as a failed try, and must: five of them close an account to the address
    /// that they came from, for longer than a drill takes.
    fn seat(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + self.cut)
    }

    /// Reads a page as somebody.
    pub async fn get(&mut self, login: &str, path: &str) -> Result<Value, String> {
        if self.is_patient {
            patience::get(self, login, path).await
        } else {
            self.get_once(login, path).await
        }
    }

    /// Downloads a file as somebody.
    pub async fn download(&mut self, login: &str, path: &str) -> Result<Vec<u8>, String> {
        if self.is_patient {
            return patience::download(self, login, path).await;
        }
        self.download_once(login, path).await
    }

    pub(crate) async fn download_once(&mut self, login: &str, path: &str) -> Result<Vec<u8>, String> {
        let page = self.person(login).await?.call(hyper::Method::GET, path, None).await?;
        if page.status == 200 { Ok(page.body) } else { Err(format!("{path}: {}", page.short())) }
    }

    pub(crate) async fn get_once(&mut self, login: &str, path: &str) -> Result<Value, String> {
        self.person(login).await?.get(path).await
    }

    /// Reads the page at `form` for its token, then sends the form.
    pub async fn post(
        &mut self,
        login: &str,
        form: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<String, String> {
        if self.is_patient {
            return patience::post(self, login, form, path, fields).await;
        }
        let browser = self.person(login).await?;
        browser.get(form).await?;
        browser.post(path, fields).await
    }

    /// Reads a page as somebody until it shows something; gives the page.
    #[expect(clippy::disallowed_methods, reason = "waiting for other processes is about real time")]
    pub async fn until(
        &mut self,
        login: &str,
        path: &str,
        what: &str,
        shows: impl Fn(&Value) -> bool,
    ) -> Result<Value, String> {
        let begun = Instant::now();
        loop {
            let page = self.get(login, path).await;
            match page {
                Ok(page) if shows(&page) => return Ok(page),
                Ok(page) if Duration::from_secs(WAIT_SECONDS_MAX) < begun.elapsed() => {
                    return Err(format!("{path} at {login} never showed {what}; last: {}", short(&page)));
                }
                Err(error) if Duration::from_secs(WAIT_SECONDS_MAX) < begun.elapsed() => return Err(error),
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(ASK_MILLIS)).await,
            }
        }
    }
}

async fn signed_in(mut browser: Browser, login: &str) -> Result<Browser, String> {
    browser.get("/sign-in").await?;
    browser.post("/sign-in", &[("login", login), ("password", PASSWORD)]).await?;
    Ok(browser)
}

/// The beginning of a page, for messages.
fn short(page: &Value) -> String {
    page.to_string().chars().take(1_500).collect()
}

/// A text of a page by its JSON pointer, empty where there is none.
pub fn text<'a>(page: &'a Value, pointer: &str) -> &'a str {
    page.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A list of a page by its JSON pointer, empty where there is none.
pub fn list<'a>(page: &'a Value, pointer: &str) -> &'a [Value] {
    page.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
