//! The witness (见证): cosigns other cities' checkpoints, and refuses a log that forked.
//!
//! Invariant: the state is moved in the transaction that reads it, before the cosignature is sent.

use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use http::{Method, StatusCode};
use tb_base::{Actor, Ctx, NodeId, Result, Violation};
use tb_exchange::City;
use tb_exchange::keys::KeyUse;
use tb_store::{Tx, audit, log};
use tb_tlog::note::{Cosigner, Kind, Note, Signature, Verifier};
use tb_tlog::witness::{Accepted, Known, Refused, Request, decide};

use crate::Node;
use crate::listener::PeerCity;
use crate::server::{answer, plain};

/// Answers `add-checkpoint` as C2SP tlog-witness says.
pub async fn add_checkpoint(
    State(node): State<Arc<Node>>,
    ConnectInfo(peer): ConnectInfo<PeerCity>,
    body: String,
) -> Response {
    if node.is_offline() {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "this node is off the network");
    }
    let Ok(request) = body.parse::<Request>() else {
        return plain(StatusCode::BAD_REQUEST, "not an add-checkpoint request");
    };
    let ctx = node.ctx(Actor::Peer(peer.0));
    let witness = node.clone();
    let decided = node.store.write("witness.cosign", move |tx| cosign(tx, &ctx, &witness, peer.0, &request));
    match decided.await {
        Ok(Ok(line)) => answer(200, Vec::new(), format!("{line}\n").into_bytes()),
        Ok(Err(refused)) => {
            tracing::warn!(peer = %peer.0, ?refused, "a checkpoint was not cosigned");
            answer(
                refused.status(),
                vec![("content-type".into(), "text/x.tlog.size".into())],
                refused.body().into_bytes(),
            )
        }
        Err(error) => {
            tracing::error!(%error, "a checkpoint could not be witnessed");
            plain(StatusCode::SERVICE_UNAVAILABLE, "the witness cannot keep its state")
        }
    }
}

fn cosign(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    node: &Node,
    peer: NodeId,
    request: &Request,
) -> Result<std::result::Result<Signature, Refused>> {
    let city = node
        .desk
        .trust
        .list
        .city(peer)
        .ok_or_else(|| Violation::new("key-unknown", "tls", "no such city"))?;
    let kept = log::witness_state(tx, &city.log_origin)?;
    let known = kept.as_ref().map_or(Known::NOTHING, |kept| Known { size: kept.size, root: kept.root });
    match decide(&log_keys(city)?, known, request, &node.cosigner()?, ctx.now) {
        Ok(Accepted { known, line }) => {
            let note = request.note.clone().with(line.clone()).to_string();
            let origin = city.log_origin.clone();
            let state = log::WitnessState { origin, size: known.size, root: known.root, note, at: ctx.now };
            log::put_witness_state(tx, kept.map(|kept| kept.size), &state)?;
            Ok(Ok(line))
        }
        Err(refused) => {
            if refused.is_evidence() {
                audit::line(tx, ctx, "witness.refuse", &city.log_origin, "log-forked")?;
            }
            Ok(Err(refused))
        }
    }
}

/// The keys that sign a city's checkpoints.
pub fn log_keys(city: &City) -> Result<Vec<Verifier>> {
    Ok(vec![
        Verifier::new(&city.log_origin, Kind::Ed25519, city.keys.key(KeyUse::Log)?)?,
        Verifier::new(&city.log_origin, Kind::Sm2, city.keys.key(KeyUse::LogSm2)?)?,
    ])
}

/// The name that a city's witness signs under.
pub fn witness_name(node: NodeId) -> String {
    format!("tongban/witness/{node}")
}

impl Node {
    fn cosigner(&self) -> Result<Cosigner> {
        Ok(Cosigner::new(&witness_name(self.me), self.witness_key.key.clone())?)
    }
}

/// Asks one city to cosign this node's newest checkpoint, unless it did.
pub async fn ask(node: &Arc<Node>, peer: NodeId) -> Result<()> {
    let name = witness_name(peer);
    let Some(latest) = node.store.read("witness.latest", log::latest).await? else { return Ok(()) };
    if node.is_offline() || latest.cosignatures.iter().any(|(witness, _)| *witness == name) {
        return Ok(());
    }
    // After a start nothing is remembered: the witness then answers with the size that it knows.
    let mut old = node.cosigned_sizes().get(&peer).copied().unwrap_or(0);
    // A second try starts from the size that the witness says it knows; a third would be a loop.
    for _ in 0..2 {
        let request = request(node, old, latest.size, &latest.note).await?;
        let reply =
            node.clients.call(peer, Method::POST, "/log/add-checkpoint", &[], request.into_bytes()).await?;
        let body = String::from_utf8_lossy(&reply.body).into_owned();
        match reply.status {
            200 => return keep(node, peer, &name, latest.size, &latest.note, &body).await,
            409 => {
                old = body.trim().parse().map_err(|_| Violation::new("witness", "size", "not a number"))?
            }
            status => {
                return Err(Violation::new("witness", "status", format!("{peer} answered {status}")).into());
            }
        }
        if latest.size < old {
            return Err(Violation::new(
                "witness",
                "size",
                format!("{peer} knows a longer log than this one"),
            )
            .into());
        }
    }
    Err(Violation::new("log-forked", "checkpoint", format!("{peer} knows another log")).into())
}

async fn request(node: &Arc<Node>, old: u64, size: u64, note: &str) -> Result<String> {
    let proof = node.store.read("witness.proof", move |tx| log::consistency(tx, old, size)).await?;
    Ok(Request { old, proof, note: Note::parse(note)? }.to_string())
}

/// Keeps a cosignature that verifies under the witness key of the trust list.
async fn keep(node: &Arc<Node>, peer: NodeId, name: &str, size: u64, note: &str, body: &str) -> Result<()> {
    let city = node
        .desk
        .trust
        .list
        .city(peer)
        .ok_or_else(|| Violation::new("key-unknown", "witness", "no such city"))?;
    let verifier = Verifier::new(name, Kind::Cosignature, city.keys.key(KeyUse::Witness)?)?;
    let mut cosigned = Note::parse(note)?;
    for line in Signature::parse_lines(body)? {
        cosigned = cosigned.with(line);
    }
    cosigned.verify(&[verifier])?;
    let (name, line, now) = (name.to_owned(), body.to_owned(), node.clock.now());
    node.store.write("witness.keep", move |tx| log::add_cosignature(tx, now, size, &name, &line)).await?;
    node.cosigned_sizes().insert(peer, size);
    Ok(())
}
