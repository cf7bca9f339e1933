//! One browser window: goes to pages, fills in forms, presses, looks over what is shown, takes photographs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use fantoccini::actions::{InputSource, MouseActions, PointerAction};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tb_testkit::Chrome;

use super::Seen;
use super::stage::root;
use super::visits::{Network, Visits};

/// What does not show within this time is missing.
const WAIT_SECONDS_MAX: u64 = 20;
/// How often a page is looked at while something is awaited.
const ASK_MILLIS: u64 = 25;
/// The password of the demo's accounts.
pub const PASSWORD: &str = "Tongban-demo-2026";
/// Enter and the space bar, as a driver of browsers types them.
pub const ENTER: char = '\u{e007}';
pub const SPACE: char = ' ';
const TAB: char = '\u{e004}';
/// More presses of the tab key than any page has stops.
const STOPS_MAX: usize = 250;
/// More presses of the tab key than any form needs.
const TABS_MAX: u64 = 40;
/// A page with all that it loads must stay below this.
const PAGE_BYTES_MAX: u64 = 100_000;
/// A picture of the README must stay below this.
const PICTURE_BYTES_MAX: usize = 200_000;
/// The outside judge of accessibility, as `cargo xtask setup` installs it.
const AXE: &str = "judges/node_modules/axe-core/axe.min.js";
/// 1280 by 1024 at 400 %, and the narrowest screen that a page must fit (WCAG 1.4.10).
const NARROW: (u32, u32) = (320, 256);

/// How wide a person's screen is, and whether her browser runs scripts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// 390 × 844, as a telephone.
    Phone,
    /// 1280 × 900, as at a counter.
    Desk,
    /// A telephone that runs no script.
    PlainPhone,
    /// A counter whose browser runs no script.
    PlainDesk,
}

impl View {
    fn size(self) -> (u32, u32) {
        if self.is_phone() { (390, 844) } else { (1280, 900) }
    }

    fn is_phone(self) -> bool {
        matches!(self, View::Phone | View::PlainPhone)
    }

    /// Whether pages may run their script.
    pub fn has_script(self) -> bool {
        matches!(self, View::Phone | View::Desk)
    }

    /// Its width, for the names of photographs.
    pub fn width(self) -> u32 {
        self.size().0
    }

    /// How finely a picture of the README is taken: as fine as its size allows.
    fn scale(self) -> f64 {
        if self.is_phone() { 1.75 } else { 1.25 }
    }
}

/// A browser window of one person.
pub struct Tab {
    client: Client,
    driver: String,
    session: String,
    name: String,
    view: View,
    site: String,
    notes: Notes,
    network: Mutex<Network>,
    /// Who signed in, such as `driver@430100`.
    who: Mutex<String>,
}

/// What the browsers of a play leave for its end.
#[derive(Clone)]
pub struct Notes {
    /// What was wrong.
    pub faults: Faults,
    /// What was visited.
    pub visits: Visits,
}

/// What was wrong with the pages that were looked over; told together at the end of a test.
pub type Faults = Arc<Mutex<Vec<String>>>;

impl Tab {
    /// Opens a browser with an empty profile.
    pub async fn open(chrome: &Chrome, name: &str, view: View, site: &str, notes: &Notes) -> Seen<Tab> {
        let (width, height) = view.size();
        let mut options = json!({ "args": chrome.arguments(name, width, height) });
        if view.is_phone() {
            let metrics =
                json!({ "width": width, "height": height, "pixelRatio": 1, "touch": true, "mobile": true });
            options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
        }
        options["perfLoggingPrefs"] = json!({ "enableNetwork": true, "enablePage": false });
        let logs = json!({ "browser": "WARNING", "performance": "ALL" });
        let wanted = json!({ "goog:chromeOptions": options, "goog:loggingPrefs": logs });
        let Value::Object(wanted) = wanted else { return Err("capabilities are an object".to_owned()) };
        let client =
            ClientBuilder::new(HttpConnector::new()).capabilities(wanted).connect(&chrome.address()).await;
        let client = client.map_err(|error| {
            format!("opening Chromium: {error}; `cargo xtask setup` installs what is missing")
        })?;
        let session = client.session_id().await.map_err(|error| error.to_string())?.unwrap_or_default();
        let tab = Tab {
            client,
            driver: chrome.address(),
            session,
            name: name.to_owned(),
            view,
            site: site.to_owned(),
            notes: notes.clone(),
            network: Mutex::default(),
            who: Mutex::default(),
        };
        if !view.has_script() {
            tab.run_scripts(Scripts::No).await?;
        }
        Ok(tab)
    }

