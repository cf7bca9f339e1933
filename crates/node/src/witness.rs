//! The witness (见证): cosigns other cities' checkpoints, and refuses a log that forked.
//!
//! Invariants: the state is moved in the transaction that reads it, before the cosignature is sent;
//! what is cosigned, its leaves are held here (`mirror`).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode};
use tb_base::{Actor, Ctx, Error, NodeId, Result, Violation};
use tb_crypto::text;
use tb_exchange::City;
use tb_exchange::fork::{self, Fork};
use tb_exchange::witness::{self, ADD_CHECKPOINT_PATH, Answer, witness_name};
use tb_store::{Tx, audit, log, trust};
use tb_tlog::note::{Note, Signature};
use tb_tlog::witness::{Accepted, Known, Refused, Request};

use crate::listener::PeerCity;
use crate::membership::{self, field};
use crate::server::{answer, plain};
use crate::{Node, contact, mirror};

/// The first pause after a witness gave nothing; it doubles up to the longest.
const PAUSE_MILLIS_FIRST: u64 = 250;
const PAUSE_MILLIS_MAX: u64 = 16_000;

/// Answers `add-checkpoint` as C2SP tlog-witness says.
pub async fn add_checkpoint(
    State(node): State<Arc<Node>>,
    ConnectInfo(peer): ConnectInfo<PeerCity>,
    headers: HeaderMap,
    body: String,
) -> Response {
    node.lines.open(peer.0);
    contact::called(&node, peer.0).await;
    if let Some(said) = headers.get(membership::FIELD).and_then(|value| value.to_str().ok()) {
        membership::heard(&node, peer.0, said).await;
    }
    let Ok(request) = body.parse::<Request>() else {
        return plain(StatusCode::BAD_REQUEST, "not an add-checkpoint request");
    };
    if let Err(response) = hold_leaves(&node, peer.0, &request).await {
        return response;
    }
    let ctx = node.ctx(Actor::Peer(peer.0));
    let witness = node.clone();
    let decide = move |tx: &mut Tx<'_>| cosign(tx, &ctx, &witness, peer.0, &request);
    match node.store.write("witness.cosign", decide).await {
        Ok(decided) => {
            if let Err(refused) = &decided {
                node.refusals.told(node.clock.now(), peer.0, &Violation::from(refused.clone()).code);
                // After a start a log does not remember what it was cosigned for, and asks once more.
                match refused {
                    Refused::Conflict { .. } => {
                        tracing::debug!(peer = %peer.0, ?refused, "an old size was named");
                    }
                    _ => tracing::warn!(peer = %peer.0, ?refused, "a checkpoint was not cosigned"),
                }
            }
            let said = Answer::of(&decided);
            let fields = vec![("content-type".to_owned(), said.content_type().to_owned()), field(&node)];
            answer(said.status(), fields, said.body().into_bytes())
        }
        Err(error) => {
            tracing::error!(%error, "a checkpoint could not be witnessed");
            plain(StatusCode::SERVICE_UNAVAILABLE, "the witness cannot keep its state")
        }
    }
}

/// Copies the leaves of a checkpoint that would be cosigned; what would be refused is not fetched.
async fn hold_leaves(node: &Arc<Node>, peer: NodeId, request: &Request) -> std::result::Result<(), Response> {
    let (ctx, witness, asked) = (node.ctx(Actor::Peer(peer)), node.clone(), request.clone());
    let look =
        move |tx: &mut Tx<'_>| decided(tx, &ctx, &witness, peer, &asked).map(|(_, decided)| decided.is_ok());
    let is_good = node.store.read("witness.look", look).await;
    let held = match (is_good, request.checkpoint()) {
        (Ok(true), Ok(tree)) => mirror::follow(node, peer, &tree).await,
        (Ok(_), _) => return Ok(()),
        (Err(error), _) => Err(error),
    };
    match held {
        Ok(()) => Ok(()),
        Err(Error::Violation(violation)) => {
            tracing::warn!(%peer, %violation, "a checkpoint is not of the log that is published");
            let (ctx, code) = (node.ctx(Actor::Peer(peer)), violation.code.to_string());
            write_refusal(node, ctx, peer, code).await;
            Err(plain(StatusCode::UNPROCESSABLE_ENTITY, "the leaves do not lead to this checkpoint"))
        }
        Err(error) => {
            tracing::info!(%peer, %error, "the leaves of a checkpoint could not be copied");
            Err(plain(StatusCode::SERVICE_UNAVAILABLE, "the leaves of this checkpoint could not be copied"))
        }
    }
}

