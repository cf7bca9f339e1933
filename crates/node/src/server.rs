//! What a node answers to other cities: messages, queries, the log and the witness.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::Listener;
use http::{HeaderMap, StatusCode};
use tb_base::{Actor, Error, Fault, MessageId, NodeId, Result, Violation};
use tb_exchange::http_message::{self, Facts, Reply, SignedResponse};
use tb_exchange::problem::Problem;
use tb_exchange::witness::ADD_CHECKPOINT_PATH;
use tb_exchange::{BODY_BYTES_MAX, Incoming};
use tb_store::{audit, inbox, log};
use tb_tlog::tile::{self, Content, Tile};
use tb_tlog::witness as witness_request;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::connection::{self, Crowd, Speaks};
use crate::listener::{PeerCity, TlsListener};
use crate::{Node, contact, membership, mirror, receive, recovery, seen, witness};

/// Room for the fields of a request beside its body.
const REQUEST_BYTES_MAX: usize = BODY_BYTES_MAX + 64 * 1024;
/// A body that comes slower than this is given up.
const BODY_SECONDS_MAX: u64 = 30;
/// Connections of one city; its workers and its witness keep a handful.
const CONNECTIONS_EACH_MAX: usize = 64;
/// The part of a path that an audit line holds.
const AUDIT_PATH_LETTERS_MAX: usize = 100;

