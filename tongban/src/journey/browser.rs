//! A person's browser in the headless journey: cookies, forms with their token, pages as JSON.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A call that takes longer has failed.
const CALL_SECONDS_MAX: u64 = 20;

/// So much of a page is quoted in an error.
const SHORT_LETTERS: usize = 600;

/// One person at one city's site.
pub struct Browser {
    http: Client<HttpConnector, Full<Bytes>>,
    site: String,
    cookies: BTreeMap<String, String>,
    csrf: String,
}

/// What a page said.
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// The view model, or null.
    pub json: Value,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Page {
    /// The errors of its form, or how it begins.
    pub fn short(&self) -> String {
        match self.json.pointer("/form/errors").or_else(|| self.json.pointer("/errors")) {
            Some(errors) => errors.to_string(),
            None => String::from_utf8_lossy(&self.body).chars().take(SHORT_LETTERS).collect(),
        }
    }
}

impl Browser {
    /// A fresh browser at a site such as `http://127.0.0.1:8401`.
    pub fn at(site: &str) -> Browser {
        Browser::asking_from(Ipv4Addr::LOCALHOST, site)
    }

    /// A fresh browser that asks from one of the many addresses that this machine is for itself.
    pub fn asking_from(from: Ipv4Addr, site: &str) -> Browser {
        let mut connector = HttpConnector::new();
        connector.set_local_address(Some(IpAddr::V4(from)));
        let http = Client::builder(TokioExecutor::new()).build(connector);
        Browser { http, site: site.to_owned(), cookies: BTreeMap::new(), csrf: String::new() }
    }

    /// Reads a page as JSON; anything but success is an error that quotes the page.
    pub async fn get(&mut self, path: &str) -> Result<Value, String> {
        let page = self.call(Method::GET, path, None).await?;
        if page.status == 200 {
            return Ok(page.json);
        }
        Err(format!("GET {path}: status {}: {}", page.status, page.short()))
    }

    /// Sends a form and follows nothing: gives back where the redirect leads.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<String, String> {
        let page = self.submit(path, fields).await?;
        let short = page.short();
        match (page.status, page.location) {
            (303, Some(location)) => Ok(location),
            (status, _) => Err(format!("POST {path}: status {status}: {short}")),
        }
    }

    /// Sends a form, whatever comes of it.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Page, String> {
        let csrf = self.csrf.clone();
        let mut pairs: Vec<(&str, &str)> = vec![("csrf", &csrf)];
        pairs.extend(fields);
        let body = serde_urlencoded::to_string(pairs).map_err(|error| error.to_string())?;
        self.call(Method::POST, path, Some(body)).await
    }

    /// One request; keeps cookies and the page's token.
    pub async fn call(&mut self, method: Method, path: &str, body: Option<String>) -> Result<Page, String> {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.site))
            .header("accept", "application/json")
            .header("origin", &self.site)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", cookies.join("; "))
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|error| error.to_string())?;
        let call = async {
            let response =
                self.http.request(request).await.map_err(|error| format!("{method} {path}: {error}"))?;
            let (head, body) = response.into_parts();
            let body = body
                .collect()
                .await
                .map_err(|error| format!("{method} {path}: {error}"))?
                .to_bytes()
                .to_vec();
            Ok::<_, String>((head, body))
        };
        let timed = tokio::time::timeout(Duration::from_secs(CALL_SECONDS_MAX), call).await;
        let (head, body) =
            timed.map_err(|_| format!("{method} {path}: no answer in {CALL_SECONDS_MAX} s"))??;
        for cookie in head.headers.get_all("set-cookie") {
            self.keep(cookie.to_str().unwrap_or(""));
        }
        let json: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        if let Some(csrf) = json.pointer("/frame/csrf").and_then(Value::as_str) {
            self.csrf = csrf.to_owned();
        }
        let location = head.headers.get("location").and_then(|it| it.to_str().ok()).map(str::to_owned);
        Ok(Page { status: head.status.as_u16(), location, json, body })
    }

    fn keep(&mut self, cookie: &str) {
        let pair = cookie.split(';').next().unwrap_or("");
        if let Some((name, value)) = pair.split_once('=') {
            self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }
}