    /// The screen that it stands on.
    pub fn view(&self) -> View {
        self.view
    }

    /// Signs in by the real form.
    pub async fn sign_in(&self, login: &str) -> Seen {
        self.go("/sign-in").await?;
        self.fill("login", login).await?;
        self.fill("password", PASSWORD).await?;
        self.press("form[action='/sign-in'] button[type=submit]").await?;
        login.clone_into(&mut self.who.lock().unwrap_or_else(PoisonError::into_inner));
        self.by_hand(".tools form[action='/sign-out']", "", "").await
    }

    /// Goes to an address of the site.
    pub async fn go(&self, path: &str) -> Seen {
        let address = format!("{}{path}", self.site);
        self.client.goto(&address).await.map_err(|error| format!("going to {path}: {error}"))?;
        self.note_visits().await
    }

    /// The path and query of what is shown.
    pub async fn path(&self) -> Seen<String> {
        let address = self.client.current_url().await.map_err(|error| error.to_string())?;
        Ok(match address.query() {
            Some(query) => format!("{}?{query}", address.path()),
            None => address.path().to_owned(),
        })
    }

    /// Fails unless this page is shown, whatever its query.
    pub async fn is_at(&self, path: &str) -> Seen {
        let shown = self.path().await?;
        if shown.split('?').next() == Some(path) {
            return Ok(());
        }
        Err(self.instead(&format!("expected {path}")).await)
    }

    /// Fails unless a field holds this.
    pub async fn holds(&self, name: &str, value: &str) -> Seen {
        let held = self.value(name).await?;
        if held == value {
            return Ok(());
        }
        Err(self.instead(&format!("{name} holds “{held}”, not “{value}”")).await)
    }

    /// Fails unless an element says something.
    pub async fn says(&self, css: &str, text: &str) -> Seen {
        let said = self.text(css).await?;
        if said.contains(text) {
            return Ok(());
        }
        Err(self.instead(&format!("{css} says “{said}”, not “{text}”")).await)
    }

    /// Fails unless a form came back as it should: the summary of errors has the focus,
    /// the title begins with the count, and each line leads to a field.
    pub async fn says_errors(&self, count: usize) -> Seen {
        let script = "const it = document.querySelector('[data-focus]'); return it && document.activeElement === it \
                      && it.querySelectorAll('li').length === arguments[0] \
                      && document.title.includes(String(arguments[0])) && /^\\D{0,4}\\d/.test(document.title)";
        if self.run(script, vec![json!(count)]).await? == Value::Bool(true) {
            return Ok(());
        }
        let focus = self.focus().await?;
        Err(self
            .instead(&format!("expected a focused summary of {count} errors; the focus is on {focus}"))
            .await)
    }

    /// The title of what is shown.
    pub async fn title(&self) -> Seen<String> {
        self.client.title().await.map_err(|error| error.to_string())
    }

    /// Does something with the first such element by the browser's own hand: with scripts off the driver's hands are tied.
    async fn by_hand(&self, css: &str, deed: &str, value: &str) -> Seen {
        let script = format!(
            "const it = document.querySelector(arguments[0]); if (!it) {{ return false; }} {deed}; return true"
        );
        self.until(css, async || {
            let done = self.run(&script, vec![json!(css), json!(value)]).await?;
            Ok(done == Value::Bool(true))
        })
        .await
    }

    /// Waits for an element.
    pub async fn find(&self, css: &str) -> Seen<Element> {
        let wait = self.client.wait().at_most(Duration::from_secs(WAIT_SECONDS_MAX));
        let found = wait.every(Duration::from_millis(ASK_MILLIS)).for_element(Locator::Css(css)).await;
        match found {
            Ok(element) => Ok(element),
            Err(_) => Err(self.instead(&format!("waiting for {css}")).await),
        }
    }

