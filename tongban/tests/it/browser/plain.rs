//! A browser without script (无脚本): opens pages as HTML, fills in their forms, follows redirects.

use std::collections::BTreeMap;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::Seen;
use super::visits::Visits;

/// How a form without files is sent.
const URLENCODED: &str = "application/x-www-form-urlencoded";
/// Redirects of one press.
const REDIRECTS_MAX: usize = 5;

/// One person with a browser that knows HTML only.
pub struct Plain {
    http: Client<HttpConnector, Full<Bytes>>,
    site: String,
    cookies: BTreeMap<String, String>,
    path: String,
    page: String,
    visits: Visits,
}

impl Plain {
    /// Nobody is signed in.
    pub fn at(site: &str, visits: &Visits) -> Plain {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Plain {
            http,
            site: site.to_owned(),
            cookies: BTreeMap::new(),
            path: String::new(),
            page: String::new(),
            visits: visits.clone(),
        }
    }

    /// The address of what is shown, without its query.
    pub fn path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// What is shown, as HTML.
    pub fn page(&self) -> &str {
        &self.page
    }

    /// The words of the main part, for messages.
    fn words(&self) -> String {
        let main = self.page.split_once("<main").map_or(self.page.as_str(), |(_, rest)| rest);
        let main = main.split("</main>").next().unwrap_or_default();
        let pieces = main.split('<').skip(1).filter_map(|piece| piece.split_once('>'));
        let words = pieces.map(|(_, text)| text.trim()).filter(|text| !text.is_empty());
        words.collect::<Vec<_>>().join(" ").chars().take(1_200).collect()
    }

    /// Signs in by the real form.
    pub async fn sign_in(&mut self, login: &str) -> Seen {
        self.open("/sign-in").await?;
        self.send("/sign-in", &[("login", login), ("password", super::tab::PASSWORD)]).await
    }

    /// Opens a page.
    pub async fn open(&mut self, path: &str) -> Seen {
        self.call(Method::GET, path, URLENCODED, Vec::new()).await
    }

    /// Follows the first link of this page whose address begins so.
    pub async fn follow(&mut self, begin: &str) -> Seen {
        let address = self.link(begin)?;
        let address = address.split('#').next().unwrap_or_default();
        let whole =
            if address.starts_with('?') { format!("{}{address}", self.path()) } else { address.to_owned() };
        self.open(&whole).await
    }

    /// The address of the first link of this page that begins so.
    pub fn link(&self, begin: &str) -> Seen<String> {
        let found =
            tags(&self.page, "<a ").map(|tag| attribute(tag, "href")).find(|it| it.starts_with(begin));
        found.ok_or_else(|| format!("{} has no link to {begin}: {}", self.path, self.words()))
    }

    /// Presses the link of the demo that signs somebody in.
    pub async fn enter(&mut self, login: &str) -> Seen {
        let addresses = tags(&self.page, "<a ").map(|tag| attribute(tag, "href"));
        let login = format!("login={login}");
        let path = addresses
            .filter_map(|it| it.strip_prefix(&self.site).map(str::to_owned))
            .find(|it| it.starts_with("/demo/enter") && it.replace("%40", "@").contains(&login));
        let path = path.ok_or_else(|| format!("{} lets nobody in: {}", self.path, self.words()))?;
        self.open(&path).await
    }

    /// Where the first form of this page goes whose address begins and ends so.
    pub fn action(&self, begin: &str, end: &str) -> Seen<String> {
        let mut actions = tags(&self.page, "<form ").map(|tag| attribute(tag, "action"));
        let found = actions.find(|it| it.starts_with(begin) && it.ends_with(end));
        found.ok_or_else(|| format!("{} has no form to {begin}…{end}: {}", self.path, self.words()))
    }

    /// Fails unless this page says something.
    pub fn says(&self, words: &str) -> Seen {
        if self.page.contains(words) {
            return Ok(());
        }
        Err(format!("{} does not say “{words}”: {}", self.path, self.words()))
    }

    /// Sends the form of this page that goes to `action`: what stands in its fields, and what is typed and pressed.
    /// Every name that is sent must be a field or a button of that form.
    pub async fn send(&mut self, action: &str, typed: &[(&str, &str)]) -> Seen {
        let fields = self.fields(action, typed)?;
        let body = serde_urlencoded::to_string(fields).map_err(|error| error.to_string())?;
        self.call(Method::POST, action, URLENCODED, body.into_bytes()).await
    }

