//! What a node answers to other cities: messages, queries, the log and the witness.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use tb_base::{Actor, Error, MessageId, Result, Violation};
use tb_exchange::http_message::{self, Facts, Reply};
use tb_exchange::problem::Problem;
use tb_exchange::{BODY_BYTES_MAX, Incoming};
use tb_store::{audit, log};
use tb_tlog::tile::{self, Content, Tile};

use crate::listener::{PeerCity, TlsListener};
use crate::{Node, receive, witness};

/// Room for the fields of a request beside its body.
const REQUEST_BYTES_MAX: usize = BODY_BYTES_MAX + 64 * 1024;

/// Serves until the node stops; requests in work are finished.
pub async fn run(node: Arc<Node>, listener: TlsListener) {
    let mut stop = node.stop.subscribe();
    let service = router(node).into_make_service_with_connect_info::<PeerCity>();
    let stopped = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stopped).await {
        tracing::error!(%error, "serving peers ended");
    }
}

fn router(node: Arc<Node>) -> Router {
    Router::new()
        .route("/x/v1/{*rest}", post(exchange))
        .route("/log/checkpoint", get(checkpoint))
        .route("/log/tile/{*rest}", get(tile))
        .route("/log/add-checkpoint", post(witness::add_checkpoint))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(node)
}

/// Verb by verb: read, check, record, act, sign.
async fn exchange(
    State(node): State<Arc<Node>>,
    ConnectInfo(peer): ConnectInfo<PeerCity>,
    uri: axum::http::Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if node.is_offline() {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "this node is off the network");
    }
    let fields = fields(&headers);
    let facts = Facts::read("POST", uri.path(), &fields);
    let ctx = node.ctx(Actor::Peer(peer.0));
    let id = ctx.id(MessageId::new);
    let reply = match take(&node, peer, uri.path(), &fields, &body).await {
        Ok((status, body)) => Reply::json(id, status, body),
        Err(error) => Reply::problem(id, &refuse(&node, peer, uri.path(), &error).await),
    };
    let signed = http_message::sign_response(&reply, &facts, &node.desk, &node.secrets, node.clock.now());
    match signed {
        Ok(signed) => answer(signed.status, signed.fields, signed.body),
        Err(error) => {
            tracing::error!(%error, "an answer could not be signed");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "the answer could not be signed")
        }
    }
}

async fn take(
    node: &Arc<Node>,
    peer: PeerCity,
    path: &str,
    fields: &[(String, String)],
    body: &[u8],
) -> Result<(u16, Vec<u8>)> {
    let incoming = http_message::verify_request(&node.desk, "POST", path, fields, body, node.clock.now())?;
    same_city(peer, &incoming)?;
    // Receipts are settled by the node itself; every other service has a handler.
    let is_query = incoming.envelope.service != tb_exchange::service::RECEIPT
        && receive::handler(node, &incoming.envelope.service)?.query;
    if is_query {
        let value = receive::query(node, incoming).await?;
        return Ok((200, value.to_string().into_bytes()));
    }
    let receipt = receive::message(node, incoming).await?;
    let body =
        serde_json::to_vec(&receipt).map_err(|error| tb_base::Fault::of("writing a receipt", error))?;
    Ok((202, body))
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
    let object: String = path.chars().take(100).collect();
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

fn failed(error: &Error) -> Response {
    tracing::error!(%error, "the log could not be read");
    plain(StatusCode::SERVICE_UNAVAILABLE, "the log cannot be read")
}

fn text_type() -> (String, String) {
    ("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())
}
