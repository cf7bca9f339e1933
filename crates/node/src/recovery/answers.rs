//! What a city tells another that was restored: over its pinned connection, and only about that city itself.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Query, State as Here};
use axum::response::Response;
use tb_base::{Actor, Ctx, Error, NodeId, Result, Timestamp, Violation};
use tb_crypto::text::base64;
use tb_exchange::http_message::RequestEvidence;
use tb_exchange::service;
use tb_exchange::witness::witness_name;
use tb_store::inbox::{self, Kept};
use tb_store::{Tx, audit, log, mirror, outbox};

use super::{Held, Page, Resent, Since, State, read, write};
use crate::Node;
use crate::listener::PeerCity;
use crate::server::{answer, failed, plain};

/// Bytes of bodies after which a page ends.
const PAGE_BYTES: usize = 1024 * 1024;
/// The act in audit lines, and how one is told that comes too late.
const AGAIN: &str = "recovery.again";
const TOO_LATE: &str = "too-late";

/// `GET /recovery/v1/state`.
pub async fn state(Here(node): Here<Arc<Node>>, ConnectInfo(peer): ConnectInfo<PeerCity>) -> Response {
    let Ok(_place) = node.requests.enter(peer.0).await else { return shed() };
    let asked = node.clone();
    let look = move |tx: &mut Tx<'_>| state_of(tx, &asked, peer.0);
    said(node.store.read_snapshot("recovery.state", look).await)
}

fn state_of(tx: &mut Tx<'_>, node: &Node, peer: NodeId) -> Result<State> {
    let trust = node.desk.trust();
    let city = trust.list.city(peer);
    let city = city.ok_or_else(|| Violation::new("key-unknown", "trust-list", "it is no member"))?;
    Ok(State {
        cosigned: log::witness_state(tx, &city.log_origin)?.map(|known| known.note),
        mirrored: mirror::size(tx, peer)?,
        witnessed: log::cosigned_by(tx, &witness_name(peer))?.map(|kept| kept.cosigned_note()),
    })
}

/// `GET /recovery/v1/messages?since=…&after=…`: the messages of the asking city, with its own signatures.
pub async fn messages(
    Here(node): Here<Arc<Node>>,
    ConnectInfo(peer): ConnectInfo<PeerCity>,
    Query(asked): Query<Since>,
) -> Response {
    let Ok(_place) = node.requests.enter(peer.0).await else { return shed() };
    let holder = node.clone();
    let look = move |tx: &mut Tx<'_>| page(tx, &holder, peer.0, &asked);
    said(node.store.read("recovery.messages", look).await)
}

/// One message after the other is read and opened, so that never more than a page and one message are in memory.
fn page(tx: &mut Tx<'_>, node: &Node, peer: NodeId, asked: &Since) -> Result<Page> {
    let (mut messages, mut bytes, mut last) = (Vec::new(), 0, asked.after);
    for _ in 0..inbox::MESSAGES_MAX {
        let Some(kept) = inbox::from_sender(tx, peer, asked.since, last, 1)?.into_iter().next() else {
            return Ok(Page { messages, next: None });
        };
        last = Some(kept.incoming.envelope.id);
        bytes += kept.incoming.body.len();
        messages.extend(held(node, &kept)?);
        if PAGE_BYTES <= bytes {
            break;
        }
    }
    Ok(Page { messages, next: last })
}

/// A message that its sender had in its outbox; a question it asked is not one, and is not answered twice.
fn held(node: &Node, kept: &Kept) -> Result<Option<Held>> {
    let name = kept.incoming.envelope.service.as_str();
    let is_message =
        name == service::RECEIPT || node.handlers.get(name).is_some_and(|handler| !handler.query);
    if !is_message {
        return Ok(None);
    }
    let evidence: RequestEvidence = serde_json::from_value(kept.incoming.evidence.clone())
        .map_err(|error| Violation::new("inconsistent", "store_inbox", error.to_string()))?;
    Ok(Some(Held { body: base64(&kept.incoming.body), evidence, received: kept.incoming.at }))
}

/// `POST /recovery/v1/again`: what the asking city took since then waits for it once more.
pub async fn again(
    Here(node): Here<Arc<Node>>,
    ConnectInfo(peer): ConnectInfo<PeerCity>,
    body: String,
) -> Response {
    let Ok(asked) = read::<Since>(body.as_bytes()) else {
        return plain(http::StatusCode::BAD_REQUEST, "a moment is expected");
    };
    let Ok(_place) = node.requests.enter(peer.0).await else { return shed() };
    let ctx = node.ctx(Actor::Peer(peer.0));
    if !node.passes.may_send(ctx.now, peer.0, asked.after) {
        tracing::warn!(peer = %peer.0, "a city has everything sent once more too often");
        return plain(http::StatusCode::TOO_MANY_REQUESTS, "everything was sent once more not long ago");
    }
    let resend = move |tx: &mut Tx<'_>| resend(tx, &ctx, peer.0, &asked);
    let resent = node.store.write("recovery.again", resend).await;
    if let Ok(resent) = &resent {
        node.passes.sent(peer.0, resent.next);
    }
    node.enqueued.notify_one();
    said(resent)
}

fn resend(tx: &mut Tx<'_>, ctx: &Ctx, peer: NodeId, asked: &Since) -> Result<Resent> {
    let again = outbox::send_again(tx, ctx.now, peer, asked.since, asked.after)?;
    // One line for a page, and one for ever for a message that is too late, however often it is asked for.
    if !again.waiting.is_empty() {
        audit::line(tx, ctx, AGAIN, peer.as_str(), "waiting")?;
    }
    for id in &again.too_late {
        if audit::count_about(tx, id.as_str(), Timestamp(0), AGAIN, TOO_LATE, 1)? == 0 {
            audit::line(tx, ctx, AGAIN, id.as_str(), TOO_LATE)?;
        }
    }
    let waiting = u32::try_from(again.waiting.len()).unwrap_or(u32::MAX);
    Ok(Resent { waiting, too_late: again.too_late, next: again.next })
}

/// Too much is asked for at once; it may be asked for again.
fn shed() -> Response {
    plain(http::StatusCode::SERVICE_UNAVAILABLE, "too many requests at once")
}

fn said(outcome: Result<impl serde::Serialize>) -> Response {
    let body: Result<Vec<u8>> = outcome.and_then(|value| write(&value));
    match body {
        Ok(body) => answer(200, vec![("content-type".into(), "application/json".into())], body),
        Err(Error::Violation(violation)) => {
            tracing::warn!(%violation, "a restored city was not answered");
            plain(http::StatusCode::BAD_REQUEST, "not answered")
        }
        Err(error) => failed(&error),
    }
}