    /// How many elements there are now.
    pub async fn count(&self, css: &str) -> Seen<u64> {
        let counted =
            self.run("return document.querySelectorAll(arguments[0]).length", vec![json!(css)]).await?;
        Ok(counted.as_u64().unwrap_or(0))
    }

    /// The visible text of an element.
    pub async fn text(&self, css: &str) -> Seen<String> {
        if !self.view.has_script() {
            let script = "return document.querySelector(arguments[0])?.innerText ?? ''";
            return Ok(self.run(script, vec![json!(css)]).await?.as_str().unwrap_or_default().to_owned());
        }
        let element = self.find(css).await?;
        element.text().await.map_err(|error| format!("reading {css}: {error}"))
    }

    /// What a field holds.
    pub async fn value(&self, name: &str) -> Seen<String> {
        let element = self.find(&format!("main [name='{name}']")).await?;
        let value = element.prop("value").await.map_err(|error| format!("reading {name}: {error}"))?;
        Ok(value.unwrap_or_default())
    }

    /// Writes into a field, instead of what stands in it.
    pub async fn fill(&self, name: &str, text: &str) -> Seen {
        if !self.view.has_script() {
            return self.by_hand(&format!("main [name='{name}']"), "it.value = arguments[1]", text).await;
        }
        let field = self.find(&format!("main [name='{name}']")).await?;
        field.clear().await.map_err(|error| format!("clearing {name}: {error}"))?;
        field.send_keys(text).await.map_err(|error| format!("filling in {name}: {error}"))
    }

    /// Chooses an answer by its value; where it is a box, ticks it.
    pub async fn choose(&self, name: &str, value: &str) -> Seen {
        if !self.view.has_script() {
            let css = format!("main [name='{name}'][value='{value}']");
            return self.by_hand(&css, "it.checked = true", value).await;
        }
        let field = self.find(&format!("main [name='{name}'][value='{value}']")).await?;
        if field.is_selected().await.map_err(|error| error.to_string())? {
            return Ok(());
        }
        field.click().await.map_err(|error| format!("choosing {name}={value}: {error}"))
    }

    /// Chooses from a list by the value.
    pub async fn pick(&self, name: &str, value: &str) -> Seen {
        if !self.view.has_script() {
            let css = format!("main select[name='{name}']");
            return self.by_hand(&css, "it.value = arguments[1]", value).await;
        }
        let list = self.find(&format!("main select[name='{name}']")).await?;
        list.select_by_value(value).await.map_err(|error| format!("choosing {name}={value}: {error}"))
    }

    /// Presses something that leads to another page, and waits for that page.
    pub async fn press(&self, css: &str) -> Seen {
        if !self.view.has_script() {
            self.by_hand(css, "window.before = true; it.click()", "").await?;
            return self.arrive(css).await;
        }
        let target = self.find(css).await?;
        self.run("window.before = true", Vec::new()).await?;
        if let Err(error) = target.click().await {
            return Err(self.instead(&format!("pressing {css}: {error}")).await);
        }
        self.arrive(css).await
    }

    /// Waits until another page has come in place of the one that was marked.
    async fn arrive(&self, css: &str) -> Seen {
        let ready = "return !window.before && document.readyState === 'complete'";
        self.until(&format!("the page after {css}"), async || {
            // While one page goes and the other comes there is none to ask.
            Ok(self.run(ready, Vec::new()).await.is_ok_and(|ready| ready == Value::Bool(true)))
        })
        .await?;
        self.note_visits().await
    }

    /// Presses keys where the focus is, and waits for the page that they lead to.
    pub async fn key_to_next(&self, key: char) -> Seen {
        self.run("window.before = true", Vec::new()).await?;
        self.keys(&key.to_string()).await?;
        self.arrive("a key").await
    }

    /// Types where the focus is.
    pub async fn keys(&self, keys: &str) -> Seen {
        let active = self.client.active_element().await.map_err(|error| error.to_string())?;
        active.send_keys(keys).await.map_err(|error| format!("typing: {error}"))
    }