/// Serves until the node stops; requests in work are finished.
pub async fn run(node: Arc<Node>, mut listener: TlsListener) {
    let (site, crowd) = (router(node.clone()), Crowd::new(CONNECTIONS_EACH_MAX));
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = tokio::select! {
            biased;
            () = node.stopped() => break,
            accepted = listener.accept() => accepted,
        };
        while connections.try_join_next().is_some() {}
        let Some(place) = crowd.enter(&peer.0) else {
            tracing::warn!(peer = %peer.0, "a connection was turned away: the city has as many as it may");
            continue;
        };
        let (site, stopping) = (site.clone(), node.clone());
        connections.spawn(async move {
            let speaks = match stream.speaks() {
                Some(b"h2") => Speaks::Http2,
                Some(_) | None => Speaks::Http1,
            };
            let service =
                hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
                    request.extensions_mut().insert(ConnectInfo(peer));
                    site.clone().oneshot(request)
                });
            if let Err(error) = connection::serve(stream, speaks, service, stopping.stopped()).await {
                tracing::debug!(peer = %peer.0, %error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Answers one request that came from a city by another way than the socket.
pub async fn answer_one(node: Arc<Node>, peer: NodeId, mut request: Request) -> Response {
    request.extensions_mut().insert(ConnectInfo(PeerCity(peer)));
    match router(node).oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn router(node: Arc<Node>) -> Router {
    Router::new()
        .route("/x/v1/{*rest}", post(exchange))
        .route("/log/checkpoint", get(checkpoint))
        .route("/log/tile/{*rest}", get(tile))
        .route(ADD_CHECKPOINT_PATH, post(witness::add_checkpoint))
        .route(&format!("{}/checkpoint", mirror::PATH), get(mirror::checkpoint))
        .route(&format!("{}/tile/{{*rest}}", mirror::PATH), get(mirror::tile))
        .route(recovery::STATE_PATH, get(recovery::state))
        .route(recovery::MESSAGES_PATH, get(recovery::messages))
        .route(recovery::AGAIN_PATH, post(recovery::again))
        .route("/trust/{number}", get(membership::list))
        .layer(DefaultBodyLimit::max(witness_request::REQUEST_BYTES_MAX))
        .layer(middleware::from_fn_with_state(node.clone(), membership::only_members))
        .layer(middleware::from_fn_with_state(node.clone(), only_online))
        .layer(middleware::from_fn_with_state(node.clone(), seen::answered))
        .with_state(node)
}

/// Where the line is cut, or the city is being restored, nobody answers in its name: the refusal is not signed.
async fn only_online(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    if node.is_offline() {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "this node is off the network");
    }
    if !recovery::may_sign(&node).await {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "this node is being restored");
    }
    next.run(request).await
}

/// Verb by verb: read, check, record, act, sign.
async fn exchange(
    State(node): State<Arc<Node>>,
    ConnectInfo(peer): ConnectInfo<PeerCity>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let fields = fields(&head.headers);
    let facts = Facts::read("POST", path, &fields);
    let ctx = node.ctx(Actor::Peer(peer.0));
    let id = ctx.id(MessageId::new);
    let taken = take(&node, peer, path, &fields, &facts, body).await;
    let new_query = taken.as_ref().ok().and_then(|taken| taken.new_query);
    let reply = match taken {
        Ok(Taken { status, body, is_again: false, .. }) => Reply::json(id, status, body),
        Ok(Taken { status, body, is_again: true, .. }) => Reply::json(id, status, body).again(),
        Err(error) => Reply::problem(id, &refuse(&node, peer, path, &error).await),
    };
    let signed = http_message::sign_response(&reply, &facts, &node.desk, &node.secrets, node.clock.now());
    match signed {
        Ok(signed) => {
            if let Some(query) = new_query {
                keep(&node, peer, query, &signed).await;
            }
            answer(signed.status, signed.fields, signed.body)
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be signed");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "the answer could not be signed")
        }
    }
}

/// What is answered to a message that was taken.
struct Taken {
    status: u16,
    body: Vec<u8>,
    /// Whether it was answered before.
    is_again: bool,
    /// The query that this answers for the first time.
    new_query: Option<MessageId>,
}

async fn take(
    node: &Arc<Node>,
    peer: PeerCity,
    path: &str,
    fields: &[(String, String)],
    facts: &Facts,
    body: Body,
) -> Result<Taken> {
    let _place = node.requests.enter(peer.0).await?;
    let body = read(body).await?;
    let now = node.clock.now();
    let incoming = http_message::verify_request(&node.desk, "POST", path, fields, &body, now)?;
    same_city(peer, &incoming)?;
    node.lines.open(peer.0);
    contact::called(node, peer.0).await;
    let nonce = facts.nonce.clone();
    // Receipts are settled by the node itself; every other service has a handler.
    let is_query = incoming.envelope.service != tb_exchange::service::RECEIPT
        && receive::handler(node, &incoming)?.query;
    if is_query {
        let id = incoming.envelope.id;
        let (value, is_again) = receive::query(node, incoming, nonce).await?;
        let body = value.to_string().into_bytes();
        return Ok(Taken { status: 200, body, is_again, new_query: (!is_again).then_some(id) });
    }
    let (receipt, is_again) = receive::message(node, incoming, nonce).await?;
    let body = serde_json::to_vec(&receipt).map_err(|error| Fault::of("writing a receipt", error))?;
    Ok(Taken { status: 202, body, is_again, new_query: None })
}

/// Keeps how an answer was signed, for the evidence of the case; the answer itself is durable already.
async fn keep(node: &Arc<Node>, peer: PeerCity, query: MessageId, signed: &SignedResponse) {
    let (from, now) = (peer.0, node.clock.now());
    let kept = match serde_json::to_value(signed.evidence()) {
        Ok(evidence) => {
            let write = move |tx: &mut tb_store::Tx<'_>| inbox::replied(tx, now, from, query, &evidence);
            node.store.write("exchange.replied", write).await
        }
        Err(error) => Err(Fault::of("writing evidence", error).into()),
    };
    if let Err(error) = kept {
        tracing::error!(%error, "how an answer was signed could not be kept");
    }
}

async fn read(body: Body) -> Result<Bytes> {
    let within = Duration::from_secs(BODY_SECONDS_MAX);
    match tokio::time::timeout(within, axum::body::to_bytes(body, REQUEST_BYTES_MAX)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let detail = format!("it ended early, or has more than {BODY_BYTES_MAX} bytes");
            Err(Violation::new("too-large", "body", detail).into())
        }
        Err(_) => Err(Violation::new("grammar", "body", "it did not come in time").into()),
    }
}

/// The city that signed is the city whose certificate opened the connection.
fn same_city(peer: PeerCity, incoming: &Incoming) -> Result<()> {
    if peer.0 == incoming.envelope.from {
        return Ok(());
    }
    let detail = format!("the connection is {}'s", peer.0);
    Err(Violation::new("audience", "tb-from", detail).into())
}

/// Every refused message leaves an audit line that names what was wrong with it.
async fn refuse(node: &Arc<Node>, peer: PeerCity, path: &str, error: &Error) -> Problem {
    tracing::warn!(peer = %peer.0, path, %error, "a message was refused");
    let problem = Problem::of_error(error);
    let ctx = node.ctx(Actor::Peer(peer.0));
    let code = problem.code().to_owned();
    let object: String = path.chars().take(AUDIT_PATH_LETTERS_MAX).collect();
    let line = node
        .store
        .write("exchange.refuse", move |tx| audit::line(tx, &ctx, "exchange.refuse", &object, &code));
    if let Err(error) = line.await {
        tracing::error!(%error, "the audit line of a refused message could not be written");
    }
    problem
}

async fn checkpoint(State(node): State<Arc<Node>>) -> Response {
    match node.store.read("log.checkpoint", log::latest).await {
        Ok(Some(latest)) => answer(200, vec![text_type()], latest.cosigned_note().into_bytes()),
        Ok(None) => plain(StatusCode::NOT_FOUND, "the log has no checkpoint yet"),
        Err(error) => failed(&error),
    }
}

async fn tile(State(node): State<Arc<Node>>, Path(rest): Path<String>) -> Response {
    let Ok(tile) = Tile::parse(&format!("tile/{rest}")) else {
        return plain(StatusCode::NOT_FOUND, "no such tile");
    };
    match node.store.read("log.tile", move |tx| tile_bytes(tx, &tile)).await {
        Ok(bytes) => answer(200, vec![("content-type".into(), "application/octet-stream".into())], bytes),
        Err(Error::Refused(_)) => plain(StatusCode::NOT_FOUND, "the log has not grown so far"),
        Err(error) => failed(&error),
    }
}

fn tile_bytes(tx: &mut tb_store::Tx<'_>, tile: &Tile) -> Result<Vec<u8>> {
    match tile.content {
        Content::Entries => Ok(tile::write_entries(&log::entries(tx, tile.leaves())?)?),
        Content::Hashes { level } => {
            Ok(tile::write_hashes(&log::tile(tx, level.into(), tile.index, tile.width.into())?))
        }
    }
}

fn fields(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// A response from its parts.
pub fn answer(status: u16, fields: Vec<(String, String)>, body: Vec<u8>) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in fields {
        response = response.header(name, value);
    }
    response
        .body(Body::from(body))
        .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, "a field is not text"))
}

/// A short text.
pub fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

/// That the log could not be read.
pub fn failed(error: &Error) -> Response {
    tracing::error!(%error, "the log could not be read");
    plain(StatusCode::SERVICE_UNAVAILABLE, "the log cannot be read")
}

/// The field of a plain text.
pub fn text_type() -> (String, String) {
    ("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())
}