/// Writes down a refusal, the same one once an hour.
async fn write_refusal(node: &Arc<Node>, ctx: Ctx, peer: NodeId, code: String) {
    let now = ctx.now;
    if !node.refusals.is_news(now, peer, &code) {
        return;
    }
    let said = code.clone();
    let line = move |tx: &mut Tx<'_>| audit::line(tx, &ctx, "witness.refuse", peer.as_str(), &said);
    match node.store.write("witness.refuse", line).await {
        Ok(()) => node.refusals.told(now, peer, &code),
        Err(error) => tracing::error!(%error, "an audit line could not be written"),
    }
}

/// A city may bring its own log only; what the witness knows of it is read, decided on and moved in one.
fn cosign(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    node: &Node,
    peer: NodeId,
    request: &Request,
) -> Result<std::result::Result<Accepted, Refused>> {
    let (kept, decided) = decided(tx, ctx, node, peer, request)?;
    let city = city(node, peer)?;
    match &decided {
        Ok(Accepted { known, line }) => {
            let note = request.note.clone().with(line.clone()).to_string();
            let origin = city.log_origin.clone();
            let state = log::WitnessState { origin, size: known.size, root: known.root, note, at: ctx.now };
            log::put_witness_state(tx, kept.map(|kept| kept.size), &state)?;
        }
        // A log that was restarted does not remember what we know; that is no offence.
        Err(Refused::Conflict { .. }) => {}
        Err(refused) => {
            if let (Refused::Forked { .. } | Refused::BadProof, Some(kept)) = (refused, &kept) {
                keep_fork(tx, ctx, node, &city, kept, request)?;
            }
            let violation = Violation::from(refused.clone());
            if node.refusals.is_news(ctx.now, peer, &violation.code) {
                audit::line(tx, ctx, "witness.refuse", &city.log_origin, &violation.code)?;
            }
        }
    }
    Ok(decided)
}

/// What is known of the log, and what is said to the request.
fn decided(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    node: &Node,
    peer: NodeId,
    request: &Request,
) -> Result<(Option<log::WitnessState>, std::result::Result<Accepted, Refused>)> {
    let city = city(node, peer)?;
    let kept = log::witness_state(tx, &city.log_origin)?;
    let known = kept.as_ref().map_or(Known::NOTHING, |kept| Known { size: kept.size, root: kept.root });
    let cosigner = witness::cosigner(&node.city, &node.witness_key)?;
    let decided = witness::decide(&city, known, request, &cosigner, ctx.now)?;
    Ok((kept, decided))
}

/// What cannot both be the history of a log is kept as a document that anybody can check.
fn keep_fork(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    node: &Node,
    city: &City,
    kept: &log::WitnessState,
    request: &Request,
) -> Result<()> {
    let fork = Fork {
        format: fork::FORMAT.to_owned(),
        log: city.node,
        witness: node.me,
        at: ctx.now,
        known: kept.note.clone(),
        shown: request.note.to_string(),
        proof: request.proof.iter().map(|hash| text::base64(hash)).collect(),
        trust: node.desk.trust().as_ref().clone(),
    };
    let id = fork.id()?;
    if trust::put_fork(tx, ctx.now, &city.log_origin, &fork.sign(&node.secrets)?)? {
        tracing::error!(log = %city.log_origin, fork = %id, "a log has two histories; the evidence is kept");
        audit::line(tx, ctx, "witness.fork", &city.log_origin, &id)?;
    }
    Ok(())
}

fn city(node: &Node, peer: NodeId) -> Result<City> {
    let city = node.desk.trust().list.city(peer).cloned();
    city.ok_or_else(|| Violation::new("key-unknown", "witness", format!("{peer} is no member")).into())
}

/// Asks one city to cosign whenever the log has grown, until the node stops.
pub async fn run(node: Arc<Node>, peer: NodeId) {
    let Some(line) = node.lines.to(peer) else { return };
    let mut last_problem = String::new();
    let mut pause_millis = PAUSE_MILLIS_FIRST;
    while !node.is_stopped() {
        if !node.desk.is_member(peer) {
            membership::is_there(&node, peer).await;
            continue;
        }
        let asked = tokio::select! {
            biased;
            asked = ask(&node, peer) => asked,
            // Asking again is always safe.
            () = node.stopped() => return,
        };
        let Err(error) = asked else {
            (pause_millis, last_problem) = (PAUSE_MILLIS_FIRST, String::new());
            tokio::select! {
                biased;
                () = line.grown.notified() => {}
                () = node.stopped() => return,
            }
            continue;
        };
        note_problem(&node, peer, &error, &mut last_problem).await;
        tokio::select! {
            biased;
            () = tokio::time::sleep(Duration::from_millis(pause_millis)) => {}
            // A city that was heard of is asked sooner, but not with every message that it sends.
            () = async {
                tokio::time::sleep(Duration::from_millis(PAUSE_MILLIS_FIRST)).await;
                line.heard.notified().await;
            } => {}
            () = node.stopped() => return,
        }
        pause_millis = (pause_millis * 2).min(PAUSE_MILLIS_MAX);
    }
}

