//! Requests by hand, so that they can be wrong.

use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tb_base::Clock;
use tb_exchange::http_message::{self, Facts, SignedRequest};
use tb_exchange::problem::Problem;
use tb_exchange::{Outgoing, Receipt};
use tb_node::tls::{self, Identity};

use crate::world::{City, World};

/// What came back.
pub struct Raw {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Raw {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn receipt(&self) -> Receipt {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no receipt: {}", self.text()))
    }
}

/// One request on a connection of its own.
pub async fn call(
    identity: &Identity,
    to: &City,
    method: Method,
    path: &str,
    fields: &[(String, String)],
    body: Vec<u8>,
) -> Result<Raw, String> {
    let config = tls::client_config(identity, tls::Pin::Certificate(to.identity.fingerprint())).unwrap();
    let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http2().build();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let mut request = Request::builder().method(method).uri(format!("https://{}{path}", to.address));
    for (name, value) in fields {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(body))).unwrap();
    let response = client.request(request).await.map_err(|error| format!("{error:?}"))?;
    let status = response.status().as_u16();
    let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
    let fields =
        response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes().to_vec();
    Ok(Raw { status, fields, body })
}

impl World {
    /// A message signed as its sender signs it, now.
    pub fn sign(&self, message: &Outgoing) -> SignedRequest {
        let ctx = self.ctx(message.envelope.from);
        self.sign_with(message, ctx.random())
    }

    pub fn sign_with(&self, message: &Outgoing, nonce: [u8; 16]) -> SignedRequest {
        let from = message.envelope.from;
        http_message::sign_request(
            message,
            &self.city(from).secrets,
            &self.desk(from),
            self.clock.now(),
            nonce,
        )
        .unwrap()
    }

    /// Posts a signed request over the connection of a city; the answer must be signed by the receiver.
    pub async fn post(&self, by: &City, to: &City, signed: &SignedRequest) -> Raw {
        let raw = call(&by.identity, to, Method::POST, &signed.path, &signed.fields, signed.body.clone())
            .await
            .unwrap();
        let facts = Facts::read("POST", &signed.path, &signed.fields);
        // An answer to a path that names another city, or none at all, cannot be tied to the one that gave it.
        if signed.path.starts_with(&format!("/x/v1/{}/", to.node)) && !signed.path.contains('?') {
            let trust = &self.trust.list;
            let answer =
                http_message::check_response(trust, &facts, raw.status, &raw.fields, Some(&raw.body));
            assert_eq!(answer.unwrap().from, to.node);
        }
        raw
    }

    /// Posts a request that must be refused; gives the problem.
    pub async fn refused(&self, by: &City, to: &City, signed: &SignedRequest) -> Problem {
        let raw = self.post(by, to, signed).await;
        assert_eq!(raw.field("content-type"), Some("application/problem+json"), "{}", raw.text());
        let problem = Problem::from_json(&raw.body).unwrap();
        assert_eq!(problem.status, raw.status);
        problem
    }
}