    /// By keyboard past the head of the page: the first thing that the tab key finds leads there.
    pub async fn skip_to_main(&self) -> Seen {
        self.run("document.activeElement.blur(); window.scrollTo(0, 0)", Vec::new()).await?;
        self.keys(&TAB.to_string()).await?;
        let first = self.run("return document.activeElement.matches('.skip')", Vec::new()).await?;
        if first != Value::Bool(true) {
            return Err(format!("the first tab finds {}, not the way past the head", self.focus().await?));
        }
        self.keys(&ENTER.to_string()).await
    }

    /// Presses the tab key until something has the focus; each stop is further down the page and is seen to be one.
    pub async fn tab_to(&self, css: &str) -> Seen {
        self.tabs_to(css).await.map(drop)
    }

    /// The same, and how many presses that took.
    pub async fn tabs_to(&self, css: &str) -> Seen<u64> {
        let step = "const now = document.activeElement, last = window.lastStop; window.lastStop = now; \
                    const style = getComputedStyle(now); const label = now.closest('label') || now; \
                    const forward = !last || !last.isConnected || last.contains(now) \
                      || (last.compareDocumentPosition(now) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0; \
                    const seen = style.outlineStyle !== 'none' || style.boxShadow !== 'none' \
                      || getComputedStyle(label).outlineStyle !== 'none'; \
                    return { there: now.matches(arguments[0]), forward, seen }";
        for pressed in 1..=TABS_MAX {
            self.keys(&TAB.to_string()).await?;
            let stop = self.run(step, vec![json!(css)]).await?;
            if stop["forward"] != Value::Bool(true) || stop["seen"] != Value::Bool(true) {
                return Err(format!("on the way to {css} the focus came to {}: {stop}", self.focus().await?));
            }
            if stop["there"] == Value::Bool(true) {
                return Ok(pressed);
            }
        }
        Err(self.instead(&format!("{TABS_MAX} tabs do not lead to {css}")).await)
    }

    /// From the top of a fresh page to its end: the tab key comes to everything that can be used, in the order of the
    /// page, and each stop is seen to be one. Wide tables that scroll are stops, too.
    pub async fn tab_through(&self) -> Seen {
        self.run("document.activeElement.blur(); window.scrollTo(0, 0)", Vec::new()).await?;
        let count = self.run(include_str!("stops.js"), Vec::new()).await?.as_u64().unwrap_or(0);
        let step = "return window.stopNow()";
        let mut next = 0;
        for _ in 0..STOPS_MAX {
            if next == count {
                return Ok(());
            }
            self.keys(&TAB.to_string()).await?;
            let stop = self.run(step, Vec::new()).await?;
            if stop["fault"] != Value::Null {
                return Err(self.instead(&format!("stop {next} of {count}: {stop}")).await);
            }
            match stop["at"].as_u64() {
                Some(at) if at == next => next += 1,
                None => {}
                Some(_) => {
                    return Err(self
                        .instead(&format!("stop {next} of {count} is passed over: {stop}"))
                        .await);
                }
            }
        }
        Err(self.instead(&format!("{STOPS_MAX} tabs do not lead through {count} stops")).await)
    }

    /// What has the focus: its name, its id, or its kind.
    pub async fn focus(&self) -> Seen<String> {
        let script = "const it = document.activeElement; return it.name ? it.name + (it.type === 'radio' ? '=' + it.value : '') \
                      : it.id || it.className || it.tagName";
        Ok(self.run(script, Vec::new()).await?.as_str().unwrap_or_default().to_owned())
    }

    /// Loads the page again until something shows on it.
    pub async fn reload_until(&self, css: &str, text: &str) -> Seen {
        let script = "return Array.from(document.querySelectorAll(arguments[0])).some((it) => it.innerText.includes(arguments[1]))";
        self.until(&format!("“{text}” in {css}"), async || {
            if self.run(script, vec![json!(css), json!(text)]).await? == Value::Bool(true) {
                return Ok(true);
            }
            self.client.refresh().await.map_err(|error| error.to_string())?;
            Ok(false)
        })
        .await
    }

