//! Calls to other cities (线路): one pooled, pinned client per peer; a simulation brings a wire of its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tb_base::{Fault, NodeId, Refusal, Result};
use tb_exchange::{BoxFuture, City};
use tb_telemetry::trace::{HEADER, Place};

use crate::connection::STREAMS_MAX;
use crate::tls::{self, Door, Identity, Pin};

/// A peer that does not take the connection in this time is down for now.
const CONNECT_SECONDS_MAX: u64 = 3;
/// A call that takes longer is given up; the message stays in the outbox.
const CALL_SECONDS_MAX: u64 = 15;
/// Answers larger than this are refused.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

type Http = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// What a peer answered, before anything of it is believed.
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// HTTP fields in lower case, in order.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What carries a request to another city and its answer back: TLS, or a simulated network.
pub trait Wire: Send + Sync {
    /// Sends one request and reads the whole answer.
    fn call<'a>(
        &'a self,
        to: NodeId,
        method: Method,
        path: &'a str,
        fields: &'a [(String, String)],
        body: Vec<u8>,
    ) -> BoxFuture<'a, Result<Reply>>;
}

/// Clients for the peers of this node, made when they are first needed and anew when the list changes.
pub struct PeerClients {
    door: Door,
    identity: Identity,
    clients: Mutex<BTreeMap<NodeId, (Http, City)>>,
}

impl PeerClients {
    /// One client per other city of the trust list in force, each pinned to that city's certificate.
    pub fn new(door: Door, identity: Identity) -> PeerClients {
        PeerClients { door, identity, clients: Mutex::new(BTreeMap::new()) }
    }

    /// The client of a city as the list says now; what the list said before goes with its connections.
    fn client(&self, to: NodeId) -> Result<(Http, City)> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let trust = self.door.trust();
        clients.retain(|node, (_, known)| trust.list.city(*node) == Some(known));
        if let Some(client) = clients.get(&to) {
            return Ok(client.clone());
        }
        let city = trust.list.city(to).ok_or_else(|| unknown(to))?.clone();
        let config = tls::client_config(&self.identity, Pin::City(self.door.clone(), to))?;
        let client = (http_client(config), city);
        clients.insert(to, client.clone());
        Ok(client)
    }

    async fn send(
        &self,
        to: NodeId,
        method: Method,
        path: &str,
        fields: &[(String, String)],
        body: Vec<u8>,
    ) -> Result<Reply> {
        let (client, city) = self.client(to)?;
        let mut request = Request::builder().method(method).uri(format!("{}{path}", city.exchange_url));
        for (name, value) in fields {
            request = request.header(name, value);
        }
        // Not covered by the signature: what stands between the cities may write its own.
        if let Some(place) = Place::current() {
            request = request.header(HEADER, place.to_string());
        }
        let request = request.body(Full::new(Bytes::from(body)));
        let request = request.map_err(|error| Fault::of("building a request to a peer", error))?;
        let call = async {
            let response = client.request(request).await.map_err(|error| down(&city, &error))?;
            read(response, &city).await
        };
        match tokio::time::timeout(Duration::from_secs(CALL_SECONDS_MAX), call).await {
            Ok(reply) => reply,
            Err(late) => Err(down(&city, &late)),
        }
    }
}

impl Wire for PeerClients {
    fn call<'a>(
        &'a self,
        to: NodeId,
        method: Method,
        path: &'a str,
        fields: &'a [(String, String)],
        body: Vec<u8>,
    ) -> BoxFuture<'a, Result<Reply>> {
        Box::pin(self.send(to, method, path, fields, body))
    }
}

/// HTTP/2 only: all calls to a city share one connection. Where it is not known before the handshake, each of many
/// calls at once opens a connection of its own, and the other side lets in only so many from one address.
/// Until the other side has said how many calls it takes at once, no more than a city of this version takes go out: it
/// would refuse the others, and end the connection over it.
fn http_client(config: rustls::ClientConfig) -> Http {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(Duration::from_secs(CONNECT_SECONDS_MAX)));
    let tls = HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http2();
    Client::builder(TokioExecutor::new())
        .pool_idle_timeout(Duration::from_secs(60))
        .http2_only(true)
        .http2_initial_max_send_streams(STREAMS_MAX as usize)
        .build(tls.wrap_connector(tcp))
}

async fn read(response: http::Response<hyper::body::Incoming>, city: &City) -> Result<Reply> {
    let status = response.status().as_u16();
    let fields = response.headers().iter();
    let fields = fields.map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let fields = fields.collect();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| down(city, &error))?.to_bytes().to_vec();
    Ok(Reply { status, fields, body })
}

fn unknown(to: NodeId) -> Refusal {
    Refusal::gone(
        "EXC-PEER-002",
        format!("信任名单里没有城市 {to}"),
        format!("The trust list has no city {to}"),
    )
}

/// The refusal that a page shows while a city cannot be reached; the cause goes to the log.
pub fn down(city: &City, cause: &dyn std::fmt::Display) -> tb_base::Error {
    tracing::info!(peer = %city.node, %cause, "a peer cannot be reached");
    tb_exchange::unavailable(&city.name, &city.name_en).into()
}