/// That a witness gives nothing is written down once, not with every try; that it refuses is audited.
async fn note_problem(node: &Arc<Node>, peer: NodeId, error: &tb_base::Error, last: &mut String) {
    let problem = error.to_string();
    if problem == *last {
        return;
    }
    tracing::info!(%peer, %problem, "a witness did not cosign");
    if let tb_base::Error::Violation(violation) = error {
        let (ctx, code) = (node.ctx(Actor::System), violation.code.to_string());
        let line = move |tx: &mut Tx<'_>| audit::line(tx, &ctx, "witness.refused", peer.as_str(), &code);
        if let Err(error) = node.store.write("witness.refused", line).await {
            tracing::error!(%error, "an audit line could not be written");
        }
    }
    *last = problem;
}

/// Asks one city to cosign this node's newest checkpoint, unless it did.
async fn ask(node: &Arc<Node>, peer: NodeId) -> Result<()> {
    if node.is_offline() {
        return Err(crate::call::unavailable(node, peer));
    }
    let name = witness_name(peer);
    let Some(latest) = node.store.read("witness.latest", log::latest).await? else { return Ok(()) };
    if latest.cosignatures.iter().any(|(witness, _)| *witness == name) {
        return Ok(());
    }
    // After a start nothing is remembered: the witness then answers with the size that it knows.
    let mut old = node.cosigned_sizes().get(&peer).copied().unwrap_or(0);
    // A second try starts from the size that the witness says it knows; a third would be a loop.
    for _ in 0..2 {
        let request = request(node, old, latest.size, &latest.note).await?.into_bytes();
        let fields = [field(node)];
        let reply = node.clients.call(peer, Method::POST, ADD_CHECKPOINT_PATH, &fields, request).await;
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => {
                contact::silent(node, peer, &error.to_string()).await;
                return Err(error);
            }
        };
        if let Some((_, said)) = reply.fields.iter().find(|(name, _)| name == membership::FIELD) {
            membership::heard(node, peer, said).await;
        }
        let body = String::from_utf8_lossy(&reply.body);
        match Answer::read(reply.status, &body)? {
            Answer::Cosigned(lines) => return keep(node, peer, latest.size, &latest.note, lines).await,
            Answer::Conflict(size) => old = size,
            // The line is cut, or the witness cannot write.
            Answer::Refused(503) => return Err(crate::call::unavailable(node, peer)),
            Answer::Refused(status) => {
                return Err(
                    Violation::new("witness-refused", "status", format!("it answered {status}")).into()
                );
            }
        }
        if latest.size < old {
            let detail = format!("it knows size {old}, this log has {}", latest.size);
            return Err(Violation::new("log-rolled-back", "checkpoint", detail).into());
        }
    }
    Err(Violation::new("log-forked", "checkpoint", "it knows another log of this size").into())
}

async fn request(node: &Arc<Node>, old: u64, size: u64, note: &str) -> Result<String> {
    let proof = node.store.read("witness.proof", move |tx| log::consistency(tx, old, size)).await?;
    Ok(Request { old, proof, note: Note::parse(note)? }.to_string())
}

/// Keeps a cosignature that verifies under a witness key which counts now; other lines are left aside.
///
/// A city that renewed its keys cosigns with the old one until it is restarted.
async fn keep(node: &Arc<Node>, peer: NodeId, size: u64, note: &str, lines: Vec<Signature>) -> Result<()> {
    let city = city(node, peer)?;
    let name = witness_name(peer);
    let note = Note::parse(note)?;
    let own = lines.into_iter().find(|line| line.name() == name);
    let own = own.ok_or_else(|| Violation::new("witness-refused", "body", "no line of this witness"))?;
    let now = node.clock.now();
    note.with(own.clone()).verify(&witness::witness_keys_at(&city, now)?)?;
    let line = format!("{}\n", own.to_string().trim_end());
    node.store.write("witness.keep", move |tx| log::add_cosignature(tx, now, size, &name, &line)).await?;
    node.cosigned_sizes().insert(peer, size);
    contact::heard(node, peer, None).await;
    Ok(())
}