    /// Waits until something holds.
    async fn until(&self, what: &str, holds: impl AsyncFn() -> Seen<bool>) -> Seen {
        let mut ask = tokio::time::interval(Duration::from_millis(ASK_MILLIS));
        let asked = async {
            loop {
                ask.tick().await;
                if holds().await? {
                    return Ok(());
                }
            }
        };
        match tokio::time::timeout(Duration::from_secs(WAIT_SECONDS_MAX), asked).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.instead(&format!("waiting for {what}")).await),
        }
    }

    /// Draws a line by line signature into the field for it, with the pen held down.
    pub async fn sign(&self, name: &str) -> Seen {
        let canvas = self.find(&format!("canvas#{name}")).await?;
        self.run(
            "arguments[0].scrollIntoView({ block: 'center' })",
            vec![serde_json::to_value(&canvas).unwrap_or_default()],
        )
        .await?;
        let (x, y, width, height) = canvas.rectangle().await.map_err(|error| error.to_string())?;
        let scrolled = self.run("return window.scrollY", Vec::new()).await?.as_f64().unwrap_or(0.0);
        let at = |right: f64, down: f64| PointerAction::MoveTo {
            duration: None,
            x: x + width * right,
            y: y - scrolled + height * down,
        };
        let strokes = [[(0.2, 0.3), (0.3, 0.7), (0.4, 0.35)], [(0.5, 0.6), (0.6, 0.3), (0.8, 0.65)]];
        let mut pen = MouseActions::new("pen".to_owned());
        for [first, rest @ ..] in strokes {
            pen = pen.then(at(first.0, first.1)).then(PointerAction::Down { button: 0 });
            for (right, down) in rest {
                pen = pen.then(at(right, down));
            }
            pen = pen.then(PointerAction::Up { button: 0 });
        }
        self.client.perform_actions(pen).await.map_err(|error| format!("drawing: {error}"))?;
        let drawn = self.value(name).await?;
        if drawn.starts_with("data:image/png;base64,") {
            Ok(())
        } else {
            Err(format!("no signature came into {name}"))
        }
    }

    /// Looks the page over and photographs it; any fault fails the test when it ends.
    pub async fn look(&self, shot: &str) -> Seen {
        let name = format!("{}-{shot}", self.name);
        self.photograph(&shots().join(format!("{name}.png"))).await?;
        let mut faults = self.found_by(include_str!("checks.js"), vec![self.view.width().into()]).await?;
        let form = self.form().await?;
        if form == "elder" {
            faults.extend(self.found_by(include_str!("elder.js"), Vec::new()).await?);
        }
        faults.extend(self.axe().await?);
        faults.extend(self.complaints().await?);
        let bytes = self.bytes().await?;
        if PAGE_BYTES_MAX <= bytes {
            faults.push(format!("{bytes} bytes with all that it loads"));
        }
        self.note_visits().await?;
        self.keep_html(&name).await?;
        let who = self.who.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.notes.visits.looked(&name, &who, self.view.width(), &form, &self.path().await?);
        self.blame(&name, &faults).await
    }

    /// The page in the narrowest window: everything is there, and nothing is to be scrolled sideways.
    pub async fn reflow(&self, shot: &str) -> Seen {
        let (width, height) = NARROW;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics).await?;
        let faults = self.found_by(include_str!("reflow.js"), vec![width.into()]).await?;
        if !faults.is_empty() {
            self.photograph(&shots().join(format!("narrow-{}-{shot}.png", self.name))).await?;
        }
        self.devtools("Emulation.clearDeviceMetricsOverride", &json!({})).await?;
        self.blame(&format!("{}-{shot}", self.name), &faults).await
    }

    /// Photographs the page as it comes from a printer, or in the colours that a reader forces upon it.
    pub async fn look_as(&self, media: Media, shot: &str) -> Seen {
        let how = match media {
            Media::Print => json!({ "media": "print" }),
            Media::ForcedColours => json!({ "features": [{ "name": "forced-colors", "value": "active" }] }),
        };
        self.devtools("Emulation.setEmulatedMedia", &how).await?;
        let name = format!("{}-{shot}", self.name);
        self.photograph(&shots().join(format!("{name}.png"))).await?;
        let faults = self.found_by(include_str!("media.js"), vec![media.name().into()]).await?;
        self.devtools("Emulation.setEmulatedMedia", &json!({ "media": "", "features": [] })).await?;
        let who = self.who.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.notes.visits.looked(&name, &who, self.view.width(), media.name(), &self.path().await?);
        self.blame(&name, &faults).await
    }

    /// What a script finds wrong with the page.
    async fn found_by(&self, script: &str, arguments: Vec<Value>) -> Seen<Vec<String>> {
        let faults = self.run(script, arguments).await?;
        serde_json::from_value(faults).map_err(|error| error.to_string())
    }

    /// What axe-core finds; where the page runs no script, the judge still does.
    async fn axe(&self) -> Seen<Vec<String>> {
        if !self.view.has_script() {
            self.run_scripts(Scripts::Yes).await?;
        }
        self.run(axe()?, Vec::new()).await?;
        let found = self.found_by(include_str!("axe.js"), Vec::new()).await?;
        if !self.view.has_script() {
            self.run_scripts(Scripts::No).await?;
        }
        Ok(found)
    }

    /// Keeps faults for the end of the test.
    async fn blame(&self, name: &str, faults: &[String]) -> Seen {
        if !faults.is_empty() {
            let told = format!("{name}, {}:\n  {}", self.path().await?, faults.join("\n  "));
            self.notes.faults.lock().unwrap_or_else(PoisonError::into_inner).push(told);
        }
        Ok(())
    }

    /// In which of its forms the page is shown.
    async fn form(&self) -> Seen<String> {
        if !self.view.has_script() {
            return Ok("plain".to_owned());
        }
        let script = "const it = document.documentElement; \
                      return it.dataset.view === 'elder' ? 'elder' : it.lang.startsWith('en') ? 'english' : 'usual'";
        Ok(self.run(script, Vec::new()).await?.as_str().unwrap_or_default().to_owned())
    }

    /// What the browser asked the sites since it was last asked.
    async fn note_visits(&self) -> Seen {
        let log = self.driver("se/log", &json!({ "type": "performance" })).await?;
        self.network.lock().unwrap_or_else(PoisonError::into_inner).read(&log, &self.notes.visits);
        Ok(())
    }

    /// Leaves the page as the site sent it, for the judges of HTML.
    async fn keep_html(&self, name: &str) -> Seen {
        let page = self.network.lock().unwrap_or_else(PoisonError::into_inner).page();
        let Some(page) = page else { return Ok(()) };
        let answer = self.devtools("Network.getResponseBody", &json!({ "requestId": page })).await?;
        let html = answer["body"].as_str().unwrap_or_default();
        write(&root().join("target/pages").join(format!("{name}.html")), html.as_bytes())
    }

    async fn run_scripts(&self, scripts: Scripts) -> Seen {
        let how = json!({ "value": scripts == Scripts::No });
        self.devtools("Emulation.setScriptExecutionDisabled", &how).await.map(drop)
    }

    /// A command of the browser's own protocol.
    async fn devtools(&self, command: &str, how: &Value) -> Seen<Value> {
        self.driver("goog/cdp/execute", &json!({ "cmd": command, "params": how })).await
    }

    /// What the page and all that it loaded weigh.
    async fn bytes(&self) -> Seen<u64> {
        let script = "return performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))\
                      .reduce((sum, it) => sum + it.encodedBodySize, 0)";
        Ok(self.run(script, Vec::new()).await?.as_u64().unwrap_or(0))
    }

    /// What the browser complained of since it was last asked; an answer with an error status is no complaint.
    async fn complaints(&self) -> Seen<Vec<String>> {
        let log = self.driver("se/log", &json!({ "type": "browser" })).await?;
        let lines = log.as_array().cloned().unwrap_or_default();
        let text = |line: &Value| line["message"].as_str().unwrap_or_default().to_owned();
        Ok(lines
            .iter()
            .map(text)
            .filter(|line| !line.contains("the server responded with a status of 4"))
            .collect())
    }

    /// Makes a picture of the README, where pictures are asked for: a screen that begins a little above an element.
    pub async fn picture(&self, name: &str, first: &str) -> Seen {
        if std::env::var_os("TONGBAN_PICTURES").is_none() {
            return Ok(());
        }
        let top = "return Math.max(0, Math.round(document.querySelector(arguments[0]).getBoundingClientRect().top + scrollY) - 16)";
        let top = self.run(top, vec![json!(first)]).await?;
        let (width, height) = self.view.size();
        let clip = json!({ "x": 0, "y": top, "width": width, "height": height, "scale": self.view.scale() });
        let picture = self.capture(&clip).await?;
        if PICTURE_BYTES_MAX < picture.len() {
            return Err(format!("the picture {name} has {} bytes", picture.len()));
        }
        write(&root().join("docs/pictures").join(format!("{name}.png")), &picture)
    }

    /// The whole page, as far as it goes.
    async fn photograph(&self, to: &Path) -> Seen {
        let size = "return [document.documentElement.clientWidth, document.documentElement.scrollHeight]";
        let size = self.run(size, Vec::new()).await?;
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
        write(to, &self.capture(&clip).await?)
    }

    /// A part of the page as PNG, seen on the screen or not.
    async fn capture(&self, clip: &Value) -> Seen<Vec<u8>> {
        use base64::Engine as _;
        let how = json!({ "format": "png", "clip": clip, "captureBeyondViewport": true });
        let taken = self.devtools("Page.captureScreenshot", &how).await?;
        let data = taken["data"].as_str().unwrap_or_default();
        let read = base64::engine::general_purpose::STANDARD.decode(data);
        read.map_err(|error| format!("reading a picture: {error}"))
    }

    /// Runs a script in the page.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Seen<Value> {
        let ran = self.client.execute(script, arguments).await;
        ran.map_err(|error: CmdError| format!("running a script: {error}"))
    }

    /// A command of this driver that the standard does not have.
    async fn driver(&self, command: &str, body: &Value) -> Seen<Value> {
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
        let request = hyper::Request::post(format!("{}/session/{}/{command}", self.driver, self.session))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| error.to_string())?;
        let response = http.request(request).await.map_err(|error| format!("{command}: {error}"))?;
        let body =
            response.into_body().collect().await.map_err(|error| format!("{command}: {error}"))?.to_bytes();
        let answer: Value = serde_json::from_slice(&body).map_err(|error| format!("{command}: {error}"))?;
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{command}: {error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].clone()),
        }
    }

    /// What is shown instead of what was awaited, with a photograph of it.
    async fn instead(&self, what: &str) -> String {
        let (path, title) = (self.path().await.unwrap_or_default(), self.title().await.unwrap_or_default());
        let words = self
            .run("return document.querySelector('main')?.innerText ?? document.body.innerText", Vec::new());
        let words = words.await.ok().and_then(|words| words.as_str().map(str::to_owned)).unwrap_or_default();
        let shot = shots().join(format!("fault-{}.png", self.name));
        let photograph =
            self.photograph(&shot).await.map_or_else(|error| error, |()| shot.display().to_string());
        let words: String = words.chars().take(1_200).collect();
        format!("{}: {what}; at {path} “{title}” there is instead (see {photograph}):\n{words}", self.name)
    }
}

fn shots() -> PathBuf {
    root().join("target/screenshots")
}

/// Whether pages may run scripts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scripts {
    Yes,
    No,
}

/// What a page comes to beside a screen.
#[derive(Clone, Copy)]
pub enum Media {
    /// A sheet of paper.
    Print,
    /// A screen whose colours the reader has set.
    ForcedColours,
}

impl Media {
    fn name(self) -> &'static str {
        match self {
            Media::Print => "print",
            Media::ForcedColours => "forced-colours",
        }
    }
}

/// The text of axe-core; a machine without it is a failure that says what to do.
fn axe() -> Seen<&'static str> {
    static TEXT: OnceLock<Result<String, String>> = OnceLock::new();
    let read = || {
        fs::read_to_string(root().join(AXE))
            .map_err(|error| format!("{AXE}: {error}; `cargo xtask setup` installs it"))
    };
    TEXT.get_or_init(read).as_deref().map_err(Clone::clone)
}

/// Leaves a file.
pub fn write(to: &Path, bytes: &[u8]) -> Seen {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("making {}: {error}", folder.display()))?;
    }
    fs::write(to, bytes).map_err(|error| format!("writing {}: {error}", to.display()))
}
