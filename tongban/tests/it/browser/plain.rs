//! A browser without script (无脚本): opens pages as HTML, fills in their forms, follows redirects.

use std::collections::BTreeMap;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::Seen;

/// Redirects of one press.
const REDIRECTS_MAX: usize = 5;

/// One person with a browser that knows HTML only.
pub struct Plain {
    http: Client<HttpConnector, Full<Bytes>>,
    site: String,
    cookies: BTreeMap<String, String>,
    path: String,
    page: String,
}

impl Plain {
    /// Nobody is signed in.
    pub fn at(site: &str) -> Plain {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Plain {
            http,
            site: site.to_owned(),
            cookies: BTreeMap::new(),
            path: String::new(),
            page: String::new(),
        }
    }

    /// The address of what is shown, without its query.
    pub fn path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// Opens a page.
    pub async fn open(&mut self, path: &str) -> Seen {
        self.call(Method::GET, path, String::new()).await
    }

    /// Sends the form of this page that goes to `action`: its hidden fields, and what is typed and pressed.
    /// Every name that is sent must be a field or a button of that form.
    pub async fn send(&mut self, action: &str, typed: &[(&str, &str)]) -> Seen {
        let form =
            form(&self.page, action).ok_or_else(|| format!("{} has no form to {action}", self.path))?;
        for (name, _) in typed {
            if !form.contains(&format!("name=\"{name}\"")) {
                return Err(format!("the form to {action} at {} has no {name}", self.path));
            }
        }
        let hidden = tags(form, "<input type=\"hidden\"");
        let mut fields: Vec<(String, String)> =
            hidden.map(|tag| (attribute(tag, "name"), attribute(tag, "value"))).collect();
        fields.extend(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let body = serde_urlencoded::to_string(fields).map_err(|error| error.to_string())?;
        self.call(Method::POST, action, body).await
    }

    /// One request and the redirects that it leads to; anything but a page is an error.
    async fn call(&mut self, method: Method, path: &str, body: String) -> Seen {
        let (mut method, mut path, mut body) = (method, path.to_owned(), body);
        for _ in 0..REDIRECTS_MAX {
            let (status, location, page) = self.once(&method, &path, body).await?;
            match (status, location) {
                (303, Some(location)) => (method, path, body) = (Method::GET, location, String::new()),
                (200, _) => {
                    (self.path, self.page) = (path, page);
                    return Ok(());
                }
                (status, _) => return Err(format!("{method} {path}: status {status}: {page}")),
            }
        }
        Err(format!("{path}: too many redirects"))
    }

    async fn once(
        &mut self,
        method: &Method,
        path: &str,
        body: String,
    ) -> Seen<(u16, Option<String>, String)> {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.site))
            .header("accept", "text/html")
            .header("origin", &self.site)
            .header("content-type", "application/x-www-form-urlencoded")
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
        let location = head.headers.get("location").and_then(|it| it.to_str().ok()).map(str::to_owned);
        Ok((head.status.as_u16(), location, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// The form of a page that goes to an address.
fn form<'a>(page: &'a str, action: &str) -> Option<&'a str> {
    let forms = page.split("<form").skip(1).map(|form| form.split("</form>").next().unwrap_or_default());
    forms.into_iter().find(|form| form.contains(&format!("action=\"{action}\"")))
}

/// Every tag that begins so.
fn tags<'a>(html: &'a str, begin: &'a str) -> impl Iterator<Item = &'a str> {
    html.split(begin).skip(1).map(|tag| tag.split('>').next().unwrap_or_default())
}

fn attribute(tag: &str, name: &str) -> String {
    let value =
        tag.split_once(&format!("{name}=\"")).map(|(_, rest)| rest.split('"').next().unwrap_or_default());
    value.unwrap_or_default().replace("&amp;", "&")
}