    /// The same with a file.
    pub async fn upload(&mut self, action: &str, typed: &[(&str, &str)], file: &str, png: &[u8]) -> Seen {
        const EDGE: &str = "--------------------------edge-of-a-part";
        let mut body = Vec::new();
        for (name, value) in self.fields(action, &[typed, &[(file, "")]].concat())? {
            if name != file {
                let part =
                    format!("--{EDGE}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
                body.extend(part.into_bytes());
            }
        }
        let head = format!(
            "--{EDGE}\r\ncontent-disposition: form-data; name=\"{file}\"; filename=\"scan.png\"\r\n\
             content-type: image/png\r\n\r\n"
        );
        body.extend(head.into_bytes());
        body.extend(png);
        body.extend(format!("\r\n--{EDGE}--\r\n").into_bytes());
        let kind = format!("multipart/form-data; boundary={EDGE}");
        self.call(Method::POST, action, &kind, body).await
    }

    /// Presses a button of a form after the first answer of each question was chosen.
    pub async fn choose_first(&mut self, action: &str, button: &str, value: &str) -> Seen {
        let form = forms(&self.page, action).find(|form| form.contains(&format!("value=\"{value}\"")));
        let form = form.ok_or_else(|| format!("{} has no form to {action}: {}", self.path, self.words()))?;
        let mut answers: BTreeMap<String, String> = BTreeMap::new();
        for tag in tags(form, "<input ").filter(|tag| attribute(tag, "type") == "radio") {
            answers.entry(attribute(tag, "name")).or_insert_with(|| attribute(tag, "value"));
        }
        let mut typed: Vec<(&str, &str)> =
            answers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        typed.push((button, value));
        self.send(action, &typed).await
    }

    /// What the form to `action` sends.
    fn fields(&self, action: &str, typed: &[(&str, &str)]) -> Seen<Vec<(String, String)>> {
        let form = forms(&self.page, action)
            .find(|form| typed.iter().all(|(name, _)| form.contains(&format!("name=\"{name}\""))));
        let names: Vec<&str> = typed.iter().map(|(name, _)| *name).collect();
        let form = form.ok_or_else(|| {
            format!("{} has no form to {action} with {names:?}: {}", self.path, self.words())
        })?;
        let mut fields = filled(form);
        fields.retain(|(name, _)| !names.contains(&name.as_str()));
        fields.extend(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Ok(fields)
    }

    /// Sends a form that is to be refused: the page comes back with its errors.
    pub async fn send_wrongly(&mut self, action: &str, typed: &[(&str, &str)]) -> Seen {
        match self.send(action, typed).await {
            Err(problem) if problem.contains("status 422") => Ok(()),
            Err(problem) => Err(problem),
            Ok(()) => Err(format!("{action} took {typed:?}")),
        }
    }

    /// One request and the redirects that it leads to; anything but a page is an error.
    async fn call(&mut self, method: Method, path: &str, kind: &str, body: Vec<u8>) -> Seen {
        let (mut method, mut path, mut body) = (method, path.to_owned(), body);
        for _ in 0..REDIRECTS_MAX {
            let (status, location, page) = self.once(&method, &path, kind, body).await?;
            match (status, location) {
                (303, Some(location)) => (method, path, body) = (Method::GET, location, Vec::new()),
                (200, _) => {
                    (self.path, self.page) = (path, page);
                    return Ok(());
                }
                (status, _) => {
                    self.page = page;
                    return Err(format!("{method} {path}: status {status}: {}", self.words()));
                }
            }
        }
        Err(format!("{path}: too many redirects"))
    }

    async fn once(
        &mut self,
        method: &Method,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Seen<(u16, Option<String>, String)> {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.site))
            .header("accept", "text/html")
            .header("origin", &self.site)
            .header("content-type", kind)
            .header("cookie", cookies.join("; "))
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        let response =
            self.http.request(request).await.map_err(|error| format!("{method} {path}: {error}"))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| format!("{method} {path}: {error}"))?.to_bytes();
        for cookie in head.headers.get_all("set-cookie") {
            let pair = cookie.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
        self.visits.answered(
            method.as_str(),
            &format!("{}{path}", self.site),
            u64::from(head.status.as_u16()),
        );
        let location = head.headers.get("location").and_then(|it| it.to_str().ok()).map(str::to_owned);
        Ok((head.status.as_u16(), location, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// The forms of a page that go to an address.
fn forms<'a>(page: &'a str, action: &str) -> impl Iterator<Item = &'a str> {
    let action = format!("action=\"{action}\"");
    let forms = page.split("<form").skip(1).map(|form| form.split("</form>").next().unwrap_or_default());
    forms.filter(move |form| form.split('>').next().unwrap_or_default().contains(&action))
}

/// What stands in the fields of a form, as a browser would send it without anything typed or pressed.
fn filled(form: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for tag in tags(form, "<input ") {
        let is_chosen = format!("{tag} ").contains(" checked ");
        let is_sent = match attribute(tag, "type").as_str() {
            "radio" | "checkbox" => is_chosen,
            "submit" | "button" | "file" => false,
            _ => true,
        };
        if is_sent {
            fields.push((attribute(tag, "name"), attribute(tag, "value")));
        }
    }
    for select in form.split("<select ").skip(1) {
        let list = select.split("</select>").next().unwrap_or_default();
        let options: Vec<&str> = tags(list, "<option").collect();
        let chosen = options.iter().find(|option| option.contains(" selected")).or(options.first());
        if let Some(option) = chosen {
            fields.push((attribute(list, "name"), attribute(option, "value")));
        }
    }
    for area in form.split("<textarea ").skip(1) {
        let text =
            area.split_once('>').map_or("", |(_, rest)| rest.split("</textarea>").next().unwrap_or(""));
        fields.push((attribute(area, "name"), plain_text(text)));
    }
    fields.retain(|(name, _)| !name.is_empty());
    fields
}

/// Every tag that begins so.
fn tags<'a>(html: &'a str, begin: &'a str) -> impl Iterator<Item = &'a str> {
    html.split(begin).skip(1).map(|tag| tag.split('>').next().unwrap_or_default())
}

fn attribute(tag: &str, name: &str) -> String {
    let value =
        tag.split_once(&format!("{name}=\"")).map(|(_, rest)| rest.split('"').next().unwrap_or_default());
    plain_text(value.unwrap_or_default())
}

/// Text without the marks that stand for letters which HTML needs itself.
fn plain_text(html: &str) -> String {
    const MARKS: [(&str, &str); 8] = [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&lt;", "<"),
        ("&quot;", "\""),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ];
    MARKS.iter().fold(html.to_owned(), |text, (mark, letter)| text.replace(mark, letter))
}
